//! Kubernetes objects inside documents: every mapping with `apiVersion` and `kind`.
//!
//! Objects may lie inside others (the items of a `List`, templates of custom resources); each is
//! looked at on its own. Some hold no images at all, whatever their fields are called: schemas and
//! policies describe images, they do not run them.

use std::ops::Range;

use crate::image;
use crate::yaml::{Document, Kind, NodeId};

/// The kind of schemas of custom resources.
pub(super) const SCHEMA: &str = "CustomResourceDefinition";
/// API groups whose objects say which images are admitted, not which are pulled.
const POLICY_GROUPS: &[&str] = &[
    "kyverno.io",
    "admissionregistration.k8s.io",
    "policy.sigstore.dev",
    "policies.kubewarden.io",
];
/// The end of Gatekeeper's groups, one for each kind of constraint or template.
const POLICY_GROUP_SUFFIXES: &[&str] = &[".gatekeeper.sh", ".kyverno.io"];

/// What belongs to such groups and runs images: Chainsaw's tests, which apply objects, and Kubewarden's
/// servers.
const RUNNING_GROUPS: &[&str] = &["chainsaw.kyverno.io"];
const RUNNING_KINDS: &[(&str, &str)] = &[("policies.kubewarden.io", "PolicyServer")];

/// How the kinds end of policies: what such an object is shows without its group.
const POLICY_KIND_END: &str = "Policy";
/// The other kinds of policies and automations, which name images that are not pulled. Gatekeeper's own
/// constraints begin with `K8s`.
const POLICY_KINDS: &[&str] = &[
    "ConstraintTemplate",
    "ImageRepository",
    "ImageUpdater",
    "PolicyException",
];
const CONSTRAINT_START: &str = "K8s";

/// A mapping that says what it is.
#[derive(Clone, Copy, Debug)]
pub struct Object<'d> {
    /// The mapping.
    pub node: NodeId,
    /// `apiVersion` without the version; empty for the core group. What has no group and is not
    /// Kubernetes' own goes by its version.
    pub group: &'d str,
    /// `kind`.
    pub kind: &'d str,
}

impl Object<'_> {
    /// One of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self {
            node: 0,
            group: "",
            kind: "",
        }
    }
}

/// The objects of a document, outer ones first. With `implied_kustomization`, a root without
/// `apiVersion` or `kind` is a Kustomization, as kustomize reads a file of that name.
pub(super) fn objects<'d>(
    document: &'d Document<'_>,
    implied_kustomization: bool,
) -> Vec<Object<'d>> {
    among(document, 0..document.nodes.len(), implied_kustomization)
}

/// The objects below a node.
pub(super) fn below<'d>(document: &'d Document<'_>, node: NodeId) -> Vec<Object<'d>> {
    among(document, node + 1..document.node(node).end, false)
}

fn among<'d>(
    document: &'d Document<'_>,
    nodes: Range<NodeId>,
    implied_kustomization: bool,
) -> Vec<Object<'d>> {
    let mut objects = Vec::new();
    let mut id = nodes.start;
    while id < nodes.end {
        let implied = id == 0 && implied_kustomization;
        match read(document, id, implied) {
            Some(object) if holds_no_images(&object) || is_forbidden(document, id) => {
                id = document.node(id).end;
            }
            found => {
                objects.extend(found);
                id += 1;
            }
        }
    }
    objects
}

/// The policies of a document. Schemas are none: kustomize passes them by.
pub(super) fn policies<'d>(document: &'d Document<'_>) -> Vec<Object<'d>> {
    let mut policies = Vec::new();
    let mut id = 0;
    while id < document.nodes.len() {
        match read(document, id, false) {
            Some(object) if holds_no_images(&object) => {
                policies.extend((object.kind != SCHEMA).then_some(object));
                id = document.node(id).end;
            }
            _ => id += 1,
        }
    }
    policies
}

/// Whether a document has an object that holds no images.
pub(super) fn holds_none(document: &Document<'_>) -> bool {
    let mut ids = 0..document.nodes.len();
    ids.any(|id| {
        let object = read(document, id, false);
        object.is_some_and(|object| holds_no_images(&object) || is_forbidden(document, id))
    })
}

/// Whether a policy says of an object that there must be none (Open Cluster Management,
/// `ConfigurationPolicy`).
fn is_forbidden(document: &Document<'_>, node: NodeId) -> bool {
    let around = document.node(node).parent;
    let compliance = document.text_at(around, &["complianceType"]);
    around != node && compliance.is_some_and(|kind| kind.eq_ignore_ascii_case("mustnothave"))
}

/// Whether an object of its own starts at `id`.
pub(super) fn starts_object(document: &Document<'_>, id: NodeId) -> bool {
    read(document, id, false).is_some()
}

/// Whether a map inside an object names another one (`scaleTargetRef`, Istio's overlays) instead of
/// being one: no object has a `name` beside its `kind`.
fn is_reference(document: &Document<'_>, node: NodeId) -> bool {
    let has_name = document.text_at(node, &["name"]).is_some();
    document.node(node).parent != node && has_name && document.get(node, "metadata").is_none()
}

fn read<'d>(document: &'d Document<'_>, node: NodeId, implied: bool) -> Option<Object<'d>> {
    if !matches!(document.node(node).kind, Kind::Mapping) {
        return None;
    }
    let (mut api_version, mut kinds) = (None, Vec::new());
    for entry in document.entries(node) {
        match entry.key {
            // Where branches of a template choose one, a policy's counts.
            Some("apiVersion") => {
                let version = document.text(document.resolve(entry.value));
                if !api_version.is_some_and(|known| is_of_policies(group_of(known))) {
                    api_version = version;
                }
            }
            Some("kind") => kinds.extend(document.text(document.resolve(entry.value))),
            _ => {}
        }
    }
    if implied {
        api_version = api_version.or(Some("kustomize.config.k8s.io/v1beta1"));
        if kinds.is_empty() {
            kinds.push("Kustomization");
        }
    }
    let group = group_of(api_version?);
    let object = |kind: &&'d str| Object { node, group, kind };
    // Of several, too, a policy's counts.
    let mut objects = kinds.iter().map(object);
    let found = objects.find(holds_no_images);
    let found = found.or_else(|| kinds.last().map(object));
    found.filter(|_| !is_reference(document, node))
}

/// The group of an `apiVersion`. Only Kubernetes' own group has no name, and one version.
pub(super) fn group_of(version: &str) -> &str {
    let slash = version.find('/');
    if image::filled_at(version).is_some_and(|at| slash.is_none_or(|slash| at < slash)) {
        // What is filled in may hold a slash itself.
        let behind = version.rfind('}').unwrap_or(0);
        let slash = version.rfind('/').filter(|&slash| slash > behind);
        return slash.map_or(version, |slash| &version[..slash]);
    }
    let core = if version == "v1" { "" } else { version };
    version.split_once('/').map_or(core, |(group, _)| group)
}

/// What the root of a document says that it is, as far as it does.
pub(super) fn own<'d>(document: &'d Document<'_>) -> Object<'d> {
    let version = document.text_at(0, &["apiVersion"]).unwrap_or("");
    Object {
        node: 0,
        group: group_of(version),
        kind: document.text_at(0, &["kind"]).unwrap_or(""),
    }
}

/// Whether an object is a schema.
pub(super) fn is_schema(object: &Object<'_>) -> bool {
    object.kind == SCHEMA
}

/// Whether what looks like an image in it is none that is pulled.
pub(super) fn holds_no_images(object: &Object<'_>) -> bool {
    let is_of_policies =
        is_of_policies(object.group) && !RUNNING_KINDS.contains(&(object.group, object.kind));
    object.kind == SCHEMA || is_of_policies || is_policy_of_any_group(object)
}

fn is_of_policies(group: &str) -> bool {
    let mut suffixes = POLICY_GROUP_SUFFIXES.iter();
    let is_listed =
        POLICY_GROUPS.contains(&group) || suffixes.any(|suffix| group.ends_with(suffix));
    is_listed && !RUNNING_GROUPS.contains(&group)
}

/// Whether an object whose group is filled in later is a policy or automation by its kind.
pub(super) fn is_policy_of_any_group(object: &Object<'_>) -> bool {
    let kind = object.kind;
    image::is_filled(object.group)
        && (kind.ends_with(POLICY_KIND_END)
            || POLICY_KINDS.contains(&kind)
            || kind.starts_with(CONSTRAINT_START))
}
