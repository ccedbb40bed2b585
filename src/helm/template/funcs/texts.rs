//! Texts: quoting, cutting, joining, printing, regular expressions, addresses.

use std::sync::Arc;

use super::super::limits::{Fail, Meter, Res};
use super::super::print;
use super::super::value::{Dict, Val};
use super::{ANY, Row, arg, count, int, text, words};

pub(super) const TABLE: &[Row] = &[
    ("print", 0, ANY, |meter, args| {
        out(meter, print::joined(args)?)
    }),
    ("println", 0, ANY, |meter, args| {
        let parts: Vec<String> = args.iter().map(print::plain).collect::<Res<_>>()?;
        out(meter, parts.join(" ") + "\n")
    }),
    ("printf", 1, ANY, |meter, args| {
        out(
            meter,
            print::format(&text(args, 0)?, args.get(1..).unwrap_or_default())?,
        )
    }),
    ("html", 0, ANY, |meter, args| {
        out(meter, escaped(&evaluated(args)?, HTML))
    }),
    ("js", 0, ANY, |meter, args| {
        out(meter, escaped(&evaluated(args)?, JS))
    }),
    ("urlquery", 0, ANY, |meter, args| {
        out(meter, url_escaped(&evaluated(args)?))
    }),
    ("toString", 1, 1, |meter, args| {
        out(meter, print::text_of(arg(args, 0))?)
    }),
    ("quote", 0, ANY, |meter, args| {
        quoted(meter, args, |value| {
            Ok(print::quoted(&print::text_of(value)?))
        })
    }),
    ("squote", 0, ANY, |meter, args| {
        quoted(meter, args, |value| {
            Ok(format!("'{}'", print::plain(value)?))
        })
    }),
    ("cat", 0, ANY, |meter, args| {
        quoted(meter, args, print::plain)
    }),
    ("trim", 1, 1, |_, args| Ok(Val::text(text(args, 0)?.trim()))),
    ("trimAll", 2, 2, trim_all),
    ("trimall", 2, 2, trim_all),
    ("trimPrefix", 2, 2, |_, args| {
        let (prefix, from) = (text(args, 0)?, text(args, 1)?);
        Ok(Val::text(from.strip_prefix(&*prefix).unwrap_or(&from)))
    }),
    ("trimSuffix", 2, 2, |_, args| {
        let (suffix, from) = (text(args, 0)?, text(args, 1)?);
        Ok(Val::text(from.strip_suffix(&*suffix).unwrap_or(&from)))
    }),
    ("upper", 1, 1, |_, args| {
        Ok(Val::text(text(args, 0)?.to_uppercase()))
    }),
    ("lower", 1, 1, |_, args| {
        Ok(Val::text(text(args, 0)?.to_lowercase()))
    }),
    ("title", 1, 1, |_, args| {
        Ok(Val::text(words::title(&text(args, 0)?)))
    }),
    ("untitle", 1, 1, |_, args| {
        Ok(Val::text(untitled(&text(args, 0)?)))
    }),
    ("swapcase", 1, 1, |_, args| {
        Ok(Val::text(swapped(&text(args, 0)?)))
    }),
    ("camelcase", 1, 1, |_, args| {
        Ok(Val::text(words::pascal(&text(args, 0)?)))
    }),
    ("snakecase", 1, 1, |_, args| {
        Ok(Val::text(words::lower_joined(&text(args, 0)?, '_')))
    }),
    ("kebabcase", 1, 1, |_, args| {
        Ok(Val::text(words::lower_joined(&text(args, 0)?, '-')))
    }),
    ("initials", 1, 1, |_, args| {
        Ok(Val::text(words::initials(&text(args, 0)?)))
    }),
    ("nospace", 1, 1, |_, args| {
        Ok(Val::text(text(args, 0)?.replace(char::is_whitespace, "")))
    }),
    ("trunc", 2, 2, trunc),
    ("substr", 3, 3, substr),
    ("abbrev", 2, 2, abbrev),
    ("repeat", 2, 2, |meter, args| {
        let (times, unit) = (count(meter, int(args, 0)?)?, text(args, 1)?);
        meter.bytes(times.saturating_mul(unit.len()))?;
        Ok(Val::text(unit.repeat(times)))
    }),
    ("contains", 2, 2, |_, args| {
        Ok(Val::Bool(text(args, 1)?.contains(&*text(args, 0)?)))
    }),
    ("hasPrefix", 2, 2, |_, args| {
        Ok(Val::Bool(text(args, 1)?.starts_with(&*text(args, 0)?)))
    }),
    ("hasSuffix", 2, 2, |_, args| {
        Ok(Val::Bool(text(args, 1)?.ends_with(&*text(args, 0)?)))
    }),
    ("indent", 2, 2, |meter, args| indented(meter, args, "")),
    ("nindent", 2, 2, |meter, args| indented(meter, args, "\n")),
    ("replace", 3, 3, |meter, args| {
        let (old, new, from) = (text(args, 0)?, text(args, 1)?, text(args, 2)?);
        let most = from.len().saturating_add(1).saturating_mul(new.len());
        meter.bytes(if new.len() > old.len() {
            most
        } else {
            from.len()
        })?;
        out(meter, from.replace(&*old, &new))
    }),
    ("plural", 3, 3, |_, args| {
        Ok(arg(args, usize::from(int(args, 2)? != 1)).clone())
    }),
    ("wrap", 2, 2, |meter, args| {
        let width = count(meter, int(args, 0)?)?;
        out(meter, words::wrapped(&text(args, 1)?, width, "\n", false))
    }),
    ("wrapWith", 3, 3, |meter, args| {
        let width = count(meter, int(args, 0)?)?;
        out(
            meter,
            words::wrapped(&text(args, 2)?, width, &text(args, 1)?, true),
        )
    }),
    ("split", 2, 2, |meter, args| {
        split(meter, &text(args, 0)?, &text(args, 1)?, -1)
    }),
    ("splitn", 3, 3, |meter, args| {
        split(meter, &text(args, 0)?, &text(args, 2)?, int(args, 1)?)
    }),
    ("splitList", 2, 2, |meter, args| {
        let parts = parts(&text(args, 0)?, &text(args, 1)?, -1);
        meter.steps(parts.len())?;
        Ok(Val::texts(parts))
    }),
    ("regexMatch", 2, 2, |meter, args| {
        // A pattern that cannot be read matches nothing.
        Ok(Val::Bool(meter.regex(&text(args, 0)?).is_ok_and(|regex| {
            text(args, 1).is_ok_and(|text| regex.is_match(&text))
        })))
    }),
    ("mustRegexMatch", 2, 2, |meter, args| {
        Ok(Val::Bool(
            meter.regex(&text(args, 0)?)?.is_match(&text(args, 1)?),
        ))
    }),
    ("regexFind", 2, 2, regex_find),
    ("mustRegexFind", 2, 2, regex_find),
    ("regexFindAll", 3, 3, regex_find_all),
    ("mustRegexFindAll", 3, 3, regex_find_all),
    ("regexReplaceAll", 3, 3, regex_replace),
    ("mustRegexReplaceAll", 3, 3, regex_replace),
    ("regexReplaceAllLiteral", 3, 3, regex_replace_literal),
    ("mustRegexReplaceAllLiteral", 3, 3, regex_replace_literal),
    ("regexSplit", 3, 3, regex_split),
    ("mustRegexSplit", 3, 3, regex_split),
    ("regexQuoteMeta", 1, 1, |_, args| {
        Ok(Val::text(quote_meta(&text(args, 0)?)))
    }),
    ("base", 1, 1, |_, args| {
        Ok(Val::text(words::base(&text(args, 0)?)))
    }),
    ("dir", 1, 1, |_, args| {
        let path = text(args, 0)?;
        let before = path
            .rfind('/')
            .and_then(|at| path.get(..=at))
            .unwrap_or_default();
        Ok(Val::text(words::clean_path(before)))
    }),
    ("clean", 1, 1, |_, args| {
        Ok(Val::text(words::clean_path(&text(args, 0)?)))
    }),
    ("ext", 1, 1, |_, args| {
        let path = text(args, 0)?;
        let name = path.rsplit('/').next().unwrap_or_default();
        Ok(Val::text(
            name.rfind('.')
                .and_then(|at| name.get(at..))
                .unwrap_or_default(),
        ))
    }),
    ("isAbs", 1, 1, |_, args| {
        Ok(Val::Bool(text(args, 0)?.starts_with('/')))
    }),
    ("urlParse", 1, 1, url_parse),
    ("urlJoin", 1, 1, url_join),
];

fn out(meter: &Meter, text: String) -> Res<Val> {
    meter.bytes(text.len())?;
    Ok(Val::text(text))
}

/// The arguments of `html`, `js` and `urlquery` as one text.
fn evaluated(args: &[Val]) -> Res<String> {
    print::joined(args)
}

const HTML: &[(char, &str)] = &[
    ('&', "&amp;"),
    ('<', "&lt;"),
    ('>', "&gt;"),
    ('"', "&#34;"),
    ('\'', "&#39;"),
];
const JS: &[(char, &str)] = &[
    ('\\', "\\\\"),
    ('\'', "\\'"),
    ('"', "\\\""),
    ('<', "\\u003C"),
    ('>', "\\u003E"),
    ('&', "\\u0026"),
    ('=', "\\u003D"),
    ('\n', "\\u000A"),
];

fn escaped(text: &str, table: &[(char, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match table.iter().find(|(sign, _)| *sign == c) {
            Some((_, escape)) => out.push_str(escape),
            None => out.push(c),
        }
    }
    out
}

fn url_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// What is not nothing, written and joined by blanks.
fn quoted(meter: &Meter, args: &[Val], write: fn(&Val) -> Res<String>) -> Res<Val> {
    let parts: Vec<String> = args
        .iter()
        .filter(|value| !matches!(value, Val::Nil))
        .map(write)
        .collect::<Res<_>>()?;
    out(meter, parts.join(" "))
}

fn trim_all(_: &Meter, args: &[Val]) -> Res<Val> {
    let (cut, from) = (text(args, 0)?, text(args, 1)?);
    Ok(Val::text(from.trim_matches(|c| cut.contains(c))))
}

/// The text with the first letter of each word in lower case.
fn untitled(text: &str) -> String {
    let mut starts = true;
    text.chars()
        .map(|c| {
            let starting = std::mem::replace(&mut starts, c.is_whitespace());
            if starting {
                c.to_lowercase().next().unwrap_or(c)
            } else {
                c
            }
        })
        .collect()
}

fn swapped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_lowercase() => c.to_uppercase().next().unwrap_or(c),
            c => c.to_lowercase().next().unwrap_or(c),
        })
        .collect()
}

/// The bytes of a range as text; what a cut leaves of a sign is replaced.
fn bytes(text: &str, start: usize, end: usize) -> Val {
    let bytes = text.as_bytes().get(start..end).unwrap_or_default();
    Val::text(String::from_utf8_lossy(bytes).into_owned())
}

fn trunc(_: &Meter, args: &[Val]) -> Res<Val> {
    let (limit, from) = (int(args, 0)?, text(args, 1)?);
    let count = usize::try_from(limit.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(match from.len().checked_sub(count) {
        Some(start) if limit < 0 && start > 0 => bytes(&from, start, from.len()),
        Some(_) if limit >= 0 => bytes(&from, 0, count),
        _ => Val::Str(from),
    })
}

fn substr(_: &Meter, args: &[Val]) -> Res<Val> {
    let (start, end, from) = (int(args, 0)?, int(args, 1)?, text(args, 2)?);
    let start = usize::try_from(start).unwrap_or(0);
    let end = usize::try_from(end)
        .ok()
        .filter(|&end| end <= from.len())
        .unwrap_or(from.len());
    if start > end {
        return Err(Fail::new("slice bounds out of range"));
    }
    Ok(bytes(&from, start, end))
}

fn abbrev(_: &Meter, args: &[Val]) -> Res<Val> {
    let (width, from) = (int(args, 0)?, text(args, 1)?);
    let width = usize::try_from(width).unwrap_or(0);
    if width < 4 || from.len() <= width {
        return Ok(Val::Str(from));
    }
    Ok(Val::text(format!(
        "{}...",
        from.chars().take(width - 3).collect::<String>()
    )))
}

fn indented(meter: &Meter, args: &[Val], start: &str) -> Res<Val> {
    let (width, from) = (count(meter, int(args, 0)?)?, text(args, 1)?);
    let lines = from.bytes().filter(|&byte| byte == b'\n').count() + 1;
    meter.bytes(lines.saturating_mul(width).saturating_add(from.len()))?;
    let pad = " ".repeat(width);
    let pad_lines = format!("\n{pad}");
    Ok(Val::text(format!(
        "{start}{pad}{}",
        from.replace('\n', &pad_lines)
    )))
}

/// The parts between separators; a count of zero gives none, a negative one all.
fn parts(separator: &str, from: &str, count: i64) -> Vec<String> {
    let limit = match usize::try_from(count) {
        Ok(0) => return Vec::new(),
        Ok(limit) => limit,
        Err(_) => usize::MAX,
    };
    if separator.is_empty() {
        return from.chars().take(limit).map(String::from).collect();
    }
    from.splitn(limit, separator).map(str::to_owned).collect()
}

fn split(meter: &Meter, separator: &str, from: &str, count: i64) -> Res<Val> {
    let parts = parts(separator, from, count);
    meter.steps(parts.len())?;
    let made = Dict::of_texts();
    for (at, part) in parts.into_iter().enumerate() {
        made.set(format!("_{at}"), Val::text(part));
    }
    Ok(Val::Dict(made))
}

fn regex_find(meter: &Meter, args: &[Val]) -> Res<Val> {
    let from = text(args, 1)?;
    let found = meter
        .regex(&text(args, 0)?)?
        .find(&from)
        .map_or("", |found| found.as_str());
    Ok(Val::text(found))
}

fn limit_of(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn regex_find_all(meter: &Meter, args: &[Val]) -> Res<Val> {
    let (regex, from) = (meter.regex(&text(args, 0)?)?, text(args, 1)?);
    let found = regex
        .find_iter(&from)
        .take(limit_of(int(args, 2)?))
        .map(|found| found.as_str());
    Ok(Val::texts(found))
}

fn regex_replace(meter: &Meter, args: &[Val]) -> Res<Val> {
    let (regex, from, to) = (
        meter.regex(&text(args, 0)?)?,
        text(args, 1)?,
        text(args, 2)?,
    );
    meter.bytes(from.len())?;
    out(meter, regex.replace_all(&from, &*to).into_owned())
}

fn regex_replace_literal(meter: &Meter, args: &[Val]) -> Res<Val> {
    let (regex, from, to) = (
        meter.regex(&text(args, 0)?)?,
        text(args, 1)?,
        text(args, 2)?,
    );
    meter.bytes(from.len())?;
    out(
        meter,
        regex.replace_all(&from, regex::NoExpand(&to)).into_owned(),
    )
}

fn regex_split(meter: &Meter, args: &[Val]) -> Res<Val> {
    let (regex, from, count) = (meter.regex(&text(args, 0)?)?, text(args, 1)?, int(args, 2)?);
    if count == 0 {
        return Ok(Val::list(Vec::new()));
    }
    Ok(Val::texts(regex.splitn(&from, limit_of(count))))
}

fn quote_meta(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// An address in its parts; the scheme, the user, the host and the rest.
fn url_parse(_: &Meter, args: &[Val]) -> Res<Val> {
    let from = text(args, 0)?;
    let (from, fragment) = from.split_once('#').unwrap_or((&from, ""));
    let (from, query) = from.split_once('?').unwrap_or((from, ""));
    let (scheme, rest) = from.split_once("://").unwrap_or(("", from));
    let (authority, path) = match rest.find('/') {
        _ if scheme.is_empty() => ("", rest),
        Some(at) => rest.split_at_checked(at).unwrap_or((rest, "")),
        None => (rest, ""),
    };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let hostname = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let fields = [
        ("scheme", scheme),
        ("host", host),
        ("hostname", hostname),
        ("path", path),
        ("query", query),
        ("opaque", ""),
        ("fragment", fragment),
        ("userinfo", user),
    ];
    Ok(Val::Dict(
        fields
            .into_iter()
            .map(|(key, value)| (Arc::from(key), Val::text(value)))
            .collect(),
    ))
}

fn url_join(_: &Meter, args: &[Val]) -> Res<Val> {
    let parts = super::dict(args, 0)?;
    let part = |key: &str| match parts.get(key) {
        Some(Val::Str(text)) => text.to_string(),
        _ => String::new(),
    };
    let mut address = String::new();
    let (scheme, user, host) = (part("scheme"), part("userinfo"), part("host"));
    if !scheme.is_empty() {
        address.push_str(&scheme);
        address.push_str("://");
    }
    if !user.is_empty() {
        address.push_str(&user);
        address.push('@');
    }
    address.push_str(&host);
    let path = part("path");
    if !host.is_empty() && !path.is_empty() && !path.starts_with('/') {
        address.push('/');
    }
    address.push_str(&path);
    for (sign, key) in [('?', "query"), ('#', "fragment")] {
        let text = part(key);
        if !text.is_empty() {
            address.push(sign);
            address.push_str(&text);
        }
    }
    Ok(Val::text(address))
}
