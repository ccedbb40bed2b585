//! The name that a site's text means, for reports.

use super::decide;
use crate::image::{Canonical, ImageRef};
use crate::rules::RuleSet;
use crate::sites::{CHART_FOLDER, Names, Site};

/// The canonical name of the image in a site's text (`docker.io/library/nginx`), without tag and
/// digest, which may be filled in elsewhere. `None` when the text is no reference, or only a part of
/// one.
pub fn canonical(rules: &RuleSet, site: &Site) -> Option<Canonical> {
    let is_partial = site.parts().is_some_and(|parts| {
        let names_registry =
            ImageRef::parse(site.text()).is_ok_and(|image| image.registry().is_some());
        // What stands in front, or behind, may come from another layer or from the chart.
        (parts.names != Names::StatedImage || site.assumption.is_some()) && !names_registry
    });
    if is_partial {
        return None;
    }
    if site.finder == CHART_FOLDER {
        return canonical_folder(rules, site.text());
    }
    canonical_of(rules, site.text())
}

/// The name of a place that those of charts are joined to: nothing on Docker Hub lies in `library/` by that.
fn canonical_folder(rules: &RuleSet, text: &str) -> Option<Canonical> {
    let below = canonical_of(rules, &format!("{text}/x"))?;
    let path = below.path.strip_suffix("/x")?.to_string();
    Some(Canonical { path, ..below })
}

/// The same of a text that stands for itself.
pub fn canonical_of(rules: &RuleSet, text: &str) -> Option<Canonical> {
    let name = decide::name_of(text).ok()?;
    decide::parse(name)
        .ok()
        .map(|image| rules.canonical(&image))
}
