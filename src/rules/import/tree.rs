//! What every syntax of infrastructure code is read into: maps, lists and texts with the line each stands
//! on, so that a rule can say where it comes from.

/// How deep maps and lists may lie in each other: nothing real comes near it.
pub(super) const MAX_DEPTH: usize = 100;
/// How many characters of something that cannot be read are shown.
const SHOWN: usize = 60;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Its line, 1-based.
    pub(super) line: u64,
    /// What stands there.
    pub(super) value: Value,
}

/// What stands somewhere.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A text that is written out.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the text. A key may stand in it twice.
    Map(Vec<(String, Node)>),
    /// Nothing.
    Null,
    /// Anything else, as it is written: numbers, expressions.
    Other(String),
}

impl Node {
    /// The values under `key` of a map, in order.
    pub(super) fn all<'n>(&'n self, key: &'n str) -> impl Iterator<Item = &'n Node> {
        let entries = self.entries();
        entries
            .filter(move |(known, _)| *known == key)
            .map(|(_, node)| node)
    }

    /// The value under `key` of a map, the last one; `Null` is none.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let last = self.entries().filter(|(known, _)| *known == key).last();
        let node = last.map(|(_, node)| node);
        node.filter(|node| !matches!(node.value, Value::Null))
    }

    /// The value below a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The entries of a map; none of anything else.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Node)> {
        let entries = match &self.value {
            Value::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|(key, node)| (key.as_str(), node))
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> impl Iterator<Item = &Node> {
        let items = match &self.value {
            Value::List(items) => items.as_slice(),
            _ => &[],
        };
        items.iter()
    }

    /// The maps that stand here: one, or those of a list.
    pub(super) fn maps(&self) -> impl Iterator<Item = &Node> {
        let own = self.is_map().then_some(self);
        own.into_iter()
            .chain(self.items().filter(|item| item.is_map()))
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is a map.
    pub(super) fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// Whether it is a list.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.value, Value::List(_))
    }

    /// Whether any key or text in it holds `part`.
    pub(super) fn mentions(&self, part: &str) -> bool {
        match &self.value {
            Value::Text(text) | Value::Other(text) => text.contains(part),
            Value::List(items) => items.iter().any(|item| item.mentions(part)),
            Value::Map(entries) => entries
                .iter()
                .any(|(key, node)| key.contains(part) || node.mentions(part)),
            Value::Null => false,
        }
    }

    /// How it is called in a message: as it is written, as far as that is short.
    pub(super) fn shown(&self) -> String {
        match &self.value {
            Value::Text(text) | Value::Other(text) => {
                let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
                if line.chars().count() <= SHOWN {
                    return line;
                }
                let begin: String = line.chars().take(SHOWN).collect();
                format!("{begin}…")
            }
            Value::List(_) => "a list".into(),
            Value::Map(entries) => match entries.as_slice() {
                [(key, node)] if node.text().is_some() => format!("{key}: {}", node.shown()),
                [(key, _)] => key.clone(),
                _ => "a map".into(),
            },
            Value::Null => "null".into(),
        }
    }
}
