//! Words and cases: titles, camel, snake and kebab case, wrapped lines.

/// Go's `strings.Title`.
pub(super) fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut starts = true;
    for c in text.chars() {
        if starts {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        starts = separates(c);
    }
    out
}

fn separates(c: char) -> bool {
    if c.is_ascii() {
        !(c.is_ascii_alphanumeric() || c == '_')
    } else {
        c.is_whitespace()
    }
}

fn connects(c: char) -> bool {
    matches!(c, '-' | '_') || c.is_whitespace()
}

/// `some_words` as `SomeWords`; connectors at the start stay.
pub(super) fn pascal(text: &str) -> String {
    let start = text.trim_start_matches(connects);
    let mut out: String = text
        .get(..text.len() - start.len())
        .unwrap_or_default()
        .to_owned();
    let shouts = start.chars().all(|c| !c.is_lowercase());
    let mut upper = true;
    let mut kept = None;
    for c in start.chars() {
        if connects(c) {
            // Of several connectors in a row all but one stay.
            out.extend(kept.replace(c));
            upper = true;
            continue;
        }
        kept = None;
        if upper {
            out.extend(c.to_uppercase());
        } else if shouts {
            out.extend(c.to_lowercase());
        } else {
            out.push(c);
        }
        upper = false;
    }
    out.extend(kept);
    out
}

/// `FirstName` as `first_name`, with the connector given.
pub(super) fn lower_joined(text: &str, connector: char) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied();
        let after = chars.get(at + 1).copied();
        if connects(c) {
            out.push(connector);
            continue;
        }
        let starts = match before {
            Some(before) if connects(before) => false,
            Some(before) if c.is_uppercase() => {
                !before.is_uppercase() || after.is_some_and(char::is_lowercase)
            }
            Some(before) if c.is_ascii_digit() => before.is_alphabetic(),
            _ => false,
        };
        if starts {
            out.push(connector);
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Breaks a text at blanks so that its lines have at most `width` signs.
pub(super) fn wrapped(text: &str, width: usize, line_break: &str, cuts: bool) -> String {
    let width = width.max(1);
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while chars.len() - at > width {
        if chars.get(at) == Some(&' ') {
            at += 1;
            continue;
        }
        let within = chars.get(at..=at + width).unwrap_or_default();
        let (end, next) = match within.iter().rposition(|&c| c == ' ') {
            Some(space) => (at + space, at + space + 1),
            None if cuts => (at + width, at + width),
            None => {
                let rest = chars.get(at + width..).unwrap_or_default();
                match rest.iter().position(|&c| c == ' ') {
                    Some(space) => (at + width + space, at + width + space + 1),
                    None => break,
                }
            }
        };
        out.extend(chars.get(at..end).unwrap_or_default());
        out.push_str(line_break);
        at = next;
    }
    out.extend(chars.get(at..).unwrap_or_default());
    out
}

/// The first letter of each word.
pub(super) fn initials(text: &str) -> String {
    text.split_whitespace()
        .filter_map(|word| word.chars().next())
        .collect()
}

/// A path without `.`, `..` and doubled slashes.
pub(super) fn clean_path(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|&last| last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// The last part of a path.
pub(super) fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    match path.trim_end_matches('/') {
        "" => "/",
        trimmed => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}
