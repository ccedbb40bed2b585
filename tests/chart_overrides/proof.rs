//! Proves the overrides of one chart: many places in one render, and each alone where that is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use ecr_rewrite::helm::ValuePath;
use serde_json::Value;

use super::bases::Bases;
use super::charts::{Chart, get, merge, merged};
use super::common::REGISTRY;
use super::common::ecr::{expected, is_well_formed};
use super::common::helm::{Helm, Renders};
use super::common::rendered::{Difference, Rendering, difference, references};
use super::overrides::{self, Override};
use super::own;
use super::places::{self, Place};
use super::releases::{self, Form, Said};
use super::tally::{Makes, Tally};

/// Renders over which the overrides of a place are spread: no fewer than there are kinds.
const TURNS: usize = 14;
/// Of the overrides of charts that refuse other images, one in so many is tried without leave.
const WITHOUT_LEAVE: usize = 9;

/// An override with what became of it in some forms of release.
struct Case<'o> {
    one: &'o Override,
    before: Value,
    after: Value,
    said: Vec<(Form, Said)>,
    /// The values that bring its image out.
    base: usize,
    /// Where its images stand.
    at: Vec<&'o str>,
}

/// What a render shows of a case.
struct Verdict {
    makes: Makes,
    wrong: Vec<String>,
}

/// What a render shows of some cases.
struct Judged {
    verdicts: Vec<Verdict>,
    /// What is wrong, and nobody's image.
    elsewhere: Vec<String>,
}

/// The overrides of one chart.
pub struct Proof<'p> {
    chart: &'p Chart,
    renders: Renders<'p>,
    places: Vec<Place>,
    bases: Bases,
    /// What each of the bases gives differently each time: passwords, certificates.
    made_up: Vec<OnceLock<BTreeSet<String>>>,
}

impl<'p> Proof<'p> {
    /// Looks for the values that bring the chart's images out.
    pub fn new(helm: &'p Helm, chart: &'p Chart) -> Self {
        let places = places::places(chart);
        let strict = Renders::new(helm, &[]);
        // Schemas that lie elsewhere, or refuse what the chart needs.
        let renders = match strict.render(&chart.folder, &chart.needed) {
            Ok(_) => strict,
            Err(_) => Renders::new(helm, &["--skip-schema-validation"]),
        };
        let bases = Bases::find(chart, &places, &renders);
        Self {
            chart,
            renders,
            places,
            made_up: bases.values.iter().map(|_| OnceLock::new()).collect(),
            bases,
        }
    }

    /// Rewrites, renders and judges the overrides.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally {
            places: self.places.len(),
            ..Tally::default()
        };
        for (place, shown) in self.places.iter().zip(&self.bases.shown) {
            if shown.is_none() {
                let name = self.chart.name();
                tally.hidden.push(format!("{name} {}", place.name));
            }
        }
        let refuses_others = self.chart.row.refuses_others;
        let overrides = overrides::of(&self.places, refuses_others);
        self.prove_releases(&overrides, &mut tally);
        self.prove_own(&overrides, &mut tally);
        if refuses_others {
            self.try_without_leave(&mut tally);
        }
        tally.renders = self.renders.count();
        tally
    }

    fn prove_releases(&self, overrides: &[Override], tally: &mut Tally) {
        let outcomes = releases::rewrite(self.chart, overrides);
        tally.stopped.extend(outcomes.stopped);
        let mut batches: BTreeMap<(usize, usize, [String; 2]), Vec<Case<'_>>> = BTreeMap::new();
        let mut turns = vec![0; self.places.len()];
        for (one, outcomes) in overrides.iter().zip(outcomes.each) {
            // Each place is in another turn: its neighbours are overridden in other ways.
            let turn = one.place.map_or(0, |place| {
                turns[place] += usize::from(one.global.is_none());
                (turns[place] + place) % TURNS
            });
            let Some((base, at)) = self.shown(one) else {
                *tally.left_out.entry(Makes::Nothing).or_default() += outcomes.len();
                continue;
            };
            let mut said = BTreeMap::<String, (Value, Vec<(Form, Said)>)>::new();
            for outcome in outcomes {
                let same = said.entry(outcome.after.to_string());
                let same = same.or_insert_with(|| (outcome.after, Vec::new()));
                same.1.push((outcome.form, outcome.said));
            }
            let before = merged(&one.layers);
            for (after, said) in said.into_values() {
                if one.is_tag() && before == after {
                    *tally.left_out.entry(Makes::Tag).or_default() += said.len();
                    continue;
                }
                let globals = [&before, &after].map(|values| values["global"].to_string());
                let case = Case {
                    one,
                    before: before.clone(),
                    after,
                    said,
                    base,
                    at: at.clone(),
                };
                let batch = batches.entry((base, turn, globals));
                batch.or_default().push(case);
            }
        }
        for cases in batches.values() {
            for cases in self.independent(cases) {
                self.prove(&cases, tally);
            }
        }
    }

    /// The values that show the image of an override, and where: for a global those that show most.
    fn shown(&self, one: &Override) -> Option<(usize, Vec<&str>)> {
        let number = one.place.map_or(Some(0), |place| {
            self.bases.shown[place].as_ref().map(|shown| shown.base)
        })?;
        let is_meant = |place: &&Place| match (&one.place, &one.global) {
            (Some(own), _) => place.number == *own,
            (None, Some(global)) => place.globals.contains(global),
            (None, None) => false,
        };
        let meant = self.places.iter().filter(is_meant);
        let shown = meant.filter_map(|place| self.bases.shown[place.number].as_ref());
        let shown = shown.filter(|shown| shown.base == number);
        let at: Vec<&str> = shown
            .flat_map(|shown| &shown.at)
            .map(String::as_str)
            .collect();
        (!at.is_empty()).then_some((number, at))
    }

    /// The cases in groups of which no two say anything of a value that the other's image reads.
    fn independent<'c, 'o>(&self, cases: &'c [Case<'o>]) -> Vec<Vec<&'c Case<'o>>> {
        let mut groups: Vec<(BTreeSet<&ValuePath>, Vec<&Case<'_>>)> = Vec::new();
        for case in cases {
            let places = self.places.iter();
            let own = places.filter(|place| case.one.place.is_none_or(|own| own == place.number));
            let reads: BTreeSet<&ValuePath> = own.flat_map(|place| &place.reads).collect();
            let mut fitting = groups.iter_mut();
            match fitting.find(|(taken, _)| taken.is_disjoint(&reads)) {
                Some((taken, group)) => {
                    taken.extend(reads);
                    group.push(case);
                }
                None => groups.push((reads, vec![case])),
            }
        }
        groups.into_iter().map(|(_, group)| group).collect()
    }

    /// Renders cases together; each alone when there is no render, or one that is wrong elsewhere than
    /// in their images.
    fn prove(&self, cases: &[&Case<'_>], tally: &mut Tally) {
        match self.judge(cases) {
            Ok(judged) if judged.elsewhere.is_empty() || cases.len() == 1 => {
                self.note(cases, judged, tally);
            }
            Err(_) if cases.len() == 1 => self.count(cases[0], Makes::NoRender, tally),
            judged => {
                let wrong = tally.wrong.len();
                for case in cases {
                    self.prove(&[case], tally);
                }
                let elsewhere = judged.map(|judged| judged.elsewhere).unwrap_or_default();
                if tally.wrong.len() == wrong {
                    let told = elsewhere
                        .iter()
                        .map(|wrong| format!("together only: {wrong}"));
                    tally.wrong.extend(told);
                }
            }
        }
    }

    fn note(&self, cases: &[&Case<'_>], judged: Judged, tally: &mut Tally) {
        for (case, verdict) in cases.iter().zip(judged.verdicts) {
            self.count(case, verdict.makes, tally);
            let wrong = [verdict.wrong, judged.elsewhere.clone()].concat();
            if !wrong.is_empty() {
                tally.wrong.insert(case.told(&wrong));
            } else if case.before != case.after {
                tally.proven += case.said.len();
            }
        }
    }

    /// What a render of cases shows; an error when there is none before the run.
    fn judge(&self, cases: &[&Case<'_>]) -> Result<Judged, String> {
        let base = &self.bases.values[cases[0].base];
        let values = |values: fn(&Case<'_>) -> Value| {
            let mut all = base.clone();
            for case in cases {
                merge(&mut all, &values(case));
            }
            all
        };
        let (old, new) = (
            values(|case| case.before.clone()),
            values(|case| case.after.clone()),
        );
        let before = self.renders.render(&self.chart.folder, &old)?;
        let after = match self.renders.render(&self.chart.folder, &new) {
            Ok(after) => after,
            Err(why) => {
                let verdicts = cases.iter().map(|_| Verdict {
                    makes: Makes::Image,
                    wrong: Vec::new(),
                });
                return Ok(Judged {
                    verdicts: verdicts.collect(),
                    elsewhere: vec![format!("does not render any more: {why}")],
                });
            }
        };
        let mut found = self.compare(&before, &after, cases[0].base);
        let verdict = |case: &&Case<'_>| self.verdict(case, &before, &after, &found);
        let verdicts = cases.iter().map(verdict).collect();
        let is_here = |at: &str| cases.iter().any(|case| case.at.contains(&at));
        found.other.retain(|(at, ..)| !is_here(at));
        Ok(Judged {
            verdicts,
            elsewhere: found.told(),
        })
    }

    fn compare(&self, before: &Rendering, after: &Rendering, base: usize) -> Difference {
        let mut found = difference(&before.scalars, &after.scalars);
        if !found.other.is_empty() {
            let made_up = self.made_up[base].get_or_init(|| self.made_up(base));
            found.other.retain(|(at, ..)| !made_up.contains(at));
        }
        found
    }

    fn made_up(&self, base: usize) -> BTreeSet<String> {
        let values = &self.bases.values[base];
        let render = || self.renders.again(&self.chart.folder, values);
        let (Ok(one), Ok(other)) = (render(), render()) else {
            return BTreeSet::new();
        };
        let found = difference(&one.scalars, &other.scalars);
        found.other.into_iter().map(|(at, ..)| at).collect()
    }

    fn verdict(
        &self,
        case: &Case<'_>,
        before: &Arc<Rendering>,
        after: &Arc<Rendering>,
        found: &Difference,
    ) -> Verdict {
        let images = |at: &str| references(at, &before.scalars);
        let named: Vec<String> = case.at.iter().flat_map(|at| images(at)).collect();
        let mark = case.one.place.map(|place| self.places[place].mark());
        let mark = mark.filter(|mark| case.before.to_string().contains(mark));
        let is_shown = mark.is_none_or(|mark| named.iter().any(|name| name.contains(&mark)));
        let makes = if case.one.is_tag() {
            Makes::Tag
        } else if named.is_empty() || !is_shown {
            Makes::Nothing
        } else if !named.iter().all(|name| is_well_formed(name)) {
            Makes::Malformed
        } else if named.iter().all(|name| expected(name).is_none()) {
            Makes::Unmapped
        } else {
            Makes::Image
        };
        let is_certain = case.said.iter().any(|(_, said)| *said == Said::Certain);
        let is_left = |at: &&&str| !found.planned.contains_key(**at) && !in_ecr(at, after);
        let left = case.at.iter().find(is_left);
        // An image that has a registry of its own is not under the global one.
        let global = case
            .one
            .global
            .as_ref()
            .filter(|_| case.one.place.is_none());
        let front = global.and_then(|global| get(&case.before, global)?.as_str());
        let is_under = |at: &&&str| {
            front.is_none_or(|front| images(at).iter().any(|image| image.starts_with(front)))
        };
        let left = left.filter(|_| is_certain && makes == Makes::Image);
        let left = left.filter(is_under);
        let left = left.map(|at| format!("{at}: {} did not change", images(at).join(", ")));
        let other = found.told_where(|at| case.at.contains(&at));
        Verdict {
            makes,
            wrong: left.into_iter().chain(other).collect(),
        }
    }

    fn count(&self, case: &Case<'_>, makes: Makes, tally: &mut Tally) {
        for (form, said) in &case.said {
            if makes != Makes::Image {
                *tally.left_out.entry(makes).or_default() += 1;
            } else if *said != Said::Certain && self.is_held(case.one, &case.before) {
                *tally.left_out.entry(Makes::Unnamed).or_default() += 1;
            } else {
                let said_of = if case.one.layers.len() > 1 {
                    &mut tally.layered
                } else {
                    &mut tally.said
                };
                *said_of.entry(said.clone()).or_default() += 1;
                if *said != Said::Certain {
                    let global = if case.one.global.is_some() {
                        ", a global"
                    } else {
                        ""
                    };
                    let what = format!("{said}: {}{global}, {form}", case.one.kind);
                    *tally.missed.entry(what).or_default() += 1;
                }
            }
        }
    }

    /// Whether it is left because the registry that it sets is that of images, too, which it does not
    /// name: one registry cannot be changed without all repositories.
    fn is_held(&self, one: &Override, values: &Value) -> bool {
        let is_said = |path: &&ValuePath| get(values, path).is_some();
        let own = one.place.map(|place| &self.places[place]);
        let registry = own.and_then(Place::registry).filter(is_said);
        let set = registry.into_iter().chain(&one.global);
        let reading = set.flat_map(|path| overrides::reading(path, &self.places));
        let is_own = |place: &Place| own.is_some_and(|own| own.number == place.number);
        let mut others = reading.filter(|place| one.global.is_some() || !is_own(place));
        others.any(|place| !is_said(&&place.name))
    }

    /// The same in copies of the chart's own folder.
    fn prove_own(&self, overrides: &[Override], tally: &mut Tally) {
        let used = self.bases.shown.iter().flatten().map(|shown| shown.base);
        let used: BTreeSet<usize> = used.collect();
        for copy in own::rewrite(self.chart, &self.places, overrides) {
            let stopped = copy
                .stopped
                .iter()
                .map(|line| format!("own chart: {line}: {}", copy.before));
            tally.stopped.extend(stopped);
            for base in &used {
                self.judge_own(&copy, *base, tally);
            }
        }
    }

    fn judge_own(&self, copy: &own::Copy, base: usize, tally: &mut Tally) {
        let with = |values: &Value| merged([&self.bases.values[base], values]);
        let (old, new) = (with(&copy.before), with(&copy.after));
        let Ok(before) = self.renders.render(&self.chart.folder, &old) else {
            *tally.left_out.entry(Makes::NoRender).or_default() += 1;
            return;
        };
        let folder: &Path = copy.folder.path();
        let after = match self.renders.again(folder, &new) {
            Ok(after) => after,
            Err(why) => {
                let why = format!(
                    "own chart: does not render any more: {why}: {}",
                    copy.before
                );
                tally.wrong.insert(why);
                return;
            }
        };
        for told in self.compare(&before, &after, base).told() {
            let at = told.split(": ").next().unwrap_or("");
            let values = self.told_of(copy, at);
            tally.wrong.insert(format!("own chart: {values}: {told}"));
        }
        for (place, one) in copy.places.iter().filter(|(_, one)| !one.is_tag()) {
            let shown = self.bases.shown[*place].as_ref();
            let shown = shown.filter(|shown| shown.base == base);
            let at: Vec<&String> = shown.iter().flat_map(|shown| &shown.at).collect();
            let named: Vec<String> = at
                .iter()
                .flat_map(|at| references(at, &before.scalars))
                .collect();
            let is_mapped = |name: &String| is_well_formed(name) && expected(name).is_some();
            if named.is_empty() || !named.iter().all(is_mapped) {
                continue;
            }
            let is_in = at.iter().all(|at| in_ecr(at, &after));
            if !is_in && self.is_held(one, &copy.before) {
                continue;
            }
            tally.own.0 += 1;
            tally.own.1 += usize::from(is_in);
            if !is_in {
                *tally.own_left.entry(one.kind).or_default() += 1;
            }
        }
    }

    /// The override of the place that shows at a place of the render; all of them when there is none.
    fn told_of(&self, copy: &own::Copy, at: &str) -> String {
        let is_here = |place: usize| {
            let shown = self.bases.shown[place].as_ref();
            shown.is_some_and(|shown| shown.at.iter().any(|known| known == at))
        };
        let one = copy.places.iter().find(|(place, _)| is_here(*place));
        one.map_or_else(|| copy.before.to_string(), |(_, one)| one.text())
    }

    /// A chart that refuses other images without leave never changes for certain.
    fn try_without_leave(&self, tally: &mut Tally) {
        let overrides = overrides::of(&self.places, false);
        let few: Vec<Override> = overrides.into_iter().step_by(WITHOUT_LEAVE).collect();
        let outcomes = releases::rewrite(self.chart, &few);
        tally.stopped.extend(outcomes.stopped);
        for (one, outcomes) in few.iter().zip(outcomes.each) {
            for outcome in outcomes {
                if outcome.said == Said::Certain {
                    let text = one.text();
                    tally
                        .wrong
                        .insert(format!("certain without leave: {}: {text}", outcome.form));
                }
                *tally.without_leave.entry(outcome.said).or_default() += 1;
            }
        }
    }
}

impl Case<'_> {
    fn told(&self, wrong: &[String]) -> String {
        let wrong = wrong[..wrong.len().min(3)].join("; ");
        let forms: Vec<String> = self.said.iter().map(|(form, _)| form.to_string()).collect();
        format!(
            "{}: {}: values {} -> {}: {wrong}",
            forms.join(", "),
            self.one.kind,
            self.one.text(),
            self.after
        )
    }
}

/// Whether every image at a place comes from ECR.
fn in_ecr(at: &str, rendered: &Rendering) -> bool {
    let images = references(at, &rendered.scalars);
    !images.is_empty() && images.iter().all(|image| image.starts_with(REGISTRY))
}
