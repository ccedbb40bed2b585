//! The real `aws` command line asks a stand-in for AWS.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::common::{program, put, tree};
use super::stub::{AWS, Stub, rule};

/// The `aws` that is installed for the tests; none when it cannot be, which is said.
fn aws() -> Option<PathBuf> {
    match AWS.find() {
        Ok(program) => Some(program),
        Err(why) => {
            eprintln!("SKIPPED: there is no aws: {why}");
            None
        }
    }
}

fn text(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn run(stub: &Stub, aws: &Path, folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = program(folder);
    stub.logged_in(&mut command, aws, folder);
    text(&command.args(arguments).output().unwrap())
}

const POD: &str =
    "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: nginx:1}, {image: quay.io/a/b:1}]}\n";

fn two() -> Stub {
    Stub::new(vec![
        rule("hub", "registry-1.docker.io"),
        rule("q-u", "quay.io"),
    ])
}

#[test]
fn all_pages_are_read() {
    let Some(aws) = aws() else { return };
    let stub = two();
    stub.with(|state| state.page = 1);
    let folder = tree(&[]);
    let (exit, output, talk) = run(
        &stub,
        &aws,
        folder.path(),
        &["rules", "import", "--from-aws"],
    );
    assert_eq!(exit, 0, "{talk}");
    let wanted = "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nrules:\n  - upstream: docker.io # `--from-aws`, the account of the shell in eu-west-1\n    prefix: hub\n  - upstream: quay.io # `--from-aws`, the account of the shell in eu-west-1\n    prefix: q-u\n";
    assert_eq!(output, wanted);
    let calls = stub.with(|state| state.calls.len());
    assert_eq!(calls, 2, "one call for each page");
}

#[test]
fn what_aws_prints_is_read_from_standard_input() {
    let Some(aws) = aws() else { return };
    let stub = two();
    stub.with(|state| state.page = 1);
    let folder = tree(&[]);
    for form in [
        &["--output", "json"][..],
        &["--output", "yaml"],
        &["--query", "pullThroughCacheRules"],
    ] {
        let mut command = Command::new(&aws);
        stub.logged_in(&mut command, &aws, folder.path());
        command
            .args(["ecr", "describe-pull-through-cache-rules"])
            .args(form);
        let printed = command.output().unwrap();
        if !printed.status.success() {
            // Version 1 of the command line prints no YAML.
            assert_eq!(form[1], "yaml");
            continue;
        }
        let (exit, output, talk) = super::common::run_with_input(
            folder.path(),
            &["rules", "import", "-", "--region", "eu-central-1"],
            &printed.stdout,
        );
        assert_eq!(exit, 0, "{form:?}: {talk}");
        assert!(
            output.starts_with("registry: 123456789012.dkr.ecr.eu-central-1"),
            "{output}"
        );
        assert_eq!(output.matches("prefix:").count(), 2, "{output}");
    }
}

#[test]
fn rules_of_aws_are_stated_rules() {
    let Some(aws) = aws() else { return };
    let stub = two();
    let folder = tree(&[("a.yaml", POD)]);
    let (exit, _, talk) = run(&stub, &aws, folder.path(), &[".", "--from-aws"]);
    assert_eq!(exit, 0, "{talk}");
    assert!(talk.contains("(from `--from-aws`)"), "{talk}");
    let after = fs::read_to_string(folder.path().join("a.yaml")).unwrap();
    let registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    assert!(
        after.contains(&format!("{registry}/hub/library/nginx:1")),
        "{after}"
    );
    assert!(after.contains(&format!("{registry}/q-u/a/b:1")), "{after}");
}

#[test]
fn the_target_of_the_config_is_asked_whatever_the_shell_says() {
    let Some(aws) = aws() else { return };
    let stub = two();
    let config = "registry: 999999999999.dkr.ecr.us-east-2.amazonaws.com\noverrides:\n- {paths: [prod/**], account: \"888888888888\"}\n";
    let folder = tree(&[
        ("a.yaml", POD),
        ("prod/a.yaml", POD),
        (".ecr-rewrite.yaml", config),
    ]);
    let (_, output, talk) = run(
        &stub,
        &aws,
        folder.path(),
        &[".", "--from-aws", "--dry-run"],
    );
    assert!(
        output.contains("999999999999.dkr.ecr.us-east-2.amazonaws.com/hub/"),
        "{output}{talk}"
    );
    assert!(
        output.contains("888888888888.dkr.ecr.us-east-2.amazonaws.com/hub/"),
        "{output}"
    );
    assert!(
        talk.contains("warning: the rules of AWS are those of account 123456789012"),
        "{talk}"
    );
    let asked = stub.with(|state| {
        let calls = state.calls.iter();
        calls
            .map(|(_, body)| body["registryId"].as_str().unwrap_or("").to_string())
            .collect::<Vec<_>>()
    });
    assert!(
        asked.contains(&"999999999999".to_string()) && asked.contains(&"888888888888".into()),
        "{asked:?}"
    );
}

#[test]
fn a_region_that_is_not_the_targets_is_no_question() {
    let Some(aws) = aws() else { return };
    let stub = two();
    let config = "registry: 123456789012.dkr.ecr.us-east-2.amazonaws.com\n";
    let folder = tree(&[("a.yaml", POD), (".ecr-rewrite.yaml", config)]);
    let asked = [".", "--dry-run", "--from-aws", "--region"];
    let ask = |region: &'static str| {
        run(
            &stub,
            &aws,
            folder.path(),
            &[&asked[..], &[region]].concat(),
        )
    };
    let (exit, _, talk) = ask("eu-west-1");
    assert!(
        exit == 2 && talk.contains("is not the region of the target"),
        "{talk}"
    );
    assert_eq!(ask("us-east-2").0, 0);
}

#[test]
fn an_answer_without_rules_is_believed() {
    let Some(aws) = aws() else { return };
    let stub = Stub::new(Vec::new());
    let used = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: nginx:1}, {image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/hub/library/redis:1}]}\n";
    let folder = tree(&[("a.yaml", used)]);
    let none = "AWS says that there are no pull-through cache rules in the account of the shell in eu-west-1";
    for arguments in [&[".", "--dry-run"][..], &["convert", "nginx"], &["."]] {
        let arguments = [arguments, &["--from-aws"]].concat();
        let (exit, output, talk) = run(&stub, &aws, folder.path(), &arguments);
        assert_eq!((exit, output.as_str()), (2, ""), "{arguments:?}: {talk}");
        for part in [
            "no target registry",
            none,
            "--region",
            "--profile",
            "--registry",
        ] {
            assert!(talk.contains(part), "{arguments:?} {part}: {talk}");
        }
    }
    let (exit, _, talk) = run(
        &stub,
        &aws,
        folder.path(),
        &["rules", "import", "--from-aws"],
    );
    assert!(exit == 0 && talk.contains(none), "{talk}");
    // What the references show is no rule then.
    let (exit, _, talk) = run(&stub, &aws, folder.path(), &["init", "--from-aws"]);
    assert!(
        exit == 0 && talk.contains(none) && talk.contains("no rule is known"),
        "{talk}"
    );
    let config = fs::read_to_string(folder.path().join(".ecr-rewrite.yaml")).unwrap();
    assert!(
        config.contains("# rules:\n") && !config.contains("\nrules:"),
        "{config}"
    );
}

#[test]
fn what_aws_refuses_is_said_with_what_to_do() {
    let Some(aws) = aws() else { return };
    let stub = two();
    let folder = tree(&[("a.yaml", POD)]);
    stub.with(|state| {
        state.error = Some((
            "AccessDeniedException",
            "User: x is not authorized to perform: ecr:DescribePullThroughCacheRules",
        ));
    });
    let (exit, output, talk) = run(
        &stub,
        &aws,
        folder.path(),
        &["rules", "import", "--from-aws"],
    );
    assert_eq!((exit, output.as_str()), (2, ""), "{talk}");
    for part in [
        "not authorized to perform",
        "the role needs `ecr:DescribePullThroughCacheRules`",
        "--rules",
    ] {
        assert!(talk.contains(part), "{talk}");
    }
    assert_eq!(talk.lines().count(), 1, "{talk}");
    let (exit, _, talk) = run(&stub, &aws, folder.path(), &[".", "--from-aws"]);
    assert_eq!(exit, 2, "{talk}");
    assert_eq!(
        fs::read_to_string(folder.path().join("a.yaml")).unwrap(),
        POD
    );
}

#[test]
fn missing_credentials_and_profiles_are_said() {
    let Some(aws) = aws() else { return };
    let stub = two();
    let folder = tree(&[]);
    let ask = |arguments: &[&str], region: bool| {
        let mut command = program(folder.path());
        stub.logged_out(&mut command, &aws, folder.path());
        if region {
            command.env("AWS_REGION", "eu-west-1");
        }
        let all = [&["rules", "import", "--from-aws"], arguments].concat();
        text(&command.args(all).output().unwrap())
    };
    let (exit, _, talk) = ask(&[], true);
    assert_eq!(exit, 2, "{talk}");
    assert!(
        talk.contains("Unable to locate credentials") && talk.contains("aws sso login"),
        "{talk}"
    );
    let (_, _, talk) = ask(&["--profile=--debug"], true);
    assert!(
        talk.contains("--debug") && talk.contains("could not be found"),
        "{talk}"
    );
    let (_, _, talk) = ask(&[], false);
    assert!(
        talk.contains("no region is known") && talk.contains("--region"),
        "{talk}"
    );
    let (_, _, talk) = ask(&["--region", "--debug"], true);
    assert!(talk.contains("error:"), "{talk}");
    assert!(stub.with(|state| state.calls.is_empty()));
}

#[test]
fn a_profile_says_who_asks_and_where() {
    let Some(aws) = aws() else { return };
    let stub = two();
    let folder = tree(&[]);
    put(folder.path(), ".aws/config", b"[profile prod]\nregion = sa-east-1\naws_access_key_id = AKIAOTHER\naws_secret_access_key = x\n");
    let mut command = program(folder.path());
    stub.logged_out(&mut command, &aws, folder.path());
    command.args(["rules", "import", "--from-aws", "--profile", "prod"]);
    let (exit, output, talk) = text(&command.output().unwrap());
    assert_eq!(exit, 0, "{talk}");
    assert!(
        output.starts_with("registry: 123456789012.dkr.ecr.sa-east-1.amazonaws.com\n"),
        "{output}"
    );
}

#[test]
fn without_the_command_line_of_aws_it_is_said() {
    let folder = tree(&[]);
    let mut command = program(folder.path());
    command
        .env("PATH", folder.path())
        .args(["rules", "show", "--from-aws"]);
    let (exit, _, talk) = text(&command.output().unwrap());
    assert_eq!(exit, 2);
    assert!(
        talk.contains("not on the PATH") && talk.contains("--rules FILE"),
        "{talk}"
    );
}

#[test]
fn exported_commands_make_the_rules_that_were_missing() {
    let Some(aws) = aws() else { return };
    let stub = Stub::new(vec![rule("docker-hub", "registry-1.docker.io")]);
    let pod = format!(
        "{POD}---\napiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: ghcr.io/acme/x:1}}]}}\n"
    );
    let config = "rules:\n- {upstream: ghcr.io/acme, prefix: acme}\n- {upstream: docker.io, prefix: docker-hub}\n";
    let folder = tree(&[("a.yaml", &pod), (".ecr-rewrite.yaml", config)]);
    let export = ["rules", "export", "--to", "aws-cli", "--from-aws"];
    let (exit, script, talk) = run(&stub, &aws, folder.path(), &export);
    assert_eq!(exit, 0, "{talk}");
    assert_eq!(
        script.matches("create-pull-through-cache-rule").count(),
        2,
        "{script}"
    );
    assert!(!script.contains("docker-hub"), "{script}");
    let shell = |credential: Option<&str>| {
        let mut command = Command::new("sh");
        stub.logged_in(&mut command, &aws, folder.path());
        command.current_dir(folder.path()).args(["-c", &script]);
        credential.map(|arn| command.env("ACME_CREDENTIAL_ARN", arn));
        text(&command.output().unwrap())
    };
    let (exit, _, talk) = shell(None);
    assert!(
        exit != 0 && talk.contains("the ARN of the secret ecr-pullthroughcache/acme"),
        "{talk}"
    );
    assert_eq!(stub.with(|state| state.rules.len()), 1);
    let (exit, _, talk) = shell(Some(
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ecr-pullthroughcache/acme-Ab12Cd",
    ));
    assert_eq!(exit, 0, "{talk}");
    let (exit, output, talk) = run(&stub, &aws, folder.path(), &export);
    assert_eq!((exit, output.as_str()), (0, ""), "{talk}");
    assert!(talk.contains("nothing is missing"), "{talk}");
    let (_, output, _) = run(&stub, &aws, folder.path(), &["rules", "show", "--from-aws"]);
    for row in [
        "docker.io     docker-hub",
        "ghcr.io/acme  acme",
        "quay.io       quay",
    ] {
        assert!(output.contains(row), "{output}");
    }
}
