//! Every input that the format-preserving editor has to be tested with, one row each: what stands between `‹`
//! and `›` is in ECR afterwards, and every other byte is as it was.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

mod common;

use common::{REGISTRY, ecr};
use ecr_rewrite::plan::plan_text;
use ecr_rewrite::rules::{EcrHost, Rule, RuleSet, default_rules};

const HEAD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n";

/// What stands below the containers of a pod.
const CONTAINERS: &[(&str, &str)] = &[
    (
        "long characters in front",
        "  - name: é😀\n    image: ‹nginx:1› # é\n",
    ),
    (
        "a lone carriage return",
        "  - name: a # one\r  - image: ‹nginx:1›\n",
    ),
    ("no final line end", "  - image: ‹nginx:1›"),
    (
        "U+2028 and U+0085",
        "  # \u{2028}\u{85}\n  - name: \"\u{2028}\u{85}\"\n    image: ‹nginx:1›\n",
    ),
    ("a tab behind the colon", "  - image:\t‹nginx:1›\n"),
    ("nothing", "  - image:\n  - image: ‹nginx:1›\n"),
    ("a tilde", "  - image: ~\n  - image: ‹nginx:1›\n"),
    (
        "an empty text",
        "  - image: \"\"\n  - image: ''\n  - image: ‹nginx:1›\n",
    ),
    (
        "a doubled quote",
        "  - image: 'it''s'\n  - name: 'it''s'\n    image: ‹nginx:1›\n",
    ),
    (
        "an escape",
        "  - image: \"nginx\\u003a1\"\n  - name: \"\\u003a\"\n    image: \"‹nginx:1›\"\n",
    ),
    (
        "quoted keys",
        "  - \"image\": ‹nginx:1›\n  - 'image': ‹redis:7›\n",
    ),
    (
        "a blank behind a key",
        "  - 'image' : ‹nginx:1›\n  - image  : ‹redis:7›\n",
    ),
    (
        "a key on its own",
        "  - ? image\n    : ‹nginx:1›\n  - ? \"image\"\n    # between\n    : ‹redis:7›\n",
    ),
    (
        "flow without blanks",
        "  - {image: ‹nginx:1›,b: c}\n  - {b: c,image: '‹redis:7›'}\n",
    ),
    (
        "JSON in YAML",
        "  - {\"image\":\"‹nginx:1›\"}\n  - {\"image\":‹redis:7›}\n",
    ),
    (
        "a hash that is no comment",
        "  - image: nginx:1#x\n  - image: ‹nginx:1›\n",
    ),
    (
        "a comment that is like the value",
        "  - image: ‹nginx:1› # nginx:1\n",
    ),
    (
        "anchor and tag",
        "  - image: &a !!str ‹nginx:1›\n  - image: !!str &b ‹redis:7›\n",
    ),
    (
        "tag and value on two lines",
        "  - image: !!str\n      ‹nginx:1›\n  - image: &a\n      ‹redis:7›\n",
    ),
    (
        "an alias as image",
        "  - image: &a ‹nginx:1›\n  - image: *a\n",
    ),
    (
        "an alias in flow",
        "  - {image: &a ‹nginx:1›}\n  - {image: *a , name: b}\n",
    ),
    (
        "an alias of a whole container",
        "  - &c {image: ‹nginx:1›}\n  - *c\n  - <<: *c\n    name: d\n",
    ),
    (
        "an anchor that is defined again",
        "  - image: &a ‹nginx:1›\n  - image: *a\n  - image: &a ‹redis:7›\n  - image: *a\n",
    ),
    (
        "block scalars of one line",
        "  - image: |-\n      ‹nginx:1›\n  - image: >-\n      ‹redis:7›\n  - image: |2-\n      ‹nginx:2›\n",
    ),
    (
        "a block scalar with its line end",
        "  - image: |\n      nginx:1\n  - image: |+\n      nginx:1\n\n  - image: ‹nginx:1›\n",
    ),
    (
        "a plain reference on two lines",
        "  - image: quay.io/a/b:1\n      2\n  - image: ‹nginx:1›\n",
    ),
    (
        "a quoted reference on two lines",
        "  - image: \"nginx:\\\n      1\"\n  - image: 'nginx:\n      1'\n  - image: ‹nginx:1›\n",
    ),
    (
        "numbers as tags",
        "  - image: ‹nginx:1.10›\n  - image: ‹nginx:012›\n  - image: ‹nginx:1e3›\n",
    ),
    (
        "two on a line",
        "  - {a: {image: x}, image: ‹nginx:1›}\n  - [{image: x}]\n",
    ),
    ("trailing blanks", "  - image: ‹nginx:1›   \t\n\n   \n"),
    (
        "a key twice",
        "  - image: ‹nginx:1›\n    image: ‹nginx:2›\n",
    ),
    (
        "a text that holds an image",
        "  - image: ‹nginx:1›\n    args:\n    - |2\n        image: nginx:1\n    - |+\n      image: nginx:1\n\n",
    ),
];

/// Streams and files of other kinds: the name of the file, and its text.
const FILES: &[(&str, &str, &str)] = &[
    (
        "a stream of one line",
        "a.yaml",
        "--- {apiVersion: v1, kind: Pod, spec: {containers: [{image: ‹nginx:1›}]}}\n",
    ),
    (
        "JSON of one line",
        "a.json",
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"image\":\"‹nginx:1›\"},{\"image\":\"‹redis:7›\"}]}}",
    ),
    (
        "directives and ends",
        "a.yaml",
        "%YAML 1.2\n--- # one\nHEAD  - image: ‹nginx:1›\n...\n# between\n%YAML 1.1\n---\nHEAD  - image: ‹redis:7›\n...\n",
    ),
    (
        "empty documents",
        "a.yaml",
        "---\n---\n# nothing\n---\nHEAD  - image: ‹nginx:1›\n---\n...\n---\n~\n---\nHEAD  - image: ‹redis:7›\n---\n",
    ),
    (
        "a broken document between two",
        "a.yaml",
        "HEAD  - image: ‹nginx:1›\n---\nimage: [1, 2\n---\nHEAD  - image: ‹redis:7›\n",
    ),
    (
        "dashes that begin a key",
        "a.yaml",
        "HEAD  - image: ‹nginx:1›\n---foo: bar\n",
    ),
    (
        "dashes in a text",
        "a.yaml",
        "HEAD  - image: ‹nginx:1›\n    args:\n    - |\n      ---\n      image: nginx:1\n    - \"---\"\n",
    ),
    (
        "tags of values",
        "values.yaml",
        "image:\n  registry: ‹R:docker.io›\n  repository: ‹P:acme/app›\n  tag: 1.10\nother:\n  image: {repository: ‹quay.io/a/b›, tag: 012}\nthird:\n  image: {repository: ‹quay.io/a/c›, tag: 1e3}\n",
    ),
    (
        "an image map that is an alias",
        "values.yaml",
        "a:\n  image: &i\n    repository: ‹quay.io/a/b›\n    tag: \"1\"\nb:\n  image: *i\n",
    ),
    (
        "an action in a block scalar",
        "templates/a.yaml",
        "HEAD  - image: ‹nginx:1›\n    args:\n    - |\n      {{- if .x }}\n      one\n      {{- end }}\n",
    ),
    (
        "braces in an action's text",
        "templates/a.yaml",
        "HEAD  - image: ‹nginx:1›\n    args: [\"{{ \"}}\" }}\", {{ `}}` }}]\n",
    ),
    (
        "an action of several lines",
        "templates/a.yaml",
        "HEAD  - image: ‹nginx:1›\n    env: {{ dict\n      \"a\" \"image: nginx:1\"\n    }}\n",
    ),
    (
        "nindent",
        "templates/a.yaml",
        "HEAD  - image: ‹nginx:1›\n    resources: {{- toYaml .x | nindent 6 }}\n    env:\n      {{- toYaml .env | nindent 6 }}\n",
    ),
    (
        "if and else on a line",
        "templates/a.yaml",
        "HEAD  - image: ‹nginx:1›\n    {{ if .x }}name: a{{ else }}name: b{{ end }}\n",
    ),
    (
        "an action that is not closed",
        "templates/a.yaml",
        "HEAD  - image: nginx:1\n    name: {{ .x\n",
    ),
    (
        "braces that are flow",
        "a.yaml",
        "x: {{a: b}: c}\nHEAD  - image: ‹nginx:1›\n",
    ),
    (
        "Jinja",
        "a.yaml.j2",
        "{# nginx:1 #}\nHEAD  {% for x in y %}\n  - image: ‹nginx:1›\n  {% endfor %}\n",
    ),
    (
        "an action as tag",
        "templates/a.yaml",
        "HEAD  - image: \"‹quay.io/a/b›:{{ .Values.tag }}\"\n",
    ),
];

/// The row's text, and what has to become of it.
fn row(marked: &str) -> (String, String) {
    let marked = marked.replace("HEAD", HEAD);
    let mut before = String::new();
    let mut after = String::new();
    let mut rest = marked.as_str();
    while let Some((kept, more)) = rest.split_once('‹') {
        let (image, next) = more.split_once('›').unwrap();
        before.push_str(kept);
        after.push_str(kept);
        // A registry and a repository of values become parts of a reference.
        if let Some(registry) = image.strip_prefix("R:") {
            before.push_str(registry);
            after.push_str(REGISTRY);
        } else if let Some(path) = image.strip_prefix("P:") {
            before.push_str(path);
            after.push_str(&format!("docker-hub/{path}"));
        } else {
            before.push_str(image);
            after.push_str(&ecr::expected(image).unwrap());
        }
        rest = next;
    }
    (before + rest, after + rest)
}

/// What the program makes of a text.
fn rewritten(path: &str, text: &str) -> String {
    let registry = EcrHost::parse(REGISTRY).unwrap();
    let plan = plan_text(path, text, RuleSet::new(Some(registry), default_rules()).0);
    let defect = plan
        .failures
        .iter()
        .find(|failure| failure.message.contains("defect"));
    assert!(defect.is_none(), "{text:?}: {defect:?}");
    let after = plan.files.first().and_then(|file| file.after.clone());
    after.unwrap_or_else(|| text.to_string())
}

#[test]
fn every_row_becomes_what_it_should() {
    let containers = CONTAINERS
        .iter()
        .map(|(name, text)| (*name, "a.yaml", format!("HEAD{text}")));
    let files = FILES
        .iter()
        .map(|(name, path, text)| (*name, *path, (*text).to_string()));
    let mut wrong = Vec::new();
    for (name, path, marked) in containers.chain(files) {
        let (before, after) = row(&marked);
        // In the file as it stands, behind a byte order mark, with other line ends, and with both.
        for (mark, end) in [
            ("", "\n"),
            ("\u{feff}", "\n"),
            ("", "\r\n"),
            ("\u{feff}", "\r\n"),
        ] {
            let [before, after] =
                [&before, &after].map(|text| format!("{mark}{}", text.replace('\n', end)));
            let found = rewritten(path, &before);
            if found != after {
                wrong.push(format!("{name} ({end:?}): {found:?}\nnot {after:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Longer, shorter and as long as before: the registry is what decides that.
#[test]
fn replacements_may_have_any_length() {
    let text = "HEAD  - image: ghcr.io/acme/app:1 # one\n  - {image: ghcr.io/acme/app:2,name: b}\n";
    let text = text.replace("HEAD", HEAD);
    let new = format!("{REGISTRY}/prefix");
    for length in [new.len() - 5, new.len(), new.len() + 5] {
        let old = format!("ghcr.io/{}", "a".repeat(length - "ghcr.io/".len()));
        let rule = Rule::parse_flag(&format!("{old}=prefix")).unwrap();
        let text = text.replace("ghcr.io/acme", &old);
        let registry = EcrHost::parse(REGISTRY).unwrap();
        let plan = plan_text("a.yaml", &text, RuleSet::new(Some(registry), vec![rule]).0);
        let after = plan.files[0].after.as_deref().unwrap();
        assert_eq!(after, text.replace(&old, &new));
    }
}
