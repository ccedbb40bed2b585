//! Charts that Helm has fetched before tell what releases make of their values.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

mod common;

use std::fs;
use std::path::Path;

use common::{REGISTRY, program, put, scratch};
use sha2::{Digest, Sha256};

const URL: &str = "https://charts.example.com/stable";
const RELEASE: &str = "apiVersion: argoproj.io/v1alpha1
kind: Application
spec:
  source:
    repoURL: https://charts.example.com/stable
    chart: web
    targetRevision: 1.2.3
    helm:
      valuesObject:
        image:
          repository: acme/web
          tag: v1
";
const CHART: &[(&str, &str)] = &[
    (
        "web/Chart.yaml",
        "apiVersion: v2\nname: web\nversion: 1.2.3\n",
    ),
    (
        "web/values.yaml",
        "image: {registry: quay.io, repository: acme/web, tag: v0}\n",
    ),
    (
        "web/templates/pod.yaml",
        "kind: Pod\nspec:\n  containers:\n  - image: \"{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}\"\n",
    ),
];

fn package() -> Vec<u8> {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(encoder);
    for (path, text) in CHART {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, path, text.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// What becomes of the release when the index lists a package of that digest.
fn rewritten(cache: &Path, digest: &str) -> String {
    let repository = scratch();
    put(repository.path(), "app.yaml", RELEASE.as_bytes());
    put(cache, "web-1.2.3.tgz", &package());
    let index = format!("apiVersion: v1\nentries:\n  web:\n  - digest: {digest}\n");
    put(cache, "acme-index.yaml", index.as_bytes());
    let list = format!("repositories:\n- name: acme\n  url: {URL}\n");
    put(cache, "repositories.yaml", list.as_bytes());
    let run = program(repository.path())
        .env("HELM_REPOSITORY_CACHE", cache)
        .env("HELM_REPOSITORY_CONFIG", cache.join("repositories.yaml"))
        .args([".", "--registry", REGISTRY, "--rules", "default"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    fs::read_to_string(repository.path().join("app.yaml")).unwrap()
}

#[test]
fn a_package_that_its_repository_publishes_is_learned() {
    let cache = scratch();
    let digest = format!("{:x}", Sha256::digest(package()));
    // The chart puts quay.io in front of a name without a host.
    let name = format!("          registry: {REGISTRY}\n          repository: quay/acme/web\n");
    let in_ecr = RELEASE.replace("          repository: acme/web\n", &name);
    let text = rewritten(cache.path(), &digest);
    let other = name.lines().rev().collect::<Vec<_>>().join("\n") + "\n";
    let reversed = RELEASE.replace("          repository: acme/web\n", &other);
    assert!(text == in_ecr || text == reversed, "{text}");
}

#[test]
fn a_package_that_may_be_of_another_repository_says_nothing() {
    let cache = scratch();
    assert_eq!(rewritten(cache.path(), &"0".repeat(64)), RELEASE);
}
