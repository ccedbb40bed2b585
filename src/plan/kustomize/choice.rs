//! Which way a class goes: a `newName` in the entries that come last, new names everywhere, or nothing.

use super::Settling;
use super::class::{Class, Mode};
use crate::link::{EntryId, Provider};
use crate::reason::Reason;
use crate::rules::Origin;
use crate::sites::split;

impl Settling<'_> {
    pub(super) fn choose(&mut self) {
        for index in 0..self.classes.len() {
            let class = &self.classes[index];
            let all_named =
                !class.ways.is_empty() && class.ways.iter().all(|(_, way)| !way.names.is_empty());
            let mut names = class.names.iter();
            let half_moved = names.find(|id| self.healed.contains_key(id));
            self.classes[index].mode = if !self.would_change(class) {
                Mode::Natural
            } else if let Some(&entry) = half_moved {
                Mode::Stays(format!(
                    "a part of it was moved already, so that the kustomize name at {} matches nothing; mend that name first",
                    self.builds.named[entry].place
                ))
            } else if all_named && self.can_place(class).is_ok() {
                Mode::Placeholder
            } else if self.is_for_several(class) {
                Mode::Partial
            } else {
                match (self.can_rename(class), self.can_place(class)) {
                    (Ok(()), _) => Mode::Rename,
                    (Err(why), Ok(())) | (Err(_), Err(why)) => Mode::Stays(why),
                }
            };
        }
    }

    fn would_change(&self, class: &Class) -> bool {
        let of_provider = |provider: &Provider| match *provider {
            Provider::Site(site) => self.is_changed(site) || self.is(site, Reason::SeveralTargets),
            Provider::NewName(entry) => self.entry_change(entry).is_some(),
            Provider::Outside(_) => false,
        };
        let of_name = |&entry: &EntryId| {
            !self.has_new_name(entry)
                && !self.healed.contains_key(&entry)
                && self.entry_change(entry).is_some()
        };
        class.providers.iter().any(of_provider) || class.names.iter().any(of_name)
    }

    fn is_for_several(&self, class: &Class) -> bool {
        class.providers.iter().any(|provider| match provider {
            Provider::Site(site) => self.is(*site, Reason::SeveralTargets),
            _ => false,
        })
    }

    /// Whether a `newName` in the last entries does it; or why not.
    pub(super) fn can_place(&self, class: &Class) -> Result<(), String> {
        let last = class.last_names();
        for &entry in &last {
            self.is_one_name(entry)?;
        }
        for (_, way) in &class.ways {
            let before_last = way
                .names
                .len()
                .saturating_sub(usize::from(!way.is_captured));
            if let Some(entry) = way.names[..before_last].iter().find(|id| last.contains(id)) {
                return Err(format!(
                    "the kustomize name at {} comes last in one build and not in another; write a `newName` there and the new name into the entry that follows it",
                    self.builds.named[*entry].place
                ));
            }
        }
        Ok(())
    }

    fn is_one_name(&self, entry: EntryId) -> Result<(), String> {
        let named = &self.builds.named[entry];
        if !named.is_plain() {
            return Err(format!(
                "the kustomize name at {} is a regular expression, so nobody can tell what else it matches; write the name out there",
                named.place
            ));
        }
        if named.site.is_none() {
            return Err(format!(
                "the kustomize name at {} cannot be changed; write it as an entry of `images`",
                named.place
            ));
        }
        Ok(())
    }

    /// Whether the names can be rewritten with the files; or why not.
    pub(super) fn can_rename(&self, class: &Class) -> Result<(), String> {
        for &entry in &class.names {
            self.is_one_name(entry)?;
            let place = &self.builds.named[entry].place;
            let unknown = || {
                format!(
                    "the kustomize name at {place} is for images that no file here holds; write a `newName` there"
                )
            };
            let (name, _) = self.new_pattern(class, entry).ok_or_else(unknown)?;
            if !is_literal(&name) {
                return Err(format!(
                    "kustomize would read the placeholder in the new name as an expression at {place}; write a `newName` there"
                ));
            }
        }
        let outside = |provider: &&Provider| matches!(provider, Provider::Outside(_));
        match (class.providers.iter().find(outside), class.names.first()) {
            (Some(_), Some(&entry)) => Err(format!(
                "the kustomize name at {} is for images from elsewhere, too, and another build takes this one without naming it; write a `newName` for it there as well",
                self.builds.named[entry].place
            )),
            _ => Ok(()),
        }
    }

    /// What the name of an entry becomes when the files of its class are rewritten.
    pub(super) fn new_pattern(&self, class: &Class, entry: EntryId) -> Option<(String, Origin)> {
        let pattern = &self.builds.named[entry].entry.pattern;
        class.providers.iter().find_map(|provider| {
            let (from, site) = match *provider {
                Provider::Site(site) => {
                    let text = self.files[site.file].scan.sites[site.site].text();
                    (split(text).0, site)
                }
                Provider::NewName(entry) => {
                    let named = &self.builds.named[entry];
                    (named.entry.new_name.as_str(), named.site?)
                }
                Provider::Outside(_) => return None,
            };
            let (to, rule) = self.change(site).filter(|_| from == pattern)?;
            Some((split(to).0.to_string(), rule.clone()))
        })
    }
}

/// Whether kustomize reads a name as it stands.
pub(super) fn is_literal(name: &str) -> bool {
    !name.contains(['$', '{', '(', '[', '*', '+', '?', '|', '\\', '^'])
}
