//! Repositories, generated: manifests, kustomize bases with overlays and patches, charts with layers of
//! values, and the objects of Argo CD and Flux that release them.

use super::case::{Case, File, REGISTRIES};
use super::common::numbers::Numbers;
use super::streams::{IMAGES, Node, documents, text, written};

/// Names of containers.
const NAMES: [&str; 3] = ["a", "b", "c"];
/// Registries as values write them.
const HOSTS: &[&str] = &[
    "docker.io",
    "quay.io",
    "ghcr.io",
    "index.docker.io",
    "mcr.microsoft.com",
];
/// Repositories as values write them.
const REPOSITORIES: &[&str] = &[
    "acme/app",
    "acme/other",
    "library/nginx",
    "nginx",
    "acme/deep/er",
];
const TAGS: &[&str] = &["1", "1.10", "v2-alpine", "latest"];
/// What renders the values below.
const PARTS: &str =
    "{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}";
const HALVES: &str = "{{ .Values.image.repository }}:{{ .Values.image.tag }}";
const WHOLE: &str = "{{ .Values.jobImage }}";

/// A repository of a few of these.
pub(crate) fn repository(numbers: &mut Numbers) -> Case {
    let mut files = Vec::new();
    for number in 0..=numbers.below(3) {
        match numbers.below(5) {
            0 => files.push(File::new(format!("pods/{number}.yaml"), documents(numbers))),
            1 | 2 => kustomizations(&format!("apps/{number}"), numbers, &mut files),
            _ => chart(number, numbers, &mut files),
        }
    }
    for file in &mut files {
        if numbers.once_in(6) {
            file.text = file.text.replace('\n', "\r\n");
        }
        if numbers.once_in(8) {
            file.text.insert(0, '\u{feff}');
        }
        if numbers.once_in(6) {
            file.text
                .truncate(file.text.trim_end_matches(['\r', '\n']).len());
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Case {
        files,
        registry: numbers.below(REGISTRIES.len()),
    }
}

fn of_text(pairs: &[(&'static str, &str)]) -> Node {
    Node::Map(
        pairs
            .iter()
            .map(|(key, value)| (*key, text(*value)))
            .collect(),
    )
}

fn texts(items: &[&str]) -> Node {
    Node::List(items.iter().map(|item| text(*item)).collect())
}

/// A reference without tag and digest.
fn name(reference: &str) -> &str {
    super::common::ecr::split(reference).0
}

/// A base, overlays of it, and an overlay of one of those.
fn kustomizations(folder: &str, numbers: &mut Numbers, files: &mut Vec<File>) {
    let images: Vec<&str> = (0..=numbers.below(2))
        .map(|_| numbers.pick(IMAGES))
        .collect();
    let containers = images.iter().zip(NAMES);
    let containers = containers.map(|(image, name)| of_text(&[("name", name), ("image", image)]));
    let pod = object(
        "v1",
        "Pod",
        vec![("containers", Node::List(containers.collect()))],
    );
    files.push(File::new(
        format!("{folder}/base/pod.yaml"),
        written(&pod, numbers),
    ));
    let base = kustomization(&["pod.yaml"], &images, numbers.once_in(4), None, numbers);
    files.push(File::new(format!("{folder}/base/kustomization.yaml"), base));
    for (overlay, below) in [("prod", "../base"), ("dev", "../base"), ("eu", "../prod")] {
        if numbers.once_in(3) && overlay != "prod" {
            continue;
        }
        let patch = numbers.once_in(5).then_some("patch.yaml");
        if let Some(patch) = patch {
            let image = numbers.pick(IMAGES);
            let container = of_text(&[("name", numbers.pick(&NAMES)), ("image", image)]);
            let pod = object(
                "v1",
                "Pod",
                vec![("containers", Node::List(vec![container]))],
            );
            files.push(File::new(
                format!("{folder}/{overlay}/{patch}"),
                written(&pod, numbers),
            ));
        }
        let entries = !numbers.once_in(3);
        let overlaid = kustomization(&[below], &images, entries, patch, numbers);
        files.push(File::new(
            format!("{folder}/{overlay}/kustomization.yaml"),
            overlaid,
        ));
    }
}

fn object(version: &str, kind: &str, spec: Vec<(&'static str, Node)>) -> Node {
    Node::Map(vec![
        ("apiVersion", text(version)),
        ("kind", text(kind)),
        ("metadata", of_text(&[("name", "demo")])),
        ("spec", Node::Map(spec)),
    ])
}

fn kustomization(
    resources: &[&str],
    images: &[&str],
    has_entries: bool,
    patch: Option<&str>,
    numbers: &mut Numbers,
) -> String {
    let mut keys = vec![("resources", texts(resources))];
    if let Some(patch) = patch {
        keys.push(("patches", Node::List(vec![of_text(&[("path", patch)])])));
    }
    let mut entries = Vec::new();
    for image in images.iter().filter(|_| has_entries) {
        let mut entry = vec![("name", text(name(image)))];
        if numbers.once_in(3) {
            entry.push(("newName", text(name(numbers.pick(IMAGES)))));
        }
        if !numbers.once_in(3) {
            entry.push(("newTag", text(numbers.pick(TAGS).to_string() + "-k")));
        }
        entries.push(Node::Map(entry));
    }
    if !entries.is_empty() {
        keys.push(("images", Node::List(entries)));
    }
    written(&Node::Map(keys), numbers)
}

/// Values that set some of what templates render, or all of it.
fn values(all: bool, whole: bool, numbers: &mut Numbers) -> Node {
    let mut parts = Vec::new();
    let mut set = |key, value: String, numbers: &mut Numbers| {
        if all || numbers.once_in(2) {
            parts.push((key, text(value)));
        }
    };
    let host = numbers.pick(HOSTS);
    let repository = numbers.pick(REPOSITORIES);
    if whole {
        set("repository", format!("{host}/{repository}"), numbers);
    } else {
        set("registry", host.to_string(), numbers);
        set("repository", repository.to_string(), numbers);
    }
    set("tag", numbers.pick(TAGS).to_string(), numbers);
    let mut keys = vec![("replicas", text("2"))];
    if !parts.is_empty() {
        keys.push(("image", Node::Map(parts)));
    }
    if all || numbers.once_in(3) {
        keys.push(("jobImage", text(numbers.pick(&IMAGES[..13]))));
    }
    Node::Map(keys)
}

fn chart(number: usize, numbers: &mut Numbers, files: &mut Vec<File>) {
    let folder = format!("charts/web{number}");
    let is_whole = numbers.once_in(3);
    let image = if is_whole { HALVES } else { PARTS };
    let mut add = |path: String, text: String| files.push(File::new(path, text));
    add(
        format!("{folder}/Chart.yaml"),
        format!("apiVersion: v2\nname: web{number}\nversion: 1.0.0\n"),
    );
    add(
        format!("{folder}/templates/pod.yaml"),
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n  containers:\n  - image: \"{image}\"\n  - image: \"{WHOLE}\"\n"
        ),
    );
    let own = values(true, is_whole, numbers);
    add(format!("{folder}/values.yaml"), written(&own, numbers));
    let mut layers = Vec::new();
    for layer in ["values-prod.yaml", "values-dev.yaml"] {
        if numbers.once_in(2) {
            let some = values(false, is_whole, numbers);
            add(format!("{folder}/{layer}"), written(&some, numbers));
            layers.push(layer);
        }
    }
    if numbers.once_in(2) {
        let text = application(&folder, &layers, is_whole, numbers);
        add(format!("argocd/web{number}.yaml"), text);
    }
    if numbers.once_in(3) {
        let chart = vec![
            ("chart", text(format!("./{folder}"))),
            (
                "sourceRef",
                of_text(&[("kind", "GitRepository"), ("name", "flux-system")]),
            ),
        ];
        let spec = vec![
            ("chart", Node::Map(vec![("spec", Node::Map(chart))])),
            ("values", values(false, is_whole, numbers)),
        ];
        let release = object("helm.toolkit.fluxcd.io/v2", "HelmRelease", spec);
        add(format!("flux/web{number}.yaml"), written(&release, numbers));
    }
}

fn application(folder: &str, layers: &[&str], is_whole: bool, numbers: &mut Numbers) -> String {
    let mut helm = Vec::new();
    if !layers.is_empty() && !numbers.once_in(3) {
        helm.push(("valueFiles", texts(layers)));
    }
    let own = values(false, is_whole, numbers);
    match numbers.below(3) {
        0 => helm.push(("valuesObject", own)),
        1 => helm.push(("values", text(written(&own, numbers)))),
        _ => {}
    }
    if numbers.once_in(3) {
        let (name, value) = match numbers.below(3) {
            0 => ("image.tag", numbers.pick(TAGS).to_string()),
            1 if is_whole => (
                "image.repository",
                format!("quay.io/{}", numbers.pick(REPOSITORIES)),
            ),
            _ => ("image.repository", numbers.pick(REPOSITORIES).to_string()),
        };
        let parameter = of_text(&[("name", name), ("value", &value)]);
        helm.push(("parameters", Node::List(vec![parameter])));
    }
    let mut source = vec![
        ("repoURL", text("https://git.example.com/acme/gitops")),
        ("path", text(folder)),
    ];
    if !helm.is_empty() {
        source.push(("helm", Node::Map(helm)));
    }
    let application = object(
        "argoproj.io/v1alpha1",
        "Application",
        vec![("source", Node::Map(source))],
    );
    written(&application, numbers)
}
