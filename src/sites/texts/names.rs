//! What the name beside a text says of it: whether it is an image, and whether that is pulled.
//!
//! Names are flags (`--acme-http01-solver-image`), variables (`RELATED_IMAGE_PROXY`), parameters and
//! keys. They are read word by word, so that one table serves all ways to spell them; names that do
//! not say what they are stand in tables of their own.

use super::super::front::words;
use super::super::purpose::{PLAIN, POLICY, PUSHED, is_plain, says_pushed};

/// What a name says of the text beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// It is an image that is pulled.
    Pulled,
    /// It is the name of one, to which what reads it adds a tag.
    Name,
    /// It is an image, but a build may push it.
    Perhaps,
    /// It is an image that a build pushes.
    Pushed,
    /// Nothing.
    Nothing,
    /// It is about images and none itself: a list of those that are allowed.
    Other,
}

/// What the object around a name is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Around {
    /// It runs something.
    Runs,
    /// It may build images.
    Builds,
}

/// Flags that say what they are without the word. Sources: the flags of prometheus-operator
/// (`cmd/operator`; the base images may come without a tag), kaniko, buildah, pack, ko, crane,
/// jib and Spring Boot's build plugins (`imageName` is what they build).
#[rustfmt::skip]
const FLAGS: &[(&str, Says)] = &[
    ("prometheus-config-reloader", Says::Pulled),
    ("prometheus-default-base-image", Says::Name),
    ("alertmanager-default-base-image", Says::Name),
    ("thanos-default-base-image", Says::Name),
    ("Djib.to.image", Says::Pushed),
    ("Dspring-boot.build-image.imageName", Says::Pushed),
    ("cache-image", Says::Pushed),
    ("cache-repo", Says::Pushed),
    ("d", Says::Pushed),
    ("dest", Says::Pushed),
    ("destination", Says::Pushed),
    ("destinations", Says::Pushed),
    ("docker-repo", Says::Pushed),
    ("dst", Says::Pushed),
    ("imageName", Says::Perhaps),
    ("new-tag", Says::Pushed),
    ("new_tag", Says::Pushed),
    ("output", Says::Pushed),
    ("publish", Says::Pushed),
    ("push", Says::Pushed),
    ("t", Says::Pushed),
    ("tag", Says::Pushed),
    ("target", Says::Pushed),
    ("to", Says::Pushed),
];

/// Variables that say what they are without the word. Source: Strimzi's operator.
const VARIABLES: &[(&str, Says)] = &[("STRIMZI_DEFAULT_MAVEN_BUILDER", Says::Pulled)];

/// How the variables begin by which an operator is told what to pull (Operator Lifecycle Manager,
/// "disconnected environments").
const RELATED: &str = "RELATED_IMAGE_";

/// Annotations by which sidecars are chosen, and the one of an operator's catalogue. Sources: the
/// annotation references of Istio, Linkerd (the version stands in an annotation of its own), Vault,
/// OpenBao, Dapr and the Operator Lifecycle Manager.
#[rustfmt::skip]
const ANNOTATIONS: &[(&str, Says)] = &[
    ("sidecar.istio.io/proxyImage", Says::Pulled),
    ("config.linkerd.io/proxy-image", Says::Name),
    ("config.linkerd.io/init-image", Says::Name),
    ("config.linkerd.io/debug-image", Says::Name),
    ("vault.hashicorp.com/agent-image", Says::Pulled),
    ("openbao.openbao.org/agent-image", Says::Pulled),
    ("dapr.io/sidecar-image", Says::Pulled),
    ("containerImage", Says::Pulled),
];

/// Annotations that hold the settings of a function, which kustomize and kpt run from its image
/// (kustomize `kyaml/fn/runtime/runtimeutil`).
const FUNCTIONS: &[&str] = &["config.kubernetes.io/function", "config.k8s.io/function"];

/// Owners of annotations that copy an object, or say which images automation may choose.
const OWNERS_OF_OTHERS: &[&str] = &[
    "argocd-image-updater.argoproj.io",
    "artifacthub.io",
    "fluxcd.io",
    "image.openshift.io",
    "keel.sh",
    "kubectl.kubernetes.io",
];

/// Words behind that of the image that stand for something it has, or for its place.
const ABOUT: &[&str] = &[
    "addr",
    "address",
    "bucket",
    "config",
    "credential",
    "credentials",
    "dir",
    "digest",
    "endpoint",
    "file",
    "format",
    "gc",
    "host",
    "path",
    "period",
    "policy",
    "port",
    "provider",
    "pull",
    "registries",
    "registry",
    "repo",
    "repository",
    "scan",
    "scanning",
    "secret",
    "secrets",
    "server",
    "service",
    "size",
    "suffix",
    "tag",
    "tags",
    "threshold",
    "timeout",
    "token",
    "type",
    "user",
    "version",
];

/// Programs that builds run, whose images are hardly ever what a build makes. What an application may
/// be called (a runner, a sidecar, a command line) is none.
const TOOLS: &[&str] = &[
    "builder",
    "buildah",
    "buildkit",
    "buildpack",
    "git",
    "golang",
    "gradle",
    "helm",
    "kaniko",
    "kubectl",
    "lifecycle",
    "maven",
    "skopeo",
    "trivy",
];

/// Subcommands of tools that move or change images, so that nothing tells what is pulled. Sources: the
/// command lines of docker, buildah, skopeo, crane, cosign and oras.
const VERBS: &[&str] = &[
    "append", "attach", "attest", "bud", "build", "copy", "cp", "delete", "export", "load",
    "mirror", "mutate", "publish", "push", "rebase", "save", "sign", "sync", "tag",
];

/// Words in the names of kinds whose objects run to an end, as builds do, or run builds.
const BUILDING: &[&str] = &[
    "build", "builds", "builder", "job", "jobs", "pipeline", "runner", "runners", "task",
    "workflow",
];

/// Whether a word of a command line is what tools are told to do with images by.
pub(super) fn is_verb(word: &str) -> bool {
    VERBS.contains(&word)
}

/// Whether objects of a kind may build images, as far as its name tells.
pub(super) fn may_build(kind: &str) -> bool {
    words(kind).any(|word| BUILDING.contains(&word.as_str()))
}

/// The names of what is pulled, or becomes such a name, that do not say so in a word.
pub(super) fn telling() -> impl Iterator<Item = &'static str> {
    let rows = FLAGS.iter().chain(VARIABLES).chain(ANNOTATIONS);
    rows.filter(|(_, says)| matches!(says, Says::Pulled | Says::Name))
        .map(|(name, _)| *name)
}

/// What the name of a flag says; dashes in front of it do not count.
pub(super) fn flag(name: &str, around: Around) -> Says {
    let name = name.trim_start_matches('-');
    match listed(FLAGS, name) {
        Some(says) => says,
        None => by_words(name, around),
    }
}

/// What the name of an environment variable says.
pub(super) fn variable(name: &str, around: Around) -> Says {
    if name.starts_with(RELATED) {
        return Says::Pulled;
    }
    if let Some(says) = listed(VARIABLES, name) {
        return says;
    }
    match by_words(name, around) {
        // `IMAGE` is what scripts call the image that they build.
        Says::Pulled if is_plain(name) => Says::Perhaps,
        says => says,
    }
}

/// What the key of an annotation says.
pub(super) fn annotation(key: &str) -> Says {
    if let Some(says) = listed(ANNOTATIONS, key) {
        return says;
    }
    let (owner, name) = key.split_once('/').unwrap_or(("", key));
    if OWNERS_OF_OTHERS.contains(&owner) {
        return Says::Other;
    }
    match by_words(name, Around::Runs) {
        Says::Pulled => Says::Perhaps,
        says => says,
    }
}

/// Whether an annotation holds the settings of a function.
pub(super) fn is_function(annotation: &str) -> bool {
    FUNCTIONS.contains(&annotation)
}

/// What the name of a parameter of a pipeline says: the image that is all about is pushed.
pub(super) fn parameter(name: &str) -> Says {
    match by_words(name, Around::Builds) {
        Says::Perhaps if is_plain(name) => Says::Pushed,
        says => says,
    }
}

/// Whether the key of a map says that what stands in it is what a build makes.
pub(super) fn is_of_output(key: &str) -> bool {
    says_pushed(&words(key).collect::<Vec<_>>())
}

/// Whether a name ends as that of one image: `-shell-image`, `PROXY_IMAGE`.
pub(super) fn is_of_one(name: &str) -> bool {
    words(name)
        .last()
        .is_some_and(|word| word.ends_with("image"))
}

/// Whether a name is that of several images.
pub(super) fn is_of_several(name: &str) -> bool {
    words(name).any(|word| word.ends_with("images"))
}

fn listed(rows: &[(&str, Says)], name: &str) -> Option<Says> {
    let row = rows.iter().find(|(known, _)| *known == name);
    row.map(|(_, says)| *says)
}

fn by_words(name: &str, around: Around) -> Says {
    let words: Vec<String> = words(name).collect();
    let has =
        |words: &[String], list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let is_image = |word: &String| word.ends_with("image") || word.ends_with("images");
    let Some(last) = words.iter().rposition(is_image) else {
        return Says::Nothing;
    };
    let is_all = |lists: &[&[&str]]| {
        let mut words = words.iter();
        words.all(|word| lists.iter().any(|list| list.contains(&word.as_str())))
    };
    if has(&words, POLICY) {
        Says::Other
    } else if has(&words[last..], ABOUT) {
        Says::Nothing
    } else if says_pushed(&words) {
        // The other words may be the application that is built, or a program with such a name.
        if is_all(&[PUSHED, PLAIN]) {
            Says::Pushed
        } else {
            Says::Perhaps
        }
    } else if around == Around::Builds && !has(&words, TOOLS) {
        Says::Perhaps
    } else {
        Says::Pulled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_say_what_they_are_for() {
        for (name, says) in [
            ("--acme-http01-solver-image", Says::Pulled),
            ("-shell-image-win", Says::Pulled),
            ("--executorImage", Says::Pulled),
            ("--prometheus-config-reloader", Says::Pulled),
            ("--prometheus-default-base-image", Says::Name),
            ("--target-allocator-image", Says::Pulled),
            ("--output-image", Says::Pushed),
            ("--output-cli-image", Says::Perhaps),
            ("--target-operator-image", Says::Perhaps),
            ("--push-target-allocator-image", Says::Perhaps),
            ("-Djib.to.image", Says::Pushed),
            ("-Dspring-boot.build-image.imageName", Says::Pushed),
            ("--imageName", Says::Perhaps),
            ("--destination", Says::Pushed),
            ("-t", Says::Pushed),
            ("--cache-image", Says::Pushed),
            ("--allowed-images", Says::Other),
            ("--image-pull-policy", Says::Nothing),
            ("--image-service-endpoint", Says::Nothing),
            ("--registry", Says::Nothing),
        ] {
            assert_eq!(flag(name, Around::Runs), says, "{name}");
        }
        assert_eq!(flag("--image", Around::Builds), Says::Perhaps);
        assert_eq!(flag("--kaniko-image", Around::Builds), Says::Pulled);
        assert_eq!(flag("--kaniko-push-image", Around::Builds), Says::Perhaps);
    }

    #[test]
    fn variables_say_what_they_are_for() {
        for (name, says) in [
            ("RELATED_IMAGE_PROXY", Says::Pulled),
            ("STRIMZI_KAFKA_IMAGES", Says::Pulled),
            ("ROOK_CSI_CEPH_IMAGE", Says::Pulled),
            ("RELATED_IMAGE_CACHE_VERSION", Says::Pulled),
            ("STRIMZI_DEFAULT_USER_OPERATOR_IMAGE", Says::Pulled),
            ("STRIMZI_DEFAULT_MAVEN_BUILDER", Says::Pulled),
            ("proxyImage", Says::Pulled),
            ("IMAGE", Says::Perhaps),
            ("APP_IMAGE_NAME", Says::Perhaps),
            ("TARGET_IMAGE", Says::Pushed),
            ("TO_IMAGE", Says::Pushed),
            ("OUT_IMAGE", Says::Pushed),
            ("IMAGE_OUT", Says::Pushed),
            ("FINAL_IMAGE", Says::Pushed),
            ("UPLOADED_IMAGE", Says::Pushed),
            ("EXPORT_APP_IMAGE", Says::Pushed),
            ("MIRROR_BACKEND_IMAGE", Says::Perhaps),
            ("KAFKA_MIRROR_MAKER_IMAGE", Says::Pulled),
            ("NODE_EXPORTER_IMAGE", Says::Pulled),
            ("IMAGE_TO_PUSH", Says::Pushed),
            ("OUTPUT_OPERATOR_IMAGE", Says::Perhaps),
            ("DEST_BACKEND_IMAGE", Says::Perhaps),
            ("BUILD_TARGET_IMAGE", Says::Perhaps),
            ("PUBLISH_BACKEND_IMAGE", Says::Perhaps),
            ("BACKEND_PUSH_IMAGE", Says::Perhaps),
            ("RELATED_IMAGE_TARGET_OPERATOR", Says::Pulled),
            ("PUSHGATEWAY_IMAGE", Says::Pulled),
            ("TARGET_ALLOCATOR_IMAGE", Says::Pulled),
            ("IMAGE_TAG", Says::Nothing),
            ("IMAGINATION", Says::Nothing),
        ] {
            assert_eq!(variable(name, Around::Runs), says, "{name}");
        }
    }

    #[test]
    fn kinds_tell_what_may_build() {
        for kind in [
            "Job",
            "ScaledJob",
            "JobSet",
            "AdvancedCronJob",
            "RunnerDeployment",
            "AutoscalingRunnerSet",
            "TaskRun",
        ] {
            assert!(may_build(kind), "{kind}");
        }
        for kind in ["Deployment", "DaemonSet", "Rollout", "Application"] {
            assert!(!may_build(kind), "{kind}");
        }
    }

    #[test]
    fn parameters_tell_what_is_pushed() {
        for (name, says) in [
            ("IMAGE", Says::Pushed),
            ("image-url", Says::Pushed),
            ("outputImage", Says::Pushed),
            ("BUILDER_IMAGE", Says::Pulled),
            ("kaniko-image", Says::Pulled),
            ("KANIKO_DESTINATION_IMAGE", Says::Perhaps),
            ("PUSH_RUNNER_IMAGE", Says::Perhaps),
            ("output-cli-image", Says::Perhaps),
            ("runner-image", Says::Perhaps),
            ("cli-image", Says::Perhaps),
            ("node-image", Says::Perhaps),
            ("sidecar-image", Says::Perhaps),
            ("BASE_IMAGE", Says::Perhaps),
            ("bundle", Says::Nothing),
        ] {
            assert_eq!(parameter(name), says, "{name}");
        }
    }

    #[test]
    fn annotations_say_what_they_are_for() {
        for (key, says) in [
            ("sidecar.istio.io/proxyImage", Says::Pulled),
            ("config.linkerd.io/proxy-image", Says::Name),
            ("example.com/job-image", Says::Perhaps),
            (
                "kubectl.kubernetes.io/last-applied-configuration",
                Says::Other,
            ),
            ("argocd-image-updater.argoproj.io/image-list", Says::Other),
            ("example.com/note", Says::Nothing),
        ] {
            assert_eq!(annotation(key), says, "{key}");
        }
    }
}
