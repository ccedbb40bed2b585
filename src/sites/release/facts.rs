//! What is said of a release: which chart, and which layers of values in which order.

use crate::source::Span;
use crate::yaml::{Document, DocumentPath, NodeId};

/// Values that are a part of a file, or stand in a text of it: their document and node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId {
    document: DocumentPath,
    node: NodeId,
}

impl BlockId {
    /// The values that a node of a document is or holds.
    pub(in super::super) fn of(document: &Document<'_>, node: NodeId) -> Self {
        Self {
            document: document.path,
            node,
        }
    }

    /// The document and the node.
    pub(super) fn parts(self) -> (DocumentPath, NodeId) {
        (self.document, self.node)
    }
}

/// A family of tools: objects of one family are known to each other by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// Argo CD.
    Argo,
    /// Flux.
    Flux,
    /// The Helm controller of k3s.
    K3s,
    /// Tools whose releases are found in one file each: helmfile, Fleet, kustomize.
    #[default]
    Other,
}

/// One use of a chart, or a part of one.
#[derive(Clone, Debug, Default)]
pub struct Release {
    /// What reads it.
    pub tool: Tool,
    /// The name of the object, by which patches find it.
    pub name: Option<String>,
    /// Whether it says which chart it is of; a patch does not.
    pub has_chart: bool,
    /// Folders that may hold the chart: relative to the object's folder or to that of the repository.
    pub charts: Vec<String>,
    /// The name of the object that says which chart it is.
    pub chart_object: Option<String>,
    /// The name by which others take over what this object says of a chart.
    pub chart_name: Option<String>,
    /// The kinds of layers that it gives as lists: a patch replaces those.
    pub lists: Vec<Stage>,
    /// Whether its values are a text: a patch replaces it.
    pub has_text: bool,
    /// Whether its files take the place of the chart's own values.
    pub replaces_defaults: bool,
    /// What is merged over the chart's own values, in the order in which later ones win.
    pub layers: Vec<Given>,
    /// Where the chart comes from.
    pub source: ChartSource,
    /// Where to point at it.
    pub span: Option<Span>,
    /// How it is deployed.
    pub deployed: Box<Deployed>,
}

/// How a release is deployed, as far as that is more than its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployed {
    /// The name of the release, where it is given one of its own.
    pub name: Option<String>,
    /// The namespace that it goes to.
    pub namespace: Option<String>,
    /// The namespace of the object: it goes there unless it is told otherwise.
    pub own_namespace: Option<String>,
    /// The key of what is done to the chart's objects afterwards.
    pub afterwards: Option<String>,
    /// Whether what stands in braces in it is filled in before Helm sees it.
    pub is_filled: bool,
    /// The repositories in git, as URLs, whose files it reads as if they lay here.
    pub repositories: Vec<String>,
    /// The values, by their dotted paths, that automation writes names of images to.
    pub written: Vec<String>,
}

impl Release {
    /// How the release is deployed: Flux puts the namespace that it goes to in front of a name that it is not
    /// given (<https://fluxcd.io/flux/components/helm/helmreleases/#release-name>).
    pub fn deployed(&self) -> Deployed {
        let mut deployed = (*self.deployed).clone();
        if deployed.name.is_none() {
            deployed.name = match (self.tool, &deployed.namespace, &self.name) {
                (Tool::Flux, Some(namespace), Some(name)) => Some(format!("{namespace}-{name}")),
                (_, _, name) => name.clone(),
            };
        }
        deployed.namespace = deployed.namespace.or(deployed.own_namespace.take());
        deployed
    }
}

impl Deployed {
    /// Takes over what a patch says.
    pub fn patch(&mut self, patch: &Self) {
        let fields = [
            (&mut self.name, &patch.name),
            (&mut self.namespace, &patch.namespace),
            (&mut self.own_namespace, &patch.own_namespace),
            (&mut self.afterwards, &patch.afterwards),
        ];
        for (own, new) in fields {
            if new.is_some() {
                own.clone_from(new);
            }
        }
        self.is_filled |= patch.is_filled;
        self.repositories.extend(patch.repositories.iter().cloned());
    }
}

/// Where a release's chart comes from, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChartSource {
    /// The repository: a URL, or the name of the object or entry that has it.
    pub repository: Option<String>,
    /// The kind of that object.
    pub kind: Option<String>,
    /// The name of the chart in it, or its path.
    pub chart: Option<String>,
    /// The version.
    pub version: Option<String>,
}

impl ChartSource {
    /// Takes over what a patch says.
    pub fn patch(&mut self, patch: &Self) {
        let fields = [
            (&mut self.repository, &patch.repository),
            (&mut self.kind, &patch.kind),
            (&mut self.chart, &patch.chart),
            (&mut self.version, &patch.version),
        ];
        for (own, new) in fields {
            if new.is_some() {
                own.clone_from(new);
            }
        }
    }
}

/// The order in which kinds of layers come in objects that patches can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Files by their names. A list: a patch replaces it.
    Files,
    /// Config maps and secrets. A list: a patch replaces it.
    Maps,
    /// Values in the object. A map: a patch is merged with it.
    Values,
    /// Single parameters. A list: a patch replaces it.
    Parameters,
}

/// One layer of a release.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its kind.
    pub stage: Stage,
    /// Where its values are.
    pub from: From,
}

/// Where the values of a layer are.
#[derive(Clone, Debug)]
pub enum From {
    /// In a file.
    File {
        /// Its path, as written.
        path: String,
        /// What the path starts from.
        base: Base,
        /// Whether the release goes on without it.
        optional: bool,
    },
    /// In a config map or secret.
    Map {
        /// Its name.
        name: String,
        /// The key that holds them.
        key: String,
        /// Whether the release goes on without it.
        optional: bool,
    },
    /// In the object itself.
    Block {
        /// The block.
        block: BlockId,
        /// Whether a part of it is empty: to some tools that means that nothing is said.
        empties: bool,
    },
    /// Somewhere that is not read: why, for people.
    Unknown(String),
}

/// What the path of a values file starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The folder of the file that names it.
    Here,
    /// The folder of the chart.
    Chart,
    /// The root of a repository, which may be this one.
    Root,
    /// The root of the repository that holds the chart.
    Source,
    /// Any of these.
    Anywhere,
}

/// A text in a config map or secret, which may be values.
#[derive(Clone, Debug)]
pub struct ConfigMap {
    /// The name of the config map or secret.
    pub name: String,
    /// The key of the text.
    pub key: String,
    /// The values in it.
    pub block: BlockId,
    /// Whether they are values that say nothing of images, so that nobody looks into them.
    pub says_nothing: bool,
}

/// Values files that become a config map or secret.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The name of the config map or secret.
    pub name: String,
    /// Its keys, each with the file relative to the kustomization.
    pub files: Vec<(String, String)>,
    /// Whether it changes one of the same name that is taken in.
    pub changes: bool,
}

impl Given {
    pub(super) fn file(path: &str, base: Base) -> Self {
        let path = path.to_string();
        let optional = false;
        Self {
            stage: Stage::Files,
            from: From::File {
                path,
                base,
                optional,
            },
        }
    }

    pub(super) fn unknown(stage: Stage, why: &str) -> Self {
        Self {
            stage,
            from: From::Unknown(why.to_string()),
        }
    }
}
