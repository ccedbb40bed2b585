//! The builds before and after: whether each image is what it was, or the same from ECR.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::decide::Outcome;
use crate::link::{Builds, EntryId, Flow, Given, Pattern, Provider, Run, SiteId};
use crate::sites::split;

/// An image that is something else after a rewrite.
pub(super) struct Fault {
    pub(super) entries: BTreeSet<EntryId>,
    pub(super) providers: BTreeSet<Provider>,
}

impl Fault {
    pub(super) fn sites(&self, builds: &Builds) -> BTreeSet<SiteId> {
        let of_entry = |&entry: &EntryId| builds.named[entry].site;
        let of_provider = |&provider: &Provider| builds.site_of(provider);
        let entries = self.entries.iter().filter_map(of_entry);
        entries
            .chain(self.providers.iter().filter_map(of_provider))
            .collect()
    }
}

/// The texts after the outcomes, as far as they differ.
pub(super) fn given_of<'o>(builds: &Builds, outcome: impl Fn(SiteId) -> &'o Outcome) -> Given {
    let mut given = Given::default();
    for site in builds.built_sites() {
        if let Outcome::Change(change) = outcome(site) {
            given.sites.insert(site, change.to.clone());
        }
    }
    for (id, named) in builds.named.iter().enumerate() {
        let Some(Outcome::Change(change)) = named.site.map(&outcome) else {
            continue;
        };
        let Some(names) = &change.names else { continue };
        let pattern = match &names.name {
            Some(name) => Pattern::new(name),
            None => named.pattern.clone(),
        };
        let new_name = names.new_name.clone();
        let new_name = new_name.unwrap_or_else(|| named.entry.new_name.clone());
        given.names.insert(id, (pattern, new_name));
    }
    given
}

/// The texts with nothing but what ties half-moved images again.
pub(super) fn healed_only<'o>(builds: &Builds, outcome: impl Fn(SiteId) -> &'o Outcome) -> Given {
    let mut given = Given::default();
    for (id, named) in builds.named.iter().enumerate() {
        let Some(Outcome::Change(change)) = named.site.map(&outcome) else {
            continue;
        };
        let name = change.names.as_ref().and_then(|names| names.name.as_ref());
        if let Some(name) = name.filter(|_| change.heals) {
            given.names.insert(id, builds.with_name(id, name));
        }
    }
    given
}

/// The new names of all changes, by the old ones.
pub(super) fn renamings(outcomes: &[Vec<Outcome>]) -> HashMap<String, HashSet<String>> {
    let mut renamings: HashMap<String, HashSet<String>> = HashMap::new();
    for outcome in outcomes.iter().flatten() {
        if let Outcome::Change(change) = outcome {
            let (from, to) = (split(&change.from).0, split(&change.to).0);
            let known = renamings.entry(from.to_string()).or_default();
            known.insert(to.to_string());
        }
    }
    renamings
}

/// The images that are neither what they were nor the same from ECR.
pub(super) fn faults(
    before: &Run,
    after: &Run,
    renamings: &HashMap<String, HashSet<String>>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (before, after) in before.built.iter().zip(&after.built) {
        for (before, after) in before.flows.iter().zip(after.flows.iter()) {
            if !is_same(&before.text, &after.text, renamings) {
                faults.push(fault(before, after));
            }
        }
    }
    // A test that passed for an image and does not pass any more fails the build.
    let lost = before.tested.difference(&after.tested);
    faults.extend(lost.map(|(provider, _)| Fault {
        entries: BTreeSet::new(),
        providers: [*provider].into(),
    }));
    faults
}

fn is_same(before: &str, after: &str, renamings: &HashMap<String, HashSet<String>>) -> bool {
    if before == after {
        return true;
    }
    let (old, new) = (split(before), split(after));
    let is_renamed = renamings.get(old.0).is_some_and(|to| to.contains(new.0));
    is_renamed && (old.1, old.2) == (new.1, new.2)
}

/// What has a part in an image that is another one: the entries that match it only before or only
/// after, else all.
fn fault(before: &Flow, after: &Flow) -> Fault {
    let entries = |flow: &Flow| -> BTreeSet<EntryId> {
        let segments = flow.segments.iter();
        segments.flat_map(|segment| segment.names.clone()).collect()
    };
    let (old, new) = (entries(before), entries(after));
    let different: BTreeSet<EntryId> = old.symmetric_difference(&new).copied().collect();
    Fault {
        entries: if different.is_empty() { old } else { different },
        providers: before
            .segments
            .iter()
            .map(|segment| segment.provider)
            .collect(),
    }
}
