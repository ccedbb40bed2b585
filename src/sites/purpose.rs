//! Words of names and keys that tell what an image is for: that a build pushes it, or that a rule
//! speaks of it.
//!
//! The names beside texts and the keys of custom resources are read by the same words, so that what is
//! pushed under one is not pulled under the other.

use super::front::words;

/// Words of names that are about images in general.
pub(super) const POLICY: &[&str] = &[
    "allow",
    "allowed",
    "allowlist",
    "approved",
    "blacklist",
    "blocked",
    "blocklist",
    "denied",
    "deny",
    "denylist",
    "exclude",
    "excluded",
    "filter",
    "forbidden",
    "ignore",
    "ignored",
    "pattern",
    "prefix",
    "skip",
    "trusted",
    "whitelist",
];

/// Words that stand for an image that a build makes: for sure where nothing else tells it from others.
pub(super) const PUSHED: &[&str] = &[
    "built",
    "dest",
    "destination",
    "destinations",
    "dst",
    "export",
    "exported",
    "exports",
    "final",
    "mirror",
    "mirrored",
    "mirrors",
    "out",
    "output",
    "outputs",
    "produced",
    "produces",
    "publish",
    "published",
    "push",
    "pushed",
    "result",
    "results",
    "saved",
    "signed",
    "tagged",
    "target",
    "targets",
    "to",
    "upload",
    "uploaded",
];

/// Words that follow one another in the names of programs, and mean nothing else there. Sources:
/// Prometheus, the operators of OpenTelemetry and Strimzi.
const PROGRAMS: &[[&str; 2]] = &[
    ["mirror", "maker"],
    ["push", "gateway"],
    ["target", "allocator"],
];

/// Words that do not tell an image from others: it may be the one that a build is all about.
pub(super) const PLAIN: &[&str] = &[
    "image",
    "images",
    "app",
    "application",
    "container",
    "docker",
    "full",
    "fullname",
    "my",
    "name",
    "oci",
    "project",
    "ref",
    "reference",
    "uri",
    "url",
];

/// Words in keys that leave open what becomes of an image: they are too common in names of variables
/// and flags to count there.
const OPEN: &[&str] = &[
    "artifact",
    "artifacts",
    "export",
    "exported",
    "exports",
    "final",
    "match",
    "mirror",
    "mirrors",
    "out",
    "policies",
    "policy",
    "results",
    "selector",
    "when",
];

/// What the keys that lead to an image say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// Nothing against its being pulled.
    Pulled,
    /// It may be pushed, or a rule may speak of it.
    Open,
    /// A build pushes it.
    Pushed,
}

/// Whether any word says that a build makes it.
pub(super) fn says_pushed(words: &[String]) -> bool {
    let is_program = |at: usize| {
        let two = words.get(at..at + 2);
        two.is_some_and(|two| PROGRAMS.iter().any(|program| two == program))
    };
    let mut pushed = (0..words.len()).filter(|&at| PUSHED.contains(&words[at].as_str()));
    pushed.any(|at| !is_program(at))
}

/// Whether the key of an image, or that of the map around it, says that a build pushes it: `imageTarget`,
/// `buildTarget`. A program may be called so (`pushGatewayImage`), so that the word has to stand beside that
/// of the image, or alone.
pub(super) fn is_pushed(key: &str) -> bool {
    let words: Vec<String> = words(key).flat_map(without_image).collect();
    let is = |word: &String, lists: &[&[&str]]| {
        let mut lists = lists.iter();
        lists.any(|list| list.contains(&word.as_str()))
    };
    let is_plain = |word: &String| is(word, &[PUSHED, PLAIN, &["build"]]);
    let is_both = |pair: &[String]| {
        let has = |list: &[&str]| pair.iter().any(|word| is(word, &[list]));
        has(PUSHED) && has(&["image", "images"])
    };
    let is_beside = words.windows(2).any(is_both);
    says_pushed(&words) && (is_beside || words.iter().all(is_plain))
}

/// Whether the key of an image says that a policy names it.
pub(super) fn is_of_policy(key: &str) -> bool {
    words(key).any(|word| POLICY.contains(&word.as_str()) && word != "prefix")
}

/// `builtimage` is two words.
fn without_image(word: String) -> Vec<String> {
    match word.strip_suffix("image").filter(|rest| !rest.is_empty()) {
        Some(rest) => vec![rest.to_string(), "image".to_string()],
        None => vec![word],
    }
}

/// Whether a key says no more of an image than that it is one.
pub(super) fn is_plain(key: &str) -> bool {
    words(key).all(|word| PLAIN.contains(&word.as_str()))
}

/// What the keys that lead to an image say of it, each of them read word by word.
pub(super) fn of_place(keys: &[&str]) -> Purpose {
    let Some((own, above)) = keys.split_last() else {
        return Purpose::Pulled;
    };
    let of_above = above.iter().map(|key| of_key(key)).max();
    let own_purpose = of_key(own);
    match (own_purpose, of_above.unwrap_or(Purpose::Pulled)) {
        (Purpose::Pushed, _) => Purpose::Pushed,
        // `output.image`; the image of a tool may stand below it as well: `output.shipper.image`.
        (_, Purpose::Pushed) => {
            let direct = above.last().map(|key| of_key(key));
            let is_sure = is_plain(own) && direct == Some(Purpose::Pushed);
            if is_sure {
                Purpose::Pushed
            } else {
                Purpose::Open
            }
        }
        (Purpose::Open, _) | (_, Purpose::Open) => Purpose::Open,
        (Purpose::Pulled, Purpose::Pulled) => Purpose::Pulled,
    }
}

fn of_key(key: &str) -> Purpose {
    let words: Vec<String> = words(key).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let is_known = |word: &String| {
        [PUSHED, PLAIN]
            .iter()
            .any(|list| list.contains(&word.as_str()))
    };
    if has(POLICY) || has(OPEN) {
        Purpose::Open
    } else if !says_pushed(&words) {
        Purpose::Pulled
    } else if words.iter().all(is_known) {
        Purpose::Pushed
    } else {
        Purpose::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_say_what_a_build_pushes() {
        for (key, wanted) in [
            ("imageDestination", true),
            ("imageOutput", true),
            ("imageTarget", true),
            ("imagePush", true),
            ("builtimage", true),
            ("output_image", true),
            ("uploadImage", true),
            ("appOutputImage", true),
            ("push", true),
            ("outputs", true),
            ("buildTarget", true),
            ("pushGatewayImage", false),
            ("targetAllocator", false),
            ("image", false),
        ] {
            assert_eq!(is_pushed(key), wanted, "{key}");
        }
        assert!(is_of_policy("imageAllowed"));
        assert!(is_of_policy("imageExclude"));
        assert!(!is_of_policy("image"));
    }

    #[test]
    fn places_tell_what_an_image_is_for() {
        for (keys, wanted) in [
            (&["spec", "image"][..], Purpose::Pulled),
            (&["spec", "targetAllocator", "image"], Purpose::Pulled),
            (&["spec", "pushGateway", "image"], Purpose::Pulled),
            (&["spec", "exporter", "image"], Purpose::Pulled),
            (&["spec", "toImage"], Purpose::Pushed),
            (&["spec", "OutputImage"], Purpose::Pushed),
            (&["spec", "imageToPush"], Purpose::Pushed),
            (&["spec", "imageDestination"], Purpose::Pushed),
            (&["spec", "output", "imageRef"], Purpose::Pushed),
            (&["spec", "outputs", "image"], Purpose::Pushed),
            (&["spec", "result", "image"], Purpose::Pushed),
            (&["spec", "output", "shipper", "image"], Purpose::Open),
            (&["spec", "output", "sidecarImage"], Purpose::Open),
            (&["spec", "outputRunnerImage"], Purpose::Open),
            (&["spec", "outImage"], Purpose::Open),
            (&["spec", "finalImage"], Purpose::Open),
            (&["spec", "allowedImage"], Purpose::Open),
            (&["spec", "skipImage"], Purpose::Open),
            (&["spec", "imageAllowList"], Purpose::Open),
            (&["spec", "trustedImage", "image"], Purpose::Open),
            (&["spec", "build", "artifacts", "image"], Purpose::Open),
            (&["spec", "exports", "image"], Purpose::Open),
            (&["spec", "mirrors", "image"], Purpose::Open),
            (&["spec", "exclude", "image"], Purpose::Open),
            (&["spec", "policy", "image"], Purpose::Open),
            (&["spec", "dest", "a", "image"], Purpose::Open),
        ] {
            assert_eq!(of_place(keys), wanted, "{keys:?}");
        }
    }
}
