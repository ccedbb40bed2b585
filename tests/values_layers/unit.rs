//! A unit: files that Helm combines, the combinations, and the check of what became of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_yaml::Value;

use super::common::{REGISTRY, put};
use super::helm::{
    GLOBALS, Image, PREFIXES, Reading, below, host_and_path, merge, repository_in_cache, values,
};

/// A file of a unit: its path below the tree, and its text.
#[derive(Clone, Debug)]
pub struct File {
    pub path: String,
    pub text: String,
    /// Whether it may be edited: a vendored chart may not, nor a `Chart.yaml`.
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Values of the team's own.
    Values,
    /// Values of a copied chart: read, never edited.
    Vendored,
    /// No values.
    Other,
}

/// Values that Helm merges for one release or one of its subcharts: the files, by their place in
/// the unit, and the key below which each has them.
#[derive(Clone, Debug)]
pub struct Combination {
    pub label: String,
    pub layers: Vec<(usize, &'static str)>,
    /// Whether the chart is elsewhere, and brings parts that no file here shows.
    pub open: bool,
}

/// Files that hang together, apart from every other unit.
#[derive(Clone, Debug)]
pub struct Unit {
    pub name: String,
    /// What is counted together.
    pub shape: String,
    pub files: Vec<File>,
    pub combinations: Vec<Combination>,
    /// The keys that lead to the image.
    pub image: Vec<&'static str>,
    /// How charts may read it.
    pub readings: &'static [Reading],
}

/// The only reading where no registry stands for all images.
pub const PLAIN: &[Reading] = &[Reading::LocalWins];
/// Both orders of precedence.
pub const BOTH: &[Reading] = &[Reading::GlobalWins, Reading::LocalWins];

/// A scalar: its file, the key below which the file holds values for a subchart, and its own key.
pub type Scalar = (usize, &'static str, &'static str);
/// Scalars and what they must become.
pub type Demands = BTreeMap<Scalar, String>;

/// Stands for the key of an image that is one scalar.
pub const WHOLE: &str = "whole";

/// The values that a file holds below `key`; all of them when it is empty.
fn own<'v>(values: &'v Value, key: &str) -> Option<&'v Value> {
    if key.is_empty() {
        Some(values)
    } else {
        values.get(key)
    }
}

impl Unit {
    pub fn write(&self, folder: &Path) {
        for file in &self.files {
            put(folder, &file.path, file.text.as_bytes());
        }
    }

    /// The texts of the files as they are now.
    pub fn read(&self, folder: &Path) -> Vec<String> {
        let read = |file: &File| fs::read_to_string(folder.join(&file.path)).unwrap();
        self.files.iter().map(read).collect()
    }

    /// The image of a combination, by the texts of the files.
    fn merged(&self, combination: &Combination, texts: &[String]) -> Image {
        let mut merged = Value::Mapping(serde_yaml::Mapping::new());
        for (file, key) in &combination.layers {
            let all = values(&texts[*file]);
            if let Some(own) = own(&all, key) {
                merged = merge(&merged, own);
            }
            // A parent's `global` reaches its subcharts, and wins over theirs.
            if let (false, Some(global)) = (key.is_empty(), all.get("global")) {
                let mut map = serde_yaml::Mapping::new();
                map.insert("global".into(), global.clone());
                merged = merge(&merged, &Value::Mapping(map));
            }
        }
        Image::of(&merged, &self.image)
    }

    /// What is wrong with the texts `after`, of which `demands` must have been met.
    pub fn problems(&self, after: &[String], demands: Option<&Demands>) -> Vec<String> {
        let lenient = demands.is_none();
        let before: Vec<String> = self.files.iter().map(|file| file.text.clone()).collect();
        if before == after {
            return Vec::new();
        }
        let mut problems = self.damage(after);
        for combination in &self.combinations {
            let (old, new) = (
                self.merged(combination, &before),
                self.merged(combination, after),
            );
            for reading in self.readings {
                let label = self.label(combination, *reading);
                problems.extend(self.wrong(&old, &new, *reading, &label, lenient));
            }
            // One part alone belongs to a reference that nobody sees.
            let alone = old.local.is_some() != old.repository.is_some();
            let alone = alone
                && host_and_path(old.repository.as_deref().unwrap_or(""))
                    .0
                    .is_none();
            if combination.open && alone && old != new {
                let label = &combination.label;
                problems.push(format!(
                    "{label}: the other part is the chart's, and unknown"
                ));
            }
        }
        problems
    }

    /// The combination, and the reading when there are several.
    fn label(&self, combination: &Combination, reading: Reading) -> String {
        match self.readings {
            [_] => combination.label.clone(),
            _ => format!("{} ({reading:?})", combination.label),
        }
    }

    fn wrong(
        &self,
        old: &Image,
        new: &Image,
        reading: Reading,
        label: &str,
        lenient: bool,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        let (from, to) = (old.reference(reading), new.reference(reading));
        let mut right: Vec<Option<String>> = old.right(reading).into_iter().map(Some).collect();
        if right.is_empty() {
            right.push(None);
        }
        // With a registry for all images the repository's charts differ in what they do: an image
        // that stays is no mistake there. Nor is a whole reference, which hangs on no other part,
        // unless everything about it is certain.
        if self.readings.len() > 1 {
            right.push(from.clone());
            right.extend(host_behind_a_global(old, reading).map(Some));
        } else if old.whole.is_some() && lenient {
            right.push(from.clone());
        }
        if !right.contains(&to) {
            problems.push(format!(
                "{label}: {from:?} became {to:?}, right is {right:?}"
            ));
        }
        if let (Some(registry), Some(repository)) = (new.registry(reading), &new.repository) {
            let prefixed = |text: &str| {
                PREFIXES
                    .iter()
                    .any(|(_, prefix)| text.starts_with(&format!("{prefix}/")))
            };
            if from != to && (registry == REGISTRY) != prefixed(repository) {
                problems.push(format!(
                    "{label}: `{registry}` and `{repository}` are half done"
                ));
            }
        }
        problems
    }

    /// Anything but the parts of images that differs.
    fn damage(&self, after: &[String]) -> Vec<String> {
        let mut problems = Vec::new();
        for (file, after) in self.files.iter().zip(after) {
            let path = &file.path;
            if file.kind != Kind::Values && file.text != *after {
                problems.push(format!("{path} must not be edited"));
            }
            if without_images(&values(&file.text)) != without_images(&values(after)) {
                problems.push(format!("{path}: something else changed"));
            }
            let rest = |text: &str| -> Vec<String> {
                let others = text.split('\n').filter(|line| {
                    !line.contains("epository")
                        && !line.contains("egistry")
                        && !line.contains("mage")
                });
                others.map(Into::into).collect()
            };
            if rest(&file.text) != rest(after) {
                problems.push(format!("{path}: other lines changed"));
            }
            let other_endings = |text: &str| {
                let crlf = text.matches("\r\n").count();
                (text.matches('\n').count() - crlf).min(crlf)
            };
            if file.text.matches(" # ").count() != after.matches(" # ").count()
                || file.text.contains('\r') != after.contains('\r')
                || other_endings(after) > 0
            {
                problems.push(format!("{path}: a comment or a line ending is lost"));
            }
        }
        problems
    }

    /// What every scalar must become when the whole unit is certain and can be edited in place;
    /// `None` when a combination is incomplete, unknown or in doubt, when two combinations ask for
    /// different texts of one scalar, or when a copied chart would have to be edited.
    pub fn demands(&self) -> Option<Demands> {
        let texts: Vec<Value> = self.files.iter().map(|file| values(&file.text)).collect();
        if has_global(&texts, |registry| registry != "") {
            return None;
        }
        let mut demands = Demands::new();
        let mut hosts_inside = BTreeSet::new();
        for combination in &self.combinations {
            let at = |key| self.winner(combination, &texts, key);
            let mut demand = |scalar: Scalar, text: String| {
                let kept = demands.entry(scalar).or_insert_with(|| text.clone());
                *kept == text && self.files[scalar.0].kind == Kind::Values
            };
            let consistent = match (at(WHOLE), at("registry"), at("repository")) {
                (None, None, None) => true,
                (Some((scalar, whole)), None, None) => {
                    let (Some(host), path) = host_and_path(&whole) else {
                        return None;
                    };
                    let (path, tag) = path.rsplit_once(':').unwrap_or((path, ""));
                    let colon = if tag.is_empty() { "" } else { ":" };
                    let repository = repository_in_cache(host, path)?;
                    demand(scalar, format!("{REGISTRY}/{repository}{colon}{tag}"))
                }
                (None, None, Some((scalar, repository))) => {
                    hosts_inside.insert(true);
                    let (Some(host), path) = host_and_path(&repository) else {
                        return None;
                    };
                    let cached = repository_in_cache(host, path)?;
                    demand(scalar, format!("{REGISTRY}/{cached}"))
                }
                (None, Some((first, registry)), Some((second, repository))) => {
                    hosts_inside.insert(false);
                    let (None, path) = host_and_path(&repository) else {
                        return None;
                    };
                    let cached = repository_in_cache(&registry, path)?;
                    demand(first, REGISTRY.to_string()) && demand(second, cached)
                }
                _ => return None,
            };
            if !consistent {
                return None;
            }
        }
        let unread = self
            .combinations
            .iter()
            .any(|combination| self.is_registry_unread(combination, &texts));
        let odd = self.has_odd_registry(&texts)
            || hosts_inside.contains(&true) && has_global(&texts, |_| true);
        (!unread && hosts_inside.len() < 2 && !demands.is_empty() && !odd).then_some(demands)
    }

    /// The layer that a combination takes a part from, and the part.
    fn winner(
        &self,
        combination: &Combination,
        texts: &[Value],
        part: &'static str,
    ) -> Option<(Scalar, String)> {
        combination.layers.iter().rev().find_map(|(file, key)| {
            let node = below(own(&texts[*file], key)?, &self.image)?;
            let value = if part == WHOLE { node } else { node.get(part)? };
            Some(((*file, *key, part), value.as_str()?.to_string()))
        })
    }

    /// A chart whose own values name the image without a registry may not read one.
    fn is_registry_unread(&self, combination: &Combination, texts: &[Value]) -> bool {
        let (file, key) = &combination.layers[0];
        let node = own(&texts[*file], key).and_then(|own| below(own, &self.image));
        let own = |part: &str| node.is_some_and(|node| node.get(part).is_some());
        let is_default = self.files[*file].path.ends_with("/values.yaml");
        is_default
            && own("repository")
            && !own("registry")
            && self.winner(combination, texts, "registry").is_some()
    }

    /// A registry that is empty or null is no registry, but a place for one.
    fn has_odd_registry(&self, texts: &[Value]) -> bool {
        let keys = self
            .combinations
            .iter()
            .flat_map(|combination| &combination.layers);
        keys.into_iter().any(|(file, key)| {
            let node = own(&texts[*file], key).and_then(|own| below(own, &self.image));
            let registry = node.and_then(|node| node.get("registry"));
            registry.is_some_and(|value| value.as_str().is_none_or(str::is_empty))
        })
    }

    /// The files before and after and every combination, for people.
    pub fn told(&self, after: &[String]) -> String {
        let mut text = format!("--- {} [{}]\n", self.name, self.shape);
        let before: Vec<String> = self.files.iter().map(|file| file.text.clone()).collect();
        for (file, after) in self.files.iter().zip(after) {
            if file.kind == Kind::Other && !file.text.contains("dependencies") {
                continue;
            }
            if file.text == *after {
                _ = writeln!(text, "{} (unchanged):\n{}", file.path, indented(after));
            } else {
                let (old, new) = (indented(&file.text), indented(after));
                _ = writeln!(
                    text,
                    "{} before:\n{old}\n{} after:\n{new}",
                    file.path, file.path
                );
            }
        }
        for combination in &self.combinations {
            for reading in self.readings {
                let old = self.merged(combination, &before).reference(*reading);
                let new = self.merged(combination, after).reference(*reading);
                let show = |text: Option<String>| text.unwrap_or("no image".into());
                _ = writeln!(
                    text,
                    "  {}: {}\n    -> {}",
                    self.label(combination, *reading),
                    show(old),
                    show(new)
                );
            }
        }
        text
    }
}

/// Whether any file has such a registry for all images.
fn has_global(texts: &[Value], such: fn(&Value) -> bool) -> bool {
    texts.iter().any(|text| {
        GLOBALS
            .iter()
            .any(|keys| below(text, keys).is_some_and(such))
    })
}

/// A repository with a host behind a registry for all images: a chart that joins them pulls nothing
/// before or after; one that does not pulls what the repository says.
fn host_behind_a_global(old: &Image, reading: Reading) -> Option<String> {
    let repository = old.repository.as_deref()?;
    let (None, Some(global), (Some(host), path)) =
        (&old.local, &old.global, host_and_path(repository))
    else {
        return None;
    };
    let cached = repository_in_cache(host, path)?;
    let after = Image {
        repository: Some(format!("{REGISTRY}/{cached}")),
        global: Some(global.clone()),
        ..old.clone()
    };
    after.reference(reading)
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

/// The values without the parts of images, and without maps that held nothing else.
fn without_images(value: &Value) -> Value {
    let Value::Mapping(map) = value else {
        return value.clone();
    };
    let kept = map.iter().filter_map(|(key, value)| {
        let name = key.as_str().unwrap_or_default();
        let part = matches!(name, "registry" | "repository" | "image" | "imageRegistry")
            || name.ends_with("Image");
        if part && !value.is_mapping() {
            return None;
        }
        let value = without_images(value);
        let empty = value
            .as_mapping()
            .is_some_and(serde_yaml::Mapping::is_empty);
        (!empty).then(|| (key.clone(), value))
    });
    Value::Mapping(kept.collect())
}
