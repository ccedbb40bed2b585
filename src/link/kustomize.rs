//! Kustomize names: which sites an `images[].name` anywhere in the repository matches.
//!
//! Until the kustomize graph is followed, a name counts for every site that it matches, whether or
//! not its kustomization reaches the site: rewriting the site could disconnect the entry, and its
//! tag would be lost without an error.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::placeholder::{self, Known};
use super::tree::{Tree, facts, kustomizations};
use super::{Group, SiteId};
use crate::scan::ScannedFile;
use crate::sites::Acts;
use crate::source::Lines;

/// Every distinct name, and where entries with it stand.
#[derive(Debug, Default)]
pub(super) struct NameSet {
    names: Vec<Name>,
    /// The entries whose `newName` is a site, by that site.
    own: BTreeMap<SiteId, Entry>,
}

#[derive(Debug)]
struct Name {
    pattern: Pattern,
    /// The first entry with it and, so that an entry can be left out, another one. Each with
    /// `path:line`, for people.
    places: Vec<(Entry, String)>,
}

/// An entry of a list of images: the file, and the byte where its `name` stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    file: usize,
    offset: usize,
}

/// How kustomize compares a name with a reference: `^name(:tag)?(@sha256:digest)?$`, the name being
/// a regular expression (kustomize `api/internal/image`, `IsImageMatched`).
#[derive(Debug)]
enum Pattern {
    /// No characters with a meaning but the dot, which stands for any.
    Plain(String),
    Regex {
        whole: Box<Regex>,
        /// What may stand before a tag that the expression itself speaks of; `None` when that
        /// cannot be told.
        heads: Option<Vec<Regex>>,
    },
}

impl NameSet {
    pub(super) fn of(files: &[ScannedFile]) -> Self {
        let mut places: BTreeMap<&str, Vec<(Entry, String)>> = BTreeMap::new();
        let mut own = BTreeMap::new();
        for (file, scanned) in files.iter().enumerate() {
            let sites = &scanned.scan.sites;
            for name in facts(scanned).flat_map(|fact| &fact.names) {
                let entry = Entry {
                    file,
                    offset: name.offset,
                };
                let known = places.entry(&name.pattern).or_default();
                if known.len() < 2 && !known.iter().any(|(known, _)| *known == entry) {
                    let line = Lines::new(&scanned.source.text).position(name.offset).line;
                    let place = format!("{}:{line}", scanned.source.path.display());
                    known.push((entry, place));
                }
                let site = name
                    .new_name
                    .and_then(|start| sites.iter().position(|site| site.span().start == start));
                own.extend(site.map(|site| (SiteId { file, site }, entry)));
            }
        }
        let name = |(pattern, places): (&str, _)| {
            let pattern = match placeholder::known(pattern) {
                Known::Whole => Pattern::new(pattern),
                Known::Part(pattern) => Pattern::new(&pattern),
                Known::Nothing => return None,
            };
            Some(Name { pattern, places })
        };
        Self {
            names: places.into_iter().filter_map(name).collect(),
            own,
        }
    }

    /// Where a name stands that matches what the reference `text` at `site` stands for. The entry
    /// that a `newName` belongs to does not count.
    pub(super) fn find(&self, text: &str, site: SiteId) -> Option<&str> {
        self.names
            .iter()
            .find_map(|name| self.place(name, text, site))
    }

    fn place<'n>(&self, name: &'n Name, text: &str, site: SiteId) -> Option<&'n str> {
        let own = self.own.get(&site);
        let matches = match own {
            Some(_) => name.pattern.may_match_tagged(text),
            None => name.pattern.matches(text),
        };
        let (_, place) = name
            .places
            .iter()
            .find(|(entry, _)| matches && Some(entry) != own)?;
        Some(place)
    }

    /// A group for each name that matches anything.
    pub(super) fn groups(&self, files: &[ScannedFile]) -> Vec<Group> {
        if self.names.is_empty() {
            return Vec::new();
        }
        let mut members: BTreeMap<&str, Vec<SiteId>> = BTreeMap::new();
        for (file, scanned) in files.iter().enumerate() {
            for (site, found) in scanned.scan.sites.iter().enumerate() {
                let id = SiteId { file, site };
                for name in &self.names {
                    if let Some(place) = self.place(name, found.text(), id) {
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

fn group(place: &str, members: Vec<SiteId>) -> Group {
    Group {
        label: format!("the kustomize name at {place}"),
        members,
        blocked: Some(format!(
            "a kustomization names this image ({place}), and rewriting it would disconnect that entry; images that kustomizations name or test for are not rewritten yet"
        )),
    }
}

impl Pattern {
    fn new(pattern: &str) -> Self {
        let plain =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@');
        if pattern.chars().all(plain) {
            return Self::Plain(pattern.to_string());
        }
        let suffix = "(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?";
        match Regex::new(&format!("^{pattern}{suffix}$")) {
            Ok(regex) => Self::Regex {
                whole: Box::new(regex),
                heads: heads(pattern),
            },
            // Kustomize cannot compile it either; the plain reading keeps the likely image safe.
            Err(_) => Self::Plain(pattern.to_string()),
        }
    }

    /// Whether it matches `name` alone or with some tag or digest that comes from elsewhere.
    fn may_match_tagged(&self, name: &str) -> bool {
        let with_tag = || match self {
            Self::Plain(pattern) => pattern
                .split_at_checked(name.len())
                .is_some_and(|(head, suffix)| same_name(head, name) && is_suffix(suffix)),
            Self::Regex { heads, .. } => heads
                .as_ref()
                .is_none_or(|heads| heads.iter().any(|head| head.is_match(name))),
        };
        self.matches(name) || with_tag()
    }

    fn matches(&self, reference: &str) -> bool {
        match self {
            Self::Regex { whole, .. } => whole.is_match(reference),
            Self::Plain(name) => {
                let Some((head, suffix)) = reference.split_at_checked(name.len()) else {
                    return false;
                };
                same_name(name, head) && is_suffix(suffix)
            }
        }
    }
}

/// Whether the two have the same length and letters, a dot of the pattern standing for any.
fn same_name(pattern: &str, name: &str) -> bool {
    let same = |(pattern, text)| pattern == b'.' || pattern == text;
    pattern.len() == name.len() && pattern.bytes().zip(name.bytes()).all(same)
}

/// What stands before each `:` and `@` of a regular expression, as expressions of their own.
fn heads(pattern: &str) -> Option<Vec<Regex>> {
    pattern
        .match_indices([':', '@'])
        .map(|(at, _)| &pattern[..at])
        .filter(|head| !head.ends_with("(?"))
        .map(|head| Regex::new(&format!("^{head}$")).ok())
        .collect()
}

/// `(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?`
fn is_suffix(text: &str) -> bool {
    let valid = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'{' | b'}' | b'-'))
    };
    let (tag, digest) = match text.split_once("@sha256:") {
        Some((tag, digest)) => (tag, digest),
        None => (text, ""),
    };
    (tag.is_empty() || tag.strip_prefix(':').is_some_and(valid)) && valid(digest)
}

/// A blocked group for the sites of the files that a kustomization with `replacements` or `vars`
/// takes in, directly or through other kustomizations. A component or transformer that copies fields
/// makes every kustomization copy that lists it.
pub(super) fn copied_fields(files: &[ScannedFile], tree: &Tree<'_>) -> Vec<Group> {
    if !kustomizations(files).any(|(_, kustomization)| kustomization.copies_fields) {
        return Vec::new();
    }
    let mut copiers: BTreeSet<usize> = BTreeSet::new();
    for (index, file) in files.iter().enumerate() {
        if facts(file).any(|fact| fact.copies_fields && fact.acts == Acts::OnItsParents) {
            copiers.insert(index);
        }
    }
    let mut groups = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let copies = facts(file).any(|fact| fact.copies_fields)
            || tree
                .taken(index)
                .iter()
                .any(|edge| copiers.contains(&edge.to));
        if copies {
            groups.extend(copied(files, tree, index));
        }
    }
    groups
}

fn copied(files: &[ScannedFile], tree: &Tree<'_>, root: usize) -> Option<Group> {
    let members: Vec<SiteId> = tree
        .reached(root)
        .into_iter()
        .flat_map(|file| (0..files[file].scan.sites.len()).map(move |site| SiteId { file, site }))
        .collect();
    let place = files[root].source.path.display();
    (!members.is_empty()).then(|| Group {
        label: format!("the fields that {place} copies"),
        members,
        blocked: Some(format!(
            "{place} copies fields with `replacements` or `vars` and takes this file in; such images are not rewritten yet"
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_kustomize() {
        for (pattern, reference, matches) in [
            ("nginx", "nginx", true),
            ("nginx", "nginx:1.27", true),
            ("nginx", "nginx@sha256:abc", true),
            ("nginx", "nginx:1@sha256:abc", true),
            ("nginx", "docker.io/nginx:1", false),
            ("nginx", "nginx-extra", false),
            ("nginx", "nginx:1 ", false),
            ("quay.io/a/b", "quay.io/a/b:1", true),
            ("quay.io/a/b", "quayxio/a/b", true),
            ("reg:5000/a", "reg:5000/a:1", true),
            (".*/nginx", "docker.io/library/nginx:1", true),
            ("(nginx|redis)", "redis:7", true),
            ("(nginx", "(nginx", true),
            ("(nginx", "nginx", false),
            ("nginx:1", "nginx:1", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(reference),
                matches,
                "{pattern} {reference}"
            );
        }
    }

    #[test]
    fn a_new_name_meets_every_tag_that_a_name_may_speak_of() {
        for (pattern, name, matches) in [
            ("quay.io/x/y", "quay.io/x/y", true),
            ("quay.io/x/y:1.2", "quay.io/x/y", true),
            ("quay.io/x/y@sha256:ab", "quay.io/x/y", true),
            ("quay.io/x/y-z:1", "quay.io/x/y", false),
            ("quay.io/x/y/z", "quay.io/x/y", false),
            ("quay.io/.*:1[.].*", "quay.io/x/y", true),
            ("(?:quay.io/x|a)/y", "quay.io/x/y", true),
            ("(?:quay.io/x|a)/z", "quay.io/x/y", false),
            ("(x:1|y:2)", "z", true),
        ] {
            let met = Pattern::new(pattern).may_match_tagged(name);
            assert_eq!(met, matches, "{pattern} {name}");
        }
    }
}
