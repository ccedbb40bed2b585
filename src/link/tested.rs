//! Texts that patches test for. A patch fails where one is no longer the same, and which field of which
//! object it looks at is not followed: what has the same text stays.

use std::collections::BTreeSet;

use super::tree::Tree;
use super::{Group, SiteId};
use crate::scan::ScannedFile;
use crate::sites::{Fact, Site};

/// A blocked group for the sites that a patch of each file may test for.
pub(super) fn groups(files: &[ScannedFile], tree: &Tree<'_>) -> Vec<Group> {
    let all = files.iter().enumerate();
    all.filter_map(|(file, scanned)| {
        let texts = texts(scanned);
        (!texts.is_empty()).then(|| group(files, tree, file, &texts))?
    })
    .collect()
}

fn texts(scanned: &ScannedFile) -> BTreeSet<&str> {
    let facts = scanned.scan.facts.iter().filter_map(|fact| match fact {
        Fact::Tested(texts) => Some(texts),
        _ => None,
    });
    facts.flatten().map(String::as_str).collect()
}

fn group(
    files: &[ScannedFile],
    tree: &Tree<'_>,
    by: usize,
    texts: &BTreeSet<&str>,
) -> Option<Group> {
    // A text of several lines may hold others.
    let long: Vec<&str> = texts
        .iter()
        .filter(|text| text.contains('\n'))
        .copied()
        .collect();
    let is_tested =
        |text: &str| texts.contains(text) || long.iter().any(|long| long.contains(text));
    let is_tested = |site: &Site| site.scalars().any(|scalar| is_tested(&scalar.value));
    let mut members = Vec::new();
    for file in tree.may_act_on(files, by) {
        let sites = files[file].scan.sites.iter().enumerate();
        let sites = sites.filter(|(_, site)| is_tested(site));
        members.extend(sites.map(|(site, _)| SiteId { file, site }));
    }
    let place = files[by].source.path.display();
    (!members.is_empty()).then(|| Group {
        label: format!("what a patch in {place} tests for"),
        members,
        blocked: Some(format!(
            "a patch in {place} tests for this text and would fail after a change of it; take the test out, or change both by hand"
        )),
    })
}
