//! What came of the overrides of a chart, in figures.

use std::collections::{BTreeMap, BTreeSet};

use super::releases::Said;

/// What the chart makes of an override before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Makes {
    /// An image that a rule maps.
    Image,
    /// No image that it has a part in.
    Nothing,
    /// A name that is none.
    Malformed,
    /// An image that no rule maps.
    Unmapped,
    /// No render at all.
    NoRender,
    /// An image with another tag, which is named elsewhere.
    Tag,
    /// Also images that nothing names, under one registry.
    Unnamed,
}

/// What came of the overrides of a chart; each is counted once for each form of release.
#[derive(Debug, Default)]
pub struct Tally {
    /// Places of images.
    pub places: usize,
    /// Those that no render shows, whatever is switched on.
    pub hidden: Vec<String>,
    /// What the program says of those in one layer with an image that a rule maps.
    pub said: BTreeMap<Said, usize>,
    /// The same of those in two layers, of which the first may be deployed without the second.
    pub layered: BTreeMap<Said, usize>,
    /// The others, by what the chart makes of them.
    pub left_out: BTreeMap<Makes, usize>,
    /// Overrides that changed and whose renders are right.
    pub proven: usize,
    /// Images that overrides in the chart's own folder name, and those of them that are in ECR then.
    pub own: (usize, usize),
    /// Those that are not, by their kind.
    pub own_left: BTreeMap<&'static str, usize>,
    /// What the program says without leave, of a chart that refuses other images.
    pub without_leave: BTreeMap<Said, usize>,
    /// Renders.
    pub renders: usize,
    /// Changes that the program's own check stopped, and files that a second run changes.
    pub stopped: BTreeSet<String>,
    /// What renders wrongly.
    pub wrong: BTreeSet<String>,
    /// Overrides that are neither certain nor legitimately left, by what they are.
    pub missed: BTreeMap<String, usize>,
}

impl Tally {
    /// Percent of the overrides in one layer, of images that a rule maps, that change for certain.
    pub fn share(&self) -> usize {
        percent(certain(&self.said))
    }

    /// The head of a table of such rows.
    pub fn head() -> &'static str {
        "| chart | places | hidden | overrides | certain | % | assumed | skipped | nothing seen \
         | in two layers | certain | % | proven | own | in ECR | % | unnamed under its registry | tag only | malformed | unmapped | no image | no render \
         | stopped | wrong |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    }

    /// Its figures as a row.
    pub fn row(&self, name: &str) -> String {
        let said = |word: &Said| self.said.get(word).copied().unwrap_or(0);
        let left_out = |makes: Makes| self.left_out.get(&makes).copied().unwrap_or(0);
        let (all, certain) = certain(&self.said);
        let layered = self::certain(&self.layered);
        let (assumed, nothing) = (said(&Said::Assumed), said(&Said::Nothing));
        let figures = [
            self.places,
            self.hidden.len(),
            all,
            certain,
            percent((all, certain)),
            assumed,
            all - certain - assumed - nothing,
            nothing,
            layered.0,
            layered.1,
            percent(layered),
            self.proven,
            self.own.0,
            self.own.1,
            percent(self.own),
            left_out(Makes::Unnamed),
            left_out(Makes::Tag),
            left_out(Makes::Malformed),
            left_out(Makes::Unmapped),
            left_out(Makes::Nothing),
            left_out(Makes::NoRender),
            self.stopped.len(),
            self.wrong.len(),
        ];
        let figures = figures.map(|figure| figure.to_string());
        format!("| {name} | {} |", figures.join(" | "))
    }

    /// What is wrong, and what is neither certain nor rightly left, a line each.
    pub fn faults(&self, name: &str) -> String {
        let wrong = self.wrong.iter().map(|one| format!("WRONG: {name}: {one}"));
        let stopped = self.stopped.iter();
        let stopped = stopped.map(|one| format!("STOPPED: {name}: {one}"));
        let counted = |(what, count)| format!("missed: {name}: {count} × {what}");
        let missed = self.missed.iter().map(counted);
        let own = self.own_left.iter();
        let own =
            own.map(|(what, count)| format!("left in its own folder: {name}: {count} × {what}"));
        let done = std::iter::once(format!("{name}: {} %", self.share()));
        let lines = done.chain(wrong).chain(stopped).chain(missed).chain(own);
        lines.map(|line| line + "\n").collect()
    }

    /// The figures of several charts.
    pub fn add(&mut self, other: &Self) {
        self.places += other.places;
        self.hidden.extend(other.hidden.iter().cloned());
        self.proven += other.proven;
        self.own = (self.own.0 + other.own.0, self.own.1 + other.own.1);
        self.renders += other.renders;
        self.stopped.extend(other.stopped.iter().cloned());
        self.wrong.extend(other.wrong.iter().cloned());
        add(&mut self.said, &other.said);
        add(&mut self.layered, &other.layered);
        add(&mut self.left_out, &other.left_out);
        add(&mut self.own_left, &other.own_left);
        add(&mut self.without_leave, &other.without_leave);
    }
}

fn add<K: Clone + Ord>(sums: &mut BTreeMap<K, usize>, figures: &BTreeMap<K, usize>) {
    for (key, figure) in figures {
        *sums.entry(key.clone()).or_default() += figure;
    }
}

/// Overrides, and those of them that change for certain.
fn certain(said: &BTreeMap<Said, usize>) -> (usize, usize) {
    let certain = said.get(&Said::Certain).copied().unwrap_or(0);
    (said.values().sum(), certain)
}

fn percent((all, some): (usize, usize)) -> usize {
    (some * 100).checked_div(all).unwrap_or(100)
}
