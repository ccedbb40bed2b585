//! Names that match nothing: those that somebody disconnected by moving their images alone are tied
//! again, and no others come to look like them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::decide::rewritten;
use super::Settling;
use super::choice::is_literal;
use super::proof::Fault;
use crate::link::{Builds, EntryId, Given, Pattern, Provider, Run};
use crate::rules::Origin;

impl Settling<'_> {
    /// Finds the entries that match nothing, but would match an image that has moved to ECR by their
    /// new name: what somebody has moved half-way.
    pub(super) fn heal(&mut self) {
        let run = self.builds.run(self.files, &Given::default());
        let matched = matched(self.builds, &run);
        let dead = (0..self.builds.named.len()).filter(|id| !matched.contains(id));
        let mut candidates: BTreeMap<EntryId, (String, Origin)> = BTreeMap::new();
        for id in dead {
            let named = &self.builds.named[id];
            let Some(site) = named.site.filter(|_| named.is_plain()) else {
                continue;
            };
            let rules = &self.targets[site.file].first.rules;
            let name = rewritten(&named.entry.pattern, rules);
            candidates.extend(name.filter(|(name, _)| is_literal(name)).map(|to| (id, to)));
        }
        if candidates.is_empty() {
            return;
        }
        let mut given = Given::default();
        for (&id, (name, _)) in &candidates {
            let new_name = self.builds.named[id].entry.new_name.clone();
            given.names.insert(id, (Pattern::new(name), new_name));
        }
        let matched = matched_by(&self.builds.run(self.files, &given), &candidates);
        for (id, to) in candidates {
            let entries = if matched.contains(&id) {
                &mut self.healed
            } else {
                &mut self.dead
            };
            entries.insert(id, to);
        }
    }

    /// Dead entries that the rewrite itself would make look half-moved: the images that they would match.
    pub(super) fn turned_stale(&self, mut given: Given) -> Vec<Fault> {
        for (&id, (name, _)) in &self.dead {
            let own = self.builds.named[id].entry.new_name.clone();
            let names = given.names.entry(id).or_insert((Pattern::new(name), own));
            names.0 = Pattern::new(name);
        }
        let run = self.builds.run(self.files, &given);
        let stale = matched_by(&run, &self.dead);
        let flows = run.built.iter().flat_map(|built| built.flows.iter());
        let segments = flows.flat_map(|flow| &flow.segments);
        segments
            .filter(|segment| segment.names.iter().any(|id| stale.contains(id)))
            .map(|segment| Fault {
                entries: BTreeSet::new(),
                providers: [segment.provider].into(),
            })
            .collect()
    }

    /// The texts as they would be had nobody moved anything half-way.
    pub(super) fn baseline(&self) -> Given {
        let mut given = Given::default();
        for (&id, (name, _)) in &self.healed {
            let new_name = self.builds.named[id].entry.new_name.clone();
            given.names.insert(id, (Pattern::new(name), new_name));
        }
        given
    }
}

/// The entries that match anything, as far as anybody can tell.
fn matched(builds: &Builds, run: &Run) -> BTreeSet<EntryId> {
    let flows = run.built.iter().flat_map(|built| built.flows.iter());
    flows
        .flat_map(|flow| &flow.segments)
        .filter(|segment| builds.is_likely(segment.provider))
        .flat_map(|segment| segment.names.iter().copied())
        .collect()
}

/// Those of `entries` that match images of files, and nothing else: what another entry has made is meant
/// as it is.
fn matched_by(run: &Run, entries: &BTreeMap<EntryId, (String, Origin)>) -> BTreeSet<EntryId> {
    let (mut files, mut others) = (BTreeSet::new(), BTreeSet::new());
    let flows = run.built.iter().flat_map(|built| built.flows.iter());
    for segment in flows.flat_map(|flow| &flow.segments) {
        let known = segment.names.iter().filter(|id| entries.contains_key(id));
        match segment.provider {
            // Where another entry names the image, too, nobody knows which one is meant.
            Provider::Site(_) if segment.names.len() == 1 => files.extend(known.copied()),
            _ => others.extend(known.copied()),
        }
    }
    files.difference(&others).copied().collect()
}
