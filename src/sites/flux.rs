//! Flux: Kustomizations that name images and deploy folders, post-renderers of releases, and the
//! markers of its image automation.

use super::kustomize::{self, Acts};
use super::{Depth, Fact, Found, Input, Kustomization};
use crate::reason::Reason;
use crate::yaml::NodeId;

pub(super) const NAME: &str = "flux";

/// What the comment of a marked line holds (Flux documentation, "Configure image update for custom
/// resources").
const MARKER: &str = "$imagepolicy";
/// Sources that are no git repository, so that their folders are not those of this one.
const OTHER_SOURCES: &[&str] = &["OCIRepository", "Bucket", "ExternalArtifact"];

pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    let Some(spec) = input.document.get(input.object.node, "spec") else {
        return;
    };
    match (input.object.group, input.object.kind) {
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => deployment(input, spec, found),
        ("helm.toolkit.fluxcd.io", "HelmRelease") => post_renderers(input, spec, found),
        _ => {}
    }
}

/// What it names and patches is laid over the kustomization of its folder.
fn deployment(input: &Input<'_>, spec: NodeId, found: &mut Found) {
    let document = input.document;
    let source = document.text_at(spec, &["sourceRef", "kind"]);
    let is_elsewhere = source.is_some_and(|kind| OTHER_SOURCES.contains(&kind));
    let folder = document.text_at(spec, &["path"]).filter(|_| !is_elsewhere);
    let folder = folder.map(|folder| (folder.to_string(), Depth::Tree));
    if let Some((folder, depth)) = folder.clone() {
        found.facts.push(Fact::Deploys { folder, depth });
    }
    let kustomization = Kustomization {
        acts: match folder {
            Some(_) => Acts::OnItsOwn,
            None => Acts::Anywhere,
        },
        names: kustomize::names_and_sites(input, spec, found),
        takes_in: kustomize::components(document, spec),
        folder,
        inline_patches: kustomize::inline_patches(document, spec),
        unclear: kustomize::unclear(document, spec),
        ..Default::default()
    };
    if kustomization.folder.is_some() || !kustomization.names.is_empty() {
        found.facts.push(Fact::Kustomization(kustomization));
    }
}

/// They act on what a chart makes of its values, which may be any file.
fn post_renderers(input: &Input<'_>, spec: NodeId, found: &mut Found) {
    let document = input.document;
    let renderers = document.get(spec, "postRenderers").into_iter();
    let mut names = Vec::new();
    for item in renderers.flat_map(|list| document.items(list)) {
        if let Some(kustomize) = document.get(document.resolve(item), "kustomize") {
            names.extend(kustomize::names_and_sites(input, kustomize, found));
        }
    }
    if !names.is_empty() {
        found.facts.push(Fact::Kustomization(Kustomization {
            acts: Acts::Anywhere,
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
