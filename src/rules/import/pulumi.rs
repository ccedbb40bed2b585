//! `pulumi stack export`: the resources of a deployment with what they became. Type tokens: Pulumi registry,
//! `aws.ecr.PullThroughCacheRule`, of the classic and of the native provider.

use super::{Names, Node, Reader, Source};

const TYPES: &[&str] = &[
    "aws:ecr/pullThroughCacheRule:PullThroughCacheRule",
    "aws-native:ecr:PullThroughCacheRule",
];

/// The key that marks values of a kind of their own, secrets here (Pulumi, `sdk/go/common/resource/sig`).
const SECRET: &str = "4dabf18193072939515e22adb298388d";

/// What a rule is made of.
const FIELDS: &[&str] = &[
    Names::CAMEL.prefix,
    Names::CAMEL.url,
    Names::CAMEL.registry,
    Names::CAMEL.upstream_prefix,
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
                let own = |key: &'static str| Some((key, outputs.get(key)?));
                let mut own = FIELDS.iter().filter_map(|key| own(key));
                if let Some((key, node)) = own.find(|(_, node)| is_sealed(node)) {
                    let message = format!(
                        "`{key}` of `{name}` is a secret; run `pulumi stack export --show-secrets > rules.json`, and give that file (and keep it out of the repository)"
                    );
                    reader.problem(node.line, &message);
                    continue;
                }
                reader.rule(&format!("`{name}`"), outputs, &Names::CAMEL, &opened, None);
            }
            None => reader.unreadable(resource.line, &format!("`{name}` has no outputs yet")),
        }
    }
}

/// Whether a value is a secret that only Pulumi can read.
fn is_sealed(node: &Node) -> bool {
    node.get(SECRET).is_some() && node.get("plaintext").is_none()
}

/// A text, or what a secret is that was exported with `--show-secrets`: JSON in a text.
fn opened(node: &Node) -> Option<String> {
    match node.get(SECRET) {
        Some(_) => serde_json::from_str(node.get("plaintext")?.text()?).ok(),
        None => node.text().map(String::from),
    }
}
