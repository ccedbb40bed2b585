//! Packaged charts that somebody made in order to get out of memory, out of the repository, or out of time.

use std::fs;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::common::{contents, put, run, tree};
use super::{POD, TARGET, in_ecr};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: evil, version: 1.0.0, repository: \"https://charts.example.com\"}\n";

/// An entry of a package: its kind, its name, what a link leads to, and its bytes.
type Entry<'e> = (EntryType, &'e str, &'e str, &'e [u8]);

fn package(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for (kind, name, target, bytes) in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        // As they are: the library refuses names that lead out.
        let fields = header.as_old_mut();
        fields.name[..name.len()].copy_from_slice(name.as_bytes());
        fields.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o777);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

#[test]
fn packages_are_read_in_memory_and_nothing_leaves_them() {
    let values = b"image: {registry: quay.io, repository: acme/web, tag: v0}\n";
    let zeros = vec![0; 200 << 20];
    let many: Vec<String> = (0..30_000)
        .map(|number| format!("evil/templates/{number}.yaml"))
        .collect();
    let many: Vec<Entry<'_>> = many
        .iter()
        .map(|name| (EntryType::Regular, name.as_str(), "", &b"a: b\n"[..]))
        .collect();
    let start = (
        EntryType::Regular,
        "evil/Chart.yaml",
        "",
        &b"name: evil\nversion: 1.0.0\n"[..],
    );
    let mut inner = package(&[start, (EntryType::Regular, "evil/values.yaml", "", values)]);
    for _ in 0..30 {
        inner = package(&[
            start,
            (EntryType::Regular, "evil/charts/evil-1.0.0.tgz", "", &inner),
        ]);
    }
    let packages = [
        (
            "names that lead out",
            package(&[
                start,
                (EntryType::Regular, "evil/../../../out.yaml", "", values),
                (EntryType::Regular, "../out.yaml", "", values),
                (EntryType::Regular, "/tmp/ecr-rewrite-out.yaml", "", values),
            ]),
        ),
        (
            "links",
            package(&[
                start,
                (EntryType::Symlink, "evil/values.yaml", "/etc/passwd", b""),
                (EntryType::Symlink, "evil/templates", "../..", b""),
                (
                    EntryType::Link,
                    "evil/templates/a.yaml",
                    "../../a.yaml",
                    b"",
                ),
                (EntryType::Fifo, "evil/values.schema.json", "", b""),
                (EntryType::Char, "evil/templates/b.yaml", "", b""),
            ]),
        ),
        (
            "a large one that is small",
            package(&[start, (EntryType::Regular, "evil/values.yaml", "", &zeros)]),
        ),
        ("many entries", package(&many)),
        ("packages in packages", inner),
        ("nothing", Vec::new()),
        ("no package", b"\x1f\x8b\x08\x00 no more".to_vec()),
    ];
    for (name, bytes) in packages {
        let folder = tree(&[
            ("repo/.git/HEAD", ""),
            ("repo/a.yaml", POD),
            ("repo/web/Chart.yaml", CHART),
            (
                "repo/web/values.yaml",
                "evil:\n  image: {repository: acme/other}\n",
            ),
        ]);
        put(folder.path(), "repo/web/charts/evil-1.0.0.tgz", &bytes);
        let before = contents(folder.path());
        let (exit, _, talk) = run(&folder.path().join("repo"), &[&["."], &TARGET[..]].concat());
        assert_eq!(exit, 0, "{name}: {talk}");
        let after = contents(folder.path());
        assert!(before.keys().eq(after.keys()), "{name}: {:?}", after.keys());
        assert!(!fs::exists("/tmp/ecr-rewrite-out.yaml").unwrap(), "{name}");
        for (path, bytes) in &after {
            let is_ours = path.ends_with("a.yaml");
            let wanted = if is_ours {
                in_ecr(POD)
            } else {
                before[path].clone()
            };
            assert!(*bytes == wanted, "{name}: {}", path.display());
        }
    }
}
