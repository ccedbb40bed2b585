//! Schemas of charts: Helm fetches what they name elsewhere, so that those that do are not looked at.

use std::fs;
use std::path::Path;

use ignore::WalkBuilder;
use serde_json::Value;

use crate::helm::package;

/// The name of a chart's schema.
const NAME: &str = "values.schema.json";
/// How the names of packages end.
const PACKAGE: &str = "tgz";
/// Keys that name other schemas.
const KEYS: &[&str] = &["$ref", "$schema", "$dynamicRef"];
/// The drafts that validators bring with them.
const KNOWN: &[&str] = &["http://json-schema.org/", "https://json-schema.org/"];

/// Whether a schema of the chart in a folder or package, or of one that it brings, names one elsewhere.
/// Links are followed, as Helm does.
pub(super) fn are_remote(chart: &Path) -> bool {
    let walk = WalkBuilder::new(chart)
        .standard_filters(false)
        .follow_links(true)
        .build();
    let mut files = walk
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_file());
    files.any(|entry| {
        let path = entry.path();
        let is_schema = path.file_name().is_some_and(|name| name == NAME);
        let is_package = path.extension().is_some_and(|ending| ending == PACKAGE);
        (is_schema && fs::read_to_string(path).map_or(true, |text| is_remote(&text)))
            || (is_package && has_remote(path))
    })
}

/// The same of a package.
fn has_remote(package: &Path) -> bool {
    // What cannot be read is nothing that is known to be harmless.
    let files = fs::read(package).and_then(|bytes| package::unpack(&bytes));
    let Ok(files) = files else { return true };
    let mut schemas = files.iter().filter(|(path, _)| path.ends_with(NAME));
    schemas.any(|(_, text)| is_remote(text))
}

fn is_remote(text: &str) -> bool {
    match serde_json::from_str(text) {
        Ok(schema) => names_others(&schema),
        // Helm's parser may make something of it all the same.
        Err(_) => true,
    }
}

fn names_others(schema: &Value) -> bool {
    match schema {
        Value::Array(items) => items.iter().any(names_others),
        Value::Object(map) => map.iter().any(|(key, value)| {
            let named = value.as_str().filter(|_| KEYS.contains(&key.as_str()));
            let is_elsewhere = |name: &str| {
                let is_known = KNOWN.iter().any(|known| name.starts_with(known));
                !name.starts_with('#') && !is_known
            };
            named.is_some_and(is_elsewhere) || names_others(value)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_that_cannot_be_read_may_name_others() {
        for text in ["{", r#"{"a": "\ud800", "$ref": "http:\/\/127.0.0.1:1\/x"}"#] {
            assert!(is_remote(text), "{text}");
        }
    }

    #[test]
    fn schemas_elsewhere_are_seen() {
        let names = |text: &str| names_others(&serde_json::from_str(text).unwrap());
        let own =
            r##"{"$schema": "http://json-schema.org/draft-07/schema#", "a": [{"$ref": "#/x"}]}"##;
        assert!(!names(own));
        for other in [
            "http://localhost:1/x",
            "https://x.example/y",
            "file:///etc/passwd",
            "x.json",
        ] {
            assert!(names(&own.replace("#/x", other)), "{other}");
            assert!(names(&format!(r#"{{"$schema": "{other}"}}"#)), "{other}");
        }
    }
}
