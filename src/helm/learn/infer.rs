//! From what came out at a spot to the join that makes it.

use std::collections::BTreeSet;

use super::super::join::{Form, Glue, Join, Part, Source, ValuePath};
use super::observe::{Spot, name_of};
use super::places::Place;
use super::trials::{Shape, Trial, own_text};

/// A piece of a name that came out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    /// The text of a place.
    Place(usize),
    /// Any other text.
    Text(String),
}

/// A name that came out: its pieces, each with whether a slash follows, and the places that were set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sight {
    items: Vec<(Item, bool)>,
    set: BTreeSet<usize>,
}

/// A part of a form while it is put together.
#[derive(Clone, Debug, Default)]
struct Slot {
    places: BTreeSet<usize>,
    /// First beats second when both are set.
    beats: BTreeSet<(usize, usize)>,
    text: Option<String>,
    /// Whether a slash follows, once seen.
    slash: Option<bool>,
    /// It was left out, slash and all.
    vanishes: bool,
    /// Its slash stood there without it.
    leaves_slash: bool,
}

/// How many conditions a join may have.
const CONDITIONS: usize = 2;

/// The join that explains every sight of a spot.
pub(super) fn join(spot: &Spot<'_>, places: &[Place]) -> Result<Join, String> {
    let plain = spot
        .sights
        .iter()
        .filter(|(trial, name)| trial.is_plain && !name.is_empty());
    let mut sights = BTreeSet::new();
    for (trial, name) in plain {
        sights.insert(
            sight(trial, name, places)
                .ok_or_else(|| format!("its template changes the text: `{name}`"))?,
        );
    }
    let seen: BTreeSet<usize> = sights
        .iter()
        .flat_map(|sight| &sight.items)
        .filter_map(|(item, _)| item.place())
        .collect();
    let narrowed: BTreeSet<Sight> = sights
        .into_iter()
        .map(|sight| Sight {
            set: sight.set.intersection(&seen).copied().collect(),
            ..sight
        })
        .collect();
    let sights: Vec<&Sight> = narrowed.iter().collect();
    let forms = forms(&sights, &seen, places, CONDITIONS)
        .or_else(|| forms(&ended(&sights), &seen, places, CONDITIONS))
        .ok_or("its parts follow no rule that a join can say")?;
    let join = Join { forms };
    let join = match holds(&join, spot, places) {
        Ok(()) => join,
        Err(why) => with_loose_slashes(&join, spot, places).ok_or(why)?,
    };
    let is_stuck = |place: &Place| {
        let index = places.iter().position(|other| other.path == place.path);
        index.is_some_and(|index| {
            spot.sights
                .iter()
                .all(|(trial, _)| trial.is_set.get(index) != Some(&true))
        })
    };
    match frozen(&join, places).filter(|place| is_stuck(place)) {
        Some(place) => Err(format!("`{}` cannot be changed", place.path)),
        None => Ok(join),
    }
}

/// The join with slashes that fall away with an empty part, where no trial that it was built from shows
/// what becomes of them but another one does.
fn with_loose_slashes(join: &Join, spot: &Spot<'_>, places: &[Place]) -> Option<Join> {
    let mut join = join.clone();
    for part in join.forms.iter_mut().flat_map(|form| &mut form.parts) {
        if part.glue == Glue::Slash {
            part.glue = Glue::SlashIfAny;
        }
    }
    holds(&join, spot, places).is_ok().then_some(join)
}

/// The sights in which the last value of the longest name is set. Without it a chart may leave out the
/// slash in front of it; a name without an end is none, so that joins need not say what becomes of it.
fn ended<'s>(sights: &[&'s Sight]) -> Vec<&'s Sight> {
    let longest = sights.iter().max_by_key(|sight| sight.items.len());
    let last = longest
        .and_then(|sight| sight.items.last())
        .and_then(|(item, _)| item.place());
    let has_end = |sight: &&&Sight| last.is_some_and(|last| sight.set.contains(&last));
    sights.iter().filter(has_end).copied().collect()
}

/// Whether a join says what came out in every trial; else what it says wrongly. Of a name without an end
/// it says nothing.
pub(super) fn holds(join: &Join, spot: &Spot<'_>, places: &[Place]) -> Result<(), String> {
    for (trial, name) in spot.sights.iter().filter(|(_, name)| !name.is_empty()) {
        let said = join.name(|path| {
            let index = places.iter().position(|place| place.path == *path);
            index
                .and_then(|index| trial.texts.get(index))
                .cloned()
                .unwrap_or_default()
        });
        if let Some(said) = said
            && !said.ends_with('/')
            && name_of(&said) != name
        {
            return Err(format!("`{join}` says `{said}` where `{name}` came out"));
        }
    }
    Ok(())
}

impl Item {
    fn place(&self) -> Option<usize> {
        match self {
            Self::Place(index) => Some(*index),
            Self::Text(_) => None,
        }
    }
}

/// Takes a name apart; nothing when a text came out changed.
fn sight(trial: &Trial, name: &str, places: &[Place]) -> Option<Sight> {
    let mut items: Vec<(Item, bool)> = Vec::new();
    let mut rest = name;
    while let Some(at) = rest.find("zq") {
        let (before, after) = rest.split_at(at);
        push_text(&mut items, before);
        let digits: String = after
            .chars()
            .skip(2)
            .take_while(char::is_ascii_digit)
            .collect();
        let index: usize = digits.parse().ok()?;
        rest = after.strip_prefix(&own_text(index, places.get(index)?.is_name, Shape::Usual))?;
        items.push((Item::Place(index), false));
    }
    push_text(&mut items, rest);
    if name.ends_with('/') {
        items.push((Item::Text(String::new()), false));
    }
    let set = trial
        .is_set
        .iter()
        .enumerate()
        .filter(|(_, set)| **set)
        .map(|(index, _)| index);
    Some(Sight {
        items,
        set: set.collect(),
    })
}

/// Puts the text between two values into items; an empty one stands for each part left out.
fn push_text(items: &mut Vec<(Item, bool)>, text: &str) {
    let mut rest = text;
    if let Some(inner) = text.strip_prefix('/') {
        rest = inner;
        match items.last_mut() {
            Some((_, slash)) => *slash = true,
            None => items.push((Item::Text(String::new()), true)),
        }
    }
    match rest.strip_suffix('/') {
        Some(inner) => items.push((Item::Text(inner.to_string()), true)),
        None if rest.is_empty() => {}
        None => items.push((Item::Text(rest.to_string()), false)),
    }
}

/// The fewest forms that explain the sights.
fn forms(
    sights: &[&Sight],
    seen: &BTreeSet<usize>,
    places: &[Place],
    conditions: usize,
) -> Option<Vec<Form>> {
    if let Some(form) = single(sights, places) {
        return Some(vec![form]);
    }
    if conditions == 0 {
        return None;
    }
    let split = |index: &usize| {
        let (with, without): (Vec<&Sight>, Vec<&Sight>) =
            sights.iter().partition(|sight| sight.set.contains(index));
        if with.is_empty() || without.is_empty() {
            return None;
        }
        let first = single(&with, places)?;
        let when = Some(places.get(*index)?.path.clone());
        let rest = forms(&without, seen, places, conditions - 1)?;
        Some([vec![Form { when, ..first }], rest].concat())
    };
    let size = |forms: &Vec<Form>| {
        forms
            .iter()
            .flat_map(|form| &form.parts)
            .map(|part| 1 + part.sources.len())
            .sum::<usize>()
    };
    seen.iter()
        .filter_map(split)
        .min_by_key(|forms| (forms.len(), size(forms)))
}

/// One form that explains all the sights.
fn single(sights: &[&Sight], places: &[Place]) -> Option<Form> {
    let mut ordered = sights.to_vec();
    ordered.sort_by_key(|sight| {
        let named = sight
            .items
            .iter()
            .filter(|(item, _)| item.place().is_some())
            .count();
        std::cmp::Reverse((named, sight.items.len()))
    });
    let slots = vec![Slot::default(); ordered.first()?.items.len()];
    let mut steps = 5_000;
    let form = align(&ordered, &slots, places, &mut steps)?;
    sights
        .iter()
        .all(|sight| explains(&form, sight, places))
        .then_some(form)
}

/// Whether a form makes what came out.
fn explains(form: &Form, sight: &Sight, places: &[Place]) -> bool {
    let own = |index: usize| {
        own_text(
            index,
            places.get(index).is_some_and(|place| place.is_name),
            Shape::Usual,
        )
    };
    let read = |path: &ValuePath| {
        let index = places.iter().position(|place| place.path == *path);
        index
            .filter(|index| sight.set.contains(index))
            .map(own)
            .unwrap_or_default()
    };
    let came_out: String = sight
        .items
        .iter()
        .map(|(item, slash)| {
            let text = match item {
                Item::Place(index) => own(*index),
                Item::Text(text) => text.clone(),
            };
            if *slash { text + "/" } else { text }
        })
        .collect();
    let join = Join {
        forms: vec![Form {
            when: None,
            ..form.clone()
        }],
    };
    join.name(read).is_some_and(|name| name == came_out)
}

/// Puts the pieces of each sight in turn into slots, in order, until all fit.
fn align(sights: &[&Sight], slots: &[Slot], places: &[Place], steps: &mut usize) -> Option<Form> {
    let Some((sight, rest)) = sights.split_first() else {
        return form(slots, places);
    };
    *steps = steps.checked_sub(1)?;
    ways(sight.items.len(), slots.len())
        .into_iter()
        .filter_map(|way| filled(slots, sight, &way))
        .find_map(|slots| align(rest, &slots, places, steps))
}

/// The ways to choose `some` of `all` in order.
fn ways(some: usize, all: usize) -> Vec<Vec<usize>> {
    if some == 0 {
        return vec![Vec::new()];
    }
    (some..=all)
        .rev()
        .flat_map(|last| {
            let mut ways = ways(some - 1, last - 1);
            ways.iter_mut().for_each(|way| way.push(last - 1));
            ways
        })
        .collect()
}

/// The slots with one more sight in them; nothing when it contradicts them.
fn filled(slots: &[Slot], sight: &Sight, way: &[usize]) -> Option<Vec<Slot>> {
    let mut slots = slots.to_vec();
    for (number, slot) in slots.iter_mut().enumerate() {
        let Some(position) = way.iter().position(|chosen| *chosen == number) else {
            slot.vanishes = true;
            continue;
        };
        let (item, slash) = sight.items.get(position)?;
        let is_last = position + 1 == sight.items.len();
        if !is_last && *slot.slash.get_or_insert(*slash) != *slash {
            return None;
        }
        match item {
            Item::Place(index) => {
                slot.places.insert(*index);
            }
            Item::Text(text) if text.is_empty() => slot.leaves_slash = true,
            Item::Text(text) => {
                if slot.text.get_or_insert_with(|| text.clone()) != text {
                    return None;
                }
            }
        }
    }
    let mut owners: BTreeSet<usize> = BTreeSet::new();
    let is_clear = slots
        .iter()
        .flat_map(|slot| &slot.places)
        .all(|index| owners.insert(*index));
    for (position, number) in way.iter().enumerate() {
        if let (Some(slot), Some((Item::Place(winner), _))) =
            (slots.get_mut(*number), sight.items.get(position))
        {
            let losers = sight.set.iter().filter(|index| *index != winner);
            slot.beats.extend(losers.map(|loser| (*winner, *loser)));
        }
    }
    let is_empty_twice = slots.iter().any(|slot| slot.vanishes && slot.leaves_slash);
    (is_clear && !is_empty_twice).then_some(slots)
}

/// The form that the slots make.
fn form(slots: &[Slot], places: &[Place]) -> Option<Form> {
    let parts: Option<Vec<Part>> = slots.iter().map(|slot| part(slot, places)).collect();
    let mut parts = parts?;
    parts.last_mut()?.glue = Glue::Nothing;
    Some(Form { when: None, parts })
}

fn part(slot: &Slot, places: &[Place]) -> Option<Part> {
    let mut left: BTreeSet<usize> = slot.places.clone();
    let mut sources = Vec::new();
    while !left.is_empty() {
        let is_beaten = |index: &usize| {
            left.iter()
                .any(|other| slot.beats.contains(&(*other, *index)))
        };
        let first = left.iter().copied().find(|index| !is_beaten(index))?;
        left.remove(&first);
        sources.push(Source::Value(places.get(first)?.path.clone()));
    }
    sources.extend(slot.text.iter().map(|text| Source::Text(text.clone())));
    let glue = match slot.slash {
        Some(true) if slot.vanishes || slot.text.is_some() => Glue::SlashIfAny,
        Some(true) => Glue::Slash,
        _ => Glue::Nothing,
    };
    Some(Part { sources, glue })
}

/// The places that stand in texts of a join although they are values.
pub(super) fn frozen<'p>(join: &Join, places: &'p [Place]) -> Option<&'p Place> {
    let texts: BTreeSet<&str> = join
        .forms
        .iter()
        .flat_map(|form| &form.parts)
        .flat_map(|part| &part.sources)
        .filter_map(|source| match source {
            Source::Text(text) => Some(text.as_str()),
            Source::Value(_) => None,
        })
        .collect();
    places
        .iter()
        .find(|place| place.is_name && texts.contains(name_of(&place.default)))
}
