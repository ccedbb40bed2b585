//! The ways to values: from the file that says them, and from the chart that reads them.

use crate::sites::Step;

/// The values that a chart hands on to every chart it brings.
pub(super) const GLOBAL: &str = "global";

/// Whether a list stands on the way: layers replace lists as a whole.
pub(super) fn is_listed(at: &[Step]) -> bool {
    at.iter().any(|step| matches!(step, Step::Item(_)))
}

pub(super) fn child(at: &[Step], key: &str) -> Vec<Step> {
    at.iter()
        .cloned()
        .chain([Step::Key(key.to_string())])
        .collect()
}

pub(super) fn is_global(path: &[Step]) -> bool {
    path.first() == Some(&Step::Key(GLOBAL.into()))
}

/// Whether `at` begins with one of the keys.
pub(super) fn is_below(at: &[Step], keys: &[String]) -> bool {
    matches!(at.first(), Some(Step::Key(first)) if keys.contains(first))
}

/// `path` as the chart sees it whose values stand below `at`: the rest of the path, or the path of
/// a global value, which reaches every chart.
pub(in crate::link) fn below(path: &[Step], at: &[String]) -> Option<Vec<Step>> {
    if is_global(path) {
        return Some(path.to_vec());
    }
    let inside = path.len() >= at.len()
        && path
            .iter()
            .zip(at)
            .all(|(step, key)| matches!(step, Step::Key(name) if name == key));
    inside.then(|| path[at.len()..].to_vec())
}
