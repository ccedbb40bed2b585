//! Texts that are neither a reference nor a document that a tool is known to read: settings in a
//! config map, a template of a sidecar, a script with a manifest in it.
//!
//! Whatever is YAML or JSON is read as such; of anything else, the lines that are `image: reference`
//! and nothing more.

use std::ops::Range;

use super::names::{self, Around, Says};
use super::params::key_of;
use super::reading::{self, Piece, Standing};
use crate::sites::{object, values};
use crate::yaml::{Document, Kind, NodeId, Place, Scalar, documents};

/// Why what stands in a text that nothing explains is not certain.
const NO_DOCUMENT: &str = "it stands in a text of which nobody can tell what reads it";

/// Tools by which scripts pull images, and the subcommand.
const PULLERS: &[&str] = &["crictl", "ctr", "docker", "nerdctl", "podman"];
const PULL: &str = "pull";
/// Keys whose value is an image, though it may say so with neither a registry nor a rule for it.
const IMAGE: &str = "image";

/// Whether a text can hold anything of interest.
pub(super) fn is_worth_reading(text: &str) -> bool {
    // Most texts are short: letters are looked for first.
    text.contains(':')
        && text.contains(['\n', '{'])
        && ["mage", "IMAGE", PULL]
            .iter()
            .any(|word| text.contains(word))
}

/// The references in a text that nothing but its own keys explains: `image` may be what runs, what is
/// built, or what is allowed.
pub(super) fn settings(text: &str) -> Vec<Piece> {
    let weak = |piece: Piece| Piece {
        standing: piece.standing.weakened(NO_DOCUMENT),
        ..piece
    };
    explained(text).into_iter().map(weak).collect()
}

/// The references in a text of which it is known that what reads it runs them.
pub(super) fn explained(text: &str) -> Vec<Piece> {
    let all: Result<Vec<_>, _> = documents(text).collect();
    let is_one = |document: &Document<'_>| !matches!(document.node(0).kind, Kind::Scalar { .. });
    match all {
        Ok(all) if !all.is_empty() && all.iter().all(is_one) => all
            .iter()
            .flat_map(|document| fields(text, document))
            .collect(),
        _ => lines(text),
    }
}

/// The references in a text of which nothing is known.
pub(super) fn unknown(text: &str) -> Vec<Piece> {
    let known = |piece: &Piece| {
        let text = &text[piece.range.clone()];
        reading::whole(text, Says::Nothing, IMAGE).is_some() || reading::is_on_docker_hub(text)
    };
    settings(text).into_iter().filter(known).collect()
}

/// The references in the lines of a text of documents that belong to none that can be read.
pub(super) fn unread(text: &str) -> Vec<Piece> {
    let read: Vec<_> = documents(text)
        .filter_map(Result::ok)
        .map(|document| document.node(0).span)
        .collect();
    let is_read = |piece: &Piece| {
        let at = piece.range.start;
        read.iter().any(|span| span.start <= at && at < span.end)
    };
    let mut pieces = lines(text);
    pieces.retain(|piece| !is_read(piece));
    pieces
}

/// The images of a document of settings.
fn fields(text: &str, document: &Document<'_>) -> Vec<Piece> {
    // Schemas and policies describe images.
    if object::holds_none(document) {
        return Vec::new();
    }
    let mut pieces = Vec::new();
    for id in 0..document.nodes.len() {
        for entry in document.entries(id) {
            let Some(key) = entry.key.filter(|key| names::is_of_one(key)) else {
                continue;
            };
            let piece = field(text, document, entry.value, key);
            pieces.extend(piece.map(|piece| within(document, id, piece)));
        }
    }
    pieces
}

/// The same for a piece of the map `id`, whose own key may say that a build makes what it holds.
fn within(document: &Document<'_>, id: NodeId, piece: Piece) -> Piece {
    if !key_of(document, id).is_some_and(names::is_of_output) {
        return piece;
    }
    let standing = Standing::Pushed;
    Piece { standing, ..piece }
}

fn field(text: &str, document: &Document<'_>, id: NodeId, key: &str) -> Option<Piece> {
    if document.node(id).anchored {
        return None;
    }
    let scalar = Scalar::locate(text, document, id)?;
    let Place::Exact(span) = scalar.place else {
        return None;
    };
    let standing = setting(&scalar.value, key).or_else(|| bare(&scalar.value, key))?;
    let range = span.start..span.end;
    Some(Piece { range, standing })
}

/// How the value of a key in settings stands. What has neither a registry nor a tag is none.
pub(super) fn setting(text: &str, key: &str) -> Option<Standing> {
    reading::whole(text, Says::Perhaps, key)?;
    reading::whole(text, names::flag(key, Around::Runs), key)
}

/// How a name without registry and tag stands under the key `image` (KServe's
/// `{"image": "kserve/art-explainer"}`): what reads it adds a tag.
fn bare(text: &str, key: &str) -> Option<Standing> {
    let is_name = key == IMAGE && text.contains('/') && !values::is_picture(text);
    let standing = reading::whole(text, Says::Pulled, key).filter(|_| is_name)?;
    Some(standing.weakened(NO_DOCUMENT))
}

/// The same where nobody can tell what reads the settings.
pub(super) fn unknown_setting(text: &str, key: &str) -> Option<Standing> {
    reading::whole(text, Says::Nothing, key)?;
    Some(setting(text, key)?.weakened(NO_DOCUMENT))
}

/// The lines that are `image: reference` or `image = "reference"`, or pull one.
fn lines(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        pieces.extend(of_line(line, start));
        start += line.len();
    }
    pieces
}

fn of_line(line: &str, start: usize) -> Option<Piece> {
    let (key, range) = pair(line)
        .or_else(|| assignment(line))
        .or_else(|| pulled(line))?;
    let standing = setting(&line[range.clone()], key)?;
    let standing = match standing {
        Standing::Pushed => return None,
        standing => standing.weakened(NO_DOCUMENT),
    };
    let range = range.start + start..range.end + start;
    Some(Piece { range, standing })
}

/// The key of a line that is a key and a value alone, and the bytes of the value without its quotes.
fn pair(line: &str) -> Option<(&str, Range<usize>)> {
    let rest = line.trim_start();
    let rest = rest.strip_prefix("- ").map_or(rest, str::trim_start);
    let (key, value) = rest.split_once(':')?;
    let key = key.trim_end();
    let key = unquoted(key).unwrap_or(key);
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !key.chars().all(is_key) || !names::is_of_one(key) || !value.starts_with([' ', '"']) {
        return None;
    }
    let value = value.trim();
    let value = value
        .split_once(" #")
        .map_or(value, |(value, _)| value.trim_end());
    let value = value.strip_suffix(',').unwrap_or(value);
    let value = unquoted(value).unwrap_or(value);
    Some((key, place(line, value)))
}

/// The key and the bytes of the value of a line `key = "value"`, as TOML has them.
fn assignment(line: &str) -> Option<(&str, Range<usize>)> {
    let (key, value) = line.trim().split_once('=')?;
    let key = key.trim_end();
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !key.chars().all(is_key) || !names::is_of_one(key) {
        return None;
    }
    let value = unquoted(value.trim())?;
    Some((key, place(line, value)))
}

/// The bytes of the image that a line of a script pulls, and what it may be called.
fn pulled(line: &str) -> Option<(&str, Range<usize>)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (image, words) = words.split_last()?;
    let tool = words.iter().position(|word| PULLERS.contains(word))?;
    let is_pull = tool <= 1 && words.last() == Some(&PULL);
    is_pull.then(|| (IMAGE, place(line, image)))
}

/// The bytes of a piece of a line.
fn place(line: &str, piece: &str) -> Range<usize> {
    let at = piece.as_ptr() as usize - line.as_ptr() as usize;
    at..at + piece.len()
}

fn unquoted(text: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|quote| {
        text.strip_prefix(quote)
            .and_then(|text| text.strip_suffix(quote))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces of a text, the certain ones with `!`, and the ones that are pushed with `^`.
    fn show(text: &str, pieces: Vec<Piece>) -> Vec<String> {
        let show = |piece: Piece| {
            let mark = match piece.standing {
                Standing::Certain => "!",
                Standing::Pushed => "^",
                Standing::Foreign => "?",
                Standing::Assumed(_) => "",
            };
            format!("{}{mark}", &text[piece.range])
        };
        pieces.into_iter().map(show).collect()
    }

    fn read(text: &str) -> Vec<String> {
        show(text, settings(text))
    }

    #[test]
    fn documents_are_read_as_such() {
        for (text, wanted) in [
            (
                "{\n  \"image\" : \"quay.io/a:1\",\n  \"x\": 1\n}",
                "quay.io/a:1!",
            ),
            ("{\"agentImage\":\"quay.io/a:1\"}", "quay.io/a:1!"),
            ("a:\n  image: 'quay.io/a:1' # x\n", "quay.io/a:1!"),
            ("{\"image\": \"kserve/agent:v0.11\"}", "kserve/agent:v0.11"),
            ("- {image: quay.io/a:1, b: c}\n", "quay.io/a:1!"),
        ] {
            assert_eq!(show(text, explained(text)), [wanted], "{text}");
            assert_eq!(read(text), [wanted.trim_end_matches('!')], "{text}");
        }
    }

    #[test]
    fn what_something_builds_or_allows_is_never_certain() {
        for (text, wanted) in [
            (
                "build:\n  output:\n    image: quay.io/a:1\n",
                "quay.io/a:1^",
            ),
            ("push: {image: quay.io/a:1}\n", "quay.io/a:1^"),
            (
                "build:\n  artifacts:\n  - image: quay.io/a:1\n",
                "quay.io/a:1",
            ),
            (
                "services: {a: {build: ., image: quay.io/a:1}}\n",
                "quay.io/a:1",
            ),
            (
                "{\"build\":{\"image\":\"quay.io/a:1\",\"push\":true}}",
                "quay.io/a:1",
            ),
            ("- image: quay.io/a:1\n", "quay.io/a:1"),
            (
                "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: quay.io/a:1}]}\n",
                "quay.io/a:1",
            ),
        ] {
            assert_eq!(read(text), [wanted], "{text}");
        }
    }

    #[test]
    fn lines_of_other_texts_are_assumed() {
        for text in [
            "{{ if .x }}\n- name: a\n  image: quay.io/a:1\n{{ end }}\n",
            "kubectl apply -f - <<EOF\r\n  - image: \"quay.io/a:1\"\r\nEOF\r\n",
            "{{ .x }}\n  \"image\": \"quay.io/a:1\",\n",
            "{{ .x }}\nimage: quay.io/a:1 # note\n",
            "[[runners]]\n  [runners.kubernetes]\n    image = \"quay.io/a:1\"\n",
            "[plugins.x]\n  sandbox_image = \"quay.io/a:1\"\n",
            "#!/bin/sh\nset -e\nsudo ctr images pull quay.io/a:1\n",
        ] {
            assert_eq!(read(text), ["quay.io/a:1"], "{text}");
        }
    }

    #[test]
    fn names_without_a_registry_are_kept_where_nothing_is_known() {
        for (text, wanted) in [
            ("- name: a\n  image: busybox:1.36\n", &["busybox:1.36"][..]),
            ("- image: jenkins/agent:4.13\n", &["jenkins/agent:4.13"]),
            ("- image: registry.acme.com/agent:4.13\n", &[]),
            ("- image: busybox\n", &[]),
        ] {
            assert_eq!(show(text, unknown(text)), wanted, "{text}");
        }
    }

    #[test]
    fn lines_of_documents_that_cannot_be_read_are_kept() {
        let text = "image: quay.io/a:1\n---\nx: {{ y }}\n{{ z }}\nimage: quay.io/b:1\n";
        assert_eq!(show(text, unread(text)), ["quay.io/b:1"]);
    }

    #[test]
    fn lines_with_anything_else_are_none() {
        for text in [
            "{{ x }}\necho image: quay.io/a:1\n",
            "{{ x }}\nimage: quay.io/a:1 b\n",
            "{{ x }}\nimage: \"quay.io/a:1\n",
            "{{ x }}\nimage:quay.io/a:1\n",
            "{{ x }}\n# image: quay.io/a:1\n",
            "{{ x }}\nimage: {{ y }}\n",
            "{{ x }}\nimage: https://quay.io/a:1\n",
            "{{ x }}\nimagePullPolicy: quay.io/a:1\n",
            "[a]\nimage = quay.io/a:1\n",
            "[a]\nregistry = \"quay.io/a:1\"\nx = \"image:1\"",
            "#!/bin/sh\ndocker push image quay.io/a:1\n",
            "kind: CustomResourceDefinition\napiVersion: apiextensions.k8s.io/v1\nimage: quay.io/a:1\n",
        ] {
            assert!(read(text).is_empty(), "{text}");
        }
    }
}
