//! Overrides in a values file beside the chart's own: in a copy of the chart, with its default values.

use std::collections::BTreeSet;
use std::fs;

use ecr_rewrite::helm::ValuePath;
use serde_json::Value;

use super::charts::{Chart, merge, merged};
use super::common::{REGISTRY, contents, copy, put, run, scratch};
use super::overrides::Override;
use super::places::Place;

/// Copies of a chart, each with other overrides: of as many kinds.
const COPIES: usize = 2;
/// The values file with the overrides.
const FILE: &str = "values-override.yaml";

/// A copy of a chart after the run.
pub struct Copy {
    /// Where it lies.
    pub folder: tempfile::TempDir,
    /// The overrides before the run.
    pub before: Value,
    /// The overrides after the run.
    pub after: Value,
    /// The places that are overridden, each with its override.
    pub places: Vec<(usize, Override)>,
    /// What the program says of itself that must not be.
    pub stopped: Vec<String>,
}

/// Rewrites copies of a chart with an override of each place that is independent of the others.
pub fn rewrite(chart: &Chart, places: &[Place], overrides: &[Override]) -> Vec<Copy> {
    let copies = (0..COPIES).map(|number| mixed(places, overrides, number));
    let copies = copies.filter(|mixed| !mixed.is_empty());
    copies.map(|mixed| rewritten(chart, mixed)).collect()
}

/// For each place one of its overrides without a global, another one in each copy.
fn mixed(places: &[Place], overrides: &[Override], number: usize) -> Vec<(usize, Override)> {
    let (mut mixed, mut taken) = (Vec::new(), BTreeSet::<&ValuePath>::new());
    for (index, place) in places.iter().enumerate() {
        let is_own = |one: &&Override| one.place == Some(index) && one.global.is_none();
        let own: Vec<&Override> = overrides.iter().filter(is_own).collect();
        if taken.is_disjoint(&place.reads.iter().collect()) {
            mixed.push((index, own[(index + 4 * number) % own.len()].clone()));
            taken.extend(&place.reads);
        }
    }
    mixed
}

fn rewritten(chart: &Chart, places: Vec<(usize, Override)>) -> Copy {
    let folder = scratch();
    copy(&chart.folder, folder.path());
    let mut before = chart.needed.clone();
    for (_, one) in &places {
        merge(&mut before, &merged(&one.layers));
    }
    // Leave for other images has to stand where the chart's own are, too.
    let own = fs::read_to_string(folder.path().join("values.yaml")).unwrap_or_default();
    let own = own.replace("allowInsecureImages: false", "allowInsecureImages: true");
    put(folder.path(), "values.yaml", own.as_bytes());
    let text = serde_yaml::to_string(&before).unwrap();
    put(folder.path(), FILE, text.as_bytes());
    let target = [".", "--registry", REGISTRY, "--rules", "default"];
    let (_, _, talk) = run(folder.path(), &target);
    let first = contents(folder.path());
    run(folder.path(), &target);
    let second = contents(folder.path());
    let changed = second.iter().filter(|(path, text)| first[*path] != **text);
    let changed = changed.map(|(path, _)| format!("a second run changes {}", path.display()));
    let errors = talk.lines().filter(|line| line.contains("a second run"));
    let after = fs::read_to_string(folder.path().join(FILE)).unwrap();
    Copy {
        after: serde_yaml::from_str(&after).unwrap(),
        stopped: errors.map(str::to_string).chain(changed).collect(),
        before,
        places,
        folder,
    }
}
