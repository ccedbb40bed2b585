//! What references to ECR in a repository say of its rules: `R/docker-hub/library/nginx` shows that Docker
//! Hub is cached under `docker-hub`.

use std::collections::{BTreeMap, BTreeSet};

use super::ecr_host::ecr_host_of;
use super::official::is_official;
use super::upstreams::UPSTREAMS;
use super::{Origin, Rule};
use crate::image::{Canonical, DOCKER_HUB};

/// Words that prefixes are made of beside hosts and the prefixes of `default`, and the upstream that people
/// mean by each.
const WORDS: &[(&str, &str)] = &[
    ("dockerhub", DOCKER_HUB),
    ("docker", DOCKER_HUB),
    ("github", "ghcr.io"),
    ("kubernetes", "registry.k8s.io"),
    ("ecr-public", "public.ecr.aws"),
];
/// How many parts a prefix may have to be looked for.
const MAX_PARTS: usize = 3;

/// A reference and where it stands.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The reference as it is written.
    pub text: String,
    /// Where.
    pub origin: Origin,
}

/// What was learned.
#[derive(Debug, Default)]
pub struct Learned {
    /// The registries, the one that is named most often first, each with how often and where first.
    pub registries: Vec<(String, usize, Origin)>,
    /// The rules that images show: one for each upstream, that of the prefix with the most of them.
    pub rules: Vec<Rule>,
    /// What the words of other prefixes say, and no image shows: a prefix may have a name of its own.
    pub guessed: Vec<Rule>,
    /// Prefixes of which nobody can tell what they cache, each with where it stands first.
    pub unclear: Vec<(String, Origin)>,
}

/// Learns from references; `upstream` is what the other references of the repository mean.
pub fn learn(seen: &[Seen], upstream: &BTreeSet<Canonical>) -> Learned {
    let registries = registries(seen);
    // What other registries call their prefixes says nothing of the one that is named most.
    let most = registries
        .iter()
        .max_by_key(|(host, (count, _))| (*count, std::cmp::Reverse(**host)));
    let mut learned = Prefixes::of(seen, most.map(|(host, _)| *host), upstream).learned();
    let registries = registries.into_iter();
    learned.registries = registries
        .map(|(host, (count, origin))| (host.to_string(), count, origin.clone()))
        .collect();
    learned
        .registries
        .sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
    learned
}

/// The registries of ECR that are named, each with how often and where first.
fn registries(seen: &[Seen]) -> BTreeMap<&str, (usize, &Origin)> {
    let mut registries: BTreeMap<&str, (usize, &Origin)> = BTreeMap::new();
    for reference in seen {
        if let Some(host) = ecr_host_of(&reference.text) {
            registries.entry(host).or_insert((0, &reference.origin)).0 += 1;
        }
    }
    registries
}

/// The prefixes of one registry, as its references show them.
#[derive(Default)]
struct Prefixes<'s> {
    /// By prefix: the hosts that are cached under it, and where it stands first.
    known: BTreeMap<String, (BTreeSet<String>, &'s Origin)>,
    /// By upstream: the prefixes that images show, each with how many do.
    proven: BTreeMap<String, BTreeMap<String, usize>>,
    /// Those of which nothing is shown, each with where it stands first.
    unclear: BTreeMap<String, &'s Origin>,
}

impl<'s> Prefixes<'s> {
    /// Reads the references to `registry`.
    fn of(seen: &'s [Seen], registry: Option<&str>, upstream: &BTreeSet<Canonical>) -> Self {
        let mut prefixes = Self::default();
        for reference in seen {
            let host = ecr_host_of(&reference.text);
            let Some(host) = host.filter(|host| Some(*host) == registry) else {
                continue;
            };
            let path = &reference.text[host.len() + 1..];
            let path = &path[..path.find([':', '@']).unwrap_or(path.len())];
            prefixes.add(path, &reference.origin, upstream);
        }
        prefixes
    }

    /// Notes what a path of the registry shows.
    fn add(&mut self, path: &str, origin: &'s Origin, upstream: &BTreeSet<Canonical>) {
        match prefix(path, upstream) {
            Some((prefix, host, shown)) => {
                if shown == Shown::ByImage {
                    let prefixes = self.proven.entry(host.clone()).or_default();
                    *prefixes.entry(prefix.clone()).or_default() += 1;
                }
                let entry = self
                    .known
                    .entry(prefix)
                    .or_insert_with(|| (BTreeSet::new(), origin));
                entry.0.insert(host);
            }
            None => {
                let first = path.split('/').next().unwrap_or(path);
                if path.contains('/') {
                    self.unclear.entry(first.to_string()).or_insert(origin);
                }
            }
        }
    }

    /// The prefix that most images show for an upstream.
    fn most_shown(&self, host: &str) -> Option<String> {
        let prefixes = self.proven.get(host)?.iter();
        let most = prefixes.max_by_key(|(name, count)| (**count, std::cmp::Reverse(*name)));
        most.map(|(name, _)| name.clone())
    }

    /// The rule of a prefix under which these hosts are cached, and whether images show it.
    fn rule(
        &self,
        prefix: &str,
        hosts: &BTreeSet<String>,
        origin: &Origin,
    ) -> Option<(Rule, bool)> {
        let host = hosts.iter().next().filter(|_| hosts.len() == 1)?;
        // A word beside what images show is a word of somebody's own, and so is what fewer show.
        let most = self.most_shown(host);
        if most.as_ref().is_some_and(|most| most != prefix) {
            return None;
        }
        let rule = Rule::new(host, prefix, origin.clone()).ok()?;
        Some((rule, most.is_some()))
    }

    /// The rules that they show, and what stays unclear.
    fn learned(mut self) -> Learned {
        let mut learned = Learned::default();
        for (prefix, (hosts, origin)) in std::mem::take(&mut self.known) {
            match self.rule(&prefix, &hosts, origin) {
                Some((rule, true)) => learned.rules.push(rule),
                Some((rule, false)) => learned.guessed.push(rule),
                None => drop(self.unclear.insert(prefix, origin)),
            }
        }
        let told: BTreeSet<String> = learned
            .rules
            .iter()
            .chain(&learned.guessed)
            .map(|rule| rule.prefix_text().to_string())
            .collect();
        self.unclear.retain(|prefix, _| !told.contains(prefix));
        learned.unclear = self
            .unclear
            .into_iter()
            .map(|(prefix, origin)| (prefix, origin.clone()))
            .collect();
        learned
    }
}

/// What shows which upstream a prefix is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// An image that is known by its path.
    ByImage,
    /// A word of the prefix.
    ByWord,
}

/// The prefix of a path in ECR, the host that is cached under it, and what shows that.
fn prefix(path: &str, upstream: &BTreeSet<Canonical>) -> Option<(String, String, Shown)> {
    let parts: Vec<&str> = path.split('/').collect();
    let cuts = 1..parts.len().min(MAX_PARTS + 1);
    for cut in cuts.clone() {
        let (prefix, rest) = (parts[..cut].join("/"), parts[cut..].join("/"));
        // The same image stands elsewhere by the name of its upstream.
        let same = upstream.iter().find(|name| name.path == rest);
        if let Some(name) = same.filter(|_| rest.contains('/')) {
            return Some((prefix, name.host.clone(), Shown::ByImage));
        }
        if rest.strip_prefix("library/").is_some_and(is_official) {
            return Some((prefix, DOCKER_HUB.to_string(), Shown::ByImage));
        }
    }
    cuts.into_iter().find_map(|cut| {
        let host = meant(parts[cut - 1])?;
        Some((parts[..cut].join("/"), host.to_string(), Shown::ByWord))
    })
}

/// The upstream that people mean by a word of a prefix.
fn meant(word: &str) -> Option<&'static str> {
    let mut upstreams = UPSTREAMS.iter();
    let named = upstreams.find(|row| word == row.host || word == row.default_prefix);
    let named = named.map(|row| row.host);
    let mut words = WORDS.iter();
    named.or_else(|| Some(words.find(|(known, _)| *known == word)?.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_learned_from_references() {
        let r = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let other = "999999999999.dkr.ecr.eu-west-1.amazonaws.com";
        let texts = [
            format!("{r}/docker-hub/library/nginx:1"),
            format!("{r}/cache/dh/library/redis@sha256:x"),
            format!("{r}/mirror/acme/app:{{{{ .tag }}}}"),
            format!("{r}/team/app:1"),
            format!("{r}/github/saebyn/x"),
            format!("{r}/single"),
            format!("{other}/quay/a/b"),
            format!("{r}/docker-hub/library/busybox"),
            format!("{r}/quay/our-own"),
            "nginx:1".to_string(),
        ];
        let seen: Vec<Seen> = texts
            .iter()
            .zip(1..)
            .map(|(text, line)| Seen {
                text: text.clone(),
                origin: Origin::Source("a".into(), line),
            })
            .collect();
        let upstream = BTreeSet::from([Canonical::new("ghcr.io", "acme/app")]);
        let learned = learn(&seen, &upstream);
        let rules: Vec<String> = learned
            .rules
            .iter()
            .map(|rule| {
                format!(
                    "{}={} {}",
                    rule.upstream(),
                    rule.prefix_text(),
                    rule.origin()
                )
            })
            .collect();
        assert_eq!(rules, ["docker.io=docker-hub a:1", "ghcr.io=mirror a:3"]);
        // No image shows it.
        let guessed: Vec<&str> = learned.guessed.iter().map(Rule::prefix_text).collect();
        assert_eq!(guessed, ["quay"]);
        assert_eq!(learned.registries[0].0, r);
        assert_eq!(learned.registries.len(), 2);
        let unclear: Vec<&str> = learned
            .unclear
            .iter()
            .map(|(prefix, _)| prefix.as_str())
            .collect();
        // A prefix beside one that more images show is another's; other registries say nothing.
        assert_eq!(unclear, ["cache/dh", "github", "team"]);
    }
}
