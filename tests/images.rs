//! `images` and `init`: what is listed, what is to be pulled, and which config is written.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

mod common;

use std::fs;
use std::path::Path;

use common::{REGISTRY, contents, program, run, run_with_input, tree};
use serde_json::Value;

const DIGEST: &str = "sha256:6db391d1c0cfb30588ba0bf72ea999404f2764febf0f1f196acd5867ac7efa7e";

fn pod(images: &[&str]) -> String {
    let images = images.iter().map(|image| format!("  - image: {image}\n"));
    format!(
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n{}",
        images.collect::<String>()
    )
}

/// A repository with images of many fates.
fn repository() -> tempfile::TempDir {
    let pinned = format!("quay.io/a/pinned:1@{DIGEST}");
    let untagged = format!("quay.io/a/untagged@{DIGEST}");
    let cached = format!("{REGISTRY}/docker-hub/library/nginx:1.27@{DIGEST}");
    let elsewhere = "999999999999.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/redis:1";
    let one = pod(&[
        "nginx:1.27",
        "docker.io/library/nginx:1.27",
        "redis",
        &pinned,
        &untagged,
        "mcr.microsoft.com/x:1",
        "ghcr.io/a/b:${TAG}",
        "not-Ä-name",
    ]);
    let two = pod(&[
        "nginx:1.27",
        &cached,
        elsewhere,
        "quay.io/allowed/x:1",
        "memcached:1 # ecr-rewrite: ignore",
    ]);
    tree(&[
        ("one.yaml", &one),
        ("two.yaml", &two),
        (
            "values.yaml",
            "image:\n  registry: quay.io\n  repository: a/chart\n",
        ),
        ("base/d.yaml", &pod(&["quay.io/a/base:3"])),
        ("base/kustomization.yaml", "resources: [d.yaml]\n"),
        (
            "over/kustomization.yaml",
            "resources: [../base]\nimages:\n- {name: quay.io/a/base, newName: ghcr.io/a/over}\n",
        ),
        (
            "tag/kustomization.yaml",
            "resources: [../base]\nimages:\n- {name: quay.io/a/base, newName: ghcr.io/a/tagged, newTag: \"9\"}\n",
        ),
        (
            ".ecr-rewrite.yaml",
            "rules: default\nallow: [{image: quay.io/allowed/**, reason: ours}]\n",
        ),
    ])
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let (exit, output, talk) = run(
        folder,
        &[&["images", "--format", "json"], arguments].concat(),
    );
    assert_eq!(exit, 0, "{talk}");
    serde_json::from_str(&output).unwrap()
}

#[test]
fn every_image_is_listed_once_with_its_places() {
    let folder = repository();
    let before = contents(folder.path());
    let json = json(folder.path(), &["--registry", REGISTRY]);
    assert_eq!(contents(folder.path()), before);
    let images = json["images"].as_array().unwrap();
    let find = |text: &str| {
        images
            .iter()
            .find(|image| image["image"] == text)
            .unwrap_or_else(|| panic!("{text}: {json}"))
    };
    let nginx = find("nginx:1.27");
    assert_eq!(
        (&nginx["tag"], &nginx["digest"], &nginx["canonical"]),
        (
            &"1.27".into(),
            &Value::Null,
            &"docker.io/library/nginx".into()
        )
    );
    assert_eq!(nginx["upstream"], "docker.io");
    assert_eq!(nginx["verdict"], "change");
    assert_eq!(nginx["rule"]["prefix"], "docker-hub");
    assert_eq!(
        nginx["becomes"],
        format!("{REGISTRY}/docker-hub/library/nginx:1.27")
    );
    let places: Vec<&str> = nginx["places"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| place["path"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["one.yaml", "two.yaml"]);
    assert_eq!(
        (&nginx["places"][0]["line"], &nginx["places"][0]["column"]),
        (&5.into(), &12.into())
    );
    let cached = find(&format!(
        "{REGISTRY}/docker-hub/library/nginx:1.27@{DIGEST}"
    ));
    assert_eq!(
        (
            &cached["verdict"],
            &cached["upstream"],
            &cached["canonical"]
        ),
        (
            &"already-ecr".into(),
            &"docker.io".into(),
            &"docker.io/library/nginx".into()
        )
    );
    assert_eq!(
        find("mcr.microsoft.com/x:1")["verdict"],
        "unsupported-upstream"
    );
    assert_eq!(find("quay.io/allowed/x:1")["verdict"], "allowed");
    assert_eq!(find("memcached:1")["verdict"], "ignored");
    assert_eq!(find("ghcr.io/a/tagged:9")["tag"], "9");
    assert!(images.iter().all(|image| image["image"] != "not-Ä-name"));
    let sum = |key: &str, of: &str| {
        let counts = json["counts"][key].as_object().unwrap().values();
        counts.map(|count| count[of].as_u64().unwrap()).sum::<u64>()
    };
    for key in ["byUpstream", "byVerdict"] {
        assert_eq!(
            sum(key, "images"),
            json["counts"]["images"].as_u64().unwrap()
        );
        assert_eq!(
            sum(key, "places"),
            json["counts"]["places"].as_u64().unwrap()
        );
    }
    assert_eq!(json["counts"]["images"], images.len());
}

#[test]
fn the_json_is_as_its_schema_says() {
    let schema: Value =
        serde_json::from_slice(&fs::read("docs/images.schema.json").unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let folder = repository();
    let mut json = json(folder.path(), &["--registry", REGISTRY]);
    let errors: Vec<String> = validator
        .iter_errors(&json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let words: Vec<&str> = schema["$defs"]["verdict"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    let reasons = ecr_rewrite::reason::Reason::ALL.map(ecr_rewrite::reason::Reason::code);
    let wanted: Vec<&str> = ["change", "undecided"]
        .into_iter()
        .chain(reasons.into_iter().filter(|code| *code != "not-an-image"))
        .collect();
    assert_eq!(words, wanted);
    json["images"][0]["verdict"] = "maybe".into();
    assert!(!validator.is_valid(&json));
}

#[test]
fn the_table_has_a_row_for_each_image_and_counts() {
    let folder = tree(&[
        (
            "a.yaml",
            &pod(&["nginx:1", "nginx:1", &format!("quay.io/a/b:1@{DIGEST}")]),
        ),
        ("b.yaml", &pod(&["mcr.microsoft.com/x"])),
    ]);
    let (exit, output, talk) = run(folder.path(), &["images"]);
    assert_eq!(exit, 0, "{talk}");
    let wanted = "\
image                tag or digest          means                    upstream           rule                     verdict               places
nginx                1                      docker.io/library/nginx  docker.io          docker.io -> docker-hub  change                a.yaml:5:12 (+1)
mcr.microsoft.com/x  -                      mcr.microsoft.com/x      mcr.microsoft.com  -                        unsupported-upstream  b.yaml:5:12
quay.io/a/b          1@sha256:6db391d1c0cf  quay.io/a/b              quay.io            quay.io -> quay          change                a.yaml:7:12

by upstream        images  places
docker.io          1       2
mcr.microsoft.com  1       1
quay.io            1       1

by verdict            images  places
change                2       3
unsupported-upstream  1       1
";
    assert_eq!(output, wanted);
    let (_, all, _) = run(folder.path(), &["images", "-v"]);
    assert!(
        all.contains("\n    a.yaml:6:12\n") && all.contains("copy the image into ECR"),
        "{all}"
    );
    let (_, nothing, _) = run(tree(&[]).path(), &["images"]);
    assert!(nothing.starts_with("image  tag or digest"), "{nothing}");
}

#[test]
fn what_fills_the_cache_is_listed_pins_first() {
    let folder = repository();
    let (exit, output, talk) = run(
        folder.path(),
        &["images", "--prewarm", "--registry", REGISTRY],
    );
    assert_eq!(exit, 0, "{talk}");
    let wanted = [
        "docker-hub/library/nginx:1.27",
        "quay/a/pinned:1",
        "docker-hub/library/redis:latest",
        "ghcr/a/over:3",
        "ghcr/a/tagged:9",
        "quay/a/base:3",
    ]
    .map(|path| format!("{REGISTRY}/{path}\n"));
    let lines: Vec<String> = output.lines().map(|line| format!("{line}\n")).collect();
    // The base is deployed by itself, too.
    assert_eq!(
        lines,
        wanted
            .iter()
            .filter(|line| lines.contains(line))
            .cloned()
            .collect::<Vec<_>>(),
        "{output}"
    );
    for line in &wanted[..5] {
        assert!(lines.contains(line), "{line} is not in {output}");
    }
    assert!(
        talk.contains("quay/a/untagged@") && talk.contains("its tag does not stand beside it"),
        "{talk}"
    );
    assert!(talk.contains("quay/a/chart"), "{talk}");
    let (exit, _, talk) = run(folder.path(), &["images", "--prewarm"]);
    assert!(exit == 2 && talk.contains("needs a target"), "{talk}");
    // After the rewrite the same is to be pulled.
    run(folder.path(), &[".", "--registry", REGISTRY]);
    let (_, after, _) = run(
        folder.path(),
        &["images", "--prewarm", "--registry", REGISTRY],
    );
    assert_eq!(after, output);
}

#[test]
fn names_of_a_stranger_do_no_harm() {
    let folder = tree(&[(
        "a\u{1b}[31m.yaml",
        &pod(&["nginx:1", "\"ghcr.io/a/b:\\x1b]0;x\""]),
    )]);
    for format in ["text", "json"] {
        let (_, output, talk) = run(folder.path(), &["images", "--format", format]);
        assert!(
            !output.contains('\u{1b}') && !talk.contains('\u{1b}'),
            "{output}"
        );
    }
    fs::write(folder.path().join("broken.yaml"), "image: [\n").unwrap();
    let (exit, output, talk) = run(folder.path(), &["images", "-o", "list.txt"]);
    assert_eq!((exit, output.as_str()), (2, ""), "{talk}");
    assert!(
        fs::read_to_string(folder.path().join("list.txt"))
            .unwrap()
            .contains("nginx")
    );
}

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
