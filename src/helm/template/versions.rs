//! `.Capabilities`: the cluster a chart is rendered for.

use std::rc::Rc;

use super::semver::Version;
use super::value::{Object, Val};

/// The API versions every cluster is taken to have.
const KNOWN: [&str; 57] = [
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

/// `.Capabilities` for this version of Kubernetes.
pub(crate) fn capabilities(kube_version: &str, more: &[String]) -> Val {
    let known = KNOWN.iter().map(|&version| version.to_owned());
    let versions = Rc::new(known.chain(more.iter().cloned()).collect());
    let [major, minor, _] = Version::parse(kube_version).map_or([1, 0, 0], |version| version.parts);
    let kube = vec![
        ("Version", Val::text(kube_version)),
        ("GitVersion", Val::text(kube_version)),
        ("Major", Val::text(major.to_string())),
        ("Minor", Val::text(minor.to_string())),
    ];
    let helm = vec![
        ("Version", Val::text("v3.19.0")),
        ("GitCommit", Val::text("")),
        ("GitTreeState", Val::text("clean")),
        ("GoVersion", Val::text("go1.24.7")),
    ];
    Val::structure(
        "chartutil.Capabilities",
        None,
        vec![
            (
                "KubeVersion",
                Val::structure("chartutil.KubeVersion", Some(kube_version), kube),
            ),
            ("APIVersions", Val::Object(Object::Versions(versions))),
            (
                "HelmVersion",
                Val::structure("version.BuildInfo", None, helm),
            ),
        ],
    )
}
