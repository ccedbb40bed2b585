//! Measures what a hook costs: one file of a repository of 10,000, checked as pre-commit passes it, with
//! the rest of the repository read as its context.
//!
//! ```console
//! cargo build --release && cargo run --release --example hook-speed -- target/release/ecr-rewrite
//! ```

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a measurement that cannot go on has failed

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Applications; each has ten files.
const APPLICATIONS: usize = 1_000;
/// How often the program runs.
const RUNS: usize = 21;
const CONFIG: &str = "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrules: default\n";

fn main() {
    let program = std::env::args_os().nth(1);
    let program = program.unwrap_or_else(|| "target/release/ecr-rewrite".into());
    let program = fs::canonicalize(program).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    put(folder.path(), ".ecr-rewrite.yaml", CONFIG);
    let files: usize = (0..APPLICATIONS)
        .map(|n| application(folder.path(), n))
        .sum();
    let run = || {
        let started = Instant::now();
        let mut command = Command::new(&program);
        command.current_dir(folder.path()).args(["--check", "-q"]);
        let output = command.args(["--force-exclude", "--", &path(3, "base/deployment.yaml")]);
        let output = output.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "there is something to find");
        started.elapsed()
    };
    run();
    let mut times: Vec<Duration> = (0..RUNS).map(|_| run()).collect();
    times.sort();
    println!(
        "one file of {files}: median {} ms, fastest {} ms, slowest {} ms of {RUNS} runs",
        times[RUNS / 2].as_millis(),
        times[0].as_millis(),
        times[RUNS - 1].as_millis()
    );
}

fn path(application: usize, file: &str) -> String {
    format!("apps/team-{}/app-{application}/{file}", application % 40)
}

fn put(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Writes an application: a base, an overlay for each of two environments, and Helm values.
fn application(folder: &Path, n: usize) -> usize {
    let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
    let mut files = vec![
        (
            "base/deployment.yaml".to_string(),
            format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{n}\nspec:\n  selector:\n    matchLabels: {{app: app-{n}}}\n  template:\n    metadata:\n      labels: {{app: app-{n}}}\n    spec:\n      containers:\n      - name: app\n        image: ghcr.io/acme/app-{n}:1.{n}.0\n        ports:\n        - containerPort: 8080\n      - name: proxy\n        image: nginx:1.27\n"
            ),
        ),
        (
            "base/service.yaml".to_string(),
            format!(
                "apiVersion: v1\nkind: Service\nmetadata:\n  name: app-{n}\nspec:\n  selector: {{app: app-{n}}}\n  ports:\n  - port: 80\n    targetPort: 8080\n"
            ),
        ),
        (
            "base/configmap.yaml".to_string(),
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-{n}\ndata:\n  LEVEL: info\n  URL: https://example.com/{n}\n"
            ),
        ),
        (
            "base/kustomization.yaml".to_string(),
            format!(
                "{kustomization}resources:\n- deployment.yaml\n- service.yaml\n- configmap.yaml\n"
            ),
        ),
        (
            "values.yaml".to_string(),
            format!(
                "image:\n  registry: docker.io\n  repository: bitnami/app-{n}\n  tag: 1.{n}.0\nreplicas: 2\n"
            ),
        ),
        (
            "values-prod.yaml".to_string(),
            format!("image:\n  tag: 1.{n}.1\nreplicas: 4\n"),
        ),
    ];
    for stage in ["dev", "prod"] {
        files.push((
            format!("overlays/{stage}/kustomization.yaml"),
            format!(
                "{kustomization}namespace: {stage}\nresources:\n- ../../base\n- ingress.yaml\nimages:\n- name: ghcr.io/acme/app-{n}\n  newTag: 1.{n}.1\n"
            ),
        ));
        files.push((
            format!("overlays/{stage}/ingress.yaml"),
            format!(
                "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: app-{n}\nspec:\n  rules:\n  - host: app-{n}.{stage}.example.com\n"
            ),
        ));
    }
    for (file, text) in &files {
        put(folder, &path(n, file), text);
    }
    files.len()
}
