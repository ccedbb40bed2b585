//! Scripts that set an image in a kustomization: `kustomize edit set image NAME=…`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::yaml::{Document, Kind, NodeId};

/// The command behind the name of the program.
const SETS: [&str; 3] = ["edit", "set", "image"];
/// What ends a command, or a word of it.
const ENDS: [char; 7] = ['&', '|', ';', '>', '<', '`', ')'];
/// The keys under which the words of a command stand in a container.
const COMMAND: [&str; 2] = ["command", "args"];

/// Whether any text of a document may be part of the command; hardly one has that.
pub(super) fn may_set(document: &Document<'_>) -> bool {
    let mut ids = 0..document.nodes.len();
    ids.any(|id| {
        let text = document.text(id);
        text.is_some_and(|text| text.contains(SETS[0]))
    })
}

/// The names that a node gives to the command: a text with a script, a list of words, or a container with
/// both.
pub(super) fn set_by(document: &Document<'_>, id: NodeId) -> BTreeSet<String> {
    let words = |list: NodeId| -> Vec<&str> {
        let items = document.items(list).map(|item| document.resolve(item));
        items.filter_map(|item| document.text(item)).collect()
    };
    let words = match &document.node(id).kind {
        Kind::Scalar { value, .. } => return of_script(value),
        Kind::Sequence => words(id),
        Kind::Mapping => {
            let lists = document.entries(id).filter(|entry| {
                let is_list = |key| COMMAND.contains(&key);
                entry.key.is_some_and(is_list)
            });
            lists
                .flat_map(|entry| words(document.resolve(entry.value)))
                .collect()
        }
        Kind::Alias(_) => return BTreeSet::new(),
    };
    if words.contains(&SETS[0]) {
        of_script(&words.join(" "))
    } else {
        BTreeSet::new()
    }
}

/// What something is filled in by, that goes on behind a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    /// `{{` of a template.
    Braces,
    /// `$(` of a shell, with so many parentheses.
    Command(usize),
}

/// The names that a script gives to the command, each once: every word is looked at once.
fn of_script(script: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if !SETS.iter().all(|word| script.contains(word)) {
        return names;
    }
    let joined = if script.contains("\\\n") {
        Cow::Owned(script.replace("\\\n", " "))
    } else {
        Cow::Borrowed(script)
    };
    for line in joined.lines() {
        // How many words of the command have been met; then its arguments follow.
        let (mut met, mut open) = (0, Open::Nothing);
        for word in line.split_whitespace() {
            let bare = word.trim_start_matches(['"', '\'', '(', '`']);
            let bare = bare.trim_end_matches(['"', '\'']);
            if bare == SETS[0] {
                (met, open) = (1, Open::Nothing);
            } else if met < SETS.len() {
                let is_flag = met > 0 && bare.starts_with('-');
                met = match bare == SETS[met] {
                    true => met + 1,
                    false if is_flag => met,
                    false => 0,
                };
            } else if open == Open::Nothing && word.starts_with(ENDS) || word == "#" {
                met = 0;
            } else {
                if open == Open::Nothing && !bare.starts_with('-') {
                    let name = bare.split(ENDS).next().unwrap_or("");
                    let name = name.split_once('=').map_or(name, |(name, _)| name);
                    names.insert(name.trim_end_matches(['"', '\'']).to_string());
                }
                let written = match open {
                    Open::Nothing => word.split("$(").next().unwrap_or("").split("{{").next(),
                    _ => None,
                };
                open = open.behind(word);
                let is_last = written.is_some_and(|written| written.contains(ENDS));
                if is_last || open == Open::Nothing && word.ends_with(';') {
                    met = 0;
                }
            }
        }
    }
    names
}

impl Open {
    /// What is open behind a word.
    fn behind(mut self, word: &str) -> Self {
        let mut rest = word;
        loop {
            let (end, next) = match self {
                Self::Nothing => {
                    let braces = rest.find("{{").map(|at| (at + 2, Self::Braces));
                    let command = rest.find("$(").map(|at| (at + 2, Self::Command(1)));
                    let first = braces.into_iter().chain(command).min_by_key(|open| open.0);
                    let Some(first) = first else { return self };
                    first
                }
                Self::Braces => match rest.find("}}") {
                    Some(at) => (at + 2, Self::Nothing),
                    None => return self,
                },
                Self::Command(depth) => match rest.find(['(', ')']) {
                    Some(at) if rest[at..].starts_with('(') => (at + 1, Self::Command(depth + 1)),
                    Some(at) if depth > 1 => (at + 1, Self::Command(depth - 1)),
                    Some(at) => (at + 1, Self::Nothing),
                    None => return self,
                },
            };
            (self, rest) = (next, &rest[end..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::documents;

    #[test]
    fn scripts_tell_the_names_that_they_set() {
        for (script, wanted) in [
            (
                "kustomize edit set image acme/web:${SHA}",
                &["acme/web:${SHA}"][..],
            ),
            (
                "cd prod && kustomize edit set image \\\n  a=quay.io/a/b:1 'c/d@sha256:00' && git push x",
                &["a", "c/d@sha256:00"],
            ),
            (
                "kustomize edit set image $IMAGE x={{ y }}; echo z",
                &["$IMAGE", "x"],
            ),
            ("kustomize edit set image ${{ env.IMAGE }}:1", &["${{"]),
            (
                "kustomize edit set image a/b:${{ f(x) && y }} c d:$(e $(f) && g) h",
                &["a/b:${{", "c", "d:$(e", "h"],
            ),
            (
                "kustomize edit set image\\\n  a/b=x && y; kustomize edit  set image c",
                &["a/b", "c"],
            ),
            (
                "kustomize edit set image \"$(echo a || b)\" c/d=x",
                &["$(echo", "c/d"],
            ),
            ("(cd x && kustomize edit set image a) && echo b", &["a"]),
            ("kustomize edit set image a&&git push", &["a"]),
            ("kustomize edit set image 'a'=x:1 \"b\"=y", &["a", "b"]),
            ("kustomize 'edit' --stack-trace \"set\" image a", &["a"]),
            ("kustomize edit set image a > x # b", &["a"]),
            ("kustomize edit set imagex a", &[]),
            ("kustomize edit set namespace image a", &[]),
        ] {
            let found: Vec<String> = of_script(script).into_iter().collect();
            let mut wanted = wanted.to_vec();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "{script}");
        }
    }

    #[test]
    fn words_may_be_lists() {
        for text in [
            "[kustomize, edit, set, image, a=b]",
            "{x: &a a=b, y: [kustomize, edit, set, image, *a]}",
            "{command: [kustomize, edit], args: [set, image, 'a:1']}",
        ] {
            let document = documents(text).next().unwrap().unwrap();
            let nodes = 0..document.nodes.len();
            let found: BTreeSet<String> = nodes.flat_map(|id| set_by(&document, id)).collect();
            assert_eq!(found.first().map(|name| &name[..1]), Some("a"), "{text}");
        }
    }
}
