//! Arithmetic and conversions to numbers.

use super::super::lex::parse_int;
use super::super::limits::{Fail, Meter, Res};
use super::super::print;
use super::super::value::Val;
use super::{ANY, Row, arg, int, text};

pub(super) const TABLE: &[Row] = &[
    ("int", 1, 1, |_, args| Ok(Val::Int(to_int(arg(args, 0))))),
    ("int64", 1, 1, |_, args| {
        Ok(Val::Int64(to_int(arg(args, 0))))
    }),
    ("float64", 1, 1, |_, args| {
        Ok(Val::Float(to_float(arg(args, 0))))
    }),
    ("atoi", 1, 1, |_, args| {
        Ok(Val::Int(text(args, 0)?.parse().unwrap_or(0)))
    }),
    ("toDecimal", 1, 1, |_, args| {
        let octal = print::text_of(arg(args, 0))?;
        Ok(Val::Int64(i64::from_str_radix(&octal, 8).unwrap_or(0)))
    }),
    ("add", 0, ANY, |_, args| whole(args, 0, i64::wrapping_add)),
    ("add1", 1, 1, |_, args| {
        Ok(Val::Int64(to_int(arg(args, 0)).wrapping_add(1)))
    }),
    ("sub", 2, 2, |_, args| {
        Ok(Val::Int64(
            to_int(arg(args, 0)).wrapping_sub(to_int(arg(args, 1))),
        ))
    }),
    ("mul", 1, ANY, |_, args| whole(args, 1, i64::wrapping_mul)),
    ("div", 2, 2, |_, args| divided(args, i64::checked_div)),
    ("mod", 2, 2, |_, args| divided(args, i64::checked_rem)),
    ("max", 1, ANY, |_, args| extreme(args, i64::max)),
    ("biggest", 1, ANY, |_, args| extreme(args, i64::max)),
    ("min", 1, ANY, |_, args| extreme(args, i64::min)),
    ("addf", 0, ANY, |_, args| {
        Ok(Val::Float(args.iter().map(to_float).sum()))
    }),
    ("add1f", 1, 1, |_, args| {
        Ok(Val::Float(to_float(arg(args, 0)) + 1.0))
    }),
    ("subf", 1, ANY, |_, args| float(args, |a, b| a - b)),
    ("mulf", 1, ANY, |_, args| float(args, |a, b| a * b)),
    ("divf", 1, ANY, |_, args| float(args, |a, b| a / b)),
    ("maxf", 1, ANY, |_, args| float(args, f64::max)),
    ("minf", 1, ANY, |_, args| float(args, f64::min)),
    ("ceil", 1, 1, |_, args| {
        Ok(Val::Float(to_float(arg(args, 0)).ceil()))
    }),
    ("floor", 1, 1, |_, args| {
        Ok(Val::Float(to_float(arg(args, 0)).floor()))
    }),
    ("round", 2, 3, round),
    ("randInt", 2, 2, |_, args| Ok(Val::Int(int(args, 0)?))),
];

/// The whole number a value is taken for; what is none is zero.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn to_int(value: &Val) -> i64 {
    match value {
        Val::Int(value) | Val::Int64(value) => *value,
        Val::Float(value) => *value as i64,
        Val::Bool(value) => i64::from(*value),
        Val::Str(text) => parse_int(text).unwrap_or(0),
        _ => 0,
    }
}

#[allow(clippy::cast_precision_loss)]
fn to_float(value: &Val) -> f64 {
    match value {
        Val::Float(value) => *value,
        Val::Str(text) => text.parse().unwrap_or(0.0),
        other => to_int(other) as f64,
    }
}

fn whole(args: &[Val], start: i64, operate: fn(i64, i64) -> i64) -> Res<Val> {
    Ok(Val::Int64(args.iter().map(to_int).fold(start, operate)))
}

fn divided(args: &[Val], operate: fn(i64, i64) -> Option<i64>) -> Res<Val> {
    operate(to_int(arg(args, 0)), to_int(arg(args, 1)))
        .map(Val::Int64)
        .ok_or_else(|| Fail::new("division by zero"))
}

fn extreme(args: &[Val], choose: fn(i64, i64) -> i64) -> Res<Val> {
    Ok(Val::Int64(
        args.iter().map(to_int).reduce(choose).unwrap_or(0),
    ))
}

fn float(args: &[Val], operate: fn(f64, f64) -> f64) -> Res<Val> {
    Ok(Val::Float(
        args.iter().map(to_float).reduce(operate).unwrap_or(0.0),
    ))
}

fn round(_: &Meter, args: &[Val]) -> Res<Val> {
    let places = i32::try_from(to_int(arg(args, 1)))
        .unwrap_or(0)
        .clamp(-300, 300);
    let turn = args.get(2).map_or(0.5, to_float);
    let scale = 10f64.powi(places);
    let scaled = to_float(arg(args, 0)) * scale;
    let rounded = if scaled.fract() >= turn {
        scaled.ceil()
    } else {
        scaled.floor()
    };
    Ok(Val::Float(rounded / scale))
}
