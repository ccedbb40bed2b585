//! Small programs that apply what a report offers: they read the report as its specification says, and
//! know nothing of the program that wrote it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// A tree of files.
type Files = BTreeMap<PathBuf, Vec<u8>>;

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// The bytes at which the lines of a text begin.
fn line_starts(text: &[u8]) -> Vec<usize> {
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    std::iter::once(0)
        .chain(ends.map(|(at, _)| at + 1))
        .collect()
}

/// Replaces ranges of bytes, the last one first.
fn replace(text: &mut Vec<u8>, mut edits: Vec<(usize, usize, String)>) {
    edits.sort();
    for pair in edits.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "what is offered overlaps");
    }
    for (start, end, new) in edits.into_iter().rev() {
        text.splice(start..end, new.into_bytes());
    }
}

/// Applies every suggestion: columns are bytes of a line.
pub(crate) fn rdjson(before: &Files, report: &Value) -> Files {
    let mut edits: BTreeMap<PathBuf, Vec<_>> = BTreeMap::new();
    for diagnostic in report["diagnostics"].as_array().unwrap() {
        let path = PathBuf::from(diagnostic["location"]["path"].as_str().unwrap());
        for suggestion in diagnostic["suggestions"].as_array().into_iter().flatten() {
            let starts = line_starts(&before[&path]);
            let at = |end: &str| {
                let place = &suggestion["range"][end];
                starts[number(&place["line"]) - 1] + number(&place["column"]) - 1
            };
            let new = suggestion["text"].as_str().unwrap().to_string();
            edits
                .entry(path.clone())
                .or_default()
                .push((at("start"), at("end"), new));
        }
    }
    applied(before, edits)
}

/// Applies the fix of every result: columns are characters of a line, in which a byte order mark is none.
pub(crate) fn sarif(before: &Files, report: &Value) -> Files {
    let run = &report["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let mut edits: BTreeMap<PathBuf, Vec<_>> = BTreeMap::new();
    for result in run["results"].as_array().unwrap() {
        let fixes = result["fixes"].as_array().into_iter().flatten();
        for change in fixes.flat_map(|fix| fix["artifactChanges"].as_array().unwrap()) {
            let artifact = &change["artifactLocation"];
            assert_eq!(artifact["uriBaseId"], "%SRCROOT%");
            let path = path_of(artifact["uri"].as_str().unwrap());
            let text = std::str::from_utf8(&before[&path]).unwrap();
            let starts = line_starts(text.as_bytes());
            for replacement in change["replacements"].as_array().unwrap() {
                let region = &replacement["deletedRegion"];
                let at = |line: &str, column: &str| {
                    let start = starts[number(&region[line]) - 1];
                    let rest = &text[start..];
                    let mark = if rest.starts_with('\u{feff}') { 3 } else { 0 };
                    let characters = rest[mark..].chars().take(number(&region[column]) - 1);
                    start + mark + characters.map(char::len_utf8).sum::<usize>()
                };
                let new = replacement["insertedContent"]["text"]
                    .as_str()
                    .unwrap()
                    .to_string();
                let place = (
                    at("startLine", "startColumn"),
                    at("endLine", "endColumn"),
                    new,
                );
                edits.entry(path.clone()).or_default().push(place);
            }
        }
    }
    applied(before, edits)
}

fn applied(before: &Files, edits: BTreeMap<PathBuf, Vec<(usize, usize, String)>>) -> Files {
    let mut after = before.clone();
    for (path, edits) in edits {
        replace(after.get_mut(&path).unwrap(), edits);
    }
    after
}

/// The path of a URI.
fn path_of(uri: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    PathBuf::from(String::from_utf8(bytes).unwrap())
}
