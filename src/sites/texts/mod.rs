//! References in texts: arguments, environment variables, annotations, parameters, settings.
//!
//! Nothing but the name beside such a text says that it is an image, so a change is certain only when
//! the name does and the reference is written out with its registry and a tag or digest; anything
//! else is assumed, or no site at all. Kustomize changes none of them.

mod blocks;
mod names;
mod params;
mod reading;

use std::collections::HashSet;
use std::ops::Range;

use super::{Bit, Found, Input, KeyPath, Object, Shape, Site, Text, embedded, flux, object};
use super::{rest_of_line, spans};
use crate::yaml::{Document, Kind, NodeId};
use names::{Around, Says};
use params::Parameters;
use reading::{Piece, Standing};

/// The finder.
pub const NAME: &str = "text";

/// The kind that builds may run as which its name does not tell.
const POD: &str = "Pod";
/// Groups of pipelines, which build images whatever the kind is called.
const PIPELINES: &[&str] = &[
    "tekton.dev",
    "triggers.tekton.dev",
    "shipwright.io",
    "build.openshift.io",
];

/// Maps, or lists of maps and texts, that fill in something elsewhere, by the group of their object.
/// Sources: the API references of Flux, Argo CD and Argo Workflows.
const FILLING: &[(&str, &str)] = &[
    ("kustomize.toolkit.fluxcd.io", SUBSTITUTE),
    ("argoproj.io", "elements"),
    ("argoproj.io", "values"),
    ("argoproj.io", "withItems"),
];
/// The key of Flux's, whose values stand in for anything.
const SUBSTITUTE: &str = "substitute";
/// Quotes inside a text.
const QUOTES: [char; 2] = ['"', '\''];
/// The key and name of a parameter under which Tekton is told where tasks lie.
const BUNDLE: &str = "bundle";

/// Keys of scripts.
const SCRIPTS: &[&str] = &["script", "source"];

/// In front of an image that a disk is made of.
const DOCKER: &str = "docker://";
/// What changes of texts rest on that others than the nodes read.
const SETTINGS: &str = "it is an entry of a config map or secret, and nobody can tell whether what reads that pulls it";
const FILLED: &str = "it is filled in elsewhere, and nobody can tell whether that pulls it";
const BUNDLED: &str =
    "what runs the tasks in it pulls it with a secret of its own, which has to let it into ECR";
/// Keys of what config maps and secrets hold.
const DATA: &[&str] = &["data", "stringData"];
const PATCHED: &str = "a patch writes it, and nobody can tell what reads it then";
const IMPORTED: &str = "OpenShift pulls it with a secret of its own, which has to let it into ECR";
const DISK: &str =
    "what imports the disk logs in with a secret of its own, which has to let it into ECR";

/// How much the pieces of one text may carry, in bytes: more than any list of images needs.
const MOST: usize = 1 << 24;

/// What the value under a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Arguments of a command.
    Arguments,
    /// Environment variables.
    Variables,
    /// Annotations.
    Annotations,
    /// Lines `NAME=value` of a config map that kustomize generates.
    Literals,
}

impl Role {
    fn of(key: &str) -> Option<Self> {
        let lower = key.to_ascii_lowercase();
        let ends = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end));
        if lower == "command" || ends(&["args"]) {
            Some(Self::Arguments)
        } else if lower == "environment" || ends(&["env", "envs", "envvars"]) {
            Some(Self::Variables)
        } else if ends(&["annotations"]) {
            Some(Self::Annotations)
        } else if key == "literals" {
            Some(Self::Literals)
        } else {
            None
        }
    }
}

/// Names of texts that a file may hold without any other word for images.
pub(super) fn telling_names() -> impl Iterator<Item = &'static str> {
    names::telling()
}

/// The bytes of an argument that are references to what is pulled.
pub(super) fn in_argument(text: &str) -> Vec<Range<usize>> {
    let pieces = reading::arguments(&[Some(text)], Around::Runs, false).into_iter();
    let pulled = pieces.filter(|(_, piece)| piece.standing.hold().is_none());
    pulled.map(|(_, piece)| piece.range).collect()
}

/// Finds the texts of an object.
pub(super) fn find(input: &Input<'_>, found: &mut Found) {
    let object = input.object;
    let texts = std::mem::take(&mut found.texts);
    let mut walk = Walk::new(input.text, input.document, &texts);
    walk.around = around(object);
    walk.pushed = pushed(object, input.document);
    walk.parameters = Parameters::of(object, input.document);
    walk.data = data(object, input.document);
    walk.group = object.group;
    walk.root = object.node;
    walk.status = input.document.get(object.node, "status");
    walk.all();
    found.sites.extend(walk.sites);
    found.texts = texts;
}

/// Drops the texts that others know for what they are.
pub(super) fn drop_known(found: &mut Found) {
    let others = found.sites.iter().filter(|site| site.finder != NAME);
    let known: HashSet<usize> = others.flat_map(spans).map(|span| span.start).collect();
    // A piece of a text begins behind it.
    let is_known = |site: &Site| {
        let mut starts = spans(site).map(|span| span.start);
        known.contains(&site.span().start) || starts.any(|start| known.contains(&start))
    };
    found
        .sites
        .retain(|site| site.finder != NAME || !is_known(site));
}

/// Finds the texts in values, at and below the root of the document.
pub(super) fn find_in_values(text: &str, document: &Document<'_>, texts: &[Text]) -> Vec<Site> {
    let mut walk = Walk::new(text, document, texts);
    walk.pushed = pushed(&Object::unknown(), document);
    walk.all();
    walk.sites
}

/// Finds the images in a document of which only the name of its file is known: it may be settings,
/// values that a release elsewhere merges, or a dashboard.
pub(super) fn find_in_settings(text: &str, document: &Document<'_>) -> Vec<Site> {
    let mut walk = Walk::new(text, document, &[]);
    if object::holds_none(document) {
        return walk.sites;
    }
    let mut id = 0;
    while id < document.nodes.len() {
        // Objects are looked at on their own.
        if object::starts_object(document, id) {
            id = document.node(id).end;
            continue;
        }
        for entry in document.entries(id) {
            let Some(key) = entry.key.filter(|key| names::is_of_one(key)) else {
                continue;
            };
            let value = document.text(entry.value).unwrap_or("");
            let standing = blocks::unknown_setting(value, key);
            let range = 0..value.len();
            let piece = standing.map(|standing| Piece { range, standing });
            walk.add(entry.value, piece);
            walk.choices(entry.value, key);
        }
        id += 1;
    }
    walk.sites
}

/// Finds the texts in the value of a patch for the field that the JSON pointer `path` leads to.
pub(super) fn find_at(text: &str, document: &Document<'_>, value: NodeId, path: &str) -> Vec<Site> {
    let mut walk = Walk::new(text, document, &[]);
    walk.root = value;
    let unescaped = |part: &str| part.replace("~1", "/").replace("~0", "~");
    let parts: Vec<String> = path.split('/').skip(1).map(unescaped).collect();
    let is_position = |part: &str| part == "-" || part.parse::<usize>().is_ok();
    let (last, before) = match parts.split_last() {
        Some((last, before)) => (last.as_str(), before.last().map_or("", String::as_str)),
        None => return Vec::new(),
    };
    match (Role::of(last), Role::of(before)) {
        (Some(role), _) => walk.role(role, value, false),
        (_, Some(Role::Arguments)) if is_position(last) => walk.arguments(&[value], false),
        (_, Some(Role::Variables)) if is_position(last) => walk.variable(value),
        (_, Some(Role::Annotations)) => walk.annotation(value, last),
        _ => match parts.as_slice() {
            [.., list, at, key]
                if key == "value" && is_position(at) && Role::of(list) == Some(Role::Variables) =>
            {
                walk.named_variable("", value);
            }
            [data, key] if DATA.contains(&data.as_str()) => walk.patched_setting(value, key),
            _ => walk.all(),
        },
    }
    walk.sites
}

/// Finds the images in the lines of a text of documents that cannot be read.
pub(super) fn find_in_unread(text: &str, document: &Document<'_>, node: NodeId) -> Vec<Site> {
    let mut walk = Walk::new(text, document, &[]);
    walk.add(node, blocks::unread(document.text(node).unwrap_or("")));
    walk.sites
}

/// What an object is for.
fn around(object: &Object<'_>) -> Around {
    let is_pipeline = PIPELINES.contains(&object.group);
    if object.kind == POD || is_pipeline || names::may_build(object.kind) {
        Around::Builds
    } else {
        Around::Runs
    }
}

/// The variables that an object uses for what it pushes, whatever they are called.
fn pushed<'d>(object: &Object<'_>, document: &'d Document<'_>) -> HashSet<&'d str> {
    let nodes = object.node..document.node(object.node).end;
    let lists = nodes.filter(|&id| params::key_of(document, id).is_some_and(is_command));
    let variables = lists.flat_map(|id| {
        let items = document.items(id).map(|item| document.text(item));
        let items: Vec<Option<&str>> = items.chain([document.text(id)]).collect();
        reading::pushed_variables(&items)
    });
    variables.collect()
}

/// Whether what runs stands under a key.
fn is_command(key: &str) -> bool {
    Role::of(key) == Some(Role::Arguments) || SCRIPTS.contains(&key)
}

/// The map of settings in an object that holds some.
fn data(object: &Object<'_>, document: &Document<'_>) -> Option<NodeId> {
    let way: &[&str] = match (object.group, object.kind) {
        ("", "ConfigMap") => &["data"],
        ("", "Secret") => &["stringData"],
        ("bitnami.com", "SealedSecret") => &["spec", "template", "data"],
        _ => return None,
    };
    document.at(object.node, way)
}

/// A walk through the nodes of an object or of values.
struct Walk<'d> {
    text: &'d str,
    document: &'d Document<'d>,
    root: NodeId,
    around: Around,
    /// The variables that are used for what is pushed.
    pushed: HashSet<&'d str>,
    parameters: Option<Parameters<'d>>,
    /// The map of the settings.
    data: Option<NodeId>,
    /// The group of the object.
    group: &'d str,
    /// What the object says of itself, which nobody reads.
    status: Option<NodeId>,
    /// The texts that hold documents, by their nodes.
    texts: &'d [Text],
    /// Scalars that are read as something else.
    read: HashSet<NodeId>,
    /// Where its sites begin.
    seen: HashSet<usize>,
    sites: Vec<Site>,
}

impl<'d> Walk<'d> {
    fn new(text: &'d str, document: &'d Document<'d>, texts: &'d [Text]) -> Self {
        Self {
            text,
            document,
            root: 0,
            around: Around::Runs,
            pushed: HashSet::new(),
            parameters: None,
            data: None,
            group: "",
            status: None,
            texts,
            read: HashSet::new(),
            seen: HashSet::new(),
            sites: Vec::new(),
        }
    }

    /// Whether a scalar is read as something else than a text.
    fn is_read(&self, id: NodeId) -> bool {
        let holds_documents = self
            .texts
            .binary_search_by_key(&id, |text| text.node)
            .is_ok();
        holds_documents || self.read.contains(&id)
    }

    fn all(&mut self) {
        let document = self.document;
        let mut id = self.root;
        while id < document.node(self.root).end {
            let is_other = id != self.root && object::starts_object(document, id);
            if is_other || Some(id) == self.status {
                id = document.node(id).end;
                continue;
            }
            match &document.node(id).kind {
                Kind::Mapping => self.map(id),
                Kind::Scalar { value, .. }
                    if !self.is_read(id) && blocks::is_worth_reading(value) =>
                {
                    self.add(id, blocks::unknown(value));
                }
                _ => {}
            }
            id += 1;
        }
    }

    fn map(&mut self, id: NodeId) {
        let document = self.document;
        let moves = self.moves(id);
        for entry in document.entries(id) {
            let Some(key) = entry.key else { continue };
            // Keys are no texts.
            self.read.insert(entry.key_node);
            if let Some(role) = Role::of(key) {
                self.role(role, entry.value, moves);
            } else if DATA.contains(&key) && self.data == Some(document.resolve(entry.value)) {
                self.settings(entry.value);
            } else {
                self.parameters(key, entry.value);
                self.reference(entry.value, key);
                if FILLING.contains(&(self.group, key)) {
                    self.filling(entry.value, key);
                }
            }
        }
        self.named(id);
    }

    fn role(&mut self, role: Role, value: NodeId, moves: bool) {
        let document = self.document;
        match role {
            Role::Arguments => self.command(value, moves),
            Role::Variables => {
                document.items(value).for_each(|item| self.variable(item));
                for entry in document.entries(value) {
                    self.named_variable(entry.key.unwrap_or(""), entry.value);
                }
            }
            Role::Annotations => {
                for entry in document.entries(value) {
                    self.annotation(entry.value, entry.key.unwrap_or(""));
                }
            }
            Role::Literals => document.items(value).for_each(|item| self.literal(item)),
        }
    }

    /// Whether a container moves images about.
    fn moves(&self, container: NodeId) -> bool {
        let is_command = |key: &str| Role::of(key) == Some(Role::Arguments);
        let entries = self.document.entries(container);
        let mut commands = entries.filter(|entry| entry.key.is_some_and(is_command));
        commands.any(|entry| {
            let items = self.document.items(entry.value);
            reading::moves(&items.map(|id| self.document.text(id)).collect::<Vec<_>>())
        })
    }

    /// A list of arguments, a map of flags, or a line of them.
    fn command(&mut self, value: NodeId, moves: bool) {
        let document = self.document;
        let items: Vec<NodeId> = document.items(value).collect();
        self.arguments(&items, moves);
        for entry in document.entries(value) {
            let (name, text) = (entry.key.unwrap_or(""), document.text(entry.value));
            let says = names::flag(name, self.around);
            let pieces = text.map(|text| reading::value(text, says, name));
            self.add(entry.value, pieces.into_iter().flatten());
        }
        if let Some(line) = document.text(value) {
            self.add(value, reading::line(line, self.around));
        }
    }

    fn arguments(&mut self, items: &[NodeId], moves: bool) {
        let document = self.document;
        let texts: Vec<Option<&str>> = items.iter().map(|id| document.text(*id)).collect();
        for (index, piece) in reading::arguments(&texts, self.around, moves) {
            self.add(items[index], [piece]);
        }
    }

    /// An item of a list of variables.
    fn variable(&mut self, item: NodeId) {
        let document = self.document;
        let name = document.text_at(item, &["name"]).unwrap_or("");
        let mut entries = document.entries(item);
        if let Some(entry) = entries.find(|entry| entry.key == Some("value")) {
            self.named_variable(name, entry.value);
        }
    }

    /// `NAME=value`, whoever reads it in the end.
    fn literal(&mut self, item: NodeId) {
        let text = self.document.text(item).unwrap_or("");
        let Some((name, value)) = text.split_once('=') else {
            return;
        };
        // Kustomize takes off the quotes around it.
        let value = value.trim_start_matches(QUOTES);
        let start = text.len() - value.len();
        let value = value.trim_end_matches(QUOTES);
        let pieces = self.setting(name, value).into_iter().map(|piece| Piece {
            range: piece.range.start + start..piece.range.end + start,
            ..piece
        });
        self.add(item, pieces);
    }

    /// The references in the value of a setting: a build may read it as well as what runs something.
    fn setting(&self, name: &str, value: &str) -> Vec<Piece> {
        let weak = |piece: Piece| Piece {
            standing: piece.standing.weakened(SETTINGS),
            ..piece
        };
        let pieces = reading::value(value, names::variable(name, self.around), name);
        pieces.into_iter().map(weak).collect()
    }

    /// What a map, or each item of a list, fills in: a name of its own has to say that it is an image.
    fn filling(&mut self, value: NodeId, key: &str) {
        let document = self.document;
        let items: Vec<NodeId> = document.items(value).collect();
        for map in items.iter().chain([&value]) {
            for entry in document.entries(*map) {
                let name = entry.key.unwrap_or("");
                self.full(entry.value, name, FILLED);
                if key == SUBSTITUTE {
                    self.hosted(entry.value, name);
                }
            }
        }
        for item in items {
            let text = document.text(item).unwrap_or("");
            let range = 0..text.len();
            let standing = reading::whole(text, Says::Nothing, key);
            self.add(item, standing.map(|standing| Piece { range, standing }));
        }
    }

    /// A reference with its registry, whatever it is called; a tag may be filled in behind it.
    fn hosted(&mut self, value: NodeId, name: &str) {
        let text = self.document.text(value).unwrap_or("");
        let range = 0..text.len();
        let standing = reading::hosted(text, name);
        self.add(value, standing.map(|standing| Piece { range, standing }));
    }

    /// A map that gives a value to a name, whatever reads it.
    fn named(&mut self, map: NodeId) {
        let document = self.document;
        let Some(name) = document.text_at(map, &["name"]) else {
            return;
        };
        for key in params::VALUES {
            let Some(value) = document.get(map, key) else {
                continue;
            };
            self.full(value, name, FILLED);
            // `extraArgs[0]` is set as a whole.
            if name.contains('[') {
                self.add(value, self.item(value));
            }
        }
    }

    /// The references in what is an item of a list that stands elsewhere.
    fn item(&self, value: NodeId) -> Vec<Piece> {
        let pieces = reading::arguments(&[self.document.text(value)], self.around, false);
        let weak = |(_, piece): (usize, Piece)| Piece {
            standing: piece.standing.weakened(FILLED),
            ..piece
        };
        pieces.into_iter().map(weak).collect()
    }

    /// A reference that is written out in full, with a registry that is known, and called an image.
    fn full(&mut self, value: NodeId, name: &str, why: &str) {
        let text = self.document.text(value).unwrap_or("");
        if reading::whole(text, Says::Nothing, name).is_none() {
            return;
        }
        let (says, why) = match names::variable(name, Around::Builds) {
            Says::Nothing if name == BUNDLE => (Says::Pulled, BUNDLED),
            Says::Nothing | Says::Other => return,
            says => (says, why),
        };
        let standing = reading::whole(text, says, name).map(|standing| standing.weakened(why));
        let range = 0..text.len();
        self.add(value, standing.map(|standing| Piece { range, standing }));
    }

    /// The names in a map that says elsewhere than in their keys that they are images.
    fn reference(&mut self, map: NodeId, key: &str) {
        let document = self.document;
        let is_image = document.text_at(map, &["kind"]) == Some("DockerImage");
        if key == BUNDLE {
            self.full(map, key, BUNDLED);
        } else if key == "from" && is_image {
            let name = document.get(map, "name");
            name.into_iter()
                .for_each(|name| self.foreign(name, "", IMPORTED));
        } else if key == "registry" {
            let url = document.get(map, "url");
            url.into_iter()
                .for_each(|url| self.foreign(url, DOCKER, DISK));
        } else if names::is_of_one(key) {
            self.choices(map, key);
        }
    }

    /// An image that something else than a node pulls, written behind `scheme`.
    fn foreign(&mut self, value: NodeId, scheme: &str, why: &str) {
        let text = self.document.text(value).unwrap_or("");
        let Some(name) = text.strip_prefix(scheme) else {
            return;
        };
        if reading::whole(name, Says::Perhaps, "").is_some() {
            let standing = Standing::Assumed(why.to_string());
            let range = scheme.len()..text.len();
            self.add(value, [Piece { range, standing }]);
        }
    }

    /// Images to choose from: `image: {value: …, options: […]}`.
    fn choices(&mut self, map: NodeId, key: &str) {
        let document = self.document;
        let under = |name| document.get(map, name).into_iter();
        let options = under("options").flat_map(|list| document.items(list));
        let values: Vec<NodeId> = under("value").chain(options).collect();
        for value in values {
            let text = document.text(value).unwrap_or("");
            let standing = blocks::unknown_setting(text, key);
            let range = 0..text.len();
            self.add(value, standing.map(|standing| Piece { range, standing }));
        }
    }

    fn named_variable(&mut self, name: &str, value: NodeId) {
        let document = self.document;
        let mut entries = document.entries(value);
        let inner = entries.find(|entry| entry.key == Some("value"));
        let value = inner.map_or(value, |entry| entry.value);
        let text = document.text(value).unwrap_or("");
        let says = match names::variable(name, self.around) {
            Says::Pulled | Says::Name if self.pushed.contains(name) => Says::Perhaps,
            says => says,
        };
        self.add(value, reading::value(text, says, name));
    }

    fn annotation(&mut self, value: NodeId, key: &str) {
        let text = self.document.text(value).unwrap_or("");
        // What longer ones hold copies something, or is an example.
        self.read.insert(value);
        if names::is_function(key) {
            self.add(value, blocks::explained(text));
            return;
        }
        let standing = reading::whole(text, names::annotation(key), key);
        let range = 0..text.len();
        self.add(value, standing.map(|standing| Piece { range, standing }));
    }

    /// What may be a list of parameters under `key`.
    fn parameters(&mut self, key: &str, list: NodeId) {
        let document = self.document;
        let Some(parameters) = self.parameters.take() else {
            return;
        };
        if parameters.are_under(key) {
            for item in document.items(list) {
                self.parameter(&parameters, list, item);
            }
        }
        self.parameters = Some(parameters);
    }

    fn parameter(&mut self, parameters: &Parameters<'_>, list: NodeId, item: NodeId) {
        let document = self.document;
        let Some(name) = document.text_at(item, &["name"]) else {
            return;
        };
        let says = parameters.says(list, name);
        let is_value = |key: &str| params::VALUES.contains(&key);
        let entries = document.entries(item);
        for entry in entries.filter(|entry| entry.key.is_some_and(is_value)) {
            for value in std::iter::once(entry.value).chain(document.items(entry.value)) {
                if let Some(text) = document.text(value) {
                    self.add(value, reading::value(text, says, name));
                }
            }
            // The fields of an object are handed on one by one.
            for field in document.entries(entry.value) {
                self.full(field.value, field.key.unwrap_or(""), FILLED);
            }
        }
    }

    /// The entries of a config map.
    fn settings(&mut self, data: NodeId) {
        let document = self.document;
        for entry in document.entries(data) {
            let (Some(key), Some(text)) = (entry.key, document.text(entry.value)) else {
                continue;
            };
            if self.is_read(entry.value) {
                continue;
            }
            self.read.insert(entry.value);
            let named = self.setting(key, text);
            if named.is_empty() && blocks::is_worth_reading(text) {
                self.add(entry.value, blocks::settings(text));
            } else {
                self.add(entry.value, named);
            }
        }
    }

    /// An entry of what looks like the data of a config map, in a patch.
    fn patched_setting(&mut self, value: NodeId, key: &str) {
        let text = self.document.text(value).unwrap_or("");
        let pieces = reading::value(text, names::variable(key, self.around), key);
        if pieces.is_empty() {
            self.all();
            return;
        }
        let pieces = pieces.into_iter().map(|piece| Piece {
            standing: piece.standing.weakened(PATCHED),
            ..piece
        });
        self.add(value, pieces);
    }

    /// Adds the pieces of a scalar that are references.
    fn add(&mut self, id: NodeId, pieces: impl IntoIterator<Item = Piece>) {
        let document = self.document;
        let Kind::Scalar { tag, .. } = &document.node(id).kind else {
            return;
        };
        let is_text = |tag: &str| matches!(tag, "!" | "!!str" | "tag:yaml.org,2002:str");
        if !tag.as_deref().is_none_or(is_text) {
            return;
        }
        let pieces: Vec<Piece> = pieces.into_iter().collect();
        // Each piece carries its text: thousands in one would fill the memory.
        if pieces.len() * document.text(id).map_or(0, str::len) > MOST {
            return;
        }
        for piece in pieces {
            let Some(bit) = Bit::within(self.text, document, id, piece.range) else {
                continue;
            };
            let span = bit.span();
            let is_placed = matches!(bit.place, crate::yaml::Place::Exact(_));
            if is_placed && !self.seen.insert(span.start) {
                continue;
            }
            let automated = || flux::marker_hold(rest_of_line(self.text, span.end));
            let hold = piece.standing.hold();
            let hold = hold
                .or_else(|| embedded::shared(document, id))
                .or_else(automated);
            self.sites.push(Site {
                document: document.path,
                path: KeyPath::of(document, id),
                shape: Shape::Within(Box::new(bit)),
                finder: NAME,
                hold,
                assumption: piece.standing.assumption(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::sites::{self, Stated};
    use crate::yaml::documents;

    #[test]
    fn what_others_read_as_a_whole_is_no_text() {
        let text = "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      initContainers:\n      - name: a\n        image: |\n          ghcr.io/a/b\n          image: quay.io/a/b:1\n";
        let document = documents(text).next().unwrap().unwrap();
        let found = sites::find(Path::new("a.yaml"), text, &document, &Stated::default());
        let finders: Vec<&str> = found.sites.iter().map(|site| site.finder).collect();
        assert_eq!(finders, [sites::workload::NAME]);
    }
}
