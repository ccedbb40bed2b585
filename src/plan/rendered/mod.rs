//! Charts of the repository have the last word on their values: they are rendered as they are, and as
//! the plan would make them.
//!
//! What comes out may differ in images alone, each by its rule. That is looked at for every way in which
//! the repository uses the chart, and once with both sides of every choice of its templates, since other
//! values may take the other side. A change under which anything else would come out is taken back.

mod compare;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::decide::{self, Outcome};
use super::targets::Targets;
use super::{Assume, Undecided};
use crate::edit::EditSet;
use crate::helm::layered::put_over;
use crate::helm::template::{Chart, Mode, Release, Traced};
use crate::helm::{self, ALLOWS_INSECURE, AtHand};
use crate::image::{self, ImageRef};
use crate::link::given::{Standing, standing, values};
use crate::link::{ChartUse, Group, Links, SiteId};
use crate::reason::{Assumption, Reason};
use crate::rules::{RuleSet, Verdict};
use crate::scan::ScannedFile;
use crate::walk::Role;
use compare::{Word, Wrong, compare};

/// Characters of a word that are told.
const MAX_TOLD: usize = 120;

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
        let changed = Changed::of(self.files, outcomes);
        let pending = by_chart.into_iter().filter_map(|(chart, uses)| {
            let own = changed.of_chart(chart, &uses);
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

    /// The text of a file. That of one that stays may have been let go, and is read again.
    fn text(&self, file: usize) -> Option<String> {
        let path = &self.files[file].source.real;
        self.text_at(path).or_else(|| self.charts.text_of(path))
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
            "with it, {template} would render `{}` in the place of `{}`; set the image as its templates need it",
            short(after),
            short(before)
        ),
        Wrong::Shape { template } => format!(
            "with it, {template} would render something else than another image; set the image as its templates need it"
        ),
        // They name the key when they refuse.
        Wrong::Refused { why, .. } if why.contains(ALLOWS_INSECURE[2]) => {
            return Outcome::Undecided(Box::new(Undecided {
                site: change.site,
                from: change.from.clone(),
                to: change.to.clone(),
                rule: change.rule.clone(),
                assumption: Assumption::BitnamiInsecureImages,
                detail: format!(
                    "the chart refuses to render with another image unless `{}` is true; add that to the values",
                    ALLOWS_INSECURE.join(".")
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

/// A word as it is told: a text in one word may be as long as a file.
fn short(word: &str) -> String {
    let mut chars = word.chars();
    let start: String = chars.by_ref().take(MAX_TOLD).collect();
    match chars.next() {
        Some(_) => start + "…",
        None => start,
    }
}

/// The sites that change. Nothing is written to files that only were looked at.
struct Changed<'c> {
    by_file: BTreeMap<usize, Vec<SiteId>>,
    /// The files, in the order of their paths, in which those of a folder are neighbours.
    by_path: Vec<(&'c Path, usize)>,
}

impl<'c> Changed<'c> {
    fn of(files: &'c [ScannedFile], outcomes: &[Vec<Outcome>]) -> Self {
        let mut by_file: BTreeMap<usize, Vec<SiteId>> = BTreeMap::new();
        let selected = |(file, _): &(usize, &Vec<Outcome>)| files[*file].role == Role::Selected;
        for (file, outcomes) in outcomes.iter().enumerate().filter(selected) {
            for (site, outcome) in outcomes.iter().enumerate() {
                if matches!(outcome, Outcome::Change(_)) {
                    by_file.entry(file).or_default().push(SiteId { file, site });
                }
            }
        }
        let path = |&file: &usize| (files[file].source.real.as_path(), file);
        let mut by_path: Vec<(&Path, usize)> = by_file.keys().map(path).collect();
        by_path.sort_unstable();
        Self { by_file, by_path }
    }

    /// Those in the values of the uses of a chart, and in its folder.
    fn of_chart(&self, chart: &Path, uses: &[&ChartUse]) -> BTreeSet<SiteId> {
        let start = self.by_path.partition_point(|(path, _)| *path < chart);
        let below = self.by_path[start..].iter();
        let below = below.take_while(|(path, _)| path.starts_with(chart));
        let mut files: BTreeSet<usize> = below.map(|(_, file)| *file).collect();
        for used in uses {
            files.extend(used.layers.iter().map(|(file, _)| *file));
            files.extend(&used.brought);
        }
        let sites = files.iter().filter_map(|file| self.by_file.get(file));
        sites.flatten().copied().collect()
    }
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
    layers: Vec<(usize, String, Standing)>,
    rules: &'b RuleSet,
    values: Value,
    /// By the ways, once that is asked for.
    before: OnceLock<Vec<Traced>>,
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
            chart: Charts::of(&files, uses, &|path| judge.text_at(path), None),
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
        Some(Use {
            used,
            rules: &self.judge.targets[used.target].first.rules,
            before: OnceLock::new(),
            values,
            layers,
        })
    }

    /// What a use of the chart renders as it is, by the ways. `first` is what it is first compared with.
    fn before<'u>(&self, one: &'u Use<'_>, chart: &Chart, first: (&Chart, &Value)) -> &'u [Traced] {
        one.before.get_or_init(|| {
            let mut before: Vec<Traced> = Vec::new();
            for (at, (release, mode)) in self.ways.iter().enumerate() {
                let known = self.ways[..at].iter().position(|(_, other)| other == mode);
                before.push(match known {
                    Some(known) => chart.trace_like(&before[known], &one.values, release),
                    None => {
                        let later = self.ways[at + 1..].iter();
                        let later = later.filter(|(_, other)| other == mode);
                        let later = later.map(|(release, _)| (chart, &one.values, release));
                        let others: Vec<_> = later.chain([(first.0, first.1, release)]).collect();
                        chart.trace(&one.values, release, *mode, &others)
                    }
                });
            }
            before
        })
    }

    /// The layers of a use with their texts; nothing when one cannot be read.
    fn layers(&self, used: &ChartUse) -> Option<Vec<(usize, String, Standing)>> {
        let layers = used.layers.iter().map(|&(file, block)| {
            let text = self.judge.text(file)?;
            let standing = standing(&text, block)?;
            Some((file, text, standing))
        });
        layers.collect()
    }

    /// The values of layers, merged; nothing when one of them cannot be told.
    fn merged<'t>(
        &self,
        layers: impl Iterator<Item = (&'t String, &'t Standing)>,
    ) -> Option<Value> {
        let mut merged = Value::Object(Map::new());
        for (text, standing) in layers {
            put_over(&mut merged, values(text, standing)?);
        }
        if self.judge.assume.covers(Assumption::BitnamiInsecureImages) {
            let [global, security, allows] = ALLOWS_INSECURE;
            put_over(&mut merged, json!({global: {security: {allows: true}}}));
        }
        Some(merged)
    }

    /// The changes that the chart does not take, each with what would be wrong.
    fn refused(&self, changes: &BTreeSet<SiteId>, groups: &[Group]) -> Vec<(SiteId, Wrong)> {
        let Some(first) = self.wrong(changes) else {
            return Vec::new();
        };
        let mut refused = Vec::new();
        self.search(clusters(changes, groups), &first, &mut refused);
        refused
    }

    /// Adds those of the clusters, which hang together each, that are wrong; all of them when only together
    /// they are. `wrong` is what is wrong with all of them. Halves of which nothing is wrong are not looked
    /// at one by one: what is left is judged again as a whole.
    fn search(
        &self,
        mut clusters: Vec<BTreeSet<SiteId>>,
        wrong: &Wrong,
        refused: &mut Vec<(SiteId, Wrong)>,
    ) {
        let known = refused.len();
        if clusters.len() > 1 {
            let second = clusters.split_off(clusters.len() / 2);
            for half in [&clusters, &second] {
                if let Some(wrong) = self.wrong(&half.iter().flatten().copied().collect()) {
                    self.search(half.clone(), &wrong, refused);
                }
            }
            clusters.extend(second);
        }
        if refused.len() == known {
            let all = clusters.into_iter().flatten();
            refused.extend(all.map(|site| (site, wrong.clone())));
        }
    }

    /// The first thing that is wrong with some of the changes made.
    fn wrong(&self, changes: &BTreeSet<SiteId>) -> Option<Wrong> {
        let after = self.after(changes);
        let by_place: HashMap<&Path, &String> = after
            .iter()
            .map(|(&file, text)| (self.judge.files[file].source.real.as_path(), text))
            .collect();
        let uses: Vec<&ChartUse> = self.uses.iter().map(|one| one.used).collect();
        let mut places = by_place.keys();
        let is_other = places.any(|place| self.files.renders(place));
        let text_of = |path: &Path| {
            let new = by_place.get(path).map(|text| (*text).clone());
            new.or_else(|| self.judge.text_at(path))
        };
        let read = is_other.then(|| Charts::of(&self.files, &uses, &text_of, Some(&self.chart)));
        let charts = read.as_ref().unwrap_or(&self.chart);
        self.uses.par_iter().find_map_first(|one| {
            let layers = one.layers.iter();
            let texts =
                layers.map(|(file, text, standing)| (after.get(file).unwrap_or(text), standing));
            let Some(merged) = self.merged(texts) else {
                let template = one.used.chart.join("values.yaml").display().to_string();
                return Some(Wrong::Shape { template });
            };
            // The same chart with the same values renders the same.
            let is_same = !is_other && merged == one.values;
            (!is_same).then(|| self.wrong_in(one, charts, &merged))?
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
            .zip(self.before(one, old, (chart, values)))
            .find_map(|((release, mode), before)| {
                let after = chart.trace_like(before, values, release).rendered;
                let is_fine = |word: &Word<'_>| is_fine(word, *mode, one.rules);
                // With both sides of a choice, texts may have any shape.
                let counts =
                    |wrong: &Wrong| *mode == Mode::Exact || matches!(wrong, Wrong::Word { .. });
                compare(&before.rendered, &after, &is_fine)
                    .into_iter()
                    .find(counts)
            })
    }

    /// The texts of the files with some of the changes made.
    fn after(&self, changes: &BTreeSet<SiteId>) -> BTreeMap<usize, String> {
        let mut edits: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (file, change) in self.made(changes) {
            let edits = edits.entry(file).or_default();
            edits.extend(change.edits.iter().cloned());
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
    /// `like`: the same, with other texts.
    fn of(
        files: &AtHand,
        uses: &[&ChartUse],
        text_of: &dyn Fn(&Path) -> Option<String>,
        like: Option<&Self>,
    ) -> Self {
        let is_used = |has_defaults| uses.iter().any(|used| used.has_defaults == has_defaults);
        let read = |has_defaults| {
            let like = like.and_then(|like| like.get(has_defaults));
            files.chart(has_defaults, text_of, like).ok()
        };
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
