//! Which repository this one is, as far as git says so: files that a release reads of another one are not
//! those that lie here, whatever their paths.

use std::fs;
use std::path::{Path, PathBuf};

/// Larger configurations of git are none.
const MAX_BYTES: u64 = 1 << 20;

/// The names under which the repository is known elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Remotes(Vec<String>);

impl Remotes {
    /// Reads the remotes of the repositories in these folders, or above them.
    pub fn of(roots: &[PathBuf]) -> Self {
        let configs = roots.iter().filter_map(|root| config(root));
        Self(configs.flat_map(|text| urls(&text)).collect())
    }

    /// The first of the URLs that is of none of them; nothing when git does not know any. A fork and a mirror
    /// have the name of what they are made from.
    pub(super) fn elsewhere<'u>(&self, urls: &'u [String]) -> Option<&'u str> {
        let is_own = |url: &String| {
            let is_same = |known: &String| name_of(known).eq_ignore_ascii_case(name_of(url));
            url.contains("{{") || self.0.iter().any(is_same)
        };
        let mut others = urls.iter().filter(|url| !self.0.is_empty() && !is_own(url));
        others.next().map(String::as_str)
    }
}

/// The last part of a URL: the name of a repository.
fn name_of(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    let url = url.strip_suffix(".git").unwrap_or(url);
    url.rsplit(['/', ':']).next().unwrap_or(url)
}

/// The configuration of git for a folder.
fn config(folder: &Path) -> Option<String> {
    let mut above = folder.ancestors().map(|folder| folder.join(".git"));
    let git = above.find(|git| git.exists())?;
    let text = |path: &Path| {
        let size = path.metadata().ok()?.len();
        (size <= MAX_BYTES).then(|| fs::read_to_string(path).ok())?
    };
    if git.is_dir() {
        return text(&git.join("config"));
    }
    // A worktree says where the rest lies.
    let pointer = text(&git)?;
    let own = folder_of(&git).join(pointer.strip_prefix("gitdir:")?.trim());
    let common = text(&own.join("commondir"));
    let common = common.map_or(own.clone(), |common| own.join(common.trim()));
    text(&common.join("config"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// The URLs of the remotes in a configuration.
fn urls(config: &str) -> Vec<String> {
    let mut is_remote = false;
    let mut urls = Vec::new();
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            is_remote = line.starts_with("[remote ");
        } else if let (true, Some((key, url))) = (is_remote, line.split_once('=')) {
            urls.extend((key.trim() == "url").then(|| url.trim().to_string()));
        }
    }
    urls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_repositories_are_told_from_this_one() {
        let remotes = Remotes(urls(
            "[core]\n\turl = x\n[remote \"origin\"]\n\turl = git@github.com:acme/fleet.git\n\tfetch = y\n",
        ));
        for (url, is_other) in [
            ("https://github.com/acme/fleet", false),
            ("https://mirror.example/acme/Fleet.git/", false),
            ("https://github.com/acme/values.git", true),
            ("{{ .repo }}", false),
            ("x", true),
        ] {
            let urls = [url.to_string()];
            assert_eq!(remotes.elsewhere(&urls).is_some(), is_other, "{url}");
            assert_eq!(Remotes::default().elsewhere(&urls), None);
        }
    }
}
