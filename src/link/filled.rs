//! Paths of which a part is filled in, by a template or as a glob: what fits them.

use std::path::Path;

use globset::{GlobBuilder, GlobSet};

use super::normalise;
use crate::globs;

/// The longest path that systems take (`PATH_MAX` of Linux): what is longer fits no file, and takes long to
/// compile.
const MAX_PATH: usize = 4096;

/// Whether a part of a path is filled in: by a template, or as a glob.
pub(super) fn is_filled(path: &str) -> bool {
    path.contains("{{") || path.contains('*')
}

/// What fits a path of which a part is filled in.
#[derive(Debug)]
pub(super) struct Pattern {
    glob: GlobSet,
    /// What everything that fits begins with.
    pub(super) head: String,
    /// What everything that fits ends with: comparing that is fast.
    tail: String,
}

impl Pattern {
    fn of(glob: &mut GlobBuilder<'_>, head: String, path: &str) -> Option<Self> {
        if head.len() + path.len() > MAX_PATH {
            return None;
        }
        let stars = path.rfind("}}").map(|at| at + 2);
        let last = stars.max(path.rfind('*').map(|at| at + 1));
        Some(Self {
            glob: globs::ready(glob.build().ok()?).ok()?,
            head,
            tail: path[last.unwrap_or(0)..].to_string(),
        })
    }

    /// Whether it fits a path.
    pub(super) fn fits(&self, path: &Path) -> bool {
        let bytes = path.as_os_str().as_encoded_bytes();
        bytes.ends_with(self.tail.as_bytes()) && self.glob.is_match(path)
    }
}

/// What fits a path of which a part is filled in, from any folder.
pub(super) fn pattern(path: &str) -> Option<Pattern> {
    if !is_filled(path) {
        return None;
    }
    let mut rest = path;
    while let Some(shorter) = ["../", "./", "/"]
        .iter()
        .find_map(|up| rest.strip_prefix(up))
    {
        rest = shorter;
    }
    let glob = format!("**/{}", starred(rest));
    Pattern::of(&mut GlobBuilder::new(&glob), String::new(), rest)
}

/// What fits a path from one folder. A template may fill in several folders, a star is part of one name.
pub(super) fn pattern_in(folder: &Path, path: &str) -> Option<Pattern> {
    let first = path.find("{{").into_iter().chain(path.find('*')).min()?;
    let head = path[..first].rfind('/').map_or(0, |slash| slash + 1);
    let folder = normalise(&folder.join(&path[..head]));
    let folder = folder.to_str()?;
    let rest = &path[head..];
    let glob = format!("{}/{}", globset::escape(folder), starred(rest));
    let mut glob = GlobBuilder::new(&glob);
    glob.literal_separator(!path.contains("{{"));
    Pattern::of(&mut glob, format!("{folder}/"), rest)
}

/// The path with a star for each template.
fn starred(path: &str) -> String {
    let mut pattern = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("{{") {
        pattern.push_str(&literal(before));
        pattern.push('*');
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    pattern.push_str(&literal(rest));
    pattern
}

/// Whether a path of which a part is filled in names a folder.
pub(super) fn has_folder(path: &str) -> bool {
    let mut outside = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("{{") {
        outside.push_str(before);
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    outside.push_str(rest);
    let folders = outside.rsplit_once('/').map_or("", |(folders, _)| folders);
    let mut parts = folders.split('/');
    parts.any(|part| !part.trim_matches(['*', '.']).is_empty())
}

/// The text with nothing but its stars meaning more than themselves.
fn literal(text: &str) -> String {
    let parts: Vec<String> = text.split('*').map(globset::escape).collect();
    parts.join("*")
}
