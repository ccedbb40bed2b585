//! What a proof shows: for a terminal, for programs, and for a comment at a pull request.

pub mod json;
pub mod markdown;
pub mod text;

use std::collections::{BTreeMap, BTreeSet};

use super::clean;
use crate::prove::{Kind, Origin, Outcome, Outside, Proof, Render, Rendered, Why};

/// How many renderings came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub all: usize,
    /// Equal but for images.
    pub equal: usize,
    /// Different in more.
    pub different: usize,
    /// Not rendered.
    pub not_rendered: usize,
}

/// What all renderings show together.
#[derive(Debug)]
pub struct Summary<'p> {
    /// By kind, in their order.
    pub kinds: Vec<(Kind, Counts)>,
    /// All of them.
    pub total: Counts,
    /// The images that change, before and after.
    pub changed: BTreeSet<&'p (String, String)>,
    /// Images in ECR that got the tag of a name which meets them again, before and after.
    pub healed: BTreeSet<&'p (String, String)>,
    /// In how many renderings some do.
    pub changing: usize,
    /// Texts that are computed of others with images.
    pub derived: usize,
    /// Places that are something else each time.
    pub unstable: usize,
    /// The images that come from ECR afterwards.
    pub in_ecr: BTreeSet<&'p str>,
    /// Those that do not, each with the renderings that have it.
    pub outside: BTreeMap<&'p Outside, Vec<&'p Render>>,
    /// What is not rendered, by reason, each with what the reason is about.
    pub unrendered: BTreeMap<Why, Vec<(&'p Render, &'p str)>>,
}

impl<'p> Summary<'p> {
    /// Sums up a proof.
    pub fn of(proof: &'p Proof) -> Self {
        let mut summary = Self {
            kinds: Kind::ALL.map(|kind| (kind, Counts::default())).to_vec(),
            total: Counts::default(),
            changed: BTreeSet::new(),
            healed: BTreeSet::new(),
            changing: 0,
            derived: 0,
            unstable: 0,
            in_ecr: BTreeSet::new(),
            outside: BTreeMap::new(),
            unrendered: BTreeMap::new(),
        };
        for render in &proof.renders {
            summary.count(render);
            match &render.outcome {
                Outcome::Rendered(rendered) => summary.add(render, rendered),
                Outcome::Not(why) => {
                    for one in why {
                        let all = summary.unrendered.entry(one.why).or_default();
                        all.push((render, &one.detail));
                    }
                }
            }
        }
        summary
    }

    fn count(&mut self, render: &Render) {
        let own = self
            .kinds
            .iter_mut()
            .filter(|(kind, _)| *kind == render.kind);
        let own = own.map(|(_, counts)| counts);
        for counts in own.chain([&mut self.total]) {
            counts.all += 1;
            let which = match (&render.outcome, render.is_different()) {
                (Outcome::Not(_), _) => &mut counts.not_rendered,
                (_, true) => &mut counts.different,
                (_, false) => &mut counts.equal,
            };
            *which += 1;
        }
    }

    fn add(&mut self, render: &'p Render, rendered: &'p Rendered) {
        self.changed.extend(&rendered.changed);
        self.healed.extend(&rendered.healed);
        self.changing += usize::from(!rendered.changed.is_empty());
        self.derived += rendered.derived;
        self.unstable += rendered.unstable;
        self.in_ecr
            .extend(rendered.in_ecr.iter().map(String::as_str));
        for outside in &rendered.outside {
            self.outside.entry(outside).or_default().push(render);
        }
    }

    /// The images outside of ECR: each counts once, however many places it comes from.
    pub fn images_outside(&self) -> BTreeSet<&'p str> {
        self.outside.keys().map(|one| one.image.as_str()).collect()
    }

    /// In how many renderings something is not in order, in words. What is not rendered shows nothing.
    pub fn verdict(&self) -> String {
        match self.total.different {
            0 if self.total.all == 0 => "there is nothing to render: nothing is shown".to_string(),
            0 if self.total.equal == 0 => "nothing could be rendered: nothing is shown".to_string(),
            0 => "nothing but images differs".to_string(),
            1 => "1 rendering differs in more than images".to_string(),
            number => format!("{number} renderings differ in more than images"),
        }
    }
}

/// Where origins come from, in words, in their order.
const ORIGINS: &[(&str, &str)] = &[
    ("file", "named by a file here"),
    ("chart-default", "a default of a chart"),
    ("template", "written out by a template"),
    ("made", "made by a template or generator"),
];

/// What is rendered, for people: `apps/web`, `charts/web with values-prod.yaml`, `apps/release.yaml:3 web`.
fn title(render: &Render) -> String {
    let mut title = clean(&render.path.to_string_lossy()).into_owned();
    if let Some(line) = render.line {
        title.push_str(&format!(":{line}"));
    }
    match (render.kind, &render.name) {
        (Kind::Release, Some(name)) => title.push_str(&format!(" {}", clean(name))),
        (Kind::Chart, _) if !render.values.is_empty() => {
            let name = |path: &std::path::PathBuf| {
                let own = path.strip_prefix(&render.path).unwrap_or(path);
                clean(&own.to_string_lossy()).into_owned()
            };
            let values: Vec<String> = render.values.iter().map(name).collect();
            title.push_str(&format!(" with {}", values.join(", ")));
        }
        _ => {}
    }
    title
}

/// Where an image comes from, for people.
fn origin(outside: &Outside) -> String {
    let said = verdict(outside);
    let place = |path: &std::path::Path, line: usize, reason: Option<&str>| {
        let reason = reason.filter(|reason| said != Some(*reason));
        let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
        format!("{}:{line}{reason}", clean(&path.to_string_lossy()))
    };
    match &outside.origin {
        Origin::File { path, line, reason } => place(path, *line, *reason),
        Origin::ChartDefault {
            value,
            place: stands,
            ..
        } => {
            let mut text = format!("`{}`", clean(value));
            if let Some((path, line, reason)) = stands {
                text.push_str(&format!(" at {}", place(path, *line, *reason)));
            }
            text
        }
        Origin::Template { path, line } => format!("{}:{line}", clean(path)),
        Origin::Made { template } => clean(template).into_owned(),
    }
}

/// The values that move an image, as Helm takes them on its command line.
fn moved_by(outside: &Outside) -> Option<String> {
    let Origin::ChartDefault { moved_by, .. } = &outside.origin else {
        return None;
    };
    let sets = moved_by.iter();
    let sets = sets.map(|(path, text)| format!("{}={}", clean(path), clean(text)));
    let sets: Vec<String> = sets.collect();
    (!sets.is_empty()).then(|| sets.join(","))
}

/// What the rules say of an image outside, when that is why it stays.
fn verdict(outside: &Outside) -> Option<&'static str> {
    match &outside.verdict {
        Ok(_) => None,
        Err(reason) => Some(reason.code()),
    }
}

/// `3 images`, `1 image`.
fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
