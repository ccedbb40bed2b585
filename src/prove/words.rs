//! Words of texts, and what may become of one that names an image.

use std::borrow::Cow;
use std::iter::zip;
use std::sync::Arc;

use crate::image::{self, ImageRef};
use crate::rules::ecr_host::{ecr_host_of, is_ecr_host};
use crate::rules::upstreams::UPSTREAMS;
use crate::rules::{RuleSet, Verdict};

/// Stands for a registry of which a part is filled in later.
const STAND_IN: &str = "000000000000.dkr.ecr.us-east-1.amazonaws.com";
/// How much of a text is shown.
const SHOWN: usize = 300;
/// Why something differs that must not.
const NO_IMAGE: &str = "it is no image";
pub(super) const MALFORMED: &str = "the image became malformed";
const LOST: &str = "its tag or digest is another one";
const OTHER: &str = "it is not what the rules make of the image before";

/// Two texts of one place.
pub(super) struct Words<'w> {
    /// The text before.
    pub(super) old: &'w str,
    /// The text after.
    pub(super) new: &'w str,
    /// The text before, rendered once more.
    pub(super) again: Option<&'w str>,
    /// Whether the place is one of an image, so that a bare word is a name.
    pub(super) is_sure: bool,
}

/// The words in which two texts differ, when all of them may.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Planned {
    /// The images among them, before and after.
    pub(super) changed: Vec<(String, String)>,
    /// How many are something else each time.
    pub(super) unstable: usize,
}

impl Words<'_> {
    /// The words in which the texts differ; nothing when one of them may not, or they differ in more.
    pub(super) fn planned(&self, rules: &[Arc<RuleSet>]) -> Option<Planned> {
        let texts = [self.old, self.new].map(|text| plain(text, rules));
        let [old, new] = [0, 1].map(|side| words(&texts[side]).collect::<Vec<_>>());
        if old.len() != new.len() || !gaps(&texts[0]).eq(gaps(&texts[1])) {
            return None;
        }
        let again = self.again.map(|again| plain(again, rules));
        let again: Option<Vec<&str>> = again.as_ref().map(|again| words(again).collect());
        let again = again.filter(|again| again.len() == old.len());
        let mut planned = Planned::default();
        let words_before = &old;
        for (index, (old, new)) in zip(&old, &new).enumerate() {
            // A flag for an image has one: `--solver-image=acme/solver`.
            let is_flagged = || index > 0 && is_flag(words_before[index - 1]);
            let differs_again = || again.as_ref().is_some_and(|again| again[index] != *old);
            if old == new {
            } else if (self.is_sure || is_reference(old) || is_flagged())
                && is_planned(old, new, rules)
            {
                planned
                    .changed
                    .push((as_written(old, rules), as_written(new, rules)));
            } else if differs_again() {
                planned.unstable += 1;
            } else {
                return None;
            }
        }
        Some(planned)
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

/// Whether a word is a flag for an image.
fn is_flag(word: &str) -> bool {
    word.starts_with('-') && word.ends_with("image")
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
    let ends: &[char] = &[':', '@', '/'];
    let (name, end) = old.split_at(old.trim_end_matches(ends).len());
    let Some(new) = new.strip_suffix(end) else {
        return false;
    };
    let new = plain(new, rules);
    let is_new = |wanted: &str| plain(wanted, rules) == new;
    is_well_formed(&new)
        && rules.iter().any(|rules| {
            let whole = || expected(name, rules).is_some_and(|expected| is_new(&expected));
            let beginning = || match rules.decide_beginning(name) {
                Verdict::Rewrite { name, .. } => is_new(&name),
                Verdict::Keep(..) => false,
            };
            whole() || (is_beginning(name) && beginning())
        })
}

/// What the rules make of a reference.
pub(super) fn expected(reference: &str, rules: &RuleSet) -> Option<String> {
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
fn is_reference(word: &str) -> bool {
    let is_tagged = || {
        let image = ImageRef::parse(word);
        image.is_ok_and(|image| !image.suffix().is_empty() && word.contains('/'))
    };
    image::begins_with_host(word) || is_tagged()
}

/// Whether a reference has at most one host, in front, and no empty part.
pub(super) fn is_well_formed(reference: &str) -> bool {
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

/// Whether two renderings of the same give different texts.
pub(super) fn is_unstable(old: &str, again: &str) -> bool {
    let counts = [old, again].map(|text| words(text).count());
    let pairs = words(old).zip(words(again));
    let others = pairs.filter(|(old, again)| old != again).count();
    // As many words may come out by chance: of a certificate, nearly all are others.
    old != again && (counts[0] != counts[1] || counts[0] == 1 || others * 2 > counts[0])
}

/// The words of a text: what may be a reference, whole.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_of_word(c))
        .filter(|word| !word.is_empty())
}

/// What stands between the words.
fn gaps(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_of_word).filter(|gap| !gap.is_empty())
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@')
}

/// The beginning of a text.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// Base64, as the data of a Secret is.
pub(super) fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = ((bits << 6) | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.is_empty()).then_some(text)
}
