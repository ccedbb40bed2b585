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

/// What is said of the release when the index lists a package of that digest.
fn told(cache: &Path, digest: &str) -> String {
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
        .args([".", "--registry", REGISTRY, "--rules", "default", "-v"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let text = fs::read_to_string(repository.path().join("app.yaml")).unwrap();
    assert_eq!(
        text, RELEASE,
        "nothing has rendered the chart with these values"
    );
    String::from_utf8(run.stderr).unwrap()
}

#[test]
fn a_package_that_its_repository_publishes_is_asked() {
    let cache = scratch();
    let digest = format!("{:x}", Sha256::digest(package()));
    // The chart puts quay.io in front of a name without a host.
    let said = told(cache.path(), &digest);
    let wanted = "the chart web (1.2.3) in Helm's cache makes `quay.io/acme/web` of it";
    assert!(said.contains(wanted), "{said}");
}

#[test]
fn a_package_that_may_be_of_another_repository_says_nothing() {
    let cache = scratch();
    let said = told(cache.path(), &"0".repeat(64));
    assert!(!said.contains("Helm's cache"), "{said}");
}
