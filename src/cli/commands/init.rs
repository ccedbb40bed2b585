//! `init`: a commented config, from what is said, from a source, or from what the repository holds.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::args::{FileArgs, Init, RuleArgs, TargetArgs};
use super::super::talk::Talk;
use super::super::{Error, Exit};
use super::rules::{ask, stated};
use super::survey::Survey;
use crate::config::{self, Draft, FILE_NAME};
use crate::inventory::{Image, Inventory};
use crate::rules::ecr_host::{HostError, is_ecr_host};
use crate::rules::import::Imported;
use crate::rules::learn::{Learned, Seen, learn};
use crate::rules::{EcrHost, Origin, Rule, RuleSet, default_rules, upstreams};
use crate::settings::{load, variable};
use crate::walk;

/// The variables that say the account and the region where nothing else does.
const ACCOUNT_VARIABLE: &str = "AWS_ACCOUNT_ID";
const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

pub(in super::super) fn init(args: &Init, talk: Talk) -> Result<Exit, Error> {
    let folder = args.path.clone().unwrap_or_else(|| PathBuf::from("."));
    let path = place(&folder)?;
    let found = Found::in_folder(&folder, talk)?;
    let mut known = Known::of(args)?;
    // A source that says that there are no rules is believed.
    if known.rules.is_empty() && args.rules.rules.is_none() && !args.rules.aws.from_aws {
        known.rules.clone_from(&found.learned.rules);
        known.is_learned = true;
    }
    let registry = known.registry(args, &found.learned)?;
    let draft = draft(registry, &known, &found);
    write(&path, &draft.text())?;
    say(&path, &draft, &known, &found, talk);
    Ok(Exit::Done)
}

/// Where the config goes: there must be none, here or above.
fn place(folder: &Path) -> Result<PathBuf, Error> {
    let shown = folder.display();
    if !folder.is_dir() {
        let hint = if folder.exists() {
            "is no folder"
        } else {
            "does not exist"
        };
        return Err(Error::Message(format!(
            "{shown}: {hint}; give the folder to write {FILE_NAME} to"
        )));
    }
    let path = folder.join(FILE_NAME);
    let real = folder
        .canonicalize()
        .map_err(|error| Error::Message(format!("{shown}: cannot be read: {error}")))?;
    let Some(known) = config::find(&real) else {
        return Ok(path);
    };
    let current = std::env::current_dir().unwrap_or_default();
    let known = walk::shown(&known, &current);
    Err(Error::Message(format!(
        "{}: there is a config already, and it stays as it is; edit it, print rules for it with `ecr-rewrite rules import`, or move it away first",
        known.display()
    )))
}

/// What the command line and its sources say.
#[derive(Default)]
struct Known {
    rules: Vec<Rule>,
    /// Whether the rules are those that the references of the repository show.
    is_learned: bool,
    account: Option<(String, String)>,
    region: Option<(String, String)>,
    warnings: Vec<String>,
}

impl Known {
    fn of(args: &Init) -> Result<Self, Error> {
        let mut known = Self::default();
        let flags = args.rules.rule.iter().map(|flag| Rule::parse_flag(flag));
        let flags: Vec<Rule> = flags
            .collect::<Result<_, _>>()
            .map_err(|error| Error::Message(format!("`--rule`: {error}")))?;
        let base = match args.rules.rules.as_deref() {
            Some("default") => default_rules(),
            Some(path) => {
                let path = Path::new(path);
                let imported = load(path, path)?.whole()?.imported;
                known.belongs(
                    imported.account(),
                    imported.region(),
                    &path.display().to_string(),
                );
                known.warnings.extend(imported.warnings.iter().cloned());
                known.warnings.extend(imported.conflicts());
                of_target(&imported, &args.target)?
            }
            None => Vec::new(),
        };
        let asked = match ask(&args.rules.aws, &args.target)? {
            None => Vec::new(),
            Some(answer) => {
                let Imported { warnings, .. } = &answer.imported;
                known.warnings.extend(warnings.iter().cloned());
                known.belongs(answer.imported.account(), Some(&answer.region), "AWS");
                of_target(&answer.imported, &args.target)?
            }
        };
        let replaced = |rule: &Rule| flags.iter().any(|flag| flag.same_upstream(rule));
        let others = base.into_iter().chain(asked).filter(|rule| !replaced(rule));
        known.rules = flags.iter().cloned().chain(others).collect();
        Ok(known)
    }

    fn belongs(&mut self, account: Option<&str>, region: Option<&str>, from: &str) {
        let said = |text: &str| (text.to_string(), format!("from {from}"));
        self.account = account.map(said);
        self.region = region.map(said);
    }

    /// The registry and where it comes from: the command line, the source, the environment, the references
    /// of the repository.
    fn registry(
        &mut self,
        args: &Init,
        learned: &Learned,
    ) -> Result<Option<(EcrHost, String)>, Error> {
        if let Some((host, origin)) = stated(&args.target)? {
            let why = match origin {
                Origin::Environment(name) => format!("from {name}"),
                _ => "from the command line".into(),
            };
            return Ok(Some((host, why)));
        }
        let flag =
            |value: &Option<String>| Some((value.clone()?, "from the command line".to_string()));
        let from = |name: &str| Some((variable(name)?, format!("from {name}")));
        self.account = flag(&args.target.account).or(self.account.take());
        self.region = flag(&args.target.region).or(self.region.take());
        let is_open = self.account.is_none() && self.region.is_none();
        if let Some((host, count, origin)) = learned.registries.first().filter(|_| is_open) {
            let host = EcrHost::parse(host).map_err(|error| wrong(&error))?;
            let why = format!("from {count} references, the first at {origin}");
            return Ok(Some((host, why)));
        }
        self.account = self.account.take().or_else(|| from(ACCOUNT_VARIABLE));
        let variables = REGION_VARIABLES.iter();
        self.region = self
            .region
            .take()
            .or_else(|| variables.into_iter().find_map(|name| from(name)));
        match (&self.account, &self.region) {
            (Some((account, why)), Some((region, other))) => {
                let host = EcrHost::from_account(account, region).map_err(|error| wrong(&error))?;
                let why = if why == other {
                    why.clone()
                } else {
                    format!("account {why}, region {other}")
                };
                Ok(Some((host, why)))
            }
            _ => Ok(None),
        }
    }
}

/// The rules of a source for the target of the command line, as far as that says one.
fn of_target(imported: &Imported, target: &TargetArgs) -> Result<Vec<Rule>, Error> {
    let host = stated(target)?;
    let host = host.as_ref().map(|(host, _)| host);
    let account = host
        .and_then(EcrHost::account)
        .or(target.account.as_deref());
    let region = host.and_then(EcrHost::region).or(target.region.as_deref());
    Ok(imported.rules_of(account, region).0)
}

fn wrong(error: &HostError) -> Error {
    Error::Message(error.to_string())
}

/// What the repository holds.
struct Found {
    images: Vec<Image>,
    learned: Learned,
}

impl Found {
    fn in_folder(folder: &Path, talk: Talk) -> Result<Self, Error> {
        let paths = [folder.to_path_buf()];
        let survey = Survey {
            paths: &paths,
            target: &TargetArgs::default(),
            rules: &RuleArgs {
                no_config: true,
                ..RuleArgs::default()
            },
            files: &FileArgs::default(),
            judgement: None,
        };
        survey.plan(talk.silent(), |run, plan| {
            // A file that cannot be read says nothing here; the next command tells of it.
            run.failures.clear();
            if let Some(below) = run.configs.first() {
                let below = walk::shown(below, run.current);
                return Err(Error::Message(format!(
                    "{}: there is a config below {}, and one holds for a run: move what it says into the `overrides` of a new one, or give another folder",
                    below.display(),
                    folder.display()
                )));
            }
            let images = Inventory::of(plan).images;
            let seen = images.iter().flat_map(|image| {
                image.places.iter().map(|place| Seen {
                    text: image.text.clone(),
                    origin: Origin::Source(place.path.clone(), place.at.line as u64),
                })
            });
            let seen: Vec<Seen> = seen.collect();
            let upstream = images.iter().filter_map(|image| image.canonical.clone());
            let upstream: BTreeSet<_> = upstream.filter(|name| !is_ecr_host(&name.host)).collect();
            let plain = images.iter().filter(|image| !is_ecr_text(&image.text));
            let plain: BTreeSet<_> = plain.filter_map(|image| image.canonical.clone()).collect();
            let upstream = upstream.intersection(&plain).cloned().collect();
            Ok(Self {
                learned: learn(&seen, &upstream),
                images,
            })
        })
    }
}

fn is_ecr_text(text: &str) -> bool {
    crate::rules::ecr_host::ecr_host_of(text).is_some()
}

fn draft(registry: Option<(EcrHost, String)>, known: &Known, found: &Found) -> Draft {
    let target = registry.as_ref().map(|(host, _)| host.to_string());
    let mut draft = Draft {
        registry: registry.map(|(host, why)| (host.to_string(), why)),
        account: known.account.as_ref().map(|(account, _)| account.clone()),
        rules: known.rules.clone(),
        ..Draft::default()
    };
    let hosts = found
        .images
        .iter()
        .filter_map(|image| image.canonical.as_ref());
    let hosts: BTreeSet<&str> = hosts.map(|name| name.host.as_str()).collect();
    let stated = |host: &str| known.rules.iter().any(|rule| rule.host() == host);
    for host in hosts.into_iter().filter(|host| !stated(host)) {
        if let Some(fronted) = upstreams::fronted(host) {
            draft.aliases.push((host.to_string(), fronted.to_string()));
        } else if upstreams::unsupported_hint(host).is_some() {
            draft.unsupported.push(host.to_string());
        }
    }
    if known.is_learned {
        draft.guessed.clone_from(&found.learned.guessed);
    }
    let others = found.learned.registries.iter();
    let others = others.filter(|(host, ..)| Some(host) != target.as_ref());
    draft.others = others
        .map(|(host, _, origin)| (host.clone(), origin.to_string()))
        .collect();
    draft
}

/// Writes a file that must not be there.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |error: io::Error| {
        let why = match error.kind() {
            io::ErrorKind::AlreadyExists => "exists already, and it stays as it is".to_string(),
            _ => format!("cannot be written: {error}"),
        };
        Error::Message(format!("{}: {why}", path.display()))
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a config is worse than none.
        drop(std::fs::remove_file(path));
        failed(error)
    })
}

/// A path as somebody would type it.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if text.chars().all(is_plain) && !text.starts_with('-') {
        return text;
    }
    let text = if text.starts_with('-') {
        format!("./{text}")
    } else {
        text
    };
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn say(path: &Path, draft: &Draft, known: &Known, found: &Found, talk: Talk) {
    for warning in known
        .warnings
        .iter()
        .chain(&RuleSet::new(None, known.rules.clone()).1)
    {
        talk.note(&format!("warning: {warning}"));
    }
    talk.note(&format!("wrote {}", path.display()));
    match &draft.registry {
        Some((registry, why)) => talk.note(&format!("target {registry} ({why})")),
        None => talk.note("no target is known: complete the line `registry:`"),
    }
    match (known.rules.len(), known.is_learned) {
        (0, _) => talk.note("no rule is known: state the prefixes that your registry has, or run `ecr-rewrite rules import --from-aws`"),
        (count, true) => talk.note(&format!(
            "{count} rules, as the references of the repository show them; compare them with `aws ecr describe-pull-through-cache-rules`"
        )),
        (count, false) => talk.note(&format!("{count} rules")),
    }
    for rule in &draft.guessed {
        talk.note(&format!(
            "`{}` may cache {}, as its name says ({}); if it does, take its rule out of the comment",
            rule.prefix_text(),
            rule.upstream(),
            rule.origin()
        ));
    }
    if known.is_learned {
        for (prefix, origin) in &found.learned.unclear {
            talk.note(&format!(
                "nobody can tell what `{prefix}` caches ({origin}); if it is a cache, add its rule"
            ));
        }
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    talk.note(&format!("next: `ecr-rewrite {} --dry-run`", word(folder)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_came_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        std::fs::write(&path, "mine").unwrap();
        let Err(Error::Message(message)) = write(&path, "new") else {
            panic!("it was written over");
        };
        assert!(message.contains("exists already"), "{message}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }
}
