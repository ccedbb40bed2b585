//! What a plain YAML scalar is: the rules of YAML 1.1 as Go's library reads them.

/// A plain scalar's meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Plain {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    /// A date or a moment: stays the text it is, and is quoted when written.
    Moment,
    Text,
}

/// The words that are no texts.
const WORDS: [(&[&str], Plain); 6] = [
    (&["", "~", "null", "Null", "NULL"], Plain::Null),
    (
        &[
            "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE",
        ],
        Plain::Bool(true),
    ),
    (
        &[
            "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE",
        ],
        Plain::Bool(false),
    ),
    (&[".nan", ".NaN", ".NAN"], Plain::Float(f64::NAN)),
    (
        &[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"],
        Plain::Float(f64::INFINITY),
    ),
    (
        &["-.inf", "-.Inf", "-.INF"],
        Plain::Float(f64::NEG_INFINITY),
    ),
];

/// What the plain scalar `text` means.
pub(crate) fn resolve(text: &str) -> Plain {
    for (words, meaning) in WORDS {
        if words.contains(&text) {
            return meaning;
        }
    }
    match text.bytes().next() {
        Some(b'.') => text
            .parse()
            .ok()
            .filter(|_| is_float(text))
            .map_or(Plain::Text, Plain::Float),
        Some(b'0'..=b'9' | b'+' | b'-') => number(text),
        _ => Plain::Text,
    }
}

fn number(text: &str) -> Plain {
    if is_moment(text) {
        return Plain::Moment;
    }
    let plain = text.replace('_', "");
    if let Some(value) = int(&plain) {
        return Plain::Int(value);
    }
    if is_float(&plain)
        && let Ok(value) = plain.parse()
    {
        return Plain::Float(value);
    }
    Plain::Text
}

fn int(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = match lower.get(..2) {
        Some("0x") => (lower.get(2..)?, 16),
        Some("0b") => (lower.get(2..)?, 2),
        Some("0o") => (lower.get(2..)?, 8),
        Some(two) if two.starts_with('0') => (lower.get(1..)?, 8),
        _ => (lower.as_str(), 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = sign * i128::from_str_radix(digits, radix).ok()?;
    let fits = value >= i128::from(i64::MIN) && value <= i128::from(u64::MAX);
    fits.then_some(value)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, part)) => {
            all_digits(whole) && all_digits(part) && !(whole.is_empty() && part.is_empty())
        }
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    mantissa_fits
        && exponent.is_none_or(|exponent| {
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !digits.is_empty() && all_digits(digits)
        })
}

/// `2001-01-31`, alone or with a time after it.
fn is_moment(text: &str) -> bool {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let fits = |part: Option<&str>, least: usize, most: usize, highest: u32| {
        part.is_some_and(|part| {
            (least..=most).contains(&part.len())
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && part
                    .parse::<u32>()
                    .is_ok_and(|value| value <= highest && (value > 0 || least == 4))
        })
    };
    let is_date = fits(parts.next(), 4, 4, 9999)
        && fits(parts.next(), 1, 2, 12)
        && fits(parts.next(), 1, 2, 31)
        && parts.next().is_none();
    is_date
        && time.is_none_or(|time| {
            time.contains(':')
                && time.starts_with(|c: char| c.is_ascii_digit())
                && time
                    .chars()
                    .all(|c| c.is_ascii_digit() || ":.Zz+-".contains(c))
        })
}

/// `12:30:45`, a number in base sixty to old readers.
pub(crate) fn is_base_sixty(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.contains(':') {
        return false;
    }
    let (whole, part) = match text.split_once('.') {
        Some((whole, part)) => (whole, part),
        None => (text, ""),
    };
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let mut groups = whole.split(':');
    groups.next().is_some_and(digits)
        && digits(part)
        && groups.all(|group| match group.as_bytes() {
            [digit] => digit.is_ascii_digit(),
            [tens, digit] => (b'0'..=b'5').contains(tens) && digit.is_ascii_digit(),
            _ => false,
        })
}
