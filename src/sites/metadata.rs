//! Lists of images for people and catalogues, which repeat what is pulled elsewhere: annotations of
//! charts and of operators.

use std::path::Path;

use super::chart::is_chart_file;
use super::object::Object;
use super::values::is_image_key;
use super::{Found, KeyPath, Shape, Site};
use crate::reason::Reason;
use crate::yaml::{Document, Inside, Kind, NodeId, Scalar};

/// A list that repeats the images of a chart.
pub const LISTED: &str = "metadata";
/// A list in an object, or an example of a custom resource: it goes with no chart of the repository.
const EXAMPLE: &str = "metadata-example";

/// The annotations of a `Chart.yaml` whose text is a list of images (Bitnami's, and Artifact Hub's
/// documentation, "Helm annotations").
const CHART_LISTS: &[&str] = &["images", "artifacthub.io/images", OBJECT_LIST];
/// The annotation of any object, or chart, that lists images for tools that copy them (`helm dt`).
const OBJECT_LIST: &str = "helm.sh/images";
/// The kind whose annotation holds examples as JSON (Operator Lifecycle Manager).
const OPERATOR: (&str, &str) = ("operators.coreos.com", "ClusterServiceVersion");
const EXAMPLES: &str = "alm-examples";

/// The images in the annotations of a document.
pub(super) fn find(
    path: &Path,
    text: &str,
    document: &Document<'_>,
    objects: &[Object<'_>],
    found: &mut Found,
) {
    if is_chart_file(path) {
        for key in CHART_LISTS {
            let list = document.at(0, &["annotations", key]);
            let detail = "an annotation of the chart repeats it for catalogues";
            list_in(text, document, list, (LISTED, detail), found);
        }
    }
    for object in objects {
        let list = document.at(object.node, &["metadata", "annotations", OBJECT_LIST]);
        let detail = "an annotation repeats it for tools that copy images";
        list_in(text, document, list, (EXAMPLE, detail), found);
        if (object.group, object.kind) == OPERATOR {
            let examples = document.at(object.node, &["metadata", "annotations", EXAMPLES]);
            let detail = "it is an example of what users may deploy";
            list_in(text, document, examples, (EXAMPLE, detail), found);
        }
    }
}

/// The images in a text that holds a document.
fn list_in(
    text: &str,
    document: &Document<'_>,
    node: Option<NodeId>,
    (finder, detail): (&'static str, &str),
    found: &mut Found,
) {
    let Some((node, inside)) =
        node.and_then(|node| Some((node, Inside::of(text, document, node)?)))
    else {
        return;
    };
    let path = KeyPath::of(document, node);
    for inner in inside.documents().filter_map(Result::ok) {
        for id in images(&inner) {
            let Some(scalar) = Scalar::locate(text, &inner, id) else {
                continue;
            };
            found.sites.push(Site {
                document: inner.path,
                path: path.join(&KeyPath::of(&inner, id)),
                shape: Shape::Whole(scalar),
                finder,
                hold: Some((Reason::Metadata, detail.to_string())),
                assumption: None,
            });
        }
    }
}

/// The texts under keys of images.
fn images(document: &Document<'_>) -> Vec<NodeId> {
    let maps = 0..document.nodes.len();
    let maps = maps.filter(|&id| matches!(document.node(id).kind, Kind::Mapping));
    let entries = maps.flat_map(|id| document.entries(id));
    let images = entries.filter(|entry| entry.key.is_some_and(is_image_key));
    let is_text = |id: &NodeId| document.text(*id).is_some_and(|text| !text.is_empty());
    images.map(|entry| entry.value).filter(is_text).collect()
}

#[cfg(test)]
mod tests {
    use crate::scan::{Options, scan_text};
    use std::path::Path;

    fn sites(path: &str, text: &str) -> Vec<String> {
        let scan = scan_text(Path::new(path), text, &Options::default());
        let show = |site: &super::Site| {
            let reason = site.hold.as_ref().map_or("", |(reason, _)| reason.code());
            format!("{} {} {reason}", site.path, site.text())
        };
        scan.sites.iter().map(show).collect()
    }

    #[test]
    fn annotations_of_charts_are_metadata() {
        let text = "name: x\nannotations:\n  images: |\n    - name: x\n      image: docker.io/a/b:1\n  artifacthub.io/images: |\n    - name: y\n      image: c/d:2\n  licenses: MIT\n";
        assert_eq!(
            sites("a/Chart.yaml", text),
            [
                "annotations.images[0].image docker.io/a/b:1 metadata",
                "annotations[\"artifacthub.io/images\"][0].image c/d:2 metadata"
            ]
        );
        assert!(sites("a/other.yaml", text).is_empty());
    }

    #[test]
    fn annotations_of_objects_are_metadata() {
        let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    helm.sh/images: |\n      - name: a\n        image: docker.io/a/b:1\n";
        assert_eq!(
            sites("pod.yaml", text),
            ["metadata.annotations[\"helm.sh/images\"][0].image docker.io/a/b:1 metadata"]
        );
    }

    #[test]
    fn examples_of_operators_are_metadata() {
        let text = "apiVersion: operators.coreos.com/v1alpha1\nkind: ClusterServiceVersion\nmetadata:\n  annotations:\n    alm-examples: |-\n      [{\"kind\": \"X\", \"spec\": {\"image\": \"a/b:1\"}}]\n";
        assert_eq!(
            sites("csv.yaml", text),
            ["metadata.annotations.alm-examples[0].spec.image a/b:1 metadata"]
        );
    }
}
