//! What has to hold for every text: one function per fuzz target, each of which panics where it does not.
//!
//! The fuzz targets give them what the fuzzer makes up, `tests/fuzz.rs` the files of `testdata` and everything
//! that was ever found. They use the library as any other program could, and nothing that is private to it;
//! what a changed text means is asked of serde_yaml and yaml-rust2, which have no part in making it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a property that cannot be looked at does not hold

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use ecr_rewrite::config::Config;
use ecr_rewrite::edit::{Edit, EditSet};
use ecr_rewrite::globs::path_globs;
use ecr_rewrite::image::{self, ImageRef};
use ecr_rewrite::plan::{Change, FilePlan, Plan, plan_text as plan_of};
use ecr_rewrite::rules::{EcrHost, Library, Rule, RuleSet, Verdict, default_rules};
use ecr_rewrite::source::{self, Span};
use ecr_rewrite::yaml::{
    Branches, Document, Kind, Masked, Place, Scalar, Style, action_texts, documents,
};
use serde::Deserialize;
use serde_yaml::Value;
use yaml_rust2::Event;
use yaml_rust2::parser::Parser;

const REGISTRY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const PLACEHOLDER: &str = "${ECR}";

/// The program reads no file that holds a NUL.
fn is_text(text: &str) -> bool {
    source::decode(text.as_bytes().to_vec()).is_ok()
}

// ---- references ----

/// Rule sets of every kind; of none do two prefixes lie inside each other.
static RULE_SETS: LazyLock<Vec<RuleSet>> = LazyLock::new(|| {
    let flags = |flags: &[&str]| -> Vec<Rule> {
        let rules = flags.iter().map(|flag| Rule::parse_flag(flag).unwrap());
        rules.collect()
    };
    let absent = Rule::parse_flag("docker.io=hub").unwrap();
    let vendors = BTreeMap::from([("registry.rocket.chat".to_string(), "docker.io".to_string())]);
    let set = |rules| {
        let (set, warnings) = RuleSet::new(Some(EcrHost::parse(REGISTRY).unwrap()), rules);
        assert_eq!(warnings, [""; 0]);
        set
    };
    vec![
        set(default_rules()).with_aliases(vendors),
        set(vec![absent.with_library(Library::Absent)]),
        set(flags(&["docker.io=ROOT"])),
        set(flags(&[
            "docker.io=hub",
            "docker.io/acme=acme-hub",
            "ghcr.io/a/b=deep",
            "999999999999.dkr.ecr.us-east-1.amazonaws.com=old",
        ])),
    ]
});

/// References: what is read is printed back; a rule changes the name and nothing else; the way back leads to
/// the same image.
pub fn image_ref(text: &str) {
    let _ = image::is_registry(text);
    let _ = image::is_filled_as_whole(text);
    if let Some(at) = image::filled_at(text) {
        assert!(text.is_char_boundary(at));
    }
    if let Ok(host) = EcrHost::parse(text) {
        assert_eq!(EcrHost::parse(host.as_str()).as_ref(), Ok(&host));
    }
    for set in RULE_SETS.iter() {
        let _ = set.text_is_ecr(text);
        let _ = set.revert(text);
    }
    let Ok(image) = ImageRef::parse(text) else {
        return;
    };
    assert_eq!(image.to_string(), text);
    let parts = image::grammar(text).expect("what Docker reads has the form of a reference");
    assert_eq!((parts.tag, parts.digest), (image.tag(), image.digest()));
    assert_eq!(
        format!("{}{}", &text[..image.name_len()], image.suffix()),
        text
    );
    let whole = format!("{}{}", image.canonical(), image.suffix());
    let whole = ImageRef::parse(&whole).expect("the whole name is a reference");
    assert_eq!(whole.canonical(), image.canonical());
    for set in RULE_SETS.iter() {
        follow(set, &image);
    }
}

/// Takes an image through the rules and back.
fn follow(set: &RuleSet, image: &ImageRef) {
    let Verdict::Rewrite { name, .. } = set.decide(image) else {
        return;
    };
    let text = format!("{name}{}", image.suffix());
    let made = ImageRef::parse(&text).expect("what a rule makes is a reference");
    assert_eq!(made.registry(), Some(REGISTRY));
    assert_eq!((made.tag(), made.digest()), (image.tag(), image.digest()));
    assert!(set.text_is_ecr(&text), "{text}");
    let again = set.decide(&made);
    assert!(matches!(again, Verdict::Keep(..)), "{text}: {again:?}");
    let back = set.revert(&text).expect("what a rule made has a way back");
    let back = ImageRef::parse(&back).expect("the way back leads to a reference");
    assert_eq!((back.tag(), back.digest()), (image.tag(), image.digest()));
    let meant = |image: &ImageRef| set.behind_alias(set.canonical(image));
    assert_eq!(meant(&back), meant(image), "{image} by {text}");
}

// ---- scalars ----

/// Replacements have the letters that new names have, and are short: a key may have 1,024 characters.
const NEW: [&str; 2] = ["q.io/z:1", "zz/9"];
/// How many scalars of a text are replaced: each costs a parse.
const REPLACED: usize = 6;

/// Scalars: what is said to be editable has its value's bytes at its span, and replacing them changes this
/// scalar and nothing else.
pub fn scalar_spans(text: &str) {
    if !is_text(text) {
        return;
    }
    let before = scalars(text);
    let editable: Vec<usize> = (0..before.len())
        .filter(|&index| before[index].1.is_some())
        .collect();
    let step = editable.len().div_ceil(REPLACED).max(1);
    for &index in editable.iter().step_by(step) {
        let (old, Some(span)) = &before[index] else {
            continue;
        };
        let new = NEW[usize::from(old.trim_end_matches('\n') == NEW[0])];
        let edits = [Edit {
            span: *span,
            text: new.to_string(),
        }];
        let after = EditSet::new(edits).unwrap().apply(text).unwrap();
        let mut wanted: Vec<&str> = before.iter().map(|(value, _)| value.as_str()).collect();
        let value = format!("{new}{}", &old[old.trim_end_matches('\n').len()..]);
        wanted[index] = &value;
        let found = scalars(&after);
        let found: Vec<&str> = found.iter().map(|(value, _)| value.as_str()).collect();
        assert_eq!(found, wanted, "{text:?} becomes {after:?}");
    }
}

/// Every node of a text that is a scalar, and marks for the others; with the bytes that can be replaced.
fn scalars(text: &str) -> Vec<(String, Option<Span>)> {
    let mut all = Vec::new();
    for document in documents(text) {
        match document {
            Ok(document) => scalars_of(text, &document, &mut all),
            Err(error) => {
                assert!(error.offset <= text.len());
                all.push(("(broken)".to_string(), None));
            }
        }
    }
    all
}

fn scalars_of(text: &str, document: &Document<'_>, all: &mut Vec<(String, Option<Span>)>) {
    for (id, node) in document.nodes.iter().enumerate() {
        assert!(node.end > id && node.end <= document.nodes.len());
        assert!(node.parent <= id);
        assert!(node.span.of(text).is_some(), "{:?} of {text:?}", node.span);
        let Some(scalar) = Scalar::locate(text, document, id) else {
            assert!(!matches!(node.kind, Kind::Scalar { .. }));
            let kind = match node.kind {
                Kind::Sequence => "[".to_string(),
                Kind::Mapping => "{".to_string(),
                Kind::Alias(target) => format!("*{target}"),
                Kind::Scalar { .. } => String::new(),
            };
            all.push((format!("({kind} {} {})", node.end, node.anchored), None));
            continue;
        };
        let span = match scalar.place {
            Place::Exact(span) => {
                assert_eq!(span.of(text), Some(scalar.value.as_str()), "{text:?}");
                replaceable(span, &scalar)
            }
            Place::Spelled(span) => {
                assert!(span.of(text).is_some());
                None
            }
        };
        all.push((scalar.value, span));
    }
}

/// The bytes of a scalar that can be another text without a line break.
fn replaceable(span: Span, scalar: &Scalar) -> Option<Span> {
    let line = scalar.value.trim_end_matches('\n');
    let is_block = matches!(scalar.style, Style::Literal | Style::Folded);
    // In a block, blanks would be left before or behind it, and lines below may hang on its indentation.
    let is_odd =
        is_block && (line.is_empty() || line.starts_with([' ', '\t']) || line.contains('\n'));
    (!is_odd).then(|| Span::new(span.start, span.start + line.len()))
}

// ---- templates ----

/// Masks: as long as the template and with its lines; nothing changes outside of actions but the blanks of
/// lines that hold nothing else; documents stand at the template's own bytes.
pub fn mask(text: &str) {
    if !is_text(text) {
        return;
    }
    for action in spans(text).iter().filter_map(|span| span.of(text)) {
        let opens = ["{{", "{%", "{#", "%{"].map(|bracket| action.starts_with(bracket));
        assert!(opens.contains(&true), "{action}");
    }
    for branches in [
        Branches::All,
        Branches::Only(0),
        Branches::Only(1),
        Branches::Only(2),
    ] {
        let Some(masked) = Masked::of(text, branches) else {
            assert_eq!(action_texts(text).count(), 0);
            return;
        };
        assert_eq!(masked.text().len(), text.len());
        lines_stay(text, &masked);
        let documents = masked.documents(text, branches).flatten();
        for document in documents.chain(masked.yaml(text, branches)) {
            scalars_of(text, &document, &mut Vec::new());
        }
    }
}

/// Where the actions of a template stand.
fn spans(text: &str) -> Vec<Span> {
    let mut at = 0;
    let spans = action_texts(text).map(|action| {
        let start = at + text[at..].find(action).expect("actions stand in order");
        at = start + action.len();
        Span::new(start, at)
    });
    spans.collect()
}

/// Whether a byte stands behind an `else`, with no more than actions and text of one line between: a key of
/// its own there is left out.
fn is_behind_else(text: &str, actions: &[Span], at: usize) -> bool {
    let mut from = at;
    for action in actions.iter().rev().filter(|action| action.end <= at) {
        if text.as_bytes()[action.end..from].contains(&b'\n') {
            return false;
        }
        if action.of(text).is_some_and(|action| action.contains("el")) {
            return true;
        }
        from = action.start;
    }
    false
}

/// Compares a mask with its template byte by byte.
fn lines_stay(text: &str, masked: &Masked) {
    let mut start = 0;
    let actions = spans(text);
    for line in text.split_inclusive('\n') {
        let span = Span::new(start, start + line.len());
        start = span.end;
        let touched = masked.overlaps(span);
        let pairs = line.bytes().zip(masked.text()[span.start..].bytes());
        for (at, (old, new)) in pairs.enumerate() {
            let is_blank = matches!(old, b' ' | b'\t' | b'\r');
            let filler = matches!(new, b' ' | b'\n' | b'x');
            let at = span.start + at;
            let of_action = masked.overlaps(Span::new(at, at + 1));
            let fine = old == new
                || of_action && filler
                || touched && is_blank && matches!(new, b' ' | b'\n')
                || touched && new == b' ' && is_behind_else(text, &actions, at);
            assert!(fine, "byte {at} of {text:?} becomes {:?}", char::from(new));
        }
    }
}

// ---- plans ----

/// Plans: the first line of the input is the file's path, the rest its text. The new text differs in the
/// edits alone, means what was planned to a parser of another family, and is not changed again.
pub fn plan_text(input: &str) {
    let Some((path, text)) = input.split_once('\n') else {
        return;
    };
    if !is_text(text) || path.is_empty() || path.len() > 200 {
        return;
    }
    for host in [REGISTRY, PLACEHOLDER] {
        planned(path, text, host);
    }
}

fn rules(host: &str) -> RuleSet {
    let host = EcrHost::parse(host).unwrap();
    RuleSet::new(Some(host), default_rules()).0
}

/// Plans a text and looks at what comes out. The new text, when there is one.
fn planned(path: &str, text: &str, host: &str) -> Option<String> {
    let plan = plan_of(path, text, rules(host));
    no_defect(&plan, path, text, host);
    for file in &plan.files {
        for change in &file.changes {
            assert_eq!(suffix(&change.from), suffix(&change.to), "{change:?}");
        }
        let accounted = file.changes.len() + file.skips.len() + file.undecided.len();
        assert_eq!(accounted, file.sites.len(), "each site has one fate");
    }
    let file = plan.files.iter().find(|file| file.after.is_some())?;
    let after = file.after.clone()?;
    outside_stays(file, &after);
    means_the_same(file, &after);
    let again = plan_of(path, &after, rules(host));
    no_defect(&again, path, &after, host);
    let again: Vec<_> = again.changes().map(|(_, change)| change).collect();
    assert!(again.is_empty(), "{text:?} becomes {after:?}: {again:?}");
    Some(after)
}

fn no_defect(plan: &Plan, path: &str, text: &str, host: &str) {
    for failure in &plan.failures {
        let message = &failure.message;
        let is_defect = message.contains("defect");
        assert!(!is_defect, "{path} to {host}: {text:?}: {message}");
    }
}

/// The tag and digest of a text that is a reference.
fn suffix(text: &str) -> Option<String> {
    let end = text.rfind('/').map_or(0, |at| at + 1);
    // With a placeholder for its host, a text is no reference, and its suffix is what it always is.
    let bare = &text[end..];
    bare.find([':', '@']).map(|at| bare[at..].to_string())
}

/// The bytes between the edits are where they were.
fn outside_stays(file: &FilePlan, after: &str) {
    let edits = file.changes.iter().flat_map(|change| &change.edits);
    let mut edits: Vec<&Edit> = edits.collect();
    edits.sort_by_key(|edit| edit.span);
    let before = &file.source.text;
    let (mut old, mut new) = (0, 0);
    for edit in edits {
        let kept = &before[old..edit.span.start];
        assert_eq!(&after[new..new + kept.len()], kept);
        new += kept.len();
        assert_eq!(&after[new..new + edit.text.len()], edit.text);
        new += edit.text.len();
        old = edit.span.end;
    }
    assert_eq!(&after[new..], &before[old..]);
}

/// Asks other parsers what became of a text.
fn means_the_same(file: &FilePlan, after: &str) {
    let before = file.source.text.as_str();
    if let Some(old) = events(before) {
        let new = events(after);
        let new = new.unwrap_or_else(|| panic!("{before:?} is not YAML any more: {after:?}"));
        let adds = |change: &Change| change.inserted.is_some() || change.allowance.is_some();
        let grows = file.changes.iter().any(adds);
        let fits = if grows { new > old } else { new == old };
        assert!(fits, "{before:?} becomes {after:?}");
    }
    let Some(old) = values(before) else { return };
    let new = values(after).unwrap_or_else(|| panic!("{before:?} is not YAML any more: {after:?}"));
    assert_eq!(old.len(), new.len());
    let wanted: Vec<(&str, &str)> = file.changes.iter().flat_map(wanted).collect();
    for (old, new) in old.iter().zip(&new) {
        compare(old, new, &wanted);
    }
}

/// The texts before and after of a change.
fn wanted(change: &Change) -> impl Iterator<Item = (&str, &str)> {
    let scalars = change.scalars.iter();
    scalars.map(|scalar| (scalar.from.as_str(), scalar.to.as_str()))
}

/// How many events yaml-rust2 sees; `None` when it cannot read the text.
fn events(text: &str) -> Option<usize> {
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut count = 0;
    loop {
        match parser.next_token() {
            Ok((Event::StreamEnd, _)) => return Some(count),
            Ok(_) => count += 1,
            Err(_) => return None,
        }
    }
}

/// The documents that serde_yaml sees; `None` when it cannot read them all.
fn values(text: &str) -> Option<Vec<Value>> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents
        .map(|document| Value::deserialize(document).ok())
        .collect()
}

/// Goes through two values, which may differ in texts that were to change, and in keys that were added.
fn compare(old: &Value, new: &Value, wanted: &[(&str, &str)]) {
    match (old, new) {
        (Value::Mapping(old), Value::Mapping(new)) => {
            let mut old = old.iter().peekable();
            for (key, value) in new {
                match old.next_if(|(known, _)| *known == key) {
                    Some((_, before)) => compare(before, value, wanted),
                    None => assert!(
                        matches!(
                            key.as_str(),
                            Some(
                                "newName"
                                    | "registry"
                                    | "global"
                                    | "security"
                                    | "allowInsecureImages"
                            )
                        ),
                        "{key:?} was added"
                    ),
                }
            }
            assert_eq!(old.next(), None, "a key is gone");
        }
        (Value::Sequence(old), Value::Sequence(new)) => {
            assert_eq!(old.len(), new.len());
            old.iter()
                .zip(new)
                .for_each(|(old, new)| compare(old, new, wanted));
        }
        (Value::Tagged(old), Value::Tagged(new)) => {
            assert_eq!(old.tag, new.tag);
            compare(&old.value, &new.value, wanted);
        }
        (Value::String(old), Value::String(new)) => assert!(
            is_wanted(old, new, wanted),
            "{old:?} becomes {new:?}, planned was {wanted:?}"
        ),
        _ => assert_eq!(old, new),
    }
}

/// Whether a text is made of the other by replacements that were planned, and nothing else.
fn is_wanted(old: &str, new: &str, wanted: &[(&str, &str)]) -> bool {
    if old == new {
        return true;
    }
    let same = old
        .chars()
        .zip(new.chars())
        .take_while(|(old, new)| old == new);
    let shared: usize = same.map(|(old, _)| old.len_utf8()).sum();
    wanted.iter().any(|(from, to)| {
        // Inside of a text that holds documents, a value may need quotes that it had not.
        let written = [to.to_string(), format!("\"{to}\""), format!("'{to}'")];
        // The first difference lies in the replacement, or right behind what both have in common.
        let found = old.match_indices(from).map(|(at, _)| at);
        let near = |at: &usize| *at <= shared && at + from.len() >= shared;
        found.filter(near).any(|at| {
            let rest = &new.as_bytes()[at..];
            written.iter().any(|to| {
                rest.starts_with(to.as_bytes())
                    && is_wanted(&old[at + from.len()..], &new[at + to.len()..], wanted)
            })
        })
    })
}

// ---- configs ----

/// Configs: read or refused at a place within the text; whatever rules one states, they make references, and
/// those of which nothing is warned lead back.
pub fn config(text: &str) {
    if !is_text(text) {
        return;
    }
    let config = match Config::parse(Path::new(".ecr-rewrite.yaml"), text) {
        Ok(config) => config,
        Err(error) => {
            points_into(&*error, text);
            points_into(
                &error.map_texts(|line| line.replace('e', "\\u{65}").into()),
                "",
            );
            return;
        }
    };
    let path = "a/".repeat(2000) + "b.yaml";
    for over in &config.overrides {
        let _ = over.paths.is_match(&path);
        assert!(
            over.globs.is_empty() == over.paths.is_empty(),
            "{:?} match nothing",
            over.globs
        );
    }
    path_globs(&config.exclude).expect("globs that are fine one by one are fine together");
    let targets = config.overrides.into_iter().map(|over| over.target);
    for target in targets.chain([config.target]) {
        let rules = target.rules.unwrap_or_default();
        let host = EcrHost::parse(REGISTRY).unwrap();
        let samples: Vec<String> = rules
            .iter()
            .map(|rule| rule.upstream() + "/a/b:1")
            .collect();
        let (set, warnings) = RuleSet::new(Some(host), rules);
        let set = set
            .with_aliases(config.aliases.clone())
            .with_allow(config.allow.clone());
        // What moves to a prefix under which others are cached has the way back of those.
        let prefixes: BTreeSet<&str> = set.rules().iter().map(Rule::prefix_text).collect();
        let is_one_way = prefixes.len() < set.rules().len();
        let samples = samples.iter().map(String::as_str);
        for text in samples.chain(["nginx", "ghcr.io/acme/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]) {
            let Ok(image) = ImageRef::parse(text) else { continue };
            if let Verdict::Rewrite { name, .. } = set.decide(&image) {
                let made = format!("{name}{}", image.suffix());
                let made = ImageRef::parse(&made).expect("what a rule makes is a reference");
                assert_eq!((made.tag(), made.digest()), (image.tag(), image.digest()));
                if warnings.is_empty() && config.aliases.is_empty() && !is_one_way {
                    follow(&set, &image);
                }
            }
        }
    }
}

/// An error's label lies within its text, on whole characters.
fn points_into(error: &dyn miette::Diagnostic, text: &str) {
    assert!(!error.to_string().is_empty());
    for label in error.labels().expect("an error has a place") {
        let source = error.source_code().expect("an error shows its text");
        let inside = source.read_span(label.inner(), 0, 0);
        assert!(inside.is_ok(), "{label:?} of {text:?}");
        if !text.is_empty() {
            let span = Span::new(label.offset(), label.offset() + label.len());
            assert!(span.of(text).is_some(), "{label:?} of {text:?}");
        }
    }
}

// ---- documents in documents ----

/// What stands around a text that holds documents: `@` is the text.
const HOLDERS: [(&str, &str); 5] = [
    (
        "cm.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x.yaml: @  y: z\n",
    ),
    (
        "app.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source:\n    helm:\n      values: @      releaseName: z\n",
    ),
    (
        "hc.yaml",
        "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nspec:\n  valuesContent: @  chart: z\n",
    ),
    (
        "kustomization.yaml",
        "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\npatches:\n- patch: @  target: {kind: Deployment}\n",
    ),
    (
        "wf.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  templates:\n  - resource:\n      manifest: @      action: z\n",
    ),
];

/// Documents in documents: the first byte of the input says in what and how the rest is held. Edits land in
/// the outer file and leave the inner documents readable.
pub fn embedded(input: &str) {
    let mut rest = input.chars();
    let Some(way) = rest.next() else { return };
    let inner = rest.as_str();
    if !is_text(input) || inner.contains(['\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}']) {
        return;
    }
    let way = way as usize;
    let (path, holder) = HOLDERS[way % HOLDERS.len()];
    let held = held(way / HOLDERS.len() % 6, inner);
    let text = holder.replacen('@', &held, 1);
    let Some(after) = planned(path, &text, REGISTRY) else {
        return;
    };
    let (Some(old), Some(new)) = (values(&text), values(&after)) else {
        return;
    };
    let (mut old, mut new) = (texts(&old), texts(&new));
    old.retain(|text| values(text).is_some());
    new.retain(|text| values(text).is_some());
    assert_eq!(old.len(), new.len(), "{text:?} becomes {after:?}");
}

/// A text as the scalar of a key, in one of six ways, up to the line break behind it.
fn held(way: usize, inner: &str) -> String {
    let block = |header: &str| {
        let lines = inner.lines().map(|line| match line {
            "" => "\n".to_string(),
            line => format!("        {line}\n"),
        });
        format!("{header}\n{}", lines.collect::<String>())
    };
    match way {
        0 => block("|"),
        1 => block("|-"),
        2 => block("|+"),
        3 => block(">"),
        4 => format!("'{}'\n", inner.replace('\n', " ").replace('\'', "''")),
        _ => format!("{inner:?}\n"),
    }
}

/// All texts of several documents.
fn texts(values: &[Value]) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open: Vec<&Value> = values.iter().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => found.push(text.as_str()),
            Value::Sequence(items) => open.extend(items),
            Value::Mapping(entries) => open.extend(entries.values()),
            Value::Tagged(tagged) => open.push(&tagged.value),
            _ => {}
        }
    }
    found
}
