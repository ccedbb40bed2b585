//! The target registry: what the command line, the environment, the config and the source of the rules
//! say of it, put together.

use super::{Resolved, SettingsError, Wanted};
use crate::config::Target;
use crate::rules::ecr_host::HostError;
use crate::rules::{EcrHost, Origin};

/// A target registry and where it was stated.
pub type Registry = Option<(EcrHost, Origin)>;

/// What the source of the rules says of the registry that they belong to: it fills in what nobody stated.
#[derive(Clone, Debug, Default)]
pub(super) struct Hint {
    /// The account.
    pub(super) account: Said,
    /// The region.
    pub(super) region: Said,
}

impl Hint {
    /// What a source says of its registry, and for what it does not speak of what the one below says.
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            account: self.account.or(below.account),
            region: self.region.or(below.region),
        }
    }
}

/// What a source says of an account or a region.
#[derive(Clone, Debug, Default)]
pub(super) enum Said {
    /// Nothing.
    #[default]
    Nothing,
    /// Several: it is none of those that others name.
    Several,
    /// This one, and where.
    One((String, Origin)),
}

impl Said {
    fn or(self, below: Self) -> Self {
        match self {
            Self::Nothing => below,
            said => said,
        }
    }

    fn one(&self) -> Option<&(String, Origin)> {
        match self {
            Self::One(one) => Some(one),
            Self::Nothing | Self::Several => None,
        }
    }
}

/// The registry that the layers of the config make, the last winning, field by field.
pub(super) fn configured(layers: &[&Target], hint: &Hint) -> Resolved<Registry> {
    let mut host: Registry = None;
    let (mut account, mut region) = (None, None);
    for layer in layers {
        if let Some(registry) = &layer.registry {
            host = Some(registry.clone());
            (account, region) = (None, None);
        }
        account = layer.account.as_ref().or(account);
        region = layer.region.as_ref().or(region);
    }
    let failed = |error: HostError| SettingsError::Message(error.to_string());
    if host.is_none() && (account.is_some() || region.is_some()) {
        account = account.or(hint.account.one());
        region = region.or(hint.region.one());
    }
    match (host, account, region) {
        (host, None, None) => Ok(host),
        (None, Some((account, origin)), Some((region, _))) => {
            let host = EcrHost::from_account(account, region).map_err(failed)?;
            Ok(Some((host, origin.clone())))
        }
        (None, Some((_, origin)), None) => Err(SettingsError::Message(format!(
            "the account at {origin} has no region beside it; add `region`"
        ))),
        (None, None, Some((_, origin))) => Err(SettingsError::Message(format!(
            "the region at {origin} has no account beside it; add `account`"
        ))),
        (Some((mut host, mut origin)), account, region) => {
            if let Some((account, place)) = account {
                (host, origin) = (host.with_account(account).map_err(failed)?, place.clone());
            }
            if let Some((region, place)) = region {
                (host, origin) = (host.with_region(region).map_err(failed)?, place.clone());
            }
            Ok(Some((host, origin)))
        }
    }
}

/// The registry of the command line or the environment.
pub(super) fn requested(wanted: &Wanted, hint: &Hint) -> Resolved<Registry> {
    let failed =
        |place: &str, error: HostError| SettingsError::Message(format!("`{place}`: {error}"));
    let text = |said: &Said| said.one().map(|(text, _)| text.clone());
    if wanted.registry.is_some() && (wanted.account.is_some() || wanted.region.is_some()) {
        return Err(SettingsError::Message(
            "`--registry` and `--account`/`--region` say the same thing; give one of them".into(),
        ));
    }
    if let Some(registry) = &wanted.registry {
        let host = EcrHost::parse(registry).map_err(|error| failed("--registry", error))?;
        return Ok(Some((host, Origin::Flag("--registry"))));
    }
    let flag = if wanted.account.is_some() {
        "--account"
    } else {
        "--region"
    };
    let account = wanted.account.clone().or_else(|| text(&hint.account));
    let region = wanted.region.clone().or_else(|| text(&hint.region));
    match (
        wanted.account.is_some() || wanted.region.is_some(),
        account,
        region,
    ) {
        (true, Some(account), Some(region)) => {
            let host =
                EcrHost::from_account(&account, &region).map_err(|error| failed(flag, error))?;
            Ok(Some((host, Origin::Flag(flag))))
        }
        (true, Some(_), None) => Err(SettingsError::Message(
            "`--account` needs `--region` beside it".into(),
        )),
        (true, None, _) if wanted.from_aws.is_some() => Ok(None),
        (true, None, _) => Err(SettingsError::Message(
            "`--region` needs `--account` beside it, or rules that say their account".into(),
        )),
        (false, ..) => match &wanted.registry_variable {
            Some(text) => {
                let name = "ECR_REWRITE_REGISTRY";
                let host = EcrHost::parse(text).map_err(|error| failed(name, error))?;
                Ok(Some((host, Origin::Environment(name))))
            }
            None => Ok(None),
        },
    }
}

/// The registry that the source of the rules belongs to, where nobody states another.
pub(super) fn hinted(hint: &Hint) -> Registry {
    let ((account, origin), (region, _)) = (hint.account.one()?, hint.region.one()?);
    let host = EcrHost::from_account(account, region).ok()?;
    Some((host, origin.clone()))
}
