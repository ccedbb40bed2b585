//! Renovate: the `registryAliases` with which it finds new versions of images behind the cache.
//!
//! Renovate takes the first alias whose name and a slash begin the reference, and looks up the rest below
//! its value (`getDep` of its docker managers), so the longest come first.

use super::Registry;

pub(super) fn render(registries: &[Registry<'_>]) -> String {
    let mut aliases: Vec<(String, String)> = Vec::new();
    for registry in registries {
        let Some(host) = registry.host else { continue };
        // Images that move to where something is cached are that.
        let (moves, caches): (Vec<_>, Vec<_>) = registry
            .entries
            .iter()
            .filter(|entry| !entry.rule.is_about(host.as_str()))
            .partition(|entry| entry.rule.is_move());
        for entry in caches.into_iter().chain(moves) {
            let name = match entry.rule.prefix_text() {
                "ROOT" => host.to_string(),
                prefix => format!("{host}/{prefix}"),
            };
            if aliases.iter().all(|(known, _)| *known != name) {
                aliases.push((name, entry.rule.upstream()));
            }
        }
    }
    aliases.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then(one.cmp(other)));
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let lines: Vec<String> = aliases
        .iter()
        .map(|(name, upstream)| format!("    {}: {}", quoted(name), quoted(upstream)))
        .collect();
    if lines.is_empty() {
        return "{\n  \"registryAliases\": {}\n}\n".into();
    }
    format!(
        "{{\n  \"registryAliases\": {{\n{}\n  }}\n}}\n",
        lines.join(",\n")
    )
}
