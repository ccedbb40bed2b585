//! Words of texts, and what may become of one that names an image.

use std::borrow::Cow;
use std::iter::zip;
use std::sync::Arc;

use crate::image::{self, DOCKER_HUB, ImageRef};
use crate::rules::ecr_host::{ecr_host_of, is_ecr_host};
use crate::rules::upstreams::{UPSTREAMS, canonical_host};
use crate::rules::{RuleSet, Verdict};
use crate::sites::OCI;

/// Stands for a registry of which a part is filled in later.
const STAND_IN: &str = "000000000000.dkr.ecr.us-east-1.amazonaws.com";
/// How much of a text is shown.
const SHOWN: usize = 300;
/// Why something differs that must not.
pub(super) const NO_IMAGE: &str = "it is no image";
pub(super) const COMMENT: &str = "it is a comment";
pub(in super::super) const MALFORMED: &str = "the image became malformed";
const LOST: &str = "its tag or digest is another one";
const OTHER: &str = "it is not what the rules make of the image before";

/// Two texts of one place.
pub(super) struct Words<'w> {
    /// The text before.
    pub(super) old: &'w str,
    /// The text after.
    pub(super) new: &'w str,
    /// Whether the place is one of an image, so that a bare word is a name.
    pub(super) is_sure: bool,
    /// Whether it is one of what names begin with.
    pub(super) begins: bool,
}

impl Words<'_> {
    /// The images in which the texts differ, before and after; nothing when they differ in anything else.
    /// Words, and what stands between them, keep their order.
    pub(super) fn planned(&self, rules: &[Arc<RuleSet>]) -> Option<Vec<(String, String)>> {
        let texts = [self.old, self.new].map(|text| plain(text, rules));
        let [old, new] = [0, 1].map(|side| pieces(&texts[side]).collect::<Vec<_>>());
        if old.len() != new.len() {
            return None;
        }
        let is_sure = self.is_sure && old.len() == 1;
        let mut changed = Vec::new();
        for (index, (before, after)) in zip(&old, &new).enumerate() {
            if before == after {
                continue;
            }
            // An address of charts, below which they lie or which is that of one.
            if let (Some(before), Some(after)) = (before.strip_prefix(OCI), after.strip_prefix(OCI))
            {
                if is_put_in_library(before, after) || !planned_as(before, after, rules, true) {
                    return None;
                }
                changed.push((as_written(before, rules), as_written(after, rules)));
                continue;
            }
            // A flag for an image has one: `--solver-image=acme/solver`.
            let is_flagged = || index > 1 && is_flag(old[index - 2], old[index - 1]);
            let is_named = is_sure || is_reference(before) || is_flagged();
            if !(is_named && planned_as(before, after, rules, self.begins)) {
                return None;
            }
            changed.push((as_written(before, rules), as_written(after, rules)));
        }
        Some(changed)
    }
}

/// The same text with the registry as it is written.
fn as_written(text: &str, rules: &[Arc<RuleSet>]) -> String {
    let mut hosts = rules.iter().filter_map(|rules| rules.registry());
    match hosts.find(|host| host.has_placeholder()) {
        Some(host) => text.replace(STAND_IN, host.as_str()),
        None => text.to_string(),
    }
}

/// Whether an address of charts came under the namespace of Docker Hub's official images: there are none of
/// charts.
fn is_put_in_library(before: &str, after: &str) -> bool {
    let is_in = |address: &str| address.contains("/library/");
    is_in(after) && !is_in(before)
}

/// Whether a word, and what stands behind it, are a flag for an image.
fn is_flag(word: &str, gap: &str) -> bool {
    word.starts_with('-') && word.ends_with("image") && matches!(gap, "=" | " ")
}

/// A text with a plain host in the place of a registry of which a part is filled in later: that is no
/// reference as it stands.
fn plain<'t>(text: &'t str, rules: &[Arc<RuleSet>]) -> Cow<'t, str> {
    let hosts = rules.iter().filter_map(|rules| rules.registry());
    let mut plain = Cow::Borrowed(text);
    for host in hosts.filter(|host| host.has_placeholder()) {
        if plain.contains(host.as_str()) {
            plain = Cow::Owned(plain.replace(host.as_str(), STAND_IN));
        }
    }
    plain
}

/// Whether a name became what the rules make of it, with what follows it.
pub(super) fn is_planned(old: &str, new: &str, rules: &[Arc<RuleSet>]) -> bool {
    planned_as(old, new, rules, false)
}

/// The same of what names begin with, too: `begins` says whether the place is one for that. Without it, a path
/// of one part on Docker Hub is an image of its library.
fn planned_as(old: &str, new: &str, rules: &[Arc<RuleSet>], begins: bool) -> bool {
    let ends: &[char] = &[':', '@', '/'];
    let (name, end) = old.split_at(old.trim_end_matches(ends).len());
    let Some(new) = new.strip_suffix(end) else {
        return false;
    };
    let new = plain(new, rules);
    let is_new = |wanted: &str| plain(wanted, rules) == new;
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    let is_told =
        canonical_host(host) != DOCKER_HUB || path.contains('/') || begins && !path.is_empty();
    is_well_formed(&new)
        && rules.iter().any(|rules| {
            let whole = || expected(name, rules).is_some_and(|expected| is_new(&expected));
            let beginning = || match rules.decide_beginning(name) {
                Verdict::Rewrite { name, .. } => is_new(&name),
                Verdict::Keep(..) => false,
            };
            whole() || (is_told && is_beginning(name) && beginning())
        })
}

/// What the rules make of a reference.
pub(in super::super) fn expected(reference: &str, rules: &RuleSet) -> Option<String> {
    let image = ImageRef::parse(reference).ok()?;
    match rules.decide(&image) {
        Verdict::Rewrite { name, .. } => Some(format!("{name}{}", image.suffix())),
        Verdict::Keep(..) => None,
    }
}

/// Whether a word may be what several names begin with.
fn is_beginning(word: &str) -> bool {
    image::begins_with_host(word) && !word.rsplit('/').next().unwrap_or("").contains('@')
}

/// Whether a word names an image wherever it stands: it has a registry, or a path and a tag.
pub(super) fn is_reference(word: &str) -> bool {
    let is_tagged = || {
        let image = ImageRef::parse(word);
        image.is_ok_and(|image| !image.suffix().is_empty() && word.contains('/'))
    };
    image::begins_with_host(word) || is_tagged()
}

/// Whether a reference has at most one host, in front, and no empty part.
pub(in super::super) fn is_well_formed(reference: &str) -> bool {
    let Ok(image) = ImageRef::parse(reference) else {
        return false;
    };
    let is_known = |part: &str| {
        let mut upstreams = UPSTREAMS.iter();
        upstreams.any(|upstream| upstream.host == part || upstream.synonyms.contains(&part))
    };
    let is_host = |part: &str| is_ecr_host(part) || is_known(part);
    !image.repository().split('/').any(is_host)
}

/// Whether a reference in ECR begins with one part twice: a prefix that was put in front of itself, or of an
/// image whose path begins so.
fn is_doubled(reference: &str) -> bool {
    let rest = reference.split_once('/').map_or("", |(_, rest)| rest);
    let mut parts = rest.split('/');
    let (first, second) = (parts.next(), parts.next());
    ecr_host_of(reference).is_some() && first == second
}

/// What is wrong about a text that became another one.
pub(super) fn what_is_wrong(old: &str, new: &str, is_image: bool) -> &'static str {
    let differing = zip(words(old), words(new)).find(|(old, new)| old != new);
    let (old, new) = differing.unwrap_or((old, new));
    if !is_image && !is_reference(old) {
        return NO_IMAGE;
    }
    let (Ok(old), parsed) = (ImageRef::parse(old), ImageRef::parse(new)) else {
        return NO_IMAGE;
    };
    match parsed {
        Ok(_) if !is_well_formed(new) || is_doubled(new) => MALFORMED,
        Ok(new) if new.suffix() != old.suffix() => LOST,
        Ok(_) => OTHER,
        Err(_) => MALFORMED,
    }
}

/// The words of a text: what may be a reference, whole.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_of_word(c))
        .filter(|word| !word.is_empty())
}

/// Whether the same stands between the words of two texts.
pub(super) fn have_same_gaps(old: &str, new: &str) -> bool {
    let is_word = |piece: &str| piece.starts_with(is_of_word);
    let shape = |text: &'_ str| -> Vec<Option<String>> {
        let pieces = pieces(text);
        pieces
            .map(|piece| (!is_word(piece)).then(|| piece.to_string()))
            .collect()
    };
    shape(old) == shape(new)
}

/// Whether two texts only differ in words of a kind.
pub(super) fn differ_in_words(old: &str, new: &str, is_of_kind: impl Fn(&str) -> bool) -> bool {
    let [old, new] = [old, new].map(|text| pieces(text).collect::<Vec<_>>());
    let fits = |(old, new): (&&str, &&str)| old == new || is_of_kind(old) && is_of_kind(new);
    old.len() == new.len() && zip(&old, &new).all(fits)
}

/// The words of a text and what stands between them, in their order.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_word = is_of_word(first);
        let end = rest.find(|c| is_of_word(c) != is_word);
        let (piece, left) = rest.split_at(end.unwrap_or(rest.len()));
        rest = left;
        Some(piece)
    })
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@')
}

/// The beginning of a text.
pub(in super::super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}
