//! Values as text, the way Go's `fmt` writes them.

use super::limits::{Fail, LONGEST, Res, VALUE_DEPTH};
use super::value::{Object, Val};

/// What a template prints for nothing; removed from the rendered text at the end, as Helm does.
pub(crate) const NO_VALUE: &str = "<no value>";

/// The value as `%v` prints it.
pub(crate) fn plain(value: &Val) -> Res<String> {
    let mut out = String::new();
    write(&mut out, value, 'v', VALUE_DEPTH)?;
    Ok(out)
}

/// The value as sprig's `toString` gives it.
pub(crate) fn text_of(value: &Val) -> Res<String> {
    match value {
        Val::Str(text) | Val::Object(Object::Bytes(text)) => Ok(text.to_string()),
        other => plain(other),
    }
}

/// Values as `print` joins them: a space between two that are no texts.
pub(crate) fn joined(values: &[Val]) -> Res<String> {
    let mut out = String::new();
    let mut last_text = true;
    for (at, value) in values.iter().enumerate() {
        let is_text = matches!(value, Val::Str(_));
        if at > 0 && !is_text && !last_text {
            out.push(' ');
        }
        write(&mut out, value, 'v', VALUE_DEPTH)?;
        last_text = is_text;
    }
    Ok(out)
}

/// Writes a value for the verbs `v` and `s`, which differ in what they take for wrong.
fn write(out: &mut String, value: &Val, verb: char, depth: usize) -> Res<()> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| Fail::limit("prints a value nested too deep"))?;
    if out.len() > LONGEST {
        return Err(Fail::limit("produces too much text"));
    }
    match value {
        Val::Str(text) => out.push_str(text),
        Val::List(list) => {
            out.push('[');
            for (at, item) in list.items().iter().enumerate() {
                separate(out, at);
                write(out, item, verb, depth)?;
            }
            out.push(']');
        }
        Val::Dict(dict) => {
            out.push_str("map[");
            for (at, (key, item)) in dict.entries().iter().enumerate() {
                separate(out, at);
                out.push_str(key);
                out.push(':');
                write(out, item, verb, depth)?;
            }
            out.push(']');
        }
        Val::Object(object) => write_object(out, object, verb, depth)?,
        Val::Nil if verb == 's' && depth + 1 == VALUE_DEPTH => out.push_str("%!s(<nil>)"),
        scalar if verb == 's' && !matches!(scalar, Val::Nil) => {
            out.push_str("%!s(");
            out.push_str(scalar.type_name());
            out.push('=');
            write(out, scalar, 'v', depth)?;
            out.push(')');
        }
        Val::Nil => out.push_str("<nil>"),
        Val::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Val::Int(value) | Val::Int64(value) => out.push_str(&value.to_string()),
        Val::Float(value) => out.push_str(&float(*value)),
    }
    Ok(())
}

fn separate(out: &mut String, at: usize) {
    if at > 0 {
        out.push(' ');
    }
}

fn write_object(out: &mut String, object: &Object, verb: char, depth: usize) -> Res<()> {
    match object {
        Object::Struct(of) => match &of.text {
            Some(text) => out.push_str(text),
            None => {
                out.push('{');
                for (at, (_, item)) in of.fields.entries().iter().enumerate() {
                    separate(out, at);
                    write(out, item, verb, depth)?;
                }
                out.push('}');
            }
        },
        Object::Files(files) => {
            out.push_str("map[");
            for (at, (path, content)) in files.iter().enumerate() {
                separate(out, at);
                out.push_str(path);
                out.push(':');
                write_bytes(out, content, verb);
            }
            out.push(']');
        }
        Object::Versions(versions) => {
            out.push('[');
            out.push_str(&versions.join(" "));
            out.push(']');
        }
        Object::Bytes(content) => write_bytes(out, content, verb),
        Object::Time => out.push_str("1970-01-01 00:00:00 +0000 UTC"),
    }
    Ok(())
}

fn write_bytes(out: &mut String, content: &str, verb: char) {
    if verb == 's' {
        out.push_str(content);
        return;
    }
    let bytes: Vec<String> = content.bytes().map(|byte| byte.to_string()).collect();
    out.push('[');
    out.push_str(&bytes.join(" "));
    out.push(']');
}

/// A float's shortest digits and the power of ten of the first.
fn digits(value: f64) -> (String, i32) {
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (
        mantissa.replace('.', ""),
        exponent.parse().unwrap_or_default(),
    )
}

/// A float as `%v` writes it: shortest digits, an exponent from 1e6 on and below 1e-4.
pub(crate) fn float(value: f64) -> String {
    exponent_or_plain(value, -4, 6)
}

/// A float as JSON writes it in Go.
pub(crate) fn json_float(value: f64) -> String {
    let text = exponent_or_plain(value, -6, 21);
    // JSON shortens the exponent's leading zero: `1e-07` is `1e-7`.
    match text.split_once("e-0") {
        Some((mantissa, exponent)) => format!("{mantissa}e-{exponent}"),
        None => text,
    }
}

fn exponent_or_plain(value: f64, lowest: i32, highest: i32) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let (digits, exponent) = digits(value);
    if value != 0.0 && (exponent < lowest || exponent >= highest) {
        let sign = if value < 0.0 { "-" } else { "" };
        let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
        let dot = if rest.is_empty() { "" } else { "." };
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{dot}{rest}e{direction}{:02}", exponent.abs());
    }
    format!("{value}")
}

/// A text in double quotes, as `%q` writes it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c if u32::from(c) < 0x20 || c == '\x7f' => {
                out.push_str(&format!("\\x{:02x}", u32::from(c)));
            }
            c if c.is_control()
                || matches!(
                    c,
                    '\u{a0}' | '\u{ad}' | '\u{200b}' | '\u{feff}' | '\u{2028}' | '\u{2029}'
                ) =>
            {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What stands between `%` and the verb.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    zero: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// `printf`.
pub(crate) fn format(pattern: &str, args: &[Val]) -> Res<String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut next = 0;
    let mut reordered = false;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let spec = spec(&mut chars, args, &mut next, &mut reordered)?;
        let Some(verb) = chars.next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        match args.get(next) {
            Some(value) => out.push_str(&padded(&one(verb, value, &spec)?, &spec, verb, value)),
            None => out.push_str(&format!("%!{verb}(MISSING)")),
        }
        next += 1;
        if out.len() > LONGEST {
            return Err(Fail::limit("produces too much text"));
        }
    }
    if !reordered && let Some(rest) = args.get(next..).filter(|rest| !rest.is_empty()) {
        let rest: Vec<String> = rest.iter().map(typed).collect::<Res<_>>()?;
        out.push_str(&format!("%!(EXTRA {})", rest.join(", ")));
    }
    Ok(out)
}

fn typed(value: &Val) -> Res<String> {
    match value {
        Val::Nil => Ok("<nil>".to_owned()),
        other => Ok(format!("{}={}", other.type_name(), plain(other)?)),
    }
}

fn spec(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    args: &[Val],
    next: &mut usize,
    reordered: &mut bool,
) -> Res<Spec> {
    let mut spec = Spec::default();
    while let Some(c) = chars.peek() {
        match c {
            '-' => spec.minus = true,
            '+' => spec.plus = true,
            '#' => spec.sharp = true,
            '0' => spec.zero = true,
            ' ' => spec.space = true,
            _ => break,
        }
        chars.next();
    }
    argument_index(chars, next, reordered);
    spec.width = measure(chars, args, next)?;
    if chars.next_if_eq(&'.').is_some() {
        argument_index(chars, next, reordered);
        spec.precision = Some(measure(chars, args, next)?.unwrap_or(0));
    }
    argument_index(chars, next, reordered);
    Ok(spec)
}

/// `[2]`: which argument is next.
fn argument_index(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    next: &mut usize,
    reordered: &mut bool,
) {
    if chars.next_if_eq(&'[').is_none() {
        return;
    }
    let mut number = String::new();
    for c in chars.by_ref() {
        if c == ']' {
            break;
        }
        number.push(c);
    }
    *reordered = true;
    *next = number.parse::<usize>().unwrap_or(1).saturating_sub(1);
}

fn measure(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    args: &[Val],
    next: &mut usize,
) -> Res<Option<usize>> {
    if chars.next_if_eq(&'*').is_some() {
        let value = match args.get(*next) {
            Some(Val::Int(value) | Val::Int64(value)) => usize::try_from(*value).ok(),
            _ => None,
        };
        *next += 1;
        return bounded(value);
    }
    let mut number = String::new();
    while let Some(c) = chars.next_if(char::is_ascii_digit) {
        number.push(c);
    }
    if number.is_empty() {
        Ok(None)
    } else {
        bounded(Some(number.parse().unwrap_or(usize::MAX)))
    }
}

fn bounded(value: Option<usize>) -> Res<Option<usize>> {
    match value {
        Some(value) if value > 10_000 => Err(Fail::limit("prints a value too wide")),
        other => Ok(other),
    }
}

fn one(verb: char, value: &Val, spec: &Spec) -> Res<String> {
    let wrong = || Ok(format!("%!{verb}({})", typed(value)?));
    match (verb, value) {
        ('v', Val::Str(text)) if spec.sharp => Ok(quoted(text)),
        ('v', Val::Float(number)) if spec.plus => Ok(signed(&float(*number), spec)),
        ('v', _) => plain(value),
        ('s', _) => {
            let mut out = String::new();
            write(&mut out, value, 's', VALUE_DEPTH)?;
            Ok(match spec.precision {
                Some(count) => out.chars().take(count).collect(),
                None => out,
            })
        }
        ('d', Val::Int(value) | Val::Int64(value)) => Ok(signed(&value.to_string(), spec)),
        ('d' | 'q' | 'x' | 'X', Val::List(list)) => {
            let items: Vec<String> = list
                .items()
                .iter()
                .map(|item| one(verb, item, spec))
                .collect::<Res<_>>()?;
            Ok(format!("[{}]", items.join(" ")))
        }
        ('t', Val::Bool(value)) => Ok(value.to_string()),
        ('q', Val::Str(text) | Val::Object(Object::Bytes(text))) => Ok(quoted(text)),
        ('x' | 'X', Val::Str(text) | Val::Object(Object::Bytes(text))) => {
            Ok(hex(verb, text.as_bytes()))
        }
        ('x', Val::Int(value) | Val::Int64(value)) => Ok(format!("{value:x}")),
        ('X', Val::Int(value) | Val::Int64(value)) => Ok(format!("{value:X}")),
        ('o', Val::Int(value) | Val::Int64(value)) => Ok(format!("{value:o}")),
        ('b', Val::Int(value) | Val::Int64(value)) => Ok(format!("{value:b}")),
        ('c', Val::Int(value) | Val::Int64(value)) => {
            let c = u32::try_from(*value).ok().and_then(char::from_u32);
            Ok(c.unwrap_or(char::REPLACEMENT_CHARACTER).to_string())
        }
        ('f' | 'F', Val::Float(value)) => Ok(signed(
            &format!("{value:.*}", spec.precision.unwrap_or(6)),
            spec,
        )),
        ('g' | 'G', Val::Float(value)) => Ok(signed(&float(*value), spec)),
        ('e', Val::Float(value)) => {
            Ok(signed(&exponent(*value, spec.precision.unwrap_or(6)), spec))
        }
        ('U', Val::Int(value) | Val::Int64(value)) => Ok(format!("U+{value:04X}")),
        ('T', _) => Ok(value.type_name().to_owned()),
        _ => wrong(),
    }
}

fn exponent(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    match text.split_once("e-") {
        Some((mantissa, exponent)) => format!("{mantissa}e-{exponent:0>2}"),
        None => match text.split_once('e') {
            Some((mantissa, exponent)) => format!("{mantissa}e+{exponent:0>2}"),
            None => text,
        },
    }
}

pub(crate) fn hex(verb: char, bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| {
            if verb == 'X' {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            }
        })
        .collect()
}

fn signed(text: &str, spec: &Spec) -> String {
    if spec.plus && !text.starts_with('-') {
        format!("+{text}")
    } else if spec.space && !text.starts_with('-') {
        format!(" {text}")
    } else {
        text.to_owned()
    }
}

fn padded(text: &str, spec: &Spec, verb: char, value: &Val) -> String {
    let length = text.chars().count();
    let Some(missing) = spec.width.and_then(|width| width.checked_sub(length)) else {
        return text.to_owned();
    };
    let number = matches!(value, Val::Int(_) | Val::Int64(_) | Val::Float(_)) && verb != 's';
    if spec.minus {
        format!("{text}{}", " ".repeat(missing))
    } else if spec.zero && number {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", text),
        };
        format!("{sign}{}{rest}", "0".repeat(missing))
    } else {
        let pad = if spec.zero { "0" } else { " " };
        format!("{}{text}", pad.repeat(missing))
    }
}
