//! Argo CD: Applications and ApplicationSets that name images for kustomize.

use super::{Fact, Found, Input, Kustomization, NameEntry};
use crate::yaml::{Document, Kind, NodeId};

pub(super) const NAME: &str = "argo";

pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    let wanted = matches!(input.object.kind, "Application" | "ApplicationSet");
    if input.object.group != "argoproj.io" || !wanted {
        return;
    }
    // `kustomize.images` stands under `source`, `sources[]`, `sourceHydrator` and the templates of
    // generators: wherever it is, it means the same.
    let document = input.document;
    let below = input.object.node..document.node(input.object.node).end;
    let lists = below.filter_map(|id| kustomize_images(document, id));
    let names: Vec<_> = lists.flat_map(|list| names(document, list)).collect();
    if !names.is_empty() {
        found.facts.push(Fact::Kustomization(Kustomization {
            names,
            ..Default::default()
        }));
    }
}

fn kustomize_images(document: &Document<'_>, id: NodeId) -> Option<NodeId> {
    if !matches!(document.node(id).kind, Kind::Mapping) {
        return None;
    }
    document.at(id, &["kustomize", "images"])
}

/// Entries have the form `[name=]reference`; without a name, the reference's own name counts.
fn names(document: &Document<'_>, list: NodeId) -> Vec<NameEntry> {
    let read = |item: NodeId| {
        let text = document.text(document.resolve(item))?;
        let name = match text.split_once('=') {
            Some((name, _)) => name,
            None => without_tag(text),
        };
        Some(NameEntry {
            pattern: name.to_string(),
            offset: document.node(item).span.start,
        })
    };
    document.items(list).filter_map(read).collect()
}

fn without_tag(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or(reference);
    let path = name.rfind('/').map_or(0, |at| at + 1);
    name[path..].find(':').map_or(name, |at| &name[..path + at])
}
