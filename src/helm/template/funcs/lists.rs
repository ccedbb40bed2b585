//! Lists.

use super::super::limits::{Fail, Meter, Res};
use super::super::print;
use super::super::value::{Object, Val};
use super::numbers::to_int;
use super::{ANY, Row, arg, count, int, list, text, wrong};

pub(super) const TABLE: &[Row] = &[
    ("list", 0, ANY, |_, args| Ok(Val::list(args.to_vec()))),
    ("tuple", 0, ANY, |_, args| Ok(Val::list(args.to_vec()))),
    ("first", 1, 1, first),
    ("mustFirst", 1, 1, first),
    ("last", 1, 1, last),
    ("mustLast", 1, 1, last),
    ("rest", 1, 1, rest),
    ("mustRest", 1, 1, rest),
    ("initial", 1, 1, initial),
    ("mustInitial", 1, 1, initial),
    ("append", 2, 2, append),
    ("mustAppend", 2, 2, append),
    ("push", 2, 2, append),
    ("mustPush", 2, 2, append),
    ("prepend", 2, 2, prepend),
    ("mustPrepend", 2, 2, prepend),
    ("concat", 0, ANY, concat),
    ("reverse", 1, 1, reverse),
    ("mustReverse", 1, 1, reverse),
    ("uniq", 1, 1, uniq),
    ("mustUniq", 1, 1, uniq),
    ("compact", 1, 1, compact),
    ("mustCompact", 1, 1, compact),
    ("without", 1, ANY, without),
    ("mustWithout", 1, ANY, without),
    ("has", 2, 2, has),
    ("mustHas", 2, 2, has),
    ("slice", 1, 3, slice),
    ("mustSlice", 1, 3, slice),
    ("chunk", 2, 2, chunk),
    ("mustChunk", 2, 2, chunk),
    ("sortAlpha", 1, 1, sort),
    ("toStrings", 1, 1, |_, args| {
        Ok(Val::texts(strings(arg(args, 0))?))
    }),
    ("join", 2, 2, |meter, args| {
        let joined = strings(arg(args, 1))?.join(&text(args, 0)?);
        meter.bytes(joined.len())?;
        Ok(Val::text(joined))
    }),
    ("until", 1, 1, |meter, args| {
        let end = int(args, 0)?;
        steps(meter, 0, end, if end < 0 { -1 } else { 1 })
    }),
    ("untilStep", 3, 3, |meter, args| {
        steps(meter, int(args, 0)?, int(args, 1)?, int(args, 2)?)
    }),
    ("seq", 0, 3, seq),
];

/// The items as texts, nothing left out but nothing itself.
pub(super) fn strings(value: &Val) -> Res<Vec<String>> {
    match value {
        Val::Nil => Ok(Vec::new()),
        Val::List(list) => list
            .items()
            .iter()
            .filter(|item| !matches!(item, Val::Nil))
            .map(print::text_of)
            .collect(),
        Val::Object(Object::Versions(versions)) => Ok(versions.to_vec()),
        other => Ok(vec![print::text_of(other)?]),
    }
}

fn made(meter: &Meter, items: Vec<Val>) -> Res<Val> {
    meter.steps(items.len())?;
    Ok(Val::list(items))
}

fn first(_: &Meter, args: &[Val]) -> Res<Val> {
    Ok(list(args, 0)?.items().first().cloned().unwrap_or(Val::Nil))
}

fn last(_: &Meter, args: &[Val]) -> Res<Val> {
    Ok(list(args, 0)?.items().last().cloned().unwrap_or(Val::Nil))
}

fn rest(meter: &Meter, args: &[Val]) -> Res<Val> {
    made(
        meter,
        list(args, 0)?.items().iter().skip(1).cloned().collect(),
    )
}

fn initial(meter: &Meter, args: &[Val]) -> Res<Val> {
    let list = list(args, 0)?;
    made(
        meter,
        list.items()
            .split_last()
            .map(|(_, init)| init.to_vec())
            .unwrap_or_default(),
    )
}

fn append(meter: &Meter, args: &[Val]) -> Res<Val> {
    let mut items = list(args, 0)?.items().to_vec();
    items.push(arg(args, 1).clone());
    made(meter, items)
}

fn prepend(meter: &Meter, args: &[Val]) -> Res<Val> {
    let mut items = vec![arg(args, 1).clone()];
    items.extend_from_slice(list(args, 0)?.items());
    made(meter, items)
}

fn concat(meter: &Meter, args: &[Val]) -> Res<Val> {
    let mut items = Vec::new();
    for at in 0..args.len() {
        items.extend_from_slice(list(args, at)?.items());
    }
    made(meter, items)
}

fn reverse(meter: &Meter, args: &[Val]) -> Res<Val> {
    made(
        meter,
        list(args, 0)?.items().iter().rev().cloned().collect(),
    )
}

fn compact(meter: &Meter, args: &[Val]) -> Res<Val> {
    made(
        meter,
        list(args, 0)?
            .items()
            .iter()
            .filter(|item| item.truth())
            .cloned()
            .collect(),
    )
}

fn uniq(meter: &Meter, args: &[Val]) -> Res<Val> {
    let mut kept: Vec<Val> = Vec::new();
    for item in list(args, 0)?.items() {
        meter.steps(kept.len())?;
        if !kept.iter().any(|other| other.same(item)) {
            kept.push(item.clone());
        }
    }
    made(meter, kept)
}

fn without(meter: &Meter, args: &[Val]) -> Res<Val> {
    let omitted = args.get(1..).unwrap_or_default();
    let keeps = |item: &&Val| !omitted.iter().any(|other| other.same(item));
    made(
        meter,
        list(args, 0)?
            .items()
            .iter()
            .filter(keeps)
            .cloned()
            .collect(),
    )
}

fn has(meter: &Meter, args: &[Val]) -> Res<Val> {
    if matches!(arg(args, 1), Val::Nil) {
        return Ok(Val::Bool(false));
    }
    let list = list(args, 1)?;
    meter.steps(list.items().len())?;
    Ok(Val::Bool(
        list.items().iter().any(|item| item.same(arg(args, 0))),
    ))
}

fn slice(meter: &Meter, args: &[Val]) -> Res<Val> {
    let list = list(args, 0)?;
    let bound = |at: usize, otherwise: usize| match args.get(at) {
        Some(value) => usize::try_from(to_int(value)).ok(),
        None => Some(otherwise),
    };
    if list.items().is_empty() {
        return Ok(Val::Nil);
    }
    let end = bound(2, list.items().len());
    bound(1, 0)
        .zip(end)
        .and_then(|(start, end)| list.items().get(start..end))
        .ok_or_else(|| Fail::new("slice bounds out of range"))
        .and_then(|items| made(meter, items.to_vec()))
}

fn chunk(meter: &Meter, args: &[Val]) -> Res<Val> {
    let size = count(meter, int(args, 0)?)?;
    if size == 0 {
        return Err(Fail::new("chunks of no items"));
    }
    let list = list(args, 1)?;
    made(
        meter,
        list.items()
            .chunks(size)
            .map(|items| Val::list(items.to_vec()))
            .collect(),
    )
}

fn sort(meter: &Meter, args: &[Val]) -> Res<Val> {
    let mut items = strings(arg(args, 0))?;
    meter.steps(items.len())?;
    items.sort();
    Ok(Val::texts(items))
}

fn numbers(meter: &Meter, start: i64, end: i64, step: i64) -> Res<Vec<i64>> {
    let mut numbers = Vec::new();
    let mut at = start;
    while (step > 0 && at < end) || (step < 0 && at > end) {
        meter.step()?;
        numbers.push(at);
        at = at.saturating_add(step);
    }
    Ok(numbers)
}

fn steps(meter: &Meter, start: i64, end: i64, step: i64) -> Res<Val> {
    Ok(Val::list(
        numbers(meter, start, end, step)?
            .into_iter()
            .map(Val::Int)
            .collect(),
    ))
}

/// `seq`: the numbers, both ends included, as a text.
fn seq(meter: &Meter, args: &[Val]) -> Res<Val> {
    let (start, step, end) = match args {
        [] => return Ok(Val::text("")),
        [_] => (1, None, int(args, 0)?),
        [_, _] => (int(args, 0)?, None, int(args, 1)?),
        [_, _, _] => (int(args, 0)?, Some(int(args, 1)?), int(args, 2)?),
        _ => return Err(wrong("three numbers", arg(args, 3))),
    };
    let direction = if end < start { -1 } else { 1 };
    let step = step.unwrap_or(direction);
    let past = end.saturating_add(direction);
    let numbers: Vec<String> = if step.signum() == direction {
        numbers(meter, start, past, step)?
            .iter()
            .map(ToString::to_string)
            .collect()
    } else {
        Vec::new()
    };
    Ok(Val::text(numbers.join(" ")))
}
