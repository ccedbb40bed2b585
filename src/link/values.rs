//! Layers of Helm values: which values files are merged, in which order, and what the parts of each
//! image's name are then.
//!
//! A [`View`] is one image as one merge of layers shows it. `values.yaml` counts alone and with each
//! other values file of its directory; what a chart says of the charts it brings is merged over their
//! own values. Maps merge, later layers win, lists are replaced as a whole (Helm, "Values Files").
//! Nothing is decided here: the plan decides every view, and a scalar that several views read has to
//! suit them all.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::SiteId;
use super::charted::{self, Charted, Slot};
use super::given::of_uses;
use super::homes::wanted;
use super::layers::{DEFAULTS, Layer, Root};
use super::stacks::{Charts, Stack};
use crate::helm::{self, Known as KnownChart, Supposed, ValuePath};
use crate::image::{self, ImageRef};
use crate::reason::Assumption;
use crate::scan::ScannedFile;
use crate::sites::{LoosePart, Names, Parts, Step, Value, is_image_map, is_joined, join};
use crate::walk::Role;

/// The values that a chart hands on to every chart it brings.
const GLOBAL: &str = "global";
/// Keys that, when they are empty, show that the templates put something in front of a name.
const FRONT_KEYS: &[&str] = &[
    "hub",
    "containerRegistry",
    "dockerRegistry",
    "defaultRegistry",
    "imageRegistry",
    "defaultImageRegistry",
    "registry",
];

/// Why a value stays that one release shows to be a part of a name, and another does not.
const ONLY_OF_CHART: &str = "another release reads it, of whose chart nothing is known; write the image out in the values of each";

/// A part of a name after the merge.
#[derive(Clone, Debug)]
pub struct Merged {
    /// Its key.
    pub key: String,
    /// Its text; empty when no layer has one.
    pub text: String,
    /// The site and the part of it that the text comes from.
    pub from: Option<(SiteId, usize)>,
}

/// A text that templates may put in front of names.
#[derive(Clone, Debug)]
pub struct Front {
    /// The text; never empty.
    pub text: String,
    /// The site it comes from: the last of its parts.
    pub site: SiteId,
}

/// One image as one merge of layers shows it.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct View {
    /// The way to the map of its parts, as the chart sees it.
    pub at: Vec<Step>,
    /// What the parts name together.
    pub names: Names,
    /// The parts, in the order in which they are joined.
    pub parts: Vec<Merged>,
    /// The site in the last layer that says anything of it.
    pub own: SiteId,
    /// Whether a further key may be joined behind the last part.
    pub may_go_on: bool,
    /// Whether a tag or digest stands beside the parts in any layer.
    pub tagged: bool,
    /// Whether any merge of the same values path has a registry of its own.
    pub registry_elsewhere: bool,
    /// The values path, when everything that stands there in any merge moves together.
    pub together: Option<usize>,
    /// A registry or longer text that stands in scope, to be put in front of names.
    pub front: Option<Front>,
    /// Whether anything in reach may be put in front of names: a registry of another image, one
    /// that is not known, or the empty place of one.
    pub may_be_fronted: bool,
    /// A registry that stands beside it or around it, under a key of its own or as a part of another
    /// image.
    pub beside: Option<String>,
    /// The registry for every image of the chart.
    pub global: Option<Front>,
    /// Whether a layer allows Bitnami charts to use other registries.
    pub insecure_allowed: bool,
    /// Whether a layer says that they may not.
    pub insecure_refused: bool,
    /// Whether a further key may be joined between the parts.
    pub between: bool,
    /// Whether the chart's own values name the image without a registry, so that its templates may not
    /// read one.
    pub registry_unread: bool,
    /// The files whose paths decide the target: the last layer of each merge that shows the same.
    pub targets: Vec<usize>,
    /// Whether it is only the beginning of merges: it says what a layer means, and nothing is deployed
    /// that way.
    pub is_beginning: bool,
    /// Why nothing can be said of it.
    pub blocked: Option<String>,
    /// The value, by its dotted path, that automation would write the old name back to.
    pub written: Option<String>,
    /// What its own file says that a change rests on.
    pub assumption: Option<(Assumption, String)>,
    /// How its chart makes the name, when that is known: `parts` are the values that it reads then.
    pub charted: Option<Box<Charted>>,
    /// What would tell what its chart makes of it, when a release names a chart that is not known.
    pub chart_unknown: Option<String>,
}

impl View {
    /// Whether its first part is a registry of its own.
    fn has_registry(&self) -> bool {
        self.charted.is_none()
            && self.names == Names::Image
            && self.parts.len() > 1
            && !self.parts[0].text.is_empty()
    }

    /// The first of the values at these paths that it is made of.
    fn written_in(&self, paths: &[String]) -> Option<String> {
        if paths.is_empty() {
            return None;
        }
        let parts = self.parts.iter();
        let parts = parts.filter_map(|part| charted::value_path(&self.at, &part.key));
        let slots = self.charted.iter().flat_map(|image| &image.slots);
        let own = parts.chain(slots.map(|slot| slot.path.clone()));
        let mut own = own.map(|path| path.to_string());
        own.find(|own| paths.contains(own))
    }

    /// Takes in what another merge says of the same image. What is deployed counts for more than the
    /// beginning of a merge.
    fn take_in(&mut self, other: Self) {
        self.may_be_fronted |= other.may_be_fronted;
        self.between |= other.between;
        self.beside = self.beside.take().or_else(|| other.beside.clone());
        self.written = self.written.take().or_else(|| other.written.clone());
        if !other.is_beginning && !self.is_beginning {
            // What one release allows, another one may not.
            self.insecure_allowed &= other.insecure_allowed;
            self.insecure_refused |= other.insecure_refused;
            self.assumption = self.assumption.take().or_else(|| other.assumption.clone());
        }
        if self.is_beginning && !other.is_beginning {
            *self = Self {
                may_be_fronted: self.may_be_fronted,
                beside: self.beside.take(),
                between: self.between,
                written: self.written.take(),
                ..other
            };
            return;
        }
        if other.is_beginning {
            return;
        }
        for file in other.targets {
            if !self.targets.contains(&file) {
                self.targets.push(file);
            }
        }
    }

    /// Whether the chart decides which registry the image comes from.
    fn leaves_the_registry_open(&self) -> bool {
        match self.names {
            Names::StatedImage | Names::StatedBeginning => false,
            Names::Beginning | Names::Everything => true,
            Names::Image => {
                let first = self.parts.first().map_or("", |part| part.text.as_str());
                let is_host = |text: &str| {
                    text.split('/')
                        .next()
                        .is_some_and(|host| host.contains(['.', ':']))
                };
                !is_host(first)
                    || self.parts.len() > 1 && self.parts.iter().any(|part| part.text.is_empty())
            }
        }
    }
}

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

/// A `registry` on its own belongs to whatever `repository` another layer sets beside it.
fn family_of(family: &str) -> &str {
    if family == "registry" { "" } else { family }
}

/// Whether a list stands on the way: layers replace lists as a whole.
fn is_listed(at: &[Step]) -> bool {
    at.iter().any(|step| matches!(step, Step::Item(_)))
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

/// The place of an image in the merged values: the path of its map and its family. Documents after
/// the first and items of lists stand on their own, so that the layer is a part of their place.
type Place = (Vec<Step>, String, Option<SiteId>);

/// A key that is, or could be, a part of a name.
#[derive(Clone, Copy)]
struct KnownKey<'a> {
    layer: usize,
    /// The family that it belongs to; none for a key that nothing in its file shows to be a part.
    family: Option<&'a str>,
    /// Whether it takes back what an earlier layer says.
    empties: bool,
}

/// One merge of layers.
pub(super) struct Merge<'a> {
    files: &'a [ScannedFile],
    stack: &'a Stack,
    /// The sites of each place, the earliest layer first, each with the number of its layer.
    places: BTreeMap<Place, Vec<(usize, SiteId)>>,
    /// Every key that is, or could be, a part of a name, by the path of its map.
    keys: BTreeMap<Vec<Step>, BTreeMap<&'a str, Vec<KnownKey<'a>>>>,
}

impl<'a> Merge<'a> {
    fn of(files: &'a [ScannedFile], stack: &'a Stack) -> Self {
        let mut places: BTreeMap<Place, Vec<(usize, SiteId)>> = BTreeMap::new();
        let mut keys: BTreeMap<Vec<Step>, BTreeMap<&str, Vec<KnownKey<'a>>>> = BTreeMap::new();
        for (number, layer) in stack.layers.iter().enumerate() {
            let scan = &files[layer.file].scan;
            for (site, found) in scan.sites.iter().enumerate() {
                let parts = found.parts().filter(|parts| parts.block == layer.block);
                let Some(parts) = parts else { continue };
                let Some(at) = below(&parts.at, &layer.at) else {
                    continue;
                };
                if is_below(&at, &stack.brought) {
                    continue;
                }
                let id = SiteId {
                    file: layer.file,
                    site,
                };
                let here = keys.entry(at.clone()).or_default();
                for part in parts.parts.iter().filter(|part| part.value.is_there()) {
                    here.entry(&part.key).or_default().push(KnownKey {
                        layer: number,
                        family: Some(family_of(&parts.family)),
                        empties: part.value.scalar().is_none(),
                    });
                }
                let is_further = layer.block.is_none() && !found.document.is_first();
                let alone = (is_further || parts.is_listed()).then_some(id);
                let place = (at, parts.family.clone(), alone);
                places.entry(place).or_default().push((number, id));
            }
            let loose = layer.loose(files).into_iter();
            for part in loose.flat_map(|loose| &loose.parts) {
                let is_known = |known: &KnownKey<'_>| known.layer == number;
                if let Some(at) = below(&part.at, &layer.at) {
                    // What another file shows to be values has it as a part, too.
                    let known = keys.get(&at).and_then(|keys| keys.get(part.key.as_str()));
                    if scan.promoted.whole && known.is_some_and(|known| known.iter().any(is_known))
                    {
                        continue;
                    }
                    let here = keys.entry(at).or_default();
                    here.entry(&part.key).or_default().push(KnownKey {
                        layer: number,
                        family: None,
                        empties: part.empties,
                    });
                }
            }
        }
        let mut merge = Self {
            files,
            stack,
            places,
            keys,
        };
        merge.join_registries();
        merge.drop_replaced();
        merge
    }

    /// How many of the first layers nobody changes.
    pub(super) fn fixed(&self) -> usize {
        self.stack.fixed
    }

    /// Every site that counts in the merge of first documents, with the path of its map and the
    /// number of its layer.
    pub(super) fn all_parts(&self) -> impl Iterator<Item = (&Vec<Step>, usize, SiteId, &'a Parts)> {
        let files = self.files;
        let places = self
            .places
            .iter()
            .filter(|((_, _, alone), _)| alone.is_none());
        let sites = places.flat_map(|((at, ..), sites)| sites.iter().map(move |site| (at, site)));
        sites.filter_map(move |(at, &(layer, id))| {
            Some((at, layer, id, files[id.file].scan.sites[id.site].parts()?))
        })
    }

    /// Every key that is a part of a name in other layers only, with the path of its map and the number
    /// of its layer.
    pub(super) fn all_loose(
        &self,
    ) -> impl Iterator<Item = (Vec<Step>, usize, usize, &'a LoosePart)> {
        let files = self.files;
        let layers = self.stack.layers.iter().enumerate();
        layers.flat_map(move |(number, layer)| {
            let loose = layer.loose(files).into_iter();
            let parts = loose.flat_map(|loose| &loose.parts);
            parts.filter_map(move |part| {
                Some((below(&part.at, &layer.at)?, number, layer.file, part))
            })
        })
    }

    /// A `registry` on its own is a part of the image that another layer names in the same map.
    fn join_registries(&mut self) {
        let alone = |(_, family, alone): &&Place| family == "registry" && alone.is_none();
        let alone: Vec<Place> = self.places.keys().filter(alone).cloned().collect();
        for place in alone {
            let whole = (place.0.clone(), String::new(), None);
            if self.places.contains_key(&whole)
                && let Some(sites) = self.places.remove(&place)
                && let Some(all) = self.places.get_mut(&whole)
            {
                all.extend(sites);
                all.sort_unstable();
            }
        }
    }

    /// A text replaces a map of an earlier layer, and a map a text: what was there counts no more
    /// (Helm's `coalesceTables`).
    fn drop_replaced(&mut self) {
        let mut texts: BTreeMap<Vec<Step>, usize> = BTreeMap::new();
        let mut maps: BTreeMap<Vec<Step>, usize> = BTreeMap::new();
        for ((at, ..), sites) in &self.places {
            for &(layer, id) in sites {
                let last = maps.entry(at.clone()).or_default();
                *last = layer.max(*last);
                let parts = self.files[id.file].scan.sites[id.site].parts();
                let parts = parts.iter().flat_map(|parts| &parts.parts);
                for part in parts.filter(|part| part.value.scalar().is_some()) {
                    let last = texts.entry(child(at, &part.key)).or_default();
                    *last = layer.max(*last);
                }
            }
        }
        let files = self.files;
        for ((at, ..), sites) in &mut self.places {
            let text = texts.get(at).copied();
            sites.retain(|&(layer, id)| {
                let parts = files[id.file].scan.sites[id.site].parts();
                let mut parts = parts.iter().flat_map(|parts| &parts.parts);
                let map = parts.any(|part| {
                    maps.get(&child(at, &part.key))
                        .is_some_and(|&map| map > layer)
                });
                !map && text.is_none_or(|text| text <= layer)
            });
        }
        self.places.retain(|_, sites| !sites.is_empty());
    }

    /// The parts of the sites of a place.
    fn parts<'s>(
        &self,
        sites: &'s [(usize, SiteId)],
    ) -> impl Iterator<Item = (SiteId, &'a Parts)> + Clone + use<'a, 's> {
        let files = self.files;
        let parts = move |&(_, id): &(usize, SiteId)| {
            Some((id, files[id.file].scan.sites[id.site].parts()?))
        };
        sites.iter().filter_map(parts)
    }

    /// Whether the keys of an image do not tell its registry, or whether it takes a further key.
    fn is_open(&self) -> bool {
        let mut layers = self.stack.layers.iter();
        if layers.any(|layer| {
            layer
                .loose(self.files)
                .is_some_and(|loose| !loose.insecure.is_empty())
        }) {
            return true;
        }
        let views = self.views();
        views
            .iter()
            .any(|(_, view)| view.leaves_the_registry_open())
    }

    fn views(&self) -> Vec<((Vec<Step>, String), View)> {
        let fronts = self.fronts();
        let insecure = self.insecure();
        let mut views = Vec::new();
        for ((at, family, _), sites) in &self.places {
            let Some(&(_, own)) = sites.last() else {
                continue;
            };
            let (names, parts, may_go_on, tagged) = self.merged(sites);
            let (global, contradicting) = fronts.everything(at);
            let blocked = self.blocked(at, family, sites, &parts).or(contradicting);
            let blocked = blocked.or_else(|| fronts.read_by_others(at, &parts));
            let is_spare = self.files[own.file].scan.sites[own.site].is_spare();
            let blocked = blocked.or_else(|| is_spare.then(|| ONLY_OF_CHART.to_string()));
            let view = View {
                at: at.clone(),
                names,
                own,
                may_go_on,
                tagged,
                between: self.is_between(at, family, sites),
                registry_unread: self.is_registry_unread(sites),
                registry_elsewhere: self.has_registry(at, family),
                together: None,
                front: fronts.find(at).cloned(),
                may_be_fronted: fronts.in_reach || self.stack.unreadable.is_some(),
                beside: fronts.beside(at).map(ToString::to_string),
                global,
                insecure_allowed: allows_insecure(&insecure, at),
                insecure_refused: insecure.values().any(|allowed| !allowed),
                targets: self.stack.targets.clone(),
                is_beginning: self.stack.is_beginning,
                assumption: self.files[own.file].scan.sites[own.site].assumption.clone(),
                blocked,
                written: None,
                parts,
                charted: None,
                chart_unknown: None,
            };
            views.push(((at.clone(), family.clone()), view));
        }
        views
    }

    /// Puts what the chart makes of its values in the place of what their keys look like.
    fn with_chart(&self, known: &[Arc<KnownChart>], views: &mut Vec<((Vec<Step>, String), View)>) {
        if known.is_empty() {
            return;
        }
        let images = charted::images(self, known);
        views.retain(|(_, view)| {
            let from: Vec<_> = view.parts.iter().filter_map(|part| part.from).collect();
            !images.iter().any(|image| image.reads(&from))
        });
        let insecure = self.insecure();
        for image in images {
            let said = image.slots.iter().flat_map(|slot| &slot.said);
            let last = said
                .filter_map(|said| Some((said.layer, said.from?.0)))
                .max();
            let Some((_, own)) = last else { continue };
            let blocked = self.blocked_chart(&image);
            let own_at = image.slots.last().map_or(&[][..], |slot| &slot.path.0);
            let own_at: Vec<Step> = own_at.iter().cloned().map(Step::Key).collect();
            let insecure_allowed = allows_insecure(&insecure, &own_at);
            let merged = |slot: &Slot| {
                let (text, said) = slot.last();
                Merged {
                    key: slot.path.to_string(),
                    text: text.to_string(),
                    from: said.and_then(|said| said.from),
                }
            };
            let view = View {
                at: Vec::new(),
                names: Names::Image,
                parts: image.slots.iter().map(merged).collect(),
                own,
                may_go_on: false,
                tagged: true,
                registry_elsewhere: false,
                together: None,
                front: None,
                beside: None,
                may_be_fronted: false,
                global: None,
                insecure_allowed,
                insecure_refused: insecure.values().any(|allowed| !allowed),
                between: false,
                registry_unread: false,
                targets: self.stack.targets.clone(),
                is_beginning: self.stack.is_beginning,
                blocked,
                written: None,
                assumption: None,
                charted: Some(Box::new(image)),
                chart_unknown: None,
            };
            let place = (
                Vec::new(),
                view.charted
                    .as_ref()
                    .map_or_else(String::new, |image| image.join.to_string()),
            );
            views.push((place, view));
        }
    }

    /// Says of images what would tell about their chart. Where `other`, another version of it, makes
    /// another name of the same values than their keys look like, nothing is sure.
    fn with_unknown_chart(
        &self,
        name: &str,
        supposed: Option<&Supposed>,
        views: &mut [((Vec<Step>, String), View)],
    ) {
        let settle = format!(
            "state in the config which registry the chart joins: `helm: {{charts: {{{name}: {{registry: docker.io}}}}}}`"
        );
        let known: Vec<_> = supposed.iter().map(|one| Arc::clone(&one.known)).collect();
        let (told_by, but) = supposed.map_or(("", ""), |one| (one.known.told_by.as_str(), one.but));
        let images = charted::images(self, &known);
        for (_, view) in views {
            let from: Vec<_> = view.parts.iter().filter_map(|part| part.from).collect();
            let image = images.iter().find(|image| image.reads(&from));
            let texts = view.parts.iter().map(|part| part.text.as_str());
            let own = join(texts.filter(|text| !text.is_empty()));
            let name = image.map(|image| image.name().unwrap_or_default());
            let is_other = |name: &String| match view.names {
                Names::Image | Names::StatedImage => *name != own,
                // It may be the beginning of several.
                Names::Beginning | Names::StatedBeginning | Names::Everything => {
                    !name.starts_with(&own)
                }
            };
            if let Some(name) = name.filter(is_other) {
                let detail = format!("{told_by} makes `{name}` of it, {but}; {settle}");
                let unsure = (Assumption::ChartDefaultUnknown, detail);
                view.assumption.get_or_insert(unsure);
            }
            view.chart_unknown = Some(settle.clone());
        }
    }

    /// What the layers say of other registries, by the way to the values of the charts it is said to; later
    /// layers win.
    fn insecure(&self) -> BTreeMap<Vec<Step>, bool> {
        let layers = self.stack.layers.iter();
        let said = layers.flat_map(|layer| {
            let loose = layer.loose(self.files).into_iter();
            let said = loose.flat_map(|loose| &loose.insecure);
            said.filter_map(|(chart, is_allowed)| {
                let mut chart = below(&child(chart, GLOBAL), &layer.at)?;
                chart.pop();
                Some((chart, *is_allowed))
            })
        });
        said.collect()
    }

    /// Whether a global value stands among those of a single chart, which counts for that one.
    fn says_below(&self, path: &ValuePath) -> bool {
        let Some((key, above)) = path.0.split_last() else {
            return false;
        };
        let above: Vec<Step> = above.iter().cloned().map(Step::Key).collect();
        let is_it = |(at, keys): (&Vec<Step>, &BTreeMap<&str, Vec<KnownKey<'_>>>)| {
            at.len() > above.len() && at.ends_with(&above) && keys.contains_key(key.as_str())
        };
        self.keys.iter().any(is_it)
    }

    /// Why the layers do not say together what an image of a chart that is known is.
    fn blocked_chart(&self, image: &Charted) -> Option<String> {
        if let Some(why) = &self.stack.unreadable {
            return Some(why.clone());
        }
        let mut globals = image.slots.iter().filter(|slot| slot.path.is_global());
        if let Some(slot) = globals.find(|slot| self.says_below(&slot.path)) {
            return Some(format!(
                "the values of one chart set `{}` for that chart alone; write the image out",
                slot.path
            ));
        }
        image.slots.iter().find_map(|slot| {
            let at: Vec<Step> = slot.path.0.iter().cloned().map(Step::Key).collect();
            self.filled(&at)
        })
    }

    /// Whether a key stands there, in any layer, that may be joined between the parts.
    fn is_between(&self, at: &[Step], family: &str, sites: &[(usize, SiteId)]) -> bool {
        let is_one = |(key, known): (&&str, &Vec<KnownKey<'_>>)| {
            is_joined(key, family)
                && known
                    .iter()
                    .any(|known| !known.empties && known.family.is_none())
        };
        let mut keys = self.keys.get(at).into_iter().flatten();
        self.parts(sites).any(|(_, parts)| parts.between) || keys.any(is_one)
    }

    fn fronts(&self) -> Fronts<'_> {
        let mut fronts = Fronts::default();
        for ((at, family, _), sites) in &self.places {
            let (names, parts, ..) = self.merged(sites);
            fronts.note_image(at, family, names, &parts);
            let Some((site, _)) = parts.iter().rev().find_map(|part| part.from) else {
                continue;
            };
            fronts.in_reach |= match names {
                Names::Image => has_registry_alone(&parts),
                Names::StatedImage => false,
                Names::Beginning | Names::StatedBeginning | Names::Everything => true,
            };
            let texts = parts.iter().map(|part| part.text.as_str());
            let text = join(texts.filter(|text| !text.is_empty()));
            let front = Front { text, site };
            match names {
                Names::Image | Names::StatedImage | Names::StatedBeginning => {}
                Names::Everything => {
                    // The path of the chart's values: without `global` and what comes after it.
                    let depth = at
                        .iter()
                        .rposition(|step| *step == Step::Key(GLOBAL.into()));
                    let chart = &at[..depth.unwrap_or(0)];
                    fronts.everything.entry(chart).or_default().push(front);
                }
                Names::Beginning if is_global(at) => drop(fronts.global.get_or_insert(front)),
                Names::Beginning => drop(fronts.beginnings.entry(at).or_insert(front)),
            }
        }
        fronts.in_reach |= self.has_loose_front();
        self.note_loose(&mut fronts);
        fronts
    }

    /// Notes the hosts and names that nothing in their files shows to be parts of images.
    fn note_loose(&self, fronts: &mut Fronts<'_>) {
        for layer in &self.stack.layers {
            let Some(loose) = layer.loose(self.files) else {
                continue;
            };
            let here =
                |at: &[Step]| below(at, &layer.at).filter(|at| !is_below(at, &self.stack.brought));
            for front in loose
                .fronts
                .iter()
                .filter(|front| image::begins_with_host(&front.text))
            {
                if let Some(at) = here(&front.at) {
                    fronts.hosts.insert(at, front.text.clone());
                }
            }
            fronts
                .ends
                .extend(loose.ends.iter().filter_map(|at| here(at)));
        }
    }

    /// Whether a text that is no part of an image may be put in front of names, or whether there is an
    /// empty place for one.
    fn has_loose_front(&self) -> bool {
        let is_loose = |layer: &Layer| {
            let loose = layer.loose(self.files).into_iter();
            let mut fronts = loose.flat_map(|loose| &loose.fronts);
            fronts.any(|front| {
                below(&front.at, &layer.at).is_some_and(|at| !is_below(&at, &self.stack.brought))
            })
        };
        let is_empty = |known: &KnownKey<'_>| known.empties && known.family.is_none();
        let has_empty = |keys: &BTreeMap<&str, Vec<KnownKey<'_>>>| {
            let fronts = FRONT_KEYS.iter().filter_map(|key| keys.get(key));
            fronts.flatten().any(is_empty)
        };
        self.stack.layers.iter().any(is_loose) || self.keys.values().any(has_empty)
    }

    /// What the layers make of a place: its parts, later layers winning.
    fn merged(&self, sites: &[(usize, SiteId)]) -> (Names, Vec<Merged>, bool, bool) {
        let mut all = self.parts(sites).map(|(_, parts)| parts.names);
        let last = all.clone().last().unwrap_or(Names::Image);
        let names = all.find(|names| *names == Names::Image).unwrap_or(last);
        let (mut may_go_on, mut tagged) = (false, false);
        let mut merged: Vec<Merged> = Vec::new();
        for (id, parts) in self.parts(sites) {
            may_go_on |= parts.may_go_on;
            tagged |= !parts.suffix.is_empty();
            for (index, part) in parts.parts.iter().enumerate() {
                if merged.len() <= index {
                    merged.push(Merged {
                        key: part.key.clone(),
                        text: String::new(),
                        from: None,
                    });
                }
                let known = &mut merged[index];
                match &part.value {
                    Value::Missing => {}
                    Value::Empty => {
                        *known = Merged {
                            key: part.key.clone(),
                            text: String::new(),
                            from: None,
                        }
                    }
                    Value::Text(scalar) => {
                        *known = Merged {
                            key: part.key.clone(),
                            text: scalar.value.clone(),
                            from: Some((id, index)),
                        };
                    }
                }
            }
        }
        (names, merged, may_go_on, tagged)
    }

    /// Why the layers do not say together what the image is.
    fn blocked(
        &self,
        at: &[Step],
        family: &str,
        sites: &[(usize, SiteId)],
        parts: &[Merged],
    ) -> Option<String> {
        let in_parts =
            family.is_empty() || parts.iter().filter(|part| !part.text.is_empty()).count() > 1;
        if let (true, Some(why)) = (in_parts, &self.stack.unreadable) {
            return Some(why.clone());
        }
        if let (true, Some(why)) = (in_parts, self.filled(at)) {
            return Some(why);
        }
        let keys: BTreeSet<&str> = self
            .parts(sites)
            .flat_map(|(_, parts)| &parts.parts)
            .filter(|part| part.value.is_there())
            .map(|part| part.key.as_str())
            .collect();
        let counts = |known: &&KnownKey<'_>| {
            known.family != Some(family_of(family))
                && (in_parts || known.family.is_some() || known.empties)
        };
        let known = self.keys.get(at).filter(|_| !is_listed(at));
        let other = known.and_then(|known| {
            keys.iter().find_map(|key| {
                let mut all = known.get(key).into_iter().flatten();
                Some((*key, all.find(counts)?))
            })
        });
        if let Some((key, other)) = other {
            let file = &self.files[self.stack.layers[other.layer].file];
            if sites.iter().all(|(layer, _)| *layer == other.layer) {
                return Some(format!(
                    "its `{key}` is a part of another image there, too; write the image out as one reference"
                ));
            }
            return Some(format!(
                "{} sets its `{key}` in another way; write the image in the same way in each layer",
                file.source.path.display()
            ));
        }
        let front = parts.first().map_or("", |part| part.key.as_str());
        let keys: Vec<String> = keys
            .into_iter()
            .filter(|key| parts.len() > 1 && *key != front)
            .map(|key| format!("`{key}`"))
            .collect();
        (parts.len() == 2 && keys.len() > 1).then(|| {
            format!(
                "its layers name it by different keys ({}); use one of them",
                keys.join(" and ")
            )
        })
    }

    /// Why nobody can tell what stands at a place: a template fills in something around it.
    fn filled(&self, at: &[Step]) -> Option<String> {
        let layer = self.stack.layers.iter().find(|layer| {
            let above: Vec<Step> = layer.at.iter().cloned().map(Step::Key).collect();
            let whole = [&above, at].concat();
            let loose = layer.loose(self.files);
            let mut filled = loose.into_iter().flat_map(|loose| &loose.filled);
            filled.any(|filled| whole.starts_with(filled) || is_global(filled))
        })?;
        let place = self.files[layer.file].source.path.display();
        Some(format!(
            "a template fills in values around it in {place}; write the image out there"
        ))
    }

    /// Whether the defaults of the chart name the image, and have no key for its registry.
    fn is_registry_unread(&self, sites: &[(usize, SiteId)]) -> bool {
        let first = self.parts(&sites[..1]).next();
        let is_default = |id: SiteId| {
            let file = &self.files[id.file].source.real;
            file.parent() == self.stack.root.folder() && file.ends_with(DEFAULTS)
        };
        first.is_some_and(|(id, parts)| {
            let registry = parts.parts.first();
            parts.names == Names::Image
                && parts.parts.len() > 1
                && is_default(id)
                && registry.is_some_and(|part| !part.value.is_there())
        })
    }

    /// Whether a registry that belongs to something else stands beside the parts. A whole map of parts
    /// (`registry`, `repository`) has the one that it is joined to.
    fn has_registry(&self, at: &[Step], family: &str) -> bool {
        if family.is_empty() {
            return false;
        }
        let Some(keys) = self.keys.get(at) else {
            return false;
        };
        let is_other =
            |known: &KnownKey<'_>| known.family != Some(family_of(family)) && !known.empties;
        keys.iter()
            .filter(|(key, _)| is_registry_of(key, family))
            .any(|(_, known)| known.iter().any(is_other))
    }
}

/// Whether the chart whose values stand at `at` may use other registries: what is said to every chart
/// counts, else what is said to it.
fn allows_insecure(said: &BTreeMap<Vec<Step>, bool>, at: &[Step]) -> bool {
    let own = (1..=at.len())
        .rev()
        .find_map(|length| said.get(&at[..length]));
    said.get(&[][..]).or(own).copied().unwrap_or(false)
}

/// Whether a key names the registry of the images of a family in the same map: of all of them, or of
/// those of its own stem (`operatorRegistry`, `operator_image_registry`).
fn is_registry_of(key: &str, family: &str) -> bool {
    let Some(stem) = ["Registry", "_registry"]
        .iter()
        .find_map(|end| key.strip_suffix(end))
    else {
        return FRONT_KEYS.contains(&key);
    };
    let family = family.strip_suffix("_name").unwrap_or(family);
    let family = family.strip_suffix("Name").unwrap_or(family);
    let short = ["Image", "_image"]
        .iter()
        .find_map(|end| family.strip_suffix(end));
    FRONT_KEYS.contains(&key)
        || matches!(stem, "image" | "docker" | "container" | "default")
        || stem == family
        || short == Some(stem)
}

/// What templates may put in front of names, by the path of the map that it stands in: it counts for
/// everything below that map, and everywhere when it is global.
#[derive(Default)]
struct Fronts<'m> {
    beginnings: HashMap<&'m Vec<Step>, Front>,
    global: Option<Front>,
    /// The registries for every image, by the path of the values of the chart they are for.
    everything: BTreeMap<&'m [Step], Vec<Front>>,
    /// Whether there are any, of whatever scope, or others that nobody can tell the scope of: templates
    /// read what they like.
    in_reach: bool,
    /// The registries of images, by the path of their maps: templates may put them in front of other
    /// names in the same map, or below it.
    registries: BTreeMap<Vec<Step>, String>,
    /// Registries under other keys, by the path of their maps.
    hosts: BTreeMap<Vec<Step>, String>,
    /// The maps of names without a registry.
    ends: Vec<Vec<Step>>,
}

impl Fronts<'_> {
    /// Notes what an image says of others.
    fn note_image(&mut self, at: &[Step], family: &str, names: Names, parts: &[Merged]) {
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
    fn beside(&self, at: &[Step]) -> Option<&str> {
        let mut outer = (0..=at.len()).rev();
        let around = || outer.find_map(|length| self.registries.get(&at[..length]));
        self.hosts.get(at).or_else(around).map(String::as_str)
    }

    /// Why a registry at `at` stays: names without one stand beside it, or below it, so that it may be
    /// theirs, too.
    fn read_by_others(&self, at: &[Step], parts: &[Merged]) -> Option<String> {
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
    fn find(&self, at: &[Step]) -> Option<&Front> {
        let mut outer = (0..=at.len()).rev();
        outer
            .find_map(|length| self.beginnings.get(&at[..length].to_vec()))
            .or(self.global.as_ref())
    }

    /// The registry for every image of the innermost chart that `at` belongs to, and why it cannot
    /// be told.
    fn everything(&self, at: &[Step]) -> (Option<Front>, Option<String>) {
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
fn has_registry_alone(parts: &[Merged]) -> bool {
    let (last, first) = match parts {
        [.., first, last] => (last.text.as_str(), first.text.as_str()),
        [last] => (last.text.as_str(), ""),
        [] => return false,
    };
    !first.is_empty() && last.is_empty() || image::is_registry(last)
}

fn child(at: &[Step], key: &str) -> Vec<Step> {
    at.iter()
        .cloned()
        .chain([Step::Key(key.to_string())])
        .collect()
}

fn is_global(path: &[Step]) -> bool {
    path.first() == Some(&Step::Key(GLOBAL.into()))
}

/// Whether `at` begins with one of the keys.
fn is_below(at: &[Step], keys: &[String]) -> bool {
    matches!(at.first(), Some(Step::Key(first)) if keys.contains(first))
}

/// `path` as the chart sees it whose values stand below `at`: the rest of the path, or the path of
/// a global value, which reaches every chart.
pub(super) fn below(path: &[Step], at: &[String]) -> Option<Vec<Step>> {
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
