//! References, generated, with rules that map some of them: there and back again.

use std::collections::{BTreeMap, BTreeSet};

use ecr_rewrite::image::ImageRef;
use ecr_rewrite::rules::{EcrHost, Rule, RuleSet, Verdict};

use super::case::{Case, Fault, File, REGISTRIES, hold};
use super::common::ecr;
use super::common::numbers::Numbers;
use super::properties::Seen;

const HOSTS: &[&str] = &[
    "",
    "docker.io/",
    "index.docker.io/",
    "registry-1.docker.io/",
    "quay.io/",
    "ghcr.io/",
    "registry.k8s.io/",
    "public.ecr.aws/",
    "ecr-public.aws.com/",
    "registry.gitlab.com/",
    "registry.example.com:5000/",
    "localhost/",
    "localhost:5000/",
];
const PARTS: &[&str] = &[
    "library", "nginx", "acme", "a", "b-c", "d__e", "f.g", "hub", "quay", "0",
];
const TAGS: &[&str] = &["", ":1", ":latest", ":V1.2_3-x", ":1.10", ":012"];
const DIGEST: &str = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const PREFIXES: &[&str] = &["hub", "quay", "own", "a-b", "ROOT", "hub/acme", "hub/a"];

/// A file with rules, as flags, and one with references.
pub(crate) fn references(numbers: &mut Numbers) -> Case {
    let mut rules = String::new();
    for _ in 0..=numbers.below(4) {
        let host = numbers.pick(&HOSTS[1..12]).trim_end_matches('/');
        let path = match numbers.below(3) {
            0 => format!("/{}", numbers.pick(PARTS)),
            _ => String::new(),
        };
        rules.push_str(&format!("{host}{path}={}\n", numbers.pick(PREFIXES)));
    }
    let mut references = String::new();
    for _ in 0..8 {
        let parts = (0..=numbers.below(3)).map(|_| numbers.pick(PARTS));
        let path = parts.collect::<Vec<_>>().join("/");
        let digest = if numbers.once_in(4) { DIGEST } else { "" };
        let host = numbers.pick(HOSTS);
        references.push_str(&format!("{host}{path}{}{digest}\n", numbers.pick(TAGS)));
    }
    Case {
        files: vec![
            File::new("rules", rules),
            File::new("references", references),
        ],
        registry: numbers.below(REGISTRIES.len()),
    }
}

/// The image that a reference means, by the one name of its host.
fn canonical(reference: &str) -> Option<String> {
    let canonical = ecr::canonical(reference)?;
    Some(canonical.replace("ecr-public.aws.com/", "public.ecr.aws/"))
}

/// What is converted and reverted is the image that it was.
pub(crate) fn check(case: &Case) -> Result<Seen, Fault> {
    let lines = |name: &str| {
        let file = case.files.iter().find(|file| file.path == name);
        file.map_or("", |file| file.text.as_str()).lines()
    };
    // A registry has one rule for each prefix.
    let mut prefixes = BTreeSet::new();
    let rules = lines("rules").filter_map(|flag| Rule::parse_flag(flag).ok());
    let rules = rules
        .filter(|rule| prefixes.insert(rule.prefix_text().to_string()))
        .collect();
    let registry = EcrHost::parse(REGISTRIES[case.registry]).unwrap();
    let (set, _) = RuleSet::new(Some(registry), rules);
    let mut seen = Seen::default();
    let mut places = BTreeMap::new();
    for text in lines("references") {
        let Ok(image) = ImageRef::parse(text) else {
            continue;
        };
        hold(
            "what is parsed is printed as it was",
            image.to_string() == text,
            || image.to_string(),
        )?;
        seen.images += 1;
        let Verdict::Rewrite { name, .. } = set.decide(&image) else {
            continue;
        };
        let to = format!("{name}{}", image.suffix());
        let canonical = canonical(text);
        let known = places.entry(name).or_insert_with(|| canonical.clone());
        hold(
            "one place is that of one image",
            *known == canonical,
            || format!("{to} is that of {known:?} and {canonical:?}"),
        )?;
        seen.moved += 1;
        let is_done = set.text_is_ecr(&to);
        hold("what is converted is done", is_done, || {
            format!("{text} becomes {to}")
        })?;
        let back = set.revert(&to);
        let again = back.as_deref().ok();
        let same = again.is_some_and(|again| {
            self::canonical(again) == canonical && again.ends_with(&image.suffix())
        });
        hold(
            "what is converted and reverted is the same image",
            same,
            || format!("{text} becomes {to} and then {back:?}"),
        )?;
    }
    Ok(seen)
}
