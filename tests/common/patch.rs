//! A small reader of unified diffs, which knows nothing of the program that wrote them. `git apply` and
//! `patch` are asked in `tests/cases.rs`; this one is quick enough to be asked a hundred thousand times.

/// The texts of a patch by their names, as they stand in its headers: the hunks of each.
fn files(patch: &str) -> Vec<(&str, Vec<&str>)> {
    let mut files: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut lines = patch.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        // A removed line may begin with `-- `, but only a header has a second one behind it.
        let second = lines.peek().is_some_and(|next| next.starts_with("+++ b/"));
        match (line.strip_prefix("--- a/"), files.last_mut()) {
            (Some(name), _) if second => {
                lines.next();
                let name = name.trim_end_matches('\n');
                files.push((name.trim_end_matches('\t'), Vec::new()));
            }
            (_, Some((_, hunks))) => hunks.push(line),
            (_, None) => panic!("{line:?} stands in front of the first header"),
        }
    }
    files
}

/// The text of one file with the patch applied; `None` when it does not fit.
pub fn applied(patch: &str, name: &str, before: &str) -> Option<String> {
    let mut of_name = files(patch).into_iter().filter(|(file, _)| *file == name);
    let Some((_, hunks)) = of_name.next() else {
        return Some(before.to_string());
    };
    assert!(of_name.next().is_none(), "{name} stands there twice");
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let mut after = String::new();
    let mut at = 0;
    let mut lines = hunks.into_iter().peekable();
    while let Some(line) = lines.next() {
        if let Some(range) = line.strip_prefix("@@ -") {
            let start: usize = range.split([',', ' ']).next()?.parse().ok()?;
            let start = start.max(1) - 1;
            after.extend(old.get(at..start)?.iter().copied());
            at = start;
            continue;
        }
        let (sign, mut text) = line.split_at(1);
        if lines.next_if(|next| next.starts_with("\\ ")).is_some() {
            text = text.strip_suffix('\n')?;
        }
        if matches!(sign, " " | "-") {
            if *old.get(at)? != text {
                return None;
            }
            at += 1;
        }
        match sign {
            " " | "+" => after.push_str(text),
            "-" => {}
            _ => return None,
        }
    }
    after.extend(old.get(at..)?.iter().copied());
    Some(after)
}
