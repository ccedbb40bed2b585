//! Inputs made to be slow, deep, odd or misleading: an error or a skip, never a crash.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod common;

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
