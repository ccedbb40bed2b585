//! Releases: what Argo CD, Flux, helmfile and k3s would hand to Helm, and what is not followed.

use std::path::Path;

use ecr_rewrite::prove::{Kind, Outcome, Proof, Why};

use super::bench::{Bench, engines};
use super::common::tree;
use super::faults::{CHART, TEMPLATE, VALUES, find};

/// A chart whose image says which release it is of.
const TELLING: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - {name: x, image: \"gcr.io/{{ .Release.Name }}/{{ .Release.Namespace }}:1\"}\n";

fn application(spec: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: app}}\nspec:\n{spec}"
    )
}

fn flux(spec: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: web, namespace: own}}\nspec:\n  chart: {{spec: {{chart: ./charts/shop, sourceRef: {{kind: GitRepository, name: x}}}}}}\n{spec}"
    )
}

#[test]
fn releases_have_the_names_and_namespaces_that_the_tools_give_them() {
    let Some(engines) = engines() else { return };
    let source =
        "  source: {repoURL: 'https://git.example/fleet', path: charts/shop, helm: {values: 'a: 1'";
    let helmfile = |more: &str| {
        format!("releases:\n- name: web\n  chart: ./charts/shop\n{more}  values: [{{a: 1}}]\n")
    };
    for (path, text, wanted) in [
        (
            "a.yaml",
            application(&format!("{source}}}}}\n")),
            "app/default",
        ),
        (
            "a.yaml",
            application(&format!(
                "{source}, releaseName: other}}}}\n  destination: {{namespace: far}}\n"
            )),
            "other/far",
        ),
        ("a.yaml", flux("  values: {a: 1}\n"), "web/own"),
        (
            "a.yaml",
            flux("  targetNamespace: far\n  values: {a: 1}\n"),
            "far-web/far",
        ),
        (
            "a.yaml",
            flux("  targetNamespace: far\n  releaseName: other\n  values: {a: 1}\n"),
            "other/far",
        ),
        ("helmfile.yaml", helmfile("  namespace: far\n"), "web/far"),
        ("helmfile.yaml", helmfile(""), "web/default"),
        (
            "helmfile.yaml",
            format!("namespace: far\n{}", helmfile("")),
            "web/far",
        ),
        // What is filled in later is no name that Helm would take.
        (
            "a.yaml",
            application(&format!("{source}, releaseName: '{{{{name}}}}'}}}}\n")),
            "release-name/default",
        ),
    ] {
        let folder = tree(&[
            ("charts/shop/Chart.yaml", CHART),
            ("charts/shop/templates/x.yaml", TELLING),
            (path, &text),
        ]);
        let proof = Bench::new(folder.path()).prove(&engines);
        let render = find(&proof, Kind::Release, path);
        let rendered = render.rendered().unwrap_or_else(|| panic!("{render:#?}"));
        let image = &rendered.outside[0].image;
        assert_eq!(*image, format!("gcr.io/{wanted}:1"), "{text}");
    }
}

fn proven(folder: &Path) -> Option<Proof> {
    Some(Bench::new(folder).prove(&engines()?))
}

fn whys(proof: &Proof, path: &str) -> Vec<(Why, String)> {
    match &find(proof, Kind::Release, path).outcome {
        Outcome::Not(why) => why
            .iter()
            .map(|one| (one.why, one.detail.clone()))
            .collect(),
        Outcome::Rendered(_) => Vec::new(),
    }
}

#[test]
fn what_is_done_besides_is_not_taken_for_rendered() {
    let helmfile = |more: &str| format!("releases:\n- name: web\n  chart: ./charts/shop\n{more}");
    let argo = |more: &str| {
        application(&format!(
            "  source:\n    repoURL: https://git.example/fleet\n{more}"
        ))
    };
    for (path, text, why, word) in [
        (
            "a.yaml",
            flux("  postRenderers: [{kustomize: {images: [{name: acme/shop, newTag: '2'}]}}]\n"),
            Why::Afterwards,
            "postRenderers",
        ),
        (
            "a.yaml",
            argo("    path: app\n    kustomize: {images: ['acme/web:3']}\n"),
            Why::Afterwards,
            "kustomize",
        ),
        (
            "a.yaml",
            argo("    path: charts/shop\n    helm: {values: 'a: 1'}\n    plugin: {name: x}\n"),
            Why::Afterwards,
            "plugin",
        ),
        (
            "helmfile.yaml",
            helmfile("  jsonPatches: [{target: {kind: Pod}, patch: []}]\n"),
            Why::Afterwards,
            "jsonPatches",
        ),
        (
            "helmfile.yaml",
            helmfile("  strategicMergePatches: [{kind: Pod}]\n"),
            Why::Afterwards,
            "strategicMergePatches",
        ),
        (
            "helmfile.yaml",
            helmfile("  values: [{replicas: '{{ .Values.replicas }}'}]\n"),
            Why::ValuesUnknown,
            "a template fills in values",
        ),
    ] {
        let folder = tree(&[
            ("charts/shop/Chart.yaml", CHART),
            ("charts/shop/values.yaml", VALUES),
            ("charts/shop/templates/shop.yaml", TEMPLATE),
            ("app/kustomization.yaml", "resources: []\n"),
            (path, &text),
        ]);
        let Some(proof) = proven(folder.path()) else {
            return;
        };
        let whys = whys(&proof, path);
        assert!(
            matches!(&whys[..], [(is, detail)] if *is == why && detail.contains(word)),
            "{text}: {whys:?}"
        );
    }
    // Nothing is done by an empty list.
    let folder = tree(&[
        ("charts/shop/Chart.yaml", CHART),
        ("charts/shop/values.yaml", VALUES),
        ("charts/shop/templates/shop.yaml", TEMPLATE),
        (
            "a.yaml",
            &flux("  postRenderers: []\n  values: {replicas: 2}\n"),
        ),
    ]);
    let Some(proof) = proven(folder.path()) else {
        return;
    };
    assert_eq!(whys(&proof, "a.yaml"), []);
}

#[test]
fn files_of_other_repositories_are_not_those_that_lie_here() {
    let config = "[remote \"origin\"]\n\turl = git@git.example:acme/fleet.git\n";
    let sources = |chart: &str, values: &str, name: &str| {
        application(&format!(
            "  sources:\n  - repoURL: {chart}\n    path: charts/shop\n    helm: {{valueFiles: [$values/prod.yaml]}}\n  - {{repoURL: '{values}', ref: {name}}}\n"
        ))
    };
    let (own, other) = (
        "https://git.example/acme/fleet",
        "https://git.example/acme/other.git",
    );
    for (text, wanted) in [
        (sources(own, own, "values"), None),
        (sources(own, other, "values"), Some("another repository")),
        (sources(other, own, "values"), Some("another repository")),
        (
            sources(own, own, "others"),
            Some("no source of it is called `values`"),
        ),
    ] {
        let folder = tree(&[
            (".git/config", config),
            ("charts/shop/Chart.yaml", CHART),
            ("charts/shop/values.yaml", VALUES),
            ("charts/shop/templates/shop.yaml", TEMPLATE),
            ("prod.yaml", "replicas: 4\n"),
            ("app.yaml", &text),
        ]);
        let Some(proof) = proven(folder.path()) else {
            return;
        };
        // What lends its files to others is no release.
        let releases = proof.renders.iter().filter(|one| one.kind == Kind::Release);
        assert_eq!(releases.count(), 1, "{proof:#?}");
        let whys = whys(&proof, "app.yaml");
        match wanted {
            None => assert_eq!(whys, []),
            Some(word) => assert!(
                matches!(&whys[..], [(Why::ValuesUnknown, detail)] if detail.contains(word)),
                "{text}: {whys:?}"
            ),
        }
    }
}

#[test]
fn paths_of_values_are_no_lists() {
    let Some(engines) = engines() else { return };
    for name in ["a,b.yaml", "a\"b.yaml", "a b.yaml"] {
        let helmfile =
            format!("releases:\n- name: web\n  chart: ./charts/shop\n  values: ['{name}']\n");
        let folder = tree(&[
            ("charts/shop/Chart.yaml", CHART),
            ("charts/shop/values.yaml", VALUES),
            ("charts/shop/templates/shop.yaml", TEMPLATE),
            ("helmfile.yaml", &helmfile),
            (name, "image: {registry: quay.io}\n"),
        ]);
        let proof = Bench::new(folder.path()).prove(&engines);
        let render = find(&proof, Kind::Release, "helmfile.yaml");
        let rendered = render.rendered().unwrap_or_else(|| panic!("{render:#?}"));
        let is_given = |image: &str| image == "quay.io/acme/shop:1";
        let mut changed = rendered.changed.iter();
        let mut outside = rendered.outside.iter();
        assert!(
            changed.any(|(before, _)| is_given(before)) || outside.any(|one| is_given(&one.image)),
            "{rendered:#?}"
        );
    }
}
