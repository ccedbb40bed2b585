//! A repository that somebody wrote in order to be read wrong: names and values that try to end a fence,
//! a cell, a line or a string, to mention people, to give commands and to fool terminals.

use crate::common::tree;

/// The config of the trees here.
pub(crate) const CONFIG: &str =
    "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrules: default\n";
/// Characters that no terminal and no log should get.
pub(crate) const UNSAFE: [char; 5] = ['\u{1b}', '\u{202e}', '\u{9b}', '\u{2066}', '\u{7}'];

/// A file without anything odd.
pub(crate) const PLAIN: &str = "plain/deployment.yaml";
/// Names for Markdown, HTML, tables and annotations.
pub(crate) const MENTION: &str = "web/a`@team`|<b>&#1, 100%25 :x.yaml";
/// A name that closes what a report folds.
const CLOSING: &str = "<b></details>/```.yaml";
/// Commands as names.
const COMMAND: &str = "::error::x.yaml";
const MARKED: &str = "x ##[error]y ##vso[task.setvariable variable=z]1.yaml";
/// A name of several lines, for terminals.
pub(crate) const ESCAPES: &str = "n\n::warning::x\u{1b}[31m\u{202e}\u{9b}\u{7}.yaml";
/// Columns in which bytes, characters and UTF-16 units differ, behind a byte order mark.
pub(crate) const BYTES: &str = "bytes.yaml";
/// The images of that file that are reported.
pub(crate) const IMAGES_OF_BYTES: [&str; 4] =
    ["quay.io/a/b:1", "ghcr.io/c/d:2", "nginx:3", "redis:4"];

const HEAD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n";

/// Comments and texts around an image, in the lines that a diff shows.
const CONTEXT: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  # </details> </code> ``` ````` @team #1 <b> | \u{202e} ##[error]x ##vso[task.x]y\n  - image: nginx:1\n    args:\n    - |\n      ::error::z ```\n";

/// A text that ends a fence which is too short, close to the margin.
const FENCE: &str = "apiVersion: v1\nkind: Pod\nx: |\n ```\n </details> @team\nspec: {containers: [{image: nginx:1}]}\n";

/// A pattern, whose place is told in the reason why images stay.
const PATTERN: &str = "resources: [../b2]\nimages:\n- name: acme/n[a]med\n  newTag: \"2\"\n";

fn pod(images: &[&str]) -> String {
    let items = images.iter().map(|image| format!("  - image: {image}\n"));
    format!("{HEAD}{}", items.collect::<String>())
}

/// The repository.
pub(crate) fn repository() -> tempfile::TempDir {
    let bytes = format!(
        "\u{feff}{}",
        "{apiVersion: v1, kind: Pod, metadata: {name: \"𐐀é\"}, spec: {containers: [{image: quay.io/a/b:1}, {name: \"ü\", image: ghcr.io/c/d:2}]}}\n---\r\napiVersion: v1\r\nkind: Pod\r\nspec:\r\n  containers:\r\n  - {name: \"𐐀𐐀\", image: nginx:3}\r\n  - image: redis:4"
    );
    let digest = "0123456789abcdef".repeat(4);
    let plain = pod(&[
        "nginx:1.27",
        "nginx:1.27",
        "registry.example.com/a:1",
        "mcr.microsoft.com/a/b:1",
        &format!("quay.io/a/b@sha256:{digest}"),
        "&i busybox:1",
        "x:1 # ecr-rewrite: ignore",
    ]);
    // The same image at the same place of another document.
    let plain = format!("{plain}---\n{}", pod(&["nginx:1.27"]));
    let parts = "a:\n  image:\n    registry: docker.io # @team ```\n    # | </details>\n    repository: acme/web\n    tag: \"1\"\nb: {image: {registry: quay.io, repository: acme/b, tag: \"2\"}}\n";
    let overlay = "resources: [../base]\nimages:\n- name: acme/web\n  newTag: \"2\"\n- name: ghcr.io/acme/api # @team\n  newName: ghcr.io/acme/other\n";
    let base = pod(&["acme/web:1", "ghcr.io/acme/api:1", "ghcr.io/acme/alone:1"]);
    let named = pod(&["acme/named:1"]);
    let mut files: Vec<(&str, &str)> = vec![
        (".ecr-rewrite.yaml", CONFIG),
        (PLAIN, &plain),
        (BYTES, &bytes),
        ("context.yaml", CONTEXT),
        ("fence.yaml", FENCE),
        ("values.yaml", parts),
        ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("base/pod.yaml", &base),
        ("over @team/kustomization.yaml", overlay),
        ("b2/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("b2/pod.yaml", &named),
        ("r `@team` #1 <b>/kustomization.yaml", PATTERN),
        ("broken ##[x]/\u{1b}.yaml", "image: [1\n"),
        (
            "templates/t`@team`.yaml",
            "image: nginx\n{{ if }}\nb: [ # @team\n",
        ),
    ];
    let odd = pod(&["nginx:1", "registry.example.com/a:1"]);
    for name in [MENTION, CLOSING, COMMAND, MARKED, ESCAPES] {
        files.push((name, &odd));
    }
    tree(&files)
}

/// Markdown without its code, as a small reader of its own sees it: spans end at as many ticks as they
/// began with, and a backslash takes the meaning of what follows it.
pub(crate) fn without_code(text: &str) -> String {
    let mut rest = text.replace("\\`", "");
    while let Some(start) = rest.find("<code>") {
        let end = start + rest[start..].find("</code>").unwrap() + "</code>".len();
        rest.replace_range(start..end, "");
    }
    let mut shown = String::new();
    while let Some(start) = rest.find('`') {
        shown.push_str(&rest[..start]);
        let ticks = rest[start..].chars().take_while(|c| *c == '`').count();
        let inside = rest[start + ticks..].to_string();
        let mut at = 0;
        let end = loop {
            let Some(next) = inside[at..].find('`').map(|next| at + next) else {
                break None;
            };
            let run = inside[next..].chars().take_while(|c| *c == '`').count();
            if run == ticks {
                break Some(next);
            }
            at = next + run;
        };
        match end {
            Some(end) => rest = inside[end + ticks..].to_string(),
            None => {
                shown.push_str(&rest[start..start + ticks]);
                rest = inside;
            }
        }
    }
    shown.push_str(&rest);
    // What follows a backslash means nothing.
    let mut characters = shown.chars();
    let mut plain = String::new();
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            _ => plain.push(c),
        }
    }
    plain
}
