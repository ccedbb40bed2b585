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
}

/// The places that are known by what a row says alone.
#[rustfmt::skip]
const PLACES: &[(&str, &str, &str, &str, &str)] = &[
    ("workload", "any object", "containers, initContainers, ephemeralContainers: image", "rewritten", "Pod specs, by shape"),
    ("workload", "any object", "volumes: image.reference", "rewritten", "Image volumes, by shape"),
    ("kustomize", "kustomizations", "images: name, newName", "rewritten with what they match", "Names of images (see [kustomize](kustomize.md))"),
    ("patch", "JSON6902 patches", "value", "rewritten", "Images that an operation writes"),
    ("patch-test", "JSON6902 patches", "value of a test", "rewritten with its image", "Images that an operation tests for"),
    ("flux", "Kustomization of Flux", "spec/images", "rewritten with what they match", "The same as in kustomizations"),
    ("argo", "Application, ApplicationSet", "kustomize/images", "rewritten with what they match", "The same, as texts"),
    ("values", "values files and blocks", "registry, repository, image, …Image, hub", "rewritten over their layers", "Helm values (see [values](values.md))"),
    ("release", "HelmChart of k3s", "spec/jobImage", "rewritten", "The image of the job that installs a chart"),
    ("resource", "any custom resource", "image, …Image, …_image, …-image", "rewritten; a bare word is assumed", "References, by shape"),
    ("resource", "any custom resource", "image: reference", "rewritten", "Image volumes of other kinds, by shape"),
    ("resource", "any custom resource", "image: registry, repository, tag, digest", "rewritten; without any registry assumed", "Images in parts, by shape"),
    ("resource", "any custom resource", "repository, image, version", "rewritten", "Images in three parts (NVIDIA's operators), by shape"),
    ("resource", "the config's `sites`", "kind, path", "rewritten", "Places of your own"),
];

/// Every kind of place, in the order of the documentation.
pub fn catalogue() -> Vec<Place> {
    let rows = PLACES.iter();
    let rows = rows.map(|&(finder, objects, field, treated, what)| Place {
        finder,
        objects: objects.to_string(),
        field: field.to_string(),
        treated,
        what,
    });
    rows.chain(resource::places()).collect()
}
