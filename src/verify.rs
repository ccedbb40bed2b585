//! The second opinion: a changed text is parsed again by another engine before it is written.
//!
//! yaml-rust2 reads the text before and after; every event has to be the same, except exactly the
//! scalars that were meant to change, which must have exactly the values that were meant. Where
//! yaml-rust2 cannot read the text as it was (it is stricter than Helm in a few places), the first
//! engine compares instead, document by document. The bytes outside the edits are compared too, from
//! the two texts alone. A text that holds documents is meant to change when scalars in it are: it is
//! compared as a text of its own, in the same way.
//! A template is compared in every way in which it was read, masked in the same way before and after, and
//! its actions have to be the same.

use std::collections::BTreeMap;
use std::fmt;

use yaml_rust2::Event;
use yaml_rust2::parser::Parser;

use crate::edit::EditSet;
use crate::yaml::{
    Document, DocumentPath, Kind, Reading, Style, YamlError, action_texts, documents,
    ends_within_line,
};

/// A scalar that is meant to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The document.
    pub document: DocumentPath,
    /// How many scalars of the document come before it.
    pub ordinal: usize,
    /// The value before.
    pub from: String,
    /// The value after.
    pub to: String,
    /// The key and value that are added behind it.
    pub inserted: Option<(String, String)>,
    /// The keys that are added in front of it, each below the one before it, and the last one's value.
    pub fronted: Option<(Vec<String>, String)>,
}

impl Planned {
    /// A scalar, by its document and how many scalars of that come before it, that becomes another.
    pub fn new((document, ordinal): (DocumentPath, usize), from: String, to: String) -> Self {
        Self {
            document,
            ordinal,
            from,
            to,
            inserted: None,
            fronted: None,
        }
    }
}

/// What the check found. Each of these is a defect of the program: nothing is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// Bytes outside the edits differ.
    OutsideBytes,
    /// An action of a template would be another one.
    Actions,
    /// The changed text is not YAML any more.
    NotYaml(String),
    /// Something else than the planned scalars differs: what.
    Different(String),
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsideBytes => f.write_str("bytes outside the edits would change"),
            Self::Actions => f.write_str("a template action would change"),
            Self::NotYaml(error) => write!(f, "the result would not be YAML: {error}"),
            Self::Different(what) => write!(f, "the result would mean something else: {what}"),
        }
    }
}

impl std::error::Error for VerifyError {}

/// Checks that `after` is `before` with `edits` applied, and that this changes the `planned` scalars
/// and nothing else.
pub fn verify(
    before: &str,
    after: &str,
    edits: &EditSet,
    planned: &[Planned],
) -> Result<(), VerifyError> {
    same_outside(before, after, edits)?;
    let mut readings: BTreeMap<Reading, Vec<Due<'_>>> = BTreeMap::new();
    // Whatever else it is: what is YAML as it stands has to stay so.
    readings.insert(Reading::Raw, Vec::new());
    for planned in planned {
        let document = planned.document;
        let due = readings.entry(document.reading()).or_default();
        due.push(Due { document, planned });
    }
    if !action_texts(before).eq(action_texts(after)) {
        return Err(VerifyError::Actions);
    }
    let is_masked = readings.len() > 1;
    for (reading, due) in readings {
        let (Some(before), Some(after)) = (reading.of(before), reading.of(after)) else {
            return Err(VerifyError::Actions);
        };
        let lines = match reading {
            Reading::Raw => Lines::All,
            Reading::Masked(_) => Lines::Filled,
        };
        let by_masks = is_masked && reading == Reading::Raw;
        let same = same_events(&before, &after, due.clone(), lines);
        // What the first engine refuses as it stands was planned by its masks, and is no scalar of the text,
        // be the second engine as lenient as it may: it takes control characters.
        if same.is_err() && by_masks && documents(&before).any(|document| document.is_err()) {
            let before = events_first(&before);
            let after = without_broken(&before, &events_first(&after));
            compare(before, after, due, Lines::All)?;
        } else {
            same?;
        }
    }
    Ok(())
}

/// A planned scalar, as seen from a text that it lies in.
#[derive(Clone, Copy)]
struct Due<'p> {
    /// The way to its document from there.
    document: DocumentPath,
    planned: &'p Planned,
}

impl<'p> Due<'p> {
    /// What is added behind it here.
    fn inserted(&self) -> Option<&'p (String, String)> {
        let here = !self.document.is_inside();
        self.planned.inserted.as_ref().filter(|_| here)
    }

    /// What is added in front of it here, step by step.
    fn fronted(&self) -> Vec<Step> {
        let here = !self.document.is_inside();
        let Some((keys, value)) = self.planned.fronted.as_ref().filter(|_| here) else {
            return Vec::new();
        };
        let plain = |text: &String| Step::Scalar {
            value: text.clone(),
            anchored: false,
            properties: "Plain None".to_string(),
        };
        let open = || Step::Open("{ false".to_string());
        let mut steps: Vec<Step> = keys.iter().flat_map(|key| [plain(key), open()]).collect();
        // The last key has no map below it.
        steps.pop();
        steps.push(plain(value));
        steps.extend(keys.iter().skip(1).map(|_| Step::Close));
        steps
    }

    /// The same, as seen from the text that holds it; `None` when it is a scalar of its own here.
    fn inside(&self) -> Option<Self> {
        let (_, document) = self.document.split()?;
        Some(Self { document, ..*self })
    }

    /// The scalar of the text's own documents that is it or holds it.
    fn place(&self) -> (usize, usize) {
        let ordinal = match self.document.split() {
            Some((holding, _)) => holding,
            None => self.planned.ordinal,
        };
        (self.document.stream(), ordinal)
    }
}

/// Whether two texts, read in this way, differ in the scalars that are due and in nothing else.
fn same_events(
    before: &str,
    after: &str,
    due: Vec<Due<'_>>,
    lines: Lines,
) -> Result<(), VerifyError> {
    let (old, new) = match (events_second(before), events_second(after)) {
        (Ok(old), Ok(new)) => (old, new),
        (Ok(_), Err(error)) => return Err(VerifyError::NotYaml(error)),
        (Err(_), _) => (events_first(before), events_first(after)),
    };
    compare(old, new, due, lines)
}

/// Which lines of values count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// All of them.
    All,
    /// Those with something in them: a mask has an empty line for every byte that it leaves out, be they
    /// changed or not.
    Filled,
}

impl Lines {
    /// Whether two values have the same lines.
    fn are_same(self, one: &str, other: &str) -> bool {
        let filled = |text: &'_ str| {
            let mut is_behind = false;
            let mut text = text.to_string();
            text.retain(|c| !std::mem::replace(&mut is_behind, c == '\n') || c != '\n');
            text
        };
        one == other || self == Self::Filled && filled(one) == filled(other)
    }

    /// Whether two steps are the same but for lines that do not count.
    fn are_same_in(self, one: &Step, other: &Step) -> bool {
        match (one, other) {
            (
                Step::Scalar {
                    value,
                    anchored,
                    properties,
                },
                Step::Scalar {
                    value: now,
                    anchored: anchored_now,
                    properties: properties_now,
                },
            ) => {
                (anchored, properties) == (anchored_now, properties_now)
                    && self.are_same(value, now)
            }
            _ => one == other,
        }
    }
}

/// Walks both texts from edit to edit.
fn same_outside(before: &str, after: &str, edits: &EditSet) -> Result<(), VerifyError> {
    let (mut old, mut new) = (0, 0);
    for edit in edits.iter() {
        let kept = edit.span.start - old;
        let same = before.get(old..edit.span.start) == after.get(new..new + kept);
        new += kept + edit.text.len();
        old = edit.span.end;
        if !same || after.get(new - edit.text.len()..new) != Some(edit.text.as_str()) {
            return Err(VerifyError::OutsideBytes);
        }
    }
    if before.get(old..) == after.get(new..) {
        Ok(())
    } else {
        Err(VerifyError::OutsideBytes)
    }
}

/// One step of a stream, the same for both engines.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Document,
    Scalar {
        value: String,
        anchored: bool,
        properties: String,
    },
    Open(String),
    Close,
    /// How many anchors come before the one it stands for.
    Alias(usize),
    Broken,
}

fn events_second(text: &str) -> Result<Vec<Step>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser::new_from_str(text);
    let mut steps = Vec::new();
    loop {
        let (event, _) = parser.next_token().map_err(|error| error.to_string())?;
        match event {
            Event::StreamEnd => {
                end_as_text(text, &mut steps);
                return Ok(steps);
            }
            Event::DocumentStart => steps.push(Step::Document),
            Event::Scalar(value, style, anchor, tag) => steps.push(Step::Scalar {
                value,
                anchored: anchor != 0,
                properties: format!("{style:?} {tag:?}"),
            }),
            Event::SequenceStart(anchor, tag) => {
                steps.push(Step::Open(format!("[{anchor} {tag:?}")));
            }
            Event::MappingStart(anchor, tag) => {
                steps.push(Step::Open(format!("{{{anchor} {tag:?}")));
            }
            Event::SequenceEnd | Event::MappingEnd => steps.push(Step::Close),
            Event::Alias(id) => steps.push(Step::Alias(id)),
            _ => {}
        }
    }
}

/// Takes the line end from a block scalar that ends with the text, within a line: both engines add one.
fn end_as_text(text: &str, steps: &mut [Step]) {
    let last = steps.iter_mut().rev().find_map(|step| match step {
        Step::Scalar {
            value, properties, ..
        } => Some((value, properties)),
        _ => None,
    });
    let styles = [("Literal", Style::Literal), ("Folded", Style::Folded)];
    if let Some((value, properties)) = last
        && let Some((_, style)) = styles.iter().find(|(name, _)| properties.starts_with(name))
        && ends_within_line(text, value, *style)
    {
        value.pop();
    }
}

fn events_first(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for document in documents(text) {
        steps.push(Step::Document);
        match document {
            Ok(document) => document_steps(&document, &mut steps),
            Err(YamlError { .. }) => steps.push(Step::Broken),
        }
    }
    steps
}

/// The steps of `after`, where documents that are no YAML in `before` count as such: quotes around a
/// placeholder, say, hide the braces of a template.
fn without_broken(before: &[Step], after: &[Step]) -> Vec<Step> {
    let documents = |steps| <[Step]>::chunk_by(steps, |_, next| *next != Step::Document);
    if documents(before).count() != documents(after).count() {
        return after.to_vec();
    }
    let pairs = documents(before).zip(documents(after));
    let kept = pairs.map(|(before, after)| {
        let is_broken = matches!(before, [Step::Document, Step::Broken]);
        if is_broken { before } else { after }
    });
    kept.flatten().cloned().collect()
}

fn document_steps(document: &Document<'_>, steps: &mut Vec<Step>) {
    let mut open: Vec<usize> = Vec::new();
    let anchors: Vec<usize> = (0..document.nodes.len())
        .filter(|&id| document.node(id).anchored)
        .collect();
    for (id, node) in document.nodes.iter().enumerate() {
        while open.last().is_some_and(|&end| end <= id) {
            open.pop();
            steps.push(Step::Close);
        }
        steps.push(match &node.kind {
            Kind::Scalar {
                value, style, tag, ..
            } => Step::Scalar {
                value: value.to_string(),
                anchored: node.anchored,
                properties: format!("{style:?} {tag:?}"),
            },
            Kind::Sequence => Step::Open(format!("[ {}", node.anchored)),
            Kind::Mapping => Step::Open(format!("{{ {}", node.anchored)),
            Kind::Alias(target) => Step::Alias(anchors.partition_point(|anchor| anchor < target)),
        });
        if matches!(node.kind, Kind::Sequence | Kind::Mapping) {
            open.push(node.end);
        }
    }
    steps.extend(open.iter().map(|_| Step::Close));
}

fn compare(
    old: Vec<Step>,
    new: Vec<Step>,
    mut due: Vec<Due<'_>>,
    lines: Lines,
) -> Result<(), VerifyError> {
    let added = due.iter().filter(|due| due.inserted().is_some());
    let fronted: usize = due.iter().map(|due| due.fronted().len()).sum();
    if old.len() + 2 * added.count() + fronted != new.len() {
        let what = format!("{} events become {}", old.len(), new.len());
        return Err(VerifyError::Different(what));
    }
    due.sort_by_key(Due::place);
    let mut due = due.as_slice();
    let (mut documents, mut scalars) = (0, 0);
    let mut new = new.into_iter();
    for old in old {
        let differs = |new: &dyn std::fmt::Debug, documents, scalars| {
            let what = format!("document {documents}, scalar {scalars}: {old:?} becomes {new:?}");
            Err(VerifyError::Different(what))
        };
        match &old {
            Step::Document => (documents, scalars) = (documents + 1, 0),
            Step::Scalar { .. } => scalars += 1,
            _ => {}
        }
        let here = match old {
            Step::Scalar { .. } => due
                .iter()
                .take_while(|due| due.place() == (documents - 1, scalars - 1))
                .count(),
            _ => 0,
        };
        let (now, later) = due.split_at(here);
        due = later;
        for wanted in now.iter().flat_map(Due::fronted) {
            let step = new.next();
            if !step.as_ref().is_some_and(|step| is_fronted(step, &wanted)) {
                return differs(&step, documents, scalars);
            }
        }
        let Some(step) = new.next() else {
            return differs(&"nothing", documents, scalars);
        };
        let fits = match now {
            [] => lines.are_same_in(&old, &step),
            [Due { document, planned }] if !document.is_inside() => {
                is_planned(&old, &step, planned, lines)
            }
            inside => is_planned_inside(&old, &step, inside, lines)?,
        };
        if !fits {
            return differs(&step, documents, scalars);
        }
        let inserted = now.first().and_then(Due::inserted);
        if let Some((key, value)) = inserted {
            let (first, second) = (new.next(), new.next());
            if !(is_inserted(first.as_ref(), key) && is_inserted(second.as_ref(), value)) {
                return differs(&(first, second), documents, scalars);
            }
        }
    }
    match due.first() {
        None => Ok(()),
        Some(missing) => Err(VerifyError::Different(format!(
            "`{}` was not found",
            missing.planned.from
        ))),
    }
}

/// Whether a step is a new scalar with just this text, and nothing else about it.
fn is_inserted(step: Option<&Step>, text: &str) -> bool {
    matches!(step, Some(Step::Scalar { value, anchored: false, properties })
        if value == text && properties.ends_with(" None"))
}

/// Whether a step is the one that is wanted in front of a scalar; parsers say each in their own way that
/// it has no anchor and no tag.
fn is_fronted(step: &Step, wanted: &Step) -> bool {
    match (step, wanted) {
        (Step::Scalar { .. }, Step::Scalar { value, .. }) => is_inserted(Some(step), value),
        (Step::Open(open), Step::Open(_)) => matches!(open.as_str(), "{ false" | "{0 None"),
        (Step::Close, Step::Close) => true,
        _ => false,
    }
}

/// Whether a scalar changes just as the planned ones in its text say.
fn is_planned_inside(
    old: &Step,
    new: &Step,
    due: &[Due<'_>],
    lines: Lines,
) -> Result<bool, VerifyError> {
    let (
        Step::Scalar {
            value: before,
            anchored,
            properties,
        },
        Step::Scalar {
            value: after,
            anchored: anchored_after,
            properties: properties_after,
        },
    ) = (old, new)
    else {
        return Ok(false);
    };
    // A scalar cannot change as a whole and in parts.
    let Some(inside) = due.iter().map(Due::inside).collect() else {
        return Ok(false);
    };
    same_events(before, after, inside, lines)?;
    Ok((anchored, properties) == (anchored_after, properties_after))
}

/// Whether a scalar changes just as planned. Its style may change only from plain to quoted, which
/// a placeholder in a flow collection needs.
fn is_planned(old: &Step, new: &Step, planned: &Planned, lines: Lines) -> bool {
    let (
        Step::Scalar {
            value: from,
            anchored,
            properties,
        },
        Step::Scalar {
            value: to,
            anchored: anchored_after,
            properties: properties_after,
        },
    ) = (old, new)
    else {
        return false;
    };
    let is_quoted = |style| properties.replacen("Plain", style, 1) == *properties_after;
    lines.are_same(from, &planned.from)
        && lines.are_same(to, &planned.to)
        && anchored == anchored_after
        && (properties == properties_after
            || is_quoted("DoubleQuoted")
            || is_quoted("SingleQuoted"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::Edit;
    use crate::source::Span;
    use crate::yaml::Branches;

    fn edits(start: usize, end: usize, text: &str) -> EditSet {
        EditSet::new([Edit {
            span: Span::new(start, end),
            text: text.into(),
        }])
        .unwrap()
    }

    fn planned(document: usize, ordinal: usize, from: &str, to: &str) -> Planned {
        Planned {
            document: DocumentPath::of_stream(document),
            ordinal,
            from: from.into(),
            to: to.into(),
            inserted: None,
            fronted: None,
        }
    }

    #[test]
    fn keys_in_front_of_a_scalar_have_to_be_planned() {
        let before = "a: x\nb: y\n";
        let front = "k: {l: {m: true}}\n";
        let after = format!("{front}{before}");
        let edits = edits(0, 0, front);
        let fronted = |keys: &[&str], value: &str| {
            let keys = keys.iter().map(ToString::to_string).collect();
            let fronted = Some((keys, value.to_string()));
            vec![Planned {
                fronted,
                ..planned(0, 0, "a", "a")
            }]
        };
        assert_eq!(
            verify(before, &after, &edits, &fronted(&["k", "l", "m"], "true")),
            Ok(())
        );
        for (keys, value) in [
            (&["k", "l", "m"][..], "false"),
            (&["k", "l"], "true"),
            (&["k", "l", "n"], "true"),
        ] {
            assert!(verify(before, &after, &edits, &fronted(keys, value)).is_err());
        }
        assert!(verify(before, &after, &edits, &[]).is_err());
    }

    #[test]
    fn a_planned_change_passes() {
        let (before, after) = ("a: 1\n---\nimage: x # c\n", "a: 1\n---\nimage: R/x # c\n");
        let edits = edits(16, 16, "R/");
        assert_eq!(
            verify(before, after, &edits, &[planned(1, 1, "x", "R/x")]),
            Ok(())
        );
    }

    #[test]
    fn every_kind_of_fault_is_found() {
        let before = "a: x\nb: y\n";
        let plan = [planned(0, 1, "x", "R/x")];
        let good = edits(3, 3, "R/");
        let different = |result| matches!(result, Err(VerifyError::Different(_)));
        assert_eq!(
            verify(before, "a: R/x\nb: z\n", &good, &plan),
            Err(VerifyError::OutsideBytes)
        );
        assert_eq!(
            verify(before, "a: Q/x\nb: y\n", &good, &plan),
            Err(VerifyError::OutsideBytes)
        );
        assert!(different(verify(
            before,
            "a: R/x\nb: y\n",
            &good,
            &[planned(0, 1, "x", "Q/x")]
        )));
        assert!(different(verify(
            before,
            "a: R/x\nb: y\n",
            &good,
            &[planned(0, 3, "y", "R/y")]
        )));
        assert!(different(verify(before, "a: R/x\nb: y\n", &good, &[])));
        assert!(different(verify(
            before,
            before,
            &EditSet::default(),
            &plan
        )));
        let comment = edits(3, 3, "# ");
        assert!(different(verify(before, "a: # x\nb: y\n", &comment, &plan)));
        let broken = edits(3, 3, "[");
        assert!(matches!(
            verify(before, "a: [x\nb: y\n", &broken, &plan),
            Err(VerifyError::NotYaml(_))
        ));
    }

    #[test]
    fn only_the_planned_key_may_be_added() {
        let plan = |value: &str| {
            let inserted = Some(("new".to_string(), value.to_string()));
            [Planned {
                inserted,
                ..planned(0, 1, "x", "x")
            }]
        };
        for (before, at, text) in [
            ("a: x\nb: &i y\nc: *i\n", 4, "\nnew: z"),
            ("{a: x, b: y}\n", 5, ", new: z"),
            // The second engine does not read these.
            ("a: x\nb: &i y\nc: *i\n---\nq: [1\n", 4, "\nnew: z"),
        ] {
            let check = |text: &str, plan: &[Planned]| {
                let after = format!("{}{text}{}", &before[..at], &before[at..]);
                verify(before, &after, &edits(at, at, text), plan)
            };
            assert_eq!(check(text, &plan("z")), Ok(()), "{before}");
            assert!(check(text, &plan("w")).is_err());
            assert!(check(text, &[]).is_err());
            assert!(check(&text.replace("new", "neu"), &plan("z")).is_err());
            assert!(check(&text.replace('z', "!t z"), &plan("z")).is_err());
            assert!(check(&format!("{text}{text}"), &plan("z")).is_err());
            assert!(check("", &plan("z")).is_err());
        }
    }

    #[test]
    fn texts_that_the_second_engine_refuses_are_compared_by_the_first() {
        let before = "a: [1\n---\nimage: x\n";
        let after = "a: [1\n---\nimage: R/x\n";
        let edits = edits(17, 17, "R/");
        assert_eq!(
            verify(before, after, &edits, &[planned(1, 1, "x", "R/x")]),
            Ok(())
        );
        assert!(verify(before, after, &edits, &[planned(1, 1, "x", "S/x")]).is_err());
    }

    const HOLDER: &str = "a: |\n  b: x # c\n  d:\n    e: |-\n      f: y\n      g: z\nh: '{i: j}'\n";

    /// A change in a text of the only document: the scalars that hold it, outermost first.
    fn inside(holders: &[usize], ordinal: usize, from: &str, to: &str) -> Planned {
        let document = holders
            .iter()
            .fold(DocumentPath::default(), |path, &holder| {
                path.inside(holder, 0).unwrap()
            });
        Planned {
            document,
            ..planned(0, ordinal, from, to)
        }
    }

    /// What comes of inserting `R/` before each of `places`.
    fn insert(places: &[&str], plan: &[Planned]) -> Result<(), VerifyError> {
        let edits = places.iter().map(|place| {
            let at = HOLDER.find(place).unwrap() + place.len() - 1;
            Edit {
                span: Span::new(at, at),
                text: "R/".into(),
            }
        });
        let edits = EditSet::new(edits).unwrap();
        verify(HOLDER, &edits.apply(HOLDER).unwrap(), &edits, plan)
    }

    #[test]
    fn planned_changes_in_texts_pass() {
        let plan = [
            inside(&[1], 1, "x", "R/x"),
            inside(&[1, 4], 1, "y", "R/y"),
            inside(&[3], 1, "j", "R/j"),
        ];
        assert_eq!(insert(&["b: x", "f: y", "i: j"], &plan), Ok(()));
        assert_eq!(insert(&["f: y"], &plan[1..2]), Ok(()));
    }

    #[test]
    fn what_is_no_yaml_as_it_stands_may_become_some() {
        let place = (
            DocumentPath::of_stream(1).read_as(Reading::Masked(Branches::All)),
            2,
        );
        let planned = Planned::new(place, "a:xxxxxxx".into(), "${R}/a:xxxxxxx".into());
        for (rest, holds) in [("x: y\n", true), ("x: z\n", false)] {
            let before = "x: y\n---\n{p: {image: a:{{ t }}}}\n---\nx: y\n";
            let at = before.find("a:{").unwrap();
            let quoted = "\"${R}/a:{{ t }}\"";
            let after = format!("x: y\n---\n{{p: {{image: {quoted}}}}}\n---\n{rest}");
            let (steps, kept) = (events_first(before), events_first(&after));
            assert!(steps.contains(&Step::Broken) && !kept.contains(&Step::Broken));
            let same = compare(
                steps.clone(),
                without_broken(&steps, &kept),
                vec![],
                Lines::All,
            );
            assert_eq!(same.is_ok(), holds);
            let whole = verify(
                before,
                &after,
                &edits(at, at + 9, quoted),
                std::slice::from_ref(&planned),
            );
            assert_eq!(whole.is_ok(), holds, "{whole:?}");
        }
    }

    #[test]
    fn empty_lines_of_masks_do_not_count_and_those_of_texts_do() {
        let one = "a\nb\n";
        for (other, masked) in [("a\n\n\nb\n", true), ("a\n b\n", false), ("a b\n", false)] {
            assert_eq!(Lines::Filled.are_same(one, other), masked, "{other:?}");
            assert!(!Lines::All.are_same(one, other));
        }
        let text = "a: |\n  x=nginx\n\n  y\n{{ if z }}\n{{ end }}\n";
        let reading = Reading::Masked(Branches::All);
        let from = text.find("nginx").unwrap();
        let place = (DocumentPath::of_stream(0).read_as(reading), 1);
        let planned = |to: &str| Planned::new(place, "x=nginx\n\ny\n".into(), to.into());
        let after = text.replace("nginx", "r/nginx");
        let edits = edits(from, from, "r/");
        let wanted = |to: &str| verify(text, &after, &edits, &[planned(to)]);
        assert!(wanted("x=r/nginx\n\ny\n").is_ok());
        assert!(wanted("x=r/nginx\n\nz\n").is_err());
    }

    #[test]
    fn an_alias_that_stands_for_another_anchor_is_found() {
        for broken in ["", "---\n[1\n"] {
            let before = format!("a: &x v\nb: &y v\nc: *x\n{broken}");
            let at = before.find("*x").unwrap() + 1;
            let after = before.replace("*x", "*y");
            let result = verify(&before, &after, &edits(at, at + 1, "y"), &[]);
            assert!(
                matches!(result, Err(VerifyError::Different(_))),
                "{before:?} {result:?}"
            );
        }
    }

    #[test]
    fn every_kind_of_fault_in_a_text_is_found() {
        let (x, y) = (inside(&[1], 1, "x", "R/x"), inside(&[1, 4], 1, "y", "R/y"));
        let whole = planned(0, 1, "x", "R/x");
        let both = [x, y];
        let x = &both[..1];
        for (places, plan) in [
            (&["b: x"][..], &[][..]),
            (&[], x),
            (&["b: x", "g: z"], x),
            (&["b: x", "f: y"], x),
            (&["b: x"], &both),
            (&["b: x"], &[x[0].clone(), whole.clone()]),
            (&["b: x"], &[whole]),
            (&["b: x"], &[inside(&[1], 1, "x", "Q/x")]),
            (&["b: x"], &[inside(&[1], 1, "w", "R/x")]),
            (&["b: x"], &[inside(&[1], 2, "x", "R/x")]),
            (&["b: x"], &[inside(&[1], 9, "x", "R/x")]),
            (&["b: x"], &[inside(&[3], 1, "x", "R/x")]),
            (&["b: x"], &[inside(&[2], 1, "x", "R/x")]),
            (&["f: y"], &[inside(&[1], 4, "y", "R/y")]),
        ] {
            let result = insert(places, plan);
            assert!(
                matches!(result, Err(VerifyError::Different(_))),
                "{places:?} {plan:?} {result:?}"
            );
        }
    }

    #[test]
    fn a_text_that_is_broken_by_its_change_is_found() {
        let before = "a: |\n  b: x\n";
        let broken = edits(10, 10, "[");
        let result = verify(
            before,
            "a: |\n  b: [x\n",
            &broken,
            &[inside(&[1], 1, "x", "[x")],
        );
        assert!(matches!(result, Err(VerifyError::NotYaml(_))), "{result:?}");
        let outdented = edits(5, 7, " ");
        let result = verify(
            before,
            "a: |\n b: x\n",
            &outdented,
            &[inside(&[1], 1, "x", "x")],
        );
        assert_eq!(result, Ok(()), "indentation is no part of the text");
        let less = edits(5, 7, "");
        assert!(verify(before, "a: |\nb: x\n", &less, &[inside(&[1], 1, "x", "x")]).is_err());
    }

    #[test]
    fn inner_texts_that_the_second_engine_refuses_are_compared_by_the_first() {
        let before = "a: |\n  [1\n  ---\n  b: x\n";
        let after = "a: |\n  [1\n  ---\n  b: R/x\n";
        let edits = edits(21, 21, "R/");
        let plan = |to| {
            let document = DocumentPath::default().inside(1, 1).unwrap();
            [Planned {
                document,
                ..planned(0, 1, "x", to)
            }]
        };
        assert_eq!(verify(before, after, &edits, &plan("R/x")), Ok(()));
        assert!(verify(before, after, &edits, &plan("S/x")).is_err());
    }

    const TEMPLATE: &str = "a: {{ .a | \"b\" }}\n{{- if .x }}\nimage: x:{{ .t | \"1\" }}\n{{- else }}\nimage: y\n{{- end }}\n";

    /// What comes of replacing `old` by `new` in the template, when the scalar `ordinal` is said to change.
    fn in_template(old: &str, new: &str, plan: &[(usize, &str, &str)]) -> Result<(), VerifyError> {
        let at = TEMPLATE.find(old).unwrap();
        let edits = edits(at, at + old.len(), new);
        let document = DocumentPath::default().read_as(Reading::Masked(Branches::All));
        let planned: Vec<Planned> = plan
            .iter()
            .map(|&(ordinal, from, to)| Planned::new((document, ordinal), from.into(), to.into()))
            .collect();
        verify(TEMPLATE, &edits.apply(TEMPLATE).unwrap(), &edits, &planned)
    }

    #[test]
    fn templates_are_compared_in_the_ways_they_are_read() {
        let masked = "x:xxxxxxxxxxxxxx";
        let wanted = "R/x:xxxxxxxxxxxxxx";
        assert_eq!(
            in_template("x:{{", "R/x:{{", &[(3, masked, wanted)]),
            Ok(())
        );
        assert_eq!(in_template("y\n", "R/y\n", &[(5, "y", "R/y")]), Ok(()));
        for (old, new, plan) in [
            ("x:{{", "R/x:{{", &[(5, masked, wanted)][..]),
            ("x:{{", "R/x:{{", &[(3, masked, "S/x:xxxxxxxxxxxxxx")]),
            ("x:{{", "R/x:{{", &[(3, masked, wanted), (5, "y", "R/y")]),
            ("y\n", "[y\n", &[(5, "y", "[y")]),
            ("y\n", "y: z\n", &[(5, "y", "y: z")]),
        ] {
            assert!(in_template(old, new, plan).is_err(), "{old} {new}");
        }
        for (old, new) in [
            (".t |", ".u |"),
            ("{{- else }}", "{{- end }}"),
            ("if .x", "if  x"),
        ] {
            let result = in_template(old, new, &[(3, masked, masked)]);
            assert_eq!(result, Err(VerifyError::Actions), "{old}");
        }
    }
    #[test]
    fn what_a_way_through_a_template_leaves_out_may_change() {
        let before = "k: |\n{{- if .x }}\nimage: y\n{{- else }}\n  z\n{{- end }}\nother: w\n";
        let places = [before.find('y').unwrap(), before.find("w\n").unwrap()];
        let edits = EditSet::new(places.map(|at| Edit {
            span: Span::new(at, at),
            text: "R/".into(),
        }))
        .unwrap();
        let after = edits.apply(before).unwrap();
        let planned = |branch, ordinal, from: &str| {
            let document = DocumentPath::default().read_as(Reading::Masked(Branches::Only(branch)));
            Planned::new((document, ordinal), from.into(), format!("R/{from}"))
        };
        let plan = [planned(0, 3, "y"), planned(0, 5, "w"), planned(1, 3, "w")];
        assert_eq!(verify(before, &after, &edits, &plan), Ok(()));
        assert!(verify(before, &after, &edits, &plan[1..]).is_err());
        assert!(
            verify(
                before,
                &after,
                &edits,
                &[planned(0, 3, "y"), planned(1, 3, "w")]
            )
            .is_err()
        );
    }
}
