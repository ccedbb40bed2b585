//! Real charts, rendered by Helm before and after a run: nothing differs but upstream references,
//! each of which has become its ECR reference.
//!
//! What a reference has to become is said once more in `common/ecr.rs`, so that a mistake of the
//! program cannot prove itself right.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed
#![allow(clippy::print_stdout, clippy::print_stderr)] // figures and skips are for who runs it

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::ecr::{expected, planned_in_text};
use common::tools::HELM;
use common::{REGISTRY, contents, copy, put, run};
use rayon::prelude::*;
use serde::Deserialize;
use serde_yaml::Value;

/// Charts state the versions of Kubernetes they take; a Helm built from source claims an old one.
const KUBE_VERSION: &str = "1.34.0";

/// What charts cannot be rendered without: the values that they require, and no look at schemas that
/// lie elsewhere or refuse the chart's own values.
const NEEDED: &[(&str, &[&str])] = &[
    (
        "app-template",
        &[
            "--skip-schema-validation",
            "--set=controllers.main.containers.main.image.repository=example.com/x",
            "--set=controllers.main.containers.main.image.tag=1",
        ],
    ),
    ("aws-load-balancer-controller", &["--set=clusterName=x"]),
    ("cluster-autoscaler", &["--set=autoDiscovery.clusterName=x"]),
    ("datadog", &["--set=datadog.apiKey=x"]),
    ("external-dns", &["--skip-schema-validation"]),
    ("karpenter", &["--set=settings.clusterName=x"]),
    ("newrelic-logging", &["--set=licenseKey=x,cluster=x"]),
    (
        "opentelemetry-collector",
        &["--set=mode=deployment,image.repository=example.com/x"],
    ),
];

/// Values that bring out images which no `enabled: true` alone does.
const MORE: &[(&str, &str)] = &[
    (
        "argo-cd",
        "server.extensions.enabled=true,server.extensions.extensionList[0].name=x",
    ),
    (
        "aws-ebs-csi-driver",
        "sidecars.snapshotter.forceEnable=true",
    ),
    (
        "bitnami-influxdb",
        "objectStore=file,createAdminTokenJob.enabled=true,\
         defaultInitContainers.volumePermissions.enabled=true",
    ),
    (
        "bitnami-jenkins",
        "configAsCode.enabled=true,agent.enabled=true",
    ),
    (
        "bitnami-kafka",
        "externalAccess.enabled=true,defaultInitContainers.autoDiscovery.enabled=true,\
         serviceAccount.create=true,rbac.create=true,controller.automountServiceAccountToken=true,\
         broker.automountServiceAccountToken=true",
    ),
    (
        "bitnami-kibana",
        "elasticsearch.hosts[0]=x,elasticsearch.port=9200,volumePermissions.enabled=true",
    ),
    (
        "harbor",
        "expose.type=nodePort,expose.tls.auto.commonName=x",
    ),
    (
        "jupyterhub",
        "scheduling.userPlaceholder.enabled=true,scheduling.userPlaceholder.replicas=1,\
         singleuser.cloudMetadata.blockWithIptables=true",
    ),
    (
        "keycloakx",
        "dbchecker.enabled=true,database.hostname=x,database.port=1",
    ),
    (
        "prometheus-node-exporter",
        "permissionInitContainer.fixes.rapl=true",
    ),
    ("spark-operator", "hook.upgradeCrd=true"),
    ("velero", "namespace.labels.a=b"),
];

/// The keys of values that switch a part of a chart on.
const SWITCHES: &[&str] = &["enabled", "create", "install", "deploy"];

#[test]
fn what_a_reference_becomes() {
    let becomes = |reference: &str, path: &str| {
        assert_eq!(expected(reference), Some(format!("{REGISTRY}/{path}")));
    };
    becomes("nginx:1.27", "docker-hub/library/nginx:1.27");
    becomes("index.docker.io/a/b@sha256:0", "docker-hub/a/b@sha256:0");
    becomes("registry.k8s.io/pause:3@sha256:0", "k8s/pause:3@sha256:0");
    assert_eq!(expected("gcr.io/a/b:1"), None);
}

#[test]
fn only_planned_changes_are_accepted() {
    let ecr = |path: &str| format!("{REGISTRY}/{path}");
    let pod = |image: &str, more: &str| format!("spec:\n  image: {image}\n{more}");
    let differ = |before: &str, after: &str| difference(&scalars(before), &scalars(after));

    let fine = differ(&pod("quay.io/a/b:1", ""), &pod(&ecr("quay/a/b:1"), ""));
    assert_eq!((fine.planned.len(), fine.other.len()), (1, 0));
    let in_text = ecr("k8s/x:1");
    let fine = differ(
        "args: [--a=registry.k8s.io/x:1]",
        &format!("args: [--a={in_text}]"),
    );
    assert_eq!((fine.planned.len(), fine.other.len()), (1, 0));

    for (before, after) in [
        // The tag, the path, the order of registry and host.
        (pod("quay.io/a/b:1", ""), pod(&ecr("quay/a/b:2"), "")),
        (pod("quay.io/a/b:1", ""), pod(&ecr("quay/a/c:1"), "")),
        (
            pod("quay.io/a/b:1", ""),
            pod(&format!("quay.io/{}", ecr("quay/a/b:1")), ""),
        ),
        // Lost and added keys, and what is the end of a longer name.
        (pod("quay.io/a/b:1", "  x: 1\n"), pod("quay.io/a/b:1", "")),
        (pod("quay.io/a/b:1", ""), pod("quay.io/a/b:1", "  x: 1\n")),
        (
            pod("b", "  repository: nvcr.io/a\n"),
            pod(&ecr("docker-hub/library/b"), "  repository: nvcr.io/a\n"),
        ),
        // A word in a text.
        (
            "args: [--a b]".into(),
            format!("args: [--a {}]", ecr("docker-hub/library/b")),
        ),
        // A checksum that changed although no image did.
        (
            format!("checksum/a: {}", "0".repeat(64)),
            format!("checksum/a: {}", "1".repeat(64)),
        ),
    ] {
        assert!(
            !differ(&before, &after).other.is_empty(),
            "{before} -> {after}"
        );
    }
}

/// Every scalar of a stream of documents by its place; whether it stands beside the beginning of a
/// name is a part of the value.
type Scalars = BTreeMap<String, (String, bool)>;

/// How two renders differ.
#[derive(Default)]
struct Difference {
    /// References that became what they had to.
    planned: Vec<(String, String)>,
    /// Checksums of texts that hold references.
    derived: usize,
    /// Anything else: place, before, after.
    other: Vec<(String, String, String)>,
}

/// The scalars of what Helm printed; as one text where it is no YAML for a strict parser (Helm lets
/// keys stand twice).
fn scalars(rendered: &str) -> Scalars {
    let documents: Result<Vec<Value>, _> = serde_yaml::Deserializer::from_str(rendered)
        .map(Value::deserialize)
        .collect();
    let mut found = Scalars::new();
    match documents {
        Ok(documents) => {
            for (number, document) in documents.iter().enumerate() {
                let kind = document.get("kind").and_then(Value::as_str).unwrap_or("");
                flatten(document, &format!("{number} {kind}"), false, &mut found);
            }
        }
        Err(_) => drop(found.insert("text".into(), (rendered.into(), false))),
    }
    found
}

fn flatten(value: &Value, at: &str, beside: bool, found: &mut Scalars) {
    let text = match value {
        Value::Mapping(map) if !map.is_empty() => {
            let begins = |key: &str| {
                let text = value.get(key).and_then(Value::as_str);
                text.is_some_and(|text| !text.is_empty())
            };
            for (key, value) in map {
                let key = text_of(key);
                let beside = ["registry", "repository", "hub"]
                    .into_iter()
                    .any(|other| other != key && begins(other));
                flatten(value, &format!("{at}/{key}"), beside, found);
            }
            return;
        }
        Value::Sequence(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                flatten(item, &format!("{at}/{index}"), false, found);
            }
            return;
        }
        Value::Tagged(tagged) => return flatten(&tagged.value, at, beside, found),
        scalar => text_of(scalar),
    };
    found.insert(at.to_string(), (text, beside));
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| format!("{value:?}"), Into::into)
}

fn last_key(at: &str) -> &str {
    at.rsplit('/').next().unwrap_or("")
}

fn is_image_key(key: &str) -> bool {
    key == "image" || key.ends_with("Image")
}

fn difference(before: &Scalars, after: &Scalars) -> Difference {
    let mut found = Difference::default();
    let mut checksums = Vec::new();
    for (at, (text, beside)) in before {
        let Some((new, _)) = after.get(at) else {
            found
                .other
                .push((at.clone(), text.clone(), "nothing".into()));
            continue;
        };
        if new == text {
            continue;
        }
        let whole = is_image_key(last_key(at)) && !beside && expected(text).as_ref() == Some(new);
        let planned = if whole {
            Some(vec![(text.clone(), new.clone())])
        } else {
            planned_in_text(text, new).or_else(|| {
                let secret = at
                    .split('/')
                    .next()
                    .is_some_and(|kind| kind.ends_with("Secret"));
                let (text, new) = secret.then(|| (decoded(text), decoded(new)))?;
                planned_in_text(&text?, &new?)
            })
        };
        // `checksum/config` holds a slash itself.
        let is_checksum = at.contains("checksum")
            && text.len() >= 32
            && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match planned {
            Some(planned) => found.planned.extend(planned),
            None if is_checksum => checksums.push((at.clone(), text.clone(), new.clone())),
            None => found.other.push((at.clone(), text.clone(), new.clone())),
        }
    }
    for (at, (text, _)) in after.iter().filter(|(at, _)| !before.contains_key(*at)) {
        found
            .other
            .push((at.clone(), "nothing".into(), text.clone()));
    }
    if found.planned.is_empty() {
        found.other.append(&mut checksums);
    }
    found.derived = checksums.len();
    found
}

/// Base64, as the data of a Secret is.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Helm over one tree of charts.
struct Renderer {
    helm: PathBuf,
    /// Helm's own folders, so that nothing of the user's counts.
    home: tempfile::TempDir,
}

impl Renderer {
    fn render(&self, tree: &Path, chart: &str, arguments: &[String]) -> Result<Scalars, String> {
        let output = Command::new(&self.helm)
            .args(["template", "x", chart, "--kube-version", KUBE_VERSION])
            .args(arguments)
            .current_dir(tree)
            .env("HOME", self.home.path())
            .env("HELM_CACHE_HOME", self.home.path())
            .env("HELM_CONFIG_HOME", self.home.path())
            .env("HELM_DATA_HOME", self.home.path())
            .output()
            .unwrap();
        if output.status.success() {
            return Ok(scalars(&String::from_utf8(output.stdout).unwrap()));
        }
        let talk = String::from_utf8_lossy(&output.stderr);
        Err(talk
            .lines()
            .find(|line| line.starts_with("Error"))
            .unwrap_or(&talk)
            .to_string())
    }
}

/// What the renders of one chart show.
#[derive(Default)]
struct Tally {
    renders: usize,
    /// Texts under image keys, before.
    references: usize,
    changed: usize,
    unchanged: usize,
    derived: usize,
    /// The ECR references that were seen.
    seen: BTreeSet<String>,
    /// Renders that fail before the run; nothing can be said of those.
    failed_before: Vec<String>,
    /// Differences that were not planned, each with the first place that shows it.
    wrong: BTreeMap<String, String>,
}

struct Proof<'p> {
    renderer: &'p Renderer,
    before: &'p Path,
    after: &'p Path,
}

impl Proof<'_> {
    fn chart(&self, chart: &str) -> Tally {
        let mut tally = Tally::default();
        let needed = NEEDED.iter().filter(|(name, _)| *name == chart);
        let mut base: Vec<String> = needed
            .flat_map(|(_, more)| *more)
            .map(ToString::to_string)
            .collect();
        if chart.starts_with("bitnami-") {
            base.push("--set=global.security.allowInsecureImages=true".into());
        }
        let with = |more: &[String]| [&base, more].concat();
        if !self.compare(chart, &with(&[]), &mut tally) {
            return tally;
        }
        for values in other_values(&self.before.join(chart)) {
            self.compare(
                chart,
                &with(&[format!("--values={chart}/{values}")]),
                &mut tally,
            );
        }
        for (_, more) in MORE.iter().filter(|(name, _)| *name == chart) {
            self.compare(chart, &with(&[format!("--set={more}")]), &mut tally);
        }
        let failed = std::mem::take(&mut tally.failed_before);
        self.switched_on(
            chart,
            &base,
            &switches(&self.before.join(chart)),
            &mut tally,
        );
        // That some switches need more than themselves is no news.
        tally.failed_before = failed;
        tally
    }

    /// All switches at once; in halves where that does not render.
    fn switched_on(&self, chart: &str, base: &[String], switches: &[String], tally: &mut Tally) {
        if switches.is_empty() {
            return;
        }
        let set = switches.iter().map(|switch| format!("--set={switch}=true"));
        let arguments: Vec<String> = base.iter().cloned().chain(set).collect();
        if !self.compare(chart, &arguments, tally) && switches.len() > 1 {
            let (first, second) = switches.split_at(switches.len() / 2);
            self.switched_on(chart, base, first, tally);
            self.switched_on(chart, base, second, tally);
        }
    }

    /// Renders both trees; gives whether the first can be rendered.
    fn compare(&self, chart: &str, arguments: &[String], tally: &mut Tally) -> bool {
        let render = |tree| self.renderer.render(tree, chart, arguments);
        let what = format!("{chart} {}", arguments.join(" "));
        let before = match render(self.before) {
            Ok(before) => before,
            Err(talk) => {
                tally.failed_before.push(format!("{what}: {talk}"));
                return false;
            }
        };
        tally.renders += 1;
        let after = match render(self.after) {
            Ok(after) => after,
            Err(talk) => {
                let key = format!("{chart}: does not render any more: {talk}");
                tally.wrong.entry(key).or_insert(what);
                return true;
            }
        };
        let mut found = difference(&before, &after);
        if !found.other.is_empty() {
            // Passwords and certificates are made up anew by every render.
            let again = render(self.before).unwrap();
            let made_up = |at: &str| before.get(at) != again.get(at);
            found.other.retain(|(at, ..)| !made_up(at));
        }
        for (at, old, new) in found.other {
            let (old, new) = lines_that_differ(&old, &new);
            let key = format!("{chart}: `{old}` became `{new}`");
            tally
                .wrong
                .entry(key)
                .or_insert_with(|| format!("{at}, with {}", arguments.join(" ")));
        }
        for (at, (text, _)) in &before {
            if is_image_key(last_key(at)) {
                tally.references += 1;
                tally.unchanged += usize::from(after.get(at).is_some_and(|(new, _)| new == text));
            }
        }
        tally.changed += found.planned.len();
        tally.derived += found.derived;
        tally
            .seen
            .extend(found.planned.into_iter().map(|(_, new)| new));
        true
    }
}

/// Two texts without the lines that they share, when they have as many.
fn lines_that_differ(old: &str, new: &str) -> (String, String) {
    if old.lines().count() != new.lines().count() {
        return (old.into(), new.into());
    }
    let differing = old.lines().zip(new.lines()).filter(|(old, new)| old != new);
    let (old, new): (Vec<&str>, Vec<&str>) = differing.unzip();
    (old.join("\n"), new.join("\n"))
}

/// The values files of a chart besides its defaults.
fn other_values(chart: &Path) -> Vec<String> {
    let names = fs::read_dir(chart)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    let is_yaml = |name: &str| {
        let path = Path::new(name);
        path.extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml")
    };
    names.retain(|name| name.contains("values") && name != "values.yaml" && is_yaml(name));
    names.sort();
    names
}

/// The paths of the chart's defaults that say `enabled: false` and the like.
fn switches(chart: &Path) -> Vec<String> {
    let text = fs::read_to_string(chart.join("values.yaml")).unwrap_or_default();
    let mut found = Vec::new();
    if let Ok(values) = serde_yaml::from_str(&text) {
        collect_switches(&values, "", &mut found);
    }
    found
}

fn collect_switches(values: &Value, at: &str, found: &mut Vec<String>) {
    for (key, value) in values.as_mapping().into_iter().flatten() {
        let Some(key) = key.as_str() else { continue };
        let path = format!("{at}{}", key.replace('.', "\\."));
        if value == &Value::Bool(false) && (SWITCHES.contains(&key) || key.ends_with("Enabled")) {
            found.push(path);
        } else {
            collect_switches(value, &format!("{path}."), found);
        }
    }
}

/// The new texts of changed values that are, or end, a name, by chart.
fn changed_values(before: &Path, after: &Path) -> Vec<(String, String)> {
    let new = contents(after);
    let mut found = Vec::new();
    for (path, old) in contents(before) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        if new[&path] == old {
            continue;
        }
        let chart = path.iter().next().unwrap().to_string_lossy().into_owned();
        let (old, new) = (scalars(&text(&old)), scalars(&text(&new[&path])));
        for (at, (value, _)) in &new {
            let key = last_key(at).to_ascii_lowercase();
            if old.get(at).is_none_or(|(old, _)| old != value) && !key.ends_with("registry") {
                found.push((chart.clone(), value.clone()));
            }
        }
    }
    found
}

#[test]
#[ignore = "needs ECR_REWRITE_SHARED and helm"]
fn rendered_charts_differ_in_planned_references_only() {
    let helm = match HELM.find() {
        Ok(helm) => helm,
        Err(why) => {
            println!("\n!! SKIPPED: charts are not rendered; {why}\n");
            return;
        }
    };
    let shared = std::env::var_os("ECR_REWRITE_SHARED").expect("ECR_REWRITE_SHARED");
    let archive = Path::new(&shared).join("corpus/charts.tar.gz");
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut tar = Command::new("tar");
    tar.arg("xzf").arg(archive).arg("-C").arg(before.path());
    assert!(tar.status().unwrap().success());
    // The package has no scripts, and the chart cannot do without any.
    put(before.path(), "jupyterhub/files/hub/z.py", b"x = 1\n");
    copy(before.path(), after.path());
    fs::create_dir(after.path().join(".git")).unwrap();

    let (code, _, talk) = run(
        after.path(),
        &[".", "--registry", REGISTRY, "--rules", "default"],
    );
    assert!(matches!(code, 0 | 2), "{talk}"); // 2: one of the dashboards is no JSON
    println!("{talk}");

    let renderer = Renderer {
        helm,
        home: tempfile::tempdir().unwrap(),
    };
    let proof = Proof {
        renderer: &renderer,
        before: before.path(),
        after: after.path(),
    };
    let mut charts: Vec<String> = fs::read_dir(before.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    charts.sort();
    let tallies: Vec<Tally> = charts.par_iter().map(|chart| proof.chart(chart)).collect();

    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
    let rendered = tallies.iter().filter(|tally| tally.renders > 0).count();
    let values = changed_values(before.path(), after.path());
    let shown = |(chart, value): &&(String, String)| {
        let name = value.split('@').next().unwrap_or(value);
        let tally = &tallies[charts.binary_search(chart).unwrap()];
        tally.seen.iter().any(|seen| seen.contains(name))
    };
    let shown = values.iter().filter(shown).count();
    println!("| what | count |\n|---|---|");
    println!("| charts | {} |\n| … rendered | {rendered} |", charts.len());
    println!(
        "| renders, each before and after | {} |",
        sum(|tally| tally.renders)
    );
    println!(
        "| references under image keys | {} |",
        sum(|tally| tally.references)
    );
    println!("| … unchanged | {} |", sum(|tally| tally.unchanged));
    println!(
        "| references changed, as planned | {} |",
        sum(|tally| tally.changed)
    );
    println!(
        "| checksums that follow them | {} |",
        sum(|tally| tally.derived)
    );
    println!(
        "| changed values | {} |\n| … that a render shows | {shown} |",
        values.len()
    );
    println!(
        "| fail before | {} |",
        sum(|tally| tally.failed_before.len())
    );
    for failure in tallies.iter().flat_map(|tally| &tally.failed_before) {
        println!("fails before: {failure}");
    }
    let wrong: Vec<String> = tallies
        .iter()
        .flat_map(|tally| &tally.wrong)
        .map(|(what, place)| format!("{what}\n    ({place})"))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} differences were not planned:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(rendered >= 65, "only {rendered} charts can be rendered");
    assert!(
        !values.is_empty() && shown * 10 >= values.len() * 9,
        "the renders show only {shown} of {} changed values",
        values.len()
    );
}
