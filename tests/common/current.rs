//! Generated parts of the tree: each is compared with what the program makes of it now, and written anew
//! with `ECR_REWRITE_BLESS=1`.

use std::fs;
use std::path::Path;

/// Whether generated parts are to be written instead of compared.
pub fn is_blessed() -> bool {
    std::env::var_os("ECR_REWRITE_BLESS").is_some()
}

/// A file that is generated as a whole.
pub fn whole(path: &str, wanted: &str) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if is_blessed() {
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, wanted).unwrap();
        return;
    }
    let found = fs::read_to_string(&place).unwrap_or_default();
    if found != wanted {
        let first = found
            .lines()
            .zip(wanted.lines())
            .find(|(found, wanted)| found != wanted);
        panic!(
            "{path} is not current (the first difference: {first:?}); `ECR_REWRITE_BLESS=1 cargo test --test {}` writes it",
            env!("CARGO_CRATE_NAME")
        );
    }
}

/// What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` in a document: lines of its own.
pub fn part(path: &str, name: &str, wanted: &str) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let page = fs::read_to_string(&place).unwrap();
    let (begin, end) = (
        format!("<!-- {name}:begin -->\n"),
        format!("<!-- {name}:end -->"),
    );
    let parts = page.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some((before, after))
    });
    let (before, after) = parts.unwrap_or_else(|| panic!("{path} has no `{}`", begin.trim_end()));
    whole(path, &format!("{before}{begin}{wanted}{end}{after}"));
}
