//! Where the charts of releases come from: objects and lists that give a repository's URL a name.

use std::collections::{BTreeMap, BTreeSet};

use crate::helm::Wanted;
use crate::scan::ScannedFile;
use crate::sites::{ChartSource, Fact};

/// A URL, and the version that goes with it.
type Home<'a> = (&'a str, Option<&'a str>);

/// The chart that a release names, as what tells about charts is asked for it.
pub(super) fn wanted(source: &ChartSource) -> Option<Wanted<'_>> {
    Some(Wanted {
        repository: source.repository.as_deref(),
        chart: source.chart.as_deref()?,
        version: source.version.as_deref(),
    })
}

/// The URLs of repositories by the kind of what names them, and their names. A name that means several
/// is none.
pub(super) struct Homes<'a>(BTreeMap<(Option<&'a str>, &'a str), BTreeSet<Home<'a>>>);

impl<'a> Homes<'a> {
    pub(super) fn of(files: &'a [ScannedFile]) -> Self {
        let mut homes: BTreeMap<(Option<&str>, &str), BTreeSet<Home<'_>>> = BTreeMap::new();
        for fact in files.iter().flat_map(|file| &file.scan.facts) {
            if let Fact::ChartHome {
                kind,
                name,
                url,
                version,
            } = fact
            {
                let url = url.trim_end_matches('/');
                homes
                    .entry((kind.as_deref(), name))
                    .or_default()
                    .insert((url, version.as_deref()));
            }
        }
        Self(homes)
    }

    fn home(&self, kind: Option<&str>, name: &str) -> Option<Home<'a>> {
        let urls = self.0.get(&(kind, name))?;
        urls.first().filter(|_| urls.len() == 1).copied()
    }

    /// The chart with the URL of its repository, and its name in it. A chart may be written as
    /// `repository/name` (helmfile), as an OCI reference, or be all that an `OCIRepository` holds.
    pub(super) fn resolved(&self, source: &ChartSource) -> ChartSource {
        let kind = source.kind.as_deref();
        let repository = source.repository.as_deref();
        let home = repository.and_then(|name| self.home(kind, name));
        let version = source.version.clone();
        let version = version.or(home.and_then(|(_, version)| version.map(str::to_string)));
        let found = |repository: &str, chart: &str| ChartSource {
            repository: Some(repository.to_string()),
            chart: Some(chart.to_string()),
            kind: source.kind.clone(),
            version: version.clone(),
        };
        let url = home.map(|(url, _)| url).or(repository);
        match (url, source.chart.as_deref()) {
            (Some(url), Some(chart)) => found(url, chart),
            (None, Some(chart)) => match chart.rsplit_once('/') {
                Some((home, name)) if chart.contains("://") => found(home, name),
                Some((home, name)) => match self.home(None, home) {
                    Some((url, _)) => found(url, name),
                    None => source.clone(),
                },
                None => source.clone(),
            },
            (Some(url), None) => match url.rsplit_once('/') {
                Some((home, name)) if url.starts_with("oci://") => found(home, name),
                _ => source.clone(),
            },
            (None, None) => source.clone(),
        }
    }
}
