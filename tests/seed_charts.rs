//! WordPress, Rocket.Chat with its MongoDB and ERPNext with its subcharts, as GitOps repositories keep
//! them: in the chart's own folder, below an umbrella chart, deployed by an Argo CD Application, with
//! subcharts in folders and packed. The real Helm renders each before and after a run.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::helm::Helm;
use common::rendered::{Rendering, difference, references};
use common::{REGISTRY, contents, copy, put, run, scratch};
use rayon::prelude::*;
use serde_json::{Value, json};

/// What a user writes over a chart.
struct Seed {
    /// The chart.
    chart: &'static str,
    /// The charts below it, each with the key of its values.
    subcharts: &'static [&'static str],
    /// The values.
    values: &'static str,
    /// The images that they name: with leave they come from ECR.
    named: &'static [&'static str],
}

const SEEDS: &[Seed] = &[
    Seed {
        chart: "wordpress",
        subcharts: &["mariadb"],
        values: "image:\n  registry: docker.io\n  repository: bitnami/wordpress\n  tag: latest\n",
        named: &["bitnami/wordpress"],
    },
    Seed {
        chart: "wordpress",
        subcharts: &["mariadb"],
        values: "image:\n  repository: bitnami/wordpress\n  tag: latest\n",
        named: &["bitnami/wordpress"],
    },
    Seed {
        chart: "wordpress",
        subcharts: &["mariadb"],
        values: "image:\n  repository: acme/wordpress\nmariadb:\n  image:\n    registry: quay.io\n    repository: acme/mariadb\n",
        named: &["acme/wordpress", "acme/mariadb"],
    },
    Seed {
        chart: "rocketchat",
        subcharts: &["mongodb"],
        values: "image:\n  repository: registry.rocket.chat/rocketchat/rocket.chat\n  tag: latest\n\nmongodb:\n  image:\n    registry: docker.io\n    repository: bitnami/mongodb\n",
        named: &["rocketchat/rocket.chat", "bitnami/mongodb"],
    },
    Seed {
        chart: "rocketchat",
        subcharts: &["mongodb"],
        values: "mongodb:\n  image:\n    repository: bitnami/mongodb # of the subchart\n",
        named: &["bitnami/mongodb"],
    },
    Seed {
        chart: "erpnext",
        subcharts: &["mariadb", "redis"],
        values: "image:\n  registry: docker.io\n  repository: frappe/erpnext\n  tag: latest\n",
        named: &["frappe/erpnext"],
    },
    Seed {
        chart: "erpnext",
        subcharts: &["mariadb", "redis"],
        values: "image:\n  repository: frappe/erpnext\nredis-cache:\n  image:\n    repository: bitnami/redis\nmariadb:\n  image:\n    registry: docker.io\n",
        named: &["frappe/erpnext", "bitnami/redis"],
    },
    // The chart reads no registry: what is written there must not count.
    Seed {
        chart: "erpnext-plain",
        subcharts: &["mariadb", "redis"],
        values: "image:\n  registry: docker.io\n  repository: frappe/erpnext\nredis-cache:\n  image:\n    repository: bitnami/redis\n",
        named: &["bitnami/redis"],
    },
    Seed {
        chart: "erpnext-plain",
        subcharts: &["mariadb", "redis"],
        values: "image:\n  repository: frappe/erpnext\n",
        named: &["frappe/erpnext"],
    },
];

/// Where the chart and the values lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// A values file in the chart's folder.
    Own,
    /// The values of a chart that depends on it.
    Umbrella,
    /// Values elsewhere, which an Argo CD Application puts together with the chart.
    Application,
}

/// How subcharts are at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subcharts {
    Folders,
    Packages,
}

/// The host that stands for Docker Hub here, as the config says.
const ALIAS: &str = "registry.rocket.chat";
/// What lets Bitnami's charts take other images.
const LEAVE: &str = "global:\n  security:\n    allowInsecureImages: true\n";

/// A repository with a chart in it.
struct Repository {
    folder: tempfile::TempDir,
    /// The folder of the chart that is rendered.
    chart: &'static str,
    /// The values file over its own, from its folder.
    values: Option<&'static str>,
}

#[test]
#[ignore = "needs helm"]
fn the_charts_of_the_seeds_render_as_the_rules_say() {
    let Some(helm) = Helm::find_alone() else {
        return;
    };
    let mut cases = Vec::new();
    for seed in SEEDS {
        for layout in [Layout::Own, Layout::Umbrella, Layout::Application] {
            for subcharts in [Subcharts::Folders, Subcharts::Packages] {
                cases.extend([true, false].map(|leave| (seed, layout, subcharts, leave)));
            }
        }
    }
    let proven = cases
        .into_par_iter()
        .map(|(seed, layout, subcharts, leave)| {
            let allowed = if leave { "leave" } else { "no leave" };
            let values = seed.values.split_whitespace().collect::<Vec<_>>().join(" ");
            let name = format!(
                "{}, {layout:?}, {subcharts:?}, {allowed}: `{values}`",
                seed.chart
            );
            let repository = repository(seed, layout, subcharts, leave);
            (name, prove(&helm, seed, &repository, leave))
        });
    let proven: Vec<(String, Proven)> = proven.collect();
    let mut wrong = Vec::new();
    println!("| case | images | in ECR | certain | assumed | skipped |\n|---|---|---|---|---|---|");
    for (name, proven) in &proven {
        println!(
            "| {name} | {} |",
            proven.figures.map(|figure| figure.to_string()).join(" | ")
        );
        wrong.extend(proven.wrong.iter().map(|wrong| format!("{name}: {wrong}")));
    }
    assert!(
        wrong.is_empty(),
        "{} faults:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What the renders of one repository show.
#[derive(Default)]
struct Proven {
    /// Images, those in ECR, sites that change for certain, assumed and skipped ones.
    figures: [usize; 5],
    wrong: Vec<String>,
}

fn prove(helm: &Helm, seed: &Seed, repository: &Repository, leave: bool) -> Proven {
    let folder = repository.folder.path();
    let before = match repository.render(helm) {
        Ok(before) => with_alias(before),
        // Other images than the chart's own need leave to begin with.
        Err(why) if !leave && why.contains("Original containers") => return Proven::default(),
        Err(why) => panic!("{}: {why}", seed.chart),
    };
    let target = [
        ".",
        "--registry",
        REGISTRY,
        "--rules",
        "default",
        "--format",
        "json",
    ];
    let (code, report, talk) = run(folder, &target);
    let mut wrong = Vec::new();
    if code != 0 {
        wrong.push(format!("exit {code}: {talk}"));
    }
    let first = contents(folder);
    run(folder, &target);
    if first != contents(folder) {
        wrong.push("a second run changes something".to_string());
    }
    let [certain, assumed, skipped] = said(&report);
    let after = match repository.render(helm) {
        Ok(after) => after,
        Err(why) => {
            wrong.push(format!("does not render any more: {why}"));
            let figures = [0, 0, certain, assumed, skipped];
            return Proven { figures, wrong };
        }
    };
    let images: Vec<String> = images(&after).collect();
    wrong.extend(difference(&before.scalars, &with_alias(after).scalars).told());
    for image in &images {
        let is_named = seed.named.iter().any(|name| image.contains(name));
        if is_named && leave && !image.starts_with(REGISTRY) {
            wrong.push(format!("{image} is not in ECR"));
        }
    }
    let in_ecr = images.iter().filter(|image| image.starts_with(REGISTRY));
    Proven {
        figures: [images.len(), in_ecr.count(), certain, assumed, skipped],
        wrong,
    }
}

fn images(rendered: &Rendering) -> impl Iterator<Item = String> {
    let places = rendered.scalars.keys().filter(|at| at.ends_with("/image"));
    places.flat_map(|at| references(at, &rendered.scalars))
}

/// The render as it is when the alias is written out.
fn with_alias(mut rendered: Rendering) -> Rendering {
    for text in rendered.scalars.values_mut() {
        *text = text.replace(ALIAS, "docker.io");
    }
    rendered
}

/// Sites that change for certain, assumed and skipped ones; templates are not counted.
fn said(report: &str) -> [usize; 3] {
    let report: Value = serde_json::from_str(report).unwrap();
    let mut counts = [0; 3];
    for site in report["sites"].as_array().unwrap() {
        let at = match (site["verdict"].as_str(), site["safety"].as_str()) {
            (Some("change"), Some("certain")) => 0,
            (Some("change" | "undecided"), _) => 1,
            _ if site["reason"] == "templated" || site["reason"] == "metadata" => continue,
            _ => 2,
        };
        counts[at] += 1;
    }
    counts
}

impl Repository {
    fn render(&self, helm: &Helm) -> Result<Rendering, String> {
        let values = self.values.map(|values| format!("--values={values}"));
        let flags: Vec<String> = values.into_iter().collect();
        helm.template(&self.folder.path().join(self.chart), &flags, None)
    }
}

fn repository(seed: &Seed, layout: Layout, subcharts: Subcharts, leave: bool) -> Repository {
    let folder = scratch();
    let root = folder.path();
    let config = format!("aliases:\n  {ALIAS}: docker.io\n");
    put(root, ".ecr-rewrite.yaml", config.as_bytes());
    let app = "environments/prod/app";
    let (chart, over) = match layout {
        Layout::Own => {
            put_chart(&root.join(app), seed, subcharts, leave);
            put(
                root,
                &format!("{app}/values-prod.yaml"),
                seed.values.as_bytes(),
            );
            (app, Some("values-prod.yaml"))
        }
        Layout::Umbrella => {
            put_umbrella(&root.join(app), seed, subcharts, leave);
            (app, None)
        }
        Layout::Application => {
            put_chart(&root.join("charts/app"), seed, subcharts, leave);
            put(root, &format!("{app}/values.yaml"), seed.values.as_bytes());
            put(root, "apps/app.yaml", application().as_bytes());
            (
                "charts/app",
                Some("../../environments/prod/app/values.yaml"),
            )
        }
    };
    Repository {
        folder,
        chart,
        values: over,
    }
}

fn application() -> String {
    let application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "app", "namespace": "argocd"},
        "spec": {"source": {
            "repoURL": "https://git.example.com/gitops.git", "path": "charts/app",
            "targetRevision": "main",
            "helm": {"valueFiles": ["../../environments/prod/app/values.yaml"]},
        }},
    });
    serde_yaml::to_string(&application).unwrap()
}

/// A chart that brings the seed's, with the values below its name.
fn put_umbrella(folder: &Path, seed: &Seed, subcharts: Subcharts, leave: bool) {
    let about = json!({
        "apiVersion": "v2", "name": "app", "version": "1.0.0",
        "dependencies": [{
            "name": seed.chart, "version": "1.0.0",
            "repository": "https://charts.example.com",
        }],
    });
    let own: Value = serde_yaml::from_str(seed.values).unwrap();
    let mut values = json!({ seed.chart: own });
    if leave {
        values["global"] = json!({"security": {"allowInsecureImages": true}});
    }
    for (name, value) in [("Chart.yaml", about), ("values.yaml", values)] {
        put(
            folder,
            name,
            serde_yaml::to_string(&value).unwrap().as_bytes(),
        );
    }
    let chart = folder.join("charts").join(seed.chart);
    put_chart(&chart, seed, Subcharts::Folders, false);
    if subcharts == Subcharts::Packages {
        pack(&chart);
    }
}

/// The seed's chart with those below it. Leave is given by its own values: those are rendered alone, too.
fn put_chart(folder: &Path, seed: &Seed, subcharts: Subcharts, leave: bool) {
    put_alone(folder, seed.chart);
    if leave {
        let values = fs::read_to_string(folder.join("values.yaml")).unwrap();
        put(folder, "values.yaml", (values + LEAVE).as_bytes());
    }
    for sub in seed.subcharts {
        let sub = folder.join("charts").join(sub);
        put_alone(&sub, sub.file_name().unwrap().to_str().unwrap());
        if subcharts == Subcharts::Packages {
            pack(&sub);
        }
    }
}

fn put_alone(folder: &Path, chart: &str) {
    let charts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seed_charts");
    copy(&charts.join(chart), folder);
    let helper = fs::read(charts.join("images.tpl")).unwrap();
    put(folder, "templates/_images.tpl", &helper);
}

/// Makes a package of a folder, beside it and in its place.
fn pack(folder: &Path) {
    let (above, name) = (folder.parent().unwrap(), folder.file_name().unwrap());
    let package = format!("{}-1.0.0.tgz", name.to_str().unwrap());
    let mut tar = Command::new("tar");
    tar.current_dir(above).arg("czf").arg(package).arg(name);
    assert!(tar.status().unwrap().success());
    fs::remove_dir_all(folder).unwrap();
}
