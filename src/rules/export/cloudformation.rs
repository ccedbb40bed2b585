//! CloudFormation: a resource for each rule, and a parameter for each secret or role that they need.
//! Fields: CloudFormation user guide, `AWS::ECR::PullThroughCacheRule`.

use super::{Needs, Registry, SECRET_TEXT, Written, comment, heading, written};

/// What YAML 1.1 takes for a boolean or for nothing (<https://yaml.org/type/bool.html>).
const WORDS: &[&str] = &["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

pub(super) fn render(registry: &Registry<'_>) -> String {
    let (rules, left) = written(registry);
    let mut text = heading(registry, &left);
    text.push_str("AWSTemplateFormatVersion: \"2010-09-09\"\nDescription: Pull-through cache rules of Amazon ECR\n");
    let parameters: String = rules.iter().map(parameter).collect();
    if !parameters.is_empty() {
        text.push_str(&format!("Parameters:\n{parameters}"));
    }
    let resources: String = rules.iter().map(resource).collect();
    if resources.is_empty() {
        // A template without resources is none.
        text.push_str("Resources: {}\n");
    } else {
        text.push_str(&format!("Resources:\n{resources}"));
    }
    text
}

/// The parameter that a rule refers to.
fn parameter(rule: &Written<'_>) -> String {
    let name = rule.pascal();
    match rule.needs {
        Needs::Nothing => String::new(),
        Needs::Secret => format!(
            "  {name}CredentialArn:\n    Type: String\n    Description: {}\n    AllowedPattern: '^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{{12}}:secret:ecr-pullthroughcache/.+$'\n",
            quoted(&format!(
                "ARN of the secret {} in this account and region: {SECRET_TEXT}",
                rule.secret()
            ))
        ),
        Needs::Role => format!(
            "  {name}RoleArn:\n    Type: String\n    Description: {}\n",
            quoted(&format!(
                "ARN of the role with which ECR pulls from {}",
                rule.url
            ))
        ),
    }
}

fn resource(rule: &Written<'_>) -> String {
    let name = rule.pascal();
    let mut text = format!(
        "  # {}\n  {}:\n    Type: AWS::ECR::PullThroughCacheRule\n    Properties:\n      EcrRepositoryPrefix: {}\n      UpstreamRegistryUrl: {}\n",
        comment(rule.why),
        key(&name),
        quoted(rule.rule.prefix_text()),
        quoted(rule.url)
    );
    if let Some(path) = rule.rule.upstream_path() {
        text.push_str(&format!(
            "      UpstreamRepositoryPrefix: {}\n",
            quoted(path)
        ));
    }
    match rule.needs {
        Needs::Nothing => {}
        Needs::Secret => text.push_str(&format!("      CredentialArn: !Ref {name}CredentialArn\n")),
        Needs::Role => text.push_str(&format!("      CustomRoleArn: !Ref {name}RoleArn\n")),
    }
    text
}

/// A key, in quotes where YAML 1.1, which the tools of AWS read, has another word for it than a text.
fn key(name: &str) -> String {
    let is_word = WORDS.iter().any(|word| name.eq_ignore_ascii_case(word));
    if is_word {
        quoted(name)
    } else {
        name.to_string()
    }
}

/// A text in quotes in which nothing has a meaning.
fn quoted(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("'{}'", line.replace('\'', "''"))
}
