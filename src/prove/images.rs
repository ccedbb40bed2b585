//! The images of a rendering, and where those outside of ECR come from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::compare::{expected, is_well_formed, objects};
use crate::helm::package::{self, ChartFile};
use crate::helm::template::Chart;
use crate::image::{Canonical, DOCKER_HUB, ImageRef};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::rules::{RuleSet, Verdict};
use crate::scan::{self, scan_text};
use crate::sites::is_chart_file;
use crate::source::Lines;

/// Of more images than these of one rendering, it is not looked for where they come from.
const MAX_ORIGINS: usize = 1_000;
/// Files that are larger are not searched.
const MAX_SEARCHED: u64 = 4 << 20;
/// Keys that begin the name of an image, and those that end it.
const FRONTS: &[&str] = &["registry", "hub", "repository"];
const ENDS: &[&str] = &["repository", "image", "name", "repo"];

/// An image of a rendering.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Image {
    /// As it is rendered.
    pub(super) reference: String,
    /// The template that makes it, when the tool says so.
    pub(super) template: String,
}

/// An image that is not in ECR.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outside {
    /// As it is rendered.
    pub image: String,
    /// What the rules make of it, when one maps it; else why none does.
    pub verdict: Result<String, Reason>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where an image outside of ECR comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A file of the repository names it.
    File {
        /// The file, as it is shown.
        path: PathBuf,
        /// The line, 1-based.
        line: usize,
        /// Why it stays, when the plan says so.
        reason: Option<&'static str>,
    },
    /// The values that a chart brings.
    ChartDefault {
        /// The path of the value.
        value: String,
        /// The values that move it, as a rendering with them has shown.
        moved_by: Vec<(String, String)>,
        /// Where it stands, and why it stays, when the chart lies in the repository.
        place: Option<(PathBuf, usize, Option<&'static str>)>,
    },
    /// A template of a chart writes it out.
    Template {
        /// The template, within its chart.
        path: String,
        /// The line, 1-based.
        line: usize,
    },
    /// Something makes it of parts.
    Made {
        /// The template that does, when that is known.
        template: String,
    },
}

impl Origin {
    /// Its code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::ChartDefault { .. } => "chart-default",
            Self::Template { .. } => "template",
            Self::Made { .. } => "made",
        }
    }
}

/// The images of a rendering: whatever the program takes for one that is pulled, each once.
pub(super) fn images(text: &str, options: &scan::Options) -> BTreeSet<Image> {
    let mut images = BTreeSet::new();
    for object in objects(text) {
        let scan = scan_text(Path::new("rendered.yaml"), object.text, options);
        let sites = scan.sites.iter();
        let pulled = sites.filter(|site| site.hold.is_none() && site.assumption.is_none());
        let whole = pulled.filter(|site| !crate::image::is_registry(site.text()));
        images.extend(whole.map(|site| Image {
            reference: site.text().to_string(),
            template: object.source.to_string(),
        }));
    }
    images
}

/// Whether what should be an image is none.
pub(super) fn is_malformed(reference: &str) -> bool {
    !crate::image::is_filled(reference) && !is_well_formed(reference)
}

/// Why a site stays, by the canonical name of its image.
#[derive(Debug, Default)]
pub struct Notes(BTreeMap<Canonical, Vec<Note>>);

#[derive(Debug)]
struct Note {
    real: PathBuf,
    shown: PathBuf,
    line: usize,
    reason: &'static str,
}

impl Notes {
    /// What a plan says of the sites that stay.
    pub fn of(plan: &Plan) -> Self {
        let mut notes: BTreeMap<Canonical, Vec<Note>> = BTreeMap::new();
        // A `Chart.yaml` lists images that stand elsewhere.
        let files = plan.files.iter();
        for file in files.filter(|file| !is_chart_file(&file.source.real)) {
            let lines = Lines::new(&file.source.text);
            // What names an image without pulling it says nothing of where that comes from.
            let skips = file.skips.iter().filter(|skip| !skip.reason.is_no_pull());
            let skips = skips.map(|skip| (skip.site, skip.reason.code()));
            let undecided = file.undecided.iter();
            let undecided = undecided.map(|one| (one.site, one.assumption.code()));
            for (site, reason) in skips.chain(undecided) {
                let site = &file.sites[site];
                let Ok(image) = ImageRef::parse(site.text()) else {
                    continue;
                };
                let note = Note {
                    real: file.source.real.clone(),
                    shown: file.source.path.clone(),
                    line: lines.position(site.span().start).line,
                    reason,
                };
                notes
                    .entry(file.rules.canonical(&image))
                    .or_default()
                    .push(note);
            }
        }
        Self(notes)
    }

    /// The first of the inputs that names an image and of which that is told.
    fn find(&self, image: &Canonical, is_input: &dyn Fn(&Path) -> bool) -> Option<&Note> {
        let notes = self.0.get(image)?;
        notes.iter().find(|note| is_input(&note.real))
    }
}

/// What a rendering was made of.
pub(super) struct Inputs<'i> {
    /// The files, with the paths that are shown.
    pub(super) files: &'i BTreeSet<PathBuf>,
    /// Whether a file is one of them.
    pub(super) is_input: &'i dyn Fn(&Path) -> bool,
    /// How a path is shown.
    pub(super) shown: &'i dyn Fn(&Path) -> PathBuf,
    /// The folder or package of the chart.
    pub(super) chart: Option<&'i Path>,
    /// The values over those of the chart, with the path that is shown.
    pub(super) layers: Vec<(PathBuf, PathBuf)>,
}

/// The images of a rendering that are not in ECR, and where they come from.
pub(super) fn outside(
    images: &BTreeSet<Image>,
    rules: &RuleSet,
    notes: &Notes,
    inputs: &Inputs<'_>,
) -> Vec<(Outside, Vec<Moves>)> {
    let mut chart = None;
    let mut found = Vec::new();
    for image in images {
        let Ok(parsed) = ImageRef::parse(&image.reference) else {
            continue;
        };
        if rules.text_is_ecr(&image.reference) {
            continue;
        }
        let verdict = match rules.decide(&parsed) {
            Verdict::Rewrite { .. } => {
                let wanted = expected(&image.reference, rules);
                wanted.ok_or(Reason::NotAnImage)
            }
            Verdict::Keep(Reason::AlreadyEcr, _) => continue,
            Verdict::Keep(reason, _) => Err(reason),
        };
        let search = Search {
            image,
            canonical: rules.canonical(&parsed),
            rules,
            notes,
            inputs,
        };
        let own = inputs
            .chart
            .map(|path| &*chart.get_or_insert_with(|| ChartTexts::read(path)));
        let (origin, moves) = if found.len() < MAX_ORIGINS {
            search.origin(own)
        } else {
            (search.made(), Vec::new())
        };
        let outside = Outside {
            image: image.reference.clone(),
            verdict,
            origin,
        };
        found.push((outside, moves));
    }
    found
}

/// Values that may move an image: each a path and its text.
pub(super) type Moves = Vec<(Vec<String>, String)>;

/// The files of a chart, and all the values that it brings.
struct ChartTexts {
    files: Vec<ChartFile>,
    values: Value,
}

impl ChartTexts {
    fn read(path: &Path) -> Self {
        let files = if path.is_dir() {
            package::read_folder(path)
        } else {
            fs::read(path).and_then(|bytes| package::unpack(&bytes))
        };
        let files = files.unwrap_or_default();
        let chart = Chart::from_files(files.clone());
        let values = chart.ok().and_then(|chart| chart.all_values().ok());
        Self {
            files,
            values: values.unwrap_or(Value::Null),
        }
    }
}

struct Search<'s> {
    image: &'s Image,
    canonical: Canonical,
    rules: &'s RuleSet,
    notes: &'s Notes,
    inputs: &'s Inputs<'s>,
}

impl Search<'_> {
    /// Where the image comes from, and what may move it.
    fn origin(&self, chart: Option<&ChartTexts>) -> (Origin, Vec<Moves>) {
        let note = self.notes.find(&self.canonical, self.inputs.is_input);
        let Some(chart) = chart else {
            return (self.in_files(note), Vec::new());
        };
        if let Some(path) = self.in_layers() {
            return (path, Vec::new());
        }
        let mut spots = Vec::new();
        self.spots(&chart.values, &mut Vec::new(), &mut spots);
        if let Some(spot) = spots.first() {
            let place = note.map(|note| (note.shown.clone(), note.line, Some(note.reason)));
            let origin = Origin::ChartDefault {
                value: spot.0.join("."),
                moved_by: Vec::new(),
                place,
            };
            // Several values may name one image: all of them move it.
            let first: Moves = spots.iter().flat_map(|spot| spot.1.clone()).collect();
            let others = spots.iter().flat_map(|spot| spot.2.clone()).collect();
            return (origin, vec![first, others]);
        }
        if let Some(origin) = self.in_templates(chart) {
            return (origin, Vec::new());
        }
        match note {
            Some(_) => (self.in_files(note), Vec::new()),
            None => (self.made(), Vec::new()),
        }
    }

    fn made(&self) -> Origin {
        Origin::Made {
            template: self.image.template.clone(),
        }
    }

    /// The file that names it.
    fn in_files(&self, note: Option<&Note>) -> Origin {
        if let Some(note) = note {
            return Origin::File {
                path: note.shown.clone(),
                line: note.line,
                reason: Some(note.reason),
            };
        }
        let mut files = self.inputs.files.iter();
        let found = files.find_map(|file| Some((file, self.line_in_file(file)?)));
        match found {
            Some((file, line)) => Origin::File {
                path: (self.inputs.shown)(file),
                line,
                reason: None,
            },
            None => self.made(),
        }
    }

    /// The values of the user that name it.
    fn in_layers(&self) -> Option<Origin> {
        self.inputs.layers.iter().find_map(|(file, shown)| {
            let line = self.line_in_file(file)?;
            let note = self.notes.find(&self.canonical, &|path| path == file);
            Some(Origin::File {
                path: shown.clone(),
                line: note.map_or(line, |note| note.line),
                reason: note.map(|note| note.reason),
            })
        })
    }

    fn in_templates(&self, chart: &ChartTexts) -> Option<Origin> {
        let is_template = |path: &str| path.contains("templates/") || path.contains("crds/");
        let own = |path: &str| self.image.template.ends_with(path);
        let templates = chart.files.iter().filter(|(path, _)| is_template(path));
        let (first, others): (Vec<_>, Vec<_>) = templates.partition(|(path, _)| own(path));
        first.into_iter().chain(others).find_map(|(path, text)| {
            Some(Origin::Template {
                path: path.clone(),
                line: self.line_of(text)?,
            })
        })
    }

    fn line_in_file(&self, file: &Path) -> Option<usize> {
        let size = file.metadata().ok()?.len();
        let text = (size <= MAX_SEARCHED).then(|| fs::read_to_string(file).ok())?;
        self.line_of(&text?)
    }

    /// The line that names the image: its path as a word of its own.
    fn line_of(&self, text: &str) -> Option<usize> {
        let path = self.canonical.path.as_str();
        let path = path.strip_prefix("library/").unwrap_or(path);
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let names = |line: &str| {
            let mut found = line.match_indices(path);
            found.any(|(at, _)| {
                let (before, after) = (&line[..at], &line[at + path.len()..]);
                let is_word = !before.ends_with(is_of_name)
                    && !after.starts_with(|c: char| is_of_name(c) || c == '/');
                // A single word is in many texts.
                let is_long = path.contains('/') || line.to_ascii_lowercase().contains("image");
                let is_named = is_long
                    || line.trim_start().starts_with("repository")
                    || line.trim_start().starts_with("- name");
                is_word && is_named && !line.trim_start().starts_with('#')
            })
        };
        text.lines().position(names).map(|line| line + 1)
    }

    /// The values that name the image, each with what moves it, and what else might.
    fn spots(&self, value: &Value, at: &mut Vec<String>, found: &mut Vec<Spot>) {
        let Value::Object(map) = value else { return };
        if let Some(spot) = self.in_parts(map, at) {
            found.push(spot);
            return;
        }
        for (key, value) in map {
            at.push(key.clone());
            match value {
                Value::String(text) => found.extend(self.whole(key, text, at)),
                _ => self.spots(value, at, found),
            }
            at.pop();
        }
    }

    /// The registry and the rest of what the rules make of the image.
    fn wanted(&self) -> Option<(String, String)> {
        let name = self.canonical.to_string();
        let wanted = expected(&name, self.rules)?;
        let (registry, path) = wanted.split_once('/')?;
        Some((registry.to_string(), path.to_string()))
    }

    /// A map that names the image in parts.
    fn in_parts(&self, map: &Map<String, Value>, at: &[String]) -> Option<Spot> {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let mut pairs = FRONTS
            .iter()
            .flat_map(|front| ENDS.iter().map(move |end| (*front, *end)));
        let (front, end) = pairs.find(|(front, end)| {
            if front == end {
                return false;
            }
            let (Some(first), Some(second)) = (text(front), text(end)) else {
                return false;
            };
            let first = if first.is_empty() { DOCKER_HUB } else { first };
            self.means(&format!("{first}/{second}"))
        })?;
        let below = |key: &str| [at, &[key.to_string()]].concat();
        let moves = self
            .wanted()
            .map(|(registry, path)| vec![(below(front), registry), (below(end), path)]);
        Some((below(end), moves.unwrap_or_default(), Vec::new()))
    }

    /// A value that names the image as a whole, or its path alone.
    fn whole(&self, key: &str, text: &str, at: &[String]) -> Option<Spot> {
        let Ok(image) = ImageRef::parse(text) else {
            return None;
        };
        let is_named = ENDS.contains(&key) || key.to_ascii_lowercase().contains("image");
        let is_sure = is_named || text.contains('/');
        let path = self.canonical.path.as_str();
        let is_path = image.registry().is_none()
            && (text == path || path.strip_prefix("library/") == Some(text));
        if !is_sure || !(self.means(text) || is_path) {
            return None;
        }
        let Some((registry, path)) = self.wanted() else {
            return Some((at.to_vec(), Vec::new(), Vec::new()));
        };
        let suffix = image.suffix();
        let moves = vec![(at.to_vec(), format!("{registry}/{path}{suffix}"))];
        let beside = at.split_last().map_or(Vec::new(), |(_, above)| {
            [above, &["registry".to_string()]].concat()
        });
        let others = vec![(beside, registry), (at.to_vec(), path + &suffix)];
        Some((at.to_vec(), moves, others))
    }

    /// Whether a text names the image.
    fn means(&self, text: &str) -> bool {
        let image = ImageRef::parse(text);
        image.is_ok_and(|image| self.rules.canonical(&image) == self.canonical)
    }
}

/// The path of a value, what moves the image there, and what might if that does not.
type Spot = (Vec<String>, Moves, Moves);

/// Values that set texts at paths.
/// Those that are `true` are so as values, too.
pub(super) fn values_of<'m>(moves: impl Iterator<Item = &'m (Vec<String>, String)>) -> Value {
    let mut values = Value::Object(Map::new());
    for (path, text) in moves {
        let value = match text.as_str() {
            "true" => Value::Bool(true),
            text => Value::String(text.to_string()),
        };
        let nested = path.iter().rev().fold(value, |inner, key| {
            Value::Object(Map::from_iter([(key.clone(), inner)]))
        });
        crate::helm::layered::put_over(&mut values, nested);
    }
    values
}

/// The path of a value as people write it.
pub(super) fn shown_path(path: &[String]) -> String {
    path.join(".")
}
