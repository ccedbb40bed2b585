//! Writes values as YAML, byte for byte as Helm's `toYaml` does.

use std::cmp::Ordering;

use super::limits::{Fail, LONGEST, Res, VALUE_DEPTH};
use super::print;
use super::scalar::{self, Plain};
use super::value::{Dict, List, Object, Val};

/// The column from which a blank breaks a line.
const WIDTH: usize = 80;

/// The value as YAML, without the last line break.
pub(crate) fn write(value: &Val, indents_lists: bool) -> Res<String> {
    let mut writer = Writer {
        out: String::new(),
        column: 0,
        indents_lists,
    };
    writer.node(value, None, false, 0)?;
    let mut out = writer.out;
    if out.ends_with('\n') {
        out.pop();
    }
    Ok(out)
}

struct Writer {
    out: String,
    column: usize,
    /// Items of a list in a mapping stand two columns further in.
    indents_lists: bool,
}

impl Writer {
    fn put(&mut self, text: &str) {
        for c in text.chars() {
            self.column = if c == '\n' { 0 } else { self.column + 1 };
        }
        self.out.push_str(text);
    }

    fn new_line(&mut self, indent: usize) {
        if self.column > 0 {
            self.put("\n");
        }
        self.put(&" ".repeat(indent));
    }

    /// Writes a node. `indent` is that of the collection it is in; `in_mapping` says which kind.
    fn node(
        &mut self,
        value: &Val,
        indent: Option<usize>,
        in_mapping: bool,
        depth: usize,
    ) -> Res<()> {
        if depth > VALUE_DEPTH {
            return Err(Fail::limit("prints a value nested too deep"));
        }
        if self.out.len() > LONGEST {
            return Err(Fail::limit("produces too much text"));
        }
        match value {
            Val::List(list) if list.items().is_empty() => self.spaced("[]"),
            Val::List(list) => self.list(list, indent, in_mapping, depth)?,
            Val::Dict(dict) if dict.len() == 0 => self.spaced("{}"),
            Val::Dict(dict) => self.dict(dict, indent, in_mapping, depth)?,
            Val::Str(text) => {
                if self.column > 0 && !self.out.ends_with(' ') {
                    self.put(" ");
                }
                self.text(text, indent.map_or(2, |indent| indent + 2), false);
            }
            Val::Nil => self.spaced("null"),
            Val::Bool(value) => self.spaced(if *value { "true" } else { "false" }),
            Val::Int(value) | Val::Int64(value) => self.spaced(&value.to_string()),
            Val::Float(value) => self.spaced(&number(*value)),
            Val::Object(Object::Struct(of)) => match &of.text {
                Some(text) => self.node(&Val::Str(text.clone()), indent, in_mapping, depth + 1)?,
                None => self.node(&Val::Dict(of.fields.clone()), indent, in_mapping, depth + 1)?,
            },
            Val::Object(Object::Versions(versions)) => {
                let list = Val::texts(versions.iter().map(String::as_str));
                self.node(&list, indent, in_mapping, depth + 1)?;
            }
            Val::Object(Object::Files(_)) => self.spaced("{}"),
            Val::Object(Object::Bytes(text)) => {
                let text = super::funcs::hashes::base64(text.as_bytes());
                self.node(&Val::text(text), indent, in_mapping, depth + 1)?;
            }
            Val::Object(Object::Time) => self.spaced("\"1970-01-01T00:00:00Z\""),
        }
        Ok(())
    }

    fn list(
        &mut self,
        list: &List,
        indent: Option<usize>,
        in_mapping: bool,
        depth: usize,
    ) -> Res<()> {
        let within = match indent {
            None => 0,
            Some(indent) if in_mapping && !self.indents_lists => indent,
            Some(indent) => indent + 2,
        };
        for (at, item) in list.items().iter().enumerate() {
            self.begin(in_mapping || indent.is_none() || at > 0, within);
            self.put("-");
            self.node(item, Some(within), false, depth + 1)?;
        }
        Ok(())
    }

    fn dict(
        &mut self,
        dict: &Dict,
        indent: Option<usize>,
        in_mapping: bool,
        depth: usize,
    ) -> Res<()> {
        let within = indent.map_or(0, |indent| indent + 2);
        let mut entries = dict.entries();
        entries.sort_by(|(a, _), (b, _)| key_order(a, b));
        for (at, (key, item)) in entries.iter().enumerate() {
            self.begin(in_mapping || indent.is_none() || at > 0, within);
            self.text(key, within, true);
            self.put(":");
            self.node(item, Some(within), true, depth + 1)?;
        }
        Ok(())
    }

    /// Begins an item of a collection, on a line of its own or behind the dash of the item around it.
    fn begin(&mut self, on_own_line: bool, indent: usize) {
        if on_own_line {
            self.new_line(indent);
        } else if self.column > 0 {
            self.put(" ");
        }
    }

    fn spaced(&mut self, text: &str) {
        if self.column > 0 && !self.out.ends_with(' ') {
            self.put(" ");
        }
        self.put(text);
    }

    /// A text in the style the library chooses; `indent` is that of its further lines.
    fn text(&mut self, text: &str, indent: usize, key: bool) {
        let shape = Shape::of(text);
        let plain = scalar::resolve(text) == Plain::Text && !scalar::is_base_sixty(text);
        if text.contains('\n') {
            if shape.block && !key {
                self.literal(text, indent);
            } else {
                self.double(text, indent, key);
            }
        } else if !plain {
            self.double(text, indent, key);
        } else if shape.plain {
            self.folded(text, indent, key, "");
        } else if shape.single {
            self.put("'");
            self.folded(text, indent, key, "'");
            self.put("'");
        } else {
            self.double(text, indent, key);
        }
    }

    /// A plain or single-quoted text, broken at blanks past the width.
    fn folded(&mut self, text: &str, indent: usize, key: bool, quote: &str) {
        let mut chars = text.chars().peekable();
        let mut after_space = false;
        let mut first = true;
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            let inner = quote.is_empty() || (!first && next.is_some());
            if c == ' ' && !key && !after_space && self.column > WIDTH && inner && next != Some(' ')
            {
                self.new_line(indent);
            } else if c == '\'' && quote == "'" {
                self.put("''");
            } else {
                self.put(c.encode_utf8(&mut [0; 4]));
            }
            after_space = c == ' ';
            first = false;
        }
    }

    fn double(&mut self, text: &str, indent: usize, key: bool) {
        self.put("\"");
        let mut chars = text.chars().peekable();
        let mut after_space = false;
        let mut first = true;
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            if !is_printable(c) || c == '"' || c == '\\' || c == '\n' || is_break(c) {
                self.put(&escape(c));
                after_space = false;
            } else if c == ' ' {
                if !key && !after_space && self.column > WIDTH && !first && next.is_some() {
                    self.new_line(indent);
                    if next == Some(' ') {
                        self.put("\\");
                    }
                } else {
                    self.put(" ");
                }
                after_space = true;
            } else {
                self.put(c.encode_utf8(&mut [0; 4]));
                after_space = false;
            }
            first = false;
        }
        self.put("\"");
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        if !text.ends_with('\n') {
            self.put("-");
        } else if text == "\n" || text.ends_with("\n\n") {
            self.put("+");
        }
        self.put("\n");
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let last = lines.peek().is_none();
            if !line.is_empty() {
                self.put(&" ".repeat(indent));
                self.put(line);
            }
            if !last {
                self.put("\n");
            }
        }
    }
}

fn number(value: f64) -> String {
    let text = print::json_float(value);
    match scalar::resolve(&text) {
        Plain::Int(_) => text,
        _ => print::float(value),
    }
}

fn escape(c: char) -> String {
    match c {
        '\0' => "\\0".to_owned(),
        '\x07' => "\\a".to_owned(),
        '\x08' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\x0b' => "\\v".to_owned(),
        '\x0c' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\x1b' => "\\e".to_owned(),
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\u{85}' => "\\N".to_owned(),
        '\u{a0}' => "\\_".to_owned(),
        '\u{2028}' => "\\L".to_owned(),
        '\u{2029}' => "\\P".to_owned(),
        c => match u32::from(c) {
            code @ 0..=0xff => format!("\\x{code:02X}"),
            code @ 0x100..=0xffff => format!("\\u{code:04X}"),
            code => format!("\\U{code:08X}"),
        },
    }
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fffd}') && c != '\u{feff}'
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Which styles may hold a text.
struct Shape {
    plain: bool,
    single: bool,
    block: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self {
                plain: true,
                single: true,
                block: false,
            };
        }
        let indicator = has_indicator(text);
        let special = text.chars().any(|c| !is_printable(c));
        let breaks = text.contains(is_break);
        let outer = |c: char| c == ' ' || is_break(c);
        let edge = text.starts_with(outer) || text.ends_with(outer);
        let space_break = follows(text, |c| c == ' ', is_break);
        let break_space = follows(text, is_break, |c| c == ' ');
        Self {
            plain: !(indicator || special || breaks || edge || space_break || break_space),
            single: !(special || space_break || break_space),
            block: !(text.ends_with(' ') || space_break || special),
        }
    }
}

fn follows(text: &str, first: impl Fn(char) -> bool, second: impl Fn(char) -> bool) -> bool {
    text.chars()
        .zip(text.chars().skip(1))
        .any(|(a, b)| first(a) && second(b))
}

/// Whether a character of the text would be taken for YAML in the block style.
fn has_indicator(text: &str) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let mut before = true;
    let mut chars = text.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        let after = chars.peek().is_none_or(|&c| c == ' ' || c == '\t');
        let hit = match c {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`'
                if first =>
            {
                true
            }
            '?' | '-' if first => after,
            ':' => after,
            '#' => before,
            _ => false,
        };
        if hit {
            return true;
        }
        before = c == ' ' || c == '\t' || is_break(c);
        first = false;
    }
    false
}

/// The order of a mapping's keys: numbers in them count as numbers, other signs before letters.
fn key_order(a: &str, b: &str) -> Ordering {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else {
        return a.len().cmp(&b.len());
    };
    let (Some(&first), Some(&second)) = (a.get(at), b.get(at)) else {
        return Ordering::Equal;
    };
    match (first.is_alphabetic(), second.is_alphabetic()) {
        (true, true) => return first.cmp(&second),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let zero = first == '0' || second == '0';
    let start = i64::from(zero && after_digits(&a, at));
    let (a_value, a_end) = digits(&a, at, start);
    let (b_value, b_end) = digits(&b, at, start);
    a_value
        .cmp(&b_value)
        .then(a_end.cmp(&b_end))
        .then(first.cmp(&second))
}

/// Whether a digit other than zero stands in the run of digits before `at`.
fn after_digits(text: &[char], at: usize) -> bool {
    text.iter()
        .take(at)
        .rev()
        .take_while(|c| c.is_ascii_digit())
        .any(|&c| c != '0')
}

fn digits(text: &[char], at: usize, start: i64) -> (i64, usize) {
    let mut value = start;
    let mut end = at;
    for c in text.iter().skip(at) {
        let Some(digit) = c.to_digit(10) else { break };
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
        end += 1;
    }
    (value, end)
}
