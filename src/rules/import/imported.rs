//! What a source says: its rules, the registries that they belong to, and what is wrong with them.

use std::collections::BTreeSet;
use std::path::Path;

use crate::rules::{EcrHost, Rule, RuleSet};

/// How many rules AWS takes in a registry and region (Amazon ECR service quotas).
const MAX_RULES: usize = 50;
/// A rule and the registry that it is said to belong to.
#[derive(Clone, Debug)]
pub struct Found {
    /// The rule.
    pub rule: Rule,
    /// The account, when the source says it.
    pub account: Option<String>,
    /// The region, when the source says it.
    pub region: Option<String>,
}

/// What a source says.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// The rules, in order.
    pub found: Vec<Found>,
    /// What is worth knowing, each with its place.
    pub warnings: Vec<String>,
    /// Rules that could not be read, each with its place and what to do.
    pub problems: Vec<String>,
    /// What to say when nothing goes on where the last page of an answer leaves off.
    pub(super) open: Option<String>,
    /// Whether it is, or begins with, a page of an answer.
    pub(super) has_pages: bool,
}

impl Imported {
    /// Drops what is said twice, and notes what AWS would not take.
    pub(super) fn finish(&mut self, name: &Path) {
        let mut kept: Vec<Found> = Vec::new();
        for found in std::mem::take(&mut self.found) {
            let same = |known: &Found| {
                known.rule.agrees_with(&found.rule)
                    && known.account == found.account
                    && known.region == found.region
            };
            if !kept.iter().any(same) {
                kept.push(found);
            }
        }
        self.found = kept;
        for (account, region) in self.registries() {
            let count = self.of(account.as_deref(), region.as_deref()).count();
            if count > MAX_RULES {
                self.warnings.push(format!(
                    "{}: holds {count} rules; AWS takes {MAX_RULES} in a registry and region",
                    name.display()
                ));
            }
        }
        self.warnings.extend(self.open.clone());
    }

    /// Notes that there is nothing to note.
    pub(super) fn note_nothing(&mut self, name: &Path) {
        if self.found.is_empty() && self.problems.is_empty() {
            let message = format!("{}: holds no pull-through cache rules", name.display());
            self.warnings.push(message);
        }
    }

    /// The accounts and regions that are spoken of, each pair once.
    pub fn registries(&self) -> BTreeSet<(Option<String>, Option<String>)> {
        let pair = |found: &Found| (found.account.clone(), found.region.clone());
        self.found.iter().map(pair).collect()
    }

    fn of(&self, account: Option<&str>, region: Option<&str>) -> impl Iterator<Item = &Found> {
        let is_it = move |found: &&Found| {
            found.account.as_deref() == account && found.region.as_deref() == region
        };
        self.found.iter().filter(is_it)
    }

    /// The account that all rules belong to of which it is said (those that are only planned have none yet),
    /// if it is one.
    pub fn account(&self) -> Option<&str> {
        one(self
            .found
            .iter()
            .filter_map(|found| found.account.as_deref()))
    }

    /// The same of the region. It may not be that of rules of which it is not said.
    pub fn region(&self) -> Option<&str> {
        let regions: Option<Vec<&str>> = self.regions().collect();
        one(regions?.into_iter())
    }

    /// The regions of the rules. Those that are only planned, which have no account yet where others have one,
    /// do not count.
    fn regions(&self) -> impl Iterator<Item = Option<&str>> {
        let says_accounts = self.found.iter().any(|found| found.account.is_some());
        let is_planned =
            move |found: &Found| says_accounts && found.account.is_none() && found.region.is_none();
        let found = self.found.iter().filter(move |found| !is_planned(found));
        found.map(|found| found.region.as_deref())
    }

    /// Why the source does not tell one region, in words.
    pub fn no_region(&self) -> String {
        let said = self
            .found
            .iter()
            .filter_map(|found| found.region.as_deref());
        let said: BTreeSet<&str> = said.collect();
        let said: Vec<&str> = said.into_iter().collect();
        if said.is_empty() {
            "their source does not say the region".into()
        } else if let [region] = said.as_slice() {
            format!("their source says the region of some of them only ({region})")
        } else {
            format!("their source says several regions ({})", said.join(", "))
        }
    }

    /// The rules for a target: those that are said to belong to it or to nobody. Where all belong to
    /// others they are taken all the same, with a warning: the accounts of a company are often made alike.
    pub fn rules_for(&self, target: Option<&EcrHost>, name: &str) -> (Vec<Rule>, Vec<String>) {
        let account = target.and_then(EcrHost::account);
        let (rules, is_it) = self.rules_of(account, target.and_then(EcrHost::region));
        let mut warnings = Vec::new();
        if !is_it {
            let others: Vec<String> = self.registries().iter().map(registry_text).collect();
            warnings.push(format!(
                "the rules of {name} are those of {}, and the target is {}; make sure that it has the same",
                others.join(" and "),
                target.map_or("another", EcrHost::as_str)
            ));
        }
        (rules, warnings)
    }

    /// The rules that are said to belong to an account and region, as far as these are known; all of them
    /// when none does, and which of the two it is.
    pub fn rules_of(&self, account: Option<&str>, region: Option<&str>) -> (Vec<Rule>, bool) {
        let fits = |known: &Option<String>, wanted: Option<&str>| match (known, wanted) {
            (Some(known), Some(wanted)) => known == wanted,
            _ => true,
        };
        let belongs = |found: &&Found| fits(&found.account, account) && fits(&found.region, region);
        let mut chosen: Vec<&Found> = self.found.iter().filter(belongs).collect();
        let is_it = !chosen.is_empty() || self.found.is_empty();
        if !is_it {
            chosen = self.found.iter().collect();
        }
        let mut rules: Vec<Rule> = Vec::new();
        for found in chosen {
            // The same rule in another region or account.
            if !rules.iter().any(|known| known.agrees_with(&found.rule)) {
                rules.push(found.rule.clone());
            }
        }
        (rules, is_it)
    }

    /// Adds what another source says, which may go on where this one leaves off.
    pub fn append(&mut self, other: Self) {
        if other.has_pages {
            if let Some(open) = self.open.take() {
                self.warnings.retain(|warning| *warning != open);
            }
            self.open = other.open;
        }
        self.found.extend(other.found);
        self.warnings.extend(other.warnings);
        self.problems.extend(other.problems);
    }

    /// What is to be said of the rules together, as they would work side by side.
    pub fn conflicts(&self) -> Vec<String> {
        let (rules, _) = self.rules_of(None, None);
        RuleSet::new(None, rules).1
    }
}

/// An account and region in words.
fn registry_text((account, region): &(Option<String>, Option<String>)) -> String {
    match (account, region) {
        (Some(account), Some(region)) => format!("account {account} in {region}"),
        (Some(account), None) => format!("account {account}"),
        (None, Some(region)) => format!("region {region}"),
        (None, None) => "an account that is not said".into(),
    }
}

/// What all of these are, when it is one thing.
fn one<'t>(mut all: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Origin;

    #[test]
    fn a_region_that_some_rules_lack_is_not_that_of_all() {
        let (a, b) = (Some("012345678901"), Some("us-east-1"));
        for (found, region) in [
            (vec![(a, b), (a, b)], b),
            (vec![(a, b), (a, None)], None),
            (vec![(None, b), (None, None)], None),
            (vec![(None, b), (None, b)], b),
            // Not made yet: it has no account either.
            (vec![(a, b), (None, None)], b),
            (vec![(a, b), (a, Some("eu-west-1"))], None),
        ] {
            let text = |text: Option<&str>| text.map(str::to_string);
            let one = |(account, region)| Found {
                rule: Rule::new("quay.io", "quay", Origin::Flag("x")).unwrap(),
                account: text(account),
                region: text(region),
            };
            let imported = Imported {
                found: found.iter().copied().map(one).collect(),
                ..Imported::default()
            };
            assert_eq!(imported.region(), region, "{found:?}");
        }
    }

    #[test]
    fn rules_that_contradict_each_other_are_told() {
        let imported = |rules: &[(&str, &str)]| Imported {
            found: rules
                .iter()
                .map(|(upstream, prefix)| Found {
                    rule: Rule::new(upstream, prefix, Origin::Flag("x")).unwrap(),
                    account: None,
                    region: None,
                })
                .collect(),
            ..Imported::default()
        };
        let fine = imported(&[("quay.io", "quay"), ("ghcr.io", "github")]);
        assert_eq!(fine.conflicts(), [""; 0]);
        let nested = imported(&[("quay.io", "all"), ("ghcr.io", "all/github")]);
        let told = nested.conflicts();
        assert!(
            matches!(told.as_slice(), [one] if one.contains("`all`") && one.contains("`all/github`")),
            "{told:?}"
        );
    }
}
