//! A YAML stream as flat trees of nodes with byte spans.
//!
//! granit-parser does the parsing: of the engines measured it is the one whose spans are right for
//! every scalar of the yaml-test-suite and of real repositories, whatever the line endings. It stays
//! in its lenient default, because Helm and kubectl accept files that the strict mode refuses.
//! A document that cannot be parsed is an error of its own; the ones after it are still read.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use granit_parser::{
    Event, Options, Parser, ScalarStyle, ScanError, Span as EngineSpan, StrInput, StructureStyle,
};

use super::actions::{Actions, Around};
use super::document_path::DocumentPath;
use super::inside::Wrapping;
use super::reading::Mask;
use super::stream::{self, Run};
use crate::source::Span;

/// Kinds of workloads: where a template chooses among them, their images stand at the same places.
const ALIKE: &[&str] = &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];
/// Why a document is refused that is more than one.
pub const SEVERAL: &str = "several objects are read as one here";

/// Where a node stands in [`Document::nodes`].
pub type NodeId = usize;

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind<'a> {
    /// A value, or a key.
    Scalar {
        /// The text after unescaping and folding.
        value: Cow<'a, str>,
        /// How it is written.
        style: Style,
        /// The tag as resolved (`tag:yaml.org,2002:str`, `!Ref`), when one is written out.
        tag: Option<Box<str>>,
        /// How many scalars of the document come before it.
        ordinal: usize,
    },
    /// A sequence; its items follow.
    Sequence,
    /// A mapping; its keys and values follow in turn.
    Mapping,
    /// `*name`: the node that is meant.
    Alias(NodeId),
}

/// One node. The nodes below it follow it directly, up to, and without, `end`.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    /// What it is.
    pub kind: Kind<'a>,
    /// The bytes the engine reports for it.
    pub span: Span,
    /// The first node after everything below this one.
    pub end: NodeId,
    /// The node that it stands in; the root stands in itself.
    pub parent: NodeId,
    /// Its place among the nodes directly below its parent, 0-based; keys and values both count.
    pub position: usize,
    /// Whether it carries an anchor.
    pub anchored: bool,
    /// Whether it stands inside `[…]` or `{…}`, where some characters need quotes.
    pub in_flow: bool,
}

/// A key with its value.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'d> {
    /// The key's text; `None` when the key is no scalar.
    pub key: Option<&'d str>,
    /// The node of the key.
    pub key_node: NodeId,
    /// The node of the value.
    pub value: NodeId,
}

/// One document of a stream.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// Its place in the stream, where broken documents count, or in the text that holds it.
    pub path: DocumentPath,
    /// What stands around its text.
    pub wrapping: Wrapping,
    /// All nodes in the order of the text; the first is the root. Never empty.
    pub nodes: Vec<Node<'a>>,
    /// Whether any alias stands in it.
    pub has_aliases: bool,
    /// What is known of it when it was read with a mask.
    pub(super) mask: Option<Mask<'a>>,
}

impl<'a> Document<'a> {
    /// The node `id`.
    pub fn node(&self, id: NodeId) -> &Node<'a> {
        &self.nodes[id]
    }

    /// The text of a scalar; `None` for anything else.
    pub fn text(&self, id: NodeId) -> Option<&str> {
        match &self.nodes[id].kind {
            Kind::Scalar { value, .. } => Some(value),
            _ => None,
        }
    }

    /// What the parser made of a scalar that holds template actions.
    pub(super) fn parsed(&self, id: NodeId) -> Option<&str> {
        let value = self.mask.as_ref()?.values.get(&id)?;
        Some(value)
    }

    /// The entries of a mapping; none for anything else. Aliases are not followed.
    pub fn entries(&self, id: NodeId) -> impl Iterator<Item = Entry<'_>> {
        let mut children = self.children(id, matches!(self.nodes[id].kind, Kind::Mapping));
        std::iter::from_fn(move || {
            let key_node = children.next()?;
            let value = children.next()?;
            Some(Entry {
                key: self.text(key_node),
                key_node,
                value,
            })
        })
    }

    /// Whether a mapping is several objects: it has several kinds, and those are not workloads of one
    /// version, which are read alike.
    fn is_several(&self, id: NodeId) -> bool {
        let all = |key: &'static str| self.entries(id).filter(move |entry| entry.key == Some(key));
        let is_alike = |kind: Entry<'_>| {
            let kind = self.text(self.resolve(kind.value));
            kind.is_some_and(|kind| ALIKE.contains(&kind))
        };
        let is_one = ["apiVersion", "metadata", "spec"]
            .iter()
            .all(|key| all(key).count() <= 1);
        self.get(id, "apiVersion").is_some()
            && all("kind").count() > 1
            && !(is_one && all("kind").all(is_alike))
    }

    /// The document, unless several objects have become one in it: branches of a template, or documents
    /// that it tells apart, read one after the other.
    pub(super) fn of_one_object(self) -> Result<Self, YamlError> {
        let several = (0..self.nodes.len()).find(|&id| self.is_several(id));
        self.refused(several, SEVERAL)
    }

    /// The document of a text as it stands, unless it is YAML by chance only, and a template writes what it
    /// is, or comments it out.
    pub fn as_it_stands(self, text: &str, actions: &Actions) -> Result<Self, YamlError> {
        let in_comment = actions.around(text, self.nodes[0].span) == Some(Around::Comment);
        let document = self.refused(in_comment.then_some(0), "it stands in a comment")?;
        let head = ["apiVersion", "kind"].map(|key| document.get(0, key));
        let mut head = head.into_iter().flatten();
        let filled = head.find(|&id| document.is_filled(text, actions, id));
        let document = document.refused(filled, "a template action stands here without quotes")?;
        document.of_one_object()
    }

    /// Whether an action stands in it without quotes.
    pub fn holds_filled(&self, text: &str, actions: &Actions) -> bool {
        (0..self.nodes.len()).any(|id| self.is_filled(text, actions, id))
    }

    /// Whether a node is an action without quotes, which reads as a map whose key is a map: nobody knows what
    /// it writes.
    fn is_filled(&self, text: &str, actions: &Actions, id: NodeId) -> bool {
        let mut entries = self.entries(id);
        entries.any(|entry| {
            let key = self.node(entry.key_node);
            let is_map = matches!(key.kind, Kind::Mapping);
            is_map && actions.around(text, key.span).is_some()
        })
    }

    /// Whether a node reads as an action without quotes does in YAML, whatever the text is.
    pub fn is_hole(&self, id: NodeId) -> bool {
        let mut entries = self.entries(id);
        entries.any(|entry| matches!(self.node(entry.key_node).kind, Kind::Mapping))
    }

    /// The nodes at and below `id` that read as actions without quotes do.
    pub fn holes(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        (id..self.node(id).end).filter(|&below| self.is_hole(below))
    }

    fn refused(self, by: Option<NodeId>, message: &str) -> Result<Self, YamlError> {
        match by {
            None => Ok(self),
            Some(id) => Err(YamlError {
                document: self.path.stream(),
                offset: self.nodes[id].span.start,
                message: message.to_string(),
            }),
        }
    }

    /// Whether `id` is a key of a mapping.
    pub(super) fn is_key(&self, id: NodeId) -> bool {
        let node = &self.nodes[id];
        let in_mapping = matches!(self.nodes[node.parent].kind, Kind::Mapping);
        in_mapping && node.parent != id && node.position.is_multiple_of(2)
    }

    /// The items of a sequence; none for anything else. Aliases are not followed.
    pub fn items(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.children(id, matches!(self.nodes[id].kind, Kind::Sequence))
    }

    /// The bytes from where a node begins to where the last node below it ends.
    pub fn bytes_below(&self, id: NodeId) -> Range<usize> {
        let ends = (id..self.nodes[id].end).map(|id| self.nodes[id].span.end);
        self.nodes[id].span.start..ends.max().unwrap_or(self.nodes[id].span.end)
    }

    /// The value under `key` of a mapping (the last one, as kubectl reads duplicates), with an alias
    /// followed.
    pub fn get(&self, id: NodeId, key: &str) -> Option<NodeId> {
        let entry = self
            .entries(id)
            .filter(|entry| entry.key == Some(key))
            .last()?;
        Some(self.resolve(entry.value))
    }

    /// The value below a path of keys, aliases followed.
    pub fn at(&self, id: NodeId, path: &[&str]) -> Option<NodeId> {
        path.iter().try_fold(id, |node, key| self.get(node, key))
    }

    /// The text below a path of keys.
    pub fn text_at(&self, id: NodeId, path: &[&str]) -> Option<&str> {
        self.at(id, path).and_then(|node| self.text(node))
    }

    /// The node that `id` means: itself, or what the alias stands for.
    pub fn resolve(&self, id: NodeId) -> NodeId {
        match self.nodes[id].kind {
            Kind::Alias(target) => target,
            _ => id,
        }
    }

    fn children(&self, id: NodeId, has_children: bool) -> impl Iterator<Item = NodeId> {
        let end = if has_children {
            self.nodes[id].end
        } else {
            id + 1
        };
        let mut next = id + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let child = next;
            next = self.nodes[child].end;
            Some(child)
        })
    }
}

/// A document that is not YAML.
#[derive(Clone, Debug)]
pub struct YamlError {
    /// The place of the document in the stream, 0-based.
    pub document: usize,
    /// The byte where the parser gave up.
    pub offset: usize,
    /// What it says.
    pub message: String,
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for YamlError {}

/// The documents of `text`, in order.
pub fn documents(text: &str) -> Documents<'_> {
    Documents::of(
        text,
        Run {
            span: Span::new(0, text.len()),
            first: 0,
        },
    )
}

/// The documents of `text`, in order, without those whose text `wants` refuses: they are not parsed, and
/// count in the stream all the same. Where only a parser can tell where documents end, all are there.
pub fn documents_where(
    text: &str,
    wants: impl Fn(&str) -> bool,
) -> impl Iterator<Item = Result<Document<'_>, YamlError>> + '_ {
    let runs = stream::runs(text, wants).into_iter();
    runs.flat_map(move |run| Documents::of(text, run))
}

/// The comments of `text`, from their `#` to the end of their line. What only looks like one (in a
/// quoted text or a block scalar) is none; documents that are not YAML lose theirs.
pub fn comments(text: &str) -> Vec<Span> {
    let mut options = Options::default();
    options.set_emit_comments(true);
    options.max_buffered_comment_events = usize::MAX;
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut comments = Vec::new();
    while let Some(event) = parser.next_event() {
        match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((Event::Comment(..), span)) => {
                comments.extend(
                    span.byte_range()
                        .map(|range| Span::new(range.start, range.end)),
                );
            }
            Ok(_) => {}
            Err(_) => {
                if !matches!(parser.proceed_next_document(), Ok(true)) {
                    break;
                }
            }
        }
    }
    comments
}

/// Whether the value of the last scalar of `text`, written in `style`, ends with a line end that the text does
/// not have.
pub fn ends_within_line(text: &str, value: &str, style: Style) -> bool {
    let last = text.rsplit(['\n', '\r']).next().unwrap_or("");
    let line = value
        .strip_suffix('\n')
        .and_then(|value| value.rsplit('\n').next());
    let Some(line) = line.filter(|line| !line.is_empty()) else {
        return false;
    };
    // What stands behind a scalar is a comment, and no line of it.
    match style {
        Style::Literal => last.ends_with(line),
        Style::Folded => !last.trim_start().is_empty() && line.ends_with(last.trim_start()),
        Style::Plain | Style::SingleQuoted | Style::DoubleQuoted => false,
    }
}

/// The iterator behind [`documents`].
pub struct Documents<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// The whole text.
    text: &'a str,
    /// The bytes of it that are read.
    span: Span,
    index: usize,
    done: bool,
}

impl<'a> Iterator for Documents<'a> {
    type Item = Result<Document<'a>, YamlError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut builder = Builder::default();
        loop {
            match self.parser.next_event() {
                None | Some(Ok((Event::StreamEnd, _))) => {
                    self.done = true;
                    return None;
                }
                Some(Ok((Event::DocumentEnd, _))) => {
                    let index = self.index;
                    self.index += 1;
                    if !builder.nodes.is_empty() {
                        return Some(Ok(builder.finish(index)));
                    }
                    builder = Builder::default();
                }
                Some(Ok((event, span))) => {
                    let span = self.place(&span);
                    let event = self.without_added_line_end(event, span);
                    builder.add(event, span);
                }
                Some(Err(error)) => return Some(Err(self.recover(&error))),
            }
        }
    }
}

impl<'a> Documents<'a> {
    /// The documents of a piece of a text.
    fn of(text: &'a str, run: Run) -> Self {
        let mut options = Options::default();
        options.set_emit_comments(false);
        let piece = run.span.of(text).unwrap_or("");
        Self {
            parser: Parser::new_from_str_with_options(piece, options),
            text,
            span: run.span,
            index: run.first,
            done: false,
        }
    }

    /// A scalar as kubectl and Helm read it: one that ends with the text, within a line, ends without the line
    /// end that the engine adds (YAML 1.2.2, `b-chomped-last`: a line end or the end of the file).
    fn without_added_line_end(&self, event: Event<'a>, span: Span) -> Event<'a> {
        match event {
            Event::Scalar(value, style, anchor, tag)
                if span.end >= self.span.end
                    && ends_within_line(self.text, &value, style.into()) =>
            {
                let end = value.len() - 1;
                let value = match value {
                    Cow::Borrowed(value) => Cow::Borrowed(&value[..end]),
                    Cow::Owned(value) => Cow::Owned(value[..end].to_string()),
                };
                Event::Scalar(value, style, anchor, tag)
            }
            other => other,
        }
    }

    /// Where something stands in the whole text.
    fn place(&self, span: &EngineSpan) -> Span {
        let range = span.byte_range().unwrap_or_default();
        let from = self.span.start;
        Span::new(from + range.start, from + range.end.max(range.start))
    }

    /// Notes the broken document and moves on to the next one, if there is any.
    fn recover(&mut self, error: &ScanError) -> YamlError {
        let offset = self.span.start + error.marker().byte_offset().unwrap_or(0);
        let failed = YamlError {
            document: self.index,
            offset: offset.min(self.span.end),
            message: error.info().clone(),
        };
        self.index += 1;
        self.done = !matches!(self.parser.proceed_next_document(), Ok(true));
        failed
    }
}

/// A collection whose end has not come yet.
struct Open {
    id: NodeId,
    in_flow: bool,
    /// How many nodes stand directly below it so far.
    children: usize,
}

/// A document in the making.
#[derive(Default)]
struct Builder<'a> {
    nodes: Vec<Node<'a>>,
    /// The collections that are open, outermost first.
    open: Vec<Open>,
    /// The anchors seen: the engine's id, which only grows, and the node.
    anchors: Vec<(usize, NodeId)>,
    scalars: usize,
    has_aliases: bool,
}

impl<'a> Builder<'a> {
    fn add(&mut self, event: Event<'a>, span: Span) {
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let ordinal = self.scalars;
                self.scalars += 1;
                let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()).into());
                let kind = Kind::Scalar {
                    value,
                    style: style.into(),
                    tag,
                    ordinal,
                };
                self.push(kind, span, anchor, None);
            }
            Event::SequenceStart(style, anchor, _) => {
                self.push(Kind::Sequence, span, anchor, Some(style));
            }
            Event::MappingStart(style, anchor, _) => {
                self.push(Kind::Mapping, span, anchor, Some(style));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { id, .. }) = self.open.pop() {
                    self.nodes[id].end = self.nodes.len();
                    self.nodes[id].span.end = span.end.max(self.nodes[id].span.start);
                }
            }
            Event::Alias(id) => {
                self.has_aliases = true;
                // The engine refuses an alias without its anchor, so the search always succeeds.
                let found = self
                    .anchors
                    .binary_search_by_key(&id, |&(anchor, _)| anchor);
                let target = found.map_or(0, |index| self.anchors[index].1);
                self.push(Kind::Alias(target), span, 0, None);
            }
            _ => {}
        }
    }

    fn push(&mut self, kind: Kind<'a>, span: Span, anchor: usize, opens: Option<StructureStyle>) {
        let id = self.nodes.len();
        let (parent, position, in_flow) = match self.open.last_mut() {
            Some(open) => {
                open.children += 1;
                (open.id, open.children - 1, open.in_flow)
            }
            None => (id, 0, false),
        };
        let anchored = anchor != 0;
        self.nodes.push(Node {
            kind,
            span,
            end: id + 1,
            parent,
            position,
            anchored,
            in_flow,
        });
        if anchor != 0 {
            self.anchors.push((anchor, id));
        }
        if let Some(style) = opens {
            self.open.push(Open {
                id,
                in_flow: style == StructureStyle::Flow,
                children: 0,
            });
        }
    }

    fn finish(self, index: usize) -> Document<'a> {
        Document {
            path: DocumentPath::of_stream(index),
            wrapping: Wrapping::Bare,
            nodes: self.nodes,
            has_aliases: self.has_aliases,
            mask: None,
        }
    }
}

impl From<ScalarStyle> for Style {
    fn from(style: ScalarStyle) -> Self {
        match style {
            ScalarStyle::Plain => Self::Plain,
            ScalarStyle::SingleQuoted => Self::SingleQuoted,
            ScalarStyle::DoubleQuoted => Self::DoubleQuoted,
            ScalarStyle::Literal => Self::Literal,
            ScalarStyle::Folded => Self::Folded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_told_from_text_that_looks_like_them() {
        let text = "# a\r\nb: |\n  # no\n  x # no\n # c\nd: 'x # no' # e\nf: x#no\ng: \"# no\n  # no\" # h\n--- # i\nj: [1 # k\n  ]\n";
        let found: Vec<_> = comments(text)
            .into_iter()
            .map(|span| span.of(text).unwrap())
            .collect();
        assert_eq!(found, ["# a", "# c", "# e", "# h", "# i", "# k"]);
        let broken = "# a\nb: [1\n---\n# c\nd: e # f\n";
        let found: Vec<_> = comments(broken)
            .into_iter()
            .map(|span| span.of(broken).unwrap())
            .collect();
        assert_eq!(found.last(), Some(&"# f"));
        let many = format!("a:\n{}  b: 1\n", "# x\n".repeat(5000));
        assert_eq!(comments(&many).len(), 5000);
    }

    #[test]
    fn a_mapping_gives_its_entries() {
        let document = documents("a: 1\nb: [x, {c: d}]\ne: &f g\nh: *f\n")
            .next()
            .unwrap()
            .unwrap();
        let keys: Vec<_> = document.entries(0).filter_map(|entry| entry.key).collect();
        assert_eq!(keys, ["a", "b", "e", "h"]);
        let list = document.get(0, "b").unwrap();
        assert_eq!(document.items(list).count(), 2);
        assert_eq!(document.text_at(0, &["h"]), Some("g"));
        assert!(document.has_aliases);
    }

    #[test]
    fn a_broken_document_does_not_stop_the_ones_after_it() {
        let text = "a: 1\n---\nb: [1, 2\n---\nc: 3\n";
        let all: Vec<_> = documents(text).collect();
        assert_eq!(all.len(), 3);
        assert!(all[0].is_ok());
        assert_eq!(all[1].as_ref().unwrap_err().document, 1);
        let last = all[2].as_ref().unwrap();
        assert_eq!(
            (last.path.stream(), last.text_at(0, &["c"])),
            (2, Some("3"))
        );
    }

    #[test]
    fn a_redefined_anchor_means_the_last_one_before_the_alias() {
        let text = "a: &x 1\nb: *x\nc: &x 2\nd: *x\n";
        let document = documents(text).next().unwrap().unwrap();
        assert_eq!(document.text_at(0, &["b"]), Some("1"));
        assert_eq!(document.text_at(0, &["d"]), Some("2"));
    }

    #[test]
    fn a_block_scalar_may_end_with_the_text() {
        for (text, value) in [
            ("a: |\n  b", "b"),
            ("a: |+\n  b\n  c", "b\nc"),
            ("a: >\n  b\n  c", "b c"),
            ("a: |\r\n  b", "b"),
            ("a: |-\n  b", "b"),
            ("a: |\n  b\n", "b\n"),
            ("a: |\n  b\n# c", "b\n"),
            ("a: |\n  b\n\n  ", "b\n"),
            ("a: |\n  b\n---\nc: d", "b\n"),
        ] {
            let document = documents(text).next().unwrap().unwrap();
            assert_eq!(document.text_at(0, &["a"]), Some(value), "{text:?}");
        }
    }

    #[test]
    fn empty_documents_are_counted_and_empty_text_has_none() {
        assert_eq!(documents("").count(), 0);
        assert_eq!(documents("# only a comment\n").count(), 0);
        let last = documents("---\n---\na: 1\n").last().unwrap().unwrap();
        assert_eq!(last.path.stream(), 1);
    }
}
