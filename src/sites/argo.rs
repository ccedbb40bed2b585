//! Lists of images for kustomize inside other documents: Argo CD Applications and their overrides,
//! the post-renderers of Flux.

use std::path::Path;

use super::kustomize::{self, NameEntry};
use super::{Depth, Fact, Found, Input};
use crate::yaml::{Document, Kind, NodeId};

pub(super) const NAME: &str = "argo";

/// How a file begins by which Argo CD overrides an application's source (Argo CD documentation,
/// "Parameter overrides").
const SOURCE_FILE: &str = ".argocd-source";

/// Whether Argo CD reads a file of this name as overrides of an application.
pub(super) fn is_source_name(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with(SOURCE_FILE))
}

/// The folders that an Application deploys from.
pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    let wanted = matches!(input.object.kind, "Application" | "ApplicationSet");
    if input.object.group != "argoproj.io" || !wanted {
        return;
    }
    let document = input.document;
    for id in input.object.node..document.node(input.object.node).end {
        let one = document
            .get(id, "source")
            .or_else(|| document.get(id, "drySource"));
        let many = document.get(id, "sources");
        let many = many.into_iter().flat_map(|list| document.items(list));
        for source in one.into_iter().chain(many) {
            found
                .facts
                .extend(deployed(document, document.resolve(source)));
        }
    }
}

fn deployed(document: &Document<'_>, source: NodeId) -> Option<Fact> {
    let folder = document.text_at(source, &["path"])?;
    let depth = match document.text_at(source, &["directory", "recurse"]) {
        Some("true") => Depth::Tree,
        _ => Depth::Folder,
    };
    // A template's folder is known only to who fills it in.
    (!folder.contains("{{")).then(|| Fact::Deploys {
        folder: folder.to_string(),
        depth,
    })
}

/// The names of every `kustomize.images` of the document. It stands under `source`, `sources[]`,
/// `sourceHydrator` and the templates of generators, in `.argocd-source` files that say no kind, in
/// `postRenderers[]` of a Flux `HelmRelease`, and in values of charts that make Applications:
/// wherever it is, it means the same.
pub(super) fn names(document: &Document<'_>) -> Vec<NameEntry> {
    let mappings = (0..document.nodes.len())
        .filter(|&id| matches!(document.node(id).kind, Kind::Mapping))
        .filter_map(|id| document.get(id, "kustomize"));
    let mut names = Vec::new();
    for node in mappings {
        names.extend(kustomize::names(document, node));
        let lists = document.get(node, "images");
        names.extend(lists.into_iter().flat_map(|list| texts(document, list)));
    }
    names
}

fn texts(document: &Document<'_>, list: NodeId) -> Vec<NameEntry> {
    let read = |item: NodeId| {
        let text = document.text(document.resolve(item))?;
        Some(entry(text, document.node(item).span.start))
    };
    document.items(list).filter_map(read).collect()
}

/// An entry of the form `[name=]reference`; without a name, the reference's own name counts.
pub(super) fn entry(text: &str, offset: usize) -> NameEntry {
    let name = match text.split_once('=') {
        Some((name, _)) => name,
        None => without_tag(text),
    };
    NameEntry {
        pattern: name.to_string(),
        offset,
        new_name: None,
    }
}

fn without_tag(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or(reference);
    let path = name.rfind('/').map_or(0, |at| at + 1);
    name[path..].find(':').map_or(name, |at| &name[..path + at])
}
