//! What may stand in a config, as it is written: each value with its place.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor, value::SeqAccessDeserializer};
use serde_saphyr::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    pub(super) registry: Option<Spanned<String>>,
    pub(super) account: Option<Spanned<String>>,
    pub(super) region: Option<Spanned<String>>,
    pub(super) rules: Option<Spanned<RawRules>>,
    #[serde(rename = "rulesFrom")]
    pub(super) rules_from: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) aliases: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) overrides: Vec<RawOverride>,
    #[serde(default)]
    pub(super) allow: Vec<RawAllow>,
    #[serde(default)]
    pub(super) exclude: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) sites: Vec<RawSite>,
    #[serde(default)]
    pub(super) helm: RawHelm,
    #[serde(default)]
    pub(super) checks: RawChecks,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHelm {
    #[serde(rename = "bitnamiAllowInsecureImages")]
    #[serde(default)]
    pub(super) allows_insecure: bool,
    #[serde(default)]
    pub(super) charts: BTreeMap<String, Spanned<RawChart>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChart {
    pub(super) registry: Spanned<String>,
    #[serde(default, rename = "prefixIn")]
    pub(super) prefix_in: PrefixIn,
}

/// Where the prefix of a rule goes.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PrefixIn {
    #[default]
    Repository,
    Registry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOverride {
    pub(super) paths: Vec<Spanned<String>>,
    pub(super) registry: Option<Spanned<String>>,
    pub(super) account: Option<Spanned<String>>,
    pub(super) region: Option<Spanned<String>>,
    pub(super) rules: Option<Spanned<RawRules>>,
    #[serde(rename = "rulesFrom")]
    pub(super) rules_from: Option<Spanned<String>>,
}

/// The keys that say where images come from.
pub(super) struct RawTarget {
    pub(super) registry: Option<Spanned<String>>,
    pub(super) account: Option<Spanned<String>>,
    pub(super) region: Option<Spanned<String>>,
    pub(super) rules: Option<Spanned<RawRules>>,
    pub(super) rules_from: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSite {
    pub(super) values: Option<Spanned<String>>,
    pub(super) kind: Option<Spanned<String>>,
    pub(super) path: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAllow {
    pub(super) image: Spanned<String>,
    pub(super) reason: Option<String>,
}

/// Codes and levels, each with its place.
#[derive(Default)]
pub(super) struct RawChecks(pub(super) Vec<(Spanned<String>, Spanned<String>)>);

/// `default` or a list.
pub(super) enum RawRules {
    Word(String),
    List(Vec<Spanned<RawRule>>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    #[serde(alias = "upstreamRegistryUrl")]
    pub(super) upstream: String,
    #[serde(alias = "ecrRepositoryPrefix")]
    pub(super) prefix: String,
    #[serde(rename = "upstreamRepositoryPrefix")]
    pub(super) upstream_prefix: Option<String>,
    pub(super) library: Option<bool>,
    // What `aws ecr describe-pull-through-cache-rules` prints besides: accepted, so that its JSON
    // can be pasted, and without a meaning here.
    #[serde(rename = "registryId")]
    _registry_id: Option<IgnoredAny>,
    #[serde(rename = "createdAt")]
    _created_at: Option<IgnoredAny>,
    #[serde(rename = "updatedAt")]
    _updated_at: Option<IgnoredAny>,
    #[serde(rename = "credentialArn")]
    _credential_arn: Option<IgnoredAny>,
    #[serde(rename = "customRoleArn")]
    _custom_role_arn: Option<IgnoredAny>,
    #[serde(rename = "upstreamRegistry")]
    _upstream_registry: Option<IgnoredAny>,
}

impl<'de> Deserialize<'de> for RawChecks {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Checks;
        impl<'de> Visitor<'de> for Checks {
            type Value = RawChecks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("codes of findings with their levels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawChecks, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(RawChecks(entries))
            }
        }
        deserializer.deserialize_map(Checks)
    }
}

impl<'de> Deserialize<'de> for RawRules {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rules;
        impl<'de> Visitor<'de> for Rules {
            type Value = RawRules;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`default` or a list of rules")
            }

            fn visit_str<E>(self, word: &str) -> Result<RawRules, E> {
                Ok(RawRules::Word(word.to_string()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<RawRules, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(seq)).map(RawRules::List)
            }
        }
        deserializer.deserialize_any(Rules)
    }
}
