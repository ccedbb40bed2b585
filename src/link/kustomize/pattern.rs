//! How kustomize compares a name with a reference.

use regex::Regex;

/// How kustomize compares a name with a reference: `^name(:tag)?(@sha256:digest)?$`, the name being
/// a regular expression (kustomize `api/internal/image`, `IsImageMatched`).
#[derive(Clone, Debug)]
pub enum Pattern {
    /// No characters with a meaning but the dot, which stands for any.
    Plain(String),
    /// An expression.
    Regex {
        /// With what may follow it.
        whole: Box<Regex>,
        /// What may stand before a tag that the expression itself speaks of; `None` when that
        /// cannot be told.
        heads: Option<Vec<Regex>>,
    },
}

impl Pattern {
    /// The pattern of a `name`.
    pub fn new(pattern: &str) -> Self {
        let plain =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@');
        if pattern.chars().all(plain) {
            return Self::Plain(pattern.to_string());
        }
        let suffix = "(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?";
        match Regex::new(&format!("^{pattern}{suffix}$")) {
            Ok(regex) => Self::Regex {
                whole: Box::new(regex),
                heads: heads(pattern),
            },
            // Kustomize cannot compile it either; the plain reading keeps the likely image safe.
            Err(_) => Self::Plain(pattern.to_string()),
        }
    }

    /// Whether it matches `name` alone or with some tag or digest that comes from elsewhere.
    pub fn may_match_tagged(&self, name: &str) -> bool {
        let with_tag = || match self {
            Self::Plain(pattern) => pattern
                .split_at_checked(name.len())
                .is_some_and(|(head, suffix)| same_name(head, name) && is_suffix(suffix)),
            Self::Regex { heads, .. } => heads
                .as_ref()
                .is_none_or(|heads| heads.iter().any(|head| head.is_match(name))),
        };
        self.matches(name) || with_tag()
    }

    /// Whether it matches a reference.
    pub fn matches(&self, reference: &str) -> bool {
        match self {
            Self::Regex { whole, .. } => whole.is_match(reference),
            Self::Plain(name) => {
                let Some((head, suffix)) = reference.split_at_checked(name.len()) else {
                    return false;
                };
                same_name(name, head) && is_suffix(suffix)
            }
        }
    }
}

/// Whether the two have the same length and letters, a dot of the pattern standing for any.
fn same_name(pattern: &str, name: &str) -> bool {
    let same = |(pattern, text)| pattern == b'.' || pattern == text;
    // Names of one registry differ at the end.
    pattern.len() == name.len() && pattern.bytes().zip(name.bytes()).rev().all(same)
}

/// What stands before each `:` and `@` of a regular expression, as expressions of their own.
fn heads(pattern: &str) -> Option<Vec<Regex>> {
    pattern
        .match_indices([':', '@'])
        .map(|(at, _)| &pattern[..at])
        .filter(|head| !head.ends_with("(?"))
        .map(|head| Regex::new(&format!("^{head}$")).ok())
        .collect()
}

/// `(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?`
fn is_suffix(text: &str) -> bool {
    let valid = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'{' | b'}' | b'-'))
    };
    let (tag, digest) = match text.split_once("@sha256:") {
        Some((tag, digest)) => (tag, digest),
        None => (text, ""),
    };
    (tag.is_empty() || tag.strip_prefix(':').is_some_and(valid)) && valid(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_kustomize() {
        for (pattern, reference, matches) in [
            ("nginx", "nginx", true),
            ("nginx", "nginx:1.27", true),
            ("nginx", "nginx@sha256:abc", true),
            ("nginx", "nginx:1@sha256:abc", true),
            ("nginx", "docker.io/nginx:1", false),
            ("nginx", "nginx-extra", false),
            ("nginx", "nginx:1 ", false),
            ("quay.io/a/b", "quay.io/a/b:1", true),
            ("quay.io/a/b", "quayxio/a/b", true),
            ("reg:5000/a", "reg:5000/a:1", true),
            (".*/nginx", "docker.io/library/nginx:1", true),
            ("(nginx|redis)", "redis:7", true),
            ("(nginx", "(nginx", true),
            ("(nginx", "nginx", false),
            ("nginx:1", "nginx:1", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(reference),
                matches,
                "{pattern} {reference}"
            );
        }
    }

    #[test]
    fn a_new_name_meets_every_tag_that_a_name_may_speak_of() {
        for (pattern, name, matches) in [
            ("quay.io/x/y", "quay.io/x/y", true),
            ("quay.io/x/y:1.2", "quay.io/x/y", true),
            ("quay.io/x/y@sha256:ab", "quay.io/x/y", true),
            ("quay.io/x/y-z:1", "quay.io/x/y", false),
            ("quay.io/x/y/z", "quay.io/x/y", false),
            ("quay.io/.*:1[.].*", "quay.io/x/y", true),
            ("(?:quay.io/x|a)/y", "quay.io/x/y", true),
            ("(?:quay.io/x|a)/z", "quay.io/x/y", false),
            ("(x:1|y:2)", "z", true),
        ] {
            let met = Pattern::new(pattern).may_match_tagged(name);
            assert_eq!(met, matches, "{pattern} {name}");
        }
    }
}
