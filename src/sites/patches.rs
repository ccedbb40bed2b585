//! Images in JSON6902 patches: those that an operation writes, and those that one tests for, which a
//! rewrite of the tested image alone would make fail.
//!
//! A document that is a list of operations gives sites. An operation looks the same wherever else it
//! is written (in a list of a custom resource, in a text that nothing reads as a document), so there
//! the images that are tested for are known by their names.

use std::collections::HashSet;

use super::kustomize::{self, NameEntry};
use super::{
    Fact, Found, KeyPath, Object, Site, Text, embedded, object, resource, texts, workload,
};
use crate::reason::Reason;
use crate::source::Span;
use crate::yaml::{Document, Kind, NodeId, documents};

/// The finder of the images that a patch writes.
pub const NAME: &str = "patch";
/// The finder of the images that a patch tests for.
pub const TEST: &str = "patch-test";

/// Operations that write a value.
const WRITING: &[&str] = &["add", "replace"];
/// Operations without a value.
const TAKING: &[&str] = &["remove", "move", "copy"];
/// Texts in texts are followed so far: a patch in a transformer in a kustomization.
const DEPTH: usize = 3;
/// What a text has to hold, besides an image, to be worth reading.
const TEXT_WORDS: &[&str] = &["test", "Transformer"];

/// Parts of an image in a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchPiece {
    /// The kind that it is for; any when none is said, or only in part.
    pub kind: Option<String>,
    /// The name of the object that it is for; none when any may be meant.
    pub name: Option<String>,
    /// The way to the parts.
    pub path: KeyPath,
    /// Their keys; none when it changes single ones, so that the others stay.
    pub keys: Option<Vec<String>>,
    /// The bytes of the map; none when it is not written out.
    pub map: Span,
}

impl PatchPiece {
    /// What a map in a patch says that looks like the object it is for, `Kind/name`.
    pub(super) fn of(object: Option<&str>, path: KeyPath, keys: Vec<String>, map: Span) -> Self {
        let (kind, name) = object.and_then(|object| object.split_once('/')).unzip();
        let known = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(Into::into);
        Self {
            kind: known(kind),
            name: known(name),
            path,
            keys: Some(keys),
            map,
        }
    }
}

/// What a target says of the objects that a patch is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aim {
    /// The API group, as written.
    pub group: String,
    /// The kind, as written.
    pub kind: String,
}

/// An operation of a patch that does not say what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The bytes of the value that it writes or tests for.
    value: Span,
    /// Whether the value is a text, and no map or list that holds some.
    is_text: bool,
    /// The field, as a JSON pointer.
    pointer: String,
}

impl Operation {
    /// Whether a site stands in it.
    pub fn holds(&self, site: &Site) -> bool {
        let start = site.span().start;
        self.value.start <= start && start < self.value.end
    }

    /// Judges a site in it by what it is for: all the targets say the same, or nothing is known.
    pub fn judge(&self, site: &mut Site, aims: &[Aim]) {
        let Some((first, others)) = aims.split_first() else {
            return;
        };
        let judged = |aim: &Aim| {
            let mut site = site.clone();
            self.judge_by(&mut site, aim);
            (site.hold, site.assumption)
        };
        let judgement = judged(first);
        if others.iter().all(|aim| judged(aim) == judgement) {
            (site.hold, site.assumption) = judgement;
        }
    }

    fn judge_by(&self, site: &mut Site, aim: &Aim) {
        let target = embedded::aimed_at(&aim.group, &aim.kind);
        if object::holds_no_images(&target) {
            let detail = described(aim, &target);
            site.hold.get_or_insert((Reason::NotAnImage, detail));
        } else {
            // What stands deeper in a value has a field of its own.
            resource::judge(site, &self.pointer, &target, self.is_text);
        }
    }
}

/// Why nothing is changed in a patch for something that describes images and runs none.
fn described(aim: &Aim, target: &Object<'_>) -> String {
    let kind = target.kind;
    if aim.group.is_empty() {
        format!(
            "the `target` of the patch names the kind `{kind}` without its group, most likely one that describes images and runs none; if it runs them, write the `group` into the `target`"
        )
    } else {
        format!("the patch is for a {kind}, which describes images and runs none")
    }
}

/// The operations of a document that is a patch.
fn operations(document: &Document<'_>) -> Vec<NodeId> {
    let items = document.items(0).map(|item| document.resolve(item));
    items
        .filter(|&item| document.text_at(item, &["op"]).is_some())
        .collect()
}

/// The sites of a document that is a patch, of an object of which `target` tells what is known.
pub(super) fn find(text: &str, document: &Document<'_>, target: &Object<'_>, found: &mut Found) {
    for item in operations(document) {
        let op = document.text_at(item, &["op"]).unwrap_or("");
        let path = document.text_at(item, &["path"]).unwrap_or("");
        if TAKING.contains(&op) {
            let from = document.text_at(item, &["from"]).unwrap_or("");
            let parts = [path, from].into_iter();
            let parts = parts.filter_map(|path| resource::patched_part(path, None));
            found.facts.extend(parts);
        }
        let finder = match op {
            "test" => TEST,
            _ if WRITING.contains(&op) => NAME,
            _ => continue,
        };
        let Some(value) = document.get(item, "value") else {
            continue;
        };
        if target.kind.is_empty() && target.group.is_empty() {
            let value = document.node(document.resolve(value));
            found.facts.push(Fact::Operation(Operation {
                value: value.span,
                is_text: matches!(value.kind, Kind::Scalar { .. }),
                pointer: path.to_string(),
            }));
        }
        // A whole object is looked at like any other.
        if object::starts_object(document, value) {
            continue;
        }
        let texts = texts::find_at(text, document, value, path);
        found.sites.extend(texts);
        // Kustomize does not change the images of ephemeral containers by their names.
        let is_named = !path.contains("ephemeralContainers");
        let finder = if is_named { finder } else { workload::NAME };
        let images = workload::images_at(document, value, path);
        if images.is_empty() && op != "test" {
            found
                .sites
                .extend(resource::patched(text, document, value, path, target));
            found
                .facts
                .extend(resource::patched_part(path, Some((document, value))));
        }
        if op == "test" {
            let followed: &[NodeId] = if is_named { &images } else { &[] };
            found.facts.extend(tested_texts(document, value, followed));
        }
        for id in images {
            let site = workload::site(text, document, id);
            found
                .sites
                .extend(site.map(|site| super::Site { finder, ..site }));
        }
    }
}

/// The texts at and below a value that is tested for, but for those that are `followed`.
fn tested_texts(document: &Document<'_>, value: NodeId, followed: &[NodeId]) -> Option<Fact> {
    let value = document.resolve(value);
    let below = value..document.node(value).end.max(value + 1);
    let scalars = below.map(|id| document.resolve(id));
    let texts = scalars.filter(|id| !followed.contains(id));
    let texts = texts.filter_map(|id| document.text(id).map(Into::into));
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then_some(Fact::Tested(texts))
}

/// The images that anything in the document tests for, and those that transformers name in texts. A
/// document that is a patch has sites for its own; `texts` are looked at for themselves.
pub(super) fn tested(document: &Document<'_>, texts: &[Text]) -> Vec<NameEntry> {
    let mut names = Vec::new();
    let texts = texts.iter().map(|text| text.node);
    let known = operations(document).into_iter().chain(texts).collect();
    collect(document, &known, None, DEPTH, &mut names);
    names
}

/// Adds the names of one document, but for those of the operations and texts `known`. `place` is the
/// byte of the outermost text that it stands in.
fn collect(
    document: &Document<'_>,
    known: &HashSet<NodeId>,
    place: Option<usize>,
    depth: usize,
    names: &mut Vec<NameEntry>,
) {
    let add = |names: &mut Vec<NameEntry>, id: NodeId, pattern: &str| {
        names.push(NameEntry {
            pattern: pattern.to_string(),
            offset: place.unwrap_or(document.node(id).span.start),
            ..NameEntry::default()
        });
    };
    for id in 0..document.nodes.len() {
        match &document.node(id).kind {
            Kind::Mapping if document.text_at(id, &["op"]) == Some("test") => {
                let path = document.text_at(id, &["path"]).unwrap_or("");
                let Some(value) = document.get(id, "value") else {
                    continue;
                };
                let sites = if known.contains(&id) {
                    workload::images_at(document, value, path)
                } else {
                    Vec::new()
                };
                images(document, value, is_image_word(path), &mut |id, text| {
                    if !sites.contains(&id) {
                        add(names, id, text);
                    }
                });
            }
            Kind::Scalar { value, .. }
                if depth > 0 && !known.contains(&id) && is_worth_reading(value) =>
            {
                let place = place.unwrap_or(document.node(id).span.start);
                for inner in documents(value).filter_map(Result::ok) {
                    collect(&inner, &HashSet::new(), Some(place), depth - 1, names);
                    for object in object::objects(&inner, false) {
                        let named = kustomize::transformer_names(&inner, &object);
                        names.extend(named.into_iter().map(|name| NameEntry {
                            offset: place,
                            ..name
                        }));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The texts at and below `id` that stand where an image is named; `named`: the path to `id` does.
fn images(document: &Document<'_>, id: NodeId, named: bool, found: &mut dyn FnMut(NodeId, &str)) {
    let mut scalar = |id: NodeId| {
        let id = document.resolve(id);
        if let Some(text) = document.text(id) {
            found(id, text);
        }
    };
    if named {
        scalar(id);
        document.items(id).for_each(&mut scalar);
    }
    let below = id..document.node(id).end;
    below
        .flat_map(|id| document.entries(id))
        .filter(|entry| entry.key.is_some_and(is_image_word))
        .for_each(|entry| scalar(entry.value));
}

fn is_image_word(text: &str) -> bool {
    text.to_ascii_lowercase().contains("image") || text.ends_with("reference")
}

fn is_worth_reading(text: &str) -> bool {
    text.contains([':', '{'])
        && text.contains("image")
        && TEXT_WORDS.iter().any(|word| text.contains(word))
}
