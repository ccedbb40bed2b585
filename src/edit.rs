//! The edit vocabulary: a range of bytes and the text that takes its place.
//!
//! Everything that changes a file is an [`Edit`]; an [`EditSet`] keeps them sorted, refuses two that
//! touch the same bytes, and applies them in one pass over the original. Nothing else writes text.

use std::fmt;

use crate::source::Span;

/// One replacement; an empty span inserts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes of the original that go.
    pub span: Span,
    /// What stands there instead.
    pub text: String,
}

/// Two edits claim the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The span that was there first.
    pub first: Span,
    /// The span that was refused.
    pub second: Span,
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, second } = self;
        write!(
            f,
            "edits overlap at bytes {}..{} and {}..{}",
            first.start, first.end, second.start, second.end
        )
    }
}

impl std::error::Error for Overlap {}

/// Edits of one text, sorted, none touching the bytes of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EditSet {
    edits: Vec<Edit>,
}

impl EditSet {
    /// Sorts `edits` and checks that they are apart. Two insertions at one place are refused too:
    /// nothing says which should come first.
    pub fn new(edits: impl IntoIterator<Item = Edit>) -> Result<Self, Overlap> {
        let mut edits: Vec<Edit> = edits.into_iter().collect();
        edits.sort_by_key(|edit| edit.span);
        for pair in edits.windows(2) {
            let (first, second) = (pair[0].span, pair[1].span);
            let same_place = first.is_empty() && second.is_empty() && first == second;
            if second.start < first.end || same_place {
                return Err(Overlap { first, second });
            }
        }
        Ok(Self { edits })
    }

    /// The edits, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = &Edit> {
        self.edits.iter()
    }

    /// Where in the original stands what stands at `offset` in the new text; what an edit has written
    /// stands where its span begins.
    pub fn before(&self, offset: usize) -> usize {
        // How far the new text is ahead of the original, and behind it.
        let (mut longer, mut shorter) = (0, 0);
        for edit in &self.edits {
            let start = edit.span.start + longer - shorter;
            if offset < start {
                break;
            }
            if offset < start + edit.text.len() {
                return edit.span.start;
            }
            longer += edit.text.len();
            shorter += edit.span.end - edit.span.start;
        }
        offset + shorter - longer
    }

    /// `text` with every edit applied. `None` when a span lies outside the text or inside a
    /// character: then nothing is applied.
    pub fn apply(&self, text: &str) -> Option<String> {
        let grown: usize = self.edits.iter().map(|edit| edit.text.len()).sum();
        let mut result = String::with_capacity(text.len() + grown);
        let mut done = 0;
        for edit in &self.edits {
            edit.span.of(text)?;
            result.push_str(text.get(done..edit.span.start)?);
            result.push_str(&edit.text);
            done = edit.span.end;
        }
        result.push_str(text.get(done..)?);
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit {
            span: Span::new(start, end),
            text: text.into(),
        }
    }

    #[test]
    fn applies_in_one_pass_whatever_the_order_given() {
        let set = EditSet::new([edit(8, 9, "YY"), edit(0, 1, "X"), edit(4, 4, "+")]).unwrap();
        assert_eq!(set.apply("a23456789").unwrap(), "X234+5678YY");
    }

    #[test]
    fn what_stands_in_the_new_text_stood_somewhere_before() {
        let set = EditSet::new([edit(8, 9, "YY"), edit(0, 1, "X"), edit(4, 4, "+")]).unwrap();
        // X234+5678YY of 123456789
        let all: Vec<usize> = (0..12).map(|offset| set.before(offset)).collect();
        assert_eq!(all, [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9]);
    }

    #[test]
    fn what_stands_behind_a_deletion_stood_behind_it() {
        let set = EditSet::new([edit(2, 4, ""), edit(6, 7, "")]).unwrap();
        // 12567 of 1234567, without its end
        let all: Vec<usize> = (0..5).map(|offset| set.before(offset)).collect();
        assert_eq!(all, [0, 1, 4, 5, 7]);
    }

    #[test]
    fn refuses_what_overlaps() {
        let overlap = EditSet::new([edit(0, 3, ""), edit(2, 4, "")]).unwrap_err();
        assert_eq!(overlap.to_string(), "edits overlap at bytes 0..3 and 2..4");
        assert!(EditSet::new([edit(1, 1, "a"), edit(1, 1, "b")]).is_err());
        assert!(EditSet::new([edit(0, 3, ""), edit(3, 4, "")]).is_ok());
    }

    #[test]
    fn applies_nothing_when_a_span_is_wrong() {
        let set = EditSet::new([edit(0, 1, "x"), edit(1, 2, "y")]).unwrap();
        assert_eq!(set.apply("é"), None);
        assert_eq!(EditSet::new([edit(3, 9, "x")]).unwrap().apply("abcd"), None);
    }
}
