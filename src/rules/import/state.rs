//! Terraform's state, and what `terraform show -json` prints of a state or a plan, child modules with it.
//! Formats: Terraform documentation, "JSON Output Format"; state version 4.

use super::{Names, Node, Reader, Source, TERRAFORM_TYPE, Value, literal};

const INSTEAD: &str =
    "run `terraform apply`, then `terraform show -json > rules.json`, and give that file";

pub(super) const STATE: Source = Source {
    name: "a Terraform state",
    knows: |document| {
        document.get("resources").is_some_and(Node::is_list)
            && (document.get("terraform_version").is_some() || document.get("serial").is_some())
    },
    read: read_state,
    instead: INSTEAD,
};

pub(super) const SHOWN: Source = Source {
    name: "what `terraform show -json` prints",
    knows: |document| {
        document.get("format_version").is_some()
            && (document.get("values").is_some()
                || document.get("planned_values").is_some()
                || document.get("terraform_version").is_some())
    },
    read: read_shown,
    instead: INSTEAD,
};

fn is_rule(resource: &Node) -> bool {
    resource.get("type").and_then(Node::text) == Some(TERRAFORM_TYPE)
}

fn text<'n>(node: &'n Node, key: &str) -> &'n str {
    node.get(key).and_then(Node::text).unwrap_or("")
}

fn read_state(document: &Node, reader: &mut Reader<'_>) {
    let resources = document.get("resources").into_iter().flat_map(Node::items);
    for resource in resources.filter(|resource| is_rule(resource)) {
        let module = text(resource, "module");
        let dot = if module.is_empty() { "" } else { "." };
        let name = format!("{module}{dot}{TERRAFORM_TYPE}.{}", text(resource, "name"));
        let instances = resource.get("instances").into_iter().flat_map(Node::items);
        for instance in instances.filter(|instance| instance.get("deposed").is_none()) {
            let key = match instance.get("index_key").map(|key| &key.value) {
                Some(Value::Text(key)) => format!("[\"{key}\"]"),
                Some(Value::Other(key)) => format!("[{key}]"),
                _ => String::new(),
            };
            if let Some(attributes) = instance.get("attributes") {
                let label = format!("`{name}{key}`");
                reader.rule(&label, attributes, &Names::SNAKE, &literal, None);
            }
        }
    }
}

fn read_shown(document: &Node, reader: &mut Reader<'_>) {
    // What is planned holds what is there and stays.
    let values = document
        .get("planned_values")
        .or_else(|| document.get("values"));
    if let Some(root) = values.and_then(|values| values.get("root_module")) {
        module(root, reader);
    }
}

fn module(node: &Node, reader: &mut Reader<'_>) {
    let resources = node.get("resources").into_iter().flat_map(Node::items);
    for resource in resources.filter(|resource| is_rule(resource)) {
        if let Some(values) = resource.get("values") {
            let label = format!("`{}`", text(resource, "address"));
            reader.rule(&label, values, &Names::SNAKE, &literal, None);
        }
    }
    let children = node.get("child_modules").into_iter().flat_map(Node::items);
    children.for_each(|child| module(child, reader));
}
