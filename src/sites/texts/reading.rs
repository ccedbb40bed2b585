//! A text is read: the pieces of it that are references, whole, and how sure that is.
//!
//! A piece is the entire text, what follows the `=` of a flag, or an item of a list of which every
//! item is a reference. What only begins like a reference is none.

use std::ops::Range;

use super::names::{self, Around, Says};
use crate::image::ImageRef;
use crate::reason::{Assumption, Reason};
use crate::rules::ecr_host::ecr_host_of;
use crate::rules::upstreams;

/// A piece of a text that is a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The bytes of the text.
    pub range: Range<usize>,
    /// What is known of it.
    pub standing: Standing,
}

/// How sure it is that a piece names an image that is pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its name says so, and it is written out.
    Certain,
    /// Something is missing: a sentence that says what would settle it.
    Assumed(String),
    /// A build pushes it.
    Pushed,
    /// Something else than a node reads it, by a scheme in front.
    Foreign,
}

/// In front of references that are none of a node's.
const SCHEMES: &[&str] = &["docker://", "oci://"];

impl Standing {
    /// The hold of a site that stands so.
    pub(super) fn hold(&self) -> Option<(Reason, String)> {
        let (reason, detail) = match self {
            Self::Pushed => (
                Reason::BuildOutput,
                "its name says that a build pushes the image there; nothing is pulled from it",
            ),
            Self::Foreign => (
                Reason::NotAnImage,
                "a scheme stands in front of it, so that no node pulls it; change it by hand if what reads it can log in to ECR",
            ),
            Self::Certain | Self::Assumed(_) => return None,
        };
        Some((reason, detail.to_string()))
    }

    /// What a change of it rests on.
    pub(super) fn assumption(&self) -> Option<(Assumption, String)> {
        match self {
            Self::Assumed(detail) => Some((Assumption::TextReference, detail.clone())),
            Self::Certain | Self::Pushed | Self::Foreign => None,
        }
    }

    /// The same where nothing is certain.
    pub(super) fn weakened(self, why: &str) -> Self {
        match self {
            Self::Certain => Self::Assumed(why.to_string()),
            other => other,
        }
    }
}

/// What a text that may be a reference has.
#[derive(Clone, Copy, Debug)]
struct Literal {
    host: Host,
    /// Whether a tag or digest follows, which may be filled in elsewhere.
    tagged: bool,
    /// Whether the path has several parts.
    several: bool,
}

/// What is known of the host in a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    /// It is a registry that many use, or an ECR registry.
    Known,
    /// It is one.
    Other,
    /// There is none.
    None,
}

impl Literal {
    fn read(text: &str) -> Option<Self> {
        if has_blanks(text) || text.contains("://") {
            return None;
        }
        if let Some(host) = ecr_host_of(text) {
            // Its account may be filled in elsewhere, so that the host need not be one yet.
            let (image, tagged) = name(&format!("ecr.invalid{}", &text[host.len()..]))?;
            return Some(Self {
                host: Host::Known,
                ..Self::of(&image, tagged)
            });
        }
        let (image, tagged) = name(text)?;
        Some(Self::of(&image, tagged))
    }

    fn of(image: &ImageRef, tagged: bool) -> Self {
        let host = match image.registry() {
            Some(host) if upstreams::is_known(upstreams::canonical_host(host)) => Host::Known,
            Some(host) if host.contains(['.', ':']) => Host::Other,
            _ => Host::None,
        };
        Self {
            host,
            tagged,
            several: image.repository().contains('/'),
        }
    }
}

/// Ways to write what is filled in that may hold blanks: the actions of templates.
const ACTIONS: &[(&str, &str)] = &[("{{", "}}"), ("{%", "%}")];

/// Whether a text has blanks outside of template actions, which stand on one line.
fn has_blanks(text: &str) -> bool {
    let mut rest = text;
    loop {
        let opening = ACTIONS
            .iter()
            .filter_map(|(open, close)| Some((rest.find(open)?, *close)))
            .min();
        let end = opening.and_then(|(at, close)| Some((at, at + rest[at..].find(close)? + 2)));
        let Some((at, end)) = end else {
            return rest.contains(char::is_whitespace);
        };
        if rest[..at].contains(char::is_whitespace) || rest[at..end].contains('\n') {
            return true;
        }
        rest = &rest[end..];
    }
}

/// What stands around what is filled in elsewhere. The first of those that begin at one place counts.
const FILLED: &[(&str, &str)] = &[
    ("${{", "}}"),
    ("{{", "}}"),
    ("{%", "%}"),
    ("${", "}"),
    ("$(", ")"),
];

/// The first piece of a text that is filled in elsewhere. One without an end reaches to that of the
/// text, and gives nothing that could be one.
fn filled(text: &str) -> Option<Range<usize>> {
    let starts = FILLED
        .iter()
        .filter_map(|(open, close)| Some((text.find(open)?, open.len(), *close)));
    let (start, open, close) = starts.min_by_key(|(start, ..)| *start)?;
    let inside = start + open;
    let end = inside + text[inside..].find(close)? + close.len();
    Some(start..end)
}

/// The image that a text names, and whether a tag or digest follows the name.
fn name(text: &str) -> Option<(ImageRef, bool)> {
    let Some(first) = filled(text) else {
        let image = ImageRef::parse(text).ok()?;
        let tagged = image.tag().is_some() || image.digest().is_some();
        return Some((image, tagged));
    };
    let path = text[..first.start].rfind('/')? + 1;
    let end = path + text[path..first.start].find([':', '@'])?;
    // Whatever is filled in, what stands around it has to be a tag or digest.
    ImageRef::parse(&example(text)).ok()?;
    let image = ImageRef::parse(&text[..end]).ok()?;
    image.registry().is_some().then_some((image, true))
}

/// A digest without its algorithm.
const DIGITS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A text with something in the place of whatever is filled in behind the name of an image.
fn example(text: &str) -> String {
    let mut example = String::new();
    let mut rest = text;
    while let Some(next) = filled(rest) {
        example.push_str(&rest[..next.start]);
        match example.rsplit_once('@') {
            None => example.push('0'),
            Some((_, "")) => example.extend(["sha256:", DIGITS]),
            Some((_, "sha256:")) => example.push_str(DIGITS),
            Some(_) => {}
        }
        rest = &rest[next.end..];
    }
    example + rest
}

/// How a text stands that is called `called`, if it is a reference.
pub(super) fn whole(text: &str, says: Says, called: &str) -> Option<Standing> {
    let literal = Literal::read(text)?;
    let has_host = literal.host != Host::None;
    let is_full = has_host && literal.tagged;
    match says {
        Says::Other => None,
        Says::Pushed => {
            let is_one = names::is_of_one(called) && (has_host || literal.tagged);
            (is_full || literal.host == Host::Known || is_one).then_some(Standing::Pushed)
        }
        Says::Nothing => (literal.host == Host::Known && literal.tagged)
            .then(|| Standing::Assumed(unnamed(called))),
        Says::Perhaps => (has_host || literal.tagged).then(|| Standing::Assumed(perhaps(called))),
        Says::Pulled if is_full => Some(Standing::Certain),
        Says::Name if has_host => Some(Standing::Certain),
        Says::Pulled | Says::Name => incomplete(text, literal, called).map(Standing::Assumed),
    }
}

/// How a reference to a registry that many use stands where its name says nothing, with a tag or without.
pub(super) fn hosted(text: &str, called: &str) -> Option<Standing> {
    let literal = Literal::read(text)?;
    (literal.host == Host::Known).then(|| Standing::Assumed(unnamed(called)))
}

/// What would settle a reference that lacks its host or its tag, under a name that says it is one.
fn incomplete(text: &str, literal: Literal, called: &str) -> Option<String> {
    if literal.tagged {
        return Some(format!(
            "`{called}` names it without a registry, and what reads it may put one in front; write the registry out (`docker.io/…`)"
        ));
    }
    let is_word = text
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let may_be =
        literal.host != Host::None || literal.several || is_word && !SETTINGS.contains(&text);
    let is_named = names::is_of_one(called) || names::is_of_several(called);
    (may_be && is_named).then(|| {
        format!(
            "`{called}` names it without a tag or digest, so that it may be a part of a reference, or none; write the tag out"
        )
    })
}

/// Words that switch something.
const SETTINGS: &[&str] = &[
    "all", "always", "auto", "default", "disabled", "enabled", "false", "latest", "never", "no",
    "none", "null", "off", "on", "true", "yes",
];

fn unnamed(called: &str) -> String {
    if called.is_empty() {
        "nothing beside it says that an image is pulled here".to_string()
    } else {
        format!("`{called}` does not say that an image is pulled here")
    }
}

fn perhaps(called: &str) -> String {
    format!("`{called}` may as well be an image that something builds, or only writes down")
}

/// Whether a text is a name without a registry and with a tag or digest.
pub(super) fn is_on_docker_hub(text: &str) -> bool {
    Literal::read(text).is_some_and(|literal| literal.host == Host::None && literal.tagged)
}

/// What stands behind a scheme, for something else than a node.
fn foreign(text: &str, says: Says, called: &str) -> Option<Piece> {
    let mut schemes = SCHEMES.iter();
    let rest = schemes.find_map(|scheme| text.strip_prefix(scheme))?;
    let is_image = !matches!(says, Says::Nothing | Says::Other);
    is_image.then(|| whole(rest, says, called)).flatten()?;
    let range = 0..text.len();
    let standing = Standing::Foreign;
    Some(Piece { range, standing })
}

/// Why a reference is not certain that has a line of its own.
const ENDS: &str =
    "a line break behind it is a part of the text, and what reads it may not take it off";

/// The references in the value that is called `called`: the one that it is, or those that it lists.
pub(super) fn value(text: &str, says: Says, called: &str) -> Vec<Piece> {
    if let Some(standing) = whole(text, says, called) {
        let range = 0..text.len();
        return vec![Piece { range, standing }];
    }
    if let Some(piece) = foreign(text, says, called) {
        return vec![piece];
    }
    let line = text.trim_end_matches(['\r', '\n']);
    if let Some(standing) = whole(line, says, called) {
        let range = 0..line.len();
        let standing = standing.weakened(ENDS);
        return vec![Piece { range, standing }];
    }
    let has_several = !matches!(says, Says::Nothing | Says::Other) && names::is_of_several(called);
    if has_several {
        list(text, says, called)
    } else {
        Vec::new()
    }
}

/// The references in a list, each an item or `key=reference`. Where one of its items is none, nobody
/// can tell what the list is.
fn list(text: &str, says: Says, called: &str) -> Vec<Piece> {
    let is_json = text.trim_start().starts_with(['[', '{']);
    let items = if is_json { quoted(text) } else { plain(text) };
    let read = |item: &str| {
        let from = item.find('=').map_or(0, |at| at + 1);
        // A word alone is a setting.
        let is_long = item[from..].contains(['/', ':']);
        let standing = whole(&item[from..], says, called).filter(|_| is_long);
        let start = item.as_ptr() as usize - text.as_ptr() as usize;
        let range = start + from..start + item.len();
        standing.map(|standing| Piece { range, standing })
    };
    let pieces: Vec<Piece> = items.iter().copied().filter_map(read).collect();
    if !is_json && pieces.len() == items.len() {
        return pieces;
    }
    let doubtful = |piece: Piece| Piece {
        standing: piece.standing.weakened(MIXED),
        ..piece
    };
    pieces.into_iter().map(doubtful).collect()
}

/// Why an item of a list is not certain that has others beside it.
const MIXED: &str = "it is a part of a text that is no plain list of references";

/// The items of a list with separators between them.
fn plain(text: &str) -> Vec<&str> {
    let separators = |c: char| matches!(c, ',' | ';') || c.is_whitespace();
    let items = text.split(separators);
    items.filter(|item| !item.is_empty()).collect()
}

/// What stands in quotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

/// The references in the arguments of a command (`None` is one that is no text), each with the place
/// of its argument. `moves`: the command moves images about.
pub(super) fn arguments(
    items: &[Option<&str>],
    around: Around,
    moves: bool,
) -> Vec<(usize, Piece)> {
    let mut found = Vec::new();
    let mut flag: Option<&str> = None;
    for (index, item) in items.iter().enumerate() {
        let before = flag.take();
        let Some(text) = item else { continue };
        if let Some((name, value)) = assigned(text) {
            let says = names::flag(name, around);
            found.extend(argument(
                value,
                says,
                name,
                text.len() - value.len(),
                moves,
                index,
            ));
        } else if is_flag(text) {
            flag = Some(text);
        } else {
            let says = before.map_or(Says::Nothing, |name| names::flag(name, around));
            found.extend(argument(text, says, before.unwrap_or(""), 0, moves, index));
        }
    }
    found
}

/// The references in one argument, `offset` being where its value begins.
fn argument(
    text: &str,
    says: Says,
    called: &str,
    offset: usize,
    moves: bool,
    index: usize,
) -> Vec<(usize, Piece)> {
    let says = match says {
        Says::Nothing if moves => return Vec::new(),
        Says::Pulled | Says::Name if moves => Says::Perhaps,
        says => says,
    };
    let shifted = |piece: Piece| Piece {
        range: piece.range.start + offset..piece.range.end + offset,
        ..piece
    };
    let pieces = value(text, says, called).into_iter();
    pieces.map(|piece| (index, shifted(piece))).collect()
}

/// The name and value of `--name=value` and `NAME=value`.
fn assigned(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, value))
}

fn is_flag(text: &str) -> bool {
    text.starts_with('-') && !text.contains(char::is_whitespace)
}

/// The references in a command line that is one text: all of it flags, with values where they need any.
pub(super) fn line(text: &str, around: Around) -> Vec<Piece> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_plain = |c: char| {
        !matches!(
            c,
            '|' | '&' | ';' | '<' | '>' | '"' | '\'' | '\\' | '`' | '\n'
        )
    };
    let follows = |(index, word): (usize, &&str)| {
        is_flag(word) || index > 0 && is_flag(words[index - 1]) && !words[index - 1].contains('=')
    };
    if !text.chars().all(is_plain) || !words.iter().enumerate().all(follows) {
        return Vec::new();
    }
    let items: Vec<Option<&str>> = words.iter().copied().map(Some).collect();
    let place = |(index, piece): (usize, Piece)| {
        let start = words[index].as_ptr() as usize - text.as_ptr() as usize;
        Piece {
            range: piece.range.start + start..piece.range.end + start,
            ..piece
        }
    };
    arguments(&items, around, false)
        .into_iter()
        .map(place)
        .collect()
}

/// Whether a command line moves images about.
pub(super) fn moves(items: &[Option<&str>]) -> bool {
    items.iter().flatten().any(|item| names::is_verb(item))
}

/// The variables that a list of arguments uses where images are pushed: behind a flag that says so, or
/// anywhere when a command moves images about.
pub(super) fn pushed_variables<'t>(items: &[Option<&'t str>]) -> Vec<&'t str> {
    let words = items
        .iter()
        .flatten()
        .flat_map(|item| item.split(is_between));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let moves = words.iter().any(|word| names::is_verb(word));
    let is_push =
        |word: &str| word.starts_with('-') && names::flag(word, Around::Runs) == Says::Pushed;
    let mut variables = Vec::new();
    let mut before = "";
    for word in words {
        let (name, value) = assigned(word).unwrap_or((before, word));
        if moves || is_push(name) {
            variables.extend(variables_in(value));
        }
        before = word;
    }
    variables
}

/// What stands between the words of a command line.
fn is_between(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '&' | '|' | '`')
}

/// The names of the variables in a text: `$(NAME)`, `${NAME}` and `$NAME`.
fn variables_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).map(|rest| {
        let rest = rest.trim_start_matches(['(', '{']);
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        &rest[..end]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces of some arguments, each with how it stands.
    fn read(items: &[&str]) -> Vec<String> {
        let texts: Vec<Option<&str>> = items.iter().copied().map(Some).collect();
        let found = arguments(&texts, Around::Runs, moves(&texts));
        let show = |(index, piece): (usize, Piece)| {
            let stands = match piece.standing {
                Standing::Certain => "certain",
                Standing::Assumed(_) => "assumed",
                Standing::Pushed => "pushed",
                Standing::Foreign => "foreign",
            };
            format!("{} {stands}", &items[index][piece.range])
        };
        found.into_iter().map(show).collect()
    }

    #[test]
    fn flags_with_references_are_read() {
        for (item, wanted) in [
            (
                "--acme-http01-solver-image=quay.io/a/b:v1",
                "quay.io/a/b:v1 certain",
            ),
            ("--x-image=quay.io/a/b:$(TAG)", "quay.io/a/b:$(TAG) certain"),
            (
                "--x-image=quay.io/a/b:${{ x }}-1@{{ d }}",
                "quay.io/a/b:${{ x }}-1@{{ d }} certain",
            ),
            (
                "--x-image=quay.io/a/b@sha256:${D}",
                "quay.io/a/b@sha256:${D} certain",
            ),
            (
                "--x-image=quay.io/a/b:{{ .Values.tag }}",
                "quay.io/a/b:{{ .Values.tag }} certain",
            ),
            (
                "--x-image=quay.io/a/b:v{{ .a }}-{{ .b | default \"x y\" }}",
                "quay.io/a/b:v{{ .a }}-{{ .b | default \"x y\" }} certain",
            ),
            (
                "--prometheus-default-base-image=quay.io/a/b",
                "quay.io/a/b certain",
            ),
            (
                "--x-image=registry.acme.com/b:1",
                "registry.acme.com/b:1 certain",
            ),
            ("--x-image=busybox:1.36", "busybox:1.36 assumed"),
            ("--x-image=quay.io/a/b", "quay.io/a/b assumed"),
            ("--x-image=busybox", "busybox assumed"),
            ("--sidecar=quay.io/a/b:1", "quay.io/a/b:1 assumed"),
            ("quay.io/a/b:1", "quay.io/a/b:1 assumed"),
            ("--destination=quay.io/a/b:1", "quay.io/a/b:1 pushed"),
            ("--output-image=a/b:1", "a/b:1 pushed"),
            (
                "--x-image=docker://quay.io/a/b:1",
                "docker://quay.io/a/b:1 foreign",
            ),
            ("--x-image=quay.io/a/b:1\n", "quay.io/a/b:1 assumed"),
            ("BUILDER_IMAGE=quay.io/a/b:1", "quay.io/a/b:1 certain"),
            (
                "--x-image=${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/a/b:1",
                "${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/a/b:1 certain",
            ),
        ] {
            assert_eq!(read(&[item]), [wanted], "{item}");
        }
    }

    #[test]
    fn what_only_looks_like_a_reference_is_none() {
        for item in [
            "--x-image=ko://github.com/a/b",
            "--x-image=docker.io/{username}/x:1",
            "--x-image=alpine:invalid!",
            "--x-image=quay.io/a/b:{{ .tag }} --y",
            "--x-image=quay.io/a/b:{{ .tag",
            "--x-image={{ .registry }}/a/b:1",
            "--x-image=quay.io/{{ .name }}:1",
            "--x-image=quay.io/a/b:1;$(FOO)",
            "--x-image=quay.io/a/b:!!{{x}}",
            "--x-image=quay.io/a/b:1,$(FOO)",
            "--x-image=quay.io/a/b:$(FOO),c",
            "--x-image=quay.io/a/b:$(FOO)/c",
            "--x-image=quay.io/a/b:$(FOO",
            "--x-image=quay.io/a/b@{{ .digest }};",
            "--x-image=$(IMAGE)",
            "--x-image=true",
            "--image-pull-policy=always",
            "--image-gc-high-threshold=85",
            "--allowed-images=quay.io/a/b:1",
            "--registry=quay.io",
            "--url=https://quay.io/a/b:1",
            "--listen=0.0.0.0:8080",
            "--upstream=foo.svc:80/a:1",
            "--sidecar=registry.acme.com/b:1",
            "--set=image=quay.io/a/b:1",
            "docker pull quay.io/a/b:1 && true",
            "quay.io/a/b",
            "quay.io/a/b:1 ",
            "a/b:1",
        ] {
            assert!(read(&[item]).is_empty(), "{item}: {:?}", read(&[item]));
        }
    }

    #[test]
    fn a_value_may_be_the_next_item() {
        assert_eq!(
            read(&["-shell-image", "cgr.dev/a/b:1", "x", "-v", "quay.io/c:2"]),
            ["cgr.dev/a/b:1 certain", "quay.io/c:2 assumed"]
        );
        assert_eq!(read(&["-t", "quay.io/a/b:1"]), ["quay.io/a/b:1 pushed"]);
        assert!(read(&["push", "quay.io/a/b:1"]).is_empty());
    }

    #[test]
    fn lists_are_read_when_every_item_is_a_reference() {
        let ranges = |text: &str| -> Vec<String> {
            let pieces = value(text, Says::Pulled, "KAFKA_IMAGES").into_iter();
            pieces.map(|piece| text[piece.range].to_string()).collect()
        };
        assert_eq!(
            ranges("\n4.0=quay.io/a:1\n  4.1=quay.io/a:2\n"),
            ["quay.io/a:1", "quay.io/a:2"]
        );
        assert_eq!(
            ranges("quay.io/a:1,quay.io/b:2"),
            ["quay.io/a:1", "quay.io/b:2"]
        );
        assert!(value("quay.io/a:1,quay.io/b:2", Says::Pulled, "X_IMAGE").is_empty());
    }

    #[test]
    fn what_is_unsure_in_a_list_is_told() {
        for (text, wanted) in [
            (
                "4.0=quay.io/a:1\n4.1=acme/a:2\n",
                &["quay.io/a:1!", "acme/a:2"][..],
            ),
            ("quay.io/a:1;nginx:1", &["quay.io/a:1!", "nginx:1"]),
            ("quay.io/a:1 quay.io/b", &["quay.io/a:1!", "quay.io/b"]),
            ("4.0=quay.io/a:1\n4.1=${IMAGE}\n", &["quay.io/a:1"]),
            ("quay.io/a:1,$(FOO)", &["quay.io/a:1"]),
            (
                "[\"quay.io/a:1\", \"nginx:1\"]",
                &["quay.io/a:1", "nginx:1"],
            ),
            ("{\"x\": \"quay.io/a:1\"}", &["quay.io/a:1"]),
            ("true yes", &[]),
        ] {
            let show = |piece: Piece| {
                let mark = if piece.standing == Standing::Certain {
                    "!"
                } else {
                    ""
                };
                format!("{}{mark}", &text[piece.range])
            };
            let pieces = value(text, Says::Pulled, "KAFKA_IMAGES").into_iter();
            assert_eq!(pieces.map(show).collect::<Vec<_>>(), wanted, "{text}");
        }
    }

    #[test]
    fn variables_that_are_pushed_are_known_by_their_uses() {
        for (items, wanted) in [
            (&["--destination=$(A)", "--image=$(B)"][..], &["A"][..]),
            (&["-t", "$(A)", "$(B)"], &["A"]),
            (&["push", "$(A)"], &["A"]),
            (&["-c", "docker build . && docker push \"${A}:1\""], &["A"]),
            (&["-c", "exec run --image=$A"], &[]),
        ] {
            let items: Vec<Option<&str>> = items.iter().copied().map(Some).collect();
            assert_eq!(pushed_variables(&items), wanted, "{items:?}");
        }
    }

    #[test]
    fn a_command_that_moves_images_pulls_none_for_sure() {
        assert_eq!(
            read(&["sign", "--image=quay.io/a/b:1", "quay.io/a/c:1"]),
            ["quay.io/a/b:1 assumed"]
        );
        assert_eq!(
            read(&["-f", "x", "--new_tag", "quay.io/a/b:1"]),
            ["quay.io/a/b:1 pushed"]
        );
    }

    #[test]
    fn a_line_of_flags_is_read() {
        let ranges = |text: &str| -> Vec<String> {
            let pieces = line(text, Around::Runs).into_iter();
            pieces.map(|piece| text[piece.range].to_string()).collect()
        };
        assert_eq!(ranges("--a=b --x-image=quay.io/a:1"), ["quay.io/a:1"]);
        assert_eq!(ranges("--x-image quay.io/a:1 --b"), ["quay.io/a:1"]);
        assert!(ranges("run --x-image=quay.io/a:1").is_empty());
        assert!(ranges("--x-image=quay.io/a:1 && b").is_empty());
    }
}
