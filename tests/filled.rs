//! What a template fills in may be anything: nothing is changed that it may reach.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

mod common;

use common::{run, tree};

const REGISTRY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// The lines that a dry run would write into a repository of these files.
fn written(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tree(files);
    let args = [
        "--dry-run",
        "--no-config",
        "--registry",
        REGISTRY,
        "--rules",
        "default",
        ".",
    ];
    let (code, diff, talk) = run(folder.path(), &args);
    assert_eq!(code, 0, "{files:?}\n{talk}");
    let added = diff
        .lines()
        .filter(|line| line.starts_with('+') && !line.starts_with("+++"));
    added.map(|line| line.replace(REGISTRY, "R")).collect()
}

/// A chart whose own values name an image in parts, of which an environment changes one, and a file that
/// puts them together.
fn with_chart(path: &str, text: &str) -> Vec<String> {
    written(&[
        (
            "charts/x/Chart.yaml",
            "apiVersion: v2\nname: x\nversion: 0.1.0\n",
        ),
        (
            "charts/x/values.yaml",
            "img:\n  registry: docker.io\n  repository: bitnami/x\n  tag: \"1\"\n",
        ),
        (
            "charts/x/templates/p.yaml",
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: \"{{ .Values.img.registry }}/{{ .Values.img.repository }}:{{ .Values.img.tag }}\"\n",
        ),
        ("env/prod.yaml", "img:\n  repository: acme/x\n"),
        (path, text),
    ])
}

#[test]
fn branches_of_one_of_several_documents_are_read() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.n }}-x\nspec:\n  containers:\n  - image: quay.io/a/b:1\n---\n";
    let two = "{{- if .Values.x }}\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: quay.io/a/c:1\n{{- else }}\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: quay.io/a/d:1\n{{- end }}\n";
    let found = written(&[("templates/a.yaml", &format!("{pod}{two}"))]);
    assert_eq!(found.len(), 3, "{found:?}");
    for kinds in [
        "{{- if .Values.ds }}\nkind: DaemonSet\n{{- else }}\nkind: Deployment\n{{- end }}\n",
        "{{- if .Values.ds }}\nkind: DaemonSet\n{{- end }}\n{{- if .Values.d }}\nkind: Deployment\n{{- end }}\n",
    ] {
        let text = format!(
            "{pod}apiVersion: apps/v1\n{kinds}spec:\n  template:\n    spec:\n      containers:\n      - image: quay.io/a/c:1\n"
        );
        let found = written(&[("templates/a.yaml", &text)]);
        assert_eq!(found.len(), 2, "{found:?}");
    }
}

#[test]
fn policies_are_known_whatever_their_version_and_branches() {
    let body = "metadata: {name: a}\nspec:\n  image: quay.io/a/b\n  rules:\n  - verifyImages:\n    - imageReferences: [\"quay.io/a/b:9\"]\n    validate:\n      pattern:\n        spec:\n          containers:\n          - image: quay.io/a/pattern:1\n";
    for kind in [
        "ClusterPolicy",
        "Policy",
        "ClusterImagePolicy",
        "ImagePolicy",
        "ValidatingPolicy",
        "ConstraintTemplate",
        "ImageRepository",
        "{{ .Values.kind }}",
        "K8sAllowedRepos",
    ] {
        for version in [
            "apiVersion: {{ .Values.v }}\n",
            "apiVersion: \"{{ .Values.v }}\"\n",
            "apiVersion: {{ .Values.v }}/v1\n",
            "apiVersion: {{ if .x }}kyverno.io/v1{{ else }}a.io/v1{{ end }}\n",
            "{{- if .x }}\napiVersion: kyverno.io/v1\n{{- else }}\napiVersion: a.io/v1\n{{- end }}\n",
        ] {
            // Where the group is told, it tells.
            if kind.contains('{') && version.contains("kyverno") {
                continue;
            }
            let text = format!("{version}kind: {kind}\n{body}");
            let found = written(&[("templates/a.yaml", &text)]);
            assert!(found.is_empty(), "{text}\n{found:?}");
        }
    }
    let mixed = "{{- if not .Values.p }}\napiVersion: v1\nkind: Pod\n{{- else }}\napiVersion: kyverno.io/v1\nkind: ClusterPolicy\n{{- end }}\nmetadata: {name: a}\nspec:\n  {{- if .Values.p }}\n  rules:\n  - validate:\n      pattern:\n        spec:\n          containers:\n          - image: quay.io/a/pattern:1\n  {{- else }}\n  containers:\n  - image: quay.io/a/b:1\n  {{- end }}\n";
    assert!(written(&[("templates/a.yaml", mixed)]).is_empty());
}

#[test]
fn what_another_branch_or_line_joins_to_a_name_holds_it() {
    let spec = "spec:\n  containers:\n  - name: a\n    image: ";
    for image in [
        "{{ if .x }}corp.io/{{ else }}{{ end -}}\n      nginx:1.25\n",
        "{% include \"reg\" -%}\n      nginx:1.25\n",
        "|-\n      nginx\n{{- .Values.p }}\n",
        "|-\n      nginx\n\n    {{- if .x }}\n      -fips\n{{- end }}\n",
    ] {
        let pod = format!("apiVersion: v1\nkind: Pod\n{spec}{image}");
        // Read branch by branch.
        let head = "{{- if .k }}\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n{{- else }}\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\n{{- end }}\n";
        for text in [pod, format!("{head}{spec}{image}")] {
            let found = written(&[("templates/a.yaml", &text)]);
            assert!(found.is_empty(), "{text}\n{found:?}");
        }
    }
}

#[test]
fn a_helmfile_whose_charts_or_values_are_filled_in_holds_the_charts() {
    for text in [
        "templates:\n  d: &d\n    chart: ./charts/x\n    values: [env/prod.yaml]\nreleases:\n- name: x\n  <<: *d\n",
        "templates:\n  d: &d\n    chart: ./charts/x\n  e: &e\n    values: [env/prod.yaml]\nreleases:\n- name: x\n  <<: [*d, *e]\n",
        "templates:\n  d:\n    chart: ./charts/x\n    values: [env/prod.yaml]\nreleases:\n- name: x\n  inherit: [{template: d}]\n",
        "templates:\n  d: &d\n    chart: ./charts/{{`{{ .Release.Name }}`}}\n    values: [env/prod.yaml]\nreleases:\n- name: x\n  <<: *d\n",
        "releases:\n- name: x\n  chart: {{ chart }}\n  values: [env/prod.yaml]\n",
        "releases:\n- name: x\n  {{ r }}: ./charts/x\n  values: [env/prod.yaml]\n",
        "releases: {{ r }}\n",
        "releases:\n- {{ r }}\n",
        "releases:\n- name: x\n  chart: ./charts/x\n  values: {{ v }}\n",
        "releases:\n- name: x\n  chart: ./charts/x\n  set: {{ s }}\n",
        "releases:\n- name: x\n  chart: ./charts/x\n  set:\n  - {name: \"img.{{ n }}\", value: acme/x}\n",
    ] {
        assert!(with_chart("helmfile.yaml", text).is_empty(), "{text}");
    }
}

#[test]
fn a_release_of_argo_or_flux_that_is_filled_in_holds_its_chart() {
    let argo = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n";
    let source =
        format!("{argo}      source:\n        repoURL: https://x/y.git\n        path: charts/x\n");
    for rest in [
        "        helm: {{ h }}\n",
        "        helm:\n          parameters: {{ p }}\n",
        "        helm:\n          valueFiles: {{ v }}\n",
        "        helm:\n          values: \"{{ v }}\"\n",
        "        helm:\n          values: |\n            img:\n              {{ v }}\n",
        "        helm:\n          values: |\n            img:\n              ${V}\n",
        "        helm:\n          values: |\n            \"{{ k }}\":\n              repository: acme/x\n",
        "        helm:\n          valuesObject:\n            \"{{ k }}\": {repository: acme/x}\n",
        "        helm:\n          valuesObject:\n            img: \"{{ v }}\"\n",
        "        helm:\n          parameters:\n          - {name: \"img.{{ p }}\", value: acme/x}\n",
    ] {
        let text = format!("{source}{rest}");
        assert!(with_chart("app.yaml", &text).is_empty(), "{text}");
    }
    let harmless = format!("{source}        helm:\n          releaseName: {{{{ n }}}}\n");
    assert_eq!(with_chart("app.yaml", &harmless).len(), 2);
    let sources = format!("{argo}      sources: {{{{ s }}}}\n");
    assert!(with_chart("app.yaml", &sources).is_empty(), "{sources}");
    let flux = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a}\nspec:\n  chart:\n    spec:\n      sourceRef: {kind: GitRepository, name: y}\n";
    for rest in [
        "      chart: ./charts/x\n      valuesFiles: {{ v }}\n",
        "      chart: ./charts/x\n  valuesFrom: {{ v }}\n",
        "      chart: ./charts/x\n  valuesFrom: [{kind: ConfigMap, name: v, targetPath: \"img.${X}\"}]\n",
        "      chart: ./charts/x\n  values: ${VALUES}\n",
        "      chart: ./charts/x\n  values:\n    img: ${IMG}\n",
        "      chart: ./charts/x\n  values:\n    ${IMG}: {repository: acme/x}\n",
        "      chart: ./charts/${C}\n  values: {img: {repository: acme/x}}\n",
    ] {
        let text = format!("{flux}{rest}");
        assert!(with_chart("release.yaml", &text).is_empty(), "{text}");
    }
}

#[test]
fn a_published_chart_of_any_name_is_none_of_the_repository() {
    let release = |kind: &str| {
        let text = format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: r}}\nspec:\n  chart:\n    spec: {{chart: \"${{CHART}}\", sourceRef: {{kind: {kind}, name: x}}}}\n  valuesFrom: [{{kind: Secret, name: unknown}}]\n"
        );
        with_chart("release.yaml", &text)
    };
    assert!(!release("HelmRepository").is_empty());
    assert!(release("GitRepository").is_empty());
}

#[test]
fn values_of_which_keys_or_maps_are_filled_in_hold_the_others() {
    for values in [
        "img: \"{{ x }}\"\n",
        "img: ${IMG}\n",
        "\"{{ k }}\":\n  repository: acme/x\n",
        "${K}:\n  repository: acme/x\n",
    ] {
        let found = with_chart("charts/x/values-prod.yaml", values);
        assert!(found.is_empty(), "{values}");
    }
    let merged = "image:\n  <<: {{ m }}\n  repository: quay.io/a/b\n  tag: 1\n";
    assert!(written(&[("values.yaml", merged)]).is_empty());
    // A text of its own changes nothing about the rest.
    let found = with_chart(
        "charts/x/values-prod.yaml",
        "host: \"{{ x }}\"\nimg:\n  tag: \"2\"\n",
    );
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_kustomization_that_is_filled_in_holds_its_base() {
    let base = |overlay: &str| {
        written(&[
            ("base/kustomization.yaml", "resources: [deploy.yaml]\n"),
            (
                "base/deploy.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      containers:\n      - name: a\n        image: nginx:1.27\n",
            ),
            ("overlay/kustomization.yaml", overlay),
        ])
    };
    let images = "images:\n- name: nginx\n  newTag: \"1\"\n";
    for overlay in [
        "resources: [../base]\nimages: {{ images }}\n".to_string(),
        "resources: [../base]\nimages:\n  {{ images }}\n".to_string(),
        "resources: [../base]\nimages:\n- {{ image }}\n".to_string(),
        "resources: [../base]\nimages: [{{ image }}]\n".to_string(),
        "resources: [../base]\nimages:\n- name: {{ n }}\n  newTag: \"1\"\n".to_string(),
        "resources: [../base]\ncomponents: [ {{ c }} ]\n".to_string(),
        "resources: [../base]\npatches: {{ p }}\n".to_string(),
        "resources: [../base]\npatches:\n- path: {{ p }}\n".to_string(),
        "<<: {{ x }}\nresources: [../base]\n".to_string(),
        "resources: [../base]\n{{ x }}: {{ y }}\n".to_string(),
        "resources: [../base]\nimages:\n- name: nginx\n  newName: {{ n }}\n".to_string(),
    ] {
        assert!(base(&overlay).is_empty(), "{overlay}");
    }
    // An entry gets its `newName`, whatever it is built from, and the base stays.
    for resource in [
        "[ {{ base }} ]",
        "\n- {{ base }}",
        "{{ base }}",
        "[../$ENV]",
        "[../$(ENV)]",
        "[../<env>]",
        "[../__ENV__]",
        "[../missing]",
    ] {
        let overlay = format!("resources: {resource}\n{images}");
        let found = base(&overlay);
        assert_eq!(
            found,
            ["+  newName: R/docker-hub/library/nginx"],
            "{overlay}"
        );
    }
    let harmless = "resources: [../base]\nnamespace: {{ n }}\n";
    assert_eq!(base(harmless).len(), 1);
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec:\n  path: ./base\n  sourceRef: {kind: GitRepository, name: a}\n";
    for rest in ["  images: {{ i }}\n", "  components: {{ c }}\n"] {
        let text = format!("{flux}{rest}");
        let found = written(&[
            (
                "base/deploy.yaml",
                "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: nginx:1.27\n",
            ),
            ("flux.yaml", text.as_str()),
        ]);
        assert!(found.is_empty(), "{text}");
    }
}
