//! What is believed of a document that was read with its template actions masked.
//!
//! Its whole references are sites like all others: their bytes are the template's own. What such a
//! document says to other files may not be what it says when it is filled in, and which parts belong
//! together may be another thing in every release: the former is not believed, the latter only shown.

use super::{CHART_FOLDER, Found, KeyPath, Shape, Site, object, patches, without_proof};
use crate::reason::Reason;
use crate::yaml::{Actions, Around, Document, Masked, NodeId, Place, Scalar, Style};

const NAME: &str = "template";

/// Leaves of what was found in a document of a template what can be believed.
pub(super) fn fit(found: &mut Found, masked: &Masked) {
    found.facts.clear();
    let unproven = std::mem::take(&mut found.unproven).into_iter();
    found.sites.extend(unproven.filter_map(without_proof));
    found.blocks.clear();
    found.loose = None;
    for site in &mut found.sites {
        show_only(site);
        hold(site, masked);
    }
}

/// Leaves the bytes of actions alone in a document that was read as it stands: an image in a comment of the
/// template is none, and what stands in other actions is the template's own.
pub(super) fn leave_actions(found: &mut Found, text: &str, actions: &Actions) {
    for sites in [&mut found.sites, &mut found.unproven] {
        let around = |site: &Site| {
            let spans = site.scalars().map(|scalar| scalar.place.span());
            let mut around = spans.chain([site.span()]);
            around.find_map(|span| actions.around(text, span))
        };
        sites.retain(|site| around(site) != Some(Around::Comment));
        for site in sites.iter_mut().filter(|site| around(site).is_some()) {
            let detail = "it stands in an action of a template; change it by hand";
            site.hold
                .get_or_insert((Reason::Templated, detail.to_string()));
        }
    }
}

/// The images of a document, read as it stands, that a template fills in without quotes: nothing else sees
/// those, since they read as maps.
pub(super) fn holes(text: &str, document: &Document<'_>) -> Vec<Site> {
    let objects = object::objects(document, false);
    let mut sites = Vec::new();
    for object in &objects {
        for hole in document.holes(object.node) {
            let node = document.node(hole);
            let key = hole.checked_sub(1).and_then(|key| document.text(key));
            let is_value = hole > 0 && document.node(hole - 1).parent == node.parent;
            let key = key.filter(|key| is_value && is_image(key));
            let known = |site: &Site| site.span() == node.span;
            if key.is_some() && node.span.of(text).is_some() && !sites.iter().any(known) {
                sites.push(filled(text, document, hole));
            }
        }
    }
    sites
}

fn is_image(key: &str) -> bool {
    key == "image" || key.ends_with("Image")
}

fn filled(text: &str, document: &Document<'_>, hole: NodeId) -> Site {
    let span = document.node(hole).span;
    let detail = "a template fills it in; set the image where its value comes from";
    Site {
        document: document.path,
        path: KeyPath::of(document, hole),
        shape: Shape::Whole(Scalar {
            value: span.of(text).unwrap_or("").trim_end().to_string(),
            style: Style::Plain,
            place: Place::Spelled(span),
            in_flow: false,
            free_quotes: None,
            ordinal: 0,
            parsed: None,
        }),
        finder: NAME,
        hold: Some((Reason::Templated, detail.to_string())),
        assumption: None,
    }
}

/// Turns a site that hangs together with others into one that is only shown.
fn show_only(site: &mut Site) {
    let ordinal = site.scalars().next().map_or(0, |scalar| scalar.ordinal);
    if !matches!(site.shape, Shape::Parts(_) | Shape::Entry(_)) {
        return;
    }
    let detail = "it stands in a template, and nobody can tell what it hangs together with once that is filled in; change it by hand";
    site.hold
        .get_or_insert((Reason::GroupIncomplete, detail.to_string()));
    site.shape = Shape::Whole(Scalar {
        value: site.text().to_string(),
        style: Style::Plain,
        place: Place::Spelled(site.span()),
        in_flow: false,
        free_quotes: None,
        ordinal,
        parsed: None,
    });
}

/// Holds what nobody can vouch for.
fn hold(site: &mut Site, masked: &Masked) {
    let why = if matches!(site.finder, patches::NAME | patches::TEST) {
        let detail = "it stands in a patch that a template writes, and nobody can tell what it acts on; change it by hand";
        (Reason::GroupIncomplete, detail)
    } else if site.finder == CHART_FOLDER {
        let detail = "it stands in a template, and nobody can tell which versions of its charts are fetched; change it by hand";
        (Reason::GroupIncomplete, detail)
    } else if begins_in_action(site, masked) {
        let detail = "a template fills it in; set the image where its value comes from";
        (Reason::Templated, detail)
    } else {
        return;
    };
    site.hold.get_or_insert((why.0, why.1.to_string()));
}

/// Whether a piece of a text begins in an action, or right behind one.
fn begins_in_action(site: &Site, masked: &Masked) -> bool {
    matches!(site.shape, Shape::Within(_)) && masked.touches_before(site.span().start)
}
