//! Terraform's configuration, as `.tf` or `.tf.json`, as far as it is written out. Locals of the same file
//! are constants and count as written out; variables, loops and modules are Terraform's own to resolve.

use super::{Names, Node, Reader, Source, TERRAFORM_TYPE, Value};

/// What may stand at the top of a configuration (Terraform language, "Configuration syntax").
const BLOCKS: &[&str] = &[
    "action",
    "check",
    "data",
    "ephemeral",
    "import",
    "locals",
    "module",
    "moved",
    "output",
    "provider",
    "removed",
    "resource",
    "terraform",
    "variable",
];

/// How modules speak of rules.
const MAKING: &[&str] = &["pull_through", "pull-through", "pullthrough"];

pub(super) const SOURCE: Source = Source {
    name: "a Terraform file (`.tf`, `.tf.json`)",
    // YAML may use such words, too, and others beside them.
    knows: |document| {
        let mut entries = document.entries().peekable();
        entries.peek().is_some()
            && entries.all(|(key, node)| {
                BLOCKS.contains(&key) && (node.is_map() || node.is_list()) || key == "//"
            })
    },
    read,
    instead: "run `terraform show -json > rules.json` in its folder and give that file",
};

fn read(document: &Node, reader: &mut Reader<'_>) {
    let resolve = |node: &Node| resolve(node, document);
    let mut is_empty = true;
    for (name, body) in blocks(document, "resource", TERRAFORM_TYPE) {
        is_empty = false;
        let label = format!("`{TERRAFORM_TYPE}.{name}`");
        let looped = ["for_each", "count"]
            .iter()
            .find(|key| body.get(key).is_some());
        match looped {
            Some(key) => reader.unreadable(body.line, &format!("{label} is made by `{key}`")),
            None => {
                let region = region(document, body);
                reader.rule(&label, body, &Names::SNAKE, &resolve, region);
            }
        }
    }
    let modules = document.all("module").flat_map(Node::maps);
    let modules: Vec<(&str, &Node)> = modules.flat_map(Node::entries).collect();
    for (name, body) in &modules {
        let is_about = |part: &&str| name.contains(part) || body.mentions(part);
        if MAKING.iter().any(&is_about) {
            is_empty = false;
            let what = format!("module `{name}` makes rules that stand elsewhere");
            reader.unreadable(body.line, &what);
        } else if !is_empty && is_about(&"ecr") {
            let what = format!("module `{name}` may make rules, and is not looked into");
            reader.warning(body.line, &format!("{what}; {}", SOURCE.instead));
        }
    }
    if let (true, Some((_, first))) = (is_empty, modules.first()) {
        let names: Vec<String> = modules
            .iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        let what = format!(
            "no rule stands here, and modules are not looked into ({})",
            names.join(", ")
        );
        reader.unreadable(first.line, &what);
    }
}

/// The blocks of a kind (`resource`) and type, each with its name.
fn blocks<'n>(
    document: &'n Node,
    kind: &'n str,
    of: &'n str,
) -> impl Iterator<Item = (&'n str, &'n Node)> {
    let types = document.all(kind).flat_map(Node::maps);
    let named = types
        .flat_map(move |types| types.all(of))
        .flat_map(Node::maps);
    named.flat_map(|named| {
        let bodies = |(name, body): (&'n str, &'n Node)| body.maps().map(move |body| (name, body));
        named.entries().flat_map(bodies)
    })
}

/// The region of the provider that a resource uses, when it is written out.
fn region(document: &Node, body: &Node) -> Option<String> {
    let alias = match body.get("provider").map(|node| &node.value) {
        None => None,
        Some(Value::Text(name) | Value::Other(name)) => name.strip_prefix("aws."),
        Some(_) => return None,
    };
    let providers = document.all("provider").flat_map(Node::maps);
    let mut providers = providers
        .flat_map(|types| types.all("aws"))
        .flat_map(Node::maps);
    let provider = providers.find(|body| body.get("alias").and_then(Node::text) == alias)?;
    resolve(provider.get("region")?, document)
}

fn resolve(node: &Node, document: &Node) -> Option<String> {
    match &node.value {
        // JSON keeps templates in texts.
        Value::Text(text) if !text.contains("${") && !text.contains("%{") => Some(text.clone()),
        Value::Text(text) => {
            let name = text.strip_prefix("${")?.strip_suffix('}')?;
            local(name, document)
        }
        Value::Other(expression) => local(expression, document),
        _ => None,
    }
}

/// The text of `local.name`.
fn local(expression: &str, document: &Node) -> Option<String> {
    let name = expression.trim().strip_prefix("local.")?;
    let mut locals = document.all("locals").flat_map(Node::maps);
    let text = locals.find_map(|locals| locals.get(name))?.text()?;
    (!text.contains("${")).then(|| text.to_string())
}
