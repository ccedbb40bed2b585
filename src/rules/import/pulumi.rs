//! `pulumi stack export`: the resources of a deployment with what they became. Type tokens: Pulumi registry,
//! `aws.ecr.PullThroughCacheRule`, of the classic and of the native provider.

use super::{Names, Node, Reader, Source, literal};

const TYPES: &[&str] = &[
    "aws:ecr/pullThroughCacheRule:PullThroughCacheRule",
    "aws-native:ecr:PullThroughCacheRule",
];

pub(super) const SOURCE: Source = Source {
    name: "a `pulumi stack export`",
    knows: |document| {
        document
            .at(&["deployment"])
            .is_some_and(|node| node.get("resources").is_some() || node.get("manifest").is_some())
    },
    read,
    instead: "run `pulumi up`, then `pulumi stack export > rules.json`, and give that file",
};

fn read(document: &Node, reader: &mut Reader<'_>) {
    let resources = document.at(&["deployment", "resources"]);
    for resource in resources.into_iter().flat_map(Node::items) {
        let text = |key| resource.get(key).and_then(Node::text).unwrap_or("");
        // What waits to be deleted was replaced.
        let is_old = matches!(resource.get("delete"), Some(Node { value: super::Value::Other(word), .. }) if word == "true");
        if !TYPES.contains(&text("type")) || is_old {
            continue;
        }
        let name = text("urn").rsplit("::").next().unwrap_or("");
        let outputs = resource.get("outputs").or_else(|| resource.get("inputs"));
        match outputs {
            Some(outputs) => {
                reader.rule(&format!("`{name}`"), outputs, &Names::CAMEL, &literal, None);
            }
            None => reader.unreadable(resource.line, &format!("`{name}` has no outputs yet")),
        }
    }
}
