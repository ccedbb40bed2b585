//! What is at hand, and what is not: folders, packages, Helm's cache, and the reason for everything else.

use std::fs;
use std::path::Path;

use ecr_rewrite::helm::HelmCache;
use ecr_rewrite::prove::{Kind, Outcome, Why};
use sha2::{Digest, Sha256};

use super::bench::{Bench, engines};
use super::common::{REGISTRY, tree};
use super::faults::{CHART, TEMPLATE, VALUES, find};

#[test]
fn what_is_not_at_hand_is_said() {
    let Some(engines) = engines() else { return };
    let folder = tree(&[
        (
            "remote/kustomization.yaml",
            "resources: [https://github.com/acme/base//deploy?ref=v1]\n",
        ),
        ("missing/kustomization.yaml", "resources: [gone.yaml]\n"),
        (
            "outside/kustomization.yaml",
            "resources: [../../../../../../etc/hostname]\n",
        ),
        (
            "inflated/kustomization.yaml",
            "helmCharts:\n- {name: web, repo: 'https://charts.example', version: 1.0.0}\n",
        ),
        (
            "component/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
        ),
        (
            "apps/away.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: away}\nspec:\n  source: {repoURL: 'https://charts.example', chart: away, targetRevision: 1.2.3}\n",
        ),
        (
            "charts/lib/Chart.yaml",
            "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
        ),
        (
            "charts/needy/Chart.yaml",
            "apiVersion: v2\nname: needy\nversion: 1.0.0\ndependencies:\n- {name: gone, version: 1.0.0, repository: 'https://charts.example'}\n",
        ),
        (
            "charts/asks/Chart.yaml",
            "apiVersion: v2\nname: asks\nversion: 1.0.0\n",
        ),
        (
            "charts/asks/templates/a.yaml",
            "{{ required \"a name\" .Values.name }}\n",
        ),
    ]);
    let proof = Bench::new(folder.path()).prove(&engines);
    let why = |kind, path: &str| match &find(&proof, kind, path).outcome {
        Outcome::Not(why) => why[0].why,
        Outcome::Rendered(_) => panic!("{path} was rendered"),
    };
    for (path, wanted) in [
        ("remote", Why::RemoteBase),
        ("missing", Why::MissingFile),
        ("inflated", Why::ChartNotAtHand),
        ("component", Why::Component),
    ] {
        assert_eq!(why(Kind::Kustomization, path), wanted, "{path}");
    }
    let outside = why(Kind::Kustomization, "outside");
    assert!(matches!(outside, Why::OutsideFile | Why::MissingFile));
    assert_eq!(why(Kind::Release, "apps/away.yaml"), Why::ChartNotAtHand);
    assert_eq!(why(Kind::Chart, "charts/lib"), Why::Library);
    assert_eq!(why(Kind::Chart, "charts/needy"), Why::DependencyNotAtHand);
    assert_eq!(why(Kind::Chart, "charts/asks"), Why::NeedsValues);
    assert!(!proof.fails());
}

#[test]
fn charts_beside_and_packages_are_at_hand() {
    let Some(engines) = engines() else { return };
    let umbrella = "apiVersion: v2\nname: all\nversion: 1.0.0\ndependencies:\n- {name: shop, version: 1.x, repository: 'file://../shop'}\n- {name: packed, version: ^2.0.0, repository: 'https://charts.example'}\n";
    let folder = tree(&[
        ("charts/shop/Chart.yaml", CHART),
        ("charts/shop/values.yaml", VALUES),
        ("charts/shop/templates/shop.yaml", TEMPLATE),
        ("charts/all/Chart.yaml", umbrella),
        ("charts/all/values.yaml", "shop:\n  replicas: 2\n"),
        (
            "source/packed/Chart.yaml",
            "apiVersion: v2\nname: packed\nversion: 2.1.0\n",
        ),
        ("source/packed/values.yaml", VALUES),
        ("source/packed/templates/shop.yaml", TEMPLATE),
        (
            "apps/packed.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: packed}\nspec:\n  source:\n    repoURL: https://charts.example\n    chart: packed\n    targetRevision: 2.1.0\n    helm: {values: 'replicas: 5'}\n",
        ),
    ]);
    std::fs::create_dir(folder.path().join("packages")).unwrap();
    let package = folder.path().join("packages/packed-2.1.0.tgz");
    super::bench::package(&folder.path().join("source/packed"), &package);
    std::fs::remove_dir_all(folder.path().join("source")).unwrap();
    let proof = Bench::new(folder.path()).prove(&engines);
    let all = find(&proof, Kind::Chart, "charts/all").rendered().unwrap();
    assert_eq!((all.objects, all.changed.len()), (2, 1), "{all:#?}");
    let packed = find(&proof, Kind::Release, "apps/packed.yaml")
        .rendered()
        .unwrap();
    let left = packed
        .outside
        .iter()
        .find(|one| one.image.contains("acme/shop"))
        .unwrap();
    let ecr_rewrite::prove::Origin::ChartDefault {
        value, moved_by, ..
    } = &left.origin
    else {
        panic!("{left:#?}");
    };
    assert_eq!(value, "image.repository");
    let moved: Vec<&str> = moved_by.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(moved, [REGISTRY, "docker-hub/acme/shop"]);
    assert!(!proof.fails());
}

/// Helm's cache in a folder with packages, all of which the repository with that URL publishes.
fn publish(cache: &Path, url: &str) -> HelmCache {
    let digest = |path: &Path| format!("{:x}", Sha256::digest(fs::read(path).unwrap()));
    let packages = fs::read_dir(cache).unwrap();
    let packages = packages.map(|entry| entry.unwrap().path());
    let digests: Vec<String> = packages.map(|path| digest(&path)).collect();
    fs::write(cache.join("acme-index.yaml"), digests.join("\n")).unwrap();
    let list = cache.join("repositories.yaml");
    fs::write(
        &list,
        format!("repositories:\n- {{name: acme, url: '{url}'}}\n"),
    )
    .unwrap();
    HelmCache::new(cache.to_path_buf(), list)
}

#[test]
fn releases_of_every_tool_are_rendered_with_their_values() {
    let Some(engines) = engines() else { return };
    let flux = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: shop}\nspec:\n  chart:\n    spec:\n      chart: shop\n      version: 1.0.0\n      sourceRef: {kind: HelmRepository, name: acme}\n  values:\n    image: {registry: quay.io, repository: acme/flux}\n";
    let home = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: acme}\nspec: {url: 'https://charts.example'}\n";
    let helmfile = "repositories:\n- {name: acme, url: 'https://charts.example'}\nreleases:\n- name: shop\n  chart: acme/shop\n  version: 1.0.0\n  values:\n  - shop.yaml\n  - image: {repository: acme/two}\n";
    let folder = tree(&[
        ("source/shop/Chart.yaml", CHART),
        ("source/shop/values.yaml", VALUES),
        ("source/shop/templates/shop.yaml", TEMPLATE),
        ("flux/shop.yaml", flux),
        ("flux/acme.yaml", home),
        ("helmfile.yaml", helmfile),
        (
            "shop.yaml",
            "image: {registry: ghcr.io, repository: acme/one}\n",
        ),
    ]);
    // Nothing but Helm's cache has the chart.
    let cache = tempfile::tempdir().unwrap();
    let package = cache.path().join("shop-1.0.0.tgz");
    super::bench::package(&folder.path().join("source/shop"), &package);
    fs::remove_dir_all(folder.path().join("source")).unwrap();
    let mut bench = Bench::new(folder.path());
    bench.cache = Some(publish(cache.path(), "https://charts.example"));
    let proof = bench.prove(&engines);
    assert!(!proof.fails(), "{proof:#?}");
    for (place, image) in [
        ("flux/shop.yaml", "quay/acme/flux:1"),
        ("helmfile.yaml", "ghcr/acme/two:1"),
    ] {
        let rendered = find(&proof, Kind::Release, place).rendered();
        let rendered = rendered.unwrap_or_else(|| panic!("{place}: {proof:#?}"));
        let wanted = format!("{REGISTRY}/{image}");
        let mut changed = rendered.changed.iter();
        assert!(
            changed.any(|(_, after)| *after == wanted),
            "{place}: {rendered:#?}"
        );
    }
}

#[test]
fn a_package_of_another_repository_is_not_at_hand() {
    let Some(engines) = engines() else { return };
    let release = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec:\n  source: {repoURL: 'https://charts.example', chart: shop, targetRevision: 1.0.0, helm: {values: 'a: 1'}}\n";
    let folder = tree(&[
        ("source/shop/Chart.yaml", CHART),
        ("source/shop/values.yaml", VALUES),
        ("source/shop/templates/shop.yaml", TEMPLATE),
        ("apps/shop.yaml", release),
    ]);
    let cache = tempfile::tempdir().unwrap();
    let package = cache.path().join("shop-1.0.0.tgz");
    super::bench::package(&folder.path().join("source/shop"), &package);
    fs::remove_dir_all(folder.path().join("source")).unwrap();
    let mut bench = Bench::new(folder.path());
    for (url, is_there) in [
        ("https://charts.example", true),
        ("https://other.example", false),
    ] {
        bench.cache = Some(publish(cache.path(), url));
        let proof = bench.prove(&engines);
        let shop = find(&proof, Kind::Release, "apps/shop.yaml");
        assert_eq!(shop.rendered().is_some(), is_there, "{url}: {shop:#?}");
    }
}

#[test]
fn a_chart_with_a_longer_name_is_another_one() {
    let Some(engines) = engines() else { return };
    let folder = tree(&[
        (
            "web/Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: redis, version: 1.x, repository: 'https://charts.example'}\n",
        ),
        (
            "web/charts/redis-cluster/Chart.yaml",
            "apiVersion: v2\nname: redis-cluster\nversion: 1.0.0\n",
        ),
    ]);
    let proof = Bench::new(folder.path()).prove(&engines);
    let web = find(&proof, Kind::Chart, "web");
    assert!(
        matches!(&web.outcome, Outcome::Not(why) if why[0].why == Why::DependencyNotAtHand),
        "{web:#?}"
    );
}

#[test]
fn charts_of_kustomizations_are_rendered_when_they_are_unpacked() {
    let Some(engines) = engines() else { return };
    let folder = tree(&[
        ("app/charts/shop/Chart.yaml", CHART),
        ("app/charts/shop/values.yaml", VALUES),
        ("app/charts/shop/templates/shop.yaml", TEMPLATE),
        (
            "app/kustomization.yaml",
            "helmCharts:\n- name: shop\n  valuesInline: {image: {registry: quay.io, repository: acme/shop}}\n",
        ),
    ]);
    let proof = Bench::new(folder.path()).prove(&engines);
    let app = find(&proof, Kind::Kustomization, "app");
    let rendered = app.rendered().unwrap_or_else(|| panic!("{app:#?}"));
    assert_eq!(
        (rendered.objects, rendered.changed.len()),
        (1, 1),
        "{rendered:#?}"
    );
    assert!(!app.is_different());
}
