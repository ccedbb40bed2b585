//! What a run says. One renderer, one file; each writes to a given writer and decides nothing.

pub mod concise;
pub mod diff;
pub mod explain;
pub mod findings;
pub mod json;
pub mod prove;
pub mod text;

use std::borrow::Cow;
use std::fmt::Write as _;

/// How a run shows what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Each finding with its line.
    Text,
    /// A line for each finding.
    Concise,
    /// The changes as a patch.
    Diff,
    /// Everything, for programs.
    Json,
}

impl Format {
    /// Every format, by the word that asks for it.
    pub const ALL: [(&str, Self); 4] = [
        ("text", Self::Text),
        ("concise", Self::Concise),
        ("diff", Self::Diff),
        ("json", Self::Json),
    ];
    /// The words for formats that a later version brings.
    pub const LATER: [&str; 5] = ["markdown", "sarif", "github", "gitlab", "rdjson"];
}

/// Whether output carries colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// It does.
    On,
    /// It does not.
    Off,
}

/// Makes text from a repository safe for a terminal: control characters and the ones that turn the
/// direction of writing are shown as escapes. Tabs stay.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            // Writing into a string cannot fail.
            let _ = write!(result, "{}", c.escape_unicode());
        } else {
            result.push(c);
        }
    }
    Cow::Owned(result)
}

fn is_unsafe(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && c != '\t') || turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_fool_a_terminal_is_escaped() {
        assert_eq!(clean("nginx:1\té"), "nginx:1\té");
        assert_eq!(
            clean("a\u{1b}[31mb\u{202e}c\u{9b}\r"),
            "a\\u{1b}[31mb\\u{202e}c\\u{9b}\\u{d}"
        );
    }
}
