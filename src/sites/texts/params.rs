//! Parameters of pipelines, workflows and templates: what tells one that is pulled from one that is
//! pushed.
//!
//! The best witness is the object itself: a parameter that it uses nowhere but in the `image` of a
//! container is pulled. Where it says nothing, the name has to.

use std::collections::HashMap;

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

/// What is said of a parameter, `uses` being those of its object.
pub(super) fn says(dialect: &Dialect, uses: &HashMap<String, Option<Says>>, name: &str) -> Says {
    match (uses.get(name), names::parameter(name)) {
        (Some(Some(says)), _) => *says,
        (_, Says::Pushed) if !dialect.pushes => Says::Perhaps,
        (_, says) => says,
    }
}

/// What the uses of each parameter in the object at `root` say: that it is an image, or the name of
/// one, when every use does.
pub(super) fn uses(
    dialect: &Dialect,
    document: &Document<'_>,
    root: NodeId,
) -> HashMap<String, Option<Says>> {
    let mut uses = HashMap::new();
    for id in root..document.node(root).end {
        let Kind::Scalar { value, .. } = &document.node(id).kind else {
            continue;
        };
        let value = value.replace("{{ ", "{{").replace(" }}", "}}");
        for (open, close) in dialect.around {
            for (at, _) in value.match_indices(open) {
                let Some((name, rest)) = value[at + open.len()..].split_once(close) else {
                    continue;
                };
                let used = used(document, id, at, rest);
                let says = uses.entry(name.to_string()).or_insert(used);
                // One that gets a tag somewhere has none of its own.
                *says = match (*says, used) {
                    (Some(Says::Pulled), Some(Says::Pulled)) => Some(Says::Pulled),
                    (Some(_), Some(_)) => Some(Says::Name),
                    _ => None,
                };
            }
        }
    }
    uses
}

/// What one use of a parameter says of it: the scalar `id` has it at `at`, with `rest` behind it.
fn used(document: &Document<'_>, id: NodeId, at: usize, rest: &str) -> Option<Says> {
    if at > 0 || !is_image(document, id) {
        return None;
    }
    match rest.chars().next() {
        None => Some(Says::Pulled),
        Some(':' | '@') => Some(Says::Name),
        Some(_) => None,
    }
}

/// Whether a scalar stands under the key `image`.
fn is_image(document: &Document<'_>, id: NodeId) -> bool {
    let node = document.node(id);
    let is_value =
        matches!(document.node(node.parent).kind, Kind::Mapping) && node.position % 2 == 1;
    // A key that is a scalar is the node right before its value.
    is_value && document.text(id - 1) == Some("image")
}
