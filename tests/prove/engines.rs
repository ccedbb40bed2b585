//! What the tools are given and what they may take, shown by tools that do their worst.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use ecr_rewrite::prove::{Engines, Limits, Outcome, Proof, Why};

use super::bench::Bench;
use super::common::tree;

/// A folder with a program of that name.
fn tool(name: &str, script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn proven(files: &[(&str, &str)], tools: &Path, limits: Limits) -> Proof {
    let folder = tree(files);
    let engines = Engines::find(tools.as_os_str(), limits);
    Bench::new(folder.path()).prove(&engines)
}

const KUSTOMIZATION: &[(&str, &str)] = &[
    ("kustomization.yaml", "resources: [pod.yaml]\n"),
    (
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: x, image: 'nginx:1'}]}\n",
    ),
];

fn why(proof: &Proof) -> (Why, String) {
    match &proof.renders[0].outcome {
        Outcome::Not(why) => (why[0].why, why[0].detail.clone()),
        Outcome::Rendered(rendered) => panic!("{rendered:#?}"),
    }
}

#[test]
fn one_that_does_not_end_is_ended_with_what_it_started() {
    let witness = tempfile::tempdir().unwrap();
    let late = witness.path().join("late");
    let script = format!(
        "(/bin/sleep 3; echo x > {}) & /bin/sleep 60",
        late.display()
    );
    let tools = tool("kustomize", &script);
    let limits = Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    };
    let started = Instant::now();
    let proof = proven(KUSTOMIZATION, tools.path(), limits);
    assert_eq!(why(&proof).0, Why::Limit);
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "it was waited for"
    );
    std::thread::sleep(Duration::from_secs(4));
    assert!(!late.exists(), "what it started went on");
}

#[test]
fn one_that_prints_without_end_is_ended() {
    let tools = tool(
        "kustomize",
        "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
    );
    let limits = Limits {
        output: 10_000,
        ..Limits::default()
    };
    let proof = proven(KUSTOMIZATION, tools.path(), limits);
    assert_eq!(
        why(&proof),
        (Why::Limit, "it made more than 10000 bytes".to_string())
    );
}

#[test]
fn they_are_given_nothing_of_the_user_and_no_way_out() {
    let script = "/usr/bin/env >&2; echo \"arguments: $*\" >&2; exit 1";
    let tools = tool("kustomize", script);
    let limits = Limits::default();
    let folder = tree(KUSTOMIZATION);
    let engines = Engines::find(tools.path().as_os_str(), limits);
    let proof = Bench::new(folder.path()).prove(&engines);
    let talk = why(&proof).1;
    let has = |text: &str| assert!(talk.contains(text), "`{text}` is missing: {talk}");
    has("HTTPS_PROXY=http://127.0.0.1:9");
    let home = std::env::var("HOME").unwrap_or_default();
    assert!(!talk.contains(&format!("HOME={home} ")), "{talk}");
    assert!(!talk.contains("CARGO"), "{talk}");
}

#[test]
fn a_remote_base_is_not_even_shown_to_kustomize() {
    let witness = tempfile::tempdir().unwrap();
    let called = witness.path().join("called");
    let tools = tool("kustomize", &format!("echo x > {}", called.display()));
    for (kustomization, more) in [
        ("resources: ['https://x.example/a.yaml']", ""),
        ("resources: ['http://127.0.0.1:1/a.yaml']", ""),
        ("bases: ['github.com/acme/x//y?ref=v1']", ""),
        ("components: ['git@github.com:acme/x.git']", ""),
        ("resources: ['acme.example/x/y']", ""),
        ("openapi: {path: 'https://x.example/schema.json'}", ""),
        ("configurations: ['https://x.example/a.yaml']", ""),
        (
            "configMapGenerator: [{name: x, files: ['a=https://x.example/a']}]",
            "",
        ),
        ("patches: [{path: 'https://x.example/a.yaml'}]", ""),
        ("replacements: [{path: 'https://x.example/a.yaml'}]", ""),
        (
            "generators: [more.yaml]",
            "kind: ConfigMapGenerator\nfiles: ['https://x.example/a']\n",
        ),
        (
            "transformers: [\"kind: PatchTransformer\\npath: https://x.example/a\\n\"]",
            "",
        ),
        (
            "generators: [more.yaml]",
            "kind: HelmChartInflationGenerator\nname: x\nrepo: https://x.example\n",
        ),
        ("resources: [below]", ""),
        // In another case, behind a sign of a key, as a tag, in a second document.
        ("Resources: ['http://127.0.0.1:1/a.yaml']", ""),
        (
            "configMapGenerator: [{name: a, FILES: ['http://127.0.0.1:1/a']}]",
            "",
        ),
        (
            "configMapGenerator: [{name: a, envs: ['http://127.0.0.1:1/a=more.yaml']}]",
            "",
        ),
        ("resources: [!!binary 'aHR0cDovLzEyNy4wLjAuMToxL2E=']", ""),
        (
            "transformers: [more.yaml]",
            "kind: PatchTransformer\npath: 'HTTP://127.0.0.1:1/a?b=c'\n",
        ),
        (
            "transformers: [more.yaml]",
            "kind: AnnotationsTransformer\n--- # two\nkind: PatchTransformer\npath: http://127.0.0.1:1/a\n",
        ),
        // What Helm would take for options: it runs programs and fetches values.
        (
            "helmCharts: [{name: c, releaseName: '--post-renderer=/bin/sh'}]",
            "",
        ),
        (
            "helmCharts: [{name: c, releaseName: x, apiVersions: ['-fhttp://127.0.0.1:1/a']}]",
            "",
        ),
        ("helmGlobals: {configHome: x}\nhelmCharts: [{name: c}]", ""),
        (
            "generators: [more.yaml]",
            "kind: HelmChartInflationGenerator\nname: c\nreleaseName: --post-renderer=/bin/sh\n",
        ),
    ] {
        let below = "resources: ['https://x.example/a.yaml']";
        let files = [
            ("kustomization.yaml", kustomization),
            ("below/kustomization.yaml", below),
            (
                "charts/c/Chart.yaml",
                "apiVersion: v2\nname: c\nversion: 1.0.0\n",
            ),
            (
                "more.yaml",
                if more.is_empty() { "kind: x\n" } else { more },
            ),
        ];
        let proof = proven(&files, tools.path(), Limits::default());
        assert!(!called.exists(), "{kustomization}: kustomize was run");
        let top = proof.renders.iter().find(|one| one.path.as_os_str() == ".");
        assert!(
            matches!(top.unwrap().outcome, Outcome::Not(_)),
            "{kustomization}"
        );
    }
}

#[test]
fn plugins_in_folders_are_looked_into() {
    let tools = tool("kustomize", "exit 0");
    let files = [
        ("kustomization.yaml", "generators: [made]\n"),
        ("made/kustomization.yaml", "resources: [more.yaml]\n"),
        (
            "made/more.yaml",
            "kind: ConfigMapGenerator\nfiles: ['http://localhost:1/a']\n",
        ),
    ];
    let proof = proven(&files, tools.path(), Limits::default());
    let top = proof.renders.iter().find(|one| one.path.as_os_str() == ".");
    assert!(
        matches!(top.unwrap().outcome, Outcome::Not(_)),
        "{proof:#?}"
    );
}

#[test]
fn bases_that_take_each_other_in_end() {
    let tools = tool("kustomize", "exit 0");
    let files = [
        ("a/kustomization.yaml", "resources: [../b]\n"),
        ("b/kustomization.yaml", "resources: [../a]\n"),
    ];
    let proof = proven(&files, tools.path(), Limits::default());
    assert!(
        proof
            .renders
            .iter()
            .all(|one| matches!(one.outcome, Outcome::Not(_)))
    );
}

#[test]
fn programs_of_the_current_folder_are_not_run() {
    let engines = Engines::find(std::ffi::OsStr::new(".:bin::"), Limits::default());
    assert!(!engines.has_helm() && !engines.has_kustomize());
}

#[test]
fn names_are_no_options() {
    // Options begin with two dashes and come before the two that end them.
    let script = "echo template $(for one; do [ -n \"$end\" ] && echo \"$one\"; [ \"$one\" = -- ] && end=1 && echo --; done) >&2; exit 1";
    let tools = tool("helm", script);
    let files = [
        (
            "charts/-x/Chart.yaml",
            "apiVersion: v2\nname: x\nversion: 1.0.0\n",
        ),
        (
            "apps/a.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: --post-renderer=sh}\nspec:\n  source: {repoURL: 'https://x.example', path: charts/-x, helm: {values: 'a: 1'}}\n",
        ),
    ];
    let proof = proven(&files, tools.path(), Limits::default());
    for render in &proof.renders {
        let Outcome::Not(why) = &render.outcome else {
            panic!()
        };
        assert!(
            why[0]
                .detail
                .starts_with("template -- release-name charts/-x"),
            "{why:?}"
        );
        assert!(!why[0].detail.contains("post-renderer"), "{why:?}");
    }
    assert_eq!(proof.renders.len(), 2);
}

#[test]
fn links_out_of_the_repository_are_not_copied() {
    let away = tempfile::tempdir().unwrap();
    fs::write(away.path().join("secret.yaml"), "secret: very\n").unwrap();
    let witness = tempfile::tempdir().unwrap();
    let seen = witness.path().join("seen");
    let script = format!(
        "for last; do :; done; /bin/cat \"$last\"/templates/* >> {} 2>&1; exit 1",
        seen.display()
    );
    let tools = tool("helm", &script);
    let folder = tree(&[
        (
            "charts/x/Chart.yaml",
            "apiVersion: v2\nname: x\nversion: 1.0.0\n",
        ),
        ("charts/x/templates/a.yaml", "own: text\n"),
    ]);
    let link = folder.path().join("charts/x/templates/b.yaml");
    std::os::unix::fs::symlink(away.path().join("secret.yaml"), link).unwrap();
    let engines = Engines::find(tools.path().as_os_str(), Limits::default());
    Bench::new(folder.path()).prove(&engines);
    let seen = fs::read_to_string(seen).unwrap();
    assert!(
        seen.contains("own: text") && !seen.contains("very"),
        "{seen}"
    );
}

#[test]
fn one_that_leaves_something_behind_is_not_waited_for() {
    let tools = tool("kustomize", "/usr/bin/setsid /bin/sleep 6 & echo 'kind: A'");
    let limits = Limits {
        time: Duration::from_millis(500),
        ..Limits::default()
    };
    let started = Instant::now();
    let proof = proven(KUSTOMIZATION, tools.path(), limits);
    assert_eq!(why(&proof).0, Why::Limit);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "it was waited for"
    );
}

#[test]
fn reasons_name_the_files_of_the_repository() {
    let script =
        "for last; do :; done; echo \"Error: $last/pod.yaml: odd, as is $last\" >&2; exit 1";
    let tools = tool("kustomize", script);
    let files = [
        ("app/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("app/pod.yaml", KUSTOMIZATION[1].1),
    ];
    let proof = proven(&files, tools.path(), Limits::default());
    assert_eq!(why(&proof).1, "app/pod.yaml: odd, as is app");
}

/// What a `kustomize` saw that lists what `shows` names: `$last` is the folder that it is to build.
fn seen_by_kustomize(shows: &str, files: &[(&str, &str)]) -> String {
    let witness = tempfile::tempdir().unwrap();
    let seen = witness.path().join("seen");
    let script = format!(
        "for last; do :; done; {shows} >> {}; exit 1",
        seen.display()
    );
    let tools = tool("kustomize", &script);
    proven(files, tools.path(), Limits::default());
    fs::read_to_string(seen).unwrap()
}

const APP: [(&str, &str); 3] = [
    ("app/kustomization.yaml", "resources: [pod.yaml]\n"),
    ("app/pod.yaml", KUSTOMIZATION[1].1),
    ("app/beside.yaml", KUSTOMIZATION[1].1),
];

#[test]
fn no_rendering_finds_what_another_one_has() {
    let other = "resources: [../app/beside.yaml]\n";
    let files = [&APP[..], &[("other/kustomization.yaml", other)]].concat();
    let seen = seen_by_kustomize("echo \"$last:\" $(/bin/ls \"$last\")", &files);
    let app: Vec<&str> = seen.lines().filter(|line| line.contains("/app:")).collect();
    assert!(
        !app.is_empty() && !app.iter().any(|line| line.contains("beside")),
        "{seen}"
    );
}

#[test]
fn what_does_not_matter_is_not_copied() {
    let files = [&APP[..], &[("elsewhere/large.yaml", KUSTOMIZATION[1].1)]].concat();
    let seen = seen_by_kustomize("/bin/ls \"$last\" \"$last/..\"", &files);
    assert!(seen.contains("pod.yaml"), "{seen}");
    assert!(
        !seen.contains("beside") && !seen.contains("elsewhere"),
        "{seen}"
    );
}
