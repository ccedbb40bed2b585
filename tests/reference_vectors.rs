//! The vectors of the `distribution/reference` tests, each of them.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it

use std::path::PathBuf;

use ecr_rewrite::image::{ImageRef, ReferenceError, grammar};
use serde_json::Value;

fn vectors() -> Value {
    let shared = PathBuf::from(std::env::var_os("ECR_REWRITE_SHARED").expect("ECR_REWRITE_SHARED"));
    let text = std::fs::read_to_string(shared.join("data/reference-vectors.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn text<'a>(vector: &'a Value, key: &str) -> Option<&'a str> {
    vector.get(key).and_then(Value::as_str)
}

/// The Go error of a vector as ours.
fn expected_error(name: &str) -> ReferenceError {
    match name {
        "ErrNameEmpty" => ReferenceError::Empty,
        "ErrReferenceInvalidFormat" => ReferenceError::Format,
        "ErrNameContainsUppercase" => ReferenceError::UpperCase,
        "ErrNameTooLong" => ReferenceError::NameTooLong,
        "digest.ErrDigestUnsupported" => ReferenceError::DigestUnsupported,
        "digest.ErrDigestInvalidLength" => ReferenceError::DigestInvalid,
        other => panic!("no counterpart for {other}"),
    }
}

/// `Parse`: the grammar alone.
fn check_parse(vector: &Value) {
    let input = text(vector, "input").unwrap();
    match (grammar(input), text(vector, "err")) {
        (Ok(parts), None) => {
            assert_eq!(Some(parts.name), text(vector, "repository"), "{input}");
            assert_eq!(parts.domain, text(vector, "domain"), "{input}");
            assert_eq!(parts.tag, text(vector, "tag"), "{input}");
            assert_eq!(parts.digest, text(vector, "digest"), "{input}");
        }
        (Err(error), Some(name)) => assert_eq!(error, expected_error(name), "{input}"),
        (got, wanted) => panic!("{input}: {got:?}, wanted {wanted:?}"),
    }
}

/// `ParseNamed`: only names that are canonical already.
fn check_parse_named(vector: &Value) {
    let input = text(vector, "input").unwrap();
    let canonical = ImageRef::parse(input).map(|image| image.canonical().to_string());
    let named = canonical.as_deref() == Ok(input);
    assert_eq!(named, vector.get("err").is_none(), "{input}");
    if named {
        check_split_host(vector);
    }
}

/// `SplitHostname` of the normalised name.
fn check_split_host(vector: &Value) {
    let input = text(vector, "input").unwrap();
    let canonical = ImageRef::parse(input).unwrap().canonical();
    assert_eq!(
        Some(canonical.host.as_str()),
        text(vector, "domain"),
        "{input}"
    );
    assert_eq!(
        Some(canonical.path.as_str()),
        text(vector, "path"),
        "{input}"
    );
}

/// `ParseDockerRef`: canonical, a tag dropped beside a digest, `latest` made explicit.
fn check_docker_ref(vector: &Value) {
    let image = ImageRef::parse(text(vector, "input").unwrap()).unwrap();
    let suffix = match (image.digest(), image.tag()) {
        (Some(digest), _) => format!("@{digest}"),
        (None, tag) => format!(":{}", tag.unwrap_or("latest")),
    };
    let full = format!("{}{suffix}", image.canonical());
    assert_eq!(Some(full.as_str()), text(vector, "expected"));
}

/// `ParseAnyReference`: what is a name there is one here; image ids and bare digests are none.
fn check_any_reference(vector: &Value) {
    let input = text(vector, "Reference").unwrap();
    let equivalent = text(vector, "Equivalent").unwrap();
    if equivalent.starts_with("sha256:") {
        assert!(ImageRef::parse(input).is_err(), "{input}");
    } else {
        let image = ImageRef::parse(input).unwrap();
        assert_eq!(
            format!("{}{}", image.canonical(), image.suffix()),
            equivalent
        );
    }
}

/// `ParseNormalizedNamed`: every spelling of a name means the same registry and path.
fn check_repository_info(vector: &Value) {
    for key in ["FamiliarName", "FullName", "AmbiguousName"] {
        let Some(spelling) = text(vector, key).filter(|name| !name.is_empty()) else {
            continue;
        };
        let canonical = ImageRef::parse(spelling).unwrap().canonical();
        assert_eq!(
            Some(canonical.host.as_str()),
            text(vector, "Domain"),
            "{spelling}"
        );
        assert_eq!(
            Some(canonical.path.as_str()),
            text(vector, "RemoteName"),
            "{spelling}"
        );
        assert_eq!(
            Some(canonical.to_string().as_str()),
            text(vector, "FullName"),
            "{spelling}"
        );
    }
}

fn check_valid(vector: &Value) {
    let input = vector.as_str().unwrap();
    let image = ImageRef::parse(input).unwrap_or_else(|error| panic!("{input} {error}"));
    assert_eq!(image.to_string(), input);
}

fn check_invalid(vector: &Value) {
    let input = vector.as_str().unwrap();
    assert!(ImageRef::parse(input).is_err(), "{input}");
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn every_reference_vector_passes() {
    let vectors = vectors();
    let sections = vectors.as_object().unwrap();
    let mut seen = 0;
    for (name, section) in sections {
        let check = match name.as_str() {
            "parse" => check_parse,
            "parsenamed" => check_parse_named,
            "splithost" => check_split_host,
            "dockerref" => check_docker_ref,
            "anyref" => check_any_reference,
            "repoinfo" => check_repository_info,
            "valid" => check_valid,
            "invalid" => check_invalid,
            other => panic!("section {other} is not checked"),
        };
        for vector in section.as_array().unwrap() {
            check(vector);
            seen += 1;
        }
    }
    println!("{seen} reference vectors passed");
    assert!(seen > 150);
}
