//! What kustomize names: images and the entries that match them are decided together.
//!
//! Everything that a name ties together is a class. Where every build of it ends with an entry that
//! names it, the files stay as they are and those entries get a `newName`; where some do not, the
//! files are rewritten, and with them every `name` that matches. Either way the builds are made again
//! with the new texts: unless each image is what it was, or the same from ECR, the class stays.

mod carrying;
mod choice;
mod class;
mod proof;
mod stale;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::decide::Outcome;
use super::targets::Targets;
use crate::link::{Builds, End, EntryId, Given, Group, Links, Provider, Run, SiteId};
use crate::reason::Reason;
use crate::rules::Origin;
use crate::scan::ScannedFile;
use class::{Class, Mode, Node, Ties};
use proof::{Fault, faults, given_of, healed_only, renamings};

/// Decides everything that kustomizations name, in place of what was decided for each site alone.
/// Gives the groups.
pub(super) fn settle(
    files: &[ScannedFile],
    links: &Links,
    targets: &[Targets],
    outcomes: &mut [Vec<Outcome>],
) -> Vec<Group> {
    let builds = &links.builds;
    if builds.is_idle() {
        let is_opaque = builds
            .builders
            .iter()
            .any(|builder| builder.opaque.is_some());
        let run = is_opaque.then(|| builds.run(files, &Given::default()));
        return run.map_or(Vec::new(), |run| opaque_groups(builds, &run));
    }
    let mut settling = Settling {
        files,
        builds,
        links,
        targets,
        outcomes,
        healed: BTreeMap::new(),
        dead: BTreeMap::new(),
        classes: Vec::new(),
        class_of: BTreeMap::new(),
        forced: BTreeSet::new(),
    };
    let before = settling.heal();
    if before.is_cut {
        return vec![settling.everything()];
    }
    settling.classify(&before);
    settling.choose();
    loop {
        let (decided, groups) = settling.decided();
        let outcome = |site: SiteId| {
            let settled = &settling.outcomes[site.file][site.site];
            decided.get(&site).unwrap_or(settled)
        };
        let given = given_of(builds, outcome);
        // What is not tied again after all is as it was.
        let tied = (!settling.healed.is_empty()).then(|| healed_only(builds, outcome));
        let tied = tied.map(|tied| builds.run(files, &tied));
        let after = builds.run(files, &given);
        let renamings = settling.renamings();
        let faults = faults(tied.as_ref().unwrap_or(&before), &after, &renamings);
        if !settling.demote(&faults) && !settling.demote(&settling.turned_stale(given)) {
            for (site, outcome) in decided {
                settling.outcomes[site.file][site.site] = outcome;
            }
            return [groups, opaque_groups(builds, &before)].concat();
        }
    }
}

/// Takes back changes without which every build is as it was but for images from ECR; whether there
/// were any. After [`settle`] this finds something only where groups of other kinds have undone a part.
pub(super) fn take_back(
    files: &[ScannedFile],
    builds: &Builds,
    outcomes: &mut [Vec<Outcome>],
) -> bool {
    if builds.is_idle() {
        return false;
    }
    let outcome = |site: SiteId| &outcomes[site.file][site.site];
    let before = builds.run(files, &healed_only(builds, outcome));
    let given = given_of(builds, outcome);
    let after = builds.run(files, &given);
    let faults = faults(&before, &after, &renamings(outcomes));
    let mut moved = false;
    for fault in &faults {
        for site in fault.sites(builds) {
            let outcome = &mut outcomes[site.file][site.site];
            if matches!(outcome, Outcome::Change(_)) {
                let why = "something that it hangs together with stays, and a kustomization would take it for another image; rewrite both by hand";
                *outcome = Outcome::Skip(Reason::GroupIncomplete, why.to_string());
                moved = true;
            }
        }
    }
    moved
}

struct Settling<'a> {
    files: &'a [ScannedFile],
    builds: &'a Builds,
    links: &'a Links,
    targets: &'a [Targets],
    outcomes: &'a mut [Vec<Outcome>],
    /// Entries that match nothing any more, with the names that they get.
    healed: BTreeMap<EntryId, (String, Origin)>,
    /// Those that never matched anything.
    dead: BTreeMap<EntryId, (String, Origin)>,
    classes: Vec<Class>,
    class_of: BTreeMap<Node, usize>,
    /// Sites in no class that stay, because an entry would take them for its own.
    forced: BTreeSet<SiteId>,
}

impl Settling<'_> {
    fn outcome(&self, site: SiteId) -> &Outcome {
        &self.outcomes[site.file][site.site]
    }

    fn is_changed(&self, site: SiteId) -> bool {
        matches!(self.outcome(site), Outcome::Change(_))
    }

    /// The new text of a site or entry, and what decided it, when it changes.
    fn change(&self, site: SiteId) -> Option<(&str, &Origin)> {
        match self.outcome(site) {
            Outcome::Change(change) => Some((&change.to, &change.rule)),
            Outcome::Skip(..) | Outcome::Undecided(_) => None,
        }
    }

    fn entry_change(&self, entry: EntryId) -> Option<(&str, &Origin)> {
        self.change(self.builds.named[entry].site?)
    }

    fn has_new_name(&self, entry: EntryId) -> bool {
        !self.builds.named[entry].entry.new_name.is_empty()
    }

    /// Everything is one group that stays.
    fn everything(&self) -> Group {
        let mut members: BTreeSet<SiteId> =
            self.builds.named.iter().filter_map(|n| n.site).collect();
        members.extend(self.builds.built_sites());
        Group {
            label: "the builds of the kustomizations".to_string(),
            members: members.into_iter().collect(),
            blocked: Some(
                "the kustomizations here multiply their images beyond what can be followed; look for one that takes in the same folders many times"
                    .to_string(),
            ),
        }
    }

    fn classify(&mut self, before: &Run) {
        let mut ties = Ties::default();
        for built in &before.built {
            for segment in built.segments() {
                for &name in &segment.names {
                    ties.tie(Node::Provider(segment.provider), Node::Name(name));
                }
            }
        }
        for &(provider, test) in &before.tested {
            ties.tie(Node::Provider(provider), Node::Test(test));
        }
        (self.classes, self.class_of) = ties.classes();
        for built in &before.built {
            let builder = &self.builds.builders[built.builder];
            if builder.end != End::Itself {
                continue;
            }
            for segment in built.segments() {
                let is_seen =
                    !matches!(segment.provider, Provider::Outside(_)) || !segment.names.is_empty();
                let class = self.class_of.get(&Node::Provider(segment.provider));
                if let Some(&class) = class.filter(|_| is_seen) {
                    self.classes[class]
                        .ways
                        .push((builder.file, segment.clone()));
                }
            }
        }
    }

    fn is(&self, site: SiteId, wanted: Reason) -> bool {
        matches!(self.outcome(site), Outcome::Skip(reason, _) if *reason == wanted)
    }

    /// The new names that builds may show, by the old ones.
    fn renamings(&self) -> HashMap<String, HashSet<String>> {
        renamings(self.outcomes)
    }

    /// Makes the classes behind the faults change less; whether there were any.
    fn demote(&mut self, faults: &[Fault]) -> bool {
        let mut moved = false;
        for fault in faults {
            let names = fault.entries.iter().map(|&id| Node::Name(id));
            let providers = fault.providers.iter().map(|&at| Node::Provider(at));
            let classes: BTreeSet<usize> = names
                .chain(providers)
                .filter_map(|node| self.class_of.get(&node).copied())
                .collect();
            for class in classes {
                moved |= self.demote_class(class);
            }
        }
        if moved {
            return true;
        }
        // Nothing that is tied is at fault: a rewrite would tie something new.
        for site in faults.iter().flat_map(|fault| fault.sites(self.builds)) {
            moved |= self.is_changed(site) && self.forced.insert(site);
        }
        moved
    }

    fn demote_class(&mut self, index: usize) -> bool {
        let class = &self.classes[index];
        let why = || {
            let place = class
                .names
                .first()
                .map(|&id| self.builds.named[id].place.as_str());
            format!(
                "after a rewrite the kustomize name at {} would match other images than today; rewrite them by hand",
                place.unwrap_or("?")
            )
        };
        let mode = match class.mode {
            Mode::Placeholder if self.can_rename(class).is_ok() => Mode::Rename,
            Mode::Placeholder | Mode::Partial | Mode::Rename => Mode::Stays(why()),
            Mode::Natural | Mode::Stays(_) => return false,
        };
        self.classes[index].mode = mode;
        true
    }
}

/// Blocked groups for what goes through a build of which nobody knows what it does.
fn opaque_groups(builds: &Builds, run: &Run) -> Vec<Group> {
    let mut groups = Vec::new();
    for built in &run.built {
        let Some(why) = &builds.builders[built.builder].opaque else {
            continue;
        };
        let members: BTreeSet<SiteId> = built
            .segments()
            .filter_map(|segment| builds.site_of(segment.provider))
            .collect();
        groups.push(Group {
            label: "a build that cannot be seen whole".to_string(),
            members: members.into_iter().collect(),
            blocked: Some(why.clone()),
        });
    }
    groups
}
