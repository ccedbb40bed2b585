//! Releases that other files change: patches of their objects, and objects that say which chart it is.
//!
//! A patch is merged over every release of its name, one at a time, as overlays do. Where several may
//! come together, or one cannot be followed, the release is not known as a whole.

use std::collections::BTreeSet;

use super::layers::Placed;
use super::tree::Tree;
use crate::scan::ScannedFile;
use crate::sites::{Fact, From, Given, Release, Stage, Tool, UnclearPatch};

/// Every release as it is, and with each patch.
pub(super) fn variants(files: &[ScannedFile], all: &[Placed], tree: &Tree<'_>) -> Vec<Placed> {
    let all = with_chart_objects(all);
    let (mut bases, patches): (Vec<Placed>, Vec<Placed>) =
        all.into_iter().partition(|placed| placed.release.has_chart);
    hold_unclear(files, &mut bases, tree);
    let mut orphans: Vec<&Placed> = Vec::new();
    for patch in &patches {
        if !bases.iter().any(|base| is_patch_of(patch, base)) {
            orphans.push(patch);
        }
    }
    for patch in &orphans {
        let reached = tree.built_with([patch.file].into());
        let why = format!("{} may change it", files[patch.file].source.path.display());
        for base in &mut bases {
            if base.release.tool == patch.release.tool && reached.contains(&base.file) {
                base.hold(Stage::Files, &why);
            }
        }
    }
    let mut variants = Vec::new();
    for base in &bases {
        // One object that is whole may be written over another, too.
        let others = bases.iter().filter(|other| {
            other.file != base.file
                && is_of_name(&other.release, &base.release)
                && tree.acts(other.file)
        });
        let own: Vec<&Placed> = patches
            .iter()
            .filter(|patch| is_patch_of(patch, base))
            .chain(others)
            .collect();
        let together = meeting(&own, base, tree);
        variants.push(base.clone());
        for patch in own {
            let mut whole = base.patched(patch);
            if together.contains(&patch.file) {
                whole.hold(Stage::Files, "several patches change it");
            }
            variants.push(whole);
        }
    }
    for patch in orphans {
        let mut alone = patch.clone();
        alone.hold(
            Stage::Files,
            "the object that it patches is not in this repository",
        );
        variants.push(alone);
    }
    variants
}

impl Placed {
    fn hold(&mut self, stage: Stage, why: &str) {
        let given = Given {
            stage,
            from: From::Unknown(why.to_string()),
        };
        self.layers.insert(0, (self.file, given));
    }

    /// The release with a patch merged over it: lists are replaced, maps are merged.
    fn patched(&self, patch: &Placed) -> Self {
        let mut whole = self.clone();
        let lists = &patch.release.lists;
        let is_replaced = |given: &Given| {
            let is_text = given.stage == Stage::Values && patch.release.has_text;
            is_text || lists.contains(&given.stage)
        };
        let is_values = |(_, given): &(usize, Given)| given.stage == Stage::Values;
        let are_both = [self, patch].map(|placed| placed.layers.iter().any(is_values));
        let is_mixed = are_both == [true; 2] && self.release.has_text != patch.release.has_text;
        whole.layers.retain(|(_, given)| !is_replaced(given));
        whole.layers.extend(patch.layers.iter().cloned());
        whole.layers.sort_by_key(|(_, given)| given.stage);
        whole.patches.push(patch.file);
        whole.release.source.patch(&patch.release.source);
        whole.release.deployed.patch(&patch.release.deployed);
        if is_mixed {
            whole.hold(Stage::Files, "a patch gives its values in another form");
        }
        whole
    }
}

fn is_of_name(one: &Release, other: &Release) -> bool {
    one.tool == other.tool
        && one.tool != Tool::Other
        && one.name.is_some()
        && one.name == other.name
}

fn is_patch_of(patch: &Placed, base: &Placed) -> bool {
    is_of_name(&patch.release, &base.release)
}

/// The files of patches of `base` that one build takes in together.
fn meeting(patches: &[&Placed], base: &Placed, tree: &Tree<'_>) -> BTreeSet<usize> {
    let mut together = BTreeSet::new();
    let files: BTreeSet<usize> = patches.iter().map(|patch| patch.file).collect();
    if patches.len() < 2 {
        return together;
    }
    for patch in patches {
        if patches
            .iter()
            .filter(|other| other.file == patch.file)
            .count()
            > 1
        {
            together.insert(patch.file);
        }
    }
    for by in tree.built_with([base.file].into()) {
        let reached = tree.reached(by);
        let met: BTreeSet<usize> = files.intersection(&reached).copied().collect();
        if met.len() > 1 && reached.contains(&base.file) {
            together.extend(met);
        }
    }
    together
}

/// Releases whose chart is told by an object of its own take over what that says.
fn with_chart_objects(all: &[Placed]) -> Vec<Placed> {
    let mut whole = Vec::new();
    for placed in all {
        let object = placed.release.chart_object.as_ref();
        let is_it =
            |other: &&Placed| object.is_some() && other.release.chart_name.as_ref() == object;
        let mut found = false;
        for chart in all.iter().filter(is_it) {
            found = true;
            let mut taken = placed.clone();
            taken.release.charts.clone_from(&chart.release.charts);
            taken.release.replaces_defaults = chart.release.replaces_defaults;
            taken.release.source = chart.release.source.clone();
            taken.layers.splice(0..0, chart.layers.iter().cloned());
            whole.push(taken);
        }
        if !found {
            whole.push(placed.clone());
        }
    }
    whole
}

/// Holds the releases that patches may change of which only that is known.
fn hold_unclear(files: &[ScannedFile], bases: &mut [Placed], tree: &Tree<'_>) {
    for (by, file) in files.iter().enumerate() {
        for fact in &file.scan.facts {
            let Fact::UnclearPatch(UnclearPatch {
                target,
                reaches_far,
            }) = fact
            else {
                continue;
            };
            let reached = tree.built_with([by].into());
            let why = format!("a patch in {} may change it", file.source.path.display());
            for base in bases.iter_mut() {
                let is_meant = target.is_it(base.release.name.as_deref());
                let is_built = *reaches_far || reached.contains(&base.file);
                if base.release.tool != Tool::Other && is_meant && is_built {
                    base.hold(Stage::Files, &why);
                }
            }
        }
    }
}
