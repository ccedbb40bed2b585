//! Charts of the repository have the last word on their values: they are rendered as they are, and as
//! the plan would make them.
//!
//! What comes out may differ in images alone, each by its rule. That is looked at for every way in which
//! the repository uses the chart, and once with both sides of every choice of its templates, since other
//! values may take the other side. A change under which anything else would come out is taken back.

mod compare;
mod values;

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
        let changed = changed(outcomes);
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
                *outcome = self.without(change, wrong);
            }
        }
        !refused.is_empty()
    }

    /// The changes in the values of the uses of a chart, and in its folder.
    fn changes_of(
        &self,
        chart: &Path,
        uses: &[&ChartUse],
        changed: &BTreeMap<usize, Vec<SiteId>>,
    ) -> BTreeSet<SiteId> {
        let layers = uses.iter().flat_map(|used| &used.layers);
        let layers: BTreeSet<usize> = layers.map(|(file, _)| *file).collect();
        let is_own =
            |file: usize| layers.contains(&file) || self.files[file].source.real.starts_with(chart);
        let own = changed.iter().filter(|(file, _)| is_own(**file));
        own.flat_map(|(_, sites)| sites).copied().collect()
    }

    /// What becomes of a change that a chart does not take.
    fn without(&self, change: &super::Change, wrong: &Wrong) -> Outcome {
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
}

/// The sites that change, by their file.
fn changed(outcomes: &[Vec<Outcome>]) -> BTreeMap<usize, Vec<SiteId>> {
    let mut changed: BTreeMap<usize, Vec<SiteId>> = BTreeMap::new();
    for (file, outcomes) in outcomes.iter().enumerate() {
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
    uses: Vec<Use<'b>>,
}

/// A use of a chart, rendered as it is.
struct Use<'b> {
    used: &'b ChartUse,
    /// The text of each layer, and where the values stand in it.
    layers: Vec<(usize, String, values::Standing)>,
    rules: &'b RuleSet,
    before: [Rendered; 2],
}

/// As it is rendered, and with both sides of each choice.
const MODES: [Mode; 2] = [Mode::Exact, Mode::EveryBranch];

impl<'b> Bench<'b> {
    fn of(
        judge: &'b Judge<'b>,
        chart: &Path,
        uses: &[&'b ChartUse],
        outcomes: &'b [Vec<Outcome>],
    ) -> Option<Self> {
        let is_chart = |folder: &Path| judge.links.uses.iter().any(|used| used.chart == folder);
        let files = judge.charts.at_hand(chart, &is_chart)?;
        let mut bench = Self {
            judge,
            outcomes,
            files,
            uses: Vec::new(),
        };
        let mut charts = Charts::default();
        for &used in uses {
            let Some(layers) = bench.layers(used) else {
                continue;
            };
            let chart = charts.get(used.has_defaults, || {
                bench.files.chart(used.has_defaults, &|_| None)
            });
            let merged = bench.merged(
                layers
                    .iter()
                    .map(|(_, text, standing)| values(text, standing)),
            );
            let (Some(chart), Some(merged)) = (chart, merged) else {
                continue;
            };
            bench.uses.push(Use {
                used,
                rules: &judge.targets[used.target].first.rules,
                before: MODES.map(|mode| chart.render(&merged, &Release::default(), mode)),
                layers,
            });
        }
        (!bench.uses.is_empty()).then_some(bench)
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
    fn merged(&self, layers: impl Iterator<Item = Option<Value>>) -> Option<Value> {
        let mut merged = Value::Object(Map::new());
        for layer in layers {
            put_over(&mut merged, layer?);
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
        let mut charts = Charts::default();
        self.uses.iter().find_map(|one| {
            let text_of = |path: &Path| by_place.get(path).map(|text| (*text).clone());
            let chart = charts.get(one.used.has_defaults, || {
                self.files.chart(one.used.has_defaults, &text_of)
            })?;
            let texts = one
                .layers
                .iter()
                .map(|(file, text, standing)| values(after.get(file).unwrap_or(text), standing));
            let merged = self.merged(texts)?;
            let copies = self.copies(changes);
            let modes = MODES.iter().zip(&one.before);
            let mut wrong = modes.flat_map(|(&mode, before)| {
                let after = chart.render(&merged, &Release::default(), mode);
                let is_fine = |word: &Word<'_>| is_fine(word, mode, one.rules, &copies);
                let wrong = compare(before, &after, &is_fine);
                // With both sides of a choice, texts may have any shape.
                wrong
                    .into_iter()
                    .filter(move |wrong| mode == Mode::Exact || matches!(wrong, Wrong::Word { .. }))
            });
            wrong.next()
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

    /// The texts of parts, before and after: templates may hand values on as they are.
    fn copies(&self, changes: &BTreeSet<SiteId>) -> BTreeSet<(String, String)> {
        let scalars = self.made(changes).flat_map(|(_, change)| &change.scalars);
        scalars
            .map(|scalar| (scalar.from.clone(), scalar.to.clone()))
            .collect()
    }
}

/// A chart with some texts, read when it is first needed: with its own values, and without.
#[derive(Default)]
struct Charts([Option<Option<Chart>>; 2]);

impl Charts {
    fn get(
        &mut self,
        has_defaults: bool,
        read: impl Fn() -> Result<Chart, String>,
    ) -> Option<&Chart> {
        self.0[usize::from(has_defaults)]
            .get_or_insert_with(|| read().ok())
            .as_ref()
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

/// Whether a word may become the other one: an image what the rules say, or a value that is handed on.
fn is_fine(
    word: &Word<'_>,
    mode: Mode,
    rules: &RuleSet,
    copies: &BTreeSet<(String, String)>,
) -> bool {
    let ends: &[char] = &[':', '@'];
    let (before, after) = (
        word.before.trim_end_matches(ends),
        word.after.trim_end_matches(ends),
    );
    let is_part = ["registry", "repository", "hub"]
        .iter()
        .any(|part| word.key.ends_with(part));
    if is_part && copies.contains(&(before.to_string(), after.to_string())) {
        return true;
    }
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
        || word.key.to_ascii_lowercase().contains("image");
    is_sure && *after == format!("{new}{}", &before[name.len()..])
}
