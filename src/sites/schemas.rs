//! Schemas of custom resources, told by their head: they are the largest files of many repositories, speak of
//! images on every page, and name none.

use memchr::memmem;

use super::object::SCHEMA;

/// The group of schemas.
const GROUP: &str = "apiextensions.k8s.io/";
/// What every document but the first begins after.
const DOCUMENT: &str = "\n---";

/// Whether every document of a text that may name images is the schema of a custom resource. `may_name` says
/// whether a piece of the text may.
///
/// The pieces need not be the documents: `---` at the beginning of a line ends one wherever it stands (YAML
/// 1.2, 9.1.4), and a piece that is none has no head of a schema.
pub fn are_schemas(text: &str, may_name: impl Fn(&str) -> bool) -> bool {
    if memmem::find(text.as_bytes(), SCHEMA.as_bytes()).is_none() {
        return false;
    }
    text.split(DOCUMENT)
        .all(|document| is_schema(document) || !may_name(document))
}

/// Whether the keys at the beginning of lines say that a document is a schema, and nothing else.
fn is_schema(document: &str) -> bool {
    let said = |key: &str| {
        let lines = document.lines();
        let mut values = lines.filter_map(move |line| line.strip_prefix(key)?.strip_prefix(':'));
        let value = values
            .next()
            .map(|value| value.trim().trim_matches(['"', '\'']));
        value.filter(|_| values.next().is_none())
    };
    said("kind") == Some(SCHEMA) && said("apiVersion").is_some_and(|group| group.starts_with(GROUP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_told_by_their_head() {
        let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {image: a}\n";
        let may_name = |text: &str| text.contains("image");
        let is = |text: &str| are_schemas(text, may_name);
        assert!(is(crd));
        assert!(is(&format!(
            "# x\n---\n{crd}---\nkind: Service\n---\n{crd}"
        )));
        assert!(is(&crd
            .replace("CustomResourceDefinition", "\"CustomResourceDefinition\"")
            .replace('\n', "\r\n")));
        for other in [
            "image: a\n".to_string(),
            format!("{crd}---\nkind: Pod\nspec: {{image: a}}\n"),
            // A template that writes several objects.
            format!("{crd}kind: Pod\nimage: b\n"),
            format!("apiVersion: v1\nkind: List\nitems:\n- {crd}"),
            crd.replace("apiextensions.k8s.io", "acme.com"),
            crd.replace("kind:", "  kind:"),
        ] {
            assert!(!is(&other), "{other}");
        }
    }
}
