//! Terraform's configuration, as `.tf` or `.tf.json`, as far as it is written out. Locals, also those of files
//! that are read with it, are constants and count as written out; variables, loops and modules are Terraform's
//! own to resolve.

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

/// How many locals may lead to a text: they may lead in a circle.
const MAX_LOCALS: usize = 20;
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
    let documents = std::iter::once(document).chain(reader.beside.iter().copied());
    let scope = Scope {
        documents: documents.collect(),
    };
    let resolve = |node: &Node| scope.resolve(node, 0);
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
                let region = scope.region(body);
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
        } else if !is_empty {
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

/// Whether a document says what others may need: locals, a provider.
pub(super) fn serves(document: &Node) -> bool {
    let has = |kind: &str| document.all(kind).next().is_some();
    (SOURCE.knows)(document) && (has("locals") || has("provider"))
}

/// A configuration: the document that is read, and those beside it.
struct Scope<'d> {
    documents: Vec<&'d Node>,
}

impl<'d> Scope<'d> {
    /// What stands below the blocks of a kind.
    fn below(&self, kind: &'d str) -> impl Iterator<Item = &'d Node> {
        let documents = self.documents.iter();
        documents
            .flat_map(move |document| document.all(kind))
            .flat_map(Node::maps)
    }

    /// The region of the provider that a resource uses, when it is written out.
    fn region(&self, body: &Node) -> Option<String> {
        let alias = match body.get("provider").map(|node| &node.value) {
            None => None,
            Some(Value::Text(name) | Value::Other(name)) => name.strip_prefix("aws."),
            Some(_) => return None,
        };
        let mut providers = self
            .below("provider")
            .flat_map(|types| types.all("aws"))
            .flat_map(Node::maps);
        let provider = providers.find(|body| body.get("alias").and_then(Node::text) == alias)?;
        self.resolve(provider.get("region")?, 0)
    }

    /// The text that a value stands for; `depth` is how many locals lead there.
    fn resolve(&self, node: &Node, depth: usize) -> Option<String> {
        match &node.value {
            // JSON keeps templates in texts.
            Value::Text(text) if !text.contains("${") && !text.contains("%{") => Some(text.clone()),
            Value::Text(text) => {
                let expression = text.strip_prefix("${")?.strip_suffix('}')?;
                self.local(expression, depth)
            }
            Value::Other(expression) => self.local(expression, depth),
            _ => None,
        }
    }

    /// The text of `local.name`, `local.map.key` and `local.map["key"]`.
    fn local(&self, expression: &str, depth: usize) -> Option<String> {
        if depth > MAX_LOCALS {
            return None;
        }
        let path = expression.trim().strip_prefix("local.")?;
        let path = path.replace("[\"", ".").replace("\"]", "");
        let keys: Vec<&str> = path.split('.').collect();
        let (name, rest) = keys.split_first()?;
        let local = self.below("locals").find_map(|locals| locals.get(name))?;
        self.resolve(local.at(rest)?, depth + 1)
    }
}
