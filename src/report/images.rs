//! What `images` prints: a table, or JSON with the schema `docs/images.schema.json`. The types here are the
//! format and follow no other type of the program.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::shared::{JsonOrigin, JsonPath, PROGRAM, origin_of, path_of};
use super::table::table;
use super::{clean, harmless, write_json};
use crate::inventory::{Image, Inventory};

/// The version of the JSON: it grows when a field changes its meaning or goes.
const VERSION: u32 = 1;
/// How many hexadecimal digits of a digest the table shows.
const DIGEST_DIGITS: usize = 12;
/// Stands for what is not known.
const NONE: &str = "-";

/// How much the table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The first place of each image.
    First,
    /// Every place, and why an image stays.
    All,
}

/// Writes the table and the counts.
pub fn text(inventory: &Inventory, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    let head = [
        "image",
        "tag or digest",
        "means",
        "upstream",
        "rule",
        "verdict",
        "places",
    ];
    let rows = inventory.images.iter().map(|image| row(image, detail));
    let rows: Vec<Vec<String>> = std::iter::once(head.map(String::from).to_vec())
        .chain(rows)
        .collect();
    let mut lines = Vec::new();
    for (index, line) in table(&rows).into_iter().enumerate() {
        lines.push(line);
        let image = index.checked_sub(1).map(|index| &inventory.images[index]);
        if let (Detail::All, Some(image)) = (detail, image) {
            lines.extend(
                image
                    .places
                    .iter()
                    .skip(1)
                    .map(|place| format!("    {}", at(place))),
            );
            lines.extend(image.detail.iter().map(|why| format!("    {why}")));
        }
    }
    for (title, counts) in [
        ("by upstream", inventory.counts(upstream)),
        ("by verdict", inventory.counts(|image| image.verdict.word())),
    ] {
        let head = [title.to_string(), "images".into(), "places".into()].to_vec();
        let rows = counts.iter().map(|(word, (images, places))| {
            vec![(*word).to_string(), images.to_string(), places.to_string()]
        });
        lines.push(String::new());
        lines.extend(table(
            &std::iter::once(head).chain(rows).collect::<Vec<_>>(),
        ));
    }
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "{}", harmless(&clean(line))))
}

fn upstream(image: &Image) -> &str {
    image.upstream.as_deref().unwrap_or("unknown")
}

fn at(place: &crate::inventory::Place) -> String {
    format!("{}:{}", place.path.display(), place.at)
}

fn row(image: &Image, detail: Detail) -> Vec<String> {
    let tail = image.tag.iter().cloned();
    let digest = image.digest.iter().map(|digest| {
        let end = digest.find(':').map_or(0, |at| at + 1) + DIGEST_DIGITS;
        format!("@{}", digest.get(..end).unwrap_or(digest))
    });
    let tail: String = tail.chain(digest).collect();
    let name = match (&image.tag, &image.digest) {
        (None, None) => image.text.as_str(),
        (tag, digest) => {
            let length = |part: &Option<String>| part.as_ref().map_or(0, |part| part.len() + 1);
            let end = image.text.len() - length(tag) - length(digest);
            image.text.get(..end).unwrap_or(&image.text)
        }
    };
    let canonical = image.canonical.as_ref().map(ToString::to_string);
    let rule = image
        .rule
        .as_ref()
        .map(|rule| format!("{} -> {}", rule.upstream(), rule.prefix_text()));
    let first = image.places.first().map(at).unwrap_or_default();
    let more = image.places.len().saturating_sub(1);
    let places = if more == 0 || detail == Detail::All {
        first
    } else {
        format!("{first} (+{more})")
    };
    let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.into());
    vec![
        name.to_string(),
        or_none(Some(tail).filter(|tail| !tail.is_empty())),
        or_none(canonical),
        or_none(image.upstream.clone()),
        or_none(rule),
        image.verdict.word().to_string(),
        places,
    ]
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonInventory<'i> {
    version: u32,
    program: &'static str,
    images: Vec<JsonImage<'i>>,
    counts: JsonCounts<'i>,
    releases_without_images: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonImage<'i> {
    image: &'i str,
    tag: Option<&'i str>,
    digest: Option<&'i str>,
    canonical: Option<String>,
    upstream: Option<&'i str>,
    rule: Option<JsonRule>,
    verdict: &'static str,
    becomes: Option<&'i str>,
    detail: Option<&'i str>,
    places: Vec<JsonPlace<'i>>,
}

#[derive(Serialize)]
struct JsonRule {
    upstream: String,
    prefix: String,
    origin: JsonOrigin,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonPlace<'i> {
    #[serde(flatten)]
    path: JsonPath,
    line: usize,
    column: usize,
    key_path: &'i str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonCounts<'i> {
    images: usize,
    places: usize,
    by_upstream: BTreeMap<&'i str, JsonCount>,
    by_verdict: BTreeMap<&'i str, JsonCount>,
}

#[derive(Serialize)]
struct JsonCount {
    images: usize,
    places: usize,
}

/// Writes the JSON.
pub fn json(inventory: &Inventory, out: &mut dyn Write) -> io::Result<()> {
    let json = JsonInventory {
        version: VERSION,
        program: PROGRAM,
        images: inventory.images.iter().map(json_image).collect(),
        counts: JsonCounts {
            images: inventory.images.len(),
            places: inventory
                .images
                .iter()
                .map(|image| image.places.len())
                .sum(),
            by_upstream: json_counts(inventory.counts(upstream)),
            by_verdict: json_counts(inventory.counts(|image| image.verdict.word())),
        },
        releases_without_images: inventory.unnamed,
    };
    write_json(&json, out)
}

fn json_counts(counts: BTreeMap<&str, (usize, usize)>) -> BTreeMap<&str, JsonCount> {
    let counts = counts.into_iter();
    counts
        .map(|(word, (images, places))| (word, JsonCount { images, places }))
        .collect()
}

fn json_image(image: &Image) -> JsonImage<'_> {
    JsonImage {
        image: &image.text,
        tag: image.tag.as_deref(),
        digest: image.digest.as_deref(),
        canonical: image.canonical.as_ref().map(ToString::to_string),
        upstream: image.upstream.as_deref(),
        rule: image.rule.as_ref().map(|rule| JsonRule {
            upstream: rule.upstream(),
            prefix: rule.prefix_text().to_string(),
            origin: origin_of(rule.origin()),
        }),
        verdict: image.verdict.word(),
        becomes: image.becomes.as_deref(),
        detail: image.detail.as_deref(),
        places: image
            .places
            .iter()
            .map(|place| JsonPlace {
                path: path_of(&place.path),
                line: place.at.line,
                column: place.at.column,
                key_path: &place.key_path,
            })
            .collect(),
    }
}

/// Writes the references to pull, those that are pinned by digest first.
pub fn prewarm(inventory: &Inventory, out: &mut dyn Write) -> io::Result<()> {
    let mut pulls = inventory.pulls.pinned.iter().chain(&inventory.pulls.others);
    pulls.try_for_each(|pull| writeln!(out, "{}", clean(pull)))
}
