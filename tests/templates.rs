//! Templates: no byte of an action ever changes, and nearly every chart template can be read.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::numbers::Numbers;
use common::{REGISTRY, corpus};
use ecr_rewrite::plan::plan_text;
use ecr_rewrite::rules::{EcrHost, RuleSet, default_rules};
use ecr_rewrite::scan::{Options, scan_text};
use ecr_rewrite::yaml::{Branches, Masked, action_texts};
use walkdir::WalkDir;

/// Names that are never manifests.
const NO_MANIFESTS: &[&str] = &["_helpers.tpl", "NOTES.txt"];

const ACTIONS: &[&str] = &[
    "{{ .Values.a }}",
    "{{- .Values.a -}}",
    "{{ \"}}\" }}",
    "{{ `}}\nimage: nginx:1` }}",
    "{{/* image: nginx:1 */}}",
    "{{ default \"quay.io/a/b:1\" .Values.x | quote }}",
    "{{ dict\n  \"ü\" \"nginx:1\"\n}}",
    "{{- toYaml .x | nindent 4 }}",
    "{{ if .x }}",
    "{{- else }}",
    "{{ end }}",
    "{% if x %}",
    "{% else %}",
    "{% endif %}",
    "{# nginx:1 #}",
    "{{ unclosed",
];
const TEXTS: &[&str] = &[
    "nginx:1",
    "quay.io/a/b:",
    "\"quay.io/a/b:1\"",
    "'docker.io/c/d:",
    "'",
    "\"",
    "/nginx:1",
    "ü",
    " # nginx:1",
    "",
    "|-\n      nginx:1",
];
const LINES: &[&str] = &[
    "  - name: a",
    "    image: ",
    "  - image: ",
    "  - {image: ",
    "    env: [{name: x, value: nginx:1}]",
    "---",
    "apiVersion: v1",
    "kind: Pod",
    "spec:",
    "  containers:",
    "  - {image: nginx:1}",
    "",
];

fn template(numbers: &mut Numbers) -> String {
    let mut text = String::from("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n");
    let ending = numbers.pick(&["\n", "\n", "\r\n"]);
    for _ in 0..numbers.below(8) + 2 {
        match numbers.below(10) {
            0..4 => {
                text.push_str("  - image: ");
                text.push_str(numbers.pick(TEXTS));
                if numbers.below(2) == 0 {
                    text.push_str(numbers.pick(ACTIONS));
                }
            }
            4..7 => {
                text.push_str("  ");
                text.push_str(numbers.pick(ACTIONS));
            }
            7 | 8 => text.push_str("  - name: a"),
            _ => {
                text.push_str(numbers.pick(LINES));
                for _ in 0..numbers.below(4) {
                    let from = if numbers.below(2) == 0 {
                        ACTIONS
                    } else {
                        TEXTS
                    };
                    text.push_str(numbers.pick(from));
                }
            }
        }
        text.push_str(ending);
    }
    text
}

fn rules() -> RuleSet {
    RuleSet::new(EcrHost::parse(REGISTRY).ok(), default_rules()).0
}

#[test]
fn masking_keeps_lengths_and_what_stands_outside_of_actions() {
    let mut numbers = Numbers::new(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3000 {
        let text = template(&mut numbers);
        for branches in [Branches::All, Branches::Only(0), Branches::Only(1)] {
            let Some(masked) = Masked::of(&text, branches) else {
                continue;
            };
            assert_eq!(masked.text().len(), text.len(), "{text:?}");
            for (old, new) in text.bytes().zip(masked.text().bytes()) {
                assert!(old == new || matches!(new, b'\n' | b' ' | b'x'), "{text:?}");
            }
            // An `else` on a line with another key is left out with what it holds.
            if branches == Branches::All && !text.contains("else") {
                let mut rest = masked.text().chars();
                let literal = action_texts(&text)
                    .fold(text.clone(), |text, action| text.replacen(action, "", 1));
                let literal = literal.chars().filter(|c| !c.is_whitespace());
                for wanted in literal {
                    assert!(rest.any(|c| c == wanted), "{text:?}");
                }
            }
        }
    }
}

#[test]
fn no_byte_of_an_action_changes() {
    let mut numbers = Numbers::new(0x2545_f491_4f6c_dd1d);
    let (mut changed, mut branched) = (0, 0);
    for _ in 0..6000 {
        let text = template(&mut numbers);
        let plan = plan_text("templates/a.yaml", &text, rules());
        assert!(plan.failures.is_empty(), "{text:?} {:?}", plan.failures);
        let Some(after) = plan.files.first().and_then(|file| file.after.clone()) else {
            continue;
        };
        changed += 1;
        branched += usize::from(Masked::of(&text, Branches::All).is_some());
        let actions: Vec<&str> = action_texts(&text).collect();
        assert_eq!(
            actions,
            action_texts(&after).collect::<Vec<_>>(),
            "{text:?}"
        );
        let again = plan_text("templates/a.yaml", &after, rules());
        assert_eq!(again.changes().count(), 0, "{text:?}");
        for (file, change) in plan.changes() {
            let site = &file.sites[change.site];
            let begins = site.span().of(&text).unwrap();
            assert!(
                begins.starts_with(change.from.split(':').next().unwrap()),
                "{text:?}"
            );
        }
    }
    println!("{changed} texts changed, {branched} of them with actions");
    assert!(branched > 500, "{branched} of {changed}");
}

/// Unpacks the charts.
fn charts() -> tempfile::TempDir {
    let shared = std::env::var_os("ECR_REWRITE_SHARED").expect("ECR_REWRITE_SHARED");
    let folder = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.arg("xzf")
        .arg(Path::new(&shared).join("corpus/charts.tar.gz"));
    assert!(tar.arg("-C").arg(folder.path()).status().unwrap().success());
    folder
}

/// The chart templates below `folder` that hold actions, and those of them that cannot be read.
fn templates(folder: &Path) -> (usize, Vec<String>) {
    let (mut all, mut unread) = (0, Vec::new());
    for entry in WalkDir::new(folder).into_iter().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy();
        let in_chart = path.ancestors().skip(1).any(|above| {
            above.ends_with("templates")
                && above
                    .parent()
                    .is_some_and(|chart| chart.join("Chart.yaml").is_file())
        });
        let is_yaml = ["yaml", "yml", "tpl", "json"]
            .iter()
            .any(|suffix| path.extension().is_some_and(|found| found == *suffix));
        if !(in_chart && is_yaml && entry.file_type().is_file())
            || NO_MANIFESTS.contains(&name.as_ref())
        {
            continue;
        }
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        if action_texts(&text).next().is_none() {
            continue;
        }
        all += 1;
        // The words make it worth parsing.
        let scan = scan_text(
            Path::new("templates/a.yaml"),
            &format!("{text}\n# image\n"),
            &Options::default(),
        );
        if let Some(error) = scan.broken.first() {
            unread.push(format!(
                "{}: {error}",
                path.strip_prefix(folder).unwrap().display()
            ));
        }
    }
    (all, unread)
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn nearly_every_chart_template_can_be_read() {
    let charts = charts();
    let (mut all, mut unread) = (0, Vec::new());
    for folder in [corpus().as_path(), charts.path()] {
        let (count, failed) = templates(folder);
        all += count;
        unread.extend(failed);
    }
    unread.iter().for_each(|line| println!("{line}"));
    let read = all - unread.len();
    println!("{read} of {all} chart templates can be read");
    assert!(all > 3000, "the corpora have lost their charts");
    assert!(read * 100 >= all * 99, "{read} of {all}");
}
