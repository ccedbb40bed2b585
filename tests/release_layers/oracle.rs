//! What the tools merge, worked out from the files a second time, without the program's code.

use serde::Deserialize as _;
use serde_yaml::Value;

use super::common::REGISTRY;
use super::helm::{Image, Reading, host_and_path, merge, repository_in_cache, values};

/// A registry and a repository that a layer sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts(pub Option<&'static str>, pub Option<&'static str>);

/// Where a layer's values are: a file of the unit, a document of it, and the way to them.
#[derive(Clone, Copy, Debug)]
pub enum Where {
    File(usize),
    /// A map in an object.
    Map(usize, usize, &'static [&'static str]),
    /// A text in an object.
    Text(usize, usize, &'static [&'static str]),
    /// A map in a text in an object.
    MapInText(
        usize,
        usize,
        &'static [&'static str],
        &'static [&'static str],
    ),
    /// A list of names and values.
    Named(usize, usize, &'static [&'static str]),
    /// A map of dotted keys.
    Dotted(usize, usize, &'static [&'static str]),
}

/// Files that hang together, and the layers of each merge.
#[derive(Clone, Debug)]
pub struct Unit {
    pub files: Vec<(String, String)>,
    pub combinations: Vec<Vec<Where>>,
}

fn at<'v>(value: &'v Value, way: &[&str]) -> Option<&'v Value> {
    way.iter()
        .try_fold(value, |value, key| match key.parse::<usize>() {
            Ok(index) => value.get(index),
            Err(_) => value.get(key),
        })
}

fn document(text: &str, number: usize) -> Value {
    let document = serde_yaml::Deserializer::from_str(text)
        .nth(number)
        .unwrap();
    Value::deserialize(document).unwrap()
}

/// Values from paths of keys and texts.
fn set<'v>(pairs: impl Iterator<Item = (&'v str, &'v Value)>) -> Value {
    let mut all = Value::Mapping(serde_yaml::Mapping::new());
    for (path, value) in pairs {
        let nested = path.rsplit('.').fold(value.clone(), |inner, key| {
            let mut map = serde_yaml::Mapping::new();
            map.insert(key.into(), inner);
            Value::Mapping(map)
        });
        all = merge(&all, &nested);
    }
    all
}

impl Where {
    fn values(self, texts: &[String]) -> Value {
        let text = |value: Option<Value>| {
            values(
                value
                    .and_then(|value| value.as_str().map(ToString::to_string))
                    .unwrap_or_default()
                    .as_str(),
            )
        };
        let get = |file: usize, number, way| at(&document(&texts[file], number), way).cloned();
        match self {
            Self::File(file) => values(&texts[file]),
            Self::Map(file, number, way) => get(file, number, way).unwrap(),
            Self::Text(file, number, way) => text(get(file, number, way)),
            Self::MapInText(file, number, way, inner) => {
                let object = text(get(file, number, way));
                at(&object, inner).cloned().unwrap()
            }
            Self::Named(file, number, way) => {
                let list = get(file, number, way).unwrap();
                let items = list.as_sequence().unwrap().iter();
                set(items.map(|item| (item["name"].as_str().unwrap(), &item["value"])))
            }
            Self::Dotted(file, number, way) => {
                let map = get(file, number, way).unwrap();
                let pairs = map.as_mapping().unwrap().iter();
                set(pairs.map(|(key, value)| (key.as_str().unwrap(), value)))
            }
        }
    }
}

impl Unit {
    pub fn before(&self) -> Vec<String> {
        self.files.iter().map(|(_, text)| text.clone()).collect()
    }

    fn image(combination: &[Where], texts: &[String]) -> Image {
        let layers = combination.iter().map(|layer| layer.values(texts));
        let merged = layers.reduce(|base, over| merge(&base, &over)).unwrap();
        Image::of(&merged, &["image"])
    }

    /// What is wrong with the texts `after`; `complete` when every file was given.
    pub fn problems(&self, after: &[String], complete: bool) -> Vec<String> {
        let before = self.before();
        let mut problems = Vec::new();
        if before == after {
            return problems;
        }
        for (number, combination) in self.combinations.iter().enumerate() {
            let (old, new) = (
                Self::image(combination, &before),
                Self::image(combination, after),
            );
            let (from, to) = (
                old.reference(Reading::LocalWins),
                new.reference(Reading::LocalWins),
            );
            let right = old.right(Reading::LocalWins);
            if from != to && !to.as_ref().is_some_and(|to| right.contains(to))
                || complete && from == to && from.is_some_and(|from| !right.contains(&from))
            {
                problems.push(format!("{number}: {old:?} became {new:?}"));
            }
            // A registry alone belongs to a repository that nobody sees.
            if old.repository.is_none() && old != new {
                problems.push(format!(
                    "{number}: {old:?} became {new:?} without a repository"
                ));
            }
        }
        for ((path, before), after) in self.files.iter().zip(after) {
            let rest = |text: &str| -> Vec<String> {
                let others = text.lines().filter(|line| !line.contains(['/', '.']));
                others.map(Into::into).collect()
            };
            if rest(before) != rest(after)
                || before.matches(" # ").count() != after.matches(" # ").count()
            {
                problems.push(format!("{path}: something else changed"));
            }
        }
        problems
    }

    /// Whether everything about it is certain, so that it has to change: each merge has a registry with
    /// a rule and a repository without one, and no two ask for different texts of one scalar.
    pub fn must_change(&self) -> bool {
        let texts = self.before();
        let mut wanted: std::collections::BTreeMap<(String, &str), String> =
            std::collections::BTreeMap::new();
        for combination in &self.combinations {
            let image = Self::image(combination, &texts);
            let (Some(registry), Some(repository)) = (&image.local, &image.repository) else {
                return false;
            };
            let layers: Vec<Value> = combination
                .iter()
                .map(|layer| layer.values(&texts))
                .collect();
            let inside = layers.iter().any(|layer| {
                let repository = at(layer, &["image", "repository"]).and_then(Value::as_str);
                repository.is_some_and(|repository| host_and_path(repository).0.is_some())
            });
            let Some(cached) = repository_in_cache(registry, repository) else {
                return false;
            };
            for (key, text) in [("registry", REGISTRY.to_string()), ("repository", cached)] {
                let has = |layer: &Value| at(layer, &["image", key]).is_some();
                let from = layers.iter().rposition(has).unwrap();
                let place = (format!("{:?}", combination[from]), key);
                if inside || *wanted.entry(place).or_insert_with(|| text.clone()) != text {
                    return false;
                }
            }
        }
        // A chart's own values without a registry may be those of a chart that reads none.
        let defaults = self
            .files
            .iter()
            .find(|(path, _)| path.ends_with("/chart/values.yaml"));
        defaults.is_none_or(|(_, text)| {
            at(&values(text), &["image", "registry"]).is_some()
                || at(&values(text), &["image"]).is_none()
        })
    }

    /// The files before and after, for people.
    pub fn told(&self, after: &[String]) -> String {
        let pairs = self.files.iter().zip(after);
        pairs
            .map(|((path, before), after)| {
                if before == after {
                    format!("== {path} (unchanged)\n{before}")
                } else {
                    format!("== {path}\n{before}-- now\n{after}")
                }
            })
            .collect()
    }
}
