//! What the files of a chart ask for of that in which another render of it differs. A file that asks for
//! nothing of it renders the same again, so only the others are run.
//!
//! Templates reach everything that they see through dictionaries, and these note what is asked of them. A
//! file that writes into what the others see is one after which nothing is taken over.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::chart::{Content, Release};
use super::value::{Dict, Object, Val};
use super::values::Placed;

/// Something that may be other in another render.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched {
    number: usize,
    /// Whether its key is there in one render and not in the other.
    pub(crate) comes_or_goes: bool,
}

/// What was asked for while a file ran, and whether anything wrote into what all see.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    asked: RefCell<BTreeSet<usize>>,
    writes: Cell<bool>,
}

impl Notes {
    pub(crate) fn ask(&self, watched: Watched) {
        self.asked.borrow_mut().insert(watched.number);
    }

    pub(crate) fn write(&self) {
        self.writes.set(true);
    }

    /// What was asked for since the last time.
    pub(crate) fn take(&self) -> BTreeSet<usize> {
        self.asked.take()
    }

    pub(crate) fn writes(&self) -> bool {
        self.writes.get()
    }
}

/// What is watched, by the keys that lead there from what the outermost chart sees.
#[derive(Debug, Default)]
pub(crate) struct Watch(BTreeMap<Vec<String>, Watched>);

/// The keys of the values, of the release and of the cluster.
const VALUES: &str = "Values";
const RELEASE: &str = "Release";
const CAPABILITIES: &str = "Capabilities";

/// What a chart is rendered with.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The charts in their places, each with what it consists of.
    charts: Vec<(String, Arc<Content>)>,
    pub(crate) values: Value,
    pub(crate) release: Release,
}

impl Setting {
    pub(crate) fn new(placed: &Placed<'_>, values: Value, release: &Release) -> Self {
        let mut charts = Vec::new();
        add_charts(placed, "", &mut charts);
        Self {
            charts,
            values,
            release: release.clone(),
        }
    }

    /// Whether the same templates are run.
    fn is_of_same_charts(&self, other: &Self) -> bool {
        let mut pairs = self.charts.iter().zip(&other.charts);
        self.charts.len() == other.charts.len()
            && pairs
                .all(|((name, own), (other, content))| name == other && Arc::ptr_eq(own, content))
    }

    /// The keys that lead to what differs.
    fn differences(&self, other: &Self) -> Vec<(Vec<String>, bool)> {
        let mut found = Vec::new();
        differ(
            &mut vec![VALUES.to_owned()],
            &self.values,
            &other.values,
            &mut found,
        );
        let (own, new) = (&self.release, &other.release);
        for (is_same, above, key) in [
            (own.name == new.name, RELEASE, "Name"),
            (own.namespace == new.namespace, RELEASE, "Namespace"),
            (
                own.kube_version == new.kube_version,
                CAPABILITIES,
                "KubeVersion",
            ),
            (
                own.api_versions == new.api_versions,
                CAPABILITIES,
                "APIVersions",
            ),
        ] {
            if !is_same {
                found.push((vec![above.to_owned(), key.to_owned()], false));
            }
        }
        found
    }
}

fn add_charts(placed: &Placed<'_>, above: &str, charts: &mut Vec<(String, Arc<Content>)>) {
    let path = format!("{above}/{}", placed.name);
    for child in &placed.children {
        add_charts(child, &path, charts);
    }
    charts.push((path, Arc::clone(&placed.chart.content)));
}

/// Adds the keys that lead to what differs, and whether they are there on one side only. Lists differ as a
/// whole.
fn differ(
    path: &mut Vec<String>,
    one: &Value,
    other: &Value,
    found: &mut Vec<(Vec<String>, bool)>,
) {
    let (Value::Object(old), Value::Object(new)) = (one, other) else {
        if one != other {
            found.push((path.clone(), false));
        }
        return;
    };
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        path.push(key.clone());
        match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) => differ(path, old, new, found),
            _ => found.push((path.clone(), true)),
        }
        path.pop();
    }
}

impl Watch {
    /// What has to be watched to tell which files the others render otherwise.
    pub(crate) fn of(base: &Setting, others: &[Setting]) -> Self {
        let mut watch = BTreeMap::new();
        for (path, comes_or_goes) in others.iter().flat_map(|other| base.differences(other)) {
            let number = watch.len();
            let watched = watch.entry(path).or_insert(Watched {
                number,
                comes_or_goes,
            });
            watched.comes_or_goes |= comes_or_goes;
        }
        Self(watch)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What of it differs between two renders; nothing when more does, or other charts are rendered.
    pub(crate) fn differing(&self, base: &Setting, other: &Setting) -> Option<BTreeSet<usize>> {
        if !base.is_of_same_charts(other) {
            return None;
        }
        let mut numbers = BTreeSet::new();
        for (path, comes_or_goes) in base.differences(other) {
            // Whatever stands below something that is watched is reached through it.
            let mut above = (1..=path.len()).filter_map(|len| self.0.get(&path[..len]));
            let watched = above.next()?;
            if comes_or_goes && !watched.comes_or_goes {
                return None;
            }
            numbers.insert(watched.number);
        }
        Some(numbers)
    }

    /// Has what is watched noted wherever a chart sees it. Whether all of it can be.
    pub(crate) fn install(&self, sees: &Dict, notes: &Rc<Notes>) -> bool {
        let mut pending = vec![Val::Dict(sees.clone())];
        while let Some(value) = pending.pop() {
            match value {
                Val::Dict(dict) => {
                    let values = dict.entries().into_iter().map(|(_, value)| value);
                    let values: Vec<Val> = values.collect();
                    if dict.notes(notes) {
                        pending.extend(values);
                    }
                }
                Val::List(list) => pending.extend(list.items().iter().cloned()),
                Val::Object(Object::Struct(of)) => pending.push(Val::Dict(of.fields.clone())),
                _ => {}
            }
        }
        let mut paths = self.0.iter();
        paths.all(|(path, watched)| {
            let Some((key, above)) = path.split_last() else {
                return false;
            };
            let mut dict = Some(sees.clone());
            for key in above {
                dict = dict.and_then(|dict| below(&dict, key));
            }
            dict.is_some_and(|dict| dict.watch(key, *watched))
        })
    }
}

/// The dictionary under a key, or the fields of what stands there.
fn below(dict: &Dict, key: &str) -> Option<Dict> {
    match dict.get(key)? {
        Val::Dict(dict) => Some(dict),
        Val::Object(Object::Struct(of)) => Some(of.fields.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Chart, Mode, Rendered};
    use super::*;

    /// A file for each way in which a template may come by what differs, and some that do not.
    const FILES: &[(&str, &str)] = &[
        ("field", "{{ .Values.image.tag }}"),
        ("variable", "{{ $x := .Values.image }}{{ $x.tag }}"),
        ("with", "{{ with .Values.image }}{{ .tag }}{{ end }}"),
        ("whole", "{{ toYaml .Values }}"),
        ("inner", "{{ toYaml .Values.image }}"),
        (
            "range",
            "{{ range $k, $v := .Values.image }}{{ $k }}={{ $v }}{{ end }}",
        ),
        (
            "get",
            "{{ get .Values.image \"tag\" }}{{ index .Values \"image\" \"tag\" }}",
        ),
        ("dig", "{{ dig \"image\" \"tag\" \"none\" .Values }}"),
        ("included", "{{ include \"tag\" . }}"),
        ("copied", "{{ (deepCopy .Values.image).tag }}"),
        ("merged", "{{ (merge (dict) .Values.image).tag }}"),
        ("tpl", "{{ tpl \"{{ .Values.image.tag }}\" . }}"),
        ("list", "{{ range .Values.list }}{{ .tag }}{{ end }}"),
        ("keys", "{{ keys .Values.image | sortAlpha | join \",\" }}"),
        ("count", "{{ len .Values.image }}"),
        ("has", "{{ hasKey .Values.image \"digest\" }}"),
        ("name", "{{ .Release.Name }}"),
        ("offers", "{{ .Capabilities.APIVersions.Has \"a/v1\" }}"),
        ("plain", "{{ .Values.other }}{{ .Release.Namespace }}"),
        ("beside", "{{ .Values.image.repository }}"),
    ];

    fn chart(more: &[(&str, &str)]) -> Chart {
        let files = FILES.iter().chain(more);
        let files =
            files.map(|(name, text)| (format!("templates/{name}.yaml"), (*text).to_owned()));
        let helper = "{{ define \"tag\" }}{{ .Values.image.tag }}{{ end }}";
        let others = [
            ("Chart.yaml", "name: a\nversion: 1.0.0\n"),
            ("templates/_helpers.tpl", helper),
            ("charts/sub/Chart.yaml", "name: sub\nversion: 1.0.0\n"),
            ("charts/sub/templates/own.yaml", "{{ .Values.tag }}"),
            (
                "charts/sub/templates/global.yaml",
                "{{ .Values.global.tag }}",
            ),
        ];
        let others = others.map(|(path, text)| (path.to_owned(), text.to_owned()));
        Chart::from_files(files.chain(others).collect()).unwrap()
    }

    fn names(rendered: &Rendered) -> Vec<String> {
        let all = rendered.manifests.iter();
        all.map(|(path, text)| format!("{path}: {text}")).collect()
    }

    #[test]
    fn what_is_taken_over_is_what_would_be_rendered() {
        let chart = chart(&[]);
        let base = json!({
            "image": {"tag": "1", "repository": "a"}, "other": 1, "list": [{"tag": "1"}],
            "sub": {"tag": "1"}, "global": {"tag": "1"},
        });
        let usual = Release::default();
        let named = Release {
            name: "other".to_owned(),
            ..usual.clone()
        };
        let newer = Release {
            api_versions: vec!["a/v1".to_owned()],
            ..usual.clone()
        };
        let changed = |path: &str, value: Value| {
            let mut values = base.clone();
            *values.pointer_mut(path).unwrap() = value;
            values
        };
        let more = {
            let mut values = base.clone();
            values["image"]["digest"] = json!("x");
            values
        };
        for (other, release, asked) in [
            (changed("/image/tag", json!("2")), &usual, 12),
            (changed("/list/0/tag", json!("2")), &usual, 2),
            (changed("/sub/tag", json!("2")), &usual, 2),
            (changed("/global/tag", json!("2")), &usual, 2),
            (changed("/image", json!("2")), &usual, 16),
            (more, &usual, 9),
            (base.clone(), &named, 1),
            (base.clone(), &newer, 1),
            (base.clone(), &usual, 0),
        ] {
            for mode in [Mode::Exact, Mode::EveryBranch] {
                let traced = chart.trace(&base, &usual, mode, &[(&chart, &other, release)]);
                let again = chart.trace_like(&traced, &other, release);
                let wanted = chart.render(&other, release, mode);
                assert_eq!(names(&again.rendered), names(&wanted), "{other}");
                assert_eq!(again.rendered.unread, wanted.unread, "{other}");
                let count = traced.asked().filter(|asked| !asked.is_empty()).count();
                assert_eq!(count, asked, "{other}");
                // And back again, from what was partly taken over.
                let back = chart.trace_like(&again, &base, &usual).rendered;
                assert_eq!(names(&back), names(&traced.rendered), "{other}");
            }
        }
    }

    #[test]
    fn what_was_not_watched_is_rendered() {
        let chart = chart(&[]);
        let [base, other, third] = ["1", "2", "3"].map(|tag| json!({"image": {"tag": tag}}));
        let usual = Release::default();
        let unwatched = chart.trace(&base, &usual, Mode::Exact, &[]);
        let again = chart.trace_like(&unwatched, &other, &usual).rendered;
        assert_eq!(
            names(&again),
            names(&chart.render(&other, &usual, Mode::Exact))
        );
        // Not the very values that were told, but at the same place.
        let watched = chart.trace(&base, &usual, Mode::Exact, &[(&chart, &other, &usual)]);
        let again = chart.trace_like(&watched, &third, &usual).rendered;
        assert_eq!(
            names(&again),
            names(&chart.render(&third, &usual, Mode::Exact))
        );
    }

    #[test]
    fn files_that_write_leave_nothing_to_take_over() {
        for writes in [
            "{{ $_ := set .Values.image \"seen\" .Values.image.tag }}",
            "{{ $_ := set . \"seen\" 1 }}",
            "{{ $_ := unset .Values \"other\" }}",
            "{{ $_ := set .Release \"Name\" .Values.image.tag }}",
            "{{ $_ := mergeOverwrite .Values.image (dict \"seen\" .Values.image.tag) }}",
            "{{ range .Values.list }}{{ $_ := set . \"tag\" $.Values.image.tag }}{{ end }}",
        ] {
            // Files run in an order of their own: one of them comes after it.
            let reads =
                "{{ .Values.image.seen }}{{ .Values.other }}{{ .Release.Name }}{{ .Values.list }}";
            let chart = chart(&[("m-write", writes), ("a-read", reads), ("z-read", reads)]);
            let values =
                |tag: &str| json!({"image": {"tag": tag}, "other": 1, "list": [{"tag": "x"}]});
            let (base, other) = (values("1"), values("2"));
            let usual = Release::default();
            let traced = chart.trace(&base, &usual, Mode::Exact, &[(&chart, &other, &usual)]);
            let again = chart.trace_like(&traced, &other, &usual).rendered;
            let wanted = chart.render(&other, &usual, Mode::Exact);
            assert_eq!(names(&again), names(&wanted), "{writes}");
        }
    }
}
