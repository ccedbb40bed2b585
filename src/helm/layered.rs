//! Values as their layers make them, for rendering.

use serde_json::{Map, Number, Value};

/// Puts the values of a later layer over those of an earlier one: maps merge, everything else is
/// replaced (Helm, "Values Files").
pub fn put_over(values: &mut Value, later: Value) {
    match (values, later) {
        (Value::Object(earlier), Value::Object(later)) => {
            for (key, value) in later {
                put_over(earlier.entry(key).or_insert(Value::Null), value);
            }
        }
        (values, later) => *values = later,
    }
}

/// The values that parameters set, as `--set` reads their texts. Nothing when a path is more than keys.
pub fn parameters<'t>(list: impl IntoIterator<Item = (&'t str, &'t Value)>) -> Option<Value> {
    let mut values = Value::Object(Map::new());
    for (path, value) in list {
        let is_plain = !path.contains(['[', ']', '\\', ',', '=', '{', '}']);
        let value = match value {
            Value::String(text) => typed(text)?,
            other => other.clone(),
        };
        let keys = path.split('.').rev();
        let mut keys = keys.filter(|_| is_plain);
        let last = keys.next().filter(|key| !key.is_empty())?;
        let single =
            |key: &str, value: Value| Value::Object(Map::from_iter([(key.to_string(), value)]));
        let nested = keys.fold(single(last, value), |inner, key| single(key, inner));
        put_over(&mut values, nested);
    }
    Some(values)
}

/// The value of a text for `--set`; nothing for a list or one that is filled in.
fn typed(text: &str) -> Option<Value> {
    if text.contains(['{', ',', '\\', '$']) {
        return None;
    }
    let whole = || {
        text.parse::<i64>()
            .ok()
            .filter(|_| !text.starts_with('0') || text == "0")
    };
    Some(match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        _ => whole().map_or_else(
            || Value::from(text),
            |number| Value::Number(Number::from(number)),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn maps_merge_and_the_rest_is_replaced() {
        let mut values = json!({"a": {"b": 1, "c": [1, 2]}, "d": 1});
        put_over(
            &mut values,
            json!({"a": {"c": [3], "e": null}, "d": {"f": 1}}),
        );
        assert_eq!(
            values,
            json!({"a": {"b": 1, "c": [3], "e": null}, "d": {"f": 1}})
        );
    }

    #[test]
    fn parameters_become_values() {
        let texts = [json!("acme/x"), json!("2"), json!("true"), json!("08")];
        let paths = ["image.repository", "replicas", "image.pinned", "image.tag"];
        assert_eq!(
            parameters(paths.into_iter().zip(&texts)),
            Some(
                json!({"image": {"repository": "acme/x", "pinned": true, "tag": "08"}, "replicas": 2})
            )
        );
        for path in ["list[0].image", "a\\.b", "", "a."] {
            assert_eq!(parameters([(path, &texts[0])]), None, "{path}");
        }
    }
}
