//! One tree before and after a rewrite: every kustomization of it is built twice, the judge compares,
//! and an image that stayed although a rule maps it has to be accounted for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use similar::TextDiff;

use super::common::ecr::split;
use super::judge::{Judged, Kept};
use super::kustomize::{Build, Kustomize, Unbuildable};
use super::report::Report;
use super::taken::{Kustomizations, Taken};

/// What every kustomization of a tree makes.
pub type Builds = BTreeMap<PathBuf, Result<Build, Unbuildable>>;

/// Builds all of them below `root`.
pub fn build(kustomize: &Kustomize, root: &Path, kustomizations: &Kustomizations) -> Builds {
    let folders: Vec<&PathBuf> = kustomizations.all.keys().collect();
    let built = folders
        .into_par_iter()
        .map(|folder| (folder.clone(), kustomize.build(&root.join(folder))));
    built.collect()
}

/// Who accounts for what stays.
pub struct Account<'r> {
    /// What the program says.
    pub report: &'r Report,
    /// A file that it was not to change, or could not: what this file names may stay.
    pub held: Option<&'r Path>,
    /// Whether the tree holds images where the program does not look yet.
    pub may_be_silent: bool,
}

/// What a comparison of two trees showed.
#[derive(Debug, Default)]
pub struct Proof {
    /// Kustomizations that were built before and after.
    pub compared: usize,
    /// Those that make the same.
    pub equal: usize,
    /// References that changed as they had to.
    pub changed: usize,
    /// References that have a rule and stay, with a word of why.
    pub kept: usize,
    /// Those of them of which nothing is said, where the program does not look yet.
    pub not_read: usize,
    /// References that were in ECR.
    pub through_ecr: usize,
    /// Entries that matched nothing and match again.
    pub healed: usize,
    /// Registries and repositories of values whose other half another layer sets.
    pub halves: usize,
    /// Those of `changed` and `kept` in what is deployed as it is.
    pub roots: (usize, usize),
    /// What was not built before, by reason.
    pub not_built: BTreeMap<&'static str, Vec<String>>,
    /// What is wrong, with the two builds' difference.
    pub faults: Vec<String>,
}

impl Proof {
    /// Compares what was built before with what is built, of the same folders or some of them, of the
    /// tree `after`.
    pub fn of(
        after: &Path,
        kustomizations: &Kustomizations,
        builds: (&Builds, &Builds),
        account: &Account,
    ) -> Self {
        let mut proof = Self::default();
        for (folder, before) in builds.0 {
            let taken = &kustomizations.all[folder];
            let Some(built) = builds.1.get(folder) else {
                continue;
            };
            match (before, built) {
                (Err(unbuildable), _) => {
                    let what = format!("{}: {}", folder.display(), unbuildable.talk);
                    proof
                        .not_built
                        .entry(unbuildable.reason)
                        .or_default()
                        .push(what);
                }
                (Ok(old), Ok(new)) => {
                    let one = Compared {
                        after,
                        folder,
                        taken,
                        is_root: kustomizations.is_root(folder),
                    };
                    proof.compare(&one, old, new, account);
                }
                (Ok(_), Err(unbuildable)) => proof.faults.push(format!(
                    "{} is not built any more: {}",
                    folder.display(),
                    unbuildable.talk
                )),
            }
        }
        proof
    }

    fn compare(&mut self, one: &Compared, before: &Build, after: &Build, account: &Account) {
        let Judged {
            changed,
            kept,
            through_ecr,
            healed,
            halves,
            mut faults,
        } = Judged::of(&before.objects, &after.objects, &one.taken.image_keys);
        self.compared += 1;
        self.equal += usize::from(before.objects == after.objects);
        self.changed += changed.len();
        self.kept += kept.len();
        self.through_ecr += through_ecr;
        self.halves += halves;
        if one.is_root {
            self.roots.0 += changed.len();
            self.roots.1 += kept.len();
        }
        if account
            .report
            .finds("stale-kustomize-name", &one.taken.files)
        {
            self.healed += healed.len();
        } else {
            let lost = |(old, new)| format!("`{old}` became `{new}`: its tag or digest is another");
            faults.extend(healed.into_iter().map(lost));
        }
        for Kept { reference, kind } in &kept {
            if one.is_accounted_for(reference, account) {
                continue;
            }
            if account.may_be_silent {
                self.not_read += 1;
            } else {
                faults.push(format!(
                    "`{reference}` of a {kind} stays, and nothing says so"
                ));
            }
        }
        if !faults.is_empty() {
            let what = if one.is_root {
                ""
            } else {
                " (taken in by another)"
            };
            let folder = one.folder.display();
            let difference = unified(&before.text, &after.text, "built before", "built after");
            self.faults.push(format!(
                "{folder}{what}: {}\n{difference}",
                faults.join("\n    ")
            ));
        }
    }

    /// Adds what another tree showed.
    pub fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.equal += other.equal;
        self.changed += other.changed;
        self.kept += other.kept;
        self.not_read += other.not_read;
        self.through_ecr += other.through_ecr;
        self.healed += other.healed;
        self.halves += other.halves;
        self.roots.0 += other.roots.0;
        self.roots.1 += other.roots.1;
        for (reason, what) in other.not_built {
            self.not_built.entry(reason).or_default().extend(what);
        }
        self.faults.extend(other.faults);
    }

    /// The table of it.
    pub fn table(&self) -> String {
        let mut rows = vec![
            ("built before and after", self.compared),
            ("… the same", self.equal),
            ("references changed, as planned", self.changed),
            ("… kept, and said so", self.kept - self.not_read),
            ("… kept, where nothing is read yet", self.not_read),
            ("… in ECR before", self.through_ecr),
            ("… whose entry matches again", self.healed),
            ("halves of references in layers of values", self.halves),
        ];
        rows.extend(
            self.not_built
                .iter()
                .map(|(reason, what)| (*reason, what.len())),
        );
        let mut table = String::from("| kustomizations | count |\n|---|---|\n");
        for (index, (what, count)) in rows.into_iter().enumerate() {
            let not = if index < 7 { "" } else { "not built before: " };
            table.push_str(&format!("| {not}{what} | {count} |\n"));
        }
        table
    }
}

/// A kustomization that is compared.
struct Compared<'t> {
    after: &'t Path,
    folder: &'t Path,
    taken: &'t Taken,
    is_root: bool,
}

impl Compared<'_> {
    /// Whether somebody says that it stays, or nobody can: no file of the tree names it (any more), so
    /// that it comes from somewhere else.
    fn is_accounted_for(&self, reference: &str, account: &Account) -> bool {
        let names = |file: &Path| {
            let text = fs::read_to_string(self.after.join(file)).unwrap_or_default();
            is_named(split(reference).0, &text)
        };
        let mut own = self.taken.files.iter().filter(|file| file.is_relative());
        let held = account.held.filter(|held| self.taken.files.contains(*held));
        account
            .report
            .says_it_stays(reference, &self.taken.files, self.is_root)
            || held.is_some_and(names)
            || !own.any(|file| names(file))
    }
}

/// Whether a text has a name: by itself, with a tag, as a registry and a repository, or as a pattern
/// that means it.
fn is_named(name: &str, text: &str) -> bool {
    let words = || text.split(|c: char| c.is_whitespace() || "\"',{}".contains(c));
    let has = |name: &str| words().any(|word| split(word).0 == name);
    let is_pattern = |word: &&str| word.len() > 3 && word.contains(['*', '[']);
    let matches = |word: &str| {
        let pattern = regex::Regex::new(&format!("^{word}$"));
        pattern.is_ok_and(|pattern| pattern.is_match(name))
    };
    let in_parts = name
        .split_once('/')
        .is_some_and(|(registry, repository)| has(registry) && has(repository));
    has(name) || in_parts || words().filter(is_pattern).any(matches)
}

/// The difference of two texts.
pub fn unified(before: &str, after: &str, old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff()
        .context_radius(4)
        .header(old, new)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_words() {
        for text in [
            "image: nginx:1.27 # x",
            "[{name: nginx,newTag: 1}]",
            "{\"image\":\"nginx\"}",
            "name: ngin[x]",
        ] {
            assert!(is_named("nginx", text), "{text}");
        }
        assert!(is_named(
            "quay.io/a/b",
            "registry: quay.io\nrepository: a/b"
        ));
        for text in ["image: library/nginx:1", "nginx-old", "registry: quay.io"] {
            assert!(
                !is_named("nginx", text) && !is_named("quay.io/a/b", text),
                "{text}"
            );
        }
    }
}
