//! Dictionaries, and values to and from YAML and JSON.

use std::sync::Arc;

use super::super::json::{self, Layout};
use super::super::limits::{Fail, Meter, Res, VALUE_DEPTH};
use super::super::print;
use super::super::value::{Dict, Object, Val};
use super::super::{yaml_read, yaml_write};
use super::{ANY, Row, arg, dict, list, text, wrong};

const COMPACT: Layout = Layout {
    html: true,
    pretty: false,
};
const PRETTY: Layout = Layout {
    html: true,
    pretty: true,
};
const RAW: Layout = Layout {
    html: false,
    pretty: false,
};

pub(super) const TABLE: &[Row] = &[
    ("dict", 0, ANY, make),
    ("get", 2, 2, |_, args| {
        Ok(dict(args, 0)?.get(&text(args, 1)?).unwrap_or(Val::text("")))
    }),
    ("set", 3, 3, |_, args| {
        if matches!(arg(args, 0), Val::Nil) {
            return Err(Fail::new("assignment to entry in nil map"));
        }
        dict(args, 0)?.set(text(args, 1)?, arg(args, 2).clone());
        Ok(arg(args, 0).clone())
    }),
    ("unset", 2, 2, |_, args| {
        dict(args, 0)?.remove(&text(args, 1)?);
        Ok(arg(args, 0).clone())
    }),
    ("hasKey", 2, 2, |_, args| {
        Ok(Val::Bool(dict(args, 0)?.has(&text(args, 1)?)))
    }),
    ("keys", 0, ANY, keys),
    ("values", 1, 1, |meter, args| {
        let entries = dict(args, 0)?.entries();
        meter.steps(entries.len())?;
        Ok(Val::list(
            entries.into_iter().map(|(_, value)| value).collect(),
        ))
    }),
    ("pluck", 1, ANY, pluck),
    ("pick", 1, ANY, pick),
    ("omit", 1, ANY, omit),
    ("merge", 1, ANY, |meter, args| merge_all(meter, args, false)),
    ("mustMerge", 1, ANY, |meter, args| {
        merge_all(meter, args, false)
    }),
    ("mergeOverwrite", 1, ANY, |meter, args| {
        merge_all(meter, args, true)
    }),
    ("mustMergeOverwrite", 1, ANY, |meter, args| {
        merge_all(meter, args, true)
    }),
    ("deepCopy", 1, 1, |meter, args| {
        copy(meter, arg(args, 0), VALUE_DEPTH)
    }),
    ("mustDeepCopy", 1, 1, |meter, args| {
        copy(meter, arg(args, 0), VALUE_DEPTH)
    }),
    ("dig", 3, ANY, dig),
    ("toYaml", 1, 1, |meter, args| {
        counted(meter, yaml_write::write(arg(args, 0), false)?)
    }),
    ("toYamlPretty", 1, 1, |meter, args| {
        counted(meter, yaml_write::write(arg(args, 0), true)?)
    }),
    ("fromYaml", 1, 1, from_yaml),
    ("fromYamlArray", 1, 1, from_yaml_array),
    ("toJson", 1, 1, |meter, args| {
        counted(meter, json::write(arg(args, 0), COMPACT)?)
    }),
    ("mustToJson", 1, 1, |meter, args| {
        counted(meter, json::write(arg(args, 0), COMPACT)?)
    }),
    ("toPrettyJson", 1, 1, |meter, args| {
        counted(meter, json::write(arg(args, 0), PRETTY)?)
    }),
    ("mustToPrettyJson", 1, 1, |meter, args| {
        counted(meter, json::write(arg(args, 0), PRETTY)?)
    }),
    ("toRawJson", 1, 1, |meter, args| {
        counted(meter, json::write(arg(args, 0), RAW)?)
    }),
    ("mustToRawJson", 1, 1, |meter, args| {
        counted(meter, json::write(arg(args, 0), RAW)?)
    }),
    ("fromJson", 1, 1, |_, args| {
        match json::read(&text(args, 0)?) {
            Ok(value @ Val::Dict(_)) => Ok(value),
            Ok(Val::Nil) => Ok(Val::Dict(Dict::new())),
            Ok(_) => Ok(error_dict("json: cannot unmarshal into a map")),
            Err(error) => Ok(error_dict(&error)),
        }
    }),
    ("mustFromJson", 1, 1, |_, args| {
        json::read(&text(args, 0)?).map_err(Fail::new)
    }),
    ("fromJsonArray", 1, 1, |_, args| {
        match json::read(&text(args, 0)?) {
            Ok(value @ Val::List(_)) => Ok(value),
            Ok(_) => Ok(Val::texts(["json: cannot unmarshal into a list"])),
            Err(error) => Ok(Val::texts([error])),
        }
    }),
    ("toToml", 1, 1, |meter, args| {
        let mut out = String::new();
        toml_table(&mut out, &dict(args, 0)?, "", VALUE_DEPTH)?;
        counted(meter, out)
    }),
];

fn counted(meter: &Meter, text: String) -> Res<Val> {
    meter.bytes(text.len())?;
    Ok(Val::text(text))
}

fn error_dict(error: &str) -> Val {
    Val::Dict(
        [(Arc::from("Error"), Val::text(error))]
            .into_iter()
            .collect(),
    )
}

fn make(_: &Meter, args: &[Val]) -> Res<Val> {
    let made = Dict::new();
    for pair in args.chunks(2) {
        let key = print::text_of(arg(pair, 0))?;
        made.set(key, pair.get(1).cloned().unwrap_or(Val::text("")));
    }
    Ok(Val::Dict(made))
}

fn keys(meter: &Meter, args: &[Val]) -> Res<Val> {
    let mut all = Vec::new();
    for (at, value) in args.iter().enumerate() {
        match value {
            Val::Object(Object::Files(files)) => all.extend(files.keys().cloned()),
            _ => all.extend(dict(args, at)?.keys()),
        }
    }
    meter.steps(all.len())?;
    Ok(Val::texts(all))
}

fn pluck(_: &Meter, args: &[Val]) -> Res<Val> {
    let key = text(args, 0)?;
    let mut found = Vec::new();
    for at in 1..args.len() {
        found.extend(dict(args, at)?.get(&key));
    }
    Ok(Val::list(found))
}

fn named(args: &[Val]) -> Res<Vec<Arc<str>>> {
    (1..args.len()).map(|at| text(args, at)).collect()
}

fn pick(_: &Meter, args: &[Val]) -> Res<Val> {
    let from = dict(args, 0)?;
    let keys = named(args)?;
    Ok(Val::Dict(
        keys.into_iter()
            .filter_map(|key| from.get(&key).map(|value| (key, value)))
            .collect(),
    ))
}

fn omit(_: &Meter, args: &[Val]) -> Res<Val> {
    let from = dict(args, 0)?;
    let keys = named(args)?;
    Ok(Val::Dict(
        from.entries()
            .into_iter()
            .filter(|(key, _)| !keys.contains(key))
            .collect(),
    ))
}

fn merge_all(meter: &Meter, args: &[Val], overwrite: bool) -> Res<Val> {
    let target = dict(args, 0)?;
    for at in 1..args.len() {
        merge(meter, &target, &dict(args, at)?, overwrite, VALUE_DEPTH)?;
    }
    Ok(Val::Dict(target))
}

/// Merges as sprig's library does: what is empty counts as not set.
fn merge(meter: &Meter, target: &Dict, source: &Dict, overwrite: bool, depth: usize) -> Res<()> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| Fail::limit("merges a value nested too deep"))?;
    if target.is(source) {
        return Ok(());
    }
    for (key, value) in source.entries() {
        meter.step()?;
        let old = target.get(&key);
        match (&old, &value) {
            (_, Val::Nil) if overwrite => target.set(key, Val::Nil),
            (_, Val::Nil) => {}
            (Some(Val::Dict(inner)), Val::Dict(from)) if inner.len() > 0 => {
                merge(meter, inner, from, overwrite, depth)?;
            }
            (Some(old), Val::List(_)) if old.truth() && !overwrite => {}
            (Some(old), _) if old.truth() && !overwrite => {}
            _ => target.set(key, value),
        }
    }
    Ok(())
}

fn copy(meter: &Meter, value: &Val, depth: usize) -> Res<Val> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| Fail::limit("copies a value nested too deep"))?;
    meter.step()?;
    Ok(match value {
        Val::Dict(from) => {
            let made = Dict::new();
            for (key, value) in from.entries() {
                made.set(key, copy(meter, &value, depth)?);
            }
            Val::Dict(made)
        }
        Val::List(list) => Val::list(
            list.items()
                .iter()
                .map(|item| copy(meter, item, depth))
                .collect::<Res<_>>()?,
        ),
        other => other.clone(),
    })
}

fn dig(_: &Meter, args: &[Val]) -> Res<Val> {
    let last = args.len().saturating_sub(1);
    let mut value = Val::Dict(dict(args, last)?);
    let otherwise = arg(args, last.saturating_sub(1));
    for at in 0..last.saturating_sub(1) {
        let key = text(args, at)?;
        let Val::Dict(inner) = &value else {
            return Err(wrong("map[string]interface {}", &value));
        };
        match inner.get(&key) {
            Some(found) => value = found,
            None => return Ok(otherwise.clone()),
        }
    }
    Ok(value)
}

fn from_yaml(meter: &Meter, args: &[Val]) -> Res<Val> {
    let text = text(args, 0)?;
    meter.bytes(text.len())?;
    Ok(match yaml_read::read(&text) {
        Ok(value @ serde_json::Value::Object(_)) => Val::from_json(&value),
        Ok(serde_json::Value::Null) => Val::Dict(Dict::new()),
        Ok(_) => error_dict("error unmarshaling JSON: cannot unmarshal into a map"),
        Err(error) => error_dict(&error),
    })
}

fn from_yaml_array(meter: &Meter, args: &[Val]) -> Res<Val> {
    let text = text(args, 0)?;
    meter.bytes(text.len())?;
    Ok(match yaml_read::read(&text) {
        Ok(value @ serde_json::Value::Array(_)) => Val::from_json(&value),
        Ok(serde_json::Value::Null) => Val::list(Vec::new()),
        Ok(_) => Val::texts(["error unmarshaling JSON: cannot unmarshal into a list"]),
        Err(error) => Val::texts([error]),
    })
}

/// Writes a table of TOML: its own values first, then the tables in it.
fn toml_table(out: &mut String, table: &Dict, path: &str, depth: usize) -> Res<()> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| Fail::limit("prints a value nested too deep"))?;
    let indent = "  ".repeat(path.split('.').filter(|part| !part.is_empty()).count());
    let mut tables = Vec::new();
    for (key, value) in table.entries() {
        match value {
            Val::Dict(inner) => tables.push((key, inner)),
            Val::Nil => {}
            value => {
                out.push_str(&format!(
                    "{indent}{} = {}\n",
                    toml_key(&key),
                    toml_value(&value)?
                ));
            }
        }
    }
    for (key, inner) in tables {
        let key = toml_key(&key);
        let path = if path.is_empty() {
            key
        } else {
            format!("{path}.{key}")
        };
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("{indent}[{path}]\n"));
        toml_table(out, &inner, &path, depth)?;
    }
    Ok(())
}

fn toml_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        print::quoted(key)
    }
}

fn toml_value(value: &Val) -> Res<String> {
    Ok(match value {
        Val::Str(text) => print::quoted(text),
        Val::Float(number) => {
            let text = print::json_float(*number);
            if text.contains(['.', 'e']) {
                text
            } else {
                format!("{text}.0")
            }
        }
        Val::List(_) => {
            let items = list(std::slice::from_ref(value), 0)?;
            let items: Vec<String> = items.items().iter().map(toml_value).collect::<Res<_>>()?;
            format!("[{}]", items.join(", "))
        }
        Val::Dict(inner) => {
            let entries: Vec<String> = inner
                .entries()
                .iter()
                .map(|(key, value)| Ok(format!("{} = {}", toml_key(key), toml_value(value)?)))
                .collect::<Res<_>>()?;
            format!("{{{}}}", entries.join(", "))
        }
        other => print::plain(other)?,
    })
}
