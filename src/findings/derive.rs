//! A plan becomes findings: a few lines for each code.

use std::collections::{BTreeMap, BTreeSet};

use super::{Code, Excerpt, Finding, Findings, Level, Levels, UnknownCode};
use crate::plan::{Change, FilePlan, Matter, Plan, Remark, Skip, Undecided, Unparsed, canonical};
use crate::reason::{Assumption, Reason};
use crate::rules::Place;
use crate::sites::{CHART_FOLDER, GeneratedFile};
use crate::source::{Lines, Span};

/// Reasons why an image that a rule maps stays where it is: it does not come from ECR all the same.
const STAYS: &[&str] = &[
    "group-incomplete",
    "several-targets",
    "shared-anchor",
    "not-editable",
    "hard-linked",
];
/// What comes before the digest of a pinned image.
const DIGEST: &str = "@sha256:";

/// The findings of a plan whose level is not off, and what is to be said of the comments that
/// silence some.
pub fn find(plan: &Plan, levels: &Levels) -> Findings {
    let mut findings = Findings::default();
    for (index, file) in plan.files.iter().enumerate() {
        Deriving::new(index, file, levels).run(&mut findings);
    }
    let level = levels.of(Code::Unparsed);
    if level != Level::Off {
        let unparsed = plan.unparsed.iter().map(|place| unreadable(place, level));
        findings.list.extend(unparsed);
    }
    // Files are in order already, and stay so: the sort is stable.
    findings
        .list
        .sort_by(|a, b| (&a.path, a.span.start).cmp(&(&b.path, b.span.start)));
    findings
}

/// What is said of one place, before comments and levels are looked at.
struct Said {
    code: Code,
    message: String,
    fix: Option<String>,
    help: String,
}

/// The work on one file.
struct Deriving<'p> {
    index: usize,
    file: &'p FilePlan,
    levels: &'p Levels,
    lines: Lines<'p>,
    found: Vec<Finding>,
    /// Which comments silence which code, as far as it occurs.
    used: BTreeSet<(usize, Code)>,
    /// The comments that speak for something that is left alone because of one.
    kept: BTreeSet<usize>,
    /// The comments that speak for anything.
    speaking: BTreeSet<usize>,
}

impl<'p> Deriving<'p> {
    fn new(index: usize, file: &'p FilePlan, levels: &'p Levels) -> Self {
        Self {
            index,
            file,
            levels,
            lines: Lines::new(&file.source.text),
            found: Vec::new(),
            used: BTreeSet::new(),
            kept: BTreeSet::new(),
            speaking: BTreeSet::new(),
        }
    }

    fn run(mut self, findings: &mut Findings) {
        let file = self.file;
        for (_, speaking) in file.ignores.sites() {
            self.speaking.extend(speaking);
        }
        for change in &file.changes {
            if let Some(said) = said_of_repeat(file, change) {
                self.site(change.site, Some(said));
                continue;
            }
            self.site(change.site, Some(said_of_change(file, change)));
            self.site(change.site, said_of_digest(file, change.site, &change.to));
        }
        for skip in &file.skips {
            match skip.reason {
                Reason::AlreadyEcr => self.in_ecr(skip.site),
                Reason::Ignored => self.kept.extend(file.ignores.of_site(skip.site)),
                _ => self.site(skip.site, said_of_skip(file, skip)),
            }
        }
        for undecided in &file.undecided {
            self.site(undecided.site, Some(said_of_assumption(undecided)));
        }
        self.remarks();
        self.generated();
        self.comments(findings);
        findings.list.append(&mut self.found);
    }

    fn in_ecr(&mut self, site: usize) {
        let found = &self.file.sites[site];
        let text = found.text();
        // What stands in front of names has no image of its own, official or not.
        let is_beginning = found
            .parts()
            .is_some_and(|parts| parts.names.is_beginning());
        if !is_beginning && found.finder != CHART_FOLDER {
            self.site(site, said_of_library(self.file, text));
        }
        self.site(site, said_of_registry(self.file, text));
        if self.file.rules.cached(text).is_some() {
            self.site(site, said_of_digest(self.file, site, text));
        }
    }

    fn remarks(&mut self) {
        let file = self.file;
        let places = file.remarks.iter().enumerate();
        let places = places.map(|(index, remark)| (remark.span.start, index));
        let speaking = file.ignores.speaking_at(places.collect());
        let speaking: BTreeMap<usize, Vec<usize>> = speaking.into_iter().collect();
        for (index, remark) in file.remarks.iter().enumerate() {
            let speaking = speaking.get(&index).map_or(&[][..], Vec::as_slice);
            self.speaking.extend(speaking);
            self.add(None, remark.span, speaking, said_of_remark(remark));
        }
    }

    /// A file is generated as a whole: no comment on a line speaks for that.
    fn generated(&mut self) {
        let file = self.file;
        if let (Some(generated), false) = (&file.generated, file.changes.is_empty()) {
            self.add(None, generated.span, &[], said_of_generated(generated));
        }
    }

    fn site(&mut self, site: usize, said: Option<Said>) {
        if let Some(said) = said {
            let span = self.file.sites[site].span();
            let speaking = self.file.ignores.of_site(site);
            self.add(Some((self.index, site)), span, speaking, said);
        }
    }

    fn add(&mut self, site: Option<(usize, usize)>, span: Span, speaking: &[usize], said: Said) {
        let ignores = &self.file.ignores;
        let silencing = speaking
            .iter()
            .filter(|&&index| ignores.list[index].names(said.code.code()));
        let silencing: Vec<_> = silencing.map(|&index| (index, said.code)).collect();
        let level = self.levels.of(said.code);
        if !silencing.is_empty() || level == Level::Off {
            self.used.extend(silencing);
            return;
        }
        let at = self.lines.position(span.start);
        let line = self.lines.line(at.line);
        let start = span.start - self.lines.start(at.line);
        self.found.push(Finding {
            code: said.code,
            level,
            site,
            path: self.file.source.path.clone(),
            at,
            span,
            excerpt: Excerpt::of(line, Span::new(start, start + span.len())),
            message: said.message,
            fix: said.fix,
            help: said.help,
        });
    }

    /// What is to be said of the comments of the file.
    fn comments(&self, findings: &mut Findings) {
        let ignores = &self.file.ignores;
        let mut notes: Vec<(usize, String)> = ignores
            .faulty
            .iter()
            .map(|&line| (line, "what follows `ecr-rewrite:` is not understood; write `ignore` or `ignore[CODE]`, with ` -- reason` behind it".to_string()))
            .collect();
        for (index, ignore) in ignores.list.iter().enumerate() {
            if !self.speaking.contains(&index) {
                notes.push((ignore.line, "this `ignore` speaks for no image; remove it, or put it at the end of the image's line or alone above its entry".to_string()));
                continue;
            }
            let codes = ignore.codes.iter().filter(|_| !self.kept.contains(&index));
            notes.extend(codes.filter_map(|code| Some((ignore.line, self.code(index, code)?))));
        }
        notes.sort();
        let path = self.file.source.path.to_string_lossy();
        let notes = notes
            .into_iter()
            .map(|(line, note)| format!("{path}:{line}: {note}"));
        findings.notes.extend(notes);
    }

    /// What is to be said of a code in a comment.
    fn code(&self, index: usize, code: &str) -> Option<String> {
        match Code::parse(code) {
            Ok(known) if self.used.contains(&(index, known)) => None,
            Ok(_) => Some(format!(
                "nothing that this comment speaks for is reported as `{code}`; remove the code"
            )),
            Err(UnknownCode(Some(close))) => Some(format!(
                "there is no code `{code}`; did you mean `{close}`?"
            )),
            Err(UnknownCode(None)) => Some(format!("there is no code `{code}`; remove it")),
        }
    }
}

fn said_of_change(file: &FilePlan, change: &Change) -> Said {
    let rule = file.rules.rule_behind(&change.to, &change.rule);
    let why = match rule {
        Some(rule) => format!("rule {rule}"),
        None => format!("the rule is stated at {}", change.rule),
    };
    let what = if file.rules.registry().is_some() {
        "run `ecr-rewrite` on the file to rewrite it"
    } else {
        "state the target (`--registry`, or `registry:` in the config) and run `ecr-rewrite` on the file to rewrite it"
    };
    let (code, message) = if change.heals {
        let message = format!(
            "`{}` matches nothing any more: its image is `{}` now",
            change.from, change.to
        );
        (Code::StaleKustomizeName, message)
    } else {
        let message = format!("`{}` does not come from ECR", change.from);
        (Code::NotThroughEcr, message)
    };
    Said {
        code,
        message,
        fix: Some(change.becomes().to_string()),
        help: format!("{why}; {what}"),
    }
}

/// What is said of a name that follows its chart: nobody pulls it.
fn said_of_repeat(file: &FilePlan, change: &Change) -> Option<Said> {
    let (reason, _) = file.sites[change.site].hold.as_ref()?;
    reason.repeats().then(|| Said {
        code: Code::OldNameReference,
        message: format!("`{}` repeats a name that its chart gives up", change.from),
        fix: Some(change.to.clone()),
        help: "run `ecr-rewrite --with-tests` on the whole chart to rewrite it together with that"
            .to_string(),
    })
}

fn said_of_generated(generated: &GeneratedFile) -> Said {
    Said {
        code: Code::GeneratedFile,
        message: "the file says that it is generated, and a rewrite lasts until that happens again"
            .to_string(),
        fix: None,
        help: generated.advice.to_string(),
    }
}

fn said_of_skip(file: &FilePlan, skip: &Skip) -> Option<Said> {
    let text = file.sites[skip.site].text();
    let (code, message) = match skip.reason.code() {
        // It may be no image at all.
        "no-rule" | "unsupported-upstream" if rests_on_text(file, skip.site) => return None,
        "no-rule" => (
            Code::NoRule,
            format!("`{text}` does not come from ECR, and no rule maps it"),
        ),
        "unsupported-upstream" => (
            Code::UnsupportedUpstream,
            format!("`{text}` does not come from ECR, which cannot cache its registry"),
        ),
        "automation-reverts" => (
            Code::AutomationReverts,
            format!("`{text}` is written by automation, which would put it back"),
        ),
        "unparsed" => (Code::Unparsed, format!("`{text}` could not be read")),
        stays if STAYS.contains(&stays) && is_mapped(file, skip.site) => (
            Code::NotThroughEcr,
            format!("`{text}` does not come from ECR, and a rewrite leaves it ({stays})"),
        ),
        _ => return None,
    };
    Some(Said {
        code,
        message,
        fix: None,
        help: skip.detail.clone(),
    })
}

/// Whether a site is a reference only if what stands in a text is one.
fn rests_on_text(file: &FilePlan, site: usize) -> bool {
    let assumption = &file.sites[site].assumption;
    matches!(assumption, Some((Assumption::TextReference, _)))
}

/// Whether a rule maps the image of a site, as far as its own text tells.
fn is_mapped(file: &FilePlan, site: usize) -> bool {
    let name = canonical(&file.rules, &file.sites[site]);
    name.is_none_or(|name| file.rules.maps(&name))
}

fn said_of_assumption(undecided: &Undecided) -> Said {
    let Undecided {
        from,
        to,
        assumption,
        detail,
        ..
    } = undecided;
    Said {
        code: Code::Undecided,
        message: format!(
            "`{from}` is left, because its rewrite rests on an assumption ({assumption})"
        ),
        fix: None,
        help: format!(
            "{detail}; it would become `{to}`, and `--assume={assumption}` agrees to that"
        ),
    }
}

fn said_of_digest(file: &FilePlan, site: usize, text: &str) -> Option<Said> {
    let own = file.sites[site].text();
    let pinned = own.contains(DIGEST) || text.contains(DIGEST);
    pinned.then(|| Said {
        code: Code::DigestColdCache,
        message: format!("`{own}` is pinned by digest, and a pull by digest does not fill a cold cache"),
        fix: None,
        help: "pull the image by tag through the cache once before it is rolled out, or see that the cache holds this digest".to_string(),
    })
}

fn said_of_library(file: &FilePlan, text: &str) -> Option<Said> {
    let cached = file.rules.cached(text)?;
    if file.rules.place_of(cached.host) == Place::Elsewhere {
        return None;
    }
    let right = cached.right_library()?;
    let why = if cached.path.contains('/') {
        "only Docker Hub's official images stand under `library/`"
    } else {
        "Docker Hub's official images stand under `library/`"
    };
    Some(Said {
        code: Code::WrongLibrary,
        message: format!("the cache cannot fill `{text}`: {why}"),
        fix: None,
        help: format!(
            "write `{right}`; for a registry that was filled by hand, set `library: false` in the rule {}",
            cached.rule
        ),
    })
}

fn said_of_registry(file: &FilePlan, text: &str) -> Option<Said> {
    let cached = file.rules.cached(text)?;
    if file.rules.place_of(cached.host) != Place::Elsewhere {
        return None;
    }
    let prefix = cached.rule.prefix_text();
    let target = file.rules.registry_text();
    Some(Said {
        code: Code::OtherRegistry,
        message: format!("`{text}` lies under `{prefix}` of another registry than the target"),
        fix: None,
        help: format!(
            "write `{target}/{prefix}/{}{}`, or add the registry to `overrides` for this path",
            cached.path, cached.suffix
        ),
    })
}

fn said_of_remark(remark: &Remark) -> Said {
    let (code, message) = match remark.matter {
        Matter::GlobalRegistryConflict => (
            Code::GlobalRegistryConflict,
            "a registry for every image of the chart contradicts what the images say",
        ),
        Matter::BitnamiInsecureImages => (
            Code::BitnamiInsecureImages,
            "Bitnami charts refuse another registry than theirs unless a key allows it",
        ),
        Matter::ChartDefaults => (
            Code::ChartDefaults,
            "a release brings images that this repository does not name",
        ),
        Matter::OldName => (
            Code::OldNameReference,
            "an image is known here by a name that it gives up",
        ),
    };
    Said {
        code,
        message: message.to_string(),
        fix: None,
        help: remark.detail.clone(),
    }
}

fn unreadable(place: &Unparsed, level: Level) -> Finding {
    let column = place.at.column - 1;
    let start = place.line.chars().take(column).map(char::len_utf8).sum();
    let what = match &place.text {
        Some(path) => format!("the text at `{path}` cannot be read"),
        None => format!(
            "document {} of the template cannot be read as YAML",
            place.document + 1
        ),
    };
    Finding {
        code: Code::Unparsed,
        level,
        site: None,
        path: place.path.clone(),
        at: place.at,
        span: Span::new(place.offset, place.offset),
        excerpt: Excerpt::of(&place.line, Span::new(start, start)),
        message: format!("{what}: {}", place.message),
        fix: None,
        help: "images that are written out in it are not seen; check them by hand, or exclude the file".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::plan_text;
    use crate::rules::{EcrHost, Origin, RuleSet, default_rules};

    /// Skips that are no finding.
    const SILENT: &[&str] = &[
        "already-ecr",
        "allowed",
        "ignored",
        "templated",
        "variable",
        "not-an-image",
        "kustomize-placeholder",
        "vendored-chart",
        "build-output",
        "metadata",
        "test-assertion",
    ];
    /// Skips with a finding of their own name.
    const OWN: &[&str] = &[
        "no-rule",
        "unsupported-upstream",
        "automation-reverts",
        "unparsed",
    ];

    #[test]
    fn every_reason_is_a_finding_or_meant_to_be_none() {
        for reason in Reason::ALL {
            let lists = [STAYS, SILENT, OWN];
            let count = lists
                .iter()
                .filter(|list| list.contains(&reason.code()))
                .count();
            assert_eq!(count, 1, "{reason}");
        }
        for code in OWN {
            assert!(Code::parse(code).is_ok(), "{code}");
        }
    }

    /// The plan of a pod, with an assumed change of its first image and a remark on each line.
    fn assumed(comment: &str) -> Plan {
        let registry = EcrHost::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com").unwrap();
        let rules = RuleSet::new(Some(registry), default_rules()).0;
        let text = format!(
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: redis {comment}\n  - image: nginx {comment}\n"
        );
        let mut plan = plan_text("a.yaml", &text, rules);
        let file = &mut plan.files[0];
        file.changes.clear();
        file.skips.clear();
        file.undecided.push(Undecided {
            site: 0,
            from: "redis".into(),
            to: "R/docker-hub/library/redis".into(),
            rule: Origin::BuiltIn,
            assumption: Assumption::BareWord,
            detail: "state it in `sites`".into(),
        });
        let matters = [
            Matter::GlobalRegistryConflict,
            Matter::BitnamiInsecureImages,
        ];
        for (site, matter) in matters.into_iter().enumerate() {
            file.remarks.push(Remark {
                span: file.sites[site].span(),
                matter,
                detail: "add the key".into(),
            });
        }
        plan
    }

    fn told(plan: &Plan, levels: &Levels) -> Vec<String> {
        let findings = find(plan, levels);
        let line =
            |finding: &Finding| format!("{} {}[{}]", finding.at, finding.level, finding.code);
        findings.list.iter().map(line).collect()
    }

    #[test]
    fn assumptions_and_remarks_are_findings() {
        let plan = assumed("");
        assert_eq!(
            told(&plan, &Levels::default()),
            [
                "5:12 warn[undecided]",
                "5:12 error[global-registry-conflict]",
                "6:12 warn[bitnami-insecure-images]"
            ]
        );
        let findings = find(&plan, &Levels::default());
        let undecided = &findings.list[0];
        assert_eq!(undecided.fix, None, "an assumed change is in no fix");
        for part in [
            "state it in `sites`",
            "`--assume=bare-word`",
            "R/docker-hub/library/redis",
        ] {
            assert!(undecided.help.contains(part), "{}", undecided.help);
        }
        assert_eq!(findings.list[1].help, "add the key");
        let mut levels = Levels::default();
        levels.set(Code::Undecided, Level::Error);
        levels.set(Code::GlobalRegistryConflict, Level::Off);
        levels.set(Code::BitnamiInsecureImages, Level::Info);
        assert_eq!(
            told(&plan, &levels),
            [
                "5:12 error[undecided]",
                "6:12 info[bitnami-insecure-images]"
            ]
        );
    }

    #[test]
    fn what_names_begin_with_is_under_no_library() {
        let ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let rules = RuleSet::new(Some(EcrHost::parse(ecr).unwrap()), default_rules()).0;
        for (text, wanted) in [
            (
                format!("global: {{hub: {ecr}/docker-hub/istio, tag: 1.24.0}}\n"),
                &[][..],
            ),
            (
                format!("image: {{repository: {ecr}/docker-hub/istio, tag: 1.24.0}}\n"),
                &["1:21 error[wrong-library]"][..],
            ),
        ] {
            let plan = plan_text("values.yaml", &text, rules.clone());
            assert_eq!(told(&plan, &Levels::default()), wanted, "{text}");
        }
    }

    #[test]
    fn assumptions_and_remarks_can_be_silenced() {
        let codes = "undecided, global-registry-conflict, bitnami-insecure-images";
        for (comment, left, notes) in [
            ("# ecr-rewrite: ignore", 0, 0),
            (&format!("# ecr-rewrite: ignore[{codes}]"), 0, 3),
            ("# ecr-rewrite: ignore[undecided]", 2, 1),
        ] {
            let findings = find(&assumed(comment), &Levels::default());
            assert_eq!(findings.list.len(), left, "{comment}");
            assert_eq!(
                findings.notes.len(),
                notes,
                "{comment}: {:?}",
                findings.notes
            );
        }
    }
}
