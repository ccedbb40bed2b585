//! Which values a chart is rendered with to learn from it.
//!
//! Values of one class (the same key in different maps) are set and emptied together, so that a few
//! renderings serve all images of a chart at once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::join::ValuePath;
use super::super::known::ALLOWS_INSECURE;
use super::places::{self, Place};
use super::{ChartTexts, Rendered, Renderer};

/// What a value is in a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// As the chart has it.
    Default,
    /// An empty text.
    Empty,
    /// A text of its own.
    Set(Shape),
}

/// The form of a text of its own: charts look at what they are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// A host; `org/name`.
    Usual,
    /// A host and a path; a bare word.
    Other,
    /// A host; a host with a path.
    Hosted,
}

/// One rendering.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    /// The text of each place.
    pub(super) texts: Vec<String>,
    /// Which places have the usual text of their own.
    pub(super) is_set: Vec<bool>,
    /// Whether joins are built from it; else they are only tested with it.
    pub(super) is_plain: bool,
    /// What came out.
    pub(super) rendered: Rendered,
}

/// The trials with one choice of switches.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    /// The trials.
    pub(super) trials: Vec<Trial>,
    /// Values with which the chart does not render, and why.
    pub(super) refused: BTreeMap<ValuePath, String>,
    /// Whether it refuses other images without leave.
    pub(super) refuses_others: bool,
}

/// How many renderings a search for what can be set may take.
const SEARCH: usize = 60;
/// With more classes than this not every pair of them is emptied.
const PAIRED: usize = 5;

struct Bench<'c> {
    renderer: &'c dyn Renderer,
    places: &'c [Place],
    base: Value,
}

/// The runs that together show the images of a chart.
pub(super) fn runs(
    chart: &ChartTexts,
    renderer: &dyn Renderer,
    probes: &Value,
    places: &[Place],
) -> Vec<Run> {
    let mut defaults = places::merged(chart);
    places::overlay(&mut defaults, probes);
    let plain = Bench {
        renderer,
        places,
        base: base(probes, &defaults, places),
    };
    let switches = |place: &Place| places::switches(chart, &defaults, &place.path);
    let named = || {
        places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.is_given_name())
    };
    let all: BTreeSet<ValuePath> = named().flat_map(|(_, place)| switches(place)).collect();
    let all: Vec<ValuePath> = all.into_iter().collect();

    let mut seen = BTreeSet::new();
    let mut runs = Vec::new();
    if !all.is_empty() {
        add_run(&plain.with_most(&all), &mut seen, &mut runs);
    }
    add_run(&plain, &mut seen, &mut runs);
    let mut alone: Option<Vec<ValuePath>> = None;
    for (index, place) in named() {
        let own = switches(place);
        if own.is_empty() || seen.contains(&places::map_of(&place.path)) {
            continue;
        }
        let both: Vec<ValuePath> = alone.iter().flatten().chain(&own).cloned().collect();
        if plain.shows(index, &both) {
            alone = Some(both);
        } else if plain.shows(index, &own) {
            add_run(&plain.with(&own), &mut seen, &mut runs);
        }
    }
    if let Some(on) = alone {
        add_run(&plain.with(&on), &mut seen, &mut runs);
    }
    if named().any(|(_, place)| !seen.contains(&places::map_of(&place.path))) {
        let all = places::all_switches(&defaults, &ValuePath::default());
        add_run(&plain.with_most(&all), &mut seen, &mut runs);
    }
    runs
}

/// The values of every trial: the probes, leave for other images, and tags.
fn base(probes: &Value, defaults: &Value, places: &[Place]) -> Value {
    let mut base = probes.clone();
    if !base.is_object() {
        base = serde_json::json!({});
    }
    let leave = ValuePath(ALLOWS_INSECURE.map(str::to_string).to_vec());
    places::put(&mut base, &leave, Value::Bool(true));
    put_tags(&mut base, defaults, places);
    base
}

/// Gives images that the chart leaves open a tag: some charts want both or none.
fn put_tags(base: &mut Value, defaults: &Value, places: &[Place]) {
    for place in places
        .iter()
        .filter(|place| place.is_name && place.default.is_empty())
    {
        let above = place
            .path
            .0
            .split_last()
            .map_or(Vec::new(), |(_, above)| above.to_vec());
        let tag = ValuePath(above).child("tag");
        if places::get(defaults, &tag).is_some_and(|tag| places::text(tag).is_empty()) {
            places::put(base, &tag, Value::String("v1".to_string()));
        }
    }
}

/// Adds a run when it shows images that none before it showed.
fn add_run(bench: &Bench<'_>, seen: &mut BTreeSet<ValuePath>, runs: &mut Vec<Run>) {
    let all: Vec<usize> = (0..bench.places.len()).collect();
    let (set, refused) = most(&all, |set| bench.render(&states(set)).map(|_| ()));
    let Ok(rendered) = bench.render(&states(&set)) else {
        let why = bench.render(&[]).err().unwrap_or_default();
        if runs.is_empty() {
            let names = bench.places.iter().filter(|place| place.is_name);
            let refused = names
                .map(|place| (place.path.clone(), why.clone()))
                .collect();
            runs.push(Run {
                refused,
                ..Run::default()
            });
        }
        return;
    };
    let shown = bench
        .places
        .iter()
        .enumerate()
        .filter(|(index, _)| is_in(&rendered, *index));
    let shown: BTreeSet<ValuePath> = shown
        .map(|(_, place)| places::map_of(&place.path))
        .collect();
    if !runs.is_empty() && shown.is_subset(seen) {
        return;
    }
    seen.extend(shown);
    let path = |(index, why): (usize, String)| Some((bench.places.get(index)?.path.clone(), why));
    let mut run = Run {
        trials: Vec::new(),
        refused: refused.into_iter().filter_map(path).collect(),
        refuses_others: bench.refuses_others(&set),
    };
    for (plan, is_plain) in plans(bench.places, &set) {
        run.trials.extend(bench.trial(&plan, is_plain));
    }
    runs.push(run);
}

/// All places given the usual text of their own.
fn states(set: &[usize]) -> Vec<(usize, State)> {
    set.iter()
        .map(|index| (*index, State::Set(Shape::Usual)))
        .collect()
}

/// As many of the items as pass the test together, and those that do not, with the error.
fn most<T: Clone>(
    items: &[T],
    test: impl Fn(&[T]) -> Result<(), String>,
) -> (Vec<T>, Vec<(T, String)>) {
    let (mut kept, mut refused, mut tries) = (Vec::new(), Vec::new(), 0);
    let mut rest = vec![items.to_vec()];
    while let Some(part) = rest.pop() {
        let mut both: Vec<T> = kept.clone();
        both.extend(part.iter().cloned());
        tries += 1;
        match test(&both) {
            Ok(()) => kept = both,
            Err(why) if part.len() <= 1 || tries > SEARCH => {
                refused.extend(part.into_iter().map(|item| (item, why.clone())));
            }
            Err(_) => {
                let (first, second) = part.split_at(part.len() / 2);
                rest.push(second.to_vec());
                rest.push(first.to_vec());
            }
        }
    }
    (kept, refused)
}

/// What the places are in a trial, and whether joins are built from it.
type Plan = (Vec<(usize, State)>, bool);

/// The plans of all trials. `set` are the places that may be set at all.
fn plans(places: &[Place], set: &[usize]) -> Vec<Plan> {
    let classes = Classes::of(places, set);
    let usual = classes.states(&|_| State::Set(Shape::Usual));
    let mut plans = vec![(usual, true), (Vec::new(), false)];
    let mut dice = Dice(7);
    classes.empty_some(&mut plans, &mut dice);
    classes.set_otherwise(&mut plans, &mut dice);
    let mut known = BTreeSet::new();
    plans.retain(|(plan, _)| known.insert(plan.clone()));
    plans
}

/// The places that may be set, by their classes.
struct Classes<'p> {
    places: &'p [Place],
    set: &'p [usize],
    /// The classes in order, each once.
    all: Vec<&'p str>,
}

impl<'p> Classes<'p> {
    fn of(places: &'p [Place], set: &'p [usize]) -> Self {
        let all: BTreeSet<&str> = set.iter().map(|index| class_of(places, *index)).collect();
        Self {
            places,
            set,
            all: all.into_iter().collect(),
        }
    }

    /// Whether places of a class are names.
    fn is_name(&self, class: &str) -> bool {
        let mut places = self.places.iter();
        places.any(|place| place.class == class && place.is_name)
    }

    /// What the places are when each class is what `state` says.
    fn states(&self, state: &dyn Fn(&str) -> State) -> Vec<(usize, State)> {
        let set = self.set.iter();
        set.map(|index| (*index, state(class_of(self.places, *index))))
            .collect()
    }

    /// The plan in which some classes are empty and the others have the usual text.
    fn emptied(&self, is_empty: &dyn Fn(&str) -> bool) -> Plan {
        let state = |class: &str| {
            if is_empty(class) {
                State::Empty
            } else {
                State::Set(Shape::Usual)
            }
        };
        (self.states(&state), true)
    }

    /// Adds plans that empty classes: alone, in pairs, all but one, and as it comes.
    fn empty_some(&self, plans: &mut Vec<Plan>, dice: &mut Dice) {
        let is_paired = self.all.len() <= PAIRED;
        for (index, one) in self.all.iter().enumerate() {
            plans.push(self.emptied(&|class| class == *one));
            for other in self.all.iter().skip(index + 1).filter(|_| is_paired) {
                plans.push(self.emptied(&|class| class == *one || class == *other));
            }
            plans.push(self.emptied(&|class| !self.is_name(class) && class != *one));
            plans.push(self.emptied(&|class| self.is_name(class) && class != *one));
            let alone = self.states(&|class| {
                if class == *one {
                    State::Set(Shape::Usual)
                } else {
                    State::Default
                }
            });
            plans.push((alone, false));
        }
        plans.push(self.emptied(&|class| !self.is_name(class)));
        for _ in 0..if is_paired { 2 } else { 10 } {
            let thrown = self.all.iter().copied().filter(|_| dice.throw(2) == 0);
            let empty: BTreeSet<&str> = thrown.collect();
            plans.push(self.emptied(&|class| empty.contains(class)));
        }
    }

    /// Adds plans with texts of other shapes, which joins are only tested with.
    fn set_otherwise(&self, plans: &mut Vec<Plan>, dice: &mut Dice) {
        let usual = State::Set(Shape::Usual);
        let all = [
            State::Default,
            State::Empty,
            usual,
            State::Set(Shape::Other),
            State::Set(Shape::Hosted),
        ];
        for shape in [Shape::Other, Shape::Hosted] {
            plans.push((self.states(&|_| State::Set(shape)), false));
            let names = self.states(&|class| {
                if self.is_name(class) {
                    State::Set(shape)
                } else {
                    State::Default
                }
            });
            plans.push((names, false));
            let mut thrown = || all.get(dice.throw(all.len())).copied().unwrap_or(usual);
            let mixed = self.set.iter().map(|index| (*index, thrown()));
            plans.push((mixed.collect(), false));
        }
    }
}

/// The class of a place.
fn class_of(places: &[Place], index: usize) -> &str {
    places.get(index).map_or("", |place| place.class.as_str())
}

/// Numbers without pattern, the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides.max(1)
    }
}

/// The text of a place's own.
pub(super) fn own_text(index: usize, is_name: bool, shape: Shape) -> String {
    let tail = match (shape, is_name) {
        (Shape::Usual, true) => "/app",
        (Shape::Usual | Shape::Hosted, false) => ".example.com",
        (Shape::Other, true) => "",
        (Shape::Other, false) => ".example.com/path",
        (Shape::Hosted, true) => ".example.com/x/app",
    };
    format!("zq{index}q{tail}")
}

fn is_in(rendered: &Rendered, index: usize) -> bool {
    let mark = format!("zq{index}q");
    rendered
        .manifests
        .iter()
        .any(|(_, text)| text.contains(&mark))
}

impl Bench<'_> {
    /// The same with more switches on.
    fn with(&self, on: &[ValuePath]) -> Self {
        let mut base = self.base.clone();
        for path in on {
            places::put(&mut base, path, Value::Bool(true));
        }
        Self { base, ..*self }
    }

    /// The same with as many of these switches on as it renders with together.
    fn with_most(&self, switches: &[ValuePath]) -> Self {
        let (on, _) = most(switches, |on| self.with(on).render(&[]).map(|_| ()));
        self.with(&on)
    }

    /// Whether the text of a place comes out once these switches are on.
    fn shows(&self, index: usize, on: &[ValuePath]) -> bool {
        let rendered = self.with(on).render(&[(index, State::Set(Shape::Usual))]);
        rendered.is_ok_and(|rendered| is_in(&rendered, index))
    }

    fn text(&self, index: usize, state: State) -> Option<String> {
        match state {
            State::Default => None,
            State::Empty => Some(String::new()),
            State::Set(shape) => Some(own_text(index, self.places.get(index)?.is_name, shape)),
        }
    }

    fn values(&self, plan: &[(usize, State)]) -> Value {
        let mut values = self.base.clone();
        for (index, state) in plan {
            if let (Some(place), Some(text)) = (self.places.get(*index), self.text(*index, *state))
            {
                places::put(&mut values, &place.path, Value::String(text));
            }
        }
        values
    }

    fn render(&self, plan: &[(usize, State)]) -> Result<Rendered, String> {
        self.renderer.render(&self.values(plan))
    }

    /// Whether the chart renders these only with leave.
    fn refuses_others(&self, set: &[usize]) -> bool {
        let mut values = self.values(&states(set));
        if let Some(security) = values.pointer_mut("/global/security") {
            *security = serde_json::json!({});
        }
        self.renderer.render(&values).is_err()
    }

    /// Renders a plan; of values that cannot all be empty, as many as can.
    fn trial(&self, plan: &[(usize, State)], is_plain: bool) -> Option<Trial> {
        let mut plan = plan.to_vec();
        let rendered = self.render(&plan).or_else(|why| {
            let empty: Vec<(usize, State)> = plan
                .iter()
                .filter(|(_, state)| *state == State::Empty)
                .copied()
                .collect();
            if !is_plain || empty.is_empty() {
                return Err(why);
            }
            let filled: Vec<(usize, State)> = plan
                .iter()
                .map(|(index, _)| (*index, State::Set(Shape::Usual)))
                .collect();
            let but = |empty: &[(usize, State)]| -> Vec<(usize, State)> {
                let is_empty = |index: &usize| empty.iter().any(|(other, _)| other == index);
                filled
                    .iter()
                    .map(|(index, state)| {
                        (
                            *index,
                            if is_empty(index) {
                                State::Empty
                            } else {
                                *state
                            },
                        )
                    })
                    .collect()
            };
            let (kept, _) = most(&empty, |empty| self.render(&but(empty)).map(|_| ()));
            plan = but(&kept);
            self.render(&plan)
        });
        let rendered = rendered.ok()?;
        let mut texts: Vec<String> = self
            .places
            .iter()
            .map(|place| place.default.clone())
            .collect();
        let mut is_set = vec![false; self.places.len()];
        for (index, state) in &plan {
            if let (Some(slot), Some(text)) = (texts.get_mut(*index), self.text(*index, *state)) {
                *slot = text;
            }
            if let Some(slot) = is_set.get_mut(*index) {
                *slot = *state == State::Set(Shape::Usual);
            }
        }
        Some(Trial {
            texts,
            is_set,
            is_plain,
            rendered,
        })
    }
}
