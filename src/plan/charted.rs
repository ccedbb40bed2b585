//! One image whose chart is known: which texts make the chart name it as the rules say.
//!
//! The chart's join is the judge: of the ways to write the new name (into the parts that are there, with
//! a registry or repository added beside them, or with the prefix in the registry), the first one is
//! taken under which the join makes exactly that name.

use super::decide::{self, Why};
use super::view::{Added, Decision, Rewrite, names_host, place};
use crate::helm::join::{Piece, joined};
use crate::helm::{Source, ValuePath};
use crate::link::{Charted, NewTexts, SiteId, Slot, View};
use crate::reason::{Assumption, Reason};
use crate::rules::{RuleSet, Verdict};

/// What becomes of an image of a chart that is known.
pub(super) fn decide_charted(
    view: &View,
    image: &Charted,
    rules: &RuleSet,
) -> Result<Decision, Why> {
    let pieces = image.join.pieces(|path| image.text(path));
    let pieces = pieces.ok_or_else(|| nothing(image))?;
    let whole = joined(&pieces);
    if whole.is_empty() {
        return Err(nothing(image));
    }
    if rules.text_is_ecr(&whole) {
        return Err((Reason::AlreadyEcr, "it comes from ECR".into()));
    }
    let name = decide::name_of(&whole)?;
    let filled: Vec<&Piece<'_>> = pieces
        .iter()
        .filter(|piece| !piece.text.is_empty())
        .collect();
    if let Some(piece) = filled.iter().skip(1).find(|piece| names_host(&piece.text)) {
        let detail = format!(
            "the chart joins `{}` and `{}`, which both name a registry; remove one of the two",
            filled[0].text, piece.text
        );
        return Err((Reason::GroupIncomplete, detail));
    }
    let (new, rule) = match rules.decide(&decide::parse(name)?) {
        Verdict::Rewrite { name, rule } => (name, rule),
        Verdict::Keep(reason, detail) => return Err((reason, detail)),
    };
    let suffix = &whole[name.len()..];
    let target = Target {
        image,
        old: name,
        new: &new,
        suffix,
        prefix: rules.rules()[rule].prefix_text(),
    };
    let texts = target.texts(&filled)?;
    Ok(Decision::Rewrite(Box::new(Rewrite {
        texts: texts.own,
        added: texts.added,
        assumed: refusal(view, image, &new),
        name: new,
        rule,
    })))
}

/// A chart that refuses other registries needs a key that allows them.
fn refusal(view: &View, image: &Charted, new: &str) -> Option<(Assumption, String)> {
    (image.refuses_others && !view.insecure_allowed).then(|| {
        let detail = format!(
            "{} refuses to render with `{new}` unless `global.security.allowInsecureImages` is true; add that to the values",
            image.told_by
        );
        (Assumption::BitnamiInsecureImages, detail)
    })
}

fn nothing(image: &Charted) -> Why {
    let detail = format!("{} makes no name of these values", image.told_by);
    (Reason::NotAnImage, detail)
}

/// The name that the chart is to make.
struct Target<'t> {
    image: &'t Charted,
    old: &'t str,
    new: &'t str,
    suffix: &'t str,
    prefix: &'t str,
}

/// The texts that make it: of parts, by the place of their slot, and of keys beside parts.
#[derive(Default)]
struct Texts {
    own: Vec<(usize, String)>,
    added: Vec<Added>,
}

impl Target<'_> {
    /// The first way to write the name that the chart joins to just that.
    fn texts(&self, filled: &[&Piece<'_>]) -> Result<Texts, Why> {
        let is_of_several = |piece: &&&Piece<'_>| {
            let slot = self.path_of(piece).and_then(|path| self.image.slot(path));
            slot.is_some_and(|slot| slot.shared)
        };
        let split = self.in_parts(filled);
        let in_registry = self.in_registry(filled);
        // One registry for every image serves those that nobody names here only with the prefix in it.
        let is_shared = filled.first().iter().any(is_of_several);
        let ways = if is_shared || self.image.prefix_in_registry {
            [in_registry, split]
        } else {
            [split, in_registry]
        };
        let mut why = None;
        for way in ways.into_iter().flatten() {
            match self.carried(filled, &way) {
                Ok(texts) => return Ok(texts),
                Err(other) => drop(why.get_or_insert(other)),
            }
        }
        if let Some(texts) = self.beside_all() {
            return Ok(texts);
        }
        Err(why.unwrap_or_else(|| {
            let detail = format!(
                "`{}` cannot be put into the values that {} joins; set the image as one reference",
                self.new, self.image.told_by
            );
            (Reason::GroupIncomplete, detail)
        }))
    }

    /// The host in the first part, the rest in the others.
    fn in_parts(&self, filled: &[&Piece<'_>]) -> Option<Vec<String>> {
        let texts = filled.iter().map(|piece| piece.text.as_str());
        let texts: Vec<(usize, &str)> = texts.enumerate().collect();
        let placed = place(&texts, self.old, self.new).ok()?;
        let mut new: Vec<String> = texts.iter().map(|(_, text)| (*text).to_string()).collect();
        for (index, text) in placed {
            new[index] = text;
        }
        Some(new)
    }

    /// The host with the prefix in the first part, the rest in the others: of more than one, each stays.
    fn in_registry(&self, filled: &[&Piece<'_>]) -> Option<Vec<String>> {
        let (_, others) = filled.split_first()?;
        let (host, path) = self.new.split_once('/')?;
        let rest = path.strip_prefix(self.prefix)?.strip_prefix('/')?;
        let rest = match others {
            [] => return None,
            [_] => vec![format!("{rest}{}", self.suffix)],
            _ => others.iter().map(|piece| piece.text.clone()).collect(),
        };
        let first = format!("{host}/{}", self.prefix);
        Some(std::iter::once(first).chain(rest).collect())
    }

    /// Carries new texts of the pieces out, when the chart makes the name of them.
    fn carried(&self, filled: &[&Piece<'_>], new: &[String]) -> Result<Texts, Why> {
        let mut texts = Texts::default();
        for (piece, text) in filled.iter().zip(new) {
            if piece.text != *text {
                self.set(piece, text, &mut texts)?;
            }
        }
        let wanted = format!("{}{}", self.new, self.suffix);
        let made = self.made_of(&texts);
        if made.as_deref() == Some(&wanted) {
            return Ok(texts);
        }
        let detail = format!(
            "{} would make `{}` of it; set the image as one reference",
            self.image.told_by,
            made.unwrap_or_default()
        );
        Err((Reason::GroupIncomplete, detail))
    }

    /// The whole name under a key that nothing sets yet, where the chart takes that before all other parts.
    /// Not a name with a tag: another way to make the name may put one behind it.
    fn beside_all(&self) -> Option<Texts> {
        if !self.suffix.is_empty() {
            return None;
        }
        let is_free = |slot: &&Slot| {
            let (text, said) = slot.last();
            let is_whole = matches!(slot.path.key(), "repository" | "image");
            is_whole && text.is_empty() && said.is_none() && !slot.shared && !slot.elsewhere
        };
        let free = self.image.slots.iter().filter(is_free);
        let mut ways = free.filter_map(|slot| {
            let added = Added {
                beside: self.beside(&slot.path)?,
                key: slot.path.key().to_string(),
                text: self.new.to_string(),
            };
            Some(Texts {
                own: Vec::new(),
                added: vec![added],
            })
        });
        ways.find(|texts| self.made_of(texts).as_deref() == Some(self.new))
    }

    /// The name that the chart makes of new texts.
    fn made_of(&self, texts: &Texts) -> Option<String> {
        let after = self
            .image
            .with(|site, part| texts.of(self.image, site, part));
        after.name()
    }

    /// Gives a piece a new text: in its scalar, or under a key that is added.
    fn set(&self, piece: &Piece<'_>, text: &str, texts: &mut Texts) -> Result<(), Why> {
        let path = self.path_of(piece).ok_or_else(|| self.fixed(piece))?;
        let slots = self.image.slots.iter();
        let found = slots.enumerate().find(|(_, slot)| slot.path == *path);
        let (index, slot) = found.ok_or_else(|| self.fixed(piece))?;
        let is_front = piece.text != format!("{}{}", self.old, self.suffix);
        if slot.shared && is_front && !self.image.is_complete {
            let detail = format!(
                "`{path}` stands in front of several images of the chart, also of some that are not known; give each image a name of its own, or remove it"
            );
            return Err((Reason::GroupIncomplete, detail));
        }
        let is_taken = matches!(piece.source, Some(Source::Value(taken)) if taken == path);
        match slot.last().1 {
            Some(said) if is_taken && said.from.is_some() => {
                texts.own.push((index, text.to_string()));
                return Ok(());
            }
            Some(said) if !said.text.is_empty() => return Err(self.fixed(piece)),
            _ => {}
        }
        if slot.elsewhere {
            let detail = format!(
                "`{path}` is set in other values of the chart, and nobody can tell whether they are merged with these; set the whole image in one of them"
            );
            return Err((Reason::GroupIncomplete, detail));
        }
        let beside = self.beside(path).ok_or_else(|| {
            let detail = format!(
                "`{path}: {text}` is needed for it, which no file has a place for; add it to the values"
            );
            (Reason::GroupIncomplete, detail)
        })?;
        texts.added.push(Added {
            beside,
            key: path.key().to_string(),
            text: text.to_string(),
        });
        Ok(())
    }

    /// The value that decides a piece: the one that it comes from when the layers say it. Else one of the
    /// image's own that comes before it, or just the one that it comes from.
    fn path_of<'p>(&self, piece: &Piece<'p>) -> Option<&'p ValuePath> {
        let is_own = |path: &&ValuePath| self.image.slot(path).is_some_and(|slot| !slot.shared);
        let is_said = |path: &&ValuePath| {
            let slot = self.image.slot(path);
            slot.is_some_and(|slot| slot.last().1.is_some())
        };
        let taken = match piece.source {
            Some(Source::Value(path)) => Some(path),
            _ => None,
        };
        let sources = &piece.part.sources;
        let at = sources
            .iter()
            .position(|source| Some(source) == piece.source);
        let before = &sources[..at.map_or(sources.len(), |at| at + 1)];
        let paths = before.iter().filter_map(|source| match source {
            Source::Value(path) => Some(path),
            Source::Text(_) => None,
        });
        let own = paths.clone().find(is_own);
        taken
            .filter(is_said)
            .or(own)
            .or(taken)
            .or(paths.clone().next())
    }

    fn fixed(&self, piece: &Piece<'_>) -> Why {
        let detail = format!(
            "`{}`, which {} puts into the name, cannot be changed here; set the image as one reference",
            piece.text, self.image.told_by
        );
        (Reason::GroupIncomplete, detail)
    }

    /// The part of a site, in the last layer that has one, beside which a value can be added.
    fn beside(&self, path: &ValuePath) -> Option<(SiteId, usize)> {
        let is_beside = |slot: &&Slot| slot.path.sibling(path.key()) == *path;
        let slots = self.image.slots.iter().filter(is_beside);
        let said = slots.flat_map(|slot| &slot.said);
        let last = said.filter_map(|said| Some((said.layer, said.from?))).max();
        last.map(|(_, from)| from)
    }
}

impl Texts {
    /// What they say of a part of a site.
    fn of(&self, image: &Charted, site: SiteId, part: usize) -> NewTexts {
        let is_it = |(index, _): &&(usize, String)| {
            let said = image.slots.get(*index).and_then(|slot| slot.last().1);
            said.and_then(|said| said.from) == Some((site, part))
        };
        let own = self.own.iter().find(is_it);
        let added = self
            .added
            .iter()
            .filter(|added| added.beside == (site, part));
        NewTexts {
            own: own.map(|(_, text)| text.clone()),
            added: added
                .map(|added| (added.key.clone(), added.text.clone()))
                .collect(),
        }
    }
}
