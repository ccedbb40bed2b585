//! One site becomes a change or a skip.

use super::targets::{Target, Targets};
use super::{Change, Safety};
use crate::edit::Edit;
use crate::image::ImageRef;
use crate::link::{Links, SiteId};
use crate::reason::Reason;
use crate::rules::{RuleSet, Verdict};
use crate::scan::ScannedFile;
use crate::sites::{Shape, Site};
use crate::source::Span;
use crate::yaml::{Place, Scalar, Style};

/// What becomes of a site.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Change(Box<Change>),
    Skip(Reason, String),
}

/// The outcomes of the sites of one file, before groups are looked at.
pub(super) fn file(
    file: &ScannedFile,
    index: usize,
    targets: &Targets,
    links: &Links,
) -> Vec<Outcome> {
    let hard_linked = file
        .source
        .identity
        .is_some_and(|identity| identity.links > 1);
    let decide = |(number, site): (usize, &Site)| {
        if let Some((reason, detail)) = links.held.get(&index) {
            return Outcome::Skip(*reason, detail.clone());
        }
        let id = SiteId {
            file: index,
            site: number,
        };
        let outcome = deployed_outcome(id, site, targets, links);
        if hard_linked && matches!(outcome, Outcome::Change(_)) {
            let detail = "the file has another name (a hard link), which a rewrite would cut off; replace one of the two by a copy or a symbolic link";
            return Outcome::Skip(Reason::HardLinked, detail.to_string());
        }
        outcome
    };
    file.scan.sites.iter().enumerate().map(decide).collect()
}

/// The outcome under the targets of all that deploy the file: one that is the same for each of them,
/// or none.
fn deployed_outcome(id: SiteId, site: &Site, targets: &Targets, links: &Links) -> Outcome {
    let outcome = |target: &Target| site_outcome(id, site, &target.rules, links);
    let first = outcome(&targets.first);
    let others: Vec<Outcome> = targets.others.iter().map(outcome).collect();
    let result = |outcome: &Outcome| match outcome {
        Outcome::Change(change) => Some(change.to.clone()),
        Outcome::Skip(..) => None,
    };
    if others.iter().all(|other| result(other) == result(&first)) {
        return first;
    }
    let others = targets.others.iter().zip(&others);
    let needs: Vec<String> = std::iter::once((&targets.first, &first))
        .chain(others)
        .map(|(target, outcome)| need(target, outcome))
        .collect();
    let detail = format!(
        "it is deployed to several targets: {}; write these entries there, or give each its own copy",
        needs.join(", ")
    );
    Outcome::Skip(Reason::SeveralTargets, detail)
}

/// What the image needs in one of its environments.
fn need(target: &Target, outcome: &Outcome) -> String {
    let place = target.place.display();
    let name = |text: &str| match ImageRef::parse(text) {
        Ok(image) => text[..image.name_len()].to_string(),
        Err(_) => text.to_string(),
    };
    match outcome {
        Outcome::Change(change) => format!(
            "{place} needs `images: [{{name: {}, newName: {}}}]`",
            name(&change.from),
            name(&change.to)
        ),
        Outcome::Skip(reason, _) => format!("for {place} it stays ({reason})"),
    }
}

fn site_outcome(id: SiteId, site: &Site, rules: &RuleSet, links: &Links) -> Outcome {
    let skip = |reason, detail: &str| Outcome::Skip(reason, detail.to_string());
    let held = |only: fn(Reason) -> bool| site.hold.clone().filter(|(reason, _)| only(*reason));
    if let Some((reason, detail)) = held(|reason| reason == Reason::NotAnImage) {
        return Outcome::Skip(reason, detail);
    }
    let (image, name, rule) = match verdict(site.text(), rules) {
        Ok(rewrite) => rewrite,
        Err((reason, detail)) => return Outcome::Skip(reason, detail),
    };
    if let Some((reason, detail)) = held(|_| true) {
        return Outcome::Skip(reason, detail);
    }
    let Shape::Whole(scalar) = &site.shape;
    let Place::Exact(span) = scalar.place else {
        return skip(
            Reason::NotEditable,
            "its bytes are not its text (escapes or several lines); write it plainly on one line",
        );
    };
    let to = format!("{name}{}", image.suffix());
    if let Some(place) = links.named_by(&to, id) {
        let detail = format!(
            "the ECR reference would be matched by the kustomize name at {place}, which would then change it; rewrite both together"
        );
        return Outcome::Skip(Reason::GroupIncomplete, detail);
    }
    Outcome::Change(Box::new(Change {
        site: id.site,
        from: site.text().to_string(),
        to,
        rule: rules.rules()[rule].origin().clone(),
        safety: Safety::Certain,
        edits: edits(scalar, span, &site.text()[..image.name_len()], &name),
        groups: Vec::new(),
    }))
}

/// The image that a text names, the name it should have, and the rule; or why it stays.
fn verdict(text: &str, rules: &RuleSet) -> Result<(ImageRef, String, usize), (Reason, String)> {
    if rules.text_is_ecr(text) {
        return Err((Reason::AlreadyEcr, "it comes from ECR".to_string()));
    }
    if text.contains("{{") || text.contains("{%") {
        return Err((
            Reason::Templated,
            "a template fills it in; set the image where its value comes from".to_string(),
        ));
    }
    let image = ImageRef::parse(text).map_err(|error| {
        if holds_placeholder(text) {
            (
                Reason::Variable,
                "a placeholder is filled in elsewhere; set the image there".to_string(),
            )
        } else {
            (Reason::NotAnImage, format!("it {error}"))
        }
    })?;
    if text == "null" {
        return Err((Reason::NotAnImage, "it is the word `null`".to_string()));
    }
    match rules.decide(&image) {
        Verdict::Rewrite { name, rule } => Ok((image, name, rule)),
        Verdict::Keep(reason, detail) => Err((reason, detail)),
    }
}

/// `$X`, `${X}`, `$(X)`, `<x>` or `__X__`.
fn holds_placeholder(text: &str) -> bool {
    let dollar = text.match_indices('$').any(|(at, _)| {
        text[at + 1..]
            .starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '{' | '('))
    });
    let between = |open: &str, close: &str| {
        text.split_once(open)
            .is_some_and(|(_, rest)| rest.find(close).is_some_and(|at| at > 0))
    };
    dollar || between("<", ">") || between("__", "__")
}

/// The smallest replacement, in whole path components, that turns the reference's name into `new`.
fn edits(scalar: &Scalar, span: Span, old: &str, new: &str) -> Vec<Edit> {
    let shared = shared_end(old, new);
    let mut edits = vec![Edit {
        span: Span::new(span.start, span.start + old.len() - shared),
        text: new[..new.len() - shared].to_string(),
    }];
    // Braces end a plain scalar inside `[…]` and `{…}`: a placeholder needs quotes there.
    if scalar.in_flow && scalar.style == Style::Plain && new.contains('{') {
        edits[0].text.insert(0, '"');
        edits.push(Edit {
            span: Span::new(span.end, span.end),
            text: "\"".to_string(),
        });
    }
    edits
}

/// How many bytes at the end of both names are the same path components; the whole of `old` may be.
fn shared_end(old: &str, new: &str) -> usize {
    let same = old
        .rsplit('/')
        .zip(new.rsplit('/'))
        .take_while(|(old, new)| old == new);
    let bytes: usize = same.map(|(part, _)| part.len() + 1).sum();
    if bytes > old.len() { old.len() } else { bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_differing_components_are_replaced() {
        for (old, new, shared) in [
            ("nginx", "R/docker-hub/library/nginx", 5),
            ("docker.io/nginx", "R/docker-hub/library/nginx", 6),
            ("docker.io/bitnami/redis", "R/docker-hub/bitnami/redis", 14),
            ("ghcr.io/acme/app", "R/github/app", 4),
            ("quay.io/a", "R/quay/b", 0),
        ] {
            assert_eq!(shared_end(old, new), shared, "{old}");
            let span = Span::new(0, old.len());
            let scalar = Scalar {
                value: old.into(),
                style: Style::Plain,
                place: Place::Exact(span),
                in_flow: false,
                ordinal: 0,
            };
            let set = crate::edit::EditSet::new(edits(&scalar, span, old, new)).unwrap();
            assert_eq!(set.apply(old).unwrap(), new);
        }
    }

    #[test]
    fn placeholders_are_told_from_text() {
        for text in [
            "$IMAGE",
            "${IMAGE}:1",
            "$(IMAGE)",
            "<image_url>",
            "__REPLACE_IMAGE_VALUE__",
            "a/__X__:1",
        ] {
            assert!(holds_placeholder(text), "{text}");
        }
        for text in ["a__b", "nginx:1", "5$", "a<b", "<>"] {
            assert!(!holds_placeholder(text), "{text}");
        }
    }
}
