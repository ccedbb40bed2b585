//! One image as one merge of layers shows it: what becomes of its parts.
//!
//! Pure: parts, rules and what stands around them in; new texts of the parts, or the reason why they
//! stay, out. Whether other merges agree is the matter of [`layers`](super::layers).

use super::charted::decide_charted;
use super::decide::{self, Why};
use crate::image::ImageRef;
use crate::link::{Front, SiteId, View};
use crate::reason::{Assumption, Reason};
use crate::rules::{RuleSet, Verdict, ecr_host, official, upstreams};
use crate::sites::{DIGEST_GLUE, Names, Step, join};

/// How keys end that charts join to a registry for every image.
const ENDS: &[&str] = &[
    "repository",
    "Repository",
    "repo",
    "Repo",
    "name",
    "imageName",
];

/// How many components a name on Docker Hub has at most.
const MOST_ON_HUB: usize = 2;

/// What a view says.
#[derive(Clone, Debug)]
pub(super) enum Decision {
    /// The name stays as it is.
    Keep(Reason, String),
    /// Its parts get new texts.
    Rewrite(Box<Rewrite>),
}

#[derive(Clone, Debug)]
pub(super) struct Rewrite {
    /// The new texts, by the place of the part.
    pub(super) texts: Vec<(usize, String)>,
    /// The keys that are added.
    pub(super) added: Vec<Added>,
    /// The name that the image has then.
    pub(super) name: String,
    /// The rule that decided, by its place in the rule set.
    pub(super) rule: usize,
    /// What it rests on, and that in words with what would settle it.
    pub(super) assumed: Option<(Assumption, String)>,
}

/// A key that is added to a map, behind one that is there.
#[derive(Clone, Debug)]
pub(super) struct Added {
    /// The part of a site that it comes behind.
    pub(super) beside: (SiteId, usize),
    /// The key.
    pub(super) key: String,
    /// Its text.
    pub(super) text: String,
}

/// What one merge of layers makes of an image.
pub(super) fn decide_view(view: &View, rules: &RuleSet) -> Decision {
    if let Some(image) = &view.charted {
        let decision = decide_charted(view, image, rules);
        return decision.unwrap_or_else(|(reason, detail)| Decision::Keep(reason, detail));
    }
    let decision = match view.names {
        Names::Beginning | Names::StatedBeginning | Names::Everything => {
            decide_beginning(view, rules)
        }
        Names::Image | Names::StatedImage => decide_image(view, rules),
    };
    decision.unwrap_or_else(|(reason, detail)| Decision::Keep(reason, detail))
}

/// The parts that have a text, with their places.
fn texts(view: &View) -> Vec<(usize, &str)> {
    let texts = view.parts.iter().enumerate();
    texts
        .map(|(index, part)| (index, part.text.as_str()))
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

fn decide_beginning(view: &View, rules: &RuleSet) -> Result<Decision, Why> {
    let texts = texts(view);
    let whole = join(texts.iter().map(|(_, text)| *text));
    let beginning = whole.trim_end_matches('/');
    if rules.text_is_ecr(&format!("{beginning}/x")) {
        return Err((Reason::AlreadyEcr, "it is in ECR".into()));
    }
    // Only for its reasons: templates, placeholders, words.
    decide::name_of(&format!("{beginning}/x")).map(drop)?;
    if !is_host(beginning) {
        let detail = "it is no registry, and what the templates make of it is not known";
        return Err((Reason::NotAnImage, detail.into()));
    }
    let (new, rule) = beginning_rewrite(beginning, rules)?;
    let texts = place(&texts, beginning, &new)?;
    let is_hub = view.parts.iter().any(|part| part.key != "registry");
    let certain = match view.names {
        Names::Beginning => is_hub && beginning.contains('/'),
        Names::StatedBeginning => true,
        _ => false,
    };
    if view.names == Names::Everything {
        let detail = "it stands in front of every image of the chart, also of those that these values do not name; set it to the target registry and give each image its ECR path, or remove it";
        return Err((Reason::GroupIncomplete, detail.into()));
    }
    let assumed = (!certain).then(|| {
        let detail = format!(
            "it would be `{new}` if the chart joins it with `/` to repositories that need nothing else; give the images their whole names instead"
        );
        (Assumption::ChartDefaultUnknown, detail)
    });
    Ok(Decision::Rewrite(Box::new(Rewrite {
        texts,
        added: Vec::new(),
        name: new,
        rule,
        assumed: view.assumption.clone().or(assumed),
    })))
}

/// The new text of a registry, or a longer beginning, and the rule.
fn beginning_rewrite(beginning: &str, rules: &RuleSet) -> Result<(String, usize), Why> {
    match rules.decide_beginning(beginning) {
        Verdict::Rewrite { name, rule } => Ok((name, rule)),
        Verdict::Keep(reason, detail) => Err((reason, detail)),
    }
}

/// What becomes of an image: what its parts name, what stands before and behind it, and what the rules say.
fn decide_image(view: &View, rules: &RuleSet) -> Result<Decision, Why> {
    let texts = texts(view);
    let whole = join(texts.iter().map(|(_, text)| *text));
    let two_parts = view.names == Names::Image && view.parts.len() > 1;
    let (registry, repository) = if two_parts {
        (view.parts[0].text.as_str(), view.parts[1].text.as_str())
    } else {
        ("", whole.as_str())
    };
    if repository.is_empty() {
        return decide_registry_alone(view, registry, rules);
    }
    if !registry.is_empty() && names_host(repository) {
        let detail =
            format!("both `{registry}` and `{repository}` name a registry; remove one of the two");
        return Err((Reason::GroupIncomplete, detail));
    }
    if rules.text_is_ecr(&whole) {
        return Err(in_ecr(view, registry, repository, rules));
    }
    let pinned = whole.strip_suffix(DIGEST_GLUE).filter(|_| view.tagged);
    let name = decide::name_of(pinned.unwrap_or(&whole))?;
    let image = named(view, registry, repository, name, rules)?;
    let global = view.global.as_ref().filter(|_| !registry.is_empty());
    if let Some(global) = global
        && contradicts(view, global, rules)
    {
        let detail = format!(
            "`{}` stands in front of every image of the chart and contradicts `{registry}`; give both the same registry, or remove the former",
            global.text
        );
        return Err((Reason::GroupIncomplete, detail));
    }
    let (new, rule) = match rules.decide(&image) {
        Verdict::Rewrite { name, rule } => (name, rule),
        Verdict::Keep(reason, detail) => return Err((reason, detail)),
    };
    stands_alone(view, registry, name, &new, rules)?;
    if is_half_done(view, registry, repository, rules) {
        let detail = format!(
            "`{repository}` carries an ECR prefix, and `{registry}` is not in ECR; finish the layer that sets the registry"
        );
        return Err((Reason::GroupIncomplete, detail));
    }
    if let Some(global) = global
        && !is_target(&global.text, rules)
    {
        return under_global(&texts, name, &new, rule, global, rules);
    }
    let known = view.assumption.clone();
    let assumed = known.or_else(|| assumption(view, &image, registry, &new));
    Ok(Decision::Rewrite(Box::new(Rewrite {
        texts: place(&texts, name, &new)?,
        added: Vec::new(),
        name: new,
        rule,
        assumed,
    })))
}

/// Why an image that is in ECR stays: it is done, or layers made something else of it.
fn in_ecr(view: &View, registry: &str, repository: &str, rules: &RuleSet) -> Why {
    let fits = carries_prefix(repository, rules) || has_root(rules);
    if is_target(registry, rules) && apart(view) && !fits {
        let detail = format!(
            "another layer puts `{registry}` in front of `{repository}`, which is the path of no rule's prefix; set both in one layer"
        );
        return (Reason::GroupIncomplete, detail);
    }
    (Reason::AlreadyEcr, "it comes from ECR".into())
}

/// The image that the parts name; an error when they are something else, or when more stands in front of
/// them.
fn named(
    view: &View,
    registry: &str,
    repository: &str,
    name: &str,
    rules: &RuleSet,
) -> Result<ImageRef, Why> {
    if !registry.is_empty() && !is_host(registry) {
        let detail =
            format!("`{registry}` is no registry, and what the templates make of it is not known");
        // With a tag beside it, the parts name an image: `{registry: prom, name: prometheus, tag: v3}`.
        let is_image = view.tagged && ImageRef::parse(registry).is_ok();
        let reason = if is_image {
            Reason::GroupIncomplete
        } else {
            Reason::NotAnImage
        };
        return Err((reason, detail));
    }
    if registry.is_empty() && is_address(view, repository) {
        let detail = "it is the address of a registry, and what is joined to it is not known";
        return Err((Reason::NotAnImage, detail.into()));
    }
    let image = decide::parse(name)?;
    if view.names == Names::Image && image.registry().is_none() {
        end_of_name(view, name, rules)?;
        if image.repository().split('/').count() > MOST_ON_HUB {
            let detail = "names on Docker Hub have two components at most, so that something stands in front of this one; write its registry out";
            return Err((Reason::GroupIncomplete, detail.into()));
        }
    }
    if view.registry_elsewhere && registry.is_empty() && image.registry().is_none() {
        let detail = "another key, here or in another layer, sets a registry in front of it; write the image out as one reference";
        return Err((Reason::GroupIncomplete, detail.into()));
    }
    Ok(image)
}

/// Refuses an image behind or within which a key may be joined so that it is another one.
fn stands_alone(
    view: &View,
    registry: &str,
    name: &str,
    new: &str,
    rules: &RuleSet,
) -> Result<(), Why> {
    if view.between && !registry.is_empty() {
        let detail =
            "a key beside it may be joined between its parts; set the image as one reference";
        return Err((Reason::GroupIncomplete, detail.into()));
    }
    if view.may_go_on {
        match rules.decide_beginning(name) {
            Verdict::Rewrite { name, .. } if name == new => {}
            _ => {
                let detail = "a key beside it may be joined to it, and then another rule would hold; set the image as one reference";
                return Err((Reason::GroupIncomplete, detail.into()));
            }
        }
    }
    Ok(())
}

/// Whether an image was moved to ECR in part: its repository carries a prefix, and an upstream stands
/// in front of it. Names on Docker Hub have two components at most, so that a third one tells, too.
fn is_half_done(view: &View, registry: &str, repository: &str, rules: &RuleSet) -> bool {
    let is_hub = same_host(registry.trim_end_matches('/'), "docker.io");
    let is_long = is_hub && repository.split('/').count() > MOST_ON_HUB;
    !registry.is_empty()
        && (apart(view) || is_long || view.global.is_some())
        && carries_prefix(repository, rules)
}

/// Whether registry and repository come from different sites.
fn apart(view: &View) -> bool {
    let site = |part: usize| view.parts.get(part).and_then(|part| Some(part.from?.0));
    site(0).is_some() && site(1).is_some() && site(0) != site(1)
}

/// Whether a path begins with the prefix of a rule.
fn carries_prefix(path: &str, rules: &RuleSet) -> bool {
    rules.rules().iter().any(|rule| {
        let rest = path.strip_prefix(rule.prefix_text());
        rest.is_some_and(|rest| rest.starts_with('/'))
    })
}

/// Whether a rule gives paths no prefix, so that every path may be one of its.
fn has_root(rules: &RuleSet) -> bool {
    rules
        .rules()
        .iter()
        .any(|rule| rule.prefix_text() == "ROOT")
}

/// Refuses names without a registry that are the end of a longer one.
fn end_of_name(view: &View, name: &str, rules: &RuleSet) -> Result<(), Why> {
    let Some(front) = view.front.as_ref().or(view.global.as_ref()) else {
        return view.beside.as_ref().map_or(Ok(()), |beside| {
            let detail = format!(
                "`{beside}` stands beside it, or around it, and may be put in front of it; write the image out as one reference"
            );
            Err((Reason::GroupIncomplete, detail))
        });
    };
    if rules.text_is_ecr(&format!("{}/x", front.text.trim_end_matches('/'))) {
        let detail = format!("`{}`, which is in ECR, stands in front of it", front.text);
        return Err((Reason::AlreadyEcr, detail));
    }
    let detail = format!("it is the end of a name that begins with `{}`", front.text);
    // What is to be done about it is what the whole name says.
    let whole = join([front.text.as_str(), name]);
    let decided = decide::name_of(&whole).and_then(decide::parse);
    Err(match decided.map(|image| rules.decide(&image)) {
        Ok(Verdict::Keep(reason, why)) => (reason, format!("{detail}; {why}")),
        Ok(Verdict::Rewrite { .. }) | Err(_) => (Reason::GroupIncomplete, detail),
    })
}

/// Whether a text is the host of a registry and its port: `localhost:5000`, or `harbor:8443` under a key of
/// repositories, whose tags stand elsewhere.
fn is_address(view: &View, text: &str) -> bool {
    let Some((host, port)) = text.split_once(':') else {
        return false;
    };
    let is_port = matches!(port.len(), 4 | 5) && port.bytes().all(|byte| byte.is_ascii_digit());
    let last = view.parts.last().map_or("", |part| part.key.as_str());
    let is_repository = ENDS.iter().any(|end| last.ends_with(end));
    is_port && !host.contains('/') && (matches!(host, "localhost" | "registry") || is_repository)
}

/// Whether a name may be only the beginning of one: Docker Hub has no image of one component that is not
/// official. One with a tag behind it is meant as a whole.
fn is_beginning_on_hub(view: &View, image: &ImageRef, registry: &str) -> bool {
    let text = view.parts.last().map_or("", |part| part.text.as_str());
    let is_whole = registry.is_empty() && text.len() > image.name_len();
    let path = image.repository();
    let is_hub = upstreams::canonical_host(&image.canonical().host) == "docker.io";
    is_hub && !is_whole && !path.contains('/') && !official::is_official(path)
}

/// A registry whose repository is the chart's.
fn decide_registry_alone(view: &View, registry: &str, rules: &RuleSet) -> Result<Decision, Why> {
    let beginning = registry.trim_end_matches('/');
    if rules.text_is_ecr(&format!("{beginning}/x")) {
        return Err((Reason::AlreadyEcr, "it is in ECR".into()));
    }
    decide::name_of(&format!("{beginning}/x")).map(drop)?;
    if !is_host(beginning) || !beginning.contains('.') {
        let detail = "it is no registry, and what the templates make of it is not known";
        return Err((Reason::NotAnImage, detail.into()));
    }
    let (new, rule) = beginning_rewrite(beginning, rules)?;
    let detail = format!(
        "the repository is the chart's; `{new}` would do if the chart joins both with `/`; set `repository` beside it"
    );
    let texts = place(&texts(view), beginning, &new)?;
    Ok(Decision::Rewrite(Box::new(Rewrite {
        texts,
        added: Vec::new(),
        name: new,
        rule,
        assumed: Some((Assumption::ChartDefaultUnknown, detail)),
    })))
}

/// An image with a registry of its own under a registry for every image: one in ECR, with a path, has
/// to stand in both places, whichever of the two the chart prefers.
fn under_global(
    texts: &[(usize, &str)],
    old: &str,
    new: &str,
    rule: usize,
    global: &Front,
    rules: &RuleSet,
) -> Result<Decision, Why> {
    let front = global.text.trim_end_matches('/');
    let rest = new
        .strip_prefix(front)
        .and_then(|rest| rest.strip_prefix('/'));
    let in_ecr = rules.text_is_ecr(&format!("{front}/x"));
    let (true, Some(rest), [(registry, before), (repository, path)]) = (in_ecr, rest, texts) else {
        let detail = format!(
            "`{}` stands in front of every image of the chart; set it to the target registry and give each image its ECR path, or remove it",
            global.text
        );
        return Err((Reason::GroupIncomplete, detail));
    };
    let whole = join([*before, *path]);
    let suffix = whole.get(old.len()..).unwrap_or("");
    let slash = if before.ends_with('/') { "/" } else { "" };
    Ok(Decision::Rewrite(Box::new(Rewrite {
        texts: vec![
            (*registry, format!("{front}{slash}")),
            (*repository, format!("{rest}{suffix}")),
        ],
        added: Vec::new(),
        name: new.to_string(),
        rule,
        assumed: None,
    })))
}

/// Whether a registry for every image is the target itself, to which each image adds its path.
fn is_target(text: &str, rules: &RuleSet) -> bool {
    let text = text.trim_end_matches('/');
    match rules.registry() {
        Some(registry) => text == registry.to_string(),
        // While none is known, every ECR registry counts.
        None => ecr_host::ecr_host_of(&format!("{text}/x")) == Some(text),
    }
}

/// Whether a registry for every image says something else than the image's own.
pub(super) fn contradicts(view: &View, global: &Front, rules: &RuleSet) -> bool {
    let own = match view.parts.as_slice() {
        [registry, repository] if view.names == Names::Image && !repository.text.is_empty() => {
            registry.text.trim_end_matches('/')
        }
        _ => "",
    };
    let front = global.text.trim_end_matches('/');
    if own.is_empty() || own == front || !is_host(own) {
        return false;
    }
    let in_ecr = |text: &str| rules.text_is_ecr(&format!("{text}/x"));
    match (in_ecr(own), in_ecr(front)) {
        (false, true) => {
            // The image's ECR path has to begin with what stands in front of it.
            let whole = format!("{own}/{}", view.parts[1].text);
            let name = decide::name_of(&whole).and_then(decide::parse);
            !name.is_ok_and(|image| match rules.decide(&image) {
                Verdict::Rewrite { name, .. } => name.starts_with(&format!("{front}/")),
                Verdict::Keep(..) => false,
            })
        }
        _ => !same_host(own, front),
    }
}

fn same_host(one: &str, other: &str) -> bool {
    let canonical = |text: &str| {
        ImageRef::parse(&format!("{text}/x/x"))
            .ok()
            .map(|image| upstreams::canonical_host(&image.canonical().host).to_string())
    };
    one == other || canonical(one).is_some_and(|one| Some(one) == canonical(other))
}

/// What the rewrite of an image rests on.
fn assumption(
    view: &View,
    image: &ImageRef,
    registry: &str,
    new: &str,
) -> Option<(Assumption, String)> {
    if view.names == Names::StatedImage && !view.registry_elsewhere && view.global.is_none() {
        return None;
    }
    let chart = Assumption::ChartDefaultUnknown;
    let settle = settle(view);
    if image.registry().is_some() && is_beginning_on_hub(view, image, registry) {
        let detail = format!(
            "it may be the beginning of a name, as Docker Hub has no official image `{}`; it would be `{new}` if it is an image; {settle}",
            image.repository()
        );
        return Some((chart, detail));
    }
    if let Some(global) = view.global.as_ref().filter(|_| !registry.is_empty()) {
        let detail = format!(
            "where `{}` wins, the chart pulls the image from there today; it would be `{new}`; remove one of the two registries",
            global.text
        );
        return Some((chart, detail));
    }
    if !registry.is_empty() {
        return view.registry_unread.then(|| {
            let detail = format!(
                "the chart's own values have no registry here, so its templates may not read one; it would be `{new}` if they do; {settle}"
            );
            (chart, detail)
        });
    }
    if image.registry().is_some() {
        let detail = another_in_front(view, new, &settle)?;
        return Some((chart, detail));
    }
    without_registry(view, image, new, &settle)
}

/// What the rewrite of a name with its own registry rests on, when the chart may put another one in front
/// of it.
fn another_in_front(view: &View, new: &str, settle: &str) -> Option<String> {
    let last = view.parts.last().map_or("", |part| part.key.as_str());
    let is_repository = ENDS.iter().any(|end| last.ends_with(end));
    if let Some(global) = view.global.as_ref().filter(|_| is_repository) {
        return Some(format!(
            "the chart may put `{}`, which is set for every image, in front of it; it would be `{new}` if it does not; {settle}",
            global.text
        ));
    }
    view.registry_elsewhere.then(|| {
        format!(
            "another key, here or in another layer, sets a registry, which the chart may put in front of this one; it would be `{new}` if it does not; {settle}"
        )
    })
}

/// What the rewrite of a name without any registry rests on.
fn without_registry(
    view: &View,
    image: &ImageRef,
    new: &str,
    settle: &str,
) -> Option<(Assumption, String)> {
    let last = view.parts.last().map_or("", |part| part.key.as_str());
    let is_full_key = last == "image"
        || last.ends_with("Image")
        || last.ends_with("_image")
        || last.ends_with("-image");
    let text = view.parts.last().map_or("", |part| part.text.as_str());
    let has_suffix = text.len() > image.name_len();
    if is_full_key && has_suffix && !view.may_be_fronted && !view.registry_elsewhere {
        return None;
    }
    if is_full_key && !view.tagged && !view.may_be_fronted {
        let detail = format!(
            "it may be a name of something else; it would be `{new}` if it is an image; {settle}"
        );
        return Some((Assumption::BareWord, detail));
    }
    let detail = format!(
        "the chart's default registry is not known; it would be `{new}` if the chart puts nothing, or docker.io, in front; {settle}"
    );
    Some((Assumption::ChartDefaultUnknown, detail))
}

/// What would make a view certain.
fn settle(view: &View) -> String {
    if let Some(chart) = &view.chart_unknown {
        return format!("write its registry out, or {chart}");
    }
    let mut paths = Vec::new();
    for part in view.parts.iter().filter(|part| !part.text.is_empty()) {
        let mut path = String::new();
        for step in &view.at {
            match step {
                Step::Key(key) => path.push_str(&format!(".{key}")),
                Step::Item(_) => return "write its registry out".to_string(),
            }
        }
        paths.push(format!("{{{{ {path}.{} }}}}", part.key));
    }
    format!(
        "write its registry out, or state in the config, for every values file, `sites: [{{values: \"{}\"}}]`",
        paths.join("/")
    )
}

/// Puts the new name into the parts. `old` is the name that they make now; a tag behind it stays.
pub(super) fn place(
    texts: &[(usize, &str)],
    old: &str,
    new: &str,
) -> Result<Vec<(usize, String)>, Why> {
    let whole = join(texts.iter().map(|(_, text)| *text));
    let suffix = whole.get(old.len()..).unwrap_or("");
    let Some(((first, head), rest)) = texts.split_first() else {
        return Ok(Vec::new());
    };
    let slash = |text: &str| if text.ends_with('/') { "/" } else { "" };
    let Some(((second, next), more)) = rest.split_first() else {
        return Ok(vec![(*first, format!("{new}{suffix}"))]);
    };
    let ending = |parts: &[(usize, &str)]| {
        let tail = join(parts.iter().map(|(_, text)| *text));
        tail.strip_suffix(suffix).unwrap_or(&tail).to_string()
    };
    let apart = || {
        let detail =
            format!("`{new}` cannot be put into its parts; set the image as one reference");
        (Reason::GroupIncomplete, detail)
    };
    if head.trim_end_matches('/').contains('/') {
        let before = new
            .strip_suffix(&ending(rest))
            .and_then(|rest| rest.strip_suffix('/'));
        let before = before.ok_or_else(apart)?;
        return Ok(vec![(*first, format!("{before}{}", slash(head)))]);
    }
    let (host, path) = new.split_once('/').ok_or_else(apart)?;
    let host = (*first, format!("{host}{}", slash(head)));
    if more.is_empty() {
        return Ok(vec![host, (*second, format!("{path}{suffix}"))]);
    }
    let before = path
        .strip_suffix(&ending(more))
        .and_then(|rest| rest.strip_suffix('/'));
    let before = before.ok_or_else(apart)?;
    Ok(vec![host, (*second, format!("{before}{}", slash(next)))])
}

/// Whether a text begins with the host of a registry.
fn is_host(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or("");
    host.contains(['.', ':']) || host == "localhost"
}

/// Whether a repository names a registry itself.
pub(super) fn names_host(repository: &str) -> bool {
    ecr_host::ecr_host_of(repository).is_some()
        || ImageRef::parse(repository).is_ok_and(|image| image.registry().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_name_is_put_into_the_parts_that_were_there() {
        for (parts, old, new, wanted) in [
            (
                &["docker.io", "nginx"][..],
                "docker.io/nginx",
                "R/hub/library/nginx",
                Some(&["R", "hub/library/nginx"][..]),
            ),
            (
                &["quay.io/", "a/b:1"],
                "quay.io/a/b",
                "R/quay/a/b",
                Some(&["R/", "quay/a/b:1"]),
            ),
            (
                &["docker.io/istio", "pilot"],
                "docker.io/istio/pilot",
                "R/hub/istio/pilot",
                Some(&["R/hub/istio"]),
            ),
            (
                &["docker.io/library", "nginx"],
                "docker.io/library/nginx",
                "R/hub/nginx",
                Some(&["R/hub"]),
            ),
            (
                &["quay.io", "a", "b"],
                "quay.io/a/b",
                "R/quay/a/b",
                Some(&["R", "quay/a"]),
            ),
            (
                &["nginx:1@sha256:0"],
                "nginx",
                "R/hub/library/nginx",
                Some(&["R/hub/library/nginx:1@sha256:0"]),
            ),
            (
                &["ghcr.io/acme", "app"],
                "ghcr.io/acme/app",
                "R/app",
                Some(&["R"]),
            ),
            (&["ghcr.io/acme", "app"], "ghcr.io/acme/app", "R/b", None),
            (&["ghcr.io", "a", "b"], "ghcr.io/a/b", "R/b", None),
        ] {
            let texts: Vec<(usize, &str)> = parts.iter().copied().enumerate().collect();
            let placed = place(&texts, old, new).ok();
            let placed: Option<Vec<String>> =
                placed.map(|texts| texts.into_iter().map(|(_, text)| text).collect());
            let wanted = wanted.map(|texts| texts.iter().map(ToString::to_string).collect());
            assert_eq!(placed, wanted, "{parts:?}");
        }
    }
}
