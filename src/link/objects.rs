//! Images of custom resources: the maps that hold parts of one, and what settings of kustomize say of
//! their fields.
//!
//! The parts of one map are a merge of a single layer.

use std::collections::BTreeSet;

use super::kustomize::is_image_field;
use super::layers::Layer;
use super::tree::Tree;
use super::{Builds, End, Group, Named, SiteId};
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

/// A blocked group for each entry for images that may rename an image in a field that settings of
/// kustomize declare to be one, with everything that it matches: which fields those are is not
/// followed, and an entry that goes on with half of its images would lose the others.
pub(super) fn declared(files: &[ScannedFile], builds: &Builds, tree: &Tree<'_>) -> Vec<Group> {
    let declares = |file: usize| {
        let mut facts = files[file].scan.facts.iter();
        facts.any(|fact| matches!(fact, Fact::ImageFields))
    };
    if !(0..files.len()).any(declares) {
        return Vec::new();
    }
    let mut groups = Vec::new();
    for builder in &builds.builders {
        let mut reached = BTreeSet::new();
        for &root in &builder.roots {
            if builder.end == End::Component {
                reached.extend(tree.built_with([root].into()));
            } else {
                reached.extend(tree.reached(root));
            }
        }
        if reached.iter().any(|&file| declares(file)) {
            let named = builder.entries().map(|id| &builds.named[id]);
            groups.extend(named.filter_map(|named| renamed(files, named, &reached)));
        }
    }
    groups
}

/// What an entry matches in these files, when some of it is no image to kustomize by itself.
fn renamed(files: &[ScannedFile], named: &Named, reached: &BTreeSet<usize>) -> Option<Group> {
    let matches = |site: &Site| {
        let mut scalars = site.scalars();
        named.pattern.matches(site.text())
            || scalars.any(|scalar| named.pattern.matches(&scalar.value))
    };
    let mut members: Vec<SiteId> = named.site.into_iter().collect();
    let mut is_declared = false;
    for &file in reached {
        for (site, found) in files[file].scan.sites.iter().enumerate() {
            if found.entry().is_none() && matches(found) {
                members.push(SiteId { file, site });
                is_declared |= !is_image_field(found);
            }
        }
    }
    is_declared.then(|| Group {
        label: format!("the kustomize name at {}", named.place),
        members,
        blocked: Some(format!(
            "a `configurations` file makes further fields images for kustomize, and {} may rename this one; change both by hand",
            named.place
        )),
    })
}
