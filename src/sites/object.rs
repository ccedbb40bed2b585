//! Kubernetes objects inside documents: every mapping with `apiVersion` and `kind`.
//!
//! Objects may lie inside others (the items of a `List`, templates of custom resources); each is
//! looked at on its own. Some hold no images at all, whatever their fields are called: schemas and
//! policies describe images, they do not run them.

use crate::yaml::{Document, Kind, NodeId};

/// The kind of schemas of custom resources.
const SCHEMA: &str = "CustomResourceDefinition";
/// API groups whose objects say which images are admitted, not which are pulled.
const POLICY_GROUPS: &[&str] = &[
    "kyverno.io",
    "admissionregistration.k8s.io",
    "policy.sigstore.dev",
    "policies.kubewarden.io",
];
/// The end of Gatekeeper's groups, one for each kind of constraint or template.
const POLICY_GROUP_SUFFIXES: &[&str] = &[".gatekeeper.sh", ".kyverno.io"];

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
    let mut objects = Vec::new();
    let mut id = 0;
    while id < document.nodes.len() {
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
    let (mut api_version, mut kind) = (None, None);
    for entry in document.entries(node) {
        match entry.key {
            Some("apiVersion") => api_version = document.text(document.resolve(entry.value)),
            Some("kind") => kind = document.text(document.resolve(entry.value)),
            _ => {}
        }
    }
    if implied {
        api_version = api_version.or(Some("kustomize.config.k8s.io/v1beta1"));
        kind = kind.or(Some("Kustomization"));
    }
    let group = group_of(api_version?);
    if kind.is_none() || is_reference(document, node) {
        return None;
    }
    Some(Object {
        node,
        group,
        kind: kind?,
    })
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

/// The group in an `apiVersion`. Only Kubernetes' own has no name, and one version.
fn group_of(version: &str) -> &str {
    let core = if version == "v1" { "" } else { version };
    version.split_once('/').map_or(core, |(group, _)| group)
}

/// Whether an object is a schema.
pub(super) fn is_schema(object: &Object<'_>) -> bool {
    object.kind == SCHEMA
}

/// Whether what looks like an image in it is none that is pulled.
pub(super) fn holds_no_images(object: &Object<'_>) -> bool {
    object.kind == SCHEMA
        || POLICY_GROUPS.contains(&object.group)
        || POLICY_GROUP_SUFFIXES
            .iter()
            .any(|suffix| object.group.ends_with(suffix))
}
