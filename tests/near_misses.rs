//! Near-misses: scalars of a tree that look like references to images and are no site of any kind.
//!
//! A tool for reviews, and no check: it prints what may have been missed, one line for each kind of
//! place, the most frequent first. Run it over the corpus, or over any folder:
//! `ECR_REWRITE_NEAR=FOLDER cargo test --test near_misses -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // the list is for who runs it

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ecr_rewrite::image::ImageRef;
use ecr_rewrite::rules::{ecr_host, upstreams};
use ecr_rewrite::scan::{Options, Scan, scan_text};
use ecr_rewrite::source::Lines;
use ecr_rewrite::yaml::{Document, Inside, Kind, NodeId, documents};
use walkdir::WalkDir;

/// Files of the tree that a run would read by name.
const SUFFIXES: &[&str] = &["yaml", "yml", "json", "tpl", "gotmpl", "tmpl", "j2"];
/// What stands between the pieces of a longer text.
const BETWEEN: &[char] = &[
    ' ', '=', ',', ';', '"', '\'', '\n', '\t', '(', ')', '[', ']', '{', '}', '`', '<', '>',
];
/// Longer texts are documents or scripts, of which the first pieces tell enough.
const PIECES: usize = 2000;

/// A place that may name an image.
struct Near {
    at: String,
    path: String,
    text: String,
}

#[test]
#[ignore = "needs ECR_REWRITE_NEAR or ECR_REWRITE_SHARED"]
fn near_misses() {
    let root = std::env::var_os("ECR_REWRITE_NEAR").map(PathBuf::from);
    let shared = || PathBuf::from(std::env::var_os("ECR_REWRITE_SHARED").unwrap()).join("corpus");
    let root = root.unwrap_or_else(shared);
    let mut kinds: BTreeMap<String, Vec<Near>> = BTreeMap::new();
    let mut unread = 0;
    for entry in WalkDir::new(&root).sort_by_file_name() {
        let entry = entry.unwrap();
        let suffix = entry.path().extension().and_then(|suffix| suffix.to_str());
        if !entry.file_type().is_file() || !suffix.is_some_and(|suffix| SUFFIXES.contains(&suffix))
        {
            continue;
        }
        let Ok(text) = fs::read_to_string(entry.path()) else {
            continue;
        };
        let below = entry.path().strip_prefix(&root).unwrap();
        if !near_in(below, &text, &mut kinds) {
            unread += 1;
        }
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, near)| std::cmp::Reverse(near.len()));
    let places: usize = kinds.iter().map(|(_, near)| near.len()).sum();
    println!(
        "{places} near-misses of {} kinds; {unread} files could not be read whole",
        kinds.len()
    );
    for (_, near) in &kinds {
        let texts: BTreeSet<&str> = near.iter().map(|near| near.text.as_str()).collect();
        let first = &near[0];
        println!(
            "{:5}  {}  {}  {}",
            near.len(),
            first.at,
            first.path,
            first.text
        );
        for text in texts.iter().filter(|text| **text != first.text).take(2) {
            println!("       … {text}");
        }
    }
}

/// Adds the near-misses of a file; false when a document of it is not YAML.
fn near_in(path: &Path, text: &str, kinds: &mut BTreeMap<String, Vec<Near>>) -> bool {
    let scan = scan_text(path, text, &Options::default());
    let sites = covered(&scan);
    let lines = Lines::new(text);
    let mut whole = true;
    for document in documents(text) {
        let Ok(document) = document else {
            whole = false;
            continue;
        };
        let mut reader = Reader {
            text,
            path,
            sites: &sites,
            lines: &lines,
            kinds,
        };
        reader.document(&document, "", &head(&document));
    }
    whole
}

/// The first bytes of all scalars that sites and policies cover.
fn covered(scan: &Scan) -> BTreeSet<usize> {
    let sites = scan.sites.iter().chain(&scan.unproven);
    let scalars = sites.flat_map(|site| {
        site.scalars()
            .map(|scalar| scalar.place.span().start)
            .chain([site.span().start])
    });
    scalars
        .chain(scan.keyed.iter().map(|keyed| keyed.span.start))
        .collect()
}

/// What a document is, so that kinds of places can be told apart.
fn head(document: &Document<'_>) -> String {
    let text = |key| document.text_at(0, &[key]).unwrap_or("");
    format!(
        "{} {}",
        text("apiVersion").split('/').next().unwrap_or(""),
        text("kind")
    )
}

struct Reader<'r> {
    text: &'r str,
    path: &'r Path,
    sites: &'r BTreeSet<usize>,
    lines: &'r Lines<'r>,
    kinds: &'r mut BTreeMap<String, Vec<Near>>,
}

impl Reader<'_> {
    fn document(&mut self, document: &Document<'_>, above: &str, head: &str) {
        if document.text_at(0, &["kind"]) == Some("CustomResourceDefinition") {
            return;
        }
        for id in 0..document.nodes.len() {
            let Kind::Scalar { value, .. } = &document.node(id).kind else {
                continue;
            };
            let is_key = is_key(document, id);
            let own = if is_key {
                String::new()
            } else {
                key_path(document, id)
            };
            let path = format!("{above}{own}");
            if !is_key
                && value.contains('\n')
                && value.contains(':')
                && self.nested(document, id, &path, head)
            {
                continue;
            }
            let start = document.node(id).span.start;
            if self.is_covered(start) || is_key && !value.contains('/') {
                continue;
            }
            let key = own.rsplit(['.', '[']).next().unwrap_or("");
            for piece in near(value, key) {
                let shape = path
                    .chars()
                    .filter(|c| !c.is_ascii_digit())
                    .collect::<String>();
                let at = format!(
                    "{}:{}",
                    self.path.display(),
                    self.lines.position(start).line
                );
                let text = piece.chars().take(120).collect();
                let kind = format!("{head} {shape}");
                self.kinds.entry(kind).or_default().push(Near {
                    at,
                    path: path.clone(),
                    text,
                });
            }
        }
    }

    /// Whether a text was read as documents of its own.
    fn nested(&mut self, document: &Document<'_>, id: NodeId, path: &str, head: &str) -> bool {
        let Some(inside) = Inside::of(self.text, document, id) else {
            return false;
        };
        let inner: Vec<_> = inside.documents().collect();
        let all = inner.iter().all(|inner| {
            inner
                .as_ref()
                .is_ok_and(|inner| !matches!(inner.node(0).kind, Kind::Scalar { .. }))
        });
        if all {
            for inner in inner.into_iter().flatten() {
                self.document(&inner, &format!("{path} > "), &format!("{head} >"));
            }
        }
        all
    }

    /// Whether a site begins at the scalar, or just behind its quote.
    fn is_covered(&self, start: usize) -> bool {
        self.sites.range(start..=start + 1).next().is_some()
    }
}

fn is_key(document: &Document<'_>, id: NodeId) -> bool {
    let node = document.node(id);
    matches!(document.node(node.parent).kind, Kind::Mapping)
        && node.position.is_multiple_of(2)
        && id != 0
}

/// The keys that lead to a node, list positions as `[]`.
fn key_path(document: &Document<'_>, id: NodeId) -> String {
    let mut parts = Vec::new();
    let mut at = id;
    while document.node(at).parent != at {
        let parent = document.node(at).parent;
        let part = match document.node(parent).kind {
            Kind::Mapping => document.text(at - 1).unwrap_or("?").to_string(),
            _ => "[]".to_string(),
        };
        parts.push(part);
        at = parent;
    }
    parts.reverse();
    parts.join(".")
}

/// The pieces of a text that look like references.
fn near<'t>(value: &'t str, key: &str) -> Vec<&'t str> {
    let key = key.to_ascii_lowercase();
    let pieces = value
        .split(BETWEEN)
        .filter(|piece| piece.len() > 3)
        .take(PIECES);
    let looks = |piece: &&str| {
        let piece = piece.trim_end_matches(['.', ':', '\\']);
        let piece = piece.strip_prefix("docker://").unwrap_or(piece);
        let Ok(image) = ImageRef::parse(piece) else {
            return false;
        };
        let known = image.registry().is_some_and(upstreams::is_known)
            || ecr_host::ecr_host_of(piece).is_some();
        let tagged = image
            .tag()
            .is_some_and(|tag| tag.chars().any(|c| c.is_ascii_digit()) || tag == "latest")
            || image.digest().is_some();
        let is_name = image
            .repository()
            .contains(|c: char| c.is_ascii_alphabetic());
        let in_path = image.repository().contains('/');
        known
            || tagged && is_name && (in_path && image.registry().is_none() || key.contains("image"))
    };
    pieces.filter(looks).collect()
}
