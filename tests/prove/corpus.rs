//! Every chart, kustomization and release of the corpus and of the packages, in one run.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::bench::path;
use super::common::{REGISTRY, copy, program, put, scratch};

/// Proves a tree, prints what came out, and gives the report.
fn proven_in(what: &str, tree: &Path) -> Option<Value> {
    let path = path()?;
    let output = program(tree)
        .env("PATH", path)
        .args([
            "prove",
            "--registry",
            REGISTRY,
            "--rules",
            "default",
            "--format",
            "json",
        ])
        .output()
        .unwrap();
    // 2: some files of real repositories are no YAML.
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 2)), "{talk}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    print(what, &report);
    println!("{talk}");
    Some(report)
}

fn print(what: &str, report: &Value) {
    let summary = &report["summary"];
    println!("| {what} | count |\n|---|---|");
    let rendered = summary["equal"].as_u64().unwrap() + summary["different"].as_u64().unwrap();
    for (name, count) in [
        ("to render", &summary["renders"]),
        ("rendered", &Value::from(rendered)),
        ("equal but for images", &summary["equal"]),
        ("different", &summary["different"]),
        ("images that change", &summary["changedImages"]),
        ("images in ECR afterwards", &summary["imagesInEcr"]),
        ("images outside", &summary["imagesOutside"]),
    ] {
        println!("| {name} | {count} |");
    }
    for (kind, count) in counted(report, "outside", |one| one["origin"]["kind"].clone()) {
        println!("| … outside: {kind} | {count} |");
    }
    for (why, count) in counted(report, "reasons", |one| one["reason"].clone()) {
        println!("| not rendered: {why} | {count} |");
    }
}

fn counted(report: &Value, list: &str, of: fn(&Value) -> Value) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let renders = report["renders"].as_array().unwrap().iter();
    for one in renders
        .filter_map(|render| render[list].as_array())
        .flatten()
    {
        *counts
            .entry(of(one).as_str().unwrap().to_string())
            .or_default() += 1;
    }
    counts
}

/// Nothing differs, nothing is refused for no reason, and as much is rendered as before.
fn judge(report: &Value, rendered: u64) {
    let renders = report["renders"].as_array().unwrap();
    let of = |outcome: &str| -> Vec<String> {
        let own = renders.iter().filter(|one| one["outcome"] == outcome);
        own.map(|one| format!("{one:#}")).collect()
    };
    let different = of("different");
    assert!(different.is_empty(), "{}", different.join("\n"));
    let equal = of("equal").len() as u64;
    assert!(equal >= rendered, "only {equal} are rendered");
    let odd = renders.iter().filter(|one| {
        let reasons = one["reasons"].as_array().into_iter().flatten();
        let mut reasons = reasons.filter_map(|one| one["reason"].as_str());
        reasons.any(|reason| matches!(reason, "refused" | "limit" | "no-tool" | "stopped"))
    });
    let odd: Vec<String> = odd.map(|one| format!("{one:#}")).collect();
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED, helm and kustomize"]
fn real_repositories_and_packages_are_proven() {
    let tree = scratch();
    copy(&super::common::corpus(), &tree.path().join("repositories"));
    copy(&super::common::charts(), &tree.path().join("packages"));
    if let Some(report) = proven_in("real repositories and packages", tree.path()) {
        judge(&report, 595);
    }
}

/// A hundred bases, each with an overlay for four environments.
fn five_hundred(tree: &Path) {
    let images = [
        "nginx:1.27",
        "quay.io/prometheus/prometheus:v2.53.0",
        "ghcr.io/acme/api:1.2.3",
        "registry.k8s.io/pause:3.10",
        "gcr.io/acme/legacy:7",
    ];
    for app in 0..100 {
        let base = format!("base/app-{app}");
        put(
            tree,
            &format!("{base}/kustomization.yaml"),
            b"resources: [app.yaml]\n",
        );
        let object = |number: usize| {
            let name = format!("app-{app}-{number}");
            let image = images[(app + number) % images.len()];
            format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: 2\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n      - name: main\n        image: {image}\n"
            )
        };
        let objects: Vec<String> = (0..4).map(object).collect();
        put(
            tree,
            &format!("{base}/app.yaml"),
            objects.join("---\n").as_bytes(),
        );
        for environment in ["dev", "test", "stage", "prod"] {
            let overlay = format!(
                "resources: [../../../{base}]\nnamespace: {environment}\nimages:\n- name: nginx\n  newTag: \"1.28\"\nconfigMapGenerator:\n- name: settings\n  literals: [ENV={environment}]\n"
            );
            let path = format!("environments/{environment}/app-{app}/kustomization.yaml");
            put(tree, &path, overlay.as_bytes());
        }
    }
}

#[test]
#[ignore = "needs kustomize, and a minute"]
fn five_hundred_kustomizations_are_proven_in_minutes() {
    let tree = scratch();
    five_hundred(tree.path());
    let started = Instant::now();
    let Some(report) = proven_in("500 kustomizations", tree.path()) else {
        return;
    };
    let took = started.elapsed();
    println!("500 kustomizations took {:.0} s", took.as_secs_f32());
    judge(&report, 500);
    assert!(took < Duration::from_secs(300), "it took {took:?}");
}
