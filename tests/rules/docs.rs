//! The seeds' resources, as they stand.

use std::path::PathBuf;

use super::common::{run, tree};

/// The first block of a language in a file of the seeds that holds `part`.
fn block(language: &str, part: &str) -> String {
    let shared = PathBuf::from(std::env::var_os("ECR_REWRITE_SHARED").expect("ECR_REWRITE_SHARED"));
    let seeds = std::fs::read_dir(shared.join("seeds")).unwrap();
    let texts = seeds.map(|seed| std::fs::read_to_string(seed.unwrap().path()).unwrap());
    let fence = format!("```{language}\n");
    for text in texts {
        let blocks = text
            .split(&fence)
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap());
        if let Some(block) = blocks.into_iter().find(|block| block.contains(part)) {
            return block.to_string();
        }
    }
    panic!("no seed holds `{part}`");
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn the_terraform_of_a_seed_is_read_as_it_stands() {
    let text = block("hcl", "aws_ecr_pull_through_cache_rule");
    let folder = tree(&[("seed.tf", &text)]);
    let (exit, output, talk) = run(folder.path(), &["rules", "import", "seed.tf"]);
    assert_eq!(exit, 0, "{talk}");
    assert!(
        output.contains("upstream: ghcr.io # seed.tf:2\n    prefix: ghcr\n"),
        "{output}"
    );
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED"]
fn the_synthesised_template_is_that_of_the_construct_of_a_seed() {
    let construct = block("typescript", "CfnPullThroughCacheRule");
    let template = std::fs::read_to_string("testdata/rules/synthesised.json").unwrap();
    let template: serde_json::Value = serde_json::from_str(&template).unwrap();
    let resources = template["Resources"].as_object().unwrap();
    let mut count = 0;
    for rule in resources
        .values()
        .filter(|rule| rule["Type"] == "AWS::ECR::PullThroughCacheRule")
    {
        count += 1;
        for (key, value) in rule["Properties"].as_object().unwrap() {
            let key = format!("{}{}", key[..1].to_lowercase(), &key[1..]);
            let said = format!("{key}: '{}'", value.as_str().unwrap());
            assert!(construct.contains(&said), "{said}");
        }
    }
    assert_eq!(
        count,
        construct.matches("new ecr.CfnPullThroughCacheRule").count()
    );
}
