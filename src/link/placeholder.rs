//! Names that are filled in later: `${APP}`, `ghcr.io/acme/{{ .app }}`.

use super::tree::{Tree, facts};
use super::{Deployers, Group, SiteId};
use crate::scan::ScannedFile;
use crate::source::Lines;
use std::collections::BTreeSet;

/// How placeholders begin and end.
const PLACEHOLDERS: &[(&str, &str)] = &[("${", "}"), ("$(", ")"), ("{{", "}}"), ("{%", "%}")];

/// A name as it is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// All of it.
    Whole,
    /// A part: the pattern with each placeholder standing for any text.
    Part(String),
    /// Nothing but separators.
    Nothing,
}

/// What is known of the name `pattern`.
pub(super) fn known(pattern: &str) -> Known {
    let mut filled = String::new();
    let mut literal = String::new();
    let mut rest = pattern;
    let mut any = false;
    while let Some(next) = rest.chars().next() {
        if let Some(length) = placeholder(rest) {
            filled.push_str(".*");
            any = true;
            rest = &rest[length..];
        } else {
            filled.push(next);
            literal.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    match any {
        false => Known::Whole,
        true if literal.contains(char::is_alphanumeric) => Known::Part(filled),
        true => Known::Nothing,
    }
}

/// The length of the placeholder that `text` begins with.
fn placeholder(text: &str) -> Option<usize> {
    let closed = PLACEHOLDERS.iter().find_map(|(open, close)| {
        let inner = text.strip_prefix(open)?;
        Some(open.len() + inner.find(close)? + close.len())
    });
    let plain = || {
        let name = text.strip_prefix('$')?;
        let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let end = end.unwrap_or(name.len());
        (end > 0).then_some(1 + end)
    };
    closed.or_else(plain)
}

/// A blocked group for each file with names of which nothing is known, over what it acts on: all
/// that is built or deployed with it, or everything when nothing says what that is.
pub(super) fn groups(files: &[ScannedFile], tree: &Tree<'_>, deployers: &Deployers) -> Vec<Group> {
    let mut groups = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let mut names = facts(file).flat_map(|fact| &fact.names);
        let Some(name) = names.find(|name| known(&name.pattern) == Known::Nothing) else {
            continue;
        };
        let mut reached = tree.built_with([index].into());
        deployed(&mut reached, deployers);
        if reached.len() == 1 {
            reached = (0..files.len()).collect();
        }
        let members: Vec<SiteId> = reached
            .into_iter()
            .flat_map(|file| {
                (0..files[file].scan.sites.len()).map(move |site| SiteId { file, site })
            })
            .collect();
        let line = Lines::new(&file.source.text).position(name.offset).line;
        let place = format!("{}:{line}", file.source.path.display());
        groups.push(Group {
            label: format!("the kustomize name at {place}"),
            members,
            blocked: Some(format!(
                "the name at {place} is filled in later, so it may be this image that it changes; write the name out there"
            )),
        });
    }
    groups
}

/// Adds what the files deploy, directly or through others.
fn deployed(reached: &mut BTreeSet<usize>, deployers: &Deployers) {
    loop {
        let by = |by: &[super::Deployer]| by.iter().any(|deployer| reached.contains(&deployer.by));
        let more: Vec<usize> = deployers
            .iter()
            .filter(|(file, deployers)| !reached.contains(file) && by(deployers))
            .map(|(file, _)| *file)
            .collect();
        if more.is_empty() {
            return;
        }
        reached.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_for_any_text() {
        let part = |text: &str| Known::Part(text.into());
        for (pattern, wanted) in [
            ("nginx", Known::Whole),
            ("a{2}b$", Known::Whole),
            ("${APP}", Known::Nothing),
            ("{{ .registry }}/{{image}}", Known::Nothing),
            ("$REGISTRY/app", part(".*/app")),
            ("ghcr.io/acme/{{ .app }}", part("ghcr.io/acme/.*")),
            ("$(REPO)/x-${Y}", part(".*/x-.*")),
        ] {
            assert_eq!(known(pattern), wanted, "{pattern}");
        }
    }
}
