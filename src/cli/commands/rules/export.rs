//! `rules export`: the rules that are missing, as code.

use std::io::Write;
use std::path::PathBuf;

use super::super::super::args::Export;
use super::super::super::talk::Talk;
use super::super::super::{Error, Exit};
use super::super::rewrite::unless_closed;
use super::super::survey::Survey;
use super::super::{reporting, wanted};
use crate::inventory::{Inventory, Verdict};
use crate::reason::Reason;
use crate::report::Kind;
use crate::rules::export::{Entry, Format, Registry};
use crate::rules::{EcrHost, Library, Origin, Place, Rule, RuleSet, azure_rule};
use crate::settings::{Rules, Settings, Standing};

/// Images that a rule could serve: the others are meant to stay, or nobody pulls them.
const SERVED: &[Reason] = &[
    Reason::AlreadyEcr,
    Reason::NoRule,
    Reason::NotEditable,
    Reason::SharedAnchor,
    Reason::GroupIncomplete,
    Reason::SeveralTargets,
    Reason::AutomationReverts,
    Reason::HardLinked,
    Reason::VendoredChart,
];

pub(super) fn export(args: &Export, talk: Talk) -> Result<Exit, Error> {
    let Some(format) = Format::of(&args.to) else {
        return Err(Error::Message(format!("`--to {}` does not exist", args.to)));
    };
    if format.takes_several() {
        return for_all(args, format, talk);
    }
    let survey = Survey {
        paths: &args.paths,
        target: &args.target,
        rules: &args.rules,
        files: &args.files,
        judgement: None,
    };
    // What a rewrite says of its target and rules is said here in other words.
    survey.plan(talk.silent(), |run, plan| {
        let images = Needed::of(&Inventory::of(plan));
        if let Some(code) = missing(args, run.settings, format, &images, talk)? {
            print(args, &code, talk)?;
        }
        Ok(run.exit())
    })
}

fn print(args: &Export, code: &str, talk: Talk) -> Result<(), Error> {
    let render = |_, out: &mut dyn Write| out.write_all(code.as_bytes());
    let file = args.code.output_file.as_deref();
    unless_closed(reporting::print(file, Kind::Text, talk, &render))
}

/// Prints the code for all registries and rules that count, whatever the images need.
fn for_all(args: &Export, format: &Format, talk: Talk) -> Result<Exit, Error> {
    let mut paths = args.paths.clone();
    if paths.is_empty() {
        paths.push(PathBuf::from("."));
    }
    let wanted = wanted(&args.target, &args.rules, paths)?;
    let settings = Settings::resolve(&wanted, Rules::OrBuiltIn)?.without_target();
    let (effective, notes) = settings.effective()?;
    notes.iter().for_each(|note| talk.note(note));
    let registries = effective.iter().map(|one| Registry {
        host: one.registry.as_ref().map(|(host, _)| host),
        entries: one.rules.rules().iter().map(entry).collect(),
    });
    let registries: Vec<Registry<'_>> = registries.collect();
    if registries.iter().all(|registry| registry.host.is_none()) {
        return Err(Error::Message(format!(
            "`--to {}` needs a target; give `--registry`, or `registry:` in the config",
            format.word
        )));
    }
    print(args, &format.render(&registries), talk)?;
    Ok(Exit::Done)
}

fn entry(rule: &Rule) -> Entry<'_> {
    let why = match rule.origin() {
        Origin::BuiltIn => "A built-in prefix.".into(),
        origin => format!("Stated at {origin}."),
    };
    Entry { rule, why }
}

/// The images that rules could serve.
struct Needed {
    images: Vec<(crate::image::Canonical, String, String)>,
}

impl Needed {
    fn of(inventory: &Inventory) -> Self {
        let is_served = |verdict| match verdict {
            Verdict::Changes | Verdict::Undecided(_) => true,
            Verdict::Stays(reason) => SERVED.contains(&reason),
        };
        let images = inventory
            .images
            .iter()
            .filter(|image| is_served(image.verdict));
        let images = images.filter_map(|image| {
            let place = image.places.first()?;
            let place = format!("{}:{}", place.path.display(), place.at.line);
            Some((image.canonical.clone()?, image.text.clone(), place))
        });
        Self {
            images: images.collect(),
        }
    }

    /// For each rule that serves any image how many, and where the first is named.
    fn by_rule(&self, standing: &Standing) -> Vec<(Rule, usize, &str)> {
        let mut needed: Vec<(Rule, usize, &str)> = Vec::new();
        for (name, text, place) in &self.images {
            let together = &standing.together;
            let cached = together
                .cached(text)
                .filter(|cached| together.place_of(cached.host) != Place::Elsewhere);
            let rule = match cached {
                // That a path begins like a built-in prefix does not make it one of that upstream.
                Some(cached) => Some(cached.rule)
                    .filter(|rule| *rule.origin() != Origin::BuiltIn)
                    .cloned(),
                None => together
                    .mapping(name)
                    .cloned()
                    .or_else(|| azure_rule(&name.host)),
            };
            let Some(rule) = rule else { continue };
            // What moves to where something is cached needs that cache.
            let rule = cache_under(&rule, together.rules())
                .cloned()
                .unwrap_or(rule);
            match needed
                .iter_mut()
                .find(|(known, ..)| known.agrees_with(&rule))
            {
                Some((_, count, _)) => *count += 1,
                None => needed.push((rule, 1, place)),
            }
        }
        needed
    }
}

/// The code for what is missing in the registry of files without overrides; none when nothing is.
fn missing(
    args: &Export,
    settings: &Settings,
    format: &Format,
    images: &Needed,
    talk: Talk,
) -> Result<Option<String>, Error> {
    let (standing, notes) = settings.standing()?;
    notes.iter().for_each(|note| talk.note(note));
    note_overrides(settings, &standing, talk)?;
    let existing: &[Rule] = standing.existing.as_deref().unwrap_or_default();
    let needed = images.by_rule(&standing);
    let mut entries = candidates(args, &standing.stated, &needed, existing);
    leave_out(&mut entries, standing.host.as_ref(), existing, talk);
    for entry in &entries {
        warn_of(entry.rule, existing, talk);
    }
    let together = entries.iter().map(|entry| entry.rule.clone()).collect();
    for warning in RuleSet::new(None, together).1 {
        talk.note(&format!("warning: {warning}"));
    }
    if standing.existing.is_none() && entries.is_empty() {
        talk.note("no rule is stated, and no image here needs one");
        return Ok(None);
    }
    if standing.existing.is_none() && !args.all {
        talk.note("nothing says which rules exist (`--from-aws`, `--rules FILE`, `rulesFrom`), so every rule that is stated or needed is printed");
    }
    if entries.is_empty() {
        talk.note(&format!(
            "nothing is missing: {} rules exist, {} are stated, and the images need no other",
            existing.len(),
            standing.stated.len()
        ));
        return Ok(None);
    }
    let host = standing.host.as_ref();
    Ok(Some(format.render(&[Registry { host, entries }])))
}

/// The rules that are stated, then those that images need, each once: with `--all` those that exist as
/// well, else without them.
fn candidates<'r>(
    args: &Export,
    stated: &'r [Rule],
    needed: &'r [(Rule, usize, &str)],
    existing: &'r [Rule],
) -> Vec<Entry<'r>> {
    let mut entries: Vec<Entry<'r>> = Vec::new();
    let mut add = |rule, why| {
        let known = |entry: &Entry<'_>| same(entry.rule, rule);
        if !entries.iter().any(known) {
            entries.push(Entry { rule, why });
        }
    };
    for rule in stated {
        add(rule, entry(rule).why);
    }
    for (rule, count, place) in needed {
        let images = if *count == 1 { "image" } else { "images" };
        add(
            rule,
            format!("Needed by {count} {images}, first at {place}."),
        );
    }
    if args.all {
        existing
            .iter()
            .for_each(|rule| add(rule, format!("Exists ({}).", rule.origin())));
    } else {
        entries.retain(|entry| !existing.iter().any(|rule| same(rule, entry.rule)));
    }
    entries
}

/// Leaves out rules that AWS could not have, and says why.
fn leave_out(
    entries: &mut Vec<Entry<'_>>,
    target: Option<&EcrHost>,
    existing: &[Rule],
    talk: Talk,
) {
    let all: Vec<Rule> = entries.iter().map(|entry| entry.rule.clone()).collect();
    entries.retain(|entry| {
        let others = all.iter().chain(existing);
        let why = no_cache(entry.rule, target, others);
        if let Some(why) = why {
            talk.note(&format!(
                "the rule for `{}` ({}) is left out: {why}",
                entry.rule.upstream(),
                entry.rule.origin()
            ));
        }
        why.is_none()
    });
}

/// Whether AWS would see the same rule in both.
fn same(one: &Rule, other: &Rule) -> bool {
    one.same_upstream(other) && one.prefix_text() == other.prefix_text()
}

/// Says what AWS would refuse, or what may be a mistake.
fn warn_of(rule: &Rule, existing: &[Rule], talk: Talk) {
    for known in existing {
        if known.prefix_text() == rule.prefix_text() && !known.same_upstream(rule) {
            talk.note(&format!(
                "warning: the prefix `{}` for `{}` is taken by `{}` ({}), so AWS will refuse it; state another with `--rule {}=PREFIX`",
                rule.prefix_text(),
                rule.upstream(),
                known.upstream(),
                known.origin(),
                rule.upstream()
            ));
        } else if known.same_upstream(rule) && !same(known, rule) {
            talk.note(&format!(
                "warning: `{}` is cached under `{}` already ({}), and is asked for under `{}` ({})",
                rule.upstream(),
                known.prefix_text(),
                known.origin(),
                rule.prefix_text(),
                rule.origin()
            ));
        }
    }
}

/// The rule that says what is cached where a rule for another registry of ECR moves its images to.
fn cache_under<'r>(rule: &Rule, all: impl IntoIterator<Item = &'r Rule>) -> Option<&'r Rule> {
    let is_cache = |other: &&Rule| {
        let same = other.prefix_text() == rule.prefix_text();
        same && !other.is_move() && *other.origin() != Origin::BuiltIn
    };
    all.into_iter().find(is_cache).filter(|_| rule.is_move())
}

/// Why a rule that images are rewritten by is none that AWS could have.
fn no_cache<'r>(
    rule: &Rule,
    target: Option<&EcrHost>,
    all: impl Iterator<Item = &'r Rule>,
) -> Option<&'static str> {
    if target.is_some_and(|target| rule.is_about(target.as_str())) {
        return Some(
            "its upstream is the registry itself, whose images it moves to another prefix",
        );
    }
    if cache_under(rule, all).is_some() {
        return Some("it moves images to a prefix under which the registry caches something else");
    }
    let is_by_hand = rule.library() == Library::Absent;
    is_by_hand.then_some("`library: false` says that its images were put there by hand")
}

/// Says that environments have registries of their own.
fn note_overrides(settings: &Settings, standing: &Standing, talk: Talk) -> Result<(), Error> {
    let (effective, _) = settings.effective()?;
    for one in &effective {
        let (Some(paths), Some((host, _))) = (&one.paths, &one.registry) else {
            continue;
        };
        let paths = paths.join(", ");
        let rules = one.rules.rules().iter();
        if standing.host.as_ref() != Some(host) {
            let rules: Vec<String> = rules
                .map(|rule| format!(" --rule {}={}", rule.upstream(), rule.prefix_text()))
                .collect();
            talk.note(&format!(
                "{paths} use {host}; run again with `--no-config --registry {host}{}` for its rules",
                rules.concat()
            ));
            continue;
        }
        let existing = standing.existing.iter().flatten();
        let known: Vec<&Rule> = existing.chain(&standing.stated).collect();
        let own = rules.filter(|rule| !known.iter().any(|known| same(known, rule)));
        let own: Vec<String> = own
            .map(|rule| {
                format!(
                    "`{}` under `{}` ({})",
                    rule.upstream(),
                    rule.prefix_text(),
                    rule.origin()
                )
            })
            .collect();
        if !own.is_empty() {
            talk.note(&format!(
                "warning: {paths} are rewritten by rules of their own, which are not printed and are not among those that exist: {}",
                own.join(", ")
            ));
        }
    }
    Ok(())
}
