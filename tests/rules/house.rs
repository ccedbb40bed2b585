//! Moving house: from one registry of ECR to another, and to another prefix.

use std::fs;

use super::common::{self, contents, put, run, tree};

const OLD: &str = "111111111111.dkr.ecr.us-east-1.amazonaws.com";
const NEW: &str = "222222222222.dkr.ecr.eu-central-1.amazonaws.com";

fn pod(images: &[&str]) -> String {
    common::pod(images).replace("OLD", OLD).replace("NEW", NEW)
}

/// The example of the documentation, and the rule of the cache that keeps its prefix.
fn moved(images: &[&str]) -> tempfile::TempDir {
    let text = fs::read_to_string("docs/rules.md").unwrap();
    let example = text.split("## Moving house").nth(1).unwrap();
    let example = example.split("```").nth(1).unwrap();
    let example = example.strip_prefix("yaml\n").unwrap();
    assert!(example.contains(OLD) && example.contains(NEW), "{example}");
    let folder = tree(&[("a.yaml", &pod(images))]);
    let config = format!("{example}  - {{upstream: docker.io, prefix: docker-hub}}\n");
    put(folder.path(), ".ecr-rewrite.yaml", config.as_bytes());
    folder
}

const IMAGES: &[&str] = &[
    "OLD/docker-hub/library/nginx:1",
    "OLD/team/app:1",
    "OLD/else/app:1",
    "redis:7",
    "111111111111.dkr-ecr.us-east-1.on.aws/team/dual:1",
    "111111111111.dkr.ecr-fips.us-east-1.amazonaws.com/docker-hub/a/fips:1",
    "111111111111.dkr-ecr-fips.us-east-1.on.aws/both:1",
    "111111111111.dkr.ecr.us-west-1.amazonaws.com/team/stays:1",
];

#[test]
fn everything_of_the_old_registry_moves_and_is_found() {
    let folder = moved(IMAGES);
    let (exit, found, talk) = run(folder.path(), &["--check", "--format", "concise"]);
    assert_eq!(exit, 1, "{talk}");
    assert_eq!(found.matches("not-through-ecr").count(), 7, "{found}");
    let (exit, _, talk) = run(folder.path(), &["."]);
    assert_eq!(exit, 0, "{talk}");
    // The prefix of a cache that is kept is no mistake.
    assert!(!talk.contains("warning"), "{talk}");
    let after = fs::read_to_string(folder.path().join("a.yaml")).unwrap();
    let wanted = pod(&[
        "NEW/docker-hub/library/nginx:1",
        "NEW/apps/team/app:1",
        "NEW/old/else/app:1",
        "NEW/docker-hub/library/redis:7",
        "NEW/apps/team/dual:1",
        "NEW/docker-hub/a/fips:1",
        "NEW/old/both:1",
        "111111111111.dkr.ecr.us-west-1.amazonaws.com/team/stays:1",
    ]);
    assert_eq!(after, wanted);
    let before = contents(folder.path());
    assert_eq!(run(folder.path(), &["."]).0, 0);
    assert_eq!(contents(folder.path()), before);
    assert_eq!(run(folder.path(), &["--check"]).0, 0);
}

#[test]
fn names_of_kustomize_and_parts_of_values_move_in_every_spelling() {
    let folder = moved(&[]);
    let dual = "111111111111.dkr-ecr.us-east-1.on.aws";
    let entry =
        format!("resources: [d.yaml]\nimages:\n- {{name: {dual}/team/app, newTag: \"2\"}}\n");
    let values = "image:\n  registry: 111111111111.dkr.ecr-fips.us-east-1.amazonaws.com\n  repository: team/app\n  tag: \"1\"\n";
    for (path, text) in [
        ("k/kustomization.yaml", entry.as_str()),
        ("k/d.yaml", &common::pod(&[&format!("{dual}/team/app")])),
        ("chart/values.yaml", values),
    ] {
        put(folder.path(), path, text.as_bytes());
    }
    let (exit, _, talk) = run(folder.path(), &["."]);
    assert_eq!(exit, 0, "{talk}");
    let after = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
    let entry = after("k/kustomization.yaml");
    assert!(
        entry.contains(&format!("newName: {NEW}/apps/team/app")),
        "{entry}"
    );
    assert_eq!(
        after("chart/values.yaml"),
        format!("image:\n  registry: {NEW}\n  repository: apps/team/app\n  tag: \"1\"\n")
    );
    assert_eq!(run(folder.path(), &["--check"]).0, 0);
}

#[test]
fn a_cache_that_keeps_its_prefix_is_one_rule() {
    let folder = moved(IMAGES);
    for word in ["terraform", "cloudformation", "aws-cli"] {
        let (exit, code, talk) = run(folder.path(), &["rules", "export", "--to", word]);
        assert_eq!(exit, 0, "{talk}");
        let code: String = code
            .lines()
            .filter(|line| !line.trim_start().starts_with(['#', ':']))
            .collect();
        let count = |part: &str| code.matches(part).count();
        assert_eq!(count("registry-1.docker.io"), 1, "{word}: {code}");
        assert!(
            !code.contains("\"docker-hub\"  upstream_registry_url = \"111"),
            "{code}"
        );
        assert!(
            talk.contains("is left out: it moves images to a prefix"),
            "{talk}"
        );
        assert!(!talk.contains("stands for both"), "{talk}");
    }
    let (_, code, _) = run(folder.path(), &["rules", "export", "--to", "renovate"]);
    let aliases: serde_json::Value = serde_json::from_str(&code).unwrap();
    let alias = |prefix: &str| aliases["registryAliases"][format!("{NEW}/{prefix}")].clone();
    assert_eq!(alias("docker-hub"), "docker.io", "{code}");
    assert_eq!(alias("apps/team"), format!("{OLD}/team"), "{code}");
}

#[test]
fn another_prefix_under_which_something_else_is_cached_is_told() {
    let folder = moved(IMAGES);
    let config = fs::read_to_string(folder.path().join(".ecr-rewrite.yaml")).unwrap();
    let config = config.replace("prefix: apps/team", "prefix: docker-hub");
    put(folder.path(), ".ecr-rewrite.yaml", config.as_bytes());
    let (_, _, talk) = run(folder.path(), &[".", "--dry-run"]);
    assert!(
        talk.contains(&format!("`{OLD}/team` (.ecr-rewrite.yaml:4) moves to the prefix `docker-hub`, under which `docker.io`")),
        "{talk}"
    );
}

#[test]
fn within_a_registry_aliases_lead_to_no_prefix_that_is_given_up() {
    let config = format!(
        "registry: {NEW}\nrules:\n- {{upstream: {NEW}/docker, prefix: docker-hub}}\n- {{upstream: docker.io, prefix: docker-hub}}\n"
    );
    let folder = tree(&[
        (
            "a.yaml",
            &pod(&[
                "NEW/docker/library/nginx:1",
                "222222222222.dkr-ecr.eu-central-1.on.aws/docker/a/b:1",
            ]),
        ),
        (".ecr-rewrite.yaml", &config),
    ]);
    let (_, code, _) = run(folder.path(), &["rules", "export", "--to", "renovate"]);
    assert!(
        code.contains("\"docker.io\"") && !code.contains("/docker\""),
        "{code}"
    );
    let (exit, _, talk) = run(folder.path(), &["."]);
    assert!(exit == 0 && !talk.contains("warning"), "{talk}");
    let after = fs::read_to_string(folder.path().join("a.yaml")).unwrap();
    assert_eq!(
        after,
        pod(&["NEW/docker-hub/library/nginx:1", "NEW/docker-hub/a/b:1"])
    );
}

#[test]
fn a_registry_that_is_filled_in_later_is_no_place_to_move_from() {
    let folder = tree(&[]);
    let rule = "${A}.dkr.ecr.eu-west-1.amazonaws.com=old";
    let (exit, _, talk) = run(folder.path(), &["rules", "show", "--rule", rule]);
    assert!(exit == 2 && talk.contains("has a placeholder"), "{talk}");
}
