//! Halves of names: a registry in one place, and the path in another. Neither names an image alone, so that
//! each may only change as far as the whole does that both make.

use std::sync::Arc;

use super::Difference;
use super::place::Place;
use super::words::is_planned;
use crate::image::{self, DOCKER_HUB};
use crate::rules::{Rule, RuleSet};
use crate::sites::key_words;

/// Words that end keys of first halves, and words in keys of second ones.
const FIRSTS: &[&str] = &["hub", "registry"];
const SECONDS: &[&str] = &["image", "images", "name", "repo", "repository"];

/// Which half.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    First,
    Second,
}

/// A half that changed.
pub(super) struct Half {
    which: Which,
    old: String,
    new: String,
    /// Which object has it.
    object: usize,
    /// Whether another object may have the other half.
    is_value: bool,
    /// What it is without its other half.
    alone: Difference,
}

/// What became of halves.
#[derive(Default)]
pub(super) struct Settled {
    /// The names that they make, before and after.
    pub(super) changed: Vec<(String, String)>,
    /// Those without another half.
    pub(super) alone: Vec<Difference>,
}

impl Half {
    /// The half that a text is, when it changed as one may.
    pub(super) fn of(
        place: &Place,
        old: &str,
        new: &str,
        rules: &[Arc<RuleSet>],
        why: &'static str,
    ) -> Option<Self> {
        let words: Vec<String> = key_words(place.key()).collect();
        let is_first = words
            .last()
            .is_some_and(|word| FIRSTS.contains(&word.as_str()))
            && (old.is_empty() || image::begins_with_host(old))
            && is_front(new, rules);
        let is_second = words.iter().any(|word| SECONDS.contains(&word.as_str()))
            && !old.is_empty()
            && has_prefix(old, new, rules);
        let which = match (is_first, is_second) {
            (true, _) => Which::First,
            (false, true) => Which::Second,
            (false, false) => return None,
        };
        Some(Self {
            which,
            old: old.to_string(),
            new: new.to_string(),
            object: place.number,
            is_value: place.holds_values(),
            alone: place.difference(Some(old), Some(new), why),
        })
    }

    /// The name that two halves make, when it became what it has to.
    fn whole(&self, other: &Self, rules: &[Arc<RuleSet>]) -> Option<(String, String)> {
        let (first, second) = match (self.which, other.which) {
            (Which::First, Which::Second) => (self, other),
            (Which::Second, Which::First) => (other, self),
            _ => return None,
        };
        let is_together = first.object == second.object || first.is_value && second.is_value;
        let registry = if first.old.is_empty() {
            DOCKER_HUB
        } else {
            &first.old
        };
        let old = format!("{registry}/{}", second.old);
        let new = format!("{}/{}", first.new, second.new);
        (is_together && is_planned(&old, &new, rules)).then_some((old, new))
    }
}

/// Finds the other half of each: in its own object, or, of values, in any that holds some.
pub(super) fn settled(halves: &[Half], rules: &[Arc<RuleSet>]) -> Settled {
    let mut settled = Settled::default();
    for half in halves {
        let wholes = || halves.iter().map(|other| (half.whole(other, rules), other));
        let own = wholes().find(|(whole, other)| whole.is_some() && other.object == half.object);
        let found = own.or_else(|| wholes().find(|(whole, _)| whole.is_some()));
        match found.and_then(|(whole, _)| whole) {
            Some(whole) => settled.changed.push(whole),
            None => settled.alone.push(half.alone.clone()),
        }
    }
    settled
}

/// Whether a text is what images of the target begin with.
pub(super) fn is_front(text: &str, rules: &[Arc<RuleSet>]) -> bool {
    let mut targets = rules.iter().filter_map(|rules| rules.registry());
    targets.any(|host| {
        let rest = text.strip_prefix(host.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Whether a path got a prefix of a rule, and perhaps the one of official images.
fn has_prefix(old: &str, new: &str, rules: &[Arc<RuleSet>]) -> bool {
    let rules = rules.iter().flat_map(|rules| rules.rules());
    let mut prefixes = rules.map(Rule::prefix_text);
    prefixes.any(|prefix| {
        let rest = new
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix('/'));
        // A rule for a part of a registry takes the beginning of the path away.
        rest.is_some_and(|rest| {
            rest == old || rest.strip_prefix("library/") == Some(old) || old.ends_with(rest)
        })
    })
}
