//! Rewrites that are wrong, and that the judge finds: each by hand, on trees that the real kustomize
//! builds, and the one that a script would do on many.

use rayon::prelude::*;
use regex::{Captures, Regex};

use super::common::ecr::expected;
use super::kustomize::Kustomize;
use super::matrix::{Case, Entry, Feature, Files, Names, On, cases};
use super::report::Report;
use super::trial::Trial;

/// What is done to every file, and what has to be said of it.
type Wrong = (Entry, On, fn(&str) -> String, &'static str);

const WRONG: &[Wrong] = &[
    // Site by site: the base goes to ECR, and the overlay's entry matches nothing any more.
    (
        Entry::NewTag,
        On::Leaf,
        sites,
        "tag or digest was `:1.30` and is `:1.27`",
    ),
    (Entry::Digest, On::Leaf, sites, "is `:1.27`"),
    (Entry::NewName, On::Leaf, sites, "it had to become"),
    (
        Entry::Both,
        On::Leaf,
        sites,
        "tag or digest was `:1.30` and is `:1.27`",
    ),
    // The names alone, or the names of one of two overlays.
    (
        Entry::NewTag,
        On::Leaf,
        names,
        "tag or digest was `:1.30` and is `:1.27`",
    ),
    (Entry::Digest, On::All, names, "is `:1.27`"),
    // What an entry says is lost.
    (
        Entry::NewTag,
        On::Leaf,
        |text| text.replace("newTag", "# newTag"),
        "is `:1.27`",
    ),
    (
        Entry::Digest,
        On::Leaf,
        |text| text.replace("digest", "# digest"),
        "is `:1.27`",
    ),
    (
        Entry::NewName,
        On::Leaf,
        |text| text.replace("newName", "# newName"),
        "it had to become",
    ),
    // A newName that is no image of ECR, and one with another tag.
    (
        Entry::NewTag,
        On::Leaf,
        |text| text.replace("newTag", "newName: httpd\n  newTag"),
        "it had to become",
    ),
    (
        Entry::NewTag,
        On::Leaf,
        |text| text.replace("1.30", "1.31"),
        "is `:1.31`",
    ),
    // Nothing of it is about images.
    (
        Entry::NewTag,
        On::Leaf,
        |text| text.replace("replicas: 1", "replicas: 2"),
        "no reference",
    ),
    (
        Entry::NewTag,
        On::Leaf,
        |text| text.replace("- ../../base1\n", ""),
        "the objects",
    ),
    (
        Entry::NewTag,
        On::Leaf,
        |text| text.replace("- ../../base0", "- ../../base9"),
        "is not built any more",
    ),
    // Nothing is done, and nothing is said.
    (Entry::None, On::Leaf, str::to_string, "nothing says so"),
    (
        Entry::NewTag,
        On::OneSibling,
        str::to_string,
        "nothing says so",
    ),
];

/// What a script would do: every `image` and `newName`, wherever it stands.
fn sites(text: &str) -> String {
    mapped(text, r#"\b(image|newName)(: )([^\s"{}]+)"#)
}

fn names(text: &str) -> String {
    mapped(text, r"\b(name)(: )(nginx)\b")
}

fn mapped(text: &str, pattern: &str) -> String {
    let pattern = Regex::new(pattern).unwrap();
    let becomes = |found: &Captures| {
        let new = expected(&found[3]).unwrap_or_else(|| found[3].to_string());
        format!("{}{}{new}", &found[1], &found[2])
    };
    pattern.replace_all(text, becomes).into_owned()
}

fn everywhere(files: &Files, change: fn(&str) -> String) -> Files {
    let seen = |path: &str| path.starts_with(super::matrix::REPO);
    let text = |(path, text): (&String, &String)| {
        let new = if seen(path) {
            change(text)
        } else {
            text.clone()
        };
        (path.clone(), new)
    };
    files.iter().map(text).collect()
}

#[test]
fn a_wrong_rewrite_is_found() {
    let Some(kustomize) = Kustomize::find() else {
        return;
    };
    for (index, (entry, on, change, words)) in WRONG.iter().enumerate() {
        let case = Case {
            // Entries in block style, and a newName that has a rule.
            number: 3,
            bases: 2,
            depth: 1,
            names: Names::Bare,
            entry: *entry,
            on: *on,
            feature: Feature::Plain,
        };
        let trial = Trial::new(&kustomize, &case);
        let files = everywhere(&trial.files, *change);
        let proof = trial.if_it_were(files, &Report::default());
        let said = proof.faults.join("\n");
        assert!(said.contains(words), "{index}: {words}\n{said}");
    }
}

/// What a site-by-site rewrite does to the trees in which overlays set tags or digests.
#[test]
fn a_rewrite_site_by_site_is_found_in_every_tree_that_it_cuts_off() {
    let Some(kustomize) = Kustomize::find() else {
        return;
    };
    let cut = |case: &&Case| {
        let sets = matches!(case.entry, Entry::NewTag | Entry::Digest);
        sets && case.feature == Feature::Plain
    };
    let cases = cases();
    let cut: Vec<&Case> = cases.iter().filter(cut).collect();
    let missed = cut.par_iter().filter(|case| {
        let trial = Trial::new(&kustomize, case);
        let proof = trial.if_it_were(everywhere(&trial.files, sites), &trial.report);
        !proof
            .faults
            .iter()
            .any(|fault| fault.contains("its tag or digest"))
    });
    let missed: Vec<String> = missed.map(|case| case.name()).collect();
    assert!(cut.len() >= 50, "{}", cut.len());
    assert!(
        missed.is_empty(),
        "{} of {}: {missed:#?}",
        missed.len(),
        cut.len()
    );
}
