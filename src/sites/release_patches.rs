//! Patches that may change what a release merges, and of which only that is known: operations, and
//! texts inside of a kustomization.

use super::{Fact, Found, Input};
use crate::yaml::{Document, Kind, NodeId, documents};

/// The lists of a kustomization that hold patches.
const LISTS: &[&str] = &["patches", "patchesStrategicMerge", "patchesJson6902"];
/// The kinds of objects that put charts and values together.
const KINDS: &[&str] = &[
    "HelmRelease",
    "HelmChart",
    "HelmChartConfig",
    "Application",
    "ApplicationSet",
];
/// The key by which a patch says that it is no mere part (Kubernetes, "strategic merge patch").
pub(super) const DIRECTIVE: &str = "$patch";
/// What a patch touches that changes values.
const TOUCHES: &[&str] = &["values", "helm:", "/helm", "parameters", "chart"];
/// What values have to be about.
const ABOUT: &[&str] = &[
    "image",
    "registry",
    "repository:",
    "/repository",
    "repo:",
    "/repo",
    "hub:",
    "/hub",
    "valuesfrom",
    "valuefiles",
    "valuesfiles",
    "chartref",
    "chart:",
    "templatepatch",
    "docker",
    "mirror",
    "artifactory",
    "nexus",
];

/// A patch of a release that is not followed.
#[derive(Clone, Debug)]
pub struct UnclearPatch {
    /// What it changes.
    pub target: PatchTarget,
    /// Whether it changes objects of other builds than its own.
    pub reaches_far: bool,
}

/// The releases that a patch may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchTarget {
    /// Any of them.
    Any,
    /// Those of this name.
    Named(String),
}

impl PatchTarget {
    /// Whether it may be the release of this name.
    pub fn is_it(&self, name: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Named(own) => name == Some(own),
        }
    }
}

/// The patches that a kustomization holds as texts.
pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    let (document, node) = (input.document, input.object.node);
    let (list_of, reaches_far) = match (input.object.group, input.object.kind) {
        ("kustomize.config.k8s.io", "Kustomization" | "Component") => (Some(node), false),
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => (document.get(node, "spec"), true),
        _ => return,
    };
    let Some(map) = list_of else { return };
    let lists = LISTS.iter().filter_map(|list| document.get(map, list));
    let items = lists.flat_map(|list| document.items(list));
    for item in items.map(|item| document.resolve(item)) {
        let target = document.get(item, "target");
        let text = document
            .text(item)
            .or_else(|| document.text_at(item, &["patch"]));
        let Some(text) = text.filter(|text| text.contains('\n')) else {
            continue;
        };
        if let Some(target) = unclear(document, target, text) {
            found.facts.push(Fact::UnclearPatch(UnclearPatch {
                target,
                reaches_far,
            }));
        }
    }
}

/// Operations on an object in a file of their own.
pub(super) fn operations(text: &str, document: &Document<'_>) -> Option<Fact> {
    let is_operation = |item| document.get(document.resolve(item), "op").is_some();
    let is_list = matches!(document.node(0).kind, Kind::Sequence);
    let changes = is_list && document.items(0).any(is_operation) && may_change(text);
    changes.then_some(Fact::UnclearPatch(UnclearPatch {
        target: PatchTarget::Any,
        reaches_far: false,
    }))
}

/// The releases that a text may change in ways that are not followed.
fn unclear(document: &Document<'_>, target: Option<NodeId>, text: &str) -> Option<PatchTarget> {
    if !may_change(text) {
        return None;
    }
    let of_target = |key: &str| target.and_then(|target| document.text_at(target, &[key]));
    if of_target("kind").is_some_and(|kind| !KINDS.contains(&kind)) {
        return None;
    }
    let objects: Vec<_> = documents(text).filter_map(Result::ok).collect();
    let is_aimed = target.is_none() || of_target("name").is_some();
    let follows = |object: &Document<'_>| is_aimed && is_followed(object, of_target("name"));
    if !objects.is_empty() && !text.contains(DIRECTIVE) && objects.iter().all(follows) {
        return None;
    }
    if target.is_some() {
        let name = of_target("name").filter(|name| is_plain(name));
        return Some(name.map_or(PatchTarget::Any, |name| PatchTarget::Named(name.into())));
    }
    let kind = |object: &Document<'_>| {
        object
            .text_at(0, &["kind"])
            .is_none_or(|kind| KINDS.contains(&kind))
    };
    if !objects.is_empty() && !objects.iter().any(kind) {
        return None;
    }
    let name = match objects.as_slice() {
        [object] => object
            .text_at(0, &["metadata", "name"])
            .map(ToString::to_string),
        _ => None,
    };
    Some(name.map_or(PatchTarget::Any, PatchTarget::Named))
}

/// Whether a name is one, and no regular expression for several.
fn is_plain(name: &str) -> bool {
    !name.contains(['*', '.', '|', '[', '(', '?', '+', '$', '{'])
}

/// Whether a patch is a part of a release, and is merged over the release that its target names, or over
/// the one of its own name.
fn is_followed(patch: &Document<'_>, target: Option<&str>) -> bool {
    let text = |path: &[&str]| patch.text_at(0, path);
    let name = text(&["metadata", "name"]);
    let is_whole = text(&["apiVersion"]).is_some()
        && text(&["kind"]).is_some_and(|kind| KINDS.contains(&kind));
    is_whole && target.or(name).is_some_and(is_plain)
}

fn may_change(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    has(TOUCHES) && has(ABOUT)
}
