//! What stops a template: its own error, or the bounds every render is held to.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use regex::Regex;

/// Nodes, function calls and list items one render may use.
const STEPS: u64 = 5_000_000;
/// Bytes one render may produce, the texts in between included.
const BYTES: u64 = 300_000_000;
/// The longest text or list a function may give.
pub(crate) const LONGEST: usize = 32_000_000;
/// How deep evaluation may nest: blocks, parentheses and included templates together.
const DEPTH: u32 = 3000;
/// How deep a value may nest that is printed, copied or merged.
pub(crate) const VALUE_DEPTH: usize = 200;

/// Why a template stopped.
#[derive(Clone, Debug)]
pub(crate) struct Fail {
    pub(crate) message: String,
    /// The template file and line, once known.
    pub(crate) at: Option<(Arc<str>, usize)>,
    /// A bound was hit: nothing of this render can go on.
    pub(crate) fatal: bool,
}

impl Fail {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at: None,
            fatal: false,
        }
    }

    pub(crate) fn limit(what: &str) -> Self {
        Self {
            message: format!("the template {what}"),
            at: None,
            fatal: true,
        }
    }

    /// The error as one line: where, and why.
    pub(crate) fn line(&self) -> String {
        match &self.at {
            Some((file, line)) => format!("{file}:{line}: {}", self.message),
            None => self.message.clone(),
        }
    }
}

/// The result of everything that can stop.
pub(crate) type Res<T> = Result<T, Fail>;

/// Counts what one render uses, and keeps its regular expressions.
#[derive(Default)]
pub(crate) struct Meter {
    steps: Cell<u64>,
    bytes: Cell<u64>,
    depth: Cell<u32>,
    regexes: RefCell<HashMap<String, Regex>>,
    /// `fail` and `required` say nothing in this render.
    pub(crate) lenient: bool,
}

impl Meter {
    pub(crate) fn new(lenient: bool) -> Self {
        Self {
            lenient,
            ..Self::default()
        }
    }

    pub(crate) fn step(&self) -> Res<()> {
        self.steps(1)
    }

    pub(crate) fn steps(&self, count: usize) -> Res<()> {
        let steps = self.steps.get().saturating_add(count as u64);
        self.steps.set(steps);
        if steps > STEPS {
            Err(Fail::limit("takes too many steps"))
        } else {
            Ok(())
        }
    }

    /// Counts a text or list of this length, which must not be longer than one may be.
    pub(crate) fn bytes(&self, count: usize) -> Res<()> {
        let bytes = self.bytes.get().saturating_add(count as u64);
        self.bytes.set(bytes);
        if bytes > BYTES || count > LONGEST {
            Err(Fail::limit("produces too much text"))
        } else {
            Ok(())
        }
    }

    pub(crate) fn enter(&self) -> Res<()> {
        let depth = self.depth.get().saturating_add(1);
        self.depth.set(depth);
        if depth > DEPTH {
            Err(Fail::limit("nests too deep"))
        } else {
            Ok(())
        }
    }

    pub(crate) fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }

    /// Starts from the top again, after an error left blocks without leaving them.
    pub(crate) fn reset_depth(&self) {
        self.depth.set(0);
    }

    pub(crate) fn regex(&self, pattern: &str) -> Res<Regex> {
        if let Some(regex) = self.regexes.borrow().get(pattern) {
            return Ok(regex.clone());
        }
        let regex = regex::RegexBuilder::new(pattern)
            .size_limit(2_000_000)
            .build()
            .map_err(|_| Fail::new(format!("cannot read the regular expression `{pattern}`")))?;
        self.regexes
            .borrow_mut()
            .insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }
}
