//! The ways in which a file can be read: as it stands, or as a template with its actions masked.
//!
//! A masked text is only for the parser. What it makes of filler is put back here, so that whoever
//! looks at the documents meets the template's own bytes (`{{ .Values.image }}`) in every value and
//! key, as they do in a template that happens to be YAML, and never a word that stands for an action.

use std::borrow::Cow;
use std::collections::HashMap;

use super::actions::{Action, Does};
use super::inside::lines;
use super::mask::{Branches, Masked, Piece};
use super::parse::{Document, Kind, NodeId, Style, YamlError, documents};
use crate::source::Span;

/// How a text is read. Documents that are read in different ways are different documents, whatever
/// their place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// As it stands.
    #[default]
    Raw,
    /// With the actions masked, and these branches of them.
    Masked(Branches),
}

impl Reading {
    /// What the parser is given; `None` when a text cannot be read so.
    pub fn of(self, text: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Raw => Some(Cow::Borrowed(text)),
            Self::Masked(branches) => {
                let masked = Masked::of(text, branches)?;
                Some(Cow::Owned(masked.text))
            }
        }
    }
}

/// What a document that was read with a mask knows of it.
#[derive(Clone, Debug)]
pub(super) struct Mask<'a> {
    pub(super) masked: &'a Masked,
    /// What the parser made of the texts that were put back.
    pub(super) values: HashMap<NodeId, Cow<'a, str>>,
}

impl Masked {
    /// Whether every document of it can be read.
    pub fn is_readable(&self) -> bool {
        documents(&self.text).all(|document| document.and_then(Document::of_one_object).is_ok())
    }

    /// The documents of `original`, of which this is the masked text.
    pub fn documents<'a>(
        &'a self,
        original: &'a str,
        branches: Branches,
    ) -> impl Iterator<Item = Result<Document<'a>, YamlError>> + 'a {
        documents(&self.text).map(move |document| {
            let document = document?.of_one_object()?;
            Ok(self.restored_in(document, original, branches))
        })
    }

    /// All that is YAML of `original` when it is read so, also where several objects become one: nothing
    /// is believed of those, but what is written into them has to leave the rest as it is.
    pub fn yaml<'a>(
        &'a self,
        original: &'a str,
        branches: Branches,
    ) -> impl Iterator<Item = Document<'a>> + 'a {
        let read = documents(&self.text).flatten();
        read.map(move |document| self.restored_in(document, original, branches))
    }

    fn restored_in<'a>(
        &'a self,
        mut document: Document<'a>,
        original: &str,
        branches: Branches,
    ) -> Document<'a> {
        document.path = document.path.read_as(Reading::Masked(branches));
        restore(&mut document, original, self);
        document
    }
}

/// Puts the template's own bytes back into every scalar of a document that has to do with an action.
pub(super) fn restore<'a>(document: &mut Document<'a>, original: &str, masked: &'a Masked) {
    let mut values = HashMap::new();
    let keys: Vec<bool> = (0..document.nodes.len())
        .map(|id| document.is_key(id))
        .collect();
    for (id, node) in document.nodes.iter_mut().enumerate() {
        let Kind::Scalar { value, style, .. } = &mut node.kind else {
            continue;
        };
        let Some((span, text)) = masked.restored(original, *style, node.span, value, keys[id])
        else {
            continue;
        };
        node.span = span;
        values.insert(id, std::mem::replace(value, Cow::Owned(text)));
    }
    document.mask = Some(Mask { masked, values });
}

impl Masked {
    /// What stands in a template where the parser sees a scalar at `span`: its bytes and the text.
    /// `None` when no action has to do with it.
    fn restored(
        &self,
        original: &str,
        style: Style,
        span: Span,
        value: &str,
        is_key: bool,
    ) -> Option<(Span, String)> {
        match style {
            Style::Plain => {
                let wide = self.widened(original, span, is_key);
                if wide == span && !self.overlaps(span) {
                    return None;
                }
                Some((wide, wide.of(original)?.to_string()))
            }
            Style::SingleQuoted | Style::DoubleQuoted => {
                let inner = Span::new(span.start + 1, span.end.max(span.start + 2) - 1);
                if !self.overlaps(inner) {
                    return None;
                }
                // What is escaped keeps its quotes, and so is nothing that could be edited.
                let escapes: &[char] = if style == Style::SingleQuoted {
                    &['\'', '\n']
                } else {
                    &['\\', '\n']
                };
                let is_plain = !inner.of(&self.text)?.contains(escapes);
                let text = if is_plain { inner } else { span }.of(original)?;
                Some((span, text.to_string()))
            }
            Style::Literal | Style::Folded if value.trim().is_empty() => {
                // Such a scalar begins where what follows it does: nothing but actions stands before that.
                let head = self.text[..span.start].trim_end().len();
                let body = Span::new(head, span.start);
                if !self.overlaps(body) {
                    return None;
                }
                Some((span, self.without_lines_left_out(original, body)?))
            }
            Style::Literal | Style::Folded => {
                let body = Span::new(span.start, self.block_end(span.start));
                let goes_on = self.widened(original, body, false).end;
                if goes_on > body.end {
                    let whole = Span::new(body.start, goes_on).of(original)?;
                    return Some((span, whole.to_string()));
                }
                if !self.overlaps(body) {
                    return None;
                }
                let text = self.filled_in(original, span.start, value);
                Some((span, text.or_else(|| self.dedented(original, body))?))
            }
        }
    }

    /// What stands in a template at `span`, trimmed. Lines of branches that are left out are not shown: they may
    /// be no text at all, but entries.
    fn without_lines_left_out(&self, original: &str, span: Span) -> Option<String> {
        let mut shown = String::new();
        let mut at = span.start;
        for piece in &self.pieces {
            let (start, end) = (piece.first.span.end, piece.last.span.start);
            if span.start <= start && end <= span.end && piece.left_out(original).contains('\n') {
                shown.push_str(original.get(at..start)?);
                at = end;
            }
        }
        shown.push_str(original.get(at..span.end)?);
        Some(shown.trim().to_string())
    }

    /// A scalar without quotes, and the actions that what they write may be joined to it: those that
    /// touch it, or take away the blanks between, be it over others that write nothing. A key is joined to
    /// nothing but what is written.
    fn widened(&self, original: &str, span: Span, is_key: bool) -> Span {
        let before = self
            .pieces
            .partition_point(|piece| piece.span.end <= span.start);
        let after = self
            .pieces
            .partition_point(|piece| piece.span.start < span.end);
        let (mut start, mut end) = (span.start, span.end);
        let (mut joined, mut is_trimmed) = (start, false);
        // How many branches have been met at their other end: what they hold is written, too, even if it is
        // left out here.
        let mut depth = 0_usize;
        for piece in self.pieces[..before].iter().rev() {
            let gap = original.get(piece.span.end..joined).unwrap_or("x");
            let goes_on = is_trimmed || piece.last.trims_behind;
            if !(gap.is_empty() || goes_on && gap.trim().is_empty()) {
                break;
            }
            depth += usize::from(piece.last.does == Does::Close);
            let is_left_out = depth > 0 && piece.ends_in_text(original);
            let writes = piece.last.does == Does::Write || is_left_out;
            if writes || !is_key && piece.span.end == start {
                start = piece.span.start;
            } else if is_key && !gap.is_empty() {
                // Another line, with no more than a branch or an assignment between.
                break;
            }
            depth = depth.saturating_sub(usize::from(piece.first.does == Does::Open));
            (joined, is_trimmed) = (piece.span.start, piece.first.trims_before);
        }
        let (mut joined, mut is_trimmed) = (end, false);
        let mut depth = 0_usize;
        for piece in &self.pieces[after..] {
            let gap = original.get(joined..piece.span.start).unwrap_or("x");
            let goes_on = is_trimmed || piece.first.trims_before;
            if !(gap.is_empty() || goes_on && gap.trim().is_empty()) {
                break;
            }
            let touches = piece.span.start == end;
            let is_beside = piece.first.does == Does::Open || depth > 0;
            let is_left_out = is_beside && piece.begins_in_text(original);
            if touches || is_left_out || writes_on(original, piece.span, &piece.last) {
                end = piece.span.end;
            }
            depth += usize::from(piece.first.does == Does::Open);
            depth = depth.saturating_sub(usize::from(piece.last.does == Does::Close));
            (joined, is_trimmed) = (piece.span.end, piece.last.trims_behind);
        }
        Span::new(start, end)
    }

    /// Where the block scalar ends whose content begins at `start`.
    fn block_end(&self, start: usize) -> usize {
        let text = &self.text;
        let indent = self.column(start);
        let mut end = start;
        let mut at = start;
        for line in text[start..].split_inclusive('\n') {
            let content = line.trim_end();
            let blanks = content.len() - content.trim_start_matches(' ').len();
            let is_first = at == start;
            if !is_first && !content.is_empty() && blanks < indent {
                break;
            }
            if !content.is_empty() {
                end = at + content.len();
            }
            at += line.len();
        }
        end
    }

    /// The text of a block scalar, byte for byte, with those of actions put back.
    fn filled_in(&self, original: &str, start: usize, value: &str) -> Option<String> {
        let lines = lines(&self.text, start, value)?;
        let mut bytes = value.as_bytes().to_vec();
        for (index, &(inner, outer)) in lines.iter().enumerate() {
            let next = lines.get(index + 1).map_or(value.len(), |next| next.0);
            for (there, byte) in (outer..).zip(&mut bytes[inner..next]) {
                if self.overlaps(Span::new(there, there + 1)) {
                    *byte = *original.as_bytes().get(there)?;
                }
            }
        }
        String::from_utf8(bytes).ok()
    }

    fn column(&self, at: usize) -> usize {
        at - self.text[..at].rfind('\n').map_or(0, |found| found + 1)
    }

    /// The text of a folded scalar without its indentation.
    fn dedented(&self, original: &str, body: Span) -> Option<String> {
        let indent = self.column(body.start);
        let mut lines = body.of(original)?.split('\n');
        let mut text = lines.next()?.to_string();
        for line in lines {
            let blanks = line.bytes().take_while(|&byte| byte == b' ').count();
            text.push('\n');
            text.push_str(&line[blanks.min(indent)..]);
        }
        Some(text)
    }
}

impl Piece {
    /// The text of a branch that is left out, between the actions around it.
    fn left_out<'t>(&self, original: &'t str) -> &'t str {
        let (start, end) = (self.first.span.end, self.last.span.start);
        original.get(start..end).unwrap_or("")
    }

    /// Whether a branch that is left out ends in something that goes on behind it.
    fn ends_in_text(&self, original: &str) -> bool {
        let text = self.left_out(original);
        let text = if self.last.trims_before {
            text.trim_end()
        } else {
            text
        };
        !text.is_empty() && !text.ends_with(char::is_whitespace)
    }

    /// Whether a branch that is left out begins with something that goes on with what stands before it.
    fn begins_in_text(&self, original: &str) -> bool {
        let text = self.left_out(original);
        let text = if self.first.trims_behind {
            text.trim_start()
        } else {
            text
        };
        !text.is_empty() && !text.starts_with(char::is_whitespace)
    }
}

/// Whether something that is no blank comes right behind an action, or is written by it.
fn writes_on(original: &str, span: Span, action: &Action) -> bool {
    if action.does == Does::Write {
        return !action.indents;
    }
    let rest = original.get(span.end..).unwrap_or("");
    let rest = if action.trims_behind {
        rest.trim_start()
    } else {
        rest
    };
    let ends = rest.is_empty() || rest.starts_with(char::is_whitespace) || rest.starts_with("{{");
    !ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Inside, Place, Scalar};

    /// The scalars of a template, and the bytes of those whose bytes are their text.
    fn scalars(text: &str) -> Vec<(String, bool)> {
        let masked = Masked::of(text, Branches::All).unwrap();
        let mut found = Vec::new();
        for document in masked.documents(text, Branches::All) {
            let document = document.unwrap();
            for id in 0..document.nodes.len() {
                if let Some(scalar) = Scalar::locate(text, &document, id) {
                    let exact = match scalar.place {
                        Place::Exact(span) => {
                            assert_eq!(span.of(text), Some(scalar.value.as_str()));
                            true
                        }
                        Place::Spelled(_) => false,
                    };
                    found.push((scalar.value, exact));
                }
            }
        }
        found
    }

    /// The value under the first key.
    fn value(text: &str) -> (String, bool) {
        scalars(text).swap_remove(1)
    }

    #[test]
    fn values_show_the_bytes_of_actions() {
        for (text, wanted) in [
            ("a: {{ .b }}/nginx:1\n", "{{ .b }}/nginx:1"),
            ("a: nginx:{{ .b }} # c\n", "nginx:{{ .b }}"),
            (
                "a: \"x:{{ .b | default \"c\" }}\"\n",
                "x:{{ .b | default \"c\" }}",
            ),
            ("a: 'x:{{ \"ü\" }}'\n", "x:{{ \"ü\" }}"),
            ("a: x{{/* c */}}\n", "x{{/* c */}}"),
            ("a: {{ if .b }}x{{ end }}\n", "{{ if .b }}x{{ end }}"),
            ("a: x {{- .b }}\n", "x {{- .b }}"),
            ("a: x\n{{- .b }}\n", "x\n{{- .b }}"),
            (
                "a: x\n{{- if .b }}{{ .c }}{{ end }}\n",
                "x\n{{- if .b }}{{ .c }}{{ end }}",
            ),
            ("a:\n  {{ .b -}}\n  x\n", "{{ .b -}}\n  x"),
            (
                "a: {{ with .b }}{{ . }}{{ end -}}\n  x\n",
                "{{ with .b }}{{ . }}{{ end -}}\n  x",
            ),
            (
                "a: {{ .b }}{{/* c */ -}}\n  x\n",
                "{{ .b }}{{/* c */ -}}\n  x",
            ),
            (
                "a: {{ if .b -}}\n  {{ .c }}\n  {{- end -}}\n  x\n",
                "{{ .c }}\n  {{- end -}}\n  x",
            ),
            ("a: {{ .b\n  }}:c\n", "{{ .b\n  }}:c"),
            ("{a: x{{ .b }}, c: d}\n", "x{{ .b }}"),
            ("a: |-\n  x:{{ .b }}\nc: d\n", "x:{{ .b }}"),
        ] {
            assert_eq!(value(text), (wanted.to_string(), true), "{text:?}");
        }
    }

    #[test]
    fn empty_blocks_show_the_actions_in_them_and_nothing_else() {
        for (text, wanted) in [
            ("a: |\n  {{- .b }}\nc: d\n", "{{- .b }}"),
            ("a: | # {{ .b }}\nc: d\n", ""),
            ("- a: |\n- {c: d} # {{- }}\n{{- }}", ""),
            ("a: |+\n\n\nc: d\n{{- }}", "\n\n"),
        ] {
            assert_eq!(
                value(text),
                (wanted.to_string(), wanted.is_empty()),
                "{text:?}"
            );
        }
        let text = "{{ if .x }}\na: |\n{{ else }}\na: b\n{{ end }}\nc: d\n";
        let masked = Masked::of(text, Branches::Only(0)).unwrap();
        let document = masked.documents(text, Branches::Only(0)).next().unwrap();
        assert_eq!(document.unwrap().text(2), Some("{{ else }}{{ end }}"));
    }

    #[test]
    fn what_actions_do_not_reach_stays() {
        for text in [
            "a: x # {{ .b }}\nc: {{ .d }}\n",
            "a: x {{/* c */}}\n",
            "a: x\n{{ .b }}\n",
            "a: x\n{{- if .b }}\nc: d\n{{- end }}\n",
            "a: x\n{{- with .b }}\n{{- toYaml . | nindent 2 }}\n{{- end }}\n",
            "a: x\n{{- toYaml .b | nindent 2 }}\n",
            "a: x\n{{- end -}}\n{{- /* c */}}\n",
            "a: \"x\"{{/* b */}}\n",
            "{{ if .b -}}\na: x\n{{ end }}\n",
            "a: |-\n  x\n{{- end }}\nc: d\n",
        ] {
            if let (value, true) = value(text) {
                assert_eq!(value, "x", "{text:?}");
            } else {
                panic!("{text:?}");
            }
        }
    }

    #[test]
    fn keys_are_put_back_and_escapes_cannot_be_edited() {
        let text = "{{ .a }}image: x\n\"b{{ .c }}\": y\n";
        let texts: Vec<_> = scalars(text).into_iter().map(|(text, _)| text).collect();
        assert_eq!(texts, ["{{ .a }}image", "x", "b{{ .c }}", "y"]);
        for text in [
            "a: \"x\\u003a{{ .b }}\"\n",
            "a: 'it''s {{ .b }}'\n",
            "a: >-\n  b\n  x:{{ .c }}\n",
            "a: |-\n  b\n  x:{{ .c }}\n",
        ] {
            let (value, exact) = value(text);
            assert!(!exact && value.contains("{{ "), "{text:?} {value:?}");
        }
    }

    #[test]
    fn texts_in_templates_are_placed() {
        let text = "a: |\n  x: 1\n  {{- if .b }}\n  y: c:{{ .d }}\n  {{- end }}\n  z: 'ü {{ \"ü\" }}'\ne: '{x: {{ .f }}}'\n";
        let masked = Masked::of(text, Branches::All).unwrap();
        let document = masked
            .documents(text, Branches::All)
            .next()
            .unwrap()
            .unwrap();
        let texts = |key: &str| -> Vec<String> {
            let inside = Inside::of(text, &document, document.get(0, key).unwrap()).unwrap();
            let inner = inside.documents().next().unwrap().unwrap();
            let scalars = (0..inner.nodes.len()).filter_map(|id| Scalar::locate(text, &inner, id));
            scalars
                .map(|scalar| {
                    assert!(matches!(scalar.place, Place::Exact(span) if span.of(text) == Some(&scalar.value)));
                    scalar.value
                })
                .collect()
        };
        assert_eq!(
            texts("a"),
            ["x", "1", "y", "c:{{ .d }}", "z", "ü {{ \"ü\" }}"]
        );
        assert_eq!(texts("e"), ["x", "{{ .f }}"]);
        let folded = "a: >\n  x: {{ .b }}\n  y\n";
        let masked = Masked::of(folded, Branches::All).unwrap();
        let document = masked
            .documents(folded, Branches::All)
            .next()
            .unwrap()
            .unwrap();
        assert!(Inside::of(folded, &document, 2).is_none());
    }
}
