//! The trees: every combination of what the layers of a release can set, as each tool writes them.

use super::oracle::{Parts, Unit, Where};

/// What a layer may set. Each is a map of an image, or nothing.
pub const CHOICES: &[Parts] = &[
    Parts(None, None),
    Parts(Some("docker.io"), Some("acme/web")),
    Parts(None, Some("acme/next")),
    Parts(Some("quay.io"), None),
    Parts(Some("ghcr.io"), Some("acme/full")),
    Parts(None, Some("quay.io/acme/host")),
    Parts(Some("quay.io"), Some("acme/kept")),
];

/// Every choice for each of three layers, and in turn one for a fourth.
pub fn all() -> impl Iterator<Item = Vec<Parts>> {
    let count = CHOICES.len();
    (0..count.pow(3)).map(move |number| {
        let mut rest = number;
        let choices = (0..3).map(|_| {
            let choice = CHOICES[rest % count];
            rest /= count;
            choice
        });
        let mut choices: Vec<Parts> = choices.collect();
        choices.push(CHOICES[number / 5 % count]);
        choices
    })
}

/// Values at an indentation.
fn values(parts: Parts, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mut text = format!("{pad}replicas: 2 # of them\n");
    if parts != Parts(None, None) {
        text += &format!("{pad}image:\n");
        for (key, part) in [("registry", parts.0), ("repository", parts.1)] {
            if let Some(part) = part {
                text += &format!("{pad}  {key}: {part} # by part\n");
            }
        }
    }
    text
}

/// Parameters by their paths, as a list of names and values.
fn named(parts: Parts, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mut text = format!("{pad}- name: replicas\n{pad}  value: \"3\"\n");
    for (key, part) in [("registry", parts.0), ("repository", parts.1)] {
        if let Some(part) = part {
            text += &format!("{pad}- name: image.{key}\n{pad}  value: {part}\n");
        }
    }
    text
}

fn chart(folder: &str) -> (String, String) {
    let text = format!("apiVersion: v2\nname: {folder}\nversion: 1.0.0\n");
    (format!("{folder}/chart/Chart.yaml"), text)
}

/// Argo CD: a shared file, one of an environment, a block, parameters; over a chart from elsewhere.
pub fn argo_away(name: &str, slots: &[Parts]) -> Unit {
    let object = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec:\n  sources:\n  - repoURL: https://charts.example.com\n    chart: {name}\n    helm:\n      valueFiles:\n      - $here/{name}/common/shared.yaml\n      - $here/{name}/prod/own.yaml\n      valuesObject:\n{}  - repoURL: https://git.example.com/acme/gitops\n    ref: here\n",
        values(slots[2], 8)
    );
    Unit {
        files: vec![
            (format!("{name}/common/shared.yaml"), values(slots[0], 0)),
            (format!("{name}/prod/own.yaml"), values(slots[1], 0)),
            (format!("argocd/{name}.yaml"), object),
        ],
        combinations: vec![vec![
            Where::File(0),
            Where::File(1),
            Where::Map(2, 0, &["spec", "sources", "0", "helm", "valuesObject"]),
        ]],
    }
}

/// Argo CD: the chart's own values, one of its files, a text, parameters.
pub fn argo_here(name: &str, slots: &[Parts]) -> Unit {
    let object = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec:\n  source:\n    repoURL: https://git.example.com/acme/gitops\n    path: {name}/chart\n    helm:\n      values: |\n{}      parameters:\n{}",
        values(slots[1], 8),
        named(slots[2], 6)
    );
    Unit {
        files: vec![
            chart(name),
            (format!("{name}/chart/values.yaml"), values(slots[0], 0)),
            (format!("argocd/{name}.yaml"), object),
        ],
        combinations: vec![
            vec![Where::File(1)],
            vec![
                Where::File(1),
                Where::Text(2, 0, &["spec", "source", "helm", "values"]),
                Where::Named(2, 0, &["spec", "source", "helm", "parameters"]),
            ],
        ],
    }
}

/// Flux: a generated config map, one that is written out, the values of the release.
pub fn flux(name: &str, slots: &[Parts]) -> Unit {
    let object = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}-text}}\ndata:\n  values.yaml: |\n{}---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}}}\nspec:\n  chartRef: {{kind: OCIRepository, name: {name}}}\n  valuesFrom:\n  - {{kind: ConfigMap, name: {name}-file}}\n  - {{kind: ConfigMap, name: {name}-text}}\n  values:\n{}",
        values(slots[1], 4),
        values(slots[2], 4)
    );
    let kustomization = format!(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [release.yaml]\nconfigMapGenerator:\n- name: {name}-file\n  files: [values.yaml=files/own.yaml]\n"
    );
    Unit {
        files: vec![
            (format!("{name}/files/own.yaml"), values(slots[0], 0)),
            (format!("{name}/release.yaml"), object),
            (format!("{name}/kustomization.yaml"), kustomization),
        ],
        combinations: vec![vec![
            Where::File(0),
            Where::Text(1, 0, &["data", "values.yaml"]),
            Where::Map(1, 1, &["spec", "values"]),
        ]],
    }
}

/// Flux: a release and the patches of two overlays.
pub fn patched(name: &str, slots: &[Parts]) -> Unit {
    let release = |chart: &str, parts: Parts| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}}}\nspec:\n{chart}  values:\n{}",
            values(parts, 4)
        )
    };
    let overlay = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../base]\npatches: [{path: patch.yaml}]\n";
    let indented = format!(
        "    {}",
        release("", slots[2]).trim_end().replace('\n', "\n    ")
    );
    let text = format!(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../base]\npatches:\n- patch: |\n{indented}\n"
    );
    Unit {
        files: vec![
            (
                format!("{name}/base/release.yaml"),
                release("  chartRef: {kind: OCIRepository, name: web}\n", slots[0]),
            ),
            (format!("{name}/one/patch.yaml"), release("", slots[1])),
            (format!("{name}/two/kustomization.yaml"), text),
            (format!("{name}/one/kustomization.yaml"), overlay.into()),
            (
                format!("{name}/base/kustomization.yaml"),
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [release.yaml]\n".into(),
            ),
        ],
        combinations: vec![
            vec![Where::Map(0, 0, &["spec", "values"])],
            vec![
                Where::Map(0, 0, &["spec", "values"]),
                Where::Map(1, 0, &["spec", "values"]),
            ],
            vec![
                Where::Map(0, 0, &["spec", "values"]),
                Where::MapInText(2, 0, &["patches", "0", "patch"], &["spec", "values"]),
            ],
        ],
    }
}

/// helmfile: a file per environment, a map, what is set.
pub fn helmfile(name: &str, slots: &[Parts]) -> Unit {
    let object = format!(
        "releases:\n- name: {name}\n  chart: acme/{name}\n  values:\n  - envs/{{{{ .Environment.Name }}}}.yaml\n  -\n{}  set:\n{}",
        values(slots[1], 4),
        named(slots[2], 2)
    );
    let rest = [
        Where::Map(2, 0, &["releases", "0", "values", "1"]),
        Where::Named(2, 0, &["releases", "0", "set"]),
    ];
    Unit {
        files: vec![
            (format!("{name}/envs/dev.yaml"), values(slots[0], 0)),
            (format!("{name}/envs/prod.yaml"), values(slots[3], 0)),
            (format!("{name}/helmfile.yaml"), object),
        ],
        combinations: vec![
            [&[Where::File(0)], &rest[..]].concat(),
            [&[Where::File(1)], &rest[..]].concat(),
        ],
    }
}

/// k3s: a chart, what is merged over its values, what is set.
pub fn k3s(name: &str, slots: &[Parts]) -> Unit {
    let mut set = String::from("    replicas: \"3\"\n");
    for (key, part) in [("registry", slots[2].0), ("repository", slots[2].1)] {
        if let Some(part) = part {
            set += &format!("    image.{key}: {part}\n");
        }
    }
    let object = format!(
        "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {{name: {name}}}\nspec:\n  chart: {name}\n  set:\n{set}  valuesContent: |-\n{}",
        values(slots[0], 4)
    );
    let over = format!(
        "apiVersion: helm.cattle.io/v1\nkind: HelmChartConfig\nmetadata: {{name: {name}}}\nspec:\n  valuesContent: |-\n{}",
        values(slots[1], 4)
    );
    let content: &[&str] = &["spec", "valuesContent"];
    Unit {
        files: vec![
            (format!("{name}/chart.yaml"), object),
            (format!("{name}/config.yaml"), over),
        ],
        combinations: vec![
            vec![
                Where::Text(0, 0, content),
                Where::Dotted(0, 0, &["spec", "set"]),
            ],
            vec![
                Where::Text(0, 0, content),
                Where::Text(1, 0, content),
                Where::Dotted(0, 0, &["spec", "set"]),
            ],
        ],
    }
}

/// Fleet: the bundle's values, its file, and what a target changes.
pub fn fleet(name: &str, slots: &[Parts]) -> Unit {
    let object = format!(
        "helm:\n  chart: {name}\n  repo: https://charts.example.com\n  values:\n{}  valuesFiles: [more/own.yaml]\ntargetCustomizations:\n- name: prod\n  helm:\n    values:\n{}",
        values(slots[0], 4),
        values(slots[2], 6)
    );
    let base = [Where::Map(1, 0, &["helm", "values"]), Where::File(0)];
    let target = Where::Map(1, 0, &["targetCustomizations", "0", "helm", "values"]);
    Unit {
        files: vec![
            (format!("{name}/more/own.yaml"), values(slots[1], 0)),
            (format!("{name}/fleet.yaml"), object),
        ],
        combinations: vec![base.to_vec(), [&base[..], &[target]].concat()],
    }
}

/// kustomize: a file, the values beside it, a further file.
pub fn inflated(name: &str, slots: &[Parts]) -> Unit {
    let object = format!(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nhelmCharts:\n- name: {name}\n  repo: https://charts.example.com\n  valuesFile: files/first.yaml\n  additionalValuesFiles: [more/last.yaml]\n  valuesInline:\n{}",
        values(slots[1], 4)
    );
    Unit {
        files: vec![
            (format!("{name}/files/first.yaml"), values(slots[0], 0)),
            (format!("{name}/more/last.yaml"), values(slots[2], 0)),
            (format!("{name}/kustomization.yaml"), object),
        ],
        combinations: vec![vec![
            Where::File(0),
            Where::Map(2, 0, &["helmCharts", "0", "valuesInline"]),
            Where::File(1),
        ]],
    }
}
