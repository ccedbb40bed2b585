//! `.helmignore`: the files of a chart's folder that are no part of the chart.

use regex::Regex;

use super::objects::glob;

/// The rules of a chart's `.helmignore`, with the one every chart has.
pub(crate) struct Ignored(Vec<Rule>);

struct Rule {
    pattern: Regex,
    /// Only folders.
    folder: bool,
    /// Everything but what matches.
    negated: bool,
    /// The whole path and not only the name.
    path: bool,
}

impl Ignored {
    /// Reads the rules; one that cannot be read is left out.
    pub(crate) fn new(text: &str) -> Self {
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.chain(["templates/.?*"]).filter_map(rule).collect())
    }

    /// Whether a file is ignored, or a folder it is in.
    pub(crate) fn covers(&self, path: &str) -> bool {
        let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        folders.into_iter().any(|folder| self.hits(folder, true)) || self.hits(path, false)
    }

    fn hits(&self, path: &str, is_folder: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        for rule in &self.0 {
            let fits = rule.pattern.is_match(if rule.path { path } else { name });
            let skipped = rule.folder && !is_folder;
            match rule.negated {
                true if skipped || !fits => return true,
                false if !skipped && fits => return true,
                _ => {}
            }
        }
        false
    }
}

fn rule(line: &str) -> Option<Rule> {
    let (negated, line) = match line.strip_prefix('!') {
        Some(line) => (true, line),
        None => (false, line),
    };
    let (folder, line) = match line.strip_suffix('/') {
        Some(line) => (true, line),
        None => (false, line),
    };
    if line.contains("**") {
        return None;
    }
    let pattern = Regex::new(&glob(line.strip_prefix('/').unwrap_or(line))).ok()?;
    Some(Rule {
        pattern,
        folder,
        negated,
        path: line.contains('/'),
    })
}
