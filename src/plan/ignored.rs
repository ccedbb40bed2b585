//! Sites that a comment tells the program to leave alone.

use super::decide::Outcome;
use crate::ignores::Ignore;
use crate::reason::Reason;
use crate::scan::ScannedFile;

/// The code of the finding that a change is reported as: whoever ignores it does not want the change.
const CHANGE: &str = "not-through-ecr";

/// Makes skips of the sites that comments speak for. A comment that names codes keeps a site from
/// being changed only when it names the one of changes.
pub(super) fn apply(files: &[ScannedFile], outcomes: &mut [Vec<Outcome>]) {
    for (file, outcomes) in files.iter().zip(outcomes) {
        let ignores = &file.scan.ignores;
        for (site, speaking) in ignores.sites() {
            let outcome = &mut outcomes[site];
            let says = |ignore: &&Ignore| match outcome {
                Outcome::Skip(Reason::AlreadyEcr | Reason::VendoredChart, _) => false,
                Outcome::Change(_) => ignore.names(CHANGE),
                _ => ignore.codes.is_empty(),
            };
            let mut speaking = speaking.iter().map(|&index| &ignores.list[index]);
            if let Some(ignore) = speaking.find(says) {
                *outcome = Outcome::Skip(Reason::Ignored, detail(ignore));
            }
        }
    }
}

/// What a comment says that forbids to change a site whatever its text is.
pub(super) fn forbids(file: &ScannedFile, site: usize) -> Option<String> {
    let ignores = &file.scan.ignores;
    let mut speaking = ignores.of_site(site).iter();
    let ignore = speaking.find_map(|&index| {
        let ignore = &ignores.list[index];
        ignore.names(CHANGE).then_some(ignore)
    })?;
    Some(detail(ignore))
}

fn detail(ignore: &Ignore) -> String {
    match &ignore.reason {
        Some(reason) => format!("the comment in line {} says so: {reason}", ignore.line),
        None => format!("the comment in line {} says so", ignore.line),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::helm::NoCharts;
    use crate::link::{Group, SiteId, link};
    use crate::plan::{Options, Plan, plan as plan_files, plan_text};
    use crate::rules::{EcrHost, RuleSet, default_rules};
    use crate::scan::ScannedFile;
    use crate::source::SourceFile;
    use crate::walk::Role;

    fn plan(containers: &str) -> Plan {
        let registry = EcrHost::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com").unwrap();
        let rules = RuleSet::new(Some(registry), default_rules()).0;
        let text = format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n{containers}");
        plan_text("a.yaml", &text, rules)
    }

    #[test]
    fn ignored_sites_are_skips() {
        for (containers, codes) in [
            ("  - image: a:1 # ecr-rewrite: ignore -- mine\n", "ignored"),
            (
                "  # ecr-rewrite: ignore\n  - name: x\n    image: a:1\n",
                "ignored",
            ),
            (
                "  - image: a:1 # ecr-rewrite: ignore[not-through-ecr]\n",
                "ignored",
            ),
            (
                "  - image: a:1 # ecr-rewrite: ignore[digest-cold-cache]\n",
                "",
            ),
            ("  - image: gcr.io/a:1 # ecr-rewrite: ignore\n", "ignored"),
            (
                "  - image: gcr.io/a:1 # ecr-rewrite: ignore[unsupported-upstream]\n",
                "unsupported-upstream",
            ),
            (
                "  - image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1 # ecr-rewrite: ignore\n",
                "already-ecr",
            ),
            (
                "  - command: [\"# ecr-rewrite: ignore\"]\n    image: a:1\n",
                "",
            ),
        ] {
            let plan = plan(containers);
            let skips: Vec<_> = plan.skips().map(|(_, skip)| skip.reason.code()).collect();
            assert_eq!(skips.join(" "), codes, "{containers}");
            assert_eq!(
                plan.changes().count(),
                usize::from(codes.is_empty()),
                "{containers}"
            );
        }
        let plan = plan("  - image: a:1 # ecr-rewrite: ignore -- mine\n");
        let (_, skip) = plan.skips().next().unwrap();
        assert_eq!(skip.detail, "the comment in line 5 says so: mine");
    }

    #[test]
    fn an_ignored_site_blocks_its_group() {
        let text = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: a:1 # ecr-rewrite: ignore\n  - image: b:1\n";
        let source = SourceFile {
            path: "a.yaml".into(),
            real: "a.yaml".into(),
            links: Vec::new(),
            text: text.into(),
            identity: None,
        };
        let options = Options::default();
        let mut files = vec![ScannedFile::new(source, Role::Selected, &options.scan)];
        let group = Group {
            label: "a test".into(),
            members: vec![SiteId { file: 0, site: 0 }, SiteId { file: 0, site: 1 }],
            blocked: None,
        };
        let links = link(&mut files).with_group(group);
        let registry = EcrHost::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com").unwrap();
        let rules = Arc::new(RuleSet::new(Some(registry), default_rules()).0);
        let plan = plan_files(files, links, &|_| Arc::clone(&rules), &NoCharts, &options);
        let skips: Vec<_> = plan.skips().map(|(_, skip)| skip.reason.code()).collect();
        assert_eq!(skips, ["ignored", "group-incomplete"]);
        assert_eq!(
            plan.files[0].groups[&1],
            [0],
            "skips know their groups, too"
        );
    }
}
