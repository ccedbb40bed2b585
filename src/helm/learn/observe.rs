//! Where texts of our own come out of a rendering.
//!
//! A spot is a word in a line of a template's output, known in every trial by what stands before it in
//! the line and by how many such words came before it.

use std::collections::{BTreeMap, BTreeSet};

use super::Literal;
use super::trials::{Run, Trial};

/// A word that holds a text of our own in some trial.
#[derive(Clone, Debug)]
pub(super) struct Spot<'r> {
    /// The template.
    pub(super) template: String,
    /// Whether it is the value of a field `image`.
    pub(super) is_image_field: bool,
    /// The name that it gives in each trial: without tag and digest.
    pub(super) sights: Vec<(&'r Trial, String)>,
}

/// Spots and what stands there: template, text before the word, number of the word.
type Words = BTreeMap<(String, String), Vec<String>>;

const IMAGE: &str = "image: ";
/// The kinds of objects that are releases of charts, with values for them.
const RELEASES: [&str; 5] = [
    "Application",
    "ApplicationSet",
    "HelmRelease",
    "HelmChart",
    "HelmChartConfig",
];
/// What a line holds that may hold a name.
const MARKS: [&str; 4] = ["zq", "image", "value:", "--"];
/// Fields in which a chart hands values on as they are, so that something else joins them.
const HANDED_ON: [&str; 5] = ["repository: ", "registry: ", "name: ", "hub: ", "tag: "];

impl Spot<'_> {
    /// Whether the text of a place comes out here.
    pub(super) fn names(&self, index: usize) -> bool {
        let mark = format!("zq{index}q");
        self.sights
            .iter()
            .any(|(trial, name)| trial.is_plain && name.contains(&mark))
    }
}

/// The spots of a run.
pub(super) fn spots(run: &Run) -> Vec<Spot<'_>> {
    let words: Vec<(&Trial, Words)> = run
        .trials
        .iter()
        .map(|trial| (trial, words(trial)))
        .collect();
    let has_own = |words: &[String]| words.iter().any(|word| word.contains("zq"));
    let own = words
        .iter()
        .flat_map(|(_, words)| words.iter().filter(|(_, words)| has_own(words)));
    let is_joined = |key: &&(String, String)| !is_handed_on(&key.1);
    let keys: BTreeSet<&(String, String)> = own.map(|(key, _)| key).filter(is_joined).collect();
    let mut spots = Vec::new();
    for key in keys {
        let Some(count) = usual_count(&words, key) else {
            continue;
        };
        for number in 0..count {
            let here = words.iter().filter_map(|(trial, words)| {
                let words = words.get(key).filter(|words| words.len() == count)?;
                Some((*trial, name_of(words.get(number)?).to_string()))
            });
            let sights: Vec<(&Trial, String)> = here.collect();
            if sights.iter().any(|(_, name)| name.contains("zq")) {
                let is_image_field = key.1 == IMAGE;
                spots.push(Spot {
                    template: key.0.clone(),
                    is_image_field,
                    sights,
                });
            }
        }
    }
    spots
}

/// Whether a word after this text is a value handed on as it is: as a field of its own, or in JSON.
fn is_handed_on(before: &str) -> bool {
    let is_member = |text: &str| text.starts_with(['"', '\'', '{']) && text.ends_with(": ");
    HANDED_ON.contains(&before) || is_member(before)
}

/// How many words there are in most trials; the others cannot be told apart by their number.
fn usual_count(words: &[(&Trial, Words)], key: &(String, String)) -> Option<usize> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for (_, words) in words {
        if let Some(words) = words.get(key) {
            *counts.entry(words.len()).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .max_by_key(|(_, times)| *times)
        .map(|(count, _)| count)
}

/// The images of a run that no trial changes.
pub(super) fn literals(run: &Run) -> Vec<Literal> {
    let mut changed: BTreeSet<(String, usize)> = BTreeSet::new();
    let mut found = Vec::new();
    for trial in &run.trials {
        for ((template, before), words) in words(trial) {
            for (number, word) in words.into_iter().enumerate().filter(|_| before == IMAGE) {
                if word.contains("zq") {
                    changed.insert((template.clone(), number));
                } else if trial.is_plain && word.starts_with(|c: char| c.is_ascii_alphanumeric()) {
                    found.push((template.clone(), number, word));
                }
            }
        }
    }
    found.retain(|(template, number, _)| !changed.contains(&(template.clone(), *number)));
    found
        .into_iter()
        .map(|(template, _, image)| Literal { image, template })
        .collect()
}

/// A word without tag and digest.
pub(super) fn name_of(word: &str) -> &str {
    let word = word.split_once('@').map_or(word, |(name, _)| name);
    let start = word.rfind('/').map_or(0, |slash| slash + 1);
    let tag = word.get(start..).and_then(|last| last.find(':'));
    tag.and_then(|tag| word.get(..start + tag)).unwrap_or(word)
}

/// The words of a trial that may be references.
fn words(trial: &Trial) -> Words {
    let mut words = Words::new();
    for (template, text) in own_documents(trial) {
        let above = std::iter::once("").chain(text.lines());
        let lines = above
            .zip(text.lines())
            .filter(|(_, line)| MARKS.iter().any(|mark| line.contains(mark)));
        for (above, line) in lines {
            for (before, word) in words_of(line) {
                let word = match handed_on(above, line).filter(|_| before == IMAGE) {
                    Some(repository) => format!("{repository}/{word}"),
                    None => word,
                };
                let before = match before.as_str() {
                    "value: " => format!("{} {before}", above.trim()),
                    _ => before,
                };
                let key = (template.clone(), without_own(&before));
                words.entry(key).or_default().push(word);
            }
        }
    }
    words
}

/// What came out, by template, without the releases of other charts: values are handed on in them, and how an
/// image is made of those is for that chart to say.
fn own_documents(trial: &Trial) -> impl Iterator<Item = (&String, &str)> {
    let manifests = trial.rendered.manifests.iter();
    let documents = manifests
        .flat_map(|(template, text)| text.split("\n---").map(move |text| (template, text)));
    documents.filter(|(_, text)| !text.lines().any(is_of_release))
}

/// Whether a line says that an object is a release of a chart.
fn is_of_release(line: &str) -> bool {
    let kind = line.strip_prefix("kind:");
    kind.is_some_and(|kind| RELEASES.contains(&kind.trim().trim_matches(['"', '\''])))
}

/// The words of a line with the text before them, list dashes and the quote in front left out.
fn words_of(line: &str) -> Vec<(String, String)> {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    let line = line.trim_start().trim_start_matches("- ");
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
        match (is_of_word(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let (before, word) = (line.get(..from), line.get(from..at));
                if let (Some(before), Some(word)) = (before, word)
                    && !word.contains("://")
                {
                    found.push((
                        before.trim_end_matches(['"', '\'']).to_string(),
                        word.to_string(),
                    ));
                }
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// The text without the texts of our own, so that it is the same in every trial.
fn without_own(text: &str) -> String {
    let hidden = |word| if str::contains(word, "zq") { "~" } else { word };
    text.split(' ').map(hidden).collect::<Vec<_>>().join(" ")
}

/// The `repository` in the line above an `image` of the same map: a chart that hands both on leaves
/// the joining to an operator, as with the maps `{repository, image, version}` of NVIDIA's ClusterPolicy.
fn handed_on<'l>(above: &'l str, line: &str) -> Option<&'l str> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_beside = line.trim_start().starts_with(IMAGE) && indent(above) == indent(line);
    let value = above
        .trim()
        .strip_prefix("repository: ")?
        .trim_matches(['"', '\'']);
    (is_beside && !value.is_empty()).then_some(value)
}
