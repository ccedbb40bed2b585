//! Vendored charts: copies of other charts that the next dependency update overwrites.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::normalise;
use crate::reason::Reason;
use crate::scan::ScannedFile;
use crate::sites::Fact;

/// Where a chart keeps its dependencies.
const CHARTS: &str = "charts";

/// A folder below which copies lie, and the charts that are copies.
#[derive(Default)]
struct Homes<'a> {
    /// Folders named exactly after the chart (`charts/redis`).
    exact: HashMap<PathBuf, Vec<&'a str>>,
    /// Folders named after the chart and a version, too (`charts/redis-18.0.0`).
    versioned: HashMap<PathBuf, Vec<&'a str>>,
    /// What charts call themselves, by their folder.
    names: HashMap<PathBuf, &'a str>,
}

/// The files that lie in vendored charts.
pub(super) fn held(files: &[ScannedFile]) -> BTreeMap<usize, (Reason, String)> {
    let homes = Homes::of(files);
    if homes.exact.is_empty() && homes.versioned.is_empty() {
        return BTreeMap::new();
    }
    let vendored = files.iter().enumerate().filter_map(|(index, file)| {
        let chart = file.source.real.ancestors().skip(1).find(|folder| homes.holds(folder))?;
        let name = chart.file_name().unwrap_or_default().to_string_lossy();
        let detail = format!(
            "it lies in the vendored chart `{name}`, which the next dependency update overwrites; set the image in the values of the chart that uses it"
        );
        Some((index, (Reason::VendoredChart, detail)))
    });
    vendored.collect()
}

impl<'a> Homes<'a> {
    fn of(files: &'a [ScannedFile]) -> Self {
        let mut homes = Self::default();
        let places = files
            .iter()
            .flat_map(|file| file.source.places().map(move |place| (file, place)));
        for (file, place) in places {
            let folder = place.parent().unwrap_or(Path::new(""));
            for fact in &file.scan.facts {
                if let Fact::Chart(chart) = fact
                    && let Some(name) = &chart.name
                {
                    homes.names.insert(folder.to_path_buf(), name);
                }
                match fact {
                    Fact::Chart(chart) if !chart.dependencies.is_empty() => {
                        let names = chart.dependencies.iter();
                        homes
                            .exact
                            .entry(folder.join(CHARTS))
                            .or_default()
                            .extend(names.map(|dependency| dependency.name.as_str()));
                    }
                    Fact::InflatedCharts { home, names } => homes
                        .versioned
                        .entry(normalise(&folder.join(home)))
                        .or_default()
                        .extend(names.iter().map(String::as_str)),
                    _ => {}
                }
            }
        }
        homes
    }

    fn holds(&self, folder: &Path) -> bool {
        let (Some(home), Some(name)) =
            (folder.parent(), folder.file_name().and_then(|n| n.to_str()))
        else {
            return false;
        };
        let versioned = |chart: &&str| {
            name.strip_prefix(*chart)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let own = self.names.get(folder).copied();
        let listed = |charts: &Vec<&str>| {
            charts.contains(&name) || own.is_some_and(|own| charts.contains(&own))
        };
        self.exact.get(home).is_some_and(listed)
            || self
                .versioned
                .get(home)
                .is_some_and(|charts| charts.iter().any(versioned))
    }
}
