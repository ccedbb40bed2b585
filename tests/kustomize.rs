//! What kustomize does with a repository beyond its plain files: links, files of any name, files
//! that cannot be read, and names written in unusual places. An image that anything names stays.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stderr)] // skips are for who runs it

mod common;

use std::path::Path;
use std::process::Command;

use common::{REGISTRY, contents, put, run, tree};

const APP: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    image: nginx:1.27\n  - name: b\n    image: redis:7\n";
const BASE: (&str, &str) = ("base/app.yaml", APP);
const TAKES: (&str, &str) = ("base/kustomization.yaml", "resources: [app.yaml]\n");

fn rewrite(folder: &Path, more: &[&str]) -> (i32, String, String) {
    let target = ["-v", "--registry", REGISTRY, "--rules", "default"];
    run(folder, &[more, &target].concat())
}

/// Writing everything leaves `nginx` and moves `redis`; what is said names `place`.
fn stays(files: &[(&str, &str)], place: &str) {
    let folder = tree(&[&[BASE, TAKES], files].concat());
    stays_in(folder.path(), place, 0);
}

fn stays_in(folder: &Path, place: &str, code: i32) {
    let (exit, _, talk) = rewrite(folder, &["."]);
    let text = String::from_utf8(contents(folder)[Path::new("base/app.yaml")].clone()).unwrap();
    assert!(text.contains("image: nginx:1.27"), "{talk}");
    assert!(text.contains("library/redis:7"), "{talk}");
    assert!(talk.contains(place), "{place}: {talk}");
    assert_eq!(exit, code, "{talk}");
}

fn overlay(rest: &str) -> String {
    format!("resources: [../base]\n{rest}")
}

#[cfg(unix)]
fn link(folder: &Path, target: &str, at: &str) {
    let at = folder.join(at);
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(target, at).unwrap();
}

const NAMES: &str = "images: [{name: nginx, newTag: \"1.28\"}]\n";

#[test]
#[cfg(unix)]
fn a_link_named_like_a_kustomization_is_one() {
    let folder = tree(&[BASE, TAKES, ("shared/common.yaml", &overlay(NAMES))]);
    link(
        folder.path(),
        "../shared/common.yaml",
        "overlay/kustomization.yaml",
    );
    stays_in(folder.path(), "shared/common.yaml:2", 0);
}

#[test]
fn a_path_that_is_filled_in_may_be_any_base() {
    for path in ["../{{ env }}", "../${ENV}"] {
        let filled = format!("resources: [\"{path}\"]\n{NAMES}");
        stays(
            &[("overlay/kustomization.yaml", &filled)],
            "overlay/kustomization.yaml:2",
        );
        let taken = format!("resources: [\"{path}\"]\n");
        let above = format!("resources: [../overlay]\n{NAMES}");
        stays(
            &[
                ("overlay/kustomization.yaml", &taken),
                ("above/kustomization.yaml", &above),
            ],
            "above/kustomization.yaml:2",
        );
    }
}

#[test]
#[cfg(unix)]
fn what_a_linked_kustomization_copies_is_read_from_where_the_link_stands() {
    let text = "resources: [../base]\nreplacements: [{path: r.yaml}]\n";
    let copies =
        "- source: {kind: Pod, name: x, fieldPath: spec.containers.0.image}\n  targets: []\n";
    let folder = tree(&[
        BASE,
        TAKES,
        ("shared/deep/common.yaml", text),
        ("overlay/r.yaml", copies),
    ]);
    link(
        folder.path(),
        "../shared/deep/common.yaml",
        "overlay/kustomization.yaml",
    );
    let (_, output, talk) = rewrite(folder.path(), &[".", "--dry-run"]);
    assert_eq!(output, "", "{talk}");
    assert!(talk.contains("writes fields anew"), "{talk}");
}

#[test]
#[cfg(unix)]
fn links_to_folders_are_followed_as_kustomize_does() {
    let text = "resources: [linked]\nreplacements: [{path: r.yaml}]\n";
    let folder = tree(&[BASE, TAKES, ("overlay/kustomization.yaml", text)]);
    link(folder.path(), "../base", "overlay/linked");
    let (_, output, talk) = rewrite(folder.path(), &[".", "--dry-run"]);
    assert_eq!(output, "", "{talk}");
}

#[test]
#[cfg(unix)]
fn a_link_named_like_a_chart_is_one() {
    let chart = "name: x\ndependencies: [{name: dep}]\n";
    let folder = tree(&[
        BASE,
        ("shared/chart.yaml", chart),
        ("x/charts/dep/a.yaml", APP),
    ]);
    link(folder.path(), "../shared/chart.yaml", "x/Chart.yaml");
    let (_, output, talk) = rewrite(folder.path(), &[".", "--dry-run"]);
    assert!(
        output.contains("base/app.yaml") && !output.contains("charts/dep"),
        "{output}"
    );
    assert!(talk.contains("vendored-chart"), "{talk}");
}

#[test]
fn every_spelling_of_a_name_counts() {
    for rest in [
        "imageTags: [{name: nginx, newTag: x}]\n",
        "IMAGES: [{Name: nginx, newTag: x}]\n",
        "transformers:\n- |-\n  apiVersion: builtin\n  kind: ImageTagTransformer\n  metadata: {name: x}\n  imageTag: {name: nginx, newTag: x}\n",
        "transformers: ['{apiVersion: builtin, kind: ImageTagTransformer, imageTag: {name: nginx}}']\n",
    ] {
        stays(
            &[("overlay/kustomization.yaml", &overlay(rest))],
            "overlay/kustomization.yaml:",
        );
    }
}

#[test]
fn files_with_transformers_and_patches_count_whatever_they_are_called() {
    let transformer = "apiVersion: builtin\nkind: ImageTagTransformer\nmetadata: {name: x}\nimageTag: {name: nginx, newTag: x}\n";
    let test = "- op: test\n  path: /spec/containers/0/image\n  value: nginx:1.27\n";
    stays(
        &[
            ("o/kustomization.yaml", &overlay("transformers: [t.txt]\n")),
            ("o/t.txt", transformer),
        ],
        "o/t.txt:",
    );
    stays(
        &[
            ("o/kustomization.yaml", &overlay("patches: [{path: p}]\n")),
            ("o/p", test),
        ],
        "o/p",
    );
    // An ignored folder, too: kustomize does not ask git.
    stays(
        &[
            (".gitignore", "/made\n"),
            ("o/kustomization.yaml", "resources: [../made]\n"),
            ("made/Kustomization", &overlay(NAMES)),
        ],
        "made/Kustomization:",
    );
}

#[test]
fn inline_transformers_that_copy_count() {
    let rest = "transformers:\n- |-\n  apiVersion: builtin\n  kind: ReplacementTransformer\n  metadata: {name: x}\n";
    let folder = tree(&[BASE, TAKES, ("o/kustomization.yaml", &overlay(rest))]);
    let (_, output, talk) = rewrite(folder.path(), &[".", "--dry-run"]);
    assert_eq!(output, "", "{talk}");
}

#[test]
fn templates_that_name_images_count() {
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec:\n  images:\n  {{- if x }}\n  - name: nginx\n    newTag: x\n  {{- end }}\n";
    let argo = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source:\n    kustomize:\n      images:\n      {{- range x }}\n      - nginx:{{ . }}\n      - nginx=nginx:1.28\n      {{- end }}\n";
    let jinja = overlay("{% if x %}\nimages: [{newTag: x, name: nginx}]\n{% endif %}\n");
    for (path, text) in [
        ("x/flux.yaml", flux),
        ("x/argo.yaml", argo),
        ("o/kustomization.yaml.j2", &jinja),
        ("o/kustomization.tmpl", &jinja),
        ("o/kustomization.yml.tpl", &overlay(NAMES)),
        ("o/kustomization.yaml.template", &overlay(NAMES)),
        ("o/kustomization.jinja2", &jinja),
    ] {
        stays(&[(path, text)], path);
    }
}

#[test]
fn lists_of_images_in_other_documents_count() {
    for (path, text) in [
        (
            ".argocd-source-app.yaml",
            "kustomize:\n  images:\n  - nginx:1.28\n",
        ),
        (
            ".argocd-source.yaml",
            "kustomize: {images: [nginx=quay.io/x/y]}\n",
        ),
        (
            "release.yaml",
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  postRenderers:\n  - kustomize:\n      images:\n      - name: nginx\n        newTag: x\n",
        ),
        (
            "apps/values.yaml",
            "applications:\n- source:\n    kustomize:\n      images: [nginx:1.28]\n",
        ),
    ] {
        stays(&[(path, text)], path);
    }
}

#[test]
fn tests_in_patches_are_found_however_they_are_written() {
    let app = |key: &str, text: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source:\n    kustomize:\n      patches:\n      - {key}: |-\n          {text}\n"
        )
    };
    let list = |op: &str| format!("- {op}\n");
    for (path, text) in [
        ("p.yaml", list("{op: test, path: /spec/containers/0, value: {name: a, image: 'nginx:1.27'}}")),
        ("p.yaml", list("{op: test, path: /spec/containers, value: [{name: a, image: 'nginx:1.27'}, {image: x}]}")),
        ("p.yaml", list("{op: test, path: /spec/volumes/0/image/reference, value: 'nginx:1.27'}")),
        ("p.yaml", list("{op: test, path: /spec/volumes/0, value: {image: {reference: 'nginx:1.27'}}}")),
        ("p.json", "[{\"op\": \"test\", \"path\": \"/spec/containers/0/image\", \"value\": \"nginx:1.27\"}]\n".into()),
        ("a.yaml", app("patch", "[{op: test, path: /spec/containers/0/image, value: 'nginx:1.27'}]")),
        ("f.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec:\n  patchesJson6902:\n  - target: {kind: Pod}\n    patch:\n    - {op: test, path: /spec/containers/0/image, value: 'nginx:1.27'}\n".into()),
        ("t.yaml", "apiVersion: builtin\nkind: PatchJson6902Transformer\nmetadata: {name: x}\njsonOp: '[{\"op\": \"test\", \"path\": \"/spec/containers/0/image\", \"value\": \"nginx:1.27\"}]'\n".into()),
        ("k/kustomization.yaml", overlay("transformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  patch: |-\n    - op: test\n      path: /spec/containers/0/image\n      value: nginx:1.27\n")),
        ("t.yaml.j2", "{% if x %}\n- op: test\n  path: /spec/containers/0/image\n  value: nginx:1.27\n{% endif %}\n".into()),
    ] {
        stays(&[(path, &text)], path);
    }
}

#[test]
fn a_kustomization_that_cannot_be_read_holds_everything() {
    let utf16: Vec<u8> = overlay(NAMES)
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let latin1 = [b"# caf\xe9\n", overlay(NAMES).as_bytes()].concat();
    let large = overlay(NAMES) + &"# x\n".repeat(100);
    for (path, bytes) in [
        ("overlay/kustomization.yaml", utf16),
        ("overlay/Kustomization", latin1.clone()),
        (".argocd-source-app.yaml", latin1),
        ("overlay/kustomization.yml", large.into_bytes()),
    ] {
        let folder = tree(&[BASE]);
        put(folder.path(), path, &bytes);
        for paths in [&["."][..], &["base"], &["base/app.yaml"]] {
            let before = contents(folder.path());
            let (exit, _, talk) = rewrite(
                folder.path(),
                &[paths, &["--max-file-size", "300"]].concat(),
            );
            assert_eq!(contents(folder.path()), before, "{path}: {talk}");
            assert_eq!(exit, 2, "{talk}");
            assert!(
                talk.contains(&format!("`nginx:1.27` group-incomplete: {path} may name")),
                "{talk}"
            );
        }
    }
}

#[test]
fn a_resource_that_cannot_be_read_leaves_the_others() {
    let folder = tree(&[
        BASE,
        (
            "base/kustomization.yaml",
            "resources: [app.yaml, other.yaml]\n",
        ),
    ]);
    put(folder.path(), "base/other.yaml", b"# caf\xe9 image\n");
    let (exit, output, talk) = rewrite(folder.path(), &[".", "--dry-run"]);
    assert_eq!(exit, 2, "{talk}");
    assert_eq!(
        talk.matches("base/other.yaml: is not UTF-8").count(),
        1,
        "{talk}"
    );
    assert!(output.contains("library/nginx"), "{output}");
}

#[test]
#[cfg(unix)]
fn a_kustomization_outside_of_the_repository_holds_everything() {
    let outside = tempfile::tempdir().unwrap();
    put(outside.path(), "k.yaml", NAMES.as_bytes());
    let folder = tree(&[BASE]);
    link(
        folder.path(),
        outside.path().join("k.yaml").to_str().unwrap(),
        "o/kustomization.yaml",
    );
    let (exit, output, talk) = rewrite(folder.path(), &["base", "--dry-run"]);
    assert_eq!((exit, output.as_str()), (2, ""), "{talk}");
    assert!(
        talk.contains("o/kustomization.yaml: is a link out of the repository"),
        "{talk}"
    );
}

#[test]
fn a_patch_that_cannot_be_read_holds_what_is_built_with_it() {
    let folder = tree(&[
        BASE,
        TAKES,
        (
            "o/kustomization.yaml",
            &overlay("patches: [{path: p.yaml}]\n"),
        ),
        ("other/a.yaml", &APP.replace("nginx", "httpd")),
    ]);
    put(folder.path(), "o/p.yaml", b"# caf\xe9 image\n");
    let (exit, output, talk) = rewrite(folder.path(), &["base", "other", "--dry-run"]);
    assert_eq!(exit, 2, "{talk}");
    assert!(
        output.contains("library/httpd") && !output.contains("library/nginx"),
        "{output}"
    );
    assert!(
        talk.contains("`nginx:1.27` group-incomplete: o/p.yaml is built together"),
        "{talk}"
    );
}

#[test]
fn names_that_are_filled_in_later_hold_what_they_may_be() {
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec:\n  path: ./base\n  images: [{name: '${APP}', newTag: x}]\n";
    let set = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nspec:\n  template:\n    spec:\n      source:\n        path: '{{path}}'\n        kustomize: {images: ['{{image}}']}\n";
    let other = ("other/app.yaml", &*APP.replace("nginx", "httpd"));
    for (path, text, elsewhere) in [
        (
            "o/kustomization.yaml",
            &*overlay("images: [{name: '$APP', newTag: x}]\n"),
            true,
        ),
        ("flux.yaml", flux, true),
        ("set.yaml", set, false),
    ] {
        let folder = tree(&[BASE, TAKES, other, (path, text)]);
        let (_, diff, talk) = rewrite(folder.path(), &[".", "--dry-run"]);
        assert!(!diff.contains("base/app.yaml"), "{diff}");
        assert!(
            talk.contains(&format!("group-incomplete: the name at {path}:")),
            "{talk}"
        );
        assert_eq!(diff.contains("other/app.yaml"), elsewhere, "{path}: {talk}");
    }
    stays(
        &[(
            "o/kustomization.yaml",
            &overlay("images: [{name: 'ngin${X}', newTag: x}]\n"),
        )],
        "o/kustomization.yaml:2",
    );
}

/// What kustomize makes of a folder; nothing, said aloud, where it is not installed.
fn rendered(folder: &Path) -> Option<String> {
    let output = Command::new("kubectl")
        .arg("kustomize")
        .arg(folder)
        .output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: there is no kubectl");
        return None;
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    assert!(output.status.success(), "{}", text(output.stderr));
    Some(text(output.stdout))
}

#[test]
fn a_new_name_changes_the_registry_of_what_is_rendered_and_nothing_else() {
    let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages: [{name: redis, newName: quay.io/acme/redis}]\n";
    let overlay = "resources: [../base]\ncomponents: [../component]\nimages:\n- name: nginx\n  newName: ghcr.io/acme/web\n  newTag: v1\n- {name: '.*busybox', newName: busybox, digest: 'sha256:0123456789012345678901234567890123456789012345678901234567890123'}\n";
    let app = format!(
        "{}  - {{name: c, image: busybox}}\n",
        APP.replace("kind: Pod\n", "kind: Pod\nmetadata: {name: p}\n")
    );
    let folder = tree(&[
        ("base/app.yaml", &app),
        TAKES,
        ("component/kustomization.yaml", component),
        ("overlay/kustomization.yaml", overlay),
    ]);
    let at = folder.path().join("overlay");
    let Some(before) = rendered(&at) else { return };
    let (exit, _, talk) = rewrite(folder.path(), &["."]);
    assert!(exit == 0 && talk.contains("3 changed in 2 files"), "{talk}");
    let after = rendered(&at).unwrap();
    let restored = after
        .replace(&format!("{REGISTRY}/quay/"), "quay.io/")
        .replace(&format!("{REGISTRY}/ghcr/"), "ghcr.io/")
        .replace(&format!("{REGISTRY}/docker-hub/library/"), "");
    assert_eq!(after.matches(REGISTRY).count(), 3, "{after}");
    assert_eq!(restored, before);
}

const OVERRIDES: &str = "registry: 111111111111.dkr.ecr.eu-west-1.amazonaws.com\nrules: default\noverrides:\n- {paths: ['environments/prod/**', 'clusters/prod/**'], account: '999999999999'}\n- {paths: ['environments/staging/**'], account: '222222222222'}\n";

/// The account that a dry run gives to the image of `base/app.yaml`, or what is said of it.
#[cfg(unix)]
fn account(files: &[(&str, &str)], links: &[(&str, &str)], path: &str) -> String {
    let app = APP.replace("  - name: b\n    image: redis:7\n", "");
    let base = [(".ecr-rewrite.yaml", OVERRIDES), ("base/app.yaml", &*app)];
    let folder = tree(&[&base, files].concat());
    links
        .iter()
        .for_each(|(at, target)| link(folder.path(), target, at));
    let (_, diff, talk) = run(folder.path(), &[path, "--dry-run", "-v"]);
    match diff.split_once("+    image: ") {
        Some((_, rest)) => rest[..12].to_string(),
        None => talk,
    }
}

#[test]
#[cfg(unix)]
fn the_places_of_links_decide_as_the_files_that_deploy_them_do() {
    let prod = ("environments/prod/app.yaml", "../../base/app.yaml");
    let staging = ("environments/staging/app.yaml", "../../base/app.yaml");
    let takes = |place| (place, "resources: [app.yaml]\n");
    let in_prod = takes("environments/prod/kustomization.yaml");
    let in_staging = takes("environments/staging/kustomization.yaml");
    let several = |talk: String, places: &[&str]| {
        assert!(talk.contains("several-targets"), "{talk}");
        places
            .iter()
            .for_each(|place| assert!(talk.contains(place), "{place}: {talk}"));
    };
    // Nothing but a link says that it is deployed there; the file's own place may be deployed, too.
    several(
        account(&[], &[prod], "base"),
        &[
            "environments/prod/app.yaml needs `images: [{name: nginx, newName: 999999999999.dkr",
            "base/app.yaml needs",
        ],
    );
    several(
        account(&[in_prod, in_staging], &[prod, staging], "base"),
        &[
            "environments/prod/kustomization.yaml needs",
            "environments/staging/kustomization.yaml needs",
        ],
    );
    // A folder as a whole, and one kustomization for both environments.
    several(
        account(
            &[TAKES, ("shared/k.yaml", "resources: [app]\n")],
            &[
                ("environments/prod/app", "../../base"),
                ("environments/staging/app", "../../base"),
                (
                    "environments/prod/kustomization.yaml",
                    "../../shared/k.yaml",
                ),
                (
                    "environments/staging/kustomization.yaml",
                    "../../shared/k.yaml",
                ),
            ],
            "base",
        ),
        &[
            "environments/prod/kustomization.yaml needs",
            "environments/staging/kustomization.yaml needs",
        ],
    );
    let one = [
        ("environments/prod/app", "../../base"),
        (
            "environments/prod/kustomization.yaml",
            "../../shared/k.yaml",
        ),
    ];
    assert_eq!(
        account(&[TAKES, ("shared/k.yaml", "resources: [app]\n")], &one, "."),
        "999999999999"
    );
}

#[test]
#[cfg(unix)]
fn deployers_in_a_ring_still_decide() {
    // As Flux lays a cluster out: its own manifest deploys the folder that takes it in.
    let flux = |path| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {{path: {path}}}\n"
        )
    };
    let (sync, apps) = (flux("./clusters/prod"), flux("./base"));
    let files = [
        (
            "clusters/prod/flux-system/kustomization.yaml",
            "resources: [gotk-sync.yaml]\n",
        ),
        ("clusters/prod/flux-system/gotk-sync.yaml", &*sync),
        ("clusters/prod/apps.yaml", &*apps),
        (
            "base/kustomization.yaml",
            "resources: [app.yaml, ../base]\n",
        ),
    ];
    assert_eq!(account(&files, &[], "base"), "999999999999");
}

#[test]
#[cfg(unix)]
fn a_part_of_a_repository_has_the_targets_of_the_whole() {
    let overlay = |place| (place, "resources: [../../base]\n");
    let prod = overlay("environments/prod/kustomization.yaml");
    let staging = overlay("environments/staging/kustomization.yaml");
    assert_eq!(
        account(&[TAKES, prod], &[], "base/app.yaml"),
        "999999999999"
    );
    let talk = account(&[TAKES, prod, staging], &[], "base/app.yaml");
    assert!(talk.contains("several-targets"), "{talk}");
    // What points at another environment's folder may have meant either registry.
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: environments/staging}\n";
    let talk = account(
        &[
            ("clusters/prod/staging.yaml", flux),
            (
                "environments/staging/app.yaml",
                &APP.replace("redis:7", "nginx:2"),
            ),
        ],
        &[],
        "environments",
    );
    assert!(talk.contains("clusters/prod/staging.yaml needs"), "{talk}");
    // With one registry for all, there is nothing to disagree about.
    let folder = tree(&[BASE, TAKES, prod, staging]);
    let (_, diff, talk) = rewrite(folder.path(), &["base", "--dry-run"]);
    assert!(diff.contains("library/nginx"), "{talk}");
}

/// Whether a dry run leaves `base/app.yaml` as it is.
fn holds(files: &[(&str, &str)], paths: &[&str], git: bool) -> (bool, String) {
    let folder = tree(&[&[BASE, TAKES], files].concat());
    if !git {
        std::fs::remove_dir(folder.path().join(".git")).unwrap();
    }
    let (_, diff, talk) = rewrite(folder.path(), &[paths, &["--dry-run"]].concat());
    (!diff.contains("a/base/app.yaml"), format!("{diff}{talk}"))
}

#[test]
fn entries_that_are_not_followed_hold_what_they_may_match() {
    let overlay = |rest: &str| format!("resources: [../base]\nimages:\n{rest}");
    let set = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nspec:\n  templatePatch: |\n    spec: {source: {kustomize: {images: [\"nginx:1\", \"redis:8\"]}}}\n";
    let star = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source: {path: base, kustomize: {images: [\"nginx=*:1\"]}}\n";
    for (path, text) in [
        (
            "o/kustomization.yaml",
            &*overlay("- &e {name: redis, newTag: '8'}\n- <<: *e\n  name: nginx\n"),
        ),
        (
            "o/kustomization.yaml",
            &*overlay("- {name: nginx, tagSuffix: -alpine}\n- {name: redis, newTag: '8'}\n"),
        ),
        ("set.yaml", set),
        ("app.yaml", star),
        (
            "values.yaml.j2",
            "kustomize:\n  images:\n  {% for x in y %}\n  - nginx:{{ x }}\n  - redis=redis:8\n  {% endfor %}\n",
        ),
    ] {
        let (held, said) = holds(&[(path, text)], &["."], true);
        assert!(held, "{path}: {said}");
    }
}

#[test]
fn what_comes_last_in_a_build_is_tied_to_what_follows() {
    let transformer = "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\ntarget: {kind: Pod}\npath: p.yaml\n";
    let patch = "- {op: replace, path: /spec/containers/0/image, value: 'nginx:1.5'}\n";
    let base = (
        "base/kustomization.yaml",
        "resources: [app.yaml]\ntransformers: [t.yaml]\n",
    );
    let folder = tree(&[
        BASE,
        base,
        ("base/t.yaml", transformer),
        ("base/p.yaml", patch),
        ("o/kustomization.yaml", &overlay(NAMES)),
    ]);
    let (_, diff, talk) = rewrite(folder.path(), &[".", "--dry-run"]);
    assert!(!diff.contains("base/p.yaml"), "{diff}{talk}");
    assert!(
        diff.contains("+images: [{name: nginx, newName: "),
        "{diff}{talk}"
    );
}

#[test]
fn policies_that_a_build_holds_keep_their_names() {
    // What a policy puts into objects moves with the name.
    for (rule, moved) in [
        ("validate: {pattern", 0),
        ("mutate: {patchStrategicMerge", 3),
    ] {
        let policy = format!(
            "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {{rules: [{{{rule}: {{spec: {{initContainers: [{{image: 'nginx:1.27'}}]}}}}}}}}]}}\n"
        );
        let files = [
            ("base/policy.yaml", &*policy),
            (
                "base/kustomization.yaml",
                "resources: [app.yaml, policy.yaml]\n",
            ),
            ("o/kustomization.yaml", &*overlay(NAMES)),
            ("p/kustomization.yaml", "resources: [../base]\n"),
        ];
        let folder = tree(&[&[BASE], &files[..]].concat());
        let (_, diff, talk) = rewrite(folder.path(), &[".", "--dry-run"]);
        let names = diff.matches("library/nginx").count();
        assert_eq!(names, moved, "{diff}{talk}");
        assert!(diff.contains("library/redis"), "{diff}{talk}");
    }
}

#[test]
fn a_half_moved_name_heals_only_where_one_is_meant() {
    let moved = APP.replace("nginx", &format!("{REGISTRY}/docker-hub/library/nginx"));
    let live = format!(
        "images:\n- {{name: {REGISTRY}/docker-hub/library/nginx, newTag: '3'}}\n- {{name: nginx, newTag: '2'}}\n"
    );
    let two = "images:\n- {name: nginx, newTag: '2'}\n- {name: docker.io/nginx, newTag: '3'}\n";
    for (names, heals) in [(NAMES, true), (&live, false), (two, false)] {
        let folder = tree(&[
            ("base/app.yaml", &*moved),
            TAKES,
            ("o/kustomization.yaml", &overlay(names)),
            ("p/kustomization.yaml", "resources: [../base]\n"),
        ]);
        let (_, diff, talk) = rewrite(folder.path(), &[".", "--dry-run"]);
        assert_eq!(
            diff.contains("b/o/kustomization.yaml"),
            heals,
            "{names}: {diff}{talk}"
        );
    }
    let folder = tree(&[
        ("base/app.yaml", &*moved),
        TAKES,
        ("o/kustomization.yaml", &overlay(NAMES)),
    ]);
    let (exit, output, _) = run(folder.path(), &["--check", "--registry", REGISTRY]);
    assert!(
        exit == 1 && output.contains("stale-kustomize-name"),
        "{output}"
    );
}

#[test]
fn tests_pass_in_builds_that_go_on_from_an_entry() {
    let test = "resources: [../base]\npatches:\n- target: {kind: Pod}\n  patch: |-\n    - {op: test, path: /spec/containers/0/image, value: 'nginx:1.28'}\n    - {op: remove, path: /spec/x}\n";
    let folder = tree(&[
        BASE,
        (
            "base/kustomization.yaml",
            "resources: [app.yaml]\nimages: [{name: nginx, newTag: '1.28'}]\n",
        ),
        ("o/kustomization.yaml", test),
    ]);
    let (_, diff, talk) = rewrite(folder.path(), &[".", "--dry-run"]);
    let follows = diff.contains("b/o/kustomization.yaml");
    assert_eq!(follows, diff.contains("library/nginx"), "{diff}{talk}");
}

#[test]
fn entries_without_braces_get_no_new_name() {
    let (_, said) = holds(
        &[(
            "o/kustomization.yaml",
            "resources: [../base]\nimages: [name: nginx]\n",
        )],
        &["."],
        true,
    );
    assert!(
        !said.contains("defect") && said.contains("not-editable"),
        "{said}"
    );
}

#[test]
fn outside_of_a_repository_the_current_directory_is_looked_at() {
    let (held, said) = holds(
        &[("o/kustomization.yaml", &overlay(NAMES))],
        &["base"],
        false,
    );
    assert!(
        !said.contains(
            "+    image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx"
        ),
        "{held} {said}"
    );
    assert!(said.contains("add that path"), "{said}");
}
