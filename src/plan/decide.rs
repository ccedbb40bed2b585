//! One site becomes a change or a skip.

use super::entry::{Carried, NewNames, carry_out};
use super::layers::Layered;
use super::targets::{Target, Targets};
use super::{Assume, Change, Rewritten, Safety, Undecided};
use crate::edit::Edit;
use crate::image::{self, Canonical, DOCKER_HUB, ImageRef};
use crate::link::{Links, SiteId};
use crate::reason::Reason;
use crate::rules::{Origin, RuleSet, Verdict, upstreams};
use crate::scan::ScannedFile;
use crate::sites::{Bit, CHART, CHART_FOLDER, Shape, Site};
use crate::source::Span;
use crate::yaml::{Place, Scalar, Style};

/// What becomes of a site.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Change(Box<Change>),
    Skip(Reason, String),
    Undecided(Box<Undecided>),
}

impl Outcome {
    /// What an attempt comes to: where it gives up, the site stays.
    pub(super) fn of(attempt: Result<Self, Why>) -> Self {
        attempt.unwrap_or_else(|(reason, detail)| Self::Skip(reason, detail))
    }
}

/// The outcomes of the sites of one file, before groups are looked at.
pub(super) fn file(
    file: &ScannedFile,
    index: usize,
    targets: &Targets,
    links: &Links,
    layered: &Layered,
    assume: &Assume,
) -> Vec<Outcome> {
    let decide = |(number, site): (usize, &Site)| {
        let held = links.held.get(&index);
        if let Some((Reason::VendoredChart, detail)) = held {
            return Outcome::Skip(Reason::VendoredChart, detail.clone());
        }
        let id = SiteId {
            file: index,
            site: number,
        };
        let outcome = match layered.outcomes.get(&id) {
            Some(outcome) => outcome.clone(),
            None => deployed_outcome(id, site, targets, links, assume),
        };
        // What would stay anyway stays for its own reason.
        if let (Some((reason, detail)), Outcome::Change(_) | Outcome::Undecided(_)) =
            (held, &outcome)
        {
            return Outcome::Skip(*reason, detail.clone());
        }
        match hard_linked(file) {
            Some((reason, detail)) if matches!(outcome, Outcome::Change(_)) => {
                Outcome::Skip(reason, detail)
            }
            _ => outcome,
        }
    };
    file.scan.sites.iter().enumerate().map(decide).collect()
}

/// Why a file is not changed that has another name.
pub(super) fn hard_linked(file: &ScannedFile) -> Option<Why> {
    let identity = file.source.identity?;
    let detail = "the file has another name (a hard link), which a rewrite would cut off; replace one of the two by a copy or a symbolic link";
    (identity.links > 1).then(|| (Reason::HardLinked, detail.to_string()))
}

/// The outcome under the targets of all that deploy the file: one that is the same for each of them,
/// or none.
fn deployed_outcome(
    id: SiteId,
    site: &Site,
    targets: &Targets,
    links: &Links,
    assume: &Assume,
) -> Outcome {
    let outcome = |target: &Target| site_outcome(id, site, &target.rules, links, assume);
    let first = outcome(&targets.first);
    let others: Vec<Outcome> = targets.others.iter().map(outcome).collect();
    let result = |outcome: &Outcome| match outcome {
        Outcome::Change(change) => Some(change.to.clone()),
        Outcome::Skip(..) | Outcome::Undecided(_) => None,
    };
    if others.iter().all(|other| result(other) == result(&first)) {
        return first;
    }
    let others = targets.others.iter().zip(&others);
    let needs: Vec<String> = std::iter::once((&targets.first, &first))
        .chain(others)
        .map(|(target, outcome)| outcome_need(target, site, outcome))
        .collect();
    let detail = format!(
        "it is deployed to several targets: {}; write these entries there, or give each its own copy",
        needs.join(", ")
    );
    Outcome::Skip(Reason::SeveralTargets, detail)
}

/// What the image needs in one of its environments.
fn outcome_need(target: &Target, site: &Site, outcome: &Outcome) -> String {
    let place = target.place.display();
    let name = |text: &str| match ImageRef::parse(text) {
        Ok(image) => text[..image.name_len()].to_string(),
        Err(_) => text.to_string(),
    };
    match outcome {
        Outcome::Change(change) if matches!(site.finder, CHART | CHART_FOLDER) => {
            format!("{place} needs `{}`", change.to)
        }
        Outcome::Change(change) => need(target, &name(&change.from), &name(&change.to)),
        Outcome::Skip(reason, _) => format!("for {place} it stays ({reason})"),
        Outcome::Undecided(undecided) => {
            format!("for {place} it stays ({})", undecided.assumption)
        }
    }
}

/// The entry that gives the image `from` the name `to` in one environment.
pub(super) fn need(target: &Target, from: &str, to: &str) -> String {
    let place = target.place.display();
    format!("{place} needs `images: [{{name: {from}, newName: {to}}}]`")
}

/// What the rules make of a name without tag and digest, and which rule.
pub(super) fn rewritten(name: &str, rules: &RuleSet) -> Option<(String, Origin)> {
    let (_, new, rule) = verdict(name, rules).ok()?;
    Some((new, rules.rules()[rule].origin().clone()))
}

/// What would become of a site that nothing held.
pub(super) fn without_hold(
    id: SiteId,
    site: &Site,
    rules: &RuleSet,
    links: &Links,
    assume: &Assume,
) -> Outcome {
    let hold = None;
    let site = Site {
        hold,
        ..site.clone()
    };
    site_outcome(id, &site, rules, links, assume)
}

fn site_outcome(
    id: SiteId,
    site: &Site,
    rules: &RuleSet,
    links: &Links,
    assume: &Assume,
) -> Outcome {
    Outcome::of(rewrite(id, site, rules, links, assume))
}

/// The change of a site, or what it would be when somebody agreed; or why it stays.
fn rewrite(
    id: SiteId,
    site: &Site,
    rules: &RuleSet,
    links: &Links,
    assume: &Assume,
) -> Result<Outcome, Why> {
    let held = |only: fn(Reason) -> bool| {
        let hold = site.hold.clone().filter(|(reason, _)| only(*reason));
        hold.map_or(Ok(()), Err)
    };
    held(Reason::is_no_pull)?;
    if let Shape::Parts(_) = &site.shape {
        let detail = "no merge of values reads it, as another key or layer takes its place or names the same image; write the image out once";
        return Err((Reason::GroupIncomplete, detail.into()));
    }
    let (name, new, rule) = match site.finder {
        CHART_FOLDER => folder_verdict(site.text(), rules)?,
        _ => verdict(site.text(), rules)?,
    };
    of_chart(site, rules)?;
    held(|_| true)?;
    let to = format!("{new}{}", &site.text()[name.len()..]);
    let names = NewNames {
        name: None,
        new_name: Some(to.clone()),
    };
    let carried = match &site.shape {
        Shape::Entry(entry) => carry_out(entry, &names)?,
        _ => in_place(site, name, &new)?,
    };
    not_named(links, &to, id)?;
    let rule = rules.rules()[rule].origin().clone();
    let safety = match &site.assumption {
        Some((assumption, detail)) if !assume.covers(*assumption) => {
            return Ok(Outcome::Undecided(Box::new(Undecided {
                site: id.site,
                from: site.text().to_string(),
                to,
                rule,
                assumption: *assumption,
                detail: detail.clone(),
            })));
        }
        Some((assumption, _)) => Safety::Assumed(*assumption),
        None => Safety::Certain,
    };
    Ok(Outcome::Change(Box::new(Change {
        site: id.site,
        from: site.text().to_string(),
        scalars: carried.scalars,
        inserted: carried.inserted,
        allowance: None,
        names: site.entry().map(|_| names),
        heals: false,
        charted: None,
        to,
        rule,
        safety,
        edits: carried.edits,
        groups: Vec::new(),
    })))
}

/// Puts `new` in the place of the name with which the text of a site begins.
fn in_place(site: &Site, name: &str, new: &str) -> Result<Carried, Why> {
    let text = site.text();
    let mut carried = Carried::default();
    let (ordinal, piece) = match &site.shape {
        Shape::Whole(scalar) => {
            carried.edits = edits(scalar, name, new)?;
            (scalar.ordinal, None)
        }
        Shape::Within(bit) => {
            carried.edits = edits_within(bit, name, new)?;
            (bit.scalar.ordinal, Some(bit.range.start))
        }
        Shape::Parts(_) | Shape::Entry(_) => return Ok(carried),
    };
    carried.scalars.push(Rewritten {
        ordinal,
        piece,
        from: text.to_string(),
        to: format!("{new}{}", &text[name.len()..]),
    });
    Ok(carried)
}

/// Why something stays: the reason, and a sentence that ends with what to do.
pub(super) type Why = (Reason, String);

/// Refuses a new reference that a kustomization would take for one of its own.
pub(super) fn not_named(links: &Links, to: &str, site: SiteId) -> Result<(), Why> {
    match links.named_by(to, site) {
        None => Ok(()),
        Some(place) => Err((
            Reason::GroupIncomplete,
            format!(
                "the ECR reference would be matched by the kustomize name at {place}, which would then change it; rewrite both together"
            ),
        )),
    }
}

/// The name in the reference `text`, the name it should have, and the rule; or why it stays. What
/// follows the name may be filled in elsewhere.
fn verdict<'t>(text: &'t str, rules: &RuleSet) -> Result<(&'t str, String, usize), Why> {
    if rules.text_is_ecr(text) {
        return Err((Reason::AlreadyEcr, "it comes from ECR".to_string()));
    }
    let name = name_of(text)?;
    let image = parse(name)?;
    if let Some(detail) = stands_for_another(text) {
        return Err((Reason::Variable, detail));
    }
    match rules.decide(&image) {
        Verdict::Rewrite { name: new, rule } => Ok((name, new, rule)),
        Verdict::Keep(reason, detail) => Err((reason, detail)),
    }
}

/// The same of an address that the names of charts are joined to. It changes only when all of them change in
/// the same way.
fn folder_verdict<'t>(text: &'t str, rules: &RuleSet) -> Result<(&'t str, String, usize), Why> {
    let below = format!("{text}/x");
    if rules.text_is_ecr(&below) {
        return Err((Reason::AlreadyEcr, "it is in ECR".to_string()));
    }
    // Only for its reasons: templates, placeholders, tags.
    name_of(&below).map(drop)?;
    match rules.decide_beginning(text) {
        Verdict::Rewrite { name, .. } if !name.contains('/') => {
            let detail = "nothing but the registry would be left of it, and charts are not told from images there; give its rule a prefix";
            Err((Reason::GroupIncomplete, detail.to_string()))
        }
        Verdict::Rewrite { name, rule } => Ok((text, name, rule)),
        Verdict::Keep(reason, detail) => Err((reason, detail)),
    }
}

/// Refuses addresses of charts that are not read as images are: they begin with a host whatever it looks like, and
/// on Docker Hub, nobody can tell whether `library/` would come in front of what is joined to one without a
/// namespace.
fn of_chart(site: &Site, rules: &RuleSet) -> Result<(), Why> {
    let text = site.text();
    let lacks = match site.finder {
        CHART => text.split('/').count() < 3,
        CHART_FOLDER => !text.contains('/'),
        _ => return Ok(()),
    };
    let host = text.split('/').next().unwrap_or("");
    if ImageRef::parse(&format!("{host}/x")).is_ok_and(|image| image.registry().is_none()) {
        let detail = format!("its first part, `{host}`, is a host that nothing is known of");
        return Err((Reason::NoRule, detail));
    }
    let meant = || Canonical::new(upstreams::canonical_host(host), "x/x");
    if lacks && rules.behind_alias(meant()).host == DOCKER_HUB {
        let detail = "it has no namespace, and Docker Hub has charts only in one; write that into the address (`registry-1.docker.io/acme`)";
        return Err((Reason::GroupIncomplete, detail.to_string()));
    }
    Ok(())
}

/// Names for which the tools of a project put in the image that they have built: there is none of the
/// name. Kubebuilder and the Operator SDK write `controller:latest` (kubebuilder
/// `pkg/plugins/common/kustomize`), and `kustomize edit set image controller=…` looks for it.
const STANDING_FOR_OTHERS: &[&str] = &["controller", "controller:latest"];

/// Why a text is no image that could be pulled.
fn stands_for_another(text: &str) -> Option<String> {
    STANDING_FOR_OTHERS.contains(&text).then(|| {
        format!("`{text}` stands for the image that a build puts in its place; set the image there")
    })
}

/// A name without tag and digest as an image.
pub(super) fn parse(name: &str) -> Result<ImageRef, Why> {
    if name == "null" {
        return Err((Reason::NotAnImage, "it is the word `null`".to_string()));
    }
    // With a colon, the host of a registry looks like a name and its tag.
    if !name.contains(':') && image::is_registry(name) {
        let detail = "it is the name of a registry, and what is joined to it is not known";
        return Err((Reason::NotAnImage, detail.to_string()));
    }
    ImageRef::parse(name).map_err(|error| (Reason::NotAnImage, format!("it {error}")))
}

/// The name at the beginning of a reference: everything before its tag and digest, which may be
/// filled in elsewhere while the name is written out.
pub(super) fn name_of(text: &str) -> Result<&str, Why> {
    let (filled, why) = if text.contains("{{") || text.contains("{%") {
        let detail = "a template fills it in; set the image where its value comes from";
        (
            text.find("{{").or(text.find("{%")),
            (Reason::Templated, detail.to_string()),
        )
    } else if let Some(at) = placeholder(text) {
        let detail = match placeholder_default(&text[at..]) {
            Some(default) => format!(
                "a placeholder may be filled in elsewhere, and is `{default}` where it is not; set the image in both places"
            ),
            None => "a placeholder is filled in elsewhere; set the image there".to_string(),
        };
        (Some(at), (Reason::Variable, detail))
    } else {
        (None, (Reason::NotAnImage, String::new()))
    };
    match filled {
        Some(at) => literal_name(text, at).ok_or(why),
        None => {
            let image = ImageRef::parse(text);
            image
                .map(|image| &text[..image.name_len()])
                .map_err(|error| (Reason::NotAnImage, format!("it {error}")))
        }
    }
}

/// What a placeholder becomes where nothing fills it in: `${X:=a}` and `${X:-a}` are `a`.
fn placeholder_default(text: &str) -> Option<&str> {
    let (inner, _) = text.strip_prefix("${")?.split_once('}')?;
    let (_, default) = inner.split_once(":=").or_else(|| inner.split_once(":-"))?;
    (!default.is_empty()).then_some(default)
}

/// The name of a reference of which something at `filled` is filled in elsewhere, if that is in the
/// tag or digest.
fn literal_name(text: &str, filled: usize) -> Option<&str> {
    let path_start = text[..filled].rfind('/').map_or(0, |at| at + 1);
    let end = path_start + text[path_start..filled].find([':', '@'])?;
    let name = &text[..end];
    let mut rest = String::new();
    let mut tail = &text[end..];
    // What stands between braces, or the brackets of Flux Operator, may hold anything; outside of them, a
    // slash would make the colon that of a port.
    while let Some(open) = tail.find(['{', '<']) {
        rest.push_str(&tail[..open]);
        let pairs = [("{{", "}}"), ("<<", ">>"), ("{", "}")];
        let mut pairs = pairs.iter();
        let Some((_, braces)) = pairs.find(|(begin, _)| tail[open..].starts_with(begin)) else {
            rest.push('<');
            tail = &tail[open + 1..];
            continue;
        };
        let close = tail[open..].find(braces)?;
        tail = &tail[open + close + braces.len()..];
    }
    rest.push_str(tail);
    // What tags, digests and placeholders without braces are made of: anything else would be a list, say.
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-:@$%#()<>+".contains(c);
    // A host, and its port.
    let is_host = name == "localhost" || !name.contains('/') && name.contains('.');
    (rest.chars().all(fits) && !is_host && ImageRef::parse(name).is_ok()).then_some(name)
}

/// Where a placeholder begins: `$X`, `${X}`, `$(X)`, `<x>` or `__X__`, the latter unless the text is
/// a reference with it.
fn placeholder(text: &str) -> Option<usize> {
    if ImageRef::parse(text).is_ok() {
        return None;
    }
    image::placeholder(text)
}

/// The smallest replacement, in whole path components, that turns `old`, with which the text of the
/// scalar begins, into `new`; or why its bytes cannot be replaced.
pub(super) fn edits(scalar: &Scalar, old: &str, new: &str) -> Result<Vec<Edit>, Why> {
    Ok(replacement(scalar, exact(scalar.place)?, old, new))
}

/// The same for a piece of a scalar.
fn edits_within(bit: &Bit, old: &str, new: &str) -> Result<Vec<Edit>, Why> {
    let span = exact(bit.place)?;
    if needs_quotes(&bit.scalar, new) {
        let detail = "the placeholder in the registry needs quotes around the whole text; add them";
        return Err((Reason::NotEditable, detail.to_string()));
    }
    Ok(vec![smallest(span, old, new)])
}

/// The bytes of a text that stands in the file as it is.
fn exact(place: Place) -> Result<Span, Why> {
    match place {
        Place::Exact(span) => Ok(span),
        Place::Spelled(_) => {
            let detail = "its bytes are not its text (escapes or several lines); write it plainly on one line";
            Err((Reason::NotEditable, detail.to_string()))
        }
    }
}

/// Whether a placeholder stands where braces end a plain scalar: inside `[…]` and `{…}`.
fn needs_quotes(scalar: &Scalar, new: &str) -> bool {
    scalar.in_flow && scalar.style == Style::Plain && new.contains('{')
}

fn smallest(span: Span, old: &str, new: &str) -> Edit {
    let shared = shared_end(old, new);
    Edit {
        span: Span::new(span.start, span.start + old.len() - shared),
        text: new[..new.len() - shared].to_string(),
    }
}

fn replacement(scalar: &Scalar, span: Span, old: &str, new: &str) -> Vec<Edit> {
    let mut edits = vec![smallest(span, old, new)];
    let needs_quotes = needs_quotes(scalar, new);
    if let Some(quotes) = scalar.free_quotes.filter(|_| needs_quotes) {
        edits[0].text.insert(0, quotes);
        edits.push(Edit {
            span: Span::new(span.end, span.end),
            text: quotes.to_string(),
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
                free_quotes: Some('"'),
                ordinal: 0,
                parsed: None,
            };
            let set = crate::edit::EditSet::new(replacement(&scalar, span, old, new)).unwrap();
            assert_eq!(set.apply(old).unwrap(), new);
        }
    }

    #[test]
    fn names_of_templated_references_are_read() {
        for (text, name) in [
            ("nginx:{{ .Tag }}", Some("nginx")),
            (
                "quay.io/a/b:v{{ a }}-{{ b }}@sha256:{{ c }}",
                Some("quay.io/a/b"),
            ),
            ("nginx:{{ a }},busybox:{{ b }}", None),
            ("nginx:{{ a }};{{ b }}", None),
            ("nginx:{{ a }}/b", None),
            ("nginx:{{ a", None),
            ("localhost:{{ port }}", None),
            ("reg.example:{{ port }}", None),
            ("localhost/a:{{ tag }}", Some("localhost/a")),
        ] {
            assert_eq!(literal_name(text, text.find('{').unwrap()), name, "{text}");
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
            assert!(placeholder(text).is_some(), "{text}");
        }
        for text in ["a__b", "nginx:1", "5$", "a<b", "<>"] {
            assert!(placeholder(text).is_none(), "{text}");
        }
    }
}
