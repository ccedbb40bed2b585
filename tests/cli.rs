//! The command line: every kind of bad input has a clear message and the right exit code, and loses
//! nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it

mod common;

use std::fs;

use common::{REGISTRY, contents, put, run, run_with_input, tree};

const POD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx:1\n";
const TARGET: [&str; 4] = ["--registry", REGISTRY, "--rules", "default"];

/// The arguments with a target and rules.
fn with_target<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().copied().chain(TARGET).collect()
}

/// Runs in a repository with `files`; the exit code, and a part of what is said, have to be these,
/// and no file may change.
fn refused(files: &[(&str, &str)], arguments: &[&str], code: i32, part: &str) {
    let folder = tree(files);
    let before = contents(folder.path());
    let (exit, output, talk) = run(folder.path(), arguments);
    assert_eq!((exit, output.as_str()), (code, ""), "{arguments:?}: {talk}");
    assert!(talk.contains(part), "{arguments:?}: {talk}");
    assert_eq!(contents(folder.path()), before, "{arguments:?}");
}

#[test]
fn wrong_usage_is_refused_before_anything_is_done() {
    let files = [("a.yaml", POD)];
    for (arguments, part) in [
        (vec!["a.yaml", "--rules", "default"], "no target registry"),
        (
            vec!["a.yaml", "--registry", REGISTRY],
            "no rules are stated",
        ),
        (
            vec![
                "a.yaml",
                "--registry",
                "123456789.dkr.ecr.us-west-2.amazonaws.com",
            ],
            "has 9 digits, AWS account ids have 12",
        ),
        (
            vec!["a.yaml", "--registry", "docker.io"],
            "not a private Amazon ECR host",
        ),
        (
            vec!["a.yaml", "--account", "123456789012"],
            "needs `--region`",
        ),
        (
            vec!["a.yaml", "--account", "1", "--region", "eu-west-1"],
            "has 1 digits",
        ),
        (
            vec!["a.yaml", "--registry", REGISTRY, "--rule", "docker.io"],
            "has no `=`",
        ),
        (
            vec!["--registry", REGISTRY, "--rules", "default"],
            "writing needs a path",
        ),
        (vec!["missing.yaml"], "`missing.yaml` does not exist"),
        (
            vec!["a.yaml", "missing.yaml"],
            "`missing.yaml` does not exist; nothing was done",
        ),
        (vec!["check", "a.yaml"], "did you mean `--check`?"),
        (vec!["diff"], "did you mean `--dry-run`?"),
        (vec!["imges"], "did you mean `images`?"),
        (vec!["convrt", "nginx"], "did you mean `convert`?"),
        (
            vec!["generate", "man", "convrt"],
            "no command `convrt`; did you mean `convert`?",
        ),
        (
            vec!["generate", "completions", "bsh"],
            "a similar value exists: 'bash'",
        ),
        (vec!["--chek"], "a similar argument exists: '--check'"),
        (
            vec!["images", "--prewarn"],
            "a similar argument exists: '--prewarm'",
        ),
        (
            vec!["--check", "--format", "jsn"],
            "a similar value exists: 'json'",
        ),
        (
            vec!["a.yaml", "--rules", "rules.json"],
            "rules.json: cannot be read",
        ),
        (vec!["-", "--rules", "-"], "standard input cannot be both"),
        (
            vec!["--files-from", "-", "--rules", "-"],
            "standard input cannot be both",
        ),
        (
            vec!["images", "--files-from", "-", "--rules", "-"],
            "standard input cannot be both",
        ),
        (
            vec!["convert", "--rules", "-"],
            "standard input cannot be both",
        ),
        (
            vec![
                "a.yaml",
                "--registry",
                REGISTRY,
                "--rules",
                "default",
                "--format",
                "sarif",
            ],
            "`sarif` goes with `--dry-run` or `--check`",
        ),
        (vec!["-", "a.yaml"], "`-` stands alone"),
        (vec!["-", "--files-from", "-"], "`-` stands alone"),
        (vec!["-", "--files-from", "a.yaml"], "`-` stands alone"),
        (
            vec!["a.yaml", "--stdin-filename", "b.yaml"],
            "goes with `-`",
        ),
        (vec!["a.yaml", "--dryrun"], "--dry-run"),
        (vec!["a.yaml", "--exit-code"], "--dry-run"),
        (vec!["a.yaml", "--max-file-size", "big"], "bytes"),
        (vec!["a.yaml", "--exclude", "a{"], "a{"),
        (
            vec!["a.yaml", "--config", "none.yaml"],
            "config `none.yaml` cannot be read",
        ),
        (
            vec!["--files-from", "none.txt"],
            "`--files-from none.txt` cannot be read",
        ),
    ] {
        refused(&files, &arguments, 2, part);
    }
}

#[test]
fn a_bare_call_prints_the_short_help() {
    let folder = tree(&[]);
    let (exit, _, talk) = run(folder.path(), &[]);
    assert_eq!(exit, 2);
    assert!(talk.contains("Usage: ecr-rewrite"), "{talk}");
    let (exit, output, _) = run(folder.path(), &["--version"]);
    assert_eq!(
        (exit, output.trim()),
        (0, concat!("ecr-rewrite ", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn mistakes_in_a_config_are_shown_at_their_line() {
    for (config, parts) in [
        (
            "registry: x\nregisty: y\n",
            [
                "unknown key `registy`",
                "did you mean `registry`?",
                ".ecr-rewrite.yaml:2:1",
            ],
        ),
        (
            "registry: 123456789.dkr.ecr.us-west-2.amazonaws.com\n",
            [
                "has 9 digits",
                "registry: 123456789",
                ".ecr-rewrite.yaml:1:11",
            ],
        ),
        (
            "rules:\n  - {upstream: docker.io, prefix: UPPER}\n",
            ["prefix `UPPER`", "UPPER", ".ecr-rewrite.yaml:2:5"],
        ),
        (
            "checks: {no-rules: warn}\n",
            [
                "unknown code `no-rules`",
                "did you mean `no-rule`?",
                ".ecr-rewrite.yaml:1:10",
            ],
        ),
    ] {
        for part in parts {
            refused(
                &[("a.yaml", POD), (".ecr-rewrite.yaml", config)],
                &["."],
                2,
                part,
            );
        }
    }
    let two = [
        ("a.yaml", POD),
        (".ecr-rewrite.yaml", "rules: default\n"),
        ("sub/.ecr-rewrite.yaml", "rules: default\n"),
    ];
    refused(
        &two,
        &["."],
        2,
        "sub/.ecr-rewrite.yaml: a config beside .ecr-rewrite.yaml; there is one for a run",
    );
}

#[test]
fn a_config_in_an_excluded_folder_is_none_of_this_run() {
    let config = format!("registry: {REGISTRY}\nrules: default\nexclude: [sub]\n");
    let files = [
        ("a.yaml", POD),
        (".ecr-rewrite.yaml", &config),
        ("sub/.ecr-rewrite.yaml", "rules: default\n"),
    ];
    let (exit, output, talk) = run(tree(&files).path(), &[".", "--dry-run"]);
    assert_eq!(exit, 0, "{talk}");
    assert!(output.contains(REGISTRY));
}

#[test]
fn the_environment_can_name_the_config() {
    let config = format!("registry: {REGISTRY}\nrules: default\n");
    let folder = tree(&[
        ("a.yaml", POD),
        (".ecr-rewrite.yaml", "registry: [\n"),
        ("other.conf", &config),
    ]);
    let dry = |arguments: &[&str]| {
        let mut command = common::program(folder.path());
        command
            .args([".", "--dry-run"])
            .args(arguments)
            .env("ECR_REWRITE_CONFIG", "other.conf");
        command.output().unwrap().status.code()
    };
    assert_eq!(dry(&[]), Some(0));
    assert_eq!(
        dry(&["--config", ".ecr-rewrite.yaml"]),
        Some(2),
        "the flag wins"
    );
    assert_eq!(
        dry(&["--no-config"]),
        Some(2),
        "and then there is no target"
    );
}

#[test]
fn paths_of_two_repositories_are_refused() {
    let folder = tree(&[
        ("one/.git/x", ""),
        ("one/a.yaml", POD),
        ("two/.git/x", ""),
        ("two/a.yaml", POD),
    ]);
    let (exit, _, talk) = run(folder.path(), &with_target(&["one", "two"]));
    assert_eq!(exit, 2);
    assert!(talk.contains("lie in different repositories"), "{talk}");
}

#[test]
fn a_run_without_files_is_a_note_and_no_error() {
    refused(
        &[("notes.txt", POD)],
        &with_target(&["."]),
        0,
        "no files to read",
    );
    refused(
        &[("list", "")],
        &with_target(&["--files-from", "list"]),
        0,
        "no files to read",
    );
    refused(
        &[("empty.yaml", "")],
        &with_target(&["."]),
        0,
        "1 file scanned, 0 images found",
    );
}

#[test]
fn files_that_cannot_be_read_are_named_and_the_others_rewritten() {
    let utf16: Vec<u8> = POD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, bytes, part) in [
        ("utf16.yaml", utf16, "holds NUL bytes: it is UTF-16"),
        (
            "latin1.yaml",
            b"image: \xe9\n".to_vec(),
            "is not UTF-8 (first wrong byte at offset 7)",
        ),
        (
            "large.yaml",
            vec![b' '; 3000],
            "has 3000 bytes, more than the limit of 2048",
        ),
        (
            "broken.yaml",
            b"image: [1\n".to_vec(),
            "document 1 is not YAML",
        ),
    ] {
        let folder = tree(&[("good.yaml", POD)]);
        put(folder.path(), name, &bytes);
        let (exit, _, talk) = run(folder.path(), &with_target(&[".", "--max-file-size", "2K"]));
        assert_eq!(exit, 2, "{name}: {talk}");
        assert!(
            talk.contains(&format!("error: {name}")) && talk.contains(part),
            "{name}: {talk}"
        );
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), bytes);
        let good = fs::read_to_string(folder.path().join("good.yaml")).unwrap();
        assert!(good.contains(REGISTRY), "{name}");
    }
}

#[test]
fn where_a_repository_lies_does_not_make_its_files_templates() {
    let broken = "image: [1\n";
    let folder = tree(&[
        ("templates/one/.git/x", ""),
        ("templates/one/a.yaml", broken),
        ("two/.git/x", ""),
        ("two/chart/templates/a.yaml", broken),
        ("two/chart/templates/b/c.yaml", broken),
    ]);
    for (place, given, code) in [
        ("templates/one", ".", 2),
        ("templates/one", "a.yaml", 2),
        ("two/chart/templates", ".", 0),
        ("two/chart/templates/b", "c.yaml", 0),
    ] {
        let (exit, _, talk) = run(&folder.path().join(place), &with_target(&[given]));
        assert_eq!(exit, code, "{place}: {talk}");
        let input = with_target(&["-", "--stdin-filename", "a.yaml"]);
        let place = folder.path().join(place);
        assert_eq!(run_with_input(&place, &input, broken.as_bytes()).0, code);
    }
}

#[test]
fn a_dry_run_falls_back_to_the_built_in_rules_and_says_so() {
    let folder = tree(&[("a.yaml", POD)]);
    let (exit, output, talk) = run(folder.path(), &["--dry-run", "--registry", REGISTRY]);
    assert_eq!(exit, 0);
    assert!(
        output.starts_with("--- a/a.yaml\n+++ b/a.yaml\n@@ -2,4 +2,4 @@\n"),
        "{output}"
    );
    assert!(talk.contains("using the built-in prefixes"), "{talk}");
    let (exit, _, _) = run(folder.path(), &with_target(&["--dry-run", "--exit-code"]));
    assert_eq!(exit, 1);
    let (exit, output, _) = run(
        folder.path(),
        &with_target(&["--dry-run", "-o", "out.patch"]),
    );
    assert_eq!((exit, output.as_str()), (0, ""));
    assert!(
        fs::read_to_string(folder.path().join("out.patch"))
            .unwrap()
            .starts_with("--- a/a.yaml")
    );
}

#[test]
fn the_target_comes_from_the_highest_place_that_states_it() {
    let config = "registry: 111111111111.dkr.ecr.eu-west-1.amazonaws.com\nrules: default\noverrides:\n  - paths: [prod]\n    registry: 222222222222.dkr.ecr.eu-west-1.amazonaws.com\n";
    let files = [("prod/a.yaml", POD), (".ecr-rewrite.yaml", config)];
    let folder = tree(&files);
    let target = |environment: Option<&str>, arguments: &[&str]| {
        let mut command = common::program(folder.path());
        command.args(["prod", "--dry-run"]).args(arguments);
        if let Some(registry) = environment {
            command.env("ECR_REWRITE_REGISTRY", registry);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let account = text.split("image: ").nth(2).unwrap()[..12].to_string();
        (account, String::from_utf8(output.stderr).unwrap())
    };
    let environment = "333333333333.dkr.ecr.eu-west-1.amazonaws.com";
    let flag = "444444444444.dkr.ecr.eu-west-1.amazonaws.com";
    assert_eq!(target(None, &[]).0, "222222222222");
    assert_eq!(target(Some(environment), &[]).0, "333333333333");
    let (account, talk) = target(Some(environment), &["--registry", flag]);
    assert_eq!(account, "444444444444");
    assert!(
        talk.contains("`--registry` wins over the override's registry 222222222222"),
        "{talk}"
    );
    assert!(talk.contains("(from `--registry`)"), "{talk}");
    let (account, _) = target(None, &["--no-config", "--registry", flag]);
    assert_eq!(account, "444444444444");
}

#[test]
fn only_files_with_images_need_a_target() {
    let prod =
        format!("overrides:\n  - paths: [prod]\n    registry: {REGISTRY}\n    rules: default\n");
    let half = format!("account: \"123456789012\"\n{prod}");
    for config in [&prod, &half] {
        let folder = tree(&[
            (".ecr-rewrite.yaml", config),
            ("prod/a.yaml", POD),
            ("notes.yaml", "image: none\n"),
        ]);
        let (exit, _, talk) = run(folder.path(), &["."]);
        assert_eq!(exit, 0, "{talk}");
        assert!(talk.contains("1 changed in 1 file"), "{talk}");
    }
    let files = [
        (".ecr-rewrite.yaml", prod.as_str()),
        ("base/a.yaml", POD),
        ("sub/x", ""),
    ];
    let rules = ["--rules", "default"];
    let arguments = [&["."], &rules[..]].concat();
    refused(
        &files,
        &arguments,
        2,
        "no target registry for base/a.yaml; ",
    );
    let folder = tree(&files);
    let (exit, _, talk) = run(
        &folder.path().join("sub"),
        &[&["../base"], &rules[..]].concat(),
    );
    assert_eq!(exit, 2);
    assert!(
        talk.contains("no target registry for ../base/a.yaml; "),
        "{talk}"
    );
    refused(&[("empty.yaml", "a: b\n")], &["."], 0, "0 images found");
}

#[test]
fn a_rule_on_the_command_line_replaces_the_one_for_its_upstream() {
    let config = "rules:\n  - {upstream: docker.io, prefix: from-config}\n  - {upstream: quay.io, prefix: quay}\n";
    let folder = tree(&[(".ecr-rewrite.yaml", config)]);
    let arguments = [
        "convert",
        "--registry",
        REGISTRY,
        "--rule",
        "docker.io=from-flag",
        "nginx",
        "quay.io/a/b",
    ];
    let (exit, output, _) = run(folder.path(), &arguments);
    assert_eq!(exit, 0);
    assert_eq!(
        output,
        format!("{REGISTRY}/from-flag/library/nginx\n{REGISTRY}/quay/a/b\n")
    );
}

#[test]
fn another_ecr_registry_is_an_upstream_where_a_rule_says_so() {
    let other = "999999999999.dkr.ecr.eu-west-1.amazonaws.com";
    let folder = tree(&[("a.yaml", &POD.replace("nginx", &format!("{other}/app")))]);
    let rule = format!("{other}=old");
    let own = format!("{REGISTRY}=own");
    let arguments = [
        "a.yaml",
        "--registry",
        REGISTRY,
        "--rule",
        &rule,
        "--rule",
        &own,
    ];
    for talked in ["1 changed in 1 file", "1 already in ECR"] {
        let (exit, _, talk) = run(folder.path(), &arguments);
        assert_eq!(exit, 0, "{talk}");
        assert!(talk.contains(talked), "{talk}");
        let text = fs::read_to_string(folder.path().join("a.yaml")).unwrap();
        assert_eq!(text, POD.replace("nginx", &format!("{REGISTRY}/old/app")));
    }
}

#[test]
fn convert_goes_both_ways_line_by_line() {
    let folder = tree(&[]);
    let (exit, output, talk) = run_with_input(
        folder.path(),
        &with_target(&["convert", "-v"]),
        b"nginx:1.27\n\n  ghcr.io/acme/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\nmcr.microsoft.com/x\n",
    );
    assert_eq!(exit, 0, "{talk}");
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(
        lines[0],
        format!("{REGISTRY}/docker-hub/library/nginx:1.27")
    );
    assert!(lines[1].starts_with(&format!("{REGISTRY}/ghcr/acme/app@sha256:0123")));
    assert_eq!(lines[2], "mcr.microsoft.com/x");
    assert!(
        talk.contains("means `docker.io/library/nginx`; rule docker.io -> docker-hub (built-in)"),
        "{talk}"
    );
    assert!(talk.contains("`mcr.microsoft.com/x` stays: "), "{talk}");

    let (exit, back, _) = run_with_input(
        folder.path(),
        &with_target(&["convert", "--revert"]),
        lines[0].as_bytes(),
    );
    assert_eq!((exit, back.as_str()), (0, "docker.io/library/nginx:1.27\n"));

    let (exit, output, talk) = run(
        folder.path(),
        &with_target(&["convert", "Not An Image", "nginx"]),
    );
    assert_eq!(exit, 2);
    assert_eq!(
        output,
        format!("Not An Image\n{REGISTRY}/docker-hub/library/nginx\n")
    );
    assert!(talk.contains("`Not An Image`"), "{talk}");
    let (exit, _, talk) = run(folder.path(), &["convert", "nginx"]);
    assert_eq!(exit, 2);
    assert!(talk.contains("no target registry"), "{talk}");
}

#[test]
fn a_command_beside_a_path_of_its_name_says_so() {
    let folder = tree(&[("convert/a.yaml", POD)]);
    let (_, output, talk) = run(folder.path(), &with_target(&["convert", "nginx"]));
    assert!(output.contains("library/nginx"));
    assert!(
        talk.contains("for the path of that name write `./convert`"),
        "{talk}"
    );
    let (exit, output, _) = run(folder.path(), &with_target(&["./convert", "--dry-run"]));
    assert_eq!(exit, 0);
    assert!(output.starts_with("--- a/convert/a.yaml"), "{output}");
}

#[test]
fn standard_input_is_a_filter_that_loses_nothing() {
    let overlay = "resources: [../base]\nimages:\n- {name: redis, newTag: \"8\"}\n";
    let folder = tree(&[
        ("base/a.yaml", "old text"),
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("overlay/kustomization.yaml", overlay),
    ]);
    let text = format!("\u{feff}{POD}  - image: redis:7").replace('\n', "\r\n");
    let (exit, output, _) = run_with_input(folder.path(), &with_target(&["-"]), text.as_bytes());
    assert_eq!(exit, 0);
    assert_eq!(
        output,
        text.replace("nginx", &format!("{REGISTRY}/docker-hub/library/nginx"))
            .replace("redis", &format!("{REGISTRY}/docker-hub/library/redis"))
    );
    let named = with_target(&["-", "--stdin-filename", "base/a.yaml"]);
    let (exit, output, _) = run_with_input(folder.path(), &named, text.as_bytes());
    assert_eq!(exit, 0);
    assert_eq!(
        output,
        text.replace("nginx", &format!("{REGISTRY}/docker-hub/library/nginx")),
        "the overlay names redis"
    );
    let (exit, output, talk) = run_with_input(folder.path(), &with_target(&["-"]), b"a\0b");
    assert_eq!((exit, output.as_str()), (2, "a\0b"), "{talk}");
    let (exit, output, _) = run_with_input(folder.path(), &with_target(&["-"]), b"image: [1\n");
    assert_eq!((exit, output.as_str()), (2, "image: [1\n"));
}

#[test]
fn a_filter_writes_with_stated_rules_only() {
    let folder = tree(&[]);
    let filter = |arguments: &[&str]| {
        let arguments = [&["-", "--registry", REGISTRY], arguments].concat();
        run_with_input(folder.path(), &arguments, POD.as_bytes())
    };
    let (exit, output, talk) = filter(&[]);
    assert_eq!((exit, output.as_str()), (2, ""));
    assert!(talk.contains("no rules are stated"), "{talk}");
    let (exit, output, talk) = filter(&["--dry-run"]);
    assert_eq!(exit, 0);
    assert!(output.contains("+++ b/stdin.yaml"), "{output}");
    assert!(talk.contains("using the built-in prefixes"), "{talk}");
    assert_eq!(filter(&["--rules", "default"]).0, 0);
}

#[test]
fn a_filter_stands_for_a_file_that_need_not_exist() {
    let prod = "999999999999.dkr.ecr.eu-west-1.amazonaws.com";
    let config = format!(
        "registry: {REGISTRY}\nrules: default\nexclude: [\"gen/**\"]\noverrides:\n  - paths: [\"environments/prod/**\"]\n    registry: {prod}\n"
    );
    let folder = tree(&[
        (".ecr-rewrite.yaml", config.as_str()),
        ("environments/prod/a.yaml", POD),
        ("sub/x", ""),
    ]);
    let filter = |name: &str, arguments: &[&str]| {
        let arguments = [&["-", "--stdin-filename", name], arguments].concat();
        run_with_input(&folder.path().join("sub"), &arguments, POD.as_bytes())
    };
    for (name, registry) in [
        ("../environments/prod/a.yaml", prod),
        ("../environments/prod/new.yaml", prod),
        ("../environments/prod/new/folder/new.yaml", prod),
        ("../environments/none/../prod/new.yaml", prod),
        ("../environments/prod/../new.yaml", REGISTRY),
        ("new.yaml", REGISTRY),
    ] {
        let (exit, output, talk) = filter(name, &[]);
        assert_eq!(exit, 0, "{name}: {talk}");
        assert!(output.contains(registry), "{name}: {output}");
    }
    let excluded = "../gen/new.yaml";
    assert!(filter(excluded, &[]).1.contains(REGISTRY), "a given path");
    for (arguments, out) in [(&[][..], POD), (&["--dry-run"], "")] {
        let arguments = [&["--force-exclude"], arguments].concat();
        let (exit, output, talk) = filter(excluded, &arguments);
        assert_eq!((exit, output.as_str()), (0, out));
        assert!(
            talk.contains("../gen/new.yaml: is excluded; left as it is"),
            "{talk}"
        );
    }
    let by_flag = ["--force-exclude", "--exclude", "new.yaml"];
    assert_eq!(filter("../environments/prod/new.yaml", &by_flag).1, POD);
}

#[test]
fn lists_of_files_select_them_and_excludes_can_bind() {
    let files = [("a.yaml", POD), ("b c.yaml", POD), ("skip/d.txt", POD)];
    let folder = tree(&files);
    let dry = |list: &str, arguments: &[&str]| {
        let arguments = with_target(&[&["--dry-run", "--files-from", "-"], arguments].concat());
        let (_, output, _) = run_with_input(folder.path(), &arguments, list.as_bytes());
        output
            .lines()
            .filter(|line| line.starts_with("+++ "))
            .count()
    };
    assert_eq!(dry("a.yaml\nb c.yaml\n", &[]), 2);
    assert_eq!(dry("a.yaml\0b c.yaml\0", &["-0"]), 2);
    assert_eq!(
        dry("skip/d.txt\n", &[]),
        1,
        "a file given by path counts whatever its name"
    );
    assert_eq!(dry("skip/d.txt\n", &["--exclude", "skip"]), 1);
    assert_eq!(
        dry("skip/d.txt\n", &["--exclude", "skip", "--force-exclude"]),
        0
    );
    assert_eq!(dry("a.yaml\n./a.yaml\n", &[]), 1, "each file once");
    // What a walk leaves out by itself is left out of what a hook passes, too.
    let left = [
        ".github/a.yaml",
        ".b.yaml",
        "compose.yaml",
        "x/_helpers.tpl",
    ];
    for path in left {
        put(folder.path(), path, POD.as_bytes());
        assert_eq!(dry(path, &[]), 1, "{path}");
        assert_eq!(dry(path, &["--force-exclude"]), 0, "{path}");
    }
    assert_eq!(dry(".b.yaml", &["--force-exclude", "--hidden"]), 1);
    assert_eq!(dry("skip/d.txt", &["--force-exclude"]), 1);
}

#[test]
fn ignored_and_hidden_files_are_looked_at_on_request() {
    let folder = tree(&[
        (".gitignore", "out\n"),
        ("out/a.yaml", POD),
        (".b/b.yaml", POD),
        ("c.txt", POD),
    ]);
    let count = |arguments: &[&str]| {
        let (_, output, _) = run(
            folder.path(),
            &with_target(&[&[".", "--dry-run"], arguments].concat()),
        );
        output
            .lines()
            .filter(|line| line.starts_with("+++ "))
            .count()
    };
    assert_eq!(count(&[]), 0);
    assert_eq!(count(&["--no-ignore"]), 1);
    assert_eq!(count(&["--hidden"]), 1);
    assert_eq!(count(&["--include", "*.txt"]), 1);
    assert_eq!(count(&["--include", "*.txt", "--hidden", "--no-ignore"]), 3);
}

/// The files that a dry run from `folder` would change.
fn changed(folder: &std::path::Path, arguments: &[&str]) -> Vec<String> {
    let (exit, output, talk) = run(folder, &with_target(&[arguments, &["--dry-run"]].concat()));
    assert_eq!(exit, 0, "{arguments:?}: {talk}");
    let names = output
        .lines()
        .filter_map(|line| line.strip_prefix("+++ b/"));
    names.map(str::to_string).collect()
}

#[test]
fn globs_count_from_the_current_folder_and_from_each_given_one() {
    let folder = tree(&[
        ("base/a.yaml", POD),
        ("base/gen/b.yaml", POD),
        ("base/m/c.k8s", POD),
        ("sub/x", ""),
    ]);
    let base = folder.path().join("base");
    let all = ["a.yaml", "gen/b.yaml"];
    let with_include = ["a.yaml", "gen/b.yaml", "m/c.k8s"];
    for (arguments, files) in [
        (&[][..], &all[..]),
        (&["--exclude", "gen"], &all[..1]),
        (&["--exclude", "gen/**"], &all[..1]),
        (&["--exclude", "b.yaml"], &all[..1]),
        (&["--include", "m/*.k8s"], &with_include),
        (&["--include", "*.k8s"], &with_include),
        (&["--include", "m"], &all),
    ] {
        let names = |from: &std::path::Path, given: &str| -> Vec<String> {
            let shown = changed(from, &[&[given], arguments].concat());
            let names = shown.iter().map(|name| {
                name.rsplit_once("base/")
                    .map_or(&name[..], |(_, name)| name)
            });
            names.map(str::to_string).collect()
        };
        assert_eq!(names(&base, "."), files, "{arguments:?}");
        assert_eq!(names(folder.path(), "base"), files, "{arguments:?}");
        assert_eq!(
            names(&folder.path().join("sub"), "../base"),
            files,
            "{arguments:?}"
        );
        assert_eq!(
            names(std::path::Path::new("/"), base.to_str().unwrap()),
            files,
            "{arguments:?}"
        );
    }
    let sub = folder.path().join("sub");
    for glob in ["../base/gen/**", "../base/gen", "../*/gen/"] {
        assert_eq!(
            changed(&sub, &["../base", "--exclude", glob]).len(),
            1,
            "{glob}"
        );
    }
    assert_eq!(
        changed(&sub, &["../base", "--exclude", "../gen"]).len(),
        2,
        "another folder"
    );
    assert_eq!(
        changed(&sub, &["../base/a.yaml", "--exclude", "a.yaml"]).len(),
        1
    );
    let forced = ["../base/a.yaml", "--exclude", "a.yaml", "--force-exclude"];
    assert_eq!(changed(&sub, &forced).len(), 0);
}

#[test]
fn a_diff_beyond_the_current_folder_says_where_to_apply_it() {
    let files = [
        ("base/a.yaml", POD),
        ("sub/b.yaml", POD),
        ("sub/c d/e.yaml", POD),
    ];
    for (from, given, names, place) in [
        ("sub", &["../base"][..], &["base/a.yaml"][..], ".."),
        (
            "sub",
            &[".", "../base"],
            &["base/a.yaml", "sub/b.yaml", "sub/c d/e.yaml"],
            "..",
        ),
        (
            "sub/c d",
            &["../../base", "e.yaml"],
            &["base/a.yaml", "sub/c d/e.yaml"],
            "../..",
        ),
        ("sub/c d", &[".."], &["b.yaml", "c d/e.yaml"], ".."),
        ("sub", &["."], &["b.yaml", "c d/e.yaml"], "."),
    ] {
        for in_git in [true, false] {
            let folder = tree(&files);
            if in_git {
                let init = std::process::Command::new("git")
                    .args(["init", "--quiet"])
                    .current_dir(folder.path())
                    .status();
                assert!(init.unwrap().success());
            } else {
                fs::remove_dir(folder.path().join(".git")).unwrap();
            }
            let from = folder.path().join(from);
            let arguments = with_target(&[given, &["--dry-run", "-v"]].concat());
            let (exit, diff, talk) = run(&from, &arguments);
            assert_eq!(exit, 0, "{talk}");
            let shown = diff.lines().filter_map(|line| line.strip_prefix("+++ b/"));
            let shown: Vec<&str> = shown.map(|name| name.trim_end_matches('\t')).collect();
            assert_eq!(shown, names, "{given:?}");
            let note = format!("`git -C {place} apply < DIFF` or `patch -d {place} -p1 < DIFF`");
            assert_eq!(talk.contains(&note), place != ".", "{talk}");
            let before = contents(folder.path());
            let applied = common::git_apply(&from.join(place), &diff);
            assert!(
                applied.status.success(),
                "{}",
                String::from_utf8_lossy(&applied.stderr)
            );
            let after = contents(folder.path());
            for (path, text) in before {
                fs::write(folder.path().join(path), text).unwrap();
            }
            let (exit, _, _) = run(&from, &with_target(given));
            assert_eq!(exit, 0);
            assert_eq!(contents(folder.path()), after, "{given:?}");
        }
    }
}

#[test]
fn the_folder_that_holds_the_checkout_excludes_nothing() {
    let folder = tree(&[
        ("gen/repository/.git/x", ""),
        ("gen/repository/a.yaml", POD),
        ("elsewhere/x", ""),
    ]);
    let path = folder.path().join("gen/repository");
    let arguments = [path.to_str().unwrap(), "--exclude", "gen"];
    assert_eq!(
        changed(&folder.path().join("elsewhere"), &arguments).len(),
        1
    );
}

#[test]
fn a_given_path_counts_whatever_is_given_beside_it() {
    let folder = tree(&[
        (".hid/a.yaml", POD),
        (".github/b.yaml", POD),
        ("c.yaml", POD),
        ("d/e.yaml", POD),
    ]);
    put(folder.path(), "list", b"c.yaml\nd/e.yaml\n./d/../c.yaml\n");
    let all = [".github/b.yaml", ".hid/a.yaml", "c.yaml", "d/e.yaml"];
    for arguments in [
        &[".", ".hid", ".github"][..],
        &[".hid", ".", ".github"],
        &[".hid", ".github", ".", "d", "d/e.yaml", "./c.yaml"],
        &[".hid/a.yaml", ".", ".github", "--files-from", "list"],
    ] {
        assert_eq!(changed(folder.path(), arguments), all, "{arguments:?}");
    }
    assert_eq!(changed(folder.path(), &["."]), ["c.yaml", "d/e.yaml"]);
    put(folder.path(), "d/.ecr-rewrite-tmp.e.yaml.x", b"");
    let (_, _, talk) = run(folder.path(), &with_target(&[".", "d", "--dry-run"]));
    assert_eq!(talk.matches("was left by a run").count(), 1, "{talk}");
}

#[cfg(unix)]
#[test]
fn links_select_nothing_that_walking_would_leave_out() {
    let config = format!("registry: {REGISTRY}\nrules: default\nexclude: [\"gen/**\"]\n");
    let left_out = [
        "gen/r.yaml",
        "by-flag/r.yaml",
        ".github/r.yaml",
        "compose.yaml",
        ".hidden/r.yaml",
        "ignored/r.yaml",
        "node_modules/r.yaml",
        "r.txt",
    ];
    let folder = tree(&[
        (".ecr-rewrite.yaml", config.as_str()),
        (".gitignore", "ignored\n"),
        ("base/r.yaml", POD),
    ]);
    fs::create_dir(folder.path().join("a")).unwrap();
    for (index, target) in left_out.iter().chain(&["base/r.yaml"]).enumerate() {
        put(folder.path(), target, POD.as_bytes());
        let link = folder.path().join(format!("a/{index}.yaml"));
        std::os::unix::fs::symlink(format!("../{target}"), link).unwrap();
    }
    for given in ["a", "."] {
        let arguments = [given, "--dry-run", "--exclude", "by-flag"];
        let (exit, output, talk) = run(folder.path(), &arguments);
        assert_eq!(exit, 0, "{talk}");
        let shown: Vec<&str> = output
            .lines()
            .filter(|line| line.starts_with("+++"))
            .collect();
        assert_eq!(shown, ["+++ b/base/r.yaml"], "{given}");
        for (index, target) in left_out.iter().enumerate() {
            let note = format!("a/{index}.yaml: is a link to {target}, which is left out");
            assert!(talk.contains(&note), "{given}: {talk}");
        }
    }
    assert_eq!(
        changed(folder.path(), &["a/0.yaml"]),
        ["gen/r.yaml"],
        "a given path"
    );
    let forced = |glob| ["a/0.yaml", "--force-exclude", "--exclude", glob];
    assert!(
        changed(folder.path(), &forced("none")).is_empty(),
        "the config excludes its target"
    );
    let forced = ["a/8.yaml", "--force-exclude", "--exclude", "a/8.yaml"];
    assert!(changed(folder.path(), &forced).is_empty());
}

#[test]
fn a_part_of_a_repository_is_rewritten_with_the_rest_as_context() {
    let folder = tree(&[
        ("base/a.yaml", POD),
        ("base/b.yaml", &POD.replace("nginx", "redis")),
        ("base/kustomization.yaml", "resources: [a.yaml, b.yaml]\n"),
        (
            "overlay/kustomization.yaml",
            "resources: [../base]\nimages:\n- name: nginx\n  newTag: \"2\"\n",
        ),
    ]);
    let (exit, output, talk) = run(folder.path(), &with_target(&["base", "--dry-run", "-v"]));
    assert_eq!(exit, 0);
    assert!(
        talk.contains("base/a.yaml:5:12: `nginx:1` group-incomplete: "),
        "{talk}"
    );
    assert!(
        talk.contains("`nginx` in overlay/kustomization.yaml"),
        "{talk}"
    );
    assert!(talk.contains("add that path"), "{talk}");
    assert!(
        output.contains("library/redis") && !output.contains("library/nginx"),
        "{output}"
    );
}

#[test]
fn colours_follow_the_flag_and_the_environment() {
    let folder = tree(&[("a.yaml", POD)]);
    let coloured = |variable: Option<(&str, &str)>, arguments: &[&str]| {
        let mut command = common::program(folder.path());
        command
            .args(with_target(&["--dry-run"]))
            .args(arguments)
            .envs(variable);
        String::from_utf8(command.output().unwrap().stdout)
            .unwrap()
            .contains("\u{1b}[32m")
    };
    assert!(!coloured(None, &[]));
    assert!(coloured(None, &["--color", "always"]));
    assert!(coloured(Some(("CLICOLOR_FORCE", "1")), &[]));
    assert!(!coloured(
        Some(("CLICOLOR_FORCE", "1")),
        &["--color", "never"]
    ));
    assert!(coloured(Some(("NO_COLOR", "1")), &["--color", "always"]));
}

#[test]
fn quiet_says_only_what_went_wrong() {
    let folder = tree(&[("a.yaml", POD)]);
    let (exit, _, talk) = run(folder.path(), &with_target(&[".", "-q"]));
    assert_eq!((exit, talk.as_str()), (0, ""));
}

#[test]
fn assumed_changes_are_made_only_when_agreed_to() {
    let values = "image:\n  repository: bitnami/redis\n  tag: \"7\"\nsidecarImage: acme/log\n";
    let files = [("values.yaml", values)];
    let (exit, diff, talk) = run(tree(&files).path(), &with_target(&[".", "--dry-run"]));
    assert_eq!((exit, diff.as_str()), (0, ""), "{talk}");
    let redis = format!("repository: {REGISTRY}/docker-hub/bitnami/redis");
    let log = format!("sidecarImage: {REGISTRY}/docker-hub/acme/log");
    for (arguments, made) in [
        (vec!["--assume"], [true, true]),
        (vec!["--assume=chart-default-unknown"], [true, false]),
        (vec!["--assume=bare-word"], [false, true]),
        (
            vec!["--assume=bare-word", "--assume=chart-default-unknown"],
            [true, true],
        ),
    ] {
        let folder = tree(&files);
        let arguments: Vec<&str> = ["."].into_iter().chain(arguments).collect();
        let (exit, diff, talk) = run(
            folder.path(),
            &with_target(&[arguments.clone(), vec!["--dry-run"]].concat()),
        );
        assert_eq!(exit, 0, "{talk}");
        let (exit, _, talk) = run(folder.path(), &with_target(&arguments));
        assert_eq!(exit, 0, "{talk}");
        let after = fs::read_to_string(folder.path().join("values.yaml")).unwrap();
        for (text, made) in [&redis, &log].into_iter().zip(made) {
            assert_eq!(after.contains(text), made, "{arguments:?}: {after}");
            assert_eq!(diff.contains(text), made, "{arguments:?}: {diff}");
        }
        let (_, diff, talk) = run(
            folder.path(),
            &with_target(&[arguments, vec!["--dry-run"]].concat()),
        );
        assert_eq!(diff, "", "{talk}");
    }
    refused(
        &files,
        &with_target(&[".", "--assume=chart-default"]),
        2,
        "a similar value exists: 'chart-default-unknown'",
    );
}

#[test]
fn sites_that_cannot_be_read_are_pointed_at() {
    for (site, part) in [
        (
            "{values: \"docker.io/{{ .a.b }}\"}",
            "is not made of keys alone",
        ),
        (
            "{values: \"{{ .a.b }}-x\"}",
            "is not made of keys joined with",
        ),
        (
            "{values: \"{{ include \\\"x\\\" . }}\"}",
            "is not a key of values",
        ),
        (
            "{kind: Runner}",
            "no `path` says where `Runner` names images",
        ),
        (
            "{path: spec/image}",
            "no `kind` says whose `spec/image` it is",
        ),
        (
            "{kind: Runner, path: spec.image}",
            "write `path: spec/image`",
        ),
        (
            "{kind: Runner, path: spec//image}",
            "is not made of keys joined with `/`",
        ),
        (
            "{kind: Runner, path: spec/**/image}",
            "`*` stands for one key",
        ),
        ("{kind: a/b, path: spec/image}", "`a/b` is no kind"),
        (
            "{kind: Runner, path: a, values: \"{{ .a }}\"}",
            "not of both",
        ),
        ("{}", "says nothing"),
        ("{valeus: x}", "did you mean `values`?"),
    ] {
        let config = format!("registry: {REGISTRY}\nrules: default\nsites:\n- {site}\n");
        refused(
            &[("a.yaml", POD), (".ecr-rewrite.yaml", &config)],
            &["."],
            2,
            part,
        );
    }
}

#[test]
fn a_kind_of_a_site_that_no_object_has_is_told() {
    let runner = "apiVersion: actions.summerwind.dev/v1alpha1\nkind: RunnerDeployment\nspec: {template: {spec: {runner: nginx:1}}}\n";
    let site = |kind: &str| format!("sites: [{{kind: {kind}, path: spec/template/spec/runner}}]\n");
    let told = |kind: &str, arguments: &[&str]| {
        let config = site(kind);
        let files = [(".ecr-rewrite.yaml", config.as_str()), ("a.yaml", runner)];
        let folder = tree(&files);
        let (_, _, talk) = run(folder.path(), arguments);
        talk
    };
    for (kind, said) in [
        ("RunnerDeploymet", Some("did you mean `RunnerDeployment`?")),
        ("Other", Some("remove it from `sites`")),
        ("RunnerDeployment", None),
    ] {
        let talk = told(kind, &["--check"]);
        let line = format!("no object here is of the kind `{kind}`");
        assert_eq!(talk.contains(&line), said.is_some(), "{talk}");
        assert!(said.is_none_or(|said| talk.contains(said)), "{talk}");
    }
    // A part of the repository does not tell.
    let talk = told("Other", &["--check", "a.yaml"]);
    assert!(!talk.contains("no object here"), "{talk}");
}

#[test]
fn progress_is_for_terminals() {
    let folder = tree(&[("a.yaml", POD)]);
    for arguments in [&["--check"][..], &["--dry-run"], &["images"]] {
        let (_, output, talk) = run(folder.path(), arguments);
        let all = output + &talk;
        assert!(!all.contains(['\r', '\u{1b}']), "{all}");
    }
}
