//! Files of tests that run in a cluster: what kuttl and Chainsaw wait for there, or take for an error.
//!
//! Nothing in them is deployed. They name images as the objects of the test do, which are files of
//! their own.

use std::path::Path;

use super::object::Object;
use super::{Found, Site};
use crate::reason::Reason;
use crate::yaml::Document;

/// What such a file is called, behind the number of its step and before a word of its own (kuttl
/// documentation, "Format of the files").
const NAMES: &[&str] = &["assert", "error", "errors"];
/// Words in the names of folders that hold tests.
const FOLDERS: &[&str] = &["test", "e2e", "kuttl", "chainsaw"];

/// The group of Chainsaw's tests, which also hold objects themselves, and the keys of those steps that
/// compare them (Chainsaw's API reference).
const CHAINSAW: &str = "chainsaw.kyverno.io";
const COMPARING: &[&str] = &["assert", "error"];

/// Holds everything in such a file.
pub(super) fn hold(path: &Path, found: &mut Found) {
    if !is_expectation(path) {
        return;
    }
    found.texts.clear();
    found
        .sites
        .iter_mut()
        .chain(&mut found.unproven)
        .for_each(hold_site);
}

/// Holds what the steps of tests compare.
pub(super) fn hold_steps(document: &Document<'_>, objects: &[Object<'_>], found: &mut Found) {
    let tests = objects.iter().filter(|object| object.group == CHAINSAW);
    let nodes = tests.flat_map(|test| test.node..document.node(test.node).end);
    let entries = nodes.flat_map(|id| document.entries(id));
    let compared = entries.filter(|entry| entry.key.is_some_and(|key| COMPARING.contains(&key)));
    for value in compared.map(|entry| entry.value) {
        let (nodes, bytes) = (value..document.node(value).end, document.bytes_below(value));
        found.texts.retain(|text| !nodes.contains(&text.node));
        let sites = found.sites.iter_mut();
        sites
            .filter(|site| bytes.contains(&site.span().start))
            .for_each(hold_site);
    }
}

fn hold_site(site: &mut Site) {
    let detail = "a test compares it with what runs in a cluster; change it together with what the test deploys";
    site.hold = Some((Reason::TestAssertion, detail.to_string()));
}

/// Whether a file says what a test expects: by the number in front, or by its folder.
fn is_expectation(path: &Path) -> bool {
    let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else {
        return false;
    };
    let is_name = |word: &str| NAMES.contains(&word);
    let (number, rest) = stem.split_once('-').unwrap_or(("", stem));
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    let first = rest.split('-').next().unwrap_or("");
    if is_number && is_name(first) {
        return true;
    }
    stem.rsplit('-').next().is_some_and(is_name) && lies_in_tests(path)
}

fn lies_in_tests(path: &Path) -> bool {
    let folders = path.parent().into_iter().flat_map(Path::iter);
    let mut folders = folders.filter_map(|folder| folder.to_str());
    folders.any(|folder| FOLDERS.iter().any(|word| folder.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_expectations_are_known_by_their_names() {
        for path in [
            "a/00-assert.yaml",
            "a/01-errors.yaml",
            "a/02-assert-more.yaml",
            "tests/e2e/web-assert.yaml",
            "tests/errors.yaml",
        ] {
            assert!(is_expectation(Path::new(path)), "{path}");
        }
        for path in ["a/00-install.yaml", "a/api-errors.yaml", "tests/web.yaml"] {
            assert!(!is_expectation(Path::new(path)), "{path}");
        }
    }
}
