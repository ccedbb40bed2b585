//! CloudFormation templates, in YAML with short forms or in JSON: also what a CDK app synthesises
//! (`cdk synth`, `cdk.out/*.template.json`). Functions whose arguments are written out are carried out.

use super::{Names, Node, Reader, Source, Value};

const TYPE: &str = "AWS::ECR::PullThroughCacheRule";
const NESTED: &str = "AWS::CloudFormation::Stack";

pub(super) const SOURCE: Source = Source {
    name: "a CloudFormation template (what `cdk synth` prints is one)",
    knows: |document| {
        let is_resource = |node: &Node| node.get("Type").and_then(Node::text).is_some();
        let resources = document.get("Resources");
        document.get("AWSTemplateFormatVersion").is_some()
            || resources.is_some_and(|all| all.entries().any(|(_, node)| is_resource(node)))
    },
    read,
    instead: "deploy it and run `aws ecr describe-pull-through-cache-rules --output json > rules.json`, or give `--from-aws`",
};

fn read(document: &Node, reader: &mut Reader<'_>) {
    let Some(resources) = document.get("Resources") else {
        return;
    };
    let resolve = |node: &Node| resolve(node, document, 0);
    for (name, resource) in resources.entries() {
        if name.starts_with("Fn::ForEach") {
            if resource.mentions(TYPE) {
                reader.unreadable(resource.line, &format!("`{name}` makes rules in a loop"));
            }
            continue;
        }
        match resource.get("Type").and_then(Node::text) {
            Some(TYPE) => {}
            Some(NESTED) => {
                let message = format!(
                    "`{name}` is a stack of its own, whose rules are not read; give its template, too"
                );
                reader.warning(resource.line, &message);
                continue;
            }
            _ => continue,
        }
        if let Some(condition) = resource.get("Condition") {
            let message = format!(
                "`{name}` is there only under the condition `{}`; read as if it held",
                condition.shown()
            );
            reader.warning(condition.line, &message);
        }
        match resource.get("Properties") {
            Some(fields) => {
                let at = Node {
                    line: resource.line,
                    value: fields.value.clone(),
                };
                reader.rule(&format!("`{name}`"), &at, &Names::PASCAL, &resolve, None);
            }
            None => reader.unreadable(resource.line, &format!("`{name}` has no `Properties`")),
        }
    }
}

/// The text of a value, when nothing of it is left to the deployment.
fn resolve(node: &Node, document: &Node, depth: usize) -> Option<String> {
    if let Value::Text(text) = &node.value {
        return Some(text.clone());
    }
    let (function, argument) = node.entries().next()?;
    if node.entries().count() != 1 || depth > super::tree::MAX_DEPTH {
        return None;
    }
    let inner = |node: &Node| resolve(node, document, depth + 1);
    match function {
        "Fn::Sub" => match argument.text() {
            Some(text) => substitute(text, |_| None),
            None => {
                let mut parts = argument.items();
                let (text, values) = (parts.next()?.text()?, parts.next()?);
                substitute(text, |name| inner(values.get(name)?))
            }
        },
        "Fn::Join" => {
            let mut parts = argument.items();
            let between = parts.next()?.text()?;
            let texts: Option<Vec<String>> = parts.next()?.items().map(inner).collect();
            Some(texts?.join(between))
        }
        "Fn::FindInMap" => {
            let keys: Option<Vec<String>> = argument.items().map(inner).collect();
            let keys = keys?;
            let path: Vec<&str> = keys.iter().map(String::as_str).collect();
            let found = document.get("Mappings")?.at(&path)?;
            found.text().map(String::from)
        }
        _ => None,
    }
}

/// The text of `Fn::Sub`, when `value` knows all that it names; `${!x}` writes `${x}`.
fn substitute(text: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let Some((begin, rest)) = text.split_once("${") else {
        return Some(text.to_string());
    };
    let mut filled = begin.to_string();
    for part in rest.split("${") {
        let (name, after) = part.split_once('}')?;
        match name.strip_prefix('!') {
            Some(name) => filled.push_str(&format!("${{{name}}}")),
            None => filled.push_str(&value(name.trim())?),
        }
        filled.push_str(after);
    }
    Some(filled)
}
