//! What the pure stages cost, as bytes per second: the parse of references, the search for words that make a
//! file worth parsing, scans, plans, the second opinion and the diff.
//!
//! ```console
//! cargo bench --bench micro
//! cargo bench --bench micro -- scan
//! ```
//!
//! `benches/README.md` says how to read the table and measures the whole program.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a measurement that cannot go on has failed
#![allow(missing_docs)] // there is no reader of a benchmark's documentation but of its source

mod texts;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use ecr_rewrite::edit::EditSet;
use ecr_rewrite::findings::{self, Levels};
use ecr_rewrite::helm::NoCharts;
use ecr_rewrite::image::ImageRef;
use ecr_rewrite::link::link;
use ecr_rewrite::plan::{self, FilePlan, Plan, plan_text};
use ecr_rewrite::report::{Color, Format, Home, Mode, Report};
use ecr_rewrite::rules::{EcrHost, RuleSet, default_rules};
use ecr_rewrite::scan::{self, ScannedFile};
use ecr_rewrite::source::SourceFile;
use ecr_rewrite::verify::{Planned, verify as verify_text};
use ecr_rewrite::walk::Role;
use texts::{Input, REFERENCES};

/// The allocator of the program.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// The inputs of scans, by name.
const SCANNED: &[&str] = &[
    "manifest",
    "values",
    "template",
    "crd bundle",
    "nothing to find",
];
/// The inputs in which something changes.
const CHANGED: &[&str] = &["manifest", "values", "template"];

fn input(name: &str) -> Input {
    let inputs = [
        texts::manifest(),
        texts::values(),
        texts::template(),
        texts::schemas(),
        texts::unrelated(),
    ];
    let mut inputs = inputs.into_iter();
    inputs.find(|input| input.name == name).unwrap()
}

fn rules() -> RuleSet {
    let registry = EcrHost::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com").unwrap();
    RuleSet::new(Some(registry), default_rules()).0
}

/// The plan of an input in which something changes.
fn planned(input: &Input) -> Plan {
    let plan = plan_text(input.path, &input.text, rules());
    assert!(plan.failures.is_empty(), "{:?}", plan.failures);
    assert!(
        plan.files[0].after.is_some(),
        "nothing changes in {}",
        input.name
    );
    plan
}

#[divan::bench]
fn reference(bencher: Bencher) {
    let bytes: usize = REFERENCES.iter().map(|text| text.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        for text in REFERENCES {
            black_box(ImageRef::parse(black_box(text)).unwrap());
        }
    });
}

#[divan::bench]
fn verdict(bencher: Bencher) {
    let rules = rules();
    let images: Vec<_> = REFERENCES
        .iter()
        .map(|text| ImageRef::parse(text).unwrap())
        .collect();
    let bytes: usize = REFERENCES.iter().map(|text| text.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        for image in &images {
            black_box(rules.decide(black_box(image)));
        }
    });
}

/// A text without the words, which has to be searched to its end.
#[divan::bench]
fn prefilter(bencher: Bencher) {
    let input = input("nothing to find");
    let (path, options) = (Path::new(input.path), scan::Options::default());
    assert!(!scan::is_worth_parsing(path, &input.text, &options));
    let worth = || scan::is_worth_parsing(path, black_box(&input.text), &options);
    bencher
        .counter(BytesCount::of_str(&input.text))
        .bench(worth);
}

#[divan::bench(args = SCANNED)]
fn scan(bencher: Bencher, name: &str) {
    let input = input(name);
    let (path, options) = (Path::new(input.path), scan::Options::default());
    let found = scan::scan_text(path, &input.text, &options).sites.len();
    assert_eq!(
        found > 0,
        CHANGED.contains(&name),
        "{found} sites in {name}"
    );
    let scan = || scan::scan_text(path, black_box(&input.text), &options);
    bencher.counter(BytesCount::of_str(&input.text)).bench(scan);
}

/// Links and plan of a file that is scanned already; the plan verifies what it changes.
#[divan::bench(args = CHANGED)]
fn plan(bencher: Bencher, name: &str) {
    let input = input(name);
    planned(&input);
    let (rules, options) = (Arc::new(rules()), plan::Options::default());
    let scanned = || {
        let path = PathBuf::from(input.path);
        let source = SourceFile {
            real: path.clone(),
            path,
            links: Vec::new(),
            text: input.text.clone(),
            identity: None,
        };
        vec![ScannedFile::new(source, Role::Selected, &options.scan)]
    };
    let bencher = bencher.counter(BytesCount::of_str(&input.text));
    bencher.with_inputs(scanned).bench_values(|mut files| {
        let links = link(&mut files);
        plan::plan(files, links, &|_| Arc::clone(&rules), &NoCharts, &options)
    });
}

/// The second opinion on a changed text: it reads both.
#[divan::bench]
fn verify(bencher: Bencher) {
    let input = input("manifest");
    let plan = planned(&input);
    let file = &plan.files[0];
    let edits = file.changes.iter().flat_map(|change| change.edits.clone());
    let edits = EditSet::new(edits).unwrap();
    let expected = expected(file);
    let after = file.after.as_deref().unwrap();
    let run = || verify_text(black_box(&input.text), black_box(after), &edits, &expected);
    run().unwrap();
    bencher.counter(BytesCount::of_str(&input.text)).bench(run);
}

/// The scalars that change, as the second opinion is told of them.
fn expected(file: &FilePlan) -> Vec<Planned> {
    let scalars = |change: &plan::Change| {
        let document = file.sites[change.site].document;
        let told = move |scalar: plan::Rewritten| {
            Planned::new((document, scalar.ordinal), scalar.from, scalar.to)
        };
        change.scalars.clone().into_iter().map(told)
    };
    file.changes.iter().flat_map(scalars).collect()
}

#[divan::bench]
fn diff(bencher: Bencher) {
    let input = input("manifest");
    let plan = planned(&input);
    let findings = findings::find(&plan, &Levels::default());
    let report = Report {
        plan: &plan,
        findings: &findings,
        failures: &[],
        mode: Mode::DryRun,
        home: Home {
            current: Path::new("/"),
            root: Path::new("/"),
        },
    };
    let format = Format::of("diff").unwrap();
    let print = || format.render(black_box(&report), Color::Off, &mut io::sink());
    print().unwrap();
    bencher
        .counter(BytesCount::of_str(&input.text))
        .bench(print);
}
