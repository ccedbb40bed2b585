//! Inputs made to be slow, deep, odd or misleading: an error or a skip, never a crash.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed
#![allow(clippy::print_stderr)] // skips are for who runs it

mod common;
#[path = "hostile/packages.rs"]
mod packages;
#[path = "hostile/patterns.rs"]
mod patterns;

use std::fs;

use common::{REGISTRY, put, run, tree};

const POD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx:1\n";
const TARGET: [&str; 4] = ["--registry", REGISTRY, "--rules", "default"];

/// Rewrites one file with this text; gives the exit code, the new text and what was said.
fn rewritten(name: &str, text: &[u8]) -> (i32, Vec<u8>, String) {
    let folder = tree(&[]);
    put(folder.path(), name, text);
    let (exit, _, talk) = run(folder.path(), &[&["."], &TARGET[..]].concat());
    (exit, fs::read(folder.path().join(name)).unwrap(), talk)
}

/// What the text should become: every `nginx` in ECR.
fn in_ecr(text: &str) -> Vec<u8> {
    text.replace("nginx:", &format!("{REGISTRY}/docker-hub/library/nginx:"))
        .into_bytes()
}

#[test]
fn large_and_long_files_are_rewritten() {
    let lines = format!(
        "{POD}{}",
        "# a line of forty characters, more or less\n".repeat(40_000)
    );
    let many = vec![POD; 2_000].join("---\n");
    let long_line = format!("{POD}note: \"{}\"\n", "image: x ".repeat(120_000));
    let deep = format!("{POD}x: {}{}\n", "[".repeat(250), "]".repeat(250));
    let list: Vec<String> = (0..2_000).map(|n| format!("- {{apiVersion: v1, kind: Pod, spec: {{containers: [{{image: \"nginx:{n}\"}}]}}}}\n")).collect();
    let list = format!("apiVersion: v1\nkind: List\nitems:\n{}", list.concat());
    for text in [lines, many, long_line, deep, list] {
        let (exit, after, talk) = rewritten("a.yaml", text.as_bytes());
        assert_eq!(exit, 0, "{talk}");
        assert!(after == in_ecr(&text), "{}…", &text[..100]);
    }
}

#[test]
fn one_long_line_of_images_takes_linear_time() {
    let items = |count: usize| {
        let pod = r#"{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"mcr.microsoft.com/a:1"}]}}"#;
        let text = vec![pod; count].join(",");
        format!(r#"{{"apiVersion":"v1","kind":"List","items":[{text}]}}"#)
    };
    let time = |count: usize| {
        let text = items(count);
        let start = std::time::Instant::now();
        let (exit, after, talk) = rewritten("a.json", text.as_bytes());
        assert_eq!(exit, 0, "{talk}");
        assert!(after == text.as_bytes());
        start.elapsed().as_secs_f64()
    };
    let (short, long) = (time(4_000), time(16_000));
    assert!(long < 10.0 * short + 1.0, "{short} s, then {long} s");
}

#[test]
fn an_alias_bomb_is_walked_once() {
    let level = |n: usize| {
        format!(
            "a{n}: &a{n} [{}]\n",
            vec![format!("*a{}", n - 1); 9].join(", ")
        )
    };
    let bomb: String = (1..60).map(level).collect();
    let text = format!("{POD}a0: &a0 [x]\n{bomb}");
    let (exit, after, talk) = rewritten("a.yaml", text.as_bytes());
    assert_eq!(exit, 0, "{talk}");
    assert_eq!(after, in_ecr(&text));
}

#[test]
fn many_texts_take_linear_time() {
    let pod = |n: usize| POD.replace("nginx:1", &format!("nginx:{n}"));
    let text = |count: usize| {
        let entry = |n| {
            format!(
                "  {n}.yaml: |\n    # ecr-rewrite: ignore[digest-cold-cache]\n    {}\n",
                pod(n).trim_end().replace('\n', "\n    ")
            )
        };
        let entries: String = (0..count).map(entry).collect();
        format!("apiVersion: v1\nkind: ConfigMap\ndata:\n{entries}")
    };
    let time = |count: usize| {
        let text = text(count);
        let start = std::time::Instant::now();
        let (exit, after, talk) = rewritten("a.yaml", text.as_bytes());
        assert_eq!(exit, 0, "{talk}");
        assert!(after == in_ecr(&text));
        start.elapsed().as_secs_f64()
    };
    let (short, long) = (time(1_000), time(4_000));
    assert!(long < 10.0 * short + 1.0, "{short} s, then {long} s");
}

#[test]
fn aliases_that_lead_to_the_same_text_are_followed_once() {
    let many = |name: &str| vec![format!("*{name}"); 20_000].join(", ");
    let text = format!(
        "{POD}---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\np: &p {{patch: '{{spec: {{}}}} # image'}}\nr: &r {{kustomize: {{patches: [{}]}}}}\nspec: {{postRenderers: [{}]}}\n",
        many("p"),
        many("r"),
    );
    let (exit, after, talk) = rewritten("a.yaml", text.as_bytes());
    assert_eq!(exit, 0, "{talk}");
    assert!(after == in_ecr(&text));
}

#[test]
fn what_is_too_deep_in_a_text_stays() {
    let (open, close) = ("[".repeat(300), "]".repeat(300));
    let text = format!(
        "{POD}---\napiVersion: v1\nkind: ConfigMap\ndata:\n  a.json: 'image {open}{close}'\n  b.json: '{{image: {open}{close}}}'\n"
    );
    let (exit, after, talk) = rewritten("a.yaml", text.as_bytes());
    assert_eq!(exit, 0, "{talk}");
    assert!(after == in_ecr(&text));
}

#[test]
fn what_is_too_deep_or_too_long_is_an_error_and_stays() {
    let flow = format!(
        "{POD}x: {}{}\n",
        "[".repeat(1_000_000),
        "]".repeat(1_000_000)
    );
    let just = format!("{POD}x: {}{}\n", "[".repeat(257), "]".repeat(257));
    let level = |depth: usize| format!("{}a:\n", "  ".repeat(depth));
    let block = (1..300).map(level).collect::<Vec<_>>().concat();
    let block = format!("{POD}x:\n{block}");
    let key = format!("{POD}{}: 1\n", "k".repeat(1_025));
    for text in [flow, just, block, key] {
        let (exit, after, talk) = rewritten("a.yaml", text.as_bytes());
        assert_eq!(exit, 2, "{talk}");
        assert!(
            talk.contains("error: a.yaml:") && talk.contains("is not YAML"),
            "{talk}"
        );
        assert!(after == text.as_bytes());
    }
}

#[test]
fn binary_files_stay() {
    let utf16: Vec<u8> = POD.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [
        utf16,
        vec![0; 100],
        vec![0xff; 100],
        b"image: nginx:1\n\xc3\x28".to_vec(),
        b"image: nginx:1 # caf\xe9\n".to_vec(),
        b"image: nginx:1\0\n".to_vec(),
    ] {
        let (exit, after, talk) = rewritten("a.yaml", &bytes);
        assert_eq!((exit, after), (2, bytes), "{talk}");
    }
}

#[test]
fn terminals_see_escapes_and_patches_see_bytes() {
    let name = "a\u{1b}[31m.yaml";
    let text = format!("{POD}  - image: \"x\u{202e}:1\" # \u{2066}\n");
    let folder = tree(&[(name, &text)]);
    let arguments = [&[".", "--dry-run", "-v"], &TARGET[..]].concat();
    let (_, patch, talk) = run(folder.path(), &arguments);
    assert!(
        patch.contains("x\u{202e}:1\" # \u{2066}"),
        "a patch has to hold the bytes of its file"
    );
    let (_, coloured, _) = run(
        folder.path(),
        &[&arguments[..], &["--color", "always"]].concat(),
    );
    for shown in [talk, coloured] {
        assert!(
            !shown.contains('\u{2066}')
                && !shown.contains('\u{202e}')
                && !shown.contains("\u{1b}[31m.yaml"),
            "{shown:?}"
        );
    }
}

#[test]
fn what_is_said_of_configs_and_paths_never_speaks_to_the_terminal() {
    let escape = "\u{1b}[31m";
    let said = |files: &[(&str, &str)], arguments: &[&str]| {
        let folder = tree(files);
        let (exit, _, talk) = run(folder.path(), &[arguments, &["--color", "never"]].concat());
        let unsafe_chars = ['\u{1b}', '\u{7}', '\u{202e}'];
        assert!(!talk.contains(unsafe_chars), "{talk:?}");
        (exit, talk)
    };
    let config = ".ecr-rewrite.yaml";
    let folder = format!("a{escape}/b");
    let second = format!("{folder}/{config}");
    for (text, part) in [
        (
            "\"a\\u001b[31mb\\nc\": 1\n".to_string(),
            "unknown key `a\\u{1b}[31mb\\u{a}c`",
        ),
        (
            "registry: \"x\\e[31m\"\n".to_string(),
            "registry `x\\u{1b}[31m`",
        ),
        ("exclude: [\"a\\e{\"]\n".to_string(), "a\\u{1b}{"),
        (
            format!("rules: default # {escape}\nregisty: 1\n"),
            "rules: default # \\u{1b}[31m",
        ),
        (format!("registry: {escape}x # \u{9b}\r\n"), "# \\u{9b}\n"),
    ] {
        for place in [config, &second] {
            let given = place.strip_suffix(config).unwrap();
            let given = if given.is_empty() { "." } else { given };
            let (exit, talk) = said(&[(place, &text)], &[given]);
            assert_eq!(exit, 2);
            assert!(talk.contains(part), "{text:?}: {talk}");
        }
    }
    let (exit, talk) = said(&[(config, ""), (&second, "")], &["."]);
    assert_eq!(exit, 2);
    assert!(
        talk.contains("a\\u{1b}[31m/b/.ecr-rewrite.yaml: a config beside"),
        "{talk}"
    );
    let missing = format!("{folder}/c.yaml");
    for arguments in [
        &[missing.as_str()][..],
        &["--files-from", missing.as_str()],
        &["x.yaml", "--config", missing.as_str()],
        &["x.yaml", "--registry", escape],
        &["--\u{1b}]0;x\u{7}\u{202e}"],
        &["x.yaml", "--color", "\u{202e}"],
        &["x.yaml", "--rule", escape],
        &[
            "convert",
            "--registry",
            REGISTRY,
            "--rules",
            "default",
            escape,
        ],
    ] {
        said(&[("x.yaml", POD)], arguments);
    }
}

/// The program writing to a terminal of its own; nothing where there is no `script` to make one.
#[cfg(unix)]
fn on_a_terminal(folder: &std::path::Path, arguments: &str) -> Option<String> {
    let program = env!("CARGO_BIN_EXE_ecr-rewrite");
    let output = std::process::Command::new("script")
        .current_dir(folder)
        .args(["-qec", &format!("{program} {arguments}"), "/dev/null"])
        .output();
    Some(String::from_utf8_lossy(&output.ok()?.stdout).into_owned())
}

#[cfg(unix)]
#[test]
fn a_terminal_without_colours_sees_escapes_too() {
    let text = format!("{POD}  # \u{202e}\n");
    let folder = tree(&[("a.yaml", &text)]);
    let arguments = format!("--dry-run --color never {}", TARGET.join(" "));
    let Some(shown) = on_a_terminal(folder.path(), &arguments) else {
        eprintln!("SKIPPED: there is no `script` to make a terminal with");
        return;
    };
    assert!(shown.contains("   # \\u{202e}"), "{shown:?}");
    assert!(!shown.contains('\u{202e}'), "{shown:?}");
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_handled() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = tree(&[]);
    let path = folder.path().join(OsStr::from_bytes(b"b\xff d.yaml"));
    fs::write(&path, POD).unwrap();
    let (exit, patch, _) = run(folder.path(), &[&[".", "--dry-run"], &TARGET[..]].concat());
    assert_eq!(exit, 0);
    assert!(patch.starts_with("--- \"a/b\\377 d.yaml\"\n"), "{patch}");
    let applied = common::git_apply(folder.path(), &patch);
    assert!(
        applied.status.success(),
        "{}",
        String::from_utf8_lossy(&applied.stderr)
    );
    assert_eq!(fs::read(&path).unwrap(), in_ecr(POD));
}

#[cfg(unix)]
#[test]
fn links_given_by_path_are_followed_inside_the_repository_only() {
    use std::os::unix::fs::symlink;
    let folder = tree(&[("real/a.yaml", POD)]);
    let outside = tree(&[("b.yaml", POD)]);
    symlink("real/a.yaml", folder.path().join("in.yaml")).unwrap();
    symlink(
        outside.path().join("b.yaml"),
        folder.path().join("out.yaml"),
    )
    .unwrap();
    let (exit, _, talk) = run(
        folder.path(),
        &[&["in.yaml", "out.yaml"], &TARGET[..]].concat(),
    );
    assert_eq!(exit, 0, "{talk}");
    assert!(talk.contains("out.yaml: is a link to"), "{talk}");
    assert_eq!(
        fs::read(folder.path().join("real/a.yaml")).unwrap(),
        in_ecr(POD)
    );
    assert!(folder.path().join("in.yaml").is_symlink());
    assert_eq!(
        fs::read(outside.path().join("b.yaml")).unwrap(),
        POD.as_bytes()
    );
}

#[cfg(unix)]
#[test]
fn a_config_that_is_a_link_counts_inside_the_repository_only() {
    use std::os::unix::fs::symlink;
    let config = format!("registry: {REGISTRY}\nrules: default\n");
    let elsewhere = tree(&[("conf.yaml", &config)]);
    let outside = elsewhere.path().join("conf.yaml");
    let inside = std::path::PathBuf::from("conf/ecr.yaml");
    let nowhere = std::path::PathBuf::from("missing.yaml");
    for (target, code, part) in [
        (&outside, 2, ".ecr-rewrite.yaml: is a link to /"),
        (&nowhere, 2, "config `.ecr-rewrite.yaml` cannot be read"),
        (&inside, 0, "1 changed"),
    ] {
        let folder = tree(&[("conf/ecr.yaml", &config), ("a.yaml", POD)]);
        let link = folder.path().join(".ecr-rewrite.yaml");
        symlink(target, &link).unwrap();
        let (exit, _, talk) = run(folder.path(), &["a.yaml"]);
        assert_eq!(exit, code, "{talk}");
        assert!(talk.contains(part), "{talk}");
        let after = fs::read(folder.path().join("a.yaml")).unwrap();
        assert_eq!(after == POD.as_bytes(), code != 0);
    }
    let folder = tree(&[("a.yaml", POD)]);
    symlink(&outside, folder.path().join(".ecr-rewrite.yaml")).unwrap();
    let named = ["a.yaml", "--config", ".ecr-rewrite.yaml"];
    let (exit, _, talk) = run(folder.path(), &named);
    assert_eq!(exit, 0, "{talk}");
}

/// Values that aliases, merges or charts make endless are held within a moment, and the image beside
/// them is said to stay.
#[test]
fn values_without_end_are_walked_to_an_end() {
    let image = "image: docker.io/a/b:1\n";
    let nine = |name: &str| vec![format!("*{name}"); 9].join(",");
    let mut lists = "a0: &a0 [x]\n".to_string();
    let mut merges = "m0: &m0 {image: docker.io/a/b:1}\n".to_string();
    for level in 1..10 {
        let before = level - 1;
        lists.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            nine(&format!("a{before}"))
        ));
        merges.push_str(&format!(
            "m{level}: &m{level} {{<<: [{}]}}\n",
            nine(&format!("m{before}"))
        ));
    }
    for values in [
        format!("{image}x: &a [*a]\n"),
        format!("{image}x: &a {{b: *a, c: *a}}\n"),
        format!("{image}{lists}"),
        merges,
    ] {
        let folder = tree(&[("values.yaml", &values)]);
        let (exit, diff, talk) = run(
            folder.path(),
            &[
                ".",
                "--dry-run",
                "--registry",
                REGISTRY,
                "--rules",
                "default",
                "-v",
            ],
        );
        assert_eq!(exit, 0, "{talk}");
        assert!(diff.is_empty() || !values.contains("*a"), "{talk}");
    }
}

#[test]
fn charts_that_bring_each_other_are_followed_once() {
    let mut files = Vec::new();
    for own in 0..6 {
        let mut others = String::new();
        for other in (0..6).filter(|other| *other != own) {
            others.push_str(&format!(
                "- {{name: c{other}, version: 1, repository: \"file://../c{other}\"}}\n"
            ));
        }
        files.push((
            format!("c{own}/Chart.yaml"),
            format!("name: c{own}\nversion: 1.0.0\ndependencies:\n{others}"),
        ));
        files.push((
            format!("c{own}/values.yaml"),
            "image: {registry: quay.io, repository: a/b}\n".to_string(),
        ));
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let folder = tree(&files);
    let (exit, _, talk) = run(
        folder.path(),
        &[
            ".",
            "--dry-run",
            "--registry",
            REGISTRY,
            "--rules",
            "default",
        ],
    );
    assert_eq!(exit, 0, "{talk}");
    assert!(talk.contains("6 would change"), "{talk}");
}
