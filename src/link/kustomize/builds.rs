//! What each kustomization builds, step by step: the files that it takes in, the builds that it goes
//! on from, what components and patches add, and the images that it names.

use std::collections::{BTreeMap, BTreeSet};

use super::super::SiteId;
use super::flow::{Given, Provider};
use super::pattern::Pattern;
use crate::scan::ScannedFile;
use crate::sites::NameEntry;

/// An entry of [`Builds::named`].
pub type EntryId = usize;

/// An entry of a list of images that is known to act on certain builds.
#[derive(Clone, Debug)]
pub struct Named {
    /// The file that it stands in, by its place in the list of scanned files.
    pub file: usize,
    /// Its site, when it has one.
    pub site: Option<SiteId>,
    /// What it matches.
    pub pattern: Pattern,
    /// What it says.
    pub entry: NameEntry,
    /// Where it stands, as `path:line`, for people.
    pub place: String,
}

/// Everything that is built.
#[derive(Debug, Default)]
pub struct Builds {
    /// The builders.
    pub builders: Vec<Builder>,
    /// The entries.
    pub named: Vec<Named>,
    /// The images that builds may hold without any file at hand saying so.
    pub(super) seeds: Vec<Seed>,
}

/// What one file builds.
#[derive(Debug)]
pub struct Builder {
    /// The file, by its place in the list of scanned files.
    pub file: usize,
    /// The files from which it goes: its own, and those of the builds that something else lays words
    /// over.
    pub(in super::super) roots: BTreeSet<usize>,
    /// What it does, in order.
    pub(super) steps: Vec<Step>,
    /// What it is for.
    pub end: End,
    /// Why nobody knows what it does to the images that go through it.
    pub opaque: Option<String>,
    /// Whether it builds something that nobody can see here.
    pub(super) is_open: bool,
    /// Whether it builds what charts make of values.
    pub(super) generates: bool,
    /// Images that it takes in and that nothing can change: those of policies.
    pub(super) fixed: Vec<String>,
    /// Its own entries whose images may come from elsewhere as well.
    pub(super) elsewhere: Vec<EntryId>,
}

impl Builder {
    /// The entries that it acts by.
    pub(in super::super) fn entries(&self) -> impl Iterator<Item = EntryId> {
        let lists = self.steps.iter().filter_map(|step| match step {
            Step::Entries(entries) => Some(entries),
            _ => None,
        });
        lists.flatten().copied()
    }

    /// The builders that it goes on from, components among them.
    pub(super) fn goes_on_from(&self) -> impl Iterator<Item = usize> {
        self.steps.iter().filter_map(|step| match step {
            Step::Build(to) | Step::Component(to) | Step::Transformer(to) => Some(*to),
            _ => None,
        })
    }
}

/// What something is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is deployed as it is.
    Itself,
    /// Others go on from it.
    Others,
    /// It acts on what others build, and is nothing by itself.
    Component,
}

/// A step of a build.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Images of files that are taken in.
    Sites(Vec<SiteId>),
    /// What another one builds.
    Build(usize),
    /// A component acts.
    Component(usize),
    /// Images that patches write.
    Patches(Vec<SiteId>),
    /// Images that patches test for.
    Tests(Vec<SiteId>),
    /// The images it names, in order.
    Entries(Vec<EntryId>),
    /// Patches and tests of transformers.
    Late(Vec<Step>),
    /// A transformer that names images acts.
    Transformer(usize),
}

/// An image that a build may hold because an entry later on names it.
#[derive(Clone, Debug)]
pub(super) struct Seed {
    /// The builder.
    pub(super) builder: usize,
    /// The name.
    pub(super) text: String,
    /// Why it may be there.
    kind: SeedKind,
}

/// Why an image may be in a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SeedKind {
    /// The build takes in something that cannot be seen.
    Outside,
    /// What Flux or Argo CD build may lie in another repository.
    Elsewhere,
    /// The entry matches nothing else.
    Dead,
}

impl Builds {
    /// Whether nothing is named, so that images are what their files say.
    pub fn is_idle(&self) -> bool {
        let has_tests = |step: &Step| matches!(step, Step::Tests(_) | Step::Late(_));
        self.named.is_empty()
            && !self
                .builders
                .iter()
                .any(|builder| builder.steps.iter().any(has_tests))
    }

    /// The entries that act on what a chart makes of its values, which no build here shows.
    pub(super) fn on_rendered(&self) -> BTreeSet<EntryId> {
        if !self.builders.iter().any(|builder| builder.generates) {
            return BTreeSet::new();
        }
        let named = self.named_above();
        let generating = (0..self.builders.len()).filter(|&index| self.builders[index].generates);
        generating
            .flat_map(|index| named[index].iter().copied())
            .collect()
    }

    /// The sites that are built: images of resources and patches, and those that patches test for.
    pub fn built_sites(&self) -> BTreeSet<SiteId> {
        let mut sites = BTreeSet::new();
        let mut pending: Vec<&Step> = self
            .builders
            .iter()
            .flat_map(|builder| &builder.steps)
            .collect();
        while let Some(step) = pending.pop() {
            match step {
                Step::Sites(some) | Step::Patches(some) | Step::Tests(some) => sites.extend(some),
                Step::Late(steps) => pending.extend(steps),
                Step::Build(_) | Step::Component(_) | Step::Transformer(_) | Step::Entries(_) => {}
            }
        }
        sites
    }

    /// For each builder, the entries that act on what it builds: its own and those further on.
    fn named_above(&self) -> Vec<BTreeSet<EntryId>> {
        let mut named: Vec<BTreeSet<EntryId>> = self
            .builders
            .iter()
            .enumerate()
            .map(|(index, _)| {
                let mut own = BTreeSet::new();
                self.own(index, &mut BTreeSet::new(), &mut own);
                own
            })
            .collect();
        let mut pending: Vec<usize> = (0..self.builders.len()).collect();
        while let Some(index) = pending.pop() {
            for to in self.builders[index].goes_on_from() {
                let more: Vec<_> = named[index].difference(&named[to]).copied().collect();
                if !more.is_empty() {
                    named[to].extend(more);
                    pending.push(to);
                }
            }
        }
        named
    }

    fn own(&self, index: usize, seen: &mut BTreeSet<usize>, own: &mut BTreeSet<EntryId>) {
        if !seen.insert(index) {
            return;
        }
        for step in &self.builders[index].steps {
            match step {
                Step::Entries(entries) => own.extend(entries),
                Step::Component(at) | Step::Transformer(at) => self.own(*at, seen, own),
                _ => {}
            }
        }
    }

    /// Lets what cannot be seen have every image that an entry later on names.
    pub(super) fn sow(&mut self) {
        let named = self.named_above();
        let mut seeds: BTreeMap<(usize, &str), SeedKind> = BTreeMap::new();
        for (index, builder) in self.builders.iter().enumerate() {
            let outside = named[index].iter().filter(|_| builder.is_open);
            let outside = outside.map(|&entry| (entry, SeedKind::Outside));
            let elsewhere = builder.elsewhere.iter();
            let elsewhere = elsewhere.map(|&entry| (entry, SeedKind::Elsewhere));
            for (entry, kind) in outside.chain(elsewhere) {
                if self.named[entry].is_plain() {
                    let pattern = &self.named[entry].entry.pattern;
                    seeds.entry((index, pattern)).or_insert(kind);
                }
            }
            for text in &builder.fixed {
                seeds.insert((index, text), SeedKind::Outside);
            }
        }
        self.seeds = seeds
            .into_iter()
            .map(|((builder, text), kind)| Seed {
                builder,
                text: text.to_string(),
                kind,
            })
            .collect();
    }

    /// Lets what nothing matches match something, so that what is tied to its new name is seen.
    pub(super) fn sow_dead(&mut self, files: &[ScannedFile]) {
        let run = self.run(files, &Given::default());
        let alive: BTreeSet<EntryId> = run
            .segments()
            .flat_map(|segment| segment.names.iter().copied())
            .collect();
        for (builder, made) in self.builders.iter().enumerate() {
            for step in &made.steps {
                let Step::Entries(entries) = step else {
                    continue;
                };
                let dead = entries.iter().filter(|&&id| {
                    let named = &self.named[id];
                    !alive.contains(&id) && !named.entry.new_name.is_empty() && named.is_plain()
                });
                self.seeds.extend(dead.map(|&id| Seed {
                    builder,
                    text: self.named[id].entry.pattern.clone(),
                    kind: SeedKind::Dead,
                }));
            }
        }
    }

    /// The site that gives a name; none when it cannot be seen.
    pub fn site_of(&self, provider: Provider) -> Option<SiteId> {
        match provider {
            Provider::Site(site) => Some(site),
            Provider::NewName(entry) => self.named[entry].site,
            Provider::Outside(_) => None,
        }
    }

    /// What an entry says when it has another name; its new name stays.
    pub fn with_name(&self, entry: EntryId, name: &str) -> (Pattern, String) {
        (Pattern::new(name), self.named[entry].entry.new_name.clone())
    }

    /// Whether something may have this image, though no file here shows it.
    pub fn is_likely(&self, provider: Provider) -> bool {
        match provider {
            Provider::Outside(seed) => self.seeds[seed].kind == SeedKind::Outside,
            Provider::Site(_) | Provider::NewName(_) => true,
        }
    }
}

impl Named {
    /// Whether it is one name and no expression.
    pub fn is_plain(&self) -> bool {
        let is_plain =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
        self.entry.pattern.chars().all(is_plain)
            && crate::sites::split(&self.entry.pattern).0 == self.entry.pattern
    }
}
