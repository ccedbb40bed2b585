//! The properties that the fuzz targets assert, over the files of `testdata` and over everything that fuzzing
//! ever found. The targets themselves are in `fuzz/`; see `docs/testing.md`.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

#[allow(unreachable_pub)] // it is a library of its own there
#[path = "../fuzz/src/properties.rs"]
mod properties;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use walkdir::WalkDir;

/// The texts of all cases, with their paths in the case's repository.
fn texts() -> Vec<(String, String)> {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut texts = Vec::new();
    for entry in WalkDir::new(&testdata).into_iter().map(Result::unwrap) {
        let below = entry.path().strip_prefix(&testdata).unwrap();
        let mut parts = below.iter().skip(1);
        let is_in = parts.next().is_some_and(|part| part == "in");
        if !is_in || !entry.file_type().is_file() {
            continue;
        }
        if let Ok(text) = fs::read_to_string(entry.path()) {
            let path: std::path::PathBuf = parts.collect();
            texts.push((path.to_string_lossy().into_owned(), text));
        }
    }
    assert!(texts.len() > 300, "the test has lost sight of its files");
    texts
}

/// Holds a property against all inputs, and tells of everyone that breaks it.
fn holds(property: fn(&str), inputs: impl Iterator<Item = String>) {
    let breaks = |input: &String| catch_unwind(|| property(input)).is_err();
    let broken: Vec<String> = inputs.filter(breaks).collect();
    assert!(broken.is_empty(), "{} inputs: {broken:#?}", broken.len());
}

#[test]
fn spans_and_masks_are_right_in_every_case() {
    let texts: Vec<String> = texts().into_iter().map(|(_, text)| text).collect();
    holds(properties::scalar_spans, texts.iter().cloned());
    holds(properties::mask, texts.into_iter());
}

#[test]
fn plans_hold_their_promises_in_every_case() {
    let inputs = texts().into_iter();
    let inputs = inputs.map(|(path, text)| format!("{path}\n{text}"));
    holds(properties::plan_text, inputs);
}

#[test]
fn every_text_can_stand_in_another() {
    let inputs = texts().into_iter().enumerate();
    let inputs = inputs.flat_map(|(number, (_, text))| {
        let way = |of: usize| char::from(b'<' + u8::try_from(number % of).unwrap());
        [5, 30].map(|of| format!("{}{text}", way(of)))
    });
    holds(properties::embedded, inputs);
}

#[test]
fn references_and_configs_of_every_case_are_read() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut configs = 0;
    for case in fs::read_dir(testdata).unwrap() {
        let Ok(text) = fs::read_to_string(case.unwrap().path().join(".ecr-rewrite.yaml")) else {
            continue;
        };
        properties::config(&text);
        configs += 1;
    }
    assert!(configs > 50);
    for (_, text) in texts() {
        text.split([' ', '\n', '"', '\''])
            .for_each(properties::image_ref);
    }
}

/// Something that has to hold of every input, or it panics.
type Property = fn(&str);

/// What broke a property once, cut short: the property, and the input.
const FOUND: &[(Property, &str)] = &[
    // An object among Helm values was looked at twice, as values and as an object.
    (
        properties::plan_text,
        "hc.yaml\napiVersion: helm.cattle.io/v1\nkind: HelmChart\nspec:\n  valuesContent: |\n    apiVersion: v1\n    kind: Pod\n    args: [-image, \"quay.io/a:1\"]\n",
    ),
    // An argument with a placeholder for its registry was no reference any more.
    (
        properties::plan_text,
        "a.yaml\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - args: [\"--x-image=quay.io/a/b:1\"]\n    env: [{name: RELATED_IMAGE_A, value: \"quay.io/a/c:1\"}]\n",
    ),
    // A placeholder was no registry, so that nothing seemed to stand in front of other names any more.
    (
        properties::plan_text,
        "values.yaml\nwebImageRegistry: quay.io\nwebImage: a/g:1\nagentImage: a/x:1\n",
    ),
    // A part that begins with a placeholder was none any more.
    (
        properties::plan_text,
        "values-prod.yaml\nproxy:\n  hub: docker.io/acme\n  name: proxy-prod\n  tag: v1.3.9\n",
    ),
    // A container among the values of a release in a text was changed as one and as a part of values.
    (
        properties::embedded,
        "<apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: d}\nspec:\n  chart: {spec: {chart: x, sourceRef: {kind: HelmRepository, name: y}}}\n  values:\n    containers: [{name: web, image: \"acme/web:1.0\"}]\n",
    ),
    // A template of which one document is no YAML showed the parts of the others twice, and a second run
    // would have changed them again.
    (
        properties::plan_text,
        "app.yaml\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: both}\nspec:\n  source:\n    repoURL: https://charts.example.com\n    chart: both\n    helm:\n      valuesObject:\n        image:\n          registry: quay.io\n          repository: acme/both\n---\na: b: c\nd: {{ .Values.d }}\n",
    ),
    // The second engine takes a control character, the first does not and reads the file by its mask.
    (
        properties::embedded,
        "D{{- $kind := \"\u{10}\" }}\napiVersion: {{ .Values.apiVersion }}\nkind: {{ $kind }}\nspec:\n  containers:\n    - image: nginx:1\n",
    ),
    // A key in an `else` in one line is left out with it.
    (
        properties::mask,
        "a: {{ if .b }}\"c\"{{ else }}\"d\"e: {{ end }}\n",
    ),
    // Parts, and entries for kustomize, were not looked for where a mask shows the same document.
    (
        properties::plan_text,
        "kustomization.yaml\nresources: [app.yaml]\nimages:\n  - name: app\n    newName: nginx\nspec:\n  containers:\n    - image: nginx:1\n---\napiVersion: {% if a %}.apiVersion }}\nkind: Deployment\n---\nb\n  - {name: only-tag}\n",
    ),
    // Values in a text, which a release in another document shows to be some, were not looked for there either.
    (
        properties::plan_text,
        "a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: g}\ndata:\n  values.yaml: |\n    image:\n      registry: quay.io\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: g}\nspec:\n  chart: {spec: {chart: grafana, version: 12.11.1, sourceRef: {kind: HelmRepository, name: grafana}}}\n  valuesFrom: [{kind: ConfigMap, name: g}]\n  values:\n    image:\n      repository: acme/grafana\n    other:\n      containers: [{image: \"quay.io/acme/c:1\"}]\n---\nda{{/* a */}}ta: b\nc: d: e\n",
    ),
    // A key that is added behind a block scalar would end its last line.
    (
        properties::plan_text,
        "kustomization.yaml\nresources:\n-\nimages:\n- name: |\n   d",
    ),
    // The comment behind an image that is in no document was taken for that image.
    (
        properties::plan_text,
        "pod.yaml\napiVersion: v1\nkind: Pod\nspec:\n  - name: plain\n    image: nginx:1 # nginx:1\n  - name: folded\n    image:{{/* a */}} >-\n        nginx:1\n",
    ),
    // With a placeholder for the target, what is no whole image by its key alone was not found again.
    (
        properties::plan_text,
        "values.yaml\ntheme:\n  imageURL: quay.io/acme/disk:1\ntheme:\n  imageURL: quay.io/acme/disk:1\n",
    ),
    // What moves to a prefix of a cache has no way back of its own.
    (
        properties::config,
        "rules:\n- {upstream: 111111111111.dkr.ecr.us-east-1.amazonaws.com/hub, prefix: hub}\n- {upstream: registry.example.com/hub, prefix: hub}\n",
    ),
    // Directives of Terraform are actions, too.
    (properties::mask, "a{%{ else }}b\n"),
    // What was written behind a tag became a part of it.
    (properties::scalar_spans, "image: {repository: !acme/dev}\n"),
    // A mistake pointed at half of a line break that only YAML 1.1 knows.
    (
        properties::config,
        "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrules: default\noverrides:\n- paths: [\"**/dev/**\"\u{85}]\n  registry: 555555555555.dkriscr.eu-west-1.amazonaws.cOm\n",
    ),
];

/// A name of Docker Hub is stored under `library/`, whichever way the hub is written.
#[test]
fn long_names_of_the_hub_are_whole_references() {
    for host in ["", "docker.io/", "index.docker.io/"] {
        for length in 246..=256 {
            properties::image_ref(&format!("{host}{}", "a".repeat(length)));
            // With a prefix in front of it, a long name has no reference any more.
            properties::image_ref(&format!("{host}x/{}", "a".repeat(length - 10)));
        }
    }
}

#[test]
fn what_fuzzing_found_stays_right() {
    let broken = FOUND
        .iter()
        .filter(|(property, input)| catch_unwind(|| property(input)).is_err());
    let broken: Vec<&str> = broken.map(|(_, input)| *input).collect();
    assert!(broken.is_empty(), "{} inputs: {broken:#?}", broken.len());
}
