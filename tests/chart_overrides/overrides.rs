//! What people write over the images of a chart.

use std::collections::BTreeSet;

use ecr_rewrite::helm::ValuePath;
use serde_json::{Value, json};

use super::charts::{leave, merged, set};
use super::places::{Place, values};

/// Values written over those of the chart, one layer or two.
#[derive(Clone, Debug)]
pub struct Override {
    /// The place in the list of places; nobody's when only a global is set.
    pub place: Option<usize>,
    /// What it is.
    pub kind: &'static str,
    /// The registry for all images that it sets.
    pub global: Option<ValuePath>,
    /// The values, the earliest first.
    pub layers: Vec<Value>,
}

impl Override {
    /// Its values in a line.
    pub fn text(&self) -> String {
        let layers: Vec<String> = self.layers.iter().map(Value::to_string).collect();
        layers.join(" + ")
    }

    /// Whether it sets a tag only, which names no image.
    pub fn is_tag(&self) -> bool {
        self.kind == TAG && self.global.is_none()
    }
}

const TAG: &str = "a tag";
/// What is tried with a global, too.
const WITH_GLOBALS: &[&str] = &[
    "another organisation",
    "a name with its host",
    "registry quay.io",
    "both",
    "both in two layers",
];

/// What people write over one image.
fn of_place(place: &Place) -> Vec<(&'static str, Vec<Value>)> {
    let name = |text: &str| values(&[(&place.name, text)]);
    let acme = name(&place.named("acme/"));
    let first = place.named("acme/").replace(&place.mark(), "first");
    let mut all = vec![
        ("another organisation", vec![acme.clone()]),
        ("a bare name", vec![name(&place.named(""))]),
        (
            "a name with its host",
            vec![name(&place.named("quay.io/acme/"))],
        ),
        (TAG, vec![values(&[(&place.name.sibling("tag"), "9.9.9")])]),
        ("a name over a name", vec![name(&first), acme.clone()]),
    ];
    if !place.default.is_empty() {
        all.push(("the chart's name", vec![name(&place.default)]));
    }
    if let Some(middle) = &place.middle {
        all.push(("the middle", vec![values(&[(middle, "acme")])]));
    }
    let Some(registry) = place.registry() else {
        return all;
    };
    let registry = |host: &str| values(&[(registry, &format!("{host}{}", place.glue))]);
    let both = |host: &str, name: &Value| merged([&registry(host), name]);
    all.extend([
        ("registry docker.io", vec![registry("docker.io")]),
        ("registry quay.io", vec![registry("quay.io")]),
        ("both", vec![both("quay.io", &acme)]),
        (
            "both in two layers",
            vec![registry("quay.io"), acme.clone()],
        ),
        (
            "a name over both",
            vec![both("ghcr.io", &name("acme/first")), acme.clone()],
        ),
        (
            "a registry over both",
            vec![both("ghcr.io", &acme), registry("quay.io")],
        ),
    ]);
    if !place.default.is_empty() {
        let both = both("docker.io", &name(&place.default));
        all.push(("both of the chart", vec![both]));
    }
    all
}

/// Every override of a chart: of each place alone, some with each global in their first layer, each global
/// alone and with the names of all images that read it. A chart that refuses other images is given leave.
pub fn of(places: &[Place], refuses_others: bool) -> Vec<Override> {
    let mut all = Vec::new();
    for (index, place) in places.iter().enumerate() {
        for (kind, layers) in of_place(place) {
            let with = |global: Option<&ValuePath>| {
                let mut layers = layers.clone();
                if let Some(global) = global {
                    set(&mut layers[0], global, json!("docker.io"));
                }
                Override {
                    place: Some(index),
                    kind,
                    global: global.cloned(),
                    layers,
                }
            };
            let globals = place.globals.iter().map(Some);
            let globals = globals.filter(|_| WITH_GLOBALS.contains(&kind));
            all.extend([None].into_iter().chain(globals).map(with));
        }
    }
    let globals: BTreeSet<&ValuePath> = places.iter().flat_map(|place| &place.globals).collect();
    all.extend(
        globals
            .into_iter()
            .flat_map(|global| of_global(global, places)),
    );
    for one in all.iter_mut().filter(|_| refuses_others) {
        set(&mut one.layers[0], &leave(), json!(true));
    }
    all
}

fn of_global(global: &ValuePath, places: &[Place]) -> Vec<Override> {
    let alone = |host: &str| values(&[(global, host)]);
    let names: Vec<Value> = reading(global, places).map(Place::sentinel).collect();
    let mut named = merged(&names);
    set(&mut named, global, json!("docker.io"));
    [
        ("global docker.io", alone("docker.io")),
        ("global quay.io", alone("quay.io")),
        ("a global and all names", named),
    ]
    .map(|(kind, values)| Override {
        place: None,
        kind,
        global: Some(global.clone()),
        layers: vec![values],
    })
    .into()
}

/// The places that read a value.
pub fn reading<'p>(path: &'p ValuePath, places: &'p [Place]) -> impl Iterator<Item = &'p Place> {
    let is_read = |place: &&Place| place.globals.contains(path) || place.reads.contains(path);
    places.iter().filter(is_read)
}
