//! Where values stand in a file that are a part of it.

use super::super::{BlockId, Step};
use crate::yaml::{Document, Kind, NodeId, documents};

/// The document of a file's stream (0-based) and the way to the values in it that `block` means. Nothing
/// for those in a text that holds documents, or in a template.
pub fn place_of(text: &str, block: BlockId) -> Option<(usize, Vec<Step>)> {
    let (path, node) = block.parts();
    let index = path.stream();
    let document = documents(text).nth(index)?.ok()?;
    let way = (document.path == path).then(|| way_to(&document, node));
    Some((index, way??))
}

fn way_to(document: &Document<'_>, node: NodeId) -> Option<Vec<Step>> {
    let (mut way, mut at) = (Vec::new(), node);
    loop {
        let parent = document.node(at).parent;
        if parent == at {
            way.reverse();
            return Some(way);
        }
        way.push(match document.node(parent).kind {
            Kind::Sequence => Step::Item(document.node(at).position),
            _ => {
                let entry = document.entries(parent).find(|entry| entry.value == at);
                Step::Key(entry?.key?.to_string())
            }
        });
        at = parent;
    }
}
