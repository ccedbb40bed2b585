//! Parameters of pipelines, workflows and templates: what tells one that is pulled from one that is
//! pushed.
//!
//! The best witness is the object itself: a parameter that it uses nowhere but in the `image` of a
//! container is pulled. Where it says nothing, the name has to.

use super::names::{self, Says};
use crate::sites::Object;
use crate::yaml::{Document, Kind, NodeId};

/// How a kind of object writes and reads parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    group: &'static str,
    /// Its kinds; empty for all of the group.
    kinds: &'static [&'static str],
    /// The lists of parameters.
    pub lists: &'static str,
    /// What stands around the name of a parameter where it is used.
    around: &'static [(&'static str, &'static str)],
    /// Whether a parameter called `image` is, by custom, what is pushed.
    pub pushes: bool,
}

/// The keys of a parameter under which its value stands.
pub(super) const VALUES: &[&str] = &["value", "default"];

const WORKFLOWS: &[&str] = &[
    "Workflow",
    "WorkflowTemplate",
    "ClusterWorkflowTemplate",
    "CronWorkflow",
];

/// Sources: the API references of Tekton, Argo Workflows and OpenShift.
#[rustfmt::skip]
const DIALECTS: &[Dialect] = &[
    Dialect { group: "tekton.dev", kinds: &[], lists: "params", around: &[("$(params.", ")"), ("$(params[\"", "\"])"), ("$(params['", "'])"), ("$(inputs.params.", ")")], pushes: true },
    Dialect { group: "argoproj.io", kinds: WORKFLOWS, lists: "parameters", around: &[("{{inputs.parameters.", "}}"), ("{{workflow.parameters.", "}}")], pushes: false },
    Dialect { group: "template.openshift.io", kinds: &["Template"], lists: "parameters", around: &[("${", "}")], pushes: false },
    Dialect { group: "", kinds: &["Template"], lists: "parameters", around: &[("${", "}")], pushes: false },
];

/// How an object writes parameters, if it has any.
pub(super) fn dialect(object: &Object<'_>) -> Option<&'static Dialect> {
    DIALECTS.iter().find(|dialect| {
        dialect.group == object.group
            && (dialect.kinds.is_empty() || dialect.kinds.contains(&object.kind))
    })
}

/// What is said of the parameter `name` of the object at `root`.
pub(super) fn says(dialect: &Dialect, document: &Document<'_>, root: NodeId, name: &str) -> Says {
    match uses(dialect, document, root, name) {
        Some(says) => says,
        None => match names::parameter(name) {
            Says::Pushed if !dialect.pushes => Says::Perhaps,
            says => says,
        },
    }
}

/// What the uses of a parameter say: that it is an image, or the name of one, when each of them does.
fn uses(dialect: &Dialect, document: &Document<'_>, root: NodeId, name: &str) -> Option<Says> {
    let forms = dialect.around.iter();
    let forms: Vec<String> = forms
        .map(|(open, close)| format!("{open}{name}{close}"))
        .collect();
    let mut says = None;
    for id in root..document.node(root).end {
        let Kind::Scalar { value, .. } = &document.node(id).kind else {
            continue;
        };
        let compact = || value.replace("{{ ", "{{").replace(" }}", "}}");
        let value = if value.contains("{{ ") {
            compact()
        } else {
            value.to_string()
        };
        if !forms.iter().any(|form| value.contains(form)) {
            continue;
        }
        let rest = forms
            .iter()
            .find_map(|form| value.strip_prefix(form.as_str()));
        let rest = rest.filter(|_| is_image(document, id))?;
        let used = match rest.chars().next() {
            None => Says::Pulled,
            Some(':' | '@') => Says::Name,
            Some(_) => return None,
        };
        // One that gets a tag somewhere has none of its own.
        says = Some(if says == Some(Says::Name) {
            Says::Name
        } else {
            used
        });
    }
    says
}

/// Whether a scalar stands under the key `image`.
fn is_image(document: &Document<'_>, id: NodeId) -> bool {
    let parent = document.node(id).parent;
    document
        .entries(parent)
        .any(|entry| entry.value == id && entry.key == Some("image"))
}
