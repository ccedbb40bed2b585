//! The proof: what Helm and kustomize render of the repository before and after the planned rewrite.
//!
//! The plan is not asked whether it is right. The real tools render two copies of the repository, of the
//! files that matter alone, and what comes out is compared object by object: names of images may differ, as
//! the rules say, and nothing else.
//!
//! * [`targets`](mod@targets): what is rendered
//! * `closure`: what a kustomization takes in, and what of that is not at hand
//! * `packages`: packages of charts, in the repository and in Helm's cache
//! * `remotes`: which repository this one is
//! * `tree`: the two copies
//! * `prepare`: what goes into each rendering, and how it is laid out
//! * [`engine`]: the tools, and what they may not do
//! * `schemas`: those that Helm would fetch
//! * `render`: one rendering after the other
//! * [`compare`]: what two renderings differ in
//! * [`images`]: what stays outside of ECR, and where it comes from
//! * [`unrendered`]: why something is not rendered

mod closure;
pub mod compare;
pub mod engine;
pub mod images;
mod packages;
mod prepare;
mod remotes;
mod render;
mod schemas;
pub mod targets;
mod tree;
pub mod unrendered;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

pub use compare::Difference;
pub use engine::{Engines, Limits};
pub use images::{Notes, Origin, Outside};
pub use remotes::Remotes;
pub use targets::{Kind, Target, targets};
pub use tree::{Changes, Texts};
pub use unrendered::{Unrendered, Why};

use crate::helm::HelmCache;
use crate::plan::Plan;
use crate::scan;

/// What a proof goes by.
pub struct Options<'o> {
    /// The tools.
    pub engines: &'o Engines,
    /// The folders beyond which nothing is read.
    pub roots: &'o [PathBuf],
    /// Where Helm keeps what it has fetched.
    pub cache: Option<&'o HelmCache>,
    /// What renderings are scanned with.
    pub scan: &'o scan::Options,
    /// Says when to give up.
    pub stop: &'o (dyn Fn() -> bool + Sync),
    /// Is told how many of how many are done.
    pub progress: &'o (dyn Fn(usize, usize) + Sync),
    /// How a real path is shown.
    pub shown: &'o (dyn Fn(&Path) -> PathBuf + Sync),
}

/// What a proof shows.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Everything that was to be rendered: kustomizations, charts, releases.
    pub renders: Vec<Render>,
    /// The files that change and go into none of what is rendered, as they are shown.
    pub unseen: Vec<PathBuf>,
}

/// One thing that was to be rendered.
#[derive(Clone, Debug)]
pub struct Render {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub path: PathBuf,
    /// The line of a release.
    pub line: Option<usize>,
    /// The name of a release or chart.
    pub name: Option<String>,
    /// The values over those of the chart, the earliest first: their files.
    pub values: Vec<PathBuf>,
    /// What came out.
    pub outcome: Outcome,
}

/// What came out of a rendering.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was rendered before and after.
    Rendered(Rendered),
    /// It was not, and why.
    Not(Vec<Unrendered>),
}

/// Two renderings.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// How many objects there are.
    pub objects: usize,
    /// The images that changed, before and after.
    pub changed: BTreeSet<(String, String)>,
    /// Images in ECR that got the tag of a name which meets them again, before and after.
    pub healed: BTreeSet<(String, String)>,
    /// What else differs: nothing, when the plan is right.
    pub differences: Vec<Difference>,
    /// Texts that are computed of others with images.
    pub derived: usize,
    /// Places that differ between two renderings of the same.
    pub unstable: usize,
    /// The images that come from ECR afterwards.
    pub in_ecr: BTreeSet<String>,
    /// Those that do not.
    pub outside: Vec<Outside>,
}

impl Render {
    /// Whether it differs in anything but images.
    pub fn is_different(&self) -> bool {
        self.rendered()
            .is_some_and(|one| !one.differences.is_empty())
    }

    /// What was rendered.
    pub fn rendered(&self) -> Option<&Rendered> {
        match &self.outcome {
            Outcome::Rendered(rendered) => Some(rendered),
            Outcome::Not(_) => None,
        }
    }
}

impl Proof {
    /// Whether anything differs in more than images.
    pub fn fails(&self) -> bool {
        self.renders.iter().any(Render::is_different)
    }
}

/// The new texts of a plan.
pub fn changes(plan: &Plan) -> Changes {
    let changed = plan.files.iter().filter_map(|file| {
        let texts = Texts {
            before: file.source.text.clone(),
            after: file.after.clone()?,
            rules: Arc::clone(&file.rules),
            heals: file.changes.iter().any(|change| change.heals),
        };
        Some((file.source.real.clone(), texts))
    });
    changed.collect()
}

/// Renders the targets before and after the changes, and compares.
///
/// Of what is not among the given paths, only what takes in a file that changes is rendered.
///
/// # Errors
///
/// When the copies cannot be made.
pub fn prove(
    targets: &[Target],
    changes: &Changes,
    notes: &Notes,
    options: &Options<'_>,
) -> io::Result<Proof> {
    let prepared = prepare::Prepared::of(targets, changes, options)?;
    let all = prepared.jobs.len();
    let done = AtomicUsize::new(0);
    let renders = prepared.jobs.par_iter().with_max_len(1).map(|job| {
        let render = prepared.render(job, notes, options);
        (options.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, all);
        render
    });
    let renders: Vec<Render> = renders.collect();
    let is_seen = |path: &&PathBuf| {
        let mut all = prepared.jobs.iter().zip(&renders);
        all.any(|(job, render)| render.rendered().is_some() && job.is_input(path))
    };
    let unseen = changes.keys().filter(|path| !is_seen(path));
    let mut proof = Proof {
        unseen: unseen.map(|path| (options.shown)(path)).collect(),
        renders,
    };
    proof.renders.sort_by(|a, b| {
        let key = |one: &Render| (one.kind, one.path.clone(), one.line, one.values.clone());
        key(a).cmp(&key(b))
    });
    let mut told = BTreeSet::new();
    proof.renders.retain(|one| match &one.outcome {
        Outcome::Rendered(_) => true,
        // Of the ways to put a release together that all fail alike, one says it.
        Outcome::Not(why) => told.insert((one.kind, one.path.clone(), one.line, why.clone())),
    });
    Ok(proof)
}
