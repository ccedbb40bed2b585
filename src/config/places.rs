//! Where images are named, as the config says it: charts of which it knows more than the repository, and odd
//! places of the user's own.

use std::sync::Arc;

use serde_saphyr::{Location, Spanned};

use super::raw::{PrefixIn, RawChart, RawHelm, RawSite};
use super::reader::{Read, Reader};
use super::sites::{FIELD_HELP, TEMPLATE_HELP, template};
use super::{ConfigError, Helm};
use crate::helm::{Join, Known};
use crate::image::ImageRef;
use crate::sites::{Field, FieldPath, Stated, Template};

impl Reader<'_> {
    pub(super) fn helm(&self, raw: RawHelm) -> Read<Helm> {
        let charts = raw.charts.into_iter();
        let charts =
            charts.map(|(name, chart)| Ok((name.clone(), self.chart(&name, &chart.value)?)));
        Ok(Helm {
            charts: charts.collect::<Read<_>>()?,
            allows_insecure: raw.allows_insecure,
        })
    }

    /// A chart of which the config says which registry it joins to repositories that name none.
    fn chart(&self, name: &str, chart: &RawChart) -> Read<Arc<Known>> {
        let registry = &chart.registry.value;
        let is_host = ImageRef::parse(&format!("{registry}/x"))
            .is_ok_and(|image| image.registry() == Some(registry));
        if !is_host {
            let message = format!("`{registry}` is no registry");
            let help = "write the host that the chart puts in front of repositories, as in `registry: docker.io`";
            return Err(self.error(message, help, chart.registry.referenced));
        }
        let join = Join::parse(&format!("[**.registry|\"{registry}\"]/?**.repository"));
        Ok(Arc::new(Known {
            joins: join.into_iter().collect(),
            prefix_in_registry: matches!(chart.prefix_in, PrefixIn::Registry),
            told_by: format!("the config (`helm.charts.{name}`)"),
            ..Known::default()
        }))
    }

    pub(super) fn sites(&self, raw: Vec<RawSite>) -> Read<Stated> {
        let mut stated = Stated::default();
        for site in raw {
            match site {
                RawSite {
                    values: Some(values),
                    kind: None,
                    path: None,
                } => stated.templates.push(self.template(&values)?),
                RawSite {
                    values: None,
                    kind: Some(kind),
                    path: Some(path),
                } => stated.fields.push(self.field(&kind, &path)?),
                other => return Err(self.odd_site(other)),
            }
        }
        Ok(stated)
    }

    fn template(&self, values: &Spanned<String>) -> Read<Template> {
        template(&values.value)
            .map_err(|message| self.error(message, TEMPLATE_HELP, values.referenced))
    }

    fn field(&self, kind: &Spanned<String>, path: &Spanned<String>) -> Read<Field> {
        let is_kind = |c: char| c.is_ascii_alphanumeric();
        if kind.value.is_empty() || !kind.value.chars().all(is_kind) {
            let message = format!("`{}` is no kind", kind.value);
            return Err(self.error(message, FIELD_HELP, kind.referenced));
        }
        let way = FieldPath::parse(&path.value).map_err(|message| {
            let dotted = !path.value.contains('/') && path.value.contains('.');
            let help = if dotted {
                format!("write `path: {}`", path.value.replace('.', "/"))
            } else {
                FIELD_HELP.to_string()
            };
            self.error(message, &help, path.referenced)
        })?;
        Ok(Field {
            kind: kind.value.clone(),
            path: way,
        })
    }

    /// What is wrong with an entry that is neither of values nor of objects.
    fn odd_site(&self, raw: RawSite) -> Box<ConfigError> {
        match raw {
            RawSite {
                values: Some(_),
                kind: Some(other),
                ..
            }
            | RawSite {
                values: Some(_),
                path: Some(other),
                ..
            } => {
                let message = "an entry is of `values` or of a `kind`, not of both".to_string();
                self.error(message, "make two entries of it", other.referenced)
            }
            RawSite {
                kind: Some(kind), ..
            } => {
                let message = format!("no `path` says where `{}` names images", kind.value);
                self.error(message, FIELD_HELP, kind.referenced)
            }
            RawSite {
                path: Some(path), ..
            } => {
                let message = format!("no `kind` says whose `{}` it is", path.value);
                self.error(message, FIELD_HELP, path.referenced)
            }
            _ => {
                let message = "an entry of `sites` says nothing".to_string();
                self.error(message, TEMPLATE_HELP, Location::UNKNOWN)
            }
        }
    }
}
