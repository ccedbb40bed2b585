//! The small languages within a config: keys of values, and globs over names of images.

use crate::image::DOCKER_HUB;
use crate::rules::upstreams::canonical_host;
use crate::sites::Template;

/// How an entry of `sites` for objects is written.
pub(super) const FIELD_HELP: &str = "write it as in `{kind: RunnerDeployment, path: spec/template/spec/image}`: keys joined with `/`, `*` for any";
/// How an entry of `sites` for values is written.
pub(super) const TEMPLATE_HELP: &str =
    r#"write the keys as in `values: "{{ .proxy.hub }}/{{ .proxy.name }}:{{ .proxy.tag }}"`"#;

/// Reads `{{ .proxy.hub }}/{{ .proxy.name }}:{{ .proxy.tag }}`: the keys that are joined with `/` before
/// the tag. A leading `.Values` is fine.
pub(super) fn template(text: &str) -> Result<Template, String> {
    let mut paths = Template::new();
    let mut rest = text.trim();
    loop {
        let Some((action, after)) = rest
            .strip_prefix("{{")
            .and_then(|rest| rest.split_once("}}"))
        else {
            return Err(format!("`{text}` is not made of keys alone"));
        };
        let action = action.trim_matches(['-', ' ']);
        let path: Vec<String> = action
            .strip_prefix('.')
            .ok_or_else(|| format!("`{action}` is not a key of values"))?
            .split('.')
            .skip_while(|key| *key == "Values")
            .map(Into::into)
            .collect();
        let is_key = |key: &String| {
            !key.is_empty()
                && key
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        };
        if path.is_empty() || !path.iter().all(is_key) {
            return Err(format!("`{action}` is not a key of values"));
        }
        paths.push(path);
        match after.chars().next() {
            None | Some(':' | '@') => return Ok(paths),
            Some('/') => rest = &after[1..],
            Some(_) => return Err(format!("`{text}` is not made of keys joined with `/`")),
        }
    }
}

/// Why a glob over canonical names (`docker.io/library/nginx`) can never match one, and what to write.
pub(super) fn never_matches(glob: &str) -> Option<(String, String)> {
    let wild = |text: &str| text.contains(['*', '?', '[', '{', '\\']);
    let (first, rest) = match glob.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (glob, None),
    };
    let name_start = glob.rfind('/').map_or(0, |at| at + 1);
    if let Some(at) = glob
        .find('@')
        .or_else(|| glob[name_start..].find(':').map(|at| name_start + at))
        && (rest.is_some() || !wild(glob))
    {
        let why = "globs are matched with the name, without tag and digest";
        let name = &glob[..at];
        let help = never_matches(name).map_or_else(|| format!("write `{name}`"), |(_, help)| help);
        return Some((why.into(), help));
    }
    if wild(first) {
        // `**` stands for any number of folders, a single `*` for no slash.
        let single = rest.is_none() && !glob.contains("**") && !glob.contains('{');
        let why = "names have a host in front";
        return single.then(|| (why.into(), format!("write `**/{glob}`")));
    }
    let is_host = first.contains(['.', ':']) || first == "localhost";
    let Some(rest) = rest.filter(|_| is_host) else {
        let whole = if is_host {
            format!("{glob}/**")
        } else if glob.contains('/') {
            format!("{DOCKER_HUB}/{glob}")
        } else {
            format!("{DOCKER_HUB}/library/{glob}")
        };
        let why = if is_host {
            "it is a host alone"
        } else {
            "names have a host in front"
        };
        return Some((why.into(), format!("write `{whole}`")));
    };
    let host = canonical_host(first);
    let official = host == DOCKER_HUB && !rest.contains('/') && !rest.contains("**");
    if host != first || official && !rest.contains('{') {
        let library = if official { "library/" } else { "" };
        let why = "images are matched by the name that Docker gives them";
        return Some((why.into(), format!("write `{host}/{library}{rest}`")));
    }
    None
}
