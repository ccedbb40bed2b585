//! One thing after the other: the tools render what was prepared, what comes out is compared, and what stays
//! outside of ECR is looked for.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::compare::{Compared, Difference, Fine, MALFORMED, compare, objects};
use super::engine::{self, Failed};
use super::images::{self, Image, Inputs, Moves, Origin};
use super::prepare::{Chart, Job, Laid, Prepared, Way};
use super::targets::Kind;
use super::tree::Side;
use super::unrendered::Unrendered;
use super::{Options, Outcome, Render, Rendered};
use crate::helm::ALLOWS_INSECURE;
use crate::sites::Deployed;

/// How long to wait before both sides are rendered again because they differ. What is random differs at once;
/// a clock that tells seconds may stand still, and go on between the sides only.
const PAUSES: [Duration; 2] = [Duration::ZERO, Duration::from_millis(1_100)];
/// Why something differs that must not.
const FAILED_AFTER: &str = "it cannot be rendered any more";

impl Prepared<'_> {
    pub(super) fn render(
        &self,
        job: &Job<'_>,
        notes: &images::Notes,
        options: &Options<'_>,
    ) -> Render {
        let target = job.target;
        let outcome = match &job.way {
            Err(blocked) => Outcome::Not(blocked.clone()),
            Ok(way) => match self.lay(job, way) {
                Err(blocked) => Outcome::Not(blocked),
                Ok(laid) => match self.rendered(job, (way, &laid), notes, options) {
                    Ok(rendered) => Outcome::Rendered(rendered),
                    Err(failed) => Outcome::Not(vec![Unrendered::of(&failed)]),
                },
            },
        };
        Render {
            kind: target.kind,
            path: target.shown.clone(),
            line: target.line,
            name: target.name.clone(),
            values: target
                .layers
                .iter()
                .map(|layer| layer.shown.clone())
                .collect(),
            outcome,
        }
    }

    fn rendered(
        &self,
        job: &Job<'_>,
        way: Laying<'_>,
        notes: &images::Notes,
        options: &Options<'_>,
    ) -> Result<Rendered, Failed> {
        let run = |side| self.run(job, way, side, None, options);
        let before = run(Side::Before)?;
        let mut rendered = Rendered {
            objects: objects(&before).len(),
            ..Rendered::default()
        };
        let after = if self.is_changed(job) {
            match run(Side::After) {
                Ok(after) => after,
                Err(Failed::Stopped) => return Err(Failed::Stopped),
                Err(failed) => {
                    rendered.differences.push(cannot_any_more(&failed));
                    return Ok(rendered);
                }
            }
        } else {
            // The same bytes give the same.
            before.clone()
        };
        let fine = Fine {
            rules: &job.rules,
            heals: job.heals,
        };
        let compared = settled(&before, &after, fine, &run)?;
        rendered.changed = compared.changed;
        rendered.healed = compared.healed;
        rendered.differences = compared.differences;
        rendered.derived = compared.derived;
        rendered.unstable = compared.unstable;
        let shown = images::images(&after, options.scan);
        rendered
            .differences
            .extend(malformed(&before, &after, &shown, options));
        let mut outside = outside(job, &shown, notes, options);
        self.try_moves(job, way, &mut outside, options);
        let rules = &job.target.rules;
        let is_ecr = |image: &&Image| rules.text_is_ecr(&image.reference);
        let in_ecr = shown
            .iter()
            .filter(is_ecr)
            .map(|image| image.reference.clone());
        rendered.in_ecr = in_ecr.collect();
        let found: BTreeSet<images::Outside> = outside.into_iter().map(|(one, _)| one).collect();
        rendered.outside = found.into_iter().collect();
        Ok(rendered)
    }

    /// Renders one side, perhaps with values over all others.
    fn run(
        &self,
        job: &Job<'_>,
        (way, laid): Laying<'_>,
        side: Side,
        more: Option<&Path>,
        options: &Options<'_>,
    ) -> Result<String, Failed> {
        let rendered = match way {
            Way::Build { folder, has_charts } => {
                let folder = laid.trees.place(side, folder);
                self.tools.build(&folder, *has_charts, options.stop)
            }
            Way::Template(chart) => {
                let own = laid.values.iter().map(|sides| sides[side as usize].clone());
                let values: Vec<PathBuf> = own.chain(more.map(Path::to_path_buf)).collect();
                let path = match chart {
                    Chart::Folder(folder) => laid.trees.place(side, folder),
                    Chart::Package(package) => package.clone(),
                };
                let release = match job.target.kind {
                    Kind::Release => &job.target.release,
                    Kind::Kustomization | Kind::Chart => &Deployed::default(),
                };
                let chart = engine::Chart {
                    path: &path,
                    skips_schema: laid.skips_schema,
                    name: release.name.as_deref(),
                    namespace: release.namespace.as_deref(),
                    values: &values,
                };
                self.tools.template(&chart, options.stop)
            }
        };
        rendered.map_err(|failed| match failed {
            Failed::Refused(talk) => Failed::Refused(laid.trees.without_copies(&talk)),
            other => other,
        })
    }

    /// Renders once more with the values that may move images into ECR, and keeps those that do: what they
    /// are is guessed by the texts, whether they do is shown.
    fn try_moves(
        &self,
        job: &Job<'_>,
        way: Laying<'_>,
        outside: &mut [(images::Outside, Vec<Moves>)],
        options: &Options<'_>,
    ) {
        let rounds = outside.iter().map(|(_, moves)| moves.len()).max();
        for round in 0..rounds.unwrap_or(0) {
            let open = |(one, moves): &&(images::Outside, Vec<Moves>)| {
                let is_open = matches!(&one.origin, Origin::ChartDefault { moved_by, .. } if moved_by.is_empty());
                is_open
                    && one.verdict.is_ok()
                    && moves.get(round).is_some_and(|all| !all.is_empty())
            };
            let tried = outside.iter().filter(open);
            let tried: Moves = tried.flat_map(|(_, moves)| moves[round].clone()).collect();
            if tried.is_empty() {
                continue;
            }
            let Some((text, more)) = self.tried(job, way, &tried, options) else {
                continue;
            };
            let moved = images::images(&text, options.scan);
            for (one, moves) in outside.iter_mut() {
                let Ok(wanted) = &one.verdict else { continue };
                let is_there = |image: &Image| image.reference == *wanted;
                let is_gone = !moved.iter().any(|image| image.reference == one.image);
                if let Origin::ChartDefault { moved_by, .. } = &mut one.origin
                    && moved_by.is_empty()
                    && is_gone
                    && moved.iter().any(is_there)
                    && let Some(moves) = moves.get(round)
                {
                    let shown = moves.iter().chain(&more);
                    *moved_by = shown
                        .map(|(path, text)| (images::shown_path(path), text.clone()))
                        .collect();
                }
            }
        }
    }

    /// A rendering with some values over all others, and the values that it needed besides: charts of
    /// Bitnami refuse other images unless a key allows them, which they name.
    fn tried(
        &self,
        job: &Job<'_>,
        way: Laying<'_>,
        moves: &Moves,
        options: &Options<'_>,
    ) -> Option<(String, Moves)> {
        let run = |moves: &Moves| {
            let values = images::values_of(moves.iter());
            let file = self
                .write(&values)
                .map_err(|error| Failed::Broken(error.to_string()))?;
            self.run(job, way, Side::After, Some(&file), options)
        };
        match run(moves) {
            Ok(text) => Some((text, Vec::new())),
            Err(Failed::Refused(talk)) if talk.contains(ALLOWS_INSECURE[2]) => {
                let path = ALLOWS_INSECURE.map(str::to_string).to_vec();
                let more = vec![(path, "true".to_string())];
                let text = run(&[moves.as_slice(), &more].concat()).ok()?;
                Some((text, more))
            }
            Err(_) => None,
        }
    }

    fn write(&self, values: &Value) -> io::Result<PathBuf> {
        let number = self.tried.fetch_add(1, Ordering::Relaxed);
        self.store
            .write(&format!("moves-{number}.json"), &values.to_string())
    }
}

/// What differs between the sides, told from what differs whenever one of them is rendered again.
fn settled(
    before: &str,
    after: &str,
    fine: Fine<'_>,
    run: &dyn Fn(Side) -> Result<String, Failed>,
) -> Result<Compared, Failed> {
    let mut compared = compare(before, after, None, fine);
    for pause in PAUSES {
        if compared.differences.is_empty() {
            break;
        }
        thread::sleep(pause);
        match (run(Side::Before), run(Side::After)) {
            (Ok(one), Ok(other)) => {
                compared = compare(before, after, Some([&one, &other]), fine);
            }
            (Err(Failed::Stopped), _) | (_, Err(Failed::Stopped)) => {
                return Err(Failed::Stopped);
            }
            // What differs, differs.
            (Err(_), _) | (_, Err(_)) => break,
        }
    }
    Ok(compared)
}

/// How something is rendered, and the copies for that.
type Laying<'l> = (&'l Way, &'l Laid<'l>);

/// The images of the second rendering that are none, and were not so in the first.
fn malformed(
    before: &str,
    after: &str,
    shown: &BTreeSet<Image>,
    options: &Options<'_>,
) -> Vec<Difference> {
    let bad = shown
        .iter()
        .filter(|image| images::is_malformed(&image.reference));
    let bad: Vec<&Image> = bad.collect();
    if bad.is_empty() || before == after {
        return Vec::new();
    }
    let known = images::images(before, options.scan);
    let new = bad.into_iter().filter(|image| {
        let mut known = known.iter();
        !known.any(|one| one.reference == image.reference)
    });
    let difference = |image: &Image| Difference {
        object: image.template.clone(),
        at: "image".to_string(),
        before: None,
        after: Some(image.reference.clone()),
        why: MALFORMED,
    };
    new.map(difference).collect()
}

fn outside(
    job: &Job<'_>,
    shown: &BTreeSet<Image>,
    notes: &images::Notes,
    options: &Options<'_>,
) -> Vec<(images::Outside, Vec<Moves>)> {
    let chart = match &job.way {
        Ok(Way::Template(chart)) => Some(match chart {
            Chart::Folder(folder) => folder.as_path(),
            Chart::Package(package) => package.as_path(),
        }),
        _ => None,
    };
    let layers = job.target.layers.iter();
    let inputs = Inputs {
        files: &job.files,
        is_input: &|path| job.is_input(path),
        shown: &|path| (options.shown)(path),
        chart,
        layers: layers
            .map(|layer| (layer.file.clone(), layer.shown.clone()))
            .collect(),
    };
    images::outside(shown, &job.target.rules, notes, &inputs)
}

fn cannot_any_more(failed: &Failed) -> Difference {
    Difference {
        object: String::new(),
        at: String::new(),
        before: None,
        after: Some(Unrendered::of(failed).detail),
        why: FAILED_AFTER,
    }
}
