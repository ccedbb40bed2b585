//! Words for what stands between the registry of an image and its name: `namespace`, `imageProject`.
//!
//! Charts and operators join such keys, each in its own way, so that parts with one beside them do not
//! say which image they name.

use super::front::words;

/// What a component of a path is called.
#[rustfmt::skip]
const COMPONENTS: &[&str] = &[
    "account", "folder", "group", "namespace", "org", "organisation", "organization", "owner", "path",
    "prefix", "project", "subpath", "team", "tenant", "user", "workspace",
];
/// Words beside it that say no more.
const FILLERS: &[&str] = &[
    "image",
    "images",
    "registry",
    "repo",
    "repository",
    "sub",
    "hub",
];

/// Whether a key beside the parts of a name may hold a component of it.
pub(super) fn is_component(key: &str) -> bool {
    let words: Vec<String> = words(key).collect();
    is_of(&words)
}

/// Whether a key may hold a component of the names of `family` in the same map: `imageProject` for
/// `image`, `imageName` and `imageRepository`, `webImageNamespace` for `webImage`. Parts with plain keys
/// have no family.
pub fn is_joined(key: &str, family: &str) -> bool {
    let own: Vec<String> = words(family).filter(|word| word != "name").collect();
    let key: Vec<String> = words(key).collect();
    key.strip_prefix(own.as_slice()).is_some_and(is_of)
}

/// Whether a text can be a component.
pub(super) fn may_be_one(text: &str) -> bool {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    !is_number && !text.starts_with('/') && !text.contains(char::is_whitespace)
}

fn is_of(words: &[String]) -> bool {
    let is = |word: &String, list: &[&str]| list.contains(&word.as_str());
    words.iter().any(|word| is(word, COMPONENTS))
        && words
            .iter()
            .all(|word| is(word, COMPONENTS) || is(word, FILLERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_components_are_known_by_their_words() {
        for (key, family, wanted) in [
            ("namespace", "", true),
            ("subPath", "", true),
            ("repositoryPrefix", "", true),
            ("imageNamespace", "", true),
            ("image_project", "image_name", true),
            ("imageOrg", "image", true),
            ("imageOrg", "imageName", true),
            ("webImageNamespace", "webImage", true),
            ("webImageNamespace", "image", false),
            ("namespace", "image", false),
            ("imagePullPolicy", "image", false),
            ("imageTag", "image", false),
            ("serviceAccount", "", false),
        ] {
            assert_eq!(is_joined(key, family), wanted, "{key} {family}");
        }
        assert!(may_be_one("acme"));
        assert!(!may_be_one("/metrics"));
        assert!(!may_be_one("1000"));
    }
}
