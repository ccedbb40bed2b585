//! The values of the template language: what a field, a variable or a function's result holds.
//!
//! Dictionaries are shared by reference, as Go's maps are: `set` changes what every holder sees.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::trace::{Notes, Watched};

/// One value.
#[derive(Clone, Debug)]
pub(crate) enum Val {
    Nil,
    Bool(bool),
    /// Go's `int`: literals, `len`, `int`.
    Int(i64),
    /// Go's `int64`: what arithmetic gives.
    Int64(i64),
    /// Go's `float64`: every number of the values.
    Float(f64),
    Str(Arc<str>),
    List(List),
    Dict(Dict),
    Object(Object),
}

/// What has fields or methods of its own beside being data.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    /// A struct: asking for a field it lacks is an error.
    Struct(Rc<Struct>),
    /// `.Files`: path and content.
    Files(Rc<BTreeMap<Arc<str>, Arc<str>>>),
    /// `.Capabilities.APIVersions`.
    Versions(Rc<Vec<String>>),
    /// A file's bytes, as ranging over `.Files` gives them.
    Bytes(Arc<str>),
    /// A moment; there is only one.
    Time,
}

/// A struct's fields, and the text it prints as when it knows how to.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) kind: &'static str,
    pub(crate) fields: Dict,
    pub(crate) text: Option<Arc<str>>,
}

/// A list; never changed once made.
#[derive(Clone, Debug)]
pub(crate) struct List(Rc<Items>);

#[derive(Debug, Default)]
struct Items(Vec<Val>);

/// A dictionary with text keys, shared by reference.
#[derive(Clone, Debug)]
pub(crate) struct Dict(Rc<Entries>);

#[derive(Debug, Default)]
struct Entries {
    map: RefCell<BTreeMap<Arc<str>, Val>>,
    /// A key it lacks reads as the empty text (`split`), not as nothing.
    of_texts: bool,
    /// Who wants to know what is asked of it.
    seen: OnceCell<Seen>,
}

#[derive(Debug)]
struct Seen {
    notes: Rc<Notes>,
    /// The keys whose values may be others.
    keys: RefCell<Vec<(Arc<str>, Watched)>>,
}

impl List {
    pub(crate) fn items(&self) -> &[Val] {
        &self.0.0
    }
}

impl From<Vec<Val>> for List {
    fn from(items: Vec<Val>) -> Self {
        Self(Rc::new(Items(items)))
    }
}

impl Dict {
    pub(crate) fn new() -> Self {
        Self(Rc::default())
    }

    /// A dictionary whose missing keys read as the empty text.
    pub(crate) fn of_texts() -> Self {
        Self(Rc::new(Entries {
            map: RefCell::default(),
            of_texts: true,
            seen: OnceCell::new(),
        }))
    }

    /// Notes from now on when it is written to; whether it did not do so yet.
    pub(crate) fn notes(&self, notes: &Rc<Notes>) -> bool {
        let seen = Seen {
            notes: Rc::clone(notes),
            keys: RefCell::default(),
        };
        self.0.seen.set(seen).is_ok()
    }

    /// Notes from now on when the value of a key is asked for. Whether it notes anything.
    pub(crate) fn watch(&self, key: &str, watched: Watched) -> bool {
        let seen = self.0.seen.get();
        seen.is_some_and(|seen| {
            seen.keys.borrow_mut().push((Arc::from(key), watched));
            true
        })
    }

    /// Notes what is asked for: everything that is watched, or that of which this is so.
    fn asked(&self, is_it: impl Fn(&str, Watched) -> bool) {
        if let Some(seen) = self.0.seen.get() {
            for (key, watched) in seen.keys.borrow().iter() {
                if is_it(key, *watched) {
                    seen.notes.ask(*watched);
                }
            }
        }
    }

    fn written(&self) {
        if let Some(seen) = self.0.seen.get() {
            seen.notes.write();
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Val> {
        self.asked(|known, _| known == key);
        self.0.map.borrow().get(key).cloned()
    }

    /// The value of `key`, or what a missing key reads as.
    pub(crate) fn read(&self, key: &str) -> Val {
        match self.get(key) {
            Some(value) => value,
            None if self.0.of_texts => Val::text(""),
            None => Val::Nil,
        }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.asked(|known, _| known == key);
        self.0.map.borrow().contains_key(key)
    }

    pub(crate) fn set(&self, key: impl Into<Arc<str>>, value: Val) {
        self.written();
        self.put(key, value);
    }

    /// Sets what templates do not: nobody notes it.
    pub(crate) fn put(&self, key: impl Into<Arc<str>>, value: Val) {
        let old = self.0.map.borrow_mut().insert(key.into(), value);
        drop(old);
    }

    pub(crate) fn remove(&self, key: &str) {
        self.written();
        let old = self.0.map.borrow_mut().remove(key);
        drop(old);
    }

    pub(crate) fn len(&self) -> usize {
        self.asked(|_, watched| watched.comes_or_goes);
        self.0.map.borrow().len()
    }

    pub(crate) fn keys(&self) -> Vec<Arc<str>> {
        self.asked(|_, watched| watched.comes_or_goes);
        self.0.map.borrow().keys().cloned().collect()
    }

    /// The entries in the order of their keys, as they are now.
    pub(crate) fn entries(&self) -> Vec<(Arc<str>, Val)> {
        self.asked(|_, _| true);
        self.0
            .map
            .borrow()
            .iter()
            .map(|(key, value)| (Arc::clone(key), value.clone()))
            .collect()
    }

    pub(crate) fn is(&self, other: &Dict) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl FromIterator<(Arc<str>, Val)> for Dict {
    fn from_iter<T: IntoIterator<Item = (Arc<str>, Val)>>(entries: T) -> Self {
        Self(Rc::new(Entries {
            map: RefCell::new(entries.into_iter().collect()),
            of_texts: false,
            seen: OnceCell::new(),
        }))
    }
}

// A template can nest values as deep as it has steps: dropping them must not use the stack.
impl Drop for Entries {
    fn drop(&mut self) {
        drop_flat(std::mem::take(self.map.get_mut()).into_values().collect());
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        drop_flat(std::mem::take(&mut self.0));
    }
}

fn drop_flat(mut pending: Vec<Val>) {
    while let Some(value) = pending.pop() {
        match value {
            Val::Dict(mut dict) => {
                if let Some(inner) = Rc::get_mut(&mut dict.0) {
                    pending.extend(std::mem::take(inner.map.get_mut()).into_values());
                }
            }
            Val::List(mut list) => {
                if let Some(inner) = Rc::get_mut(&mut list.0) {
                    pending.append(&mut inner.0);
                }
            }
            _ => {}
        }
    }
}

impl Val {
    pub(crate) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Str(text.into())
    }

    pub(crate) fn list(items: Vec<Val>) -> Self {
        Self::List(items.into())
    }

    pub(crate) fn texts<T: Into<Arc<str>>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::list(
            items
                .into_iter()
                .map(|item| Self::Str(item.into()))
                .collect(),
        )
    }

    /// A struct value.
    pub(crate) fn structure(
        kind: &'static str,
        text: Option<&str>,
        fields: Vec<(&str, Val)>,
    ) -> Self {
        let fields = fields
            .into_iter()
            .map(|(key, value)| (Arc::from(key), value))
            .collect();
        Self::Object(Object::Struct(Rc::new(Struct {
            kind,
            fields,
            text: text.map(Arc::from),
        })))
    }

    /// Whether the value counts as set: Go's truth, and the opposite of what `empty` says.
    pub(crate) fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::Int64(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) | Self::Object(Object::Bytes(text)) => !text.is_empty(),
            Self::List(list) => !list.items().is_empty(),
            Self::Dict(dict) => dict.len() > 0,
            Self::Object(Object::Files(files)) => !files.is_empty(),
            Self::Object(Object::Versions(versions)) => !versions.is_empty(),
            Self::Object(Object::Struct(_) | Object::Time) => true,
        }
    }

    /// Go's name of the value's type, as `typeOf` and the error texts give it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Dict(_) => "map[string]interface {}",
            Self::Object(Object::Struct(of)) => of.kind,
            Self::Object(Object::Files(_)) => "engine.files",
            Self::Object(Object::Versions(_)) => "chartutil.VersionSet",
            Self::Object(Object::Bytes(_)) => "[]uint8",
            Self::Object(Object::Time) => "time.Time",
        }
    }

    /// Go's name of the value's kind, as `kindOf` gives it.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::List(_) | Self::Object(Object::Versions(_) | Object::Bytes(_)) => "slice",
            Self::Dict(_) | Self::Object(Object::Files(_)) => "map",
            Self::Object(Object::Struct(_) | Object::Time) => "struct",
            other => other.type_name(),
        }
    }

    /// The values of a document: every number is a `float64`, as Helm reads them.
    pub(crate) fn from_json(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nil,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Float(number.as_f64().unwrap_or_default()),
            Value::String(text) => Self::text(text.as_str()),
            Value::Array(items) => Self::list(items.iter().map(Self::from_json).collect()),
            Value::Object(map) => Self::Dict(
                map.iter()
                    .map(|(key, value)| (Arc::from(key.as_str()), Self::from_json(value)))
                    .collect(),
            ),
        }
    }

    /// Go's `reflect.DeepEqual`, which tells the kinds of numbers apart.
    pub(crate) fn same(&self, other: &Val) -> bool {
        self.same_within(other, 100)
    }

    #[allow(clippy::float_cmp)]
    fn same_within(&self, other: &Val, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else {
            return false;
        };
        match (self, other) {
            (Self::Nil, Self::Nil) | (Self::Object(Object::Time), Self::Object(Object::Time)) => {
                true
            }
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) | (Self::Int64(a), Self::Int64(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                a.items().len() == b.items().len()
                    && a.items()
                        .iter()
                        .zip(b.items())
                        .all(|(a, b)| a.same_within(b, depth))
            }
            (Self::Dict(a), Self::Dict(b)) => {
                a.is(b)
                    || (a.len() == b.len()
                        && a.entries().iter().all(|(key, value)| {
                            b.get(key)
                                .is_some_and(|other| value.same_within(&other, depth))
                        }))
            }
            _ => false,
        }
    }
}
