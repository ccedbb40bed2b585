//! What is something else each time the same is rendered: passwords, certificates, the time. It is masked on
//! both sides, as far as it differs from one rendering of a side to the next, so that what stands around it
//! counts all the same.

use std::iter::zip;

use serde_json::Value;

use super::objects::{Parsed, paired};
use super::words::{is_reference, words};
use crate::helm::template::{base64, from_base64};
use crate::image::ImageRef;

/// What stands for it: as a tag, it makes a reference.
const MASK: &str = "unstable";

/// Masks what differs in another rendering of the same; gives the number of texts in which something does.
pub(super) fn mask(objects: &mut [Parsed<'_>], again: &[Parsed<'_>]) -> usize {
    let partners: Vec<Option<usize>> = paired(objects, again)
        .into_iter()
        .filter_map(|(one, partner)| one.map(|_| partner))
        .collect();
    let mut count = 0;
    for (object, partner) in zip(objects, partners) {
        let Some(again) = partner.map(|index| &again[index]) else {
            continue;
        };
        let mut way = Vec::new();
        if object.kind == again.kind {
            count += node(&object.kind, &mut way, &mut object.value, &again.value);
        }
        if object.name != again.name {
            let name = by_runs(&object.name, &again.name);
            object.name = name.unwrap_or_else(|| format!("{}/{MASK}", object.kind));
        }
    }
    count
}

fn node(kind: &str, way: &mut Vec<String>, value: &mut Value, again: &Value) -> usize {
    match (&mut *value, again) {
        (Value::Object(map), Value::Object(again)) => {
            let mut count = 0;
            for (key, value) in map {
                let Some(again) = again.get(key) else {
                    continue;
                };
                way.push(key.clone());
                count += node(kind, way, value, again);
                way.pop();
            }
            count
        }
        (Value::Array(items), Value::Array(again)) if items.len() == again.len() => {
            let items = zip(items, again);
            items
                .map(|(item, again)| node(kind, way, item, again))
                .sum()
        }
        (Value::String(text), Value::String(again)) if text != again => {
            let is_encoded = kind == "Secret" && way.first().is_some_and(|key| key == "data");
            let result = match (is_encoded, decoded(text), decoded(again)) {
                (true, Some(text), Some(again)) => {
                    masked(&text, &again).map(|text| base64(text.as_bytes()))
                }
                _ => masked(text, again),
            };
            let is_masked = result.is_some();
            result.into_iter().for_each(|result| *text = result);
            usize::from(is_masked)
        }
        (Value::Number(number), Value::Number(again)) if number != again => {
            *value = Value::String(MASK.to_string());
            1
        }
        _ => 0,
    }
}

/// A text in base64, as the data of a Secret is: one that is written in no other way than usual.
pub(super) fn decoded(text: &str) -> Option<String> {
    let bytes = from_base64(text).filter(|bytes| !bytes.is_empty() && base64(bytes) == text)?;
    String::from_utf8(bytes).ok()
}

/// A text with a mask for each part that differs from another one; none when they are the same, or when
/// nobody can tell what belongs together and images might hide in it.
fn masked(text: &str, again: &str) -> Option<String> {
    if text == again {
        return None;
    }
    let [text, again] = without_certificates(text, again);
    if text == again {
        return Some(text);
    }
    let [chunks, others] = [&text, &again].map(|text| chunks(text).collect::<Vec<_>>());
    if chunks.len() == others.len() {
        let all = zip(chunks, others).map(|(chunk, other)| {
            if chunk == other {
                return Some(chunk.to_string());
            }
            let whole = || hides_nothing(chunk).then(|| MASK.to_string());
            if is_coded(chunk) {
                return whole();
            }
            by_runs(chunk, other).or_else(whole)
        });
        return all.collect();
    }
    hides_nothing(&text).then(|| MASK.to_string())
}

/// How certificates and keys are written: what stands between is coded.
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// Two texts with a mask for each certificate or key that differs. Lines of it may be the same by chance.
fn without_certificates(text: &str, again: &str) -> [String; 2] {
    let parts = [text, again].map(|text| text.split(BEGIN).collect::<Vec<_>>());
    if parts[0].len() != parts[1].len() {
        return [text, again].map(str::to_string);
    }
    let mut texts = [String::new(), String::new()];
    for (index, (one, other)) in zip(&parts[0], &parts[1]).enumerate() {
        let bodies = [one, other].map(|part| part.split_once(END).filter(|_| index > 0));
        for (side, part) in [one, other].into_iter().enumerate() {
            texts[side].push_str(if index > 0 { BEGIN } else { "" });
            match (bodies, bodies[side]) {
                ([Some((one, _)), Some((other, _))], Some((_, rest))) if one != other => {
                    texts[side].extend([MASK, END, rest]);
                }
                _ => texts[side].push_str(part),
            }
        }
    }
    texts
}

/// How many characters a coded word has at least.
const MIN_CODED: usize = 16;

/// Whether a word looks like the code of something: base64, or the hash of a password.
fn is_coded(word: &str) -> bool {
    let has = |is: fn(&char) -> bool| word.chars().any(|c| is(&c));
    word.len() >= MIN_CODED
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_digit)
}

/// The same for texts that are alike but for letters and digits.
fn by_runs(text: &str, again: &str) -> Option<String> {
    let [runs, others] = [text, again].map(|text| split(text, |c| !c.is_alphanumeric()));
    if runs.len() != others.len() {
        return None;
    }
    let all = zip(runs, others).map(|(run, other)| {
        let is_word = |run: &str| run.starts_with(char::is_alphanumeric);
        if run == other {
            return Some(run);
        }
        (is_word(run) && is_word(other)).then_some(MASK)
    });
    all.collect::<Option<Vec<&str>>>().map(|runs| runs.concat())
}

/// What blanks, quotes, commas and colons are between, and these themselves.
fn chunks(text: &str) -> impl Iterator<Item = &str> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ':');
    split(text, is_between).into_iter()
}

/// A text cut at every character that is between others, which are pieces themselves.
fn split(text: &str, is_between: impl Fn(char) -> bool) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, between) in text.match_indices(is_between) {
        pieces.extend((start < at).then(|| &text[start..at]));
        pieces.push(between);
        start = at + between.len();
    }
    pieces.extend((start < text.len()).then(|| &text[start..]));
    pieces
}

/// Whether no word of a text may name an image: the hash of a password may look like a host.
fn hides_nothing(text: &str) -> bool {
    let is_image = |word: &str| is_reference(word) && ImageRef::parse(word).is_ok();
    !words(text).any(is_image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_masked_and_nothing_else() {
        for (text, again, wanted) in [
            ("a", "a", None),
            ("x1 y", "x2 y", Some("unstable y")),
            ("nginx:a1", "nginx:b2", Some("nginx:unstable")),
            ("a/b.c d", "a.b/c d", Some("unstable d")),
            ("u:$2a$10$a/b", "u:$2a$10$./c", Some("u:unstable")),
            (
                "x: Ab3/defghijklmnop= y",
                "x: Ab3defghijk+lmnop y",
                Some("x: unstable y"),
            ),
            (
                "-----BEGIN X-----\nab\n-----END X-----\nz",
                "-----BEGIN X-----\ncd\ne\n-----END X-----\nz",
                Some("-----BEGIN unstable-----END X-----\nz"),
            ),
            ("k: a/b+c\nx", "k: abc\nx", Some("k: unstable\nx")),
            (
                "user:$2a$10$T5YKdDDjnsB6zer0MlijWu1FJ5MWnFvcix35vy2CzR1uKu.KugpQS",
                "user:$2a$10$.K6O4ILKafDceAvzKFBRkuNw4rpE.v7pb7x4ZvNZaCuMRYa2weBMS",
                Some("user:unstable"),
            ),
            ("a b c", "a b", Some("unstable")),
            ("quay.io/a/b x y", "quay.io/a/b x", None),
            ("quay.io/a/b", "quay.io/a/b/c", None),
        ] {
            assert_eq!(masked(text, again).as_deref(), wanted, "{text} / {again}");
        }
    }

    #[test]
    fn odd_base64_is_none() {
        assert_eq!(decoded("YQ==").as_deref(), Some("a"));
        for odd in ["YQ=", "Y=Q=", "YQ==\n", "YR==", "Y===", "=YQ="] {
            assert_eq!(decoded(odd), None, "{odd}");
        }
    }
}
