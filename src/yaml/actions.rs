//! The actions of a template: where `{{ … }}`, `{% … %}` and `{# … #}` begin and end, and what they do.
//!
//! One pass over the text. Quotes, backticks and comments inside an action may hold what would end it.
//! Go's and Jinja's actions are told apart by nothing but their brackets: what only one of the two
//! knows does no harm in the other.

use memchr::{memchr, memmem};

use crate::source::Span;

/// One action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Action {
    /// Its bytes, brackets and all.
    pub(super) span: Span,
    /// What it does.
    pub(super) does: Does,
    /// Whether it says how far to indent what it writes, which then begins on a line of its own.
    pub(super) indents: bool,
    /// Whether it takes away the blanks before it.
    pub(super) trims_before: bool,
    /// Whether it takes away the blanks behind it.
    pub(super) trims_behind: bool,
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// It writes something.
    Write,
    /// It begins a branch: `if`, `range`, `with`, `define`…
    Open,
    /// It begins the next branch.
    Else,
    /// It ends the branches.
    Close,
    /// It is a comment, an assignment or the like, and writes nothing.
    Nothing,
}

/// The actions of a text, to ask what stands in one.
#[derive(Debug)]
pub struct Actions(Vec<Action>);

/// What something stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// A comment of the template: it is never there.
    Comment,
    /// What the template computes.
    Code,
}

impl Actions {
    /// Those of `text`; `None` when it holds none.
    pub fn of(text: &str) -> Option<Self> {
        let actions = actions(text);
        (!actions.is_empty()).then_some(Self(actions))
    }

    /// Whether the branch in which `from` stands goes on to `to`, so that both are there or neither is.
    pub fn in_one_branch(&self, from: usize, to: usize) -> bool {
        let first = self.0.partition_point(|action| action.span.start < from);
        let between = self.0[first..].iter();
        let mut depth = 0_usize;
        for action in between.take_while(|action| action.span.start < to) {
            match action.does {
                Does::Open => depth += 1,
                Does::Else | Does::Close if depth == 0 => return false,
                Does::Close => depth -= 1,
                Does::Else | Does::Write | Does::Nothing => {}
            }
        }
        from <= to
    }

    /// What `span` stands in, when it is a part of an action and not all of one.
    pub fn around(&self, text: &str, span: Span) -> Option<Around> {
        let next = self.0.partition_point(|action| action.span.end < span.end);
        let action = self.0.get(next)?.span;
        let is_part = action.start <= span.start && action != span && span.start < span.end;
        is_part.then(|| {
            let inner = action.of(text).unwrap_or("").trim_start_matches(['{', '-']);
            let is_comment = inner.starts_with('#') || inner.trim_start().starts_with("/*");
            if is_comment {
                Around::Comment
            } else {
                Around::Code
            }
        })
    }
}

/// Words of Go's templates that begin a branch.
const GO_OPEN: &[&str] = &["if", "range", "with", "define", "block"];
/// Words of Jinja that begin a branch.
const JINJA_OPEN: &[&str] = &[
    "if",
    "for",
    "block",
    "macro",
    "call",
    "filter",
    "raw",
    "autoescape",
    "with",
];

/// Words of Jinja that write nothing by themselves. Any other may write something: `include`, and what
/// people add.
const JINJA_SILENT: &[&str] = &[
    "set", "import", "from", "extends", "do", "break", "continue", "debug", "load",
];
/// Words of Terraform's directives, `%{ if x }`.
const TERRAFORM: &[&str] = &["if", "else", "endif", "for", "endfor"];

/// The actions of `text`, in its order. Brackets that nothing closes are none.
pub(super) fn actions(text: &str) -> Vec<Action> {
    let mut lexer = Lexer {
        text: text.as_bytes(),
        statements: true,
        // Shells write `${#x}`.
        comments: memmem::find(text.as_bytes(), b"{%").is_some(),
    };
    let mut actions = Vec::new();
    let mut at = 0;
    while let Some(open) = memchr(b'{', &text.as_bytes()[at..]) {
        let start = at + open;
        match lexer.end(start) {
            Found::Action(end) => {
                actions.push(action(text, Span::new(start, end)));
                at = end;
            }
            Found::Directive(end) => {
                actions.push(action(text, Span::new(start - 1, end)));
                at = end;
            }
            Found::Nothing => at = start + 1,
            Found::Unclosed => break,
        }
    }
    actions
}

/// What a bracket turns out to be.
enum Found {
    /// The beginning of an action that ends here.
    Action(usize),
    /// The same, of a directive of Terraform, which begins with a percent sign before the brace.
    Directive(usize),
    /// Text.
    Nothing,
    /// The beginning of an action without an end: nothing is known of what follows.
    Unclosed,
}

struct Lexer<'t> {
    text: &'t [u8],
    /// Whether there may still be the end of a `{% … %}`.
    statements: bool,
    /// Whether there may still be the end of a `{# … #}`.
    comments: bool,
}

impl Lexer<'_> {
    fn end(&mut self, start: usize) -> Found {
        let inner = start + 2;
        if let Some(end) = self.directive_end(start) {
            return Found::Directive(end);
        }
        match self.text.get(start + 1) {
            Some(b'{') => match self.expression_end(inner) {
                Some(end) => Found::Action(end),
                None => Found::Unclosed,
            },
            Some(b'%') if self.statements => match self.closing(inner, b'%') {
                Some(end) => Found::Action(end),
                None => {
                    self.statements = false;
                    Found::Nothing
                }
            },
            Some(b'#') if self.comments && self.text[..start].last() != Some(&b'$') => {
                match memmem::find(&self.text[inner..], b"#}") {
                    Some(length) => Found::Action(inner + length + 2),
                    None => {
                        self.comments = false;
                        Found::Nothing
                    }
                }
            }
            _ => Found::Nothing,
        }
    }

    /// The end of `%{ … }`, whose brace stands at `start`.
    fn directive_end(&self, start: usize) -> Option<usize> {
        if self.text[..start].last() != Some(&b'%') || start < 1 {
            return None;
        }
        let rest = &self.text[start + 1..];
        let line = memchr(b'\n', rest).map_or(rest, |end| &rest[..end]);
        let body = line.strip_prefix(b"~").unwrap_or(line).trim_ascii_start();
        let is_word = |word: &&str| {
            let after = body.strip_prefix(word.as_bytes());
            after.is_some_and(|after| matches!(after.first(), Some(b' ' | b'~' | b'}')))
        };
        TERRAFORM.iter().find(|word| is_word(word))?;
        let (mut depth, mut at) = (0_usize, 0);
        while let Some(&byte) = line.get(at) {
            match byte {
                b'"' => at += self.quoted(start + 1 + at).unwrap_or(0),
                b'{' => depth += 1,
                b'}' if depth == 0 => return Some(start + 1 + at + 1),
                b'}' => depth -= 1,
                _ => {}
            }
            at += 1;
        }
        None
    }

    fn expression_end(&self, inner: usize) -> Option<usize> {
        let mut at = inner + usize::from(self.text.get(inner) == Some(&b'-'));
        at += self.blanks(at);
        if !self.text[at..].starts_with(b"/*") {
            return self.closing(inner, b'}');
        }
        at += 2 + memmem::find(&self.text[at + 2..], b"*/")? + 2;
        at += self.blanks(at);
        at += usize::from(self.text.get(at) == Some(&b'-'));
        self.text[at..].starts_with(b"}}").then_some(at + 2)
    }

    fn blanks(&self, at: usize) -> usize {
        let rest = self.text[at..].iter();
        rest.take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    /// The end of an action that `last` and a brace close.
    fn closing(&self, inner: usize, last: u8) -> Option<usize> {
        let (mut at, mut depth) = (inner, 0_usize);
        while let Some(&byte) = self.text.get(at) {
            match byte {
                b'"' | b'\'' | b'`' => at += self.quoted(at).unwrap_or(0),
                // Jinja has maps in braces.
                b'{' => depth += 1,
                b'}' if depth > 0 => depth -= 1,
                _ if byte == last && self.text.get(at + 1) == Some(&b'}') => return Some(at + 2),
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// How many bytes the text in quotes that begins at `at` has, without its last quote. `None` for a
    /// quote that is none.
    fn quoted(&self, at: usize) -> Option<usize> {
        let quote = self.text[at];
        if quote == b'`' {
            return memchr(quote, &self.text[at + 1..]).map(|length| length + 1);
        }
        let mut next = at + 1;
        while let Some(&byte) = self.text.get(next) {
            match byte {
                b'\n' => return None,
                b'\\' => next += 1,
                _ if byte == quote => return Some(next - at),
                _ => {}
            }
            next += 1;
        }
        None
    }
}

fn action(text: &str, span: Span) -> Action {
    let whole = span.of(text).unwrap_or("");
    let is_directive = whole.starts_with('%');
    let closing = if is_directive { 1 } else { 2 };
    let inner = whole.get(2..whole.len() - closing).unwrap_or("");
    let body = inner.strip_prefix(['-', '+', '~']).unwrap_or(inner);
    let body = body.strip_suffix(['-', '+', '~']).unwrap_or(body).trim();
    let does = match whole.as_bytes()[1] {
        _ if is_directive => of_statement(body),
        b'{' => of_expression(body),
        b'%' => of_statement(body),
        _ => Does::Nothing,
    };
    Action {
        span,
        does,
        indents: does == Does::Write && body.contains("indent"),
        trims_before: inner.starts_with(['-', '~']),
        trims_behind: inner.ends_with(['-', '~']),
    }
}

fn of_expression(body: &str) -> Does {
    let word = word(body);
    match word {
        "else" => Does::Else,
        "end" => Does::Close,
        "break" | "continue" => Does::Nothing,
        _ if GO_OPEN.contains(&word) => Does::Open,
        _ if body.starts_with("/*") || is_assignment(body) => Does::Nothing,
        _ => Does::Write,
    }
}

fn of_statement(body: &str) -> Does {
    let word = word(body);
    match word {
        "else" | "elif" => Does::Else,
        "set" if !body.contains('=') => Does::Open,
        _ if JINJA_OPEN.contains(&word) => Does::Open,
        _ if word.starts_with("end") => Does::Close,
        _ if word.is_empty() || JINJA_SILENT.contains(&word) => Does::Nothing,
        _ => Does::Write,
    }
}

fn word(body: &str) -> &str {
    let end = body.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.');
    &body[..end.unwrap_or(body.len())]
}

/// Whether an expression is `$x := …` or `$x = …`.
fn is_assignment(body: &str) -> bool {
    let Some(name) = body.strip_prefix('$') else {
        return false;
    };
    let rest = name.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    let rest = rest.trim_start();
    rest.starts_with(":=") || rest.starts_with('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let actions = actions(text).into_iter();
        actions
            .map(|action| action.span.of(text).unwrap())
            .collect()
    }

    #[test]
    fn actions_end_where_they_do() {
        for (text, wanted) in [
            ("a {{ .b }} c {{- d -}}", &["{{ .b }}", "{{- d -}}"][..]),
            ("{{ \"}}\" }}x", &["{{ \"}}\" }}"]),
            ("{{ \"\\\"}}\" }}x", &["{{ \"\\\"}}\" }}"]),
            ("{{`{{ $labels.x }}`}}", &["{{`{{ $labels.x }}`}}"]),
            ("{{ `a\n}}` }}", &["{{ `a\n}}` }}"]),
            ("{{ '}' }}}}", &["{{ '}' }}"]),
            ("{{/* it's }} */}}a", &["{{/* it's }} */}}"]),
            ("{{- /* }} */ -}}a", &["{{- /* }} */ -}}"]),
            ("{{ dict\n  \"a\" 1\r\n}}b", &["{{ dict\n  \"a\" 1\r\n}}"]),
            ("{{ x.it's }} }}", &["{{ x.it's }}"]),
            ("{{ {'a': {'b': 1}} }}", &["{{ {'a': {'b': 1}} }}"]),
            (
                "{% if x %}{# }} #}{%- endif %}",
                &["{% if x %}", "{# }} #}", "{%- endif %}"],
            ),
            ("{{ \"ü\" }}ü", &["{{ \"ü\" }}"]),
            ("${#x} {# #}", &[]),
            (
                "%{ if x == \"}\" ~}a%{ endif }",
                &["%{ if x == \"}\" ~}", "%{ endif }"],
            ),
            ("%{x} 5%{ y }", &[]),
            ("{% a {{ b }}", &["{{ b }}"]),
            ("{{ a", &[]),
            ("{{a: b}: c}", &[]),
            ("{{/* a }}", &[]),
            ("{", &[]),
            ("{{", &[]),
            ("{{-", &[]),
            ("{{}}", &["{{}}"]),
        ] {
            assert_eq!(found(text), wanted, "{text}");
        }
    }

    #[test]
    fn actions_are_told_apart() {
        for (text, does) in [
            ("{{ .x }}", Does::Write),
            ("{{ .if }}", Does::Write),
            ("{{ ifx }}", Does::Write),
            ("{{ end.x }}", Does::Write),
            ("{{ $x }}", Does::Write),
            ("{{ $x.y }}", Does::Write),
            ("{{ template \"x\" . }}", Does::Write),
            ("{{- if .x -}}", Does::Open),
            ("{{range $a, $b := .x}}", Does::Open),
            ("{{ else if .x }}", Does::Else),
            ("{{end}}", Does::Close),
            ("{{ $x := 1 }}", Does::Nothing),
            ("{{ $x = 1 }}", Does::Nothing),
            ("{{/* x */}}", Does::Nothing),
            ("{% for a in b %}", Does::Open),
            ("{% set a = 1 %}", Does::Nothing),
            ("{% set a %}", Does::Open),
            ("{% endset %}", Does::Close),
            ("{%- elif x %}", Does::Else),
            ("{% include 'x' %}", Does::Write),
            ("{% import 'x' as y %}", Does::Nothing),
            ("%{ if x }", Does::Open),
            ("%{~ for a, b in x ~}", Does::Open),
            ("%{ else }", Does::Else),
            ("%{ endif ~}", Does::Close),
        ] {
            assert_eq!(actions(text)[0].does, does, "{text}");
        }
        let trims = |text| {
            let action = actions(text)[0];
            (action.trims_before, action.trims_behind, action.indents)
        };
        assert_eq!(trims("{{- x | nindent 4 }}"), (true, false, true));
        assert_eq!(trims("{{ x -}}"), (false, true, false));
    }

    #[test]
    fn many_unclosed_brackets_are_read_once() {
        assert!(actions(&"{{ ".repeat(200_000)).is_empty());
        assert!(actions(&"{% {# ".repeat(200_000)).is_empty());
    }
}
