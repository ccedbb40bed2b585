//! Terraform: a resource for each rule, and the secrets and roles that they need.
//! Fields: AWS provider, `aws_ecr_pull_through_cache_rule`.

use super::{Needs, Registry, SECRET_TEXT, Written, comment, heading, written};

pub(super) fn render(registry: &Registry<'_>) -> String {
    let (rules, left) = written(registry);
    let mut text = heading(registry, &left);
    for rule in &rules {
        text.push('\n');
        text.push_str(&resource(rule));
        text.push_str(&needed(rule));
    }
    text
}

fn resource(rule: &Written<'_>) -> String {
    let name = rule.snake();
    let mut fields = vec![
        ("ecr_repository_prefix", quoted(rule.rule.prefix_text())),
        ("upstream_registry_url", quoted(rule.url)),
    ];
    if let Some(path) = rule.rule.upstream_path() {
        fields.push(("upstream_repository_prefix", quoted(path)));
    }
    match rule.needs {
        Needs::Nothing => {}
        Needs::Secret => fields.push((
            "credential_arn",
            format!("data.aws_secretsmanager_secret.{name}.arn"),
        )),
        Needs::Role => fields.push(("custom_role_arn", format!("var.{name}_role_arn"))),
    }
    let width = fields.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let fields: Vec<String> = fields
        .iter()
        .map(|(key, value)| format!("  {key:width$} = {value}\n"))
        .collect();
    let fields = fields.concat();
    format!(
        "# {}\nresource \"aws_ecr_pull_through_cache_rule\" \"{name}\" {{\n{fields}}}\n",
        comment(rule.why)
    )
}

/// What the resource of a rule refers to.
fn needed(rule: &Written<'_>) -> String {
    let name = rule.snake();
    match rule.needs {
        Needs::Nothing => String::new(),
        Needs::Secret => format!(
            "\n# In the account and region of the registry: {SECRET_TEXT}\ndata \"aws_secretsmanager_secret\" \"{name}\" {{\n  name = {}\n}}\n",
            quoted(&rule.secret())
        ),
        Needs::Role => format!(
            "\nvariable \"{name}_role_arn\" {{\n  description = {}\n  type        = string\n}}\n",
            quoted(&format!("Role with which ECR pulls from {}", rule.url))
        ),
    }
}

/// A text in Terraform's language, with nothing in it to fill in.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    let text = text.replace("${", "$${").replace("%{", "%%{");
    format!("\"{}\"", text.replace('\n', "\\n").replace('\r', "\\r"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fill_in_nothing() {
        assert_eq!(quoted("a\"${b}%{c}\\\n"), "\"a\\\"$${b}%%{c}\\\\\\n\"");
    }
}
