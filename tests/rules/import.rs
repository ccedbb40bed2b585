//! Every kind of source, what is wrong in it, and where each rule is said to stand.

use std::path::Path;

use super::common::{run, run_with_input, tree};

fn testdata() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rules")
}

/// The rules that a source of the testdata has, as `upstream=prefix line`.
fn rules(name: &str) -> (Vec<String>, String) {
    let (exit, output, talk) = run(&testdata(), &["rules", "import", name]);
    assert_eq!(exit, 0, "{name}: {talk}");
    let lines: Vec<&str> = output.lines().collect();
    let rules = lines.windows(2).filter_map(|pair| {
        let (upstream, place) = pair[0].strip_prefix("  - upstream: ")?.split_once(" # ")?;
        let prefix = pair[1].strip_prefix("    prefix: ")?;
        Some(format!("{upstream}={prefix} {place}"))
    });
    (rules.collect(), talk)
}

#[test]
fn every_kind_of_source_is_read_with_its_lines() {
    for (name, wanted) in [
        (
            "described.json",
            &[
                "docker.io=docker-hub described.json:3",
                "quay.io=quay described.json:13",
            ][..],
        ),
        (
            "template.yaml",
            &[
                "docker.io=docker-hub template.yaml:12",
                "quay.io=quay template.yaml:18",
                "ghcr.io/acme=github template.yaml:23",
            ],
        ),
        (
            "synthesised.json",
            &[
                "docker.io=docker-hub synthesised.json:3",
                "quay.io=quay synthesised.json:13",
                "ghcr.io=ghcr synthesised.json:23",
            ],
        ),
        (
            "ecr.tf",
            &[
                "docker.io=docker-hub ecr.tf:6",
                "ghcr.io/acme=github ecr.tf:12",
            ],
        ),
        (
            "state.json",
            &[
                "docker.io=docker-hub state.json:18",
                "quay.io=quay state.json:32",
            ],
        ),
        (
            "shown.json",
            &[
                "registry.k8s.io=k8s shown.json:2",
                "quay.io=quay shown.json:4",
            ],
        ),
        ("stack.json", &["docker.io=docker-hub stack.json:17"]),
    ] {
        assert_eq!(rules(name).0, wanted, "{name}");
    }
    let (_, talk) = rules("synthesised.json");
    assert!(talk.contains("synthesised.json:7: AWS does not take `docker.io` as an upstream; read as `registry-1.docker.io`"), "{talk}");
}

#[test]
fn the_registry_is_told_as_far_as_it_is_known() {
    let import = |arguments: &[&str]| {
        let (_, output, talk) = run(&testdata(), &[&["rules", "import"], arguments].concat());
        (output.lines().next().unwrap_or("").to_string(), talk)
    };
    let (line, talk) = import(&["described.json"]);
    assert!(
        line.starts_with("# registry: 012345678901.dkr.ecr.<region>."),
        "{line}"
    );
    assert!(
        talk.contains("account 012345678901") && talk.contains("give `--region`"),
        "{talk}"
    );
    let (line, talk) = import(&["described.json", "--region", "af-south-1"]);
    assert_eq!(
        line, "registry: 012345678901.dkr.ecr.af-south-1.amazonaws.com",
        "{talk}"
    );
    assert_eq!(
        import(&["stack.json"]).0,
        "registry: 012345678901.dkr.ecr.af-south-1.amazonaws.com"
    );
    assert_eq!(
        import(&["state.json"]).0,
        "registry: 012345678901.dkr.ecr.eu-west-1.amazonaws.com"
    );
    assert_eq!(
        import(&[
            "ecr.tf",
            "--account",
            "012345678901",
            "--region",
            "eu-west-1"
        ])
        .0,
        "registry: 012345678901.dkr.ecr.eu-west-1.amazonaws.com"
    );
    let (line, talk) = import(&["state.json", "stack.json"]);
    assert_eq!(
        line,
        "# registry: 012345678901.dkr.ecr.<region>.amazonaws.com # their source says several regions (af-south-1, eu-west-1)",
        "{talk}"
    );
    let (_, talk) = import(&["ecr.tf"]);
    assert!(
        talk.contains("neither account nor region") || talk.contains("say"),
        "{talk}"
    );
}

/// A source with a mistake, and what is said of it.
const WRONG: &[(&str, &str, &[&str])] = &[
    (
        "a.tf",
        "resource \"aws_ecr_pull_through_cache_rule\" \"a\" {\n  ecr_repository_prefix = var.p\n  upstream_registry_url = \"quay.io\"\n}\n",
        &[
            "a.tf:2: `ecr_repository_prefix`",
            "(`var.p`)",
            "terraform show -json",
        ],
    ),
    (
        "a.tf",
        "resource \"aws_ecr_pull_through_cache_rule\" \"a\" {\n  for_each = local.x\n  ecr_repository_prefix = each.key\n}\n",
        &["a.tf:1:", "`for_each`", "terraform show -json"],
    ),
    (
        "a.tf",
        "resource \"aws_ecr_pull_through_cache_rule\" \"a\" {\n  count = 2\n  ecr_repository_prefix = \"quay\"\n  upstream_registry_url = \"quay.io\"\n}\n",
        &["`count`", "terraform show -json"],
    ),
    (
        "a.tf",
        "module \"ecr\" {\n  source = \"./ecr\"\n  registry_pull_through_cache_rules = {}\n}\n",
        &["a.tf:1: module `ecr`", "terraform show -json"],
    ),
    (
        "a.tf",
        "module \"b\" {\n  source = \"./b\"\n}\nmodule \"c\" {}\n",
        &[
            "a.tf:1: no rule stands here",
            "(`b`, `c`)",
            "terraform show -json",
        ],
    ),
    (
        "a.tf",
        "resource \"x\" {\n",
        &["a.tf:1: invalid block body"],
    ),
    (
        "a.tf.json",
        "{\"resource\": {\"aws_ecr_pull_through_cache_rule\": {\"a\": {\n\"ecr_repository_prefix\": \"${var.p}\", \"upstream_registry_url\": \"quay.io\"}}}}",
        &["a.tf.json:2:", "${var.p}"],
    ),
    (
        "a.yaml",
        "Resources:\n  A:\n    Type: AWS::ECR::PullThroughCacheRule\n    Properties:\n      EcrRepositoryPrefix: !Ref P\n      UpstreamRegistryUrl: quay.io\n",
        &[
            "a.yaml:5:",
            "Ref: P",
            "describe-pull-through-cache-rules",
            "--from-aws",
        ],
    ),
    (
        "a.json",
        "{\"pullThroughCacheRules\": [{\"ecrRepositoryPrefix\": \"UPPER\", \"upstreamRegistryUrl\": \"quay.io\"}]}",
        &["a.json:1:", "prefix `UPPER`"],
    ),
    (
        "a.json",
        "{\"pullThroughCacheRules\": [\n{\"ecrRepositoryPrefix\": \"quay\"}]}",
        &["a.json:2:", "`upstreamRegistryUrl`"],
    ),
    (
        "a.json",
        "{\"pullThroughCacheRules\": [",
        &["a.json:1:", "EOF"],
    ),
    (
        "a.json",
        "{\"modules\": [], \"version\": 3}",
        &["old version", "terraform show -json"],
    ),
    (
        "a.json",
        "",
        &["a.json: is empty", "describe-pull-through-cache-rules"],
    ),
    ("a.json", "[]", &["holds no pull-through cache rules"]),
    (
        "values.yaml",
        "image: {repository: nginx}\n",
        &[
            "values.yaml: holds no pull-through cache rules",
            "CloudFormation",
        ],
    ),
    (
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\n",
        &["looks like a Kubernetes manifest"],
    ),
    (
        "c.yaml",
        "rules:\n- {upstream: docker.io, prefix: x1}\n",
        &["--config"],
    ),
    ("a.yaml", "a: [\n", &["a.yaml:"]),
    (
        "a.json",
        "[{\"ecrRepositoryPrefix\": \"ghcr\",\n\"upstreamRegistryUrl\": \"ghcr.io/acme\"}]",
        &[
            "a.json:2: `upstreamRegistryUrl`",
            "write `ghcr.io`, and `acme` as `upstreamRepositoryPrefix`",
        ],
    ),
    (
        "a.json",
        "[{\"ecrRepositoryPrefix\": \"quay\", \"upstreamRegistryUrl\": \"quay.io\",\n\"upstreamRegistry\": \"docker-hub\"}]",
        &[
            "a.json:2: `upstreamRegistry` of the rule is `docker-hub`",
            "`quay.io`",
        ],
    ),
    (
        "a.json",
        "[{\"ecrRepositoryPrefix\": \"mcr\", \"upstreamRegistryUrl\": \"mcr.microsoft.com\", \"upstreamRegistry\": \"azure-container-registry\"}]",
        &["two upstreams"],
    ),
    (
        "a.json",
        "[{\"ecrRepositoryPrefix\": \"quay\", \"upstreamRegistryUrl\": \"quay.io\",\n\"registryId\": \"123\"}]",
        &["a.json:2: `registryId` of the rule: account id `123` has 3 digits"],
    ),
    (
        "a.json",
        "[{\"ecrRepositoryPrefix\": \"quay\", \"upstreamRegistryUrl\": \"quay.io\",\n\"registryId\": 12345678901}]",
        &[
            "a.json:2: `registryId` of the rule",
            "11 digits",
            "leading zeros count",
        ],
    ),
    (
        "a.json",
        "{\"deployment\": {\"resources\": [{\"type\": \"aws:ecr/pullThroughCacheRule:PullThroughCacheRule\", \"urn\": \"a::b\", \"outputs\": {\n\"ecrRepositoryPrefix\": {\"4dabf18193072939515e22adb298388d\": \"1b47061264138c4ac30d75fd1eb44270\", \"ciphertext\": \"x\"}, \"upstreamRegistryUrl\": \"quay.io\"}}]}}",
        &[
            "a.json:2: `ecrRepositoryPrefix` of `b` is a secret",
            "--show-secrets",
        ],
    ),
    (
        "a.tf",
        "locals {\n  a = local.b\n  b = local.a\n}\nresource \"aws_ecr_pull_through_cache_rule\" \"a\" {\n  ecr_repository_prefix = local.a\n  upstream_registry_url = \"quay.io\"\n}\n",
        &["a.tf:6:", "(`local.a`)"],
    ),
    (
        "a.yaml",
        "Resources:\n  A:\n    Type: AWS::ECR::PullThroughCacheRule\n    Properties:\n      EcrRepositoryPrefix: !Sub ['${x}-${AWS::Region}', {x: hub}]\n      UpstreamRegistryUrl: quay.io\n",
        &["a.yaml:5:", "`EcrRepositoryPrefix`"],
    ),
    ("nowhere.json", "\0", &["nowhere.json: holds NUL bytes"]),
    (
        "a.json",
        "{\"version\": 4, \"terraform_version\": \"1\", \"lineage\": \"x\", \"resources\": [{\"mode\": \"managed\", \"type\": \"aws_ecr_pull_through_cache_rule\", \"name\": \"t\", \"instances\": [{\"index_key\": 0, \"attributes\": {\"upstream_registry_url\": \"quay.io\"}}]}]}",
        &["a.json:1: `aws_ecr_pull_through_cache_rule.t[0]` has no `ecr_repository_prefix`"],
    ),
];

#[test]
fn what_is_wrong_is_said_with_its_line_and_what_to_do() {
    for (name, text, parts) in WRONG {
        let folder = tree(&[(name, text)]);
        for arguments in [
            &["rules", "import", name][..],
            &["rules", "show", "--rules", name],
        ] {
            let (exit, output, talk) = run(folder.path(), arguments);
            assert_eq!((exit, output.as_str()), (2, ""), "{text}: {talk}");
            for part in *parts {
                assert!(
                    talk.contains(part),
                    "{arguments:?} {text}: `{part}` is not in: {talk}"
                );
            }
        }
    }
    let folder = tree(&[("d/x", "")]);
    for (source, part) in [("d", "is a folder"), ("none", "No such file")] {
        let (exit, _, talk) = run(folder.path(), &["rules", "import", source]);
        assert!(exit == 2 && talk.contains(part), "{talk}");
    }
    let (exit, _, talk) = run(folder.path(), &["rules", "import"]);
    assert!(exit == 2 && talk.contains("SOURCE"), "{talk}");
}

#[test]
fn what_can_be_read_is_printed_beside_what_cannot() {
    let text = "locals {\n  p = \"hub\"\n}\nresource \"aws_ecr_pull_through_cache_rule\" \"a\" {\n  ecr_repository_prefix = local.p\n  upstream_registry_url = \"docker.io\"\n}\nresource \"aws_ecr_pull_through_cache_rule\" \"b\" {\n  ecr_repository_prefix = var.p\n  upstream_registry_url = \"quay.io\"\n}\n";
    let folder = tree(&[("a.tf", text)]);
    let (exit, output, talk) = run(folder.path(), &["rules", "import", "a.tf"]);
    assert_eq!(exit, 2, "{talk}");
    assert!(
        output.contains("upstream: docker.io # a.tf:4\n    prefix: hub\n"),
        "{output}"
    );
    assert!(talk.contains("error: a.tf:9:"), "{talk}");
    // Rules that are only partly known decide nothing.
    let (exit, _, talk) = run(folder.path(), &[".", "--rules", "a.tf", "--dry-run"]);
    assert!(exit == 2 && talk.contains("a.tf:9:"), "{talk}");
}

/// Sources, what is warned of, and the one rule that they hold.
const READ: &[(&str, &str, &str, &str)] = &[
    (
        "a.json",
        "[{\"ecrRepositoryPrefix\": \"hub\", \"upstreamRegistryUrl\": \"https://registry-1.docker.io/v2/\"}]",
        "a.json:1: AWS takes a host as an upstream, not `https://registry-1.docker.io/v2/`; read as `registry-1.docker.io`",
        "docker.io=hub",
    ),
    (
        "a.json",
        "[{\"ecrRepositoryPrefix\": \"hub\", \"upstreamRegistryUrl\": \"https://index.docker.io/v1/\"}]",
        "AWS does not take `index.docker.io`",
        "docker.io=hub",
    ),
    (
        "a.json",
        "[{\"ecrRepositoryPrefix\": \"qq\", \"upstreamRegistryUrl\": \"quay.io:443\"}]",
        "not `quay.io:443`; read as `quay.io`",
        "quay.io=qq",
    ),
    (
        "a.json",
        "[{\"ecrRepositoryPrefix\": \"qq\", \"upstreamRegistryUrl\": \"https://quay.io/\", \"upstreamRegistry\": \"quay\", \"registryId\": 123456789012}]",
        "account 123456789012",
        "quay.io=qq",
    ),
    (
        "a.json",
        "{\"deployment\": {\"resources\": [{\"type\": \"aws:ecr/pullThroughCacheRule:PullThroughCacheRule\", \"urn\": \"a::b\", \"outputs\": {\"credentialArn\": {\"4dabf18193072939515e22adb298388d\": \"x\", \"ciphertext\": \"x\"}, \"ecrRepositoryPrefix\": {\"4dabf18193072939515e22adb298388d\": \"1b47061264138c4ac30d75fd1eb44270\", \"plaintext\": \"\\\"qq\\\"\"}, \"upstreamRegistryUrl\": \"quay.io\"}}]}}",
        "",
        "quay.io=qq",
    ),
    (
        "a.yaml",
        "Resources:\n  A:\n    Type: AWS::ECR::PullThroughCacheRule\n    Properties:\n      EcrRepositoryPrefix: !Sub ['${x}-${ y }', {x: docker, y: !Join &j ['', [h, ub]]}]\n      UpstreamRegistryUrl: registry-1.docker.io\n",
        "",
        "docker.io=docker-hub",
    ),
    (
        "a.tf",
        "locals {\n  m = { a = \"hub\" }\n  n = local.m.a\n  o = \"${local.n}\"\n}\nresource \"aws_ecr_pull_through_cache_rule\" \"a\" {\n  ecr_repository_prefix = local.o\n  upstream_registry_url = \"quay.io\"\n}\n",
        "",
        "quay.io=hub",
    ),
    (
        "a.tf",
        "locals {\n  m = { \"a\" = \"hub\" }\n}\nresource \"aws_ecr_pull_through_cache_rule\" \"a\" {\n  ecr_repository_prefix = local.m[\"a\"]\n  upstream_registry_url = \"quay.io\"\n}\n",
        "",
        "quay.io=hub",
    ),
    (
        "a.tf",
        "resource \"aws_ecr_pull_through_cache_rule\" \"a\" {\n  ecr_repository_prefix = (\"hub\")\n  upstream_registry_url = \"quay.io\"\n}\n",
        "",
        "quay.io=hub",
    ),
    (
        "a.yaml",
        "Resources:\n  N:\n    Type: AWS::CloudFormation::Stack\n  A:\n    Type: AWS::ECR::PullThroughCacheRule\n    Properties: {EcrRepositoryPrefix: !other qq, UpstreamRegistryUrl: quay.io}\n",
        "a.yaml:3: `N` is a stack of its own",
        "quay.io=qq",
    ),
    (
        "a.json",
        "{\"version\": 4, \"terraform_version\": \"1\", \"lineage\": \"x\", \"resources\": [{\"mode\": \"managed\", \"type\": \"aws_ecr_pull_through_cache_rule\", \"name\": \"t\", \"instances\": [{\"index_key\": 0, \"attributes\": {\"ecr_repository_prefix\": \"hub\", \"upstream_registry_url\": \"registry-1.docker.io:443\"}}]}]}",
        "not `registry-1.docker.io:443`",
        "docker.io=hub",
    ),
    (
        "a.json",
        "[{\"ecrRepositoryPrefix\": \"qq\", \"upstreamRegistry\": \"quay\"}]",
        "",
        "quay.io=qq",
    ),
];

#[test]
fn what_is_written_in_other_words_is_read_and_said() {
    for (name, text, part, rule) in READ {
        let folder = tree(&[(name, text)]);
        let (exit, output, talk) = run(folder.path(), &["rules", "import", name]);
        assert_eq!(exit, 0, "{text}: {talk}");
        assert!(talk.contains(part), "{text}: {talk}");
        let (upstream, prefix) = rule.split_once('=').unwrap();
        assert!(
            output.contains(&format!("upstream: {upstream} #"))
                && output.contains(&format!("prefix: {prefix}\n")),
            "{text}: {output}"
        );
        assert_eq!(output.matches("upstream:").count(), 1, "{output}");
    }
}

#[test]
fn sources_that_are_given_together_complete_each_other() {
    let folder = tree(&[
        (
            "locals.tf",
            "provider \"aws\" {\n  region = local.region\n}\nlocals {\n  p = \"hub\"\n  region = \"eu-west-3\"\n}\n",
        ),
        (
            "ecr.tf",
            "resource \"aws_ecr_pull_through_cache_rule\" \"a\" {\n  ecr_repository_prefix = local.p\n  upstream_registry_url = \"quay.io\"\n}\n",
        ),
        (
            "one.json",
            "{\"pullThroughCacheRules\": [], \"nextToken\": \"x\"}",
        ),
        (
            "two.json",
            "{\"pullThroughCacheRules\": [{\"ecrRepositoryPrefix\": \"qq\", \"upstreamRegistryUrl\": \"quay.io\"}]}",
        ),
    ]);
    let import = |arguments: &[&str]| {
        let (exit, output, talk) = run(folder.path(), &[&["rules", "import"], arguments].concat());
        (exit, output + &talk)
    };
    for pair in [["ecr.tf", "locals.tf"], ["locals.tf", "ecr.tf"]] {
        let (exit, said) = import(&[&pair[..], &["--account", "123456789012"]].concat());
        assert_eq!(exit, 0, "{said}");
        assert!(
            said.contains("quay.io # ecr.tf:1\n    prefix: hub\n"),
            "{said}"
        );
        assert!(
            said.contains("registry: 123456789012.dkr.ecr.eu-west-3."),
            "{said}"
        );
        assert!(!said.contains("holds no pull-through"), "{said}");
    }
    assert_eq!(import(&["ecr.tf"]).0, 2);
    let (exit, said) = import(&["locals.tf"]);
    assert!(
        exit == 0 && said.contains("locals.tf: holds no pull-through"),
        "{said}"
    );
    // An answer that goes on in the next file, or in the next value of a file, is whole.
    let goes_on = "the answer goes on after this page";
    assert!(!import(&["one.json", "two.json"]).1.contains(goes_on));
    assert!(import(&["two.json", "one.json"]).1.contains(goes_on));
    assert!(import(&["one.json", "locals.tf"]).1.contains(goes_on));
    let page = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    for (text, is_open) in [
        (page("one.json") + "\n" + &page("two.json"), false),
        (
            format!("[{}, {}]", page("one.json"), page("two.json")),
            false,
        ),
        (page("two.json") + "\n" + &page("one.json"), true),
    ] {
        let (_, _, talk) =
            run_with_input(folder.path(), &["rules", "import", "-"], text.as_bytes());
        assert_eq!(talk.contains(goes_on), is_open, "{text}: {talk}");
    }
}

#[test]
fn what_aws_would_not_take_is_warned_of() {
    let rule = |prefix: &str, url: &str| {
        format!(
            "{{\"ecrRepositoryPrefix\": \"{prefix}\", \"upstreamRegistryUrl\": \"{url}\", \"registryId\": \"123456789012\"}}"
        )
    };
    let many: Vec<String> = (0..51)
        .map(|number| rule(&format!("p{number}"), &format!("r{number}.azurecr.io")))
        .collect();
    for (rules, part) in [
        (
            vec![rule("a1", "quay.io"), rule("a1/b", "ghcr.io")],
            "prefix `a1/b` (r.json:1) lies inside `a1`",
        ),
        (
            vec![rule("a1", "quay.io"), rule("b1", "quay.io")],
            "two rules for `quay.io`",
        ),
        (vec![rule("ROOT", "quay.io")], "has the prefix `ROOT`"),
        (
            vec![rule("mcr", "mcr.microsoft.com")],
            "AWS does not cache `mcr.microsoft.com`",
        ),
        (many, "holds 51 rules; AWS takes 50"),
        (vec![], "holds no pull-through cache rules"),
    ] {
        let text = format!("{{\"pullThroughCacheRules\": [{}]}}", rules.join(", "));
        let folder = tree(&[("r.json", &text)]);
        let (exit, _, talk) = run(folder.path(), &["rules", "import", "r.json"]);
        assert!(exit == 0 && talk.contains(part), "{part}: {talk}");
    }
    let folder = tree(&[]);
    let page = |token: &str| {
        format!(
            "{{\"pullThroughCacheRules\": [{}]{token}}}",
            rule("a1", "quay.io")
        )
    };
    let (_, _, talk) = run_with_input(
        folder.path(),
        &["rules", "import", "-"],
        page(", \"nextToken\": \"x\"").as_bytes(),
    );
    assert!(
        talk.contains("standard input:1: the answer goes on"),
        "{talk}"
    );
    let hcl = "resource \"aws_ecr_pull_through_cache_rule\" \"a\" {\n  ecr_repository_prefix = \"quay\"\n  upstream_registry_url = \"quay.io\"\n}\nmodule \"caches\" {\n  source = \"./more\"\n}\n";
    let folder = tree(&[("a.tf", hcl)]);
    let (exit, _, talk) = run(folder.path(), &["rules", "import", "a.tf"]);
    let said = "a.tf:5: module `caches` may make rules";
    assert!(exit == 0 && talk.contains(said), "{talk}");
}

#[test]
fn sources_of_any_size_and_depth_are_read_or_refused() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let folder = tree(&[
        ("deep.json", &deep),
        ("deep.tf", &format!("a = {deep}\n")),
        ("deep.yaml", &format!("a: {deep}\n")),
    ]);
    for name in ["deep.json", "deep.tf", "deep.yaml"] {
        let (exit, _, talk) = run(folder.path(), &["rules", "import", name]);
        assert_eq!(exit, 2, "{name}: {talk}");
    }
    let bucket = "{\"mode\": \"managed\", \"type\": \"aws_s3_bucket\", \"name\": \"b\", \"instances\": []},\n".repeat(100_000);
    let big = format!(
        "{{\"version\": 4, \"serial\": 1, \"resources\": [{bucket}{{\"type\": \"aws_ecr_pull_through_cache_rule\", \"name\": \"x\", \"instances\": [{{\"attributes\": {{\"ecr_repository_prefix\": \"quay\", \"upstream_registry_url\": \"quay.io\"}}}}]}}]}}"
    );
    let folder = tree(&[("big.tfstate", &big)]);
    let (exit, output, talk) = run(folder.path(), &["rules", "import", "big.tfstate"]);
    assert_eq!(exit, 0, "{talk}");
    assert!(output.contains("quay.io # big.tfstate:100001"), "{output}");
}
