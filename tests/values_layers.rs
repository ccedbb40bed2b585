//! Values in layers: whatever the layers of a chart set, every combination of them names the same
//! upstream image after a rewrite as before, by way of the cache, or nothing changed.
//!
//! The trees are generated, all combinations in turn. What Helm merges and what an image becomes is
//! worked out here a second time, without the program's code (`values_layers/helm.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(unreachable_pub)] // the modules below are this test's own
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures are for who runs it

mod common;

#[path = "values_layers/helm.rs"]
mod helm;
#[path = "values_layers/layouts.rs"]
mod layouts;
#[path = "values_layers/matrix.rs"]
mod matrix;
#[path = "values_layers/unit.rs"]
mod unit;

use std::collections::BTreeMap;
use std::path::Path;

use common::{REGISTRY, contents, put, run};
use helm::{ALLOWED, PREFIXES};
use unit::{Combination, Demands, PLAIN, Unit, WHOLE};

/// How many failures are shown in full.
const SHOWN: usize = 8;

/// A tree with all units, each a folder of its own, and a config.
fn tree(units: &[Unit]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    let rule = |(host, prefix): &(&str, &str)| format!("{{upstream: {host}, prefix: {prefix}}}");
    let rules: Vec<String> = PREFIXES.iter().map(rule).collect();
    let rules = rules.join(", ");
    let (host, path) = ALLOWED;
    let config = format!(
        "registry: {REGISTRY}\nrules: [{rules}]\nallow:\n  - {{image: \"{host}/{path}\", reason: it stays}}\n"
    );
    put(folder.path(), ".ecr-rewrite.yaml", config.as_bytes());
    units.iter().for_each(|unit| unit.write(folder.path()));
    folder
}

/// What became of the units: problems, and how many changed.
#[derive(Default)]
struct Verdicts {
    problems: Vec<String>,
    counts: BTreeMap<String, [usize; 3]>,
}

impl Verdicts {
    /// Adds a unit with its texts now; `demands` are those that must have been met.
    fn add(&mut self, unit: &Unit, after: &[String], demands: Option<&Demands>) {
        let mut problems = unit.problems(after, demands);
        let changed = unit
            .files
            .iter()
            .zip(after)
            .any(|(file, after)| file.text != *after);
        if demands.is_some() && !changed {
            problems.push("nothing changed, although every combination is certain".to_string());
        }
        let counts = self.counts.entry(unit.shape.clone()).or_default();
        counts[usize::from(!changed)] += 1;
        counts[2] += usize::from(demands.is_some());
        if !problems.is_empty() {
            let told = unit.told(after);
            self.problems
                .push(format!("{}\n{told}", problems.join("\n")));
        }
    }

    fn print(&self, what: &str) {
        println!("| {what} | changed | stayed | must change |\n|---|---|---|---|");
        for (shape, [changed, stayed, must]) in &self.counts {
            println!("| {shape} | {changed} | {stayed} | {must} |");
        }
    }

    fn assert_none(&self, what: &str) {
        let shown: Vec<&str> = self
            .problems
            .iter()
            .take(SHOWN)
            .map(String::as_str)
            .collect();
        assert!(
            self.problems.is_empty(),
            "{what}: {} units are wrong, the first of them:\n\n{}",
            self.problems.len(),
            shown.join("\n")
        );
    }
}

/// Runs the program over the units, twice, and judges each.
fn judge(what: &str, units: &[Unit]) {
    let folder = tree(units);
    let (exit, output, talk) = run(folder.path(), &["."]);
    assert_eq!((exit, output.as_str()), (0, ""), "{what}: {talk}");
    let mut verdicts = Verdicts::default();
    for unit in units {
        verdicts.add(unit, &unit.read(folder.path()), unit.demands().as_ref());
    }
    verdicts.print(what);
    verdicts.assert_none(what);
    settled(what, folder.path());
}

/// A second run finds nothing to do.
fn settled(what: &str, folder: &Path) {
    let after = contents(folder);
    let (exit, diff, talk) = run(folder, &[".", "--dry-run", "-q"]);
    assert_eq!((exit, diff.as_str()), (0, ""), "{what}, again: {talk}");
    run(folder, &["."]);
    assert!(
        contents(folder) == after,
        "{what}: a second run changed something"
    );
}

/// All units of the matrix.
fn everything() -> Vec<Unit> {
    [
        matrix::two_layers(),
        matrix::three_layers(),
        matrix::whole_references(),
        matrix::subcharts(),
        matrix::shared_subcharts(),
        matrix::globals(),
        matrix::globals_of_subcharts(),
    ]
    .concat()
}

#[test]
fn two_layers() {
    judge("two layers", &matrix::two_layers());
}

#[test]
fn three_layers() {
    judge("three layers", &matrix::three_layers());
}

#[test]
fn whole_references() {
    judge("whole references", &matrix::whole_references());
}

#[test]
fn subcharts() {
    judge("subcharts", &matrix::subcharts());
}

#[test]
fn shared_subcharts() {
    judge("shared subcharts", &matrix::shared_subcharts());
}

#[test]
fn a_registry_for_all_images() {
    judge("globals", &matrix::globals());
    judge("globals of subcharts", &matrix::globals_of_subcharts());
}

/// A run on a part of the files edits those only, and is as safe.
#[test]
fn a_run_on_one_layer_only() {
    let units = everything();
    for name in ["values.yaml", "values-prod.yaml"] {
        let folder = tree(&units);
        let files = units.iter().flat_map(|unit| &unit.files);
        let chosen: Vec<&str> = files
            .map(|file| file.path.as_str())
            .filter(|path| path.ends_with(&format!("/{name}")))
            .collect();
        let (exit, output, talk) = run(folder.path(), &chosen);
        assert_eq!((exit, output.as_str()), (0, ""), "{name}: {talk}");
        let mut verdicts = Verdicts::default();
        for unit in &units {
            let after = unit.read(folder.path());
            let others = unit
                .files
                .iter()
                .zip(&after)
                .filter(|(file, _)| !chosen.contains(&file.path.as_str()));
            for (file, after) in others {
                assert_eq!(file.text, *after, "{}: it was not given", file.path);
            }
            verdicts.add(unit, &after, None);
        }
        verdicts.print(name);
        verdicts.assert_none(name);
        // What was left is done by a run over everything, and well.
        let (exit, _, talk) = run(folder.path(), &["."]);
        assert_eq!(exit, 0, "{name}: {talk}");
        let mut verdicts = Verdicts::default();
        for unit in &units {
            verdicts.add(unit, &unit.read(folder.path()), unit.demands().as_ref());
        }
        verdicts.assert_none(&format!("{name}, then everything"));
    }
}

/// The files of layouts, each in a chart of its own: their paths and texts.
fn charts<'f>(layouts: impl Iterator<Item = Vec<(&'f str, String)>>) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for (index, layout) in layouts.enumerate() {
        let folder = format!("layout-{index:02}");
        if !layout.iter().any(|(path, _)| *path == "Chart.yaml") {
            let chart = format!("apiVersion: v2\nname: {folder}\nversion: 1.0.0\n");
            files.push((format!("{folder}/Chart.yaml"), chart));
        }
        files.extend(
            layout
                .into_iter()
                .map(|(path, text)| (format!("{folder}/{path}"), text)),
        );
    }
    files
}

/// What became of the layouts that is not as it should be.
fn differences(before: &[(String, String)], wanted: &[(String, String)]) -> Vec<String> {
    let folder = tree(&[]);
    for (path, text) in before {
        put(folder.path(), path, text.as_bytes());
    }
    let (exit, output, talk) = run(folder.path(), &["."]);
    assert_eq!((exit, output.as_str()), (0, ""), "{talk}");
    let found = wanted.iter().filter_map(|(path, wanted)| {
        let got = std::fs::read_to_string(folder.path().join(path)).unwrap();
        (got != *wanted).then(|| format!("{path} is\n{got}\nand should be\n{wanted}"))
    });
    let found: Vec<String> = found.collect();
    if found.is_empty() {
        settled("layouts", folder.path());
    }
    found
}

#[test]
fn these_layouts_are_rewritten() {
    let registry = |text: &str| {
        text.replace(" R\n", &format!(" {REGISTRY}\n"))
            .replace(" R #", &format!(" {REGISTRY} #"))
            .replace("'R'", &format!("'{REGISTRY}'"))
            .replace("R/", &format!("{REGISTRY}/"))
    };
    let before = layouts::REWRITTEN.iter().map(|(_, files)| {
        files
            .iter()
            .map(|(path, before, _)| (*path, (*before).to_string()))
            .collect()
    });
    let after = layouts::REWRITTEN.iter().map(|(_, files)| {
        files
            .iter()
            .map(|(path, _, after)| (*path, registry(after)))
            .collect()
    });
    let wrong = differences(&charts(before), &charts(after));
    for (index, (name, _)) in layouts::REWRITTEN.iter().enumerate() {
        println!("layout-{index:02}: {name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn these_layouts_stay() {
    let files = || {
        charts(layouts::LEFT.iter().map(|(_, files)| {
            files
                .iter()
                .map(|(path, text)| (*path, (*text).to_string()))
                .collect()
        }))
    };
    let wrong = differences(&files(), &files());
    for (index, (name, _)) in layouts::LEFT.iter().enumerate() {
        println!("layout-{index:02}: {name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The texts of a unit with the demands met.
fn met(unit: &Unit, demands: &Demands) -> Vec<String> {
    let mut texts: Vec<String> = unit.files.iter().map(|file| file.text.clone()).collect();
    for ((file, below, key), to) in demands {
        let text = &mut texts[*file];
        let start = match *below {
            "" => 0,
            key => text.find(&format!("\n{key}:")).unwrap(),
        };
        let key = if *key == WHOLE {
            unit.image[unit.image.len() - 1]
        } else {
            key
        };
        let value = start + text[start..].find(&format!("{key}: ")).unwrap() + key.len() + 2;
        let value = value + usize::from(text[value..].starts_with(['"', '\'']));
        let end = value
            + text[value..]
                .find(['"', '\'', ' ', ',', '}', '\r', '\n'])
                .unwrap();
        text.replace_range(value..end, to);
    }
    texts
}

/// The check can be passed: texts with all demands met are right, and there are enough of them.
#[test]
fn the_check_passes_what_is_right() {
    let mut verdicts = Verdicts::default();
    let units = everything();
    for unit in &units {
        let demands = unit.demands();
        let after = demands.as_ref().map(|demands| met(unit, demands));
        let after =
            after.unwrap_or_else(|| unit.files.iter().map(|file| file.text.clone()).collect());
        verdicts.add(unit, &after, demands.as_ref());
    }
    verdicts.print("what must change");
    verdicts.assert_none("the demands");
    for (shape, [changed, _, must]) in &verdicts.counts {
        assert_eq!(changed, must, "{shape}");
        assert!(*must > 0, "{shape}: nothing must change");
    }
    assert!(units.len() > 800, "{} units", units.len());
}

/// The check can fail: a rewrite of one file at a time, and one of half of the parts, are caught.
#[test]
fn the_check_catches_what_is_wrong() {
    let units = everything();
    let (mut one_file, mut one_part) = (0, 0);
    for unit in &units {
        for file in 0..unit.files.len() {
            let below: Vec<&'static str> = unit
                .combinations
                .iter()
                .flat_map(|combination| &combination.layers)
                .filter(|(layer, _)| *layer == file)
                .map(|(_, key)| *key)
                .collect();
            let combinations = below.iter().map(|key| Combination {
                label: String::new(),
                layers: vec![(file, *key)],
                open: false,
            });
            let alone = Unit {
                combinations: combinations.collect(),
                readings: PLAIN,
                ..unit.clone()
            };
            let Some(demands) = alone.demands() else {
                continue;
            };
            if unit.demands().is_none() {
                one_file += usize::from(
                    !unit
                        .problems(&met(unit, &demands), unit.demands().as_ref())
                        .is_empty(),
                );
            }
        }
        for scalar in unit.demands().iter().flatten() {
            let demands = Demands::from([(*scalar.0, scalar.1.clone())]);
            if unit.demands().unwrap().len() > 1 {
                let caught = !unit
                    .problems(&met(unit, &demands), unit.demands().as_ref())
                    .is_empty();
                assert!(
                    caught,
                    "half of it is not caught:\n{}",
                    unit.told(&met(unit, &demands))
                );
                one_part += 1;
            }
        }
    }
    println!("caught: {one_file} rewrites of one file, {one_part} of one part");
    assert!(one_file > 100 && one_part > 100);
}
