//! Exported code: the tools that it is for take it, and reading it gives the same rules.

use std::path::Path;
use std::process::Command;

use super::common::tools::Package;
use super::common::{put, run, tree};

const CFN_LINT: Package = Package {
    name: "cfn-lint",
    version: "1.58.0",
    command: "cfn-lint",
};
const HCL2: Package = Package {
    name: "python-hcl2",
    version: "8.1.4",
    command: "hcl2tojson",
};

const POD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: nginx:1\n  - image: quay.io/a/b:1\n  - image: registry.k8s.io/c:1\n  - image: acme.azurecr.io/d:1\n  - image: mcr.microsoft.com/e:1\n  - image: quay.io/allowed/f:1\n";
const CONFIG: &str = "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrules:\n- {upstream: docker.io, prefix: docker-hub}\n- {upstream: ghcr.io/acme, prefix: github/acme}\n- {upstream: 111111111111.dkr.ecr.eu-west-1.amazonaws.com, prefix: old}\n- {upstream: nvcr.io, prefix: nv}\nallow: [{image: quay.io/allowed/**}]\n";

/// Every stated rule, and those that the images need.
const WANTED: &[&str] = &[
    "docker.io=docker-hub",
    "ghcr.io/acme=github/acme",
    "111111111111.dkr.ecr.eu-west-1.amazonaws.com=old",
    "acme.azurecr.io=acme",
    "quay.io=quay",
    "registry.k8s.io=k8s",
];

fn export(folder: &Path, arguments: &[&str]) -> (String, String) {
    let (exit, output, talk) = run(folder, &[&["rules", "export"], arguments].concat());
    assert_eq!(exit, 0, "{talk}");
    (output, talk)
}

/// The rules of a source, sorted.
fn imported(folder: &Path, name: &str) -> Vec<String> {
    let (exit, output, talk) = run(folder, &["rules", "import", name]);
    assert_eq!(exit, 0, "{talk}\n{output}");
    let lines: Vec<&str> = output.lines().collect();
    let rules = lines.windows(2).filter_map(|pair| {
        let (upstream, _) = pair[0].strip_prefix("  - upstream: ")?.split_once(" # ")?;
        Some(format!(
            "{upstream}={}",
            pair[1].strip_prefix("    prefix: ")?
        ))
    });
    let mut rules: Vec<String> = rules.collect();
    rules.sort();
    rules
}

fn wanted(rules: &[&str]) -> Vec<String> {
    let mut rules: Vec<String> = rules.iter().map(|rule| (*rule).to_string()).collect();
    rules.sort();
    rules
}

fn repository() -> tempfile::TempDir {
    tree(&[("a.yaml", POD), (".ecr-rewrite.yaml", CONFIG)])
}

#[test]
fn importing_an_export_gives_the_same_rules() {
    let folder = repository();
    for (word, name) in [("terraform", "out.tf"), ("cloudformation", "out.yaml")] {
        let (code, talk) = export(folder.path(), &["--to", word]);
        assert!(talk.contains("nothing says which rules exist"), "{talk}");
        assert!(
            code.contains("nvcr.io") && !code.contains("mcr.microsoft"),
            "{code}"
        );
        assert!(
            code.contains("Needed by 1 image, first at a.yaml:"),
            "{code}"
        );
        assert!(code.contains("Stated at .ecr-rewrite.yaml:3"), "{code}");
        assert!(
            code.contains("AmazonEC2ContainerRegistryPullOnly"),
            "{code}"
        );
        let outside = tree(&[(name, &code)]);
        assert_eq!(imported(outside.path(), name), wanted(WANTED), "{code}");
        // What exists is missing no more.
        put(
            folder.path(),
            &format!(
                "../{}/{name}",
                folder.path().file_name().unwrap().to_string_lossy()
            ),
            code.as_bytes(),
        );
        let (again, talk) = export(folder.path(), &["--to", word, "--rules", name, "a.yaml"]);
        assert!(
            again.is_empty()
                || !again.contains("UpstreamRegistryUrl") && !again.contains("resource"),
            "{again}{talk}"
        );
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
}

#[test]
fn only_what_is_missing_is_written() {
    let folder = repository();
    put(folder.path(), "there.json", b"{\"pullThroughCacheRules\": [{\"ecrRepositoryPrefix\": \"docker-hub\", \"upstreamRegistryUrl\": \"registry-1.docker.io\"}, {\"ecrRepositoryPrefix\": \"q\", \"upstreamRegistryUrl\": \"quay.io\"}, {\"ecrRepositoryPrefix\": \"acme\", \"upstreamRegistryUrl\": \"cgr.dev\"}]}".replace(*b"\"q\"", b"\"qq\"").as_slice());
    let (code, talk) = export(
        folder.path(),
        &["--to", "terraform", "--rules", "there.json"],
    );
    let outside = tree(&[("out.tf", &code)]);
    let missing = [
        "ghcr.io/acme=github/acme",
        "111111111111.dkr.ecr.eu-west-1.amazonaws.com=old",
        "acme.azurecr.io=acme",
        "registry.k8s.io=k8s",
    ];
    assert_eq!(
        imported(outside.path(), "out.tf"),
        wanted(&missing),
        "{code}"
    );
    assert!(
        talk.contains(
            "warning: the prefix `acme` for `acme.azurecr.io` is taken by `cgr.dev` (there.json:1)"
        ),
        "{talk}"
    );
    let (code, _) = export(
        folder.path(),
        &["--to", "terraform", "--rules", "there.json", "--all"],
    );
    assert!(
        code.contains("\"cgr.dev\"") && code.contains("\"docker-hub\"") && code.contains("\"qq\""),
        "{code}"
    );
    // A rule that is stated otherwise than it exists is asked for, and said.
    put(folder.path(), "there.json", b"{\"pullThroughCacheRules\": [{\"ecrRepositoryPrefix\": \"hub\", \"upstreamRegistryUrl\": \"registry-1.docker.io\"}]}");
    let (code, talk) = export(
        folder.path(),
        &["--to", "terraform", "--rules", "there.json"],
    );
    assert!(
        code.contains("\"docker-hub\"")
            && talk.contains("`docker.io` is cached under `hub` already"),
        "{code}{talk}"
    );
}

trait Replaced {
    fn replace(&self, from: [u8; 3], to: &[u8]) -> Vec<u8>;
}

impl<const N: usize> Replaced for [u8; N] {
    fn replace(&self, from: [u8; 3], to: &[u8]) -> Vec<u8> {
        let at = self.windows(3).position(|part| part == from).unwrap();
        [&self[..at], to, &self[at + 3..]].concat()
    }
}

#[test]
fn what_no_cache_can_be_is_left_out() {
    let config = "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrules:\n- {upstream: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker, prefix: docker-hub}\n- {upstream: docker.io, prefix: hub, library: false}\n- {upstream: ghcr.io, prefix: ghcr}\n";
    let own = "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/gitlab/ours:1\n";
    let folder = tree(&[("a.yaml", own), (".ecr-rewrite.yaml", config)]);
    let (code, talk) = export(folder.path(), &["--to", "terraform"]);
    assert_eq!(code.matches("resource \"").count(), 1, "{code}");
    assert!(code.contains("\"ghcr\""), "{code}");
    assert_eq!(talk.matches("is left out").count(), 2, "{talk}");
}

/// What cfn-lint says of a template; none when it is not there.
fn cfn_lint(text: &str) -> Option<(bool, String)> {
    let program = CFN_LINT
        .find()
        .map_err(|why| eprintln!("SKIPPED: there is no cfn-lint: {why}"))
        .ok()?;
    let folder = tree(&[("template.yaml", text)]);
    let output = Command::new(program)
        .current_dir(folder.path())
        .args(["--regions", "eu-west-1", "--", "template.yaml"])
        .output()
        .unwrap();
    Some((
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    ))
}

#[test]
fn cfn_lint_takes_the_templates() {
    let (code, _) = export(repository().path(), &["--to", "cloudformation"]);
    let example = std::fs::read_to_string("testdata/rules/template.yaml").unwrap();
    for text in [code, example] {
        let Some((is_fine, said)) = cfn_lint(&text) else {
            return;
        };
        assert!(is_fine, "{said}\n{text}");
    }
    // It has an eye for mistakes, or the above would mean nothing.
    let wrong = "Resources: {A: {Type: AWS::ECR::PullThroughCacheRule, Properties: {Odd: 1}}}\n";
    assert!(!cfn_lint(wrong).unwrap().0);
}

#[test]
fn python_hcl2_and_terraform_take_the_configuration() {
    let (code, _) = export(repository().path(), &["--to", "terraform"]);
    let example = std::fs::read_to_string("testdata/rules/ecr.tf").unwrap();
    let folder = tree(&[("a.tf", &code), ("b.tf", &example), ("wrong.tf", "a = {\n")]);
    match HCL2.find() {
        Err(why) => eprintln!("SKIPPED: there is no python-hcl2: {why}"),
        Ok(program) => {
            let takes = |name: &str| {
                let output = Command::new(&program)
                    .current_dir(folder.path())
                    .arg(name)
                    .output()
                    .unwrap();
                (
                    output.status.success(),
                    String::from_utf8_lossy(&output.stdout).into_owned(),
                )
            };
            let (is_fine, json) = takes("a.tf");
            assert!(
                is_fine && json.matches("ecr_repository_prefix").count() == WANTED.len(),
                "{json}"
            );
            assert!(takes("b.tf").0);
            assert!(!takes("wrong.tf").0);
        }
    }
    let format = |name: &str| {
        let mut command = Command::new("terraform");
        command
            .current_dir(folder.path())
            .args(["fmt", "-check", "-diff", name]);
        command
            .output()
            .ok()
            .filter(|output| output.status.code().is_some_and(|code| code != 127))
    };
    match format("a.tf") {
        None => eprintln!("SKIPPED: there is no terraform"),
        Some(output) => {
            let said =
                String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
            assert!(format("b.tf").unwrap().status.success());
            assert!(!format("wrong.tf").unwrap().status.success());
        }
    }
}

/// Providers that are on this machine: none is fetched for a test.
fn plugins() -> Option<std::path::PathBuf> {
    let of_user = || Some(Path::new(&std::env::var_os("HOME")?).join(".terraform.d/plugins"));
    let folder = std::env::var_os("TF_PLUGIN_CACHE_DIR").map(Into::into);
    let folder: std::path::PathBuf = folder.or_else(of_user)?;
    let aws = "registry.terraform.io/hashicorp/aws";
    folder.join(aws).is_dir().then_some(folder)
}

#[test]
fn terraform_validates_the_configuration_where_it_has_the_provider() {
    let Some(plugins) = plugins() else {
        eprintln!("SKIPPED: `terraform validate` needs the AWS provider in ~/.terraform.d/plugins");
        return;
    };
    let (code, _) = export(repository().path(), &["--to", "terraform"]);
    let folder = tree(&[("a.tf", &code)]);
    let terraform = |arguments: &[&str]| {
        let mut command = Command::new("terraform");
        let output = command.current_dir(folder.path()).args(arguments).output();
        let said = |output: std::process::Output| {
            let said = [output.stdout, output.stderr].concat();
            (
                output.status.success(),
                String::from_utf8_lossy(&said).into_owned(),
            )
        };
        output.map(said)
    };
    let from = format!("-plugin-dir={}", plugins.display());
    match terraform(&["init", "-backend=false", "-input=false", &from]) {
        Err(why) => eprintln!("SKIPPED: there is no terraform: {why}"),
        Ok((false, said)) => eprintln!("SKIPPED: terraform cannot use the provider: {said}"),
        Ok((true, _)) => {
            let (is_valid, said) = terraform(&["validate"]).unwrap();
            assert!(is_valid, "{said}\n{code}");
            put(
                folder.path(),
                "odd.tf",
                b"resource \"aws_ecr_pull_through_cache_rule\" \"odd\" {}\n",
            );
            assert!(!terraform(&["validate"]).unwrap().0);
        }
    }
}

#[test]
fn rules_of_an_environment_in_the_same_registry_are_told() {
    let config = "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrules: [{upstream: docker.io, prefix: hub}]\noverrides:\n- {paths: [prod/**], rules: [{upstream: docker.io, prefix: prod-hub}]}\n- {paths: [same/**], rules: [{upstream: docker.io, prefix: hub}]}\n";
    let folder = tree(&[(".ecr-rewrite.yaml", config)]);
    let (_, talk) = export(folder.path(), &["--to", "terraform"]);
    assert!(
        talk.contains("prod/** are rewritten by rules of their own")
            && talk.contains("`docker.io` under `prod-hub` (.ecr-rewrite.yaml:4)"),
        "{talk}"
    );
    assert!(!talk.contains("same/**"), "{talk}");
}

#[test]
fn renovate_gets_the_aliases_of_every_registry() {
    let config = "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrules:\n- {upstream: docker.io, prefix: hub}\n- {upstream: docker.io/bitnami, prefix: hub/bitnami}\noverrides: [{paths: [prod/**], account: \"999999999999\"}]\n";
    let folder = tree(&[(".ecr-rewrite.yaml", config)]);
    let (code, _) = export(folder.path(), &["--to", "renovate"]);
    let wanted = "{
  \"registryAliases\": {
    \"123456789012.dkr.ecr.eu-west-1.amazonaws.com/hub/bitnami\": \"docker.io/bitnami\",
    \"999999999999.dkr.ecr.eu-west-1.amazonaws.com/hub/bitnami\": \"docker.io/bitnami\",
    \"123456789012.dkr.ecr.eu-west-1.amazonaws.com/hub\": \"docker.io\",
    \"999999999999.dkr.ecr.eu-west-1.amazonaws.com/hub\": \"docker.io\"
  }
}
";
    assert_eq!(code, wanted);
    let folder = tree(&[]);
    let (exit, _, talk) = run(folder.path(), &["rules", "export", "--to", "renovate"]);
    assert!(exit == 2 && talk.contains("needs a target"), "{talk}");
}
