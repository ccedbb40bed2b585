//! Texts that hold documents: config map data, inline patches, Helm values in a block scalar.
//!
//! Which texts these are is a table, by the object that holds them and the way to them. What is found
//! in one is found by the same finders as in a file; what it says about other files is not believed
//! as easily, because nothing shows that a tool ever reads it as a file of this folder.

use super::object::{self, Object};
use super::values::{self, Template};
use super::{BlockId, Fact, Found, KeyPath, Kustomization};
use crate::reason::Reason;
use crate::yaml::{Document, DocumentPath, Kind, NodeId};

/// What the documents of a text are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Objects, or anything else.
    Objects,
    /// A strategic-merge patch, which is a part of an object, or a list of JSON6902 operations.
    Patch,
    /// Helm values.
    Values,
}

/// A text that holds documents.
#[derive(Clone, Debug)]
pub struct Text {
    /// The scalar.
    pub node: NodeId,
    /// What it holds.
    pub holds: Holds,
    /// The way to it from the file's own document.
    pub path: KeyPath,
    /// By which its values are known.
    pub(super) block: BlockId,
    /// The group and kind of what a patch is for, when it is said beside it.
    target: Option<(String, String)>,
    /// Why nothing in it can be changed, when that is known.
    pub(super) hold: Option<(Reason, String)>,
}

/// One step to a text.
#[derive(Clone, Copy, Debug)]
enum To {
    /// The value under this key.
    Key(&'static str),
    /// Every item of a list.
    Items,
    /// Every value whose key is the name of a YAML or JSON file.
    Files,
    /// Any map below.
    Anywhere,
}

/// Where texts of one kind stand.
struct Row {
    /// The API group; `None` for any.
    group: Option<&'static str>,
    kinds: &'static [&'static str],
    way: &'static [To],
    holds: Holds,
}

use To::{Anywhere, Files, Items, Key};

const KUSTOMIZE: Option<&str> = Some("kustomize.config.k8s.io");
const KUSTOMIZATIONS: &[&str] = &["Kustomization", "Component"];
const ARGO: Option<&str> = Some("argoproj.io");
const APPLICATIONS: &[&str] = &["Application", "ApplicationSet"];

/// Where texts stand that hold documents. Sources: the API references of Kubernetes, kustomize, Flux,
/// Argo CD and k3s.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { group: Some(""), kinds: &["ConfigMap"], way: &[Key("data"), Files], holds: Holds::Objects },
    Row { group: Some(""), kinds: &["Secret"], way: &[Key("stringData"), Files], holds: Holds::Objects },
    Row { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, way: &[Key("patches"), Items, Key("patch")], holds: Holds::Patch },
    Row { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, way: &[Key("patchesJson6902"), Items, Key("patch")], holds: Holds::Patch },
    Row { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, way: &[Key("patchesStrategicMerge"), Items], holds: Holds::Patch },
    Row { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, way: &[Key("transformers"), Items], holds: Holds::Objects },
    Row { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, way: &[Key("generators"), Items], holds: Holds::Objects },
    // Kustomize's own transformers (kustomize `plugin/builtin`).
    Row { group: None, kinds: &["PatchTransformer"], way: &[Key("patch")], holds: Holds::Patch },
    Row { group: None, kinds: &["PatchStrategicMergeTransformer"], way: &[Key("patches")], holds: Holds::Patch },
    Row { group: None, kinds: &["PatchJson6902Transformer"], way: &[Key("jsonOp")], holds: Holds::Patch },
    Row { group: Some("kustomize.toolkit.fluxcd.io"), kinds: &["Kustomization"], way: &[Key("spec"), Key("patches"), Items, Key("patch")], holds: Holds::Patch },
    Row { group: Some("helm.toolkit.fluxcd.io"), kinds: &["HelmRelease"], way: &[Key("spec"), Key("postRenderers"), Items, Key("kustomize"), Key("patches"), Items, Key("patch")], holds: Holds::Patch },
    Row { group: ARGO, kinds: APPLICATIONS, way: &[Anywhere, Key("kustomize"), Key("patches"), Items, Key("patch")], holds: Holds::Patch },
    Row { group: ARGO, kinds: APPLICATIONS, way: &[Anywhere, Key("helm"), Key("values")], holds: Holds::Values },
    Row { group: Some("helm.cattle.io"), kinds: &["HelmChart", "HelmChartConfig"], way: &[Key("spec"), Key("valuesContent")], holds: Holds::Values },
];

/// The ends of the names of files that hold documents.
const FILE_SUFFIXES: &[&str] = &[".yaml", ".yml", ".json"];

/// The texts of a document that hold documents and any of the words that finders look for. `hold`:
/// why nothing in the document can be changed.
pub(super) fn texts(
    document: &Document<'_>,
    objects: &[Object<'_>],
    hold: Option<&(Reason, String)>,
) -> Vec<Text> {
    let mut found = Vec::new();
    for object in objects {
        let is_here = |row: &&Row| {
            row.group.is_none_or(|group| group == object.group) && row.kinds.contains(&object.kind)
        };
        for row in ROWS.iter().filter(is_here) {
            let mut nodes = Vec::new();
            follow(document, object.node, row.way, &mut nodes);
            found.extend(nodes.into_iter().map(|node| (node, row.holds)));
        }
    }
    found.sort_by_key(|(node, _)| *node);
    found.dedup_by_key(|(node, _)| *node);
    let has_words = |&(node, _): &(NodeId, Holds)| document.text(node).is_some_and(has_words);
    let text = |(node, holds)| Text {
        node,
        holds,
        path: KeyPath::of(document, node),
        block: BlockId::of(document, node),
        target: target(document, node),
        hold: hold.cloned().or_else(|| shared(document, node)),
    };
    found.into_iter().filter(has_words).map(text).collect()
}

/// Adds the scalars at the end of the way from `id`.
fn follow(document: &Document<'_>, id: NodeId, way: &[To], found: &mut Vec<NodeId>) {
    let Some((step, rest)) = way.split_first() else {
        if document.text(id).is_some() {
            found.push(id);
        }
        return;
    };
    let mut go_on = |id: NodeId| follow(document, document.resolve(id), rest, found);
    let entries = document.entries(id);
    match step {
        Key(key) => entries
            .filter(|entry| entry.key == Some(key))
            .for_each(|entry| go_on(entry.value)),
        Files => entries
            .filter(|entry| entry.key.is_some_and(is_file_name))
            .for_each(|entry| go_on(entry.value)),
        Items => document.items(id).for_each(go_on),
        Anywhere => (id..document.node(id).end)
            .filter(|&id| matches!(document.node(id).kind, Kind::Mapping))
            .for_each(go_on),
    }
}

fn is_file_name(key: &str) -> bool {
    FILE_SUFFIXES.iter().any(|suffix| key.ends_with(suffix))
}

fn has_words(text: &str) -> bool {
    super::WORDS.iter().any(|word| text.contains(word))
}

/// What stands under `target` beside a patch.
fn target(document: &Document<'_>, patch: NodeId) -> Option<(String, String)> {
    let target = document.get(document.node(patch).parent, "target")?;
    let text = |key| document.text_at(target, &[key]).unwrap_or("").to_string();
    Some((text("group"), text("kind")))
}

/// Why a text stays that is used in more than one place.
fn shared(document: &Document<'_>, id: NodeId) -> Option<(Reason, String)> {
    let mut around = std::iter::successors(Some(id), |&id| {
        Some(document.node(id).parent).filter(|parent| *parent != id)
    });
    let is_shared = document.has_aliases && around.any(|id| document.node(id).anchored);
    is_shared.then(|| {
        let detail =
            "the text that holds it stands in a node with an anchor; write the text out wherever it is used";
        (Reason::SharedAnchor, detail.to_string())
    })
}

/// The objects of a document of `text`. The root of a patch is one even where it does not say of
/// which kind: its target does.
pub(super) fn objects<'d>(document: &'d Document<'_>, text: &'d Text) -> Vec<Object<'d>> {
    let is_map = matches!(document.node(0).kind, Kind::Mapping);
    if text.holds != Holds::Patch || !is_map || object::starts_object(document, 0) {
        return object::objects(document, false);
    }
    let (group, kind) = text
        .target
        .as_ref()
        .map_or(("", ""), |(group, kind)| (group, kind));
    let root = Object {
        node: 0,
        group,
        kind,
    };
    if object::holds_no_images(&root) {
        return Vec::new();
    }
    let below = object::objects(document, false);
    std::iter::once(root).chain(below).collect()
}

/// Finds what the values in a text name: those of its first document, which is the one that Helm reads.
pub(super) fn values(
    text: &str,
    document: &Document<'_>,
    inside: &Text,
    templates: &[Template],
    found: &mut Found,
) {
    let is_map = matches!(document.node(0).kind, Kind::Mapping);
    if is_map && index(document.path) == 0 {
        let values::Inside { sites, loose } =
            values::inside(text, document, 0, inside.block, templates);
        found.sites.extend(sites);
        found.blocks.push((inside.block, loose));
    }
}

/// The same for a text that may be values, if an object says so.
pub(super) fn unproven_values(
    text: &str,
    document: &Document<'_>,
    inside: &Text,
    templates: &[Template],
    found: &mut Found,
) {
    let mut values = Found::default();
    self::values(text, document, inside, templates, &mut values);
    found.unproven.extend(values.sites);
    found.blocks.extend(values.blocks);
}

/// The place of a document in its text, 0-based.
fn index(path: DocumentPath) -> usize {
    let mut at = path;
    while let Some((_, rest)) = at.split() {
        at = rest;
    }
    at.stream()
}

/// Fits what was found in a document of `text` into its file.
pub(super) fn fit(text: &Text, found: &mut Found) {
    for site in found.sites.iter_mut().chain(&mut found.unproven) {
        site.path = text.path.join(&site.path);
    }
    for inner in &mut found.texts {
        inner.path = text.path.join(&inner.path);
    }
    let facts = std::mem::take(&mut found.facts);
    found.facts = facts.into_iter().filter_map(believed).collect();
}

/// What a document in a text says about files, as far as that can only hold something back: a
/// kustomization in a config map takes in nothing of this folder, but the images it names may well be
/// those of this repository.
fn believed(fact: Fact) -> Option<Fact> {
    match fact {
        Fact::Kustomization(Kustomization { names, .. }) => (!names.is_empty()).then(|| {
            Fact::Kustomization(Kustomization {
                names,
                ..Kustomization::default()
            })
        }),
        Fact::Release(_) | Fact::Deploys { .. } => Some(fact),
        Fact::Chart(_)
        | Fact::Generated(_)
        | Fact::ConfigMap(_)
        | Fact::UnclearPatch(_)
        | Fact::InflatedCharts { .. }
        | Fact::Unread => None,
    }
}
