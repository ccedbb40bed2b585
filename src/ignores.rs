//! Comments that tell the program to leave images alone: `# ecr-rewrite: ignore`.
//!
//! At the end of a line a comment speaks for that line; alone on a line it speaks for the entry or
//! list item that comes next, with everything below it. What it speaks for is worked out here, from
//! the comment's place and the document's nodes; what becomes of the images there is the plan's
//! business. A text without the word costs one search for it.

use std::collections::{BTreeMap, HashMap, VecDeque};

use memchr::memmem;

use crate::source::Span;
use crate::yaml::{Document, Kind, NodeId, comments};

/// The word that every instruction starts with.
const WORD: &str = "ecr-rewrite:";
/// The only instruction.
const IGNORE: &str = "ignore";
/// More bytes than stand between the mark of a list item and the item.
const MAX_MARK: usize = 4096;

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The line of the comment, 1-based.
    pub line: usize,
    /// The codes that it silences; empty for everything.
    pub codes: Vec<String>,
    /// Why, in the author's words.
    pub reason: Option<String>,
    /// The bytes it speaks for; empty when nothing follows it.
    pub covers: Span,
}

impl Ignore {
    /// Whether it speaks of findings with this code.
    pub fn names(&self, code: &str) -> bool {
        self.codes.is_empty() || self.codes.iter().any(|named| named == code)
    }
}

/// The instructions of a file, and what they speak for.
#[derive(Clone, Debug, Default)]
pub struct Ignores {
    /// The instructions, in the order of the text.
    pub list: Vec<Ignore>,
    /// The lines (1-based) of comments that begin like one and cannot be understood.
    pub faulty: Vec<usize>,
    /// For each site that any speaks for (by its place in the file), which ones do.
    sites: BTreeMap<usize, Vec<usize>>,
}

/// The instructions of a file while its documents go by.
#[derive(Debug, Default)]
pub struct Gathering {
    ignores: Ignores,
    /// Those of the file itself that stand alone on their line.
    waiting: Waiting,
    /// A byte and its line, 0-based.
    counted: (usize, usize),
    /// The bytes at which the scalars of sites and their keys begin.
    places: Vec<(usize, usize)>,
}

/// Instructions alone on their line that have not met their node, and the byte where the text goes
/// on after each.
#[derive(Clone, Debug, Default)]
pub struct Waiting(VecDeque<(usize, usize)>);

impl Gathering {
    /// Reads the instructions of a text as it is `parsed`, which may be masked: with other line breaks;
    /// `None` when it does not hold the word.
    pub fn of(text: &str, parsed: &str) -> Option<Self> {
        memmem::find(parsed.as_bytes(), WORD.as_bytes())?;
        let mut gathering = Self::default();
        gathering.waiting = gathering.instructions(text, parsed, &comments(parsed));
        Some(gathering)
    }

    /// Whether there are any, even faulty ones.
    pub fn has_any(&self) -> bool {
        !self.ignores.is_empty()
    }

    /// Reads the instructions in these comments of `text`, the file's. They may stand in a text in it:
    /// then what is returned has to meet its documents, and theirs only.
    pub fn read(&mut self, text: &str, comments: &[Span]) -> Waiting {
        self.instructions(text, text, comments)
    }

    fn instructions(&mut self, text: &str, parsed: &str, comments: &[Span]) -> Waiting {
        let instructions = comments
            .iter()
            .filter_map(|&comment| Some((comment, comment.of(parsed).and_then(instruction)?)));
        let mut alone = Vec::new();
        for (comment, instruction) in instructions {
            let line = self.line(text, comment.start) + 1;
            let Some((codes, reason)) = parse(instruction) else {
                self.ignores.faulty.push(line);
                continue;
            };
            let start = parsed[..comment.start].rfind('\n').map_or(0, |at| at + 1);
            let before = parsed[start..comment.start].trim_start_matches('\u{feff}');
            let covers = if before.trim().is_empty() {
                alone.push((self.ignores.list.len(), comment));
                Span::new(comment.end, comment.end)
            } else {
                Span::new(start, comment.start)
            };
            self.ignores.list.push(Ignore {
                line,
                codes,
                reason,
                covers,
            });
        }
        waiting(parsed, &alone)
    }

    /// The line (0-based) of the byte at `at`, counted from the last one that was asked for.
    fn line(&mut self, text: &str, at: usize) -> usize {
        let (from, line) = self.counted;
        let between = &text.as_bytes()[from.min(at)..from.max(at)];
        let breaks = memchr::memchr_iter(b'\n', between).count();
        let line = if at < from {
            line - breaks
        } else {
            line + breaks
        };
        self.counted = (at, line);
        line
    }

    /// The instructions of the file that have to meet its documents, once for each way in which it is
    /// read.
    pub fn waiting(&self) -> Waiting {
        self.waiting.clone()
    }

    /// Finds the nodes of the next document that instructions on lines of their own speak for.
    pub fn meet(&mut self, waiting: &mut Waiting, text: &str, document: &Document<'_>) {
        let last = document.nodes.last().map_or(0, |node| node.span.start);
        while let Some(&(index, at)) = waiting.0.front()
            && at <= last
        {
            waiting.0.pop_front();
            let covers = &mut self.ignores.list[index].covers;
            if covers.start == covers.end
                && let Some(next) = next_node(text, document, at)
            {
                *covers = next;
            }
        }
    }

    /// Notes where the site `site` of `document` stands: the bytes at which its scalars begin.
    pub fn note(
        &mut self,
        site: usize,
        document: &Document<'_>,
        scalars: impl Iterator<Item = usize>,
    ) {
        for at in scalars {
            self.places.push((at, site));
            self.places
                .extend(key_of(document, at).map(|key| (key, site)));
        }
    }

    /// The instructions, once every document has gone by.
    pub fn finish(mut self) -> Ignores {
        self.ignores.list.sort_by_key(|ignore| ignore.line);
        self.ignores.faulty.sort_unstable();
        let mut sites: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (site, speaking) in self.ignores.speaking_at(std::mem::take(&mut self.places)) {
            let all = sites.entry(site).or_default();
            all.extend(speaking);
            all.sort_unstable();
            all.dedup();
        }
        Ignores {
            sites,
            ..self.ignores
        }
    }
}

impl Ignores {
    /// Whether there are none, not even faulty ones.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && self.faulty.is_empty()
    }

    /// The sites that any instruction speaks for, with those that do (by their place in
    /// [`Ignores::list`]).
    pub fn sites(&self) -> impl Iterator<Item = (usize, &[usize])> {
        self.sites
            .iter()
            .map(|(&site, speaking)| (site, speaking.as_slice()))
    }

    /// Gives the sites their new numbers; every one of them has one.
    pub fn renumber(&mut self, numbers: &HashMap<usize, usize>) {
        let sites = std::mem::take(&mut self.sites).into_iter();
        self.sites = sites
            .filter_map(|(site, speaking)| Some((*numbers.get(&site)?, speaking)))
            .collect();
    }

    /// The instructions that speak for a site, by their place in [`Ignores::list`].
    pub fn of_site(&self, site: usize) -> &[usize] {
        self.sites.get(&site).map_or(&[], Vec::as_slice)
    }

    /// For each of these bytes with its mark, the instructions that speak for it; bytes that none
    /// speaks for are left out.
    pub fn speaking_at<M: Copy>(&self, mut places: Vec<(usize, M)>) -> Vec<(M, Vec<usize>)> {
        places.sort_by_key(|&(at, _)| at);
        let mut order: Vec<usize> = (0..self.list.len()).collect();
        order.sort_by_key(|&index| self.list[index].covers.start);
        let mut order = order.into_iter().peekable();
        // What speaks where the sweep has come to: never more than the nesting is deep.
        let mut open: Vec<usize> = Vec::new();
        let mut result = Vec::new();
        for (at, mark) in places {
            while let Some(index) = order.next_if(|&index| self.list[index].covers.start <= at) {
                open.push(index);
            }
            open.retain(|&index| self.list[index].covers.end > at);
            if !open.is_empty() {
                result.push((mark, open.clone()));
            }
        }
        result
    }
}

/// Where the text goes on after each of these comments. From the last one back, so that a block of
/// comments is read once.
fn waiting(text: &str, alone: &[(usize, Span)]) -> Waiting {
    let mut waiting = VecDeque::with_capacity(alone.len());
    let mut later: Option<(usize, usize)> = None;
    for &(index, comment) in alone.iter().rev() {
        let next = next_text(text, comment.end, later);
        later = Some((comment.start, next));
        waiting.push_front((index, next));
    }
    Waiting(waiting)
}

/// What follows the word in a comment that has it right behind a `#`; another comment may stand
/// before that on the line.
fn instruction(comment: &str) -> Option<&str> {
    let at = comment
        .match_indices(WORD)
        .map(|(at, _)| at)
        .find(|&at| comment[..at].trim_end().ends_with('#'))?;
    Some(comment[at + WORD.len()..].trim())
}

/// Reads `ignore`, `ignore[CODE, …]`, each with an optional ` -- reason`.
fn parse(instruction: &str) -> Option<(Vec<String>, Option<String>)> {
    let rest = instruction.strip_prefix(IGNORE)?;
    let (codes, rest) = match rest.trim_start().strip_prefix('[') {
        Some(list) => {
            let (list, rest) = list.split_once(']')?;
            let codes: Vec<String> = list
                .split(',')
                .map(|code| code.trim().to_string())
                .collect();
            if codes.iter().any(String::is_empty) {
                return None;
            }
            (codes, rest)
        }
        None => (Vec::new(), rest),
    };
    if rest.is_empty() {
        return Some((codes, None));
    }
    let spaced = rest.starts_with(char::is_whitespace) || !codes.is_empty();
    let reason = rest.trim_start().strip_prefix("--").filter(|_| spaced)?;
    Some((codes, Some(reason.trim().to_string())))
}

/// The byte where the text goes on after blank lines and comments; `later` is a comment further
/// down and its answer.
fn next_text(text: &str, from: usize, later: Option<(usize, usize)>) -> usize {
    let mut at = from;
    for line in text[from..].split_inclusive('\n') {
        if let Some((comment, next)) = later
            && (at..at + line.len()).contains(&comment)
        {
            return next;
        }
        let content = line.trim_start();
        if !content.is_empty() && !content.starts_with('#') {
            return at + line.len() - content.len();
        }
        at += line.len();
    }
    text.len()
}

/// The bytes of the entry or list item that begins at `at`, when it is one of this document.
fn next_node(text: &str, document: &Document<'_>, at: usize) -> Option<Span> {
    if ["---", "..."]
        .iter()
        .any(|mark| text[at..].starts_with(mark))
    {
        return None;
    }
    let nodes = &document.nodes;
    let first = nodes.partition_point(|node| node.span.start < at);
    let id = match dashes(&text[at..]) {
        0 => (first..nodes.len()).find(|&id| !is_block(document, id))?,
        count => item(document, first, count)?,
    };
    let node = document.node(id);
    // What stands between is the mark of a list item, an anchor or a tag; never another document.
    if node.span.start - at > MAX_MARK || text.get(at..node.span.start)?.contains("\n---") {
        return None;
    }
    let is_root = node.parent == id;
    let in_map = matches!(document.node(node.parent).kind, Kind::Mapping);
    let after = if !is_root && in_map && node.position.is_multiple_of(2) {
        // A key: its value belongs to it.
        nodes.get(node.end).map_or(node.end, |value| value.end)
    } else {
        node.end
    };
    // Only where nodes begin counts, so the last one need not be measured.
    let end = match nodes.get(after) {
        Some(next) => next.span.start,
        None => nodes.last().map_or(at, |last| last.span.end + 1),
    };
    Some(Span::new(at, end.max(at)))
}

/// How many list items begin where `text` does, inside each other: the marks `- `.
fn dashes(text: &str) -> usize {
    let mut rest = text;
    let mut count = 0;
    while let Some(after) = rest.strip_prefix('-')
        && (after.is_empty() || after.starts_with(char::is_whitespace))
    {
        count += 1;
        rest = after.trim_start();
    }
    count
}

/// The outermost of the `count` list items that begin with the node `first`. A list's own bytes say
/// little about where it begins, so the items are counted from the inside.
fn item(document: &Document<'_>, first: NodeId, count: usize) -> Option<NodeId> {
    let mut items = Vec::new();
    for id in first..document.nodes.len() {
        let node = document.node(id);
        if node.parent != id && matches!(document.node(node.parent).kind, Kind::Sequence) {
            items.push(id);
        }
        if !is_block(document, id) {
            break;
        }
    }
    items.len().checked_sub(count).map(|index| items[index])
}

/// Whether the node is a collection in block style, which begins with its first key or item.
fn is_block(document: &Document<'_>, id: NodeId) -> bool {
    let node = document.node(id);
    let is_collection = matches!(node.kind, Kind::Sequence | Kind::Mapping);
    // An empty one can only be written as `[]` or `{}`.
    is_collection && node.end > id + 1 && !document.node(id + 1).in_flow
}

/// The byte where the key of the scalar at `at` begins.
fn key_of(document: &Document<'_>, at: usize) -> Option<usize> {
    let after = document.nodes.partition_point(|node| node.span.start <= at);
    let id = after.checked_sub(1)?;
    let node = document.node(id);
    let in_map = matches!(document.node(node.parent).kind, Kind::Mapping);
    if !in_map || node.position.is_multiple_of(2) {
        return None;
    }
    // A key that is a scalar is the node right before its value.
    Some(document.node(id - 1).span.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Inside, documents};

    /// For each instruction, the scalars that it speaks for.
    fn covered(text: &str) -> Vec<String> {
        let Some(mut gathering) = Gathering::of(text, text) else {
            return Vec::new();
        };
        let mut values = Vec::new();
        let mut waiting = gathering.waiting();
        for document in documents(text) {
            let Ok(document) = document else { continue };
            gathering.meet(&mut waiting, text, &document);
            for (id, node) in document.nodes.iter().enumerate() {
                let in_map = matches!(document.node(node.parent).kind, Kind::Mapping);
                let is_key = in_map && node.position.is_multiple_of(2);
                if let Some(value) = document.text(id)
                    && !is_key
                {
                    gathering.note(values.len(), &document, std::iter::once(node.span.start));
                    values.push(value.to_string());
                }
            }
        }
        let ignores = gathering.finish();
        let mut covered = vec![Vec::new(); ignores.list.len()];
        for (site, speaking) in ignores.sites() {
            let value = values[site].as_str();
            speaking
                .iter()
                .for_each(|&index| covered[index].push(value));
        }
        covered.iter().map(|values| values.join(" ")).collect()
    }

    #[test]
    fn a_comment_speaks_for_its_line_or_the_next_node() {
        for (text, wanted) in [
            ("a: 1 # ecr-rewrite: ignore\nb: 2\n", vec!["1"]),
            ("a: 1\n# ecr-rewrite: ignore\nb: 2\nc: 3\n", vec!["2"]),
            (
                "# ecr-rewrite: ignore\na:\n  b: 2\n  c: [3, {d: 4}]\ne: 5\n",
                vec!["2 3 4"],
            ),
            (
                "a:\n# ecr-rewrite: ignore\n- b: 1\n  c: 2\n- d: 3\n",
                vec!["1 2"],
            ),
            (
                "a:\n- b: 1\n  # ecr-rewrite: ignore\n  c: 2\n  d: 3\n- e: 4\n",
                vec!["2"],
            ),
            (
                "a:\n- b: 1\n# ecr-rewrite: ignore\n-\n  c: 2\n  d: 3\n- e: 4\n",
                vec!["2 3"],
            ),
            ("# ecr-rewrite: ignore\n- - a\n  - b\n- c\n", vec!["a b"]),
            (
                "a: [\n  # ecr-rewrite: ignore\n  {b: 1, c: 2},\n  {d: 3}]\n",
                vec!["1 2"],
            ),
            (
                "a: {\n  # ecr-rewrite: ignore\n  b: 1,\n  c: 2}\n",
                vec!["1"],
            ),
            ("a: [{b: 1, c: 2}] # ecr-rewrite: ignore\n", vec!["1 2"]),
            ("a:\n  # ecr-rewrite: ignore\n  1\nb: 2\n", vec!["1"]),
            ("a:\n# ecr-rewrite: ignore\nb: 2\nc: 3\n", vec!["2"]),
            ("a: # ecr-rewrite: ignore\n  1\nb: 2\n", vec!["1"]),
            ("a: |- # ecr-rewrite: ignore\n  1\nb: 2\n", vec!["1"]),
            ("a: &x # ecr-rewrite: ignore\n  b: 1\n", vec![""]),
            ("# ecr-rewrite: ignore\n? a\n: 1\n? b\n: 2\n", vec!["1"]),
            (
                "# ecr-rewrite: ignore\n\n# more\na: &x {b: 1}\nc: 2\n",
                vec!["1"],
            ),
            (
                "# ecr-rewrite: ignore\n# ecr-rewrite: ignore\na: 1\nc: 2\n",
                vec!["1", "1"],
            ),
            ("a: 1\n# ecr-rewrite: ignore\n---\nb: 2\n", vec![""]),
            (
                "a: 1\n---\n# ecr-rewrite: ignore\nb: 2\n---\nc: 3\n",
                vec!["2"],
            ),
            ("a: [1\n# ecr-rewrite: ignore\n---\nb: 2\n", vec![]),
            ("a: 1\n# ecr-rewrite: ignore\n", vec![""]),
            ("\u{feff}# ecr-rewrite: ignore\na: 1\nb: 2\n", vec!["1"]),
            (
                "# ecr-rewrite: ignore\na:\n  # ecr-rewrite: ignore\n  b: 1\n  c: 2 # ecr-rewrite: ignore\nd: 3\n",
                vec!["1 2", "1", "2"],
            ),
        ] {
            assert_eq!(covered(text), wanted, "{text}");
            let windows = text.replace('\n', "\r\n");
            assert_eq!(covered(&windows), wanted, "{windows:?}");
        }
    }

    #[test]
    fn instructions_are_read() {
        let read = |text: &str| {
            let gathering = Gathering::of(text, text).filter(Gathering::has_any)?;
            let ignores = gathering.finish();
            let ignore = ignores.list.first();
            Some(match ignore {
                Some(ignore) => format!("{} {:?}", ignore.codes.join("+"), ignore.reason),
                None => format!("faulty {:?}", ignores.faulty),
            })
        };
        for (comment, wanted) in [
            ("# ecr-rewrite: ignore", " None"),
            ("#ecr-rewrite:ignore", " None"),
            (
                "# ecr-rewrite: ignore -- built here",
                " Some(\"built here\")",
            ),
            ("# ecr-rewrite: ignore[no-rule]", "no-rule None"),
            (
                "# ecr-rewrite: ignore[no-rule, undecided] -- x",
                "no-rule+undecided Some(\"x\")",
            ),
            (
                "# {\"$imagepolicy\": \"a:b:tag\"} # ecr-rewrite: ignore",
                " None",
            ),
            ("# ecr-rewrite: ignore[]", "faulty [1]"),
            ("# ecr-rewrite: ignore[a", "faulty [1]"),
            ("# ecr-rewrite: ignored", "faulty [1]"),
            ("# ecr-rewrite: ignore because", "faulty [1]"),
            ("# ecr-rewrite: skip", "faulty [1]"),
        ] {
            assert_eq!(
                read(&format!("a: 1 {comment}\n")).as_deref(),
                Some(wanted),
                "{comment}"
            );
        }
        for text in [
            "a: 1 # see ecr-rewrite: ignore\n",
            "a: 'x # ecr-rewrite: ignore'\n",
            "a: |\n  # ecr-rewrite: ignore\n  b: c # ecr-rewrite: ignore\n",
            "a: b#ecr-rewrite: ignore\n",
            "a: 1\n",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn instructions_in_texts_meet_the_documents_of_theirs() {
        let text = "a: |\n  # ecr-rewrite: ignore\n  b: 1\n  c: 2\n  # ecr-rewrite: ignore\nd: 3 # ecr-rewrite: ignore\n";
        let document = documents(text).next().unwrap().unwrap();
        let holding = document.get(0, "a").unwrap();
        let inside = Inside::of(text, &document, holding).unwrap();
        let mut gathering = Gathering::of(text, text).unwrap();
        let mut waiting = gathering.read(text, &inside.comments());
        let inner = inside.documents().next().unwrap().unwrap();
        gathering.meet(&mut waiting, text, &inner);
        let places = [(&inner, "b"), (&inner, "c"), (&document, "d")];
        for (number, (document, key)) in places.into_iter().enumerate() {
            let at = document.node(document.get(0, key).unwrap()).span.start;
            gathering.note(number, document, std::iter::once(at));
        }
        let ignores = gathering.finish();
        let lines: Vec<_> = ignores.list.iter().map(|ignore| ignore.line).collect();
        assert_eq!(lines, [2, 5, 6]);
        let sites: Vec<_> = ignores.sites().collect();
        assert_eq!(sites, [(0, &[0][..]), (2, &[2])]);
    }

    #[test]
    fn many_instructions_take_linear_time() {
        let text = format!(
            "{}a: [1 # ecr-rewrite: ignore\n]\n",
            "# ecr-rewrite: ignore\n".repeat(50_000)
        );
        assert_eq!(covered(&text).len(), 50_001);
        let items = format!("a:\n{}", "# ecr-rewrite: ignore\n-\n- b: 1\n".repeat(5_000));
        assert_eq!(covered(&items).len(), 5_000);
    }
}
