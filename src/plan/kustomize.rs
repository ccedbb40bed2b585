//! What kustomize names: images and the entries that match them are decided together.
//!
//! Everything that a name ties together is a class. Where every build of it ends with an entry that
//! names it, the files stay as they are and those entries get a `newName`; where some do not, the
//! files are rewritten, and with them every `name` that matches. Either way the builds are made again
//! with the new texts: unless each image is what it was, or the same from ECR, the class stays.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::decide::{Outcome, Why, hard_linked, need, rewritten};
use super::entry::{NewNames, carry_out};
use super::ignored;
use super::targets::{Target, Targets};
use crate::link::{
    Builds, End, EntryId, Flow, Given, Group, Links, Pattern, Provider, Run, Segment, SiteId,
};
use crate::reason::Reason;
use crate::rules::Origin;
use crate::scan::ScannedFile;
use crate::sites::{PATCH_TEST, split};

/// Reasons that do not matter for a file that stays as it is anyway.
const STAYS_ANYWAY: &[Reason] = &[
    Reason::NotEditable,
    Reason::SharedAnchor,
    Reason::HardLinked,
    Reason::SeveralTargets,
];
/// Reasons of a `newName` that do not keep the `name` beside it from being rewritten.
const NEW_NAME_ONLY: &[Reason] = &[
    Reason::AlreadyEcr,
    Reason::Allowed,
    Reason::NoRule,
    Reason::UnsupportedUpstream,
];

/// Reasons of an image that are said where it is written, and not again where it is named.
const NAMED_ELSEWHERE: &[Reason] = &[
    Reason::Allowed,
    Reason::NoRule,
    Reason::UnsupportedUpstream,
    Reason::NotAnImage,
    Reason::NotEditable,
];

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
    settling.heal();
    let before = builds.run(files, &settling.baseline());
    if before.is_cut {
        return vec![settling.everything()];
    }
    settling.classify(&before);
    settling.choose();
    loop {
        let (decided, groups) = settling.decided();
        let given = given_of(builds, |site| {
            decided
                .get(&site)
                .unwrap_or(&settling.outcomes[site.file][site.site])
        });
        let after = builds.run(files, &given);
        let mut faults = faults(&before, &after, &settling.renamings());
        if faults.is_empty() {
            faults = settling.turned_stale(given);
        }
        if faults.is_empty() || !settling.demote(&faults) {
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
    let before = builds.run(files, &healed_only(builds, outcomes));
    let given = given_of(builds, |site| &outcomes[site.file][site.site]);
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

/// What is tied to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Provider(Provider),
    Name(EntryId),
    Test(SiteId),
}

/// Providers of names, and the entries that match those.
#[derive(Debug, Default)]
struct Class {
    providers: BTreeSet<Provider>,
    names: BTreeSet<EntryId>,
    tests: BTreeSet<SiteId>,
    /// The ways of its images in the builds that count by themselves, with the file of the build.
    ways: Vec<(usize, Segment)>,
    mode: Mode,
}

/// What becomes of a class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// Nothing of it would change, or nothing is tied to it.
    #[default]
    Natural,
    /// The entries that come last get a `newName`.
    Placeholder,
    /// The same, as far as there are any; the environments of the others differ.
    Partial,
    /// The files and all names that match are rewritten.
    Rename,
    /// It stays, and why.
    Stays(String),
}

/// What becomes of one entry, besides what was decided for it alone.
#[derive(Clone, Debug, Default)]
struct EntryPlan {
    rename: Option<(String, Origin)>,
    /// Why it gets no new name.
    stays: Option<(Reason, String)>,
    heals: bool,
}

/// An image that is something else after a rewrite.
struct Fault {
    entries: BTreeSet<EntryId>,
    providers: BTreeSet<Provider>,
}

impl Fault {
    fn sites(&self, builds: &Builds) -> BTreeSet<SiteId> {
        let of_entry = |&entry: &EntryId| builds.named[entry].site;
        let of_provider = |provider: &Provider| match provider {
            Provider::Site(site) => Some(*site),
            Provider::NewName(entry) => builds.named[*entry].site,
            Provider::Outside(_) => None,
        };
        let entries = self.entries.iter().filter_map(of_entry);
        entries
            .chain(self.providers.iter().filter_map(of_provider))
            .collect()
    }
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

    /// Dead entries that the rewrite itself would make look half-moved: the images that they would match.
    fn turned_stale(&self, mut given: Given) -> Vec<Fault> {
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

    /// Finds the entries that match nothing, but would match an image that has moved to ECR by their
    /// new name: what somebody has moved half-way.
    fn heal(&mut self) {
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

    /// The texts as they would be had nobody moved anything half-way.
    fn baseline(&self) -> Given {
        let mut given = Given::default();
        for (&id, (name, _)) in &self.healed {
            let new_name = self.builds.named[id].entry.new_name.clone();
            given.names.insert(id, (Pattern::new(name), new_name));
        }
        given
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
            for segment in built.flows.iter().flat_map(|flow| &flow.segments) {
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
            for segment in built.flows.iter().flat_map(|flow| &flow.segments) {
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

    fn choose(&mut self) {
        for index in 0..self.classes.len() {
            let class = &self.classes[index];
            let all_named =
                !class.ways.is_empty() && class.ways.iter().all(|(_, way)| !way.names.is_empty());
            self.classes[index].mode = if !self.would_change(class) {
                Mode::Natural
            } else if all_named && self.can_place(class).is_ok() {
                Mode::Placeholder
            } else if self.is_for_several(class) {
                Mode::Partial
            } else {
                match (self.can_rename(class), self.can_place(class)) {
                    (Ok(()), _) => Mode::Rename,
                    (Err(why), Ok(())) | (Err(_), Err(why)) => Mode::Stays(why),
                }
            };
        }
    }

    fn would_change(&self, class: &Class) -> bool {
        let of_provider = |provider: &Provider| match *provider {
            Provider::Site(site) => self.is_changed(site) || self.is(site, Reason::SeveralTargets),
            Provider::NewName(entry) => self.entry_change(entry).is_some(),
            Provider::Outside(_) => false,
        };
        let of_name =
            |&entry: &EntryId| !self.has_new_name(entry) && self.entry_change(entry).is_some();
        class.providers.iter().any(of_provider) || class.names.iter().any(of_name)
    }

    fn is(&self, site: SiteId, wanted: Reason) -> bool {
        matches!(self.outcome(site), Outcome::Skip(reason, _) if *reason == wanted)
    }

    fn is_for_several(&self, class: &Class) -> bool {
        class.providers.iter().any(|provider| match provider {
            Provider::Site(site) => self.is(*site, Reason::SeveralTargets),
            _ => false,
        })
    }

    /// The entries that name an image last, without giving it another name.
    fn last_names(class: &Class) -> BTreeSet<EntryId> {
        let open = class.ways.iter().filter(|(_, way)| !way.is_captured);
        open.filter_map(|(_, way)| way.names.last().copied())
            .collect()
    }

    /// Whether a `newName` in the last entries does it; or why not.
    fn can_place(&self, class: &Class) -> Result<(), String> {
        let last = Self::last_names(class);
        for &entry in &last {
            self.is_one_name(entry)?;
        }
        for (_, way) in &class.ways {
            let before_last = way
                .names
                .len()
                .saturating_sub(usize::from(!way.is_captured));
            if let Some(entry) = way.names[..before_last].iter().find(|id| last.contains(id)) {
                return Err(format!(
                    "the kustomize name at {} comes last in one build and not in another; write a `newName` there and the new name into the entry that follows it",
                    self.builds.named[*entry].place
                ));
            }
        }
        Ok(())
    }

    fn is_one_name(&self, entry: EntryId) -> Result<(), String> {
        let named = &self.builds.named[entry];
        if !named.is_plain() {
            return Err(format!(
                "the kustomize name at {} is a regular expression, so nobody can tell what else it matches; write the name out there",
                named.place
            ));
        }
        if named.site.is_none() {
            return Err(format!(
                "the kustomize name at {} cannot be changed; write it as an entry of `images`",
                named.place
            ));
        }
        Ok(())
    }

    /// Whether the names can be rewritten with the files; or why not.
    fn can_rename(&self, class: &Class) -> Result<(), String> {
        for &entry in &class.names {
            self.is_one_name(entry)?;
            let place = &self.builds.named[entry].place;
            let unknown = || {
                format!(
                    "the kustomize name at {place} is for images that no file here holds; write a `newName` there"
                )
            };
            let (name, _) = self.new_pattern(class, entry).ok_or_else(unknown)?;
            if !is_literal(&name) {
                return Err(format!(
                    "kustomize would read the placeholder in the new name as an expression at {place}; write a `newName` there"
                ));
            }
        }
        let outside = |provider: &&Provider| matches!(provider, Provider::Outside(_));
        match (class.providers.iter().find(outside), class.names.first()) {
            (Some(_), Some(&entry)) => Err(format!(
                "the kustomize name at {} is for images from elsewhere, too, and another build takes this one without naming it; write a `newName` for it there as well",
                self.builds.named[entry].place
            )),
            _ => Ok(()),
        }
    }

    /// What the name of an entry becomes when the files of its class are rewritten.
    fn new_pattern(&self, class: &Class, entry: EntryId) -> Option<(String, Origin)> {
        let pattern = &self.builds.named[entry].entry.pattern;
        class.providers.iter().find_map(|provider| {
            let (from, site) = match *provider {
                Provider::Site(site) => {
                    let text = self.files[site.file].scan.sites[site.site].text();
                    (split(text).0, site)
                }
                Provider::NewName(entry) => {
                    let named = &self.builds.named[entry];
                    (named.entry.new_name.as_str(), named.site?)
                }
                Provider::Outside(_) => return None,
            };
            let (to, rule) = self.change(site).filter(|_| from == pattern)?;
            Some((split(to).0.to_string(), rule.clone()))
        })
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

    /// The outcomes that the modes of the classes lead to, and the groups.
    fn decided(&self) -> (BTreeMap<SiteId, Outcome>, Vec<Group>) {
        let mut decided = BTreeMap::new();
        let mut entries: BTreeMap<EntryId, EntryPlan> = BTreeMap::new();
        let mut groups = Vec::new();
        for class in &self.classes {
            match &class.mode {
                Mode::Natural => {}
                Mode::Placeholder => {
                    self.place(class, &mut decided, &mut entries);
                    groups.extend(self.placed_group(class));
                }
                Mode::Partial => self.place_some(class, &mut decided, &mut entries),
                Mode::Rename => {
                    self.rename(class, &mut entries);
                    groups.push(self.renamed_group(class));
                }
                Mode::Stays(why) => {
                    self.stay(class, why, &mut decided, &mut entries);
                    let mut group = self.renamed_group(class);
                    group.members.retain(|&site| self.is_changed(site));
                    group.blocked = Some(why.clone());
                    groups.push(group);
                }
            }
        }
        for (&id, to) in &self.healed {
            let plan = entries.entry(id).or_default();
            plan.rename = Some(to.clone());
            plan.heals = true;
        }
        self.settle_entries(&entries, &mut decided);
        self.settle_tests(&mut decided);
        for &site in &self.forced {
            let why = "its ECR reference is what a kustomize name that does not match it today would match after a rewrite; spell the image in one way, or remove that name";
            decided.insert(
                site,
                Outcome::Skip(Reason::GroupIncomplete, why.to_string()),
            );
        }
        (decided, groups)
    }

    /// The files stay, and so do the names in between.
    fn place(
        &self,
        class: &Class,
        decided: &mut BTreeMap<SiteId, Outcome>,
        entries: &mut BTreeMap<EntryId, EntryPlan>,
    ) {
        let last = Self::last_names(class);
        let stays = || (Reason::KustomizePlaceholder, self.placeholder(class));
        let sites = class
            .providers
            .iter()
            .filter_map(|provider| match provider {
                Provider::Site(site) => Some(*site),
                _ => None,
            });
        for site in sites.chain(class.tests.iter().copied()) {
            let stays_anyway = match self.outcome(site) {
                Outcome::Change(_) => true,
                Outcome::Skip(reason, _) => STAYS_ANYWAY.contains(reason),
                Outcome::Undecided(_) => false,
            };
            if stays_anyway {
                let (reason, detail) = stays();
                decided.insert(site, Outcome::Skip(reason, detail));
            }
        }
        for provider in &class.providers {
            if let Provider::NewName(entry) = provider {
                entries.entry(*entry).or_default().stays = Some(stays());
            }
        }
        for &entry in class.names.difference(&last) {
            if !self.has_new_name(entry) {
                entries.entry(entry).or_default().stays = Some(stays());
            }
        }
    }

    fn placeholder(&self, class: &Class) -> String {
        let places: BTreeSet<&str> = class
            .ways
            .iter()
            .filter_map(|(_, way)| way.names.last())
            .map(|&id| self.builds.named[id].place.as_str())
            .collect();
        let places: Vec<&str> = places.into_iter().collect();
        format!(
            "every build of it gets its image from a kustomize name ({}); this text is only what that name matches",
            places.join(", ")
        )
    }

    /// The entries that get a `newName`, and what they match.
    fn placed_group(&self, class: &Class) -> Option<Group> {
        let last = Self::last_names(class);
        let first = *last.first()?;
        let sites = class
            .providers
            .iter()
            .filter_map(|provider| match provider {
                Provider::Site(site) => Some(*site),
                _ => None,
            });
        let last = last.iter().filter_map(|&id| self.builds.named[id].site);
        Some(self.group(first, sites.chain(last)))
    }

    fn renamed_group(&self, class: &Class) -> Group {
        let providers = class
            .providers
            .iter()
            .filter_map(|provider| match *provider {
                Provider::Site(site) => Some(site),
                Provider::NewName(entry) => self.builds.named[entry].site,
                Provider::Outside(_) => None,
            });
        let names = class.names.iter();
        let names = names.filter_map(|&id| self.builds.named[id].site);
        let members = providers.chain(names).chain(class.tests.iter().copied());
        match class.names.first() {
            Some(&entry) => self.group(entry, members),
            None => Group {
                label: "a patch that tests for the image".to_string(),
                members: members.collect(),
                blocked: None,
            },
        }
    }

    fn group(&self, entry: EntryId, members: impl Iterator<Item = SiteId>) -> Group {
        let members: BTreeSet<SiteId> = members.collect();
        Group {
            label: format!("the kustomize name at {}", self.builds.named[entry].place),
            members: members.into_iter().collect(),
            blocked: None,
        }
    }

    /// The entries that come last get their own new names; the files stay for the environments that
    /// name nothing.
    fn place_some(
        &self,
        class: &Class,
        decided: &mut BTreeMap<SiteId, Outcome>,
        entries: &mut BTreeMap<EntryId, EntryPlan>,
    ) {
        if let Err(why) = self.can_place(class) {
            self.stay(class, &why, decided, entries);
            return;
        }
        let last = Self::last_names(class);
        for &entry in class.names.difference(&last) {
            if !self.has_new_name(entry) {
                let stays = (Reason::KustomizePlaceholder, self.placeholder(class));
                entries.entry(entry).or_default().stays = Some(stays);
            }
        }
        for provider in &class.providers {
            let Provider::Site(site) = *provider else {
                continue;
            };
            let unnamed: BTreeSet<usize> = class
                .ways
                .iter()
                .filter(|(_, way)| way.provider == *provider && way.names.is_empty())
                .map(|(file, _)| *file)
                .collect();
            if self.is(site, Reason::SeveralTargets) && !unnamed.is_empty() {
                let detail = self.needs(site, &unnamed);
                decided.insert(site, Outcome::Skip(Reason::SeveralTargets, detail));
            }
        }
    }

    /// The entries that the builds of `files` need.
    fn needs(&self, site: SiteId, files: &BTreeSet<usize>) -> String {
        let text = self.files[site.file].scan.sites[site.site].text();
        let needs = files.iter().map(|&file| {
            let target = Target {
                rules: self.targets[file].first.rules.clone(),
                place: self.files[file].source.path.clone(),
            };
            let to = rewritten(split(text).0, &target.rules);
            match to {
                Some((to, _)) => need(&target, split(text).0, &to),
                None => format!("for {} it stays", target.place.display()),
            }
        });
        let needs: Vec<String> = needs.collect();
        format!(
            "it is deployed to several targets: {}; write these entries there, or give each its own copy",
            needs.join(", ")
        )
    }

    fn rename(&self, class: &Class, entries: &mut BTreeMap<EntryId, EntryPlan>) {
        for &entry in &class.names {
            entries.entry(entry).or_default().rename = self.new_pattern(class, entry);
        }
    }

    fn stay(
        &self,
        class: &Class,
        why: &str,
        decided: &mut BTreeMap<SiteId, Outcome>,
        entries: &mut BTreeMap<EntryId, EntryPlan>,
    ) {
        let stays = || (Reason::GroupIncomplete, why.to_string());
        let sites = class
            .providers
            .iter()
            .filter_map(|provider| match provider {
                Provider::Site(site) => Some(*site),
                _ => None,
            });
        for site in sites.chain(class.tests.iter().copied()) {
            if self.is_changed(site) {
                let (reason, detail) = stays();
                decided.insert(site, Outcome::Skip(reason, detail));
            }
        }
        for provider in &class.providers {
            if let Provider::NewName(entry) = provider {
                entries.entry(*entry).or_default().stays = Some(stays());
            }
        }
        for &entry in &class.names {
            if !self.has_new_name(entry) {
                entries.entry(entry).or_default().stays = Some(stays());
            }
        }
    }

    /// The outcome of each entry, from all that was said of it.
    fn settle_entries(
        &self,
        entries: &BTreeMap<EntryId, EntryPlan>,
        decided: &mut BTreeMap<SiteId, Outcome>,
    ) {
        for id in 0..self.builds.named.len() {
            let Some(site) = self.builds.named[id].site else {
                continue;
            };
            let plan = entries.get(&id);
            let outcome = match plan {
                Some(plan) if plan.rename.is_some() => self.renamed(site, plan),
                Some(EntryPlan {
                    stays: Some((reason, detail)),
                    ..
                }) if self.is_changed(site) => Some(Outcome::Skip(*reason, detail.clone())),
                _ if self.has_new_name(id) => None,
                _ => self.only_a_name(id, site),
            };
            decided.extend(outcome.map(|outcome| (site, outcome)));
        }
    }

    /// Why nothing of an entry may be changed that would stay by itself.
    fn forbidden(&self, site: SiteId) -> Option<Why> {
        let file = &self.files[site.file];
        let ignored = || Some((Reason::Ignored, ignored::forbids(file, site.site)?));
        let held = self.links.held.get(&site.file).cloned();
        hard_linked(file).or(held).or_else(ignored)
    }

    /// Tests for images that stay, or that nobody can see, stay as well.
    fn settle_tests(&self, decided: &mut BTreeMap<SiteId, Outcome>) {
        for site in self.builds.built_sites() {
            let is_test = self.files[site.file].scan.sites[site.site].finder == PATCH_TEST;
            let class = self.class_of.get(&Node::Test(site));
            let follows = class.is_some_and(|&class| self.classes[class].mode != Mode::Natural);
            if is_test && !follows && self.is_changed(site) {
                let detail = "a patch tests for this text, and the image that it is for stays, or is not seen here";
                decided.insert(
                    site,
                    Outcome::Skip(Reason::KustomizePlaceholder, detail.to_string()),
                );
            }
        }
    }

    /// An entry that gives no name says nothing of an image that is reported where it is written.
    fn only_a_name(&self, id: EntryId, site: SiteId) -> Option<Outcome> {
        let class = self.class_of.get(&Node::Name(id));
        let is_written = |class: &Class| {
            let mut providers = class.providers.iter();
            providers.any(|provider| !matches!(provider, Provider::Outside(_)))
        };
        let detail = match class {
            None => "nothing that is built with it has this image",
            Some(&class) if is_written(&self.classes[class]) => {
                "it names the image of another place, which is reported there"
            }
            Some(_) => return None,
        };
        let is_said = match self.outcome(site) {
            Outcome::Change(_) => class.is_none(),
            Outcome::Skip(reason, _) => NAMED_ELSEWHERE.contains(reason),
            Outcome::Undecided(_) => false,
        };
        let skip = || Outcome::Skip(Reason::KustomizePlaceholder, detail.to_string());
        is_said.then(skip)
    }

    /// An entry whose `name` is rewritten, and its `newName` unless that stays.
    fn renamed(&self, site: SiteId, plan: &EntryPlan) -> Option<Outcome> {
        let found = &self.files[site.file].scan.sites[site.site];
        let entry = found.entry()?;
        let (name, rule) = plan.rename.clone()?;
        let alone = match self.outcome(site) {
            Outcome::Change(change) => Some(change),
            Outcome::Skip(reason, _) if NEW_NAME_ONLY.contains(reason) => None,
            Outcome::Skip(..) | Outcome::Undecided(_) => return None,
        };
        if alone.is_none()
            && let Some((reason, detail)) = self.forbidden(site)
        {
            return Some(Outcome::Skip(reason, detail));
        }
        let new_name = alone
            .filter(|_| entry.new_name.is_some() && plan.stays.is_none())
            .map(|change| change.to.clone());
        let names = NewNames {
            name: Some(name.clone()),
            new_name: new_name.clone(),
        };
        let carried = match carry_out(entry, &names) {
            Ok(carried) => carried,
            Err((reason, detail)) => return Some(Outcome::Skip(reason, detail)),
        };
        let (from, to) = match new_name {
            Some(to) => (found.text().to_string(), to),
            None => (entry.name.text().to_string(), name),
        };
        Some(Outcome::Change(Box::new(super::Change {
            site: site.site,
            from,
            to,
            rule,
            safety: super::Safety::Certain,
            scalars: carried.scalars,
            inserted: carried.inserted,
            names: Some(names),
            heals: plan.heals,
            edits: carried.edits,
            groups: Vec::new(),
        })))
    }
}

/// Whether kustomize reads a name as it stands.
fn is_literal(name: &str) -> bool {
    !name.contains(['$', '{', '(', '[', '*', '+', '?', '|', '\\', '^'])
}

/// Pairs of nodes become classes.
#[derive(Default)]
struct Ties {
    ids: BTreeMap<Node, usize>,
    above: Vec<usize>,
}

impl Ties {
    fn id(&mut self, node: Node) -> usize {
        let next = self.above.len();
        let id = *self.ids.entry(node).or_insert(next);
        if id == next {
            self.above.push(id);
        }
        id
    }

    fn top(&mut self, mut id: usize) -> usize {
        while self.above[id] != id {
            self.above[id] = self.above[self.above[id]];
            id = self.above[id];
        }
        id
    }

    fn tie(&mut self, a: Node, b: Node) {
        let (a, b) = (self.id(a), self.id(b));
        let (a, b) = (self.top(a), self.top(b));
        self.above[a.max(b)] = a.min(b);
    }

    fn classes(mut self) -> (Vec<Class>, BTreeMap<Node, usize>) {
        let nodes: Vec<(Node, usize)> = self.ids.iter().map(|(node, id)| (*node, *id)).collect();
        let mut classes: Vec<Class> = Vec::new();
        let mut by_top: BTreeMap<usize, usize> = BTreeMap::new();
        let mut class_of = BTreeMap::new();
        for (node, id) in nodes {
            let top = self.top(id);
            let class = *by_top.entry(top).or_insert_with(|| {
                classes.push(Class::default());
                classes.len() - 1
            });
            match node {
                Node::Provider(provider) => {
                    classes[class].providers.insert(provider);
                }
                Node::Name(entry) => {
                    classes[class].names.insert(entry);
                }
                Node::Test(site) => {
                    classes[class].tests.insert(site);
                }
            }
            class_of.insert(node, class);
        }
        (classes, class_of)
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
            Provider::Site(_) => files.extend(known.copied()),
            Provider::NewName(_) | Provider::Outside(_) => others.extend(known.copied()),
        }
    }
    files.difference(&others).copied().collect()
}

/// The texts after the outcomes, as far as they differ.
fn given_of<'o>(builds: &Builds, outcome: impl Fn(SiteId) -> &'o Outcome) -> Given {
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
fn healed_only(builds: &Builds, outcomes: &[Vec<Outcome>]) -> Given {
    let mut given = Given::default();
    for (id, named) in builds.named.iter().enumerate() {
        let Some(site) = named.site else { continue };
        let Outcome::Change(change) = &outcomes[site.file][site.site] else {
            continue;
        };
        let name = change.names.as_ref().and_then(|names| names.name.as_ref());
        if let Some(name) = name.filter(|_| change.heals) {
            let new_name = named.entry.new_name.clone();
            given.names.insert(id, (Pattern::new(name), new_name));
        }
    }
    given
}

/// The new names of all changes, by the old ones.
fn renamings(outcomes: &[Vec<Outcome>]) -> HashMap<String, HashSet<String>> {
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
fn faults(before: &Run, after: &Run, renamings: &HashMap<String, HashSet<String>>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (before, after) in before.built.iter().zip(&after.built) {
        for (before, after) in before.flows.iter().zip(after.flows.iter()) {
            if !is_same(&before.text, &after.text, renamings) {
                faults.push(fault(before, after));
            }
        }
    }
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

/// Blocked groups for what goes through a build of which nobody knows what it does.
fn opaque_groups(builds: &Builds, run: &Run) -> Vec<Group> {
    let mut groups = Vec::new();
    for built in &run.built {
        let Some(why) = &builds.builders[built.builder].opaque else {
            continue;
        };
        let segments = built.flows.iter().flat_map(|flow| &flow.segments);
        let members: BTreeSet<SiteId> = segments
            .filter_map(|segment| match segment.provider {
                Provider::Site(site) => Some(site),
                Provider::NewName(entry) => builds.named[entry].site,
                Provider::Outside(_) => None,
            })
            .collect();
        groups.push(Group {
            label: "a build that cannot be seen whole".to_string(),
            members: members.into_iter().collect(),
            blocked: Some(why.clone()),
        });
    }
    groups
}
