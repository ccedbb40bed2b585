//! What templates may put in front of names: registries, and longer beginnings, with what they count for.

use std::collections::{BTreeMap, HashMap};

use super::view::{Front, Merged};
use crate::image::{self, ImageRef};
use crate::sites::{Names, Step, is_image_map};

/// What templates may put in front of names, by the path of the map that it stands in: it counts for
/// everything below that map, and everywhere when it is global.
#[derive(Default)]
pub(super) struct Fronts<'m> {
    pub(super) beginnings: HashMap<&'m Vec<Step>, Front>,
    pub(super) global: Option<Front>,
    /// The registries for every image, by the path of the values of the chart they are for.
    pub(super) everything: BTreeMap<&'m [Step], Vec<Front>>,
    /// Whether there are any, of whatever scope, or others that nobody can tell the scope of: templates
    /// read what they like.
    pub(super) in_reach: bool,
    /// The registries of images, by the path of their maps: templates may put them in front of other
    /// names in the same map, or below it.
    pub(super) registries: BTreeMap<Vec<Step>, String>,
    /// Registries under other keys, by the path of their maps.
    pub(super) hosts: BTreeMap<Vec<Step>, String>,
    /// The maps of names without a registry.
    pub(super) ends: Vec<Vec<Step>>,
}

impl Fronts<'_> {
    /// Notes what an image says of others.
    pub(super) fn note_image(&mut self, at: &[Step], family: &str, names: Names, parts: &[Merged]) {
        let [before @ .., last] = parts else { return };
        if names != Names::Image {
            return;
        }
        let registry = before.first().map_or("", |part| part.text.as_str());
        if registry.is_empty() {
            if last.text.is_empty() {
                return;
            }
            if image::is_registry(&last.text) {
                self.hosts.insert(at.to_vec(), last.text.clone());
            } else if ImageRef::parse(&last.text).is_ok_and(|image| image.registry().is_none()) {
                self.ends.push(at.to_vec());
            }
        } else if image::begins_with_host(registry) {
            // One that stands in no map of an image is nobody's own.
            self.in_reach |= at.len() <= 1 && !is_image_map(at);
            if is_for_others(family) {
                self.registries.insert(at.to_vec(), registry.to_string());
            }
        }
    }

    /// A registry that stands beside a name at `at`, or is a part of an image around it.
    pub(super) fn beside(&self, at: &[Step]) -> Option<&str> {
        let mut outer = (0..=at.len()).rev();
        let around = || outer.find_map(|length| self.registries.get(&at[..length]));
        self.hosts.get(at).or_else(around).map(String::as_str)
    }

    /// Why a registry at `at` stays: names without one stand beside it, or below it, so that it may be
    /// theirs, too.
    pub(super) fn read_by_others(&self, at: &[Step], parts: &[Merged]) -> Option<String> {
        let [registry, name] = parts else { return None };
        let is_own = self.registries.get(at) == Some(&registry.text) && !name.text.is_empty();
        let is_read = is_own && self.ends.iter().any(|end| end.starts_with(at));
        is_read.then(|| {
            format!(
                "`{}` may also be put in front of names beside it, or below it, that have no registry; write those out",
                registry.text
            )
        })
    }

    /// The innermost one in scope at `at`.
    pub(super) fn find(&self, at: &[Step]) -> Option<&Front> {
        let mut outer = (0..=at.len()).rev();
        outer
            .find_map(|length| self.beginnings.get(&at[..length].to_vec()))
            .or(self.global.as_ref())
    }

    /// The registry for every image of the innermost chart that `at` belongs to, and why it cannot
    /// be told.
    pub(super) fn everything(&self, at: &[Step]) -> (Option<Front>, Option<String>) {
        let mut outer = (0..=at.len()).rev();
        let Some(fronts) = outer.find_map(|length| self.everything.get(&at[..length])) else {
            return (None, None);
        };
        let first = &fronts[0];
        let other = fronts.iter().find(|front| front.text != first.text);
        let why = other.map(|other| {
            format!(
                "both `{}` and `{}` stand in front of every image of the chart; remove one",
                first.text, other.text
            )
        });
        (Some(first.clone()), why)
    }
}

/// Whether the registry of an image of this family may be meant for others, too: it has no stem of its
/// own (`webImageRegistry`).
fn is_for_others(family: &str) -> bool {
    matches!(
        family,
        "" | "image" | "imageName" | "image_name" | "repository" | "repo" | "registry"
    )
}

/// Whether a registry stands there that another image may be joined to: it is alone, or the name is
/// nothing but a registry.
pub(super) fn has_registry_alone(parts: &[Merged]) -> bool {
    let (last, first) = match parts {
        [.., first, last] => (last.text.as_str(), first.text.as_str()),
        [last] => (last.text.as_str(), ""),
        [] => return false,
    };
    !first.is_empty() && last.is_empty() || image::is_registry(last)
}
