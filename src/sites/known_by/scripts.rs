//! Scripts that set an image in a kustomization: `kustomize edit set image NAME=…`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::yaml::{Document, Kind, NodeId};

/// The command behind the name of the program.
const SETS: [&str; 3] = ["edit", "set", "image"];
/// What ends a command.
const ENDS: [char; 4] = ['&', '|', ';', ')'];
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

/// How many bytes of words may be put together for the lists of a document; aliases can make few of them many.
pub(super) fn room(document: &Document<'_>) -> usize {
    let texts = (0..document.nodes.len()).filter_map(|id| document.text(id));
    texts.map(str::len).sum::<usize>() * 4 + (1 << 16)
}

/// The names that a node gives to the command: a text with a script, a list of words, or a container with
/// both. `None` when the words of lists need more than there is room for.
pub(super) fn set_by(
    document: &Document<'_>,
    id: NodeId,
    room: &mut usize,
) -> Option<BTreeSet<String>> {
    let lists: Vec<NodeId> = match &document.node(id).kind {
        Kind::Scalar { value, .. } => return Some(of_script(value)),
        Kind::Sequence => vec![id],
        Kind::Mapping => {
            // Whatever order they stand in.
            let lists = COMMAND.iter().filter_map(|key| document.get(id, key));
            lists.map(|list| document.resolve(list)).collect()
        }
        Kind::Alias(_) => Vec::new(),
    };
    let mut words = Vec::new();
    for list in lists {
        for item in document.items(list) {
            let word = document.text(document.resolve(item)).unwrap_or("");
            *room = room.checked_sub(word.len() + 1)?;
            words.push(word);
        }
    }
    Some(if words.contains(&SETS[0]) {
        of_script(&words.join(" "))
    } else {
        BTreeSet::new()
    })
}

/// The names that a script gives to the command, each once, without what is filled in: every byte is looked at
/// once.
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
        let mut rest = line;
        while let Some(given) = behind_command(rest) {
            rest = arguments(given, &mut names);
        }
    }
    names
}

/// What stands behind the words of the command in a line.
fn behind_command(line: &str) -> Option<&str> {
    let mut met = 0;
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, behind) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        rest = behind.trim_start();
        let bare = word.trim_start_matches(['"', '\'', '(', '`']);
        let bare = bare.trim_end_matches(['"', '\'']);
        met = match bare {
            _ if bare == SETS[met] => met + 1,
            _ if bare == SETS[0] => 1,
            _ if met > 0 && bare.starts_with('-') => met,
            _ => 0,
        };
        if met == SETS.len() {
            return Some(rest);
        }
    }
    None
}

/// A word of a command while it is read.
#[derive(Default)]
struct Word {
    /// Its text as far as `=`.
    name: String,
    has_value: bool,
    /// Whether it is what a redirection goes to.
    is_target: bool,
}

impl Word {
    fn push(&mut self, c: char) {
        self.has_value |= c == '=';
        if !self.has_value {
            self.name.push(c);
        }
    }

    /// Ends it, and begins the next one.
    fn end(&mut self, names: &mut BTreeSet<String>) {
        let word = std::mem::take(self);
        if word.name.is_empty() && !word.has_value {
            self.is_target = word.is_target;
        } else if !word.is_target && !word.name.starts_with('-') {
            names.insert(word.name);
        }
    }
}

/// Reads the arguments of the command as a shell does, but for what it fills in; gives what follows it.
fn arguments<'t>(given: &'t str, names: &mut BTreeSet<String>) -> &'t str {
    let mut word = Word::default();
    let mut quote = None;
    let mut rest = given;
    while let Some(c) = rest.chars().next() {
        let next = &rest[c.len_utf8()..];
        if let Some(length) = filled_in(rest) {
            word.push('$');
            rest = &rest[length..];
            continue;
        }
        rest = next;
        let is_free = quote.is_none();
        match c {
            _ if quote == Some(c) => quote = None,
            '"' | '\'' | '`' if is_free => {
                // One that nothing follows ends a text around all of the command.
                let ends = |c: char| c.is_whitespace() || ENDS.contains(&c) || c == ']';
                if next.chars().next().is_none_or(ends) {
                    break;
                }
                quote = Some(c);
            }
            '\\' => {}
            '#' if is_free && word.name.is_empty() => {
                rest = "";
                break;
            }
            '>' | '<' if is_free => {
                if word.name.bytes().all(|byte| byte.is_ascii_digit()) {
                    word = Word::default();
                }
                word.end(names);
                word.is_target = true;
                rest = rest.trim_start_matches(['>', '<', '&', '|']);
            }
            _ if is_free && ENDS.contains(&c) => break,
            _ if is_free && c.is_whitespace() => word.end(names),
            _ => word.push(c),
        }
    }
    word.end(names);
    rest
}

/// The length (bytes) of something that a shell, a template or a workflow fills in, with which a text begins:
/// to its end where nothing closes it.
fn filled_in(text: &str) -> Option<usize> {
    let to = |begin: usize, end: &str| {
        let at = text[begin..].find(end);
        at.map_or(text.len(), |at| begin + at + end.len())
    };
    if text.starts_with("${{") {
        Some(to(3, "}}"))
    } else if text.starts_with("{{") {
        Some(to(2, "}}"))
    } else if text.starts_with("${") {
        Some(to(2, "}"))
    } else if text.starts_with("$(") {
        let mut depth = 0_usize;
        let end = text.bytes().position(|byte| {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            depth == 0 && byte == b')'
        });
        Some(end.map_or(text.len(), |end| end + 1))
    } else {
        // One that nothing closes ends a text around all of the command.
        let end = text.strip_prefix('`')?.find('`')?;
        Some(end + 2)
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
                &["acme/web:$"][..],
            ),
            (
                "cd prod && kustomize edit set image \\\n  a=quay.io/a/b:1 'c/d@sha256:00' && git push x",
                &["a", "c/d@sha256:00"],
            ),
            (
                "kustomize edit set image $IMAGE x={{ y }}; echo z",
                &["$IMAGE", "x"],
            ),
            ("kustomize edit set image ${{ env.IMAGE }}:1", &["$:1"]),
            (
                "kustomize edit set image a/b:${{ f(x) && y }} c d:$(e $(f) && g) h",
                &["a/b:$", "c", "d:$", "h"],
            ),
            (
                "kustomize edit set image\\\n  a/b=x && y; kustomize edit  set image c",
                &["a/b", "c"],
            ),
            (
                "kustomize edit set image \"$(echo a || b)\" c/d=x",
                &["$", "c/d"],
            ),
            ("(cd x && kustomize edit set image a) && echo b", &["a"]),
            ("kustomize edit set image a&&git push", &["a"]),
            ("kustomize edit set image 'a'=x:1 \"b\"=y", &["a", "b"]),
            ("kustomize 'edit' --stack-trace \"set\" image a", &["a"]),
            ("kustomize edit set image a > x # b", &["a"]),
            (
                "kustomize edit set image a=`git rev-parse HEAD` b=x `kustomize edit set image c`",
                &["a", "b", "$"],
            ),
            ("x `kustomize edit set image a` b", &["a"]),
            (
                "kustomize edit set image a=${X//;/-} b=${X%%|*} c",
                &["a", "b", "c"],
            ),
            (
                "kustomize edit set image \"a=b;c\" d:x\\&y e",
                &["a", "d:x"],
            ),
            (
                "kustomize edit set image 2>/dev/null a >& x b < y c",
                &["a", "b", "c"],
            ),
            (
                "kustomize edit set image a/\"b\"=x:1 'c'\"d\"",
                &["a/b", "cd"],
            ),
            (
                "sh -c \"kustomize edit set image a\" && sh -c 'kustomize edit set image b=c' d",
                &["a", "b"],
            ),
            ("x: [\"kustomize edit set image a\"]", &["a"]),
            ("kustomize edit set image a $(b", &["a", "$"]),
            ("kustomize edit edit set set image a", &[]),
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
            "{args: [set, image, 'a:1'], command: [kustomize, edit]}",
        ] {
            let document = documents(text).next().unwrap().unwrap();
            let nodes = 0..document.nodes.len();
            let found: BTreeSet<String> = nodes
                .flat_map(|id| set_by(&document, id, &mut room(&document)).unwrap())
                .collect();
            assert_eq!(found.first().map(|name| &name[..1]), Some("a"), "{text}");
        }
    }
}
