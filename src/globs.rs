//! Globs over relative paths, with one meaning wherever users write them.

use globset::{Glob, GlobBuilder, GlobSet};

/// Compiles globs over relative paths. A glob without `/` fits at any depth; one that fits a folder
/// fits everything below it.
pub fn path_globs(globs: &[String]) -> Result<GlobSet, globset::Error> {
    compile(globs, &["", "/**"])
}

/// The same for globs that fit files and nothing else: one that fits a folder says nothing of what
/// is in it.
pub fn file_globs(globs: &[String]) -> Result<GlobSet, globset::Error> {
    compile(globs, &[""])
}

/// Compiles every glob with each of these ends.
fn compile(globs: &[String], ends: &[&str]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSet::builder();
    for glob in globs {
        let glob = glob
            .strip_prefix("./")
            .unwrap_or(glob)
            .trim_end_matches('/');
        let anchored = if glob.contains('/') {
            glob.to_string()
        } else {
            format!("**/{glob}")
        };
        let anchored = anchored.trim_start_matches('/');
        for end in ends {
            let form = format!("{anchored}{end}");
            set.add(GlobBuilder::new(&form).literal_separator(true).build()?);
        }
    }
    set.build()
}

/// A glob that is ready to be asked. One that is too large is an error, where `Glob::compile_matcher` would
/// panic: anybody may have written it.
pub fn ready(glob: Glob) -> Result<GlobSet, globset::Error> {
    GlobSet::builder().add(glob).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_fit_folders_and_any_depth() {
        let globs = path_globs(&["legacy".into(), "a/*.yaml".into()]).unwrap();
        for (path, fits) in [
            ("legacy/x.yaml", true),
            ("b/legacy/c/x.yaml", true),
            ("a/x.yaml", true),
            ("a/b/x.yaml", false),
            ("b/a/x.yaml", false),
        ] {
            assert_eq!(globs.is_match(path), fits, "{path}");
        }
    }

    #[test]
    fn what_is_too_large_is_an_error() {
        let deep = "{a,".repeat(2_000) + &"}".repeat(2_000);
        assert!(ready(Glob::new(&deep).unwrap()).is_err());
        assert!(path_globs(&[deep]).is_err());
    }

    #[test]
    fn globs_of_files_do_not_reach_below_folders() {
        let globs = file_globs(&["m/*.k8s".into(), "conf".into()]).unwrap();
        for (path, fits) in [
            ("m/x.k8s", true),
            ("a/m/x.k8s", false),
            ("a/conf", true),
            ("conf/x.sh", false),
        ] {
            assert_eq!(globs.is_match(path), fits, "{path}");
        }
    }
}
