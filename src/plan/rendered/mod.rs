//! Charts of the repository have the last word on their values: they are rendered as they are, and as
//! the plan would make them.
//!
//! What comes out may differ in images alone, each by its rule. That is looked at for every way in which
//! the repository uses the chart, and once with both sides of every choice of its templates, since other
//! values may take the other side. A change under which anything else would come out is taken back.

mod compare;
pub(super) mod values;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::decide::{self, Outcome};
use super::targets::Targets;
use super::{Assume, Undecided};
use crate::edit::EditSet;
use crate::helm::layered::put_over;
use crate::helm::template::{Chart, Mode, Release, Rendered};
use crate::helm::{self, AtHand};
use crate::image::{self, ImageRef};
use crate::link::{ChartUse, Group, Links, SiteId};
use crate::reason::{Assumption, Reason};
use crate::rules::{RuleSet, Verdict};
use crate::scan::ScannedFile;
use crate::walk::Role;
use compare::{Word, Wrong, compare};
use values::{standing, values};

/// The key that lets Bitnami's charts render with other images; they name it when they refuse.
const ALLOWS: &str = "allowInsecureImages";

/// What charts are judged with.
pub(super) struct Judge<'j> {
    pub(super) files: &'j [ScannedFile],
    pub(super) links: &'j Links,
    pub(super) targets: &'j [Targets],
    pub(super) charts: &'j dyn helm::Charts,
    pub(super) assume: &'j Assume,
    /// The files by their paths.
    pub(super) by_path: HashMap<&'j Path, usize>,
}

/// The changes that each chart was judged with, so that no chart is judged twice with the same.
pub(super) type Judged = BTreeMap<PathBuf, BTreeSet<SiteId>>;

impl Judge<'_> {
    /// Takes the changes back under which a chart would render something wrong. Whether there were any.
    pub(super) fn take_back(
        &self,
        groups: &[Group],
        outcomes: &mut [Vec<Outcome>],
        judged: &mut Judged,
    ) -> bool {
        let mut by_chart: BTreeMap<&Path, Vec<&ChartUse>> = BTreeMap::new();
        for used in &self.links.uses {
            by_chart.entry(&used.chart).or_default().push(used);
        }
        let changed = changed(self.files, outcomes);
        let pending = by_chart.into_iter().filter_map(|(chart, uses)| {
            let own = self.changes_of(chart, &uses, &changed);
            let is_new = !own.is_empty() && judged.get(chart) != Some(&own);
            is_new.then_some((chart, uses, own))
        });
        let pending: Vec<_> = pending.collect();
        let outcomes_before: &[Vec<Outcome>] = outcomes;
        let refused: Vec<_> = pending
            .par_iter()
            .flat_map_iter(|(chart, uses, own)| {
                let bench = Bench::of(self, chart, uses, outcomes_before);
                bench.map_or(Vec::new(), |bench| bench.refused(own, groups))
            })
            .collect();
        judged.extend(
            pending
                .into_iter()
                .map(|(chart, _, own)| (chart.to_path_buf(), own)),
        );
        for (site, wrong) in &refused {
            let outcome = &mut outcomes[site.file][site.site];
            if let Outcome::Change(change) = outcome {
                *outcome = without(change, wrong);
            }
        }
        !refused.is_empty()
    }

    /// The text of a file as this run read it, which may be another one than that on disk.
    fn text_at(&self, path: &Path) -> Option<String> {
        let text = &self.files[*self.by_path.get(path)?].source.text;
        (!text.is_empty()).then(|| text.clone())
    }

    /// The changes in the values of the uses of a chart, and in its folder.
    fn changes_of(
        &self,
        chart: &Path,
        uses: &[&ChartUse],
        changed: &BTreeMap<usize, Vec<SiteId>>,
    ) -> BTreeSet<SiteId> {
        let files_of = |used: &&&ChartUse| {
            let layers = used.layers.iter().map(|(file, _)| *file);
            layers
                .chain(used.brought.iter().copied())
                .collect::<Vec<_>>()
        };
        let layers: BTreeSet<usize> = uses.iter().flat_map(|used| files_of(&used)).collect();
        let is_own =
            |file: usize| layers.contains(&file) || self.files[file].source.real.starts_with(chart);
        let own = changed.iter().filter(|(file, _)| is_own(**file));
        own.flat_map(|(_, sites)| sites).copied().collect()
    }
}

/// What becomes of a change that a chart does not take.
fn without(change: &super::Change, wrong: &Wrong) -> Outcome {
    let why = match wrong {
        Wrong::Word {
            template,
            before,
            after,
        } => format!(
            "with it, {template} would render `{after}` in the place of `{before}`; set the image as its templates need it"
        ),
        Wrong::Shape { template } => format!(
            "with it, {template} would render something else than another image; set the image as its templates need it"
        ),
        Wrong::Refused { why, .. } if why.contains(ALLOWS) => {
            return Outcome::Undecided(Box::new(Undecided {
                site: change.site,
                from: change.from.clone(),
                to: change.to.clone(),
                rule: change.rule.clone(),
                assumption: Assumption::BitnamiInsecureImages,
                detail: format!(
                    "the chart refuses to render with another image unless `global.security.{ALLOWS}` is true; add that to the values"
                ),
            }));
        }
        Wrong::Refused { template, why } => {
            format!(
                "with it, {template} could not be rendered any more ({why}); set the image as its templates need it"
            )
        }
    };
    Outcome::Skip(Reason::GroupIncomplete, why)
}

/// The sites that change, by their file. Nothing is written to files that only were looked at.
fn changed(files: &[ScannedFile], outcomes: &[Vec<Outcome>]) -> BTreeMap<usize, Vec<SiteId>> {
    let mut changed: BTreeMap<usize, Vec<SiteId>> = BTreeMap::new();
    let selected = |(file, _): &(usize, &Vec<Outcome>)| files[*file].role == Role::Selected;
    for (file, outcomes) in outcomes.iter().enumerate().filter(selected) {
        for (site, outcome) in outcomes.iter().enumerate() {
            if matches!(outcome, Outcome::Change(_)) {
                changed.entry(file).or_default().push(SiteId { file, site });
            }
        }
    }
    changed
}

/// One chart with all of its uses.
struct Bench<'b> {
    judge: &'b Judge<'b>,
    outcomes: &'b [Vec<Outcome>],
    files: AtHand,
    /// As it is.
    chart: Charts,
    /// For which releases, and how, it is rendered: as they would be, and once with both sides of each
    /// choice.
    ways: Vec<(Release, Mode)>,
    uses: Vec<Use<'b>>,
}

/// A use of a chart, rendered as it is.
struct Use<'b> {
    used: &'b ChartUse,
    /// The text of each layer, and where the values stand in it.
    layers: Vec<(usize, String, values::Standing)>,
    rules: &'b RuleSet,
    values: Value,
    /// By the ways.
    before: Vec<Rendered>,
}

impl<'b> Bench<'b> {
    fn of(
        judge: &'b Judge<'b>,
        chart: &Path,
        uses: &[&'b ChartUse],
        outcomes: &'b [Vec<Outcome>],
    ) -> Option<Self> {
        let is_chart = |folder: &Path| judge.links.uses.iter().any(|used| used.chart == folder);
        let files = judge.charts.at_hand(chart, &is_chart)?;
        let exact = files.releases().into_iter();
        let mut ways: Vec<_> = exact.map(|release| (release, Mode::Exact)).collect();
        ways.push((Release::default(), Mode::EveryBranch));
        let mut bench = Self {
            judge,
            outcomes,
            chart: Charts::of(&files, uses, &|path| judge.text_at(path)),
            files,
            ways,
            uses: Vec::new(),
        };
        let rendered = uses.iter().filter_map(|used| bench.rendered(used));
        bench.uses = rendered.collect();
        (!bench.uses.is_empty()).then_some(bench)
    }

    /// A use of the chart as it is; nothing when its values cannot be told.
    fn rendered(&self, used: &'b ChartUse) -> Option<Use<'b>> {
        let layers = self.layers(used)?;
        let texts = layers.iter().map(|(_, text, standing)| (text, standing));
        let values = self.merged(texts)?;
        let chart = self.chart.get(used.has_defaults)?;
        let ways = self.ways.iter();
        Some(Use {
            used,
            rules: &self.judge.targets[used.target].first.rules,
            before: ways
                .map(|(release, mode)| chart.render(&values, release, *mode))
                .collect(),
            values,
            layers,
        })
    }

    /// The layers of a use with their texts; nothing when one cannot be read.
    fn layers(&self, used: &ChartUse) -> Option<Vec<(usize, String, values::Standing)>> {
        let layers = used.layers.iter().map(|&(file, block)| {
            let text = self.text(file)?;
            let standing = standing(&text, block)?;
            Some((file, text, standing))
        });
        layers.collect()
    }

    /// The text of a file. That of one that stays may have been let go.
    fn text(&self, file: usize) -> Option<String> {
        let source = &self.judge.files[file].source;
        if source.text.is_empty() {
            self.judge.charts.text_of(&source.real)
        } else {
            Some(source.text.clone())
        }
    }

    /// The values of layers, merged; nothing when one of them cannot be told.
    fn merged<'t>(
        &self,
        layers: impl Iterator<Item = (&'t String, &'t values::Standing)>,
    ) -> Option<Value> {
        let mut merged = Value::Object(Map::new());
        for (text, standing) in layers {
            put_over(&mut merged, values(text, standing)?);
        }
        if self.judge.assume.covers(Assumption::BitnamiInsecureImages) {
            put_over(&mut merged, json!({"global": {"security": {ALLOWS: true}}}));
        }
        Some(merged)
    }

    /// The changes that the chart does not take, each with what would be wrong.
    fn refused(&self, changes: &BTreeSet<SiteId>, groups: &[Group]) -> Vec<(SiteId, Wrong)> {
        let Some(first) = self.wrong(changes) else {
            return Vec::new();
        };
        // Each alone, with what hangs together with it; all of them when only together they are wrong.
        let mut refused = Vec::new();
        for cluster in clusters(changes, groups) {
            if let Some(wrong) = self.wrong(&cluster) {
                refused.extend(cluster.into_iter().map(|site| (site, wrong.clone())));
            }
        }
        if refused.is_empty() {
            refused.extend(changes.iter().map(|&site| (site, first.clone())));
        }
        refused
    }

    /// The first thing that is wrong with some of the changes made.
    fn wrong(&self, changes: &BTreeSet<SiteId>) -> Option<Wrong> {
        let after = self.after(changes);
        let by_place: HashMap<&Path, &String> = after
            .iter()
            .map(|(&file, text)| (self.judge.files[file].source.real.as_path(), text))
            .collect();
        let uses: Vec<&ChartUse> = self.uses.iter().map(|one| one.used).collect();
        let charts = Charts::of(&self.files, &uses, &|path| {
            let new = by_place.get(path).map(|text| (*text).clone());
            new.or_else(|| self.judge.text_at(path))
        });
        self.uses.iter().find_map(|one| {
            let layers = one.layers.iter();
            let texts =
                layers.map(|(file, text, standing)| (after.get(file).unwrap_or(text), standing));
            let Some(merged) = self.merged(texts) else {
                let template = one.used.chart.join("values.yaml").display().to_string();
                return Some(Wrong::Shape { template });
            };
            self.wrong_in(one, &charts, &merged)
        })
    }

    /// The first thing that is wrong with a use of the chart when it has other texts.
    fn wrong_in(&self, one: &Use<'_>, charts: &Charts, values: &Value) -> Option<Wrong> {
        let has_defaults = one.used.has_defaults;
        let (old, chart) = (self.chart.get(has_defaults)?, charts.get(has_defaults)?);
        if let Some(why) = chart.refuses((old, &one.values), values) {
            let template = chart.name().to_string();
            return Some(Wrong::Refused { template, why });
        }
        self.ways
            .iter()
            .zip(&one.before)
            .find_map(|((release, mode), before)| {
                let after = chart.render(values, release, *mode);
                let is_fine = |word: &Word<'_>| is_fine(word, *mode, one.rules);
                // With both sides of a choice, texts may have any shape.
                let counts =
                    |wrong: &Wrong| *mode == Mode::Exact || matches!(wrong, Wrong::Word { .. });
                compare(before, &after, &is_fine).into_iter().find(counts)
            })
    }

    /// The texts of the files with some of the changes made.
    fn after(&self, changes: &BTreeSet<SiteId>) -> BTreeMap<usize, String> {
        let mut edits: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for change in self.made(changes) {
            edits
                .entry(change.0)
                .or_default()
                .extend(change.1.edits.iter().cloned());
        }
        let after = edits.into_iter().filter_map(|(file, edits)| {
            let edits = EditSet::new(edits).ok()?;
            Some((file, edits.apply(&self.judge.files[file].source.text)?))
        });
        after.collect()
    }

    fn made<'c>(
        &'c self,
        changes: &'c BTreeSet<SiteId>,
    ) -> impl Iterator<Item = (usize, &'c super::Change)> {
        changes
            .iter()
            .filter_map(|site| match &self.outcomes[site.file][site.site] {
                Outcome::Change(change) => Some((site.file, change.as_ref())),
                _ => None,
            })
    }
}

/// A chart with some texts: without its own values, and with them.
struct Charts([Option<Chart>; 2]);

impl Charts {
    fn of(files: &AtHand, uses: &[&ChartUse], text_of: &dyn Fn(&Path) -> Option<String>) -> Self {
        let is_used = |has_defaults| uses.iter().any(|used| used.has_defaults == has_defaults);
        let read = |has_defaults| files.chart(has_defaults, text_of).ok();
        Self([false, true].map(|has_defaults| is_used(has_defaults).then(|| read(has_defaults))?))
    }

    fn get(&self, has_defaults: bool) -> Option<&Chart> {
        self.0[usize::from(has_defaults)].as_ref()
    }
}

/// The changes, those of a common group together.
fn clusters(changes: &BTreeSet<SiteId>, groups: &[Group]) -> Vec<BTreeSet<SiteId>> {
    let mut clusters: Vec<BTreeSet<SiteId>> =
        changes.iter().map(|&site| BTreeSet::from([site])).collect();
    for group in groups {
        let is_met =
            |cluster: &BTreeSet<SiteId>| group.members.iter().any(|site| cluster.contains(site));
        let (met, others): (Vec<_>, Vec<_>) = clusters.into_iter().partition(is_met);
        clusters = others;
        let joined: BTreeSet<SiteId> = met.into_iter().flatten().collect();
        clusters.extend((!joined.is_empty()).then_some(joined));
    }
    clusters
}

/// Whether a word may become the other one: an image what the rules say, or a part of one that does.
fn is_fine(word: &Word<'_>, mode: Mode, rules: &RuleSet) -> bool {
    let ends: &[char] = &[':', '@'];
    let (before, after) = match &word.whole {
        Some((before, after)) => (before.as_str(), after.as_str()),
        None => (word.before, word.after),
    };
    let (before, after) = (before.trim_end_matches(ends), after.trim_end_matches(ends));
    let Ok(image) = ImageRef::parse(before) else {
        // What is half of something says nothing when both halves come out.
        return mode == Mode::EveryBranch;
    };
    let name = &before[..image.name_len()];
    let Ok(Verdict::Rewrite { name: new, .. }) =
        decide::parse(name).map(|image| rules.decide(&image))
    else {
        return false;
    };
    let is_sure = image::begins_with_host(before)
        || name.len() < before.len()
        || word.whole.is_some()
        || word.key.to_ascii_lowercase().contains("image");
    is_sure && *after == format!("{new}{}", &before[name.len()..])
}
