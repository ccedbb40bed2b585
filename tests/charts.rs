//! References to charts in OCI registries: `--charts`, and what is known of charts whose address is one in
//! ECR.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

mod common;

use std::fs;
use std::path::Path;

use common::{REGISTRY, copy, program, run, tools, tree};
use serde_json::Value;

const CASES: &[&str] = &[
    "charts-oci-argo",
    "charts-oci-dependencies",
    "charts-oci-flux",
    "charts-oci-others",
];
const TARGET: &[&str] = &["--registry", REGISTRY, "--rules", "default"];

/// A repository with the files and the config of a case.
fn case(name: &str) -> tempfile::TempDir {
    let folder = tree(&[]);
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    copy(&case.join(name).join("in"), folder.path());
    let config = ".ecr-rewrite.yaml";
    fs::copy(case.join(name).join(config), folder.path().join(config)).unwrap();
    folder
}

/// The sites of the json report of a run.
fn sites(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let all = [arguments, &["--dry-run", "--format", "json"]].concat();
    let (exit, out, talk) = run(folder, &all);
    assert_eq!(exit, 0, "{talk}");
    let report: Value = serde_json::from_str(&out).unwrap();
    report["sites"].as_array().unwrap().clone()
}

fn is_chart(site: &Value) -> bool {
    matches!(site["finder"].as_str(), Some("chart" | "chart-folder"))
}

/// What is said of images: where, what they become, and why they stay.
fn judged(sites: &[Value]) -> Vec<String> {
    let images = sites.iter().filter(|site| !is_chart(site));
    let told = images.map(|site| {
        let told = ["keyPath", "original", "verdict", "becomes", "reason"];
        told.map(|key| site[key].to_string()).join(" ")
    });
    told.collect()
}

#[test]
fn charts_are_no_sites_unless_they_are_asked_for() {
    for name in CASES {
        let folder = case(name);
        assert!(!sites(folder.path(), &["."]).iter().any(is_chart), "{name}");
        let with = sites(folder.path(), &[".", "--charts"]);
        let of_charts = with.iter().filter(|site| is_chart(site));
        let changed = of_charts.filter(|site| site["verdict"] == "change");
        assert!(changed.count() > 1, "{name}");
    }
}

#[test]
fn images_are_judged_alike_before_and_after_their_chart_moves() {
    for name in CASES {
        let folder = case(name);
        let before = judged(&sites(folder.path(), &["."]));
        let with = judged(&sites(folder.path(), &[".", "--charts"]));
        assert_eq!(with, before, "{name}");
        // Only the charts move: what is said of the images stays as it is.
        let moved = case(name);
        let (exit, _, talk) = run(moved.path(), &[".", "--charts"]);
        assert_eq!(exit, 0, "{talk}");
        let kept = |path: &Path| !holds_charts(path);
        put_back(moved.path(), folder.path(), &kept);
        for arguments in [&["."][..], &[".", "--charts"]] {
            let after = judged(&sites(moved.path(), arguments));
            assert_eq!(after, before, "{name} {arguments:?}");
        }
    }
}

/// Whether a file of the cases names charts and no images.
fn holds_charts(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("sources/") || text.ends_with("Chart.yaml")
}

/// Takes the other files as they were.
fn put_back(to: &Path, from: &Path, is_wanted: &dyn Fn(&Path) -> bool) {
    for (path, bytes) in common::contents(from) {
        if is_wanted(&path) {
            common::put(to, path.to_str().unwrap(), &bytes);
        }
    }
}

const SOURCE: &str = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: bitnami}\nspec:\n  type: oci\n  url: oci://HOME\n";
const RELEASE: &str = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: blog}\nspec:\n  chart:\n    spec: {chart: wordpress, version: 24.1.0, sourceRef: {kind: HelmRepository, name: bitnami}}\n  values:\n    global: {security: {allowInsecureImages: true}}\n    image:\n      repository: acme/wordpress\n";

/// What is said of the image of a release whose chart comes from there.
fn told_of(home: &str, arguments: &[&str]) -> Vec<String> {
    let folder = tree(&[
        ("source.yaml", &SOURCE.replace("HOME", home)),
        ("release.yaml", RELEASE),
    ]);
    let all = [&["."], TARGET, arguments].concat();
    judged(&sites(folder.path(), &all))
}

#[test]
fn a_chart_is_known_by_its_upstream_through_ecr() {
    let known = told_of("registry-1.docker.io/bitnamicharts", &[]);
    assert!(known[0].contains("change"), "{known:?}");
    let in_ecr = format!("{REGISTRY}/docker-hub/bitnamicharts");
    assert_eq!(told_of(&in_ecr, &[]), known);
    assert_eq!(told_of(&in_ecr, &["--charts"]), known);
    // Another registry, and another prefix, say nothing.
    let other = in_ecr.replace("123456789012", "999999999999");
    for home in [other, format!("{REGISTRY}/own/bitnamicharts")] {
        assert!(told_of(&home, &[])[0].contains("undecided"), "{home}");
    }
    // A rewrite leaves no trace of the spelling, so that it decides nothing when charts move.
    let spelling = "docker.io/bitnamicharts";
    assert!(told_of(spelling, &[])[0].contains("undecided"));
    assert_eq!(told_of(spelling, &["--charts"]), known);
}

#[test]
fn an_environment_of_its_own_knows_the_charts_of_its_registry() {
    let own = REGISTRY.replace("123456789012", "999999999999");
    let source = SOURCE.replace("HOME", &format!("{own}/hub/bitnamicharts"));
    let config = format!(
        "registry: {REGISTRY}\nrules: default\noverrides:\n- paths: ['prod/**']\n  registry: {own}\n  rules: [{{upstream: docker.io, prefix: hub}}]\n"
    );
    let folder = tree(&[
        ("prod/source.yaml", &source),
        ("prod/release.yaml", RELEASE),
        (".ecr-rewrite.yaml", &config),
    ]);
    let told = judged(&sites(folder.path(), &["."]));
    assert!(
        told[0].contains(&format!("{own}/hub/acme/wordpress")),
        "{told:?}"
    );
}

#[test]
fn the_first_part_of_an_address_is_a_host_whatever_it_looks_like() {
    let folder = tree(&[("source.yaml", &SOURCE.replace("HOME", "harbor/charts"))]);
    let found = sites(folder.path(), &[&[".", "--charts"], TARGET].concat());
    assert_eq!(found[0]["reason"], "no-rule", "{found:?}");
    let aliases =
        format!("registry: {REGISTRY}\nrules: default\naliases: {{hub.example.com: docker.io}}\n");
    let folder = tree(&[
        ("source.yaml", &SOURCE.replace("HOME", "hub.example.com")),
        (".ecr-rewrite.yaml", &aliases),
    ]);
    let found = sites(folder.path(), &[".", "--charts"]);
    assert_eq!(found[0]["reason"], "group-incomplete", "{found:?}");
}

#[test]
fn a_check_and_explain_say_the_same_of_a_release_whose_chart_has_moved() {
    let homes = [
        "registry-1.docker.io/bitnamicharts".to_string(),
        format!("{REGISTRY}/docker-hub/bitnamicharts"),
    ];
    for target in [&[][..], TARGET] {
        let told = homes.each_ref().map(|home| {
            let folder = tree(&[
                ("source.yaml", &SOURCE.replace("HOME", home)),
                ("release.yaml", RELEASE),
            ]);
            let explained = run(
                folder.path(),
                &[&["explain", "release.yaml"], target].concat(),
            );
            let check = ["release.yaml", "--check", "--format", "concise"];
            let checked = run(folder.path(), &[&check, target].concat());
            assert!(explained.1.contains("docker.io/acme/wordpress"));
            [explained, checked].map(|(exit, out, _)| (exit, out))
        });
        assert_eq!(told[0], told[1], "{target:?}");
        assert_eq!(told[0][1].0, 1);
    }
}

#[test]
fn one_file_is_judged_with_what_others_say_of_its_charts() {
    let ranged = RELEASE.replace("24.1.0", "24.x");
    let source = SOURCE.replace("HOME", "registry-1.docker.io/bitnamicharts");
    let folder = tree(&[("source.yaml", &source), ("release.yaml", &ranged)]);
    let all = [&["source.yaml", "--charts"], TARGET].concat();
    let found = sites(folder.path(), &all);
    assert_eq!(found[0]["reason"], "group-incomplete", "{found:?}");
    assert!(
        found[0]["detail"]
            .as_str()
            .unwrap()
            .contains("release.yaml")
    );
    let folder = tree(&[("source.yaml", &source), ("release.yaml", RELEASE)]);
    assert_eq!(sites(folder.path(), &all)[0]["verdict"], "change");
}

#[test]
fn a_project_that_knows_the_old_address_is_told() {
    let folder = case("charts-oci-argo");
    let check = |arguments: &[&str]| {
        let all = [&["--check", "--format", "concise"], arguments].concat();
        let (_, out, _) = run(folder.path(), &all);
        let lines = out
            .lines()
            .filter(|line| line.contains("old-name-reference"));
        lines.map(String::from).collect::<Vec<_>>()
    };
    assert!(check(&[]).is_empty());
    let before = check(&["--charts"]);
    assert_eq!(before.len(), 3, "{before:#?}");
    assert_eq!(run(folder.path(), &[".", "--charts"]).0, 0);
    assert_eq!(check(&["--charts"]).len(), 3);
}

const SOURCES: &str = "apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: web}
spec: {url: 'oci://ghcr.io/acme/charts/web', ref: {tag: 1.0.0}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: bitnami}
spec: {type: oci, url: 'oci://registry-1.docker.io/bitnamicharts'}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web}
spec:
  source: {repoURL: ghcr.io/acme/charts, chart: web, targetRevision: 1.0.0}
";

#[test]
fn a_moved_chart_is_no_difference_to_a_proof() {
    let kustomize = match tools::KUSTOMIZE.find() {
        Ok(kustomize) => kustomize,
        Err(why) => {
            println!("SKIPPED: {why}");
            return;
        }
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = kustomize
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let path = own.map_or(path, |folder| folder.as_os_str().to_owned());
    let folder = tree(&[
        ("kustomization.yaml", "resources: [sources.yaml]\n"),
        ("sources.yaml", SOURCES),
    ]);
    let output = program(folder.path())
        .env("PATH", path)
        .args(["prove", "--charts", "--format", "json"])
        .args(TARGET)
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{talk}");
    let moved = out.matches(&format!("{REGISTRY}/")).count();
    assert!(moved >= 3, "{out}");
}
