//! Releases: whatever the layers set that a tool puts together, every merge names the same upstream
//! image after a rewrite as before, by way of the cache, or nothing changed.
//!
//! The trees are generated, all combinations in turn. What the tools merge and what an image becomes is
//! worked out here a second time, without the program's code.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(unreachable_pub, dead_code)] // the modules below are this test's own, and shared
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures are for who runs it

mod common;

#[path = "values_layers/helm.rs"]
mod helm;
#[path = "release_layers/oracle.rs"]
mod oracle;
#[path = "release_layers/tools.rs"]
mod tools;

use std::fs;
use std::path::Path;

use common::{REGISTRY, contents, put, run};
use helm::{ALLOWED, PREFIXES};
use oracle::{Parts, Unit};

/// How many failures are shown in full.
const SHOWN: usize = 4;

fn tree(units: &[Unit]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    let rules = PREFIXES.map(|(host, prefix)| format!("{{upstream: {host}, prefix: {prefix}}}"));
    let (host, path) = ALLOWED;
    let config = format!(
        "registry: {REGISTRY}\nrules: [{}]\nallow:\n  - {{image: \"{host}/{path}\", reason: it stays}}\n",
        rules.join(", ")
    );
    put(folder.path(), ".ecr-rewrite.yaml", config.as_bytes());
    for (path, text) in units.iter().flat_map(|unit| &unit.files) {
        put(folder.path(), path, text.as_bytes());
    }
    folder
}

fn read(unit: &Unit, folder: &Path) -> Vec<String> {
    let read = |(path, _): &(String, String)| fs::read_to_string(folder.join(path)).unwrap();
    unit.files.iter().map(read).collect()
}

/// Runs the program over the units and judges each; then over one file of each only.
fn judge(what: &str, unit: fn(&str, &[Parts]) -> Unit) {
    let units: Vec<Unit> = tools::all()
        .enumerate()
        .map(|(number, slots)| unit(&format!("{what}-{number}"), &slots))
        .collect();
    let folder = tree(&units);
    let (exit, output, talk) = run(folder.path(), &["."]);
    assert_eq!((exit, output.as_str()), (0, ""), "{what}: {talk}");
    let mut wrong = Vec::new();
    let [mut changed, mut must] = [0, 0];
    for unit in &units {
        let after = read(unit, folder.path());
        let mut problems = unit.problems(&after, true);
        changed += usize::from(after != unit.before());
        if unit.must_change() {
            must += 1;
            if after == unit.before() {
                problems.push("nothing changed, although everything is certain".into());
            }
        }
        if !problems.is_empty() {
            wrong.push(format!("{}\n{}", problems.join("\n"), unit.told(&after)));
        }
    }
    println!(
        "{what}: {} trees, {changed} changed, {must} had to",
        units.len()
    );
    let shown: Vec<&str> = wrong.iter().take(SHOWN).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{what}: {} are wrong, the first of them:\n\n{}",
        wrong.len(),
        shown.join("\n")
    );
    assert!(
        must > 0 && changed < units.len(),
        "{what}: the trees are all alike"
    );
    let after = contents(folder.path());
    let (_, diff, _) = run(folder.path(), &[".", "--dry-run", "-q"]);
    assert_eq!(diff, "", "{what}: a second run changes something");
    assert!(contents(folder.path()) == after);
    let some: Vec<Unit> = units.into_iter().step_by(5).collect();
    one_file_only(what, &some);
}

/// A run on a part of the files edits those only, and is as safe.
fn one_file_only(what: &str, units: &[Unit]) {
    for chosen in 0..units[0].files.len() {
        let folder = tree(units);
        let paths = units.iter().map(|unit| unit.files[chosen].0.as_str());
        let (exit, _, talk) = run(folder.path(), &paths.collect::<Vec<_>>());
        assert_eq!(exit, 0, "{what}: {talk}");
        for unit in units {
            let after = read(unit, folder.path());
            for (number, (before, after)) in unit.before().iter().zip(&after).enumerate() {
                assert!(
                    number == chosen || before == after,
                    "{what}: it was not given"
                );
            }
            let problems = unit.problems(&after, false);
            assert!(problems.is_empty(), "{problems:?}\n{}", unit.told(&after));
        }
    }
}

#[test]
fn argo_cd_with_a_chart_from_elsewhere() {
    judge("argo-away", tools::argo_away);
}

#[test]
fn argo_cd_with_a_chart_of_the_repository() {
    judge("argo-here", tools::argo_here);
}

#[test]
fn flux_with_config_maps() {
    judge("flux", tools::flux);
}

#[test]
fn flux_with_patches() {
    judge("patched", tools::patched);
}

#[test]
fn helmfile() {
    judge("helmfile", tools::helmfile);
}

#[test]
fn k3s() {
    judge("k3s", tools::k3s);
}

#[test]
fn fleet() {
    judge("fleet", tools::fleet);
}

#[test]
fn kustomize_with_charts() {
    judge("inflated", tools::inflated);
}
