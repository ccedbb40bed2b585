//! Kustomizations that copy images about, so that one may be read or written from somewhere else.

use std::collections::BTreeSet;

use super::super::tree::{Tree, facts, kustomizations};
use super::super::{Group, SiteId};
use super::making::is_image_field;
use crate::scan::ScannedFile;
use crate::sites::{Acts, Copies, KeyPath, Kustomization, Site};

/// Keys of texts that hold operations of patches.
const OPERATIONS: &[&str] = &["patch", "patches", "jsonOp"];
/// Keys of what becomes the data of config maps and secrets.
const GENERATORS: &[&str] = &["configMapGenerator", "secretGenerator"];

/// A blocked group for the sites of the files that a kustomization with `replacements` or `vars`
/// takes in, directly or through others. A component or transformer that copies fields makes every
/// kustomization copy that lists it.
pub(in super::super) fn copied_fields(files: &[ScannedFile], tree: &Tree<'_>) -> Vec<Group> {
    if !kustomizations(files).any(|(_, fact)| copies(fact)) {
        return Vec::new();
    }
    let roots = (0..files.len()).flat_map(|root| {
        let copying = copying(files, tree, root);
        let whats = [What::Images, What::Texts, What::Fields].into_iter();
        whats.filter_map(move |what| copied(files, tree, root, what, &copying))
    });
    roots.collect()
}

/// What a copy reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// Every image.
    Images,
    /// Images in texts, and parts of images.
    Texts,
    /// What stands where it reads or writes.
    Fields,
}

fn copies(fact: &Kustomization) -> bool {
    fact.copies != Copies::Nothing || !fact.copied.is_empty()
}

/// What copies fields in the build of a file: its own words, and those of the components, transformers
/// and replacements that it lists, which may list others.
fn copying<'a>(files: &'a [ScannedFile], tree: &Tree<'_>, root: usize) -> Vec<&'a Kustomization> {
    let mut copying: Vec<&Kustomization> =
        facts(&files[root]).filter(|fact| copies(fact)).collect();
    let mut seen: BTreeSet<usize> = [root].into();
    let mut pending = vec![root];
    while let Some(file) = pending.pop() {
        for taken in tree.taken(file) {
            let acting = facts(&files[taken.to]).filter(|fact| fact.acts == Acts::OnItsParents);
            let acting: Vec<&Kustomization> = acting.collect();
            if !acting.is_empty() && seen.insert(taken.to) {
                copying.extend(acting.into_iter().filter(|fact| copies(fact)));
                pending.push(taken.to);
            }
        }
    }
    copying
}

fn copied(
    files: &[ScannedFile],
    tree: &Tree<'_>,
    root: usize,
    what: What,
    copying: &[&Kustomization],
) -> Option<Group> {
    let has = |wanted: Copies| copying.iter().any(|fact| fact.copies == wanted);
    let counts = |site: &Site| match what {
        What::Images => has(Copies::Images),
        What::Texts => has(Copies::Texts) && site.entry().is_none() && !is_image_field(site),
        What::Fields => copying
            .iter()
            .flat_map(|fact| &fact.copied)
            .any(|field| is_at(site, field)),
    };
    let mut members: Vec<SiteId> = Vec::new();
    for file in tree.reached(root) {
        let sites = files[file].scan.sites.iter().enumerate();
        let sites = sites.filter(|(_, site)| counts(site));
        members.extend(sites.map(|(site, _)| SiteId { file, site }));
    }
    let place = files[root].source.path.display();
    (!members.is_empty()).then(|| Group {
        label: format!("the fields that {place} copies"),
        members,
        blocked: Some(format!(
            "{place} takes this file in and writes fields anew (`replacements`, `vars`, or a transformer), and what becomes of an image that is copied whole or in parts is not known here; change it by hand, together with what copies it"
        )),
    })
}

/// Whether a site may stand at a field, or write it.
fn is_at(site: &Site, field: &KeyPath) -> bool {
    let (own, keys) = (site.path.keys(), field.keys());
    let first = own.first().map_or("", String::as_str);
    let is_of = |first: &[&str]| {
        keys.first()
            .is_some_and(|key| first.contains(&key.as_str()))
    };
    // An operation of a patch writes any field, and says in another place which.
    let mut pairs = own.windows(2);
    let is_inline = pairs.any(|pair| OPERATIONS.contains(&pair[0].as_str()) && pair[1] == "value");
    let is_operation = !is_image_field(site) && (is_inline || first == "value");
    site.path.may_touch(field)
        || is_operation && !is_of(&["metadata"])
        || GENERATORS.contains(&first) && is_of(&["data", "stringData"])
}
