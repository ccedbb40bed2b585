//! Values as JSON text, the way Go writes it, and back.

use serde_json::Value;

use super::limits::{Fail, LONGEST, Res, VALUE_DEPTH};
use super::print;
use super::value::{Object, Val};

/// How the text is laid out.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// `<`, `>` and `&` are escaped.
    pub(crate) html: bool,
    /// Two spaces for each level, each entry on its own line.
    pub(crate) pretty: bool,
}

/// The value as JSON.
pub(crate) fn write(value: &Val, layout: Layout) -> Res<String> {
    let mut out = String::new();
    write_value(&mut out, value, layout, 0)?;
    Ok(out)
}

/// The value as a JSON document in memory, numbers kept whole where they are.
pub(crate) fn read(text: &str) -> Result<Val, String> {
    serde_json::from_str::<Value>(text)
        .map(|value| Val::from_json(&value))
        .map_err(|error| error.to_string())
}

fn write_value(out: &mut String, value: &Val, layout: Layout, depth: usize) -> Res<()> {
    if depth > VALUE_DEPTH {
        return Err(Fail::limit("prints a value nested too deep"));
    }
    if out.len() > LONGEST {
        return Err(Fail::limit("produces too much text"));
    }
    match value {
        Val::Nil => out.push_str("null"),
        Val::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Val::Int(value) | Val::Int64(value) => out.push_str(&value.to_string()),
        Val::Float(value) => out.push_str(&print::json_float(*value)),
        Val::Str(text) => write_text(out, text, layout.html),
        Val::List(list) => {
            out.push('[');
            for (at, item) in list.items().iter().enumerate() {
                start(out, layout, depth, at);
                write_value(out, item, layout, depth + 1)?;
            }
            finish(out, layout, depth, list.items().is_empty());
            out.push(']');
        }
        Val::Dict(dict) => {
            out.push('{');
            let entries = dict.entries();
            for (at, (key, item)) in entries.iter().enumerate() {
                start(out, layout, depth, at);
                write_text(out, key, layout.html);
                out.push_str(if layout.pretty { ": " } else { ":" });
                write_value(out, item, layout, depth + 1)?;
            }
            finish(out, layout, depth, entries.is_empty());
            out.push('}');
        }
        Val::Object(Object::Struct(of)) => match &of.text {
            Some(text) => write_text(out, text, layout.html),
            None => write_value(out, &Val::Dict(of.fields.clone()), layout, depth)?,
        },
        Val::Object(Object::Versions(versions)) => {
            write_value(
                out,
                &Val::texts(versions.iter().map(String::as_str)),
                layout,
                depth,
            )?;
        }
        Val::Object(Object::Files(_)) => out.push_str("{}"),
        Val::Object(Object::Bytes(text)) => {
            write_text(
                out,
                &super::funcs::hashes::base64(text.as_bytes()),
                layout.html,
            );
        }
        Val::Object(Object::Time) => out.push_str("\"1970-01-01T00:00:00Z\""),
    }
    Ok(())
}

fn start(out: &mut String, layout: Layout, depth: usize, at: usize) {
    if at > 0 {
        out.push(',');
    }
    if layout.pretty {
        out.push('\n');
        out.push_str(&"  ".repeat(depth + 1));
    }
}

fn finish(out: &mut String, layout: Layout, depth: usize, empty: bool) {
    if layout.pretty && !empty {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
}

fn write_text(out: &mut String, text: &str, html: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '<' | '>' | '&' if html => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
