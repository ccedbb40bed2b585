//! Charts in OCI registries: the addresses by which Flux, Argo CD and others fetch them.
//!
//! They are sites only on request (`--charts`). What fetches a chart logs in to ECR by itself, not as a
//! node does; and a cache lists no tags but those that were pulled through it, so that nobody can look
//! up there which versions are in a range (aws/containers-roadmap#1855).

use std::collections::HashSet;
use std::path::Path;

use super::{Bit, Found, KeyPath, Object, Shape, Site, argo, chart, embedded, flux, object};
use crate::image;
use crate::reason::Reason;
use crate::yaml::{Document, Kind, NodeId};

/// The finder of addresses of one chart.
pub const CHART: &str = "chart";
/// The finder of addresses below which charts lie.
pub const CHART_FOLDER: &str = "chart-folder";
/// What the addresses begin with.
pub const SCHEME: &str = "oci://";

/// What becomes of references to charts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChartRefs {
    /// They are no sites.
    #[default]
    Left,
    /// They are sites like images.
    Sought,
}

/// Why an address stays whose reader is not known.
const UNKNOWN: &str = "a chart or artifact in an OCI registry, and nothing is known here of what reads it; change it by hand if that can log in to ECR";
/// Why an address stays of which a digest beside it says what is fetched.
const BY_DIGEST: &str = "it is fetched by digest, which does not fill a cold cache; name a tag, or fetch that through the cache once and change the address by hand";
/// Stands in the ways to values of charts.
const VALUES: &str = ".helm.values";
/// The list of a project of Argo CD.
const ALLOWED: &str = "sourceRepos[";
/// Why an address stays of which nobody can tell what is fetched.
const FILLED: &str = "its `ref` is filled in elsewhere and may be a range of versions, which a cache cannot look up; write a tag out";
/// Why an address for Fleet stays.
const BESIDE_CHART: &str = "how Fleet joins it to the `chart` beside it is not followed; write the whole address into `chart`";

/// What an address names.
#[derive(Clone, Copy)]
enum Names {
    /// One chart, or another artifact.
    One,
    /// The place that the names of charts are joined to.
    Folder,
}

/// Which version of a chart is fetched.
enum Version {
    /// This one, or any that is in this range; any at all without.
    Said(Option<String>),
    /// Others say so, or it is a tag by what it is.
    Elsewhere,
}

/// Adds the addresses of charts in a document of the file at `path`, and takes the place of what others
/// have found there.
pub(super) fn find(
    path: &Path,
    text: &str,
    document: &Document<'_>,
    objects: &[Object<'_>],
    found: &mut Found,
) {
    let mut reader = Reader {
        text,
        document,
        seen: HashSet::new(),
        sites: Vec::new(),
    };
    objects.iter().for_each(|object| reader.object(object));
    if chart::is_chart_name(path) {
        reader.dependencies();
    } else if !object::starts_object(document, 0) {
        reader.helmfile();
        reader.fleet();
    }
    if !object::holds_none(document) {
        reader.others();
    }
    let sites = reader.sites;
    let known: HashSet<usize> = sites
        .iter()
        .flat_map(super::spans)
        .map(|span| span.start)
        .collect();
    let is_other = |site: &Site| !super::spans(site).any(|span| known.contains(&span.start));
    if !known.is_empty() {
        found.sites.retain(is_other);
        found.unproven.retain(is_other);
    }
    found.sites.extend(sites);
}

/// Whether a version is one, and no range: as Flux reads it, which looks anything else up among the tags
/// (fluxcd/pkg `version.ParseVersion`).
pub fn is_exact(version: &str) -> bool {
    let version = version.strip_prefix('v').unwrap_or(version);
    let (version, build) = version.split_once('+').unwrap_or((version, "0"));
    let (numbers, pre) = version.split_once('-').unwrap_or((version, "0"));
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    numbers.split('.').count() == 3
        && numbers.split('.').all(is_number)
        && pre.split('.').all(is_word)
        && build.split('.').all(is_word)
}

/// Why a chart cannot come out of a cache of which a range of versions is fetched; nothing for one version.
pub fn of_range(version: Option<&str>) -> Option<String> {
    let what = match version {
        Some(version) if is_exact(version) => return None,
        Some(version) if image::is_filled(version) => {
            format!("its version `{version}` is filled in elsewhere and may be a range")
        }
        Some(version) => format!("its version `{version}` is a range"),
        None => "it has no version, so that the newest one is meant".to_string(),
    };
    Some(format!(
        "{what}, which is looked up in the list of tags: a cache lists only those that were pulled through it; write one version out"
    ))
}

/// Reads the addresses of one document.
struct Reader<'r, 'd> {
    text: &'r str,
    document: &'d Document<'d>,
    /// The scalars that were looked at.
    seen: HashSet<NodeId>,
    sites: Vec<Site>,
}

impl Reader<'_, '_> {
    fn object(&mut self, object: &Object<'_>) {
        let document = self.document;
        let spec = document.get(object.node, "spec");
        match (object.group, object.kind) {
            ("source.toolkit.fluxcd.io", "OCIRepository") => {
                let url = spec.and_then(|spec| document.get(spec, "url"));
                let refs = spec.and_then(|spec| document.get(spec, "ref"));
                let is_map = |node: NodeId| matches!(document.node(node).kind, Kind::Mapping);
                let filled = refs
                    .filter(|&node| !is_map(node))
                    .map(|_| FILLED.to_string());
                // A digest counts before a range, and that before a tag.
                let pinned = refs.and_then(|node| document.get(node, "digest"));
                let pinned = pinned.map(|_| BY_DIGEST.to_string());
                let range = refs.and_then(|node| self.version(node, "semver"));
                let range = range
                    .and_then(|range| of_range(Some(&range)).or_else(|| Some(looked_up(&range))));
                let hold = filled.or(pinned).or(range);
                self.add(url, Names::One, &Version::Elsewhere, hold.map(incomplete));
            }
            ("source.toolkit.fluxcd.io", "HelmRepository") => {
                let url = spec.and_then(|spec| document.get(spec, "url"));
                self.add(url, Names::Folder, &Version::Elsewhere, None);
            }
            ("argoproj.io", _) => {
                let sources = argo::sources(document, object);
                sources.into_iter().for_each(|source| self.argo(source));
            }
            ("helm.cattle.io", "HelmChart") => {
                let chart = spec.and_then(|spec| document.get(spec, "chart"));
                let version = spec.and_then(|spec| self.version(spec, "version"));
                self.add(chart, Names::One, &Version::Said(version), None);
            }
            ("kustomize.config.k8s.io", "Kustomization" | "Component") => {
                for chart in self.items(object.node, "helmCharts") {
                    self.chart(chart, "repo");
                }
            }
            (_, "HelmChartInflationGenerator") => self.chart(object.node, "repo"),
            _ => {}
        }
    }

    /// A source of an Application: a chart below an address, or all of what an address holds.
    fn argo(&mut self, source: NodeId) {
        let document = self.document;
        let Some(url) = document.get(source, "repoURL") else {
            return;
        };
        // What a chart makes of its values is its own matter.
        if KeyPath::of(document, source).as_str().contains(VALUES) {
            return;
        }
        let text = document.text(url).unwrap_or("");
        let version = self.version(source, "targetRevision");
        if document.get(source, "chart").is_some() {
            // Without a scheme it is one in an OCI registry, too (Argo CD `util/helm.IsHelmOciRepo`).
            // What is filled in may as well be a classical one.
            let is_written =
                !text.starts_with(['{', '<']) && (text.contains('/') || !text.starts_with('$'));
            let is_bare = !text.contains("://") && is_written && image::begins_with_host(text);
            if is_bare {
                self.site(url, 0, Names::Folder, &Version::Said(version), None);
            } else {
                self.add(Some(url), Names::Folder, &Version::Said(version), None);
            }
        } else {
            let is_pinned = version
                .as_ref()
                .is_some_and(|version| version.starts_with("sha256:"));
            let hold = is_pinned.then(|| incomplete(BY_DIGEST.to_string()));
            let version = match version {
                Some(tag) if is_tag(&tag) => Version::Elsewhere,
                other => Version::Said(other),
            };
            self.add(Some(url), Names::One, &version, hold);
        }
    }

    /// A map with the repository of a chart under `key`, and its version.
    fn chart(&mut self, map: NodeId, key: &str) {
        let version = self.version(map, "version");
        let home = self.document.get(map, key);
        self.add(home, Names::Folder, &Version::Said(version), None);
    }

    /// What a `Chart.yaml` brings.
    fn dependencies(&mut self) {
        for dependency in self.items(0, "dependencies") {
            self.chart(dependency, "repository");
        }
    }

    fn helmfile(&mut self) {
        let document = self.document;
        for home in self.items(0, "repositories") {
            let is_oci = document.text_at(home, &["oci"]) == Some("true");
            let Some(url) = document.get(home, "url") else {
                continue;
            };
            let has_scheme = document.text(url).is_some_and(|url| url.contains("://"));
            if is_oci && !has_scheme {
                self.site(url, 0, Names::Folder, &Version::Elsewhere, None);
            } else {
                self.add(Some(url), Names::Folder, &Version::Elsewhere, None);
            }
        }
        for release in self.items(0, "releases") {
            let version = self.version(release, "version");
            let chart = document.get(release, "chart");
            self.add(chart, Names::One, &Version::Said(version), None);
        }
    }

    fn fleet(&mut self) {
        let document = self.document;
        let helm = document.get(0, "helm");
        let targets = self.items(0, "targetCustomizations");
        let targets = targets
            .into_iter()
            .filter_map(|target| document.get(target, "helm"));
        let all: Vec<NodeId> = helm.into_iter().chain(targets).collect();
        for helm in all {
            let version = self.version(helm, "version");
            let chart = document.get(helm, "chart");
            self.add(chart, Names::One, &Version::Said(version.clone()), None);
            let hold = chart.map(|_| incomplete(BESIDE_CHART.to_string()));
            let repo = document.get(helm, "repo");
            self.add(repo, Names::One, &Version::Said(version), hold);
        }
    }

    /// What nobody else reads here: shown, so that nothing is missed in silence.
    fn others(&mut self) {
        let document = self.document;
        for id in 0..document.nodes.len() {
            let text = document.text(id).unwrap_or("");
            if !text.starts_with(SCHEME) || self.seen.contains(&id) || self.is_key(id) {
                continue;
            }
            // What a project allows is no place that anything is fetched from.
            if !KeyPath::of(document, id).as_str().contains(ALLOWED) {
                let hold = (Reason::NotAnImage, UNKNOWN.to_string());
                self.add(Some(id), Names::One, &Version::Elsewhere, Some(hold));
            }
        }
    }

    fn is_key(&self, id: NodeId) -> bool {
        let parent = self.document.node(id).parent;
        let is_map = matches!(self.document.node(parent).kind, Kind::Mapping);
        is_map && !self.document.entries(parent).any(|entry| entry.value == id)
    }

    /// An address with its scheme; anything else is none.
    fn add(
        &mut self,
        value: Option<NodeId>,
        names: Names,
        version: &Version,
        hold: Option<(Reason, String)>,
    ) {
        let Some(value) = value else { return };
        let text = self.document.text(value).unwrap_or("");
        if text.starts_with(SCHEME) {
            self.site(value, SCHEME.len(), names, version, hold);
        }
    }

    /// The address in a scalar, from a byte on.
    fn site(
        &mut self,
        value: NodeId,
        from: usize,
        names: Names,
        version: &Version,
        hold: Option<(Reason, String)>,
    ) {
        let document = self.document;
        let Some(text) = document.text(value).filter(|_| self.seen.insert(value)) else {
            return;
        };
        let address = text[from..].trim_end_matches('/');
        let Some(bit) = Bit::within(self.text, document, value, from..from + address.len()) else {
            return;
        };
        let range = match version {
            Version::Said(said) if !is_pinned(address) => of_range(said.as_deref()),
            Version::Said(_) | Version::Elsewhere => None,
        };
        let automated = || flux::marker_hold(super::rest_of_line(self.text, bit.span().end));
        let hold = hold
            .or_else(|| range.map(incomplete))
            .or_else(|| embedded::shared(document, value))
            .or_else(automated);
        self.sites.push(Site {
            document: document.path,
            path: KeyPath::of(document, value),
            finder: match names {
                Names::One => CHART,
                Names::Folder => CHART_FOLDER,
            },
            shape: Shape::Within(Box::new(bit)),
            hold,
            assumption: None,
        });
    }

    /// The version under a key of a map, with what fills it in as it is written.
    fn version(&self, map: NodeId, key: &str) -> Option<String> {
        let node = self.document.get(map, key)?;
        let read = self.document.text(node)?;
        let written = self.document.node(node).span.of(self.text).unwrap_or("");
        let version = if image::is_filled(written) {
            written
        } else {
            read
        };
        Some(version.trim().to_string())
    }

    /// The items of a list under a key of a map.
    fn items(&self, map: NodeId, key: &str) -> Vec<NodeId> {
        let list = self.document.get(map, key).into_iter();
        let items = list.flat_map(|list| self.document.items(list));
        items.map(|item| self.document.resolve(item)).collect()
    }
}

fn incomplete(detail: String) -> (Reason, String) {
    (Reason::GroupIncomplete, detail)
}

/// Why an `OCIRepository` stays that has one version where a range is meant.
fn looked_up(version: &str) -> String {
    format!(
        "Flux looks `semver: {version}` up in the list of tags: a cache lists only those that were pulled through it; write `tag: {version}`"
    )
}

/// Whether an address says its tag or digest itself.
fn is_pinned(address: &str) -> bool {
    let last = address.rsplit('/').next().unwrap_or("");
    address.contains('/') && last.contains([':', '@'])
}

/// Whether a text is the tag of an artifact, and no version or range.
fn is_tag(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_range = matches!(text, "x" | "X");
    text.starts_with(|c: char| c.is_ascii_alphabetic() && c != 'v')
        && text.chars().all(is_word)
        && !is_range
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites::{self, Stated};
    use crate::yaml::documents;

    #[test]
    fn versions_are_told_from_ranges() {
        for (version, exact) in [
            ("1.2.3", true),
            ("v1.2.3", true),
            ("1.2.3-rc.1+build.5", true),
            ("1.2.3+sha-0abc", true),
            ("1.2", false),
            ("1.2.x", false),
            ("=1.2.3", false),
            ("^1.2.3", false),
            (">=1.2.3 <2.0.0", false),
            ("1.2.3 - 1.4.0", false),
            ("1.2.3 || 1.4.0", false),
            ("*", false),
            ("latest", false),
            ("", false),
            ("1.2.3-", false),
            ("${VERSION}", false),
        ] {
            assert_eq!(is_exact(version), exact, "{version}");
        }
    }

    /// The addresses in a document, each with its finder and the code of its hold.
    fn found(path: &str, text: &str) -> Vec<String> {
        let stated = Stated {
            charts: ChartRefs::Sought,
            ..Stated::default()
        };
        let document = documents(text).next().unwrap().unwrap();
        let with = sites::find(Path::new(path), text, &document, &stated);
        let without = sites::find(Path::new(path), text, &document, &Stated::default());
        let is_ours = |site: &&Site| matches!(site.finder, CHART | CHART_FOLDER);
        assert!(!without.sites.iter().any(|site| is_ours(&site)), "{text}");
        let show = |site: &Site| {
            let hold = site.hold.as_ref().map_or("", |(reason, _)| reason.code());
            let text = format!("{} {} {hold}", site.finder, site.text());
            text.trim_end().to_string()
        };
        with.sites.iter().filter(is_ours).map(show).collect()
    }

    #[test]
    fn sources_of_flux_are_read() {
        let source = |kind: &str, spec: &str| {
            let head = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: ";
            found(
                "a.yaml",
                &format!("{head}{kind}\nmetadata: {{name: a}}\nspec: {spec}\n"),
            )
        };
        for (kind, spec, wanted) in [
            (
                "OCIRepository",
                "{url: 'oci://ghcr.io/acme/charts/app', ref: {tag: 1.2.3}}",
                "chart ghcr.io/acme/charts/app",
            ),
            (
                "OCIRepository",
                "{url: 'oci://ghcr.io/acme/app/', ref: {digest: 'sha256:0', tag: a}}",
                "chart ghcr.io/acme/app group-incomplete",
            ),
            (
                "OCIRepository",
                "{url: 'oci://ghcr.io/acme/app', ref: {semver: 1.x}}",
                "chart ghcr.io/acme/app group-incomplete",
            ),
            (
                "OCIRepository",
                "{url: 'oci://ghcr.io/acme/app', ref: {semver: 1.2.3}}",
                "chart ghcr.io/acme/app group-incomplete",
            ),
            (
                "OCIRepository",
                "{url: 'oci://docker.io/app'}",
                "chart docker.io/app",
            ),
            (
                "HelmRepository",
                "{type: oci, url: 'oci://registry-1.docker.io/bitnamicharts'}",
                "chart-folder registry-1.docker.io/bitnamicharts",
            ),
            (
                "HelmRepository",
                "{type: oci, url: 'oci://registry-1.docker.io/'}",
                "chart-folder registry-1.docker.io",
            ),
            (
                "HelmRepository",
                "{type: oci, url: 'oci://ghcr.io'}",
                "chart-folder ghcr.io",
            ),
            ("HelmRepository", "{url: 'https://charts.example.com'}", ""),
            (
                "Bucket",
                "{endpoint: 'oci://ghcr.io/acme'}",
                "chart ghcr.io/acme not-an-image",
            ),
        ] {
            let wanted: Vec<&str> = Some(wanted)
                .filter(|wanted| !wanted.is_empty())
                .into_iter()
                .collect();
            assert_eq!(source(kind, spec), wanted, "{kind} {spec}");
        }
    }

    #[test]
    fn sources_of_argo_are_read() {
        let source = |source: &str| {
            let head = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source: ";
            found("a.yaml", &format!("{head}{source}\n"))
        };
        for (text, wanted) in [
            (
                "{repoURL: ghcr.io/acme/charts, chart: app, targetRevision: 1.2.3}",
                "chart-folder ghcr.io/acme/charts",
            ),
            (
                "{repoURL: 'oci://ghcr.io/acme/charts', chart: app, targetRevision: 1.2.3}",
                "chart-folder ghcr.io/acme/charts",
            ),
            (
                "{repoURL: ghcr.io/acme/charts, chart: app, targetRevision: 1.*}",
                "chart-folder ghcr.io/acme/charts group-incomplete",
            ),
            (
                "{repoURL: ghcr.io/acme/charts, chart: app}",
                "chart-folder ghcr.io/acme/charts group-incomplete",
            ),
            (
                "{repoURL: 'oci://ghcr.io/acme/app', path: ., targetRevision: 1.2.3}",
                "chart ghcr.io/acme/app",
            ),
            (
                "{repoURL: 'oci://ghcr.io/acme/app', path: ., targetRevision: latest}",
                "chart ghcr.io/acme/app",
            ),
            (
                "{repoURL: 'https://charts.example.com', chart: app, targetRevision: 1.2.3}",
                "",
            ),
            ("{repoURL: 'https://github.com/acme/app', path: .}", ""),
            ("{repoURL: 'git@github.com:acme/app', path: .}", ""),
            ("{repoURL: '{{ repo }}', chart: app}", ""),
            ("{repoURL: '{{values.repo}}', chart: app}", ""),
            ("{repoURL: '${REPOSITORY}', chart: app}", ""),
        ] {
            let wanted: Vec<&str> = Some(wanted)
                .filter(|wanted| !wanted.is_empty())
                .into_iter()
                .collect();
            assert_eq!(source(text), wanted, "{text}");
        }
    }

    #[test]
    fn others_that_fetch_charts_are_read() {
        for (path, text, wanted) in [
            (
                "a.yaml",
                "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nspec: {chart: 'oci://ghcr.io/acme/app', version: 1.2.3}\n",
                "chart ghcr.io/acme/app",
            ),
            (
                "a.yaml",
                "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nspec: {chart: 'oci://ghcr.io/acme/app:1.2.3'}\n",
                "chart ghcr.io/acme/app:1.2.3",
            ),
            (
                "a.yaml",
                "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nspec: {chart: 'oci://ghcr.io/acme/app'}\n",
                "chart ghcr.io/acme/app group-incomplete",
            ),
            (
                "helmfile.yaml",
                "repositories:\n- {name: a, url: ghcr.io/acme/charts, oci: true}\n",
                "chart-folder ghcr.io/acme/charts",
            ),
            (
                "helmfile.yaml",
                "repositories:\n- {name: a, url: ghcr.io/acme/charts}\n",
                "",
            ),
            (
                "helmfile.yaml",
                "releases:\n- {name: a, chart: 'oci://ghcr.io/acme/app', version: 1.2.3}\n",
                "chart ghcr.io/acme/app",
            ),
            (
                "fleet.yaml",
                "helm: {chart: 'oci://ghcr.io/acme/app', version: 1.2.3}\n",
                "chart ghcr.io/acme/app",
            ),
            (
                "fleet.yaml",
                "helm: {repo: 'oci://ghcr.io/acme', chart: app, version: 1.2.3}\n",
                "chart ghcr.io/acme group-incomplete",
            ),
            (
                "kustomization.yaml",
                "helmCharts:\n- {name: app, repo: 'oci://ghcr.io/acme', version: 1.2.3}\n",
                "chart-folder ghcr.io/acme",
            ),
            (
                "Chart.yaml",
                "apiVersion: v2\nname: x\ndependencies:\n- {name: app, repository: 'oci://ghcr.io/acme', version: 1.2.3}\n",
                "chart-folder ghcr.io/acme",
            ),
            (
                "Chart.yaml",
                "apiVersion: v2\nname: x\ndependencies:\n- {name: app, repository: 'oci://ghcr.io/acme', version: 1.x}\n",
                "chart-folder ghcr.io/acme group-incomplete",
            ),
        ] {
            let wanted: Vec<&str> = Some(wanted)
                .filter(|wanted| !wanted.is_empty())
                .into_iter()
                .collect();
            assert_eq!(found(path, text), wanted, "{text}");
        }
    }
}
