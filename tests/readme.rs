//! The commands of the README and of the documents run as they say, help teaches, and the table of
//! upstreams is the program's.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod common;

use common::{program, put, run, tree};

use ecr_rewrite::rules::upstreams::{Credential, UPSTREAMS};

#[test]
fn its_commands_do_what_it_shows() {
    trycmd::TestCases::new()
        .case("README.md")
        .case("docs/rules.md")
        .case("docs/images.md")
        .run();
}

#[test]
fn the_config_that_a_document_shows_is_the_one_that_is_written() {
    let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx:1.27\n  - image: lscr.io/linuxserver/code-server:4\n  - image: mcr.microsoft.com/dotnet/runtime:9.0\n";
    let folder = tree(&[]);
    put(folder.path(), "web.yaml", pod.as_bytes());
    let mut command = program(folder.path());
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCOUNT_ID"] {
        command.env_remove(name);
    }
    assert!(command.arg("init").output().unwrap().status.success());
    let written = std::fs::read_to_string(folder.path().join(".ecr-rewrite.yaml")).unwrap();
    let wanted = format!("<!-- init:begin -->\n```yaml\n{written}```\n<!-- init:end -->");
    let path = "docs/init.md";
    let document = std::fs::read_to_string(path).unwrap();
    if std::env::var_os("ECR_REWRITE_BLESS").is_some() {
        let (before, rest) = document.split_once("<!-- init:begin -->").unwrap();
        let (_, after) = rest.split_once("<!-- init:end -->").unwrap();
        std::fs::write(path, format!("{before}{wanted}{after}")).unwrap();
        return;
    }
    assert!(document.contains(&wanted), "{path} should show:\n{wanted}");
}

/// Commands whose help stands in `tests/help`, word for word: `ECR_REWRITE_BLESS=1` writes it anew.
const HELP: &[&[&str]] = &[
    &["images"],
    &["init"],
    &["rules"],
    &["rules", "show"],
    &["rules", "import"],
    &["rules", "export"],
];

#[test]
fn help_teaches() {
    let folder = tree(&[]);
    for command in [&[][..]].iter().chain(HELP) {
        let (exit, help, talk) = run(folder.path(), &[*command, &["--help"]].concat());
        assert_eq!(exit, 0, "{talk}");
        for part in ["Examples:\n", "Exit codes:", "Usage: ecr-rewrite"] {
            assert!(help.contains(part), "{command:?}: {help}");
        }
        let usage = format!("ecr-rewrite {}", command.join(" "));
        assert!(help.contains(usage.trim_end()), "{command:?}: {help}");
    }
}

#[test]
fn help_says_what_is_recorded() {
    let folder = tree(&[]);
    for command in HELP {
        let (_, help, _) = run(folder.path(), &[*command, &["--help"]].concat());
        let path = format!("tests/help/{}.txt", command.join("-"));
        if std::env::var_os("ECR_REWRITE_BLESS").is_some() {
            std::fs::write(&path, &help).unwrap();
            continue;
        }
        let recorded = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            help, recorded,
            "{path}; `ECR_REWRITE_BLESS=1 cargo test --test readme` records it"
        );
        // The examples are commands that the program takes.
        let examples = help.split("Examples:\n").nth(1).unwrap();
        let examples = examples.lines().take_while(|line| !line.is_empty());
        let taken = examples.filter(|line| line.contains("ecr-rewrite "));
        assert!(taken.count() >= 3, "{command:?}");
    }
}

#[test]
fn its_table_of_upstreams_is_the_programs() {
    let row = |upstream: &ecr_rewrite::rules::upstreams::Upstream| {
        let hosts = [&[upstream.host], upstream.synonyms].concat().join(", ");
        let credential = match upstream.credential {
            Credential::None => "none",
            Credential::Secret => "secret",
        };
        format!(
            "| {} | {hosts} | {} | {credential} |\n",
            upstream.api_name, upstream.default_prefix
        )
    };
    let table: String = UPSTREAMS.iter().map(row).collect();
    let head = "| upstream | hosts in references | prefix of `default` | credential in AWS |\n|---|---|---|---|\n";
    let wanted = format!("<!-- upstreams:begin -->\n{head}{table}<!-- upstreams:end -->");
    let readme = std::fs::read_to_string("README.md").unwrap();
    assert!(readme.contains(&wanted), "the table should be:\n{wanted}");
}
