//! The gate: every code, every level, every way to silence a finding, and the formats.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

mod common;

use std::fs;

use common::{REGISTRY, contents, run, run_with_input, tree};
use ecr_rewrite::findings::{Code, Level};
use ecr_rewrite::report::FORMATS;

const HEAD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A pod with these images, the first in line 5.
fn pod(images: &[&str]) -> String {
    let mut text = HEAD.to_string();
    for image in images {
        text.push_str(&format!("  - image: {image}\n"));
    }
    text
}

/// Checks a repository in the `concise` format: the exit code, the findings as `line level[code]`,
/// and everything that is said.
fn check(files: &[(&str, &str)], arguments: &[&str]) -> (i32, Vec<String>, String) {
    let folder = tree(files);
    let before = contents(folder.path());
    let arguments = [&["--check", "--format", "concise"], arguments].concat();
    let (exit, output, talk) = run(folder.path(), &arguments);
    assert_eq!(contents(folder.path()), before, "a check wrote something");
    let line = |line: &str| {
        let mut parts = line.splitn(4, ':');
        let row = parts.nth(1).unwrap();
        let code = parts.nth(1).unwrap().split_whitespace().next().unwrap();
        format!("{row} {code}")
    };
    (exit, output.lines().map(line).collect(), talk)
}

/// What is found in a pod with these images, with a target and the built-in rules.
fn found(images: &[&str]) -> Vec<String> {
    let pod = pod(images);
    let (_, found, _) = check(
        &[("a.yaml", &pod)],
        &["--registry", REGISTRY, "--rules", "default"],
    );
    found
}

#[test]
fn one_image_from_docker_hub_fails_the_check() {
    let folder = tree(&[("web/a.yaml", &pod(&["nginx:1.27"]))]);
    for arguments in [
        &["--check"][..],
        &["--check", "."],
        &["--check", "web/a.yaml"],
    ] {
        let (exit, output, talk) = run(folder.path(), arguments);
        assert_eq!(exit, 1, "{talk}");
        assert!(output.contains("[web/a.yaml:5:12]"), "{output}");
        assert!(
            output.contains("becomes `<registry>/docker-hub/library/nginx:1.27`"),
            "{output}"
        );
        assert!(
            output.contains("help: rule docker.io -> docker-hub (built-in); "),
            "{output}"
        );
        assert!(talk.contains("\n1 error\n"), "{talk}");
        assert_eq!(
            talk.matches("no target registry is stated").count(),
            1,
            "{talk}"
        );
        assert_eq!(
            talk.matches("using the built-in prefixes").count(),
            1,
            "{talk}"
        );
    }
    let (exit, output, _) = run(folder.path(), &["--check", "--registry", REGISTRY]);
    assert_eq!(exit, 1);
    assert!(output.contains(&format!(
        "becomes `{REGISTRY}/docker-hub/library/nginx:1.27`"
    )));
}

#[test]
fn a_tree_that_comes_from_ecr_passes_and_is_silent() {
    let cached = format!("{REGISTRY}/docker-hub/library/nginx:1.27");
    let own = "999999999999.dkr.ecr.us-east-1.amazonaws.com/shop/cart:v3";
    let placeholder = "${AWS_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/shop/cart:v3";
    let pod = pod(&[&cached, own, placeholder, "${IMAGE}", "'{{ .image }}'"]);
    for target in [&[][..], &["--registry", REGISTRY, "--rules", "default"]] {
        let (exit, found, talk) = check(&[("a.yaml", &pod)], target);
        assert_eq!((exit, found), (0, vec![]), "{talk}");
        assert!(talk.contains("no findings"), "{talk}");
    }
}

#[test]
fn each_kind_of_finding_is_found() {
    let cached = format!("{REGISTRY}/docker-hub");
    for (image, wanted) in [
        ("nginx:1".to_string(), vec!["5 error[not-through-ecr]"]),
        (
            "registry.example.com/app:1".into(),
            vec!["5 error[no-rule]"],
        ),
        (
            "mcr.microsoft.com/a/b:1".into(),
            vec!["5 error[unsupported-upstream]"],
        ),
        (format!("{cached}/nginx:1"), vec!["5 error[wrong-library]"]),
        (
            format!("{cached}/library/bitnami/redis:1"),
            vec!["5 error[wrong-library]"],
        ),
        (
            format!("quay.io/a/b@{DIGEST}"),
            vec!["5 error[not-through-ecr]", "5 warn[digest-cold-cache]"],
        ),
        (
            format!("{cached}/a/b:1@{DIGEST}"),
            vec!["5 warn[digest-cold-cache]"],
        ),
        (format!("{REGISTRY}/shop/cart@{DIGEST}"), vec![]),
        (
            "ghcr.io/a/b:1 # {\"$imagepolicy\": \"x:y\"}".into(),
            vec!["5 warn[automation-reverts]"],
        ),
        (
            "999999999999.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx:1".into(),
            vec!["5 warn[other-registry]"],
        ),
        ("\"nginx\\u003a1\"".into(), vec!["5 error[not-through-ecr]"]),
    ] {
        assert_eq!(found(&[&image]), wanted, "{image}");
    }
    let template = format!("{HEAD}  - image: nginx\n  {{{{- if .x }}}}\nb: [\n");
    let (exit, found, _) = check(&[("templates/a.yaml", &template)], &[]);
    assert_eq!(exit, 0);
    assert!(found[0].ends_with(" warn[unparsed]"), "{found:?}");
}

#[test]
fn what_a_rewrite_leaves_says_why_in_place_of_a_fix() {
    let shared = format!("{HEAD}  - image: &i nginx:1\n    env: [{{value: *i}}]\n");
    let kustomization = "resources: [a.yaml]\nimages:\n- name: ngin[x]\n  newTag: \"2\"\n";
    for (files, code) in [
        (vec![("a.yaml", shared.as_str())], "shared-anchor"),
        (
            vec![
                ("a.yaml", &pod(&["nginx:1"])),
                ("kustomization.yaml", kustomization),
            ],
            "group-incomplete",
        ),
    ] {
        let folder = tree(&files);
        let (exit, output, _) = run(folder.path(), &["--check"]);
        assert_eq!(exit, 1);
        assert!(
            output.contains(&format!("a rewrite leaves it ({code})")),
            "{output}"
        );
        assert!(!output.contains("becomes"), "{output}");
    }
    // A file of the context makes its group incomplete, as in a rewrite.
    let overlay = "resources: [../base]\nimages:\n- name: nginx\n  newTag: \"2\"\n";
    let folder = tree(&[
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("base/a.yaml", &pod(&["nginx:1"])),
        ("over/kustomization.yaml", overlay),
    ]);
    let (exit, output, _) = run(folder.path(), &["--check", "base/a.yaml"]);
    assert_eq!(exit, 1);
    assert!(
        output.contains("over/kustomization.yaml") && output.contains("add that path"),
        "{output}"
    );
}

#[test]
fn a_registry_filled_by_hand_may_do_without_library() {
    let pod = pod(&[&format!("{REGISTRY}/docker-hub/nginx:1")]);
    let config = |library: &str| {
        format!(
            "registry: {REGISTRY}\nrules: [{{upstream: docker.io, prefix: docker-hub{library}}}]\n"
        )
    };
    let codes = |library: &str| {
        check(
            &[("a.yaml", &pod), (".ecr-rewrite.yaml", &config(library))],
            &[],
        )
        .1
    };
    assert_eq!(codes(""), ["5 error[wrong-library]"]);
    assert!(codes(", library: false").is_empty());
    let folder = tree(&[("a.yaml", &pod)]);
    let (_, output, _) = run(folder.path(), &["--check"]);
    assert!(
        output.contains(&format!("write `{REGISTRY}/docker-hub/library/nginx:1`")),
        "{output}"
    );
}

#[test]
fn every_level_can_be_set() {
    let pod = pod(&[
        "registry.example.com/app:1",
        &format!("{REGISTRY}/docker-hub/a/b@{DIGEST}"),
    ]);
    for (checks, exit, wanted, said) in [
        (
            "{}",
            1,
            vec!["5 error[no-rule]", "6 warn[digest-cold-cache]"],
            "1 error, 1 warning",
        ),
        (
            "{no-rule: warn}",
            0,
            vec!["5 warn[no-rule]", "6 warn[digest-cold-cache]"],
            "2 warnings",
        ),
        (
            "{no-rule: info, digest-cold-cache: info}",
            0,
            vec!["5 info[no-rule]", "6 info[digest-cold-cache]"],
            "2 notes",
        ),
        (
            "{no-rule: off, digest-cold-cache: error}",
            1,
            vec!["6 error[digest-cold-cache]"],
            "1 error",
        ),
        (
            "{no-rule: off, digest-cold-cache: off}",
            0,
            vec![],
            "no findings",
        ),
    ] {
        let config = format!("rules: default\nchecks: {checks}\n");
        let (code, found, talk) = check(&[("a.yaml", &pod), (".ecr-rewrite.yaml", &config)], &[]);
        assert_eq!(
            (code, found),
            (exit, wanted.iter().map(ToString::to_string).collect()),
            "{checks}"
        );
        assert!(talk.lines().any(|line| line == said), "{checks}: {talk}");
    }
}

#[test]
fn errors_win_over_findings() {
    let (exit, found, talk) = check(
        &[("a.yaml", &pod(&["nginx"])), ("b.yaml", "image: [1\n")],
        &[],
    );
    assert_eq!((exit, found.len()), (2, 1), "{talk}");
    let (exit, _, talk) = check(&[("a.yaml", &pod(&["nginx"]))], &["--dry-run"]);
    assert_eq!(exit, 2);
    assert!(talk.contains("cannot be used with"), "{talk}");
    let (exit, _, talk) = check(&[("a.yaml", "")], &["missing.yaml"]);
    assert_eq!(exit, 2, "{talk}");
    let (exit, _, _) = check(&[("a.txt", "")], &[]);
    assert_eq!(exit, 0);
}

#[test]
fn allowed_and_ignored_images_are_accepted() {
    let config = "rules: default\nallow:\n- {image: \"mcr.microsoft.com/**\", reason: none}\n";
    let allowed = pod(&["mcr.microsoft.com/a:1"]);
    let (exit, found, _) = check(&[("a.yaml", &allowed), (".ecr-rewrite.yaml", config)], &[]);
    assert_eq!((exit, found.len()), (0, 0));
    for (text, wanted) in [
        (pod(&["nginx:1 # ecr-rewrite: ignore", "redis:1"]), vec!["6 error[not-through-ecr]"]),
        (pod(&["nginx:1 # ecr-rewrite: ignore[not-through-ecr] -- mirrored"]), vec![]),
        (
            pod(&[&format!("quay.io/a/b@{DIGEST} # ecr-rewrite: ignore[digest-cold-cache]")]),
            vec!["5 error[not-through-ecr]"],
        ),
        (
            pod(&["gcr.io/a:1 # ecr-rewrite: ignore[unsupported-upstream, no-rule]"]),
            vec![],
        ),
        (
            format!("{HEAD}  # ecr-rewrite: ignore\n  - name: x\n    image: nginx\n  - image: redis\n"),
            vec!["8 error[not-through-ecr]"],
        ),
        (
            "apiVersion: v1\nkind: Pod\n# ecr-rewrite: ignore\nspec:\n  containers: [{image: a}]\n  initContainers: [{image: b}]\n".into(),
            vec![],
        ),
        (
            format!("{HEAD}  - {{image: a}} # ecr-rewrite: ignore\n  - {{\n      # ecr-rewrite: ignore\n      image: b,\n      name: c}}\n  - image: d\n"),
            vec!["10 error[not-through-ecr]"],
        ),
        (
            format!("{HEAD}  - command: [sh, -c, 'x # ecr-rewrite: ignore']\n    image: a\n    args:\n    - |\n      # ecr-rewrite: ignore\n  - image: b\n"),
            vec!["6 error[not-through-ecr]", "10 error[not-through-ecr]"],
        ),
        (
            format!("{}---\n{}", pod(&["a # ecr-rewrite: ignore"]), pod(&["b"])),
            vec!["11 error[not-through-ecr]"],
        ),
    ] {
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let (_, found, talk) = check(&[("a.yaml", &text)], &[]);
            assert_eq!(found, wanted, "{text}\n{talk}");
        }
    }
}

#[test]
fn ignored_images_are_not_rewritten_and_block_their_group() {
    let text = pod(&[
        "nginx:1 # ecr-rewrite: ignore",
        "redis:1 # ecr-rewrite: ignore[no-rule]",
    ]);
    let folder = tree(&[("a.yaml", &text)]);
    let (exit, _, talk) = run(
        folder.path(),
        &[".", "--registry", REGISTRY, "--rules", "default", "-v"],
    );
    assert_eq!(exit, 0);
    let after = fs::read_to_string(folder.path().join("a.yaml")).unwrap();
    assert!(after.contains("- image: nginx:1 #"), "{after}");
    assert!(
        after.contains(&format!("{REGISTRY}/docker-hub/library/redis:1 #")),
        "{after}"
    );
    assert!(
        talk.contains("`nginx:1` ignored: the comment in line 5 says so"),
        "{talk}"
    );
}

#[test]
fn comments_that_do_nothing_are_noted() {
    for (text, note) in [
        (
            pod(&["a:1"]) + "  # ecr-rewrite: ignore\n  - name: x\n",
            "a.yaml:6: this `ignore` speaks for no image",
        ),
        (
            "# ecr-rewrite: ignore\na: b\n".into(),
            "a.yaml:1: this `ignore` speaks for no image",
        ),
        (
            pod(&["a:1 # ecr-rewrite: ignore[no-rule]"]),
            "a.yaml:5: nothing that this comment speaks for is reported as `no-rule`",
        ),
        (
            pod(&["a:1 # ecr-rewrite: ignore[no-rules]"]),
            "a.yaml:5: there is no code `no-rules`; did you mean `no-rule`?",
        ),
        (
            pod(&["a:1 # ecr-rewrite: skip"]),
            "a.yaml:5: what follows `ecr-rewrite:` is not understood",
        ),
    ] {
        let (_, _, talk) = check(&[("a.yaml", &text)], &[]);
        assert!(talk.contains(note), "{text}: {talk}");
    }
    for text in [
        pod(&["a:1 # ecr-rewrite: ignore"]),
        pod(&["a:1 # ecr-rewrite: ignore[not-through-ecr]"]),
        pod(&["gcr.io/a:1 # ecr-rewrite: ignore[unsupported-upstream]"]),
        pod(&["a:1"]),
    ] {
        let (_, _, talk) = check(&[("a.yaml", &text)], &[]);
        assert!(!talk.contains("a.yaml:"), "{text}: {talk}");
    }
}

#[test]
fn entries_of_the_config_that_match_nothing_are_noted() {
    let config = "rules:\n- {upstream: docker.io, prefix: hub}\n- {upstream: quay.io, prefix: quay}\naliases: {used.example.com: docker.io, idle.example.com: docker.io}\nallow:\n- {image: \"gcr.io/**\"}\n- {image: \"mcr.microsoft.com/**\"}\n";
    let text = pod(&["used.example.com/a:1", "gcr.io/b:1"]);
    let files = [("sub/a.yaml", text.as_str()), (".ecr-rewrite.yaml", config)];
    let (_, _, talk) = check(&files, &["-v"]);
    for (part, said) in [
        (".ecr-rewrite.yaml:7: this `allow` matches no image", true),
        (".ecr-rewrite.yaml:6: this", false),
        ("the alias of `idle.example.com` is for no image", true),
        ("`used.example.com` is for", false),
        (
            "the rule quay.io -> quay (.ecr-rewrite.yaml:3) is for no image",
            true,
        ),
        ("the rule docker.io", false),
    ] {
        assert_eq!(talk.contains(part), said, "{part}: {talk}");
    }
    let (_, _, talk) = check(&files, &[]);
    assert!(
        talk.contains("matches no image") && !talk.contains("the rule quay.io"),
        "{talk}"
    );
    let (_, _, talk) = check(&files, &["sub"]);
    assert!(
        !talk.contains("for no image") && !talk.contains("matches no image"),
        "{talk}"
    );
}

#[test]
fn a_rule_behind_an_alias_is_warned_of() {
    let config = "rules: [{upstream: lscr.io, prefix: lscr}, {upstream: ghcr.io, prefix: ghcr}]\naliases: {lscr.io: ghcr.io}\n";
    let (_, _, talk) = check(
        &[
            ("a.yaml", &format!("{HEAD}  - image: a:1\n")),
            (".ecr-rewrite.yaml", config),
        ],
        &[],
    );
    assert!(
        talk.contains("warning: the rule for `lscr.io` (.ecr-rewrite.yaml:1) can never apply"),
        "{talk}"
    );
}

#[test]
fn formats_are_checked_before_anything_is_done() {
    let folder = tree(&[("a.yaml", &pod(&["nginx"]))]);
    let words = FORMATS.each_ref().map(|format| format.word).join(", ");
    let writing = FORMATS.iter().filter(|format| format.reports_writing);
    let writing: Vec<String> = writing.map(|format| format!("`{}`", format.word)).collect();
    let writing = writing.join(" or ");
    for (arguments, part) in [
        (
            vec!["--check", "--format", "xml"],
            format!("[possible values: {words}]").as_str(),
        ),
        (
            vec![".", "--format", "text"],
            &format!("writing takes `--format` {writing}; `text` goes with"),
        ),
        (vec![".", "-o", "x"], "`-o` has nothing to write"),
        (vec!["-", "--format", "json"], "`-` prints the new text"),
        (vec!["--check", "--format", "diff"], "a diff needs a target"),
    ] {
        let (exit, output, talk) = run(folder.path(), &arguments);
        assert_eq!((exit, output.as_str()), (2, ""), "{arguments:?}: {talk}");
        assert!(talk.contains(part), "{arguments:?}: {talk}");
    }
    let target = ["--registry", REGISTRY, "--rules", "default"];
    let with = |arguments: &[&str]| run(folder.path(), &[arguments, &target].concat());
    let diff = with(&["--dry-run"]).1;
    assert!(diff.starts_with("--- a/a.yaml"), "{diff}");
    assert_eq!(with(&["--check", "--format", "diff"]).1, diff);
    let text = with(&["--check"]).1;
    let (exit, shown, _) = with(&["--dry-run", "--format", "text"]);
    assert_eq!((exit, shown), (0, text), "the same findings");
    for format in FORMATS.iter().map(|format| format.word) {
        let printed = with(&["--check", "--format", format]).1;
        let (exit, output, _) = with(&["--check", "--format", format, "-o", "out"]);
        assert_eq!((exit, output.as_str()), (1, ""), "{format}");
        assert_eq!(
            fs::read_to_string(folder.path().join("out")).unwrap(),
            printed,
            "{format}"
        );
    }
    let (exit, output, _) =
        run_with_input(folder.path(), &["--check", "-"], pod(&["redis"]).as_bytes());
    assert_eq!(exit, 1);
    assert!(output.contains("[stdin.yaml:5:12]"), "{output}");
}

#[test]
fn text_of_a_repository_cannot_speak_to_the_terminal() {
    let hostile = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - {name: \"a\u{202e}b\", image: nginx:1} # \u{202e}\n";
    let folder = tree(&[("a\u{1b}[31m.yaml", hostile)]);
    for format in ["text", "concise"] {
        let (exit, output, talk) = run(folder.path(), &["--check", "--format", format]);
        assert_eq!(exit, 1);
        for text in [&output, &talk] {
            assert!(
                !text.contains(['\u{1b}', '\u{202e}', '\u{9b}']),
                "{format}: {text}"
            );
        }
        assert!(output.contains("a\\u{1b}[31m.yaml:5:"), "{output}");
    }
    // The underline stands below the image all the same.
    let (_, output, _) = run(folder.path(), &["--check"]);
    let lines: Vec<&str> = output.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.contains("image: nginx:1"))
        .unwrap();
    let (image, mark) = (
        lines[at].find("nginx:1").unwrap(),
        lines[at + 1].find('^').unwrap(),
    );
    assert_eq!(image, mark, "{output}");
}

#[test]
fn text_of_a_repository_gives_no_commands_to_a_workflow() {
    let hostile =
        format!("{HEAD}  - image: nginx:1\n    x: |\n      y\n    # ##[error]x\n\n::error::x: y\n");
    let printed = |files: &[(&str, &str)], arguments: &[&str], actions: &str| {
        let folder = tree(files);
        let mut command = common::program(folder.path());
        command
            .args(arguments)
            .args(["--registry", REGISTRY, "--rules", "default"]);
        command.env("GITHUB_ACTIONS", actions);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let files = [("a.yaml", hostile.as_str())];
    let plain = printed(&files, &["--dry-run"], "");
    assert!(plain.starts_with("--- a/a.yaml"), "{plain}");
    let wrapped = printed(&files, &["--dry-run"], "true");
    let word = wrapped
        .strip_prefix("::stop-commands::")
        .unwrap()
        .split('\n')
        .next()
        .unwrap();
    assert_eq!(
        wrapped,
        format!("::stop-commands::{word}\n{plain}::{word}::\n")
    );
    assert!(!plain.contains(word));
    let named = [("::error::x.yaml", pod(&["nginx"]))];
    let named: Vec<_> = named
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let concise = printed(&named, &["--check", "--format", "concise"], "true");
    assert!(concise.starts_with("::stop-commands::"), "{concise}");
    let harmless = [("a.yaml", pod(&["nginx"]))];
    let harmless: Vec<_> = harmless
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let text = ["--check", "--format", "text"];
    assert_eq!(
        printed(&harmless, &text, "true"),
        printed(&harmless, &text, "")
    );
}

#[test]
fn every_code_has_a_page_and_a_row() {
    let guide = fs::read_to_string("docs/check.md").unwrap();
    for code in Code::ALL {
        let page = fs::read_to_string(format!("docs/findings/{code}.md")).unwrap();
        let head = format!("# `{code}`\n\nDefault level: {}\n", code.default_level());
        assert!(page.starts_with(&head), "{code}");
        let row = format!(
            "| [`{code}`](findings/{code}.md) | {} |",
            code.default_level()
        );
        assert!(guide.contains(&row), "{row}");
    }
    let pages = fs::read_dir("docs/findings").unwrap().count();
    assert_eq!(pages, Code::ALL.len());
    let reasons = fs::read_to_string("docs/reasons.md").unwrap();
    let rows: Vec<&str> = reasons
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(
        rows,
        ecr_rewrite::reason::Reason::ALL.map(ecr_rewrite::reason::Reason::code)
    );
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn codes_and_levels_are_those_of_the_contract() {
    let shared = std::env::var_os("ECR_REWRITE_SHARED").expect("ECR_REWRITE_SHARED");
    let contract =
        fs::read_to_string(std::path::Path::new(&shared).join("spec/product.md")).unwrap();
    let table = contract.split("| code | level | meaning |").nth(1).unwrap();
    let mut seen = 0;
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (codes, level) = (cells.next().unwrap(), cells.next().unwrap());
        for code in codes.split(',').map(|code| code.trim().trim_matches('`')) {
            let known = Code::parse(code).unwrap_or_else(|_| panic!("{code} is missing"));
            assert_eq!(known.default_level().word(), level, "{code}");
            seen += 1;
        }
    }
    assert_eq!(seen, Code::ALL.len());
    assert!(
        Level::ALL
            .iter()
            .all(|level| contract.contains(&format!("`{level}`")))
    );
}

/// Files whose values are merged in ways that are not followed hold what would change, and nothing
/// else: images in ECR are silent there, too.
#[test]
fn held_files_are_judged_by_their_images() {
    let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\nspec: {source: {repoURL: https://e.x/x.git, path: web, helm: {valueFiles: [../prod/web.yaml]}}}\n";
    let chart = "name: web\nversion: 1.0.0\n";
    let prod = "image: {tag: \"2\"}\n";
    let ecr =
        "image: {registry: 111111111111.dkr.ecr.eu-west-1.amazonaws.com, repository: team/app}\n";
    let hub = "image: {registry: docker.io, repository: team/app}\nother: {image: gcr.io/a/b:1}\n";
    let files = |values| {
        [
            ("app.yaml", application),
            ("web/Chart.yaml", chart),
            ("web/values.yaml", values),
            ("prod/web.yaml", prod),
        ]
    };
    let (exit, output, talk) = check(&files(ecr), &[]);
    assert_eq!((exit, output), (0, vec![]), "{talk}");
    let (exit, output, talk) = check(&files(hub), &[]);
    assert_eq!(exit, 1, "{talk}");
    assert_eq!(
        output,
        ["1 error[not-through-ecr]", "2 error[unsupported-upstream]"]
    );
}

#[test]
fn the_config_does_not_hang_on_the_order_of_paths() {
    let pod = format!("{HEAD}  - image: a:1\n");
    let files = [
        ("a.yaml", pod.as_str()),
        ("sub/b.yaml", pod.as_str()),
        (".ecr-rewrite.yaml", "aliases: {}\n"),
        ("sub/.ecr-rewrite.yaml", "checks: {not-through-ecr: off}\n"),
    ];
    for paths in [["a.yaml", "sub/b.yaml"], ["sub/b.yaml", "a.yaml"]] {
        let (exit, _, talk) = check(&files, &paths);
        assert_eq!(exit, 2, "{talk}");
        assert!(talk.contains("there is one for a run"), "{talk}");
    }
}

#[test]
fn an_alias_of_a_host_that_is_not_written_out_is_used() {
    let pod = format!("{HEAD}  - image: a:1\n");
    let files = [
        ("a.yaml", pod.as_str()),
        (".ecr-rewrite.yaml", "aliases: {docker.io: ghcr.io}\n"),
    ];
    let (_, _, talk) = check(&files, &[]);
    assert!(!talk.contains("is for no image"), "{talk}");
}

#[test]
fn what_goes_with_a_dry_run_does_not_go_with_a_check() {
    let (exit, _, talk) = check(&[("a.yaml", "a: 1\n")], &["--exit-code"]);
    assert_eq!(exit, 2, "{talk}");
}
