//! Paths of fields, as kustomize writes them: `spec/template/spec/containers[]/image`.
//!
//! Source: kustomize `api/filters/fieldspec`: `/` separates keys, `\/` is a slash in a key, a list is
//! gone through with or without `[]` behind its key, `*` stands for any key. The built-in table also
//! has `**` for any keys, or none.

/// A place of the user's own: the image at a path in the objects of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The kind, in any API group.
    pub kind: String,
    /// The way to it.
    pub path: FieldPath,
}

/// A way to a field, from the root of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath(Vec<Segment>);

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// This key.
    Key(String),
    /// Any key.
    Any,
    /// Any keys, or none.
    Deep,
}

impl FieldPath {
    /// Reads a path of the config; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = Self::of_table(text);
        if path.0.is_empty() {
            return Err("the path names no field".to_string());
        }
        if path.0.contains(&Segment::Deep) {
            return Err("`**` is not a key; `*` stands for one key".to_string());
        }
        let is_broken = |segment: &Segment| match segment {
            Segment::Key(key) => key.is_empty() || key.contains(['[', ']', '\n']),
            _ => false,
        };
        if path.0.iter().any(is_broken) {
            return Err(format!("`{text}` is not made of keys joined with `/`"));
        }
        if !text.contains('/') && text.contains('.') {
            return Err(format!("the keys of `{text}` are joined with `.`"));
        }
        Ok(path)
    }

    /// Reads a path of the built-in table.
    pub(in crate::sites) fn of_table(text: &str) -> Self {
        let keys = split(text.strip_prefix('/').unwrap_or(text)).into_iter();
        let keys = keys.map(|key| {
            let inner = key.strip_suffix("[]").unwrap_or(&key);
            inner.to_string()
        });
        let segments = keys.enumerate().filter_map(|(index, key)| match &*key {
            "" if index == 0 && text.is_empty() => None,
            "" if text.contains("[]") => None,
            "*" => Some(Segment::Any),
            "**" => Some(Segment::Deep),
            _ => Some(Segment::Key(key)),
        });
        Self(segments.collect())
    }

    /// The steps.
    pub(super) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The last key; none when it may be any.
    pub fn last_key(&self) -> Option<&str> {
        match self.0.last() {
            Some(Segment::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// Whether the keys lead to the field; positions in lists do not count.
    pub(in crate::sites) fn matches(&self, keys: &[&str]) -> bool {
        matches(&self.0, keys)
    }
}

fn matches(segments: &[Segment], keys: &[&str]) -> bool {
    match (segments.split_first(), keys.split_first()) {
        (None, None) => true,
        (Some((Segment::Deep, rest)), _) => (0..=keys.len()).any(|at| matches(rest, &keys[at..])),
        (Some((Segment::Any, rest)), Some((_, keys))) => matches(rest, keys),
        (Some((Segment::Key(wanted), rest)), Some((key, keys))) => {
            wanted == key && matches(rest, keys)
        }
        _ => false,
    }
}

/// The keys of a path; a slash behind a backslash belongs to its key.
fn split(text: &str) -> Vec<String> {
    let mut keys = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'/') => {
                chars.next();
                keys.last_mut().into_iter().for_each(|key| key.push('/'));
            }
            '/' => keys.push(String::new()),
            c => keys.last_mut().into_iter().for_each(|key| key.push(c)),
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_as_in_kustomize() {
        for (path, keys, wanted) in [
            ("spec/image", &["spec", "image"][..], true),
            ("spec/image", &["spec", "x", "image"], false),
            (
                "spec/containers[]/image",
                &["spec", "containers", "image"],
                true,
            ),
            (
                "spec/containers/[]/image",
                &["spec", "containers", "image"],
                true,
            ),
            ("spec/*/image", &["spec", "a", "image"], true),
            ("a\\/b/c", &["a/b", "c"], true),
            (
                "metadata/annotations/x.io\\/y",
                &["metadata", "annotations", "x.io/y"],
                true,
            ),
        ] {
            let path = FieldPath::parse(path).unwrap();
            assert_eq!(path.matches(keys), wanted, "{path:?}");
        }
        let deep = FieldPath::of_table("**/container/image");
        assert!(deep.matches(&["a", "b", "container", "image"]));
        assert!(deep.matches(&["container", "image"]));
        assert!(!deep.matches(&["container", "x", "image"]));
    }

    #[test]
    fn what_is_no_path_says_why() {
        for text in ["", "spec//image", "spec.image", "spec/**/image", "a[0]/b"] {
            assert!(FieldPath::parse(text).is_err(), "{text}");
        }
    }
}
