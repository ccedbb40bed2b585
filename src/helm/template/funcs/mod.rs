//! The functions a template may call: Go's own, sprig's and Helm's.
//!
//! Each file beside this one holds a table of functions; those that need the evaluator itself
//! (`include`, `tpl`, `and`, `or`) are named here and done there.

// The functions of a table share one signature, whether or not they can fail.
#![allow(clippy::unnecessary_wraps)]

mod dates;
mod dicts;
pub(crate) mod hashes;
mod lists;
mod logic;
mod numbers;
mod secrets;
mod texts;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::limits::{Fail, Meter, Res};
use super::value::{Dict, List, Object, Val};

/// A function over values.
pub(crate) type Plain = fn(&Meter, &[Val]) -> Res<Val>;

/// What a name calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Function {
    /// Needs nothing but its arguments, of which there are this many.
    Plain {
        least: usize,
        most: usize,
        run: Plain,
    },
    And,
    Or,
    Include,
    Tpl,
}

/// A row of a table: the name, the least and the most arguments, and the function.
pub(super) type Row = (&'static str, usize, usize, Plain);

/// Any number of arguments.
pub(super) const ANY: usize = usize::MAX;

const TABLES: [&[Row]; 8] = [
    dates::TABLE,
    dicts::TABLE,
    hashes::TABLE,
    lists::TABLE,
    logic::TABLE,
    numbers::TABLE,
    secrets::TABLE,
    texts::TABLE,
];

/// The function of this name.
pub(crate) fn find(name: &str) -> Option<Function> {
    static ALL: OnceLock<HashMap<&'static str, Function>> = OnceLock::new();
    ALL.get_or_init(all).get(name).copied()
}

fn all() -> HashMap<&'static str, Function> {
    let mut all = HashMap::from([
        ("and", Function::And),
        ("or", Function::Or),
        ("include", Function::Include),
        ("tpl", Function::Tpl),
    ]);
    for &(name, least, most, run) in TABLES.into_iter().flatten() {
        all.insert(name, Function::Plain { least, most, run });
    }
    all
}

/// The error for an argument of the wrong type.
pub(super) fn wrong(wanted: &str, value: &Val) -> Fail {
    let found = value.type_name();
    Fail::new(format!(
        "wrong type for value; expected {wanted}; got {found}"
    ))
}

/// An argument; what is not given reads as nothing.
pub(super) fn arg(args: &[Val], at: usize) -> &Val {
    args.get(at).unwrap_or(&Val::Nil)
}

pub(super) fn text(args: &[Val], at: usize) -> Res<Arc<str>> {
    match arg(args, at) {
        Val::Str(text) => Ok(Arc::clone(text)),
        other => Err(wrong("string", other)),
    }
}

/// A whole number for a function that takes Go's `int`.
pub(super) fn int(args: &[Val], at: usize) -> Res<i64> {
    match arg(args, at) {
        Val::Int(value) | Val::Int64(value) => Ok(*value),
        other => Err(wrong("int", other)),
    }
}

/// A dictionary; nothing reads as one without entries, as Go's nil maps do.
pub(super) fn dict(args: &[Val], at: usize) -> Res<Dict> {
    match arg(args, at) {
        Val::Dict(dict) => Ok(dict.clone()),
        Val::Nil => Ok(Dict::new()),
        other => Err(wrong("map[string]interface {}", other)),
    }
}

pub(super) fn list(args: &[Val], at: usize) -> Res<List> {
    match arg(args, at) {
        Val::List(list) => Ok(list.clone()),
        Val::Object(Object::Versions(versions)) => Ok(versions
            .iter()
            .map(|version| Val::text(version.as_str()))
            .collect::<Vec<_>>()
            .into()),
        other => Err(wrong("slice", other)),
    }
}

/// A length or a count that must not be larger than memory allows.
pub(super) fn count(meter: &Meter, value: i64) -> Res<usize> {
    let count = usize::try_from(value).map_err(|_| Fail::new("negative count"))?;
    meter.bytes(count)?;
    Ok(count)
}

/// Calls a function that needs nothing but its arguments.
pub(crate) fn call(meter: &Meter, name: &str, args: &[Val]) -> Res<Val> {
    match find(name) {
        Some(Function::Plain { run, .. }) => run(meter, args),
        _ => Err(Fail::new(format!("function \"{name}\" not defined"))),
    }
}
