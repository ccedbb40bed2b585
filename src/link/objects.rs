//! Images of custom resources that are written in parts: what counts for them besides their own map.
//!
//! The parts of one map are a merge of a single layer. Another file may hold further parts of the same
//! object, as a patch for kustomize does: where it does not name the same ones, nobody can tell here
//! what they make together.

use std::collections::{BTreeMap, BTreeSet};

use super::layers::Layer;
use super::{Group, SiteId};
use crate::scan::ScannedFile;
use crate::sites::{Fact, OF_RESOURCES};

/// The maps that hold parts of images, each a layer of its own.
pub(super) fn layers(files: &[ScannedFile]) -> Vec<Layer> {
    let mut layers = BTreeSet::new();
    for (file, scanned) in files.iter().enumerate() {
        let sites = scanned.scan.sites.iter();
        let sites = sites.filter(|site| site.finder == OF_RESOURCES);
        let blocks = sites.filter_map(|site| site.parts()?.block);
        layers.extend(blocks.map(|block| Layer {
            file,
            block: Some(block),
            at: Vec::new(),
        }));
    }
    layers.into_iter().collect()
}

/// Where the parts of an image stand in one file: the site, and their keys.
type Place<'a> = (SiteId, &'a [String]);

/// A blocked group for the parts of an image of which several files hold different ones.
pub(super) fn groups(files: &[ScannedFile]) -> Vec<Group> {
    let mut places: BTreeMap<(&str, &str), Vec<Place<'_>>> = BTreeMap::new();
    for (file, scanned) in files.iter().enumerate() {
        for fact in &scanned.scan.facts {
            let Fact::Piece {
                object,
                path,
                keys,
                start,
            } = fact
            else {
                continue;
            };
            let mut sites = scanned.scan.sites.iter();
            let is_it =
                |site: &crate::sites::Site| site.finder == OF_RESOURCES && site.span().start == *start;
            if let Some(site) = sites.position(is_it) {
                let known = places.entry((object, tail(path.as_str()))).or_default();
                known.push((SiteId { file, site }, keys));
            }
        }
    }
    places
        .into_iter()
        .filter(|(_, places)| places.iter().any(|(_, keys)| *keys != places[0].1))
        .map(|((object, path), places)| Group {
            label: format!("the parts of `{path}` in {object}"),
            members: places.iter().map(|(site, _)| *site).collect(),
            blocked: Some(format!(
                "other files hold further parts of `{path}` in {object}, and what they make together is not known here; write all parts out in each of them"
            )),
        })
        .collect()
}

/// The path within the object: it may be an item of a list.
fn tail(path: &str) -> &str {
    match path.strip_prefix("items[").and_then(|rest| rest.split_once("].")) {
        Some((_, rest)) => rest,
        None => path,
    }
}
