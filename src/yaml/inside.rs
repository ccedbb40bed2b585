//! Documents inside documents: the text of a scalar read as YAML of its own, at the bytes of the file.
//!
//! A config map holds a file, a kustomization a patch. What is found in such a text is edited in the
//! file that holds it, so every span of its documents is translated to the file's bytes: line by line
//! where the text is a block scalar, whose indentation is not part of the text, and by a constant
//! where it stands on one line as it is. A text that is spelled in another way (escapes, folding,
//! several lines in quotes) can be read, but nothing in it can be placed, and so nothing edited.

use std::ops::Range;

use super::document_path::DocumentPath;
use super::mask::Masked;
use super::parse::{Document, Kind, NodeId, Style, YamlError, comments, documents};
use super::reading::restore;
use super::scalar::exact;
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
    /// The mask with which the file is read, and the file's own text.
    masked: Option<(&'d Masked, &'d str)>,
    outer: DocumentPath,
    ordinal: usize,
    wrapping: Wrapping,
    map: Map,
    /// Whether its last line may be one of blanks that no line break ends, which parsers read
    /// differently: nothing that is replaced in it could be verified.
    is_open: bool,
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
    /// The text of the scalar `id`; `text` is the file's. `None` when it is no scalar, lies too
    /// deep, or is a template of which not every byte can be placed.
    pub fn of(text: &'d str, document: &'d Document<'_>, id: NodeId) -> Option<Self> {
        let node = document.node(id);
        let Kind::Scalar { value, ordinal, .. } = &node.kind else {
            return None;
        };
        document.path.inside(*ordinal, 0)?;
        let mask = document.mask.as_ref();
        let read = mask.map_or(text, |mask| mask.masked.text());
        let filled = mask.and_then(|mask| mask.values.get(&id));
        let value = filled.unwrap_or(value);
        let (wrapping, map) = match placed(read, document, id, value) {
            Some(placed) => placed,
            // Nothing in it could be told from filler.
            None if filled.is_some() => return None,
            None => (Wrapping::Spelled, Map::Whole(node.span)),
        };
        let end = map.offset(value.trim_end_matches(BLANKS).len());
        let is_open = matches!(map, Map::Lines(_)) && ends_in_blanks(text, document, end);
        Some(Self {
            value,
            is_open,
            masked: mask.map(|mask| (mask.masked, text)),
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
            if let Some((masked, text)) = self.masked {
                document = document.of_one_object()?;
                restore(&mut document, text, masked);
            }
            Ok(document)
        })
    }

    /// Where these bytes of the text are in the file, when that is known.
    pub fn place(&self, range: &Range<usize>) -> Option<Span> {
        let is_placed = self.wrapping != Wrapping::Spelled && !self.is_open;
        is_placed.then(|| self.map.span(Span::new(range.start, range.end)))
    }

    /// The comments of the text that can be placed.
    pub fn comments(&self) -> Vec<Span> {
        if self.wrapping == Wrapping::Spelled {
            return Vec::new();
        }
        let comments = comments(self.value).into_iter();
        comments.map(|span| self.map.span(span)).collect()
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

/// What a line of blanks is made of, and what ends it.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// Whether the text of a document may end, behind the block scalar whose last word ends at `end`, in
/// blanks without a line break. Where a text in the file ends is not known here: any such line does.
pub fn ends_in_blanks(text: &str, document: &Document<'_>, end: usize) -> bool {
    let rest = text.get(end..).unwrap_or("");
    let word = rest.trim_start_matches(BLANKS).len();
    let blanks = &rest[..rest.len() - word];
    let lines = match blanks.rfind('\n') {
        // The rest of the last line is the indentation of a word.
        Some(last) if word > 0 => &blanks[..last],
        Some(_) => blanks,
        None => return false,
    };
    let is_blank = |line: &str| !line.trim_end_matches('\r').is_empty();
    if document.path.is_inside() {
        lines.split('\n').skip(1).any(is_blank)
    } else {
        word == 0 && lines.rsplit('\n').next().is_some_and(is_blank)
    }
}

/// How the text of a scalar lies in the file, as the parser reads both; `None` when its bytes are not its
/// text.
fn placed(text: &str, document: &Document<'_>, id: NodeId, value: &str) -> Option<(Wrapping, Map)> {
    let node = document.node(id);
    let Kind::Scalar { style, .. } = node.kind else {
        return None;
    };
    if style == Style::Literal && document.wrapping == Wrapping::Bare {
        let lines = lines(text, node.span.start, value)?;
        return Some((Wrapping::Bare, Map::Lines(lines)));
    }
    let span = exact(text, document, node.span, style, value)?;
    let wrapping = match (style, document.wrapping) {
        // Braces would end it.
        (Style::Plain, _) if node.in_flow => return None,
        (Style::SingleQuoted, Wrapping::Bare) => Wrapping::Quotes('\''),
        (Style::DoubleQuoted, Wrapping::Bare) => Wrapping::Quotes('"'),
        // Quotes in quotes leave none for what is in them.
        (Style::SingleQuoted | Style::DoubleQuoted, _) => return None,
        (_, wrapping) => wrapping,
    };
    let one_line = !value.contains('\n');
    one_line.then_some((wrapping, Map::Shift(span.start)))
}

/// Where each line of the block scalar stands whose first line that is not empty begins, after its
/// indentation, at `start`. Every line is compared: `None` when any is not what it should be.
pub(super) fn lines(text: &str, start: usize, value: &str) -> Option<Vec<(usize, usize)>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Place, Scalar};

    /// A scalar of a document, and the ones whose texts it stands in, by their place in the list.
    struct Found {
        document: DocumentPath,
        scalar: Scalar,
        holders: Vec<usize>,
    }

    /// The scalars of every document of `text` and of the texts in it.
    fn scalars(text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        for document in documents(text).filter_map(Result::ok) {
            collect(text, &document, &[], &mut found);
        }
        found
    }

    fn collect(text: &str, document: &Document<'_>, holders: &[usize], found: &mut Vec<Found>) {
        for id in 0..document.nodes.len() {
            let Some(scalar) = Scalar::locate(text, document, id) else {
                continue;
            };
            let inside = [holders, &[found.len()]].concat();
            found.push(Found {
                document: document.path,
                scalar,
                holders: holders.to_vec(),
            });
            let documents = Inside::of(text, document, id);
            for inner in documents
                .iter()
                .flat_map(Inside::documents)
                .filter_map(Result::ok)
            {
                // Every word is a document; only those that hold more are of interest.
                if inner.nodes.len() > 1 {
                    collect(text, &inner, &inside, found);
                }
            }
        }
    }

    /// The values and bytes of the scalars in texts.
    fn inside(text: &str) -> Vec<(String, Option<String>)> {
        let found = scalars(text).into_iter();
        let inside = found.filter(|found| found.document.is_inside());
        let read = |found: Found| {
            let bytes = match found.scalar.place {
                Place::Exact(span) => span.of(text).map(Into::into),
                Place::Spelled(_) => None,
            };
            (found.scalar.value, bytes)
        };
        inside.map(read).collect()
    }

    /// Texts that hold `x: 1` and `y: b` in bytes that are theirs.
    const PLACED: &[&str] = &[
        "a: |\n  x: 1\n  y: b\n",
        "a: |\r\n  x: 1\r\n  y: b\r\n",
        "a: |\n  x: 1\n  y: b",
        "a: |-\n  x: 1\n  y: b\nc: d\n",
        "a: |+\n  x: 1\n  y: b\n\n\nc: d\n",
        "a: |\n\n\n  x: 1\n \n\n  y: b\nc: d\n",
        "a: |-\r\n\r\n  x: 1\r\n  \r\n  y: b",
        "a: |2\n    x: 1\n    y: b\n",
        "a: |2-\n    \n   x: 1\n   y: b\n",
        "a: |1\n    x: 1\n    y: b\n",
        "a: &t !!str |\n  x: 1   \n  y: b  # c\nc: d\n",
        "a: | # c\n  # c\n  x: 1\n      # c\n  y:\tb\nc: d\n",
        "- - b: |\n      x: 1\n      y: b\n  # c\n    c: d\n",
        "- |\n x: 1\n y: b\n- c\n",
        "--- |\nx: 1\ny: b\n...\n",
        "--- |\n x: 1\n y: b\n",
        "\u{feff}a: |\n  x: 1\n  y: b # \u{fc}\u{2028}\u{85}\n",
        "? |\n  x: 1\n  y: b\n: v\n",
        "a: |\n  x: 1\r  y: b\n",
        "a: |\n  {x: 1, y: b}\n",
        "a: |\n  x: 1\n  y: |-\n    b\n",
        "a: '{x: 1, y: b}'\n",
        "a: '{\"x\": 1, \"y\": \"b\"}'\r\n",
        "a: \"{x: 1, y: b}\"\n",
        "{a: '{x: 1, y: b}', c: d}\n",
        "a: >-\n  {x: 1, y: b}\n",
    ];

    #[test]
    fn what_stands_in_a_text_is_placed_in_the_file() {
        for text in PLACED {
            let wanted = ["x", "1", "y", "b"].map(|word| (word.to_string(), Some(word.into())));
            assert_eq!(inside(text)[..4], wanted, "{text:?}");
        }
    }

    #[test]
    fn what_is_spelled_otherwise_is_read_but_not_placed() {
        for text in [
            "a: >\n  x: 1\n\n  y: b\n",
            "a: \"x: 1\\ny: b\"\n",
            "a: \"x: 1\n\n  y: b\"\n",
            "a: 'x: 1\n\n  y: b'\n",
            "a: \"{\\\"x\\\": 1, \\\"y\\\": \\\"b\\\"}\"\n",
            "a: '{x: 1, c: '''', y: b}'\n",
            "a: \"{x: '{y: b}'}\"\n",
            "a: >\n  z: |\n\n    x: 1\n\n    y: b\n",
        ] {
            let found = inside(text);
            let (value, bytes) = found.last().unwrap();
            assert_eq!((value.as_str(), bytes), ("b", &None), "{text:?}");
        }
    }

    #[test]
    fn pieces_are_not_placed_where_a_text_ends_in_blanks() {
        for (text, placed) in [
            ("a: |+\n  b\n", true),
            ("a: |\n  b", true),
            ("a: |\n  b  ", true),
            ("a: |\n  b\n  \n", true),
            ("a: |+\n  b\n  \nc: d", true),
            ("a: |+\n  b\n  ", false),
            ("a: |\n  b\n  ", false),
            ("a: |\r\n  b\r\n\r\n  ", false),
            ("a: |-\n  b\n ", false),
        ] {
            let document = documents(text).next().unwrap().unwrap();
            let id = document.get(0, "a").unwrap();
            let inside = Inside::of(text, &document, id).unwrap();
            assert_eq!(inside.place(&(0..1)).is_some(), placed, "{text:?}");
        }
        let text = "a: |-\n  b: |+\n    c\n    \nd: e\n";
        let document = documents(text).next().unwrap().unwrap();
        let outer = Inside::of(text, &document, document.get(0, "a").unwrap()).unwrap();
        let inner = outer.documents().next().unwrap().unwrap();
        let inner = Inside::of(text, &inner, inner.get(0, "b").unwrap()).unwrap();
        assert_eq!(inner.place(&(0..1)), None);
    }

    #[test]
    fn quotes_in_quotes_are_those_that_are_free() {
        for (text, free) in [
            ("a: '{x: b}'\n", Some('"')),
            ("a: \"{x: b}\"\n", Some('\'')),
            ("a: |\n  {x: b}\n", Some('"')),
            ("a: >\n  {x:\n  b}\n", None),
        ] {
            let all = scalars(text);
            let last = &all.last().unwrap().scalar;
            let read = (last.value.as_str(), last.free_quotes);
            assert_eq!(read, ("b", free), "{text}");
        }
    }

    #[test]
    fn texts_in_texts_are_placed_as_deep_as_they_are_read() {
        let text = "a: |\r\n  b: |2-\r\n      c: |\r\n        d: |\r\n          x: 1\r\n\r\n      y: '{z: 2}'\r\ne: f\r\n";
        let found = inside(text);
        let bytes = |value: &str| {
            let found = found.iter().find(|(found, _)| found == value);
            found.map(|(_, bytes)| bytes.as_deref().unwrap_or("no bytes"))
        };
        assert_eq!(bytes("x"), None, "four deep");
        assert_eq!(bytes("d"), Some("d"));
        assert_eq!(bytes("z"), Some("z"));
        assert_eq!(bytes("2"), Some("2"));
        let document = documents(text).next().unwrap().unwrap();
        assert!(Inside::of(text, &document, 0).is_none(), "no scalar");
    }

    #[test]
    fn errors_and_comments_are_placed() {
        let text = "a: |\n  x: 1 # c\n  y: [\n  ---\n  z: 1\nb: '{x: 1} # d'\nc: > # e\n  # f\n";
        let document = documents(text).next().unwrap().unwrap();
        let open = |key: &str| Inside::of(text, &document, document.get(0, key).unwrap()).unwrap();
        let comments = |key: &str| -> Vec<_> {
            let comments = open(key).comments().into_iter();
            comments.map(|span| span.of(text).unwrap()).collect()
        };
        assert_eq!(comments("a"), ["# c"]);
        assert_eq!(comments("b"), ["# d"]);
        assert!(comments("c").is_empty());
        let all: Vec<_> = open("a").documents().collect();
        let error = all[0].as_ref().unwrap_err();
        assert!((18..30).contains(&error.offset), "{}", error.offset);
        let last = all[1].as_ref().unwrap();
        assert_eq!(Some(last.path), document.path.inside(1, 1));
    }

    /// Texts that make positions difficult.
    const NASTY: &[&str] = &[
        "a: |\n  x: 1\n  b: |\n    c: d\n    e: |-\n      f: g # h\n\n      i: 'j'\n  k: l\nm: n\n",
        "a: |\n  kind: List\n  items:\n  - x: \"1\"\n    data: {y: z, \"q\": [r, 's']}\n  ---\n  # c\n  t: u\n  ---\n  v: w\n",
        "a: |+\n\n  - \u{fc}: \u{1f600} x\n  -\n    - y\n\n  \nb: |1-\n   c: d\n   e: f\n",
        "- patch: |-\n    - op: replace\n      path: /a/b\n      value: c\n- patch: '[{\"op\": \"x\", \"path\": \"/a\"}]'\n",
        "data:\n    a.json: |\n        {\n          \"x\": \"y\",\n          \"z\": [1, {\"k\": \"n\"}]\n        }\n    b: \"{x: y}\"\n",
        "a: >\n  b: c\n\n  d: e\nf: \"g: h\\ni: j\"\nk: |\n  l: >-\n    m: n\n",
    ];

    #[test]
    fn replacing_any_scalar_changes_that_one_only() {
        let nasty = NASTY.iter().chain(PLACED);
        let mut replaced = 0;
        for text in nasty.flat_map(|text| [(*text).to_string(), text.replace('\n', "\r\n")]) {
            let before = scalars(&text);
            for (index, changed) in before.iter().enumerate() {
                let Place::Exact(span) = changed.scalar.place else {
                    continue;
                };
                let holds = before.iter().any(|found| found.holders.contains(&index));
                if holds || changed.scalar.value.is_empty() {
                    continue;
                }
                replaced += 1;
                let after = format!("{}R/w-1{}", &text[..span.start], &text[span.end..]);
                let after = scalars(&after);
                assert_eq!(before.len(), after.len(), "{text:?} {:?}", changed.scalar);
                for (other, (old, new)) in before.iter().zip(&after).enumerate() {
                    assert_eq!(old.document, new.document);
                    if other == index {
                        assert_eq!(new.scalar.value, "R/w-1", "{text:?}");
                    } else if !changed.holders.contains(&other) {
                        assert_eq!(new.scalar.value, old.scalar.value, "{text:?}");
                    }
                }
            }
        }
        assert!(replaced > 200, "{replaced}");
    }
}
