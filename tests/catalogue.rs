//! The catalogue of places that name images: the page is printed from the code, every row of the table of
//! custom resources has a case, and the fields of public ones are decided.
//!
//! `ECR_REWRITE_BLESS=1` writes the page anew.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::current;
use ecr_rewrite::scan::{Options, Promoted, scan_text};
use ecr_rewrite::sites::{ChartRefs, Stated, Treated, catalogue, treated, treatments};
use serde::Deserialize;
use serde_yaml::Value;
use walkdir::WalkDir;

#[test]
fn the_page_is_printed_from_the_code() {
    let mut table =
        "| finder | where | field | treated | what |\n|---|---|---|---|---|\n".to_string();
    for place in catalogue() {
        table.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            place.finder, place.objects, place.field, place.treated, place.what
        ));
    }
    current::part("docs/sites.md", "places", &table);
}

/// The objects in a value, each with its group, kind and way.
fn objects(value: &Value, way: &str, found: &mut Vec<(String, String, String, Value)>) {
    match value {
        Value::Mapping(map) => {
            let text = |key: &str| map.get(key).and_then(Value::as_str);
            if let (Some(version), Some(kind)) = (text("apiVersion"), text("kind")) {
                let group = version.split_once('/').map_or("", |(group, _)| group);
                found.push((group.into(), kind.into(), way.into(), value.clone()));
            }
            for (key, value) in map {
                let key = key.as_str().unwrap_or("");
                let dot = if way.is_empty() { "" } else { "." };
                objects(value, &format!("{way}{dot}{key}"), found);
            }
        }
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                objects(item, &format!("{way}[{index}]"), found);
            }
        }
        _ => {}
    }
}

/// The texts below a value: the keys, and the way as reports print it.
fn leaves(value: &Value, keys: &[String], way: &str, found: &mut Vec<(Vec<String>, String)>) {
    match value {
        Value::Mapping(map) => {
            for (key, value) in map {
                let key = key.as_str().unwrap_or("").to_string();
                let dot = if way.is_empty() { "" } else { "." };
                let way = format!("{way}{dot}{key}");
                leaves(value, &[keys, &[key]].concat(), &way, found);
            }
        }
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, keys, &format!("{way}[{index}]"), found);
            }
        }
        _ => found.push((keys.to_vec(), way.to_string())),
    }
}

#[test]
fn every_other_row_has_a_site_in_its_case() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let rows = catalogue();
    let rows = rows.iter().filter_map(|place| Some((place, place.case?)));
    let options = Options {
        stated: Stated {
            charts: ChartRefs::Sought,
            ..Stated::default()
        },
    };
    let mut looked_at = 0;
    for (place, case) in rows {
        let inputs = WalkDir::new(testdata.join(case).join("in")).into_iter();
        let mut sites = 0;
        for entry in inputs.filter_map(Result::ok) {
            let Ok(text) = fs::read_to_string(entry.path()) else {
                continue;
            };
            let name = entry.path().strip_prefix(&testdata).unwrap();
            let mut scan = scan_text(name, &text, &options);
            // Nothing here says more of it.
            scan.promote(Promoted::default());
            let mut found = scan.sites.iter();
            sites += usize::from(found.any(|site| site.finder == place.finder));
        }
        assert!(sites > 0, "{case} has no site of `{}`", place.finder);
        looked_at += 1;
    }
    assert!(looked_at > 20);
}

#[test]
fn every_row_of_the_table_has_a_case() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut missing: BTreeSet<usize> = (0..treatments()).collect();
    let inputs = fs::read_dir(testdata).unwrap().map(Result::unwrap);
    for input in inputs.map(|case| case.path().join("in")) {
        for entry in WalkDir::new(&input).into_iter().filter_map(Result::ok) {
            let Ok(text) = fs::read_to_string(entry.path()) else {
                continue;
            };
            let scan = scan_text(entry.path(), &text, &Options::default());
            let sites = scan.sites.iter().filter(|site| site.finder == "resource");
            let sites: BTreeSet<String> = sites.map(|site| site.path.to_string()).collect();
            for document in serde_yaml::Deserializer::from_str(&text) {
                let Ok(value) = Value::deserialize(document) else {
                    break;
                };
                meet(&value, &sites, &mut missing);
            }
        }
    }
    let places: Vec<_> = catalogue();
    let first = places.len() - treatments();
    let missing: Vec<String> = missing
        .iter()
        .map(|row| {
            format!(
                "{} {}",
                places[first + row].objects,
                places[first + row].field
            )
        })
        .collect();
    assert!(missing.is_empty(), "no case has {missing:#?}");
}

/// Takes away the rows that the objects in a document are about.
fn meet(value: &Value, sites: &BTreeSet<String>, missing: &mut BTreeSet<usize>) {
    let mut found = Vec::new();
    objects(value, "", &mut found);
    for (group, kind, way, object) in found {
        let mut texts = Vec::new();
        leaves(&object, &[], &way, &mut texts);
        for (keys, path) in texts {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let Some((row, treated)) = treated(&group, &kind, &keys) else {
                continue;
            };
            let map = path.rsplit_once('.').map_or("", |(map, _)| map);
            let is_site = sites.contains(&path) || sites.contains(map);
            let fits = (treated == Treated::Nothing) != is_site;
            if fits {
                missing.remove(&row);
            }
        }
    }
}

/// Fields of public custom resources that neither shape nor table decides, and why each is left.
#[rustfmt::skip]
const LEFT: &[(&str, &str)] = &[
    ("ImageTag", "a tag"),
    ("imageTag", "a tag"),
    ("image_version", "a tag"),
    ("Version", "a tag"),
    ("imageLookup", "names of machine images"),
    ("imageStream", "an image stream"),
    ("InitImageURL", "a disk"),
    ("initImageURL", "a disk"),
    ("imageCatalogRef", "the name of an object"),
    ("imageSet", "the name of an object"),
    ("imageRegistryARN", "a role"),
    ("backingImage", "a disk"),
    ("matchImages", "what is matched"),
    ("rewriteImage", "how packages are renamed"),
    ("wasm", "a module"),
    ("imageType", "a word"),
    ("image {imageType}", "a word"),
    ("console.image {}", "a map that says nothing of its keys"),
    ("sidecar_docker_images", "a map whose values have a row"),
    ("sbom.containerImage", "settings of a scan"),
    ("imagePath", "a part that stands behind `registry`, which has a row, and stays"),
    ("imagePrefix", "the same"),
    ("image_web_version", "a tag"),
    ("containerImageName", "Kamaji joins it behind `registrySettings.registry`"),
    ("addons.coreDNS.imageRepository", "kubeadm's rule for CoreDNS, behind defaults that are not known here"),
    ("addons.kubeProxy.imageRepository", "the same"),
    ("artifact.flinkImageRe", "parts under keys of their own; StreamNative joins them"),
];

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn the_fields_of_public_custom_resources_are_decided() {
    let shared = std::env::var_os("ECR_REWRITE_SHARED").expect("ECR_REWRITE_SHARED");
    let list = PathBuf::from(shared).join("data/crd-image-fields.txt");
    let spelled = kinds();
    let (mut all, mut left) = (0, Vec::new());
    for line in fs::read_to_string(list).unwrap().lines() {
        let Some((head, fields)) = line.split_once(": ") else {
            continue;
        };
        let head: Vec<&str> = head.split(' ').collect();
        let [group, kind, version] = head[..] else {
            continue;
        };
        let same = |name: &str| name.eq_ignore_ascii_case(kind);
        let known = spelled.iter().find(|name| same(name));
        let kind = known.map_or(kind, String::as_str);
        for field in fields.split("; ") {
            all += 1;
            let (path, shape) = field.split_once(' ').unwrap_or((field, ""));
            let object = object(group, version, kind, path, shape);
            let scan = scan_text(Path::new("a.yaml"), &object, &Options::default());
            let keys: Vec<String> = path.split('.').map(|key| key.replace("[]", "")).collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let is_known = treated(group, kind, &keys).is_some() || !scan.sites.is_empty();
            if !is_known && !LEFT.iter().any(|(word, _)| field.contains(word)) {
                left.push(format!("{group} {kind} {field}"));
            }
        }
    }
    println!("{all} fields, {} of them not looked at", left.len());
    left.iter().for_each(|field| println!("  {field}"));
    assert!(left.is_empty(), "{} fields are not decided", left.len());
}

/// The kinds of the table's rows, as they are spelled.
fn kinds() -> Vec<String> {
    let places = catalogue();
    let of_table = &places[places.len() - treatments()..];
    let kinds = of_table.iter().filter_map(|place| {
        let (_, kinds) = place.objects.split_once("`: ")?;
        Some(kinds.split(", ").map(String::from))
    });
    kinds.flatten().collect()
}

/// A minimal object with a plausible value at the path.
fn object(group: &str, version: &str, kind: &str, path: &str, shape: &str) -> String {
    let image = "quay.io/acme/app:1.2";
    let map = |keys: &str| {
        let keys: Vec<&str> = keys.trim_matches(['{', '}']).split(',').collect();
        let pairs = keys.iter().filter_map(|key| {
            let value = match *key {
                "registry" => "quay.io",
                "repository" | "repo" => "acme/app",
                "tag" | "version" | "versionTag" => "\"1.2\"",
                "reference" | "application" | "init" | "name" | "image" => image,
                "pullPolicy" => "Always",
                key if key.starts_with("tempo") => image,
                _ => return None,
            };
            Some(format!("{key}: {value}"))
        });
        format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
    };
    let mut value = match shape {
        "" => image.to_string(),
        shape if shape.starts_with('{') => map(shape),
        shape if shape.starts_with("[object:") => {
            format!("[{}]", map(&shape[8..].replace(']', "")))
        }
        _ => format!("[{image}]"),
    };
    for key in path.split('.').rev() {
        value = match (key.strip_suffix("[]"), key) {
            (Some(key), _) => format!("{{{key}: [{value}]}}"),
            (None, "*") => format!("{{some: {value}}}"),
            (None, key) => format!("{{{key}: {value}}}"),
        };
    }
    let value = value
        .trim_start_matches('{')
        .strip_suffix('}')
        .unwrap_or("")
        .to_string();
    let rest = format!("{{apiVersion: {group}/{version}, kind: {kind}, {value}}}\n");
    rest
}
