//! Images of Helm values: every merge of layers is decided, and every scalar has to suit all of them.
//!
//! A view (see [`View`]) asks for a text of each scalar that it reads: a new one, or the one that is
//! there. Views that read the same scalar hang together; where two of them ask for different texts,
//! nothing of what hangs together changes. What is left is decided again with the new texts, as a
//! second run would, and has to be in ECR then.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::decide::{self, Outcome, Why};
use super::targets::{Target, Targets};
use super::view::{Decision, Rewrite, contradicts, decide_view};
use super::{ByChart, Change, Inserted, Matter, Options, Remark, Rewritten, Safety, Undecided};
use crate::edit::Edit;
use crate::image::ImageRef;
use crate::link::{Charted, Group, Links, NewTexts, SiteId, View};
use crate::reason::{Assumption, Reason};
use crate::rules::RuleSet;
use crate::scan::ScannedFile;
use crate::sites::{Allowance, Part, Parts, Site, join};
use crate::yaml::{DocumentPath, Scalar};

/// The namespaces of Docker Hub whose charts refuse other registries.
const BITNAMI: &[&str] = &["bitnami/", "bitnamilegacy/", "bitnamisecure/"];

/// Reasons for which a layer stays and that keep the other layers of the same values path from
/// changing, too; an image that no rule maps is an image of its own.
const BLOCKING: &[Reason] = &[
    Reason::Allowed,
    Reason::Templated,
    Reason::Variable,
    Reason::GroupIncomplete,
    Reason::SeveralTargets,
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
type ScalarId = (usize, DocumentPath, usize);

/// What a view may ask a text of: a scalar, or a key that is added behind the pair of one.
type Spot = (ScalarId, Option<String>);

/// What a view reads, or adds.
struct Want {
    spot: Spot,
    /// The text that it has then.
    text: String,
    /// Whether it may have no other one. A chart that is known tells what becomes of the name, whatever
    /// becomes of the value.
    is_asked: bool,
}

/// Decides every site with parts.
pub(super) fn decide(
    files: &[ScannedFile],
    targets: &[Targets],
    links: &Links,
    options: &Options,
) -> Layered {
    if links.views.is_empty() {
        return Layered::default();
    }
    let decisions: Vec<Decision> = links
        .views
        .iter()
        .map(|view| decide_deployed(view, targets))
        .collect();
    let wants: Vec<Vec<Want>> = links
        .views
        .iter()
        .zip(&decisions)
        .map(|(view, decision)| wants(files, view, decision))
        .collect();
    let run = Run {
        files,
        targets,
        links,
        options,
        decisions,
        wants,
    };
    run.layered()
}

struct Run<'r> {
    files: &'r [ScannedFile],
    targets: &'r [Targets],
    links: &'r Links,
    options: &'r Options,
    decisions: Vec<Decision>,
    /// What each view asks of the scalars that it reads, and of keys beside them.
    wants: Vec<Vec<Want>>,
}

/// Views that hang together.
struct Cluster {
    /// Those that are merged as they are, and the beginnings of such merges that fit them.
    views: Vec<usize>,
    /// The other beginnings.
    others: Vec<usize>,
    /// The text that all of them ask for, by scalar; or why there is none.
    texts: Result<BTreeMap<Spot, String>, Why>,
    /// The first assumption that nobody agreed to.
    assumed: Option<(Assumption, String)>,
}

impl Run<'_> {
    fn rules(&self, view: &View) -> &RuleSet {
        &self.targets[view.targets[0]].first.rules
    }

    fn layered(&self) -> Layered {
        let mut layered = Layered::default();
        for cluster in self.clusters() {
            self.settle(&cluster, &mut layered);
        }
        allow(&mut layered);
        self.remark(&mut layered);
        self.remark_fronts(&mut layered);
        layered
    }

    /// The views, those that read a common scalar together.
    fn clusters(&self) -> Vec<Cluster> {
        let mut union = Union::new(self.wants.len());
        let mut reader: HashMap<ScalarId, usize> = HashMap::new();
        for (view, wants) in self.wants.iter().enumerate() {
            for (scalar, _) in wants.iter().map(|want| &want.spot) {
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
                let (beginnings, whole): (Vec<usize>, Vec<usize>) = views
                    .iter()
                    .partition(|&&view| self.links.views[view].is_beginning);
                let assumed = whole.iter().find_map(|&view| self.open_assumption(view));
                let mut cluster = Cluster {
                    texts: self.agreed(&whole),
                    views: whole,
                    others: Vec::new(),
                    assumed,
                };
                self.take_beginnings(&mut cluster, &beginnings);
                cluster
            })
            .collect()
    }

    /// Adds the beginnings of merges that ask for nothing else than the merges do.
    fn take_beginnings(&self, cluster: &mut Cluster, beginnings: &[usize]) {
        let Ok(texts) = &mut cluster.texts else {
            cluster.others.extend(beginnings);
            return;
        };
        // What a merge reads and keeps stays as it is.
        let read = cluster.views.iter().flat_map(|&view| &self.wants[view]);
        for Want { spot, text, .. } in read {
            texts.entry(spot.clone()).or_insert_with(|| text.clone());
        }
        for &view in beginnings {
            let rewrites = matches!(self.decisions[view], Decision::Rewrite(_));
            let mut more = texts.clone();
            let mut wants = self.wants[view].iter().filter(|want| want.is_asked);
            let fits = wants.all(|Want { spot, text, .. }| {
                let known = more.entry(spot.clone()).or_insert_with(|| text.clone());
                known == text
            });
            let is_sure = self.links.views[view].blocked.is_none()
                && self.links.views[view].written.is_none()
                && self.open_assumption(view).is_none();
            if rewrites && fits && is_sure && self.check_settled(view, &more).is_ok() {
                *texts = more;
                cluster.views.push(view);
            } else {
                cluster.others.push(view);
            }
        }
    }

    /// What a view rests on, unless that was agreed to.
    fn open_assumption(&self, view: usize) -> Option<(Assumption, String)> {
        let Decision::Rewrite(rewrite) = &self.decisions[view] else {
            return None;
        };
        let assumed = rewrite.assumed.clone();
        let is_open = |(assumption, _): &(Assumption, String)| {
            let is_allowed = *assumption == Assumption::BitnamiInsecureImages
                && self
                    .allowance(&self.links.views[view], self.links.views[view].own)
                    .is_some();
            !is_allowed && !self.options.assume.covers(*assumption)
        };
        assumed.filter(is_open)
    }

    /// Where the values that a site stands in can allow their chart other images, if that is wanted.
    fn allowance(&self, view: &View, site: SiteId) -> Option<&Allowance> {
        let scan = &self.files[site.file].scan;
        let parts = scan.sites[site.site].parts()?;
        let loose = match parts.block {
            Some(block) => scan.blocks.get(&block),
            None => scan.loose.as_ref(),
        };
        let allowance = loose?.allowance.as_deref();
        allowance.filter(|_| self.options.allows_insecure && !view.insecure_refused)
    }

    /// The text of each scalar that suits all views.
    fn agreed(&self, views: &[usize]) -> Result<BTreeMap<Spot, String>, Why> {
        let rewrites = |view: &usize| matches!(self.decisions[*view], Decision::Rewrite(_));
        if !views.iter().any(rewrites) {
            return Ok(BTreeMap::new());
        }
        let mut texts: BTreeMap<Spot, (String, usize)> = BTreeMap::new();
        for &view in views {
            if let Some(path) = &self.links.views[view].written {
                let detail = format!(
                    "Argo CD Image Updater keeps `{path}` up to date, as the annotations of its Application say, and would write the upstream back; change its `image-list` first"
                );
                return Err((Reason::AutomationReverts, detail));
            }
            if let Some(why) = &self.links.views[view].blocked {
                return Err((Reason::GroupIncomplete, why.clone()));
            }
            // What a chart makes of the new texts is looked at below.
            let is_charted = self.links.views[view].charted.is_some();
            if let Decision::Keep(reason, _) = &self.decisions[view]
                && BLOCKING.contains(reason)
                && !is_charted
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
            let asked = self.wants[view].iter().filter(|want| want.is_asked);
            for Want { spot, text, .. } in asked {
                match texts.get(spot) {
                    Some((known, other)) if known != text => {
                        let shared = self.text_of(spot);
                        return Err(self.conflict(&shared, [(*other, known), (view, text)]));
                    }
                    Some(_) => {}
                    None => drop(texts.insert(spot.clone(), (text.clone(), view))),
                }
            }
        }
        let texts = texts.into_iter();
        let texts = texts.map(|(scalar, (text, _))| (scalar, text)).collect();
        let is_charted = |view: &usize| self.links.views[*view].charted.is_some();
        for &view in views
            .iter()
            .filter(|view| rewrites(view) || is_charted(view))
        {
            self.check_settled(view, &texts)?;
        }
        Ok(texts)
    }

    fn text_of(&self, ((file, document, ordinal), added): &Spot) -> String {
        if let Some(key) = added {
            return key.clone();
        }
        let (file, document, ordinal) = (*file, *document, *ordinal);
        let sites = self.files[file].scan.sites.iter();
        let sites = sites.filter(|site| site.document == document);
        let mut scalars = sites.flat_map(Site::scalars);
        let found = scalars.find(|scalar| scalar.ordinal == ordinal);
        found.map_or(String::new(), |scalar| scalar.value.clone())
    }

    /// Why two views that share a scalar cannot both be served.
    fn conflict(&self, text: &str, wanted: [(usize, &str); 2]) -> Why {
        let place = |view: usize| {
            let file = self.links.views[view].targets[0];
            self.files[file].source.path.display()
        };
        let rules = wanted.map(|(view, _)| self.rules(&self.links.views[view]));
        let reason = if rules[0].agrees_with(rules[1]) {
            Reason::GroupIncomplete
        } else {
            Reason::SeveralTargets
        };
        let [(first, one), (second, other)] = wanted;
        let detail = format!(
            "layers of values share `{text}` and need different texts of it: `{one}` with {}, `{other}` with {}; write the image out in both layers",
            place(first),
            place(second)
        );
        (reason, detail)
    }

    /// Decides a view again, with the new texts: its image has to be in ECR.
    fn check_settled(&self, view: usize, texts: &BTreeMap<Spot, String>) -> Result<(), Why> {
        let mut after = self.links.views[view].clone();
        if let Some(image) = &after.charted {
            return self.check_charted(view, image, texts);
        }
        let text = |site: SiteId, part: usize| {
            let scalar = scalar_of(self.files, site, part)?;
            texts.get(&(scalar.0, None)).cloned()
        };
        for part in &mut after.parts {
            if let Some(text) = part.from.and_then(|(site, index)| text(site, index)) {
                part.text = text;
            }
        }
        match decide_view(&after, self.rules(&after)) {
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
        decide::not_named(self.links, &rewrite.name, self.links.views[view].own)
    }

    /// Makes the name of an image anew, with the new texts: it has to be the one that was decided.
    fn check_charted(
        &self,
        view: usize,
        image: &Charted,
        texts: &BTreeMap<Spot, String>,
    ) -> Result<(), Why> {
        let new = |site: SiteId, part: usize| {
            let Some((scalar, _)) = scalar_of(self.files, site, part) else {
                return NewTexts::default();
            };
            let spots = texts.range((scalar, None)..);
            let mut spots = spots.take_while(|((other, _), _)| *other == scalar);
            let mut new = NewTexts::default();
            spots.by_ref().for_each(|((_, added), text)| match added {
                None => new.own = Some(text.clone()),
                Some(key) => new.added.push((key.clone(), text.clone())),
            });
            new
        };
        let after = image.with(new).name();
        let is_right = match &self.decisions[view] {
            Decision::Keep(..) => after == image.name(),
            Decision::Rewrite(rewrite) => after
                .as_deref()
                .and_then(|after| decide::name_of(after).ok())
                .is_some_and(|after| after == rewrite.name),
        };
        if !is_right {
            let detail = format!(
                "with the other images of the chart, `{}` would become `{}`; {}",
                image.name().unwrap_or_default(),
                after.unwrap_or_default(),
                match &self.decisions[view] {
                    Decision::Keep(_, why) => why,
                    Decision::Rewrite(_) => "write the image out in each layer",
                }
            );
            return Err((Reason::GroupIncomplete, detail));
        }
        let Decision::Rewrite(rewrite) = &self.decisions[view] else {
            return Ok(());
        };
        // An entry for images may know the name that the chart makes.
        let own = self.links.views[view].own;
        decide::not_named(self.links, &image.name().unwrap_or_default(), own)?;
        decide::not_named(self.links, &rewrite.name, own)
    }

    /// Turns a cluster into outcomes of its sites.
    fn settle(&self, cluster: &Cluster, layered: &mut Layered) {
        let mut own: BTreeMap<SiteId, usize> = BTreeMap::new();
        for &view in &cluster.views {
            let site = self.links.views[view].own;
            let rewrites = matches!(self.decisions[view], Decision::Rewrite(_));
            if rewrites || !own.contains_key(&site) {
                own.insert(site, view);
            }
        }
        for (site, view) in self.read_only(cluster) {
            own.entry(site).or_insert(view);
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
        for &view in &cluster.others {
            let outcome = self.overridden(view, cluster);
            layered
                .outcomes
                .entry(self.links.views[view].own)
                .or_insert(outcome);
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

    /// Sites of which later layers say more in every merge, with a view that reads them: one that
    /// rewrites comes first.
    fn read_only(&self, cluster: &Cluster) -> Vec<(SiteId, usize)> {
        let rewrites = |view: &&usize| matches!(self.decisions[**view], Decision::Rewrite(_));
        let (first, second): (Vec<&usize>, Vec<&usize>) = cluster.views.iter().partition(rewrites);
        let views = first.into_iter().chain(second);
        let sites = views.flat_map(|&view| {
            let parts = self.links.views[view].parts.iter();
            parts.filter_map(move |part| Some((part.from?.0, view)))
        });
        sites.collect()
    }

    /// What becomes of a site that no merge reads: what its own layer says, if that stays.
    fn overridden(&self, view: usize, cluster: &Cluster) -> Outcome {
        match (&self.decisions[view], &cluster.texts) {
            (Decision::Keep(reason, detail), _) | (_, Err((reason, detail))) => {
                Outcome::Skip(*reason, detail.clone())
            }
            _ => {
                let detail = "later layers take its place, and ask for another text of what they share; write the image out in each layer";
                Outcome::Skip(Reason::GroupIncomplete, detail.to_string())
            }
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
            let text = texts.get(&(id, None));
            text.is_some_and(|text| *text != scalar.value) || !added(texts, id).is_empty()
        })
    }

    /// What becomes of a site, as a view that reads it has it.
    fn outcome(
        &self,
        id: SiteId,
        view: usize,
        cluster: &Cluster,
        edited: &mut BTreeSet<ScalarId>,
    ) -> Outcome {
        Outcome::of(self.rewritten(id, view, cluster, edited))
    }

    /// The change of a site, or what it would be when somebody agreed; or why it stays.
    fn rewritten(
        &self,
        id: SiteId,
        view: usize,
        cluster: &Cluster,
        edited: &mut BTreeSet<ScalarId>,
    ) -> Result<Outcome, Why> {
        let (site, _) = self.site(id);
        let rewrite = match &self.decisions[view] {
            Decision::Keep(reason, detail) => return Err((*reason, detail.clone())),
            Decision::Rewrite(rewrite) => rewrite,
        };
        let texts = cluster.texts.as_ref().map_err(Clone::clone)?;
        if let Some(hold) = &site.hold {
            return Err(hold.clone());
        }
        let rules = self.rules(&self.links.views[view]);
        let rule = rules.rules()[rewrite.rule].origin().clone();
        let new = self.new_texts(id, texts);
        let to = self.new_whole(id, texts, &new);
        if let Some((assumption, detail)) = self.assumed(view, cluster)? {
            return Ok(Outcome::Undecided(Box::new(Undecided {
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
            })));
        }
        let (scalars, mut edits) = carried(id, site, new, edited)?;
        let inserted = self.insert(id, texts, &mut edits)?;
        if scalars.is_empty() && inserted.is_none() {
            let detail = "the registry that stands in front of it moves to ECR";
            return Err((Reason::AlreadyEcr, detail.to_string()));
        }
        let allowance = self.needed_allowance(id, view, rewrite)?;
        let assumed = rewrite.assumed.as_ref().filter(|_| allowance.is_none());
        Ok(Outcome::Change(Box::new(Change {
            site: id.site,
            from: site.text().to_string(),
            to,
            rule,
            safety: assumed.map_or(Safety::Certain, |(code, _)| Safety::Assumed(*code)),
            scalars,
            inserted,
            allowance: allowance.cloned(),
            names: None,
            heals: false,
            charted: self.by_chart(view, rewrite),
            edits,
            groups: Vec::new(),
        })))
    }

    /// What the views of a cluster rest on and nobody agreed to; an error for one that rests on nothing itself.
    fn assumed<'c>(
        &self,
        view: usize,
        cluster: &'c Cluster,
    ) -> Result<Option<&'c (Assumption, String)>, Why> {
        match &cluster.assumed {
            Some((_, detail)) if self.open_assumption(view).is_none() => {
                let detail = format!("another layer of it is assumed: {detail}");
                Err((Reason::GroupIncomplete, detail))
            }
            assumed => Ok(assumed.as_ref()),
        }
    }

    /// The text that each scalar of a site has then, in their order.
    fn new_texts(&self, id: SiteId, texts: &BTreeMap<Spot, String>) -> Vec<String> {
        let (site, _) = self.site(id);
        let new_text = |scalar: &Scalar| {
            let id = (id.file, site.document, scalar.ordinal);
            let text = texts.get(&(id, None)).cloned();
            text.unwrap_or_else(|| scalar.value.clone())
        };
        site.scalars().map(new_text).collect()
    }

    /// What a site says as a whole when its scalars have the texts `new`.
    fn new_whole(&self, id: SiteId, texts: &BTreeMap<Spot, String>, new: &[String]) -> String {
        let (site, parts) = self.site(id);
        let suffix = parts.map_or("", |parts| &parts.suffix);
        let whole = match parts {
            Some(parts) => whole_of(parts, texts, |scalar| {
                (id.file, site.document, scalar.ordinal)
            }),
            None => join(new.iter().map(String::as_str)),
        };
        format!("{whole}{suffix}")
    }

    /// Where a chart is allowed the new registry that it would refuse, when it would; an error when that
    /// can be written nowhere.
    fn needed_allowance(
        &self,
        id: SiteId,
        view: usize,
        rewrite: &Rewrite,
    ) -> Result<Option<&Allowance>, Why> {
        let refusal = Assumption::BitnamiInsecureImages;
        let assumed = rewrite.assumed.as_ref();
        let is_refused = assumed.is_some_and(|(code, _)| *code == refusal);
        if !is_refused || !self.options.allows_insecure {
            return Ok(None);
        }
        let allowance = self.allowance(&self.links.views[view], id);
        if allowance.is_none() && !self.options.assume.covers(refusal) {
            let detail = "the chart refuses to render with it unless `global.security.allowInsecureImages` is true, and that cannot be written here; add it to the values";
            return Err((Reason::GroupIncomplete, detail.to_string()));
        }
        Ok(allowance)
    }

    /// What the chart makes of the image, when it is known.
    fn by_chart(&self, view: usize, rewrite: &Rewrite) -> Option<Box<ByChart>> {
        let image = self.links.views[view].charted.as_ref()?;
        let from = image.name().unwrap_or_default();
        Some(Box::new(ByChart {
            detail: format!("{} makes `{from}` of `{}`", image.told_by, image.join),
            to: rewrite.name.clone(),
            from,
        }))
    }

    /// The key that is added behind a scalar of a site, with its edit.
    fn insert(
        &self,
        id: SiteId,
        texts: &BTreeMap<Spot, String>,
        edits: &mut Vec<Edit>,
    ) -> Result<Option<Inserted>, Why> {
        let (site, parts) = self.site(id);
        let all = site.scalars().flat_map(|scalar| {
            let id = (id.file, site.document, scalar.ordinal);
            let added = added(texts, id).into_iter();
            added.map(move |(key, text)| (scalar.ordinal, key, text))
        });
        let all: Vec<(usize, &str, &str)> = all.collect();
        let [(after, key, value)] = *all.as_slice() else {
            let why = "more than one key would have to be added; write the image out";
            let none = all.is_empty();
            return none
                .then_some(None)
                .ok_or((Reason::NotEditable, why.into()));
        };
        let room = parts.map(|parts| &parts.room);
        let room = match room {
            Some(Ok(room)) => room,
            Some(Err(why)) => {
                let detail = format!("`{key}: {value}` is needed beside it, and {why}");
                return Err((Reason::NotEditable, detail));
            }
            None => return Ok(None),
        };
        edits.push(room.edit(key, value));
        Ok(Some(Inserted {
            after,
            key: key.to_string(),
            value: value.to_string(),
        }))
    }

    /// Says what else there is to say: registries for every image that contradict the images, and
    /// Bitnami charts that refuse the new registry.
    fn remark(&self, layered: &mut Layered) {
        let mut said = BTreeSet::new();
        for (view, decision) in self.links.views.iter().zip(&self.decisions) {
            let rules = self.rules(view);
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
            let is_given = view.charted.is_some() && self.allowance(view, view.own).is_some();
            let is_fine = view.insecure_allowed || view.is_beginning || is_given;
            if is_fine || !is_refused(view, decision, rules) {
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

/// Writes the keys that let charts render with other images, each once; with all changes that need it.
fn allow(layered: &mut Layered) {
    let mut needing: BTreeMap<(usize, DocumentPath, usize), Vec<SiteId>> = BTreeMap::new();
    let sites: BTreeSet<SiteId> = layered.outcomes.keys().copied().collect();
    for site in sites {
        if let Some(Outcome::Change(change)) = layered.outcomes.get(&site)
            && let Some(allowance) = &change.allowance
        {
            let place = (site.file, allowance.document, allowance.before);
            needing.entry(place).or_default().push(site);
        }
    }
    for members in needing.into_values() {
        if let Some(Outcome::Change(first)) = layered.outcomes.get_mut(&members[0]) {
            let edit = first.allowance.as_ref().map(Allowance::edit);
            first.edits.extend(edit);
        }
        if members.len() > 1 {
            layered.groups.push(Group {
                label: "the key that lets the chart render with them".to_string(),
                members,
                blocked: None,
            });
        }
    }
}

impl Run<'_> {
    /// Says of registries for every image of a chart that is known why they stay.
    fn remark_fronts(&self, layered: &mut Layered) {
        let mut said = BTreeSet::new();
        for view in self.links.views.iter().filter(|view| !view.is_beginning) {
            let image = view.charted.as_ref();
            let Some((text, site)) = image.and_then(|image| image.global()) else {
                continue;
            };
            if let Some(Outcome::Skip(Reason::GroupIncomplete, why)) = layered.outcomes.get(&site)
                && said.insert(site)
            {
                let detail = format!("`{text}` stands in front of every image of the chart; {why}");
                let remark = Remark {
                    span: self.site(site).0.span(),
                    matter: Matter::GlobalRegistryConflict,
                    detail,
                };
                layered.remarks.push((site.file, remark));
            }
        }
    }
}

/// The name that the parts of a site make with new texts, keys that are added among them.
fn whole_of(
    parts: &Parts,
    texts: &BTreeMap<Spot, String>,
    id: impl Fn(&Scalar) -> ScalarId,
) -> String {
    let added: Vec<(&str, &str)> = parts
        .scalars()
        .flat_map(|scalar| added(texts, id(scalar)))
        .collect();
    let text = |part: &Part| match part.value.scalar() {
        Some(scalar) => {
            let new = texts.get(&(id(scalar), None));
            Some(new.unwrap_or(&scalar.value).clone())
        }
        None => {
            let new = added.iter().find(|(key, _)| *key == part.key);
            new.map(|(_, text)| (*text).to_string())
        }
    };
    let all: Vec<String> = parts.parts.iter().filter_map(text).collect();
    join(all.iter().map(String::as_str))
}

/// The keys that are added behind a scalar, with their texts.
fn added(texts: &BTreeMap<Spot, String>, scalar: ScalarId) -> Vec<(&str, &str)> {
    let spots = texts.range((scalar, None)..);
    let spots = spots.take_while(|((other, _), _)| *other == scalar);
    let added = spots.filter_map(|((_, key), text)| Some((key.as_deref()?, text.as_str())));
    added.collect()
}

/// The scalars of a site that get another text, with the edits that are due.
fn carried(
    id: SiteId,
    site: &Site,
    new: Vec<String>,
    edited: &mut BTreeSet<ScalarId>,
) -> Result<(Vec<Rewritten>, Vec<Edit>), Why> {
    let (mut scalars, mut edits) = (Vec::new(), Vec::new());
    for (scalar, to) in site.scalars().zip(new) {
        if to == scalar.value {
            continue;
        }
        let spot = (id.file, site.document, scalar.ordinal);
        edits.extend(edits_once(spot, scalar, &to, edited)?);
        scalars.push(Rewritten {
            ordinal: scalar.ordinal,
            piece: None,
            from: scalar.value.clone(),
            to,
        });
    }
    Ok((scalars, edits))
}

/// The edits of one scalar, once, however many sites share it.
fn edits_once(
    id: ScalarId,
    scalar: &Scalar,
    to: &str,
    edited: &mut BTreeSet<ScalarId>,
) -> Result<Vec<Edit>, Why> {
    let edits = decide::edits(scalar, &scalar.value, to)?;
    Ok(if edited.insert(id) { edits } else { Vec::new() })
}

/// Whether the chart refuses what becomes, or became, of the image: the one that is known, or one of
/// Bitnami.
fn is_refused(view: &View, decision: &Decision, rules: &RuleSet) -> bool {
    if let Some(image) = &view.charted {
        let in_ecr = match decision {
            Decision::Rewrite(_) => true,
            Decision::Keep(reason, _) => *reason == Reason::AlreadyEcr,
        };
        return image.refuses_others && in_ecr;
    }
    let texts = view.parts.iter().map(|part| part.text.as_str());
    let name = join(texts.filter(|text| !text.is_empty()));
    is_bitnami(decision, &name, rules)
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

/// What a view says under the targets of all that deploy its last layer, which has to be the same.
fn decide_deployed(view: &View, targets: &[Targets]) -> Decision {
    let all = view.targets.iter().map(|&file| &targets[file]);
    let mut all = all.flat_map(|targets| std::iter::once(&targets.first).chain(&targets.others));
    let Some(first) = all.next() else {
        return Decision::Keep(Reason::NotAnImage, "nothing uses it".into());
    };
    let decision = decide_view(view, &first.rules);
    let name = |decision: &Decision| match decision {
        Decision::Rewrite(rewrite) => Some(rewrite.name.clone()),
        Decision::Keep(..) => None,
    };
    let differs = |other: &&Target| {
        !first.rules.agrees_with(&other.rules)
            && name(&decide_view(view, &other.rules)) != name(&decision)
    };
    let Some(other) = all.find(differs) else {
        return decision;
    };
    let detail = format!(
        "{} and {}; write the image out in the values of each",
        need(view, first),
        need(view, other)
    );
    Decision::Keep(Reason::SeveralTargets, detail)
}

/// The entries of values that a target needs.
fn need(view: &View, target: &Target) -> String {
    let place = target.place.display();
    let Decision::Rewrite(rewrite) = decide_view(view, &target.rules) else {
        return format!("{place} needs it as it is");
    };
    let at: Vec<String> = view.at.iter().map(ToString::to_string).collect();
    let entries = rewrite.texts.iter().map(|(part, text)| {
        let keys = at.iter().cloned().chain([view.parts[*part].key.clone()]);
        format!("`{}: {text}`", keys.collect::<Vec<_>>().join("."))
    });
    let entries: Vec<String> = entries.collect();
    format!("{place} needs {}", entries.join(" and "))
}

/// What a view asks of the scalars that it reads.
fn wants(files: &[ScannedFile], view: &View, decision: &Decision) -> Vec<Want> {
    let (texts, added) = match decision {
        Decision::Keep(..) => (&[][..], &[][..]),
        Decision::Rewrite(rewrite) => (&rewrite.texts[..], &rewrite.added[..]),
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
        wants.push(Want {
            spot: (id, None),
            text: new.map_or(text, |(_, text)| text).to_string(),
            is_asked: new.is_some() || view.charted.is_none(),
        });
    }
    for added in added {
        let (site, part) = added.beside;
        if let Some((id, _)) = scalar_of(files, site, part) {
            wants.push(Want {
                spot: (id, Some(added.key.clone())),
                text: added.text.clone(),
                is_asked: true,
            });
        }
    }
    wants
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
