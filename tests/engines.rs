//! The engines against each other: granit, which says where scalars stand, yaml-rust2, which gives the
//! second opinion, and serde_yaml (libyaml), which is no relative of either and decides for kubectl's kin.
//!
//! Every disagreement stands in a table with its reason; one that does not is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it

mod common;
#[path = "engines/readings.rs"]
mod readings;
#[path = "engines/shapes.rs"]
mod shapes;

use std::collections::BTreeMap;
use std::fs;

use common::{charts, corpus};
use ecr_rewrite::yaml::{Place, Scalar, documents};
use rayon::prelude::*;
use readings::{Step, granit, rust2, serde, untagged, valued};
use shapes::{ALIKE, REFUSED, UNLIKE};
use walkdir::WalkDir;

/// Who disagrees with granit, and how; nothing when all agree.
fn disagreement(text: &str) -> String {
    let mut said = Vec::new();
    let first = granit(text);
    match (&first, rust2(text)) {
        (Ok(_), Err(_)) => said.push("yaml-rust2 refuses"),
        (Err(_), Ok(_)) => said.push("yaml-rust2 reads"),
        (Ok(first), Ok(second)) if *first != second => said.push("yaml-rust2 differs"),
        _ => {}
    }
    match (&first, serde(text)) {
        (Ok(_), Err(_)) => said.push("libyaml refuses"),
        (Err(_), Ok(_)) => said.push("libyaml reads"),
        (Ok(_), Ok(values)) => {
            let values: Vec<_> = values.into_iter().map(untagged).collect();
            if valued(text).is_some_and(|own| own != values) {
                said.push("libyaml differs");
            }
        }
        _ => {}
    }
    said.join(", ")
}

#[test]
fn shapes_are_read_alike_or_there_is_a_reason() {
    let alike = ALIKE.iter().map(|text| (*text, ""));
    let unlike = UNLIKE.iter().map(|(text, who, _)| (*text, *who));
    let mut wrong = Vec::new();
    for (text, wanted) in alike.chain(unlike) {
        let found = disagreement(text);
        if found != wanted {
            wrong.push(format!(
                "{text:?}: {found:?}, not {wanted:?}\n  granit   {:?}\n  rust2    {:?}\n  libyaml  {:?}",
                granit(text),
                rust2(text),
                serde(text)
            ));
        }
    }
    let refused = ALIKE.iter().filter(|text| granit(text).is_err());
    wrong.extend(refused.map(|text| format!("{text:?} is read by none")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        UNLIKE
            .iter()
            .all(|(_, who, why)| !who.is_empty() && !why.is_empty())
    );
    println!(
        "{} shapes alike, {} with a reason",
        ALIKE.len(),
        UNLIKE.len()
    );
}

#[test]
fn what_is_no_yaml_is_refused_by_all() {
    let mut wrong = Vec::new();
    for text in REFUSED {
        let readings = [granit(text).err(), rust2(text).err(), serde(text).err()];
        if readings.iter().any(Option::is_none) {
            wrong.push(format!("{text:?}: {readings:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The ways in which a text may lie in a file without meaning anything else.
fn variants(text: &str) -> [String; 4] {
    let crlf = text.replace('\n', "\r\n");
    [
        format!("\u{feff}{text}"),
        format!("# ü 😀\n{text}"),
        format!("\u{feff}# ü 😀\r\n{crlf}"),
        crlf,
    ]
}

#[test]
fn byte_order_marks_line_ends_and_long_characters_change_nothing() {
    let mut wrong = Vec::new();
    for text in ALIKE {
        // A directive stands in front of everything, and a lone carriage return is one of the line ends.
        if text.contains('\r') {
            continue;
        }
        for variant in variants(text) {
            let found = disagreement(&variant);
            if granit(&variant) != granit(text) || !found.is_empty() {
                wrong.push(format!(
                    "{variant:?}: {found:?}\n  granit   {:?}\n  without  {:?}\n  rust2    {:?}\n  libyaml  {:?}",
                    granit(&variant),
                    granit(text),
                    rust2(&variant),
                    serde(&variant)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Replaces every scalar that can be edited at the place that is told for it, one after the other, and looks
/// whether it, and nothing else, is another one then.
#[test]
fn every_scalar_can_be_replaced_where_it_stands() {
    let mut replaced = 0;
    for text in ALIKE {
        for text in std::iter::once((*text).to_string()).chain(variants(text)) {
            let before = granit(&text).unwrap();
            for (number, (document, id)) in scalars(&text).into_iter().enumerate() {
                let documents: Vec<_> = documents(&text).map(Result::unwrap).collect();
                let scalar = Scalar::locate(&text, &documents[document], id).unwrap();
                let Place::Exact(span) = scalar.place else {
                    continue;
                };
                if span.is_empty() {
                    continue;
                }
                assert_eq!(span.of(&text), Some(scalar.value.as_str()));
                let line_end = if scalar.value.ends_with('\n') {
                    "\n"
                } else {
                    ""
                };
                let new = format!("longer/than:it-was{line_end}");
                let after = format!("{}{new}{}", &text[..span.start], &text[span.end..]);
                let steps = granit(&after).unwrap_or_else(|error| panic!("{after:?}: {error}"));
                let mut wanted = before.clone();
                let all = wanted
                    .iter_mut()
                    .filter(|step| matches!(step, Step::Scalar(..)));
                if let Some(Step::Scalar(value, ..)) = all.into_iter().nth(number) {
                    *value = new;
                }
                assert_eq!(steps, wanted, "{text:?} {after:?}");
                replaced += 1;
            }
        }
    }
    println!("{replaced} scalars replaced");
    assert!(replaced > 1_000);
}

/// Every scalar of a stream: its document and node.
fn scalars(text: &str) -> Vec<(usize, usize)> {
    let documents = documents(text).map(Result::unwrap).enumerate();
    let all = documents.flat_map(|(index, document)| {
        let ids = (0..document.nodes.len()).filter(|&id| document.text(id).is_some());
        ids.map(|id| (index, id)).collect::<Vec<_>>()
    });
    all.collect()
}

/// Why the engines disagree on a real file, as the table of shapes says; `None` when nobody knows.
fn reason(text: &str, who: &str) -> Option<&'static str> {
    let said = |error: Option<String>, words: &str| error.is_some_and(|said| said.contains(words));
    let indented = "invalid indentation";
    match who {
        "libyaml refuses" if said(serde(text).err(), "duplicate entry") => {
            Some("a key stands there twice")
        }
        "yaml-rust2 differs" if disagreement(&format!("{text}\n")).is_empty() => {
            Some("a block scalar ends with the file")
        }
        "yaml-rust2 refuses" if said(rust2(text).err(), indented) => {
            Some("a bracket or the line of a quoted text stands below its key")
        }
        "libyaml reads" if said(granit(text).err(), indented) => {
            Some("the line of a quoted text stands further out than its key")
        }
        _ => None,
    }
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn real_files_are_read_alike_or_there_is_a_reason() {
    let files = [corpus(), charts()].into_iter().flat_map(WalkDir::new);
    let is_yaml = |path: &std::path::Path| {
        path.extension()
            .is_some_and(|suffix| suffix == "yaml" || suffix == "yml" || suffix == "json")
    };
    let files: Vec<_> = files
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.is_file() && is_yaml(path))
        .collect();
    let judged = files.par_iter().filter_map(|path| {
        let text = fs::read_to_string(path).ok()?;
        let who = disagreement(&text);
        let read = usize::from(granit(&text).is_ok());
        let why = if who.is_empty() {
            Some("")
        } else {
            reason(&text, &who)
        };
        Some((path, who, why, read))
    });
    let judged: Vec<_> = judged.collect();
    let read: usize = judged.iter().map(|(.., read)| read).sum();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut unexplained = Vec::new();
    for (path, who, why, _) in &judged {
        match why {
            Some(why) => *counts.entry((who, why)).or_default() += 1,
            None => {
                let text = fs::read_to_string(path).unwrap();
                let errors = [granit(&text).err(), rust2(&text).err(), serde(&text).err()];
                unexplained.push(format!("{}: {who}: {errors:?}", path.display()));
            }
        }
    }
    println!(
        "{} files, of which granit reads {read}: {counts:#?}",
        judged.len()
    );
    assert!(
        unexplained.is_empty(),
        "{} {}",
        unexplained.len(),
        unexplained.join("\n")
    );
}
