//! The images of a plan, each once with all its places: what `images` lists, and what has to be pulled by
//! tag so that a cache is filled.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::image::{Canonical, ImageRef};
use crate::plan::{Change, FilePlan, Matter, Plan, canonical, canonical_of};
use crate::reason::{Assumption, Reason};
use crate::rules::{Place as Where, Rule, RuleSet, Verdict as Decided};
use crate::sites::{CHART, CHART_FOLDER, Shape, Site};
use crate::source::{Lines, Position};

/// What becomes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It changes.
    Changes,
    /// It would change, if an assumption was agreed to.
    Undecided(Assumption),
    /// It stays.
    Stays(Reason),
}

impl Verdict {
    /// The word for it in reports: `change`, `undecided`, or the code of the reason.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changes => "change",
            Self::Undecided(_) => "undecided",
            Self::Stays(reason) => reason.code(),
        }
    }
}

/// Where an image is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it is shown.
    pub path: PathBuf,
    /// Where in it.
    pub at: Position,
    /// The keys that lead there.
    pub key_path: String,
}

/// An image.
#[derive(Clone, Debug)]
pub struct Image {
    /// The reference as it is written; of an entry for kustomize with the tag that it sets.
    pub text: String,
    /// The tag.
    pub tag: Option<String>,
    /// The digest.
    pub digest: Option<String>,
    /// The image that it means: for one behind the cache that of the upstream.
    pub canonical: Option<Canonical>,
    /// The registry that it comes from in the end.
    pub upstream: Option<String>,
    /// The rule that maps it, or has.
    pub rule: Option<Rule>,
    /// What the reference becomes.
    pub becomes: Option<String>,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why, in words.
    pub detail: Option<String>,
    /// Where it is named, in order.
    pub places: Vec<Place>,
}

/// All images of a plan.
#[derive(Debug, Default)]
pub struct Inventory {
    /// Each image with a verdict once, sorted by what it means.
    pub images: Vec<Image>,
    /// What has to be pulled.
    pub pulls: Pulls,
    /// How many releases bring images that no file names.
    pub unnamed: usize,
}

/// References to pull by tag, so that a cache is filled.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pulls {
    /// Of images that are pinned by digest, which a pull by digest does not bring into the cache.
    pub pinned: BTreeSet<String>,
    /// Of the others.
    pub others: BTreeSet<String>,
    /// Those of which no tag is known here.
    pub without_tag: BTreeSet<String>,
    /// Those that the cache cannot fill, each with the one that it can.
    pub unfillable: BTreeMap<String, String>,
}

/// How a site's reference goes on behind the name.
enum Suffix {
    /// As written, with what a registry makes of nothing.
    Whole(String),
    /// It stands elsewhere, in another layer or in the chart.
    Elsewhere,
}

impl Inventory {
    /// The images of a plan.
    pub fn of(plan: &Plan) -> Self {
        let mut by_key: BTreeMap<_, Image> = BTreeMap::new();
        let mut pulls = Pulls::default();
        let bases = bases(plan);
        for file in &plan.files {
            let lines = Lines::new(&file.source.text);
            for (index, site) in file.sites.iter().enumerate() {
                let Some(mut image) = image(file, index, site) else {
                    continue;
                };
                pulls.add(file, site, &image, &bases);
                image.places.push(Place {
                    path: file.source.path.clone(),
                    at: lines.position(site.span().start),
                    key_path: site.path.to_string(),
                });
                let key = (
                    image
                        .canonical
                        .as_ref()
                        .map_or(image.text.clone(), ToString::to_string),
                    image.text.clone(),
                    image.verdict,
                    image.becomes.clone(),
                );
                match by_key.get_mut(&key) {
                    Some(known) => known.places.append(&mut image.places),
                    None => drop(by_key.insert(key, image)),
                }
            }
        }
        pulls.settle();
        let remarks = plan.files.iter().flat_map(|file| &file.remarks);
        Self {
            images: by_key.into_values().collect(),
            pulls,
            unnamed: remarks
                .filter(|remark| remark.matter == Matter::ChartDefaults)
                .count(),
        }
    }

    /// How many images and places there are, by a word.
    pub fn counts<'i>(
        &'i self,
        word: impl Fn(&'i Image) -> &'i str,
    ) -> BTreeMap<&'i str, (usize, usize)> {
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for image in &self.images {
            let count = counts.entry(word(image)).or_default();
            count.0 += 1;
            count.1 += image.places.len();
        }
        counts
    }
}

/// The image of a site; none when its text is no image.
fn image(file: &FilePlan, index: usize, site: &Site) -> Option<Image> {
    let rules = &*file.rules;
    let suffix = site.entry().map_or("", |entry| entry.suffix.as_str());
    let text = format!("{}{suffix}", site.text());
    let behind = |to: &str| format!("{to}{suffix}");
    let change = file.changes.iter().find(|change| change.site == index);
    let undecided = file.undecided.iter().find(|assumed| assumed.site == index);
    let skip = file.skips.iter().find(|skip| skip.site == index);
    let (verdict, becomes, rule, detail) = match (change, undecided, skip) {
        (Some(change), ..) => {
            let rule = rules.rule_behind(change.becomes(), &change.rule);
            (Verdict::Changes, Some(behind(change.becomes())), rule, None)
        }
        (_, Some(assumed), _) => (
            Verdict::Undecided(assumed.assumption),
            Some(behind(&assumed.to)),
            rules.rule_behind(&assumed.to, &assumed.rule),
            Some(assumed.detail.clone()),
        ),
        (.., Some(skip)) if skip.reason == Reason::NotAnImage => return None,
        (.., Some(skip)) => (
            Verdict::Stays(skip.reason),
            None,
            None,
            Some(skip.detail.clone()),
        ),
        _ => return None,
    };
    let written = text.clone();
    // What another registry calls its prefixes says nothing of its images.
    let cached = rules
        .cached(&written)
        .filter(|cached| rules.place_of(cached.host) != Where::Elsewhere);
    let canonical = match &cached {
        Some(cached) => Some(cached.upstream()),
        None => meant(rules, site, change),
    };
    let rule = rule.or(cached.map(|cached| cached.rule));
    let rule = rule.or_else(|| rules.mapping(canonical.as_ref()?)).cloned();
    let parsed = ImageRef::parse(&text).ok();
    Some(Image {
        tag: parsed
            .as_ref()
            .and_then(|image| image.tag().map(Into::into)),
        digest: parsed
            .as_ref()
            .and_then(|image| image.digest().map(Into::into)),
        upstream: rule
            .as_ref()
            .map(|rule| rule.host().to_string())
            .or_else(|| canonical.as_ref().map(|name| name.host.clone())),
        text,
        canonical,
        rule,
        becomes,
        verdict,
        detail,
        places: Vec::new(),
    })
}

/// The image that a site means which is not behind the cache.
fn meant(rules: &RuleSet, site: &Site, change: Option<&Change>) -> Option<Canonical> {
    // A chart says what a part of a name means.
    let name = match change.and_then(|change| change.charted.as_ref()) {
        Some(chart) => canonical_of(rules, &chart.from),
        None => canonical(rules, site),
    };
    name.map(|name| rules.behind_alias(name))
}

/// What stands behind the names of images that kustomize gives other names, by the canonical name.
fn bases(plan: &Plan) -> BTreeMap<Canonical, BTreeSet<String>> {
    let mut bases: BTreeMap<Canonical, BTreeSet<String>> = BTreeMap::new();
    for file in &plan.files {
        for skip in &file.skips {
            if skip.reason != Reason::KustomizePlaceholder {
                continue;
            }
            let text = file.sites[skip.site].text();
            if let (Some(name), Ok(image)) =
                (canonical_of(&file.rules, text), ImageRef::parse(text))
            {
                bases.entry(name).or_default().insert(image.suffix());
            }
        }
    }
    bases
}

/// How a site's reference goes on behind the name.
fn suffixes(
    rules: &RuleSet,
    site: &Site,
    bases: &BTreeMap<Canonical, BTreeSet<String>>,
) -> Vec<Suffix> {
    match &site.shape {
        Shape::Whole(_) | Shape::Within(_) => {
            let image = ImageRef::parse(site.text()).map(|image| image.suffix());
            vec![image.map_or(Suffix::Elsewhere, Suffix::Whole)]
        }
        Shape::Parts(parts) if parts.suffix.is_empty() => vec![Suffix::Elsewhere],
        Shape::Parts(parts) => vec![Suffix::Whole(parts.suffix.clone())],
        Shape::Entry(entry) if entry.suffix.is_empty() => {
            let name = canonical_of(rules, entry.name.text());
            let known = name.and_then(|name| bases.get(&name));
            match known {
                Some(known) => known.iter().cloned().map(Suffix::Whole).collect(),
                None => vec![Suffix::Elsewhere],
            }
        }
        Shape::Entry(entry) => vec![Suffix::Whole(entry.suffix.clone())],
    }
}

/// The whole of a reference whose registry stands elsewhere, in another layer of values say.
fn whole_name(rules: &RuleSet, reference: &str, image: &Image) -> Option<String> {
    if rules.cached(reference).is_some() {
        return None;
    }
    let meant = ImageRef::parse(&image.canonical.as_ref()?.to_string()).ok()?;
    let Decided::Rewrite { name, .. } = rules.decide(&meant) else {
        return None;
    };
    let suffix = ImageRef::parse(reference).ok()?.suffix();
    Some(format!("{name}{suffix}"))
}

impl Pulls {
    /// Adds what an image asks for, if it comes, or will come, out of the cache of the target.
    fn add(
        &mut self,
        file: &FilePlan,
        site: &Site,
        image: &Image,
        bases: &BTreeMap<Canonical, BTreeSet<String>>,
    ) {
        // The versions of charts stand elsewhere, and no node pulls them.
        if matches!(site.finder, CHART | CHART_FOLDER) {
            return;
        }
        let reference = match (image.verdict, &image.becomes) {
            (Verdict::Changes, Some(becomes)) => becomes,
            (Verdict::Stays(Reason::AlreadyEcr), _) => {
                let cached = file.rules.cached(&image.text);
                let is_here =
                    cached.is_some_and(|cached| file.rules.place_of(cached.host) == Where::Here);
                if !is_here {
                    return;
                }
                &image.text
            }
            _ => return,
        };
        let whole = whole_name(&file.rules, reference, image);
        let reference = whole.as_ref().unwrap_or(reference);
        let cached = file.rules.cached(reference);
        if let Some(right) = cached.and_then(|cached| cached.right_library()) {
            self.unfillable.insert(reference.clone(), right);
            return;
        }
        let Ok(parsed) = ImageRef::parse(reference) else {
            self.without_tag.insert(reference.clone());
            return;
        };
        let name = reference
            .strip_suffix(&parsed.suffix())
            .unwrap_or(reference);
        for suffix in suffixes(&file.rules, site, bases) {
            let whole = match &suffix {
                Suffix::Whole(suffix) => ImageRef::parse(&format!("{name}{suffix}")),
                Suffix::Elsewhere => ImageRef::parse(reference),
            };
            let Ok(whole) = whole else {
                self.without_tag.insert(reference.clone());
                continue;
            };
            let (list, tag) = match (whole.tag(), whole.digest(), suffix) {
                (Some(tag), Some(_), _) => (&mut self.pinned, tag),
                (Some(tag), None, _) => (&mut self.others, tag),
                (None, None, Suffix::Whole(_)) => (&mut self.others, "latest"),
                _ => {
                    self.without_tag.insert(whole.to_string());
                    continue;
                }
            };
            list.insert(format!("{name}:{tag}"));
        }
    }

    /// Lists nothing twice.
    fn settle(&mut self) {
        self.others.retain(|other| !self.pinned.contains(other));
    }
}
