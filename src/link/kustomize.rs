//! Kustomize names: which sites an `images[].name` anywhere in the repository matches.
//!
//! Until the kustomize graph is followed, a name counts for every site that it matches, whether or
//! not its kustomization reaches the site: rewriting the site could disconnect the entry, and its
//! tag would be lost without an error.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::tree::{Tree, facts, kustomizations};
use super::{Group, SiteId};
use crate::scan::ScannedFile;
use crate::sites::Acts;
use crate::source::Lines;

/// Every distinct name, and where one entry with it stands.
#[derive(Debug, Default)]
pub(super) struct NameSet {
    names: Vec<Name>,
}

#[derive(Debug)]
struct Name {
    pattern: Pattern,
    /// `path:line`, for people.
    place: String,
}

/// How kustomize compares a name with a reference: `^name(:tag)?(@sha256:digest)?$`, the name being
/// a regular expression (kustomize `api/internal/image`, `IsImageMatched`).
#[derive(Debug)]
enum Pattern {
    /// No characters with a meaning but the dot, which stands for any.
    Plain(String),
    Regex(Box<Regex>),
}

impl NameSet {
    pub(super) fn of(files: &[ScannedFile]) -> Self {
        let mut places: BTreeMap<&str, String> = BTreeMap::new();
        for (file, kustomization) in kustomizations(files) {
            for entry in &kustomization.names {
                places.entry(&entry.pattern).or_insert_with(|| {
                    let line = Lines::new(&file.source.text).position(entry.offset).line;
                    format!("{}:{line}", file.source.path.display())
                });
            }
        }
        let name = |(pattern, place): (&str, String)| Name {
            pattern: Pattern::new(pattern),
            place,
        };
        Self {
            names: places.into_iter().map(name).collect(),
        }
    }

    /// Where a name stands that matches the reference `text`.
    pub(super) fn find(&self, text: &str) -> Option<&str> {
        self.names
            .iter()
            .find(|name| name.pattern.matches(text))
            .map(|name| name.place.as_str())
    }

    /// A group for each name that matches anything.
    pub(super) fn groups(&self, files: &[ScannedFile]) -> Vec<Group> {
        if self.names.is_empty() {
            return Vec::new();
        }
        let mut members: BTreeMap<usize, Vec<SiteId>> = BTreeMap::new();
        for (file, scanned) in files.iter().enumerate() {
            for (site, found) in scanned.scan.sites.iter().enumerate() {
                for (index, name) in self.names.iter().enumerate() {
                    if name.pattern.matches(found.text()) {
                        members
                            .entry(index)
                            .or_default()
                            .push(SiteId { file, site });
                    }
                }
            }
        }
        members
            .into_iter()
            .map(|(index, members)| self.group(index, members))
            .collect()
    }

    fn group(&self, index: usize, members: Vec<SiteId>) -> Group {
        let place = &self.names[index].place;
        Group {
            label: format!("the kustomize name at {place}"),
            members,
            blocked: Some(format!(
                "a kustomization names this image ({place}), and rewriting it would disconnect that entry; images that kustomizations name or test for are not rewritten yet"
            )),
        }
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
            Ok(regex) => Self::Regex(Box::new(regex)),
            // Kustomize cannot compile it either; the plain reading keeps the likely image safe.
            Err(_) => Self::Plain(pattern.to_string()),
        }
    }

    fn matches(&self, reference: &str) -> bool {
        match self {
            Self::Regex(regex) => regex.is_match(reference),
            Self::Plain(name) => {
                let Some((head, suffix)) = reference.split_at_checked(name.len()) else {
                    return false;
                };
                let same = |(pattern, text)| pattern == b'.' || pattern == text;
                name.bytes().zip(head.bytes()).all(same) && is_suffix(suffix)
            }
        }
    }
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
}
