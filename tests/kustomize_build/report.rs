//! The program's own account of a run, as its json report has it: which images it leaves, and where.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::common::ecr::canonical;
use super::common::{REGISTRY, run};

/// What every run is told.
pub const TARGET: &[&str] = &["--no-config", "--registry", REGISTRY, "--rules", "default"];
/// Left because whatever takes it in sets another image: no reason for what is deployed.
const PLACEHOLDER: &str = "kustomize-placeholder";

/// A place that names an image.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its file.
    pub path: PathBuf,
    /// Where in it.
    pub at: String,
    /// What it says.
    pub original: String,
    /// Whether it changes.
    pub changes: bool,
    /// Why not.
    pub reason: String,
    /// What it hangs together with.
    pub groups: BTreeSet<String>,
    /// The codes of what a check finds.
    findings: Vec<String>,
}

/// What a run would do.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Everything that names an image.
    pub sites: Vec<Site>,
    /// Files with findings that are no site's.
    findings: Vec<(PathBuf, String)>,
}

impl Report {
    /// The report on `folder`, without writing.
    pub fn of(folder: &Path, arguments: &[&str]) -> Self {
        let how = ["--dry-run", "--format", "json"];
        let (_, output, talk) = run(folder, &[arguments, &how, TARGET].concat());
        let report: Value =
            serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {talk}"));
        let list = |key: &str| report[key].as_array().cloned().unwrap_or_default();
        Self {
            sites: list("sites").iter().map(site).collect(),
            findings: list("findings")
                .iter()
                .map(|finding| (path(finding), text(finding, "code")))
                .collect(),
        }
    }

    /// Whether it says, of one of these files, that an image stays. That something else will set it
    /// is said of what nothing deploys as it is, and so not of a `root`.
    pub fn says_it_stays(&self, reference: &str, files: &BTreeSet<PathBuf>, root: bool) -> bool {
        self.sites.iter().any(|site| {
            !site.changes
                && files.contains(&site.path)
                && canonical(&site.original).is_some_and(|name| Some(name) == canonical(reference))
                && !(root && site.reason == PLACEHOLDER)
        })
    }

    /// What it changes without the file `member`, although it hangs together with something that, in a
    /// report of everything, changes in that file.
    pub fn moves_alone(&self, everything: &Self, member: &Path) -> Vec<String> {
        let its = |site: &&Site| site.changes && site.path == member;
        let groups = everything
            .sites
            .iter()
            .filter(its)
            .flat_map(|site| &site.groups);
        let groups: BTreeSet<&String> = groups.collect();
        let together = |site: &&Site| site.groups.iter().any(|group| groups.contains(group));
        let together = everything.sites.iter().filter(together);
        let together: BTreeSet<(&PathBuf, &String)> =
            together.map(|site| (&site.path, &site.at)).collect();
        let alone = |site: &&Site| site.changes && together.contains(&(&site.path, &site.at));
        let said = |site: &Site| {
            format!(
                "{} {} changes, and {} does not",
                site.path.display(),
                site.at,
                member.display()
            )
        };
        self.sites.iter().filter(alone).map(said).collect()
    }

    /// Whether a check finds this in one of these files.
    pub fn finds(&self, code: &str, files: &BTreeSet<PathBuf>) -> bool {
        let of_sites = self
            .sites
            .iter()
            .flat_map(|site| site.findings.iter().map(|code| (&site.path, code)));
        let others = self.findings.iter().map(|(path, code)| (path, code));
        of_sites
            .chain(others)
            .any(|(path, found)| found == code && files.contains(path))
    }
}

fn site(site: &Value) -> Site {
    let list = |key: &str| site[key].as_array().cloned().unwrap_or_default();
    let text_of = |value: &Value| value.as_str().map(Into::into);
    Site {
        path: path(site),
        at: format!("{} {}", site["document"], text(site, "keyPath")),
        original: text(site, "original"),
        changes: site["verdict"] == "change",
        reason: text(site, "reason"),
        groups: list("groups").iter().filter_map(text_of).collect(),
        findings: list("findings")
            .iter()
            .map(|finding| text(finding, "code"))
            .collect(),
    }
}

fn path(of: &Value) -> PathBuf {
    let path = text(of, "path");
    PathBuf::from(path.strip_prefix("./").unwrap_or(&path))
}

fn text(of: &Value, key: &str) -> String {
    of[key].as_str().unwrap_or("").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(reason: &str, changes: bool) -> Report {
        let site = Site {
            path: "base/app.yaml".into(),
            at: "0 spec".into(),
            original: "nginx:1.27".into(),
            changes,
            reason: reason.into(),
            groups: BTreeSet::new(),
            findings: vec!["stale-kustomize-name".into()],
        };
        Report {
            sites: vec![site],
            findings: Vec::new(),
        }
    }

    fn files(path: &str) -> BTreeSet<PathBuf> {
        BTreeSet::from([path.into()])
    }

    #[test]
    fn only_a_site_that_stays_in_a_file_that_counts_says_so() {
        let own = files("base/app.yaml");
        let held = report("group-incomplete", false);
        for reference in [
            "nginx:1.28",
            "docker.io/library/nginx",
            "index.docker.io/nginx:1",
        ] {
            assert!(held.says_it_stays(reference, &own, true), "{reference}");
        }
        assert!(!held.says_it_stays("redis:7", &own, true));
        assert!(!held.says_it_stays("quay.io/library/nginx", &own, true));
        assert!(!held.says_it_stays("nginx:1.28", &files("other/app.yaml"), true));
        assert!(!report("", true).says_it_stays("nginx:1.28", &own, true));
    }

    #[test]
    fn a_placeholder_is_no_reason_for_what_is_deployed() {
        let own = files("base/app.yaml");
        let placeholder = report(PLACEHOLDER, false);
        assert!(placeholder.says_it_stays("nginx:1.28", &own, false));
        assert!(!placeholder.says_it_stays("nginx:1.28", &own, true));
    }

    #[test]
    fn what_changes_without_its_group_is_found() {
        let sites = |overlay: bool| {
            let mut both = report("", true);
            both.sites[0].groups = BTreeSet::from(["nginx".to_string()]);
            let mut other = both.sites[0].clone();
            (other.path, other.changes) = ("overlay/kustomization.yaml".into(), overlay);
            both.sites.push(other);
            both
        };
        let member = Path::new("overlay/kustomization.yaml");
        assert_eq!(sites(false).moves_alone(&sites(true), member).len(), 1);
        // What changes without the member anyway, and what has no group.
        assert!(sites(false).moves_alone(&sites(false), member).is_empty());
        assert!(
            report("", true)
                .moves_alone(&report("", true), member)
                .is_empty()
        );
    }

    #[test]
    fn findings_are_those_of_the_files_that_count() {
        let held = report("group-incomplete", false);
        assert!(held.finds("stale-kustomize-name", &files("base/app.yaml")));
        assert!(!held.finds("stale-kustomize-name", &files("app.yaml")));
        assert!(!held.finds("no-rule", &files("base/app.yaml")));
    }
}
