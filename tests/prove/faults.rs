//! Faults that are put into a plan on purpose: the proof has to find each.

use ecr_rewrite::prove::{Engines, Kind, Proof, Render};

use super::bench::{Bench, engines};
use super::common::{REGISTRY, tree};

const BASE: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n      - name: web\n        image: acme/web:1.0\n      - name: proxy\n        image: docker.io/library/nginx:1.27@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
pub const CHART: &str = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";
pub const VALUES: &str =
    "image:\n  registry: docker.io\n  repository: acme/shop\n  tag: \"1\"\nreplicas: 1\n";
pub const TEMPLATE: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: \"{{ .Release.Name }}\"}\nspec:\n  replicas: {{ .Values.replicas }}\n  selector: {matchLabels: {app: shop}}\n  template:\n    metadata: {labels: {app: shop}}\n    spec:\n      containers:\n      - name: shop\n        image: \"{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}\"\n      - {name: fixed, image: \"gcr.io/acme/fixed:3\"}\n";
const RELEASE: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec:\n  source:\n    repoURL: https://git.example/repo\n    path: charts/shop\n    helm:\n      valuesObject:\n        image:\n          registry: quay.io\n          repository: acme/other\n        replicas: 3\n";

/// A repository with a kustomization over a base, a chart and a release of it.
fn repository() -> tempfile::TempDir {
    tree(&[
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", BASE),
        (
            "prod/kustomization.yaml",
            "resources: [../base]\nimages:\n- name: acme/web\n  newTag: \"2.0\"\n",
        ),
        ("charts/shop/Chart.yaml", CHART),
        ("charts/shop/values.yaml", VALUES),
        ("charts/shop/templates/shop.yaml", TEMPLATE),
        ("apps/shop.yaml", RELEASE),
    ])
}

/// Proves a plan after something was done to it.
fn proven(engines: &Engines, spoil: impl Fn(&mut Bench)) -> Proof {
    let folder = repository();
    let mut bench = Bench::new(folder.path());
    spoil(&mut bench);
    bench.prove(engines)
}

pub fn find<'p>(proof: &'p Proof, kind: Kind, path: &str) -> &'p Render {
    let mut renders = proof.renders.iter();
    let is_it = |one: &&Render| one.kind == kind && one.path.to_string_lossy() == path;
    renders
        .find(is_it)
        .unwrap_or_else(|| panic!("{path} is missing: {proof:#?}"))
}

/// The reasons for which a rendering differs.
fn whys(render: &Render) -> Vec<&str> {
    let rendered = render.rendered().unwrap_or_else(|| panic!("{render:#?}"));
    rendered.differences.iter().map(|one| one.why).collect()
}

#[test]
fn a_sound_plan_is_proven() {
    let Some(engines) = engines() else { return };
    let proof = proven(&engines, |_| {});
    assert!(!proof.fails(), "{proof:#?}");
    assert_eq!(proof.renders.len(), 4);
    let prod = find(&proof, Kind::Kustomization, "prod")
        .rendered()
        .unwrap();
    let changed: Vec<&str> = prod
        .changed
        .iter()
        .map(|(_, after)| after.as_str())
        .collect();
    let web = format!("{REGISTRY}/docker-hub/acme/web:2.0");
    assert!(changed.contains(&web.as_str()), "{changed:?}");
    assert_eq!(changed.len(), 2);
    let shop = find(&proof, Kind::Release, "apps/shop.yaml")
        .rendered()
        .unwrap();
    let other = format!("{REGISTRY}/quay/acme/other:1");
    assert!(
        shop.changed.iter().any(|(_, after)| *after == other),
        "{shop:#?}"
    );
    assert_eq!(shop.outside[0].image, "gcr.io/acme/fixed:3");
    assert_eq!(shop.outside[0].origin.code(), "template");
    assert!(proof.unseen.is_empty(), "{:?}", proof.unseen);
}

#[test]
fn a_dropped_tag_is_found() {
    let Some(engines) = engines() else { return };
    let proof = proven(&engines, |bench| {
        bench.spoil("base/web.yaml", |text| {
            text.replace("nginx:1.27@", "nginx@")
        });
    });
    let lost = "its tag or digest is another one";
    assert_eq!(whys(find(&proof, Kind::Kustomization, "base")), [lost]);
    assert_eq!(whys(find(&proof, Kind::Kustomization, "prod")), [lost]);
    assert!(whys(find(&proof, Kind::Chart, "charts/shop")).is_empty());
}

#[test]
fn a_doubled_prefix_is_found() {
    let Some(engines) = engines() else { return };
    let proof = proven(&engines, |bench| {
        bench.spoil("base/web.yaml", |text| {
            text.replace("docker-hub/library", "docker-hub/docker-hub/library")
        });
        bench.spoil("charts/shop/values.yaml", |text| {
            text.replace(REGISTRY, &format!("docker.io/{REGISTRY}"))
        });
    });
    let malformed = "the image became malformed";
    assert_eq!(whys(find(&proof, Kind::Kustomization, "prod")), [malformed]);
    let chart = whys(find(&proof, Kind::Chart, "charts/shop"));
    assert!(chart.contains(&malformed), "{chart:?}");
}

#[test]
fn a_lost_override_is_found() {
    let Some(engines) = engines() else { return };
    // The base moves, and the name in the overlay no longer meets it: the tag of the overlay is lost.
    let proof = proven(&engines, |bench| {
        bench.spoil("prod/kustomization.yaml", |text| {
            let lines = text.lines().filter(|line| !line.contains("newName"));
            lines.collect::<Vec<_>>().join("\n")
        });
        bench.spoil("base/web.yaml", |text| {
            text.replace(
                "image: acme/web:1.0",
                &format!("image: {REGISTRY}/docker-hub/acme/web:1.0"),
            )
        });
    });
    let lost = "its tag or digest is another one";
    assert_eq!(whys(find(&proof, Kind::Kustomization, "prod")), [lost]);
    // A release whose repository gets lost has that of the chart.
    let proof = proven(&engines, |bench| {
        bench.spoil("apps/shop.yaml", |text| {
            let lines = text.lines().filter(|line| !line.contains("repository:"));
            lines.collect::<Vec<_>>().join("\n")
        });
    });
    assert_eq!(whys(find(&proof, Kind::Release, "apps/shop.yaml")).len(), 1);
    assert!(!whys(find(&proof, Kind::Release, "apps/shop.yaml"))[0].is_empty());
}

#[test]
fn a_changed_value_that_is_no_image_is_found() {
    let Some(engines) = engines() else { return };
    let proof = proven(&engines, |bench| {
        bench.spoil("base/web.yaml", |text| {
            text.replace("replicas: 2", "replicas: 20")
        });
        bench.spoil("apps/shop.yaml", |text| {
            text.replace("replicas: 3", "replicas: 4")
        });
    });
    for (kind, path) in [
        (Kind::Kustomization, "base"),
        (Kind::Kustomization, "prod"),
        (Kind::Release, "apps/shop.yaml"),
    ] {
        let render = find(&proof, kind, path);
        assert_eq!(whys(render), ["it is no image"], "{path}");
        let difference = &render.rendered().unwrap().differences[0];
        assert_eq!(difference.at, "spec.replicas");
    }
    assert!(!find(&proof, Kind::Chart, "charts/shop").is_different());
}

#[test]
fn what_cannot_be_rendered_any_more_is_found() {
    let Some(engines) = engines() else { return };
    let proof = proven(&engines, |bench| {
        bench.spoil("base/web.yaml", |text| {
            text.replace("kind: Deployment", "kind: [")
        });
        bench.spoil("charts/shop/values.yaml", |text| {
            text.replace("replicas: 1", "replicas: [1")
        });
    });
    let gone = "it cannot be rendered any more";
    assert_eq!(whys(find(&proof, Kind::Kustomization, "base")), [gone]);
    assert_eq!(whys(find(&proof, Kind::Chart, "charts/shop")), [gone]);
}

#[test]
fn a_stale_name_may_give_its_tag_to_its_image() {
    let Some(engines) = engines() else { return };
    let moved = format!("{REGISTRY}/docker-hub/acme/web:1.0");
    let base = BASE.replace("acme/web:1.0", &moved);
    let folder = tree(&[
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", &base),
        (
            "prod/kustomization.yaml",
            "resources: [../base]\nimages:\n- name: acme/web\n  newTag: \"2.0\"\n",
        ),
    ]);
    let mut bench = Bench::new(folder.path());
    let proof = bench.prove(&engines);
    let prod = find(&proof, Kind::Kustomization, "prod")
        .rendered()
        .unwrap();
    let healed = (moved.clone(), moved.replace("1.0", "2.0"));
    assert!(prod.healed.contains(&healed), "{prod:#?}");
    assert!(!proof.fails());
    // Nothing heals in the base: another tag there is a fault.
    bench.spoil("base/web.yaml", |text| text.replace("web:1.0", "web:3.0"));
    let proof = bench.prove(&engines);
    assert!(find(&proof, Kind::Kustomization, "base").is_different());
}

#[test]
fn files_that_go_into_no_rendering_are_told() {
    let Some(engines) = engines() else { return };
    let folder = tree(&[
        ("plain/web.yaml", BASE),
        (
            "far/kustomization.yaml",
            "resources: [web.yaml, https://x.example/a.yaml]\n",
        ),
        ("far/web.yaml", BASE),
    ]);
    let proof = Bench::new(folder.path()).prove(&engines);
    let unseen: Vec<_> = proof
        .unseen
        .iter()
        .map(|path| path.to_string_lossy())
        .collect();
    assert_eq!(unseen, ["far/web.yaml", "plain/web.yaml"]);
}

#[test]
fn lost_and_new_objects_are_found() {
    let Some(engines) = engines() else { return };
    let proof = proven(&engines, |bench| {
        bench.spoil("base/web.yaml", |text| {
            format!("{text}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: more}}\n")
        });
    });
    assert_eq!(
        whys(find(&proof, Kind::Kustomization, "base")),
        ["it is new"]
    );
}

#[test]
fn passwords_that_are_made_up_prove_nothing_and_hide_nothing() {
    let Some(engines) = engines() else { return };
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: made}\nstringData:\n  password: \"{{ randAlphaNum 20 }}\"\n  text: \"a {{ randAlphaNum 20 }} {{ .Values.replicas }}\"\n";
    let folder = tree(&[
        ("charts/shop/Chart.yaml", CHART),
        ("charts/shop/values.yaml", VALUES),
        ("charts/shop/templates/shop.yaml", TEMPLATE),
        ("charts/shop/templates/secret.yaml", secret),
    ]);
    let mut bench = Bench::new(folder.path());
    let proof = bench.prove(&engines);
    let shop = find(&proof, Kind::Chart, "charts/shop");
    assert!(!shop.is_different(), "{shop:#?}");
    assert_eq!(shop.rendered().unwrap().unstable, 2);
    bench.spoil("charts/shop/values.yaml", |text| {
        text.replace("replicas: 1", "replicas: 7")
    });
    let proof = bench.prove(&engines);
    // The word beside the one that is made up counts.
    assert_eq!(whys(find(&proof, Kind::Chart, "charts/shop")).len(), 2);
}

#[test]
fn names_that_are_made_up_and_clocks_are_no_differences() {
    let Some(engines) = engines() else { return };
    let pod = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: \"shop-{name}-test-{{{{ randAlphaNum 5 | lower }}}}\"\n  annotations: {{replicas: \"{{{{ .Values.replicas }}}}\"}}\nspec:\n  containers: [{{name: {name}, image: nginx:1}}]\n"
        )
    };
    let clock = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: clock}\ndata:\n  at: \"{{ now | unixEpoch }}\"\n";
    let pods = ["a", "b", "c", "d"].map(pod);
    let folder = tree(&[
        ("charts/shop/Chart.yaml", CHART),
        ("charts/shop/values.yaml", VALUES),
        ("charts/shop/templates/shop.yaml", TEMPLATE),
        ("charts/shop/templates/a.yaml", &pods[0]),
        ("charts/shop/templates/b.yaml", &pods[1]),
        ("charts/shop/templates/c.yaml", &pods[2]),
        ("charts/shop/templates/d.yaml", &pods[3]),
        ("charts/shop/templates/clock.yaml", clock),
    ]);
    let mut bench = Bench::new(folder.path());
    let proof = bench.prove(&engines);
    let shop = find(&proof, Kind::Chart, "charts/shop");
    assert!(!shop.is_different(), "{shop:#?}");
    // Beside a name that is made up everything counts.
    bench.spoil("charts/shop/values.yaml", |text| {
        text.replace("replicas: 1", "replicas: 7")
    });
    let proof = bench.prove(&engines);
    let whys = whys(find(&proof, Kind::Chart, "charts/shop"));
    assert_eq!(whys, ["it is no image"; 5]);
}
