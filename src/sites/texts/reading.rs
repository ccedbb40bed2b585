//! A text is read: the pieces of it that are references, whole, and how sure that is.
//!
//! A piece is the entire text, what follows the `=` of a flag, or an item of a list of which every
//! item is a reference. What only begins like a reference is none.

use std::ops::Range;

use super::names::{self, Around, Says, VERBS};
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
}

impl Standing {
    /// The hold of a site that stands so.
    pub(super) fn hold(&self) -> Option<(Reason, String)> {
        let detail = "its name says that a build pushes the image there; nothing is pulled from it";
        (*self == Self::Pushed).then(|| (Reason::BuildOutput, detail.to_string()))
    }

    /// What a change of it rests on.
    pub(super) fn assumption(&self) -> Option<(Assumption, String)> {
        match self {
            Self::Assumed(detail) => Some((Assumption::TextReference, detail.clone())),
            Self::Certain | Self::Pushed => None,
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

/// The image that a text names, and whether a tag or digest follows the name.
fn name(text: &str) -> Option<(ImageRef, bool)> {
    let filled = ["{{", "{%", "${", "$("]
        .iter()
        .filter_map(|open| text.find(open));
    let Some(filled) = filled.min() else {
        let image = ImageRef::parse(text).ok()?;
        let tagged = image.tag().is_some() || image.digest().is_some();
        return Some((image, tagged));
    };
    let path = text[..filled].rfind('/')? + 1;
    let end = path + text[path..filled].find([':', '@'])?;
    let image = ImageRef::parse(&text[..end]).ok()?;
    image.registry().is_some().then_some((image, true))
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
    (may_be && names::is_of_one(called)).then(|| {
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

/// The references in the value that is called `called`: the one that it is, or those that it lists.
pub(super) fn value(text: &str, says: Says, called: &str) -> Vec<Piece> {
    if let Some(standing) = whole(text, says, called) {
        let range = 0..text.len();
        return vec![Piece { range, standing }];
    }
    let has_several = matches!(says, Says::Pulled) && names::is_of_several(called);
    if has_several {
        list(text, called)
    } else {
        Vec::new()
    }
}

/// The items of a list, each a reference or `key=reference` and all of them certain.
fn list(text: &str, called: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let separators = |c: char| c == ',' || c.is_whitespace();
    for item in text.split(separators).filter(|item| !item.is_empty()) {
        let start = item.as_ptr() as usize - text.as_ptr() as usize;
        let from = item.find('=').map_or(0, |at| at + 1);
        let standing = whole(&item[from..], Says::Pulled, called);
        let Some(standing @ Standing::Certain) = standing else {
            return Vec::new();
        };
        let range = start + from..start + item.len();
        pieces.push(Piece { range, standing });
    }
    pieces
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
    if moves && says == Says::Nothing {
        return Vec::new();
    }
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
    items.iter().flatten().any(|item| VERBS.contains(item))
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
            "--x-image=docker://quay.io/a/b:1",
            "--x-image=docker.io/{username}/x:1",
            "--x-image=alpine:invalid!",
            "--x-image=quay.io/a/b:{{ .tag }} --y",
            "--x-image=quay.io/a/b:{{ .tag",
            "--x-image={{ .registry }}/a/b:1",
            "--x-image=quay.io/{{ .name }}:1",
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
        assert!(ranges("4.0=quay.io/a:1\n4.1=${IMAGE}\n").is_empty());
        assert!(value("quay.io/a:1,quay.io/b:2", Says::Pulled, "X_IMAGE").is_empty());
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
