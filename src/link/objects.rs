//! Images of custom resources that are written in parts: what counts for them besides their own map.
//!
//! The parts of one map are a merge of a single layer. Another file may hold further parts of the same
//! object, as a patch for kustomize does: where it does not name the same ones, nobody can tell here
//! what they make together.

use std::collections::{BTreeMap, BTreeSet};

use super::layers::Layer;
use super::{Builds, Group, SiteId};
use crate::scan::ScannedFile;
use crate::sites::{Fact, OF_RESOURCES, Site};

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

/// Where parts of an image stand in one file: the sites, and their keys.
type Place<'a> = (Vec<SiteId>, &'a [String]);

/// Blocked groups for what other files may say more of: parts of which several files hold different
/// ones, and images in fields that settings of kustomize declare to be some.
pub(super) fn groups(files: &[ScannedFile], builds: &Builds) -> Vec<Group> {
    let mut groups = pieces(files);
    groups.extend(declared(files, builds));
    groups
}

fn pieces(files: &[ScannedFile]) -> Vec<Group> {
    let mut places: BTreeMap<(&str, &str), Vec<Place<'_>>> = BTreeMap::new();
    let mut anywhere = BTreeSet::new();
    for (file, scanned) in files.iter().enumerate() {
        let sites = starts(file, scanned);
        for fact in &scanned.scan.facts {
            let Fact::Piece {
                object,
                path,
                keys,
                map,
            } = fact
            else {
                continue;
            };
            let Some(object) = object else {
                anywhere.insert(path.as_str());
                continue;
            };
            let inside = sites.range(map.start..map.end.max(map.start + 1));
            let sites = inside
                .flat_map(|(_, sites)| sites.iter().copied())
                .collect();
            let known = places.entry((object, tail(path.as_str()))).or_default();
            known.push((sites, keys));
        }
    }
    let differ = |path: &str, places: &[Place<'_>]| {
        anywhere.contains(path) || places.iter().any(|(_, keys)| *keys != places[0].1)
    };
    places
        .into_iter()
        .filter(|((_, path), places)| differ(path, places))
        .map(|((object, path), places)| Group {
            label: format!("the parts of `{path}` in {object}"),
            members: places.into_iter().flat_map(|(sites, _)| sites).collect(),
            blocked: Some(format!(
                "other files hold further parts of `{path}` in {object}, and what they make together is not known here; write all parts out in each of them"
            )),
        })
        .filter(|group| !group.members.is_empty())
        .collect()
}

/// The sites of a file that are parts of an image of a custom resource, by where they begin.
fn starts(file: usize, scanned: &ScannedFile) -> BTreeMap<usize, Vec<SiteId>> {
    let mut starts: BTreeMap<usize, Vec<SiteId>> = BTreeMap::new();
    for (site, found) in scanned.scan.sites.iter().enumerate() {
        if found.finder == OF_RESOURCES && found.parts().is_some() {
            let id = SiteId { file, site };
            starts.entry(found.span().start).or_default().push(id);
        }
    }
    starts
}

/// Which fields settings declare is not followed: an image of a custom resource that an entry matches
/// may be renamed by it.
fn declared(files: &[ScannedFile], builds: &Builds) -> Vec<Group> {
    let declares = |file: &ScannedFile| {
        let mut facts = file.scan.facts.iter();
        facts.any(|fact| matches!(fact, Fact::ImageFields))
    };
    if !files.iter().any(declares) {
        return Vec::new();
    }
    let sites = files.iter().enumerate().flat_map(|(file, scanned)| {
        let sites = scanned.scan.sites.iter().enumerate();
        sites.map(move |(site, found)| (SiteId { file, site }, found))
    });
    let sites: Vec<(SiteId, &Site)> = sites
        .filter(|(_, site)| site.finder == OF_RESOURCES)
        .collect();
    let groups = builds.named.iter().map(|named| Group {
        label: format!("the kustomize name at {}", named.place),
        members: sites
            .iter()
            .filter(|(_, site)| named.pattern.matches(site.text()))
            .map(|(id, _)| *id)
            .collect(),
        blocked: Some(format!(
            "a `configurations` file makes further fields images for kustomize, and {} may rename this one; change both by hand",
            named.place
        )),
    });
    groups.filter(|group| !group.members.is_empty()).collect()
}

/// The path within the object: it may be an item of a list.
fn tail(path: &str) -> &str {
    match path
        .strip_prefix("items[")
        .and_then(|rest| rest.split_once("]."))
    {
        Some((_, rest)) => rest,
        None => path,
    }
}
