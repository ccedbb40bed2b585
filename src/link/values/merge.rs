//! One merge of layers: what its layers say of each place, later ones winning, and what stands in front.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::SiteId;
use super::super::charted::{self, Charted, Slot};
use super::super::layers::{DEFAULTS, Layer};
use super::super::stacks::Stack;
use super::fronts::{Fronts, has_registry_alone};
use super::paths::{GLOBAL, below, child, is_below, is_global, is_listed};
use super::view::{Front, Merged, View};
use crate::helm::{Known, Supposed, ValuePath};
use crate::image;
use crate::reason::Assumption;
use crate::scan::ScannedFile;
use crate::sites::{LoosePart, Names, Parts, Step, Value, is_joined, join};

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

/// A `registry` on its own belongs to whatever `repository` another layer sets beside it.
fn family_of(family: &str) -> &str {
    if family == "registry" { "" } else { family }
}

/// The place of an image in the merged values: the path of its map and its family. Documents after
/// the first and items of lists stand on their own, so that the layer is a part of their place.
pub(super) type Place = (Vec<Step>, String, Option<SiteId>);

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
pub(in crate::link) struct Merge<'a> {
    files: &'a [ScannedFile],
    stack: &'a Stack,
    /// The sites of each place, the earliest layer first, each with the number of its layer.
    pub(super) places: BTreeMap<Place, Vec<(usize, SiteId)>>,
    /// Every key that is, or could be, a part of a name, by the path of its map.
    keys: BTreeMap<Vec<Step>, BTreeMap<&'a str, Vec<KnownKey<'a>>>>,
}

impl<'a> Merge<'a> {
    pub(super) fn of(files: &'a [ScannedFile], stack: &'a Stack) -> Self {
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
    pub(in crate::link) fn fixed(&self) -> usize {
        self.stack.fixed
    }

    /// Every site that counts in the merge of first documents, with the path of its map and the
    /// number of its layer.
    pub(in crate::link) fn all_parts(
        &self,
    ) -> impl Iterator<Item = (&Vec<Step>, usize, SiteId, &'a Parts)> {
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
    pub(in crate::link) fn all_loose(
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
    pub(super) fn is_open(&self) -> bool {
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

    pub(super) fn views(&self) -> Vec<((Vec<Step>, String), View)> {
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
    pub(super) fn with_chart(
        &self,
        known: &[Arc<Known>],
        views: &mut Vec<((Vec<Step>, String), View)>,
    ) {
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
    pub(super) fn with_unknown_chart(
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
