//! What policies and automations know images by: patterns and names that are no images themselves.
//!
//! Which fields these are is a table, by the object that holds them and the way to them. Nothing in
//! them is ever edited; what matters is whether they still know an image under its new name.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::bit::Bit;
use super::object::{self, Object};
use super::oci::SCHEME;
use super::{ChartRefs, Found};
use crate::source::Span;
use crate::yaml::{Document, Kind, NodeId};

/// A pattern or name, and the others that it stands beside.
#[derive(Clone, Debug)]
pub struct Keyed {
    /// Where it stands.
    pub span: Span,
    /// Its text.
    pub text: String,
    /// How it is compared with images.
    pub matching: Matching,
    /// All texts of the same list, itself among them: one that fits is enough.
    pub list: Arc<[String]>,
    /// What reads it.
    pub tool: &'static str,
    /// What to do about it; the name in ECR follows.
    pub advice: &'static str,
}

/// How a text is compared with images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Matching {
    /// `*` stands for any characters, `?` for one.
    Wildcard,
    /// `*` stands for any characters but `/`, `**` for any.
    Glob,
    /// Images begin with it.
    Prefix,
    /// It is a name; a tag behind it does not matter.
    Name,
}

/// One step to a text.
#[derive(Clone, Copy, Debug)]
enum To {
    /// The value under this key.
    Key(&'static str),
    /// Every item of a list.
    Items,
    /// Every map below.
    Below,
}

/// How texts stand at the end of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Texts {
    /// Each item of a list, or a single text.
    Each,
    /// The texts at all ends of the way are one list.
    Together,
    /// One text holds several, with this between them.
    Split(char),
}

struct Row {
    /// The API group, or the end of one when it begins with a dot.
    group: &'static str,
    /// The kinds; none for any.
    kinds: &'static [&'static str],
    way: &'static [To],
    texts: Texts,
    matching: Matching,
    tool: &'static str,
    advice: &'static str,
}

use Matching::{Glob, Name, Prefix, Wildcard};
use To::{Below, Items, Key};

const KYVERNO: &str = "a Kyverno policy";
const GATEKEEPER: &str = "a Gatekeeper constraint";
const SIGSTORE: &str = "a sigstore policy";
const FLUX: &str = "a Flux ImageRepository";
const UPDATER: &str = "Argo CD Image Updater";
const RENOVATE: &str = "Renovate";
const ADD: &str = "add the name in ECR to the same list before the rewrite is rolled out:";
const LISTS_TAGS: &str = "leave it where markers write the tag only, since a cache repository lists only the tags that were pulled; the image itself comes from";
const FOLLOW: &str = "name the image as its manifests do from now on, and see that the tool can list its tags there:";
const POLICIES: &[&str] = &["ClusterPolicy", "Policy"];

/// Where policies and automations name images. Sources: the API references of Kyverno, sigstore's
/// policy-controller, the Gatekeeper library, Flux and Argo CD Image Updater.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { group: "kyverno.io", kinds: POLICIES, way: &[Key("spec"), Key("rules"), Items, Key("verifyImages"), Items, Key("imageReferences")], texts: Texts::Each, matching: Wildcard, tool: KYVERNO, advice: ADD },
    Row { group: "kyverno.io", kinds: POLICIES, way: &[Key("spec"), Key("rules"), Items, Key("verifyImages"), Items, Key("image")], texts: Texts::Each, matching: Wildcard, tool: KYVERNO, advice: ADD },
    Row { group: "kyverno.io", kinds: POLICIES, way: &[Key("spec"), Key("rules"), Items, Key("validate"), Below, Key("image")], texts: Texts::Split('|'), matching: Wildcard, tool: KYVERNO, advice: ADD },
    Row { group: ".kyverno.io", kinds: &[], way: &[Key("spec"), Key("matchImageReferences"), Items, Key("glob")], texts: Texts::Together, matching: Wildcard, tool: KYVERNO, advice: ADD },
    Row { group: "policy.sigstore.dev", kinds: &["ClusterImagePolicy"], way: &[Key("spec"), Key("images"), Items, Key("glob")], texts: Texts::Together, matching: Glob, tool: SIGSTORE, advice: ADD },
    Row { group: "constraints.gatekeeper.sh", kinds: &[], way: &[Key("spec"), Key("parameters"), Key("repos")], texts: Texts::Each, matching: Prefix, tool: GATEKEEPER, advice: ADD },
    Row { group: "constraints.gatekeeper.sh", kinds: &[], way: &[Key("spec"), Key("parameters"), Key("allowedRepos")], texts: Texts::Each, matching: Prefix, tool: GATEKEEPER, advice: ADD },
    Row { group: "constraints.gatekeeper.sh", kinds: &[], way: &[Key("spec"), Key("parameters"), Key("allowedImages")], texts: Texts::Each, matching: Wildcard, tool: GATEKEEPER, advice: ADD },
    Row { group: "image.toolkit.fluxcd.io", kinds: &["ImageRepository"], way: &[Key("spec"), Key("image")], texts: Texts::Each, matching: Name, tool: FLUX, advice: LISTS_TAGS },
    Row { group: "argoproj.io", kinds: &["Application", "ApplicationSet"], way: &[Below, Key("annotations"), Key("argocd-image-updater.argoproj.io/image-list")], texts: Texts::Split(','), matching: Name, tool: UPDATER, advice: FOLLOW },
    Row { group: "argocd-image-updater.argoproj.io", kinds: &["ImageUpdater"], way: &[Key("spec"), Below, Key("imageName")], texts: Texts::Each, matching: Name, tool: UPDATER, advice: FOLLOW },
];

/// The places that the Applications of a project may be fetched from (Argo CD documentation, "Projects").
#[rustfmt::skip]
const PROJECTS: Row = Row { group: "argoproj.io", kinds: &["AppProject"], way: &[Key("spec"), Key("sourceRepos")], texts: Texts::Each, matching: Glob, tool: "an AppProject of Argo CD", advice: "add the address in ECR to its `sourceRepos` before the rewrite is rolled out:" };
/// The text that stands for every place there.
const ANYWHERE: &str = "*";

/// From so many texts on in a document, aliases to those of other objects are not followed.
const MOST_LISTED: usize = 10_000;
/// The parts of a longer list in one text all stand where that does.
const MOST_PLACED: usize = 1_000;

/// Kinds of Gatekeeper's library that forbid what they list: an image that is deployed is none of it.
const FORBIDDING: &str = "Disallowed";
/// The keys of Renovate's rules that hold names of packages (Renovate documentation, `packageRules`).
const RENOVATE_KEYS: &[&str] = &["matchPackageNames", "matchDepNames"];
const RENOVATE_PREFIXES: &[&str] = &["matchPackagePrefixes", "matchDepPrefixes"];

/// What the policies and automations of a document name; those of charts, too, where they are sites.
pub(super) fn find(
    text: &str,
    document: &Document<'_>,
    objects: &[Object<'_>],
    charts: ChartRefs,
    found: &mut Found,
) {
    let policies = object::policies(document);
    for row in ROWS {
        let mut walk = Walk::of(text, document, row);
        let objects = policies.iter().chain(objects);
        for object in objects.filter(|object| row.is_for(object)) {
            let first = walk.found.len();
            // Lists are those of one object; as long as that cannot make few bytes many.
            if row.texts == Texts::Together && first < MOST_LISTED {
                walk.met.clear();
            }
            walk.follow(object.node, row.way);
            let keyed = &mut walk.found[first..];
            if row.texts == Texts::Together {
                let all: Arc<[String]> = keyed.iter().map(|keyed| keyed.text.clone()).collect();
                for keyed in keyed {
                    keyed.list = Arc::clone(&all);
                }
            }
        }
        found.keyed.extend(walk.found);
    }
    renovate(text, document, found);
    if charts == ChartRefs::Sought {
        projects(text, document, objects, found);
    }
    found.keyed.sort_by_key(|keyed| keyed.span);
    found
        .keyed
        .dedup_by_key(|keyed| (keyed.span, keyed.text.clone()));
}

/// The addresses of charts that projects allow.
fn projects(text: &str, document: &Document<'_>, objects: &[Object<'_>], found: &mut Found) {
    for object in objects.iter().filter(|object| PROJECTS.is_for(object)) {
        let mut walk = Walk::of(text, document, &PROJECTS);
        walk.follow(object.node, PROJECTS.way);
        if walk.found.iter().any(|keyed| keyed.text == ANYWHERE) {
            continue;
        }
        let bare = |text: &str| text.strip_prefix(SCHEME).unwrap_or(text).to_string();
        let all: Arc<[String]> = walk.found.iter().map(|keyed| bare(&keyed.text)).collect();
        found
            .keyed
            .extend(walk.found.into_iter().map(|keyed| Keyed {
                text: bare(&keyed.text),
                list: Arc::clone(&all),
                ..keyed
            }));
    }
}

/// The names in the rules of a config of Renovate, which is known by their key.
fn renovate(text: &str, document: &Document<'_>, found: &mut Found) {
    let Some(rules) = document.get(0, "packageRules") else {
        return;
    };
    let rules = document.items(rules).map(|rule| document.resolve(rule));
    let mut met = HashSet::new();
    for rule in rules.collect::<BTreeSet<NodeId>>() {
        for entry in document.entries(rule) {
            let key = entry.key.unwrap_or("");
            let matching = if RENOVATE_KEYS.contains(&key) {
                Glob
            } else if RENOVATE_PREFIXES.contains(&key) {
                Prefix
            } else {
                continue;
            };
            let value = document.resolve(entry.value);
            if !met.insert((value, matching)) {
                continue;
            }
            let row = Row {
                group: "",
                kinds: &[],
                way: &[],
                texts: Texts::Each,
                matching,
                tool: RENOVATE,
                advice: "add the name in ECR to the rule:",
            };
            let mut walk = Walk::of(text, document, &row);
            walk.end(value);
            // A single star stands for every package there.
            if !walk.found.iter().any(|keyed| keyed.text == "*") {
                found.keyed.extend(walk.found);
            }
        }
    }
}

impl Row {
    fn is_for(&self, object: &Object<'_>) -> bool {
        let group = if self.group.starts_with('.') {
            object.group.ends_with(self.group)
        } else {
            object.group == self.group
        };
        let by_kind = object::is_policy_of_any_group(object) && !self.kinds.is_empty();
        (group || by_kind)
            && (self.kinds.is_empty() || self.kinds.contains(&object.kind))
            && !object.kind.contains(FORBIDDING)
    }
}

/// A walk along the way of a row.
struct Walk<'d, 'r> {
    text: &'d str,
    document: &'d Document<'d>,
    row: &'r Row,
    /// The nodes that were met, each with how many steps were left there: aliases lead to them again.
    met: HashSet<(usize, NodeId)>,
    found: Vec<Keyed>,
}

impl<'d, 'r> Walk<'d, 'r> {
    fn of(text: &'d str, document: &'d Document<'d>, row: &'r Row) -> Self {
        Self {
            text,
            document,
            row,
            met: HashSet::new(),
            found: Vec::new(),
        }
    }

    fn follow(&mut self, id: NodeId, way: &[To]) {
        let document = self.document;
        if !self.met.insert((way.len(), id)) {
            return;
        }
        let Some((step, rest)) = way.split_first() else {
            self.end(id);
            return;
        };
        match step {
            Key(key) => document
                .entries(id)
                .filter(|entry| {
                    entry
                        .key
                        .is_some_and(|own| own == *key || bare(own) == *key)
                })
                .for_each(|entry| self.follow(document.resolve(entry.value), rest)),
            Items => document
                .items(id)
                .for_each(|item| self.follow(document.resolve(item), rest)),
            Below => (id..document.node(id).end)
                .filter(|&id| matches!(document.node(id).kind, Kind::Mapping))
                .for_each(|id| self.follow(id, rest)),
        }
    }

    /// The texts at the end of the way.
    fn end(&mut self, id: NodeId) {
        let document = self.document;
        let items = document.items(id).map(|item| document.resolve(item));
        let texts: Vec<NodeId> = items.chain([id]).collect();
        let texts = texts
            .into_iter()
            .filter_map(|id| Some((id, document.text(id)?)));
        let mut parts = Vec::new();
        for (id, text) in texts {
            match self.row.texts {
                Texts::Split(between) => {
                    parts.extend(text.split(between).map(|part| (id, named(part))));
                }
                Texts::Each | Texts::Together => parts.push((id, named(text))),
            }
        }
        // Negations and templates say nothing of what is meant.
        parts.retain(|(_, part)| !part.is_empty() && !part.contains(['!', '{', '$']));
        let list: Arc<[String]> = parts.iter().map(|(_, part)| (*part).to_string()).collect();
        let is_split = matches!(self.row.texts, Texts::Split(_));
        let is_placed = !is_split || parts.len() <= MOST_PLACED;
        for (id, part) in parts {
            let whole = document.node(id).span;
            self.found.push(Keyed {
                span: if is_placed {
                    self.span(id, part)
                } else {
                    whole
                },
                text: part.to_string(),
                matching: self.row.matching,
                list: Arc::clone(&list),
                tool: self.row.tool,
                advice: self.row.advice,
            });
        }
    }

    /// Where a part of the text of a node stands, as far as that can be told.
    fn span(&self, id: NodeId, part: &str) -> Span {
        let start = self.document.text(id).and_then(|text| text.find(part));
        let range = start.map(|start| start..start + part.len());
        let bit = range.and_then(|range| Bit::within(self.text, self.document, id, range));
        bit.map_or(self.document.node(id).span, |bit| bit.span())
    }
}

/// A key without the anchors of Kyverno's patterns: `=(image)` is `image`.
fn bare(key: &str) -> &str {
    key.trim_matches(|c: char| matches!(c, '=' | '^' | '+' | '<' | '(' | ')'))
}

/// A part of a text without what stands around the name: blanks, and the alias of Image Updater.
fn named(part: &str) -> &str {
    let part = part.trim();
    part.split_once('=').map_or(part, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use crate::scan::{Options, scan_text};
    use std::path::Path;

    fn keyed(text: &str) -> Vec<String> {
        let scan = scan_text(Path::new("a.yaml"), text, &Options::default());
        assert!(scan.sites.is_empty(), "{text}");
        let show = |keyed: &super::Keyed| {
            let text = keyed.span.of(text).unwrap_or("");
            assert_eq!(text, keyed.text);
            format!("{text} of {}", keyed.list.len())
        };
        scan.keyed.iter().map(show).collect()
    }

    #[test]
    fn policies_name_images_in_their_own_fields() {
        let kyverno = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec:\n  rules:\n";
        for (text, found) in [
            (
                format!("{kyverno}  - verifyImages:\n    - imageReferences: ['ghcr.io/a/*', \"*b\"]\n"),
                vec!["ghcr.io/a/* of 2", "*b of 2"],
            ),
            (
                format!("{kyverno}  - verifyImages: [{{image: 'ghcr.io/a/*'}}]\n"),
                vec!["ghcr.io/a/* of 1"],
            ),
            (
                format!("{kyverno}  - validate:\n      pattern:\n        spec:\n          =(initContainers):\n          - image: 'a/* | b/*'\n          containers:\n          - image: '!*:latest'\n"),
                vec!["a/* of 2", "b/* of 2"],
            ),
            (
                "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\nspec:\n  images:\n  - glob: a/**\n  - glob: b/*\n".to_string(),
                vec!["a/** of 2", "b/* of 2"],
            ),
            (
                "apiVersion: v1\nkind: List\nitems:\n- &a\n  apiVersion: policy.sigstore.dev/v1beta1\n  kind: ClusterImagePolicy\n  spec:\n    images:\n    - &b {glob: a/**}\n- apiVersion: policy.sigstore.dev/v1beta1\n  kind: ClusterImagePolicy\n  spec:\n    images: [{glob: b/**}, *b]\n- *a\n".to_string(),
                vec!["a/** of 1", "b/** of 2"],
            ),
            (
                "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sAllowedRepos\nspec:\n  parameters:\n    repos: [docker.io/]\n".to_string(),
                vec!["docker.io/ of 1"],
            ),
            (
                "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sDisallowedRepos\nspec:\n  parameters:\n    repos: [docker.io/]\n".to_string(),
                vec![],
            ),
            (
                "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nspec:\n  image: ghcr.io/a/b\n".to_string(),
                vec!["ghcr.io/a/b of 1"],
            ),
            (
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  annotations:\n    argocd-image-updater.argoproj.io/image-list: web=ghcr.io/a/b:1.x, nginx\n".to_string(),
                vec!["ghcr.io/a/b:1.x of 2", "nginx of 2"],
            ),
            (
                "{\"packageRules\": [{\"matchPackageNames\": [\"nginx\", \"!redis\"]}]}".to_string(),
                vec!["nginx of 1"],
            ),
            (
                "packageRules:\n- matchPackageNames: &a [nginx]\n- matchPackagePrefixes: *a\n  matchDepNames: *a\n".to_string(),
                vec!["nginx of 1"],
            ),
        ] {
            assert_eq!(keyed(&text), found, "{text}");
        }
    }
}
