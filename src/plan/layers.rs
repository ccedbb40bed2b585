//! Images of Helm values: every merge of layers is decided, and every scalar has to suit all of them.
//!
//! A view (see [`View`]) asks for a text of each scalar that it reads: a new one, or the one that is
//! there. Views that read the same scalar hang together; where two of them ask for different texts,
//! nothing of what hangs together changes. What is left is decided again with the new texts, as a
//! second run would, and has to be in ECR then.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::decide::{self, Outcome, Why};
use super::{Assume, Change, Matter, Remark, Rewritten, Safety, Undecided};
use crate::edit::Edit;
use crate::image::ImageRef;
use crate::link::{Front, Group, Links, SiteId, View};
use crate::reason::{Assumption, Reason};
use crate::rules::{RuleSet, Verdict, ecr_host};
use crate::scan::ScannedFile;
use crate::sites::{Names, Parts, Site, Step, join};
use crate::yaml::Scalar;

/// The namespaces of Docker Hub whose charts refuse other registries.
const BITNAMI: &[&str] = &["bitnami/", "bitnamilegacy/", "bitnamisecure/"];

/// Reasons for which a layer stays and that keep the other layers of the same values path from
/// changing, too; an image that no rule maps is an image of its own.
const BLOCKING: &[Reason] = &[
    Reason::Allowed,
    Reason::Templated,
    Reason::Variable,
    Reason::GroupIncomplete,
];

/// What becomes of the sites with parts.
#[derive(Default)]
pub(super) struct Layered {
    pub outcomes: HashMap<SiteId, Outcome>,
    pub groups: Vec<Group>,
    /// Remarks, with the file that each is about.
    pub remarks: Vec<(usize, Remark)>,
}

/// A scalar of the run: file, document and ordinal.
type ScalarId = (usize, usize, usize);

/// What a view says.
#[derive(Clone, Debug)]
enum Decision {
    /// The name stays as it is.
    Keep(Reason, String),
    /// Its parts get new texts.
    Rewrite(Box<Rewrite>),
}

#[derive(Clone, Debug)]
struct Rewrite {
    /// The new texts, by the place of the part.
    texts: Vec<(usize, String)>,
    /// The new text of the registry for every image, when it goes along.
    global: Option<String>,
    /// The name that the image has then.
    name: String,
    /// The rule that decided, by its place in the rule set.
    rule: usize,
    /// What it rests on, and that in words with what would settle it.
    assumed: Option<(Assumption, String)>,
}

/// Decides every site with parts.
pub(super) fn decide(
    files: &[ScannedFile],
    rules: &[Arc<RuleSet>],
    links: &Links,
    assume: &Assume,
) -> Layered {
    if links.views.is_empty() {
        return Layered::default();
    }
    let decisions: Vec<Decision> = links
        .views
        .iter()
        .map(|view| decide_view(view, &rules[view.target]))
        .collect();
    let wants: Vec<Vec<(ScalarId, String)>> = links
        .views
        .iter()
        .zip(&decisions)
        .map(|(view, decision)| wants(files, view, decision))
        .collect();
    let run = Run {
        files,
        rules,
        links,
        assume,
        decisions,
        wants,
    };
    run.layered()
}

struct Run<'r> {
    files: &'r [ScannedFile],
    rules: &'r [Arc<RuleSet>],
    links: &'r Links,
    assume: &'r Assume,
    decisions: Vec<Decision>,
    /// What each view asks of the scalars that it reads.
    wants: Vec<Vec<(ScalarId, String)>>,
}

/// Views that hang together.
struct Cluster {
    views: Vec<usize>,
    /// The text that all of them ask for, by scalar; or why there is none.
    texts: Result<BTreeMap<ScalarId, String>, Why>,
    /// The first assumption that nobody agreed to.
    assumed: Option<(Assumption, String)>,
}

impl Run<'_> {
    fn layered(&self) -> Layered {
        let mut layered = Layered::default();
        for cluster in self.clusters() {
            self.settle(&cluster, &mut layered);
        }
        self.remark(&mut layered);
        layered
    }

    /// The views, those that read a common scalar together.
    fn clusters(&self) -> Vec<Cluster> {
        let mut union = Union::new(self.wants.len());
        let mut reader: HashMap<ScalarId, usize> = HashMap::new();
        for (view, wants) in self.wants.iter().enumerate() {
            for (scalar, _) in wants {
                match reader.get(scalar) {
                    Some(&other) => union.join(view, other),
                    None => drop(reader.insert(*scalar, view)),
                }
            }
        }
        let mut first: HashMap<usize, usize> = HashMap::new();
        for (view, place) in self
            .links
            .views
            .iter()
            .map(|view| view.together)
            .enumerate()
        {
            if let Some(place) = place {
                let other = *first.entry(place).or_insert(view);
                union.join(view, other);
            }
        }
        let mut together: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for view in 0..self.wants.len() {
            together.entry(union.root(view)).or_default().push(view);
        }
        together
            .into_values()
            .map(|views| {
                let texts = self.agreed(&views);
                let mut counting = views
                    .iter()
                    .filter(|view| self.completing(**view, &views).is_none());
                let assumed = counting.find_map(|&view| self.open_assumption(view));
                Cluster {
                    views,
                    texts,
                    assumed,
                }
            })
            .collect()
    }

    /// What a view rests on, unless that was agreed to.
    fn open_assumption(&self, view: usize) -> Option<(Assumption, String)> {
        let Decision::Rewrite(rewrite) = &self.decisions[view] else {
            return None;
        };
        let assumed = rewrite.assumed.clone();
        assumed.filter(|(assumption, _)| !self.assume.covers(*assumption))
    }

    /// A view is a registry without a repository in a chart of the repository: on its own it names no
    /// image. The view of other layers that add the repository to it.
    fn completing(&self, view: usize, views: &[usize]) -> Option<usize> {
        let is_open = |view: &View| view.parts.len() > 1 && view.parts[1].text.is_empty();
        let this = &self.links.views[view];
        if !is_open(this) || !this.own_chart {
            return None;
        }
        views.iter().copied().find(|&other| {
            let other = &self.links.views[other];
            let first = other.parts.first();
            !is_open(other) && first.is_some_and(|part| part.from == this.parts[0].from)
        })
    }

    /// The text of each scalar that suits all views.
    fn agreed(&self, views: &[usize]) -> Result<BTreeMap<ScalarId, String>, Why> {
        let rewrites = |view: &usize| matches!(self.decisions[*view], Decision::Rewrite(_));
        if !views.iter().any(rewrites) {
            return Ok(BTreeMap::new());
        }
        let mut texts: BTreeMap<ScalarId, (String, usize)> = BTreeMap::new();
        let counting = || {
            let all = views.iter().copied();
            all.filter(|view| self.completing(*view, views).is_none())
        };
        for view in counting() {
            if let Some(why) = &self.links.views[view].blocked {
                return Err((Reason::GroupIncomplete, why.clone()));
            }
            if let Decision::Keep(reason, _) = &self.decisions[view]
                && BLOCKING.contains(reason)
            {
                let view = &self.links.views[view];
                let (site, _) = self.site(view.own);
                let detail = format!(
                    "another layer of it, `{}` in {}, stays: {reason}",
                    site.text(),
                    self.files[view.own.file].source.path.display()
                );
                return Err((Reason::GroupIncomplete, detail));
            }
            for (scalar, text) in &self.wants[view] {
                match texts.get(scalar) {
                    Some((known, other)) if known != text => {
                        return Err(self.conflict(*other, view));
                    }
                    Some(_) => {}
                    None => drop(texts.insert(*scalar, (text.clone(), view))),
                }
            }
        }
        for view in counting().filter(rewrites) {
            self.check_settled(view, &texts)?;
        }
        Ok(texts
            .into_iter()
            .map(|(scalar, (text, _))| (scalar, text))
            .collect())
    }

    /// Why two views that share a scalar cannot both be served.
    fn conflict(&self, first: usize, second: usize) -> Why {
        let target = |view: usize| &self.rules[self.links.views[view].target];
        let place = |view: usize| {
            self.files[self.links.views[view].target]
                .source
                .path
                .display()
        };
        if !target(first).agrees_with(target(second)) {
            let registry = |view: usize| {
                let registry = target(view).registry();
                registry.map_or(String::new(), ToString::to_string)
            };
            return (
                Reason::SeveralTargets,
                format!(
                    "{} needs {} and {} needs {}; write the image out in both",
                    place(first),
                    registry(first),
                    place(second),
                    registry(second)
                ),
            );
        }
        let says = |view: usize| match &self.decisions[view] {
            Decision::Keep(reason, _) => format!("stays with {} ({reason})", place(view)),
            Decision::Rewrite(rewrite) => {
                format!("becomes `{}` with {}", rewrite.name, place(view))
            }
        };
        (
            Reason::GroupIncomplete,
            format!(
                "it is shared by layers of values that need different texts: the image {}, and {}; write it out in both layers",
                says(first),
                says(second)
            ),
        )
    }

    /// Decides a view again, with the new texts: its image has to be in ECR.
    fn check_settled(
        &self,
        view: usize,
        texts: &BTreeMap<ScalarId, (String, usize)>,
    ) -> Result<(), Why> {
        let mut after = self.links.views[view].clone();
        let text = |site: SiteId, part: usize| {
            let scalar = scalar_of(self.files, site, part)?;
            texts.get(&scalar.0).map(|(text, _)| text.clone())
        };
        for part in &mut after.parts {
            if let Some(text) = part.from.and_then(|(site, index)| text(site, index)) {
                part.text = text;
            }
        }
        if let Some(global) = &mut after.global
            && let Some(text) = text(global.site, 0)
        {
            global.text = text;
        }
        match decide_view(&after, &self.rules[after.target]) {
            Decision::Keep(Reason::AlreadyEcr, _) => {}
            _ => {
                let name = join(after.parts.iter().map(|part| part.text.as_str()));
                return Err((
                    Reason::GroupIncomplete,
                    format!(
                        "its layers would make `{name}` of it; write the image out in each layer"
                    ),
                ));
            }
        }
        let Decision::Rewrite(rewrite) = &self.decisions[view] else {
            return Ok(());
        };
        decide::not_named(self.links, &rewrite.name)
    }

    /// Turns a cluster into outcomes of its sites.
    fn settle(&self, cluster: &Cluster, layered: &mut Layered) {
        let mut own: BTreeMap<SiteId, usize> = BTreeMap::new();
        for &view in &cluster.views {
            let site = self.links.views[view].own;
            let view = self.completing(view, &cluster.views).unwrap_or(view);
            let rewrites = matches!(self.decisions[view], Decision::Rewrite(_));
            if rewrites || !own.contains_key(&site) {
                own.insert(site, view);
            }
        }
        let mut changed = Vec::new();
        let mut edited: BTreeSet<ScalarId> = BTreeSet::new();
        for (&site, &view) in &own {
            let outcome = self.outcome(site, view, cluster, &mut edited);
            if matches!(outcome, Outcome::Change(_)) {
                changed.push(site);
            }
            layered.outcomes.entry(site).or_insert(outcome);
        }
        // Sites that hang together but stay (a hold, bytes that cannot be edited, a vendored chart that
        // is never used alone) are members, too.
        let parts = cluster
            .views
            .iter()
            .flat_map(|&view| &self.links.views[view].parts);
        let sites: BTreeSet<SiteId> = parts.filter_map(|part| Some(part.from?.0)).collect();
        let stays = sites
            .iter()
            .filter(|site| !changed.contains(site) && self.is_to_change(**site, cluster));
        let members: Vec<SiteId> = changed.iter().chain(stays).copied().collect();
        if members.len() > 1 && !changed.is_empty() {
            let (site, _) = self.site(changed[0]);
            layered.groups.push(Group {
                label: format!("the values of `{}`", site.path),
                members,
                blocked: None,
            });
        }
    }

    fn site(&self, id: SiteId) -> (&Site, Option<&Parts>) {
        let site = &self.files[id.file].scan.sites[id.site];
        (site, site.parts())
    }

    fn is_to_change(&self, id: SiteId, cluster: &Cluster) -> bool {
        let Ok(texts) = &cluster.texts else {
            return false;
        };
        let (site, _) = self.site(id);
        site.scalars().any(|scalar| {
            let id = (id.file, site.document, scalar.ordinal);
            texts.get(&id).is_some_and(|text| *text != scalar.value)
        })
    }

    fn outcome(
        &self,
        id: SiteId,
        view: usize,
        cluster: &Cluster,
        edited: &mut BTreeSet<ScalarId>,
    ) -> Outcome {
        let (site, parts) = self.site(id);
        let rewrite = match &self.decisions[view] {
            Decision::Keep(reason, detail) => return Outcome::Skip(*reason, detail.clone()),
            Decision::Rewrite(rewrite) => rewrite,
        };
        let texts = match &cluster.texts {
            Ok(texts) => texts,
            Err((reason, detail)) => return Outcome::Skip(*reason, detail.clone()),
        };
        if let Some((reason, detail)) = &site.hold {
            return Outcome::Skip(*reason, detail.clone());
        }
        let rules = &self.rules[self.links.views[view].target];
        let rule = rules.rules()[rewrite.rule].origin().clone();
        let new_text = |scalar: &Scalar| {
            let id = (id.file, site.document, scalar.ordinal);
            texts
                .get(&id)
                .cloned()
                .unwrap_or_else(|| scalar.value.clone())
        };
        let new: Vec<String> = site.scalars().map(new_text).collect();
        let suffix = parts.map_or("", |parts| &parts.suffix);
        let to = format!("{}{suffix}", join(new.iter().map(String::as_str)));
        if let Some((_, detail)) = &cluster.assumed
            && self.open_assumption(view).is_none()
        {
            let detail = format!("another layer of it is assumed: {detail}");
            return Outcome::Skip(Reason::GroupIncomplete, detail);
        }
        if let Some((assumption, detail)) = &cluster.assumed {
            return Outcome::Undecided(Box::new(Undecided {
                site: id.site,
                from: site.text().to_string(),
                to: if rewrite.texts.is_empty() {
                    rewrite.name.clone()
                } else {
                    to
                },
                rule,
                assumption: *assumption,
                detail: detail.clone(),
            }));
        }
        let (mut scalars, mut edits) = (Vec::new(), Vec::new());
        for (scalar, to) in site.scalars().zip(new) {
            if to == scalar.value {
                continue;
            }
            match self.edits(id, site, scalar, &to, edited) {
                Ok(more) => edits.extend(more),
                Err((reason, detail)) => return Outcome::Skip(reason, detail),
            }
            scalars.push(Rewritten {
                ordinal: scalar.ordinal,
                from: scalar.value.clone(),
                to,
            });
        }
        if scalars.is_empty() {
            let detail = "the registry that stands in front of it moves to ECR";
            return Outcome::Skip(Reason::AlreadyEcr, detail.to_string());
        }
        let assumed = rewrite.assumed.as_ref();
        Outcome::Change(Box::new(Change {
            site: id.site,
            from: site.text().to_string(),
            to,
            rule,
            safety: assumed.map_or(Safety::Certain, |(code, _)| Safety::Assumed(*code)),
            scalars,
            edits,
            groups: Vec::new(),
        }))
    }

    /// The edits of one scalar, once, however many sites share it.
    fn edits(
        &self,
        id: SiteId,
        site: &Site,
        scalar: &Scalar,
        to: &str,
        edited: &mut BTreeSet<ScalarId>,
    ) -> Result<Vec<Edit>, Why> {
        let edits = decide::edits(scalar, &scalar.value, to)?;
        let fresh = edited.insert((id.file, site.document, scalar.ordinal));
        Ok(if fresh { edits } else { Vec::new() })
    }

    /// Says what else there is to say: registries for every image that contradict the images, and
    /// Bitnami charts that refuse the new registry.
    fn remark(&self, layered: &mut Layered) {
        let mut said = BTreeSet::new();
        for (view, decision) in self.links.views.iter().zip(&self.decisions) {
            let rules = &self.rules[view.target];
            if let Some(global) = &view.global
                && contradicts(view, global, rules)
                && said.insert((Matter::GlobalRegistryConflict, global.site.file))
            {
                let (site, _) = self.site(global.site);
                let detail = format!(
                    "`{}` stands in front of every image of the chart, whatever registry they name; set it to the target registry and give each image its ECR path, or remove it",
                    global.text
                );
                layered.remarks.push((
                    global.site.file,
                    Remark {
                        span: site.span(),
                        matter: Matter::GlobalRegistryConflict,
                        detail,
                    },
                ));
            }
            let name = join(
                view.parts
                    .iter()
                    .map(|part| part.text.as_str())
                    .filter(|text| !text.is_empty()),
            );
            if view.insecure_allowed || !is_bitnami(decision, &name, rules) {
                continue;
            }
            if said.insert((Matter::BitnamiInsecureImages, view.own.file)) {
                let (site, _) = self.site(view.own);
                let detail = "Bitnami charts refuse to render with images of another registry or repository; add `global.security.allowInsecureImages: true` to the values";
                layered.remarks.push((
                    view.own.file,
                    Remark {
                        span: site.span(),
                        matter: Matter::BitnamiInsecureImages,
                        detail: detail.to_string(),
                    },
                ));
            }
        }
    }
}

/// Whether the image comes, or would come, from Bitnami through ECR.
fn is_bitnami(decision: &Decision, name: &str, rules: &RuleSet) -> bool {
    let upstream = match decision {
        Decision::Rewrite(_) => Some(name.to_string()),
        Decision::Keep(Reason::AlreadyEcr, _) => rules.revert(name).ok(),
        Decision::Keep(..) => None,
    };
    let image = upstream.and_then(|name| ImageRef::parse(&name).ok());
    image.is_some_and(|image| {
        let canonical = image.canonical();
        canonical.host == "docker.io"
            && BITNAMI
                .iter()
                .any(|namespace| canonical.path.starts_with(namespace))
    })
}

/// The scalar of a part of a site, and its text.
fn scalar_of(files: &[ScannedFile], id: SiteId, part: usize) -> Option<(ScalarId, &str)> {
    let site = &files[id.file].scan.sites[id.site];
    let scalar = site.parts()?.parts.get(part)?.value.scalar()?;
    Some(((id.file, site.document, scalar.ordinal), &scalar.value))
}

/// What a view asks of the scalars that it reads.
fn wants(files: &[ScannedFile], view: &View, decision: &Decision) -> Vec<(ScalarId, String)> {
    let (texts, global) = match decision {
        Decision::Keep(..) => (&[][..], None),
        Decision::Rewrite(rewrite) => (&rewrite.texts[..], rewrite.global.as_ref()),
    };
    let mut wants = Vec::new();
    for (index, part) in view.parts.iter().enumerate() {
        let Some((id, text)) = part
            .from
            .and_then(|(site, part)| scalar_of(files, site, part))
        else {
            continue;
        };
        let new = texts.iter().find(|(part, _)| *part == index);
        wants.push((id, new.map_or(text, |(_, text)| text).to_string()));
    }
    if let (Some(front), Some(text)) = (&view.global, global)
        && let Some((id, _)) = scalar_of(files, front.site, 0)
    {
        wants.push((id, text.clone()));
    }
    wants
}

/// What one merge of layers makes of an image.
fn decide_view(view: &View, rules: &RuleSet) -> Decision {
    let decision = match view.names {
        Names::Beginning | Names::Everything => decide_beginning(view, rules),
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
    let certain = view.names == Names::Beginning && beginning.contains('/');
    let assumed = (!certain).then(|| {
        let detail = format!(
            "it would be `{new}` if the chart joins it with `/` to repositories that need nothing else; give the images their whole names instead"
        );
        (Assumption::ChartDefaultUnknown, detail)
    });
    Ok(Decision::Rewrite(Box::new(Rewrite {
        texts,
        global: None,
        name: new,
        rule,
        assumed,
    })))
}

/// The new text of a registry, or a longer beginning, and the rule.
fn beginning_rewrite(beginning: &str, rules: &RuleSet) -> Result<(String, usize), Why> {
    match rules.decide_beginning(beginning) {
        Verdict::Rewrite { name, rule } => Ok((name, rule)),
        Verdict::Keep(reason, detail) => Err((reason, detail)),
    }
}

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
        return Err((Reason::AlreadyEcr, "it comes from ECR".into()));
    }
    let name = decide::name_of(&whole)?;
    if !registry.is_empty() && !is_host(registry) {
        let detail =
            format!("`{registry}` is no registry, and what the templates make of it is not known");
        return Err((Reason::NotAnImage, detail));
    }
    let image = decide::parse(name)?;
    if view.names == Names::Image && image.registry().is_none() {
        end_of_name(view, rules)?;
    }
    let global = match &view.global {
        Some(global) if !registry.is_empty() => Some(global),
        _ => None,
    };
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
    if view.may_go_on {
        match rules.decide_beginning(name) {
            Verdict::Rewrite { name, .. } if name == new => {}
            _ => {
                let detail = "a key beside it may be joined to it, and then another rule would hold; set the image as one reference";
                return Err((Reason::GroupIncomplete, detail.into()));
            }
        }
    }
    if let Some(global) = global
        && !is_target(&global.text, rules)
    {
        return under_global(&texts, name, &new, rule, global, rules);
    }
    if is_half_done(view, repository, rules) {
        let detail = format!(
            "`{repository}` carries an ECR prefix, and `{registry}` is not in ECR; finish the layer that sets the registry"
        );
        return Err((Reason::GroupIncomplete, detail));
    }
    let assumed = assumption(view, &image, registry, &new);
    Ok(Decision::Rewrite(Box::new(Rewrite {
        texts: place(&texts, name, &new)?,
        global: None,
        name: new,
        rule,
        assumed,
    })))
}

/// Whether one layer was moved to ECR and another puts an upstream in front of it.
fn is_half_done(view: &View, repository: &str, rules: &RuleSet) -> bool {
    let site = |part: usize| view.parts.get(part).and_then(|part| Some(part.from?.0));
    let carries_prefix = rules.rules().iter().any(|rule| {
        let rest = repository.strip_prefix(rule.prefix_text());
        rest.is_some_and(|rest| rest.starts_with('/'))
    });
    site(0).is_some() && site(1).is_some() && site(0) != site(1) && carries_prefix
}

/// Refuses names without a registry that are the end of a longer one.
fn end_of_name(view: &View, rules: &RuleSet) -> Result<(), Why> {
    let Some(front) = view.front.as_ref().or(view.global.as_ref()) else {
        return Ok(());
    };
    if rules.text_is_ecr(&format!("{}/x", front.text.trim_end_matches('/'))) {
        let detail = format!("`{}`, which is in ECR, stands in front of it", front.text);
        return Err((Reason::AlreadyEcr, detail));
    }
    let detail = format!("it is the end of a name that begins with `{}`", front.text);
    Err((Reason::NotAnImage, detail))
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
        global: None,
        name: new,
        rule,
        assumed: Some((Assumption::ChartDefaultUnknown, detail)),
    })))
}

/// An image with a registry of its own under a registry for every image that is not in ECR: both
/// have to carry the prefix, whichever of the two the chart prefers.
fn under_global(
    texts: &[(usize, &str)],
    old: &str,
    new: &str,
    rule: usize,
    global: &Front,
    rules: &RuleSet,
) -> Result<Decision, Why> {
    let old_global = global.text.trim_end_matches('/');
    let in_ecr = rules.text_is_ecr(&format!("{old_global}/x"));
    let (front, assumed) = if in_ecr {
        (old_global.to_string(), None)
    } else {
        let (front, _) = beginning_rewrite(old_global, rules)?;
        let detail = format!(
            "`{}` stands in front of every image of the chart, also of those that these values do not name; `{front}` would do if all of them come from there",
            global.text
        );
        (front, Some((Assumption::ChartDefaultUnknown, detail)))
    };
    let rest = new
        .strip_prefix(&front)
        .and_then(|rest| rest.strip_prefix('/'));
    let (Some(rest), [(registry, before), (repository, path)]) = (rest, texts) else {
        let detail = format!(
            "`{}` stands in front of every image of the chart and does not fit `{new}`",
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
        global: (!in_ecr).then(|| front.clone()),
        name: new.to_string(),
        rule,
        assumed,
    })))
}

/// Whether a registry for every image is the target itself, to which each image adds its path.
fn is_target(text: &str, rules: &RuleSet) -> bool {
    let registry = rules.registry().map(ToString::to_string);
    registry.is_some_and(|registry| text.trim_end_matches('/') == registry)
}

/// Whether a registry for every image says something else than the image's own.
fn contradicts(view: &View, global: &Front, rules: &RuleSet) -> bool {
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
        ImageRef::parse(&format!("{text}/x/x")).ok().map(|image| {
            crate::rules::upstreams::canonical_host(&image.canonical().host).to_string()
        })
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
    if view.names == Names::StatedImage || !registry.is_empty() {
        return None;
    }
    let chart = Assumption::ChartDefaultUnknown;
    let settle = settle(view);
    if image.registry().is_some() {
        return view.registry_elsewhere.then(|| {
            let detail = format!(
                "another layer sets a registry, which the chart may put in front of this one; it would be `{new}` if it does not; {settle}"
            );
            (chart, detail)
        });
    }
    let last = view.parts.last().map_or("", |part| part.key.as_str());
    let is_full_key = last == "image"
        || last.ends_with("Image")
        || last.ends_with("_image")
        || last.ends_with("-image");
    let text = view.parts.last().map_or("", |part| part.text.as_str());
    let has_suffix = text.len() > image.name_len();
    if is_full_key && has_suffix && !view.empty_front && !view.registry_elsewhere {
        return None;
    }
    if is_full_key && !view.tagged && !view.empty_front {
        let detail = format!(
            "it may be a name of something else; it would be `{new}` if it is an image; {settle}"
        );
        return Some((Assumption::BareWord, detail));
    }
    let detail = format!(
        "the chart's default registry is not known; it would be `{new}` if the chart puts nothing, or docker.io, in front; {settle}"
    );
    Some((chart, detail))
}

/// What would make a view certain.
fn settle(view: &View) -> String {
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
        "write its registry out, or state in the config `sites: [{{values: \"{}\"}}]`",
        paths.join("/")
    )
}

/// Puts the new name into the parts. `old` is the name that they make now; a tag behind it stays.
fn place(texts: &[(usize, &str)], old: &str, new: &str) -> Result<Vec<(usize, String)>, Why> {
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
fn names_host(repository: &str) -> bool {
    ecr_host::ecr_host_of(repository).is_some()
        || ImageRef::parse(repository).is_ok_and(|image| image.registry().is_some())
}

/// Which numbers belong together.
struct Union(Vec<usize>);

impl Union {
    fn new(size: usize) -> Self {
        Self((0..size).collect())
    }

    fn root(&mut self, mut item: usize) -> usize {
        while self.0[item] != item {
            self.0[item] = self.0[self.0[item]];
            item = self.0[item];
        }
        item
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        let (first, second) = (one.min(other), one.max(other));
        self.0[second] = first;
    }
}
