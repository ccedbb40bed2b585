//! What the tests of several files need: sets of rules, and what becomes of a reference in a word.

use super::{EcrHost, Rule, RuleSet, Verdict, default_rules};
use crate::image::ImageRef;

pub(super) const TARGET: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com";

pub(super) fn set(rules: &[&str]) -> RuleSet {
    let registry = EcrHost::parse(TARGET).unwrap();
    let rules = rules
        .iter()
        .map(|flag| Rule::parse_flag(flag).unwrap())
        .collect();
    RuleSet::new(Some(registry), rules).0
}

pub(super) fn defaults() -> RuleSet {
    let aliases = [("registry.rocket.chat".to_string(), "docker.io".to_string())];
    RuleSet::new(Some(EcrHost::parse(TARGET).unwrap()), default_rules())
        .0
        .with_aliases(aliases.into())
}

/// The reference that comes out, the registry shortened to `R`, or the code of the reason.
pub(super) fn outcome(set: &RuleSet, text: &str) -> String {
    let image = ImageRef::parse(text).unwrap();
    match set.decide(&image) {
        Verdict::Rewrite { name, .. } => format!("{name}{}", image.suffix()).replace(TARGET, "R"),
        Verdict::Keep(reason, _) => reason.code().to_string(),
    }
}
