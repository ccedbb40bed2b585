//! Suites of helm-unittest: what a chart's tests say of the images that it renders.
//!
//! Nobody pulls what a test names, so every name in a suite is held as a `test-assertion`. An
//! assertion follows the chart when that changes the image; what a test sets is an input, which may be
//! any name, and what is asserted of it follows from the input and not from the chart.

use std::collections::HashSet;
use std::ops::Range;

use super::values::{has_known_host, is_chart_test, is_image_key};
use super::{Bit, Found, KeyPath, Shape, Site, texts};
use crate::image::ImageRef;
use crate::reason::Reason;
use crate::yaml::{Document, Kind, NodeId, Scalar};

/// What is asserted of an image that comes from the chart's own values and templates.
pub const ASSERTION: &str = "chart-test";
/// What is asserted in a test that gives the chart a name of its own.
pub const GIVEN: &str = "chart-test-given";
/// A name that a test gives the chart, or that it says is not rendered.
const INPUT: &str = "chart-test-input";
/// A regular expression for an image.
pub const PATTERN: &str = "chart-test-pattern";

/// The assertions that hold when the rendered text has just this value (helm-unittest,
/// `DOCUMENT.md`); all others may say that it has not.
const EQUALITIES: &[&str] = &["equal", "equalRaw", "contains", "isSubset"];
/// The keys of regular expressions.
const PATTERNS: &[&str] = &["pattern", "regex"];
/// Words in keys by which a test sets the name of an image.
const NAME_WORDS: &[&str] = &["image", "registry", "repo", "hub"];
/// Words in the last key by which it sets something else of one.
const OTHER_WORDS: &[&str] = &["tag", "digest", "pull", "version", "sha"];

/// The names in a document, if that is a suite. Whatever else was found in it is a part of a test.
pub(super) fn find(text: &str, document: &Document<'_>, found: &mut Found) {
    if !is_chart_test(document) {
        return;
    }
    found.sites.clear();
    found.texts.clear();
    let mut suite = Suite {
        text,
        document,
        asserted: HashSet::new(),
        sites: Vec::new(),
    };
    let shared = sets_a_name(document, 0);
    for test in items(document, 0, "tests") {
        let own = shared || sets_a_name(document, test);
        for assertion in items(document, test, "asserts") {
            suite.assertion(assertion, own);
        }
    }
    suite.inputs();
    found.sites.extend(suite.sites);
}

/// The items of the list under a key, aliases followed.
fn items<'d>(
    document: &'d Document<'_>,
    node: NodeId,
    key: &str,
) -> impl Iterator<Item = NodeId> + 'd {
    let list = document.get(node, key).into_iter();
    list.flat_map(|list| document.items(list))
        .map(|item| document.resolve(item))
}

/// The nodes below one, and itself.
fn below(document: &Document<'_>, node: NodeId) -> Range<NodeId> {
    node..document.node(node).end
}

/// Whether a suite or test gives the chart a name of its own, or files that may.
fn sets_a_name(document: &Document<'_>, test: NodeId) -> bool {
    if document.get(test, "values").is_some() {
        return true;
    }
    let Some(set) = document.get(test, "set") else {
        return false;
    };
    let is_name = |id: NodeId| {
        let is_value = !matches!(document.node(id).kind, Kind::Mapping | Kind::Sequence)
            && !is_key(document, id);
        let text = document.text(id).unwrap_or("");
        let is_named = || is_name_path(KeyPath::of(document, id).as_str());
        is_value && (is_named() || is_full(text) || !texts::in_argument(text).is_empty())
    };
    below(document, set).any(is_name)
}

/// Whether the value at a path of keys, which may have dots themselves, is a part of a name.
fn is_name_path(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let last = last_key(&path);
    let has = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
    has(&path, NAME_WORDS) && !has(last, OTHER_WORDS)
}

/// The last key of a path as people write them, list positions left out.
fn last_key(path: &str) -> &str {
    let is_between = |c: char| matches!(c, '.' | '[' | ']' | '"' | '\'' | '(' | ')');
    let is_number = |part: &&str| part.chars().all(|c| c.is_ascii_digit() || c == '*');
    path.split(is_between)
        .rfind(|part| !part.is_empty() && !is_number(part))
        .unwrap_or("")
}

/// Whether the node is the key of a mapping.
fn is_key(document: &Document<'_>, id: NodeId) -> bool {
    let node = document.node(id);
    matches!(document.node(node.parent).kind, Kind::Mapping) && node.position.is_multiple_of(2)
}

/// Whether a text is an image wherever it stands: it has a registry that is known, and a tag or
/// digest.
fn is_full(text: &str) -> bool {
    let is_pinned = |image: ImageRef| image.name_len() < text.len();
    has_known_host(text) && ImageRef::parse(text).is_ok_and(is_pinned)
}

struct Suite<'d> {
    text: &'d str,
    document: &'d Document<'d>,
    /// The nodes that were looked at as parts of assertions.
    asserted: HashSet<NodeId>,
    sites: Vec<Site>,
}

impl Suite<'_> {
    /// One assertion: `equal: {path, value}`.
    fn assertion(&mut self, assertion: NodeId, own: bool) {
        let document = self.document;
        self.asserted.extend(below(document, assertion));
        let negated = document.text_at(assertion, &["not"]) == Some("true");
        for entry in document.entries(assertion) {
            let arguments = document.resolve(entry.value);
            let path = document.text_at(arguments, &["path"]).unwrap_or("");
            let holds = !negated && EQUALITIES.contains(&entry.key.unwrap_or(""));
            for argument in document.entries(arguments) {
                let key = argument.key.unwrap_or("");
                if key == "path" {
                    continue;
                }
                let finder = match (PATTERNS.contains(&key), holds) {
                    (true, _) => PATTERN,
                    (false, false) => INPUT,
                    (false, true) if own => GIVEN,
                    (false, true) => ASSERTION,
                };
                self.values(argument.value, path, finder);
            }
        }
    }

    /// The images in what an assertion expects at `path`.
    fn values(&mut self, value: NodeId, path: &str, finder: &'static str) {
        for id in below(self.document, value) {
            let own = self.key_below(value, id);
            let text = self.document.text(id).unwrap_or("");
            let is_named = || match finder {
                PATTERN => self.is_full_pattern(id),
                _ => is_full(text),
            };
            if is_image_key(last_key(own.unwrap_or(path))) || is_named() {
                self.add(id, finder);
            } else if finder != PATTERN {
                self.add_argument(id, finder);
            }
        }
    }

    /// The key of a node below `root`; `None` when no key leads there.
    fn key_below(&self, root: NodeId, id: NodeId) -> Option<&str> {
        let document = self.document;
        let mut at = id;
        while at != root {
            let parent = document.node(at).parent;
            if matches!(document.node(parent).kind, Kind::Mapping) {
                return document.text(at - 1);
            }
            at = parent;
        }
        None
    }

    /// The names in everything that is no assertion.
    fn inputs(&mut self) {
        for id in 0..self.document.nodes.len() {
            if self.asserted.contains(&id) {
                continue;
            }
            let key = self.key_below(0, id);
            let key = key.map_or("", last_key);
            let repository = || {
                let path = KeyPath::of(self.document, id);
                matches!(key, "repository" | "repo")
                    && path.as_str().to_ascii_lowercase().contains("image")
            };
            if is_image_key(key) || repository() {
                self.add(id, INPUT);
            }
        }
    }

    /// Whether a regular expression begins with a registry that is known and names a path there.
    fn is_full_pattern(&self, id: NodeId) -> bool {
        let text = self.document.text(id).unwrap_or("");
        let text = text.trim_start_matches('^').replace("\\.", ".");
        let name = text.split(':').next().unwrap_or("");
        text.contains(':') && has_known_host(name)
    }

    /// The images in an argument of a command: `--x-image=quay.io/a/b:1`.
    fn add_argument(&mut self, id: NodeId, finder: &'static str) {
        let document = self.document;
        let argument = document.text(id).unwrap_or("");
        if is_key(document, id) {
            return;
        }
        for range in texts::in_argument(argument) {
            let bit = Bit::within(self.text, document, id, range);
            let shape = bit.map(|bit| Shape::Within(Box::new(bit)));
            self.sites
                .extend(shape.map(|shape| site(document, id, shape, finder)));
        }
    }

    fn add(&mut self, id: NodeId, finder: &'static str) {
        let document = self.document;
        if is_key(document, id) || document.text(id).is_none_or(str::is_empty) {
            return;
        }
        let shape = Scalar::locate(self.text, document, id).map(Shape::Whole);
        self.sites
            .extend(shape.map(|shape| site(document, id, shape, finder)));
    }
}

fn site(document: &Document<'_>, id: NodeId, shape: Shape, finder: &'static str) -> Site {
    // What an anchor shares with an input cannot follow the chart.
    let shared = document.has_aliases && document.node(id).anchored && finder == ASSERTION;
    let detail = match finder {
        _ if shared => "a test of the chart repeats it through an anchor",
        INPUT => "a test of the chart sets it, or says that it is not rendered",
        GIVEN => "a test of the chart says what follows from a name that it sets",
        PATTERN => "a test of the chart compares it as a regular expression",
        _ => "a test of the chart says that this is rendered",
    };
    Site {
        document: document.path,
        path: KeyPath::of(document, id),
        shape,
        finder: if shared { GIVEN } else { finder },
        hold: Some((Reason::TestAssertion, detail.to_string())),
        assumption: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::documents;

    /// What is found: the finder and the text.
    fn sites(text: &str) -> Vec<(&'static str, String)> {
        let document = documents(text).next().unwrap().unwrap();
        let mut found = Found::default();
        find(text, &document, &mut found);
        let show = |site: &Site| (site.finder, site.text().to_string());
        found.sites.iter().map(show).collect()
    }

    /// A suite with one test.
    fn suite(set: &str, assertion: &str) -> String {
        format!("suite: s\ntests:\n- it: x\n  set: {set}\n  asserts:\n  - {assertion}\n")
    }

    #[test]
    fn assertions_are_told_from_inputs_and_patterns() {
        let path = "path: 'spec.template.spec.containers[0].image'";
        for (set, assertion, finder) in [
            ("{}", format!("equal: {{{path}, value: a/b:1}}"), ASSERTION),
            (
                "{image.tag: 1}",
                format!("equal: {{{path}, value: a/b:1}}"),
                ASSERTION,
            ),
            (
                "{}",
                "contains: {path: spec.containers, content: {name: x, image: a/b:1}}".into(),
                ASSERTION,
            ),
            (
                "{}",
                "isSubset: {path: spec, content: {containers: [{image: a/b:1}]}}".into(),
                ASSERTION,
            ),
            (
                "{}",
                "equal: {path: 'spec.args[0]', value: --x-image=a/b:1}".into(),
                ASSERTION,
            ),
            (
                "{}",
                "contains: {path: spec.args, content: --x-image=a/b:1}".into(),
                ASSERTION,
            ),
            (
                "{extraArgs: [--x-image=quay.io/c:1]}",
                format!("equal: {{{path}, value: a/b:1}}"),
                GIVEN,
            ),
            ("{}", format!("notEqual: {{{path}, value: a/b:1}}"), INPUT),
            (
                "{}",
                format!("{{not: true, equal: {{{path}, value: a/b:1}}}}"),
                INPUT,
            ),
            (
                "{}",
                format!("matchRegex: {{{path}, pattern: a/b:1}}"),
                PATTERN,
            ),
            (
                "{global: {imageRegistry: x}}",
                format!("equal: {{{path}, value: a/b:1}}"),
                GIVEN,
            ),
            (
                "{image.registry: x}",
                format!("equal: {{{path}, value: a/b:1}}"),
                GIVEN,
            ),
        ] {
            let found = sites(&suite(set, &assertion));
            assert_eq!(found, [(finder, "a/b:1".to_string())], "{set} {assertion}");
        }
    }

    #[test]
    fn inputs_are_named_and_other_values_are_not() {
        let found = sites(&suite(
            "{image.repository: a/b, image: {tag: 1}, sidecarImage: c:1, x: d:1}",
            "equal: {path: spec.replicas, value: 3}",
        ));
        let inputs = ["a/b", "c:1"].map(|text| (INPUT, text.to_string()));
        assert_eq!(found, inputs);
        let env = "equal: {path: 'spec.env[0].value', value: 'quay.io/a/b:1'}";
        assert_eq!(sites(&suite("{}", env)).len(), 1);
        assert!(sites("tests: [{image: a:1}]\n").is_empty(), "no suite");
    }
}
