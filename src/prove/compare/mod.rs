//! What two renderings differ in: object by object and map by map, down to the words of a text.
//!
//! What may differ is this, and nothing else:
//!
//! * an image: where the text before names one, the text after names what the rules make of just that one,
//!   with its tag and digest (`words`), also where a map says it in parts or an object in halves (`halves`)
//! * `global.security.allowInsecureImages`, where it is new at the root of values, and `newName` and
//!   `registry` beside the name that they are for
//! * what is computed of texts with images: checksums, and the names of generated config maps
//! * what is something else each time the same is rendered (`unstable`): that is masked on both sides before
//!   they are compared
//!
//! Objects keep their order, and so do the items of lists and the words of texts.

mod halves;
mod node;
mod objects;
mod place;
mod unstable;
mod words;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

pub(super) use objects::objects;
pub(super) use words::{MALFORMED, expected, is_well_formed, shortened};

use crate::rules::RuleSet;
use halves::Half;
use objects::{Object, Parsed, paired};
use place::Place;

/// What two renderings show.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Images that became what the rules say, before and after.
    pub changed: BTreeSet<(String, String)>,
    /// Images in ECR that got the tag of a name which meets them again, before and after.
    pub healed: BTreeSet<(String, String)>,
    /// What else differs.
    pub differences: Vec<Difference>,
    /// Texts that are computed of others with images: checksums, hashes in names.
    pub derived: usize,
    /// Places that differ between two renderings of the same.
    pub unstable: usize,
}

/// Something that differs and must not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The object: its kind, namespace and name.
    pub object: String,
    /// The keys that lead to it.
    pub at: String,
    /// The text before; nothing when there was none.
    pub before: Option<String>,
    /// The text after; nothing when there is none.
    pub after: Option<String>,
    /// What is wrong about it.
    pub why: &'static str,
}

/// More differences of one rendering than these say nothing new.
const MAX_DIFFERENCES: usize = 100;
/// Kinds that kustomize gives a name with a hash of what they hold.
const HASHED: &[&str] = &["ConfigMap", "Secret"];
/// How kustomize writes a hash: so many of these characters (its `hasher.Encode`).
const HASH_CHARACTERS: &str = "bcdfghkmt2456789";
const HASH_LENGTH: usize = 10;

/// Why something differs that must not.
const GONE: &str = "it is gone";
const NEW: &str = "it is new";
const MOVED: &str = "it stands elsewhere among the objects";

/// What may become of an image.
#[derive(Clone, Copy)]
pub(super) struct Fine<'f> {
    /// What the rules say, any of them.
    pub(super) rules: &'f [Arc<RuleSet>],
    /// Whether one in ECR may get another tag.
    pub(super) heals: bool,
}

/// Compares a rendering with the one after the rewrite. `again` are both, rendered once more: what differs
/// between two renderings of one side is left out.
pub(super) fn compare(
    before: &str,
    after: &str,
    again: Option<[&str; 2]>,
    fine: Fine<'_>,
) -> Compared {
    if before == after {
        return Compared::default();
    }
    let mut found = Compared::default();
    let (old, new) = (objects(before), objects(after));
    let (old, new) = match again {
        None => {
            let (old, new) = different(&old, &new);
            (parsed(&old), parsed(&new))
        }
        Some(again) => {
            let [mut old, mut new] = [parsed(&old), parsed(&new)];
            let [old_again, new_again] = again.map(|again| parsed(&objects(again)));
            found.unstable = unstable::mask(&mut old, &old_again);
            unstable::mask(&mut new, &new_again);
            (old, new)
        }
    };
    let mut comparison = Comparison {
        rules: fine.rules,
        heals: fine.heals,
        renamed: renamed(&old, &new),
        found,
        added: 0,
        checksums: Vec::new(),
        halves: Vec::new(),
    };
    comparison.objects(&old, &new);
    comparison.done()
}

fn parsed<'t>(objects: &[Object<'t>]) -> Vec<Parsed<'t>> {
    objects.iter().map(Object::parsed).collect()
}

/// The objects that are not the same at the same place; all of them, when there are more or fewer.
fn different<'t>(
    before: &[Object<'t>],
    after: &[Object<'t>],
) -> (Vec<Object<'t>>, Vec<Object<'t>>) {
    if before.len() != after.len() {
        return (before.to_vec(), after.to_vec());
    }
    let pairs = before.iter().zip(after);
    let pairs = pairs.filter(|(old, new)| old.text != new.text);
    pairs.map(|(old, new)| (old.clone(), new.clone())).unzip()
}

/// The names, before and after, of objects that only differ in the hash of what they hold.
fn renamed(before: &[Parsed<'_>], after: &[Parsed<'_>]) -> BTreeSet<(String, String)> {
    let pairs = paired(before, after);
    let names = pairs.into_iter().filter_map(|(old, new)| {
        let (old, new) = (old?, &after[new?]);
        let is_hashed = old.kind == new.kind && HASHED.contains(&old.kind.as_str());
        let (old_name, new_name) = (own_name(&old.value)?, own_name(&new.value)?);
        let is_same = is_hashed
            && old_name != new_name
            && stem(old_name).is_some()
            && stem(old_name) == stem(new_name)
            && holds(&old.value) != holds(&new.value);
        is_same.then(|| (old_name.to_string(), new_name.to_string()))
    });
    names.collect()
}

fn own_name(object: &Value) -> Option<&str> {
    object.get("metadata")?.get("name")?.as_str()
}

/// What a config map or secret holds.
fn holds(object: &Value) -> [Option<&Value>; 3] {
    ["data", "stringData", "binaryData"].map(|key| object.get(key))
}

/// A name without its hash.
fn stem(name: &str) -> Option<&str> {
    let (stem, hash) = name.rsplit_once('-')?;
    let is_hash = hash.len() == HASH_LENGTH && hash.chars().all(|c| HASH_CHARACTERS.contains(c));
    (is_hash && !stem.is_empty()).then_some(stem)
}

struct Comparison<'c> {
    rules: &'c [Arc<RuleSet>],
    heals: bool,
    renamed: BTreeSet<(String, String)>,
    found: Compared,
    /// How many keys and texts are new and may be.
    added: usize,
    /// Checksums that changed: fine when an image did.
    checksums: Vec<Difference>,
    /// Halves of names that changed: fine with the other half.
    halves: Vec<Half>,
}

impl Comparison<'_> {
    fn objects(&mut self, old: &[Parsed<'_>], new: &[Parsed<'_>]) {
        let mut last = 0;
        for (number, (old_one, partner)) in paired(old, new).into_iter().enumerate() {
            let new_one = partner.map(|index| &new[index]);
            let mut place = Place::of(old_one.or(new_one), number);
            match (old_one, new_one) {
                (Some(old_one), Some(new_one)) => {
                    let is_of_name = old_one.name == new_one.name;
                    if let (true, Some(index)) = (is_of_name, partner) {
                        if index < last {
                            self.differs(&place, Some("the object"), Some("the object"), MOVED);
                        }
                        last = last.max(index);
                    }
                    self.comments(&place, old_one.text, new_one.text);
                    self.node(&mut place, &old_one.value, &new_one.value);
                }
                (Some(_), None) => self.differs(&place, Some("the object"), None, GONE),
                (None, _) => self.differs(&place, None, Some("an object"), NEW),
            }
        }
    }

    fn differs(
        &mut self,
        place: &Place,
        before: Option<&str>,
        after: Option<&str>,
        why: &'static str,
    ) {
        let difference = place.difference(before, after, why);
        self.add(difference);
    }

    fn add(&mut self, difference: Difference) {
        if self.found.differences.len() < MAX_DIFFERENCES {
            self.found.differences.push(difference);
        }
    }

    /// What was found. Halves need their other half, and checksums may differ where an image does.
    fn done(mut self) -> Compared {
        let halves = std::mem::take(&mut self.halves);
        let settled = halves::settled(&halves, self.rules);
        self.found.changed.extend(settled.changed);
        for difference in settled.alone {
            self.add(difference);
        }
        if self.found.changed.is_empty() && self.found.healed.is_empty() {
            for difference in std::mem::take(&mut self.checksums) {
                self.add(difference);
            }
        }
        self.found.derived += self.checksums.len();
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{EcrHost, default_rules};

    const R: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

    fn compared(before: &str, after: &str, again: Option<[&str; 2]>) -> Compared {
        let registry = EcrHost::parse(R).unwrap();
        let rules = RuleSet::new(Some(registry), default_rules()).0;
        let after = after.replace("R/", &format!("{R}/"));
        let rules = [Arc::new(rules)];
        let fine = Fine {
            rules: &rules,
            heals: false,
        };
        compare(before, &after, again, fine)
    }

    /// How many images changed, and what else.
    fn found(before: &str, after: &str) -> (usize, Vec<&'static str>) {
        let found = compared(before, after, None);
        let whys = found.differences.iter().map(|one| one.why);
        (found.changed.len(), whys.collect())
    }

    #[test]
    fn images_may_become_what_the_rules_say() {
        for (before, after) in [
            ("image: nginx", "image: R/docker-hub/library/nginx"),
            (
                "image: quay.io/a/b:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "image: R/quay/a/b:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            ),
            ("args: [--x=quay.io/a/b]", "args: [--x=R/quay/a/b]"),
            (
                "args: [--solver-image=acme/solver]",
                "args: [--solver-image=R/docker-hub/acme/solver]",
            ),
            (
                "env: [{name: X_IMAGE, value: acme/x}]",
                "env: [{name: X_IMAGE, value: R/docker-hub/acme/x}]",
            ),
            (
                "{registry: quay.io, repository: a/b}",
                "{registry: R, repository: quay/a/b}"
                    .replace("R,", &format!("{R},"))
                    .as_str(),
            ),
            (
                "image: {repository: a/b}",
                "image: {repository: R/docker-hub/a/b}",
            ),
            (
                "{repository: a/b, tag: 1}",
                "{repository: R/docker-hub/a/b, tag: 1}",
            ),
            ("hub: docker.io/istio", "hub: R/docker-hub/istio"),
            (
                "url: 'oci://registry-1.docker.io/bitnamicharts/'",
                "url: 'oci://R/docker-hub/bitnamicharts/'",
            ),
            (
                "url: oci://ghcr.io/acme/charts/app",
                "url: oci://R/ghcr/acme/charts/app",
            ),
            (
                "repoURL: registry-1.docker.io/bitnamicharts",
                "repoURL: R/docker-hub/bitnamicharts",
            ),
            (
                "data: {a: 'image: {repository: a/b}\n\n  '}",
                "data: {a: 'image: {repository: R/docker-hub/a/b}\n\n  '}",
            ),
            (
                "images: [{name: a/b, newTag: 1}]",
                "images: [{name: a/b, newName: R/docker-hub/a/b, newTag: 1}]",
            ),
        ] {
            assert_eq!(found(before, after), (1, vec![]), "{before} -> {after}");
        }
    }

    #[test]
    fn everything_else_is_a_difference() {
        let no = "it is no image";
        for (before, after, why) in [
            (
                "url: oci://registry-1.docker.io/bitnamicharts",
                "url: oci://R/docker-hub/library/bitnamicharts",
                no,
            ),
            (
                "url: oci://ghcr.io/acme/app",
                "url: oci://R/ghcr/acme/other",
                no,
            ),
            (
                "url: oci://ghcr.io/acme/app",
                "url: https://R/ghcr/acme/app",
                no,
            ),
            (
                "image: nginx:1",
                "image: R/docker-hub/library/nginx:2",
                "its tag or digest is another one",
            ),
            (
                "image: nginx:1",
                "image: R/docker-hub/library/nginx",
                "its tag or digest is another one",
            ),
            (
                "image: nginx:1",
                "image: R/docker-hub/nginx:1",
                "it is not what the rules make of the image before",
            ),
            (
                "image: a/b:1",
                "image: R/docker-hub/docker-hub/a/b:1",
                "the image became malformed",
            ),
            (
                "image: quay.io/a/b:1",
                "image: quay.io/R/quay/a/b:1",
                "the image became malformed",
            ),
            (
                "image: R/quay/a:1",
                "image: R/quay/R/quay/a:1",
                "the image became malformed",
            ),
            ("a: 1", "a: 2", no),
            ("a: nginx", "a: R/docker-hub/library/nginx", no),
            (
                "metadata: {name: nginx}",
                "metadata: {name: R/docker-hub/library/nginx}",
                no,
            ),
            (
                "labels: {image: a/b:1}",
                "labels: {image: R/docker-hub/a/b:1}",
                no,
            ),
            (
                "imagePullSecrets: [{name: a}]",
                "imagePullSecrets: [{name: R/docker-hub/library/a}]",
                no,
            ),
            ("a: {b: 1}", "a: {}", GONE),
            ("a: {}", "a: {b: 1}", NEW),
            ("a: {}", "a: {registry: x}", NEW),
            (
                "a: {}",
                "a: {global: {security: {allowInsecureImages: true, x: 1}}}",
                NEW,
            ),
            ("a: [1]", "a: [1, 2]", no),
            (
                "imagePullSecrets: [{name: quay.io/a/b}]",
                "imagePullSecrets: [{name: R/quay/a/b}]",
                no,
            ),
            (
                "image: {pullSecrets: [a]}",
                "image: {pullSecrets: [R/docker-hub/library/a]}",
                no,
            ),
            (
                "metadata: {name: quay.io/a/b}",
                "metadata: {name: R/quay/a/b}",
                no,
            ),
            (
                "image: {args: {x: a}}",
                "image: {args: {x: R/docker-hub/library/a}}",
                no,
            ),
            (
                "images: {x: {y: {z: a}}}",
                "images: {x: {y: {z: R/docker-hub/library/a}}}",
                no,
            ),
            ("a: {registry: quay.io}", "a: {}", GONE),
            ("shape: abcdef6789", "shape: abcdef6788", no),
            ("checksum: abcdef6789", "checksum: abcdef67880", no),
            ("kind: A", "kind: B", GONE),
            ("checksum: abcdef6789", "checksum: abcdef6788", no),
        ] {
            let before = before.replace("R/", &format!("{R}/"));
            let (changed, whys) = found(&before, after);
            assert_eq!(
                (changed, whys.first().copied()),
                (0, Some(why)),
                "{before} -> {after}"
            );
        }
    }

    #[test]
    fn what_is_computed_may_follow_an_image() {
        let before = "image: a/b:1\nchecksum: abcdef6789";
        let (old, new) = ("a1".repeat(32), "b2".repeat(32));
        let with = |image: &str, key: &str, hash: &str| format!("image: {image}\n{key}: {hash}");
        for (key, count) in [("id", 0), ("digest", 1), ("x", 0)] {
            let (before, after) = (
                with("a/b:1", key, &old),
                with("R/docker-hub/a/b:1", key, &new),
            );
            assert_eq!(found(&before, &after).1.len(), count, "{key}");
        }
        let after = "image: R/docker-hub/a/b:1\nchecksum: abcdef6788";
        assert_eq!(found(before, after), (1, vec![]));
        let map = |image: &str, hash: &str| {
            format!(
                "kind: ConfigMap\nmetadata: {{name: a-{hash}}}\ndata: {{x: '{image}'}}\n---\nkind: Pod\nmetadata: {{name: p}}\nspec: {{from: a-{hash}}}\n"
            )
        };
        let (old, new) = ("bcdfghkmt2", "456789bcdf");
        let before = map("quay.io/a/b:1", old);
        assert_eq!(found(&before, &map("R/quay/a/b:1", new)), (1, vec![]));
        // Ten letters are no hash, and a hash is one of what is held.
        for after in [map("R/quay/a/b:1", "production"), map("quay.io/a/b:1", new)] {
            assert!(!found(&before, &after).1.is_empty(), "{after}");
        }
    }

    #[test]
    fn values_may_be_halves_and_allow_images() {
        let release = |values: &str| format!("kind: HelmRelease\nspec: {{values: {values}}}\n");
        let fine = |before: &str, after: &str| {
            let found = compared(&release(before), &release(after), None);
            assert_eq!(found.differences, [], "{before} -> {after}");
        };
        fine(
            "{imageRegistry: docker.io, a: {repository: a/b}}",
            &format!("{{imageRegistry: {R}, a: {{repository: docker-hub/a/b}}}}"),
        );
        fine(
            "{x: 1}",
            "{x: 1, global: {security: {allowInsecureImages: true}}}",
        );
        let pod = |repository: &str| format!("kind: Pod\nspec: {{repository: {repository}}}\n");
        assert_eq!(found(&pod("a/b"), &pod("docker-hub/a/b")).1.len(), 1);
    }

    #[test]
    fn a_registry_may_be_filled_in_later() {
        let host = "${AWS_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com";
        let rules = RuleSet::new(Some(EcrHost::parse(host).unwrap()), default_rules()).0;
        let rules = [Arc::new(rules)];
        let fine = Fine {
            rules: &rules,
            heals: false,
        };
        let pod = |image: &str| format!("image: \"{image}\"\nargs: [\"--x={image}\"]\n");
        let after = pod(&format!("{host}/quay/a/b:1"));
        let found = compare(&pod("quay.io/a/b:1"), &after, None, fine);
        assert_eq!((found.changed.len(), found.differences), (1, vec![]));
        let found = compare(
            &pod("quay.io/a/b:1"),
            &after.replace(":1", ":2"),
            None,
            fine,
        );
        assert_eq!(found.differences.len(), 2);
    }

    #[test]
    fn secrets_are_looked_into() {
        // `image: quay.io/a/b:1` and what it becomes.
        let secret = |data: &str| format!("kind: Secret\ndata: {{x: {data}}}\n");
        let before = secret("aW1hZ2U6IHF1YXkuaW8vYS9iOjE=");
        let after = secret(
            "aW1hZ2U6IDEyMzQ1Njc4OTAxMi5ka3IuZWNyLmV1LXdlc3QtMS5hbWF6b25hd3MuY29tL3F1YXkvYS9iOjE=",
        );
        assert_eq!(found(&before, &after), (1, vec![]));
        assert_eq!(found(&before, &secret("aW1hZ2U6IHg=")).1.len(), 1);
        // Written in another way than before.
        let odd = after.replace("YjoxfQ", "YjoxfQ=").replace("OjE=}", "OjE}");
        assert_ne!(odd, after);
        assert_eq!(found(&before, &odd).1.len(), 1);
    }

    #[test]
    fn what_is_something_else_each_time_is_left_out() {
        let text = |word: &str, rest: &str| format!("kind: A\na: {word} {rest}\n");
        let found = |old: [&str; 2], new: [&str; 2]| {
            let found = compared(old[0], new[0], Some([old[1], new[1]]));
            (found.unstable, found.differences.len())
        };
        let [x1, x2, x3, x4] = ["x1", "x2", "x3", "x4"].map(|word| text(word, "y"));
        assert_eq!(found([&x1, &x2], [&x3, &x4]), (1, 0));
        // What differs between the sides alone is a difference, and so is what stands beside.
        assert_eq!(found([&x1, &x1], [&x2, &x2]), (0, 1));
        assert_eq!(
            found([&x1, &x2], [&text("x3", "z"), &text("x4", "z")]),
            (1, 1)
        );
        for (before, after) in [
            ("image: a/b:%", "image: R/docker-hub/a/b/b:%"),
            ("image: a/b:%", "image: R/R/docker-hub/a/b:%"),
            ("a: [%]", "a: [%, %]"),
            ("a: '%'", "a: {b: '%'}"),
            (
                "kind: Secret\nstringData: {a: '%', b: x}",
                "kind: Secret\nstringData: {a: '%', b: y}",
            ),
            ("a: '% quay.io/a/b:1'", "a: '% quay.io/a/b:2'"),
        ] {
            let [one, other] = ["p1", "p2"].map(|word| before.replace('%', word));
            let [new, another] =
                ["p3", "p4"].map(|word| after.replace("R/", &format!("{R}/")).replace('%', word));
            let count = found([&one, &other], [&new, &another]).1;
            assert_ne!(count, 0, "{before} -> {after}");
        }
    }

    #[test]
    fn parts_and_halves_change_with_the_whole_alone() {
        let values = |values: &str| {
            format!("kind: HelmRelease\nspec:\n  values: {values}\n")
                .replace("R/", &format!("{R}/"))
        };
        let host = |text: &str| {
            text.replace("R,", &format!("{R},"))
                .replace("R}", &format!("{R}}}"))
        };
        for (before, after, is_fine) in [
            (
                "{registry: docker.io, repository: a/b}",
                "{registry: R, repository: docker-hub/a/b}",
                true,
            ),
            (
                "{registry: docker.io, repository: a/b}",
                "{registry: docker.io, repository: R/docker-hub/a/b}",
                false,
            ),
            (
                "{registry: docker.io, repository: a/b}",
                "{registry: R, repository: a/b}",
                false,
            ),
            (
                "{registry: docker.io, repository: a/b}",
                "{registry: docker.io, repository: docker-hub/a/b}",
                false,
            ),
            (
                "{registry: docker.io, repository: a/b}",
                "{repository: R/docker-hub/a/b}",
                false,
            ),
            (
                "{registry: docker.io, repository: a/b}",
                "{registry: '', repository: R/docker-hub/a/b}",
                false,
            ),
            (
                "{repository: a/b, tag: 1}",
                "{registry: R, repository: docker-hub/a/b, tag: 1}",
                true,
            ),
            (
                "{repository: a/b, tag: 1}",
                "{registry: R, repository: a/b, tag: 1}",
                false,
            ),
            (
                "{x: {registry: docker.io}, y: 1}",
                "{x: {registry: R}, y: 1}",
                false,
            ),
            (
                "{x: {registry: docker.io}, y: 1}",
                "{x: {registry: R/docker-hub}, y: 1}",
                false,
            ),
            (
                "{registry: quay.io, y: 1}",
                "{registry: R/quay, y: 1}",
                true,
            ),
            (
                "{hub: docker.io, image: nginx}",
                "{hub: R/docker-hub, image: nginx}",
                false,
            ),
            (
                "{hub: docker.io/istio, image: pilot}",
                "{hub: R/docker-hub/istio, image: pilot}",
                true,
            ),
            ("{hub: docker.io/istio}", "{hub: R/docker-hub/istio}", true),
            (
                "{image: docker.io/nginx}",
                "{image: R/docker-hub/nginx}",
                false,
            ),
            ("{x: docker.io/nginx}", "{x: R/docker-hub/nginx}", false),
            ("{repository: a/b}", "{repository: docker-hub/a/b}", false),
            (
                "{repository: acme/git}",
                "{repository: R/docker-hub/acme/git}",
                false,
            ),
            (
                "{imageRegistry: docker.io, x: {repository: a/b}}",
                "{imageRegistry: R, x: {repository: docker-hub/a/b}}",
                true,
            ),
            (
                "{imageRegistry: docker.io, x: {repository: a/b}}",
                "{imageRegistry: R, x: {repository: quay/a/b}}",
                false,
            ),
            ("{x: 1}", "{x: 1, registry: R}", false),
            ("{x: 1}", "{x: 1, hub: R/docker-hub}", false),
        ] {
            let found = compared(&values(before), &host(&values(after)), None);
            assert_eq!(
                found.differences.is_empty(),
                is_fine,
                "{before} -> {after}: {found:?}"
            );
        }
        let pod = |first: &str, second: &str| {
            format!(
                "kind: Pod\nspec: {{env: [{{name: REGISTRY, value: {first}}}, {{name: REPOSITORY, value: {second}}}]}}\n"
            )
        };
        let before = pod("docker.io", "a/b");
        assert_eq!(found(&before, &pod(R, "docker-hub/a/b")), (1, vec![]));
        assert_eq!(found(&before, &pod(R, "a/b")).1.len(), 1);
        assert_eq!(
            found(&before, &pod("docker.io", "docker-hub/a/b")).1.len(),
            1
        );
    }

    #[test]
    fn objects_keep_their_order_and_their_twins() {
        let pod = |name: &str, image: &str| {
            format!("---\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{image: {image}}}\n")
        };
        let (x, y) = ("quay.io/x/x:1", "quay.io/y/y:1");
        let (new_x, new_y) = ("R/quay/x/x:1", "R/quay/y/y:1");
        let both = |one: String, other: String| one + &other;
        let before = both(pod("p", x), pod("p", y));
        assert_eq!(
            found(&before, &both(pod("p", new_x), pod("p", new_y))),
            (2, vec![])
        );
        for after in [
            both(pod("p", new_y), pod("p", new_x)),
            both(pod("p", y), pod("p", x)),
            both(pod("p", y), pod("p", new_x)),
            pod("p", new_x),
        ] {
            assert!(!found(&before, &after).1.is_empty(), "{after}");
        }
        let before = both(pod("p", x), pod("q", y));
        let after = both(pod("q", new_y), pod("p", new_x));
        assert_eq!(found(&before, &after).1, [MOVED]);
    }

    #[test]
    fn comments_and_what_stands_between_words_stay() {
        let map = |text: &str| format!("kind: ConfigMap\ndata:\n  x: |\n    {text}\n");
        let (old, new) = ("image: nginx", "image: R/docker-hub/library/nginx");
        let with = |image: &str, rest: &str| map(&format!("{image}{rest}"));
        let count = |old: &str, new: &str| found(old, new).1.len();
        assert_eq!(count(&with(old, " # a"), &with(new, " # a")), 0);
        assert_eq!(count(&with(old, " # a"), &with(new, " # b")), 1);
        assert_eq!(count(&with(old, " # a"), &with(new, "")), 1);
        assert_eq!(count("# a\nx: 1\n", "# b\nx: 1\n"), 1);
        let (old, new) = ("quay.io/a/b:1", "R/quay/a/b:1");
        let text = |text: &str| format!("a: '{text}'\n");
        for (before, after, differ) in [
            (format!("{old} x"), format!("{new} x"), 0),
            (format!("{old} x"), format!(" {new} x"), 1),
            (format!("{old} x"), format!("{new}, x"), 1),
            (format!("{old} x"), format!("x {new}"), 1),
            (format!("{old} "), format!(" {new}"), 1),
        ] {
            assert_eq!(
                count(&text(&before), &text(&after)),
                differ,
                "{before} -> {after}"
            );
        }
    }

    #[test]
    fn keys_may_be_new_where_a_rewrite_puts_them() {
        let allows = "global: {security: {allowInsecureImages: true}}";
        for (before, after, is_fine) in [
            ("kind: HelmRelease\nspec: {values: {x: 1}}", format!("kind: HelmRelease\nspec: {{values: {{x: 1, {allows}}}}}"), true),
            ("kind: HelmRelease\nspec: {values: {global: {x: 1}}}", "kind: HelmRelease\nspec: {values: {global: {x: 1, security: {allowInsecureImages: true}}}}".into(), true),
            ("kind: HelmRelease\nspec: {values: {x: 1}}", "kind: HelmRelease\nspec: {values: {x: 1, security: {allowInsecureImages: true}}}".into(), false),
            ("kind: HelmRelease\nspec: {values: {x: 1}}", "kind: HelmRelease\nspec: {values: {x: 1, allowInsecureImages: true}}".into(), false),
            ("kind: HelmRelease\nspec: {values: {x: {y: 1}}}", format!("kind: HelmRelease\nspec: {{values: {{x: {{y: 1, {allows}}}}}}}"), false),
            ("kind: HelmRelease\nspec: {values: {x: 1}}", "kind: HelmRelease\nspec: {values: {x: 1, global: {security: {allowInsecureImages: false}}}}".into(), false),
            ("kind: HelmRelease\nspec: {x: 1}", format!("kind: HelmRelease\nspec: {{x: 1, {allows}}}"), false),
            ("kind: Pod\nspec: {x: 1}", format!("kind: Pod\nspec: {{x: 1, {allows}}}"), false),
            ("kind: ConfigMap\ndata:\n  v: |\n    x: 1", format!("kind: ConfigMap\ndata:\n  v: |\n    x: 1\n    {allows}"), true),
            ("kind: Application\nspec: {source: {helm: {valuesObject: {x: 1}}}}", format!("kind: Application\nspec: {{source: {{helm: {{valuesObject: {{x: 1, {allows}}}}}}}}}"), true),
            ("kind: Application\nspec: {source: {helm: {x: 1}}}", format!("kind: Application\nspec: {{source: {{helm: {{x: 1, {allows}}}}}}}"), false),
        ] {
            let whys = found(before, &after).1;
            assert_eq!(whys.is_empty(), is_fine, "{before} -> {after}: {whys:?}");
        }
    }

    /// What a chart and a kustomization render: objects, lists, texts in texts, a secret, a hash.
    const RENDERED: &str = "---\n# Source: a/templates/a.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  annotations:\n    checksum/config: 0123456789abcdef\nspec:\n  replicas: 2\n  template:\n    spec:\n      imagePullSecrets:\n      - name: regcred\n      containers:\n      - name: web\n        image: IMAGE1\n        args: [--sidecar=IMAGE2, --port=80]\n      - name: side\n        image: IMAGE3\n        env:\n        - {name: LEVEL, value: info}\n        - {name: RELATED_IMAGE, value: IMAGE1}\n        envFrom:\n        - configMapRef: {name: web-HASH}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: web-HASH}\ndata:\n  plain: some text\n  nested.yaml: |\n    # a comment\n    side:\n      image: IMAGE3\n      ports: [1, 2]\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {x: BASE64}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r}\nspec:\n  values:\n    image: {registry: REGISTRY4, repository: REPOSITORY4, tag: \"1.2\"}\n    other: {repository: keep, enabled: true}\n";

    fn rendered(images: [&str; 3], parts: [&str; 2], hash: &str) -> String {
        use crate::helm::template::base64;
        let names = ["IMAGE1", "IMAGE2", "IMAGE3"].into_iter().zip(images);
        let text = names.fold(RENDERED.to_string(), |text, (name, image)| {
            text.replace(name, image)
        });
        text.replace("REGISTRY4", parts[0])
            .replace("REPOSITORY4", parts[1])
            .replace("HASH", hash)
            .replace(
                "BASE64",
                &base64(format!("image: {}\n", images[0]).as_bytes()),
            )
    }

    /// Numbers that look random and are the same each time.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(self.0 >> 33).unwrap() % end
        }
    }

    /// Drops or doubles a character, or swaps or takes away lines.
    fn harmed(text: &str, numbers: &mut Numbers) -> String {
        let mut bytes = text.as_bytes().to_vec();
        let at = numbers.below(bytes.len());
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (one, other) = (numbers.below(lines.len()), numbers.below(lines.len()));
        match numbers.below(5) {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, bytes[at]),
            2 => bytes[at] = b"abz/:.0"[numbers.below(7)],
            3 => {
                lines.swap(one, other);
                return lines.concat();
            }
            _ => {
                let line = lines.remove(one);
                lines.insert(other.min(lines.len()), line);
                return lines.concat();
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn whatever_is_done_to_a_rendering_is_found() {
        let images = [
            "nginx:1.27",
            "quay.io/a/b:1",
            "ghcr.io/acme/side:2@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ];
        let moved = [
            &format!("{R}/docker-hub/library/nginx:1.27"),
            &format!("{R}/quay/a/b:1"),
            &images[2].replace("ghcr.io", &format!("{R}/ghcr")),
        ];
        let before = rendered(images, ["docker.io", "acme/four"], "bcdfghkmt2");
        let after = rendered(
            moved.map(String::as_str),
            [R, "docker-hub/acme/four"],
            "456789bcdf",
        );
        let fine = compared(&before, &after, None);
        assert_eq!(fine.differences, []);
        assert_eq!((fine.changed.len(), fine.derived), (4, 2), "{fine:?}");
        let meaning = |text: &str| {
            let values: Vec<Value> = objects(text)
                .iter()
                .map(|object| object.parsed().value)
                .collect();
            let comments = crate::yaml::comments(text).into_iter();
            let comments: Vec<String> = comments
                .filter_map(|span| span.of(text).map(str::to_string))
                .collect();
            (values, comments)
        };
        let own = meaning(&after);
        let mut numbers = Numbers(7);
        let mut harms = 0;
        for _ in 0..1_500 {
            let text = harmed(&after, &mut numbers);
            // What says the same, means the same: a blank more, a hash that is one as well.
            let is_computed = !text.contains("checksum/config: 0123456789abcdef\n")
                || text.matches("456789bcdf").count() < 2;
            if meaning(&text) == own || is_computed {
                continue;
            }
            harms += 1;
            let found = compared(&before, &text, None);
            assert_ne!(found.differences, [], "{text}");
        }
        assert!(harms > 700, "{harms}");
    }
}
