//! The units: every combination of what the layers of a chart can set, written out in turn. Nothing
//! is random, so that a failure is the same one tomorrow.

use std::fmt::Write as _;

use super::helm::GLOBALS;
use super::unit::{BOTH, Combination, File, Kind, PLAIN, Unit};

/// What one layer sets, as YAML scalars; `None` leaves the part to the other layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    pub whole: Option<&'static str>,
    pub registry: Option<&'static str>,
    pub repository: Option<&'static str>,
    pub tag: Option<&'static str>,
}

/// A layer with a registry, a repository and a tag; `-` leaves the part out.
const fn parts(registry: &'static str, repository: &'static str, tag: &'static str) -> Parts {
    const fn part(text: &'static str) -> Option<&'static str> {
        if matches!(text.as_bytes(), b"-") {
            None
        } else {
            Some(text)
        }
    }
    Parts {
        whole: None,
        registry: part(registry),
        repository: part(repository),
        tag: part(tag),
    }
}

/// A layer with a whole reference.
const fn whole(text: &'static str) -> Parts {
    Parts {
        whole: Some(text),
        ..parts("-", "-", "-")
    }
}

/// A layer that sets nothing.
const NOTHING: Parts = parts("-", "-", "-");

/// How a file is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    Plain,
    Quoted,
    Flow,
    Crlf,
}

/// In turn, so that all of them meet all kinds of layers.
const SPELLINGS: [Spelling; 4] = [
    Spelling::Plain,
    Spelling::Quoted,
    Spelling::Flow,
    Spelling::Crlf,
];

/// Values with an image below `path`, and a registry for all images.
fn text(
    path: &[&str],
    parts: Parts,
    global: Option<(&[&str], &str)>,
    spelling: Spelling,
) -> String {
    let mut text = String::from("# what this layer sets\nreplicas: 2\n");
    if let Some((keys, registry)) = global {
        open(&mut text, &keys[..keys.len() - 1]);
        let indent = "  ".repeat(keys.len() - 1);
        _ = writeln!(
            text,
            "{indent}{}: {}   # for all images",
            keys[keys.len() - 1],
            quoted(registry, spelling)
        );
    }
    let pairs: Vec<(&str, String)> = [
        ("registry", parts.registry),
        ("repository", parts.repository),
        ("tag", parts.tag),
    ]
    .into_iter()
    .filter_map(|(key, part)| Some((key, quoted(part?, spelling))))
    .collect();
    let indent = "  ".repeat(path.len() - 1);
    let last = path[path.len() - 1];
    if let Some(whole) = parts.whole {
        open(&mut text, &path[..path.len() - 1]);
        _ = writeln!(
            text,
            "{indent}{last}: {}   # by name",
            quoted(whole, spelling)
        );
    } else if spelling == Spelling::Flow && !pairs.is_empty() {
        open(&mut text, &path[..path.len() - 1]);
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(key, part)| format!("{key}: {part}"))
            .collect();
        _ = writeln!(
            text,
            "{indent}{last}: {{{}}}   # by parts",
            pairs.join(", ")
        );
    } else if !pairs.is_empty() {
        open(&mut text, path);
        for (key, part) in &pairs {
            _ = writeln!(text, "{indent}  {key}: {part}   # by part");
        }
        _ = writeln!(text, "{indent}  pullPolicy: IfNotPresent");
    }
    text.push_str("service:\n  port: 80\n");
    if spelling == Spelling::Crlf {
        text.replace('\n', "\r\n")
    } else {
        text
    }
}

/// The lines that open the maps of `path`.
fn open(text: &mut String, path: &[&str]) {
    for (depth, key) in path.iter().enumerate() {
        _ = writeln!(text, "{}{key}:", "  ".repeat(depth));
    }
}

/// A scalar as the spelling has it; one with quotes and null stay themselves.
fn quoted(part: &str, spelling: Spelling) -> String {
    match spelling {
        _ if part.starts_with('"') || part == "null" => part.to_string(),
        Spelling::Quoted => format!("\"{part}\""),
        Spelling::Crlf => format!("'{part}'"),
        Spelling::Plain | Spelling::Flow => part.to_string(),
    }
}

fn chart(path: &str, name: &str, dependencies: &str) -> File {
    File {
        path: format!("{path}/Chart.yaml"),
        text: format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n{dependencies}"),
        kind: Kind::Other,
    }
}

fn value_file(path: String, text: String) -> File {
    File {
        path,
        text,
        kind: Kind::Values,
    }
}

/// A chart with a layer in values.yaml and one in each other file.
fn layered(
    name: &str,
    shape: &str,
    image: &[&'static str],
    layers: &[Parts],
    index: usize,
) -> Unit {
    const NAMES: [&str; 3] = ["values.yaml", "values-prod.yaml", "values-dev.yaml"];
    let mut files: Vec<File> = layers
        .iter()
        .zip(NAMES)
        .enumerate()
        .map(|(layer, (parts, file))| {
            let spelling = SPELLINGS[(index + layer) % SPELLINGS.len()];
            value_file(
                format!("{name}/{file}"),
                text(image, *parts, None, spelling),
            )
        })
        .collect();
    files.push(chart(name, name, ""));
    let mut combinations = vec![combination("values.yaml", &[(0, "")])];
    for (layer, file) in NAMES.iter().enumerate().take(layers.len()).skip(1) {
        combinations.push(combination(
            &format!("values.yaml + {file}"),
            &[(0, ""), (layer, "")],
        ));
    }
    Unit {
        name: name.to_string(),
        shape: shape.to_string(),
        files,
        combinations,
        image: image.to_vec(),
        readings: PLAIN,
    }
}

fn combination(label: &str, layers: &[(usize, &'static str)]) -> Combination {
    Combination {
        label: label.to_string(),
        layers: layers.to_vec(),
        open: false,
    }
}

/// Which registry and repository each of two layers sets, all with all.
pub fn two_layers() -> Vec<Unit> {
    const REGISTRIES: [&str; 4] = ["-", "docker.io", "quay.io", "\"\""];
    const REPOSITORIES: [&str; 4] = ["-", "acme/web", "nginx", "quay.io/acme/api"];
    let all = |tag| {
        REGISTRIES.iter().flat_map(move |registry| {
            REPOSITORIES
                .iter()
                .map(move |repository| parts(registry, repository, tag))
        })
    };
    let bases = all("\"1.0\"").enumerate();
    bases
        .flat_map(|(first, base)| {
            // Every other override has no tag of its own.
            let overrides = all("v2").enumerate();
            overrides.map(move |(second, mut over)| {
                if second % 2 == 1 {
                    over.tag = None;
                }
                let index = first * 16 + second;
                layered(
                    &format!("two-{index:03}"),
                    "two layers",
                    &["image"],
                    &[base, over],
                    index,
                )
            })
        })
        .collect()
}

/// Three layers with odder parts, and images deeper down.
pub fn three_layers() -> Vec<Unit> {
    const LAYERS: [Parts; 15] = [
        NOTHING,
        parts("-", "-", "v3"),
        parts("docker.io", "acme/web", "-"),
        parts("docker.io", "acme/web", "1.10"),
        parts("ghcr.io", "acme/api", "2"),
        parts("docker.io", "-", "-"),
        parts("-", "acme/other", "-"),
        parts("index.docker.io", "nginx", "1e3"),
        parts("null", "quay.io/acme/web", "-"),
        parts("registry.example.com", "acme/web", "-"),
        parts("-", "mcr.microsoft.com/acme/web", "-"),
        parts("quay.io", "acme/kept", "1"),
        parts("docker.io/library", "traefik", "3"),
        parts("quay.io/acme", "-", "-"),
        parts(
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "docker-hub/acme/web",
            "1",
        ),
    ];
    const PATHS: [(&str, &[&str]); 3] = [
        (
            "three layers, deeper `image`",
            &["backend", "worker", "image"],
        ),
        ("three layers, below `images`", &["images", "worker"]),
        ("three layers, `sidecarImage`", &["sidecarImage"]),
    ];
    let count = LAYERS.len();
    (0..count * count)
        .map(|index| {
            let (first, second) = (index / count, index % count);
            let third = (first * 3 + second * 5 + 2) % count;
            let (shape, path) = PATHS[(first + second) % PATHS.len()];
            let layers = [LAYERS[first], LAYERS[second], LAYERS[third]];
            layered(&format!("three-{index:03}"), shape, path, &layers, index)
        })
        .collect()
}

/// References in one scalar, overridden by layers, also by and of maps.
pub fn whole_references() -> Vec<Unit> {
    const LAYERS: [Parts; 11] = [
        NOTHING,
        whole("docker.io/bitnami/redis:7"),
        whole("quay.io/acme/web:1"),
        whole("ghcr.io/acme/api"),
        whole("docker.io/nginx:1.27"),
        whole("bitnami/redis:7"),
        whole("redis"),
        whole("registry.example.com/a/b:1"),
        whole("123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx:1.27"),
        whole("quay.io/acme/kept:1"),
        parts("quay.io", "acme/web", "3"),
    ];
    const PATHS: [&[&str]; 3] = [
        &["image"],
        &["web", "image"],
        &["jobs", "migrate", "initImage"],
    ];
    let count = LAYERS.len();
    (0..count * count)
        .map(|index| {
            let (first, second) = (index / count, index % count);
            let third = (first * 2 + second * 3 + 1) % count;
            let layers = [LAYERS[first], LAYERS[second], LAYERS[third]];
            let layers = &layers[..2 + index % 2];
            layered(
                &format!("whole-{index:03}"),
                "whole references",
                PATHS[index % 3],
                layers,
                index,
            )
        })
        .collect()
}

/// How a chart has its subchart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    /// `charts/db`, in no list of dependencies: the team's own.
    Own,
    /// A folder beside, by `file://`, under the dependency's name.
    Beside,
    /// A folder beside, by `file://`, under an alias.
    BesideAlias,
    /// `charts/db`, listed with its own folder: a copy, as far as anybody can tell.
    Listed,
    /// A copy in `charts/db` of a chart from elsewhere.
    Copied,
    /// Such a copy under an alias.
    CopiedAlias,
    /// A chart from elsewhere that is not here.
    Absent,
}

/// Values for a subchart, layered over the subchart's own.
pub fn subcharts() -> Vec<Unit> {
    const HOMES: [Home; 7] = [
        Home::Own,
        Home::Beside,
        Home::BesideAlias,
        Home::Listed,
        Home::Copied,
        Home::CopiedAlias,
        Home::Absent,
    ];
    const OWN: [Parts; 4] = [
        parts("docker.io", "bitnami/mongodb", "\"8.0\""),
        parts("docker.io", "-", "-"),
        parts("-", "quay.io/acme/mongodb", "8"),
        parts("-", "bitnami/mongodb", "8"),
    ];
    const BASE: [Parts; 6] = [
        NOTHING,
        parts("-", "-", "8.1"),
        parts("-", "acme/mongodb", "-"),
        parts("quay.io", "-", "-"),
        parts("ghcr.io", "acme/mongodb", "9"),
        parts("-", "quay.io/acme/mongodb", "-"),
    ];
    const PROD: [Parts; 5] = [
        NOTHING,
        parts("-", "-", "8.2"),
        parts("-", "acme/mongodb-prod", "-"),
        parts("quay.io", "acme/mongodb-prod", "1"),
        parts("docker.io", "acme/mongodb", "-"),
    ];
    let mut units = Vec::new();
    for home in HOMES {
        for own in OWN {
            for base in BASE {
                for prod in PROD {
                    if home == Home::Absent && own != OWN[0] {
                        continue;
                    }
                    let index = units.len();
                    units.push(subchart(
                        &format!("sub-{index:03}"),
                        home,
                        [own, base, prod],
                        index,
                    ));
                }
            }
        }
    }
    units
}

fn subchart(name: &str, home: Home, layers: [Parts; 3], index: usize) -> Unit {
    let key = match home {
        Home::BesideAlias | Home::CopiedAlias => "store",
        _ => "db",
    };
    let alias = if key == "store" {
        "  alias: store\n"
    } else {
        ""
    };
    let source = match home {
        Home::Own => String::new(),
        Home::Beside | Home::BesideAlias => "file://../db".to_string(),
        Home::Listed => "file://charts/db".to_string(),
        Home::Copied | Home::CopiedAlias | Home::Absent => "https://charts.example.com".to_string(),
    };
    let dependencies = if source.is_empty() {
        source
    } else {
        format!("dependencies:\n- name: db\n  version: 1.0.0\n  repository: {source}\n{alias}")
    };
    let folder = match home {
        Home::Beside | Home::BesideAlias => format!("{name}/db"),
        _ => format!("{name}/app/charts/db"),
    };
    let [own, base, prod] = layers;
    let spelling = |layer: usize| SPELLINGS[(index + layer) % SPELLINGS.len()];
    let path: &[&'static str] = &["image"];
    let nested = [key, "image"];
    let mut files = vec![
        value_file(
            format!("{folder}/values.yaml"),
            text(path, own, None, spelling(0)),
        ),
        value_file(
            format!("{name}/app/values.yaml"),
            text(&nested, base, None, spelling(1)),
        ),
        value_file(
            format!("{name}/app/values-prod.yaml"),
            text(&nested, prod, None, spelling(2)),
        ),
        chart(&format!("{name}/app"), name, &dependencies),
        chart(&folder, "db", ""),
    ];
    let through = |label: &str, own: &[usize], parents: &[usize]| {
        let own = own.iter().map(|file| (*file, ""));
        let layers: Vec<_> = own.chain(parents.iter().map(|file| (*file, key))).collect();
        combination(label, &layers)
    };
    let mut combinations = vec![
        through("the subchart's values + values.yaml", &[0], &[1]),
        through(
            "the subchart's values + values.yaml + values-prod.yaml",
            &[0],
            &[1, 2],
        ),
    ];
    match home {
        Home::Own | Home::Beside | Home::BesideAlias => {
            combinations.push(through("the subchart's values alone", &[0], &[]));
        }
        Home::Listed | Home::Copied | Home::CopiedAlias => files[0].kind = Kind::Vendored,
        Home::Absent => {
            // What the chart brings is unknown: only what these files say in full is certain.
            files.truncate(4);
            files.remove(0);
            combinations = vec![
                through("values.yaml", &[], &[0]),
                through("values.yaml + values-prod.yaml", &[], &[0, 1]),
            ];
            combinations.iter_mut().for_each(|it| it.open = true);
        }
    }
    Unit {
        name: name.to_string(),
        shape: format!("subchart: {home:?}"),
        files,
        combinations,
        image: path.to_vec(),
        readings: PLAIN,
    }
}

/// A subchart that two charts use, and one that a chart uses twice.
pub fn shared_subcharts() -> Vec<Unit> {
    const OWN: [Parts; 3] = [
        parts("docker.io", "acme/cache", "1"),
        parts("quay.io", "acme/cache", "-"),
        parts("-", "ghcr.io/acme/cache", "1"),
    ];
    const USERS: [Parts; 6] = [
        NOTHING,
        parts("-", "-", "2"),
        parts("-", "acme/other", "-"),
        parts("docker.io", "-", "-"),
        parts("quay.io", "acme/web", "3"),
        parts("-", "quay.io/acme/web", "-"),
    ];
    let mut units = Vec::new();
    for twice in [false, true] {
        for own in OWN {
            for first in USERS {
                for second in USERS {
                    let index = units.len();
                    units.push(shared(
                        &format!("shared-{index:03}"),
                        twice,
                        [own, first, second],
                        index,
                    ));
                }
            }
        }
    }
    units
}

fn shared(name: &str, twice: bool, layers: [Parts; 3], index: usize) -> Unit {
    let [own, first, second] = layers;
    let spelling = |layer: usize| SPELLINGS[(index + layer) % SPELLINGS.len()];
    let entry = |alias: &str| {
        format!(
            "- {{name: cache, alias: {alias}, version: 1.0.0, repository: \"file://../cache\"}}\n"
        )
    };
    let list = |aliases: &[&str]| {
        let entries: String = aliases.iter().map(|alias| entry(alias)).collect();
        format!("dependencies:\n{entries}")
    };
    let mut files = vec![
        value_file(
            format!("{name}/cache/values.yaml"),
            text(&["image"], own, None, spelling(0)),
        ),
        chart(&format!("{name}/cache"), "cache", ""),
    ];
    let hot = text(&["hot", "image"], first, None, spelling(1));
    let cold = text(&["cold", "image"], second, None, spelling(1));
    let alone = combination("the subchart's values alone", &[(0, "")]);
    let combinations = if twice {
        // One file, two parts: the lines that both texts begin and end with are kept once.
        let both = hot.replacen("service:", "other:", 1) + &cold.replacen("replicas:", "more:", 1);
        files.push(value_file(format!("{name}/app/values.yaml"), both));
        files.push(chart(
            &format!("{name}/app"),
            "app",
            &list(&["hot", "cold"]),
        ));
        vec![
            alone,
            combination("as `hot`", &[(0, ""), (2, "hot")]),
            combination("as `cold`", &[(0, ""), (2, "cold")]),
        ]
    } else {
        files.push(value_file(format!("{name}/app/values.yaml"), hot));
        files.push(value_file(format!("{name}/web/values.yaml"), cold));
        files.push(chart(&format!("{name}/app"), "app", &list(&["hot"])));
        files.push(chart(&format!("{name}/web"), "web", &list(&["cold"])));
        vec![
            alone,
            combination("in `app`", &[(0, ""), (2, "hot")]),
            combination("in `web`", &[(0, ""), (3, "cold")]),
        ]
    };
    Unit {
        name: name.to_string(),
        shape: if twice {
            "one subchart, twice"
        } else {
            "one subchart, two charts"
        }
        .to_string(),
        files,
        combinations,
        image: vec!["image"],
        readings: PLAIN,
    }
}

/// A registry for all images, in values.yaml or above it.
pub fn globals() -> Vec<Unit> {
    const REGISTRIES: [&str; 4] = ["docker.io", "quay.io", "\"\"", "registry.example.com"];
    const LOCALS: [&str; 4] = ["-", "docker.io", "quay.io", "\"\""];
    const REPOSITORIES: [&str; 2] = ["acme/web", "quay.io/acme/web"];
    const PROD: [Parts; 3] = [
        parts("-", "-", "2"),
        parts("-", "acme/prod", "-"),
        parts("ghcr.io", "acme/prod", "3"),
    ];
    let mut units = Vec::new();
    for in_prod in [false, true] {
        for global in REGISTRIES {
            for local in LOCALS {
                for repository in REPOSITORIES {
                    for prod in PROD {
                        let index = units.len();
                        let name = format!("global-{index:03}");
                        let base = parts(local, repository, "\"1\"");
                        let mut unit = layered(
                            &name,
                            "a registry for all images",
                            &["image"],
                            &[base, prod],
                            index,
                        );
                        let spelling = |layer: usize| SPELLINGS[(index + layer) % SPELLINGS.len()];
                        let (layer, own) = if in_prod { (1, prod) } else { (0, base) };
                        let keys = GLOBALS[(index / 3) % GLOBALS.len()];
                        unit.files[layer].text =
                            text(&["image"], own, Some((keys, global)), spelling(layer));
                        unit.readings = BOTH;
                        units.push(unit);
                    }
                }
            }
        }
    }
    units
}

/// A registry for all images that a chart hands to its subcharts.
pub fn globals_of_subcharts() -> Vec<Unit> {
    const REGISTRIES: [&str; 3] = ["docker.io", "quay.io", "\"\""];
    const OWN: [Parts; 3] = [
        parts("docker.io", "acme/db", "1"),
        parts("\"\"", "acme/db", "1"),
        parts("-", "quay.io/acme/db", "1"),
    ];
    const BASE: [Parts; 3] = [
        NOTHING,
        parts("-", "acme/other", "-"),
        parts("ghcr.io", "acme/db", "-"),
    ];
    let mut units = Vec::new();
    for home in [Home::Own, Home::Beside, Home::Copied] {
        for global in REGISTRIES {
            for own in OWN {
                for base in BASE {
                    let index = units.len();
                    let name = format!("handed-{index:03}");
                    let mut unit = subchart(&name, home, [own, base, NOTHING], index);
                    let spelling = SPELLINGS[(index + 1) % SPELLINGS.len()];
                    let global = Some((GLOBALS[0], global));
                    unit.files[1].text = text(&["db", "image"], base, global, spelling);
                    unit.shape = "a registry for all images, handed down".to_string();
                    unit.readings = BOTH;
                    units.push(unit);
                }
            }
        }
    }
    units
}
