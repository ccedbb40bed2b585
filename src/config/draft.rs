//! The text of a config that somebody is given to go on with: rules to paste, or a whole file.

use crate::rules::export::comment;
use crate::rules::{Library, Rule};
use crate::yaml::{PlainType, plain_type};

/// Where the package says that its sources are published; empty when it says nothing.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// A `rules:` block; each rule with a comment that says where it comes from.
pub fn rules_block(rules: &[Rule]) -> String {
    let mut text = String::from("rules:\n");
    for rule in rules {
        text.push_str(&format!(
            "  - upstream: {} # {}\n    prefix: {}\n",
            scalar(&rule.upstream()),
            comment(&rule.origin().to_string()),
            scalar(rule.prefix_text())
        ));
        if rule.library() == Library::Absent {
            text.push_str("    library: false\n");
        }
    }
    if rules.is_empty() {
        return "rules: []\n".into();
    }
    text
}

/// What a whole config says.
#[derive(Debug, Default)]
pub struct Draft {
    /// The target, and where it comes from in words.
    pub registry: Option<(String, String)>,
    /// The account that is known, where the region is not.
    pub account: Option<String>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// Rules that may be: what they rest on is the name of a prefix.
    pub guessed: Vec<Rule>,
    /// Hosts of vendors in the repository, each with what it fronts.
    pub aliases: Vec<(String, String)>,
    /// Hosts in the repository that no cache can serve.
    pub unsupported: Vec<String>,
    /// Other registries of ECR in the repository, each with a place.
    pub others: Vec<(String, String)>,
}

impl Draft {
    /// The text of the config.
    pub fn text(&self) -> String {
        let parts = [
            heading(),
            self.target(),
            self.rules_part(),
            self.aliases_part(),
            self.allow_part(),
            self.overrides_part(),
            "# Files to leave out, and levels of findings: error, warn, info, off.\n# exclude: [\"**/testdata/**\"]\n# checks: {digest-cold-cache: off}\n".to_string(),
        ];
        parts.join("\n")
    }

    fn target(&self) -> String {
        let head = "# The ECR registry that images are pulled from.";
        match (&self.registry, &self.account) {
            (Some((registry, why)), _) => {
                format!(
                    "{head} ({})\nregistry: {}\n",
                    comment(why),
                    scalar(registry)
                )
            }
            (None, Some(account)) => format!(
                "{head} The region is still missing:\n# account: \"{account}\"\n# region: eu-west-1\n"
            ),
            (None, None) => {
                format!("{head}\n# registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\n")
            }
        }
    }

    fn rules_part(&self) -> String {
        let head = "# Which upstream is cached under which prefix (`ecr-rewrite rules show`).\n";
        if self.rules.is_empty() && self.guessed.is_empty() {
            return format!(
                "{head}# None is known yet. State what your registry has, or read it: `ecr-rewrite rules import --from-aws`.\n# rules:\n#   - upstream: docker.io\n#     prefix: docker-hub\n"
            );
        }
        let mut text = head.to_string();
        if !self.rules.is_empty() {
            text.push_str(&rules_block(&self.rules));
        }
        if !self.guessed.is_empty() {
            text.push_str(
                "# No image shows what these cache, only their names say so; take what AWS has:\n",
            );
            let block = rules_block(&self.guessed);
            let lines = block.lines().skip(usize::from(!self.rules.is_empty()));
            lines.for_each(|line| text.push_str(&format!("# {line}\n")));
        }
        text
    }

    fn aliases_part(&self) -> String {
        let head = "# Hosts of vendors that front a supported registry.\n";
        if self.aliases.is_empty() {
            return format!("{head}# aliases:\n#   registry.rocket.chat: docker.io\n");
        }
        let lines = self.aliases.iter();
        let lines = lines
            .map(|(host, upstream)| format!("#   {}: {upstream}\n", comment(host)))
            .collect::<Vec<_>>()
            .concat();
        format!("{head}# These stand in the repository; take what is right:\n# aliases:\n{lines}")
    }

    fn allow_part(&self) -> String {
        let head = "# Images that may stay where they are.\n";
        if self.unsupported.is_empty() {
            return format!(
                "{head}# allow:\n#   - {{image: \"mcr.microsoft.com/**\", reason: \"no ECR upstream\"}}\n"
            );
        }
        let lines = self.unsupported.iter();
        let lines = lines
            .map(|host| {
                let host = comment(host);
                format!("#   - {{image: \"{host}/**\", reason: \"no ECR upstream\"}}\n")
            })
            .collect::<Vec<_>>()
            .concat();
        format!(
            "{head}# These stand in the repository, and Amazon ECR does not cache them:\n# allow:\n{lines}"
        )
    }

    fn overrides_part(&self) -> String {
        let head = "# Environments with an account, region or rules of their own; the last that matches a file wins.\n";
        let mut text = head.to_string();
        for (registry, place) in &self.others {
            text.push_str(&format!(
                "# The repository also uses {} (at {}).\n",
                comment(registry),
                comment(place)
            ));
        }
        text.push_str("# overrides:\n#   - paths: [\"environments/prod/**\"]\n#     registry: 999999999999.dkr.ecr.eu-west-1.amazonaws.com\n");
        text
    }
}

/// The first lines: for editors, and for people.
fn heading() -> String {
    let schema = if REPOSITORY.is_empty() {
        "docs/config.schema.json".to_string()
    } else {
        let version = env!("CARGO_PKG_VERSION");
        format!("{REPOSITORY}/raw/v{version}/docs/config.schema.json")
    };
    format!(
        "# yaml-language-server: $schema={schema}\n# Where the container images of this repository are pulled from: see `ecr-rewrite --help`.\n"
    )
}

/// A plain scalar, in quotes where it would be something else than this text.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_text =
        plain_type(text) == PlainType::Text && !matches!(text, "yes" | "no" | "on" | "off");
    if begins && is_text && text.chars().all(is_plain) && !text.ends_with(':') {
        return text.to_string();
    }
    format!(
        "\"{}\"",
        comment(text).replace('\\', "\\\\").replace('"', "\\\"")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, FILE_NAME};
    use crate::rules::Origin;
    use std::path::Path;

    fn rule(upstream: &str, prefix: &str) -> Rule {
        Rule::new(upstream, prefix, Origin::Source("a\nb: [.tf".into(), 3)).unwrap()
    }

    #[test]
    fn what_is_written_is_read_as_it_was_meant() {
        let rules = vec![
            rule("docker.io", "123"),
            rule("ghcr.io/acme", "true"),
            rule("quay.io", "1e5"),
            rule("registry.k8s.io", "ROOT"),
            rule("reg.example.com:5000", "a/b").with_library(Library::Absent),
        ];
        let draft = Draft {
            registry: Some((
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com".into(),
                "x\ny: z".into(),
            )),
            rules: rules.clone(),
            guessed: vec![rule("cgr.dev", "chainguard")],
            aliases: vec![("lscr.io".into(), "ghcr.io".into())],
            unsupported: vec!["gcr.io".into()],
            others: vec![("o".into(), "p\nq: 1".into())],
            ..Draft::default()
        };
        let config = Config::parse(Path::new(FILE_NAME), &draft.text()).unwrap();
        let read = config.target.rules.unwrap();
        assert!(
            read.iter()
                .zip(&rules)
                .all(|(one, other)| one.agrees_with(other))
        );
        assert_eq!(read.len(), rules.len());
        // What is proposed is right, too, once somebody takes it.
        let text = draft.text();
        let proposed = text.lines().map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with(char::is_lowercase) || rest.starts_with(' ') => rest,
            _ => line,
        });
        let taken = proposed
            .filter(|line| !line.starts_with("yaml-"))
            .collect::<Vec<_>>()
            .join("\n");
        let config = Config::parse(Path::new(FILE_NAME), &taken).unwrap();
        assert_eq!(config.aliases["lscr.io"], "ghcr.io");
        assert_eq!(config.target.rules.unwrap().len(), rules.len() + 1);
        assert_eq!((config.allow.len(), config.overrides.len()), (1, 1));
        let guessed = Draft {
            guessed: draft.guessed,
            ..Draft::default()
        };
        let config = Config::parse(Path::new(FILE_NAME), &guessed.text()).unwrap();
        assert!(config.target.rules.is_none());
        for empty in [
            Draft::default(),
            Draft {
                account: Some("012345678901".into()),
                ..Draft::default()
            },
        ] {
            assert!(Config::parse(Path::new(FILE_NAME), &empty.text()).is_ok());
        }
    }
}
