//! Real charts, rendered by Helm before and after a run: nothing differs but upstream references,
//! each of which has become its ECR reference, and what keeps an image elsewhere is told.
//!
//! What a reference has to become is said once more in `common/ecr.rs`, so that a mistake of the
//! program cannot prove itself right.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it
#![allow(unreachable_pub)] // modules of one test

#[path = "helm_render/charts.rs"]
mod charts;
mod common;
#[path = "helm_render/left.rs"]
mod left;
#[path = "helm_render/needed.rs"]
mod needed;
#[path = "helm_render/proof.rs"]
mod proof;

use std::collections::BTreeMap;
use std::path::PathBuf;

use common::ecr::{expected, is_well_formed};
use common::helm::Helm;
use common::rendered::{Rendering, Scalars, difference};
use common::{REGISTRY, copy, run, scratch};
use left::Report;
use proof::{Proof, Tally};
use rayon::prelude::*;

#[test]
fn what_a_reference_becomes() {
    let becomes = |reference: &str, path: &str| {
        assert_eq!(expected(reference), Some(format!("{REGISTRY}/{path}")));
    };
    becomes("nginx:1.27", "docker-hub/library/nginx:1.27");
    becomes("index.docker.io/a/b@sha256:0", "docker-hub/a/b@sha256:0");
    becomes("registry.k8s.io/pause:3@sha256:0", "k8s/pause:3@sha256:0");
    assert_eq!(expected("gcr.io/a/b:1"), None);
}

#[test]
fn only_planned_changes_are_accepted() {
    let ecr = |path: &str| format!("{REGISTRY}/{path}");
    let pod = |image: &str, more: &str| format!("spec:\n  image: {image}\n{more}");
    let differ = |before: &str, after: &str| difference(&scalars(before), &scalars(after));

    let fine = differ(&pod("quay.io/a/b:1", ""), &pod(&ecr("quay/a/b:1"), ""));
    assert_eq!((fine.planned.len(), fine.other.len()), (1, 0));
    let in_text = ecr("k8s/x:1");
    let fine = differ(
        "args: [--a=registry.k8s.io/x:1]",
        &format!("args: [--a={in_text}]"),
    );
    assert_eq!((fine.planned.len(), fine.other.len()), (1, 0));

    for (before, after) in [
        // The tag, the path, the order of registry and host.
        (pod("quay.io/a/b:1", ""), pod(&ecr("quay/a/b:2"), "")),
        (pod("quay.io/a/b:1", ""), pod(&ecr("quay/a/c:1"), "")),
        (
            pod("quay.io/a/b:1", ""),
            pod(&format!("quay.io/{}", ecr("quay/a/b:1")), ""),
        ),
        // Lost and added keys, and what is the end of a longer name.
        (pod("quay.io/a/b:1", "  x: 1\n"), pod("quay.io/a/b:1", "")),
        (pod("quay.io/a/b:1", ""), pod("quay.io/a/b:1", "  x: 1\n")),
        (
            pod("b", "  repository: nvcr.io/a\n"),
            pod(&ecr("docker-hub/library/b"), "  repository: nvcr.io/a\n"),
        ),
        // A word in a text.
        (
            "args: [--a b]".into(),
            format!("args: [--a {}]", ecr("docker-hub/library/b")),
        ),
        // A checksum that changed although no image did.
        (
            format!("checksum/a: {}", "0".repeat(64)),
            format!("checksum/a: {}", "1".repeat(64)),
        ),
    ] {
        assert!(
            !differ(&before, &after).other.is_empty(),
            "{before} -> {after}"
        );
    }
}

#[test]
fn references_in_texts_and_in_parts_are_seen() {
    let ecr = |path: &str| format!("{REGISTRY}/{path}");
    let differ = |before: &str, after: &str| {
        let found = difference(&scalars(before), &scalars(after));
        (found.planned.len(), found.other.len())
    };
    // A name that a test made is known as one, unless it is the name of an object.
    let marked = ecr("docker-hub/acme/zq1q:1");
    assert_eq!(
        differ(
            "args: [--a=acme/zq1q:1]",
            &format!("args: [\"--a={marked}\"]")
        ),
        (1, 0)
    );
    let named = |name: &str| format!("metadata: {{labels: {{app: \"{name}\"}}}}");
    assert_eq!(differ(&named("acme/zq1q:1"), &named(&marked)), (0, 1));
    // An operator joins what stands in parts; a config map holds a document.
    let parts = |front: &str, end: &str| format!("spec: {{repository: {front}, image: {end}}}");
    assert_eq!(
        differ(&parts("quay.io/a", "b"), &parts(&ecr("quay/a"), "b")),
        (1, 0)
    );
    let document = |image: &str| format!("data:\n  a: |\n    x: 1\n    image: {image}\n");
    assert_eq!(
        differ(&document("a/b:1"), &document(&ecr("docker-hub/a/b:1"))),
        (1, 0)
    );
    assert_eq!(
        differ(&document("a/b:1"), &document(&ecr("docker-hub/a/b:2"))),
        (0, 1)
    );
}

#[test]
fn names_that_are_none() {
    for name in [
        "docker.io/quay.io/a/b:1",
        "quay.io//b:1",
        "/quay.io/a/b",
        &format!("quay.io/{REGISTRY}/quay/a/b:1"),
        &format!("{REGISTRY}/docker-hub/docker-hub/a/b"),
    ] {
        assert!(!is_well_formed(name), "{name}");
    }
    assert!(is_well_formed(&format!(
        "{REGISTRY}/docker-hub/a/b@sha256:0"
    )));
}

#[test]
fn what_keeps_an_image_elsewhere() {
    let chart = common::tree(&[(
        "web/templates/job.yaml",
        "image: busybox:{{ .Values.tag }}\n",
    )]);
    let site = |original: &str, reason: &str| {
        format!(
            r#"{{"path": "web/values.yaml", "original": "{original}", "verdict": "skip", "reason": "{reason}"}}"#
        )
    };
    let sites = [
        site("bitnami/redis", "group-incomplete"),
        site("nginx", "ignored"),
    ];
    let report = Report::read(&format!(r#"{{"sites": [{}]}}"#, sites.join(",")));
    let reason = |image: &str| report.reason(chart.path(), "web", image, "web/templates/a.yaml");
    let said = reason("docker.io/bitnami/redis:7");
    assert_eq!(said.as_deref(), Some("group-incomplete"));
    assert_eq!(reason("nginx:1").as_deref(), Some("ignored"));
    assert!(
        reason("busybox:1")
            .unwrap()
            .starts_with("hard-coded in job.yaml")
    );
    assert_eq!(reason("quay.io/a/b:1"), None);
    assert_eq!(reason("acme/kredis:7"), None);
}

fn scalars(text: &str) -> Scalars {
    Rendering::read(text).scalars
}

/// What keeps images elsewhere, and how many of them: in copies of charts that nobody overrides, in charts that
/// refuse other images or need values that they do not have, and in templates.
const KEPT_IN_PACKAGES: &[(&str, usize)] =
    &[("assumed", 47), ("hard-coded", 1), ("vendored-chart", 70)];
/// The same: charts that other repositories of the same run use in other ways.
const KEPT_IN_REPOSITORIES: &[(&str, usize)] = &[("group-incomplete", 3)];

/// Charts before and after a run over all of them.
struct Tree {
    before: PathBuf,
    after: tempfile::TempDir,
    report: Report,
}

impl Tree {
    fn rewritten(before: PathBuf) -> Self {
        let after = scratch();
        copy(&before, after.path());
        let target = [".", "--registry", REGISTRY, "--rules", "default"];
        let arguments = [&target[..], &["--format", "json"]].concat();
        let (code, report, talk) = run(after.path(), &arguments);
        // 2: some files of real repositories are no YAML.
        assert!(matches!(code, 0 | 2), "{talk}");
        let stopped = talk.lines().find(|line| line.contains("a second run"));
        assert_eq!(stopped, None);
        println!("{talk}");
        Self {
            before,
            after,
            report: Report::read(&report),
        }
    }

    fn tallies(&self, helm: &Helm) -> Vec<(String, Tally)> {
        let proof = Proof {
            helm,
            before: &self.before,
            after: self.after.path(),
            report: &self.report,
        };
        let charts = charts::charts(&self.before);
        let tallies = charts.into_par_iter().with_max_len(1).map(|chart| {
            let tally = proof.chart(&chart);
            (chart, tally)
        });
        tallies.collect()
    }
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED and helm"]
fn rendered_charts_differ_in_planned_references_only() {
    let Some(helm) = Helm::find() else {
        return;
    };
    let packages = Tree::rewritten(common::charts());
    let tallies = packages.tallies(&helm);
    proof::print("chart packages", &tallies);
    let rendered = tallies.iter().filter(|(_, tally)| tally.renders > 0);
    let rendered = rendered.count();
    assert!(rendered >= 65, "only {rendered} charts can be rendered");
    shown(&packages, &tallies);
    judge(&tallies, KEPT_IN_PACKAGES);
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED and helm"]
fn rendered_charts_of_real_repositories_differ_in_planned_references_only() {
    let Some(helm) = Helm::find() else {
        return;
    };
    let tallies = Tree::rewritten(common::corpus()).tallies(&helm);
    proof::print("real repositories", &tallies);
    judge(&tallies, KEPT_IN_REPOSITORIES);
}

/// Most of the changed values have to be seen in a render.
fn shown(tree: &Tree, tallies: &[(String, Tally)]) {
    let values = proof::changed_values(&tree.before, tree.after.path());
    let is_shown = |(path, value): &&(String, String)| {
        let name = value.split('@').next().unwrap_or(value);
        let mut own = tallies
            .iter()
            .filter(|(chart, _)| path.starts_with(&format!("{chart}/")));
        own.any(|(_, tally)| tally.seen.iter().any(|seen| seen.contains(name)))
    };
    let count = values.iter().filter(is_shown).count();
    println!(
        "{count} of {} changed values are seen in a render",
        values.len()
    );
    assert!(
        !values.is_empty() && count * 10 >= values.len() * 9,
        "the renders show only {count} of {} changed values",
        values.len()
    );
}

/// Nothing differs that was not planned, and nothing stays elsewhere for no reason.
fn judge(tallies: &[(String, Tally)], kept: &[(&str, usize)]) {
    let wrong: Vec<String> = tallies
        .iter()
        .flat_map(|(_, tally)| &tally.wrong)
        .map(|(what, place)| format!("{what}\n    ({place})"))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} differences were not planned:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let left = tallies.iter().flat_map(|(_, tally)| &tally.left);
    let mut reasons = BTreeMap::<&str, usize>::new();
    for reason in left.clone().filter_map(|(_, reason)| reason.as_deref()) {
        let is_template = reason.starts_with("hard-coded");
        *reasons
            .entry(if is_template { "hard-coded" } else { reason })
            .or_default() += 1;
    }
    let silent: Vec<&String> = left
        .filter(|(_, reason)| reason.is_none())
        .map(|(image, _)| image)
        .collect();
    assert!(
        silent.is_empty(),
        "{} images stay elsewhere and nothing says why: {silent:#?}",
        silent.len()
    );
    let kept: BTreeMap<&str, usize> = kept.iter().copied().collect();
    assert_eq!(reasons, kept, "images are kept elsewhere for other reasons");
}
