//! The formats for services and editors: what they show of one tree with hostile names and values, what
//! their schemas say of it, and that what they offer to apply is what a rewrite writes.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // skips are for who runs it

#[path = "formats/appliers.rs"]
mod appliers;
mod common;
#[path = "formats/hostile.rs"]
mod hostile;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use common::{contents, copy, git_apply, program, run, tree};
use ecr_rewrite::report::FORMATS;
use rayon::prelude::*;
use serde_json::Value;

/// What the program prints of the tree at `folder`, and its exit code.
fn printed(folder: &Path, format: &str) -> (i32, String) {
    let (exit, output, _) = run(folder, &["--check", "--format", format, "-q"]);
    (exit, output)
}

fn json(folder: &Path, format: &str) -> Value {
    serde_json::from_str(&printed(folder, format).1).unwrap()
}

#[test]
fn every_format_shows_the_hostile_tree_as_recorded() {
    let folder = hostile::repository();
    let bless = std::env::var_os("ECR_REWRITE_BLESS").is_some();
    for format in &FORMATS {
        let (exit, output) = printed(folder.path(), format.word);
        assert_eq!(exit, 2, "{}: a file is not YAML", format.word);
        let record = Path::new("tests/formats/shown").join(format.word);
        if bless {
            fs::create_dir_all(record.parent().unwrap()).unwrap();
            fs::write(&record, &output).unwrap();
        }
        let wanted = fs::read_to_string(&record).unwrap_or_default();
        assert!(
            output == wanted,
            "{}: not as recorded; ECR_REWRITE_BLESS=1 records it anew, read the difference",
            format.word
        );
        let (_, again) = printed(folder.path(), format.word);
        assert_eq!(again, output, "{}", format.word);
    }
    let records = fs::read_dir("tests/formats/shown").unwrap().count();
    assert_eq!(records, FORMATS.len(), "a record of a format that is gone");
}

#[test]
fn every_format_stands_in_the_help_and_the_guide() {
    let folder = tree(&[]);
    let (_, help, _) = run(folder.path(), &["--help"]);
    let guide = fs::read_to_string("docs/check.md").unwrap();
    let (_, values) = help.split_once("--format <FORMAT>").unwrap();
    let (_, values) = values.split_once("[possible values: ").unwrap();
    let values = values.split_once(']').unwrap().0;
    let values: Vec<&str> = values.split(',').map(str::trim).collect();
    assert_eq!(values, FORMATS.each_ref().map(|format| format.word));
    for format in &FORMATS {
        let word = format!("`{}`", format.word);
        assert!(guide.contains(&format!("| {word} |")), "{word} has no row");
    }
    let rows = guide.split("## Formats").nth(1).unwrap().lines();
    assert_eq!(
        rows.filter(|row| row.starts_with("| `")).count(),
        FORMATS.len() + 1
    );
}

/// What a workflow reads, without the lines between which it reads no commands.
fn read_by_workflow(output: &str) -> &str {
    let Some(rest) = output.strip_prefix("::stop-commands::") else {
        return output;
    };
    let (word, text) = rest.split_once('\n').unwrap();
    let text = text.strip_suffix(&format!("::{word}::\n")).unwrap();
    assert!(!text.contains(word));
    ""
}

/// No format lets a name or value of the repository speak to a terminal or a service.
#[test]
fn nothing_of_the_repository_is_a_command() {
    let folder = hostile::repository();
    for format in FORMATS.iter().filter(|format| format.word != "diff") {
        let word = format.word;
        let mut command = program(folder.path());
        command.args(["--check", "-q", "--format", word]);
        let output = command.env("GITHUB_ACTIONS", "true").output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        assert!(!output.contains(hostile::UNSAFE), "{word}");
        assert!(
            !output.contains("##[") && !output.contains("##vso["),
            "{word}"
        );
        for line in read_by_workflow(&output).split(['\n', '\r']) {
            let level = ["::error file=", "::warning file="];
            let ours = word == "github" && level.iter().any(|level| line.starts_with(level));
            assert!(
                ours || !line.trim_start().starts_with("::"),
                "{word}: {line}"
            );
        }
    }
    let (_, output, talk) = run(folder.path(), &["--check", "--format", "json", "-v"]);
    assert!(!output.is_empty());
    for line in talk.split(['\n', '\r']) {
        assert!(!line.trim_start().starts_with("::"), "{line}");
        assert!(!line.contains("##[") && !line.contains("##vso["), "{line}");
    }
}

#[test]
fn azure_reads_no_commands_of_the_repository() {
    let folder = hostile::repository();
    let patch = |agent: &str| {
        let mut command = program(folder.path());
        command.args(["--dry-run"]).env("TF_BUILD", agent);
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    };
    let (plain, _) = patch("");
    assert!(plain.contains("##vso[") && plain.contains("##["));
    let (shown, talk) = patch("True");
    assert!(
        !shown.contains("##vso[") && !shown.contains("##["),
        "{shown}"
    );
    assert!(talk.contains("Azure Pipelines"), "{talk}");
}

#[test]
fn annotations_are_what_the_runner_undoes() {
    let folder = hostile::repository();
    let (_, output) = printed(folder.path(), "github");
    let unescape = |text: &str| {
        let pairs = [
            ("%2C", ","),
            ("%3A", ":"),
            ("%0A", "\n"),
            ("%0D", "\r"),
            ("%25", "%"),
        ];
        pairs
            .iter()
            .fold(text.to_string(), |text, (from, to)| text.replace(from, to))
    };
    let mut files = BTreeSet::new();
    let mut levels = Vec::new();
    for line in output.lines() {
        let rest = line.strip_prefix("::").unwrap();
        let (head, message) = rest.split_once("::").unwrap();
        let (level, properties) = head.split_once(' ').unwrap();
        assert!(!message.is_empty());
        levels.push(
            ["error", "warning", "notice"]
                .iter()
                .position(|known| *known == level),
        );
        for property in properties.split(',') {
            let (name, value) = property.split_once('=').unwrap();
            match name {
                "file" => drop(files.insert(unescape(value))),
                "title" => assert!(value.bytes().all(|b| b == b'-' || b.is_ascii_lowercase())),
                "line" | "endLine" | "col" | "endColumn" => {
                    assert!(value.parse::<usize>().unwrap() > 0);
                }
                other => panic!("{other} is no property of an annotation"),
            }
        }
    }
    assert!(
        levels.is_sorted() && levels.iter().all(Option::is_some),
        "what weighs most is first"
    );
    assert!(files.contains(hostile::MENTION) && !files.contains(hostile::ESCAPES));
    for file in files.iter().filter(|file| !file.contains("\\u{")) {
        assert!(folder.path().join(file).exists(), "{file}");
    }
}

#[test]
fn a_workflow_gets_annotations_and_a_summary() {
    let folder = hostile::repository();
    let elsewhere = tempfile::tempdir().unwrap();
    let summary = elsewhere.path().join("summary");
    let check = |arguments: &[&str]| {
        let mut command = program(folder.path());
        command.arg("--check").args(arguments);
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", &summary);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(check(&[]).starts_with("::error file="));
    let text = fs::read_to_string(&summary).unwrap();
    let (_, comment) = printed(folder.path(), "markdown");
    assert_eq!(
        text, comment,
        "the same report, as there is room for all of it"
    );
    check(&["--format", "github"]);
    assert_eq!(
        fs::read_to_string(&summary).unwrap(),
        text.repeat(2),
        "it is added to what is there"
    );
    check(&["--format", "text"]);
    assert_eq!(fs::read_to_string(&summary).unwrap().len(), 2 * text.len());
    // Above 1 MiB a step has no summary at all.
    fs::write(&summary, "x".repeat((1 << 20) - 2_000)).unwrap();
    check(&[]);
    let length = fs::metadata(&summary).unwrap().len();
    assert!((1 << 20) - 2_000 < length && length <= 1 << 20, "{length}");
    fs::write(&summary, "x".repeat((1 << 20) - 10)).unwrap();
    check(&[]);
    assert_eq!(fs::metadata(&summary).unwrap().len(), (1 << 20) - 10);
}

#[test]
fn reports_of_much_stay_within_their_limit() {
    let pods: Vec<(String, String)> = (0..600)
        .map(|n| {
            let pod = format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: a{n}:1\n  - image: r{n}.example.com/b:1\n");
            (format!("folder/pod-{n}.yaml"), pod)
        })
        .collect();
    let mut files: Vec<(&str, &str)> = pods
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    files.push((".ecr-rewrite.yaml", hostile::CONFIG));
    let folder = tree(&files);
    let (_, text) = printed(folder.path(), "markdown");
    assert!(
        text.len() <= 60_000 && text.len() > 40_000,
        "{}",
        text.len()
    );
    assert_eq!(
        text.matches("<details>").count(),
        text.matches("\n</details>\n").count()
    );
    assert!(
        text.contains("<details>") && text.contains("\n| 561 more | | | |\n"),
        "{text}"
    );
    assert_eq!(text.matches("not shown here for want of room").count(), 2);
}

#[test]
fn a_rewrite_reports_as_markdown() {
    let folder = hostile::repository();
    let (exit, text, talk) = run(folder.path(), &[".", "--format", "markdown", "-q"]);
    assert_eq!(exit, 2, "{talk}");
    assert!(text.starts_with("<!-- ecr-rewrite -->\n**"), "{text}");
    assert!(
        text.contains("now pulled through Amazon ECR.") && text.contains("```diff"),
        "{text}"
    );
}

/// What a pull request shows of the tree: no name or value ends its code span, fence or cell.
#[test]
fn markdown_holds_what_is_hostile() {
    let folder = hostile::repository();
    let (_, text) = printed(folder.path(), "markdown");
    // As CommonMark has it: at least as many ticks, at most three spaces before them, nothing behind.
    let ends = |line: &str, open: &str| {
        let rest = line.trim_start_matches(' ');
        let is_ticks = rest.len() >= open.len() && rest.trim_end().bytes().all(|byte| byte == b'`');
        line.len() - rest.len() <= 3 && is_ticks
    };
    let mut fence: Option<String> = None;
    let mut outside = String::new();
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if ends(line, open) => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && line[ticks.len()..] == *"diff" => fence = Some(ticks),
            None => {
                let bars = line.replace("\\|", "").matches('|').count();
                assert!(!line.starts_with('|') || bars == 5, "{line}");
                outside.push_str(line);
                outside.push('\n');
            }
        }
    }
    assert_eq!(fence, None);
    let outside = hostile::without_code(&outside);
    assert!(
        !outside.contains('@') && !outside.contains("#1") && !outside.contains("<b>"),
        "{outside}"
    );
    assert_eq!(
        outside.matches("<details>").count(),
        outside.matches("</details>").count()
    );
    let diagnostics = json(folder.path(), "rdjson");
    for diagnostic in diagnostics["diagnostics"].as_array().unwrap() {
        let message = hostile::without_code(diagnostic["message"].as_str().unwrap());
        assert!(
            !message.contains('@') && !message.contains("#1") && !message.contains("<b>"),
            "{message}"
        );
    }
}

/// A tree and what is offered for it.
struct Offered {
    name: String,
    folder: tempfile::TempDir,
    rdjson: Value,
    sarif: Value,
}

/// The cases of `testdata` and the hostile tree, looked at once for all tests.
static OFFERED: LazyLock<Vec<Offered>> = LazyLock::new(|| {
    let cases = fs::read_dir("testdata").unwrap();
    let cases = cases.map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = cases.filter(|case| case.join("in").is_dir()).collect();
    cases.sort();
    let mut trees: Vec<_> = cases
        .into_iter()
        .map(|case| {
            let folder = tree(&[]);
            copy(&case.join("in"), folder.path());
            let config = case.join(".ecr-rewrite.yaml");
            if config.exists() {
                fs::copy(config, folder.path().join(".ecr-rewrite.yaml")).unwrap();
            }
            (case.display().to_string(), folder)
        })
        .collect();
    trees.push(("hostile".to_string(), hostile::repository()));
    let offered = trees.into_par_iter().map(|(name, folder)| Offered {
        name,
        rdjson: json(folder.path(), "rdjson"),
        sarif: json(folder.path(), "sarif"),
        folder,
    });
    offered.collect()
});

/// Whether a tree changes; what is offered for it gives what is written.
fn is_changed(offered: &Offered) -> bool {
    let Offered {
        name,
        folder,
        rdjson,
        sarif,
    } = offered;
    let before = contents(folder.path());
    let (_, patch, _) = run(folder.path(), &["--dry-run", "-q"]);
    let patched = tree(&[]);
    copy(folder.path(), patched.path());
    if !patch.is_empty() {
        let applied = git_apply(patched.path(), &patch);
        let talk = String::from_utf8_lossy(&applied.stderr);
        assert!(applied.status.success(), "{name}: {talk}");
    }
    let rewritten = tree(&[]);
    copy(folder.path(), rewritten.path());
    run(rewritten.path(), &[".", "-q"]);
    let written = contents(rewritten.path());
    let suggested = appliers::rdjson(&before, rdjson);
    assert!(suggested == written, "{name}: the suggestions differ");
    let fixed = appliers::sarif(&before, sarif);
    assert!(fixed == written, "{name}: the fixes differ");
    let patched = contents(patched.path());
    assert!(patched == written, "{name}: the diff differs");
    before != written
}

#[test]
fn what_is_offered_is_what_is_written() {
    let changed = OFFERED.par_iter().filter(|offered| is_changed(offered));
    let changed = changed.count();
    assert!(changed > 80, "{changed} trees change");
}

/// The same over real repositories; the largest would take minutes.
#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn what_is_offered_for_real_repositories_is_what_is_written() {
    let repositories = fs::read_dir(common::corpus()).unwrap();
    let mut repositories: Vec<_> = repositories.map(|it| it.unwrap().path()).collect();
    repositories.retain(|repository| contents(repository).len() <= 300);
    repositories.sort();
    let changed = repositories.par_iter().filter(|repository| {
        let folder = common::scratch();
        copy(repository, folder.path());
        fs::write(folder.path().join(".ecr-rewrite.yaml"), hostile::CONFIG).unwrap();
        is_changed(&Offered {
            name: repository.display().to_string(),
            rdjson: json(folder.path(), "rdjson"),
            sarif: json(folder.path(), "sarif"),
            folder,
        })
    });
    let changed = changed.count();
    println!("{changed} of {} repositories change", repositories.len());
    assert!(changed > 3);
}

/// Without levels there are no findings, and a rewrite writes all the same.
#[test]
fn what_is_not_reported_is_offered_all_the_same() {
    let folder = hostile::repository();
    let config = format!("{}checks: {{not-through-ecr: off}}\n", hostile::CONFIG);
    fs::write(folder.path().join(".ecr-rewrite.yaml"), config).unwrap();
    let before = contents(folder.path());
    let (rdjson, sarif) = (json(folder.path(), "rdjson"), json(folder.path(), "sarif"));
    run(folder.path(), &[".", "-q"]);
    let written = contents(folder.path());
    assert!(before != written);
    assert!(appliers::rdjson(&before, &rdjson) == written);
    assert!(appliers::sarif(&before, &sarif) == written);
}

/// Places in every format are those of the image.
#[test]
fn lines_and_columns_are_true() {
    let folder = hostile::repository();
    let text = fs::read_to_string(folder.path().join(hostile::BYTES)).unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    let rdjson = json(folder.path(), "rdjson");
    let ranges = rdjson["diagnostics"].as_array().unwrap().iter();
    let ranges = ranges.filter(|it| it["location"]["path"] == hostile::BYTES);
    let mut shown: Vec<&str> = Vec::new();
    for range in ranges.map(|it| &it["location"]["range"]) {
        let at =
            |end: &str, unit: &str| usize::try_from(range[end][unit].as_u64().unwrap()).unwrap();
        let line = lines[at("start", "line") - 1];
        shown.push(&line[at("start", "column") - 1..at("end", "column") - 1]);
    }
    assert_eq!(shown, hostile::IMAGES_OF_BYTES);
    let sarif = json(folder.path(), "sarif");
    let results = sarif["runs"][0]["results"].as_array().unwrap().iter();
    let mut shown: Vec<String> = Vec::new();
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        if place["artifactLocation"]["uri"] != hostile::BYTES {
            continue;
        }
        let at = |unit: &str| usize::try_from(place["region"][unit].as_u64().unwrap()).unwrap();
        let line = lines[at("startLine") - 1].trim_start_matches('\u{feff}');
        let (start, end) = (at("startColumn") - 1, at("endColumn") - 1);
        shown.push(line.chars().skip(start).take(end - start).collect());
    }
    assert_eq!(shown, hostile::IMAGES_OF_BYTES);
    let annotations = printed(folder.path(), "github").1;
    let head = format!("::error file={},", hostile::BYTES);
    let mut shown: Vec<String> = Vec::new();
    for line in annotations
        .lines()
        .filter_map(|line| line.strip_prefix(&head))
    {
        let at = |name: &str| -> usize {
            let rest = line.split_once(name).unwrap().1;
            rest.split([',', ':']).next().unwrap().parse().unwrap()
        };
        let text = lines[at("line=") - 1].trim_start_matches('\u{feff}');
        let (start, end) = (at(",col=") - 1, at("endColumn=") - 1);
        shown.push(text.chars().skip(start).take(end - start).collect());
    }
    assert_eq!(shown, hostile::IMAGES_OF_BYTES);
}

/// A move is one fix of SARIF over all its files; rdjson has a suggestion in each, which names the others.
#[test]
fn what_moves_together_is_offered_together() {
    let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: acme/web:1\n";
    let folder = tree(&[
        (".ecr-rewrite.yaml", hostile::CONFIG),
        ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("base/pod.yaml", pod),
        ("plain/kustomization.yaml", "resources: [../base]\n"),
        (
            "over/kustomization.yaml",
            "resources: [../base]\nimages:\n- name: acme/web\n  newTag: \"2\"\n",
        ),
        (
            "line.yaml",
            "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: a:1}, {image: b:1}]}\n",
        ),
        (
            "values.yaml",
            "image:\n  registry: docker.io\n  # a\n  repository: acme/a\n  tag: \"1\"\n",
        ),
    ]);
    let report = json(folder.path(), "rdjson");
    let of = |path: &str| {
        let all = report["diagnostics"].as_array().unwrap().iter();
        let here = all.filter(|it| it["location"]["path"] == path);
        let told = here.map(|it| (it["message"].as_str().unwrap(), &it["suggestions"]));
        told.collect::<Vec<_>>()
    };
    let (base, over) = (of("base/pod.yaml"), of("over/kustomization.yaml"));
    assert!(base[0].0.ends_with("it is one change together with `over/kustomization.yaml:3`: apply these suggestions at once"), "{base:?}");
    assert!(over[0].0.contains("together with `base/pod.yaml:5`"));
    assert!(base[0].1[0].is_object() && over[0].1[0].is_object());
    let line = of("line.yaml");
    assert_eq!(line[0].1.as_array().unwrap().len(), 1);
    assert!(
        line[1].1.is_null()
            && line[1]
                .0
                .ends_with("the suggestion at `line.yaml:3` holds it"),
        "{line:?}"
    );
    let range = &of("values.yaml")[0].1[0]["range"];
    assert_eq!(
        (&range["start"]["line"], &range["end"]["line"]),
        (&2.into(), &4.into())
    );

    let report = json(folder.path(), "sarif");
    let results = report["runs"][0]["results"].as_array().unwrap();
    let files = |result: &Value| {
        let changes = result["fixes"][0]["artifactChanges"].as_array();
        let uris = changes.into_iter().flatten();
        let uris = uris.map(|change| change["artifactLocation"]["uri"].as_str().unwrap());
        uris.map(str::to_string).collect::<Vec<_>>()
    };
    let of = |path: &str| {
        let uri =
            |it: &&Value| it["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == path;
        results.iter().filter(uri).collect::<Vec<_>>()
    };
    let (base, over) = (of("base/pod.yaml")[0], of("over/kustomization.yaml")[0]);
    assert_eq!(files(base), ["base/pod.yaml", "over/kustomization.yaml"]);
    assert!(over["fixes"].is_null());
    let related = &over["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(related, "base/pod.yaml");
    assert_eq!(files(of("values.yaml")[0]), ["values.yaml"]);
    assert_eq!(
        of("values.yaml")[0]["fixes"][0]["artifactChanges"][0]["replacements"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

/// Services count paths from the repository, wherever the program runs.
#[test]
fn paths_are_those_of_the_repository() {
    let pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: a:1}]}\n";
    let folder = tree(&[
        ("sub/b/a.yaml", pod),
        (".ecr-rewrite.yaml", hostile::CONFIG),
    ]);
    let sub = folder.path().join("sub");
    let rdjson = json(&sub, "rdjson");
    assert_eq!(rdjson["diagnostics"][0]["location"]["path"], "sub/b/a.yaml");
    let gitlab = json(&sub, "gitlab");
    assert_eq!(gitlab[0]["location"]["path"], "sub/b/a.yaml");
    let sarif = json(&sub, "sarif");
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "sub/b/a.yaml");
    assert!(printed(&sub, "github").1.contains("file=sub/b/a.yaml,"));
}

fn validator(schema: &Path) -> jsonschema::Validator {
    let mut schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    // SARIF's pattern of a language, which we do not state, is no regular expression.
    for part in ["run", "toolComponent"] {
        let language = format!("/definitions/{part}/properties/language");
        if let Some(language) = schema.pointer_mut(&language) {
            language.as_object_mut().unwrap().remove("pattern");
        }
    }
    jsonschema::validator_for(&schema).unwrap()
}

fn errors(validator: &jsonschema::Validator, report: &Value) -> Vec<String> {
    let errors = validator.iter_errors(report);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// The schema of SARIF 2.1.0 lies in the package of a crate that is fetched for that alone.
#[test]
fn sarif_is_as_its_schema_says() {
    let schema = match common::tools::crate_sources("serde-sarif", "0.8.0") {
        Ok(folder) => validator(&folder.join("src/schema.json")),
        Err(why) => return eprintln!("SKIPPED: no schema of SARIF: {why}"),
    };
    for Offered { name, sarif, .. } in OFFERED.iter() {
        let errors = errors(&schema, sarif);
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
    let mut wrong = json(hostile::repository().path(), "sarif");
    wrong["runs"][0]["results"][0]["level"] = "bad".into();
    assert!(
        !errors(&schema, &wrong).is_empty(),
        "the schema refuses nothing"
    );
}

/// The schema of rdjson lies in the sources of reviewdog.
#[test]
fn rdjson_is_as_its_schema_says() {
    let schema = match common::tools::go_module("github.com/reviewdog/reviewdog", "v0.21.2") {
        Ok(folder) => validator(&folder.join("proto/rdf/jsonschema/DiagnosticResult.json")),
        Err(why) => return eprintln!("SKIPPED: no schema of rdjson: {why}"),
    };
    for Offered { name, rdjson, .. } in OFFERED.iter() {
        let errors = errors(&schema, rdjson);
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
    let mut wrong = json(hostile::repository().path(), "rdjson");
    wrong["diagnostics"][0]["severity"] = "BAD".into();
    assert!(
        !errors(&schema, &wrong).is_empty(),
        "the schema refuses nothing"
    );
}

/// The fields that rdjson has, and no other: its schema lets any pass.
#[test]
fn rdjson_has_the_fields_that_reviewdog_reads() {
    const FIELDS: &[(&str, &[&str])] = &[
        ("", &["source", "diagnostics"]),
        ("source", &["name", "url"]),
        (
            "diagnostics",
            &["message", "location", "severity", "code", "suggestions"],
        ),
        ("location", &["path", "range"]),
        ("range", &["start", "end"]),
        ("start", &["line", "column"]),
        ("end", &["line", "column"]),
        ("code", &["value", "url"]),
        ("suggestions", &["range", "text"]),
    ];
    fn visit(name: &str, value: &Value) {
        match value {
            Value::Array(list) => list.iter().for_each(|item| visit(name, item)),
            Value::Object(map) => {
                let (_, known) = FIELDS.iter().find(|(known, _)| *known == name).unwrap();
                for (key, value) in map {
                    assert!(known.contains(&key.as_str()), "{name}.{key}");
                    visit(key, value);
                }
            }
            _ => {}
        }
    }
    let report = json(hostile::repository().path(), "rdjson");
    visit("", &report);
    for diagnostic in report["diagnostics"].as_array().unwrap() {
        let suggestions = diagnostic["suggestions"].as_array().map_or(0, Vec::len);
        assert!(suggestions <= 1, "reviewdog shows one alone");
    }
}

/// <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>
#[test]
fn gitlab_gets_what_its_documentation_asks_for() {
    let folder = hostile::repository();
    let report = json(folder.path(), "gitlab");
    let mut fingerprints = BTreeSet::new();
    for entry in report.as_array().unwrap() {
        let keys: Vec<&str> = entry
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            keys,
            [
                "description",
                "check_name",
                "fingerprint",
                "severity",
                "location"
            ]
        );
        for key in ["description", "check_name", "fingerprint"] {
            assert!(!entry[key].as_str().unwrap().is_empty(), "{key}");
        }
        let severity = entry["severity"].as_str().unwrap();
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity));
        let path = entry["location"]["path"].as_str().unwrap();
        assert!(!path.starts_with('/') && !path.starts_with("./"), "{path}");
        assert!(folder.path().join(path).exists(), "{path}");
        let lines = &entry["location"]["lines"];
        assert!(
            1 <= lines["begin"].as_u64().unwrap()
                && lines["begin"].as_u64() <= lines["end"].as_u64()
        );
        assert!(
            fingerprints.insert(entry["fingerprint"].as_str().unwrap().to_string()),
            "{entry}"
        );
    }
    // What moves within a file stays what it was.
    let path = folder.path().join(hostile::PLAIN);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("# a\n# b\n{text}")).unwrap();
    let moved = json(folder.path(), "gitlab");
    let moved: BTreeSet<_> = moved
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["fingerprint"].as_str().unwrap().to_string())
        .collect();
    assert_eq!(moved, fingerprints);
}
