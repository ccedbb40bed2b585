//! The fields and methods of what is more than data: `.Files`, `.Capabilities`, structs.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::funcs::hashes::base64;
use super::limits::{Fail, Meter, Res};
use super::value::{Dict, Object, Val};
use super::yaml_write;

/// A field of a value, or the result of its method with the arguments given.
pub(crate) fn field(meter: &Meter, value: &Val, name: &str, args: &[Val]) -> Res<Val> {
    match value {
        // Nothing before the first field: nothing again. Between fields it is an error, which
        // the caller tells apart.
        Val::Nil => Ok(Val::Nil),
        Val::Dict(dict) if args.is_empty() => Ok(dict.read(name)),
        Val::Dict(_) => Err(Fail::new(format!(
            "{name} is not a method but has arguments"
        ))),
        Val::Object(Object::Files(files)) => file_method(meter, files, name, args),
        Val::Object(Object::Versions(versions)) if name == "Has" => match args {
            [Val::Str(wanted)] => Ok(Val::Bool(
                versions.iter().any(|version| **version == **wanted),
            )),
            _ => Err(Fail::new("wrong arguments for Has")),
        },
        Val::Object(Object::Struct(of)) if args.is_empty() => match (of.fields.get(name), name) {
            (Some(value), _) => Ok(value),
            (None, "String") => Ok(of.text.clone().map_or(Val::Nil, Val::Str)),
            (None, _) => Err(missing(name, value)),
        },
        Val::Object(Object::Struct(of)) if name == "Compare" => compare(of.text.as_deref(), args),
        Val::Object(Object::Time) => Ok(match name {
            "Year" => Val::Int(1970),
            "Unix" | "UnixNano" => Val::Int64(0),
            "Format" => return super::funcs::call(meter, "date", args),
            _ => Val::Object(Object::Time),
        }),
        other => Err(missing(name, other)),
    }
}

fn missing(name: &str, value: &Val) -> Fail {
    Fail::new(format!(
        "can't evaluate field {name} in type {}",
        value.type_name()
    ))
}

fn compare(text: Option<&str>, args: &[Val]) -> Res<Val> {
    let other = match args {
        [Val::Object(Object::Struct(other))] => other.text.as_deref(),
        _ => None,
    };
    let version = |text: Option<&str>| text.and_then(super::semver::Version::parse);
    match (version(text), version(other)) {
        (Some(a), Some(b)) => Ok(Val::Int(a.compare(&b) as i64)),
        _ => Err(Fail::new("wrong arguments for Compare")),
    }
}

type Files = BTreeMap<Arc<str>, Arc<str>>;

fn file_method(meter: &Meter, files: &Rc<Files>, name: &str, args: &[Val]) -> Res<Val> {
    let path = match args {
        [Val::Str(path)] => Some(path),
        _ => None,
    };
    match (name, path) {
        ("Get", Some(path)) => Ok(files
            .get(path)
            .map_or(Val::text(""), |content| Val::Str(content.clone()))),
        ("GetBytes", Some(path)) => Ok(Val::Object(Object::Bytes(
            files.get(path).cloned().unwrap_or_else(|| Arc::from("")),
        ))),
        ("Glob", Some(pattern)) => {
            let regex = meter.regex(&glob(pattern))?;
            let found = files.iter().filter(|(path, _)| regex.is_match(path));
            let found = found
                .map(|(path, content)| (path.clone(), content.clone()))
                .collect();
            Ok(Val::Object(Object::Files(Rc::new(found))))
        }
        ("Lines", Some(path)) => Ok(match files.get(path) {
            Some(content) if !content.is_empty() => {
                Val::texts(content.strip_suffix('\n').unwrap_or(content).split('\n'))
            }
            _ => Val::list(Vec::new()),
        }),
        ("AsConfig", None) if args.is_empty() => as_map(files, str::to_owned),
        ("AsSecrets", None) if args.is_empty() => {
            as_map(files, |content| base64(content.as_bytes()))
        }
        (path, None) if args.is_empty() => Ok(files.get(path).map_or(Val::Nil, |content| {
            Val::Object(Object::Bytes(content.clone()))
        })),
        _ => Err(Fail::new(format!("wrong arguments for {name}"))),
    }
}

fn as_map(files: &Files, write: impl Fn(&str) -> String) -> Res<Val> {
    let map = Dict::new();
    for (path, content) in files {
        map.set(
            path.rsplit('/').next().unwrap_or(path),
            Val::text(write(content)),
        );
    }
    Ok(Val::text(yaml_write::write(&Val::Dict(map), false)?))
}

/// A glob as a regular expression: `*` stays within a folder, `**` does not.
pub(crate) fn glob(pattern: &str) -> String {
    let mut out = String::from("^");
    let mut chars = pattern.chars().peekable();
    let mut open = 0usize;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => out.push_str(".*"),
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '{' => {
                open += 1;
                out.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                out.push(')');
            }
            ',' if open > 0 => out.push('|'),
            '[' => {
                out.push('[');
                if chars.next_if_eq(&'!').is_some() {
                    out.push('^');
                }
            }
            ']' => out.push(']'),
            c if c.is_ascii_alphanumeric() || "-_/".contains(c) || !c.is_ascii() => out.push(c),
            c => {
                out.push('\\');
                out.push(c);
            }
        }
    }
    out.push('$');
    out
}
