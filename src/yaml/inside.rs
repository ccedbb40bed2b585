//! Documents inside documents: the text of a scalar read as YAML of its own, at the bytes of the file.
//!
//! A config map holds a file, a kustomization a patch. What is found in such a text is edited in the
//! file that holds it, so every span of its documents is translated to the file's bytes: line by line
//! where the text is a block scalar, whose indentation is not part of the text, and by a constant
//! where it stands on one line as it is. A text that is spelled in another way (escapes, folding,
//! several lines in quotes) can be read, but nothing in it can be placed, and so nothing edited.

use super::document_path::DocumentPath;
use super::parse::{Document, Kind, NodeId, Style, YamlError, comments, documents};
use super::scalar::{Place, Scalar};
use crate::source::Span;

/// What stands around the text of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wrapping {
    /// Nothing, or the indentation of a block scalar: its bytes are its text.
    #[default]
    Bare,
    /// These quotes, which cannot stand in it. Its bytes are its text.
    Quotes(char),
    /// Something that spells it in another way: every span is that of the scalar that holds it.
    Spelled,
}

impl Wrapping {
    /// The quotes that can be put around a scalar here.
    pub(super) fn free_quotes(self) -> Option<char> {
        match self {
            Self::Bare | Self::Quotes('\'') => Some('"'),
            Self::Quotes(_) => Some('\''),
            Self::Spelled => None,
        }
    }
}

/// The text of a scalar, and where its bytes are in the file.
#[derive(Debug)]
pub struct Inside<'d> {
    value: &'d str,
    outer: DocumentPath,
    ordinal: usize,
    wrapping: Wrapping,
    map: Map,
}

/// From the bytes of a text to those of its file.
#[derive(Debug)]
enum Map {
    /// They are so far apart, everywhere.
    Shift(usize),
    /// For each line of the text, its first byte here and there.
    Lines(Vec<(usize, usize)>),
    /// All that is known is the scalar.
    Whole(Span),
}

impl<'d> Inside<'d> {
    /// The text of the scalar `id`; `text` is the file's. `None` when it is no scalar, or lies too
    /// deep.
    pub fn of(text: &str, document: &'d Document<'_>, id: NodeId) -> Option<Self> {
        let node = document.node(id);
        let Kind::Scalar { value, ordinal, .. } = &node.kind else {
            return None;
        };
        document.path.inside(*ordinal, 0)?;
        let (wrapping, map) =
            placed(text, document, id).unwrap_or((Wrapping::Spelled, Map::Whole(node.span)));
        Some(Self {
            value,
            outer: document.path,
            ordinal: *ordinal,
            wrapping,
            map,
        })
    }

    /// The documents of the text, in order. The place of an error is one in the file.
    pub fn documents(&self) -> impl Iterator<Item = Result<Document<'d>, YamlError>> + '_ {
        documents(self.value).enumerate().map(|(index, document)| {
            let mut document = document.map_err(|error| YamlError {
                offset: self.map.offset(error.offset),
                ..error
            })?;
            // `of` has seen that this is not too deep.
            document.path = self.outer.inside(self.ordinal, index).unwrap_or(self.outer);
            document.wrapping = self.wrapping;
            for node in &mut document.nodes {
                node.span = self.map.span(node.span);
            }
            Ok(document)
        })
    }

    /// The comments of the text that can be placed.
    pub fn comments(&self) -> Vec<Span> {
        if self.wrapping == Wrapping::Spelled {
            return Vec::new();
        }
        let comments = comments(self.value).into_iter();
        comments.map(|span| self.map.span(span)).collect()
    }

    /// The text.
    pub fn value(&self) -> &'d str {
        self.value
    }

    /// The byte of the file where it begins.
    pub fn start(&self) -> usize {
        self.map.offset(0)
    }
}

impl Map {
    fn offset(&self, offset: usize) -> usize {
        match self {
            Self::Shift(by) => offset + by,
            Self::Lines(lines) => {
                let after = lines.partition_point(|&(inner, _)| inner <= offset);
                let (inner, outer) = after.checked_sub(1).map_or((0, 0), |index| lines[index]);
                outer + (offset - inner)
            }
            Self::Whole(span) => span.start,
        }
    }

    fn span(&self, span: Span) -> Span {
        if let Self::Whole(whole) = self {
            return *whole;
        }
        let start = self.offset(span.start);
        Span::new(start, self.offset(span.end).max(start))
    }
}

/// How the text of a scalar lies in the file; `None` when its bytes are not its text.
fn placed(text: &str, document: &Document<'_>, id: NodeId) -> Option<(Wrapping, Map)> {
    let scalar = Scalar::locate(text, document, id)?;
    if scalar.style == Style::Literal && document.wrapping == Wrapping::Bare {
        let lines = lines(text, document.node(id).span.start, &scalar.value)?;
        return Some((Wrapping::Bare, Map::Lines(lines)));
    }
    let Place::Exact(span) = scalar.place else {
        return None;
    };
    let wrapping = match (scalar.style, document.wrapping) {
        // Braces would end it.
        (Style::Plain, _) if scalar.in_flow => return None,
        (Style::SingleQuoted, Wrapping::Bare) => Wrapping::Quotes('\''),
        (Style::DoubleQuoted, Wrapping::Bare) => Wrapping::Quotes('"'),
        // Quotes in quotes leave none for what is in them.
        (Style::SingleQuoted | Style::DoubleQuoted, _) => return None,
        (_, wrapping) => wrapping,
    };
    let one_line = !scalar.value.contains('\n');
    one_line.then_some((wrapping, Map::Shift(span.start)))
}

/// Where each line of the block scalar stands whose first line that is not empty begins, after its
/// indentation, at `start`. Every line is compared: `None` when any is not what it should be.
fn lines(text: &str, start: usize, value: &str) -> Option<Vec<(usize, usize)>> {
    let first = text[..start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let indent = start - first;
    let empty = value.bytes().take_while(|&byte| byte == b'\n').count();
    let mut at = (0..empty).try_fold(first, |at, _| line_before(text, at))?;
    let mut lines = Vec::new();
    let mut inner = 0;
    while let Some(line) = value[inner..].split('\n').next() {
        let is_last = inner + line.len() == value.len();
        if is_last && line.is_empty() {
            // Behind the last line break, the file goes on with something else.
            lines.push((inner, at));
            return Some(lines);
        }
        let found = &text[at..][..line_length(&text[at..])];
        if !is_line(found, indent, line) {
            return None;
        }
        lines.push((inner, at + indent.min(found.len())));
        if is_last {
            return Some(lines);
        }
        inner += line.len() + 1;
        at = line_after(text, at + found.len());
    }
    None
}

/// Whether `found`, without its indentation, is `line`. An empty one may have less of it.
fn is_line(found: &str, indent: usize, line: &str) -> bool {
    let is_blank = |text: &str| text.bytes().all(|byte| byte == b' ');
    if line.is_empty() {
        return found.len() <= indent && is_blank(found);
    }
    found
        .split_at_checked(indent)
        .is_some_and(|(before, rest)| is_blank(before) && rest == line)
}

/// The bytes up to the end of the line, which is any that YAML knows.
fn line_length(text: &str) -> usize {
    memchr::memchr2(b'\n', b'\r', text.as_bytes()).unwrap_or(text.len())
}

/// Where the line after the one that ends at `end` begins.
fn line_after(text: &str, end: usize) -> usize {
    let rest = &text[end..];
    end + if rest.starts_with("\r\n") {
        2
    } else {
        rest.len().min(1)
    }
}

/// Where the line before the one that begins at `start` begins.
fn line_before(text: &str, start: usize) -> Option<usize> {
    let before = &text[..start];
    let before = before
        .strip_suffix("\r\n")
        .or_else(|| before.strip_suffix(['\n', '\r']))?;
    Some(before.rfind(['\n', '\r']).map_or(0, |at| at + 1))
}
