//! The places of a chart's values where the names of its images are set.

use std::collections::BTreeSet;

use ecr_rewrite::helm::join::Form;
use ecr_rewrite::helm::{Glue, Join, Source, ValuePath};
use serde_json::{Value, json};

use super::charts::{Chart, set};

/// Where the name of an image is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The value that ends the name.
    pub name: ValuePath,
    /// The value that begins it, when that is another one.
    pub registry: Option<ValuePath>,
    /// The value between them.
    pub middle: Option<ValuePath>,
    /// What stands behind a registry that the chart ties without a slash.
    pub glue: &'static str,
    /// Every value of its own that decides the name.
    pub reads: BTreeSet<ValuePath>,
    /// The registries for all images that it reads.
    pub globals: Vec<ValuePath>,
    /// The chart's name of the image.
    pub default: String,
    /// A number that makes its names its own.
    pub number: usize,
}

/// The places of a chart.
pub fn places(chart: &Chart) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let known = chart.row.known();
    for join in &chart.row.joins {
        let ways = vec![vec!["zqany".to_string()]; 4];
        let join = join.bound(&ways);
        for form in &join.forms {
            let Some(mut place) = place(&join, form) else {
                continue;
            };
            place.default = known.default_of(&place.name).to_string();
            place.number = places.len();
            let is_same =
                |other: &Place| other.name == place.name && other.registry == place.registry;
            if !places.iter().any(is_same) {
                places.push(place);
            }
        }
    }
    places
}

fn own(sources: &[Source]) -> Option<&ValuePath> {
    let mut own = sources.iter().filter_map(|source| match source {
        Source::Value(path) if !path.is_global() => Some(path),
        _ => None,
    });
    own.next()
}

fn place(join: &Join, form: &Form) -> Option<Place> {
    let (last, front) = form.parts.split_last()?;
    let first = front.first();
    let reads = join.reads().into_iter();
    let (globals, reads): (Vec<_>, Vec<_>) = reads.cloned().partition(ValuePath::is_global);
    let is_registry = |path: &ValuePath| path.key().to_ascii_lowercase().contains("registry");
    Some(Place {
        name: own(&last.sources)?.clone(),
        registry: first.and_then(|part| own(&part.sources)).cloned(),
        middle: front.get(1).and_then(|part| own(&part.sources)).cloned(),
        glue: if first.is_some_and(|part| part.glue == Glue::Nothing) {
            "/"
        } else {
            ""
        },
        reads: reads.into_iter().collect(),
        globals: globals.into_iter().filter(is_registry).collect(),
        default: String::new(),
        number: 0,
    })
}

impl Place {
    /// A name of its own; with a tag where the chart's has one.
    pub fn named(&self, front: &str) -> String {
        let end = self.default.rsplit('/').next().unwrap_or_default();
        let is_whole = self.registry.is_none() && end.contains(':');
        let tag = if is_whole { ":v9" } else { "" };
        format!("{front}{}{tag}", self.mark())
    }

    /// The word that is in its names alone.
    pub fn mark(&self) -> String {
        format!("zq{}q", self.number)
    }

    /// The value of its registry; also one that another form of the join reads.
    pub fn registry(&self) -> Option<&ValuePath> {
        let beside = self.name.sibling("registry");
        self.registry.as_ref().or_else(|| self.reads.get(&beside))
    }

    /// Values that bring its image out under a name of its own.
    pub fn sentinel(&self) -> Value {
        values(&[(&self.name, &self.named("acme/"))])
    }
}

/// Values with these texts.
pub fn values(texts: &[(&ValuePath, &str)]) -> Value {
    let mut values = json!({});
    for (path, text) in texts {
        set(&mut values, path, json!(text));
    }
    values
}
