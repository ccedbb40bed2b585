//! Names that nobody pulls: what `--with-tests` makes of them, and what a check says of those that
//! the rewrite leaves behind.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

mod common;

use std::fs;
use std::path::Path;

use common::{copy, run};

const R: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// A repository with the files and the config of a case.
fn case(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    let case = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(name);
    copy(&case.join("in"), folder.path());
    let config = ".ecr-rewrite.yaml";
    fs::copy(case.join(config), folder.path().join(config)).unwrap();
    folder
}

/// The lines that a diff adds, without what stands around them.
fn added(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let (exit, diff, talk) = run(folder, &[&[".", "--dry-run"], arguments].concat());
    assert_eq!(exit, 0, "{talk}");
    let lines = diff.lines().filter(|line| !line.starts_with("+++"));
    let added = lines.filter_map(|line| line.strip_prefix('+'));
    added.map(|line| line.trim().replace(R, "R")).collect()
}

/// The findings of one code, as `path:line`.
fn found(folder: &Path, arguments: &[&str], code: &str) -> Vec<String> {
    let all = [&["--check", "--format", "concise"], arguments].concat();
    let (_, out, _) = run(folder, &all);
    let of_code = out
        .lines()
        .filter(|line| line.contains(&format!("[{code}]")));
    let place = |line: &str| line.splitn(3, ':').take(2).collect::<Vec<_>>().join(":");
    of_code.map(place).collect()
}

#[test]
fn assertions_follow_the_chart_when_asked_for() {
    let folder = case("test-assertions");
    let values = [
        "registry: R",
        "repository: docker-hub/acme/web",
        "image: R/quay/acme/proxy:2",
    ];
    let without = added(folder.path(), &[]);
    assert_eq!(without, values);
    let with = added(folder.path(), &["--with-tests"]);
    let asserted = [
        "value: R/docker-hub/acme/web:1.4  # the default",
        "image: \"R/quay/acme/proxy:2\"",
        "content: {initContainers: [{name: init, image: R/docker-hub/acme/web:1.4}]}",
        "value: R/docker-hub/acme/web:2",
    ];
    assert_eq!(with, [&asserted[..], &values[..]].concat());
    let code = "old-name-reference";
    let test = |line: usize| format!("web/tests/deployment_test.yaml:{line}");
    let follow = [8, 13, 16, 32].map(test);
    let never = [19, 45].map(test);
    let mut all: Vec<String> = follow.iter().chain(&never).cloned().collect();
    all.sort_by_key(|place| place.rsplit(':').next().unwrap().parse::<usize>().unwrap());
    let said = found(folder.path(), &[], code);
    assert_eq!(said, all);

    assert_eq!(run(folder.path(), &[".", "--with-tests"]).0, 0);
    assert!(added(folder.path(), &["--with-tests"]).is_empty());
    let left = found(folder.path(), &[], code);
    assert!(follow.iter().all(|place| !left.contains(place)), "{left:?}");
    assert!(never.iter().all(|place| left.contains(place)), "{left:?}");
}

#[test]
fn assertions_that_an_earlier_run_left_behind_catch_up() {
    let folder = case("test-assertions");
    assert_eq!(run(folder.path(), &["."]).0, 0);
    assert_eq!(added(folder.path(), &["--with-tests"]).len(), 4);
}

#[test]
fn assertions_stay_when_the_chart_does_not_move_as_a_whole() {
    let folder = case("test-assertions");
    let values = folder.path().join("web/values.yaml");
    let text = fs::read_to_string(&values).unwrap();
    let more = "again:\n  image: docker.io/acme/web:1.4 # ecr-rewrite: ignore\n";
    fs::write(&values, text + more).unwrap();
    let with = added(folder.path(), &["--with-tests"]);
    assert!(
        with.iter().all(|line| !line.starts_with("value:")),
        "{with:?}"
    );
    // Nor when the values are not among the given paths.
    let folder = case("test-assertions");
    let (exit, diff, talk) = run(folder.path(), &["web/tests", "--dry-run", "--with-tests"]);
    assert_eq!((exit, diff.as_str()), (0, ""), "{talk}");
}

#[test]
fn annotations_follow_the_chart_when_asked_for() {
    let folder = case("metadata");
    let with = added(folder.path(), &["--with-tests"]);
    assert_eq!(
        with,
        [
            "image: R/quay/acme/operator:1",
            "image: R/docker-hub/acme/web:1.4",
            "image: 'R/docker-hub/acme/web:1.4'",
            "registry: R",
            "repository: docker-hub/acme/web",
        ]
    );
    let said = found(folder.path(), &[], "old-name-reference");
    assert_eq!(said, ["web/Chart.yaml:5", "web/Chart.yaml:10"]);
    let errors = found(folder.path(), &["--with-tests"], "not-through-ecr");
    assert_eq!(errors, ["operator.yaml:25", "web/values.yaml:3"]);
    assert_eq!(run(folder.path(), &[".", "--with-tests"]).0, 0);
    assert_eq!(run(folder.path(), &["--check"]).0, 0);
}

#[test]
fn policies_that_know_the_old_name_are_said_once_and_with_the_new_one() {
    let folder = case("policies");
    let code = "old-name-reference";
    let said = [
        "flux.yaml:5",
        "gatekeeper.yaml:7",
        "kyverno.yaml:9",
        "kyverno.yaml:19",
        "kyverno.yaml:19",
        "renovate.json:3",
        "sigstore.yaml:6",
    ];
    assert_eq!(found(folder.path(), &[], code), said);
    let (_, text, _) = run(folder.path(), &["--check"]);
    for part in [
        "`R/ghcr/acme/*`",
        "`R/ghcr/acme/**`",
        "`R/ghcr/`",
        "`R/docker-hub/*`",
        "only the tags that were pulled",
        "Renovate knows `nginx`",
    ] {
        assert!(
            text.contains(&part.replace("R/", &format!("{R}/"))),
            "{part}: {text}"
        );
    }
    // Afterwards it is still true.
    assert_eq!(run(folder.path(), &["."]).0, 0);
    assert_eq!(found(folder.path(), &[], code), said);
}

#[test]
fn generated_files_that_change_are_said_once() {
    let folder = case("generated");
    let code = "generated-file";
    assert_eq!(
        found(folder.path(), &[], code),
        ["controller.yaml:3", "rendered.yaml:2"]
    );
    let (_, text, _) = run(folder.path(), &["--check"]);
    assert!(text.contains("controller-gen reads"), "{text}");
    assert!(text.contains("output of `helm template`"), "{text}");
    assert_eq!(run(folder.path(), &["."]).0, 0);
    assert!(found(folder.path(), &[], code).is_empty());
}
