//! Runs a template over its values.

use std::collections::HashMap;
use std::sync::Arc;

use super::funcs::Function;
use super::limits::{Fail, Meter, Res};
use super::objects;
use super::parse::{self, Body, Branch, BranchKind, Expr, Node, Parsed, Pipe};
use super::print::{self, NO_VALUE};
use super::value::{Dict, Object, Val};
use crate::image;

/// Whether what is asked for is a registry that is set: its other side is for charts without one, and other
/// values than those at hand would have to take it away.
fn is_set_registry(pipe: &Pipe, value: &Val) -> bool {
    let is_host = matches!(value, Val::Str(text) if image::begins_with_host(text));
    is_host && asks_for_registry(pipe)
}

/// Whether the last key or variable that a pipe names is called a registry.
fn asks_for_registry(pipe: &Pipe) -> bool {
    let is_registry = |name: &Arc<str>| {
        let name = name.to_ascii_lowercase();
        name.ends_with("registry") || name.ends_with("hub")
    };
    let mut operands = pipe.commands.iter().flatten();
    operands.any(|operand| match operand {
        Expr::Variable(name, keys) => is_registry(keys.last().unwrap_or(name)),
        Expr::Field(keys) => keys.last().is_some_and(is_registry),
        Expr::Pipe(inner, keys) => keys
            .last()
            .map_or_else(|| asks_for_registry(inner), is_registry),
        _ => false,
    })
}

/// What stands where an action could not be read, when every branch is rendered.
pub(crate) const MARK: &str = "unread-template-action";

/// How often templates may include each other, one inside the other.
const INCLUDES: usize = 150;

/// A template by its name: the file it is in, and what it does.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) file: Arc<str>,
    pub(crate) body: Body,
}

/// The templates that can be included, by name.
pub(crate) type Templates = HashMap<Arc<str>, Template>;

/// What a body asks of the loop around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// One render of a chart.
pub(crate) struct Run<'a> {
    templates: &'a Templates,
    /// Templates defined by the texts that `tpl` is running, the innermost last.
    local: Vec<Templates>,
    /// The texts that `tpl` has read.
    texts: HashMap<Arc<str>, Arc<Parsed>>,
    meter: Meter,
    every_branch: bool,
    variables: Vec<(Arc<str>, Val)>,
    /// How many templates are running, one including the other; a file itself is the first.
    included: usize,
    file: Arc<str>,
    line: usize,
}

impl<'a> Run<'a> {
    pub(crate) fn new(templates: &'a Templates, every_branch: bool) -> Self {
        Self {
            templates,
            local: Vec::new(),
            texts: HashMap::new(),
            meter: Meter::new(every_branch),
            every_branch,
            variables: Vec::new(),
            included: 0,
            file: Arc::from(""),
            line: 0,
        }
    }

    /// Renders one template file.
    pub(crate) fn file(&mut self, template: &Template, data: &Val) -> Res<String> {
        self.included = 0;
        self.local.clear();
        self.meter.reset_depth();
        let text = self.template(template, data)?;
        Ok(text.replace(NO_VALUE, ""))
    }

    fn template(&mut self, template: &Template, data: &Val) -> Res<String> {
        if self.included >= INCLUDES {
            return Err(Fail::limit("includes templates too deep"));
        }
        let file = std::mem::replace(&mut self.file, Arc::clone(&template.file));
        let line = self.line;
        let variables =
            std::mem::replace(&mut self.variables, vec![(Arc::from("$"), data.clone())]);
        self.included += 1;
        let mut out = String::new();
        let result = self
            .body(&template.body, data, &mut out)
            .map_err(|fail| self.located(fail));
        self.included -= 1;
        self.variables = variables;
        self.file = file;
        self.line = line;
        result?;
        self.meter.bytes(out.len())?;
        Ok(out)
    }

    fn located(&self, fail: Fail) -> Fail {
        Fail {
            at: fail
                .at
                .or_else(|| Some((Arc::clone(&self.file), self.line))),
            ..fail
        }
    }

    /// Whether what runs is the flow of a file itself, of which every branch is wanted.
    fn wants_every_branch(&self) -> bool {
        self.every_branch && self.included == 1
    }

    fn body(&mut self, body: &[Node], dot: &Val, out: &mut String) -> Res<Flow> {
        self.meter.enter()?;
        let variables = self.variables.len();
        let mut flow = Flow::Next;
        for node in body {
            flow = self.node(node, dot, out)?;
            if flow != Flow::Next {
                break;
            }
        }
        self.variables.truncate(variables);
        self.meter.leave();
        Ok(flow)
    }

    fn node(&mut self, node: &Node, dot: &Val, out: &mut String) -> Res<Flow> {
        self.meter.step()?;
        match node {
            Node::Text(text) => {
                self.meter.bytes(text.len())?;
                out.push_str(text);
            }
            Node::Action { pipe, line } => {
                self.line = *line;
                let result = self.pipe(pipe, dot);
                let (value, failed) = self.forgiven(result)?;
                self.assign(pipe, &value);
                if pipe.variables.is_empty() {
                    if failed {
                        out.push_str(MARK);
                    } else {
                        self.write(&value, out)?;
                    }
                }
            }
            Node::Branch(branch) => return self.branch(branch, dot, out),
            Node::Template { name, pipe, line } => {
                self.line = *line;
                let result = match pipe {
                    Some(pipe) => self.pipe(pipe, dot),
                    None => Ok(Val::Nil),
                };
                let result = result.and_then(|data| self.named(name, &data));
                let (text, failed) = self.forgiven(result.map(Val::text))?;
                if failed {
                    out.push_str(MARK);
                } else {
                    self.write(&text, out)?;
                }
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    /// The value, or nothing for one that failed where failing does not stop the file.
    fn forgiven(&mut self, result: Res<Val>) -> Res<(Val, bool)> {
        match result {
            Ok(value) => Ok((value, false)),
            Err(fail) if self.wants_every_branch() && !fail.fatal => {
                self.meter.reset_depth();
                Ok((Val::Nil, true))
            }
            Err(fail) => Err(self.located(fail)),
        }
    }

    fn write(&mut self, value: &Val, out: &mut String) -> Res<()> {
        let before = out.len();
        match value {
            Val::Nil => out.push_str(NO_VALUE),
            Val::Str(text) => out.push_str(text),
            other => out.push_str(&print::plain(other)?),
        }
        self.meter.bytes(out.len() - before)
    }

    fn assign(&mut self, pipe: &Pipe, value: &Val) {
        for name in &pipe.variables {
            self.set_variable(name, value.clone(), pipe.assigns);
        }
    }

    fn set_variable(&mut self, name: &Arc<str>, value: Val, assigns: bool) {
        let known = self
            .variables
            .iter_mut()
            .rev()
            .find(|(known, _)| assigns && known == name);
        match known {
            Some((_, slot)) => *slot = value,
            None => self.variables.push((Arc::clone(name), value)),
        }
    }

    fn branch(&mut self, branch: &Branch, dot: &Val, out: &mut String) -> Res<Flow> {
        self.line = branch.line;
        let variables = self.variables.len();
        let result = self.pipe(&branch.pipe, dot);
        let (value, _) = self.forgiven(result)?;
        let every =
            branch.lines && self.wants_every_branch() && !is_set_registry(&branch.pipe, &value);
        let flow = match branch.kind {
            BranchKind::Range => self.range(branch, &value, every, dot, out),
            kind => {
                self.assign(&branch.pipe, &value);
                self.choice(branch, kind, &value, every, dot, out)
            }
        };
        self.variables.truncate(variables);
        flow
    }

    fn choice(
        &mut self,
        branch: &Branch,
        kind: BranchKind,
        value: &Val,
        every: bool,
        dot: &Val,
        out: &mut String,
    ) -> Res<Flow> {
        let taken = value.truth();
        let empty = Val::Dict(Dict::new());
        let inner = match kind {
            BranchKind::With if taken => value,
            BranchKind::With => &empty,
            _ => dot,
        };
        let mut flow = Flow::Next;
        if taken || every {
            let asked = self.body(&branch.body, inner, out)?;
            flow = if taken { asked } else { Flow::Next };
        }
        if !taken || every {
            let asked = self.body(&branch.otherwise, dot, out)?;
            flow = if taken { flow } else { asked };
        }
        Ok(flow)
    }

    fn range(
        &mut self,
        branch: &Branch,
        value: &Val,
        every: bool,
        dot: &Val,
        out: &mut String,
    ) -> Res<Flow> {
        let items = match entries(value) {
            Err(fail) if every && !fail.fatal => Vec::new(),
            other => other?,
        };
        let none = items.is_empty();
        let variables = self.variables.len();
        for (key, item) in items {
            self.meter.step()?;
            self.loop_variables(&branch.pipe, key, &item);
            let flow = self.body(&branch.body, &item, out)?;
            self.variables.truncate(variables);
            if flow == Flow::Break {
                break;
            }
        }
        if none && every {
            let item = Val::Dict(Dict::new());
            self.loop_variables(&branch.pipe, Val::text(""), &item);
            self.body(&branch.body, &item, out)?;
            self.variables.truncate(variables);
        }
        if none || every {
            return self.body(&branch.otherwise, dot, out);
        }
        Ok(Flow::Next)
    }

    fn loop_variables(&mut self, pipe: &Pipe, key: Val, item: &Val) {
        match pipe.variables.as_slice() {
            [one] => self.set_variable(one, item.clone(), pipe.assigns),
            [first, second] => {
                self.set_variable(first, key, pipe.assigns);
                self.set_variable(second, item.clone(), pipe.assigns);
            }
            _ => {}
        }
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Val) -> Res<Val> {
        self.meter.enter()?;
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, dot, value)?);
        }
        self.meter.leave();
        Ok(value.unwrap_or(Val::Nil))
    }

    /// Runs one command; `last` is what the command before it in the pipeline gave.
    fn command(&mut self, command: &[Expr], dot: &Val, last: Option<Val>) -> Res<Val> {
        let Some((first, operands)) = command.split_first() else {
            return Ok(Val::Nil);
        };
        match first {
            Expr::Function(name, function) => self.call(name, *function, operands, dot, last),
            Expr::Field(fields) => {
                let args = self.arguments(operands, dot, last)?;
                self.fields(dot.clone(), fields, &args)
            }
            Expr::Variable(name, fields) => {
                let args = self.arguments(operands, dot, last)?;
                let value = self.variable(name)?;
                self.fields(value, fields, &args)
            }
            Expr::Pipe(inner, fields) => {
                let args = self.arguments(operands, dot, last)?;
                let value = self.pipe(inner, dot)?;
                self.fields(value, fields, &args)
            }
            _ if operands.is_empty() && last.is_none() => self.operand(first, dot),
            _ => Err(Fail::new("can't give argument to non-function")),
        }
    }

    fn arguments(&mut self, operands: &[Expr], dot: &Val, last: Option<Val>) -> Res<Vec<Val>> {
        let mut args = Vec::with_capacity(operands.len() + 1);
        for operand in operands {
            args.push(self.operand(operand, dot)?);
        }
        args.extend(last);
        Ok(args)
    }

    fn operand(&mut self, operand: &Expr, dot: &Val) -> Res<Val> {
        Ok(match operand {
            Expr::Dot => dot.clone(),
            Expr::Nil => Val::Nil,
            Expr::Bool(value) => Val::Bool(*value),
            Expr::Int(value) => Val::Int(*value),
            Expr::Float(value) => Val::Float(*value),
            Expr::Text(text) => Val::Str(Arc::clone(text)),
            Expr::Function(name, function) => self.call(name, *function, &[], dot, None)?,
            Expr::Variable(name, fields) => {
                let value = self.variable(name)?;
                self.fields(value, fields, &[])?
            }
            Expr::Field(fields) => self.fields(dot.clone(), fields, &[])?,
            Expr::Pipe(inner, fields) => {
                let value = self.pipe(inner, dot)?;
                self.fields(value, fields, &[])?
            }
        })
    }

    fn variable(&self, name: &str) -> Res<Val> {
        let found = self
            .variables
            .iter()
            .rev()
            .find(|(known, _)| &**known == name);
        match found {
            Some((_, value)) => Ok(value.clone()),
            None => Err(Fail::new(format!("undefined variable \"{name}\""))),
        }
    }

    /// Follows fields; the arguments are for the last. Nothing at the start reads as nothing, as
    /// in Go, but nothing between two fields is an error.
    fn fields(&mut self, start: Val, fields: &[Arc<str>], args: &[Val]) -> Res<Val> {
        let Some((last, before)) = fields.split_last() else {
            return match args {
                [] => Ok(start),
                _ => Err(Fail::new("can't give argument to non-function")),
            };
        };
        if matches!(start, Val::Nil) {
            return Ok(Val::Nil);
        }
        let mut value = start;
        for name in before {
            value = objects::field(&self.meter, &held(value, name)?, name, &[])?;
        }
        objects::field(&self.meter, &held(value, last)?, last, args)
    }

    fn call(
        &mut self,
        name: &Arc<str>,
        function: Option<Function>,
        operands: &[Expr],
        dot: &Val,
        last: Option<Val>,
    ) -> Res<Val> {
        self.meter.step()?;
        match function {
            None => Err(Fail::new(format!("function \"{name}\" not defined"))),
            Some(Function::And) => self.first_that(false, operands, dot, last),
            Some(Function::Or) => self.first_that(true, operands, dot, last),
            Some(Function::Plain { least, most, run }) => {
                let args = self.arguments(operands, dot, last)?;
                if args.len() < least || args.len() > most {
                    let found = args.len();
                    return Err(Fail::new(format!(
                        "wrong number of args for {name}: {found}"
                    )));
                }
                run(&self.meter, &args).map_err(|fail| Fail {
                    message: match &**name {
                        "fail" | "required" => fail.message,
                        _ => format!("error calling {name}: {}", fail.message),
                    },
                    ..fail
                })
            }
            Some(Function::Include) => {
                let args = self.arguments(operands, dot, last)?;
                let [Val::Str(template), data] = args.as_slice() else {
                    return Err(Fail::new("include takes a name and a value"));
                };
                self.named(template, data).map(Val::text)
            }
            Some(Function::Tpl) => {
                let args = self.arguments(operands, dot, last)?;
                let [Val::Str(text), data] = args.as_slice() else {
                    return Err(Fail::new("tpl takes a text and a value"));
                };
                self.tpl(text, data).map(Val::text)
            }
        }
    }

    /// `and` and `or`: the first argument whose truth is this, or else the last; the others are
    /// not looked at.
    fn first_that(
        &mut self,
        truth: bool,
        operands: &[Expr],
        dot: &Val,
        last: Option<Val>,
    ) -> Res<Val> {
        let mut value = None;
        for operand in operands {
            let found = self.operand(operand, dot)?;
            if found.truth() == truth {
                return Ok(found);
            }
            value = Some(found);
        }
        last.or(value)
            .ok_or_else(|| Fail::new("wrong number of args for and/or: want at least 1"))
    }

    fn named(&mut self, name: &str, data: &Val) -> Res<String> {
        let known = self.local.iter().rev().find_map(|local| local.get(name));
        let template = known.or_else(|| self.templates.get(name)).cloned();
        match template {
            Some(template) => self.template(&template, data),
            None => Err(Fail::new(format!("no template \"{name}\""))),
        }
    }

    /// Renders a text as a template, with its own definitions over those of the chart.
    fn tpl(&mut self, text: &Arc<str>, data: &Val) -> Res<String> {
        if !text.contains("{{") {
            self.meter.bytes(text.len())?;
            return Ok(text.replace(NO_VALUE, ""));
        }
        let parsed = match self.texts.get(text) {
            Some(parsed) => Arc::clone(parsed),
            None => {
                self.meter.bytes(text.len())?;
                let parsed = parse::parse(text).map_err(|fail| Fail { at: None, ..fail })?;
                let parsed = Arc::new(parsed);
                self.texts.insert(Arc::clone(text), Arc::clone(&parsed));
                parsed
            }
        };
        let file = Arc::clone(&self.file);
        let define = |(name, body): &(Arc<str>, Body)| {
            (
                Arc::clone(name),
                Template {
                    file: Arc::clone(&file),
                    body: Arc::clone(body),
                },
            )
        };
        self.local.push(parsed.defines.iter().map(define).collect());
        let template = Template {
            file: Arc::clone(&file),
            body: Arc::clone(&parsed.body),
        };
        let result = self.template(&template, data);
        self.local.pop();
        result.map(|text| text.replace(NO_VALUE, ""))
    }
}

/// The value a field is asked of, which must be something.
fn held(value: Val, field: &str) -> Res<Val> {
    match value {
        Val::Nil => Err(Fail::new(format!(
            "nil pointer evaluating interface {{}}.{field}"
        ))),
        value => Ok(value),
    }
}

/// What a `range` goes over: keys and values.
fn entries(value: &Val) -> Res<Vec<(Val, Val)>> {
    let numbered = |items: Vec<Val>| {
        let number = |at: usize| Val::Int(i64::try_from(at).unwrap_or(i64::MAX));
        items
            .into_iter()
            .enumerate()
            .map(|(at, item)| (number(at), item))
            .collect()
    };
    Ok(match value {
        Val::Nil => Vec::new(),
        Val::List(list) => numbered(list.items().to_vec()),
        Val::Dict(dict) => dict
            .entries()
            .into_iter()
            .map(|(key, item)| (Val::Str(key), item))
            .collect(),
        Val::Int(count) | Val::Int64(count) => {
            if *count > 1_000_000 {
                return Err(Fail::limit("takes too many steps"));
            }
            (0..*count).map(|at| (Val::Int(at), Val::Int(at))).collect()
        }
        Val::Object(Object::Files(files)) => files
            .iter()
            .map(|(path, content)| {
                (
                    Val::Str(Arc::clone(path)),
                    Val::Object(Object::Bytes(Arc::clone(content))),
                )
            })
            .collect(),
        Val::Object(Object::Versions(versions)) => numbered(
            versions
                .iter()
                .map(|version| Val::text(version.as_str()))
                .collect(),
        ),
        other => {
            return Err(Fail::new(format!(
                "range can't iterate over {}",
                other.type_name()
            )));
        }
    })
}
