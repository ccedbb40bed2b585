//! Plants mutants into Rust sources: every one of them asleep, until `ECR_REWRITE_MUTANT` names its number.
//!
//! cargo-mutants builds the program once for each mutant, which takes a day here. One build holds them all, and a
//! mutant costs a run of the tests. The mutations are those of cargo-mutants (<https://mutants.rs/mutants.html>):
//! what a function returns, operators, guards and arms of matches.
//!
//! `plant FOLDER DROPPED FILE…` rewrites the files below the folder in place, leaves out the mutants whose numbers
//! stand in the file DROPPED (those that do not compile), and prints one JSON object a line for each that it
//! planted: `id`, `file`, `line`, `what`. A planted line ends in `/*m:ID*/`, by which errors of the compiler are told
//! apart.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::{env, fs, path::Path};

use proc_macro2::{LineColumn, Span};
use quote::ToTokens;
use serde_json::json;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, GenericArgument, Pat, PathArguments, ReturnType, Type, UnOp};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, dropped, files @ ..] = &arguments[..] else {
        eprintln!("usage: plant FOLDER DROPPED FILE...");
        return ExitCode::from(2);
    };
    match plant(Path::new(folder), Path::new(dropped), files) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn plant(folder: &Path, dropped: &Path, files: &[String]) -> Result<(), String> {
    let dropped = fs::read_to_string(dropped).unwrap_or_default();
    let dropped: BTreeSet<usize> = dropped.split_whitespace().flat_map(str::parse).collect();
    let mut next = 1;
    for file in files {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        let tree = syn::parse_file(&text).map_err(|error| format!("{file}: {error}"))?;
        let mut planter = Planter::new(&text, next, &dropped);
        planter.visit_file(&tree);
        next = planter.next;
        for (id, line, what) in &planter.planted {
            println!(
                "{}",
                json!({"id": id, "file": file, "line": line, "what": what})
            );
        }
        fs::write(&path, planter.planted_text()).map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(())
}

/// Walks a file and notes what to insert where.
struct Planter<'t> {
    text: &'t str,
    /// The bytes at which lines begin.
    lines: Vec<usize>,
    next: usize,
    dropped: &'t BTreeSet<usize>,
    planted: Vec<(usize, usize, String)>,
    /// The bytes that go, what comes in their place, and the order among those at one place.
    edits: Vec<(usize, usize, i64, String)>,
    /// The names of what surrounds the place.
    around: Vec<String>,
}

/// How a mutant is asked whether it is awake.
fn awake(id: usize) -> String {
    format!("crate::mutated({id}) /*m:{id}*/")
}

impl<'t> Planter<'t> {
    fn new(text: &'t str, next: usize, dropped: &'t BTreeSet<usize>) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        Self {
            text,
            lines: lines.collect(),
            next,
            dropped,
            planted: Vec::new(),
            edits: Vec::new(),
            around: Vec::new(),
        }
    }

    fn at(&self, place: LineColumn) -> usize {
        let line = self.lines[place.line - 1];
        let before = self.text[line..].chars().take(place.column);
        line + before.map(char::len_utf8).sum::<usize>()
    }

    fn bytes(&self, span: Span) -> (usize, usize) {
        (self.at(span.start()), self.at(span.end()))
    }

    /// A number for a mutant; none for one that was dropped.
    fn mutant(&mut self, span: Span, what: &str) -> Option<usize> {
        let id = self.next;
        self.next += 1;
        if self.dropped.contains(&id) {
            return None;
        }
        let what = format!("{what} in {}", self.around.join("::"));
        self.planted.push((id, span.start().line, what));
        Some(id)
    }

    /// Inserts texts around something: those of what lies outside come first before it, and last behind it.
    fn wrap(&mut self, span: Span, before: &str, after: &str) {
        let (start, end) = self.bytes(span);
        let size = i64::try_from(end - start).unwrap_or(i64::MAX);
        self.edits.push((start, start, -size, before.to_string()));
        self.edits.push((end, end, size, format!("{after}\n")));
    }

    fn replace(&mut self, span: Span, text: &str) {
        let (start, end) = self.bytes(span);
        self.edits.push((start, end, 0, text.to_string()));
    }

    fn planted_text(mut self) -> String {
        // What ends somewhere stands before what begins there; of two that end alike, what was noted last lies inside.
        let mut edits: Vec<_> = std::mem::take(&mut self.edits)
            .into_iter()
            .enumerate()
            .collect();
        edits.sort_by_key(|(noted, (start, _, order, _))| {
            let ends = *order > 0;
            (
                *start,
                !ends,
                *order,
                if ends { usize::MAX - noted } else { *noted },
            )
        });
        let mut planted = String::new();
        let mut from = 0;
        for (_, (start, end, _, text)) in &edits {
            planted += &self.text[from..*start];
            planted += text;
            from = *end;
        }
        planted + &self.text[from..]
    }

    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        self.around.push(signature.ident.to_string());
        let values = match &signature.output {
            ReturnType::Default => vec![String::new()],
            ReturnType::Type(_, of) => values(of),
        };
        let mut texts = String::new();
        for value in values {
            let what = format!("returns `{}`", if value.is_empty() { "()" } else { &value });
            if let Some(id) = self.mutant(signature.ident.span(), &what) {
                texts += &format!("\nif {} {{ return {value}; }} /*m:{id}*/\n", awake(id));
            }
        }
        let open = self.bytes(body.brace_token.span.open()).1;
        self.edits.push((open, open, 0, texts));
        visit::visit_block(self, body);
        self.around.pop();
    }

    fn binary(&mut self, node: &syn::ExprBinary) {
        let sign = node.op.to_token_stream().to_string();
        let others: &[&str] = match node.op {
            BinOp::And(_) | BinOp::Or(_) => return self.logic(node),
            BinOp::Eq(_) => &["!="],
            BinOp::Ne(_) => &["=="],
            BinOp::Lt(_) => &["==", ">", "<="],
            BinOp::Gt(_) => &["==", "<", ">="],
            BinOp::Le(_) => &[">", "<"],
            BinOp::Ge(_) => &["<", ">"],
            BinOp::Add(_) => &["-", "*"],
            BinOp::Sub(_) | BinOp::Mul(_) => &["+", "/"],
            BinOp::Div(_) | BinOp::Rem(_) => &["*", "+"],
            BinOp::BitAnd(_) => &["|", "^"],
            BinOp::BitOr(_) => &["&", "^"],
            BinOp::AddAssign(_) => return self.assign(node, "-="),
            BinOp::SubAssign(_) => return self.assign(node, "+="),
            BinOp::BitOrAssign(_) => return self.assign(node, "&="),
            _ => return,
        };
        let mut cases = String::new();
        for other in others {
            if let Some(id) = self.mutant(node.op.span(), &format!("`{sign}` to `{other}`")) {
                cases += &format!("if {} {{ a {other} b }} /*m:{id}*/\nelse ", awake(id));
            }
        }
        if cases.is_empty() {
            return;
        }
        let is_compared = matches!(
            node.op,
            BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Gt(_) | BinOp::Le(_) | BinOp::Ge(_)
        );
        // A comparison borrows what it compares.
        let by = if is_compared { "&" } else { "" };
        self.wrap(
            node.span(),
            "(match (",
            &format!(") {{ (a, b) => {cases} {{ a {sign} b }} }})"),
        );
        self.wrap(node.left.span(), &format!("{by}("), ")");
        self.replace(node.op.span(), ",");
        self.wrap(node.right.span(), &format!("{by}("), ")");
    }

    /// `a || b` is `!(!a && !b)`, which asks for `b` when it has to.
    fn logic(&mut self, node: &syn::ExprBinary) {
        if has_let(&node.left) || has_let(&node.right) {
            return;
        }
        let (sign, other) = match node.op {
            BinOp::And(_) => ("&&", "||"),
            _ => ("||", "&&"),
        };
        if let Some(id) = self.mutant(node.op.span(), &format!("`{sign}` to `{other}`")) {
            let turned = format!(") ^ {})", awake(id));
            self.wrap(node.span(), "((", &turned);
            self.wrap(node.left.span(), "((", &turned);
            self.wrap(node.right.span(), "((", &turned);
        }
    }

    fn assign(&mut self, node: &syn::ExprBinary, other: &str) {
        let sign = node.op.to_token_stream().to_string();
        let (_, left) = self.bytes(node.left.span());
        let (start, _) = self.bytes(node.left.span());
        let (from, end) = self.bytes(node.right.span());
        if let Some(id) = self.mutant(node.op.span(), &format!("`{sign}` to `{other}`")) {
            let (place, value) = (&self.text[start..left], &self.text[from..end]);
            let text = format!(
                "if {} {{ {place} {other} {value} }} /*m:{id}*/\nelse {{ ",
                awake(id)
            );
            self.wrap(node.span(), &text, " }");
        }
    }
}

/// Whether a condition binds names, so that it may not be put into brackets.
fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(node) if matches!(node.op, BinOp::And(_)) => {
            has_let(&node.left) || has_let(&node.right)
        }
        _ => false,
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.to_token_stream().to_string().replace(' ', "");
        text == "#[test]" || text == "#[cfg(test)]"
    })
}

impl<'a> Visit<'a> for Planter<'_> {
    fn visit_item_mod(&mut self, node: &'a syn::ItemMod) {
        if !is_test(&node.attrs) {
            visit::visit_item_mod(self, node);
        }
    }

    fn visit_item_impl(&mut self, node: &'a syn::ItemImpl) {
        let name = node.self_ty.to_token_stream().to_string();
        let of = node
            .trait_
            .as_ref()
            .map(|(_, path, _)| path.to_token_stream().to_string());
        // What it says is for people who look for faults of the program.
        if of.as_deref().is_some_and(|of| of.ends_with("Debug")) {
            return;
        }
        self.around.push(name.replace(' ', ""));
        visit::visit_item_impl(self, node);
        self.around.pop();
    }

    fn visit_item_fn(&mut self, node: &'a syn::ItemFn) {
        if node.sig.constness.is_none() && !is_test(&node.attrs) {
            self.function(&node.sig, &node.block);
        }
    }

    fn visit_impl_item_fn(&mut self, node: &'a syn::ImplItemFn) {
        if node.sig.constness.is_none() {
            self.function(&node.sig, &node.block);
        }
    }

    // What is computed by the compiler cannot ask which mutant is awake.
    fn visit_item_const(&mut self, _: &'a syn::ItemConst) {}
    fn visit_impl_item_const(&mut self, _: &'a syn::ImplItemConst) {}
    fn visit_item_static(&mut self, _: &'a syn::ItemStatic) {}
    fn visit_type(&mut self, _: &'a Type) {}
    fn visit_expr_repeat(&mut self, _: &'a syn::ExprRepeat) {}

    fn visit_expr_binary(&mut self, node: &'a syn::ExprBinary) {
        self.binary(node);
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_unary(&mut self, node: &'a syn::ExprUnary) {
        let span = node.span();
        if let UnOp::Not(_) = node.op
            && let Some(id) = self.mutant(span, "without `!`")
        {
            self.wrap(span, "((", &format!(") ^ {})", awake(id)));
        }
        visit::visit_expr_unary(self, node);
    }

    fn visit_expr_match(&mut self, node: &'a syn::ExprMatch) {
        let is_rest = |arm: &syn::Arm| matches!(arm.pat, Pat::Wild(_)) && arm.guard.is_none();
        let has_rest = node.arms.iter().any(is_rest);
        for arm in &node.arms {
            let pattern = arm.pat.to_token_stream().to_string();
            let short: String = pattern.chars().take(40).collect();
            let mut asked = Vec::new();
            if has_rest && !is_rest(arm) {
                let id = self.mutant(arm.pat.span(), &format!("without the arm `{short}`"));
                asked.extend(id.map(|id| format!("!{}", awake(id))));
            }
            let guard = arm.guard.as_ref().map(|(_, guard)| guard);
            let Some(guard) = guard else {
                if !asked.is_empty() {
                    let text = format!(" if {} ", asked.join("\n&& "));
                    self.wrap(arm.pat.span(), "", &text);
                }
                continue;
            };
            if has_let(guard) {
                continue;
            }
            let always = self.mutant(guard.span(), "a guard that is always true");
            let never = self.mutant(guard.span(), "a guard that is always false");
            asked.extend(never.map(|id| format!("!{}", awake(id))));
            let or = always
                .map(|id| format!(" || {}", awake(id)))
                .unwrap_or_default();
            let and: Vec<String> = asked.iter().map(|ask| format!("\n&& {ask}")).collect();
            self.wrap(guard.span(), "((", &format!("){or}){}", and.concat()));
        }
        visit::visit_expr_match(self, node);
    }
}

/// Values of a type that a function might return instead, as expressions.
fn values(of: &Type) -> Vec<String> {
    let one = |text: &str| vec![text.to_string()];
    match of {
        Type::Tuple(tuple) if tuple.elems.is_empty() => one(""),
        Type::Tuple(tuple) => {
            let firsts = tuple.elems.iter().map(|of| values(of).into_iter().next());
            let firsts: Option<Vec<String>> = firsts.collect();
            firsts
                .map(|firsts| format!("({},)", firsts.join(", ")))
                .into_iter()
                .collect()
        }
        Type::Reference(reference) => match &*reference.elem {
            Type::Path(path) if path.path.is_ident("str") => {
                vec!["\"\"".to_string(), "\"xyzzy\"".to_string()]
            }
            Type::Slice(_) => one("&[]"),
            _ => Vec::new(),
        },
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return Vec::new();
            };
            let inner = match &last.arguments {
                PathArguments::AngleBracketed(arguments) => {
                    arguments.args.iter().find_map(|argument| match argument {
                        GenericArgument::Type(of) => Some(values(of)),
                        _ => None,
                    })
                }
                _ => None,
            };
            let inner = inner.unwrap_or_default().into_iter();
            match last.ident.to_string().as_str() {
                "bool" => vec!["true".to_string(), "false".to_string()],
                "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" => {
                    vec!["0".to_string(), "1".to_string()]
                }
                "String" => vec![
                    "String::new()".to_string(),
                    "\"xyzzy\".to_string()".to_string(),
                ],
                "Option" => {
                    let some = inner.map(|value| format!("Some({})", unit(&value)));
                    std::iter::once("None".to_string()).chain(some).collect()
                }
                "Result" | "Read" => inner.map(|value| format!("Ok({})", unit(&value))).collect(),
                "Vec" => {
                    let some = inner.map(|value| format!("vec![{value}]"));
                    std::iter::once("vec![]".to_string()).chain(some).collect()
                }
                "Box" => inner
                    .map(|value| format!("Box::new({})", unit(&value)))
                    .collect(),
                "Arc" => inner
                    .map(|value| format!("std::sync::Arc::new({})", unit(&value)))
                    .collect(),
                "Cow" => one("std::borrow::Cow::Borrowed(\"\")"),
                _ => one("Default::default()"),
            }
        }
        _ => Vec::new(),
    }
}

fn unit(value: &str) -> &str {
    if value.is_empty() { "()" } else { value }
}
