//! The catalogue of places that name images: one list, from which `docs/sites.md` is printed.
//!
//! Every finder adds its rows here; custom resources take theirs from their table.

use super::resource;

/// A kind of place.
#[derive(Clone, Debug)]
pub struct Place {
    /// The finder.
    pub finder: &'static str,
    /// Where it is: the objects, or files, for people.
    pub objects: String,
    /// The way to it, for people.
    pub field: String,
    /// What becomes of it.
    pub treated: &'static str,
    /// What these are.
    pub what: &'static str,
    /// The folder of `testdata` that has one; a row of the table of custom resources is looked for in all.
    pub case: Option<&'static str>,
}

/// The places that are known by what a row says alone; the last is the folder of `testdata` that has one.
#[rustfmt::skip]
const PLACES: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("workload", "any object", "containers, initContainers, ephemeralContainers: image", "rewritten", "Pod specs, by shape", "workloads"),
    ("workload", "any object", "volumes: image.reference", "rewritten", "Image volumes, by shape", "workloads"),
    ("workload", "ConfigMap `data`, Secret `stringData`", "keys that end in .yaml, .yml, .json", "rewritten", "Documents in texts: all of this list, edited in place", "embedded-configmap"),
    ("workload", "Workflow and its templates", "resource/manifest", "rewritten", "Argo Workflows: the object that a step makes, in a text", "resources-workflows"),
    ("workload", "policies of Kyverno and Gatekeeper", "mutate, generate/data, assign/value: containers", "rewritten; other references stay: `group-incomplete`", "What a policy puts into objects", "policies-injected"),
    ("kustomize", "kustomizations", "images: name, newName", "rewritten with what they match", "Names of images (see [kustomize](kustomize.md))", "kustomize-names"),
    ("patch", "JSON6902 patches", "value", "rewritten", "Images that an operation writes", "kustomize-patch-images"),
    ("patch-test", "JSON6902 patches", "value of a test", "rewritten with its image", "Images that an operation tests for", "kustomize-tests"),
    ("kustomize", "Kustomization of Flux", "spec/images", "rewritten with what they match", "The same as in kustomizations", "flux-kustomize"),
    ("argo", "Application, ApplicationSet", "kustomize/images", "rewritten with what they match", "The same, as texts", "argo-kustomize"),
    ("values", "values files and blocks", "registry, repository, image, …Image, hub", "rewritten over their layers", "Helm values (see [values](values.md))", "values-parts"),
    ("values", "other documents", "image, …Image", "assumed: `text-reference`", "Full references in documents that are no objects and that nothing shows to be values", "plain-references"),
    ("resource", "any custom resource", "image, …Image, …_image, …-image", "rewritten; a bare word is assumed", "References, by shape", "resources-unknown"),
    ("resource", "any custom resource", "image: reference", "rewritten", "Image volumes of other kinds, by shape", "resources-unknown"),
    ("resource", "any custom resource", "image: registry, repository, tag, digest", "rewritten; without any registry assumed", "Images in parts, by shape", "resources-parts"),
    ("resource", "any custom resource", "repository, image, version", "rewritten", "Images in three parts (NVIDIA's operators), by shape", "resources-parts"),
    ("resource", "the config's `sites`", "kind, path", "rewritten", "Places of your own", "config-sites"),
    ("text", "containers, steps", "args, command", "rewritten; of doubtful flags assumed; pushes stay: `build-output`", "Flags: `--x-image=…`, `--x-image …`", "texts-args"),
    ("text", "any object", "env", "rewritten; of doubtful names assumed", "Variables: `RELATED_IMAGE_…`, `…_IMAGE`", "texts-env"),
    ("text", "any object", "env", "rewritten", "Variables with a line for each version: `STRIMZI_…_IMAGES`", "texts-strimzi"),
    ("text", "any object", "annotations", "rewritten; of doubtful names assumed", "Images of sidecars, functions of kustomize, `containerImage`", "texts-annotations"),
    ("text", "Tekton, Argo Workflows, OpenShift templates", "params, parameters", "rewritten when all their uses are images of containers; else assumed; pushes stay: `build-output`", "Parameters", "texts-tekton-params"),
    ("text", "Flux Kustomization, ApplicationSet, Argo Workflows", "substitute, elements, values, withItems", "assumed: `text-reference`", "What is filled in elsewhere", "texts-uses"),
    ("text", "ConfigMap `data`", "any key", "assumed: `text-reference`", "Settings under names of images, in YAML and JSON, and lines that are `image: …`", "texts-config-map"),
    ("chart-test", "suites of helm-unittest", "asserts: value", "stays: `test-assertion`; with `--with-tests` rewritten with the chart", "What a test says that a chart renders", "test-assertions"),
    ("chart-test-pattern", "suites of helm-unittest", "asserts: pattern", "stays: `test-assertion`", "The same as a regular expression", "test-assertions"),
    ("metadata", "`Chart.yaml`", "annotations: images, artifacthub.io/images", "stays: `metadata`; with `--with-tests` rewritten with the chart", "What a catalogue says that a chart brings", "metadata"),
    ("chart", "Flux OCIRepository", "spec/url: oci://…", "with `--charts` rewritten (see [charts](charts.md))", "One chart, or another artifact", "charts-oci-flux"),
    ("chart", "Argo CD sources without `chart`; k3s HelmChart; helmfile and Fleet", "repoURL, chart, repo: oci://…", "with `--charts` rewritten", "The same", "charts-oci-others"),
    ("chart-folder", "Flux HelmRepository; Argo CD sources with `chart`", "url, repoURL", "with `--charts` rewritten, when everything below it goes the same way", "What the names of charts are joined to", "charts-oci-flux"),
    ("chart-folder", "helmfile `repositories`, kustomize `helmCharts`, `Chart.yaml`", "url, repo, repository", "with `--charts` rewritten; beside a lock it stays: `group-incomplete`", "The same", "charts-oci-dependencies"),
    ("lines", "templates that cannot be read", "lines that are `image: …`", "stays: `unparsed`", "Shown only", "templates-unparsed"),
];

/// Every kind of place, in the order of the documentation.
pub fn catalogue() -> Vec<Place> {
    let rows = PLACES.iter();
    let rows = rows.map(|&(finder, objects, field, treated, what, case)| Place {
        finder,
        objects: objects.to_string(),
        field: field.to_string(),
        treated,
        what,
        case: Some(case),
    });
    rows.chain(resource::places()).collect()
}
