//! Parameters of pipelines, workflows and templates: what tells one that is pulled from one that is
//! pushed.
//!
//! The best witness is the object itself: a parameter that it uses nowhere but in the `image` of a
//! container is pulled. A use counts for the parameter that is declared nearest to it, as the tools
//! resolve it, so that two tasks may call theirs alike. Any other use, one that is written in a way
//! that is not known, and none at all leave open what becomes of it: no name proves anything then.

use std::collections::{HashMap, HashSet};

use super::names::{self, Says};
use crate::sites::Object;
use crate::yaml::{Document, Kind, NodeId};

/// How a kind of object writes and reads parameters.
#[derive(Clone, Copy, Debug)]
struct Dialect {
    group: &'static str,
    /// Its kinds; empty for all of the group.
    kinds: &'static [&'static str],
    /// The lists of parameters.
    lists: &'static str,
    /// How they are used.
    uses: &'static [Use],
    /// What stands around everything that is filled in, and the word by which that is about
    /// parameters.
    filled: (&'static str, &'static str, &'static str),
    /// The maps of an object whose lists declare parameters, by the keys that lead there.
    roots: &'static [&'static [&'static str]],
    /// Kinds that have such maps only to give values to what is declared elsewhere.
    runs: &'static [&'static str],
    /// Keys beside such a map that say the same of it.
    refers: &'static [&'static str],
    /// The keys of other maps whose lists declare parameters.
    declaring: &'static [&'static str],
    /// Whether a list beside such a map gives it values.
    beside: bool,
    /// Whether a parameter called `image` is, by custom, what is pushed.
    pushes: bool,
}

/// How a parameter is used.
#[derive(Clone, Copy, Debug)]
struct Use {
    /// What stands around its name.
    around: (&'static str, &'static str),
    /// The ways to the lists that may declare it, from any map around the use.
    declared: &'static [&'static [&'static str]],
}

/// The keys of a parameter under which its value stands.
pub(super) const VALUES: &[&str] = &["value", "default"];

const WORKFLOWS: &[&str] = &[
    "Workflow",
    "WorkflowTemplate",
    "ClusterWorkflowTemplate",
    "CronWorkflow",
];
const RUNS: &[&str] = &["PipelineRun", "TaskRun", "CustomRun", "Run"];
const PARAMS: &[&[&str]] = &[&["params"], &["inputs", "params"]];
const INPUTS: &[&[&str]] = &[&["inputs", "parameters"]];
const ARGUMENTS: &[&[&str]] = &[&["arguments", "parameters"]];
const OF_TEMPLATE: &[Use] = &[Use {
    around: ("${", "}"),
    declared: &[&["parameters"]],
}];

/// Sources: the API references of Tekton, Argo Workflows and OpenShift.
#[rustfmt::skip]
const DIALECTS: &[Dialect] = &[
    Dialect {
        group: "tekton.dev", kinds: &[], lists: "params", pushes: true, filled: ("$(", ")", "params"),
        uses: &[
            Use { around: ("$(params.", ")"), declared: PARAMS },
            Use { around: ("$(params[\"", "\"])"), declared: PARAMS },
            Use { around: ("$(params['", "'])"), declared: PARAMS },
            Use { around: ("$(inputs.params.", ")"), declared: PARAMS },
        ],
        roots: &[&["spec"], &["spec", "inputs"]],
        runs: RUNS, refers: &[], declaring: &["taskSpec", "pipelineSpec"], beside: true,
    },
    Dialect {
        group: "argoproj.io", kinds: WORKFLOWS, lists: "parameters", pushes: false, filled: ("{{", "}}", "parameters"),
        uses: &[
            Use { around: ("{{inputs.parameters.", "}}"), declared: INPUTS },
            Use { around: ("{{workflow.parameters.", "}}"), declared: ARGUMENTS },
        ],
        roots: &[&["spec", "arguments"], &["spec", "workflowSpec", "arguments"]],
        runs: &[], refers: &["workflowTemplateRef"], declaring: &["inputs"], beside: false,
    },
    Dialect { group: "template.openshift.io", kinds: &["Template"], lists: "parameters", uses: OF_TEMPLATE, filled: ("${", "}", ""), roots: &[&[]], runs: &[], refers: &[], declaring: &[], beside: false, pushes: false },
    Dialect { group: "", kinds: &["Template"], lists: "parameters", uses: OF_TEMPLATE, filled: ("${", "}", ""), roots: &[&[]], runs: &[], refers: &[], declaring: &[], beside: false, pushes: false },
];

/// The parameters of an object.
pub(super) struct Parameters<'d> {
    dialect: &'static Dialect,
    document: &'d Document<'d>,
    /// The lists whose parameters are declared here, and what they give values to, if that is another
    /// list.
    lists: HashMap<NodeId, Option<NodeId>>,
    /// What is known of how those are used.
    uses: Uses,
}

/// How parameters are used in an object.
#[derive(Default)]
struct Uses {
    /// What the uses of each say, by their lists and names.
    known: HashMap<(NodeId, String), Used>,
    /// The words of uses that nobody can follow.
    unclear: HashSet<String>,
    /// Whether one of those means all parameters at once.
    all_unclear: bool,
}

impl Uses {
    fn of(&self, list: NodeId, name: &str) -> Option<Used> {
        let known = self.known.get(&(list, name.to_string())).copied()?;
        let is_unclear = self.all_unclear || self.unclear.contains(name);
        Some(if is_unclear { Used::Other } else { known })
    }

    fn add(&mut self, list: NodeId, name: &str, used: Used) {
        let before = self.known.entry((list, name.to_string())).or_insert(used);
        *before = before.and(used);
    }

    /// Adds what is filled in somewhere, in a way that is not known or with a name that is none here.
    fn add_unclear(&mut self, filled: &str, about: &str) {
        let Some((_, rest)) = filled.rsplit_once(about) else {
            return;
        };
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let words = filled.split(|c| !is_name(c));
        self.unclear.extend(words.map(str::to_string));
        let rest = rest.trim_matches(|c| !is_name(c));
        self.all_unclear |= !about.is_empty() && matches!(rest, "" | "json");
    }
}

/// What the uses of a parameter say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Used {
    /// It is an image, or the name of one.
    Image(Says),
    /// It is text as any, or handed on to something else.
    Other,
}

impl Used {
    /// This use and another one.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Other, _) | (_, Self::Other) => Self::Other,
            (Self::Image(Says::Pulled), Self::Image(Says::Pulled)) => Self::Image(Says::Pulled),
            // One that gets a tag somewhere has none of its own.
            (Self::Image(_), Self::Image(_)) => Self::Image(Says::Name),
        }
    }
}

impl<'d> Parameters<'d> {
    /// Those of an object that can have any.
    pub(super) fn of(object: &Object<'_>, document: &'d Document<'d>) -> Option<Self> {
        let dialect = DIALECTS.iter().find(|dialect| {
            dialect.group == object.group
                && (dialect.kinds.is_empty() || dialect.kinds.contains(&object.kind))
        })?;
        let scopes = Scopes::read(dialect, document, object);
        Some(Self {
            dialect,
            document,
            uses: scopes.uses(object.node),
            lists: scopes.lists,
        })
    }

    /// Whether the value under `key` is a list of parameters.
    pub(super) fn are_under(&self, key: &str) -> bool {
        self.dialect.lists == key
    }

    /// What is said of the parameter in `list` that is called `name`.
    pub(super) fn says(&self, list: NodeId, name: &str) -> Says {
        let named = match names::parameter(name) {
            Says::Pushed if !self.dialect.pushes => Says::Perhaps,
            says => says,
        };
        let unproven = match named {
            Says::Pulled | Says::Name => Says::Perhaps,
            says => says,
        };
        let Some(given) = self.lists.get(&self.document.resolve(list)) else {
            return unproven;
        };
        let used = |list: NodeId| self.uses.of(list, name);
        match given.and_then(used).or_else(|| used(list)) {
            Some(Used::Image(says)) => says,
            Some(Used::Other) | None => unproven,
        }
    }
}

/// A way to a list, from a map around it.
type Way = &'static [&'static str];

/// Which parameters are declared where.
struct Scopes<'d> {
    dialect: &'static Dialect,
    document: &'d Document<'d>,
    /// For a map in which they can be used, a way from it and a name: the list that declares it.
    declared: HashMap<(NodeId, Way, &'d str), NodeId>,
    lists: HashMap<NodeId, Option<NodeId>>,
}

/// What a map says of parameters.
#[derive(Default)]
struct Map<'d> {
    /// Its list of them.
    list: Option<NodeId>,
    /// A map in it that declares parameters.
    inner: Option<NodeId>,
    /// A map whose lists give it several values in turn.
    matrix: Option<NodeId>,
    /// The template that it calls, and with what.
    template: Option<&'d str>,
    arguments: Option<NodeId>,
}

impl<'d> Scopes<'d> {
    fn read(dialect: &'static Dialect, document: &'d Document<'d>, object: &Object<'_>) -> Self {
        let mut scopes = Self {
            dialect,
            document,
            declared: HashMap::new(),
            lists: HashMap::new(),
        };
        let is_run = dialect.runs.contains(&object.kind);
        let refers = |way: &&Way| {
            let around: &[&str] = way.split_last().map_or(&[], |(_, around)| around);
            let map = document.at(object.node, around);
            let mut keys = dialect.refers.iter();
            map.is_some_and(|map| keys.any(|key| document.get(map, key).is_some()))
        };
        let roots = dialect.roots.iter().filter(|way| !is_run && !refers(way));
        let roots: Vec<NodeId> = roots
            .filter_map(|way| document.at(object.node, way))
            .collect();
        let templates = templates(document, object.node);
        for id in object.node..document.node(object.node).end {
            let map = scopes.map(id);
            let is_declaring =
                key_of(document, id).is_some_and(|key| dialect.declaring.contains(&key));
            if let Some(list) = map.list {
                scopes.add(list, map.inner, is_declaring || roots.contains(&id));
            }
            let matrix = map.matrix.filter(|_| map.inner.is_some());
            let varied = matrix.map_or(Vec::new(), |map| scopes.in_matrix(map));
            for list in varied {
                scopes.add(list, map.inner, false);
            }
            let called = map
                .template
                .and_then(|name| templates.get(name).copied().flatten());
            let given =
                called.and_then(|template| document.at(template, &["inputs", dialect.lists]));
            let giving = map
                .arguments
                .and_then(|map| document.get(map, dialect.lists));
            if let (Some(giving), Some(_)) = (giving, given) {
                scopes.lists.insert(giving, given);
            }
        }
        scopes
    }

    fn map(&self, id: NodeId) -> Map<'d> {
        let document = self.document;
        let mut map = Map::default();
        for entry in document.entries(id) {
            match entry.key {
                Some(key) if key == self.dialect.lists => map.list = Some(entry.value),
                Some(key) if self.dialect.beside && self.dialect.declaring.contains(&key) => {
                    map.inner = Some(entry.value);
                }
                Some("matrix") => map.matrix = Some(entry.value),
                Some("template") => map.template = document.text(entry.value),
                Some("arguments") => map.arguments = Some(entry.value),
                _ => {}
            }
        }
        map
    }

    /// The lists of parameters of a matrix.
    fn in_matrix(&self, matrix: NodeId) -> Vec<NodeId> {
        let document = self.document;
        let included = document.get(matrix, "include").into_iter();
        let included = included.flat_map(|list| document.items(list));
        let maps = included.chain([matrix]);
        maps.filter_map(|map| document.get(map, self.dialect.lists))
            .collect()
    }

    /// Adds a list of parameters, if it declares any or gives values to the ones that `inner` does.
    fn add(&mut self, list: NodeId, inner: Option<NodeId>, declares: bool) {
        let document = self.document;
        if inner.is_none() && !declares {
            return;
        }
        let given = inner.and_then(|inner| document.get(inner, self.dialect.lists));
        self.lists.insert(list, given);
        for way in self.dialect.uses.iter().flat_map(|used| used.declared) {
            let Some(from) = inner.or_else(|| start(document, list, way)) else {
                continue;
            };
            for item in document.items(list) {
                if let Some(name) = document.text_at(item, &["name"]) {
                    // What the inner map declares itself comes later, and counts.
                    self.declared.insert((from, way, name), list);
                }
            }
        }
    }

    /// What the uses of each parameter in the object at `root` say: that it is an image, or the name
    /// of one, when every use does.
    fn uses(&self, root: NodeId) -> Uses {
        let mut uses = Uses::default();
        let (open, close, about) = self.dialect.filled;
        for id in root..self.document.node(root).end {
            let Kind::Scalar { value, .. } = &self.document.node(id).kind else {
                continue;
            };
            let value = value.replace("{{ ", "{{").replace(" }}", "}}");
            for (at, _) in value.match_indices(open) {
                let inside = &value[at + open.len()..];
                let (filled, rest) = inside.split_once(close).unwrap_or((inside, ""));
                let whole = &value[at..value.len() - rest.len()];
                match self.known(id, whole) {
                    Some((list, name)) => uses.add(list, name, self.used(id, at, rest)),
                    None => uses.add_unclear(filled, about),
                }
            }
        }
        uses
    }

    /// The parameter that is filled in at a node, when it is written in a way that is known: the list
    /// that declares it, and its name.
    fn known<'t>(&self, id: NodeId, filled: &'t str) -> Option<(NodeId, &'t str)> {
        self.dialect.uses.iter().find_map(|used| {
            let (open, close) = used.around;
            let name = filled.strip_prefix(open)?.strip_suffix(close)?;
            Some((self.declaring(id, used, name)?, name))
        })
    }

    /// The list that declares the parameter of this name for the node `id`: the nearest one.
    fn declaring(&self, id: NodeId, used: &Use, name: &'_ str) -> Option<NodeId> {
        around(self.document, id).find_map(|map| {
            let mut ways = used.declared.iter();
            ways.find_map(|way| self.declared.get(&(map, *way, name)).copied())
        })
    }

    /// What one use of a parameter says of it: the scalar `id` has it at `at`, with `rest` behind it.
    fn used(&self, id: NodeId, at: usize, rest: &str) -> Used {
        let document = self.document;
        let is_list = |id: NodeId| key_of(document, id) == Some(self.dialect.lists);
        let is_handed = around(document, id).any(is_list);
        if is_handed || at > 0 || !is_image(document, id) {
            return Used::Other;
        }
        match rest.chars().next() {
            None => Used::Image(Says::Pulled),
            Some(':' | '@') => Used::Image(Says::Name),
            Some(_) => Used::Other,
        }
    }
}

/// The templates of a workflow by name; none for a name that several have.
fn templates<'d>(document: &'d Document<'d>, root: NodeId) -> HashMap<&'d str, Option<NodeId>> {
    let mut templates = HashMap::new();
    for list in root..document.node(root).end {
        if key_of(document, list) != Some("templates") {
            continue;
        }
        for item in document.items(list) {
            if let Some(name) = document.text_at(item, &["name"]) {
                templates
                    .entry(name)
                    .and_modify(|template| *template = None)
                    .or_insert(Some(item));
            }
        }
    }
    templates
}

/// The nodes around one, from the inside.
fn around<'d>(document: &'d Document<'_>, id: NodeId) -> impl Iterator<Item = NodeId> + 'd {
    let parent = |id: NodeId| Some(document.node(id).parent).filter(|parent| *parent != id);
    std::iter::successors(parent(id), move |id| parent(*id))
}

/// The map from which `way` leads to `id`.
fn start(document: &Document<'_>, id: NodeId, way: Way) -> Option<NodeId> {
    way.iter().rev().try_fold(id, |id, key| {
        (key_of(document, id) == Some(key)).then(|| document.node(id).parent)
    })
}

/// The key under which a node stands.
pub(super) fn key_of<'d>(document: &'d Document<'_>, id: NodeId) -> Option<&'d str> {
    let node = document.node(id);
    let is_value = node.parent != id
        && matches!(document.node(node.parent).kind, Kind::Mapping)
        && node.position % 2 == 1;
    // A key that is a scalar is the node right before its value.
    is_value.then(|| document.text(id - 1)).flatten()
}

/// Whether a scalar stands under the key `image`, and not as what something makes.
fn is_image(document: &Document<'_>, id: NodeId) -> bool {
    let map = key_of(document, document.node(id).parent);
    key_of(document, id) == Some("image") && !map.is_some_and(names::is_of_output)
}
