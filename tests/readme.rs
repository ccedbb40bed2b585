//! The README's commands run as it says, and its table is the program's.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

use ecr_rewrite::rules::upstreams::{Credential, UPSTREAMS};

#[test]
fn its_commands_do_what_it_shows() {
    trycmd::TestCases::new().case("README.md").run();
}

#[test]
fn its_table_of_upstreams_is_the_programs() {
    let row = |upstream: &ecr_rewrite::rules::upstreams::Upstream| {
        let hosts = [&[upstream.host], upstream.synonyms].concat().join(", ");
        let credential = match upstream.credential {
            Credential::None => "none",
            Credential::Secret => "secret",
        };
        format!(
            "| {} | {hosts} | {} | {credential} |\n",
            upstream.api_name, upstream.default_prefix
        )
    };
    let table: String = UPSTREAMS.iter().map(row).collect();
    let head = "| upstream | hosts in references | prefix of `default` | credential in AWS |\n|---|---|---|---|\n";
    let wanted = format!("<!-- upstreams:begin -->\n{head}{table}<!-- upstreams:end -->");
    let readme = std::fs::read_to_string("README.md").unwrap();
    assert!(readme.contains(&wanted), "the table should be:\n{wanted}");
}
