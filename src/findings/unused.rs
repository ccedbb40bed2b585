//! What of the config met no image of the run: worth saying when the whole repository was looked at.

use std::collections::{BTreeSet, HashSet};

use crate::image::ImageRef;
use crate::plan::{FilePlan, Plan, canonical_of};
use crate::reason::Reason;
use crate::rules::{Origin, Rule, RuleSet};

/// Entries of the config that met nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unused {
    /// Where the `allow` entries stand.
    pub allows: Vec<Origin>,
    /// The hosts of `aliases`.
    pub aliases: Vec<String>,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// What of `base`, the rules of files without overrides, the plan did not need. When in doubt,
/// something counts as needed.
pub fn unused(plan: &Plan, base: &RuleSet) -> Unused {
    let mut needed = Needed::default();
    for file in &plan.files {
        needed.by(file);
    }
    let nowhere = crate::image::Canonical::new("", "");
    let allows = base.allows(&nowhere).map(|(origin, _)| origin);
    let aliases = base.aliased_hosts();
    let rules = base.rules().iter();
    Unused {
        allows: allows
            .filter(|origin| !needed.allows.contains(&origin.to_string()))
            .cloned()
            .collect(),
        aliases: aliases
            .filter(|host| !needed.aliases.contains(*host))
            .map(String::from)
            .collect(),
        rules: rules
            .filter(|rule| !needed.rules.contains(&rule.upstream()))
            .cloned()
            .collect(),
    }
}

#[derive(Default)]
struct Needed<'p> {
    /// The texts that were looked at, by the rules of their files: most images are named often.
    seen: HashSet<(*const RuleSet, &'p str)>,
    allows: BTreeSet<String>,
    aliases: BTreeSet<String>,
    rules: BTreeSet<String>,
}

impl<'p> Needed<'p> {
    fn by(&mut self, file: &'p FilePlan) {
        for site in &file.sites {
            self.by_text(&file.rules, site.text());
            let texts = site.scalars().map(|scalar| &*scalar.value);
            for text in texts.filter(|text| *text != site.text()) {
                self.by_host(&file.rules, text);
            }
        }
        // An image in parts may mean something else than its own file shows.
        for change in &file.changes {
            self.by_text(&file.rules, &change.from);
            let rule = file.rules.rule_behind(&change.to, &change.rule);
            self.rules.extend(rule.map(Rule::upstream));
        }
        for undecided in &file.undecided {
            self.by_text(&file.rules, &undecided.from);
            let rule = file.rules.rule_behind(&undecided.to, &undecided.rule);
            self.rules.extend(rule.map(Rule::upstream));
        }
        let allowed = file
            .skips
            .iter()
            .filter(|skip| skip.reason == Reason::Allowed);
        for skip in allowed {
            let place = skip.detail.rsplit_once(" (").map(|(_, place)| place);
            let place = place.and_then(|place| place.strip_suffix(')'));
            self.allows.extend(place.map(String::from));
        }
    }

    fn by_text(&mut self, rules: &RuleSet, text: &'p str) {
        if !self.seen.insert((std::ptr::from_ref(rules), text)) {
            return;
        }
        self.by_host(rules, text);
        if let Some(cached) = rules.cached(text) {
            self.rules.insert(cached.rule.upstream());
        }
        let Some(name) = canonical_of(rules, text) else {
            return;
        };
        let allows = rules.allows(&name).filter(|(_, allows)| *allows);
        self.allows
            .extend(allows.map(|(origin, _)| origin.to_string()));
        self.rules.extend(rules.mapping(&name).map(Rule::upstream));
    }

    fn by_host(&mut self, rules: &RuleSet, text: &str) {
        let meant = ImageRef::parse(text).map(|image| image.canonical().host);
        let meant = meant
            .as_deref()
            .map_or("", crate::rules::upstreams::canonical_host);
        let is_met = |host: &&str| text.contains(*host) || *host == meant;
        let named = rules.aliased_hosts().filter(is_met);
        self.aliases.extend(named.map(String::from));
    }
}
