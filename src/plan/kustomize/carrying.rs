//! The ways of the classes become outcomes of sites, and groups.

use std::collections::{BTreeMap, BTreeSet};

use super::super::decide::{Outcome, Why, hard_linked, need, rewritten};
use super::super::entry::{NewNames, carry_out};
use super::super::targets::Target;
use super::super::{Change, Safety, ignored};
use super::Settling;
use super::class::{Class, Mode, Node};
use crate::link::{EntryId, Group, Provider, SiteId};
use crate::reason::Reason;
use crate::rules::Origin;
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

/// What becomes of one entry, besides what was decided for it alone.
#[derive(Clone, Debug, Default)]
struct EntryPlan {
    rename: Option<(String, Origin)>,
    /// Why it gets no new name.
    stays: Option<Why>,
    heals: bool,
}

impl Settling<'_> {
    /// The outcomes that the modes of the classes lead to, and the groups.
    pub(super) fn decided(&self) -> (BTreeMap<SiteId, Outcome>, Vec<Group>) {
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
        let last = class.last_names();
        let why = (Reason::KustomizePlaceholder, self.placeholder(class));
        for site in class.sites().chain(class.tests.iter().copied()) {
            let stays_anyway = match self.outcome(site) {
                Outcome::Change(_) => true,
                Outcome::Skip(reason, _) => STAYS_ANYWAY.contains(reason),
                Outcome::Undecided(_) => false,
            };
            if stays_anyway {
                let (reason, detail) = why.clone();
                decided.insert(site, Outcome::Skip(reason, detail));
            }
        }
        self.keep_entries(class, class.names.difference(&last), &why, entries);
    }

    /// Notes why the entries that give a class its names, and those of `names`, get no new name.
    fn keep_entries<'n>(
        &self,
        class: &Class,
        names: impl IntoIterator<Item = &'n EntryId>,
        why: &Why,
        entries: &mut BTreeMap<EntryId, EntryPlan>,
    ) {
        for provider in &class.providers {
            if let Provider::NewName(entry) = provider {
                entries.entry(*entry).or_default().stays = Some(why.clone());
            }
        }
        for &entry in names {
            if !self.has_new_name(entry) {
                entries.entry(entry).or_default().stays = Some(why.clone());
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
        let last = class.last_names();
        let first = *last.first()?;
        let last = last.iter().filter_map(|&id| self.builds.named[id].site);
        Some(self.group(first, class.sites().chain(last)))
    }

    fn renamed_group(&self, class: &Class) -> Group {
        let providers = class.providers.iter();
        let providers = providers.filter_map(|&provider| self.builds.site_of(provider));
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
        let last = class.last_names();
        for &entry in class.names.difference(&last) {
            if !self.has_new_name(entry) {
                let stays = (Reason::KustomizePlaceholder, self.placeholder(class));
                entries.entry(entry).or_default().stays = Some(stays);
            }
        }
        for &test in &class.tests {
            if self.is_changed(test) {
                let (reason, detail) = (Reason::KustomizePlaceholder, self.placeholder(class));
                decided.insert(test, Outcome::Skip(reason, detail));
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
        let why = (Reason::GroupIncomplete, why.to_string());
        for site in class.sites().chain(class.tests.iter().copied()) {
            if self.is_changed(site) {
                let (reason, detail) = why.clone();
                decided.insert(site, Outcome::Skip(reason, detail));
            }
        }
        self.keep_entries(class, &class.names, &why, entries);
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
            // Whatever keeps it from getting a new name keeps its images where they are.
            Some(&class) if self.classes[class].must_place(id) => return None,
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
        Some(Outcome::Change(Box::new(Change {
            site: site.site,
            from,
            to,
            rule,
            safety: Safety::Certain,
            scalars: carried.scalars,
            inserted: carried.inserted,
            allowance: None,
            names: Some(names),
            heals: plan.heals,
            charted: None,
            edits: carried.edits,
            groups: Vec::new(),
        })))
    }
}
