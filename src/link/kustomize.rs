//! Kustomize names: which sites an `images[].name` anywhere in the repository matches.
//!
//! Until the kustomize graph is followed, a name counts for every site that it matches, whether or
//! not its kustomization reaches the site: rewriting the site could disconnect the entry, and its
//! tag would be lost without an error.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use regex::Regex;

use super::{Group, SiteId, normalise};
use crate::scan::ScannedFile;
use crate::sites::{Acts, Fact, Kustomization};
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

fn kustomizations(files: &[ScannedFile]) -> impl Iterator<Item = (&ScannedFile, &Kustomization)> {
    files.iter().flat_map(|file| {
        file.scan.facts.iter().filter_map(move |fact| match fact {
            Fact::Kustomization(kustomization) => Some((file, kustomization)),
            _ => None,
        })
    })
}

/// A blocked group for the sites of the files that a kustomization with `replacements` or `vars`
/// takes in, directly or through other kustomizations. A component or transformer that copies fields
/// makes every kustomization copy that lists it.
pub(super) fn copied_fields(files: &[ScannedFile]) -> Vec<Group> {
    if !kustomizations(files).any(|(_, kustomization)| kustomization.copies_fields) {
        return Vec::new();
    }
    let tree = Tree::of(files);
    let copies = |(file, kustomization): &(&ScannedFile, &Kustomization)| {
        kustomization.copies_fields || tree.lists_copier(file, kustomization)
    };
    kustomizations(files)
        .filter(copies)
        .filter_map(|(file, _)| tree.group(files, file))
        .collect()
}

/// The files by path, and what each folder's kustomization takes in.
struct Tree<'a> {
    /// Components (their folders) and transformers (their files) that copy fields.
    copiers: BTreeSet<&'a Path>,
    files: HashMap<&'a Path, usize>,
    folders: HashMap<&'a Path, Vec<&'a str>>,
}

impl<'a> Tree<'a> {
    fn of(files: &'a [ScannedFile]) -> Self {
        let mut folders: HashMap<&Path, Vec<&str>> = HashMap::new();
        let mut copiers = BTreeSet::new();
        for (file, kustomization) in kustomizations(files) {
            if kustomization.copies_fields && kustomization.acts == Acts::OnItsParents {
                copiers.insert(folder_of(file));
                copiers.insert(&file.source.real);
            }
            let taken = kustomization.takes_in.iter().map(String::as_str);
            folders.entry(folder_of(file)).or_default().extend(taken);
        }
        let paths = files
            .iter()
            .enumerate()
            .map(|(index, file)| (file.source.real.as_path(), index));
        Self {
            copiers,
            files: paths.collect(),
            folders,
        }
    }

    fn lists_copier(&self, file: &ScannedFile, kustomization: &Kustomization) -> bool {
        let folder = folder_of(file);
        let mut taken = kustomization
            .takes_in
            .iter()
            .map(|taken| normalise(&folder.join(taken)));
        taken.any(|taken| self.copiers.contains(taken.as_path()))
    }

    fn group(&self, files: &[ScannedFile], root: &ScannedFile) -> Option<Group> {
        let members: Vec<SiteId> = self
            .reached(folder_of(root))
            .into_iter()
            .flat_map(|file| {
                (0..files[file].scan.sites.len()).map(move |site| SiteId { file, site })
            })
            .collect();
        let place = root.source.path.display();
        (!members.is_empty()).then(|| Group {
            label: format!("the fields that {place} copies"),
            members,
            blocked: Some(format!(
                "{place} copies fields with `replacements` or `vars` and takes this file in; such images are not rewritten yet"
            )),
        })
    }

    /// The files below a kustomization's folder that it takes in, each once.
    fn reached(&self, folder: &Path) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
        let mut pending = vec![folder.to_path_buf()];
        while let Some(folder) = pending.pop() {
            if !seen.insert(folder.clone()) {
                continue;
            }
            for taken in self.folders.get(folder.as_path()).into_iter().flatten() {
                let path = normalise(&folder.join(taken));
                match self.files.get(path.as_path()) {
                    Some(&file) => {
                        reached.insert(file);
                    }
                    None => pending.push(path),
                }
            }
        }
        reached
    }
}

fn folder_of(file: &ScannedFile) -> &Path {
    file.source.real.parent().unwrap_or(Path::new(""))
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
