//! Globs, patterns and paths that a stranger wrote: they are answered or refused, in linear time, and lead
//! nowhere.

use std::fs;

use super::common::{REGISTRY, run, tree};
use super::{POD, in_ecr};

/// A config with a line more, and what becomes of a run with it.
fn with(line: &str) -> (i32, Vec<u8>, String) {
    let config = format!("registry: {REGISTRY}\nrules: default\n{line}\n");
    let deep = format!("{}x.yaml", "a/".repeat(60));
    let folder = tree(&[
        (".ecr-rewrite.yaml", &config),
        ("a.yaml", POD),
        (&deep, POD),
    ]);
    let (exit, _, talk) = run(folder.path(), &["."]);
    (exit, fs::read(folder.path().join("a.yaml")).unwrap(), talk)
}

/// Patterns that take for ever where a search goes back, or memory without end where all is written out.
fn patterns() -> Vec<String> {
    vec![
        "**/".repeat(500) + "b",
        "*a".repeat(500) + "b",
        "{a,b}".repeat(200),
        "{".repeat(200) + &"}".repeat(200),
        "{a,".repeat(2_000) + &"}".repeat(2_000),
        "{".repeat(50_000),
        "[".repeat(50_000),
        "[a-z]".repeat(20_000),
        "[!-\u{10ffff}]".repeat(2_000),
        "a".repeat(200_000),
        "(a*)*(a|a)*{1000}".repeat(100),
        "../../../**".to_string(),
        "/etc/**".to_string(),
    ]
}

#[test]
fn patterns_of_a_config_are_answered_or_refused() {
    for pattern in patterns() {
        for line in [
            format!("exclude: ['{pattern}']"),
            format!("overrides: [{{paths: ['{pattern}'], registry: {REGISTRY}}}]"),
            format!("allow: [{{image: '{pattern}', reason: x}}]"),
            format!("sites: [{{kind: Pod, path: '{pattern}'}}]"),
            format!("aliases: {{'{pattern}': docker.io}}"),
        ] {
            let (exit, after, talk) = with(&line);
            let short: String = line.chars().take(60).collect();
            assert!(matches!(exit, 0 | 2), "{short}: {exit} {talk}");
            assert!(!talk.contains("panicked"), "{short}: {talk}");
            let wanted = if exit == 0 {
                in_ecr(POD)
            } else {
                POD.as_bytes().to_vec()
            };
            assert!(after == wanted, "{short}: {talk}");
        }
    }
}

/// Names of kustomize are regular expressions, and anybody may write them.
#[test]
fn names_of_kustomize_are_answered_or_left() {
    for name in [
        "(a*)*b",
        "(x+x+)+y",
        "a{1000}{1000}",
        "((((((((((a|b)*)*)*)*)*)*)*)*)*)*",
        "[[:alpha:]]{9999}",
        "(",
    ] {
        let kustomization =
            format!("resources: [pod.yaml]\nimages:\n- name: '{name}'\n  newTag: \"2\"\n");
        let image = format!("quay.io/acme/{}:1", "a".repeat(200));
        let pod = POD.replace("nginx:1", &image);
        let folder = tree(&[("kustomization.yaml", &kustomization), ("pod.yaml", &pod)]);
        let arguments = [&["."], &super::TARGET[..]].concat();
        let (exit, _, talk) = run(folder.path(), &arguments);
        assert_eq!(exit, 0, "{name}: {talk}");
        let after = fs::read_to_string(folder.path().join("kustomization.yaml")).unwrap();
        assert_eq!(after, kustomization, "{name}: a pattern stays");
    }
}

/// A path with a star in it is a glob, and may be as long as a file.
#[test]
fn long_paths_with_stars_are_answered_or_left() {
    let long = "a".repeat(1_000_000);
    for (name, text) in [
        (
            "kustomization.yaml",
            format!("resources:\n- a.yaml\n- '*{long}'\n- '{{{{x}}}}/{long}*'\n"),
        ),
        (
            "application.yaml",
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source:\n    repoURL: https://x\n    path: '*{long}'\n    helm: {{valueFiles: ['*{long}']}}\n"
            ),
        ),
    ] {
        let folder = tree(&[(name, &text), ("a.yaml", POD)]);
        let (exit, _, talk) = run(folder.path(), &[&["."], &super::TARGET[..]].concat());
        assert_eq!(exit, 0, "{name}: {}", &talk[..talk.len().min(500)]);
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), text.as_bytes());
    }
}

/// What a config may not do: run something, read or write anywhere else.
#[test]
fn a_config_runs_nothing_and_leads_nowhere() {
    let marked = std::env::temp_dir().join("ecr-rewrite-was-run");
    let command = format!("touch {}", marked.display());
    for line in [
        format!("rulesFrom: '$({command})'"),
        format!("rulesFrom: '| {command}'"),
        "rulesFrom: ../../outside.json".to_string(),
        "rulesFrom: /etc/passwd".to_string(),
        format!("fromAws: '{command}'"),
        format!("command: '{command}'"),
        "output: /tmp/ecr-rewrite-report".to_string(),
        "include: ['../**']".to_string(),
        "paths: ['/']".to_string(),
    ] {
        let (exit, after, talk) = with(&line);
        assert_eq!(exit, 2, "{line}: {talk}");
        assert!(after == POD.as_bytes(), "{line}: {talk}");
    }
    assert!(!marked.exists());
    // None of it counts where the config does not.
    let folder = tree(&[
        (".ecr-rewrite.yaml", "rulesFrom: /etc/passwd\n"),
        ("a.yaml", POD),
    ]);
    let arguments = [&[".", "--no-config"], &super::TARGET[..]].concat();
    let (exit, _, talk) = run(folder.path(), &arguments);
    assert_eq!(exit, 0, "{talk}");
    assert_eq!(fs::read(folder.path().join("a.yaml")).unwrap(), in_ecr(POD));
}
