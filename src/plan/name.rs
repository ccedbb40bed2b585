//! The name that a site's text means, for reports.

use super::decide;
use crate::image::Canonical;
use crate::rules::RuleSet;

/// The canonical name of the image in a site's text (`docker.io/library/nginx`), without tag and
/// digest, which may be filled in elsewhere. `None` when the text is no reference.
pub fn canonical(rules: &RuleSet, text: &str) -> Option<Canonical> {
    let name = decide::name_of(text).ok()?;
    decide::parse(name)
        .ok()
        .map(|image| rules.canonical(&image))
}
