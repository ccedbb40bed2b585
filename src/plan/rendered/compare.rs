//! What two renderings of a chart differ in: word by word, since a rewrite only changes words.

use std::iter::zip;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use crate::helm::template::{Rendered, from_base64};

/// Words of keys that hold what is computed of other texts.
const COMPUTED: &[&str] = &["checksum", "hash", "sha", "sha256", "sha1", "md5"];

/// Ends of keys whose texts are chosen, or name something that must not become another one.
const CHOSEN: &[&str] = &[
    "tag", "digest", "version", "image", "name", "password", "token", "secret", "key",
];

/// Digits that a run of hexadecimal ones has at least, to be computed whatever its key.
const MIN_RUN: usize = 8;

/// Characters that a text in base64 has at least, to be read: shorter words may be anything.
const MIN_ENCODED: usize = 16;

/// Keys of the parts of a name that a map holds in parts, in the order in which they are joined. Without
/// one of the first two, the last is a name of its own.
const PARTS: &[&str] = &["registry", "repository", "image"];

/// Keys of maps whose texts are no images, whatever their keys.
const LABELS: &[&str] = &["labels", "matchLabels", "selector", "nodeSelector"];

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

/// A word that differs, with the key of its line.
pub(super) struct Word<'t> {
    /// What stands before the first `: ` of its line, without quotes; empty when nothing does.
    pub(super) key: &'t str,
    pub(super) before: &'t str,
    pub(super) after: &'t str,
    /// The whole name, before and after, when keys beside it hold other parts of it.
    pub(super) whole: Option<(String, String)>,
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
    let texts = [before, after].map(|text| text.lines().collect::<Vec<_>>());
    let (pairs, is_whole) = paired(&texts[0], &texts[1]);
    let mut wrong = Vec::new();
    for (old, new) in pairs {
        let (before, after) = (texts[0][old], texts[1][new]);
        if let (Some(before), Some(after)) = (encoded(before), encoded(after)) {
            wrong.extend(of_template(&template, &before, &after, is_fine));
            continue;
        }
        let is_label = LABELS.contains(&above(&texts[0], old));
        let whole = whole([(&texts[0], old), (&texts[1], new)]);
        for (before, after) in zip(words(before), words(after)) {
            let word = Word {
                key: key_of(texts[0][old]),
                before,
                after,
                whole: whole.clone(),
            };
            let is_right = !is_label && (is_computed(&word) || is_fine(&word));
            if before != after && !is_right {
                wrong.push(Wrong::Word {
                    template: template.clone(),
                    before: before.to_string(),
                    after: after.to_string(),
                });
            }
        }
    }
    if !is_whole {
        wrong.push(Wrong::Shape { template });
    }
    wrong
}

/// The lines that differ, by their numbers, each with the one that has taken its place, and whether all
/// of them have one.
fn paired(before: &[&str], after: &[&str]) -> (Vec<(usize, usize)>, bool) {
    if before.len() == after.len() {
        let numbers = 0..before.len();
        let differ: Vec<usize> = numbers.filter(|&at| before[at] != after[at]).collect();
        if differ.iter().all(|&at| is_alike(before[at], after[at])) {
            return (differ.into_iter().map(|at| (at, at)).collect(), true);
        }
    }
    let mut pairs = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, before, after) {
        let (_, old, new) = op.as_tag_tuple();
        if op.tag() == DiffTag::Equal {
            continue;
        }
        let mut rest = new;
        for old in old {
            let found = rest.clone().find(|&new| is_alike(before[old], after[new]));
            if let Some(new) = found {
                pairs.push((old, new));
                rest.start = new + 1;
            }
        }
    }
    (pairs, false)
}

/// Whether lines differ in words alone.
fn is_alike(before: &str, after: &str) -> bool {
    let is_encoded = || encoded(before).is_some() && encoded(after).is_some();
    let is_same_but_words =
        || words(before).count() == words(after).count() && gaps(before).eq(gaps(after));
    key_of(before) == key_of(after) && (is_same_but_words() || is_encoded())
}

/// The name that the map around a line holds in parts, in each of two texts; nothing when the line is no
/// part, or is all of it.
fn whole(lines: [(&[&str], usize); 2]) -> Option<(String, String)> {
    let [(before, old), (after, new)] = lines;
    let key = key_of(before[old]);
    let (parts, others) = (parts(before, old), parts(after, new));
    let is_one = PARTS.contains(&key) && (key != "image" || parts.len() > 1);
    is_one.then(|| (parts.join("/"), others.join("/")))
}

/// The parts of a name in the map around a line, as far as they have texts.
fn parts<'t>(lines: &[&'t str], number: usize) -> Vec<&'t str> {
    let depth = depth(lines[number]);
    let in_map = |line: &&&str| self::depth(line) >= depth && !line.trim().is_empty();
    let is_new = |line: &&str| self::depth(line) == depth && line.trim_start().starts_with("- ");
    let first = (0..number).rev();
    let first = first.take_while(|&at| in_map(&&lines[at]) && !is_new(&lines[at + 1]));
    let first = first.last().unwrap_or(number);
    let below = lines[number + 1..].iter();
    let below = below
        .take_while(|line| in_map(line) && !is_new(line))
        .count();
    let map = &lines[first..=number + below];
    let text = |part: &&str| {
        let mut own = map
            .iter()
            .filter(|line| self::depth(line) == depth && key_of(line) == *part);
        let (_, value) = own.next()?.split_once(": ")?;
        Some(value.trim().trim_matches(['"', '\'']))
    };
    let texts = PARTS.iter().filter_map(text);
    texts
        .filter(|text| !matches!(*text, "" | "null" | "~"))
        .collect()
}

/// The key of the map or list that a line stands in.
fn above<'t>(lines: &[&'t str], number: usize) -> &'t str {
    let own = depth(lines[number]);
    let mut above = lines[..number].iter().rev();
    let outer = above.find(|line| !line.trim().is_empty() && depth(line) < own);
    outer.map_or("", |line| {
        line.trim()
            .trim_end_matches(':')
            .trim_matches(['"', '\'', '-', ' '])
    })
}

/// The text that the value of a line holds in base64, as the data of a Secret does.
fn encoded(line: &str) -> Option<String> {
    let (_, value) = line.split_once(": ")?;
    let value = value.trim().trim_matches(['"', '\'']);
    let bytes = from_base64(value).filter(|_| value.len() >= MIN_ENCODED)?;
    String::from_utf8(bytes).ok()
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

/// How far the key of a line is indented, in characters: dashes of lists count as blanks.
fn depth(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}

fn key_of(line: &str) -> &str {
    let quotes = |c: char| c.is_whitespace() || matches!(c, '-' | '"' | '\'' | '{');
    let key = line.split_once(": ").or(line.split_once("\":"));
    let key = key.map_or("", |(key, _)| key.trim_matches(quotes));
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    if key.chars().all(is_of_key) { key } else { "" }
}

/// Whether a word is computed of something: the checksum of a text with images, under a key that says so,
/// or a word that is the same but for runs of hexadecimal digits (`profile-56e7c7cd`). No change touches
/// tags and digests; but a template may choose one by a name, and names and passwords may be made of hashes.
fn is_computed(word: &Word<'_>) -> bool {
    let key = word.key.to_ascii_lowercase();
    let keys: Vec<&str> = key.split(['.', '_', '-', '/']).collect();
    if keys.iter().any(|key| COMPUTED.contains(key)) {
        return is_hex(word.before) && is_hex(word.after);
    }
    !CHOSEN.iter().any(|chosen| key.ends_with(chosen)) && differ_in_hashes(word.before, word.after)
}

/// Whether words are the same but for runs of hexadecimal digits that look like hashes.
fn differ_in_hashes(before: &str, after: &str) -> bool {
    let ends: &[char] = &['.', '_', '-', '/', ':', '@'];
    let before: Vec<&str> = before.split(ends).collect();
    let after: Vec<&str> = after.split(ends).collect();
    let is_hash = |run: &str| {
        let has = |is: fn(&u8) -> bool| run.bytes().any(|byte| is(&byte));
        let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
        run.len() >= MIN_RUN && is_hex(run) && is_mixed
    };
    let fits = |(before, after): (&&str, &&str)| {
        before == after || before.len() == after.len() && is_hash(before) && is_hash(after)
    };
    before.len() == after.len() && zip(&before, &after).all(fits)
}

fn is_hex(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_hexdigit())
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
    fn texts_in_base64_are_read() {
        // image: quay.io/a/b:1, image: R/quay.io/a/b:1, image: quay.io/R/a/b:1
        let before = "values.yaml: aW1hZ2U6IHF1YXkuaW8vYS9iOjEK";
        assert_eq!(
            wrong(before, "values.yaml: aW1hZ2U6IFIvcXVheS5pby9hL2I6MQo="),
            [""; 0]
        );
        let off = "values.yaml: aW1hZ2U6IHF1YXkuaW8vUi9hL2I6MQo=";
        assert_eq!(wrong(before, off), ["quay.io/a/b:1 quay.io/R/a/b:1"]);
    }

    #[test]
    fn parts_beside_each_other_make_one_name() {
        let text = [
            "a:",
            "  - registry: r",
            "    tag: t",
            "    image: \"i\"",
            "b:",
            "  image: i",
            "  - repository: x",
        ];
        let whole = |at: usize| whole([(&text, at), (&text, at)]).map(|(name, _)| name);
        assert_eq!(whole(1).as_deref(), Some("r/i"));
        assert_eq!(whole(3).as_deref(), Some("r/i"));
        assert_eq!((whole(5), whole(2)), (None, None));
        assert_eq!(whole(6).as_deref(), Some("x"));
    }

    #[test]
    fn what_is_around_a_word_counts() {
        let before = "labels:\n  image: a/b\nspec:\n  image: a/b\n";
        let after = before.replace("a/b", "R/a/b");
        assert_eq!(wrong(before, &after), ["a/b R/a/b"]);
        let line = "- --image=docker.io/hashicorp/x:1";
        assert_eq!(wrong(line, "- --image=docker.io/R/hashicorp/x:1").len(), 1);
        // Keys that are added elsewhere do not hide a line.
        let (before, after) = (
            "image: q/b\nmap:\n  x: 1\n",
            "image: q/R/b\nmap:\n  x: 1\n  y: 1\n",
        );
        assert_eq!(wrong(before, after).len(), 2);
        assert_eq!(wrong("value: ", "value: R").len(), 1);
        assert_eq!(wrong("x-hash: a-b", "x-hash: R-a-b").len(), 1);
        assert_eq!(wrong("id: p-56e7c7cd", "id: p-90ffc97e"), [""; 0]);
        assert_eq!(wrong("id: 0123456789", "id: 9876543210").len(), 1);
        assert_eq!(wrong("tag: 56e7c7cd", "tag: 90ffc97e").len(), 1);
        assert_eq!(
            wrong("claimName: p-56e7c7cd", "claimName: p-90ffc97e").len(),
            1
        );
        assert_eq!(wrong("id: p-56e7c7cd", "id: q-90ffc97e").len(), 1);
        assert_eq!(wrong("id: 56e7", "id: 90ff").len(), 1);
    }

    #[test]
    fn the_key_of_a_line_is_what_comes_first() {
        for (line, key) in [
            ("  - image: a", "image"),
            ("\"image\":\"a\"", "image"),
            ("- --image=a", ""),
            ("- --image=a:1", ""),
            ("text", ""),
        ] {
            assert_eq!(key_of(line), key, "{line}");
        }
    }
}
