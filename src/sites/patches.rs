//! Images that JSON6902 patches test for: rewriting one of them would fail the build.
//!
//! An operation looks the same wherever a patch is written: as a file, in a list of a custom
//! resource, or as a text inside another document. So every document is searched, and every text in
//! it that could hold such a patch.

use super::kustomize::{self, NameEntry};
use super::object;
use crate::yaml::{Document, Kind, NodeId, documents};

/// Texts in texts are followed so far: a patch in a transformer in a kustomization.
const DEPTH: usize = 3;
/// What a text has to hold, besides an image, to be worth reading.
const TEXT_WORDS: &[&str] = &["test", "Transformer"];

/// The images that anything in the document tests for, and those that transformers name in texts.
pub(super) fn tested(document: &Document<'_>) -> Vec<NameEntry> {
    let mut names = Vec::new();
    collect(document, None, DEPTH, &mut names);
    names
}

/// Adds the names of one document. `place` is the byte of the outermost text that it stands in.
fn collect(
    document: &Document<'_>,
    place: Option<usize>,
    depth: usize,
    names: &mut Vec<NameEntry>,
) {
    let add = |names: &mut Vec<NameEntry>, id: NodeId, pattern: &str| {
        names.push(NameEntry {
            pattern: pattern.to_string(),
            offset: place.unwrap_or(document.node(id).span.start),
            new_name: None,
        });
    };
    for id in 0..document.nodes.len() {
        match &document.node(id).kind {
            Kind::Mapping if document.text_at(id, &["op"]) == Some("test") => {
                let path = document.text_at(id, &["path"]).unwrap_or("");
                let Some(value) = document.get(id, "value") else {
                    continue;
                };
                images(document, value, is_image_word(path), &mut |id, text| {
                    add(names, id, text);
                });
            }
            Kind::Scalar { value, .. } if depth > 0 && is_worth_reading(value) => {
                let place = place.unwrap_or(document.node(id).span.start);
                for inner in documents(value).filter_map(Result::ok) {
                    collect(&inner, Some(place), depth - 1, names);
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
    text.contains("image")
        && text.contains([':', '{'])
        && TEXT_WORDS.iter().any(|word| text.contains(word))
}
