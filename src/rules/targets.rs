//! Which rule set decides a file: the base, or one with the overrides for its path.

use std::path::Path;
use std::sync::Arc;

use globset::GlobSet;

use super::RuleSet;

/// The rule sets of a run. A file belongs to the one that its overrides, together, make.
#[derive(Clone, Debug)]
pub struct Targets {
    /// The globs of each override, over paths relative to the config's folder, in config order.
    overrides: Vec<GlobSet>,
    /// A rule set for each combination of overrides that the caller prepared.
    sets: Vec<(Vec<usize>, Arc<RuleSet>)>,
    base: Arc<RuleSet>,
}

impl Targets {
    /// One rule set for every file.
    pub fn single(set: RuleSet) -> Self {
        Self {
            overrides: Vec::new(),
            sets: Vec::new(),
            base: Arc::new(set),
        }
    }

    /// A base and overrides by path. `sets` holds, for each combination of matching overrides that
    /// occurs (indices into `overrides`, ascending), the rule set that they make.
    pub fn new(base: RuleSet, overrides: Vec<GlobSet>, sets: Vec<(Vec<usize>, RuleSet)>) -> Self {
        let sets = sets
            .into_iter()
            .map(|(key, set)| (key, Arc::new(set)))
            .collect();
        Self {
            overrides,
            sets,
            base: Arc::new(base),
        }
    }

    /// The rule set for the file at `path`, relative to the config's folder.
    pub fn for_path(&self, path: &Path) -> &Arc<RuleSet> {
        let matching = matching(&self.overrides, path);
        let found = self.sets.iter().find(|(key, _)| *key == matching);
        found.map_or(&self.base, |(_, set)| set)
    }

    /// The rule set for whatever no override matches.
    pub fn base(&self) -> &Arc<RuleSet> {
        &self.base
    }
}

/// The overrides whose globs match `path`, ascending.
pub(crate) fn matching(overrides: &[GlobSet], path: &Path) -> Vec<usize> {
    let matches = overrides
        .iter()
        .enumerate()
        .filter(|(_, globs)| globs.is_match(path));
    matches.map(|(index, _)| index).collect()
}
