//! References to charts that cannot come out of a cache: which versions are in a range is looked up among
//! the tags of the upstream, and a lock is made of the address.
//!
//! What their own files show has held them already; this is about what other files say.

use super::layers::folder_of;
use super::{Group, SiteId};
use crate::helm::Charts;
use crate::scan::ScannedFile;
use crate::sites::{CHART_FOLDER, ChartSource, Fact, OCI, Release, is_chart_name, of_range};

/// Files in which Helm keeps what it has made of a chart's dependencies.
const LOCKS: &[&str] = &["Chart.lock", "requirements.lock"];
/// The kind of what is the home of one chart: it says itself which version.
const ONE_CHART: &str = "OCIRepository";

/// A blocked group for each address of charts that has to stay.
pub(super) fn groups(files: &[ScannedFile], known: &dyn Charts) -> Vec<Group> {
    let folders = files.iter().enumerate().flat_map(|(file, scanned)| {
        let sites = scanned.scan.sites.iter().enumerate();
        let folders = sites.filter(|(_, site)| site.finder == CHART_FOLDER);
        folders.map(move |(site, _)| SiteId { file, site })
    });
    let blocked = folders.filter_map(|id| {
        let why = locked(&files[id.file], known).or_else(|| ranged(files, id))?;
        Some(Group {
            label: "the charts below an address".to_string(),
            members: vec![id],
            blocked: Some(why),
        })
    });
    blocked.collect()
}

/// Why the addresses in a chart stay of which Helm has made a lock.
fn locked(file: &ScannedFile, known: &dyn Charts) -> Option<String> {
    if !is_chart_name(&file.source.real) {
        return None;
    }
    let folder = folder_of(file);
    let is_there = |name: &&&str| known.text_of(&folder.join(name)).is_some();
    let lock = LOCKS.iter().find(is_there)?;
    Some(format!(
        "the digest in `{lock}` is made of it; change it by hand and run `helm dependency update`"
    ))
}

/// Why the address of a repository stays of whose charts a release takes a range of versions.
fn ranged(files: &[ScannedFile], id: SiteId) -> Option<String> {
    let scan = &files[id.file].scan;
    let address = scan.sites[id.site].text();
    let names = scan.facts.iter().filter_map(|fact| match fact {
        Fact::ChartHome {
            kind, name, url, ..
        } if is_same(url, address) && kind.as_deref() != Some(ONE_CHART) => {
            Some((kind.as_deref(), name.as_str()))
        }
        _ => None,
    });
    let names: Vec<(Option<&str>, &str)> = names.collect();
    let takes = |release: &Release| {
        let is_its = |&name: &(Option<&str>, &str)| is_from(&release.source, name);
        let takes = release.has_chart && names.iter().any(is_its);
        takes.then(|| of_range(release.source.version.as_deref()))?
    };
    files.iter().find_map(|file| {
        let mut facts = file.scan.facts.iter();
        let (release, why) = facts.find_map(|fact| match fact {
            Fact::Release(release) => Some((release, takes(release)?)),
            _ => None,
        })?;
        let chart = release.source.chart.as_deref().unwrap_or("a chart");
        let place = file.source.path.display();
        Some(format!("`{chart}` of it in {place}: {why}"))
    })
}

/// Whether the URL of a repository is an address, with or without the scheme.
fn is_same(url: &str, address: &str) -> bool {
    url.strip_prefix(OCI).unwrap_or(url).trim_end_matches('/') == address
}

/// Whether a chart is one of the repository of this kind and name; `name/chart` in a helmfile.
fn is_from(source: &ChartSource, (kind, name): (Option<&str>, &str)) -> bool {
    match &source.repository {
        Some(repository) => repository == name && source.kind.as_deref() == kind,
        None => {
            let chart = source
                .chart
                .as_deref()
                .and_then(|chart| chart.split_once('/'));
            kind.is_none() && chart.is_some_and(|(home, _)| home == name)
        }
    }
}
