//! Private Amazon ECR registry hosts, in all their forms.
//!
//! `<12 digits>.dkr.ecr.<region>.<suffix>`, the FIPS and dual-stack variants, and hosts with a
//! placeholder that something else fills in later (`${AWS_ACCOUNT}.dkr.ecr.…`). Source: the Amazon
//! ECR user guide, "Private registry" and "Making requests over IPv6". Account ids are text: leading
//! zeros count.

use std::fmt;

/// The ends of ECR host names, a partition each.
const SUFFIXES: &[&str] = &[
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];
/// How the regions begin whose hosts end in another one than the first (botocore, `partitions.json`).
const PARTITIONS: &[(&str, &str)] = &[
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
];
/// The ends of the dual-stack host names.
const DUAL_STACK_SUFFIXES: &[&str] = &["on.aws", "on.amazonwebservices.com.cn"];
/// What every service begins with.
const SERVICE: &str = ".dkr";
/// What stands between the account and the region.
const SERVICES: &[(&str, &[&str])] = &[
    (".dkr.ecr.", SUFFIXES),
    (".dkr.ecr-fips.", SUFFIXES),
    (".dkr-ecr.", DUAL_STACK_SUFFIXES),
    (".dkr-ecr-fips.", DUAL_STACK_SUFFIXES),
];

/// The host of a private ECR registry, as it is written into references.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EcrHost {
    text: String,
}

/// Why a text is no ECR registry host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError(String);

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HostError {}

/// The parts of a host of the usual form.
#[derive(Clone, Copy)]
struct HostParts<'a> {
    account: &'a str,
    service: &'static str,
    region: &'a str,
    suffix: &'static str,
}

impl EcrHost {
    /// Reads a registry host as people paste it: `https://` and trailing slashes are dropped.
    /// Placeholders (`${NAME}`) may stand for the account, the region or the whole host.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let host = text
            .strip_prefix("https://")
            .unwrap_or(text)
            .trim_end_matches('/');
        if host.is_empty() {
            return Err(HostError(
                "the registry is empty; give `<account>.dkr.ecr.<region>.amazonaws.com`".into(),
            ));
        }
        if host.contains('/') {
            return Err(HostError(format!(
                "registry `{text}` has a path; give the host alone, prefixes belong into `rules`"
            )));
        }
        let whole_placeholder = host.starts_with("${") && placeholder_len(host) == Some(host.len());
        if !whole_placeholder {
            let parts = host_parts(host).ok_or_else(|| not_ecr(host))?;
            check_account(parts.account)?;
            check_region(parts.region)?;
        }
        Ok(Self {
            text: host.to_string(),
        })
    }

    /// The usual host of an account and region.
    pub fn from_account(account: &str, region: &str) -> Result<Self, HostError> {
        check_account(account)?;
        check_region(region)?;
        let mut partitions = PARTITIONS.iter();
        let known = partitions.find(|(start, _)| region.starts_with(start));
        let suffix = known.map_or(SUFFIXES[0], |(_, suffix)| *suffix);
        Ok(Self {
            text: format!("{account}.dkr.ecr.{region}.{suffix}"),
        })
    }

    /// The same registry in another account; an error when the host is one placeholder.
    pub fn with_account(&self, account: &str) -> Result<Self, HostError> {
        check_account(account)?;
        let parts = self.parts_or_error("account")?;
        let HostParts {
            service,
            region,
            suffix,
            ..
        } = parts;
        Ok(Self {
            text: format!("{account}{service}{region}.{suffix}"),
        })
    }

    /// The same registry in another region; an error when the host is one placeholder.
    pub fn with_region(&self, region: &str) -> Result<Self, HostError> {
        check_region(region)?;
        let parts = self.parts_or_error("region")?;
        let HostParts {
            account,
            service,
            suffix,
            ..
        } = parts;
        Ok(Self {
            text: format!("{account}{service}{region}.{suffix}"),
        })
    }

    /// The host as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The account, unless it is filled in later.
    pub fn account(&self) -> Option<&str> {
        let account = host_parts(&self.text)?.account;
        (!account.contains('$')).then_some(account)
    }

    /// The region, unless it is filled in later.
    pub fn region(&self) -> Option<&str> {
        let region = host_parts(&self.text)?.region;
        (!region.contains('$')).then_some(region)
    }

    /// Whether something has to be filled in later.
    pub fn has_placeholder(&self) -> bool {
        self.text.contains('$')
    }

    /// What the documentation says against caching in this region, if anything.
    pub fn warning(&self) -> Option<String> {
        let region = host_parts(&self.text)?.region;
        (region.starts_with("cn-") || region.starts_with("us-gov-")).then(|| {
            format!("the ECR user guide lists no pull-through cache for region `{region}`; check that your rules exist there")
        })
    }

    fn parts_or_error(&self, field: &str) -> Result<HostParts<'_>, HostError> {
        host_parts(&self.text).ok_or_else(|| {
            HostError(format!("registry `{}` is one placeholder, its {field} cannot be replaced; give the whole `registry`", self.text))
        })
    }
}

impl fmt::Display for EcrHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Texts of which every such host holds one.
pub(super) fn marks() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().map(|(service, _)| *service)
}

/// Whether `host` is a private ECR registry, placeholders for its account or region included.
pub fn is_ecr_host(host: &str) -> bool {
    host_parts(host).is_some_and(|parts| {
        check_account(parts.account).is_ok() && check_region(parts.region).is_ok()
    })
}

/// The ECR host in front of the first `/` of a reference text, placeholders included: such a text
/// need not parse as a reference.
pub fn ecr_host_of(text: &str) -> Option<&str> {
    let (host, _) = text.split_once('/')?;
    is_ecr_host(host).then_some(host)
}

/// Whether two hosts name one registry for sure, in one spelling or in two (dual stack, FIPS).
pub fn names_one(one: &str, other: &str) -> bool {
    // Each rule is asked this of each image: most hosts are told apart by how they begin.
    let may_be_ecr = |host: &str| matches!(host.as_bytes().first(), Some(b'0'..=b'9' | b'$'));
    one == other || may_be_ecr(one) && may_be_ecr(other) && same_registry(one, other) == Some(true)
}

/// Whether two hosts are the same registry in different spellings (dual stack, FIPS); `None` when a
/// placeholder keeps that open.
pub(super) fn same_registry(one: &str, other: &str) -> Option<bool> {
    let (one, other) = (host_parts(one)?, host_parts(other)?);
    let fields = [(one.account, other.account), (one.region, other.region)];
    let known = |text: &str| !text.contains('$');
    if fields
        .iter()
        .any(|(one, other)| known(one) && known(other) && one != other)
    {
        return Some(false);
    }
    fields
        .iter()
        .all(|(one, other)| one == other)
        .then_some(true)
}

fn host_parts(host: &str) -> Option<HostParts<'_>> {
    if !host.contains(SERVICE) {
        return None;
    }
    SERVICES.iter().find_map(|&(service, suffixes)| {
        let (account, rest) = host.split_once(service)?;
        suffixes.iter().find_map(|&suffix| {
            let region = rest.strip_suffix(suffix)?.strip_suffix('.')?;
            Some(HostParts {
                account,
                service,
                region,
                suffix,
            })
        })
    })
}

/// The length of the `${NAME}` at the start of `text`.
fn placeholder_len(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("${")?;
    let end = inner.find('}')?;
    let name = &inner[..end];
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(valid)).then_some(end + 3)
}

fn is_placeholder(text: &str) -> bool {
    placeholder_len(text) == Some(text.len())
}

fn check_account(account: &str) -> Result<(), HostError> {
    if is_placeholder(account) || account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())
    {
        return Ok(());
    }
    if !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HostError(format!(
            "account id `{account}` has {} digits, AWS account ids have 12; leading zeros count",
            account.len()
        )));
    }
    Err(HostError(format!(
        "account id `{account}` is not 12 digits; give the AWS account's number or a placeholder such as `${{AWS_ACCOUNT}}`"
    )))
}

fn check_region(region: &str) -> Result<(), HostError> {
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let ends_in_number = region
        .rsplit('-')
        .next()
        .is_some_and(|n| n.parse::<u8>().is_ok());
    if is_placeholder(region)
        || region.split('-').count() >= 3 && region.split('-').all(is_part) && ends_in_number
    {
        return Ok(());
    }
    Err(HostError(format!(
        "`{region}` is not an AWS region; one looks like `eu-west-1`"
    )))
}

fn not_ecr(host: &str) -> HostError {
    let lower = host.to_ascii_lowercase();
    if lower != host && host_parts(&lower).is_some() {
        return HostError(format!(
            "registry `{host}` has upper-case letters; write `{lower}`"
        ));
    }
    HostError(format!(
        "registry `{host}` is not a private Amazon ECR host; it looks like `123456789012.dkr.ecr.eu-west-1.amazonaws.com`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_every_form_are_recognised() {
        for host in [
            "123456789012.dkr.ecr.us-west-2.amazonaws.com",
            "001234567890.dkr.ecr.cn-north-1.amazonaws.com.cn",
            "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
            "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov",
            "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
            "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
            "123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
            "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
            "123456789012.dkr-ecr.eu-west-1.on.aws",
            "123456789012.dkr-ecr-fips.us-east-1.on.aws",
            "${AWS_ACCOUNT}.dkr.ecr.ca-central-1.amazonaws.com",
            "${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com",
        ] {
            assert_eq!(EcrHost::parse(host).unwrap().as_str(), host);
            assert!(is_ecr_host(host), "{host}");
            assert_eq!(ecr_host_of(&format!("{host}/a/b:1")), Some(host));
        }
        for host in [
            "docker.io",
            "public.ecr.aws",
            "dkr.ecr.eu-west-1.amazonaws.com",
            "${X}",
        ] {
            assert!(!is_ecr_host(host), "{host}");
        }
    }

    #[test]
    fn pasted_forms_are_cleaned_and_wrong_ones_explained() {
        let pasted =
            EcrHost::parse("https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/").unwrap();
        assert_eq!(
            pasted.as_str(),
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
        );
        assert!(EcrHost::parse("${ECR_REGISTRY}").unwrap().has_placeholder());
        for (text, part) in [
            ("", "is empty"),
            ("123456789.dkr.ecr.us-west-2.amazonaws.com", "has 9 digits"),
            ("acct.dkr.ecr.us-west-2.amazonaws.com", "not 12 digits"),
            (
                "123456789012.dkr.ecr.us_west.amazonaws.com",
                "not an AWS region",
            ),
            (
                "123456789012.dkr.ecr.us-west-2.amazonaws.com/docker-hub",
                "has a path",
            ),
            ("123456789012.DKR.ECR.us-west-2.amazonaws.com", "upper-case"),
            ("docker.io", "not a private Amazon ECR host"),
            ("${A}${B", "not a private"),
        ] {
            let error = EcrHost::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn one_field_can_be_replaced() {
        let host = EcrHost::from_account("123456789012", "eu-west-1").unwrap();
        let other = host
            .with_account("999999999999")
            .unwrap()
            .with_region("us-east-1")
            .unwrap();
        assert_eq!(
            other.as_str(),
            "999999999999.dkr.ecr.us-east-1.amazonaws.com"
        );
        assert!(
            EcrHost::parse("${X}")
                .unwrap()
                .with_region("us-east-1")
                .is_err()
        );
        assert!(
            EcrHost::from_account("123456789012", "cn-north-1")
                .unwrap()
                .warning()
                .is_some()
        );
        assert_eq!(host.warning(), None);
        for (region, end) in [
            ("eusc-de-east-1", "eusc-de-east-1.amazonaws.eu"),
            ("us-isob-east-1", "us-isob-east-1.sc2s.sgov.gov"),
            ("us-gov-west-1", "us-gov-west-1.amazonaws.com"),
        ] {
            let host = EcrHost::from_account("123456789012", region).unwrap();
            assert!(host.as_str().ends_with(end), "{}", host.as_str());
        }
    }
}
