//! Dates. There is one moment only, so that a template renders the same text at any time.

use super::super::limits::{Meter, Res};
use super::super::value::{Object, Val};
use super::{Row, text};

pub(super) const TABLE: &[Row] = &[
    ("now", 0, 0, moment),
    ("toDate", 2, 2, moment),
    ("mustToDate", 2, 2, moment),
    ("dateModify", 2, 2, moment),
    ("mustDateModify", 2, 2, moment),
    ("date_modify", 2, 2, moment),
    ("must_date_modify", 2, 2, moment),
    ("date", 2, 2, |_, args| {
        Ok(Val::text(layout(&text(args, 0)?)))
    }),
    ("dateInZone", 3, 3, |_, args| {
        Ok(Val::text(layout(&text(args, 0)?)))
    }),
    ("date_in_zone", 3, 3, |_, args| {
        Ok(Val::text(layout(&text(args, 0)?)))
    }),
    ("htmlDate", 1, 1, |_, _| Ok(Val::text("1970-01-01"))),
    ("htmlDateInZone", 2, 2, |_, _| Ok(Val::text("1970-01-01"))),
    ("unixEpoch", 1, 1, |_, _| Ok(Val::text("0"))),
    ("ago", 1, 1, |_, _| Ok(Val::text("0s"))),
    ("duration", 1, 1, |_, _| Ok(Val::text("0s"))),
    ("durationRound", 1, 1, |_, _| Ok(Val::text("0s"))),
];

fn moment(_: &Meter, _: &[Val]) -> Res<Val> {
    Ok(Val::Object(Object::Time))
}

/// The parts of Go's layouts, and what the one moment has in their place.
const PARTS: [(&str, &str); 14] = [
    ("2006", "1970"),
    ("January", "January"),
    ("Monday", "Thursday"),
    ("Z07:00", "Z"),
    ("-0700", "+0000"),
    ("Jan", "Jan"),
    ("Mon", "Thu"),
    ("MST", "UTC"),
    ("01", "01"),
    ("02", "01"),
    ("15", "00"),
    ("04", "00"),
    ("05", "00"),
    ("06", "70"),
];

fn layout(layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while let Some(c) = rest.chars().next() {
        let part = PARTS
            .into_iter()
            .find_map(|(part, value)| rest.strip_prefix(part).map(|after| (after, value)));
        match part {
            Some((after, value)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }
    out
}
