//! YAML streams, generated: trees of a few kinds of objects, written down in every way that YAML has.

use super::case::{Case, File};
use super::common::numbers::Numbers;

/// References of all kinds, with and without a rule.
pub(crate) const IMAGES: &[&str] = &[
    "nginx:1",
    "nginx",
    "redis:7.2-alpine",
    "docker.io/library/redis:7",
    "docker.io/nginx:1.10",
    "index.docker.io/bitnami/redis:012",
    "quay.io/acme/app:1e3",
    "quay.io/acme/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "ghcr.io/acme/deep/er/path:v1.2.3_rc-1",
    "registry.k8s.io/pause:3.9",
    "public.ecr.aws/amazonlinux/amazonlinux:2023",
    "mcr.microsoft.com/dotnet/aspnet:8.0",
    "registry.example.com:5000/app:1",
    "localhost:5000/app",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx:1",
    "999999999999.dkr.ecr.us-east-1.amazonaws.com/own:1",
    "${IMAGE}",
    "nginx:${TAG}",
    "IMAGE_URL",
];
/// Values that are written as they are, and that an image may have by mistake.
const ODD: &[&str] = &[
    "",
    "~",
    "\"\"",
    "null",
    "12",
    "true",
    "[nginx:1]",
    "\"nginx\\u003a1\"",
    "'it''s'",
    "nginx:1#x",
    "\"nginx:1 \"",
    "!Ref nginx",
    "{a: nginx:1}",
];
/// Texts that look like images where none are.
const DECOYS: &[&str] = &[
    "nginx:1",
    "quay.io/acme/app:2",
    "say nginx:1 twice",
    "redis",
];
const COMMENTS: &[&str] = &[
    "# nginx:1",
    "# image: quay.io/acme/app:1",
    "# ü 😀 \u{2028}",
    "#",
    "# {{ not a template",
    "# ecr-rewrite: ignore",
];

/// What a document says, before it is written down.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Text(String),
    /// Written as it is.
    Raw(String),
    Map(Vec<(&'static str, Node)>),
    List(Vec<Node>),
    Anchored(&'static str, Box<Node>),
}

pub(crate) fn text(text: impl Into<String>) -> Node {
    Node::Text(text.into())
}

/// Documents of all kinds.
pub(crate) fn documents(numbers: &mut Numbers) -> String {
    let mut text = String::new();
    if numbers.once_in(12) {
        text.push_str("%YAML 1.2\n---\n");
    } else if numbers.once_in(3) {
        text.push_str("---\n");
    }
    for number in 0..=numbers.below(4) {
        if number > 0 {
            text.push_str(numbers.pick(&[
                "---\n",
                "---\n",
                "--- # nginx:1\n",
                "...\n---\n",
                "---\n---\n",
                "...\n# between\n%YAML 1.2\n---\n",
            ]));
        }
        text.push_str(&document(numbers));
    }
    text
}

/// A stream in a file of its own.
pub(crate) fn stream(numbers: &mut Numbers) -> Case {
    let mut text = documents(numbers);
    let is_template = numbers.once_in(6);
    if is_template {
        text = with_actions(&text, numbers);
    }
    if numbers.once_in(5) {
        text = mutated(&text, numbers);
    }
    if numbers.once_in(4) {
        text = text.replace('\n', "\r\n");
    }
    if numbers.once_in(4) {
        text.insert(0, '\u{feff}');
    }
    if numbers.once_in(4) {
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
    }
    let path = if is_template {
        "chart/templates/a.yaml"
    } else {
        numbers.pick(&["a.yaml", "a.yaml", "a.yaml", "a.json", "with blank.yml"])
    };
    Case {
        files: vec![File::new(path, text)],
        registry: numbers.below(super::case::REGISTRIES.len()),
    }
}

fn document(numbers: &mut Numbers) -> String {
    match numbers.below(16) {
        0 => "# nothing but nginx:1\n".to_string(),
        1 => numbers
            .pick(&["~\n", "image\n", "- nginx:1\n", "\"image: nginx:1\"\n", ""])
            .to_string(),
        2 if numbers.once_in(3) => "image: [1, 2\n".to_string(),
        3 => written(&list(numbers), numbers),
        4 => written(&config_map(numbers), numbers),
        5 => {
            let pod = pod(numbers);
            json(&pod) + "\n"
        }
        _ => {
            let pod = pod(numbers);
            written(&pod, numbers)
        }
    }
}

fn image(numbers: &mut Numbers) -> Node {
    if numbers.once_in(8) {
        return Node::Raw(numbers.pick(ODD).to_string());
    }
    text(numbers.pick(IMAGES))
}

fn container(numbers: &mut Numbers) -> Node {
    let mut keys = vec![("name", text(numbers.pick(&["a", "b-é", "c 😀"])))];
    if numbers.once_in(4) {
        let decoys = [numbers.pick(DECOYS), numbers.pick(DECOYS)];
        keys.push(("command", Node::List(decoys.map(text).to_vec())));
    }
    let at = numbers.below(keys.len() + 1);
    keys.insert(at, ("image", image(numbers)));
    if numbers.once_in(4) {
        keys.push(("imagePullPolicy", text("Always")));
    }
    Node::Map(keys)
}

fn pod(numbers: &mut Numbers) -> Node {
    let mut containers: Vec<Node> = (0..=numbers.below(3)).map(|_| container(numbers)).collect();
    match numbers.below(10) {
        // A whole container that another one is made of, or repeats.
        0 | 1 => {
            let first = Box::new(containers.remove(0));
            containers.insert(0, Node::Anchored("c", first));
            containers.push(match numbers.below(2) {
                0 => Node::Raw("*c ".to_string()),
                _ => Node::Map(vec![
                    ("<<", Node::Raw("*c".to_string())),
                    ("name", text("d")),
                ]),
            });
        }
        // An image that others repeat, perhaps with a second anchor of that name.
        2 | 3 => {
            for _ in 0..=numbers.below(2) {
                let image = text(numbers.pick(IMAGES));
                let anchored = Node::Anchored("i", Box::new(image));
                containers.push(Node::Map(vec![("image", anchored)]));
                let alias = Node::Raw("*i ".to_string());
                containers.push(Node::Map(vec![("image", alias)]));
            }
        }
        // An image that stands somewhere else, too.
        4 => {
            let anchored = Node::Anchored("i", Box::new(text("nginx:1")));
            containers.push(Node::Map(vec![("image", anchored)]));
            let alias = || Node::Raw("*i ".to_string());
            containers.push(Node::Map(vec![("name", alias()), ("workingDir", alias())]));
        }
        _ => {}
    }
    let mut metadata = vec![("name", text("demo"))];
    if numbers.once_in(3) {
        let note = text(numbers.pick(DECOYS));
        metadata.push(("annotations", Node::Map(vec![("note", note)])));
    }
    let mut spec = Vec::new();
    if numbers.once_in(4) {
        spec.push(("initContainers", Node::List(vec![container(numbers)])));
    }
    spec.push(("containers", Node::List(containers)));
    let spec = Node::Map(spec);
    let (version, kind, spec) = if numbers.once_in(3) {
        let template = Node::Map(vec![("spec", spec)]);
        let spec = Node::Map(vec![("template", template)]);
        ("apps/v1", "Deployment", spec)
    } else {
        ("v1", "Pod", spec)
    };
    let mut keys = vec![
        ("apiVersion", text(version)),
        ("kind", text(kind)),
        ("metadata", Node::Map(metadata)),
        ("spec", spec),
    ];
    if numbers.once_in(6) {
        keys.swap(1, 3);
    }
    Node::Map(keys)
}

fn list(numbers: &mut Numbers) -> Node {
    let items = (0..=numbers.below(2)).map(|_| pod(numbers)).collect();
    Node::Map(vec![
        ("apiVersion", text("v1")),
        ("kind", text("List")),
        ("items", Node::List(items)),
    ])
}

/// Documents in texts of a document.
fn config_map(numbers: &mut Numbers) -> Node {
    let mut inner = written(&pod(numbers), numbers);
    if numbers.once_in(3) {
        let other = written(&pod(numbers), numbers);
        inner = format!("{inner}---\n{other}");
    }
    let first = match numbers.below(4) {
        // A text of one line.
        0 => text(json(&pod(numbers))),
        _ => text(inner),
    };
    let data = vec![("a.yaml", first), ("note", text(numbers.pick(DECOYS)))];
    Node::Map(vec![
        ("apiVersion", text("v1")),
        ("kind", text("ConfigMap")),
        ("data", Node::Map(data)),
    ])
}

/// In one line, every scalar in double quotes. Anchors and what is written as it is are left out.
fn json(node: &Node) -> String {
    let quoted = |text: &str| format!("{text:?}");
    match node {
        Node::Text(text) => quoted(text),
        Node::Raw(_) => "null".to_string(),
        Node::Anchored(_, node) => json(node),
        Node::List(items) => {
            let items: Vec<String> = items.iter().map(json).collect();
            format!("[{}]", items.join(","))
        }
        Node::Map(entries) => {
            let entries = entries.iter().filter(|(key, _)| *key != "<<");
            let entries: Vec<String> = entries
                .map(|(key, value)| format!("{}:{}", quoted(key), json(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

pub(crate) fn written(node: &Node, numbers: &mut Numbers) -> String {
    if numbers.once_in(12) {
        return Writer { numbers }.flow(node, 0) + "\n";
    }
    Writer { numbers }.block(node, 0)
}

/// Writes nodes down, each in a way that chance picks.
struct Writer<'n> {
    numbers: &'n mut Numbers,
}

impl Writer<'_> {
    fn once_in(&mut self, times: usize) -> bool {
        self.numbers.once_in(times)
    }

    /// What may stand between two lines.
    fn between(&mut self, indent: usize) -> String {
        match self.numbers.below(24) {
            0 => "\n".to_string(),
            1 => "    \n".to_string(),
            2..=4 => format!("{}{}\n", " ".repeat(indent), self.numbers.pick(COMMENTS)),
            5 => format!("{}\n", self.numbers.pick(COMMENTS)),
            _ => String::new(),
        }
    }

    /// What may stand behind a value.
    fn behind(&mut self) -> String {
        match self.numbers.below(12) {
            0 => "   ".to_string(),
            1 | 2 => format!(" {}", self.numbers.pick(COMMENTS)),
            3 => format!("\t{}", self.numbers.pick(COMMENTS)),
            _ => String::new(),
        }
    }

    /// Lines that each begin at `indent` or deeper.
    fn block(&mut self, node: &Node, indent: usize) -> String {
        let spaces = " ".repeat(indent);
        let mut lines = String::new();
        match node {
            Node::Map(entries) => {
                for (key, value) in entries {
                    lines.push_str(&self.between(indent));
                    let key = self.key(key, indent);
                    let value = self.value(value, indent);
                    lines.push_str(&format!("{spaces}{key}{value}"));
                }
            }
            Node::List(items) => {
                for item in items {
                    lines.push_str(&self.between(indent));
                    lines.push_str(&self.item(item, indent));
                }
            }
            other => {
                let scalar = self.value(other, indent);
                lines.push_str(&format!("{spaces}{}", scalar.trim_start_matches(' ')));
            }
        }
        lines
    }

    fn item(&mut self, item: &Node, indent: usize) -> String {
        let spaces = " ".repeat(indent);
        let (anchor, node) = match item {
            Node::Anchored(name, node) => (format!("&{name}"), &**node),
            other => (String::new(), other),
        };
        let is_block = matches!(node, Node::Map(_) | Node::List(_)) && !self.once_in(5);
        if !is_block {
            return format!("{spaces}-{}", self.value(item, indent));
        }
        let deeper = indent + 2 + 2 * usize::from(self.once_in(6));
        let lines = self.block(node, deeper);
        let inner = " ".repeat(deeper);
        let dash = format!("{spaces}-{}", " ".repeat(deeper - indent - 1));
        match lines.strip_prefix(&inner) {
            Some(lines) if anchor.is_empty() && !self.once_in(8) => format!("{dash}{lines}"),
            _ if anchor.is_empty() => format!("{spaces}-\n{lines}"),
            _ => format!("{spaces}- {anchor}\n{lines}"),
        }
    }

    /// A key with its colon.
    fn key(&mut self, key: &str, indent: usize) -> String {
        if key == "<<" {
            return "<<:".to_string();
        }
        match self.numbers.below(16) {
            0 => format!("'{key}':"),
            1 => format!("\"{key}\":"),
            2 => format!("{key} :"),
            3 => format!("'{key}' :"),
            4 => format!("? {key}\n{}:", " ".repeat(indent)),
            _ => format!("{key}:"),
        }
    }

    /// What follows a colon or dash at `indent`, up to the end of its last line.
    fn value(&mut self, node: &Node, indent: usize) -> String {
        match node {
            Node::Text(text) if text.contains('\n') => self.long(text, indent),
            Node::Text(text) => {
                let gap = self.numbers.pick(&[" ", " ", " ", "  ", "\t"]);
                let scalar = self.scalar(text, indent + 2);
                let behind = if scalar.ends_with('\n') {
                    String::new()
                } else {
                    self.behind() + "\n"
                };
                format!("{gap}{scalar}{behind}")
            }
            Node::Raw(raw) => format!(" {raw}{}\n", self.behind()),
            Node::Anchored(name, node) => {
                // A text may begin with a line end, and then the anchor has none behind it.
                let value = match &**node {
                    Node::Text(text) => format!(" {}\n", self.simple(text)),
                    _ => self.value(node, indent),
                };
                format!(" &{name}{value}")
            }
            collection if self.once_in(6) => {
                format!(" {}{}\n", self.flow(collection, indent + 2), self.behind())
            }
            Node::List(_) => {
                let step = self.numbers.pick(&[0, 2, 2, 4]);
                let is_item = self.once_in(10);
                let head = if is_item {
                    self.behind()
                } else {
                    String::new()
                };
                format!("{head}\n{}", self.block(node, indent + step))
            }
            Node::Map(_) => {
                let step = self.numbers.pick(&[2, 2, 2, 1, 4]);
                format!("{}\n{}", self.behind(), self.block(node, indent + step))
            }
        }
    }

    /// A scalar of one line, in a style that needs no more than that.
    fn simple(&mut self, text: &str) -> String {
        match self.numbers.below(4) {
            0 => format!("'{text}'"),
            1 => format!("\"{text}\""),
            2 => format!("!!str {text}"),
            _ => text.to_string(),
        }
    }

    /// A scalar in block context; the lines of those that have some are at `indent`.
    fn scalar(&mut self, text: &str, indent: usize) -> String {
        let deeper = " ".repeat(indent);
        match self.numbers.below(20) {
            0 => format!("|-\n{deeper}{text}\n"),
            1 => format!(">-\n{deeper}{text}\n"),
            2 => format!("|\n{deeper}{text}\n"),
            3 => format!("|2-\n{deeper}{text}\n"),
            4 => format!("!!str\n{deeper}{text}\n"),
            5 => format!("\n{deeper}{text}\n"),
            6 => {
                let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
                format!("\"{first}\\\n{deeper}{rest}\"")
            }
            7 => format!("\"{}\"", text.replacen(':', "\\u003a", 1)),
            8 => format!("! {text}"),
            _ => self.simple(text),
        }
    }

    /// A text of several lines.
    fn long(&mut self, text: &str, indent: usize) -> String {
        let deeper = " ".repeat(indent + 2 + 2 * self.numbers.below(2));
        let line = |line: &str| match line.trim_end_matches('\n') {
            "" => "\n".to_string(),
            _ => format!("{deeper}{line}"),
        };
        let lines: String = text.split_inclusive('\n').map(line).collect();
        let starts_oddly = text.starts_with([' ', '\n', '\t']);
        match self.numbers.below(6) {
            0 => format!(" {text:?}\n"),
            1 if !starts_oddly => format!(" |+\n{lines}"),
            2 if !starts_oddly => format!(" |- # nginx:1\n{lines}"),
            3 => format!(" |{}\n{lines}", deeper.len() - indent),
            _ if starts_oddly => format!(" |{}\n{lines}", deeper.len() - indent),
            _ => format!(" |\n{lines}"),
        }
    }

    /// On one line, or on several that begin at `indent`.
    fn flow(&mut self, node: &Node, indent: usize) -> String {
        let gap = match self.numbers.below(6) {
            0 => format!("\n{}", " ".repeat(indent)),
            1 => format!(" # nginx:1, }}\n{}", " ".repeat(indent)),
            2 => "  ".to_string(),
            _ => String::new(),
        };
        match node {
            Node::Text(text) => {
                let odd = text.contains(['{', '}', '[', ']', ',', '\n']);
                match self.numbers.below(4) {
                    0 if !text.contains('\n') => format!("'{text}'"),
                    1 => format!("{text:?}"),
                    _ if odd => format!("{text:?}"),
                    _ => text.clone(),
                }
            }
            Node::Raw(raw) => raw.clone(),
            Node::Anchored(name, node) => format!("&{name} {}", self.flow(node, indent)),
            Node::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.flow(item, indent)).collect();
                let comma = self.numbers.pick(&[", ", ",", " , "]);
                format!("[{gap}{}{gap}]", items.join(comma))
            }
            Node::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| {
                        let value = self.flow(value, indent);
                        match self.numbers.below(4) {
                            0 if *key != "<<" => format!("\"{key}\":{value}"),
                            1 if *key != "<<" => format!("'{key}' : {value}"),
                            _ => format!("{key}: {value}"),
                        }
                    })
                    .collect();
                let comma = self.numbers.pick(&[", ", ",", ",  "]);
                format!("{{{gap}{}{gap}}}", entries.join(comma))
            }
        }
    }
}

/// Actions of a template around lines, and in place of tags.
fn with_actions(text: &str, numbers: &mut Numbers) -> String {
    let mut result = String::new();
    let mut open = 0;
    for line in text.split_inclusive('\n') {
        let indent = " ".repeat(line.len() - line.trim_start_matches(' ').len());
        if numbers.once_in(8) {
            let action = numbers.pick(&[
                "{{- if .Values.x }}",
                "{{ range .Values.list }}",
                "{{- with .Values.x -}}",
                "{% if x %}",
            ]);
            result.push_str(&format!("{indent}{action}\n"));
            open += 1;
        }
        let place = line
            .rfind(':')
            .filter(|_| line.contains("image:") && numbers.once_in(3));
        match place {
            Some(at) if !line[..at].ends_with("image") => {
                let action = numbers.pick(&["{{ .Values.tag }}", "{{ default \"}}\" .x }}"]);
                let (name, rest) = line.split_at(at + 1);
                let end = rest.find(['"', '\'', ' ', '\n', ',', '}']).unwrap_or(0);
                result.push_str(&format!("{name}{action}{}", &rest[end..]));
            }
            _ => result.push_str(line),
        }
        if numbers.once_in(12) {
            result.push_str(&format!("{indent}# {{{{/* nginx:1 */}}}}\n"));
        }
        if open > 0 && numbers.once_in(3) {
            let action = numbers.pick(&["{{- end }}", "{{ end }}", "{{- else }}", "{% endif %}"]);
            open -= usize::from(!action.contains("else"));
            result.push_str(&format!("{indent}{action}\n"));
        }
    }
    result.push_str(&"{{- end }}\n".repeat(open));
    result
}

/// With a few small accidents, after which it may be anything.
fn mutated(text: &str, numbers: &mut Numbers) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(characters.len() + 1);
        let end = (at + numbers.below(6)).min(characters.len());
        match numbers.below(3) {
            0 => drop(characters.drain(at..end)),
            1 => {
                let again: Vec<char> = characters[at..end].to_vec();
                characters.splice(at..at, again);
            }
            _ => {
                let odd = [
                    '\n', '\r', '\t', ' ', ':', '-', '#', '\'', '"', '{', '}', '[', ']', ',', '&',
                    '*', '!', '|', '>', '%', '?', '@', '\u{85}', '\u{2028}', '\u{feff}', '😀', 'x',
                ];
                characters.insert(at, numbers.pick(&odd));
            }
        }
    }
    characters.into_iter().collect()
}
