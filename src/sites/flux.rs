//! Flux: Kustomizations that name images and deploy folders, and the markers of its image automation.

use super::{Depth, Fact, Found, Input, Kustomization, kustomize};
use crate::reason::Reason;

pub(super) const NAME: &str = "flux";

/// What the comment of a marked line holds (Flux documentation, "Configure image update for custom
/// resources").
const MARKER: &str = "$imagepolicy";

pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    if (input.object.group, input.object.kind) != ("kustomize.toolkit.fluxcd.io", "Kustomization") {
        return;
    }
    let Some(spec) = input.document.get(input.object.node, "spec") else {
        return;
    };
    if let Some(folder) = input.document.text_at(spec, &["path"]) {
        found.facts.push(Fact::Deploys {
            folder: folder.to_string(),
            depth: Depth::Tree,
        });
    }
    let names = kustomize::names(input.document, spec);
    if !names.is_empty() {
        found.facts.push(Fact::Kustomization(Kustomization {
            names,
            ..Default::default()
        }));
    }
}

/// Whether the rest of an image's line carries a marker by which Flux writes the image's name. A
/// marker that ends in `:tag` or `:digest` leaves the name alone.
pub(super) fn marker_hold(rest_of_line: &str) -> Option<(Reason, String)> {
    let (_, after) = rest_of_line.split_once(MARKER)?;
    let mut quoted = after
        .split('"')
        .map(str::trim)
        .filter(|part| !matches!(*part, "" | ":"));
    let policy = quoted.next()?;
    match policy.splitn(3, ':').nth(2) {
        Some("tag" | "digest") => None,
        _ => Some((
            Reason::AutomationReverts,
            format!(
                "Flux image automation (policy `{policy}`) would write the upstream back; change its ImageRepository first"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_that_write_the_name_hold_the_line() {
        for (rest, held) in [
            (r#" # {"$imagepolicy": "flux-system:app"}"#, true),
            (r#" # {"$imagepolicy":"flux-system:app:name"}"#, true),
            (r#" # {"$imagepolicy": "flux-system:app:tag"}"#, false),
            (r#" # {"$imagepolicy": "flux-system:app:digest"}"#, false),
            (" # a comment", false),
        ] {
            assert_eq!(marker_hold(rest).is_some(), held, "{rest}");
        }
    }
}
