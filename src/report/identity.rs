//! What makes a finding the same one in another run: services show what is new by it.
//!
//! Lines do not count, so that what moves stays the same; what is there several times is numbered.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::Report;
use crate::findings::Finding;

/// A 128-bit FNV-1a hash: short, stable, without a dependency. It need not withstand anybody; whoever
/// writes the repository can only make findings of that repository look alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fingerprint(u128);

impl Fingerprint {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    /// Hashes parts, each with its end.
    pub(super) fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Self::OFFSET;
        for part in parts {
            // No part holds this byte: they are text.
            for &byte in part.iter().chain(&[0xff]) {
                hash = (hash ^ u128::from(byte)).wrapping_mul(Self::PRIME);
            }
        }
        Self(hash)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Gives out fingerprints, each once.
#[derive(Default)]
pub(super) struct Identities {
    given: BTreeMap<Fingerprint, usize>,
}

impl Identities {
    /// The fingerprint of a finding: its code, file, keys and text.
    pub(super) fn of_finding(&mut self, report: &Report<'_>, finding: &Finding) -> Fingerprint {
        let path = report.home.below_root(&finding.path);
        let (keys, text) = match finding.site {
            Some((file, site)) => {
                let site = &report.plan.files[file].sites[site];
                (site.path.as_str(), site.text())
            }
            None => ("", finding.excerpt.text.as_str()),
        };
        self.of(finding.code.code(), &path, &[keys, text])
    }

    /// The fingerprint of something else that is said of a file.
    pub(super) fn of(&mut self, code: &str, path: &Path, more: &[&str]) -> Fingerprint {
        let path = path.as_os_str().as_encoded_bytes();
        let mut parts = vec![code.as_bytes(), path];
        parts.extend(more.iter().map(|part| part.as_bytes()));
        let plain = Fingerprint::of(&parts);
        let number = self.given.entry(plain).or_default();
        *number += 1;
        if *number == 1 {
            return plain;
        }
        let number = number.to_string();
        parts.push(number.as_bytes());
        Fingerprint::of(&parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_of_the_specification() {
        // http://www.isthe.com/chongo/tech/comp/fnv/: the hash of nothing is the offset.
        assert_eq!(Fingerprint::of(&[]).0, Fingerprint::OFFSET);
        assert_eq!(Fingerprint::PRIME, (1 << 88) + (1 << 8) + 0x3b);
    }

    #[test]
    fn the_same_thing_twice_is_two() {
        let path = Path::new("a.yaml");
        let (mut one, mut two) = (Identities::default(), Identities::default());
        let first = one.of("no-rule", path, &["a", "b"]);
        assert!(first != one.of("no-rule", path, &["a", "b"]));
        assert!(first != one.of("no-rule", path, &["ab", ""]));
        assert!(first == two.of("no-rule", path, &["a", "b"]));
    }
}
