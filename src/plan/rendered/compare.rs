//! What two renderings of a chart differ in: word by word, since a rewrite only changes words.

use std::iter::zip;

use crate::helm::template::Rendered;

/// Parts of keys that hold what is computed of other texts.
const COMPUTED: &[&str] = &["checksum", "hash", "sha256", "sha1", "md5"];

/// What came out otherwise than it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A template cannot be rendered any more.
    Refused { template: String, why: String },
    /// A word became one that it should not.
    Word {
        template: String,
        before: String,
        after: String,
    },
    /// The text has another shape.
    Shape { template: String },
}

/// Keys of the other parts of a name that a map holds in parts.
const PARTS: &[&str] = &["registry", "repository"];

/// A word that differs, with the key of its line.
pub(super) struct Word<'t> {
    /// Whether keys beside it say that it is one part of a name.
    pub(super) is_part: bool,
    /// What stands before the first `:` of its line, without quotes; empty when nothing does.
    pub(super) key: &'t str,
    pub(super) before: &'t str,
    pub(super) after: &'t str,
}

/// Everything in which renderings differ and that `is_fine` does not allow.
pub(super) fn compare(
    before: &Rendered,
    after: &Rendered,
    is_fine: &dyn Fn(&Word<'_>) -> bool,
) -> Vec<Wrong> {
    let was_unread = |path: &String| before.unread.iter().any(|(known, _)| known == path);
    let refused = after.unread.iter().filter(|(path, _)| !was_unread(path));
    let refused = refused.map(|(template, why)| Wrong::Refused {
        template: template.clone(),
        why: why.clone(),
    });
    let mut wrong: Vec<Wrong> = refused.collect();
    for (template, text) in &before.manifests {
        let same = after.manifests.iter().find(|(path, _)| path == template);
        let Some((_, new)) = same.filter(|(_, new)| new != text) else {
            continue;
        };
        wrong.extend(of_template(template, text, new, is_fine));
    }
    wrong
}

fn of_template(
    template: &str,
    before: &str,
    after: &str,
    is_fine: &dyn Fn(&Word<'_>) -> bool,
) -> Vec<Wrong> {
    let template = template.to_string();
    let all: Vec<&str> = before.lines().collect();
    let lines = || {
        let pairs = zip(before.lines(), after.lines()).enumerate();
        pairs.filter(|(_, (before, after))| before != after)
    };
    if before.lines().count() != after.lines().count()
        || !lines().all(|(_, (before, after))| gaps(before).eq(gaps(after)))
    {
        return vec![Wrong::Shape { template }];
    }
    let words = lines().flat_map(|(number, (before, after))| {
        let key = key_of(before);
        let is_part = PARTS.contains(&key) || is_beside_parts(&all, number);
        let pairs = zip(words(before), words(after));
        pairs.map(move |(before, after)| Word {
            is_part,
            key,
            before,
            after,
        })
    });
    let wrong =
        words.filter(|word| word.before != word.after && !is_computed(word) && !is_fine(word));
    wrong
        .map(|word| Wrong::Word {
            template: template.clone(),
            before: word.before.to_string(),
            after: word.after.to_string(),
        })
        .collect()
}

/// The words of a line: what may be a reference, whole.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c| !is_of_word(c))
        .filter(|word| !word.is_empty())
}

/// What stands between the words.
fn gaps(line: &str) -> impl Iterator<Item = &str> {
    line.split(is_of_word).filter(|gap| !gap.is_empty())
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@' | '<' | '>')
}

/// Whether a line of the same map has the key of a part.
fn is_beside_parts(lines: &[&str], number: usize) -> bool {
    let depth = depth(lines[number]);
    let in_map = |line: &&&str| self::depth(line) >= depth;
    let is_part = |line: &&str| self::depth(line) == depth && PARTS.contains(&key_of(line));
    let below = lines[number..].iter().take_while(in_map);
    let above = lines[..number].iter().rev().take_while(in_map);
    below.chain(above).any(is_part)
}

/// How far the key of a line is indented, in characters: dashes of lists count as blanks.
fn depth(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}

fn key_of(line: &str) -> &str {
    let (key, _) = line
        .split_once(": ")
        .or(line.split_once(':'))
        .unwrap_or(("", ""));
    key.trim_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '"' | '\''))
}

/// Whether a word is computed of something: the checksum of a text with images.
fn is_computed(word: &Word<'_>) -> bool {
    let key = word.key.to_ascii_lowercase();
    let is_hex = |word: &str| word.chars().all(|c| c.is_ascii_hexdigit());
    COMPUTED.iter().any(|part| key.contains(part))
        || word.before.len() >= 40
            && word.before.len() == word.after.len()
            && is_hex(word.before)
            && is_hex(word.after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> Rendered {
        Rendered {
            manifests: vec![("t".to_string(), text.to_string())],
            unread: Vec::new(),
        }
    }

    fn wrong(before: &str, after: &str) -> Vec<String> {
        let is_fine = |word: &Word<'_>| word.after == format!("R/{}", word.before);
        let wrong = compare(&rendered(before), &rendered(after), &is_fine);
        let text = |wrong: Wrong| match wrong {
            Wrong::Word { before, after, .. } => format!("{before} {after}"),
            other => format!("{other:?}"),
        };
        wrong.into_iter().map(text).collect()
    }

    #[test]
    fn words_become_what_they_may() {
        let before = "a: 1\nimage: \"quay.io/a/b:1\"\n- --x=quay.io/a/b\n  checksum/config: 00\n";
        let fine = "a: 1\nimage: \"R/quay.io/a/b:1\"\n- --x=R/quay.io/a/b\n  checksum/config: 11\n";
        assert_eq!(wrong(before, fine), [""; 0]);
        let off = fine.replace("R/quay.io/a/b:1", "quay.io/R/a/b:1");
        assert_eq!(wrong(before, &off), ["quay.io/a/b:1 quay.io/R/a/b:1"]);
        assert_eq!(wrong(before, &fine.replace("a: 1", "a: 2")), ["1 2"]);
        let shape = "Shape { template: \"t\" }";
        assert_eq!(wrong(before, &fine.replace("a: 1\n", "")), [shape]);
        assert_eq!(wrong(before, &fine.replace("a: 1", "a: [1]")), [shape]);
    }

    #[test]
    fn a_template_that_is_refused_is_wrong() {
        let mut after = rendered("a");
        after.unread.push(("u".to_string(), "no".to_string()));
        let found = compare(&rendered("a"), &after, &|_| false);
        assert!(matches!(&found[..], [Wrong::Refused { why, .. }] if why == "no"));
        assert_eq!(compare(&after, &after, &|_| false), []);
    }

    #[test]
    fn parts_beside_each_other_are_told_from_whole_names() {
        let text = [
            "a:",
            "  - registry: r",
            "    tag: t",
            "    image: i",
            "b:",
            "  image: i",
        ];
        assert!(is_beside_parts(&text, 3));
        assert!(!is_beside_parts(&text, 5) && !is_beside_parts(&text, 0));
    }

    #[test]
    fn the_key_of_a_line_is_what_comes_first() {
        for (line, key) in [
            ("  - image: a", "image"),
            ("\"image\":\"a\"", "image"),
            ("- --image=a", ""),
            ("text", ""),
        ] {
            assert_eq!(key_of(line), key, "{line}");
        }
    }
}
