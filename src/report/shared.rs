//! What the reports for programs have in common: paths, where something is stated, and who wrote them.

use std::path::Path;

use serde::Serialize;

use super::percent;
use crate::rules::Origin;

/// What every one of them says at its head.
pub(super) const PROGRAM: &str = concat!("ecr-rewrite ", env!("CARGO_PKG_VERSION"));

/// A path. Where it is not UTF-8, `pathBytes` has it whole, with `%XX` for everything but letters,
/// digits and `-._~/`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JsonPath {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
}

/// A path, as reports say it.
pub(super) fn path_of(path: &Path) -> JsonPath {
    JsonPath {
        path: path.to_string_lossy().into_owned(),
        path_bytes: path.to_str().is_none().then(|| percent(path)),
    }
}

/// Where something was stated.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JsonOrigin {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
}

/// Where a rule was stated, as reports say it.
pub(super) fn origin_of(origin: &Origin) -> JsonOrigin {
    let (kind, name, path, line) = match origin {
        Origin::Flag(name) => ("flag", Some(*name), None, None),
        Origin::Environment(name) => ("environment", Some(*name), None, None),
        Origin::Config(path, line) => {
            let path = path.to_string_lossy().into_owned();
            ("config", None, Some(path), Some(*line))
        }
        Origin::Source(path, line) => {
            let path = path.to_string_lossy().into_owned();
            ("source", None, Some(path), Some(*line))
        }
        Origin::Aws(_) => ("aws", Some("--from-aws"), None, None),
        Origin::BuiltIn => ("built-in", None, None, None),
    };
    JsonOrigin {
        kind,
        name,
        path,
        line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn paths_that_are_not_text_are_kept_whole() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"a/b \xff%.yaml"));
        let json = path_of(path);
        assert_eq!(json.path, "a/b \u{fffd}%.yaml");
        assert_eq!(json.path_bytes.as_deref(), Some("a/b%20%FF%25.yaml"));
        assert_eq!(path_of(Path::new("ü.yaml")).path_bytes, None);
    }
}
