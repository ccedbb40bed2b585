//! The values of a layer, out of the text of its file.

use serde_json::{Map, Value};

use crate::helm::layered::parameters;
use crate::helm::template::{read_yaml, read_yaml_document};
use crate::sites::{BlockId, Step, place_of};

/// Where the values of a layer stand in a file: the document (0-based), and the way from its root.
pub type Standing = (usize, Vec<Step>);

/// Where the values of a layer stand in a file of which they are a part; nothing when that cannot be told.
pub fn standing(text: &str, block: Option<BlockId>) -> Option<Standing> {
    match block {
        Some(block) => place_of(text, block),
        None => Some((0, Vec::new())),
    }
}

/// The values that stand there.
pub fn values(text: &str, (document, way): &Standing) -> Option<Value> {
    let mut value = &read_yaml_document(text, *document).ok()?;
    for step in way {
        value = match step {
            Step::Key(key) => value.get(key)?,
            Step::Item(index) => value.get(index)?,
        };
    }
    if way.is_empty() && !value.is_null() {
        // A whole file is a map, whatever its keys are.
        return value.is_object().then(|| value.clone());
    }
    as_values(value)
}

/// Values may be a map, a text that holds one, or parameters: a list of names with values, or a map whose
/// keys are paths.
fn as_values(value: &Value) -> Option<Value> {
    match value {
        Value::Null => Some(Value::Object(Map::new())),
        Value::String(text) => read_yaml(text).ok().filter(Value::is_object),
        Value::Object(map) if map.iter().any(is_path) => {
            parameters(map.iter().map(|(path, value)| (path.as_str(), value)))
        }
        Value::Object(_) => Some(value.clone()),
        Value::Array(items) => {
            let named = |item: &'_ Value| {
                Some((
                    item.get("name")?.as_str()?.to_string(),
                    item.get("value")?.clone(),
                ))
            };
            let named: Option<Vec<(String, Value)>> = items.iter().map(named).collect();
            parameters(named?.iter().map(|(path, value)| (path.as_str(), value)))
        }
        Value::Bool(_) | Value::Number(_) => None,
    }
}

fn is_path((key, value): (&String, &Value)) -> bool {
    key.contains('.') && !value.is_object() && !value.is_array()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_maps_texts_or_parameters() {
        let text = "a: 1\n---\nspec:\n  values: {image: {tag: 1}}\n  text: |\n    image: {tag: 1}\n  set: {image.tag: 1}\n  list: [{name: image.tag, value: '1'}]\n  none:\n  odd: 3\n";
        let at = |key: &str| {
            let way = ["spec", key].map(|key| Step::Key(key.to_string()));
            values(text, &(1, way.to_vec()))
        };
        let image = json!({"image": {"tag": 1}});
        for key in ["values", "text", "set", "list"] {
            assert_eq!(at(key), Some(image.clone()), "{key}");
        }
        assert_eq!(at("none"), Some(json!({})));
        assert_eq!(at("odd").or(at("missing")), None);
        assert_eq!(values(text, &(0, Vec::new())), Some(json!({"a": 1})));
    }
}
