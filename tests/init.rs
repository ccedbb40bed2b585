//! `init`: which config is written, from what, and when none is.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

mod common;

use std::fs;
use std::path::Path;

use common::{REGISTRY, pod, program, run, run_with_input, tree};

/// The config that `init` writes.
fn init(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let (exit, output, talk) = run(folder, &[&["init"], arguments].concat());
    assert_eq!(output, "");
    let text = fs::read_to_string(folder.join(".ecr-rewrite.yaml")).unwrap_or_default();
    (exit, text, talk)
}

/// What `rules show` makes of it.
fn shown(folder: &Path) -> String {
    let (exit, output, talk) = run(folder, &["rules", "show"]);
    assert_eq!(exit, 0, "{talk}");
    output
}

#[test]
fn a_config_is_learned_from_what_the_repository_holds() {
    let used = pod(&[
        &format!("{REGISTRY}/hub/library/nginx:1"),
        &format!("{REGISTRY}/mirror/acme/api:1"),
        &format!("{REGISTRY}/team/app:1"),
        "ghcr.io/acme/api:2",
        "lscr.io/x/y:1",
        "mcr.microsoft.com/x:1",
        "999999999999.dkr.ecr.us-east-1.amazonaws.com/quay/a/b:1",
    ]);
    let folder = tree(&[("a.yaml", &used)]);
    let (exit, text, talk) = init(folder.path(), &[]);
    assert_eq!(exit, 0, "{talk}");
    assert!(
        text.starts_with("# yaml-language-server: $schema="),
        "{text}"
    );
    assert!(text.contains(&format!("registry: {REGISTRY}\n")), "{text}");
    assert!(
        text.contains("#   lscr.io: ghcr.io\n") && text.contains("mcr.microsoft.com/**"),
        "{text}"
    );
    assert!(
        text.contains("999999999999.dkr.ecr.us-east-1.amazonaws.com (at a.yaml:11)"),
        "{text}"
    );
    let rules = shown(folder.path());
    for row in ["docker.io  hub", "ghcr.io    mirror"] {
        assert!(rules.contains(row), "{rules}");
    }
    // What another registry calls its prefixes is no rule of this one.
    assert!(!rules.contains("quay.io"), "{rules}");
    for part in [
        "wrote ./.ecr-rewrite.yaml",
        "from 3 references",
        "nobody can tell what `team` caches (a.yaml:7)",
        "--dry-run",
    ] {
        assert!(talk.contains(part), "{part}: {talk}");
    }
}

#[test]
fn a_config_is_never_overwritten() {
    let folder = tree(&[
        (".ecr-rewrite.yaml", "exclude: []\n"),
        ("sub/a.yaml", "a: 1\n"),
    ]);
    for path in [".", "sub"] {
        let (exit, text, talk) = init(folder.path(), &[path, "--rules", "default"]);
        assert_eq!((exit, text.as_str()), (2, "exclude: []\n"));
        assert!(
            talk.contains("there is a config already") && talk.contains("rules import"),
            "{talk}"
        );
    }
    assert!(!folder.path().join("sub/.ecr-rewrite.yaml").exists());
    let folder = tree(&[]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", folder.path().join(".ecr-rewrite.yaml")).unwrap();
        let (exit, _, talk) = init(folder.path(), &[]);
        assert!(
            exit == 2 && !folder.path().join("nowhere").exists(),
            "{talk}"
        );
    }
    let (exit, _, talk) = run(folder.path(), &["init", "missing"]);
    assert!(exit == 2 && talk.contains("does not exist"), "{talk}");
}

#[test]
fn a_config_says_what_the_command_line_and_its_sources_say() {
    let rules = "{\"pullThroughCacheRules\": [{\"ecrRepositoryPrefix\": \"hub\", \"upstreamRegistryUrl\": \"registry-1.docker.io\", \"registryId\": \"012345678901\"}]}";
    let folder = tree(&[("r.json", rules)]);
    let (exit, text, talk) = init(
        folder.path(),
        &[
            "--rules",
            "r.json",
            "--rule",
            "quay.io=qq",
            "--region",
            "af-south-1",
        ],
    );
    assert_eq!(exit, 0, "{talk}");
    assert!(
        text.contains("registry: 012345678901.dkr.ecr.af-south-1.amazonaws.com\n"),
        "{text}"
    );
    let rules = shown(folder.path());
    assert!(
        rules.contains("docker.io  hub") && rules.contains("quay.io    qq"),
        "{rules}"
    );
    // Without a region the account waits for it.
    let folder = tree(&[(
        "r.json",
        "[{\"ecrRepositoryPrefix\": \"hub\", \"upstreamRegistryUrl\": \"registry-1.docker.io\", \"registryId\": \"012345678901\"}]",
    )]);
    let (_, text, talk) = init(folder.path(), &["--rules", "r.json"]);
    assert!(
        text.contains("# account: \"012345678901\"\n# region:")
            && talk.contains("no target is known"),
        "{text}{talk}"
    );
    // The shell says what nothing else does.
    let folder = tree(&[]);
    let mut command = program(folder.path());
    command
        .env("AWS_REGION", "eu-north-1")
        .env("AWS_ACCOUNT_ID", "111122223333");
    let output = command
        .args(["init", "--rules", "default"])
        .output()
        .unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert!(talk.contains("target 111122223333.dkr.ecr.eu-north-1.amazonaws.com (account from AWS_ACCOUNT_ID, region from AWS_REGION)"), "{talk}");
    // Everywhere else it says nothing.
    let other = tree(&[("a.yaml", &pod(&["nginx"]))]);
    let mut command = program(other.path());
    command
        .env("AWS_REGION", "eu-north-1")
        .env("AWS_ACCOUNT_ID", "111122223333");
    let output = command.args([".", "--rules", "default"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    // Without anything it is a config to begin with.
    let folder = tree(&[]);
    let (exit, text, talk) = init(folder.path(), &[]);
    assert!(
        exit == 0 && text.contains("# registry: ") && talk.contains("no rule is known"),
        "{talk}"
    );
    assert!(shown(folder.path()).contains("no target is stated"));
}

#[test]
fn sources_come_through_standard_input_too() {
    let folder = tree(&[]);
    let rules =
        b"[{\"ecrRepositoryPrefix\": \"hub\", \"upstreamRegistryUrl\": \"registry-1.docker.io\"}]";
    let (exit, _, talk) = run_with_input(folder.path(), &["init", "--rules", "-"], rules);
    assert_eq!(exit, 0, "{talk}");
    assert!(shown(folder.path()).contains("docker.io  hub"));
    let bad = tree(&[]);
    let (exit, _, talk) = run_with_input(bad.path(), &["init", "--rules", "-"], b"x");
    assert!(
        exit == 2 && talk.contains("standard input: holds no pull-through"),
        "{talk}"
    );
    assert!(!bad.path().join(".ecr-rewrite.yaml").exists());
}

#[test]
fn what_is_to_do_next_is_said_of_the_folder_that_was_given() {
    let folder = tree(&[("a b/x.yaml", "a: 1\n"), ("sub/x.yaml", "a: 1\n")]);
    for (path, command) in [
        ("sub", "next: `ecr-rewrite sub --dry-run`"),
        ("a b", "next: `ecr-rewrite 'a b' --dry-run`"),
    ] {
        let (exit, _, talk) = run(folder.path(), &["init", path]);
        assert!(exit == 0 && talk.contains(command), "{talk}");
    }
    let folder = tree(&[]);
    let (_, _, talk) = run(folder.path(), &["init"]);
    assert!(talk.contains("next: `ecr-rewrite . --dry-run`"), "{talk}");
}

#[test]
fn a_config_below_would_make_two() {
    let folder = tree(&[
        ("sub/.ecr-rewrite.yaml", "exclude: []\n"),
        ("sub/a.yaml", &pod(&["nginx"])),
        ("b.yaml", &pod(&["nginx"])),
    ]);
    let (exit, text, talk) = init(folder.path(), &["--rules", "default"]);
    assert_eq!((exit, text.as_str()), (2, ""), "{talk}");
    assert!(
        talk.contains("sub/.ecr-rewrite.yaml: there is a config below .")
            && talk.contains("overrides"),
        "{talk}"
    );
}

#[test]
fn the_variable_of_the_registry_counts_as_the_option_does() {
    let rules =
        "[{\"ecrRepositoryPrefix\": \"hub\", \"upstreamRegistryUrl\": \"registry-1.docker.io\"}]";
    let folder = tree(&[("r.json", rules)]);
    let run = |arguments: &[&str], value: &str| {
        let mut command = program(folder.path());
        let output = command
            .env("ECR_REWRITE_REGISTRY", value)
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout) + &text(output.stderr),
        )
    };
    let import = ["rules", "import", "r.json"];
    let (exit, said) = run(&import, REGISTRY);
    assert_eq!(exit, Some(0), "{said}");
    assert!(
        said.starts_with(&format!("registry: {REGISTRY}\n")),
        "{said}"
    );
    let own = ["--account", "999999999999", "--region", "eu-west-3"];
    let (_, said) = run(&[&import[..], &own].concat(), REGISTRY);
    assert!(
        said.starts_with("registry: 999999999999.dkr.ecr.eu-west-3."),
        "{said}"
    );
    let (exit, said) = run(&import, "docker.io");
    assert!(
        exit == Some(2) && said.contains("`ECR_REWRITE_REGISTRY`: "),
        "{said}"
    );
    let (exit, said) = run(&["init"], REGISTRY);
    assert_eq!(exit, Some(0), "{said}");
    assert!(
        said.contains(&format!("target {REGISTRY} (from ECR_REWRITE_REGISTRY)")),
        "{said}"
    );
}
