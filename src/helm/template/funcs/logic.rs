//! Comparisons, defaults, types, and reading of lists and dictionaries by position.

use std::cmp::Ordering;

use super::super::limits::{Fail, Meter, Res};
use super::super::semver::{self, Version};
use super::super::value::{Dict, Object, Val};
use super::{ANY, Row, arg, text, wrong};

pub(super) const TABLE: &[Row] = &[
    ("not", 1, 1, |_, args| Ok(Val::Bool(!arg(args, 0).truth()))),
    ("eq", 1, ANY, eq),
    ("ne", 2, 2, |meter, args| {
        Ok(Val::Bool(!eq(meter, args)?.truth()))
    }),
    ("lt", 2, 2, |_, args| {
        order(args, |order| order == Ordering::Less)
    }),
    ("le", 2, 2, |_, args| {
        order(args, |order| order != Ordering::Greater)
    }),
    ("gt", 2, 2, |_, args| {
        order(args, |order| order == Ordering::Greater)
    }),
    ("ge", 2, 2, |_, args| {
        order(args, |order| order != Ordering::Less)
    }),
    ("len", 1, 1, len),
    ("index", 1, ANY, index),
    ("default", 1, ANY, |_, args| {
        let given = arg(args, 1);
        Ok(if given.truth() { given } else { arg(args, 0) }.clone())
    }),
    ("empty", 1, 1, |_, args| {
        Ok(Val::Bool(!arg(args, 0).truth()))
    }),
    ("coalesce", 0, ANY, |_, args| {
        Ok(args
            .iter()
            .find(|value| value.truth())
            .cloned()
            .unwrap_or(Val::Nil))
    }),
    ("all", 0, ANY, |_, args| {
        Ok(Val::Bool(args.iter().all(Val::truth)))
    }),
    ("any", 0, ANY, |_, args| {
        Ok(Val::Bool(args.iter().any(Val::truth)))
    }),
    ("ternary", 3, 3, ternary),
    ("deepEqual", 2, 2, |_, args| {
        Ok(Val::Bool(arg(args, 0).same(arg(args, 1))))
    }),
    ("typeOf", 1, 1, |_, args| {
        Ok(Val::text(arg(args, 0).type_name()))
    }),
    ("typeIs", 2, 2, |_, args| {
        Ok(Val::Bool(*text(args, 0)? == *arg(args, 1).type_name()))
    }),
    ("typeIsLike", 2, 2, |_, args| {
        let wanted = text(args, 0)?;
        let found = arg(args, 1).type_name();
        Ok(Val::Bool(
            *wanted == *found || *wanted == format!("*{found}"),
        ))
    }),
    ("kindOf", 1, 1, |_, args| {
        Ok(Val::text(arg(args, 0).kind_name()))
    }),
    ("kindIs", 2, 2, |_, args| {
        Ok(Val::Bool(*text(args, 0)? == *arg(args, 1).kind_name()))
    }),
    ("required", 2, 2, required),
    ("fail", 1, 1, |meter, args| {
        let message = text(args, 0)?;
        if meter.lenient {
            Ok(Val::text(""))
        } else {
            Err(Fail::new(&*message))
        }
    }),
    ("lookup", 4, 4, |_, _| Ok(Val::Dict(Dict::new()))),
    ("getHostByName", 1, 1, |_, _| Ok(Val::text(""))),
    ("semverCompare", 2, 2, semver_compare),
    ("semver", 1, 1, semver_struct),
];

/// What a value is to a comparison.
#[derive(PartialEq)]
enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Other,
}

fn basic(value: &Val) -> Basic<'_> {
    match value {
        Val::Bool(value) => Basic::Bool(*value),
        Val::Int(value) | Val::Int64(value) => Basic::Int(*value),
        Val::Float(value) => Basic::Float(*value),
        Val::Str(text) => Basic::Text(text),
        _ => Basic::Other,
    }
}

fn eq(_: &Meter, args: &[Val]) -> Res<Val> {
    let (Some(first), Some(rest)) = (args.first(), args.get(1..)) else {
        return Err(Fail::new("missing argument for comparison"));
    };
    if rest.is_empty() {
        return Err(Fail::new("missing argument for comparison"));
    }
    for other in rest {
        if equal(first, other)? {
            return Ok(Val::Bool(true));
        }
    }
    Ok(Val::Bool(false))
}

fn equal(a: &Val, b: &Val) -> Res<bool> {
    match (a, b) {
        (Val::Nil, Val::Nil) => return Ok(true),
        (Val::Nil, _) | (_, Val::Nil) => return Ok(false),
        _ => {}
    }
    let (first, second) = (basic(a), basic(b));
    if std::mem::discriminant(&first) != std::mem::discriminant(&second) {
        return Err(Fail::new("incompatible types for comparison"));
    }
    if first == Basic::Other {
        return Err(Fail::new("non-comparable types in a comparison"));
    }
    Ok(first == second)
}

fn order(args: &[Val], fits: fn(Ordering) -> bool) -> Res<Val> {
    let order = match (basic(arg(args, 0)), basic(arg(args, 1))) {
        (Basic::Int(a), Basic::Int(b)) => Some(a.cmp(&b)),
        (Basic::Float(a), Basic::Float(b)) => a.partial_cmp(&b),
        (Basic::Text(a), Basic::Text(b)) => Some(a.cmp(b)),
        (Basic::Bool(_) | Basic::Other, _) | (_, Basic::Bool(_) | Basic::Other) => {
            return Err(Fail::new("invalid type for comparison"));
        }
        _ => return Err(Fail::new("incompatible types for comparison")),
    };
    Ok(Val::Bool(order.is_some_and(fits)))
}

fn len(_: &Meter, args: &[Val]) -> Res<Val> {
    let length = match arg(args, 0) {
        Val::Str(text) | Val::Object(Object::Bytes(text)) => text.len(),
        Val::List(list) => list.items().len(),
        Val::Dict(dict) => dict.len(),
        Val::Object(Object::Files(files)) => files.len(),
        Val::Object(Object::Versions(versions)) => versions.len(),
        Val::Nil => return Err(Fail::new("len of nil pointer")),
        other => return Err(Fail::new(format!("len of type {}", other.type_name()))),
    };
    Ok(Val::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn index(_: &Meter, args: &[Val]) -> Res<Val> {
    let mut value = arg(args, 0).clone();
    for key in args.iter().skip(1) {
        value = match (&value, key) {
            (Val::Dict(dict), Val::Str(key)) => dict.read(key),
            (Val::Object(Object::Files(files)), Val::Str(path)) => {
                files.get(path).map_or(Val::Nil, |content| {
                    Val::Object(Object::Bytes(content.clone()))
                })
            }
            (Val::Dict(_), _) => return Err(wrong("string", key)),
            (Val::List(list), Val::Int(at) | Val::Int64(at)) => usize::try_from(*at)
                .ok()
                .and_then(|at| list.items().get(at).cloned())
                .ok_or_else(|| Fail::new(format!("index out of range: {at}")))?,
            (Val::Str(text), Val::Int(at) | Val::Int64(at)) => usize::try_from(*at)
                .ok()
                .and_then(|at| text.as_bytes().get(at))
                .map(|byte| Val::Int(i64::from(*byte)))
                .ok_or_else(|| Fail::new(format!("index out of range: {at}")))?,
            (Val::List(_) | Val::Str(_), Val::Nil) => {
                return Err(Fail::new("cannot index slice/array with nil"));
            }
            (Val::List(_) | Val::Str(_), key) => {
                let kind = key.type_name();
                return Err(Fail::new(format!(
                    "cannot index slice/array with type {kind}"
                )));
            }
            (Val::Nil, _) => return Err(Fail::new("index of untyped nil")),
            (other, _) => {
                return Err(Fail::new(format!(
                    "can't index item of type {}",
                    other.type_name()
                )));
            }
        };
    }
    Ok(value)
}

fn ternary(_: &Meter, args: &[Val]) -> Res<Val> {
    match arg(args, 2) {
        Val::Bool(first) => Ok(arg(args, usize::from(!first)).clone()),
        other => Err(wrong("bool", other)),
    }
}

fn required(meter: &Meter, args: &[Val]) -> Res<Val> {
    let message = text(args, 0)?;
    match arg(args, 1) {
        Val::Nil if !meter.lenient => Err(Fail::new(&*message)),
        Val::Str(text) if text.is_empty() && !meter.lenient => Err(Fail::new(&*message)),
        Val::Nil => Ok(Val::text("")),
        value => Ok(value.clone()),
    }
}

fn semver_compare(_: &Meter, args: &[Val]) -> Res<Val> {
    let (range, version) = (text(args, 0)?, text(args, 1)?);
    let version = Version::parse(&version).ok_or_else(|| Fail::new("Invalid Semantic Version"))?;
    semver::satisfies(&range, &version)
        .map(Val::Bool)
        .ok_or_else(|| Fail::new(format!("improper constraint: {range}")))
}

fn semver_struct(_: &Meter, args: &[Val]) -> Res<Val> {
    let original = text(args, 0)?;
    let version = Version::parse(&original).ok_or_else(|| Fail::new("Invalid Semantic Version"))?;
    let number = |value: u64| Val::Int64(i64::try_from(value).unwrap_or(i64::MAX));
    let [major, minor, patch] = version.parts.map(number);
    let fields = vec![
        ("Major", major),
        ("Minor", minor),
        ("Patch", patch),
        ("Prerelease", Val::text(version.pre.as_str())),
        ("Metadata", Val::text(version.build.as_str())),
        ("Original", Val::Str(original)),
    ];
    Ok(Val::structure(
        "*semver.Version",
        Some(&version.text()),
        fields,
    ))
}
