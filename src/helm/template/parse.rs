//! Reads a template's pieces into the tree that evaluation walks.

use std::collections::VecDeque;
use std::sync::Arc;

use super::funcs::{self, Function};
use super::lex::{self, Piece, Token};
use super::limits::{Fail, Res};

/// How deep blocks and parentheses may nest.
const DEPTH: usize = 100;

/// A sequence of nodes, shared so that evaluation can hold on to it.
pub(crate) type Body = Arc<Vec<Node>>;

/// One step of a template.
#[derive(Debug)]
pub(crate) enum Node {
    Text(Arc<str>),
    Action {
        pipe: Pipe,
        line: usize,
    },
    Branch(Branch),
    Template {
        name: Arc<str>,
        pipe: Option<Pipe>,
        line: usize,
    },
    Break,
    Continue,
}

/// What an `if`, `with` or `range` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BranchKind {
    If,
    With,
    Range,
}

/// An `if`, `with` or `range`.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) kind: BranchKind,
    pub(crate) pipe: Pipe,
    pub(crate) body: Body,
    pub(crate) otherwise: Body,
    pub(crate) line: usize,
    /// One of the bodies holds line breaks: it is about lines of the document, not about a part
    /// of one value.
    pub(crate) lines: bool,
}

/// Commands joined by `|`, and the variables that take the result.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) variables: Vec<Arc<str>>,
    /// `=` and not `:=`.
    pub(crate) assigns: bool,
    pub(crate) commands: Vec<Vec<Expr>>,
}

/// An operand of a command.
#[derive(Debug)]
pub(crate) enum Expr {
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    Function(Arc<str>, Option<Function>),
    Variable(Arc<str>, Vec<Arc<str>>),
    Field(Vec<Arc<str>>),
    Pipe(Box<Pipe>, Vec<Arc<str>>),
}

/// A template file as read: what it renders, and the templates it defines.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) body: Body,
    pub(crate) defines: Vec<(Arc<str>, Body)>,
}

/// Reads a template. The error names the line and leaves the file to the caller.
pub(crate) fn parse(text: &str) -> Res<Parsed> {
    let mut parser = Parser {
        pieces: lex::pieces(text)?.into(),
        defines: Vec::new(),
        line: 1,
        depth: 0,
    };
    parser.file().map_err(|fail| Fail {
        at: fail.at.or(Some((Arc::from(""), parser.line))),
        ..fail
    })
}

struct Parser {
    pieces: VecDeque<Piece>,
    defines: Vec<(Arc<str>, Body)>,
    line: usize,
    depth: usize,
}

/// What ended a body.
enum Stop {
    File,
    End,
    /// The tokens after `else`.
    Else(Vec<Token>),
}

impl Parser {
    fn file(&mut self) -> Res<Parsed> {
        let (nodes, end) = self.body()?;
        match end {
            Stop::File => Ok(Parsed {
                body: Arc::new(nodes),
                defines: std::mem::take(&mut self.defines),
            }),
            Stop::End => Err(Fail::new("unexpected {{end}}")),
            Stop::Else(_) => Err(Fail::new("unexpected {{else}}")),
        }
    }

    fn body(&mut self) -> Res<(Vec<Node>, Stop)> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Fail::new("blocks nest too deep"));
        }
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.pop_front() {
            match piece {
                Piece::Text(text) => nodes.push(Node::Text(Arc::from(text))),
                Piece::Action { tokens, line } => {
                    self.line = line;
                    if let Some(end) = self.action(tokens, &mut nodes)? {
                        self.depth -= 1;
                        return Ok((nodes, end));
                    }
                }
            }
        }
        self.depth -= 1;
        Ok((nodes, Stop::File))
    }

    fn action(&mut self, tokens: Vec<Token>, nodes: &mut Vec<Node>) -> Res<Option<Stop>> {
        let mut tokens: VecDeque<Token> = tokens.into();
        skip_spaces(&mut tokens);
        let word = match tokens.front() {
            Some(Token::Word(word)) => word.to_string(),
            _ => String::new(),
        };
        let line = self.line;
        match word.as_str() {
            "if" | "with" | "range" => {
                tokens.pop_front();
                nodes.push(self.branch(kind_of(&word), tokens)?);
            }
            "end" => return Ok(Some(Stop::End)),
            "else" => {
                tokens.pop_front();
                skip_spaces(&mut tokens);
                return Ok(Some(Stop::Else(tokens.into())));
            }
            "define" | "block" => {
                tokens.pop_front();
                let (name, pipe) = named(&mut tokens)?;
                let body = self.closed_body()?;
                self.defines.push((Arc::clone(&name), Arc::new(body)));
                if word == "block" {
                    nodes.push(Node::Template { name, pipe, line });
                }
            }
            "template" => {
                tokens.pop_front();
                let (name, pipe) = named(&mut tokens)?;
                nodes.push(Node::Template { name, pipe, line });
            }
            "break" if is_alone(&tokens) => nodes.push(Node::Break),
            "continue" if is_alone(&tokens) => nodes.push(Node::Continue),
            _ => nodes.push(Node::Action {
                pipe: pipe(&mut tokens, false, 0)?,
                line,
            }),
        }
        Ok(None)
    }

    fn closed_body(&mut self) -> Res<Vec<Node>> {
        match self.body()? {
            (nodes, Stop::End) => Ok(nodes),
            (_, Stop::Else(_)) => Err(Fail::new("unexpected {{else}}")),
            (_, Stop::File) => Err(Fail::new("a block does not end")),
        }
    }

    fn branch(&mut self, kind: BranchKind, mut tokens: VecDeque<Token>) -> Res<Node> {
        let line = self.line;
        let condition = pipe(&mut tokens, kind == BranchKind::Range, 0)?;
        let (body, end) = self.body()?;
        let otherwise = match end {
            Stop::End => Vec::new(),
            Stop::File => {
                return Err(Fail {
                    at: Some((Arc::from(""), line)),
                    ..Fail::new("a block does not end")
                });
            }
            Stop::Else(rest) => self.otherwise(rest)?,
        };
        let lines = holds_lines(&body) || holds_lines(&otherwise);
        let (body, otherwise) = (Arc::new(body), Arc::new(otherwise));
        Ok(Node::Branch(Branch {
            kind,
            pipe: condition,
            body,
            otherwise,
            line,
            lines,
        }))
    }

    /// The body after an `else`; that of `else if` is the `if` alone, whose end is shared.
    fn otherwise(&mut self, rest: Vec<Token>) -> Res<Vec<Node>> {
        let mut rest: VecDeque<Token> = rest.into();
        let Some(Token::Word(word)) = rest.pop_front() else {
            return self.closed_body();
        };
        if !matches!(&*word, "if" | "with") {
            return Err(Fail::new(format!("unexpected `{word}` after else")));
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Fail::new("blocks nest too deep"));
        }
        let inner = self.branch(kind_of(&word), rest)?;
        self.depth -= 1;
        Ok(vec![inner])
    }
}

/// Whether the first token is the only one.
fn is_alone(tokens: &VecDeque<Token>) -> bool {
    tokens.iter().skip(1).all(|token| *token == Token::Space)
}

fn kind_of(word: &str) -> BranchKind {
    match word {
        "if" => BranchKind::If,
        "with" => BranchKind::With,
        _ => BranchKind::Range,
    }
}

fn holds_lines(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Text(text) => text.contains('\n'),
        Node::Branch(branch) => branch.lines,
        _ => false,
    })
}

fn skip_spaces(tokens: &mut VecDeque<Token>) {
    while tokens.front() == Some(&Token::Space) {
        tokens.pop_front();
    }
}

/// The name after `define`, `block` or `template`, and the pipeline after it.
fn named(tokens: &mut VecDeque<Token>) -> Res<(Arc<str>, Option<Pipe>)> {
    skip_spaces(tokens);
    let Some(Token::Text(name)) = tokens.pop_front() else {
        return Err(Fail::new("a template's name is missing"));
    };
    skip_spaces(tokens);
    let pipe = if tokens.is_empty() {
        None
    } else {
        Some(pipe(tokens, false, 0)?)
    };
    Ok((name, pipe))
}

/// A pipeline up to the end of the action, or up to the closing parenthesis when inside one.
fn pipe(tokens: &mut VecDeque<Token>, range: bool, depth: usize) -> Res<Pipe> {
    if depth > DEPTH {
        return Err(Fail::new("parentheses nest too deep"));
    }
    let mut pipe = Pipe::default();
    declaration(tokens, range, &mut pipe);
    loop {
        let (command, more) = command(tokens, depth)?;
        pipe.commands.push(command);
        if !more {
            break;
        }
    }
    if depth == 0 && !tokens.is_empty() {
        return Err(Fail::new("unexpected `)` in an action"));
    }
    Ok(pipe)
}

/// Takes `$a :=`, `$a =` or `$a, $b :=` off the tokens; leaves them alone when there is none.
fn declaration(tokens: &mut VecDeque<Token>, range: bool, pipe: &mut Pipe) {
    skip_spaces(tokens);
    let mut names = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Variable(name) => names.push(Arc::clone(name)),
            Token::Comma if range => {}
            Token::Space => {}
            Token::Declare | Token::Assign if !names.is_empty() => {
                pipe.assigns = *token == Token::Assign;
                pipe.variables = names;
                tokens.drain(..=at);
                return;
            }
            _ => return,
        }
    }
}

/// One command, and whether a `|` follows it.
fn command(tokens: &mut VecDeque<Token>, depth: usize) -> Res<(Vec<Expr>, bool)> {
    let mut operands = Vec::new();
    loop {
        skip_spaces(tokens);
        match tokens.front() {
            Some(Token::Pipe) => {
                tokens.pop_front();
                skip_spaces(tokens);
                // Go takes a pipeline that ends in `|` as if it did not.
                let closes = depth > 0 && tokens.front() == Some(&Token::Close);
                if closes {
                    tokens.pop_front();
                }
                let more = !closes && !tokens.is_empty();
                return filled(operands, more);
            }
            None if depth == 0 => return filled(operands, false),
            Some(Token::Close) if depth > 0 => {
                tokens.pop_front();
                return filled(operands, false);
            }
            None => return Err(Fail::new("a parenthesis does not close")),
            Some(_) => {
                let operand = operand(tokens, depth)?;
                operands.push(operand);
            }
        }
    }
}

fn filled(operands: Vec<Expr>, more: bool) -> Res<(Vec<Expr>, bool)> {
    if operands.is_empty() {
        Err(Fail::new("missing value in an action"))
    } else {
        Ok((operands, more))
    }
}

fn operand(tokens: &mut VecDeque<Token>, depth: usize) -> Res<Expr> {
    Ok(match tokens.pop_front() {
        Some(Token::Word(word)) => match &*word {
            "true" => Expr::Bool(true),
            "false" => Expr::Bool(false),
            "nil" => Expr::Nil,
            _ => {
                let function = funcs::find(&word);
                Expr::Function(word, function)
            }
        },
        Some(Token::Field(first)) => {
            let mut fields = vec![first];
            fields.extend(chain(tokens));
            Expr::Field(fields)
        }
        Some(Token::Dot) => Expr::Dot,
        Some(Token::Variable(name)) => Expr::Variable(name, chain(tokens)),
        Some(Token::Open) => {
            let inner = pipe(tokens, false, depth + 1)?;
            Expr::Pipe(Box::new(inner), chain(tokens))
        }
        Some(Token::Int(value)) => Expr::Int(value),
        Some(Token::Float(value)) => Expr::Float(value),
        Some(Token::Text(text)) => Expr::Text(text),
        _ => return Err(Fail::new("unexpected token in an action")),
    })
}

/// The fields that follow an operand without a space.
fn chain(tokens: &mut VecDeque<Token>) -> Vec<Arc<str>> {
    let mut fields = Vec::new();
    while let Some(Token::Field(name)) = tokens.front() {
        fields.push(Arc::clone(name));
        tokens.pop_front();
    }
    fields
}
