//! The registries that Amazon ECR can cache, and well-known ones that it cannot: data, a row each.
//!
//! Source: the Amazon ECR user guide, "Creating a pull through cache rule", and the ECR API model
//! (`UpstreamRegistry`). What AWS refuses is known from aws/containers-roadmap; the hints name the
//! issue.

use super::ecr_host;

/// One registry that AWS accepts as an upstream.
#[derive(Clone, Copy, Debug)]
pub struct Upstream {
    /// The name in the ECR API (`UpstreamRegistry`).
    pub api_name: &'static str,
    /// The value AWS wants as `upstreamRegistryUrl`.
    pub url: &'static str,
    /// The host that stands for it in references, in canonical form.
    pub host: &'static str,
    /// Other hosts that mean the same registry.
    pub synonyms: &'static [&'static str],
    /// The ECR prefix that `default` rules use.
    pub default_prefix: &'static str,
    /// What the rule needs to log in upstream.
    pub credential: Credential,
}

/// What a rule needs to pull from its upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Nothing.
    None,
    /// A secret in AWS Secrets Manager named `ecr-pullthroughcache/…`.
    Secret,
}

/// The upstreams with one host for everybody.
pub const UPSTREAMS: &[Upstream] = &[
    Upstream {
        api_name: "docker-hub",
        url: "registry-1.docker.io",
        host: "docker.io",
        synonyms: &[
            "index.docker.io",
            "registry-1.docker.io",
            "registry.hub.docker.com",
        ],
        default_prefix: "docker-hub",
        credential: Credential::Secret,
    },
    Upstream {
        api_name: "quay",
        url: "quay.io",
        host: "quay.io",
        synonyms: &[],
        default_prefix: "quay",
        credential: Credential::None,
    },
    Upstream {
        api_name: "github-container-registry",
        url: "ghcr.io",
        host: "ghcr.io",
        synonyms: &[],
        default_prefix: "ghcr",
        credential: Credential::Secret,
    },
    Upstream {
        api_name: "k8s",
        url: "registry.k8s.io",
        host: "registry.k8s.io",
        synonyms: &[],
        default_prefix: "k8s",
        credential: Credential::None,
    },
    Upstream {
        api_name: "ecr-public",
        url: "public.ecr.aws",
        host: "public.ecr.aws",
        // The endpoint for IPv4 and IPv6 (ECR Public user guide, "Making requests").
        synonyms: &["ecr-public.aws.com"],
        default_prefix: "public-ecr",
        credential: Credential::None,
    },
    Upstream {
        api_name: "gitlab-container-registry",
        url: "registry.gitlab.com",
        host: "registry.gitlab.com",
        synonyms: &[],
        default_prefix: "gitlab",
        credential: Credential::Secret,
    },
    Upstream {
        api_name: "chainguard",
        url: "cgr.dev",
        host: "cgr.dev",
        synonyms: &[],
        default_prefix: "chainguard",
        credential: Credential::Secret,
    },
];

/// The host by which the registry is reached that `host` stands for in references.
pub fn url_of(host: &str) -> &str {
    find(host).map_or(host, |upstream| upstream.url)
}

/// The end of every Azure Container Registry host; each customer has a host of its own.
const AZURE_SUFFIX: &str = ".azurecr.io";

/// Hosts that front a supported registry, and that one: they are aliases, once somebody says so.
const FRONTS: &[(&str, &str)] = &[
    ("k8s.gcr.io", "registry.k8s.io"),
    ("lscr.io", "ghcr.io"),
    ("mirror.gcr.io", "docker.io"),
    ("registry.rocket.chat", "docker.io"),
];

/// Well-known hosts that AWS refuses as upstreams, and what can be done. A leading `.` matches
/// every host that ends so.
const UNSUPPORTED: &[(&str, &str)] = &[
    (
        "mcr.microsoft.com",
        "copy the image into ECR, or `allow` it; Amazon ECR does not cache mcr.microsoft.com",
    ),
    (
        "registry.access.redhat.com",
        "copy the image into ECR, or `allow` it (aws/containers-roadmap#2491 asks for it)",
    ),
    (
        "registry.redhat.io",
        "copy the image into ECR, or `allow` it",
    ),
    (
        "gcr.io",
        "copy the image into ECR, or `allow` it (aws/containers-roadmap#1581 asks for it)",
    ),
    (
        "k8s.gcr.io",
        "it is a frozen copy of registry.k8s.io: add `k8s.gcr.io: registry.k8s.io` to `aliases`",
    ),
    (
        "mirror.gcr.io",
        "it mirrors Docker Hub: add `mirror.gcr.io: docker.io` to `aliases`",
    ),
    (
        ".gcr.io",
        "copy the image into ECR, or `allow` it (aws/containers-roadmap#1581 asks for it)",
    ),
    (
        ".pkg.dev",
        "copy the image into ECR, or `allow` it (aws/containers-roadmap#1581 asks for it)",
    ),
    ("nvcr.io", "copy the image into ECR, or `allow` it"),
    (
        "docker.elastic.co",
        "copy the image into ECR, or `allow` it (aws/containers-roadmap#2339 asks for it)",
    ),
    (
        "lscr.io",
        "it fronts ghcr.io: add `lscr.io: ghcr.io` to `aliases`",
    ),
    (
        "xpkg.upbound.io",
        "copy the package into ECR, or `allow` it",
    ),
];

/// The one host that stands for a registry: `registry-1.docker.io` means `docker.io`.
pub fn canonical_host(host: &str) -> &str {
    UPSTREAMS
        .iter()
        .find(|upstream| upstream.synonyms.contains(&host))
        .map_or(host, |upstream| upstream.host)
}

/// The row of a host in canonical form; nothing for Azure and ECR registries, which have no row.
pub fn find(host: &str) -> Option<&'static Upstream> {
    UPSTREAMS.iter().find(|upstream| upstream.host == host)
}

/// The name in the host of an Azure registry.
pub fn azure_name(host: &str) -> Option<&str> {
    let name = host.strip_suffix(AZURE_SUFFIX)?;
    (!name.is_empty()).then_some(name)
}

/// Names in the ECR API of upstreams whose hosts are those of customers.
const AZURE_API: &str = "azure-container-registry";
const ECR_API: &str = "ecr";

/// The name of a host, in canonical form, in the ECR API (`UpstreamRegistry`); none for one that it does not
/// cache.
pub fn api_name(host: &str) -> Option<&'static str> {
    let azure = || azure_name(host).map(|_| AZURE_API);
    let ecr = || ecr_host::is_ecr_host(host).then_some(ECR_API);
    find(host)
        .map(|row| row.api_name)
        .or_else(azure)
        .or_else(ecr)
}

/// Whether the ECR API has an upstream of that name.
pub fn is_api_name(name: &str) -> bool {
    let known = UPSTREAMS.iter().map(|row| row.api_name);
    known.chain([AZURE_API, ECR_API]).any(|known| known == name)
}

/// The supported host that one of a vendor fronts, where that is known.
pub fn fronted(host: &str) -> Option<&'static str> {
    FRONTS
        .iter()
        .find(|(known, _)| *known == host)
        .map(|(_, fronted)| *fronted)
}

/// Whether AWS accepts a rule for the host.
pub fn is_supported(host: &str) -> bool {
    find(host).is_some() || azure_name(host).is_some() || ecr_host::is_ecr_host(host)
}

/// Whether the host is known to be a registry of images, supported or not.
pub fn is_known(host: &str) -> bool {
    is_supported(host) || unsupported_hint(host).is_some()
}

/// Texts of which every reference to a registry that is known holds one.
pub fn marks() -> impl Iterator<Item = &'static str> {
    let upstreams = UPSTREAMS.iter();
    let hosts = upstreams.flat_map(|row| row.synonyms.iter().copied().chain([row.host]));
    let refused = UNSUPPORTED.iter().map(|(pattern, _)| *pattern);
    hosts
        .chain(refused)
        .chain([AZURE_SUFFIX])
        .chain(ecr_host::marks())
}

/// What to do about a host that AWS is known to refuse.
pub fn unsupported_hint(host: &str) -> Option<&'static str> {
    let matches =
        |pattern: &str| pattern == host || pattern.starts_with('.') && host.ends_with(pattern);
    UNSUPPORTED
        .iter()
        .find(|(pattern, _)| matches(pattern))
        .map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synonyms_fold_into_one_host() {
        for host in [
            "docker.io",
            "index.docker.io",
            "registry-1.docker.io",
            "registry.hub.docker.com",
        ] {
            assert_eq!(canonical_host(host), "docker.io");
        }
        assert_eq!(canonical_host("quay.io"), "quay.io");
    }

    #[test]
    fn hosts_are_supported_or_have_a_hint() {
        for host in [
            "docker.io",
            "acme.azurecr.io",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        ] {
            assert!(is_supported(host), "{host}");
            assert_eq!(unsupported_hint(host), None, "{host}");
        }
        for host in [
            "mcr.microsoft.com",
            "eu.gcr.io",
            "europe-docker.pkg.dev",
            "nvcr.io",
        ] {
            assert!(!is_supported(host), "{host}");
            assert!(unsupported_hint(host).is_some(), "{host}");
        }
        assert!(
            unsupported_hint("mirror.gcr.io")
                .unwrap()
                .contains("aliases")
        );
        assert_eq!(unsupported_hint("registry.example.com"), None);
    }
}
