//! The pages of the documentation about findings: they stand in `docs/findings/`, and within the
//! program for formats that carry their own explanations.

use super::Code;

/// Where the package says that its sources are published; empty when it says nothing.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

impl Code {
    /// Where its page is: a URL when the package says where it is published, else the file below the
    /// sources.
    pub fn page(self) -> String {
        self.page_of(REPOSITORY)
    }

    /// The URL of its page, when there is one.
    pub fn page_url(self) -> Option<String> {
        (!REPOSITORY.is_empty()).then(|| self.page())
    }

    fn page_of(self, repository: &str) -> String {
        let file = format!("docs/findings/{self}.md");
        if repository.is_empty() {
            return file;
        }
        let version = env!("CARGO_PKG_VERSION");
        format!("{repository}/blob/v{version}/{file}")
    }

    /// What its page says, as Markdown.
    pub fn page_text(self) -> &'static str {
        match self {
            Self::NotThroughEcr => include_str!("../../docs/findings/not-through-ecr.md"),
            Self::NoRule => include_str!("../../docs/findings/no-rule.md"),
            Self::UnsupportedUpstream => {
                include_str!("../../docs/findings/unsupported-upstream.md")
            }
            Self::StaleKustomizeName => include_str!("../../docs/findings/stale-kustomize-name.md"),
            Self::WrongLibrary => include_str!("../../docs/findings/wrong-library.md"),
            Self::GlobalRegistryConflict => {
                include_str!("../../docs/findings/global-registry-conflict.md")
            }
            Self::Undecided => include_str!("../../docs/findings/undecided.md"),
            Self::DigestColdCache => include_str!("../../docs/findings/digest-cold-cache.md"),
            Self::BitnamiInsecureImages => {
                include_str!("../../docs/findings/bitnami-insecure-images.md")
            }
            Self::AutomationReverts => include_str!("../../docs/findings/automation-reverts.md"),
            Self::OtherRegistry => include_str!("../../docs/findings/other-registry.md"),
            Self::OldNameReference => include_str!("../../docs/findings/old-name-reference.md"),
            Self::GeneratedFile => include_str!("../../docs/findings/generated-file.md"),
            Self::ChartDefaults => include_str!("../../docs/findings/chart-defaults.md"),
            Self::Unparsed => include_str!("../../docs/findings/unparsed.md"),
        }
    }

    /// Its meaning in a sentence: what its page opens with.
    pub fn meaning(self) -> String {
        let paragraphs = self.page_text().split("\n\n");
        let opening = paragraphs.skip(2).find(|text| !text.trim().is_empty());
        opening.unwrap_or_default().replace('\n', " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_those_of_their_codes() {
        for code in Code::ALL {
            let text = code.page_text();
            assert!(text.starts_with(&format!("# `{code}`\n")), "{code}");
            let meaning = code.meaning();
            assert!(
                text.contains(meaning.split(' ').next().unwrap()) && meaning.ends_with('.'),
                "{code}: {meaning}"
            );
        }
        assert_eq!(Code::NoRule.page_of(""), "docs/findings/no-rule.md");
        let published = Code::NoRule.page_of("https://example.com/a");
        assert!(
            published.starts_with("https://example.com/a/blob/v"),
            "{published}"
        );
        assert!(
            published.ends_with("/docs/findings/no-rule.md"),
            "{published}"
        );
    }
}
