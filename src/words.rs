//! Some words, looked for in a text all at once, and the one that was probably meant.

use aho_corasick::AhoCorasick;

/// Words to look for.
#[derive(Debug)]
pub struct Words {
    /// None when they cannot be looked for: every text may hold one then.
    finder: Option<AhoCorasick>,
}

impl Words {
    /// Words as they are written.
    pub fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        Self {
            finder: AhoCorasick::new(words).ok(),
        }
    }

    /// Words in small or large letters, as far as they are of ASCII.
    pub fn in_any_case<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let finder = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(words);
        Self {
            finder: finder.ok(),
        }
    }

    /// Whether a text holds one of them.
    pub fn are_in(&self, text: &str) -> bool {
        self.finder
            .as_ref()
            .is_none_or(|finder| finder.is_match(text))
    }

    /// Whether a text holds one of them behind which stands what is wanted.
    pub fn are_in_before(&self, text: &str, wanted: impl Fn(&str) -> bool) -> bool {
        self.finder.as_ref().is_none_or(|finder| {
            let mut found = finder.find_iter(text);
            found.any(|found| text.get(found.end()..).is_none_or(&wanted))
        })
    }
}

/// How alike a mistyped word and the one that was meant have to be, of 1.
const LIKENESS: f64 = 0.8;

/// Of the words that are known the one that was probably meant; none when nothing is much like it.
pub fn closest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let known = known.into_iter();
    known
        .map(|known| (strsim::jaro_winkler(word, known), known))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_word_is_meant() {
        let known = ["registry", "region", "rules", "rulesFrom"];
        for (word, meant) in [
            ("registy", Some("registry")),
            ("rule", Some("rules")),
            ("ruelsFrom", Some("rulesFrom")),
            ("zzz", None),
        ] {
            assert_eq!(closest(word, known), meant, "{word}");
        }
    }

    #[test]
    fn words_are_found() {
        let words = Words::new(["image", "repo"]);
        assert!(words.are_in("an image") && words.are_in("repository"));
        assert!(!words.are_in("an Image") && !words.are_in(""));
        let words = Words::in_any_case(["image", "hub"]);
        assert!(words.are_in("an IMage"));
        let is_colon = |rest: &str| rest.starts_with(':');
        assert!(words.are_in_before("image Hub:", is_colon));
        assert!(!words.are_in_before("image: hub", |rest| rest.starts_with('=')));
    }
}
