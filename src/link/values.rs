//! Layers of Helm values: which values files are merged, in which order, and what the parts of each
//! image's name are then.
//!
//! A [`View`] is one image as one merge of layers shows it. `values.yaml` counts alone and with each
//! other values file of its directory; what a chart says of the charts it brings is merged over their
//! own values. Maps merge, later layers win, lists are replaced as a whole (Helm, "Values Files").
//! Nothing is decided here: the plan decides every view, and a scalar that several views read has to
//! suit them all.

mod fronts;
mod merge;
mod paths;
mod view;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

pub(super) use merge::Merge;
pub(super) use paths::below;
pub use view::{Front, Merged, View};

use super::charted;
use super::given::of_uses;
use super::homes::wanted;
use super::layers::{Layer, Root};
use super::stacks::{Charts, Stack};
use crate::helm::{self, Known as KnownChart};
use crate::scan::ScannedFile;
use crate::sites::{Names, Step};
use crate::walk::Role;
use paths::{child, is_below, is_listed};

/// What is known of the charts of merges.
struct Known<'k> {
    /// Those of the repository by their folder, as far as they are asked.
    here: HashMap<&'k Path, Vec<Arc<KnownChart>>>,
    elsewhere: &'k dyn helm::Charts,
}

impl<'k> Known<'k> {
    /// A chart of the repository is asked when some of its values may be changed and the keys of an image do
    /// not tell it under any merge, when the image is one of a chart that it brings from elsewhere, and when
    /// it is a copy that nobody changes.
    fn of(
        files: &[ScannedFile],
        charts: &Charts<'_>,
        stacks: &'k [Stack],
        known: &'k dyn helm::Charts,
    ) -> Self {
        let mut by_folder: BTreeMap<&Path, Vec<&Stack>> = BTreeMap::new();
        for stack in stacks {
            let folder = stack.root.folder();
            if let Some(folder) = folder.filter(|folder| charts.is_chart(folder)) {
                by_folder.entry(folder).or_default().push(stack);
            }
        }
        let learned = by_folder.into_par_iter().filter_map(|(folder, stacks)| {
            let is_selected = |layer: &Layer| files[layer.file].role == Role::Selected;
            let mut layers = stacks.iter().flat_map(|stack| &stack.layers);
            if !layers.any(is_selected) {
                return None;
            }
            let missing = charts.missing(folder);
            let is_copy = stacks.iter().any(|stack| stack.fixed > 0);
            let is_open = |stack: &&Stack| {
                let merge = Merge::of(files, stack);
                merge.is_open() || merge.places.keys().any(|(at, ..)| is_below(at, &missing))
            };
            if !is_copy && !stacks.iter().any(is_open) {
                return None;
            }
            let given = || of_uses(&stacks, files, known);
            Some((folder, known.in_folder(folder, &given)))
        });
        Self {
            here: learned.collect(),
            elsewhere: known,
        }
    }

    /// The chart whose values a merge makes, with those that it brings.
    fn charts(&self, stack: &Stack, charts: &Charts<'_>) -> Vec<Arc<KnownChart>> {
        let folder = stack.root.folder();
        if let Some(folder) = folder.filter(|folder| charts.is_chart(folder)) {
            return self.here.get(folder).cloned().unwrap_or_default();
        }
        let wanted = stack.source.as_ref().and_then(wanted);
        wanted.map_or(Vec::new(), |wanted| self.elsewhere.elsewhere(&wanted))
    }
}

/// Where an image stands: the values, the way to its map, and the family of its keys.
type ViewPlace = (Root, Vec<Step>, String);

/// Every image of every merge of layers.
pub(super) fn views(
    files: &[ScannedFile],
    charts: &Charts<'_>,
    stacks: &[Stack],
    known: &dyn helm::Charts,
) -> Vec<View> {
    let mut views: Vec<View> = Vec::new();
    let mut seen = HashMap::new();
    let mut registries: HashSet<ViewPlace> = HashSet::new();
    let mut places = Vec::new();
    let known = Known::of(files, charts, stacks, known);
    for stack in stacks {
        let merge = Merge::of(files, stack);
        let mut found = merge.views();
        let chart = known.charts(stack, charts);
        merge.with_chart(&chart, &mut found);
        if let (Some(wanted), true) = (stack.source.as_ref().and_then(wanted), chart.is_empty()) {
            let supposed = known.elsewhere.supposed(&wanted);
            merge.with_unknown_chart(wanted.name(), supposed.as_ref(), &mut found);
        }
        for ((at, family), mut view) in found {
            view.written = view.written_in(&stack.written);
            let place = (stack.root.clone(), at, family);
            if view.has_registry() || view.registry_elsewhere {
                registries.insert(place.clone());
            }
            let from: Vec<_> = view.parts.iter().map(|part| part.from).collect();
            let front = |front: &Option<Front>| front.as_ref().map(|front| front.site);
            let same = (
                view.own,
                from,
                front(&view.front),
                front(&view.global),
                view.blocked.is_some(),
                view.charted.clone(),
            );
            match seen.get(&same) {
                Some(&known) => {
                    let known: &mut View = &mut views[known];
                    known.take_in(view);
                }
                None => {
                    seen.insert(same, views.len());
                    places.push(place);
                    views.push(view);
                }
            }
        }
    }
    find_together(&mut views, &places, &registries);
    join_environments(&mut views, &places);
    let charted = views.iter_mut().zip(&places);
    let charted =
        charted.filter_map(|(view, (root, ..))| Some((root, view.charted.as_deref_mut()?)));
    charted::mark_elsewhere(&mut charted.collect::<Vec<_>>());
    views
}

/// Says which views stand at a values path whose images move together, and whether another merge has a
/// registry there.
fn find_together(views: &mut [View], places: &[ViewPlace], registries: &HashSet<ViewPlace>) {
    let maps: HashSet<(&Root, &[Step])> = places
        .iter()
        .map(|(root, at, _)| (root, at.as_slice()))
        .collect();
    let mut numbers: HashMap<(&Root, Vec<Step>, &str), usize> = HashMap::new();
    for (view, place) in views.iter_mut().zip(places) {
        view.registry_elsewhere = registries.contains(place);
        let (root, at, family) = place;
        // A text under `image` in one merge and a map in another are the same values path.
        let last = view.parts.last().map_or("", |part| part.key.as_str());
        let inner = child(at, last);
        if maps.contains(&(root, &inner)) {
            let number = numbers.len();
            view.together = Some(*numbers.entry((root, inner, "")).or_insert(number));
            continue;
        }
        let in_parts = family.is_empty() && view.names == Names::Image;
        let in_parts = in_parts || view.charted.is_some();
        if !is_listed(&view.at) && (in_parts || view.registry_elsewhere) {
            let number = numbers.len();
            let place = (root, at.clone(), family.as_str());
            view.together = Some(*numbers.entry(place).or_insert(number));
        }
    }
}

/// Words in paths that tell the environments of one application apart.
const ENVIRONMENTS: &[&str] = &[
    "base",
    "common",
    "default",
    "defaults",
    "shared",
    "overlays",
    "environments",
    "envs",
    "env",
    "clusters",
    "prod",
    "production",
    "preprod",
    "staging",
    "stage",
    "stg",
    "dev",
    "development",
    "test",
    "testing",
    "qa",
    "uat",
    "sandbox",
];

/// A part of a name in one environment's folder may be merged with the rest in another's, by a tool
/// that the repository does not show: `helm -f base/values.yaml -f prod/values.yaml`. An image that
/// is written in full in one and in part in the other moves together or not at all.
fn join_environments(views: &mut [View], places: &[ViewPlace]) {
    let filled = |view: &View, part: usize| !view.parts[part].text.is_empty();
    let is_classic = |view: &View, family: &str| {
        family.is_empty()
            && view.names == Names::Image
            && view.parts.len() == 2
            && !is_listed(&view.at)
    };
    let mut full: HashMap<(PathBuf, &[Step]), usize> = HashMap::new();
    for (view, (root, at, family)) in views.iter().zip(places) {
        if let Some(number) = view.together
            && let Some(root) = root.folder()
            && is_classic(view, family)
            && filled(view, 0)
            && filled(view, 1)
        {
            full.entry((application(root), at)).or_insert(number);
            full.entry((root.to_path_buf(), at)).or_insert(number);
        }
    }
    let mut renumbered: HashMap<usize, usize> = HashMap::new();
    for (view, (root, at, family)) in views.iter().zip(places) {
        if let Some(root) = root.folder()
            && is_classic(view, family)
            && filled(view, 0) != filled(view, 1)
        {
            let outer = root.parent().unwrap_or(Path::new("")).to_path_buf();
            let known = full
                .get(&(application(root), at))
                .or(full.get(&(outer, at)));
            if let (Some(&full), Some(number)) = (known, view.together)
                && full != number
            {
                renumbered.insert(number, full);
            }
        }
    }
    for view in views {
        let number = view.together.and_then(|number| renumbered.get(&number));
        view.together = number.copied().or(view.together);
    }
}

/// The path of a folder without the names of environments.
fn application(folder: &Path) -> PathBuf {
    let is_one = |name: &str| ENVIRONMENTS.contains(&name.to_ascii_lowercase().as_str());
    let parts = folder.components().filter(|part| {
        let name = part.as_os_str().to_str();
        !name.is_some_and(is_one)
    });
    parts.collect()
}
