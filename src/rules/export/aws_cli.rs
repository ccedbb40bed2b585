//! The `aws` command line: a shell script with a command for each rule.

use super::{Needs, Registry, SECRET_TEXT, Written, comment, heading, written};
use crate::rules::EcrHost;

pub(super) fn render(registry: &Registry<'_>) -> String {
    let (rules, left) = written(registry);
    let mut text = format!("#!/bin/sh\n{}set -eu\n", heading(registry, &left));
    for rule in &rules {
        text.push_str(&command(rule, registry.host));
    }
    text
}

fn command(rule: &Written<'_>, host: Option<&EcrHost>) -> String {
    let variable = rule.snake().to_ascii_uppercase();
    let mut arguments = Vec::new();
    if let Some(account) = host.and_then(EcrHost::account) {
        arguments.push(format!("--registry-id {}", quoted(account)));
    }
    if let Some(region) = host.and_then(EcrHost::region) {
        arguments.push(format!("--region {}", quoted(region)));
    }
    arguments.push(format!(
        "--ecr-repository-prefix {}",
        quoted(rule.rule.prefix_text())
    ));
    arguments.push(format!("--upstream-registry-url {}", quoted(rule.url)));
    if let Some(path) = rule.rule.upstream_path() {
        arguments.push(format!("--upstream-repository-prefix {}", quoted(path)));
    }
    let mut before = format!("\n# {}\n", comment(rule.why));
    match rule.needs {
        Needs::Nothing => {}
        Needs::Secret => {
            let secret = rule.secret();
            before.push_str(&format!(
                "# The secret {secret} in the same account and region holds {SECRET_TEXT}\n: \"${{{variable}_CREDENTIAL_ARN:?the ARN of the secret {secret}}}\"\n"
            ));
            arguments.push(format!("--credential-arn \"${variable}_CREDENTIAL_ARN\""));
        }
        Needs::Role => {
            before.push_str(&format!(
                ": \"${{{variable}_ROLE_ARN:?the ARN of the role with which ECR pulls from {}}}\"\n",
                rule.url
            ));
            arguments.push(format!("--custom-role-arn \"${variable}_ROLE_ARN\""));
        }
    }
    let arguments: Vec<String> = arguments
        .iter()
        .map(|word| format!(" \\\n  {word}"))
        .collect();
    let arguments = arguments.concat();
    format!("{before}aws ecr create-pull-through-cache-rule{arguments}\n")
}

/// A word for a shell, in which nothing has a meaning.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_no_meaning_to_a_shell() {
        assert_eq!(quoted("docker-hub"), "docker-hub");
        assert_eq!(quoted("a'$(b)"), r"'a'\''$(b)'");
        assert_eq!(comment("a\nrm -rf x\r"), "a rm -rf x ");
    }
}
