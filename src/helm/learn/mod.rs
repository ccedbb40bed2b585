//! Learns from renderings how a chart makes the names of its images out of values.
//!
//! Each value that may be a piece of a name gets a text of its own. Where such a text comes out, the
//! word around it shows how the pieces are tied. A [`Join`] is built from a number of renderings with
//! values set, emptied and left alone, and it is kept only when it says what came out in *all* of
//! them, also in those that it was not built from.

mod infer;
mod observe;
mod places;
mod trials;

use std::collections::BTreeMap;

use serde_json::Value;

use super::join::{Join, ValuePath};
use observe::Spot;
use places::Place;
use trials::Run;

/// A chart as text, with the charts that it depends on.
#[derive(Clone, Debug, Default)]
pub struct ChartTexts {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What lies below `templates/`: path below the chart, text.
    pub templates: Vec<(String, String)>,
    /// Its own default values.
    pub values: Value,
    /// The charts that it depends on.
    pub subcharts: Vec<Subchart>,
}

/// A chart that another one depends on.
#[derive(Clone, Debug, Default)]
pub struct Subchart {
    /// The key of its values in those of the parent: its alias or name.
    pub key: String,
    /// The values of the parent that switch it on.
    pub conditions: Vec<ValuePath>,
    /// The chart.
    pub chart: ChartTexts,
}

/// What came of rendering a chart.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// Of each template its path and text.
    pub manifests: Vec<(String, String)>,
    /// Templates that could not be rendered, and why.
    pub unread: Vec<(String, String)>,
}

/// Something that renders a chart.
pub trait Renderer {
    /// Renders with these values merged over the defaults of the chart. The error says why it cannot.
    fn render(&self, values: &Value) -> Result<Rendered, String>;
}

/// An image that no value changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Literal {
    /// The reference as it comes out.
    pub image: String,
    /// The template that holds it.
    pub template: String,
}

/// What is learned of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// How the names of its images are made.
    pub joins: Vec<Join>,
    /// The defaults of the values that the joins read, as far as they are not empty.
    pub defaults: BTreeMap<ValuePath, String>,
    /// Places that look like those of an image and of which nothing is known, and why.
    pub unknown: Vec<(ValuePath, String)>,
    /// Images that no value changes.
    pub literal: Vec<Literal>,
    /// Whether the chart refuses other images unless `global.security.allowInsecureImages` is true.
    pub refuses_others: bool,
}

/// The keys of probe values that stand for a key of the user's choice.
pub const ANY_KEYS: [&str; 2] = ["zqany", "zqanyother"];

/// Learns a chart. `probes` are values without which it renders nothing, or not everything.
pub fn learn(chart: &ChartTexts, renderer: &dyn Renderer, probes: &Value) -> Learned {
    let places = places::of(chart, probes);
    let runs = trials::runs(chart, renderer, probes, &places);
    let mut spots: Vec<Spot> = runs.iter().flat_map(observe::spots).collect();
    spots.sort_by_key(|spot| !spot.is_image_field);
    let (joins, mut unknown) = settle(&spots, &places);
    unknown.extend(never_seen(&places, &joins, &unknown, &runs));
    let literal = literals(&runs);
    Learned {
        defaults: defaults(chart, &joins),
        joins,
        unknown,
        literal,
        refuses_others: runs.iter().any(|run| run.refuses_others),
    }
}

/// The defaults of what the joins read; without the values that it was rendered with.
fn defaults(chart: &ChartTexts, joins: &[Join]) -> BTreeMap<ValuePath, String> {
    let values = places::merged(chart);
    let read = joins.iter().flat_map(Join::reads);
    let text = |path: &ValuePath| places::get(&values, path).map(places::text);
    let texts = read.filter_map(|path| Some((path.clone(), text(path)?)));
    texts.filter(|(_, text)| !text.is_empty()).collect()
}

/// The images that no value changes, each once.
fn literals(runs: &[Run]) -> Vec<Literal> {
    let mut literal: Vec<Literal> = runs.iter().flat_map(observe::literals).collect();
    literal.sort();
    literal.dedup();
    literal
}

/// The path with the keys that stand for any as `*`.
fn any_key(path: &ValuePath) -> ValuePath {
    let is_any = |key: &String| ANY_KEYS.contains(&key.as_str());
    let step = |key: &String| {
        if is_any(key) {
            "*".to_string()
        } else {
            key.clone()
        }
    };
    ValuePath(path.0.iter().map(step).collect())
}

/// One join for each value that names an image, and the values for which there is none.
fn settle(spots: &[Spot], places: &[Place]) -> (Vec<Join>, Vec<(ValuePath, String)>) {
    let (mut joins, mut unsettled) = (Vec::new(), Vec::new());
    for (index, place) in places.iter().enumerate().filter(|(_, place)| place.is_name) {
        let mut here: Vec<&Spot> = spots.iter().filter(|spot| spot.names(index)).collect();
        if here.iter().any(|spot| spot.is_image_field) {
            here.retain(|spot| spot.is_image_field);
        }
        if here.is_empty() {
            continue;
        }
        match settle_one(&here, places) {
            Ok(join) if joins.contains(&join) => {}
            Ok(join) => joins.push(join),
            Err(why) => unsettled.push((place, here, why)),
        }
    }
    // A value that several images fall back to has no join of its own, but a part in theirs.
    let mut unknown = Vec::new();
    for (place, here, why) in unsettled {
        let of_others: Option<Vec<Join>> = here
            .iter()
            .map(|spot| {
                let join = infer::join(spot, places).ok()?;
                (joins.contains(&join) || join.reads() == [&place.path]).then_some(join)
            })
            .collect();
        match of_others {
            Some(own) => own.into_iter().for_each(|join| {
                if !joins.contains(&join) {
                    joins.push(join);
                }
            }),
            None => unknown.push((any_key(&place.path), why)),
        }
    }
    let mut kept: Vec<Join> = Vec::new();
    for join in joins.iter().map(any_keys) {
        if !kept.contains(&join) {
            kept.push(join);
        }
    }
    (kept, unknown)
}

/// The join that holds at every spot where a value comes out.
fn settle_one(spots: &[&Spot], places: &[Place]) -> Result<Join, String> {
    let mut candidates: Vec<Join> = Vec::new();
    let mut failed: Option<String> = None;
    for spot in spots {
        match infer::join(spot, places) {
            Ok(join) if !candidates.contains(&join) => candidates.push(join),
            Ok(_) => {}
            Err(why) => failed = Some(format!("{why} ({})", spot.template)),
        }
    }
    if let Some(why) = failed {
        return Err(why);
    }
    let all = |join: &&Join| {
        spots
            .iter()
            .all(|spot| infer::holds(join, spot, places).is_ok())
    };
    let fits = candidates.iter().find(all).cloned();
    fits.ok_or_else(|| {
        let ways: Vec<String> = candidates.iter().map(ToString::to_string).collect();
        format!("joined in more than one way: {}", ways.join(" and "))
    })
}

/// The join with its keys that stand for any as `*`.
fn any_keys(join: &Join) -> Join {
    let text = join.to_string();
    let text = ANY_KEYS
        .iter()
        .rev()
        .fold(text, |text, key| text.replace(key, "*"));
    Join::parse(&text).unwrap_or_else(|| join.clone())
}

/// The names of images that came out nowhere: of each map one.
fn never_seen(
    places: &[Place],
    joins: &[Join],
    unknown: &[(ValuePath, String)],
    runs: &[Run],
) -> Vec<(ValuePath, String)> {
    let mut known: Vec<ValuePath> = joins.iter().flat_map(Join::reads).cloned().collect();
    known.extend(unknown.iter().map(|(path, _)| path.clone()));
    let groups: Vec<ValuePath> = known.iter().map(group).collect();
    let mut missing = Vec::new();
    for place in places.iter().filter(|place| place.is_given_name()) {
        let path = any_key(&place.path);
        let is_done = known.contains(&path) || groups.contains(&group(&path));
        if is_done
            || missing
                .iter()
                .any(|(other, _)| group(other) == group(&path))
        {
            continue;
        }
        let refused = runs.iter().find_map(|run| run.refused.get(&place.path));
        let why = match refused {
            Some(why) => format!("does not render with another value: {why}"),
            None => "never rendered".to_string(),
        };
        missing.push((path, why));
    }
    missing
}

/// What the values of one image have in common: the map that holds them, or the value itself.
fn group(path: &ValuePath) -> ValuePath {
    places::map_of(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The lines that a template makes of values.
    type Template = fn(&dyn Fn(&str) -> String) -> Vec<String>;

    /// A chart of one template: what a function makes of its values.
    struct Made {
        values: Value,
        lines: Template,
    }

    impl Renderer for Made {
        fn render(&self, values: &Value) -> Result<Rendered, String> {
            let mut all = self.values.clone();
            places::overlay(&mut all, values);
            let read = |path: &str| {
                let keys = path.split('.').map(str::to_string).collect();
                places::get(&all, &ValuePath(keys))
                    .map(places::text)
                    .unwrap_or_default()
            };
            let text = (self.lines)(&read).join("\n");
            Ok(Rendered {
                manifests: vec![("templates/a.yaml".to_string(), text)],
                unread: Vec::new(),
            })
        }
    }

    fn learned(values: Value, template: &str, lines: Template) -> Learned {
        let chart = ChartTexts {
            templates: vec![("templates/a.yaml".to_string(), template.to_string())],
            values: values.clone(),
            ..ChartTexts::default()
        };
        learn(&chart, &Made { values, lines }, &json!({}))
    }

    fn or(first: String, second: String) -> String {
        if first.is_empty() { second } else { first }
    }

    fn joins(learned: &Learned) -> Vec<String> {
        learned.joins.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_registry_may_come_from_several_values() {
        let image = json!({"image": {"registry": "docker.io", "repository": "a/b", "tag": "1"}});
        let known = learned(image, ".Values.global.imageRegistry", |read| {
            let registry = or(read("global.imageRegistry"), read("image.registry"));
            let slash = if registry.is_empty() { "" } else { "/" };
            vec![format!(
                "- image: \"{registry}{slash}{}:1@sha256:00\"",
                read("image.repository")
            )]
        });
        assert_eq!(
            joins(&known),
            ["[global.imageRegistry|image.registry]/?image.repository"]
        );
        let defaults: Vec<String> = known
            .defaults
            .iter()
            .map(|(path, text)| format!("{path}={text}"))
            .collect();
        assert_eq!(
            defaults,
            ["image.registry=docker.io", "image.repository=a/b"]
        );
        assert!(known.unknown.is_empty() && known.literal.is_empty() && !known.refuses_others);
    }

    #[test]
    fn slashes_and_texts_are_kept_as_they_come_out() {
        let image = || json!({"image": {"registry": "quay.io", "repository": "a", "tag": "1"}});
        let always = learned(image(), "", |read| {
            vec![format!(
                "image: {}/{}:1",
                read("image.registry"),
                read("image.repository")
            )]
        });
        assert_eq!(joins(&always), ["image.registry/image.repository"]);
        let text = learned(image(), "", |read| {
            vec![format!(
                "image: {}/{}:1",
                or(read("image.registry"), "ghcr.io/x".into()),
                read("image.repository")
            )]
        });
        assert_eq!(
            joins(&text),
            ["[image.registry|\"ghcr.io/x\"]/?image.repository"]
        );
        let glued = learned(image(), "", |read| {
            vec![format!(
                "image: {}{}:1",
                read("image.registry"),
                read("image.repository")
            )]
        });
        assert_eq!(joins(&glued), ["image.registry+image.repository"]);
    }

    #[test]
    fn a_value_may_switch_another_form_on() {
        let image = json!({"image": {"registry": "", "image": "a/b", "tag": "1"}});
        let known = learned(image, ".Values.global.image.registry", |read| {
            let registry = or(read("image.registry"), read("global.image.registry"));
            let joined = format!("{registry}/{}", read("image.image"));
            vec![format!("image: {}:1", or(read("image.repository"), joined))]
        });
        let join = "image.repository ? image.repository; [image.registry|global.image.registry]/image.image";
        assert_eq!(joins(&known), [join]);
    }

    #[test]
    fn a_value_that_several_images_fall_back_to_has_no_join_of_its_own() {
        let values =
            json!({"global": {"image": "a/b:1"}, "web": {"image": null}, "job": {"image": null}});
        let known = learned(values, "", |read| {
            let image = |of: &str| format!("image: {}", or(read(of), read("global.image")));
            vec![image("web.image"), image("job.image")]
        });
        assert_eq!(
            joins(&known),
            ["[job.image|global.image]", "[web.image|global.image]"]
        );
        assert!(known.unknown.is_empty(), "{:?}", known.unknown);
    }

    #[test]
    fn what_does_not_hold_everywhere_is_not_kept() {
        let image = || json!({"image": {"registry": "quay.io", "repository": "a/b", "tag": "1"}});
        let two_ways = learned(image(), "", |read| {
            let (registry, repository) = (read("image.registry"), read("image.repository"));
            vec![
                format!("image: {registry}/{repository}:1"),
                format!("image: {repository}:1"),
            ]
        });
        assert!(two_ways.joins.is_empty() && two_ways.unknown[0].1.contains("more than one way"));
        let looks = learned(image(), "", |read| {
            let (registry, repository) = (read("image.registry"), read("image.repository"));
            let is_whole = repository.contains('/');
            vec![format!(
                "image: {}",
                if is_whole {
                    repository
                } else {
                    format!("{registry}/{repository}")
                }
            )]
        });
        assert!(
            looks.joins.is_empty() && looks.unknown.len() == 1,
            "{looks:?}"
        );
    }

    #[test]
    fn images_behind_switches_and_without_values_are_found() {
        let values = json!({"job": {"enabled": false, "image": {"repository": "a/b", "tag": "1"}}, "other": {"image": {"repository": "c", "tag": "1"}}});
        let known = learned(values, "", |read| {
            let job = (read("job.enabled") == "true")
                .then(|| format!("image: {}:1", read("job.image.repository")));
            job.into_iter()
                .chain(["image: quay.io/x/y:2".to_string()])
                .collect()
        });
        assert_eq!(joins(&known), ["job.image.repository"]);
        assert_eq!(known.literal[0].image, "quay.io/x/y:2");
        assert_eq!(known.unknown[0].1, "never rendered");
    }

    #[test]
    fn a_chart_that_refuses_other_images_is_told() {
        struct Refusing(Made);
        impl Renderer for Refusing {
            fn render(&self, values: &Value) -> Result<Rendered, String> {
                let may =
                    values.pointer("/global/security/allowInsecureImages") == Some(&json!(true));
                let is_own = values.pointer("/image/repository").is_none();
                if may || is_own {
                    self.0.render(values)
                } else {
                    Err("refused".to_string())
                }
            }
        }
        let values = json!({"image": {"repository": "a/b", "tag": "1"}});
        let chart = ChartTexts {
            values: values.clone(),
            ..ChartTexts::default()
        };
        let made = Made {
            values,
            lines: |read| vec![format!("image: {}:1", read("image.repository"))],
        };
        assert!(learn(&chart, &Refusing(made), &json!({})).refuses_others);
    }
}
