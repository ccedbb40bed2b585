//! Versions and version ranges, as `semverCompare` reads them.

use std::cmp::Ordering;

/// A version; missing parts are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) parts: [u64; 3],
    pub(crate) pre: String,
    pub(crate) build: String,
    /// How many of the three numbers were written; the others were left out or are `x`.
    written: usize,
}

impl Version {
    /// Reads a version, with or without a `v` and with parts left out.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let version = Self::parse_loose(text)?;
        (version.written > 0).then_some(version)
    }

    fn parse_loose(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = text.split_once('+').unwrap_or((text, ""));
        let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if !pre.chars().all(allowed) || !build.chars().all(allowed) || text.ends_with('-') {
            return None;
        }
        let mut parts = [0; 3];
        let mut written = 0;
        let mut open = false;
        let count = numbers.split('.').count();
        for (slot, part) in parts.iter_mut().zip(numbers.split('.')) {
            if matches!(part, "x" | "X" | "*") {
                open = true;
            } else if !open {
                *slot = part
                    .parse()
                    .ok()
                    .filter(|_| part.bytes().all(|b| b.is_ascii_digit()))?;
                written += 1;
            }
        }
        (count <= 3).then(|| Self {
            parts,
            pre: pre.to_owned(),
            build: build.to_owned(),
            written,
        })
    }

    /// The version written out in full.
    pub(crate) fn text(&self) -> String {
        let [major, minor, patch] = self.parts;
        let mut text = format!("{major}.{minor}.{patch}");
        for (sign, part) in [('-', &self.pre), ('+', &self.build)] {
            if !part.is_empty() {
                text.push(sign);
                text.push_str(part);
            }
        }
        text
    }

    /// Which of two versions comes first.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        self.parts
            .cmp(&other.parts)
            .then_with(|| compare_pre(&self.pre, &other.pre))
    }
}

fn compare_pre(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let mut others = b.split('.');
    for part in a.split('.') {
        let Some(other) = others.next() else {
            return Ordering::Greater;
        };
        let order = match (part.parse::<u64>(), other.parse::<u64>()) {
            (Ok(part), Ok(other)) => part.cmp(&other),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => part.cmp(other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    if others.next().is_some() {
        Ordering::Less
    } else {
        Ordering::Equal
    }
}

/// The place of the newest of these versions that is in a range; without one, of the newest that is released.
pub fn newest<'v>(range: &str, versions: impl Iterator<Item = &'v str>) -> Option<usize> {
    let range = range.trim();
    let read = versions.enumerate();
    let read = read.filter_map(|(index, text)| Some((index, Version::parse(text)?)));
    let is_wanted = |version: &Version| {
        if range.is_empty() {
            return version.pre.is_empty();
        }
        satisfies(range.trim_start_matches('v'), version).unwrap_or(false)
    };
    let fitting = read.filter(|(_, version)| is_wanted(version));
    fitting
        .max_by(|(_, a), (_, b)| a.compare(b))
        .map(|(index, _)| index)
}

/// Whether a version is in a range; nothing when the range cannot be read.
pub(crate) fn satisfies(range: &str, version: &Version) -> Option<bool> {
    let mut any = false;
    for alternative in range.split("||") {
        let mut all = true;
        for (operator, bound) in conditions(alternative)? {
            all &= holds(operator, &bound, version);
        }
        any |= all;
    }
    Some(any)
}

const OPERATORS: [&str; 13] = [
    ">=", "=>", "<=", "=<", "!=", "~>", "=", ">", "<", "~", "^", "-", "",
];

/// The conditions of one alternative; a hyphen range makes two.
fn conditions(text: &str) -> Option<Vec<(&'static str, Version)>> {
    let spaced = text.replace(',', " ");
    let mut words = spaced.split_whitespace().peekable();
    let mut conditions = Vec::new();
    while let Some(word) = words.next() {
        let (operator, rest) = operator_of(word);
        let bound = match rest {
            "" => words.next()?,
            rest => rest,
        };
        let bound = Version::parse_loose(bound)?;
        if words.next_if_eq(&"-").is_some() {
            conditions.push((">=", bound));
            conditions.push(("<=", Version::parse_loose(words.next()?)?));
        } else {
            conditions.push((operator, bound));
        }
    }
    (!conditions.is_empty()).then_some(conditions)
}

fn operator_of(word: &str) -> (&'static str, &str) {
    OPERATORS
        .into_iter()
        .find_map(|operator| word.strip_prefix(operator).map(|rest| (operator, rest)))
        .unwrap_or(("", word))
}

fn holds(operator: &str, bound: &Version, version: &Version) -> bool {
    // A version before its release is only in a range that names one.
    if !version.pre.is_empty() && bound.pre.is_empty() && operator != "!=" {
        return false;
    }
    let order = version.compare(bound);
    let below = |count: usize| same_start(bound, version, count) && order != Ordering::Less;
    match operator {
        ">" if bound.written < 3 => {
            order == Ordering::Greater && !same_start(bound, version, bound.written)
        }
        ">" => order == Ordering::Greater,
        ">=" | "=>" => order != Ordering::Less,
        "<" => order == Ordering::Less,
        "<=" | "=<" => {
            order != Ordering::Greater
                || (bound.written < 3 && same_start(bound, version, bound.written))
        }
        "!=" if bound.written < 3 => !same_start(bound, version, bound.written),
        "!=" => order != Ordering::Equal,
        "~" | "~>" => below(bound.written.min(2)),
        "^" => below(caret(bound)),
        _ if bound.written < 3 => below(bound.written),
        _ => order == Ordering::Equal,
    }
}

/// How many leading numbers `^` fixes: up to the first that is not zero.
fn caret(bound: &Version) -> usize {
    let [major, minor, _] = bound.parts;
    match bound.written {
        0 => 0,
        _ if major > 0 => 1,
        1 => 1,
        _ if minor > 0 || bound.written == 2 => 2,
        _ => 3,
    }
}

fn same_start(a: &Version, b: &Version, count: usize) -> bool {
    a.parts
        .iter()
        .zip(&b.parts)
        .take(count)
        .all(|(a, b)| a == b)
}
