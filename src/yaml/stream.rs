//! Where the documents of a stream stand, without parsing it: the largest of them need not be read.

use memchr::{memchr_iter, memmem};

use crate::source::Span;

/// Documents that stand one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The bytes that they stand at, with the comments between them.
    pub(super) span: Span,
    /// How many documents of the stream come before them.
    pub(super) first: usize,
}

/// What begins a document, at the beginning of a line and before a blank or the end of the line.
const MARK: &str = "---";
/// What else at the beginning of a line has a meaning for the stream: the end of a document, and directives.
const OTHERS: &[&str] = &["...", "%"];

/// The runs of documents that `wants` wants, by their texts.
///
/// A line that begins with `---` begins a document wherever it stands, also in a text in quotes or in a block
/// scalar (YAML 1.2, 9.1.4 and 9.2: `c-forbidden`). With directives, with ends of documents and with lines that
/// end in a carriage return alone everything is one run.
pub(super) fn runs(text: &str, wants: impl Fn(&str) -> bool) -> Vec<Run> {
    let whole = Run {
        span: Span::new(0, text.len()),
        first: 0,
    };
    let starts = starts(text);
    if starts.is_empty() || has_others(text) {
        return vec![whole];
    }
    let ends = starts.iter().copied().chain([text.len()]);
    let pieces = [0].into_iter().chain(starts.iter().copied()).zip(ends);
    let mut runs: Vec<Run> = Vec::new();
    let mut count = 0;
    for (start, end) in pieces {
        let piece = &text[start..end];
        let is_document = is_document(piece);
        if !is_document || wants(piece) {
            match runs.last_mut() {
                Some(run) if run.span.end == start => run.span.end = end,
                _ => runs.push(Run {
                    span: Span::new(start, end),
                    first: count,
                }),
            }
        }
        count += usize::from(is_document);
    }
    runs
}

/// The lines that begin documents, but for the first of the text.
fn starts(text: &str) -> Vec<usize> {
    let found = memmem::find_iter(text.as_bytes(), "\n---").map(|at| at + 1);
    found.filter(|&at| is_mark(&text[at..])).collect()
}

fn is_mark(text: &str) -> bool {
    let rest = text.strip_prefix(MARK);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

fn has_others(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_alone = |at: usize| bytes.get(at + 1) != Some(&b'\n');
    let begins = |other: &&str| {
        text.starts_with(*other)
            || memmem::find_iter(bytes, *other).any(|at| at > 0 && bytes[at - 1] == b'\n')
    };
    memchr_iter(b'\r', bytes).any(is_alone) || OTHERS.iter().any(begins)
}

/// Whether a piece between two marks is a document: one in front of the first mark may be comments alone.
fn is_document(piece: &str) -> bool {
    let piece = piece.strip_prefix('\u{feff}').unwrap_or(piece);
    let says = |line: &str| !line.trim_start().is_empty() && !line.trim_start().starts_with('#');
    is_mark(piece) || piece.lines().any(says)
}

#[cfg(test)]
mod tests {
    use super::super::{Document, YamlError, documents, documents_where};
    use super::*;

    fn shown(read: &Result<Document<'_>, YamlError>) -> (usize, String) {
        match read {
            Ok(document) => (document.path.stream(), format!("{:?}", document.nodes)),
            Err(error) => (error.document, error.offset.to_string()),
        }
    }

    #[test]
    fn documents_that_are_not_wanted_count() {
        for (text, wanted) in [
            ("# a\n---\nx: 1\n--- # b\ny: no\n---\nz: 3\n", vec![0, 2]),
            ("a: no\n---\n---\nb: 1\n--- {c: no}\n---\n", vec![1, 2, 4]),
            (
                "\u{feff}---\r\na: 1\r\n---\r\nb: no\r\n--- |\r\n  c\r\n",
                vec![0, 2],
            ),
            (
                "a: |\n  x\n  ---\n  no\n---\nb: 'x\n  y ---\n  z'\n----: 1\n--- d",
                vec![1, 2],
            ),
            ("# no\n\n# x\n---\n# no\n---\na: [\n---\nb: 1", vec![1, 2]),
            ("a: 1 # no\n---\nb: 1\n", vec![1]),
            ("a: 1\n---\nb: 1\n", vec![0, 1]),
        ] {
            let all: Vec<_> = documents(text).collect();
            let some = documents_where(text, |piece| !piece.contains("no"));
            let some: Vec<_> = some.map(|read| shown(&read)).collect();
            let wanted: Vec<_> = wanted
                .into_iter()
                .map(|at: usize| shown(&all[at]))
                .collect();
            assert_eq!(some, wanted, "{text:?}");
        }
    }

    #[test]
    fn what_only_a_parser_can_tell_is_one_run() {
        for text in [
            "%YAML 1.2\n---\na: 1\n---\nb: 1\n",
            "a: 1\n...\n---\nb: 1\n",
            "a: 1\n---\nb: 1\r---\rc: 1\n",
            "a: 1\n",
        ] {
            let runs = runs(text, |_| false);
            assert_eq!(
                runs,
                [Run {
                    span: Span::new(0, text.len()),
                    first: 0
                }],
                "{text:?}"
            );
        }
    }
}
