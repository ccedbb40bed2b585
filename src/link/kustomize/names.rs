//! Names of which nobody can tell what they act on: those of a template, of an application that stands
//! elsewhere, of a component that nothing here uses.
//!
//! Such a name counts for every site that it matches: rewriting the site could disconnect the entry,
//! and its tag would be lost without an error.

use std::collections::{BTreeMap, BTreeSet};

use super::super::placeholder::{self, Known};
use super::super::tree::facts;
use super::super::{Group, SiteId};
use super::builds::Builds;
use super::pattern::Pattern;
use crate::scan::ScannedFile;
use crate::sites::{Acts, Kustomization, NameEntry, PATCH_TEST, TEXT, split};
use crate::source::Lines;

/// Every distinct name, and where entries with it stand.
#[derive(Debug, Default)]
pub(in super::super) struct NameSet {
    names: Vec<Name>,
    /// The sites that belong to entries, whether or not those count here.
    own: BTreeMap<SiteId, Own>,
    /// The sites that are built before anyone's eyes.
    built: BTreeSet<SiteId>,
    /// The sites in texts, which kustomize does not take for images.
    texts: BTreeSet<SiteId>,
}

#[derive(Debug)]
struct Name {
    pattern: Pattern,
    /// Whether it acts on what charts make of values, and on nothing else that is not known.
    on_rendered: bool,
    /// Whether it may act on any text of an object.
    any_field: bool,
    /// The first entry with it and, so that an entry can be left out, another one. Each with
    /// `path:line`, for people.
    places: Vec<(Entry, String)>,
}

impl Name {
    /// The name of a key; none when nothing of its pattern is known.
    fn of(key: Key<'_>, places: Vec<(Entry, String)>) -> Option<Self> {
        let pattern = match placeholder::known(key.pattern) {
            Known::Whole => Pattern::new(key.pattern),
            Known::Part(pattern) => Pattern::new(&pattern),
            Known::Nothing => return None,
        };
        Some(Self {
            pattern,
            on_rendered: key.on_rendered,
            any_field: key.any_field,
            places,
        })
    }
}

/// By what a name is known while names are collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'n> {
    pattern: &'n str,
    on_rendered: bool,
    any_field: bool,
}

/// The places of names.
type Places<'n> = BTreeMap<Key<'n>, Vec<(Entry, String)>>;

impl<'n> Key<'n> {
    fn new(pattern: &'n str) -> Self {
        Self {
            pattern,
            on_rendered: false,
            any_field: false,
        }
    }

    fn of_rendered(self) -> Self {
        Self {
            on_rendered: true,
            ..self
        }
    }

    fn in_fields(self, any_field: bool) -> Self {
        Self { any_field, ..self }
    }
}

/// An entry of a list of images: the file, and the byte where its `name` stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    file: usize,
    offset: usize,
}

/// What is known of the site of an entry.
#[derive(Clone, Copy, Debug)]
struct Own {
    entry: Entry,
    /// Whether it acts last, so that only entries of its own file can act on what it makes.
    is_last: bool,
}

impl NameSet {
    /// The names of the kustomizations `loose` (each by its file and its place there), and of those
    /// that act on charts.
    pub(in super::super) fn of(
        files: &[ScannedFile],
        builds: &Builds,
        loose: &BTreeSet<(usize, usize)>,
    ) -> Self {
        let mut places: Places<'_> = BTreeMap::new();
        let mut set = Self {
            built: builds.built_sites(),
            ..Self::default()
        };
        for (file, scanned) in files.iter().enumerate() {
            let mut lines = None;
            set.note_tests(file, scanned, &mut places);
            let sites = scanned.scan.sites.iter().enumerate();
            let texts = sites.filter(|(_, site)| site.finder == TEXT);
            set.texts
                .extend(texts.map(|(site, _)| SiteId { file, site }));
            for (fact, kustomization) in facts(scanned).enumerate() {
                let is_loose = loose.contains(&(file, fact));
                let counts = |name: &NameEntry| {
                    is_loose
                        || placeholder::known(&name.pattern) != Known::Whole
                        || speaks_of_tags(&name.pattern)
                };
                for name in &kustomization.names {
                    let entry = Entry {
                        file,
                        offset: name.offset,
                    };
                    set.own(file, scanned, kustomization, entry, name);
                    if counts(name) {
                        let lines = lines.get_or_insert_with(|| Lines::new(&scanned.source.text));
                        let line = lines.position(name.offset).line;
                        let place = format!("{}:{line}", scanned.source.path.display());
                        let key = Key::new(&name.pattern).in_fields(name.any_field);
                        note(&mut places, key, entry, place);
                    }
                }
            }
        }
        for id in builds.on_rendered() {
            let named = &builds.named[id];
            let entry = Entry {
                file: named.file,
                offset: named.entry.offset,
            };
            let key = Key::new(&named.entry.pattern).of_rendered();
            note(&mut places, key, entry, named.place.clone());
        }
        let names = places.into_iter();
        set.names = names
            .filter_map(|(key, places)| Name::of(key, places))
            .collect();
        set
    }

    /// Images that a patch tests for which nothing here lists.
    fn note_tests<'n>(&self, file: usize, scanned: &'n ScannedFile, places: &mut Places<'n>) {
        for (site, found) in scanned.scan.sites.iter().enumerate() {
            if found.finder == PATCH_TEST && !self.built.contains(&SiteId { file, site }) {
                let offset = found.span().start;
                let line = Lines::new(&scanned.source.text).position(offset).line;
                let place = format!("{}:{line}", scanned.source.path.display());
                let key = Key::new(found.text());
                note(places, key, Entry { file, offset }, place);
            }
        }
    }

    fn own(
        &mut self,
        file: usize,
        scanned: &ScannedFile,
        fact: &Kustomization,
        entry: Entry,
        name: &NameEntry,
    ) {
        let Some(start) = name.site else { return };
        let mut sites = scanned.scan.sites.iter();
        let is_its =
            |site: &crate::sites::Site| site.entry().is_some() && site.span().start == start;
        if let Some(site) = sites.position(is_its) {
            let own = Own {
                entry,
                is_last: fact.acts == Acts::Anywhere,
            };
            self.own.insert(SiteId { file, site }, own);
        }
    }

    /// Where a name stands that matches what the reference `text` at `site` stands for. The entry
    /// that the site belongs to does not count.
    pub(in super::super) fn find(&self, text: &str, site: SiteId) -> Option<&str> {
        self.names
            .iter()
            .find_map(|name| self.place(name, text, site))
    }

    fn place<'n>(&self, name: &'n Name, text: &str, site: SiteId) -> Option<&'n str> {
        if self.texts.contains(&site) && !name.any_field {
            return None;
        }
        let own = self.own.get(&site);
        if name.on_rendered && (own.is_some() || self.built.contains(&site)) {
            return None;
        }
        let matches = match own {
            Some(_) => name.pattern.may_match_tagged(text),
            None => name.pattern.matches(text),
        };
        let counts = |entry: &Entry| match own {
            Some(own) => own.entry != *entry && (!own.is_last || own.entry.file == entry.file),
            None => true,
        };
        let mut places = name.places.iter();
        let (_, place) = places.find(|(entry, _)| matches && counts(entry))?;
        Some(place)
    }

    /// A group for each name that matches anything.
    pub(in super::super) fn groups(&self, files: &[ScannedFile]) -> Vec<Group> {
        if self.names.is_empty() {
            return Vec::new();
        }
        let mut members: BTreeMap<&str, Vec<SiteId>> = BTreeMap::new();
        for (file, scanned) in files.iter().enumerate() {
            for (site, found) in scanned.scan.sites.iter().enumerate() {
                let id = SiteId { file, site };
                for name in &self.names {
                    // A field may be a part of an image, or hold more than one.
                    let scalars = found.scalars().filter(|_| name.any_field);
                    let scalars = scalars.map(|scalar| scalar.value.as_str());
                    let mut texts = std::iter::once(found.text()).chain(scalars);
                    if let Some(place) = texts.find_map(|text| self.place(name, text, id)) {
                        members.entry(place).or_default().push(id);
                    }
                }
            }
        }
        members
            .into_iter()
            .map(|(place, members)| group(place, members))
            .collect()
    }
}

/// Whether a name is meant to match one tag or digest alone, which may come from anywhere.
fn speaks_of_tags(pattern: &str) -> bool {
    split(pattern).0 != pattern
}

/// Notes a place of a name; two are enough, but for those of one file.
fn note<'n>(places: &mut Places<'n>, name: Key<'n>, entry: Entry, place: String) {
    let known = places.entry(name).or_default();
    let of_file = known.iter().filter(|(known, _)| known.file == entry.file);
    if of_file.count() < 2 && !known.iter().any(|(known, _)| *known == entry) {
        known.push((entry, place));
    }
}

fn group(place: &str, members: Vec<SiteId>) -> Group {
    Group {
        label: format!("the kustomize name at {place}"),
        members,
        blocked: Some(format!(
            "something names this image ({place}) whose builds cannot be seen here, and rewriting it would disconnect that entry; change both by hand, or name the image in a kustomization of this repository"
        )),
    }
}
