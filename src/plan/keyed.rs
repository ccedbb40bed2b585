//! Policies and automations that know an image by the name that this plan takes from it.
//!
//! They are never edited: a policy is a decision of people, and an automation has to be able to list
//! what it is pointed at. A remark is made only when it matters: the text covers an image that changes
//! or that is in ECR already, and nothing in its list covers the new name.

use std::collections::BTreeSet;

use super::decide::Outcome;
use super::targets::Targets;
use super::{Matter, Remark, canonical, canonical_of};
use crate::image::ImageRef;
use crate::reason::Reason;
use crate::rules::{RuleSet, Verdict};
use crate::scan::ScannedFile;
use crate::sites::{CHART_FOLDER, Keyed, Matching, Site};
use crate::walk::Role;

/// What people leave out in names of Docker Hub.
const HUB: &[&str] = &["docker.io/library/", "docker.io/"];

/// An image under its old and its new name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moved {
    /// The texts by which it was known: as written, and in full, with and without tag and digest.
    old: Vec<String>,
    /// The name in ECR, with and without tag and digest.
    new: Vec<String>,
}

/// The remarks, each with its file.
pub(super) fn remarks(
    files: &[ScannedFile],
    targets: &[Targets],
    outcomes: &[Vec<Outcome>],
) -> Vec<(usize, Remark)> {
    let is_asked = |file: &&ScannedFile| file.role == Role::Selected && !file.scan.keyed.is_empty();
    if !files.iter().any(|file| is_asked(&file)) {
        return Vec::new();
    }
    let moved = all_moved(files, targets, outcomes);
    let mut remarks = Vec::new();
    for (index, file) in files.iter().enumerate().filter(|(_, file)| is_asked(file)) {
        let rules = &targets[index].first.rules;
        for keyed in &file.scan.keyed {
            let mut left = moved.iter().filter(|moved| leaves_behind(keyed, moved));
            if let Some(first) = left.next() {
                remarks.push((index, remark(keyed, first, left.count(), rules)));
            }
        }
    }
    remarks
}

/// Every image that changes or is in ECR under a rule, once.
fn all_moved(files: &[ScannedFile], targets: &[Targets], outcomes: &[Vec<Outcome>]) -> Vec<Moved> {
    let mut all = BTreeSet::new();
    for (index, outcomes) in outcomes.iter().enumerate() {
        let rules = &targets[index].first.rules;
        for (site, outcome) in files[index].scan.sites.iter().zip(outcomes) {
            all.extend(moved(site, outcome, rules));
        }
    }
    all.into_iter().collect()
}

fn moved(site: &Site, outcome: &Outcome, rules: &RuleSet) -> Option<Moved> {
    let no_pull = site.hold.as_ref();
    if no_pull.is_some_and(|(reason, _)| reason.is_no_pull()) {
        return None;
    }
    match outcome {
        Outcome::Change(change) => Some(match &change.charted {
            // The site may say only a part of it.
            Some(chart) => {
                let full = canonical_of(rules, &chart.from)?.to_string();
                Moved::of(&chart.from, &full, &chart.to)
            }
            None => {
                let full = canonical(rules, site)?.to_string();
                Moved::of(&change.from, &full, &change.to)
            }
        }),
        Outcome::Skip(Reason::AlreadyEcr, _) if site.finder == CHART_FOLDER => {
            let upstream = rules.chart_upstream(site.text())?;
            Some(Moved::of(&upstream, &upstream, site.text()))
        }
        Outcome::Skip(Reason::AlreadyEcr, _) => {
            let upstream = rules.revert(site.text()).ok()?;
            let full = canonical_of(rules, &upstream)?.to_string();
            let mut moved = Moved::of(&upstream, &full, site.text());
            // How it was written before is not known.
            let short = HUB.iter().filter_map(|hub| full.strip_prefix(hub));
            moved.old.extend(short.map(String::from));
            Some(moved)
        }
        Outcome::Skip(..) | Outcome::Undecided(_) => None,
    }
}

impl Moved {
    fn of(written: &str, full: &str, to: &str) -> Self {
        let (name, suffix) = split(written);
        let (new, _) = split(to);
        let mut old = [name, written, full, &format!("{full}{suffix}")].map(String::from);
        old.sort();
        Self {
            old: old.to_vec(),
            new: vec![new.to_string(), to.to_string()],
        }
    }
}

/// A reference as its name and the rest.
fn split(text: &str) -> (&str, &str) {
    let length = ImageRef::parse(text).map_or(text.len(), |image| image.name_len());
    text.split_at(length)
}

/// Whether the image is covered under its old name, and by nothing in the list under its new one.
fn leaves_behind(keyed: &Keyed, moved: &Moved) -> bool {
    let covers = |pattern: &str, names: &[String]| {
        names.iter().any(|name| fits(keyed.matching, pattern, name))
    };
    covers(&keyed.text, &moved.old) && !keyed.list.iter().any(|text| covers(text, &moved.new))
}

/// Whether a text of a policy covers a name.
fn fits(matching: Matching, pattern: &str, name: &str) -> bool {
    match matching {
        Matching::Prefix => name.starts_with(pattern),
        Matching::Name => {
            let image = |text| ImageRef::parse(text).map(|image| image.canonical());
            split(pattern).0 == name
                || matches!((image(split(pattern).0), image(name)), (Ok(one), Ok(other)) if one == other)
        }
        Matching::Wildcard => wildcard(pattern.as_bytes(), name.as_bytes(), Stars::Any),
        Matching::Glob => wildcard(pattern.as_bytes(), name.as_bytes(), Stars::Segment),
    }
}

/// What a single `*` stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stars {
    /// Anything.
    Any,
    /// Anything without a slash.
    Segment,
}

/// Whether a pattern with `*` and `?` covers all of a name. The places in the pattern that can be
/// reached are kept as a set, so that many stars take no longer than few.
fn wildcard(pattern: &[u8], name: &[u8], stars: Stars) -> bool {
    let mut at = vec![false; pattern.len() + 1];
    at[0] = true;
    let skip_stars = |at: &mut [bool]| {
        for (index, &c) in pattern.iter().enumerate() {
            at[index + 1] |= at[index] && c == b'*';
        }
    };
    skip_stars(&mut at);
    for &c in name {
        let mut next = vec![false; pattern.len() + 1];
        for (index, &wanted) in pattern.iter().enumerate().filter(|(index, _)| at[*index]) {
            let is_double =
                pattern.get(index + 1) == Some(&b'*') || index > 0 && pattern[index - 1] == b'*';
            match wanted {
                b'*' => next[index] |= stars == Stars::Any || is_double || c != b'/',
                b'?' => next[index + 1] |= stars == Stars::Any || c != b'/',
                _ => next[index + 1] |= wanted == c,
            }
        }
        skip_stars(&mut next);
        at = next;
    }
    at[pattern.len()]
}

fn remark(keyed: &Keyed, moved: &Moved, others: usize, rules: &RuleSet) -> Remark {
    let new = &moved.new[0];
    let covered = moved.old.iter();
    let mut covered = covered.filter(|name| fits(keyed.matching, &keyed.text, name));
    let old = covered.next().map_or("", |name| split(name).0);
    let more = match others {
        0 => String::new(),
        1 => " and one other image".to_string(),
        _ => format!(" and {others} other images"),
    };
    Remark {
        span: keyed.span,
        matter: Matter::OldName,
        detail: format!(
            "{} knows `{old}`{more} by `{}`, and not as `{new}`; {} `{}`",
            keyed.tool,
            keyed.text,
            keyed.advice,
            in_ecr(keyed, moved, rules)
        ),
    }
}

/// What covers the new name as the text covers the old one.
fn in_ecr(keyed: &Keyed, moved: &Moved, rules: &RuleSet) -> String {
    let wild = keyed.text.find(['*', '?']).unwrap_or(keyed.text.len());
    let (head, tail) = keyed.text.split_at(wild);
    if let Some(head) = head.strip_suffix('/')
        && let Verdict::Rewrite { name, .. } = rules.decide_beginning(head)
    {
        let whole = format!("{name}/{tail}");
        if moved
            .new
            .iter()
            .any(|new| fits(keyed.matching, &whole, new))
        {
            return whole;
        }
    }
    let new = &moved.new[0];
    match keyed.matching {
        Matching::Wildcard if head.ends_with(':') => format!("{new}:*"),
        Matching::Wildcard if tail.ends_with('*') => format!("{new}*"),
        _ => new.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_names_as_their_tools_say() {
        use Matching::{Glob, Name, Prefix, Wildcard};
        for (matching, pattern, name, wanted) in [
            (Wildcard, "ghcr.io/acme/*", "ghcr.io/acme/a/b:1", true),
            (Wildcard, "*", "a/b", true),
            (Wildcard, "ghcr.io/acme/app:*", "ghcr.io/acme/app", false),
            (Wildcard, "ghcr.io/acme/app:*", "ghcr.io/acme/app:1", true),
            (Wildcard, "*/app:?", "a/b/app:1", true),
            (Wildcard, "a*b*c", "a1b2", false),
            (Glob, "ghcr.io/acme/*", "ghcr.io/acme/a/b", false),
            (Glob, "ghcr.io/acme/*", "ghcr.io/acme/a", true),
            (Glob, "ghcr.io/**", "ghcr.io/acme/a/b", true),
            (Glob, "**/nginx", "docker.io/library/nginx", true),
            (Prefix, "docker.io/", "docker.io/library/nginx", true),
            (Prefix, "docker.io/", "nginx", false),
            (Name, "ghcr.io/a/b:1.x", "ghcr.io/a/b", true),
            (Name, "docker.io/nginx", "nginx", true),
            (Name, "nginx", "nginx-ingress", false),
        ] {
            assert_eq!(fits(matching, pattern, name), wanted, "{pattern} {name}");
        }
    }
}
