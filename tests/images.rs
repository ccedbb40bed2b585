//! `images`: what is listed, and what is to be pulled.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

mod common;

use std::fs;
use std::path::Path;

use common::{REGISTRY, contents, pod, put, run, tree};
use serde_json::Value;

const DIGEST: &str = "sha256:6db391d1c0cfb30588ba0bf72ea999404f2764febf0f1f196acd5867ac7efa7e";

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
fn what_the_cache_cannot_fill_is_not_to_be_pulled() {
    let folder = tree(&[(
        "a.yaml",
        &pod(&[
            &format!("{REGISTRY}/docker-hub/nginx:7"),
            "docker.io/library/foo/bar:1",
            "redis:7",
        ]),
    )]);
    let (exit, output, talk) = run(
        folder.path(),
        &["images", "--prewarm", "--registry", REGISTRY],
    );
    assert_eq!(exit, 0, "{talk}");
    assert_eq!(output, format!("{REGISTRY}/docker-hub/library/redis:7\n"));
    for part in [
        "/docker-hub/nginx:7: the cache cannot fill it",
        "/docker-hub/library/nginx:7`",
        "/docker-hub/library/foo/bar:1: the cache cannot fill it",
    ] {
        assert!(talk.contains(part), "{part}: {talk}");
    }
}

#[test]
fn columns_say_what_the_rules_of_the_target_say() {
    let elsewhere = "999999999999.dkr.ecr.eu-west-1.amazonaws.com";
    let config = format!(
        "registry: {REGISTRY}\nrules:\n- {{upstream: docker.io, prefix: docker-hub}}\n- {{upstream: 888888888888.dkr.ecr.eu-west-1.amazonaws.com/docker-hub, prefix: docker-hub}}\naliases: {{registry.rocket.chat: docker.io}}\n"
    );
    let images = [
        format!("{elsewhere}/docker-hub/library/redis:1"),
        "registry.rocket.chat/rocketchat/rocket.chat:7".to_string(),
        format!("{REGISTRY}/docker-hub/library/redis:1"),
        "123456789012.dkr-ecr.eu-west-1.on.aws/docker-hub/library/redis:1".to_string(),
        "888888888888.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/a/b:1".to_string(),
    ];
    let texts: Vec<&str> = images.iter().map(String::as_str).collect();
    let folder = tree(&[("a.yaml", &pod(&texts)), (".ecr-rewrite.yaml", &config)]);
    let json = json(folder.path(), &[]);
    let old = "888888888888.dkr.ecr.eu-west-1.amazonaws.com";
    for (image, canonical, upstream, rule) in [
        // Of another account nothing is known.
        (
            &images[0],
            format!("{elsewhere}/docker-hub/library/redis"),
            elsewhere,
            None,
        ),
        (
            &images[1],
            "docker.io/rocketchat/rocket.chat".into(),
            "docker.io",
            Some("docker.io"),
        ),
        (
            &images[2],
            "docker.io/library/redis".into(),
            "docker.io",
            Some("docker.io"),
        ),
        (
            &images[3],
            "docker.io/library/redis".into(),
            "docker.io",
            Some("docker.io"),
        ),
        (
            &images[4],
            format!("{old}/docker-hub/a/b"),
            old,
            Some("888888888888.dkr.ecr.eu-west-1.amazonaws.com/docker-hub"),
        ),
    ] {
        let all = json["images"].as_array().unwrap();
        let row = all.iter().find(|row| row["image"] == **image).unwrap();
        assert_eq!(row["canonical"], canonical, "{image}");
        assert_eq!(row["upstream"], upstream, "{image}");
        assert_eq!(row["rule"]["upstream"].as_str(), rule, "{image}");
    }
}

#[test]
fn reports_of_the_program_are_no_files_to_rewrite() {
    let folder = tree(&[("a.yaml", &pod(&["nginx:1"]))]);
    let target = ["--registry", REGISTRY, "--rules", "default"];
    for (arguments, name) in [
        (&["images", "--format", "json"][..], "images.json"),
        (&["--check", "--format", "json"], "check.json"),
        (&["--check", "--format", "sarif"], "sarif.json"),
        (&["--check", "--format", "rdjson"], "rdjson.json"),
        (&["--check", "--format", "gitlab"], "gitlab.json"),
        (&["prove", "--format", "json"], "prove.json"),
        (&["rules", "show", "--format", "json"], "rules.json"),
    ] {
        run(
            folder.path(),
            &[arguments, &target[..], &["-o", name]].concat(),
        );
        let path = folder.path().join(name);
        let Ok(text) = fs::read_to_string(&path) else {
            assert_eq!(name, "prove.json", "{name} was not written");
            continue;
        };
        let (_, list, talk) = run(folder.path(), &["images", "--registry", REGISTRY]);
        assert!(!list.contains(name), "{name}: {list}");
        let is_said = talk.contains(&format!("{name}: is a report of ecr-rewrite; left out"));
        assert_eq!(is_said, name != "gitlab.json", "{name}: {talk}");
        // As a tool may hand it on.
        let packed: String = text.lines().map(str::trim).collect();
        fs::write(&path, &packed).unwrap();
        run(folder.path(), &[&["."], &target[..]].concat());
        assert_eq!(fs::read_to_string(&path).unwrap(), packed, "{name}");
        put(folder.path(), "a.yaml", pod(&["nginx:1"]).as_bytes());
        fs::write(&path, &text).unwrap();
        let (_, diff, _) = run(folder.path(), &[&[".", "--dry-run"], &target[..]].concat());
        assert!(!diff.contains(name), "{name}: {diff}");
        fs::remove_file(&path).unwrap();
    }
    // What only begins like one is what it is.
    let odd = "{\"version\": 1, \"program\": \"ecr-rewrite 0\", apiVersion: v1, kind: Pod, spec: {containers: [{image: redis:2}]}}";
    put(folder.path(), "odd.json", odd.as_bytes());
    let pod = "{\"version\": 1, \"program\": \"ecr-rewrite 0\", \"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\"containers\": [{\"image\": \"redis:1\"}]}}";
    put(folder.path(), "pod.json", pod.as_bytes());
    let (_, list, _) = run(folder.path(), &["images"]);
    assert!(
        list.contains("pod.json") && list.contains("odd.json"),
        "{list}"
    );
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

#[test]
fn what_is_to_be_pulled_is_whole_where_the_registry_stands_in_another_layer() {
    let folder = tree(&[]);
    common::copy(Path::new("testdata/demo"), folder.path());
    let (exit, list, talk) = run(folder.path(), &["images", "--prewarm", "-q"]);
    assert_eq!(exit, 0, "{talk}");
    let target = "123456789012.dkr.ecr.af-south-1.amazonaws.com/";
    assert!(list.lines().all(|line| line.starts_with(target)), "{list}");
    assert!(
        list.contains(&format!("{target}docker-hub/acme/wordpress:6.7.1\n")),
        "{list}"
    );
}
