//! Files that could not be read, and what nobody can vouch for because of them.

use std::collections::BTreeMap;

use super::tree::Tree;
use crate::reason::Reason;
use crate::scan::ScannedFile;
use crate::sites::{Fact, names_images};

/// The files in which nothing is changed because of a file that could not be read. A kustomization
/// may name any image of the repository; anything else acts on what is built with it.
pub(super) fn held(files: &[ScannedFile], tree: &Tree<'_>) -> BTreeMap<usize, (Reason, String)> {
    let mut held = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        let unread = |fact: &Fact| matches!(fact, Fact::Unread);
        if !file.scan.facts.iter().any(unread) {
            continue;
        }
        let place = file.source.path.display();
        let (reached, what) = if file.source.places().any(names_images) {
            ((0..files.len()).collect(), "may name this image")
        } else {
            (tree.built_with(index), "is built together with this file")
        };
        let detail = format!(
            "{place} {what} and cannot be read, so nobody knows what a rewrite would disconnect; make that file readable, as UTF-8"
        );
        for other in reached {
            held.entry(other)
                .or_insert_with(|| (Reason::GroupIncomplete, detail.clone()));
        }
    }
    held
}
