//! Whether the schema of a chart's values (`values.schema.json`) may refuse what a rewrite does to them.
//!
//! Not a validator: a rewrite only changes texts and adds keys. Where the schema says anything about such
//! a text or key that is not looked into here, it may refuse.

use serde_json::{Map, Value};

/// Keywords that may have a word against another text or a further key, and that are not looked into.
const STRICT: &[&str] = &[
    "const",
    "contentEncoding",
    "contentMediaType",
    "enum",
    "format",
    "maxLength",
    "maxProperties",
    "not",
    "pattern",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
];
/// Keywords that hold a list of schemas, or one, each of which has to allow it.
const LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const SINGLE: [&str; 3] = ["if", "then", "else"];
/// Keywords that ask for more where a key is there.
const OF_KEYS: [&str; 3] = ["dependencies", "dependentRequired", "dependentSchemas"];
/// References that lead to references: longer chains are not followed.
const MAX_DEPTH: usize = 64;

/// The paths at which the values differ that the schema may refuse afterwards, if there is one.
pub(crate) fn refused(schema: &Value, before: &Value, after: &Value) -> Option<String> {
    let mut path = Vec::new();
    let mut found = None;
    differences(before, after, &mut path, &mut |path| {
        if found.is_none() && !allows(schema, schema, path, MAX_DEPTH) {
            found = Some(path.join("."));
        }
    });
    found
}

/// Calls `see` with the path of each text that differs, and of each key that is added.
fn differences(
    before: &Value,
    after: &Value,
    path: &mut Vec<String>,
    see: &mut dyn FnMut(&[String]),
) {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        if before != after {
            see(path);
        }
        return;
    };
    for (key, value) in new {
        path.push(key.clone());
        differences(old.get(key).unwrap_or(&Value::Null), value, path, see);
        path.pop();
    }
}

fn allows(root: &Value, schema: &Value, path: &[String], depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    let schema = match schema {
        Value::Bool(allows) => return *allows,
        Value::Object(schema) => schema,
        _ => return false,
    };
    let asks_more = |key: &&str| {
        let first = path.first();
        first.is_some_and(|first| schema.get(*key).is_some_and(|of| of.get(first).is_some()))
    };
    if schema.keys().any(|key| STRICT.contains(&key.as_str())) || OF_KEYS.iter().any(asks_more) {
        return false;
    }
    if let Some(target) = schema.get("$ref") {
        let pointer = target.as_str().and_then(|target| target.strip_prefix('#'));
        let target = pointer.and_then(|pointer| root.pointer(pointer));
        if !target.is_some_and(|target| allows(root, target, path, depth)) {
            return false;
        }
    }
    let lists = LISTS.iter().filter_map(|key| schema.get(*key)?.as_array());
    let single = SINGLE.iter().filter_map(|key| schema.get(*key));
    let parts: Vec<&Value> = lists.flatten().chain(single).collect();
    let is_asked = |part: &&Value| {
        let required = part.get("required").and_then(Value::as_array);
        required.is_some_and(|keys| {
            path.first()
                .is_some_and(|key| keys.iter().any(|one| one == key))
        })
    };
    if parts.iter().any(is_asked) {
        return false;
    }
    let parts = parts.into_iter();
    let mut parts = parts.filter(|part| may_be_meant(part, path));
    parts.all(|part| allows(root, part, path, depth)) && allows_below(root, schema, path, depth)
}

/// Whether an alternative is about maps where a path leads on, or about texts where it ends.
fn may_be_meant(part: &Value, path: &[String]) -> bool {
    let wanted = if path.is_empty() { "string" } else { "object" };
    is_of_type(part.get("type"), wanted)
}

fn is_of_type(said: Option<&Value>, wanted: &str) -> bool {
    match said {
        None => true,
        Some(Value::Array(all)) => all.iter().any(|one| one == wanted),
        Some(one) => one == wanted,
    }
}

fn allows_below(root: &Value, schema: &Map<String, Value>, path: &[String], depth: usize) -> bool {
    let Some((key, rest)) = path.split_first() else {
        return is_of_type(schema.get("type"), "string");
    };
    let known = schema.get("properties").and_then(|known| known.get(key));
    match known.or(schema.get("additionalProperties")) {
        Some(schema) => allows(root, schema, rest, depth),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused_at(schema: &Value) -> Option<String> {
        let before = json!({"image": {"repository": "a/b", "tag": "1"}});
        let after = json!({"image": {"registry": "r", "repository": "p/a/b", "tag": "1"}});
        refused(schema, &before, &after)
    }

    fn of_image(image: &Value) -> Value {
        json!({"$schema": "x", "type": "object", "properties": {"image": image}})
    }

    #[test]
    fn texts_and_keys_that_nothing_is_said_of_are_allowed() {
        let text = json!({"type": ["string", "null"], "description": "d"});
        for schema in [
            json!({}),
            json!(true),
            json!({"dependencies": {"other": ["image"]}, "hidden": true, "if": {"properties": {"other": {"const": 1}}}}),
            of_image(&json!({"type": "object"})),
            of_image(
                &json!({"properties": {"registry": text, "repository": text}, "additionalProperties": false}),
            ),
            of_image(&json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "object"}]})),
            json!({"$defs": {"image": {"additionalProperties": text}}, "properties": {"image": {"$ref": "#/$defs/image"}}}),
        ] {
            assert_eq!(refused_at(&schema), None, "{schema}");
        }
    }

    #[test]
    fn what_may_be_refused_is_told() {
        let text = json!({"type": "string"});
        for (image, at) in [
            (
                json!({"oneOf": [{"required": ["registry"]}, {"required": ["other"]}]}),
                "image.registry",
            ),
            (
                json!({"properties": {"repository": text}, "additionalProperties": false}),
                "image.registry",
            ),
            (
                json!({"properties": {"registry": {"enum": ["docker.io"]}}}),
                "image.registry",
            ),
            (
                json!({"properties": {"repository": {"maxLength": 9}}}),
                "image.repository",
            ),
            (
                json!({"properties": {"repository": {"type": "integer"}}}),
                "image.repository",
            ),
            (json!({"patternProperties": {"^r": {}}}), "image.registry"),
            (
                json!({"oneOf": [{"type": "object", "additionalProperties": false}]}),
                "image.registry",
            ),
            (
                json!({"dependentRequired": {"registry": ["name"]}}),
                "image.registry",
            ),
            (
                json!({"if": {"properties": {"registry": {"const": "r"}}}}),
                "image.registry",
            ),
            (json!({"$ref": "https://example.com/x"}), "image.registry"),
            (json!({"$ref": "#/properties/image"}), "image.registry"),
        ] {
            assert_eq!(
                refused_at(&of_image(&image)).as_deref(),
                Some(at),
                "{image}"
            );
        }
    }
}
