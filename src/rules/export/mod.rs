//! Rules as code: for Terraform, CloudFormation, the `aws` command line, and Renovate's aliases. A further
//! target is a file beside this one and a row of [`FORMATS`].

mod aws_cli;
mod cloudformation;
mod renovate;
mod terraform;

use std::collections::BTreeSet;

use super::upstreams::{self, Credential};
use super::{EcrHost, Rule};

/// A rule that is to be written out.
#[derive(Clone, Debug)]
pub struct Entry<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// Why it is needed, in words.
    pub why: String,
}

/// Rules of one registry.
#[derive(Clone, Debug)]
pub struct Registry<'r> {
    /// The registry, if one is known.
    pub host: Option<&'r EcrHost>,
    /// The rules.
    pub entries: Vec<Entry<'r>>,
}

/// A kind of code.
#[derive(Debug)]
pub struct Format {
    /// The word that asks for it.
    pub word: &'static str,
    render: Render,
}

/// How code is written.
#[derive(Debug)]
enum Render {
    /// For one registry.
    One(fn(&Registry<'_>) -> String),
    /// For several registries at once.
    Several(fn(&[Registry<'_>]) -> String),
}

/// Every kind.
pub static FORMATS: [Format; 4] = [
    Format {
        word: "terraform",
        render: Render::One(terraform::render),
    },
    Format {
        word: "cloudformation",
        render: Render::One(cloudformation::render),
    },
    Format {
        word: "aws-cli",
        render: Render::One(aws_cli::render),
    },
    Format {
        word: "renovate",
        render: Render::Several(renovate::render),
    },
];

impl Format {
    /// The format of that word.
    pub fn of(word: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.word == word)
    }

    /// Whether it takes the rules of several registries at once.
    pub fn takes_several(&self) -> bool {
        matches!(self.render, Render::Several(_))
    }

    /// The code.
    pub fn render(&self, registries: &[Registry<'_>]) -> String {
        match self.render {
            Render::One(render) => registries.iter().map(render).collect(),
            Render::Several(render) => render(registries),
        }
    }
}

/// What a rule needs to pull from its upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// A secret with the name that AWS wants.
    Secret,
    /// A role, because the upstream is a registry of another account.
    Role,
}

/// A rule with everything that code says of it.
struct Written<'r> {
    rule: &'r Rule,
    why: &'r str,
    /// Unique words: `docker`, `hub`.
    words: Vec<String>,
    /// The value of `upstreamRegistryUrl`.
    url: &'r str,
    needs: Needs,
}

impl Written<'_> {
    /// `docker_hub`
    fn snake(&self) -> String {
        self.words.join("_")
    }

    /// `DockerHub`
    fn pascal(&self) -> String {
        let capital = |word: &String| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        };
        self.words.iter().map(capital).collect()
    }

    /// The name that AWS wants for the secret: `ecr-pullthroughcache/…`. Prefixes are made of what its name may
    /// hold, so each has its own.
    fn secret(&self) -> String {
        format!("ecr-pullthroughcache/{}", self.rule.prefix_text())
    }
}

/// What separates the parts of a prefix besides `-`, and how names say it.
const SEPARATORS: &[(char, &str)] = &[('/', "slash"), ('.', "dot"), ('_', "underscore")];

/// The rules that AWS takes, and what is to be said of the others.
fn written<'r>(registry: &'r Registry<'r>) -> (Vec<Written<'r>>, Vec<String>) {
    let mut taken = BTreeSet::new();
    let mut left = Vec::new();
    let mut written = Vec::new();
    for entry in &registry.entries {
        let rule = entry.rule;
        if !upstreams::is_supported(rule.host()) {
            left.push(format!(
                "Left out: `{}` under `{}`, which AWS does not cache.",
                rule.upstream(),
                rule.prefix_text()
            ));
            continue;
        }
        written.push(Written {
            rule,
            why: &entry.why,
            words: words(rule, &mut taken),
            url: upstreams::find(rule.host()).map_or(rule.host(), |row| row.url),
            needs: needs(rule.host(), registry.host),
        });
    }
    (written, left)
}

/// The words of a prefix, by which its resources are called in every run, whatever other rules there are. A
/// number keeps prefixes apart that read alike all the same (`a/b` and `a-slash-b`).
fn words(rule: &Rule, taken: &mut BTreeSet<String>) -> Vec<String> {
    let prefix = rule.prefix_text().to_ascii_lowercase();
    let prefix = SEPARATORS.iter().fold(prefix, |prefix, (sign, word)| {
        prefix.replace(*sign, &format!("-{word}-"))
    });
    let mut words: Vec<String> = prefix.split('-').map(Into::into).collect();
    // Names begin with a letter.
    if words
        .first()
        .is_none_or(|word| word.starts_with(|c: char| c.is_ascii_digit()))
    {
        words.insert(0, "rule".into());
    }
    let plain = words.clone();
    let mut number = 2;
    while !taken.insert(words.concat()) {
        words = [plain.clone(), vec![number.to_string()]].concat();
        number += 1;
    }
    words
}

fn needs(host: &str, target: Option<&EcrHost>) -> Needs {
    if let Ok(upstream) = EcrHost::parse(host) {
        let same = target.is_some_and(|target| target.account() == upstream.account());
        return if same { Needs::Nothing } else { Needs::Role };
    }
    match upstreams::find(host).map(|row| row.credential) {
        Some(Credential::None) => Needs::Nothing,
        Some(Credential::Secret) | None => Needs::Secret,
    }
}

/// What stands above all code, as comments: for which registry it is, what must exist for it to work, and which
/// rules are left out.
fn heading(registry: &Registry<'_>, left: &[String]) -> String {
    let place = registry.host.map_or_else(
        || "an ECR registry".to_string(),
        |host| format!("the registry {host}"),
    );
    let mut lines = vec![
        format!("Pull-through cache rules for {place}."),
        "Whoever creates them needs ecr:CreatePullThroughCacheRule, and iam:CreateServiceLinkedRole the first time.".into(),
        "Whoever pulls first needs ecr:BatchImportUpstreamImage and ecr:CreateRepository, or a repository creation".into(),
        "template: AmazonEC2ContainerRegistryPullOnly has the import, AmazonEC2ContainerRegistryReadOnly has not.".into(),
    ];
    lines.extend(left.iter().cloned());
    format!("# {}\n", lines.join("\n# "))
}

/// A text that stays in its line, in a comment say. Some parsers end a line at more than `\n` (U+2028 in YAML
/// 1.1), and some characters show the rest of a line in another order, or nothing at all.
pub fn comment(text: &str) -> String {
    let is_hidden = |c: char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let fine = |c: char| {
        if c.is_control() || is_hidden(c) {
            ' '
        } else {
            c
        }
    };
    text.chars().map(fine).collect()
}

/// What a secret holds, in the words of AWS.
const SECRET_TEXT: &str = r#"{"username": "…", "accessToken": "…"}"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Origin;
    use crate::rules::import::{Text, import};
    use std::path::Path;

    const R: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

    fn rules() -> Vec<Rule> {
        [
            "docker.io=docker-hub",
            "docker.io/bitnami=bitnami",
            "quay.io=a/b",
            "ghcr.io=a-b",
            "acme.azurecr.io=4acme",
            "111111111111.dkr.ecr.eu-west-1.amazonaws.com=old",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com=own",
            "mcr.microsoft.com=mcr",
            "public.ecr.aws=ROOT",
        ]
        .map(|flag| Rule::parse_flag(flag).unwrap())
        .into()
    }

    fn shown(word: &str) -> String {
        let host = EcrHost::parse(R).unwrap();
        let rules = rules();
        let entries = rules.iter().map(|rule| Entry {
            rule,
            why: "it is needed".into(),
        });
        let registry = Registry {
            host: Some(&host),
            entries: entries.collect(),
        };
        Format::of(word).unwrap().render(&[registry])
    }

    #[test]
    fn what_is_written_is_read_as_the_same_rules() {
        for (word, name) in [("terraform", "a.tf"), ("cloudformation", "a.yaml")] {
            let text = shown(word);
            let origin = |line| Origin::Source("a".into(), line);
            let imported = import(&Text {
                name: Path::new(name),
                text: &text,
                origin: &origin,
            })
            .unwrap();
            assert!(
                imported.problems.is_empty(),
                "{word}: {:?}\n{text}",
                imported.problems
            );
            let said: Vec<String> = imported
                .found
                .iter()
                .map(|found| format!("{}={}", found.rule.upstream(), found.rule.prefix_text()))
                .collect();
            let wanted: Vec<String> = rules()
                .iter()
                .filter(|rule| rule.host() != "mcr.microsoft.com")
                .map(|rule| format!("{}={}", rule.upstream(), rule.prefix_text()))
                .collect();
            assert_eq!(said, wanted, "{word}:\n{text}");
            assert!(text.contains("mcr.microsoft.com"), "{text}");
        }
    }

    #[test]
    fn credentials_are_asked_for_where_they_are_needed() {
        let text = shown("terraform");
        assert_eq!(text.matches("credential_arn ").count(), 4, "{text}");
        assert_eq!(text.matches("custom_role_arn ").count(), 1, "{text}");
        assert!(text.contains("ecr-pullthroughcache/docker-hub"), "{text}");
        assert!(
            text.contains("\"rule_4acme\"") && text.contains("\"a_slash_b\""),
            "{text}"
        );
        let text = shown("aws-cli");
        assert_eq!(text.matches("--credential-arn ").count(), 4, "{text}");
        assert_eq!(text.matches("--custom-role-arn ").count(), 1, "{text}");
        let text = shown("cloudformation");
        let count = |part: &str| text.matches(part).count();
        assert_eq!(count("      CredentialArn: !Ref "), 4, "{text}");
        assert_eq!(count("      CustomRoleArn: !Ref "), 1, "{text}");
    }

    #[test]
    fn commands_name_the_registry_that_they_are_for() {
        let text = shown("aws-cli");
        let commands = text.matches("create-pull-through-cache-rule").count();
        assert_eq!(commands, 8, "{text}");
        for part in ["--registry-id 123456789012", "--region eu-west-1"] {
            assert_eq!(text.matches(part).count(), commands, "{text}");
        }
    }

    #[test]
    fn names_hang_on_the_prefix_alone() {
        let names = |flags: &[&str]| {
            let rules: Vec<Rule> = flags
                .iter()
                .map(|flag| Rule::parse_flag(flag).unwrap())
                .collect();
            let entries = rules.iter().map(|rule| Entry {
                rule,
                why: String::new(),
            });
            let registry = Registry {
                host: None,
                entries: entries.collect(),
            };
            let (written, _) = written(&registry);
            let named = written
                .iter()
                .map(|one| format!("{} {} {}", one.snake(), one.pascal(), one.secret()));
            named.collect::<Vec<_>>()
        };
        let all = [
            "docker.io=a-b",
            "ghcr.io=a/b",
            "cgr.dev=a.b",
            "registry.gitlab.com=a_b",
            "quay.io=null",
        ];
        let together = names(&all);
        assert_eq!(
            together,
            [
                "a_b AB ecr-pullthroughcache/a-b",
                "a_slash_b ASlashB ecr-pullthroughcache/a/b",
                "a_dot_b ADotB ecr-pullthroughcache/a.b",
                "a_underscore_b AUnderscoreB ecr-pullthroughcache/a_b",
                "null Null ecr-pullthroughcache/null",
            ]
        );
        for (flag, name) in all.iter().zip(&together) {
            assert_eq!(names(&[flag]), [name.as_str()]);
        }
    }

    #[test]
    fn names_of_resources_are_texts_to_every_parser_of_yaml() {
        let rule = Rule::parse_flag("quay.io=null").unwrap();
        let entries = vec![Entry {
            rule: &rule,
            why: String::new(),
        }];
        let text = Format::of("cloudformation").unwrap().render(&[Registry {
            host: None,
            entries,
        }]);
        assert!(text.contains("\n  'Null':\n"), "{text}");
    }

    #[test]
    fn the_longest_alias_comes_first() {
        let text = shown("renovate");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value["registryAliases"][format!("{R}/docker-hub")],
            "docker.io"
        );
        assert_eq!(value["registryAliases"][R], "public.ecr.aws");
        assert_eq!(
            value["registryAliases"][format!("{R}/bitnami")],
            "docker.io/bitnami"
        );
        let place = |key: &str| text.find(&format!("\"{key}\"")).unwrap();
        assert!(place(&format!("{R}/docker-hub")) < place(R), "{text}");
    }
}
