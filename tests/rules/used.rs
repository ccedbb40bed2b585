//! Rules of sources in a run: what wins, what they say of the target, and what is shown of them.

use std::fs;

use super::common::{run, tree};
use serde_json::Value;

const POD: &str = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: nginx:1}]}\n";
const RULES: &str = "{\"pullThroughCacheRules\": [\n{\"ecrRepositoryPrefix\": \"from-file\", \"upstreamRegistryUrl\": \"registry-1.docker.io\", \"registryId\": \"123456789012\"}]}\n";
const TF: &str = "resource \"aws_ecr_pull_through_cache_rule\" \"a\" {\n  ecr_repository_prefix = \"from-tf\"\n  upstream_registry_url = \"registry-1.docker.io\"\n}\n";

#[test]
fn a_source_is_stated_rules_and_explain_names_its_line() {
    let config =
        "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrulesFrom: infra/rules.json\n";
    let folder = tree(&[
        ("a.yaml", POD),
        ("infra/rules.json", RULES),
        (".ecr-rewrite.yaml", config),
    ]);
    let (exit, output, talk) = run(folder.path(), &["explain", "a.yaml"]);
    assert_eq!(exit, 0, "{talk}");
    assert!(
        output.contains("rule     docker.io -> from-file (infra/rules.json:2)"),
        "{output}"
    );
    let (_, json, _) = run(folder.path(), &["--check", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["sites"][0]["rule"]["origin"],
        serde_json::json!({"kind": "source", "path": "infra/rules.json", "line": 2})
    );
    let (exit, _, talk) = run(folder.path(), &["."]);
    assert_eq!(exit, 0, "{talk}");
    let after = fs::read_to_string(folder.path().join("a.yaml")).unwrap();
    assert!(after.contains("/from-file/library/nginx:1"), "{after}");
}

#[test]
fn the_command_line_wins_and_rules_beside_it_come_first() {
    let config = "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrules:\n- {upstream: docker.io, prefix: own}\nrulesFrom: rules.json\n";
    let folder = tree(&[
        ("a.yaml", POD),
        ("rules.json", RULES),
        ("r.tf", TF),
        (".ecr-rewrite.yaml", config),
    ]);
    for (arguments, prefix) in [
        (&[][..], "own"),
        (&["--rules", "rules.json"], "from-file"),
        (&["--rules", "r.tf"], "from-tf"),
        (&["--rules", "r.tf", "--rule", "docker.io=flag"], "flag"),
        (&["--rules", "default"], "docker-hub"),
    ] {
        let (_, output, talk) = run(folder.path(), &[&[".", "--dry-run"], arguments].concat());
        assert!(
            output.contains(&format!("/{prefix}/library/nginx")),
            "{arguments:?}: {output}{talk}"
        );
    }
    let (_, _, talk) = run(folder.path(), &[".", "--dry-run"]);
    assert!(talk.contains("two rules for `docker.io`: `own`"), "{talk}");
    let (exit, _, talk) = run(folder.path(), &[".", "--rules", "r.tf", "--from-aws"]);
    assert!(exit == 2 && talk.contains("cannot be used with"), "{talk}");
    let (exit, _, talk) = run(folder.path(), &[".", "--profile", "x"]);
    assert!(exit == 2 && talk.contains("--from-aws"), "{talk}");
    let (exit, _, talk) = run(folder.path(), &[".", "--rules", "r.tf", "--profile", "x"]);
    assert!(exit == 2 && talk.contains("cannot be used with"), "{talk}");
}

#[test]
fn rules_of_several_regions_are_told_apart() {
    let rule = |name: &str, prefix: &str, region: &str| {
        format!(
            "resource \"aws_ecr_pull_through_cache_rule\" \"{name}\" {{\n  ecr_repository_prefix = \"{prefix}\"\n  upstream_registry_url = \"quay.io\"\n  region = \"{region}\"\n}}\n"
        )
    };
    let text = rule("a", "quay", "us-east-1")
        + &rule("b", "quay", "us-west-2")
        + &rule("c", "other", "us-west-1");
    let folder = tree(&[("m.tf", &text)]);
    for (region, prefix, part) in [
        ("us-west-1", "other", "target "),
        ("us-west-2", "quay", "target "),
        (
            "eu-west-1",
            "quay",
            "warning: the rules of m.tf are those of region us-east-1 and",
        ),
    ] {
        let target = ["--account", "123456789012", "--region", region];
        let (_, output, talk) = run(
            folder.path(),
            &[&["rules", "show", "--rules", "m.tf"], &target[..]].concat(),
        );
        assert!(output.contains(&format!("quay.io   {prefix}")), "{output}");
        assert!((output + &talk).contains(part), "{talk}");
        let (_, output, _) = run(
            folder.path(),
            &[&["rules", "import", "m.tf"], &target[..]].concat(),
        );
        assert!(output.contains(&format!("prefix: {prefix}\n")), "{output}");
    }
    let (_, _, talk) = run(folder.path(), &["rules", "import", "m.tf"]);
    assert!(talk.contains("several accounts or regions"), "{talk}");
}

#[test]
fn the_account_of_a_source_and_a_region_are_a_target() {
    let folder = tree(&[("a.yaml", POD), ("rules.json", RULES)]);
    let (exit, _, talk) = run(folder.path(), &[".", "--rules", "rules.json"]);
    assert_eq!(exit, 2);
    assert!(
        talk.contains("account 123456789012") && talk.contains("give `--region`"),
        "{talk}"
    );
    let (exit, output, talk) = run(
        folder.path(),
        &[
            ".",
            "--rules",
            "rules.json",
            "--region",
            "eu-west-1",
            "--dry-run",
        ],
    );
    assert_eq!(exit, 0, "{talk}");
    assert!(
        output.contains("123456789012.dkr.ecr.eu-west-1.amazonaws.com/from-file/"),
        "{output}"
    );
    let folder = tree(&[
        ("a.yaml", POD),
        ("rules.json", RULES),
        (
            ".ecr-rewrite.yaml",
            "region: eu-west-3\nrulesFrom: rules.json\n",
        ),
    ]);
    let (_, output, talk) = run(folder.path(), &[".", "--dry-run"]);
    assert!(
        output.contains("123456789012.dkr.ecr.eu-west-3.amazonaws.com/from-file/"),
        "{output}{talk}"
    );
    // Another account is said, and the target stays what the config says.
    let folder = tree(&[
        ("a.yaml", POD),
        ("rules.json", RULES),
        (
            ".ecr-rewrite.yaml",
            "registry: 999999999999.dkr.ecr.eu-west-3.amazonaws.com\nrulesFrom: rules.json\n",
        ),
    ]);
    let (_, output, talk) = run(folder.path(), &[".", "--dry-run"]);
    assert!(
        output.contains("999999999999.dkr.ecr.eu-west-3.amazonaws.com/from-file/"),
        "{output}{talk}"
    );
    assert!(
        talk.contains("warning: the rules of rules.json are those of account 123456789012"),
        "{talk}"
    );
}

#[test]
fn a_config_reads_nothing_outside_of_its_repository() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("rules.json"), RULES).unwrap();
    let folder = tree(&[("a.yaml", POD), ("r.tf", TF)]);
    let link = folder.path().join("link.json");
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path().join("rules.json"), &link).unwrap();
    let up = format!(
        "../{}/rules.json",
        outside.path().file_name().unwrap().to_string_lossy()
    );
    for (named, part) in [
        (up.as_str(), "leads out of the repository"),
        ("link.json", "leads out of the repository"),
        ("/etc/passwd", "is not within the repository"),
        ("none.json", "cannot be read"),
        ("-", "names no file"),
        ("a.yaml", "looks like a Kubernetes manifest"),
    ] {
        fs::write(
            folder.path().join(".ecr-rewrite.yaml"),
            format!("rulesFrom: \"{named}\"\n"),
        )
        .unwrap();
        let (exit, _, talk) = run(folder.path(), &["--check"]);
        assert!(exit == 2 && talk.contains(part), "{named}: {talk}");
    }
    // On the command line a path is what somebody means.
    let path = outside.path().join("rules.json");
    fs::write(folder.path().join(".ecr-rewrite.yaml"), "exclude: []\n").unwrap();
    let (exit, _, talk) = run(
        folder.path(),
        &["--check", "--rules", path.to_str().unwrap()],
    );
    assert_eq!(exit, 1, "{talk}");
}

#[test]
fn environments_have_sources_of_their_own() {
    let config = "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrulesFrom: rules.json\noverrides:\n- paths: [\"prod/**\"]\n  account: \"999999999999\"\n  rulesFrom: r.tf\n- {paths: [\"same/**\"], region: eu-west-1}\n";
    let folder = tree(&[
        ("a.yaml", POD),
        ("prod/a.yaml", POD),
        ("rules.json", RULES),
        ("r.tf", TF),
        (".ecr-rewrite.yaml", config),
    ]);
    let (_, output, talk) = run(folder.path(), &[".", "--dry-run"]);
    assert!(
        output.contains("123456789012.dkr.ecr.eu-west-1.amazonaws.com/from-file/"),
        "{output}{talk}"
    );
    assert!(
        output.contains("999999999999.dkr.ecr.eu-west-1.amazonaws.com/from-tf/"),
        "{output}"
    );
    let (exit, output, _) = run(folder.path(), &["rules", "show"]);
    let wanted = "\
target 123456789012.dkr.ecr.eu-west-1.amazonaws.com (.ecr-rewrite.yaml:1)
upstream   prefix     stated at
docker.io  from-file  rules.json:2

for prod/**
target 999999999999.dkr.ecr.eu-west-1.amazonaws.com (.ecr-rewrite.yaml:5)
upstream   prefix   stated at
docker.io  from-tf  r.tf:1
";
    assert_eq!((exit, output.as_str()), (0, wanted));
    let (_, json, _) = run(folder.path(), &["rules", "show", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["targets"][1]["paths"][0], "prod/**");
    assert_eq!(json["targets"][1]["rules"][0]["prefix"], "from-tf");
    let schema: Value =
        serde_json::from_slice(&fs::read("docs/rules.schema.json").unwrap()).unwrap();
    assert!(jsonschema::is_valid(&schema, &json), "{json}");
    let mut wrong = json;
    wrong["targets"][0]["rules"] = 1.into();
    assert!(!jsonschema::is_valid(&schema, &wrong));
}

#[test]
fn an_override_takes_what_it_does_not_say_from_the_levels_below() {
    let full = RULES.replace(
        "\"registryId\"",
        "\"region\": \"eu-west-1\", \"registryId\"",
    );
    let account = RULES.replace("123456789012", "999999999999");
    let several = "[{\"ecrRepositoryPrefix\": \"aa\", \"upstreamRegistryUrl\": \"quay.io\", \"region\": \"us-east-1\"}, {\"ecrRepositoryPrefix\": \"bb\", \"upstreamRegistryUrl\": \"quay.io\", \"region\": \"us-east-2\"}]";
    let files = [
        ("a.yaml", POD),
        ("prod/a.yaml", POD),
        ("full.json", &full),
        ("account.json", &account),
        ("several.json", several),
    ];
    let own = "rules: [{upstream: docker.io, prefix: own}]";
    for (base, above, wanted) in [
        (
            "rulesFrom: full.json",
            own,
            Ok("123456789012.dkr.ecr.eu-west-1.amazonaws.com/own/"),
        ),
        (
            "rulesFrom: full.json",
            "rulesFrom: r.tf",
            Ok("123456789012.dkr.ecr.eu-west-1.amazonaws.com/from-tf/"),
        ),
        (
            "rulesFrom: full.json",
            "rulesFrom: account.json",
            Ok("999999999999.dkr.ecr.eu-west-1.amazonaws.com/from-file/"),
        ),
        (
            "region: eu-west-3\nrulesFrom: account.json",
            own,
            Ok("999999999999.dkr.ecr.eu-west-3.amazonaws.com/own/"),
        ),
        // A source that says several is not overruled by one below.
        (
            "rulesFrom: full.json",
            "rulesFrom: several.json",
            Err("no target registry for prod/a.yaml"),
        ),
    ] {
        let config = format!("{base}\noverrides: [{{paths: [prod/**], {above}}}]\n");
        let folder = tree(&files);
        super::common::put(folder.path(), "r.tf", TF.as_bytes());
        super::common::put(folder.path(), ".ecr-rewrite.yaml", config.as_bytes());
        let (exit, output, talk) = run(folder.path(), &["prod", "--dry-run"]);
        match wanted {
            Ok(name) => assert!(
                exit == 0 && output.contains(name),
                "{config}: {output}{talk}"
            ),
            Err(why) => assert!(exit == 2 && talk.contains(why), "{config}: {output}{talk}"),
        }
        let (exit, _, talk) = run(folder.path(), &["rules", "show"]);
        assert_eq!(exit, 0, "{config}: {talk}");
    }
}

#[test]
fn a_source_of_rules_is_no_file_to_rewrite() {
    let pages = format!("{RULES}{RULES}");
    let folder = tree(&[
        ("a.yaml", POD),
        ("infra/rules.json", &pages),
        (
            ".ecr-rewrite.yaml",
            "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrulesFrom: infra/rules.json\n",
        ),
    ]);
    for arguments in [
        &[".", "--dry-run"][..],
        &["infra/rules.json", "a.yaml", "--dry-run"],
        &["images"],
        &["--check", "infra"],
        &["."],
    ] {
        let (exit, _, talk) = run(folder.path(), arguments);
        assert_eq!(exit, 0, "{arguments:?}: {talk}");
    }
    fs::write(folder.path().join("a.yaml"), POD).unwrap();
    fs::remove_file(folder.path().join(".ecr-rewrite.yaml")).unwrap();
    let given = [".", "--dry-run", "--region", "eu-west-1", "--rules"];
    let (exit, _, talk) = run(folder.path(), &[&given[..], &["infra/rules.json"]].concat());
    assert_eq!(exit, 0, "{talk}");
    // Any other file with such a text is a mistake.
    let (exit, _, talk) = run(folder.path(), &["--check"]);
    assert!(exit == 2 && talk.contains("infra/rules.json:"), "{talk}");
}

#[test]
fn words_and_folders_are_told_apart() {
    let folder = tree(&[("rules/a.yaml", POD)]);
    let (exit, _, talk) = run(folder.path(), &["rules", "show"]);
    assert!(exit == 0 && talk.contains("write `./rules`"), "{talk}");
    let (exit, _, talk) = run(folder.path(), &["rules"]);
    assert!(exit == 2 && talk.contains("show"), "{talk}");
    let (exit, _, talk) = run(folder.path(), &["rule"]);
    assert!(exit == 2 && talk.contains("did you mean `rules`"), "{talk}");
    let (exit, _, talk) = run(folder.path(), &["rules", "imprt"]);
    assert!(exit == 2 && talk.contains("import"), "{talk}");
    let (exit, _, talk) = run(folder.path(), &["rules", "export", "--to", "helm"]);
    assert!(exit == 2 && talk.contains("terraform"), "{talk}");
}
