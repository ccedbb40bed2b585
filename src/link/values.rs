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

use super::SiteId;
use super::releases::Combined;
use super::stacks::{Charts, Stack};
use crate::reason::Reason;
use crate::scan::ScannedFile;
use crate::sites::{Names, Parts, Step, Value, join};

/// The values that a chart hands on to every chart it brings.
const GLOBAL: &str = "global";
/// Keys that, when they are empty, show that the templates put something in front of a name.
const FRONT_KEYS: &[&str] = &[
    "hub",
    "containerRegistry",
    "dockerRegistry",
    "imageRegistry",
    "defaultImageRegistry",
    "registry",
];

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
    /// Whether the chart lies in the repository, so that an image without a repository is none.
    pub own_chart: bool,
    /// A registry or longer text that stands in scope, to be put in front of names.
    pub front: Option<Front>,
    /// Whether an empty one does.
    pub empty_front: bool,
    /// The registry for every image of the chart.
    pub global: Option<Front>,
    /// Whether a layer allows Bitnami charts to use other registries.
    pub insecure_allowed: bool,
    /// The file whose path decides the target: the last layer.
    pub target: usize,
    /// Why nothing can be said of it.
    pub blocked: Option<String>,
}

impl View {
    /// Whether a list stands on the way: layers replace lists as a whole.
    fn is_listed(&self) -> bool {
        self.at.iter().any(|step| matches!(step, Step::Item(_)))
    }
}

/// Every image of every merge of layers.
pub(super) fn views(
    files: &[ScannedFile],
    combined: &[Combined],
    held: &BTreeMap<usize, (Reason, String)>,
) -> Vec<View> {
    let stacks = Charts::of(files).stacks(combined, held);
    let mut views = Vec::new();
    let mut seen = HashSet::new();
    let mut registries: HashSet<(PathBuf, Vec<Step>, String)> = HashSet::new();
    let mut places = Vec::new();
    for stack in stacks {
        for (key, view) in Merge::of(files, &stack).views() {
            if view.parts.len() > 1 && !view.parts[0].text.is_empty() {
                registries.insert((stack.root.clone(), key.0.clone(), key.1.clone()));
            }
            let same: Vec<_> = view.parts.iter().map(|part| part.from).collect();
            if seen.insert((
                view.own,
                same,
                view.target,
                view.front.is_some(),
                view.global.as_ref().map(|global| global.site),
            )) {
                places.push((stack.root.clone(), key.0, key.1));
                views.push(view);
            }
        }
    }
    let maps: HashSet<(&Path, &[Step])> = places
        .iter()
        .map(|(root, at, _)| (root.as_path(), at.as_slice()))
        .collect();
    let mut numbers: HashMap<(&Path, Vec<Step>, &str), usize> = HashMap::new();
    for (view, place) in views.iter_mut().zip(&places) {
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
        if !view.is_listed() && (in_parts || view.registry_elsewhere) {
            let number = numbers.len();
            let place = (root.as_path(), at.clone(), family.as_str());
            view.together = Some(*numbers.entry(place).or_insert(number));
        }
    }
    views
}

/// The place of an image in the merged values: the path of its map and its family. Documents after
/// the first and items of lists stand on their own, so that the layer is a part of their place.
type Place = (Vec<Step>, String, Option<SiteId>);

/// One merge of layers.
struct Merge<'a> {
    files: &'a [ScannedFile],
    stack: &'a Stack,
    /// The sites of each place, the earliest layer first, each with the number of its layer.
    places: BTreeMap<Place, Vec<(usize, SiteId)>>,
    /// Parts that are no sites, by the path of their map: layer, key, and whether they are empty.
    loose: BTreeMap<Vec<Step>, Vec<(usize, &'a str, bool)>>,
}

impl<'a> Merge<'a> {
    fn of(files: &'a [ScannedFile], stack: &'a Stack) -> Self {
        let mut places: BTreeMap<Place, Vec<(usize, SiteId)>> = BTreeMap::new();
        let mut loose: BTreeMap<Vec<Step>, Vec<(usize, &str, bool)>> = BTreeMap::new();
        for (number, layer) in stack.layers.iter().enumerate() {
            let scan = &files[layer.file].scan;
            for (site, found) in scan.sites.iter().enumerate() {
                let Some(parts) = found.parts() else { continue };
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
                let alone = (found.document > 0 || parts.is_listed()).then_some(id);
                let place = (at, parts.family.clone(), alone);
                places.entry(place).or_default().push((number, id));
            }
            for part in scan.loose.iter().flat_map(|loose| &loose.parts) {
                if let Some(at) = below(&part.at, &layer.at) {
                    let known = (number, part.key.as_str(), part.empties);
                    loose.entry(at).or_default().push(known);
                }
            }
        }
        let mut merge = Self {
            files,
            stack,
            places,
            loose,
        };
        merge.drop_replaced();
        merge
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
    ) -> impl Iterator<Item = (SiteId, &'a Parts)> + use<'a, 's> {
        let files = self.files;
        let parts = move |&(_, id): &(usize, SiteId)| {
            Some((id, files[id.file].scan.sites[id.site].parts()?))
        };
        sites.iter().filter_map(parts)
    }

    fn views(&self) -> Vec<((Vec<Step>, String), View)> {
        let fronts = self.fronts();
        let insecure_allowed = self.stack.layers.iter().any(|layer| {
            let loose = self.files[layer.file].scan.loose.as_ref();
            loose.is_some_and(|loose| loose.insecure_allowed)
        });
        let mut views = Vec::new();
        for ((at, family, _), sites) in &self.places {
            let Some(&(_, own)) = sites.last() else {
                continue;
            };
            let (names, parts, may_go_on, tagged) = self.merged(sites);
            let view = View {
                at: at.clone(),
                names,
                own,
                may_go_on,
                tagged,
                registry_elsewhere: false,
                together: None,
                own_chart: self.stack.is_chart && !is_below(at, &self.stack.foreign),
                front: fronts.find(at).cloned(),
                empty_front: fronts.has_empty(at),
                global: fronts.everything.clone(),
                insecure_allowed,
                target: self
                    .stack
                    .layers
                    .last()
                    .map_or(own.file, |layer| layer.file),
                blocked: self.blocked(at, family, sites, &parts),
                parts,
            };
            views.push(((at.clone(), family.clone()), view));
        }
        views
    }

    fn fronts(&self) -> Fronts<'_> {
        let mut fronts = Fronts::default();
        for ((at, ..), sites) in &self.places {
            let (names, parts, ..) = self.merged(sites);
            let Some((site, _)) = parts.iter().rev().find_map(|part| part.from) else {
                continue;
            };
            let texts = parts.iter().map(|part| part.text.as_str());
            let text = join(texts.filter(|text| !text.is_empty()));
            let front = Front { text, site };
            match names {
                Names::Image | Names::StatedImage => {}
                Names::Everything => drop(fronts.everything.get_or_insert(front)),
                Names::Beginning if is_global(at) => drop(fronts.global.get_or_insert(front)),
                Names::Beginning => drop(fronts.beginnings.entry(at).or_insert(front)),
            }
        }
        for (at, parts) in &self.loose {
            let mut keys = parts.iter().filter(|(_, _, empties)| *empties);
            if keys.any(|(_, key, _)| FRONT_KEYS.contains(key)) {
                fronts.empty_global |= is_global(at);
                fronts.empty.insert(at);
            }
        }
        fronts
    }

    /// What the layers make of a place: its parts, later layers winning.
    fn merged(&self, sites: &[(usize, SiteId)]) -> (Names, Vec<Merged>, bool, bool) {
        let (mut names, mut may_go_on, mut tagged) = (Names::Image, false, false);
        let mut merged: Vec<Merged> = Vec::new();
        for (id, parts) in self.parts(sites) {
            names = parts.names;
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
        let layers: BTreeSet<usize> = sites.iter().map(|&(layer, _)| layer).collect();
        let place = |layer: usize| {
            self.files[self.stack.layers[layer].file]
                .source
                .path
                .display()
        };
        let loose = self.loose.get(at).into_iter().flatten();
        let mut loose = loose.filter(|(layer, key, _)| {
            !layers.contains(layer) && parts.iter().any(|part| part.key == *key)
        });
        if let Some((layer, key, _)) = loose.next() {
            return Some(format!(
                "{} also sets its `{key}` without showing that an image is meant; set the image as a whole there",
                place(*layer)
            ));
        }
        let keys: BTreeSet<&str> = self
            .parts(sites)
            .flat_map(|(_, parts)| &parts.parts)
            .filter(|part| part.value.scalar().is_some() && part.key != "registry")
            .map(|part| part.key.as_str())
            .collect();
        if family.is_empty() && keys.len() > 1 {
            let keys: Vec<String> = keys.into_iter().map(|key| format!("`{key}`")).collect();
            return Some(format!(
                "its layers name it by different keys ({}); use one of them",
                keys.join(" and ")
            ));
        }
        None
    }
}

/// What templates may put in front of names, by the path of the map that it stands in: it counts for
/// everything below that map, and everywhere when it is global.
#[derive(Default)]
struct Fronts<'m> {
    beginnings: HashMap<&'m Vec<Step>, Front>,
    global: Option<Front>,
    everything: Option<Front>,
    empty: HashSet<&'m Vec<Step>>,
    empty_global: bool,
}

impl Fronts<'_> {
    /// The innermost one in scope at `at`.
    fn find(&self, at: &[Step]) -> Option<&Front> {
        let mut outer = (0..=at.len()).rev();
        outer
            .find_map(|length| self.beginnings.get(&at[..length].to_vec()))
            .or(self.global.as_ref())
    }

    fn has_empty(&self, at: &[Step]) -> bool {
        self.empty_global
            || (0..=at.len()).any(|length| self.empty.contains(&at[..length].to_vec()))
    }
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
fn below(path: &[Step], at: &[String]) -> Option<Vec<Step>> {
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
