//! Texts that hold documents: config map data, inline patches, Helm values in a block scalar.
//!
//! Which texts these are is a table, by the object that holds them and the way to them. What is found
//! in one is found by the same finders as in a file; what it says about other files is not believed
//! as easily, because nothing shows that a tool ever reads it as a file of this folder.

use std::collections::HashSet;

use super::object::{self, Object};
use super::values::{self, Template};
use super::{Acts, BlockId, Fact, Found, KeyPath, Kustomization, PatchPiece, Release};
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
    /// What a patch is for, when that is said beside it.
    target: Option<Target>,
    /// Why nothing in it can be changed, when that is known.
    pub(super) hold: Option<(Reason, String)>,
}

/// What a patch is for.
#[derive(Clone, Debug, Default)]
struct Target {
    group: Option<String>,
    kind: Option<String>,
    name: Option<String>,
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
    acts: When,
}

/// When that comes in which a text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// At a time that the links between files know, or at none.
    Known,
    /// With the transformers and generators, whose time is not followed.
    Later,
}

use To::{Anywhere, Files, Items, Key};
use When::{Known, Later};

const KUSTOMIZE: Option<&str> = Some("kustomize.config.k8s.io");
const KUSTOMIZATIONS: &[&str] = &["Kustomization", "Component"];
const ARGO: Option<&str> = Some("argoproj.io");
const APPLICATIONS: &[&str] = &["Application", "ApplicationSet"];
const WORKFLOWS: &[&str] = &[
    "Workflow",
    "WorkflowTemplate",
    "ClusterWorkflowTemplate",
    "CronWorkflow",
];

/// Where texts stand that hold documents. Sources: the API references of Kubernetes, kustomize, Flux,
/// Argo CD, Argo Workflows and k3s.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { group: Some(""), kinds: &["ConfigMap"], way: &[Key("data"), Files], holds: Holds::Objects, acts: Known },
    Row { group: Some(""), kinds: &["Secret"], way: &[Key("stringData"), Files], holds: Holds::Objects, acts: Known },
    Row { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, way: &[Key("patches"), Items, Key("patch")], holds: Holds::Patch, acts: Known },
    Row { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, way: &[Key("patchesJson6902"), Items, Key("patch")], holds: Holds::Patch, acts: Known },
    Row { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, way: &[Key("patchesStrategicMerge"), Items], holds: Holds::Patch, acts: Known },
    Row { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, way: &[Key("transformers"), Items], holds: Holds::Objects, acts: Later },
    Row { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, way: &[Key("generators"), Items], holds: Holds::Objects, acts: Later },
    // Kustomize's own transformers (kustomize `plugin/builtin`).
    Row { group: None, kinds: &["PatchTransformer"], way: &[Key("patch")], holds: Holds::Patch, acts: Later },
    Row { group: None, kinds: &["PatchStrategicMergeTransformer"], way: &[Key("patches")], holds: Holds::Patch, acts: Later },
    Row { group: None, kinds: &["PatchJson6902Transformer"], way: &[Key("jsonOp")], holds: Holds::Patch, acts: Later },
    Row { group: Some("kustomize.toolkit.fluxcd.io"), kinds: &["Kustomization"], way: &[Key("spec"), Key("patches"), Items, Key("patch")], holds: Holds::Patch, acts: Known },
    Row { group: Some("helm.toolkit.fluxcd.io"), kinds: &["HelmRelease"], way: &[Key("spec"), Key("postRenderers"), Items, Key("kustomize"), Key("patches"), Items, Key("patch")], holds: Holds::Patch, acts: Known },
    Row { group: ARGO, kinds: APPLICATIONS, way: &[Anywhere, Key("kustomize"), Key("patches"), Items, Key("patch")], holds: Holds::Patch, acts: Known },
    Row { group: ARGO, kinds: APPLICATIONS, way: &[Anywhere, Key("helm"), Key("values")], holds: Holds::Values, acts: Known },
    Row { group: ARGO, kinds: WORKFLOWS, way: &[Anywhere, Key("resource"), Key("manifest")], holds: Holds::Objects, acts: Known },
    Row { group: Some("helm.cattle.io"), kinds: &["HelmChart", "HelmChartConfig"], way: &[Key("spec"), Key("valuesContent")], holds: Holds::Values, acts: Known },
];

/// Kinds of policies of which other groups have one that runs images (NVIDIA's `ClusterPolicy`).
const COMMON: &[&str] = &["ClusterPolicy", "Policy"];
/// The groups of kinds that a target may name alone, where the group makes a difference. Another group
/// may have a kind of the same name: what goes by these may drop sites, and nothing that holds others.
const GROUPS: &[(&str, &str)] = &[
    ("AdmissionPolicy", "policies.kubewarden.io"),
    ("Application", "argoproj.io"),
    ("ApplicationSet", "argoproj.io"),
    ("ClusterAdmissionPolicy", "policies.kubewarden.io"),
    ("ClusterCleanupPolicy", "kyverno.io"),
    ("ClusterImagePolicy", "policy.sigstore.dev"),
    ("ClusterPolicy", "kyverno.io"),
    ("ConstraintTemplate", "templates.gatekeeper.sh"),
    ("HelmChartConfig", "helm.cattle.io"),
    ("HelmRelease", "helm.toolkit.fluxcd.io"),
    ("ImageRepository", "image.toolkit.fluxcd.io"),
    ("ImageValidatingPolicy", "policies.kyverno.io"),
    ("KafkaConnect", "kafka.strimzi.io"),
    // Kustomize's own are no objects that it could patch.
    ("Kustomization", "kustomize.toolkit.fluxcd.io"),
    ("MutatingAdmissionPolicy", "admissionregistration.k8s.io"),
    ("Policy", "kyverno.io"),
    ("PolicyException", "kyverno.io"),
    ("ValidatingAdmissionPolicy", "admissionregistration.k8s.io"),
    ("ValidatingPolicy", "policies.kyverno.io"),
];
/// How the kinds of Gatekeeper's constraints begin (the Gatekeeper library), and their group.
const CONSTRAINTS: (&str, &str) = ("K8s", "constraints.gatekeeper.sh");

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
            let mut walk = Walk {
                document,
                seen: HashSet::new(),
                found: Vec::new(),
            };
            walk.follow(object.node, row.way);
            found.extend(walk.found.into_iter().map(|node| (node, row)));
        }
    }
    found.sort_by_key(|(node, _)| *node);
    found.dedup_by_key(|(node, _)| *node);
    let has_words = |&(node, _): &(NodeId, &Row)| document.text(node).is_some_and(has_words);
    let text = |(node, row): (NodeId, &Row)| Text {
        node,
        holds: row.holds,
        path: KeyPath::of(document, node),
        block: BlockId::of(document, node),
        target: target(document, node),
        hold: hold
            .cloned()
            .or_else(|| shared(document, node))
            .or_else(|| later(row.acts)),
    };
    found.into_iter().filter(has_words).map(text).collect()
}

/// A walk along the way of a row.
struct Walk<'d> {
    document: &'d Document<'d>,
    /// Where it has been, with how much of the way before it: aliases lead to one place often.
    seen: HashSet<(NodeId, usize)>,
    /// The scalars at the end.
    found: Vec<NodeId>,
}

impl Walk<'_> {
    fn follow(&mut self, id: NodeId, way: &[To]) {
        let id = self.document.resolve(id);
        if !self.seen.insert((id, way.len())) {
            return;
        }
        let Some((step, rest)) = way.split_first() else {
            self.found.extend(self.document.text(id).map(|_| id));
            return;
        };
        let document = self.document;
        let entries = document.entries(id);
        match step {
            Key(key) => entries
                .filter(|entry| entry.key == Some(key))
                .for_each(|entry| self.follow(entry.value, rest)),
            Files => entries
                .filter(|entry| entry.key.is_some_and(is_file_name))
                .for_each(|entry| self.follow(entry.value, rest)),
            Items => document.items(id).for_each(|item| self.follow(item, rest)),
            Anywhere => (id..document.node(id).end)
                .filter(|&id| matches!(document.node(id).kind, Kind::Mapping))
                .for_each(|id| self.follow(id, rest)),
        }
    }
}

fn is_file_name(key: &str) -> bool {
    FILE_SUFFIXES.iter().any(|suffix| key.ends_with(suffix))
}

/// Whether finders could find anything in a text. What has no colon is no map: the path of a patch.
fn has_words(text: &str) -> bool {
    text.contains(':') && super::may_name_images(text)
}

/// What stands under `target` beside a patch.
fn target(document: &Document<'_>, patch: NodeId) -> Option<Target> {
    let target = document.get(document.node(patch).parent, "target")?;
    let text = |key| document.text_at(target, &[key]).map(Into::into);
    Some(Target {
        group: text("group"),
        kind: text("kind"),
        name: text("name"),
    })
}

/// Why a text stays that is used in more than one place.
pub(super) fn shared(document: &Document<'_>, id: NodeId) -> Option<(Reason, String)> {
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

/// Why a text stays that comes in when nobody can tell which entries for images still follow.
fn later(acts: When) -> Option<(Reason, String)> {
    let detail = "a transformer or generator brings it in, and which entries for images act on that is not followed; change it by hand, or make it a patch or resource of the kustomization";
    (acts == Later).then(|| (Reason::GroupIncomplete, detail.to_string()))
}

/// The objects of a document of `text`. The root of a patch is one even where it does not say of
/// which kind, or says so in vain: its target does.
pub(super) fn objects<'d>(document: &'d Document<'_>, text: &'d Text) -> Vec<Object<'d>> {
    let below = object::objects(document, false);
    let is_map = matches!(document.node(0).kind, Kind::Mapping);
    if text.holds != Holds::Patch || !is_map {
        return below;
    }
    let below = below.into_iter().filter(|object| object.node != 0);
    let root = patched(document, text);
    std::iter::once(root).chain(below).collect()
}

/// Drops what was found in a patch for something that describes images and runs none; where its kind
/// may be another group's, what was found stays, and is no image. What it says of other objects counts in
/// any case.
pub(super) fn drop_described(document: &Document<'_>, text: &Text, found: &mut Found) {
    let objects = [patched(document, text), object::own(document)];
    if text.holds != Holds::Patch || !objects.iter().any(object::holds_no_images) {
        return;
    }
    let target = text.target.as_ref();
    let group = target.and_then(|target| target.group.as_deref());
    found.unproven.clear();
    match target.and_then(|target| target.kind.as_deref()) {
        Some(kind) if !group.is_some_and(is_group) && COMMON.contains(&kind) => {
            let detail = format!(
                "objects of the kind `{kind}` describe images and run none, or so they do in the group that is most likely; write the `group` into the `target`"
            );
            let hold = (Reason::NotAnImage, detail);
            found
                .sites
                .iter_mut()
                .for_each(|site| site.hold = Some(hold.clone()));
        }
        _ => found.sites.clear(),
    }
}

/// The object that a patch is a part of. Its target decides: what the patch says of itself counts where
/// that is of the same kind, or where there is none.
pub(super) fn patched<'d>(document: &'d Document<'_>, text: &'d Text) -> Object<'d> {
    let own = object::own(document);
    let target = text.target.as_ref();
    let said = |text: &'d Option<String>| text.as_deref().unwrap_or("");
    let (group, kind) = target.map_or(("", ""), |target| (said(&target.group), said(&target.kind)));
    let is_own = [own.kind, ""].contains(&kind) && group.is_empty();
    let kind = if kind.is_empty() { own.kind } else { kind };
    if is_own && document.text_at(0, &["apiVersion"]).is_some() {
        return own;
    }
    aimed_at(group, kind)
}

/// The object that a target with this group and kind is for.
pub(super) fn aimed_at<'d>(group: &'d str, kind: &'d str) -> Object<'d> {
    let group = Some(group).filter(|group| is_group(group));
    Object {
        node: 0,
        group: group.or_else(|| likely_group(kind)).unwrap_or(""),
        kind,
    }
}

/// The group that a kind most likely has, where that makes a difference.
fn likely_group(kind: &str) -> Option<&'static str> {
    let known = GROUPS.iter().find(|(known, _)| *known == kind);
    let (start, constraint) = CONSTRAINTS;
    known
        .map(|(_, group)| *group)
        .or_else(|| kind.starts_with(start).then_some(constraint))
}

/// Whether the group of a target is one, and no regular expression for several.
fn is_group(group: &str) -> bool {
    let is_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    !group.is_empty() && group.chars().all(is_char)
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
        let values::Inside {
            sites,
            spare,
            loose,
        } = values::inside(text, document, 0, inside.block, templates);
        found.sites.extend(sites);
        found.unproven.extend(spare);
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
    found.unproven.extend(values.unproven);
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
        if site.entry().is_some() {
            let detail = "it stands in a text, and nobody can tell what it acts on; change it by hand, together with the images that it names";
            site.hold
                .get_or_insert((Reason::GroupIncomplete, detail.to_string()));
        }
    }
    for inner in &mut found.texts {
        inner.path = text.path.join(&inner.path);
    }
    let facts = std::mem::take(&mut found.facts);
    let facts = facts.into_iter().filter_map(|fact| match fact {
        Fact::Piece { .. } | Fact::PatchPiece(_) | Fact::Tested(_) => of_patch(fact, text),
        other => believed(other),
    });
    found.facts = facts.map(|fact| aimed(fact, text)).collect();
}

/// What a patch says of the objects that it is for. Other texts that hold documents become no objects
/// of the same build.
fn of_patch(fact: Fact, text: &Text) -> Option<Fact> {
    if text.holds != Holds::Patch {
        return None;
    }
    let piece = match fact {
        Fact::Piece {
            object,
            path,
            keys,
            map,
        } => PatchPiece::of(object.as_deref(), path, keys, map),
        Fact::PatchPiece(piece) => piece,
        other => return Some(other),
    };
    // With a target, it does not matter what the patch says of itself.
    let (kind, name) = match &text.target {
        None => (piece.kind, piece.name),
        Some(target) => (target.kind.clone().filter(|kind| is_plain(kind)), None),
    };
    Some(Fact::PatchPiece(PatchPiece {
        kind,
        name,
        ..piece
    }))
}

/// Whether a regular expression matches nothing but its own text.
fn is_plain(pattern: &str) -> bool {
    pattern.chars().all(|c| c.is_ascii_alphanumeric())
}

/// A patch with a target is for the release of that name, whatever name it has itself.
fn aimed(fact: Fact, text: &Text) -> Fact {
    match (fact, &text.target) {
        (Fact::Release(release), Some(target)) => Fact::Release(Release {
            name: target.name.clone().or(release.name),
            ..release
        }),
        (fact, _) => fact,
    }
}

/// What a document in a text says about files, as far as that can only hold something back: a
/// kustomization in a config map takes in nothing of this folder, but the images it names may well be
/// those of this repository.
fn believed(fact: Fact) -> Option<Fact> {
    match fact {
        // The files of an inline transformer are those of its kustomization.
        Fact::Kustomization(fact) if fact.acts == Acts::Last => Some(Fact::Kustomization(fact)),
        Fact::Kustomization(Kustomization { names, copied, .. }) => {
            (!names.is_empty() || !copied.is_empty()).then(|| {
                Fact::Kustomization(Kustomization {
                    acts: Acts::Anywhere,
                    names,
                    copied,
                    ..Kustomization::default()
                })
            })
        }
        Fact::Release(_)
        | Fact::ConfigMap(_)
        | Fact::ChartHome { .. }
        | Fact::ChartsPatched
        | Fact::Deploys { .. } => Some(fact),
        // A patch of a Flux Kustomization that holds patches for releases.
        Fact::UnclearPatch(ref patch) => patch.reaches_far.then_some(fact),
        Fact::Chart(_)
        | Fact::Generated(_)
        | Fact::FixedImages(_)
        | Fact::ImageFields
        | Fact::Piece { .. }
        | Fact::PatchPiece(_)
        | Fact::Tested(_)
        | Fact::Operation(_)
        | Fact::InflatedCharts { .. }
        | Fact::Unread => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scan::{Options, Scan, scan_text};

    fn scan(text: &str) -> Scan {
        scan_text(Path::new("a.yaml"), text, &Options::default())
    }

    /// Where the sites of `text` are, with the code of the hold where there is one.
    fn paths(text: &str) -> Vec<String> {
        let show = |site: &super::super::Site| match &site.hold {
            Some((reason, _)) => format!("{} {reason}", site.path),
            None => site.path.to_string(),
        };
        scan(text).sites.iter().map(show).collect()
    }

    const POD: &str = "{apiVersion: v1, kind: Pod, spec: {containers: [{image: a}]}}";
    const PART: &str = "{spec: {containers: [{image: a}]}}";

    #[test]
    fn texts_are_known_by_their_object_and_place() {
        let of = |path: &str| format!("{path}.spec.containers[0].image");
        for (head, body, path) in [
            ("v1 ConfigMap", "data: {a.yaml: 'POD'}", "data[\"a.yaml\"]"),
            ("v1 ConfigMap", "data: {a.json: 'POD'}", "data[\"a.json\"]"),
            (
                "v1 Secret",
                "stringData: {a.yml: 'POD'}",
                "stringData[\"a.yml\"]",
            ),
            (
                "kustomize.config.k8s.io/v1beta1 Kustomization",
                "patches: [{patch: 'PART'}]",
                "patches[0].patch",
            ),
            (
                "kustomize.config.k8s.io/v1alpha1 Component",
                "patchesStrategicMerge: ['POD']",
                "patchesStrategicMerge[0]",
            ),
            (
                "kustomize.toolkit.fluxcd.io/v1 Kustomization",
                "spec: {patches: [{patch: 'PART'}]}",
                "spec.patches[0].patch",
            ),
            (
                "helm.toolkit.fluxcd.io/v2 HelmRelease",
                "spec: {postRenderers: [{kustomize: {patches: [{patch: 'PART'}]}}]}",
                "spec.postRenderers[0].kustomize.patches[0].patch",
            ),
            (
                "argoproj.io/v1alpha1 ApplicationSet",
                "spec: {template: {spec: {sources: [{kustomize: {patches: [{patch: 'PART'}]}}]}}}",
                "spec.template.spec.sources[0].kustomize.patches[0].patch",
            ),
        ] {
            let (version, kind) = head.split_once(' ').unwrap();
            let body = body.replace("POD", POD).replace("PART", PART);
            let text = format!("apiVersion: {version}\nkind: {kind}\n{body}\n");
            assert_eq!(paths(&text), [of(path)], "{text}");
            let other = format!("apiVersion: {version}\nkind: Other\n{body}\n");
            assert!(paths(&other).is_empty(), "{other}");
        }
    }

    #[test]
    fn what_comes_in_later_stays() {
        for (head, body, path) in [
            ("builtin\nkind: PatchTransformer", "patch: 'PART'", "patch"),
            (
                "builtin\nkind: PatchStrategicMergeTransformer",
                "patches: 'POD'",
                "patches",
            ),
            (
                "kustomize.config.k8s.io/v1beta1\nkind: Kustomization",
                "generators: ['POD']",
                "generators[0]",
            ),
            (
                "kustomize.config.k8s.io/v1beta1\nkind: Kustomization",
                "transformers: ['{apiVersion: builtin, kind: PatchTransformer, patch: \"PART\"}']",
                "transformers[0].patch",
            ),
        ] {
            let body = body.replace("POD", POD).replace("PART", PART);
            let text = format!("apiVersion: {head}\n{body}\n");
            let wanted = format!("{path}.spec.containers[0].image group-incomplete");
            assert_eq!(paths(&text), [wanted], "{text}");
        }
        let entry = "apiVersion: v1\nkind: ConfigMap\ndata:\n  a.yaml: |\n    apiVersion: kustomize.config.k8s.io/v1beta1\n    kind: Kustomization\n    images: [{name: a, newName: b}]\n";
        let path = "data[\"a.yaml\"].images[0].newName group-incomplete";
        assert_eq!(paths(entry), [path]);
    }

    #[test]
    fn operations_of_patches_are_sites() {
        let text = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\npatches:\n- patch: |-\n    - {op: test, path: /spec/template/spec/containers/0/image, value: a}\n    - {op: replace, path: /spec/template/spec/containers/0/image, value: b}\n  target: {kind: Deployment}\n";
        let sites = ["patches[0].patch[0].value", "patches[0].patch[1].value"];
        assert_eq!(paths(text), sites);
        assert!(paths(&text.replace("Deployment", "CustomResourceDefinition")).is_empty());
    }

    #[test]
    fn texts_that_hold_no_objects_name_nothing() {
        for body in [
            format!("data: {{a.txt: '{POD}'}}"),
            format!("data: {{a.yaml: '{PART}'}}"),
            format!("binaryData: {{a.yaml: '{POD}'}}"),
            "data: {a.yaml: 'image: {registry: docker.io, repository: a/b}'}".to_string(),
            "data: {a.yaml: [image]}".to_string(),
            "data: {a.yaml: image}".to_string(),
        ] {
            let text = format!("apiVersion: v1\nkind: ConfigMap\n{body}\n");
            assert!(paths(&text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_patch_is_a_part_of_what_it_is_for() {
        for (target, part, found) in [
            ("", PART, true),
            ("target: {kind: Deployment}", PART, true),
            ("target: {kind: CustomResourceDefinition}", PART, false),
            ("target: {kind: ConstraintTemplate}", PART, false),
            // Held: the group may be NVIDIA's.
            ("target: {kind: ClusterPolicy}", PART, true),
            (
                "target: {kind: ClusterPolicy, group: nvidia.com}",
                PART,
                true,
            ),
            ("target: {group: kyverno.io}", PART, false),
            (
                "target: {kind: Deployment}",
                "{kind: CustomResourceDefinition, spec: {containers: [{image: a}]}}",
                false,
            ),
            (
                "",
                "[{op: replace, path: /spec/replicas, value: image}]",
                false,
            ),
            ("", "{apiVersion: v1, kind: List, items: [POD]}", true),
        ] {
            let part = part.replace("POD", POD);
            let text = format!(
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\npatches:\n- patch: '{part}'\n  {target}\n"
            );
            assert_eq!(!paths(&text).is_empty(), found, "{text}");
        }
    }

    #[test]
    fn what_is_signed_or_shared_stays() {
        let signed = format!(
            "apiVersion: v1\nkind: Secret\nstringData: {{a.yaml: '{POD}'}}\nsops: {{mac: x}}\n"
        );
        let path = "stringData[\"a.yaml\"].spec.containers[0].image not-editable";
        assert_eq!(paths(&signed), [path]);
        let shared =
            format!("apiVersion: v1\nkind: ConfigMap\ndata: {{a.yaml: &a '{POD}', b: *a}}\n");
        let path = "data[\"a.yaml\"].spec.containers[0].image shared-anchor";
        assert_eq!(paths(&shared), [path]);
        let deeper = shared
            .replace('\n', "\n    ")
            .replace("*a}", "*a, c.json: x}");
        let deeper = format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  x.yaml: |\n    {deeper}\n");
        assert_eq!(paths(&deeper), [format!("data[\"x.yaml\"].{path}")]);
    }

    #[test]
    fn texts_speak_for_other_files_only_to_hold_them() {
        let inner = [
            "{apiVersion: kustomize.config.k8s.io/v1beta1, kind: Kustomization, resources: [../base], images: [{name: a}]}",
            "{apiVersion: kustomize.config.k8s.io/v1beta1, kind: Kustomization, resources: [../image]}",
            "{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, spec: {path: ./image}}",
            "{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: image}, spec: {chart: {spec: {chart: x}}}}",
        ];
        let facts = |text: &str| -> Vec<String> {
            let show = |fact: &Fact| match fact {
                Fact::Kustomization(found) => {
                    let names: Vec<_> = found.names.iter().map(|name| &name.pattern).collect();
                    format!(
                        "{:?} {names:?} {:?} {:?}",
                        found.acts, found.takes_in, found.folder
                    )
                }
                Fact::Deploys { folder, .. } => format!("deploys {folder}"),
                Fact::Release(release) => format!("release {:?}", release.name),
                other => format!("{other:?}"),
            };
            scan(text).facts.iter().map(show).collect()
        };
        let wanted = [
            &["Anywhere [\"a\"] [] None"][..],
            &[],
            &["deploys ./image"],
            &["release Some(\"image\")"],
        ];
        for (inner, wanted) in inner.into_iter().zip(wanted) {
            let text = format!("apiVersion: v1\nkind: ConfigMap\ndata: {{a.yaml: '{inner}'}}\n");
            assert_eq!(facts(&text), wanted, "{inner}");
        }
        let patch = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec:\n  patches:\n  - target: {kind: HelmRelease, name: web}\n    patch: '{spec: {values: {image: a}}}'\n";
        let patch = facts(patch);
        assert_eq!(patch.last().unwrap(), "release Some(\"web\")");
    }

    #[test]
    fn texts_that_cannot_be_read_are_noted_when_they_may_name_images() {
        for (inner, unread) in [
            ("image: [", 1),
            ("image: a\n    ---\n    b: [\n    ---\n    c: [", 2),
            ("hub: [", 0),
            ("image: a", 0),
        ] {
            let text =
                format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  a.yaml: |\n    {inner}\n");
            let scan = scan(&text);
            assert_eq!(
                (scan.unread.len(), scan.broken.len()),
                (unread, 0),
                "{text}"
            );
            assert!(
                scan.unread
                    .iter()
                    .all(|text| text.path.as_str() == "data[\"a.yaml\"]")
            );
        }
    }
}
