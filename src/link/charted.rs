//! Images whose chart is known: what its join makes of the merged values.
//!
//! A [`Charted`] is one image of a chart under one merge of layers. Each value that the join reads is a
//! slot, with what every layer says of it; so that the name can be made again with other texts, and with
//! values that are added to a layer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use super::SiteId;
use super::values::Merge;
use crate::helm::{Join, Known, Source, ValuePath};
use crate::sites::{Step, Value};

/// One image of a chart that is known, under one merge.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Charted {
    /// How the chart makes the name.
    pub join: Join,
    /// The values that it reads, in the order of [`Join::reads`].
    pub slots: Vec<Slot>,
    /// Whether the chart refuses other registries.
    pub refuses_others: bool,
    /// Whether nothing else in the chart reads its values.
    pub is_complete: bool,
    /// Whether the prefix goes into the registry.
    pub prefix_in_registry: bool,
    /// What tells about the chart.
    pub told_by: String,
}

/// A value that a join reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// Its path.
    pub path: ValuePath,
    /// The chart's own text.
    pub default: String,
    /// What the layers say, the earliest first.
    pub said: Vec<Said>,
    /// Whether values that may be merged with these, and are not here, say something of it.
    pub elsewhere: bool,
    /// Whether the names of several images read it.
    pub shared: bool,
}

/// What a layer says of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Said {
    /// The file.
    pub file: usize,
    /// The number of the layer in the merge.
    pub layer: usize,
    /// The text; empty when it takes earlier ones back.
    pub text: String,
    /// The site and the part of it, when it is one.
    pub from: Option<(SiteId, usize)>,
}

impl Slot {
    /// The text after the merge, and who says it; nobody when the chart does.
    pub fn last(&self) -> (&str, Option<&Said>) {
        match self.said.last() {
            Some(said) => (&said.text, Some(said)),
            None => (&self.default, None),
        }
    }
}

impl Charted {
    /// The text of a value after the merge.
    pub fn text(&self, path: &ValuePath) -> String {
        let slot = self.slot(path);
        slot.map_or(String::new(), |slot| slot.last().0.to_string())
    }

    /// The slot of a value.
    pub fn slot(&self, path: &ValuePath) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.path == *path)
    }

    /// Whether the last value is said, and names no registry. A general form says no more of a chart
    /// than which registry is put in front of such names.
    fn names_no_host(&self) -> bool {
        let last = self.slots.last().and_then(|slot| slot.said.last());
        let names_host = |text: &str| {
            let host = text.split('/').next().filter(|_| text.contains('/'));
            host.is_some_and(|host| host.contains(['.', ':']) || host == "localhost")
        };
        last.is_some_and(|said| !said.text.is_empty() && !names_host(&said.text))
    }

    /// Whether another join is about the same last value: a general form says nothing of an image that is
    /// known by itself.
    fn ends_like(&self, other: &Self) -> bool {
        let last = |image: &Self| image.slots.last().map(|slot| slot.path.clone());
        last(self).is_some() && last(self) == last(other)
    }

    /// The registry for every image of the chart that stands in front of the name, with its site.
    pub fn global(&self) -> Option<(&str, SiteId)> {
        let pieces = self.join.pieces(|path| self.text(path))?;
        let (front, rest) = pieces.split_first()?;
        let Source::Value(path) = front.source.filter(|_| !rest.is_empty())? else {
            return None;
        };
        let said = self.slot(path).filter(|_| path.is_global())?.last().1?;
        Some((&said.text, said.from?.0))
    }

    /// Whether a value that it reads is one of these parts of sites.
    pub(super) fn reads(&self, parts: &[(SiteId, usize)]) -> bool {
        let mut said = self.slots.iter().flat_map(|slot| &slot.said);
        said.any(|said| said.from.is_some_and(|from| parts.contains(&from)))
    }

    /// The name that the chart makes, with a tag that stands in its last value.
    pub fn name(&self) -> Option<String> {
        self.join.name(|path| self.text(path))
    }
}

/// Texts for a part of a site: a new one of its own, and keys that are added beside it.
#[derive(Clone, Debug, Default)]
pub struct NewTexts {
    /// The text of the part itself.
    pub own: Option<String>,
    /// Keys beside it, with their texts.
    pub added: Vec<(String, String)>,
}

impl Charted {
    /// The same image when parts of sites have the texts that `new` gives them.
    #[must_use]
    pub fn with(&self, new: impl Fn(SiteId, usize) -> NewTexts) -> Self {
        let mut after = self.clone();
        for (slot, old) in after.slots.iter_mut().zip(&self.slots) {
            for (said, old) in slot.said.iter_mut().zip(&old.said) {
                let own = old.from.and_then(|(site, part)| new(site, part).own);
                said.text = own.unwrap_or_else(|| old.text.clone());
            }
        }
        for slot in &self.slots {
            for said in &slot.said {
                let Some((site, part)) = said.from else {
                    continue;
                };
                for (key, text) in new(site, part).added {
                    after.add(&slot.path, &key, (said.file, said.layer), text);
                }
            }
        }
        after
    }

    /// Adds a key beside the one at `path`, in a layer.
    fn add(&mut self, path: &ValuePath, key: &str, (file, layer): (usize, usize), text: String) {
        let beside = path.sibling(key);
        let mut slots = self.slots.iter_mut();
        let Some(slot) = slots.find(|slot| slot.path == beside) else {
            return;
        };
        let from = None;
        let at = slot.said.partition_point(|said| said.layer < layer);
        slot.said.insert(
            at,
            Said {
                file,
                layer,
                text,
                from,
            },
        );
    }
}

/// Marks the values of which other merges of the same chart say something: their files may be merged with
/// these by something that the repository does not show.
pub(super) fn mark_elsewhere<R: Eq + Hash>(images: &mut [(R, &mut Charted)]) {
    let mut files: HashMap<(&R, ValuePath), BTreeSet<usize>> = HashMap::new();
    for (root, image) in images.iter() {
        for slot in &image.slots {
            let said = slot.said.iter().filter(|said| !said.text.is_empty());
            let known = files.entry((root, slot.path.clone())).or_default();
            known.extend(said.map(|said| said.file));
        }
    }
    let mut elsewhere: Vec<Vec<bool>> = Vec::new();
    for (root, image) in images.iter() {
        let is_elsewhere = |slot: &Slot| {
            let own: BTreeSet<usize> = slot.said.iter().map(|said| said.file).collect();
            let all = files.get(&(root, slot.path.clone()));
            all.is_some_and(|all| !all.is_subset(&own))
        };
        elsewhere.push(image.slots.iter().map(is_elsewhere).collect());
    }
    for ((_, image), elsewhere) in images.iter_mut().zip(elsewhere) {
        for (slot, elsewhere) in image.slots.iter_mut().zip(elsewhere) {
            slot.elsewhere = elsewhere;
        }
    }
}

/// What all layers of a merge say, by the path of the value.
type Sayings = BTreeMap<(Vec<Step>, String), Vec<Said>>;

/// The images of a chart whose names the layers of a merge have a part in, and the sites that are a
/// part of them.
pub(super) fn images(merge: &Merge<'_>, known: &[Arc<Known>]) -> Vec<Charted> {
    let (sayings, fixed) = merge.sayings();
    let mut found: Vec<Charted> = Vec::new();
    let joins = known
        .iter()
        .flat_map(|known| known.joins.iter().map(move |join| (known, join)));
    for (known, join) in joins {
        let is_general = join.reads().iter().any(|path| path.is_general());
        for join in bound(join, &sayings) {
            let charted = charted(join, known, &sayings, &fixed);
            if is_general && !charted.names_no_host() {
                continue;
            }
            let is_said = |slot: &Slot| slot.said.iter().any(|said| said.from.is_some());
            let is_known = found
                .iter()
                .any(|one| one.join == charted.join || is_general && one.ends_like(&charted));
            if charted.slots.iter().any(is_said) && !is_known {
                found.push(charted);
            }
        }
    }
    found
}

/// The join for each choice of its `*` and `**` that the layers speak of.
fn bound(join: &Join, sayings: &Sayings) -> Vec<Join> {
    let open: Vec<&ValuePath> = join
        .reads()
        .into_iter()
        .filter(|path| path.is_open())
        .collect();
    if open.is_empty() {
        return vec![join.clone()];
    }
    let said = sayings.keys();
    let said: Vec<ValuePath> = said.filter_map(|(at, key)| value_path(at, key)).collect();
    let ways = open
        .iter()
        .flat_map(|open| said.iter().filter_map(|path| open.matched(path)));
    let ways: BTreeSet<Vec<Vec<String>>> = ways.collect();
    ways.iter().map(|ways| join.bound(ways)).collect()
}

fn charted(join: Join, known: &Known, sayings: &Sayings, fixed: &Sayings) -> Charted {
    let slot = |path: &ValuePath| {
        let (key, at) = path.0.split_last()?;
        let at: Vec<Step> = at.iter().cloned().map(Step::Key).collect();
        let place = (at, key.clone());
        let said = sayings.get(&place);
        let fixed = fixed.get(&place).and_then(|said| said.last());
        let default = fixed.map_or(known.default_of(path), |said| &said.text);
        Some(Slot {
            path: path.clone(),
            default: default.to_string(),
            said: said.cloned().unwrap_or_default(),
            elsewhere: false,
            shared: path.is_global() || known.is_shared(path),
        })
    };
    Charted {
        slots: join.reads().into_iter().filter_map(slot).collect(),
        join,
        refuses_others: known.refuses_others,
        is_complete: known.is_complete,
        prefix_in_registry: known.prefix_in_registry,
        told_by: known.told_by.clone(),
    }
}

/// The path of the value under `key` of the map at `at`, unless a list stands on the way.
pub(super) fn value_path(at: &[Step], key: &str) -> Option<ValuePath> {
    let step = |step: &Step| match step {
        Step::Key(key) => Some(key.clone()),
        Step::Item(_) => None,
    };
    let above: Option<Vec<String>> = at.iter().map(step).collect();
    Some(ValuePath(above?).child(key))
}

impl Merge<'_> {
    /// What every layer says of every value that may be a part of a name; and what those say that nobody
    /// changes.
    fn sayings(&self) -> (Sayings, Sayings) {
        let mut sayings = Sayings::new();
        for (at, layer, id, parts) in self.all_parts() {
            for (index, part) in parts.parts.iter().enumerate() {
                let (text, from) = match &part.value {
                    Value::Missing => continue,
                    Value::Empty => (String::new(), None),
                    Value::Text(scalar) => (scalar.value.clone(), Some((id, index))),
                };
                let said = Said {
                    file: id.file,
                    layer,
                    text,
                    from,
                };
                let place = (at.clone(), part.key.clone());
                sayings.entry(place).or_default().push(said);
            }
        }
        for (at, layer, file, part) in self.all_loose() {
            let said = Said {
                file,
                layer,
                text: part.text.clone().unwrap_or_default(),
                from: None,
            };
            sayings
                .entry((at, part.key.clone()))
                .or_default()
                .push(said);
        }
        for said in sayings.values_mut() {
            // A text that a site has a part of comes before the same one that is a part of nothing.
            said.sort_by_key(|said| (said.layer, said.from.is_none()));
            said.dedup_by_key(|said| said.layer);
        }
        let mut fixed = Sayings::new();
        for (place, said) in &mut sayings {
            let first = said.partition_point(|said| said.layer < self.fixed());
            if first > 0 {
                fixed.insert(place.clone(), said.drain(..first).collect());
            }
        }
        (sayings, fixed)
    }
}
