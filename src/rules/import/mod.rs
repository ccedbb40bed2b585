//! Rules from where they already stand: what `aws` prints, and infrastructure code.
//!
//! A text is read into `tree` by its syntax, and the first of `SOURCES` that knows the tree reads the
//! rules out of it. Nothing is guessed: a prefix that is not written out is a problem that says what to
//! run instead. A further kind of source is a file beside this one and a row of the table.

mod cloudformation;
mod described;
mod hcl;
mod imported;
mod json;
mod pulumi;
mod state;
mod terraform;
mod tree;
mod yaml;

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use super::upstreams::{self, UPSTREAMS};
use super::{EcrHost, Origin, Rule};
pub use imported::{Found, Imported};
use tree::{Node, Value};

/// More rules than any source has: each is compared with all others.
const MAX_READ: usize = 1_000;
/// How it is said that there are more.
const TOO_MANY: &str = "holds more than";
/// The name of the resource in Terraform.
const TERRAFORM_TYPE: &str = "aws_ecr_pull_through_cache_rule";

/// A kind of text that holds rules.
struct Source {
    /// What it is called.
    name: &'static str,
    /// Whether a document is one.
    knows: fn(&Node) -> bool,
    /// Reads the rules of a document.
    read: fn(&Node, &mut Reader<'_>),
    /// What to run when something is not written out in it.
    instead: &'static str,
}

/// Every kind, the most telling first.
const SOURCES: &[Source] = &[
    described::SOURCE,
    state::SHOWN,
    state::STATE,
    pulumi::SOURCE,
    cloudformation::SOURCE,
    terraform::SOURCE,
];

/// A text without rules that could be read: why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError(String);

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ImportError {}

/// A text that may hold rules.
pub struct Text<'t> {
    /// What it is called in messages; its ending helps to tell the syntax.
    pub name: &'t Path,
    /// The text.
    pub text: &'t str,
    /// Makes the origin of a rule from its line.
    pub origin: &'t dyn Fn(u64) -> Origin,
}

/// Reads the rules of a text.
pub fn import(text: &Text<'_>) -> Result<Imported, ImportError> {
    let documents = text.documents()?;
    let mut imported = text.read(&documents, &[])?;
    imported.note_nothing(text.name);
    Ok(imported)
}

/// Reads the rules of several texts, each of which may need what stands in the others.
pub fn import_together(texts: &[Text<'_>]) -> Vec<Result<Imported, ImportError>> {
    let parsed: Vec<Result<Vec<Node>, ImportError>> = texts.iter().map(Text::documents).collect();
    let read = |(index, text): (usize, &Text<'_>)| {
        let documents = parsed[index].as_ref().map_err(Clone::clone)?;
        let others = parsed.iter().enumerate();
        let others = others.filter(|(other, _)| *other != index);
        let beside: Vec<&Node> = others.flat_map(|(_, known)| known).flatten().collect();
        let mut imported = text.read(documents, &beside)?;
        let serves_others = texts.len() > 1 && documents.iter().any(terraform::serves);
        if !serves_others {
            imported.note_nothing(text.name);
        }
        Ok(imported)
    };
    texts.iter().enumerate().map(read).collect()
}

impl Text<'_> {
    fn documents(&self) -> Result<Vec<Node>, ImportError> {
        let shown = self.name.display();
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(self.text);
        if text.trim().is_empty() {
            return Err(ImportError(format!(
                "{shown}: is empty; it should hold {}",
                kinds()
            )));
        }
        documents(self.name, text)
            .map_err(|(line, message)| ImportError(format!("{shown}:{line}: {message}")))
    }

    fn read(&self, documents: &[Node], beside: &[&Node]) -> Result<Imported, ImportError> {
        let mut imported = Imported::default();
        let mut is_known = false;
        for document in documents {
            let Some(source) = SOURCES.iter().find(|source| (source.knows)(document)) else {
                continue;
            };
            is_known = true;
            let mut reader = Reader {
                name: self.name,
                source,
                origin: self.origin,
                beside,
                imported: &mut imported,
            };
            (source.read)(document, &mut reader);
        }
        if !is_known {
            let why = unknown(documents);
            return Err(ImportError(format!("{}: {why}", self.name.display())));
        }
        imported.finish(self.name);
        Ok(imported)
    }
}

/// The documents of a text in whatever syntax it has.
fn documents(name: &Path, text: &str) -> Result<Vec<Node>, (u64, String)> {
    let ending = name.extension().and_then(OsStr::to_str).unwrap_or("");
    let is_hcl = match ending {
        "tf" | "tofu" | "hcl" => true,
        "json" | "yaml" | "yml" | "tfstate" => false,
        _ => ["resource \"", "module \"", "provider \""]
            .iter()
            .any(|block| text.lines().any(|line| line.starts_with(block))),
    };
    if is_hcl {
        return hcl::read(text);
    }
    if text.trim_start().starts_with(['{', '[']) {
        return match json::read(text) {
            // What begins as JSON may be YAML, which has the better ear for its own mistakes.
            Err(error) if matches!(ending, "yaml" | "yml") => yaml::read(text).map_err(|_| error),
            read => read,
        };
    }
    yaml::read(text)
}

/// The kinds of sources, in words.
pub fn kinds() -> String {
    let names: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
    match names.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// What to say of documents that are of no kind.
fn unknown(documents: &[Node]) -> String {
    let any = |keys: &[&str]| {
        let has = |document: &Node| keys.iter().all(|key| document.get(key).is_some());
        documents.iter().any(has)
    };
    let guess = if any(&["apiVersion", "kind"]) {
        "it looks like a Kubernetes manifest and "
    } else if any(&["rules"]) || any(&["rulesFrom"]) {
        return "it looks like a config of ecr-rewrite; give it with `--config`".into();
    } else if any(&["modules", "version"]) {
        return "it is a Terraform state of an old version; run `terraform show -json > rules.json` and give that file".into();
    } else {
        ""
    };
    format!("{guess}holds no pull-through cache rules; give {}", kinds())
}

/// Collects the rules of a document.
struct Reader<'r> {
    name: &'r Path,
    source: &'r Source,
    origin: &'r dyn Fn(u64) -> Origin,
    /// The documents of other texts that are read with this one.
    beside: &'r [&'r Node],
    imported: &'r mut Imported,
}

/// How a source calls the fields of a rule.
struct Names {
    prefix: &'static str,
    url: &'static str,
    registry: &'static str,
    upstream_prefix: &'static str,
    account: &'static str,
    region: &'static str,
}

impl Names {
    /// `ecrRepositoryPrefix`, as the API and Pulumi write it.
    const CAMEL: Self = Self {
        prefix: "ecrRepositoryPrefix",
        url: "upstreamRegistryUrl",
        registry: "upstreamRegistry",
        upstream_prefix: "upstreamRepositoryPrefix",
        account: "registryId",
        region: "region",
    };
    /// `ecr_repository_prefix`, as Terraform writes it.
    const SNAKE: Self = Self {
        prefix: "ecr_repository_prefix",
        url: "upstream_registry_url",
        registry: "upstream_registry",
        upstream_prefix: "upstream_repository_prefix",
        account: "registry_id",
        region: "region",
    };
    /// `EcrRepositoryPrefix`, as CloudFormation writes it.
    const PASCAL: Self = Self {
        prefix: "EcrRepositoryPrefix",
        url: "UpstreamRegistryUrl",
        registry: "UpstreamRegistry",
        upstream_prefix: "UpstreamRepositoryPrefix",
        account: "RegistryId",
        region: "Region",
    };
}

/// Gives the text that a value stands for, if it is written out.
type Resolve<'r> = &'r dyn Fn(&Node) -> Option<String>;

/// A text that is written out stands for itself.
fn literal(node: &Node) -> Option<String> {
    node.text().map(String::from)
}

/// The account of a rule, if its source says it.
fn account(
    label: &str,
    fields: &Node,
    names: &Names,
    resolve: Resolve<'_>,
) -> Result<Option<String>, (u64, String)> {
    let Some(node) = fields.get(names.account) else {
        return Ok(None);
    };
    let text = match &node.value {
        // A number of JSON; leading zeros are lost in one.
        Value::Other(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => number.clone(),
        _ => match resolve(node) {
            Some(text) => text,
            None => return Ok(None),
        },
    };
    match EcrHost::from_account(&text, "us-east-1") {
        Ok(_) => Ok(Some(text)),
        Err(error) => Err((
            node.line,
            format!("`{}` of {label}: {error}", names.account),
        )),
    }
}

impl Reader<'_> {
    /// Adds the rule that the map `fields` says; `label` is its name in the source, `region` the one of
    /// what stands around it.
    fn rule(
        &mut self,
        label: &str,
        fields: &Node,
        names: &Names,
        resolve: Resolve<'_>,
        region: Option<String>,
    ) {
        if self.imported.found.len() == MAX_READ {
            let message = format!(
                "{TOO_MANY} {MAX_READ} rules, and AWS takes 50 in a region; give a part of it"
            );
            return self.problem(fields.line, &message);
        }
        let read = self.read(label, fields, names, resolve);
        match read.and_then(|rule| Ok((rule, account(label, fields, names, resolve)?))) {
            Ok((rule, account)) => {
                let text = |key| fields.get(key).and_then(resolve);
                let own = fields.get(names.region);
                if let (Some(node), None) = (own, text(names.region)) {
                    let message = format!(
                        "`{}` of {label} is not written out (`{}`), so its region is not known; {}",
                        names.region,
                        node.shown(),
                        self.source.instead
                    );
                    self.warning(node.line, &message);
                }
                self.imported.found.push(Found {
                    rule,
                    account,
                    region: text(names.region).or(region.filter(|_| own.is_none())),
                });
            }
            Err((line, message)) => self.problem(line, &message),
        }
    }

    fn read(
        &mut self,
        label: &str,
        fields: &Node,
        names: &Names,
        resolve: Resolve<'_>,
    ) -> Result<Rule, (u64, String)> {
        let text = |key: &'static str| match fields.get(key) {
            None => Ok(None),
            Some(node) => match resolve(node) {
                Some(text) => Ok(Some((node.line, text))),
                None => Err((
                    node.line,
                    format!(
                        "`{key}` of {label} is not written out (`{}`); {}",
                        node.shown(),
                        self.source.instead
                    ),
                )),
            },
        };
        let missing = |key: &str| {
            let message = format!("{label} has no `{key}`; {}", self.source.instead);
            (fields.line, message)
        };
        let (line, prefix) = text(names.prefix)?.ok_or_else(|| missing(names.prefix))?;
        let named = || -> Result<Option<(u64, String)>, (u64, String)> {
            let name = text(names.registry)?;
            Ok(name.and_then(|(line, name)| {
                let row = UPSTREAMS.iter().find(|row| row.api_name == name)?;
                Some((line, row.url.to_string()))
            }))
        };
        let url = match text(names.url)? {
            Some(url) => Some(url),
            None => named()?,
        };
        let (url_line, url) = url.ok_or_else(|| missing(names.url))?;
        let upstream_prefix = text(names.upstream_prefix)?.map(|(_, text)| text);
        let host = self.host(label, names, url_line, &url)?;
        let upstream = match upstream_prefix.as_deref() {
            None | Some("" | "ROOT") => host.to_string(),
            Some(path) => format!("{host}/{}", path.trim_matches('/')),
        };
        let rule = Rule::new(&upstream, &prefix, (self.origin)(fields.line))
            .map_err(|error| (line, format!("{label}: {error}")))?;
        if let Some((line, name)) = text(names.registry)?
            && upstreams::is_api_name(&name)
            && upstreams::api_name(rule.host()) != Some(&name)
        {
            let message = format!(
                "`{}` of {label} is `{name}`, and `{}` is `{url}`: they name two upstreams; remove the wrong one",
                names.registry, names.url
            );
            return Err((line, message));
        }
        self.judge(url_line, host, &rule);
        Ok(rule)
    }

    /// The host of an upstream: AWS takes nothing else there (ECR API, `upstreamRegistryUrl`).
    fn host<'u>(
        &mut self,
        label: &str,
        names: &Names,
        line: u64,
        url: &'u str,
    ) -> Result<&'u str, (u64, String)> {
        let bare = url.strip_prefix("https://").unwrap_or(url);
        let bare = bare.trim_end_matches('/');
        let (authority, path) = match bare.split_once('/') {
            Some((authority, path)) => (authority, path),
            None => (bare, ""),
        };
        let host = authority.strip_suffix(":443").unwrap_or(authority);
        match path {
            "" if host == authority => {}
            // The addresses of Docker's API (Distribution specification).
            "" | "v1" | "v2" => {
                let message =
                    format!("AWS takes a host as an upstream, not `{url}`; read as `{host}`");
                self.warning(line, &message);
            }
            path => {
                let message = format!(
                    "`{}` of {label} is `{url}`, and AWS takes a host there; write `{host}`, and `{path}` as `{}`",
                    names.url, names.upstream_prefix
                );
                return Err((line, message));
            }
        }
        Ok(host)
    }

    /// What there is to say of an upstream.
    fn judge(&mut self, line: u64, host: &str, rule: &Rule) {
        let row = upstreams::find(rule.host());
        if let Some(row) = row.filter(|row| row.url != host) {
            let message = format!(
                "AWS does not take `{host}` as an upstream; read as `{}`",
                row.url
            );
            self.warning(line, &message);
        } else if !upstreams::is_supported(rule.host()) {
            let message = format!(
                "AWS does not cache `{host}`; this rule holds only if something else fills `{}`",
                rule.prefix_text()
            );
            self.warning(line, &message);
        }
        if rule.prefix_text() == "ROOT" {
            let message = format!(
                "the rule for `{}` has the prefix `ROOT`, so it answers for every repository of the registry that is under no other prefix; AWS documents no precedence",
                rule.upstream()
            );
            self.warning(line, &message);
        }
    }

    fn place(&self, line: u64, message: &str) -> String {
        format!("{}:{line}: {message}", self.name.display())
    }

    /// Notes something that is worth knowing.
    fn warning(&mut self, line: u64, message: &str) {
        self.imported.warnings.push(self.place(line, message));
    }

    /// Notes a rule that cannot be read.
    fn problem(&mut self, line: u64, message: &str) {
        // A source may be too long by thousands of rules.
        let is_said = |known: &String| message.starts_with(TOO_MANY) && known.contains(TOO_MANY);
        if !self.imported.problems.last().is_some_and(is_said) {
            self.imported.problems.push(self.place(line, message));
        }
    }

    /// Notes something that cannot be read, and what to run instead.
    fn unreadable(&mut self, line: u64, what: &str) {
        let message = format!("{what}; {}", self.source.instead);
        self.problem(line, &message);
    }
}
