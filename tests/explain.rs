//! `explain`: what decided an image, and where that is stated.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod common;

use common::{contents, run, tree};

const POD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: docker.io/nginx:1\n  - {image: a/b:1, command: [x]}\n  - image: gcr.io/c:1\n";
const CONFIG: &str = "rules:\n- {upstream: docker.io, prefix: hub}\nallow:\n- {image: \"gcr.io/**\", reason: no upstream}\n";

#[test]
fn everything_that_decided_is_named() {
    let folder = tree(&[
        ("base/a.yaml", POD),
        (
            "base/d.yaml",
            "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: a/b:2}]}\n",
        ),
        (
            "over/kustomization.yaml",
            "resources: [../base]\nimages:\n- {name: a/b, newTag: \"2\"}\n",
        ),
        ("base/kustomization.yaml", "resources: [a.yaml, d.yaml]\n"),
        (".ecr-rewrite.yaml", CONFIG),
    ]);
    let before = contents(folder.path());
    let (exit, output, talk) = run(folder.path(), &["explain", "base/a.yaml"]);
    assert_eq!(exit, 0, "{talk}");
    assert_eq!(contents(folder.path()), before);
    let wanted = "\
base/a.yaml:5:12: `docker.io/nginx:1`
  found    at spec.containers[0].image in document 1, by the finder `workload`
  means    docker.io/library/nginx
  changes  to `<registry>/hub/library/nginx:1` (certain)
  rule     docker.io -> hub (.ecr-rewrite.yaml:2)
  reported error[not-through-ecr] rule docker.io -> hub (.ecr-rewrite.yaml:2); state the target (`--registry`, or `registry:` in the config) and run `ecr-rewrite` on the file to rewrite it
base/a.yaml:6:13: `a/b:1`
  found    at spec.containers[1].image in document 1, by the finder `workload`
  means    docker.io/a/b
";
    assert!(output.starts_with(wanted), "{output}");
    for part in [
        "\n  stays    kustomize-placeholder: ",
        "\n  rule     docker.io -> hub (.ecr-rewrite.yaml:2) maps it\n",
        "\n  group    the kustomize name at over/kustomization.yaml:3\n",
        "\n           - base/a.yaml, spec.containers[1].image: `a/b:1`\n           - base/d.yaml, spec.containers[0].image: `a/b:2`\n",
        "\n  stays    allowed: no upstream (.ecr-rewrite.yaml:4)\n",
    ] {
        assert!(output.contains(part), "{part}: {output}");
    }
}

#[test]
fn a_line_and_a_column_choose() {
    let text = "apiVersion: v1\nkind: Pod\nspec:\n  containers: [{image: a:1}, {image: b:1}]\n";
    let folder = tree(&[
        ("a.yaml", text),
        ("a.yaml:9", text),
        ("none.yaml", "a: b\n"),
    ]);
    let images = |place: &str| {
        let (exit, output, talk) = run(folder.path(), &["explain", place, "-q"]);
        let lines = output.lines().filter(|line| !line.starts_with(' '));
        let images: Vec<String> = lines.map(String::from).collect();
        (exit, images.join(" "), talk)
    };
    for (place, wanted) in [
        ("a.yaml", "a.yaml:4:24: `a:1` a.yaml:4:38: `b:1`"),
        ("./a.yaml:4", "a.yaml:4:24: `a:1` a.yaml:4:38: `b:1`"),
        ("a.yaml:4:24", "a.yaml:4:24: `a:1`"),
        ("a.yaml:4:40", "a.yaml:4:38: `b:1`"),
        ("a.yaml:9", "a.yaml:9:4:24: `a:1` a.yaml:9:4:38: `b:1`"),
        ("a.yaml:9:4:38", "a.yaml:9:4:38: `b:1`"),
        ("none.yaml", ""),
    ] {
        let (exit, images, talk) = images(place);
        assert_eq!((exit, images.as_str()), (0, wanted), "{place}: {talk}");
    }
    for (place, part) in [
        ("missing.yaml", "`missing.yaml` does not exist"),
        ("missing.yaml:3", "`missing.yaml:3` does not exist"),
        (".", "is a folder; give a file"),
        (
            "a.yaml:3",
            "a.yaml: line 3 names no image; these lines do: 4",
        ),
        (
            "a.yaml:4:1",
            "column 1 of line 4 names no image; images begin at: 24, 38",
        ),
        ("none.yaml:1", "none.yaml: no image is found in it"),
    ] {
        let (exit, images, talk) = images(place);
        assert_eq!((exit, images.as_str()), (2, ""), "{place}");
        assert!(talk.contains(part), "{place}: {talk}");
    }
}
