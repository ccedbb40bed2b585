//! What policies put into objects: containers that they inject, objects that they generate.
//!
//! A policy says which images are admitted, and those are patterns. What it merges into other objects
//! is no pattern: it is pulled as if it stood there. Containers are images like all others, by their
//! shape; of anything else nobody can tell here what it is in the object that it is put into, so
//! it is shown and stays. Which fields these are is a table.

use std::collections::HashSet;
use std::ops::Range;

use super::object::{self, Object};
use super::resource::{self, FieldPath};
use super::{Bit, Found, Input, Shape, Site, texts, workload};
use crate::image::{self, ImageRef};
use crate::reason::Reason;
use crate::yaml::{Document, NodeId};

/// What stands at the end of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Puts {
    /// A part of an object, which is merged over it.
    Part,
    /// A whole object but for its version and kind, which stand beside it.
    Object,
    /// The value of the field that `spec.location` names.
    Value,
    /// Operations, or expressions, of which the texts are read.
    Texts,
}

struct Row {
    /// The API group.
    group: &'static str,
    kinds: &'static [&'static str],
    /// The way, as in the table of custom resources.
    way: &'static str,
    puts: Puts,
}

const KYVERNO: &str = "kyverno.io";
const KYVERNO_KINDS: &[&str] = &["ClusterPolicy", "Policy"];
const MUTATING: &[&str] = &["MutatingPolicy", "NamespacedMutatingPolicy"];
const GENERATING: &[&str] = &["GeneratingPolicy", "NamespacedGeneratingPolicy"];

/// Where policies say what they put into objects. Sources: the API references of Kyverno, Gatekeeper
/// and Kubernetes.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { group: KYVERNO, kinds: KYVERNO_KINDS, way: "spec/rules/mutate/**/patchStrategicMerge", puts: Puts::Part },
    Row { group: KYVERNO, kinds: KYVERNO_KINDS, way: "spec/rules/mutate/**/patchesJson6902", puts: Puts::Texts },
    Row { group: KYVERNO, kinds: KYVERNO_KINDS, way: "spec/rules/generate/**/data", puts: Puts::Object },
    Row { group: "policies.kyverno.io", kinds: MUTATING, way: "spec/mutations", puts: Puts::Texts },
    Row { group: "policies.kyverno.io", kinds: GENERATING, way: "spec/generate", puts: Puts::Texts },
    Row { group: "admissionregistration.k8s.io", kinds: &["MutatingAdmissionPolicy"], way: "spec/mutations", puts: Puts::Texts },
    Row { group: "mutations.gatekeeper.sh", kinds: &["Assign", "ModifySet"], way: "spec/parameters/assign/value", puts: Puts::Value },
    Row { group: "mutations.gatekeeper.sh", kinds: &["Assign", "ModifySet"], way: "spec/parameters/values/fromList", puts: Puts::Value },
];

/// How the keys begin, of Kyverno's anchors, below which stands what an object has to be like, and no part
/// of what is merged over it.
const CONDITIONS: &[&str] = &["(", "<(", "X(", "^(", "=("];

/// The key that is written, of one with Kyverno's anchor for what is added where it is missing:
/// `+(image)` is `image`.
pub(super) fn added(key: &str) -> &str {
    let inner = key.strip_prefix("+(").and_then(|key| key.strip_suffix(')'));
    inner.unwrap_or(key)
}

/// A part of a policy that is put into objects.
struct Part<'d> {
    policy: Object<'d>,
    node: NodeId,
    puts: Puts,
}

/// The nodes of what these policies of a document put into objects.
pub(super) fn nodes(document: &Document<'_>, policies: &[Object<'_>]) -> Vec<Range<NodeId>> {
    let parts = parts(document, policies).into_iter();
    parts
        .map(|part| part.node..document.node(part.node).end)
        .collect()
}

fn parts<'d>(document: &'d Document<'_>, policies: &[Object<'d>]) -> Vec<Part<'d>> {
    let mut parts = Vec::new();
    for &policy in policies {
        let is_its = |row: &&Row| row.group == policy.group && row.kinds.contains(&policy.kind);
        for row in ROWS.iter().filter(is_its) {
            let mut ends = Vec::new();
            let way = FieldPath::of_table(row.way);
            let mut seen = HashSet::new();
            follow(
                document,
                policy.node,
                &way,
                &mut Vec::new(),
                &mut seen,
                &mut ends,
            );
            parts.extend(ends.into_iter().map(|node| Part {
                policy,
                node,
                puts: row.puts,
            }));
        }
    }
    parts
}

/// The nodes to which a way leads. Aliases are followed, each once.
fn follow<'d>(
    document: &'d Document<'_>,
    id: NodeId,
    way: &FieldPath,
    keys: &mut Vec<&'d str>,
    seen: &mut HashSet<NodeId>,
    ends: &mut Vec<NodeId>,
) {
    let id = document.resolve(id);
    if !seen.insert(id) {
        return;
    }
    if way.matches(keys) {
        ends.push(id);
        return;
    }
    for item in document.items(id) {
        follow(document, item, way, keys, seen, ends);
    }
    for entry in document.entries(id) {
        let Some(key) = entry.key else { continue };
        keys.push(key);
        follow(document, entry.value, way, keys, seen, ends);
        keys.pop();
    }
}

/// The images in what the policies of a document put into objects.
pub(super) fn find(text: &str, document: &Document<'_>, found: &mut Found) {
    for part in parts(document, &object::policies(document)) {
        let mut own = Found::default();
        match part.puts {
            Puts::Part | Puts::Object => part.find_in_object(text, document, &mut own),
            Puts::Value => part.find_in_value(text, document, &mut own),
            Puts::Texts => part.find_texts(text, document, &mut own),
        }
        let conditions = conditions(document, part.node);
        own.sites.retain(|site| {
            let start = site.span().start;
            !conditions.iter().any(|range| range.contains(&start))
        });
        for site in &mut own.sites {
            hold(site);
        }
        resource::drop_known(&mut own);
        texts::drop_known(&mut own);
        found.sites.extend(own.sites);
    }
}

/// The bytes of what is only compared with an object.
fn conditions(document: &Document<'_>, node: NodeId) -> Vec<Range<usize>> {
    let below = node..document.node(node).end;
    let entries = below.flat_map(|id| document.entries(id));
    let is_condition = |key: &str| CONDITIONS.iter().any(|start| key.starts_with(start));
    entries
        .filter(|entry| entry.key.is_some_and(is_condition))
        .map(|entry| document.bytes_below(entry.value))
        .collect()
}

/// Holds what is not certainly an image of a container, written out.
fn hold(site: &mut Site) {
    let (reason, detail) = if image::is_filled(site.text()) {
        let detail =
            "the policy fills in a part of it from the objects that it changes; change it by hand";
        (Reason::Templated, detail)
    } else if site.finder != workload::NAME {
        let detail = "a policy puts it into other objects, and nobody can tell here what it is in those; if they pull it, change it by hand";
        (Reason::GroupIncomplete, detail)
    } else {
        return;
    };
    site.hold.get_or_insert((reason, detail.to_string()));
}

impl Part<'_> {
    /// The object of which it is one or a part, and those that lie in it.
    fn objects<'d>(&self, document: &'d Document<'_>) -> Vec<Object<'d>> {
        let beside = document.node(self.node).parent;
        let said = |key| document.text_at(beside, &[key]);
        let (version, kind) = match self.puts {
            Puts::Object => (said("apiVersion"), said("kind")),
            _ => (None, None),
        };
        let whole = Object {
            node: self.node,
            group: version.map_or("", object::group_of),
            kind: kind.unwrap_or(""),
        };
        let inside = object::below(document, self.node);
        std::iter::once(whole).chain(inside).collect()
    }

    fn find_in_object(&self, text: &str, document: &Document<'_>, found: &mut Found) {
        for object in &self.objects(document) {
            let input = input(text, document, object);
            workload::find(&input, found);
            if object.group.is_empty() && object.kind.is_empty() {
                found
                    .sites
                    .extend(resource::of_part(text, document, object));
            } else {
                resource::find(&input, found);
            }
            texts::find(&input, found);
            resource::find_loose(&input, found);
        }
    }

    fn find_in_value(&self, text: &str, document: &Document<'_>, found: &mut Found) {
        let location = document.text_at(self.policy.node, &["spec", "location"]);
        let pointer = pointer(location.unwrap_or(""));
        let images = workload::images_at(document, self.node, &pointer);
        let images = images.into_iter();
        let images = images.filter_map(|id| workload::site(text, document, id));
        found.sites.extend(images);
        let others = texts::find_at(text, document, self.node, &pointer);
        found.sites.extend(others);
    }

    fn find_texts(&self, text: &str, document: &Document<'_>, found: &mut Found) {
        let object = Object {
            node: self.node,
            ..self.policy
        };
        texts::find(&input(text, document, &object), found);
        for id in self.node..document.node(self.node).end {
            for site in literals(text, document, id) {
                let is_known = |known: &Site| known.span() == site.span();
                if !found.sites.iter().any(is_known) {
                    found.sites.push(site);
                }
            }
        }
    }
}

/// The references in the literals of an expression. What has no registry, or neither tag nor digest, is as
/// likely compared with one.
fn literals(text: &str, document: &Document<'_>, id: NodeId) -> Vec<Site> {
    let Some(value) = document.text(id) else {
        return Vec::new();
    };
    let is_reference = |range: &Range<usize>| {
        let image = ImageRef::parse(&value[range.clone()]);
        image.is_ok_and(|image| image.registry().is_some() && !image.suffix().is_empty())
    };
    let site = |range: Range<usize>| {
        let bit = Bit::within(text, document, id, range)?;
        let site = workload::site(text, document, id)?;
        Some(Site {
            shape: Shape::Within(Box::new(bit)),
            finder: texts::NAME,
            ..site
        })
    };
    let literals = quoted(value).into_iter().filter(is_reference);
    literals.filter_map(site).collect()
}

/// The bytes between the quotes of a text.
fn quoted(text: &str) -> Vec<Range<usize>> {
    let mut literals = Vec::new();
    let mut open: Option<(usize, char)> = None;
    for (at, c) in text.char_indices() {
        match open {
            Some((start, quote)) if c == quote => {
                literals.push(start..at);
                open = None;
            }
            None if matches!(c, '"' | '\'') => open = Some((at + 1, c)),
            _ => {}
        }
    }
    literals
}

fn input<'d>(text: &'d str, document: &'d Document<'d>, object: &'d Object<'d>) -> Input<'d> {
    Input {
        text,
        document,
        object,
        templates: &[],
        fields: &[],
    }
}

/// The JSON pointer of one of Gatekeeper's locations: `spec.containers[name:*].image`. Which item of a list
/// is meant does not matter.
fn pointer(location: &str) -> String {
    let mut pointer = String::new();
    for part in location.split('.') {
        let (key, item) = part
            .split_once('[')
            .map_or((part, ""), |(key, _)| (key, "/0"));
        pointer.push('/');
        pointer.push_str(key.trim_matches(['"', '\'']));
        pointer.push_str(item);
    }
    pointer
}
