//! Files that could not be read, and what nobody can vouch for because of them.

use std::collections::BTreeMap;

use super::tree::Tree;
use crate::reason::Reason;
use crate::scan::ScannedFile;
use crate::sites::{Fact, names_images};

/// The files in which nothing is changed because of a file that could not be read. A kustomization
/// may name any image of the repository; a patch or transformer acts on what is built with it.
pub(super) fn held(files: &[ScannedFile], tree: &Tree<'_>) -> BTreeMap<usize, (Reason, String)> {
    let is_unread = |file: &&ScannedFile| {
        file.scan
            .facts
            .iter()
            .any(|fact| matches!(fact, Fact::Unread))
    };
    let detail = |file: &ScannedFile, what: &str| {
        let detail = format!(
            "{} {what} and cannot be read, so nobody knows what a rewrite would disconnect; make that file readable, as UTF-8",
            file.source.path.display()
        );
        (Reason::GroupIncomplete, detail)
    };
    let mut unread = files.iter().filter(is_unread);
    if let Some(file) = unread.find(|file| file.source.places().any(names_images)) {
        let why = detail(file, "may name this image");
        return (0..files.len()).map(|index| (index, why.clone())).collect();
    }
    let mut held = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        if is_unread(&file) && tree.acts(index) {
            let why = detail(file, "is built together with this file");
            let reached = tree.built_with([index].into()).into_iter();
            let new = reached.filter(|other| !held.contains_key(other));
            held.extend(new.map(|other| (other, why.clone())).collect::<Vec<_>>());
        }
    }
    held
}
