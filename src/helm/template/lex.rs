//! Cuts a template's text into plain text and the tokens of its actions.

use std::sync::Arc;

use super::limits::{Fail, Res};

/// A stretch of plain text, or one action.
#[derive(Debug)]
pub(crate) enum Piece {
    Text(String),
    Action { tokens: Vec<Token>, line: usize },
}

/// A token of an action.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Word(Arc<str>),
    Field(Arc<str>),
    Variable(Arc<str>),
    Dot,
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    Pipe,
    Open,
    Close,
    Assign,
    Declare,
    Comma,
    Space,
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// The pieces of a template.
pub(crate) fn pieces(text: &str) -> Res<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trim_next = false;
    // Lines are counted from where the last action was, not from the start each time.
    let mut counted = 0;
    let mut line = 1;
    while let Some((before, after)) = rest.split_once("{{") {
        let at = text.len() - after.len();
        line += breaks(text, counted, at);
        counted = at;
        let located = |fail: Fail| Fail {
            at: Some((Arc::from(""), line)),
            ..fail
        };
        let (after, trims) = left_trim(after);
        push_text(&mut pieces, before, trim_next, trims);
        if let Some(comment) = after.strip_prefix("/*") {
            (rest, trim_next) = end_of_comment(comment).map_err(located)?;
        } else {
            let mut action = Action {
                rest: after,
                tokens: Vec::new(),
                trims: false,
            };
            action.read().map_err(located)?;
            rest = action.rest;
            trim_next = action.trims;
            pieces.push(Piece::Action {
                tokens: action.tokens,
                line,
            });
        }
    }
    push_text(&mut pieces, rest, trim_next, false);
    Ok(pieces)
}

fn breaks(text: &str, start: usize, end: usize) -> usize {
    let between = text.as_bytes().get(start..end).unwrap_or_default();
    between.split(|&byte| byte == b'\n').count() - 1
}

fn left_trim(after: &str) -> (&str, bool) {
    match after.strip_prefix('-') {
        Some(inner) if inner.starts_with(BLANKS) => (inner.trim_start_matches(BLANKS), true),
        _ => (after, false),
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str, trim_start: bool, trim_end: bool) {
    let mut text = text;
    if trim_start {
        text = text.trim_start_matches(BLANKS);
    }
    if trim_end {
        text = text.trim_end_matches(BLANKS);
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

fn end_of_comment(comment: &str) -> Res<(&str, bool)> {
    let (_, after) = comment
        .split_once("*/")
        .ok_or_else(|| Fail::new("a comment does not end"))?;
    if let Some(rest) = after.strip_prefix("}}") {
        return Ok((rest, false));
    }
    let trimmed = after.trim_start_matches(BLANKS);
    match trimmed.strip_prefix("-}}") {
        Some(rest) if trimmed.len() < after.len() => Ok((rest, true)),
        _ => Err(Fail::new("a comment ends before its closing delimiter")),
    }
}

struct Action<'a> {
    rest: &'a str,
    tokens: Vec<Token>,
    trims: bool,
}

impl<'a> Action<'a> {
    fn read(&mut self) -> Res<()> {
        loop {
            if self.ends() {
                return Ok(());
            }
            let token = self.token()?;
            self.tokens.push(token);
        }
    }

    fn ends(&mut self) -> bool {
        if let Some(rest) = self.rest.strip_prefix("}}") {
            self.rest = rest;
            return true;
        }
        let trimmed = self.rest.trim_start_matches(BLANKS);
        if trimmed.len() < self.rest.len()
            && let Some(rest) = trimmed.strip_prefix("-}}")
        {
            self.rest = rest;
            self.trims = true;
            return true;
        }
        false
    }

    fn token(&mut self) -> Res<Token> {
        let mut chars = self.rest.chars();
        let Some(first) = chars.next() else {
            return Err(Fail::new("an action does not end"));
        };
        let second = chars.next();
        match first {
            _ if BLANKS.contains(&first) => {
                self.rest = self.rest.trim_start_matches(BLANKS);
                Ok(Token::Space)
            }
            '|' => Ok(self.skip(1, Token::Pipe)),
            '(' => Ok(self.skip(1, Token::Open)),
            ')' => Ok(self.skip(1, Token::Close)),
            ',' => Ok(self.skip(1, Token::Comma)),
            ':' if second == Some('=') => Ok(self.skip(2, Token::Declare)),
            '=' => Ok(self.skip(1, Token::Assign)),
            '"' => self.quoted(),
            '`' => self.raw(),
            '\'' => self.character(),
            '$' => {
                self.rest = self.rest.strip_prefix('$').unwrap_or_default();
                Ok(Token::Variable(Arc::from(format!("${}", self.word()))))
            }
            '.' if second.is_some_and(|c| c.is_ascii_digit()) => self.number(),
            '.' => {
                self.rest = self.rest.strip_prefix('.').unwrap_or_default();
                let word = self.word();
                Ok(if word.is_empty() {
                    Token::Dot
                } else {
                    Token::Field(Arc::from(word))
                })
            }
            '+' | '-' | '0'..='9' => self.number(),
            _ if is_word(first) => Ok(Token::Word(Arc::from(self.word()))),
            _ => Err(Fail::new(format!("unexpected `{first}` in an action"))),
        }
    }

    fn skip(&mut self, count: usize, token: Token) -> Token {
        self.rest = self.rest.get(count..).unwrap_or_default();
        token
    }

    fn take(&mut self, end: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn number(&mut self) -> Res<Token> {
        let end = self
            .rest
            .char_indices()
            .find(|&(at, c)| {
                !(is_word(c)
                    || c == '.'
                    || (at == 0 && "+-".contains(c))
                    || self.sign_of_exponent(at, c))
            })
            .map_or(self.rest.len(), |(at, _)| at);
        let text = self.take(end);
        parse_number(text).ok_or_else(|| Fail::new(format!("bad number `{text}`")))
    }

    fn sign_of_exponent(&self, at: usize, c: char) -> bool {
        let before = self.rest.get(..at).unwrap_or_default();
        let exponent = if before.contains("0x") {
            ['p', 'P']
        } else {
            ['e', 'E']
        };
        "+-".contains(c) && before.ends_with(exponent)
    }

    fn raw(&mut self) -> Res<Token> {
        let inner = self.rest.strip_prefix('`').unwrap_or_default();
        let (text, rest) = inner
            .split_once('`')
            .ok_or_else(|| Fail::new("a raw text does not end"))?;
        self.rest = rest;
        Ok(Token::Text(Arc::from(text.replace('\r', ""))))
    }

    fn quoted(&mut self) -> Res<Token> {
        let inner = self.rest.strip_prefix('"').unwrap_or_default();
        let end = end_of_quoted(inner, '"')?;
        let (text, rest) = inner.split_at_checked(end).unwrap_or((inner, ""));
        self.rest = rest.strip_prefix('"').unwrap_or_default();
        Ok(Token::Text(Arc::from(unescape(text)?)))
    }

    fn character(&mut self) -> Res<Token> {
        let inner = self.rest.strip_prefix('\'').unwrap_or_default();
        let end = end_of_quoted(inner, '\'')?;
        let (text, rest) = inner.split_at_checked(end).unwrap_or((inner, ""));
        self.rest = rest.strip_prefix('\'').unwrap_or_default();
        match unescape(text)?.chars().next() {
            Some(c) => Ok(Token::Int(i64::from(u32::from(c)))),
            None => Err(Fail::new("an empty character")),
        }
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn end_of_quoted(inner: &str, quote: char) -> Res<usize> {
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => break,
            _ if c == quote => return Ok(at),
            _ => {}
        }
    }
    Err(Fail::new("a quoted text does not end"))
}

/// A text with Go's escapes undone.
fn unescape(text: &str) -> Res<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(kind) = chars.next() else {
            return Err(Fail::new("a bad escape"));
        };
        match kind {
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\x0b'),
            '\\' | '\'' | '"' => out.push(kind),
            'x' => out.push(code(&mut chars, "", 2, 16)?),
            'u' => out.push(code(&mut chars, "", 4, 16)?),
            'U' => out.push(code(&mut chars, "", 8, 16)?),
            '0'..='7' => out.push(code(&mut chars, &kind.to_string(), 2, 8)?),
            _ => return Err(Fail::new(format!("a bad escape `\\{kind}`"))),
        }
    }
    Ok(out)
}

fn code(chars: &mut std::str::Chars<'_>, start: &str, count: usize, radix: u32) -> Res<char> {
    let digits: String = start.chars().chain(chars.by_ref().take(count)).collect();
    u32::from_str_radix(&digits, radix)
        .ok()
        .and_then(char::from_u32)
        .ok_or_else(|| Fail::new("a bad escape"))
}

fn parse_number(text: &str) -> Option<Token> {
    if let Some(int) = parse_int(text) {
        return Some(Token::Int(int));
    }
    let plain = text.replace('_', "");
    if let Some(value) = hex_float(&plain) {
        return Some(Token::Float(value));
    }
    let starts = plain
        .trim_start_matches(['+', '-'])
        .starts_with(|c: char| c.is_ascii_digit() || c == '.');
    plain.parse().ok().filter(|_| starts).map(Token::Float)
}

/// `0x1.8p3`: digits in base sixteen, times a power of two.
#[allow(clippy::cast_precision_loss)]
fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.strip_prefix("0x")?.split_once(['p', 'P'])?;
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = u64::from_str_radix(&format!("{whole}{part}"), 16).ok()?;
    let shift = exponent
        .parse::<i32>()
        .ok()?
        .checked_sub(i32::try_from(part.len() * 4).ok()?)?;
    Some(digits as f64 * 2f64.powi(shift))
}

/// A whole number as Go writes it: with a base's prefix, a leading zero for octal, underscores.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.replace('_', "").to_ascii_lowercase();
    let (digits, radix) = match digits.get(..2) {
        Some("0x") => (digits.get(2..)?, 16),
        Some("0b") => (digits.get(2..)?, 2),
        Some("0o") => (digits.get(2..)?, 8),
        Some(two) if two.starts_with('0') => (digits.get(1..)?, 8),
        _ => (digits.as_str(), 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -value } else { value }).ok()
}
