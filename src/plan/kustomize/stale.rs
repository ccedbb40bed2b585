//! Names that match nothing: those that somebody disconnected by moving their images alone are tied
//! again, and no others come to look like them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::decide::rewritten;
use super::Settling;
use super::choice::is_literal;
use super::proof::Fault;
use crate::link::{Builds, EntryId, Given, Provider, Run};
use crate::rules::Origin;

impl Settling<'_> {
    /// Finds the entries that match nothing, but would match an image that has moved to ECR by their
    /// new name: what somebody has moved half-way. Gives the builds as they would be had nobody done so.
    pub(super) fn heal(&mut self) -> Run {
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
            return run;
        }
        let mut matched: BTreeSet<EntryId> = candidates.keys().copied().collect();
        for given in self.trials(&candidates) {
            let run = self.builds.run(self.files, &given);
            let meant = matched_by(&run, &candidates);
            let passed_on = passed_on(&run);
            matched.retain(|id| meant.contains(id) && !passed_on.contains(id));
        }
        for (id, to) in candidates {
            let entries = if matched.contains(&id) {
                &mut self.healed
            } else {
                &mut self.dead
            };
            entries.insert(id, to);
        }
        if self.healed.is_empty() {
            return run;
        }
        self.builds.run(self.files, &self.with_names(&self.healed))
    }

    /// Texts with the names that candidates would get, in which all have to be meant for an image: as they
    /// are; with new names as they are after the rewrite, since a run after this one sees those and has to
    /// decide alike; and without those of the candidates, which would hide an image from whatever else names it.
    fn trials(&self, candidates: &BTreeMap<EntryId, (String, Origin)>) -> [Given; 3] {
        let as_is = self.with_names(candidates);
        let mut rewritten_too = as_is.clone();
        for (id, named) in self.builds.named.iter().enumerate() {
            let rules = named.site.map(|site| &self.targets[site.file].first.rules);
            let rules = rules.filter(|_| self.entry_change(id).is_some());
            let new_name = rules.and_then(|rules| rewritten(&named.entry.new_name, rules));
            if let Some((new_name, _)) = new_name {
                let pattern = candidates.get(&id).map_or(&named.entry.pattern, |to| &to.0);
                let (pattern, _) = self.builds.with_name(id, pattern);
                rewritten_too.names.insert(id, (pattern, new_name));
            }
        }
        let mut without = rewritten_too.clone();
        for id in candidates.keys() {
            if let Some((_, new_name)) = without.names.get_mut(id) {
                new_name.clear();
            }
        }
        [as_is, rewritten_too, without]
    }

    /// Dead entries that the rewrite itself would make look half-moved: the images that they would match.
    pub(super) fn turned_stale(&self, mut given: Given) -> Vec<Fault> {
        if self.dead.is_empty() {
            return Vec::new();
        }
        for (&id, (name, _)) in &self.dead {
            let (pattern, own) = self.builds.with_name(id, name);
            let new_name = given
                .names
                .remove(&id)
                .map_or(own, |(_, new_name)| new_name);
            given.names.insert(id, (pattern, new_name));
        }
        let run = self.builds.run(self.files, &given);
        let stale = matched_by(&run, &self.dead);
        run.segments()
            .filter(|segment| segment.names.iter().any(|id| stale.contains(id)))
            .map(|segment| Fault {
                entries: BTreeSet::new(),
                providers: [segment.provider].into(),
            })
            .collect()
    }

    /// The texts with other names for some entries.
    fn with_names(&self, names: &BTreeMap<EntryId, (String, Origin)>) -> Given {
        let names = names.iter();
        let names = names.map(|(&id, (name, _))| (id, self.builds.with_name(id, name)));
        Given {
            names: names.collect(),
            ..Given::default()
        }
    }
}

/// The entries that match anything, as far as anybody can tell.
fn matched(builds: &Builds, run: &Run) -> BTreeSet<EntryId> {
    run.segments()
        .filter(|segment| builds.is_likely(segment.provider))
        .flat_map(|segment| segment.names.iter().copied())
        .collect()
}

/// The entries whose new names other entries match: what hangs on them cannot be told before they match
/// something themselves.
fn passed_on(run: &Run) -> BTreeSet<EntryId> {
    let named = run.segments().filter(|segment| !segment.names.is_empty());
    let given = named.filter_map(|segment| match segment.provider {
        Provider::NewName(id) => Some(id),
        Provider::Site(_) | Provider::Outside(_) => None,
    });
    given.collect()
}

/// Those of `entries` that match images of files, and nothing else: what another entry has made is meant
/// as it is.
fn matched_by(run: &Run, entries: &BTreeMap<EntryId, (String, Origin)>) -> BTreeSet<EntryId> {
    let (mut files, mut others) = (BTreeSet::new(), BTreeSet::new());
    for segment in run.segments() {
        let known = segment.names.iter().filter(|id| entries.contains_key(id));
        match segment.provider {
            // Where another entry names the image, too, nobody knows which one is meant.
            Provider::Site(_) if segment.names.len() == 1 => files.extend(known.copied()),
            _ => others.extend(known.copied()),
        }
    }
    files.difference(&others).copied().collect()
}
