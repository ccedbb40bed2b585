//! The values with which a chart shows its images, and where it shows them.

use std::sync::Arc;

use ecr_rewrite::helm::ValuePath;
use serde_json::{Value, json};

use super::charts::{Chart, merge, set};
use super::common::helm::Renders;
use super::common::rendered::Rendering;
use super::places::Place;

/// Renders that the search for switches may take.
const SEARCH: usize = 16;

/// Where the image of a place is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The number of the values that bring it out.
    pub base: usize,
    /// The places of the render where its name stands.
    pub at: Vec<String>,
}

/// Values that bring images out, and where each place's image is shown first.
pub struct Bases {
    /// The values.
    pub values: Vec<Value>,
    /// Of each place; none when no render shows it.
    pub shown: Vec<Option<Shown>>,
}

impl Bases {
    /// Searches them: everything switched on, nothing, and what is about a place that neither shows.
    pub fn find(chart: &Chart, places: &[Place], renders: &Renders<'_>) -> Self {
        let mut search = Search {
            chart,
            places,
            renders,
            found: Self {
                values: Vec::new(),
                shown: vec![None; places.len()],
            },
        };
        let plain = chart.needed.clone();
        search.see(search.switched_on(&plain, &chart.switches()));
        search.see(plain.clone());
        for place in places {
            if search.found.shown[place.number].is_none() {
                let mut base = plain.clone();
                set(&mut base, &place.name.sibling("tag"), json!("v9"));
                let switches = chart.switches_of(&place.name);
                search.see(search.switched_on(&base, &switches));
            }
        }
        search.found
    }
}

struct Search<'s> {
    chart: &'s Chart,
    places: &'s [Place],
    renders: &'s Renders<'s>,
    found: Bases,
}

impl Search<'_> {
    fn render(&self, values: &Value) -> Option<Arc<Rendering>> {
        self.renders.render(&self.chart.folder, values).ok()
    }

    /// Notes the places that a render with these values shows.
    fn see(&mut self, base: Value) {
        let render = |places: &[&Place]| {
            let mut values = base.clone();
            for place in places {
                merge(&mut values, &place.sentinel());
            }
            self.render(&values)
        };
        let is_hidden = |place: &&Place| self.found.shown[place.number].is_none();
        let hidden: Vec<&Place> = self.places.iter().filter(is_hidden).collect();
        let together = render(&hidden);
        let number = self.found.values.len();
        let mut seen = Vec::new();
        for place in hidden {
            let Some(rendered) = together.clone().or_else(|| render(&[place])) else {
                continue;
            };
            let at = places_of(&place.mark(), &rendered);
            if !at.is_empty() {
                seen.push((place.number, Shown { base: number, at }));
            }
        }
        for (place, shown) in seen {
            self.found.shown[place] = Some(shown);
        }
        self.found.values.push(base);
    }

    /// Values with as many of the switches on as the chart renders with.
    fn switched_on(&self, base: &Value, switches: &[ValuePath]) -> Value {
        let is_read = |values: &Value| self.render(values).map(|rendered| rendered.is_whole);
        let is_fine = is_read(base) == Some(true);
        let renders = |values: &Value| is_read(values).is_some_and(|is_read| is_read || !is_fine);
        let mut values = base.clone();
        let (mut rest, mut tries) = (vec![switches.to_vec()], 0);
        while let Some(part) = rest.pop() {
            let mut with = values.clone();
            for switch in &part {
                set(&mut with, switch, Value::Bool(true));
            }
            tries += 1;
            if renders(&with) {
                values = with;
            } else if part.len() > 1 && tries < SEARCH {
                let (first, second) = part.split_at(part.len() / 2);
                rest.extend([second.to_vec(), first.to_vec()]);
            }
        }
        values
    }
}

/// Where a mark stands as an image, rather than in a name or a label.
fn places_of(mark: &str, rendered: &Rendering) -> Vec<String> {
    let places = rendered.scalars.iter();
    let places = places.filter(|(at, text)| text.contains(mark) && !at.contains("/metadata/"));
    places.map(|(at, _)| at.clone()).collect()
}
