//! The reports: fifty renderings on a screen, and the json by its schema.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ecr_rewrite::prove::{
    Difference, Kind, Origin, Outcome, Outside, Proof, Render, Rendered, Unrendered, Why,
};
use ecr_rewrite::reason::Reason;
use ecr_rewrite::report::prove::{json, markdown, text};

/// The lines of a terminal.
const SCREEN: usize = 40;

/// Fifty renderings: of every kind, with every origin, some different and some not rendered.
fn proof() -> Proof {
    let outside = |number: usize| {
        let origin = match number % 4 {
            0 => Origin::File {
                path: "a.yaml".into(),
                line: 3,
                reason: Some("no-rule"),
            },
            1 => Origin::ChartDefault {
                value: "image.repository".into(),
                moved_by: vec![("image.repository".into(), "r/quay/x".into())],
                place: Some(("values.yaml".into(), 2, None)),
            },
            2 => Origin::Template {
                path: "templates/x.yaml".into(),
                line: 9,
            },
            _ => Origin::Made {
                template: String::new(),
            },
        };
        Outside {
            image: format!("quay.io/x/image-{number}:1"),
            verdict: if number.is_multiple_of(2) {
                Ok("r/quay/x:1".into())
            } else {
                Err(Reason::NoRule)
            },
            origin,
        }
    };
    let difference = Difference {
        object: "Deployment/web".into(),
        at: "spec.replicas".into(),
        before: Some("1".into()),
        after: None,
        why: "it is gone",
    };
    let rendered = |number: usize| Rendered {
        objects: 3,
        changed: BTreeSet::from([("a:1".to_string(), "r/a:1".to_string())]),
        differences: vec![difference.clone(); if number < 2 { 5 } else { 0 }],
        healed: BTreeSet::from([("r/b:1".to_string(), "r/b:2".to_string())]),
        derived: 1,
        unstable: number,
        in_ecr: BTreeSet::from(["r/a:1".to_string()]),
        outside: vec![outside(number)],
    };
    let reasons = [
        Why::RemoteBase,
        Why::ChartNotAtHand,
        Why::DependencyNotAtHand,
        Why::Component,
        Why::NeedsValues,
        Why::MissingFile,
    ];
    let render = |number: usize| Render {
        kind: Kind::ALL[number % 3],
        path: PathBuf::from(format!("environments/prod/apps/{number}")),
        line: (number % 3 == 2).then_some(4),
        name: Some("web".into()),
        values: vec![PathBuf::from("values-prod.yaml")],
        outcome: if number < 30 {
            Outcome::Rendered(rendered(number))
        } else {
            let why = reasons[number % reasons.len()];
            Outcome::Not(vec![Unrendered {
                why,
                detail: "https://example.org/".repeat(20),
            }])
        },
    };
    Proof {
        renders: (0..50).map(render).collect(),
        unseen: vec!["plain.yaml".into(), "other.yaml".into()],
    }
}

fn shown(detail: text::Detail) -> String {
    let mut bytes = Vec::new();
    text::render(&proof(), detail, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn fifty_renderings_fit_a_screen() {
    let screen = shown(text::Detail::Screen);
    let lines = screen.lines().count();
    assert!(lines <= SCREEN, "{lines} lines:\n{screen}");
    assert!(
        screen.lines().all(|line| line.chars().count() <= 170),
        "{screen}"
    );
    let all = shown(text::Detail::All);
    for number in 0..50 {
        let place = format!("environments/prod/apps/{number}");
        assert!(all.contains(&place), "{place}");
    }
    for number in 0..30 {
        let image = format!("quay.io/x/image-{number}:1");
        assert!(all.contains(&image), "{image}");
    }
}

#[test]
fn the_json_fits_its_schema() {
    let schema = std::fs::read_to_string("docs/prove.schema.json").unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut bytes = Vec::new();
    json::render(&proof(), &mut bytes).unwrap();
    let mut report: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(faults, [""; 0]);
    // The schema says every code there is, and no other.
    let codes = &schema["$defs"]["why"]["enum"];
    let known: Vec<&str> = codes
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap())
        .collect();
    assert_eq!(known, Why::ALL.map(Why::code));
    report["renders"][0]["outcome"] = "perhaps".into();
    assert!(!validator.is_valid(&report));
}

#[test]
fn a_comment_is_short_enough() {
    let mut bytes = Vec::new();
    let mut proof = proof();
    for render in &mut proof.renders {
        if let Outcome::Not(why) = &mut render.outcome {
            why[0].detail = "x".repeat(10_000);
        }
    }
    markdown::render(&proof, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.chars().count() <= 60_000, "{}", text.chars().count());
    assert_eq!(
        text.matches("<details>").count(),
        text.matches("</details>").count()
    );
}
