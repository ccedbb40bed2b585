//! What a tool rendered, object by object.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use crate::helm::template::read_yaml;

/// An object of a rendering.
#[derive(Clone, Debug)]
pub(in super::super) struct Object<'t> {
    /// The template that made it, when the tool says so.
    pub(in super::super) source: &'t str,
    /// Its text.
    pub(in super::super) text: &'t str,
}

/// An object that was read.
#[derive(Debug)]
pub(super) struct Parsed<'t> {
    /// The template that made it, when the tool says so.
    pub(super) source: &'t str,
    /// Its kind.
    pub(super) kind: String,
    /// Its kind, namespace and name, for people.
    pub(super) name: String,
    /// Its text.
    pub(super) text: &'t str,
    /// What it says; its text where that is not YAML.
    pub(super) value: Value,
}

/// What begins a document.
const DASHES: &str = "---";
/// What Helm writes in front of what a template made.
const SOURCE: &str = "# Source: ";

/// The objects of a rendering, in its order. A line of three dashes begins one, wherever it stands: texts in
/// objects are indented.
pub(in super::super) fn objects(text: &str) -> Vec<Object<'_>> {
    let mut objects = Vec::new();
    let (mut start, mut source) = (0, "");
    let mut at = 0;
    let mut add = |start: usize, end: usize, source| {
        let own = &text[start..end];
        let says = |line: &str| !line.trim().is_empty() && !line.starts_with('#');
        if own.lines().any(says) {
            objects.push(Object { source, text: own });
        }
    };
    for line in text.split_inclusive('\n') {
        if let Some(rest) = after_dashes(line) {
            add(start, at, source);
            let is_content = !rest.is_empty() && !rest.starts_with('#');
            start = at + if is_content { DASHES.len() } else { line.len() };
        }
        // Of several objects of a template, the first alone may name it.
        source = line.trim_end().strip_prefix(SOURCE).unwrap_or(source);
        at += line.len();
    }
    add(start, at, source);
    objects
}

/// What stands behind the three dashes of a line that begins a document.
fn after_dashes(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(DASHES)?;
    (rest.trim_start().len() < rest.len() || rest.is_empty()).then(|| rest.trim())
}

impl<'t> Object<'t> {
    /// Reads the object.
    pub(super) fn parsed(&self) -> Parsed<'t> {
        let value = read_yaml(self.text).unwrap_or_else(|_| Value::String(self.text.to_string()));
        let text = |path: &[&str]| {
            let found = path.iter().try_fold(&value, |at, key| at.get(key));
            found.and_then(Value::as_str).unwrap_or("").to_string()
        };
        let kind = text(&["kind"]);
        let names = [
            kind.clone(),
            text(&["metadata", "namespace"]),
            text(&["metadata", "name"]),
        ];
        let names = names.into_iter().filter(|name| !name.is_empty());
        let name = names.collect::<Vec<_>>().join("/");
        Parsed {
            source: self.source,
            kind,
            name,
            text: self.text,
            value,
        }
    }
}

/// Pairs the objects of two renderings: those of the same name, and of the rest those of the same kind and
/// template, in their order, since names may be made up or hold a hash of what they are names of. Several of
/// one name are paired in their order, too. What remains stands alone. The objects before come first, in their
/// order, each with the place of its partner.
pub(super) fn paired<'a, 't>(
    before: &'a [Parsed<'t>],
    after: &'a [Parsed<'t>],
) -> Vec<(Option<&'a Parsed<'t>>, Option<usize>)> {
    let mut taken = vec![false; after.len()];
    let mut partner = vec![None; before.len()];
    let by_name = |object: &'a Parsed<'t>| (object.name.as_str(), "");
    let by_kind = |object: &'a Parsed<'t>| (object.kind.as_str(), object.source);
    for key in [
        &by_name as &dyn Fn(&'a Parsed<'t>) -> (&'a str, &'a str),
        &by_kind,
    ] {
        let mut free: HashMap<(&str, &str), VecDeque<usize>> = HashMap::new();
        for new in (0..after.len()).filter(|new| !taken[*new]) {
            free.entry(key(&after[new])).or_default().push_back(new);
        }
        let alone = before.iter().zip(&mut partner);
        for (old, partner) in alone.filter(|(_, partner)| partner.is_none()) {
            *partner = free.get_mut(&key(old)).and_then(VecDeque::pop_front);
            partner.iter().for_each(|new| taken[*new] = true);
        }
    }
    let pairs = before.iter().zip(partner);
    let pairs = pairs.map(|(old, partner)| (Some(old), partner));
    let alone = (0..after.len()).filter(|new| !taken[*new]);
    pairs.chain(alone.map(|new| (None, Some(new)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_told_apart() {
        let text = "---\n# Source: a/templates/x.yaml\nkind: A\nmetadata: {name: a}\n---\nkind: B\n---\n# nothing\n---\n# Source: a/templates/y.yaml\nkind: C\ntext: |\n  ---\n  x\n";
        let objects = objects(text);
        let sources: Vec<&str> = objects.iter().map(|object| object.source).collect();
        let x = "a/templates/x.yaml";
        assert_eq!(sources, [x, x, "a/templates/y.yaml"]);
        let names: Vec<String> = objects.iter().map(|object| object.parsed().name).collect();
        assert_eq!(names, ["A/a", "B", "C"]);
    }

    #[test]
    fn objects_with_other_names_are_paired_by_their_kind() {
        let read = |text: &'static str| -> Vec<Parsed<'static>> {
            objects(text).iter().map(Object::parsed).collect()
        };
        let before = read("kind: A\nmetadata: {name: x-1}\n---\nkind: A\nmetadata: {name: z}\n");
        let after = read(
            "kind: A\nmetadata: {name: z}\n---\nkind: A\nmetadata: {name: x-2}\n---\nkind: B\n",
        );
        let pairs = paired(&before, &after);
        let name = |object: Option<&Parsed<'_>>| object.map_or(String::new(), |it| it.name.clone());
        let names: Vec<_> = pairs
            .iter()
            .map(|(a, b)| (name(*a), name(b.map(|index| &after[index]))))
            .collect();
        let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
        assert_eq!(
            names,
            [pair("A/x-1", "A/x-2"), pair("A/z", "A/z"), pair("", "B")]
        );
    }
}
