//! Which rule sets decide a file: those of the files that deploy it.
//!
//! A place has a target of its own when the config says something about its path. What takes a file
//! in from elsewhere decides, if it has a target of its own; below a kustomization's own folder the
//! more specific path does, so that one kustomization may gather all environments. A file that only
//! points at a folder may itself belong to another cluster: what it says counts beside what the
//! folder says, and where the two differ nothing is sure.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::RulesFor;
use crate::link::{Deployer, Deployers, How};
use crate::rules::RuleSet;
use crate::scan::ScannedFile;
use crate::sites::counts_by_name;
use crate::walk::CONFIG_NAME;

/// A rule set that decides a file, and the place that led to it.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) rules: Arc<RuleSet>,
    /// The place, as it is shown.
    pub(super) place: PathBuf,
}

/// The targets of a file.
pub(super) struct Targets {
    pub(super) first: Target,
    /// Those that differ from it.
    pub(super) others: Vec<Target>,
}

/// The targets of every file.
pub(super) fn of(
    files: &[ScannedFile],
    deployers: &Deployers,
    rules_for: RulesFor<'_>,
) -> Vec<Targets> {
    let mut graph = Graph::of(files, deployers, rules_for);
    graph.settle();
    graph.by_file(files, rules_for)
}

type NodeId = usize;

/// The places where files stand, and the steps between them.
struct Graph<'a> {
    /// The target that its own path gives each place.
    own: Vec<Target>,
    steps: Vec<Vec<(NodeId, How)>>,
    above: Vec<Vec<NodeId>>,
    places: Vec<&'a Path>,
    ids: HashMap<&'a OsStr, NodeId>,
    targets: Vec<Vec<Target>>,
    /// The target of whatever the config says nothing about.
    base: Arc<RuleSet>,
}

impl<'a> Graph<'a> {
    fn of(files: &'a [ScannedFile], deployers: &'a Deployers, rules_for: RulesFor<'_>) -> Self {
        let mut graph = Self {
            own: Vec::new(),
            steps: Vec::new(),
            above: Vec::new(),
            places: Vec::new(),
            ids: HashMap::new(),
            targets: Vec::new(),
            base: rules_for(Path::new(CONFIG_NAME)),
        };
        // Most files of a large repository name no image, and nobody asks for their target.
        let is_asked =
            |file: &&ScannedFile| !file.scan.sites.is_empty() || !file.source.links.is_empty();
        for file in files.iter().filter(is_asked) {
            for place in file.source.places() {
                graph.node(file, place, rules_for);
            }
        }
        for (&to, deployers) in deployers {
            for Deployer {
                by,
                from,
                place,
                how,
            } in deployers
            {
                let from = graph.node(&files[*by], from, rules_for);
                let to = graph.node(&files[to], place, rules_for);
                graph.steps[from].push((to, *how));
                graph.above[to].push(from);
            }
        }
        graph
    }

    fn node(&mut self, file: &ScannedFile, place: &'a Path, rules_for: RulesFor<'_>) -> NodeId {
        if let Some(&id) = self.ids.get(place.as_os_str()) {
            return id;
        }
        let id = self.places.len();
        self.ids.insert(place.as_os_str(), id);
        self.places.push(place);
        self.own.push(Target {
            rules: rules_for(place),
            place: shown(file, place),
        });
        self.steps.push(Vec::new());
        self.above.push(Vec::new());
        self.targets.push(Vec::new());
        id
    }

    /// Lets targets run down every step, from the places that nothing deploys.
    fn settle(&mut self) {
        for id in 0..self.places.len() {
            if self.above[id].is_empty() {
                self.start(id);
            }
        }
        // What is left hangs on a ring of files that deploy each other.
        for id in 0..self.places.len() {
            while self.targets[id].is_empty() {
                let start = self.ring_above(id);
                self.start(start);
            }
        }
    }

    /// A place of the ring that keeps `id` without a target.
    fn ring_above(&self, id: NodeId) -> NodeId {
        let mut seen = std::collections::BTreeSet::new();
        let mut at = id;
        while seen.insert(at) {
            let open = |&&above: &&NodeId| self.targets[above].is_empty();
            let Some(&above) = self.above[at].iter().find(open) else {
                return at;
            };
            at = above;
        }
        at
    }

    fn start(&mut self, id: NodeId) {
        let own = self.own[id].clone();
        let mut pending = vec![(id, own)];
        while let Some((id, target)) = pending.pop() {
            let known = |known: &Target| Arc::ptr_eq(&known.rules, &target.rules);
            if self.targets[id].iter().any(known) {
                continue;
            }
            self.targets[id].push(target.clone());
            for &(to, how) in &self.steps[id] {
                let (first, second) = self.step(id, to, how, &target);
                pending.push((to, first));
                pending.extend(second.map(|second| (to, second)));
            }
        }
    }

    /// What `target` of the place `from` becomes at the place `to`.
    fn step(
        &self,
        from: NodeId,
        to: NodeId,
        how: How,
        target: &Target,
    ) -> (Target, Option<Target>) {
        let own = self.own[to].clone();
        if Arc::ptr_eq(&own.rules, &target.rules) {
            return (target.clone(), None);
        }
        let below = self.places[from]
            .parent()
            .is_some_and(|folder| self.places[to].starts_with(folder));
        if below && Arc::ptr_eq(&own.rules, &self.own[from].rules) {
            return (target.clone(), None);
        }
        if below || self.says_nothing(&target.rules) {
            return (own, None);
        }
        let differs = !self.says_nothing(&own.rules) && !Arc::ptr_eq(&own.rules, &target.rules);
        (
            target.clone(),
            (how == How::PointsAt && differs).then_some(own),
        )
    }

    fn says_nothing(&self, rules: &Arc<RuleSet>) -> bool {
        Arc::ptr_eq(rules, &self.base) || rules.registry().is_none()
    }

    fn by_file(&self, files: &[ScannedFile], rules_for: RulesFor<'_>) -> Vec<Targets> {
        let of = |file: &ScannedFile| {
            let named = file.source.places().any(counts_by_name);
            let counts = |place: &&Path| !named || counts_by_name(place);
            let places = file.source.places().filter(counts);
            let taken = |place: &Path| self.ids.get(place.as_os_str()).map(|&id| &self.targets[id]);
            let mut targets: BTreeMap<*const RuleSet, Target> = BTreeMap::new();
            for target in places.filter_map(taken).flatten() {
                targets
                    .entry(Arc::as_ptr(&target.rules))
                    .or_insert_with(|| target.clone());
            }
            let mut targets: Vec<Target> = targets.into_values().collect();
            targets.sort_by(|a, b| a.place.cmp(&b.place));
            // A place without any registry leaves the word to the others.
            if targets.len() > 1
                && targets
                    .iter()
                    .any(|target| target.rules.registry().is_some())
            {
                targets.retain(|target| target.rules.registry().is_some());
            }
            let mut targets = targets.into_iter();
            let first = targets.next().unwrap_or_else(|| Target {
                rules: rules_for(&file.source.real),
                place: file.source.path.clone(),
            });
            Targets {
                first,
                others: targets.collect(),
            }
        };
        files.iter().map(of).collect()
    }
}

/// A place of a file as people see it: relative to the same folder as the file's own path.
fn shown(file: &ScannedFile, place: &Path) -> PathBuf {
    let (path, real) = (&file.source.path, &file.source.real);
    let depth = path.components().count();
    let root = real.ancestors().nth(depth).filter(|_| real.ends_with(path));
    root.and_then(|root| place.strip_prefix(root).ok())
        .unwrap_or(if place == real { path } else { place })
        .to_path_buf()
}
