//! Globs over relative paths, with one meaning wherever users write them.

use globset::{GlobBuilder, GlobSet};

/// Compiles globs over relative paths. A glob without `/` fits at any depth; one that fits a folder
/// fits everything below it.
pub fn path_globs(globs: &[String]) -> Result<GlobSet, globset::Error> {
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
        for form in [anchored.to_string(), format!("{anchored}/**")] {
            set.add(GlobBuilder::new(&form).literal_separator(true).build()?);
        }
    }
    set.build()
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
}
