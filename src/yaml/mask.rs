//! A template with its actions overwritten, byte for byte, so that it can be read as YAML.
//!
//! What stands in the place of an action is a matter of measurement: with the rules here, nearly every
//! chart template of public repositories parses. Every offset in the masked text is one in the file.

use super::actions::{Action, Does, actions};
use crate::source::Span;

/// Which branches of a template's `if … else … end` are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Branches {
    /// All, one after the other.
    #[default]
    All,
    /// The one of this number (0-based), or the last one where there are fewer.
    Only(u8),
}

/// A text as it is read.
#[derive(Debug)]
pub struct Masked {
    /// As long as the template, with the same bytes outside of actions and of branches left out.
    pub(super) text: String,
    /// What was overwritten, in the order of the text.
    pub(super) pieces: Vec<Piece>,
    /// How many branches those actions have that have most.
    branches: usize,
}

/// What is overwritten as one: an action, or a branch with the actions around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// Its bytes.
    pub(super) span: Span,
    /// Whether it is read as nothing.
    pub(super) is_blank: bool,
    /// Its first action, and its last.
    pub(super) first: Action,
    pub(super) last: Action,
}

impl Masked {
    /// Masks a template; `None` when it holds no action.
    pub fn of(text: &str, branches: Branches) -> Option<Self> {
        let actions = actions(text);
        if actions.is_empty() {
            return None;
        }
        let (pieces, most) = pieces(&actions, branches);
        let mut mask = Mask {
            text: text.as_bytes(),
            out: text.as_bytes().to_vec(),
            pieces: &pieces,
        };
        mask.run();
        let masked = String::from_utf8(mask.out).ok()?;
        Some(Self {
            text: masked,
            pieces,
            branches: most,
        })
    }

    /// The text to parse.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many branches those of its actions have that have most; 1 without any `else`.
    pub fn branches(&self) -> usize {
        self.branches
    }

    /// Whether any of these bytes was overwritten.
    pub fn overlaps(&self, span: Span) -> bool {
        let first = self
            .pieces
            .partition_point(|piece| piece.span.end <= span.start);
        let piece = self.pieces.get(first);
        piece.is_some_and(|piece| piece.span.start < span.end)
    }
}

impl Masked {
    /// Whether the byte at `at` was overwritten, or the one before it.
    pub fn touches_before(&self, at: usize) -> bool {
        self.overlaps(Span::new(at.saturating_sub(1), at + 1))
    }
}

/// The bytes of the actions of `text`, in its order.
pub fn action_texts(text: &str) -> impl Iterator<Item = &str> {
    let actions = actions(text).into_iter();
    actions.filter_map(move |action| action.span.of(text))
}

/// What is overwritten when these branches are read, and how many branches there are at most.
fn pieces(actions: &[Action], branches: Branches) -> (Vec<Piece>, usize) {
    let (blanked, most) = blanked(actions, branches);
    let whole = blanked.iter().map(|&(first, last)| Piece {
        span: Span::new(actions[first].span.start, actions[last].span.end),
        is_blank: true,
        first: actions[first],
        last: actions[last],
    });
    let single = actions.iter().map(|&action| Piece {
        span: action.span,
        is_blank: action.does != Does::Write,
        first: action,
        last: action,
    });
    let mut all: Vec<Piece> = whole.chain(single).collect();
    all.sort_by_key(|piece| (piece.span.start, std::cmp::Reverse(piece.span.end)));
    let mut pieces: Vec<Piece> = Vec::new();
    for piece in all {
        if pieces
            .last()
            .is_none_or(|last| last.span.end <= piece.span.start)
        {
            pieces.push(piece);
        }
    }
    (pieces, most)
}

/// The branches that are not read, each by the actions before and behind it.
fn blanked(actions: &[Action], branches: Branches) -> (Vec<(usize, usize)>, usize) {
    let mut open: Vec<Vec<usize>> = Vec::new();
    let (mut blanked, mut most) = (Vec::new(), 1);
    for (index, action) in actions.iter().enumerate() {
        match action.does {
            Does::Open => open.push(vec![index]),
            Does::Else => {
                if let Some(marks) = open.last_mut() {
                    marks.push(index);
                }
            }
            Does::Close => {
                let Some(mut marks) = open.pop() else {
                    continue;
                };
                let count = marks.len();
                most = most.max(count);
                marks.push(index);
                if let Branches::Only(kept) = branches
                    && count > 1
                {
                    let kept = usize::from(kept).min(count - 1);
                    blanked.push((marks[0], marks[kept]));
                    blanked.push((marks[kept + 1], marks[count]));
                }
            }
            Does::Write | Does::Nothing => {}
        }
    }
    (blanked, most)
}

/// How many actions are looked at for the end of an `else` on one line; nobody writes more.
const MAX_ACTIONS: usize = 100;

/// The work of overwriting.
struct Mask<'t> {
    text: &'t [u8],
    out: Vec<u8>,
    pieces: &'t [Piece],
}

/// Lines that pieces tie together.
#[derive(Clone, Copy)]
struct Block {
    /// The first byte, and the one behind the last, without the line break.
    start: usize,
    end: usize,
    /// The pieces in it.
    from: usize,
    to: usize,
}

impl Mask<'_> {
    fn run(&mut self) {
        let mut from = 0;
        while from < self.pieces.len() {
            let block = self.block(from);
            self.fill(block);
            from = block.to;
        }
    }

    /// The lines of the piece `from` and of all that share one with it.
    fn block(&self, from: usize) -> Block {
        let start = self.line_start(self.pieces[from].span.start);
        let mut to = from + 1;
        let mut end = self.line_end(self.pieces[from].span.end);
        while let Some(piece) = self.pieces.get(to)
            && piece.span.start < end
        {
            end = self.line_end(piece.span.end);
            to += 1;
        }
        Block {
            start,
            end,
            from,
            to,
        }
    }

    fn line_start(&self, at: usize) -> usize {
        let start = memchr::memrchr(b'\n', &self.text[..at]).map_or(0, |found| found + 1);
        let has_mark = start == 0 && self.text.starts_with("\u{feff}".as_bytes());
        if has_mark { 3.min(at) } else { start }
    }

    fn line_end(&self, at: usize) -> usize {
        memchr::memchr(b'\n', &self.text[at..]).map_or(self.text.len(), |found| at + found)
    }

    fn fill(&mut self, block: Block) {
        let content = self.content(block);
        if content == block.end {
            // Blanks would end a block scalar.
            self.put(block.start, block.end, b'\n');
            return;
        }
        let pieces = self.pieces;
        let leading = pieces[block.from..block.to]
            .iter()
            .take_while(|piece| piece.span.end <= content)
            .count();
        if leading > 0 {
            let indent = self.indent(block.start);
            self.put(block.start, content - indent, b'\n');
            self.put(content - indent, content, b' ');
        }
        let apart = self.set_apart(block, content, block.from + leading);
        for piece in &pieces[apart..block.to] {
            self.put(piece.span.start, piece.span.end, b' ');
        }
        let mut at = block.from + leading;
        while at < apart {
            let piece = pieces[at];
            let last = self.other_key(at, apart).unwrap_or(at);
            let filler = if piece.is_blank { b' ' } else { b'x' };
            self.put(piece.span.start, pieces[last].span.end, filler);
            at = last + 1;
        }
    }

    /// Where the first thing stands in a block that is neither blank nor read as nothing; its end when
    /// there is nothing but blanks and pieces.
    fn content(&self, block: Block) -> usize {
        let (mut first, mut at) = (None, block.start);
        for piece in &self.pieces[block.from..block.to] {
            if let Some(text) = self.not_blank(at, piece.span.start) {
                return first.unwrap_or(text);
            }
            if !piece.is_blank {
                first.get_or_insert(piece.span.start);
            }
            at = piece.span.end;
        }
        match self.not_blank(at, block.end) {
            Some(text) => first.unwrap_or(text),
            None => block.end,
        }
    }

    /// The first byte there that is not blank.
    fn not_blank(&self, from: usize, to: usize) -> Option<usize> {
        let bytes = self.text.get(from..to)?.iter();
        let found = bytes
            .clone()
            .position(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
        found.map(|found| from + found)
    }

    fn indent(&self, start: usize) -> usize {
        let rest = self.text[start..].iter();
        rest.take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    }

    /// The first of the pieces, from `first` on, that are all that stands behind a key or dash, if what they
    /// write goes on, or is gone on with, on lines of their own; the one behind the last, if not.
    fn set_apart(&self, block: Block, content: usize, first: usize) -> usize {
        let mut run = block.to;
        let mut after = block.end;
        while run > first
            && self
                .not_blank(self.pieces[run - 1].span.end, after)
                .is_none()
        {
            run -= 1;
            after = self.pieces[run].span.start;
        }
        let before = if run > first {
            self.pieces[run - 1].span.end
        } else {
            content
        };
        let head = self.text.get(before..after).unwrap_or_default();
        if run == block.to || !is_header(head) {
            return block.to;
        }
        let mut pieces = self.pieces[run..block.to].iter();
        let indents = pieces.any(|piece| piece.last.indents);
        if indents || self.goes_on(block, content) {
            run
        } else {
            block.to
        }
    }

    /// Whether the line after a block belongs to the value of the key with which its content begins.
    fn goes_on(&self, block: Block, content: usize) -> bool {
        let Some((indent, at)) = self.next_content(block) else {
            return false;
        };
        let dashes = self.text[content..].iter();
        let dashes = dashes
            .take_while(|byte| matches!(byte, b'-' | b' '))
            .count();
        let key = self.indent(block.start) + dashes;
        let is_item = self.text[at..].starts_with(b"- ") && dashes == 0;
        indent > key || is_item && indent == key
    }

    /// The indentation and place of what comes next after a block that is no comment.
    fn next_content(&self, block: Block) -> Option<(usize, usize)> {
        let mut next = block.to;
        let mut start = block.end + 1;
        loop {
            if start >= self.text.len() {
                return None;
            }
            let end = self.line_end(start);
            let found = match self.pieces.get(next).filter(|piece| piece.span.start < end) {
                Some(_) => {
                    let after = self.block(next);
                    next = after.to;
                    let content = self.content(after);
                    start = after.end + 1;
                    (content < after.end).then_some((self.indent(after.start), content))
                }
                None => {
                    let text = self.not_blank(start, end);
                    let found = text.map(|text| (text - start, text));
                    start = end + 1;
                    found
                }
            };
            if let Some((_, at)) = found
                && self.text[at] != b'#'
            {
                return found;
            }
        }
    }

    /// The last piece of an `else … end` that begins with the piece `at` and holds a key of its own
    /// before the piece `end`, all on one line.
    fn other_key(&self, at: usize, end: usize) -> Option<usize> {
        if self.pieces[at].last.does != Does::Else {
            return None;
        }
        let mut depth = 0_usize;
        let mut has_key = false;
        for index in at + 1..end.min(at + MAX_ACTIONS) {
            let between = self.pieces[index - 1].span.end..self.pieces[index].span.start;
            let text = &self.text[between];
            has_key |= text.windows(2).any(|pair| pair == b": ") || text.ends_with(b":");
            match self.pieces[index].last.does {
                Does::Open => depth += 1,
                Does::Close if depth == 0 => return has_key.then_some(index),
                Does::Close => depth -= 1,
                _ => {}
            }
        }
        None
    }

    fn put(&mut self, from: usize, to: usize, byte: u8) {
        self.out[from..to].fill(byte);
    }
}

/// Whether a value may begin behind this text: a key, a dash, or the sign of a block scalar.
fn is_header(head: &[u8]) -> bool {
    let head = head.trim_ascii_end();
    let block = head
        .iter()
        .rposition(|byte| !matches!(byte, b'-' | b'+' | b'0'..=b'9'))
        .filter(|&at| matches!(head[at], b'|' | b'>'));
    let head = block.map_or(head, |at| head[..at].trim_ascii_end());
    let is_dash = || head.iter().all(|byte| matches!(byte, b'-' | b' '));
    head.ends_with(b":") || !head.is_empty() && is_dash()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::documents;

    fn masked(text: &str) -> String {
        let masked = Masked::of(text, Branches::All).unwrap().text;
        assert_eq!(masked.len(), text.len(), "{text:?}");
        masked
    }

    /// The text with every filler shown.
    #[track_caller]
    fn check(text: &str, wanted: &str) {
        assert_eq!(masked(text), wanted, "{text:?}");
        assert!(documents(wanted).all(|document| document.is_ok()));
    }

    #[test]
    fn lines_of_actions_are_empty() {
        check(
            "a: 1\n  {{- if .x }}\nb: 2\n",
            &format!("a: 1\n{}\nb: 2\n", "\n".repeat(14)),
        );
        check(
            "{{ \"}}\" }}\r\na: b\r\n",
            &format!("{}\na: b\r\n", "\n".repeat(11)),
        );
        check(
            "{{ dict\n\"ü\" 1 }} {{ end }}\na: b",
            &format!("{}\na: b", "\n".repeat(27)),
        );
        check(
            "a: |\n  b\n{{- end }}\n  c\n",
            &format!("a: |\n  b\n{}\n  c\n", "\n".repeat(10)),
        );
        check(
            "\u{feff}{{ x }}\na: b\n",
            &format!("\u{feff}{}\na: b\n", "\n".repeat(7)),
        );
    }

    #[test]
    fn what_follows_a_control_action_keeps_its_indentation() {
        check(
            "a:\n  {{ if .x }}b: c\n",
            &format!("a:\n{}  b: c\n", "\n".repeat(11)),
        );
        check(
            "a:\n  {{ if .x }} b: c{{ end }}\n",
            &format!("a:\n{}  b: c{}\n", "\n".repeat(12), " ".repeat(9)),
        );
        check(
            "{{ if .x }}{{ .y }}: c\n",
            &format!("{}xxxxxxxx: c\n", "\n".repeat(11)),
        );
    }

    #[test]
    fn control_actions_elsewhere_are_blank() {
        check("a: b {{/* c */}}\n", &format!("a: b {}\n", " ".repeat(11)));
        check(
            "a: {{ if .x }}b{{ else }}c{{ end }}\n",
            "a:            b          c         \n",
        );
        let text = "a: {{ if .x }}b{{ else }}c: d{{ end }}\n";
        check(text, &format!("a: {}b{}\n", " ".repeat(11), " ".repeat(23)));
    }

    #[test]
    fn what_is_written_on_lines_of_its_own_is_blank() {
        let blank = |count| " ".repeat(count);
        check(
            "a: {{- b | nindent 4 }}\nc: d\n",
            &format!("a: {}\nc: d\n", blank(20)),
        );
        check(
            "- {{ b | indent 4 }}\n- d\n",
            &format!("- {}\n- d\n", blank(18)),
        );
        check(
            "a: {{ b }}\n  # c\n  d: e\n",
            &format!("a: {}\n  # c\n  d: e\n", blank(7)),
        );
        check(
            "a: {{ b }}\n{{ if }}\n- e\n",
            &format!("a: {}\n\n\n\n\n\n\n\n\n\n- e\n", blank(7)),
        );
        check("- a: {{ b }}\n  c: d\n", "- a: xxxxxxx\n  c: d\n");
        check("a: {{ b }}\nc: d\n", "a: xxxxxxx\nc: d\n");
        check(
            "{{ a }}: |- {{ b | nindent 2 }}\nc: d\n",
            &format!("xxxxxxx: |- {}\nc: d\n", blank(19)),
        );
        check(
            "a: |- {{ b | nindent 2 }}\nc: d\n",
            &format!("a: |- {}\nc: d\n", blank(19)),
        );
    }

    #[test]
    fn other_actions_are_words() {
        check("a: {{ .b }}:{{ c }}\n", "a: xxxxxxxx:xxxxxxx\n");
        check(
            "a: \"b:{{ .c | default \"d\" }}\"\n",
            "a: \"b:xxxxxxxxxxxxxxxxxxxxxx\"\n",
        );
        check("a: [{{ b }}, c]\n", "a: [xxxxxxx, c]\n");
        check(
            "a: {{ dict\n\n  \"b\" 1 }}\n",
            &format!("a: {}\n", "x".repeat(19)),
        );
        check("# {{ a }}\nb: c\n", "# xxxxxxx\nb: c\n");
    }

    #[test]
    fn one_branch_is_read_at_a_time() {
        let text = "{{ if a }}\nb: 1\n{{ else if c }}\nb: 2\n{{ else }}\nb: 3\n{{ end }}\nd: 4\n";
        for (kept, value) in [(0, "1"), (1, "2"), (2, "3"), (7, "3")] {
            let masked = Masked::of(text, Branches::Only(kept)).unwrap();
            assert_eq!((masked.text.len(), masked.branches()), (text.len(), 3));
            let document = documents(&masked.text).next().unwrap().unwrap();
            let read = (document.text_at(0, &["b"]), document.text_at(0, &["d"]));
            assert_eq!(read, (Some(value), Some("4")));
            assert_eq!(document.entries(0).count(), 2);
        }
        let one = "a: {{ if .x }}b{{ else }}c{{ end }}\n";
        let masked = Masked::of(one, Branches::Only(1)).unwrap();
        assert_eq!(masked.text.trim_end(), format!("a: {}c", " ".repeat(22)));
    }

    #[test]
    fn many_nested_branches_on_one_line_are_read_in_time() {
        let deep = 20_000;
        let (open, close) = ("{{ if a }}b{{ else }}", "{{ end }}");
        let text = format!("a: {}{}\n", open.repeat(deep), close.repeat(deep));
        assert_eq!(masked(&text).len(), text.len());
    }

    #[test]
    fn a_text_without_actions_is_not_masked() {
        for text in ["a: b\n", "{{a: b}: c}\n", "a: {{ b\n"] {
            assert!(Masked::of(text, Branches::All).is_none());
        }
    }
}
