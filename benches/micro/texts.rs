//! The inputs: texts of a realistic size, made by repeating small ones of the tree.

/// About how many bytes an input has: what fits a processor's second cache, and is a large file.
const SIZE: usize = 64 * 1024;

/// A text and the path that says what it is.
pub(crate) struct Input {
    /// Its name in the table of results.
    pub(crate) name: &'static str,
    /// Where it would lie in a repository.
    pub(crate) path: &'static str,
    /// Its text.
    pub(crate) text: String,
}

/// Workloads of every kind, one document each.
pub(crate) fn manifest() -> Input {
    let piece = include_str!("../../testdata/workloads/in/all.yaml");
    Input {
        name: "manifest",
        path: "apps/web/all.yaml",
        text: repeated(|_| format!("---\n{piece}")),
    }
}

/// Helm values of many parts, each with images written in several ways.
pub(crate) fn values() -> Input {
    let shapes = [
        include_str!("../../testdata/values-references/in/values.yaml"),
        include_str!("../../testdata/values-parts/in/values.yaml"),
    ];
    let shapes = shapes.map(indented);
    Input {
        name: "values",
        path: "charts/web/values.yaml",
        text: repeated(|n| format!("part{n}:\n{}", shapes[n % shapes.len()])),
    }
}

/// A template of a chart, which is no YAML before it is filled in.
pub(crate) fn template() -> Input {
    let piece = include_str!("../../testdata/templates-helm/in/chart/templates/deployment.yaml");
    Input {
        name: "template",
        path: "charts/web/templates/all.yaml",
        text: repeated(|_| format!("---\n{piece}")),
    }
}

/// Schemas of custom resources: large, speaking of images, naming none.
pub(crate) fn schemas() -> Input {
    let field = |n: usize| {
        format!(
            "              field{n}:\n                type: string\n                description: |-\n                  The image of container {n}. Defaults to the one of the operator, from its registry.\n                  More info: https://example.com/docs/images#field-{n}\n"
        )
    };
    let fields: String = (0..40).map(field).collect();
    let schema = |n: usize| {
        format!(
            "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things{n}.example.com\nspec:\n  group: example.com\n  names: {{kind: Thing{n}, plural: things{n}}}\n  versions:\n  - name: v1\n    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n          spec:\n            properties:\n{fields}"
        )
    };
    Input {
        name: "crd bundle",
        path: "crds/all.yaml",
        text: repeated(schema),
    }
}

/// Objects without a word about images: most files of a repository.
pub(crate) fn unrelated() -> Input {
    let service = |n: usize| {
        format!(
            "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web-{n}\n  labels: {{app: web-{n}}}\nspec:\n  selector: {{app: web-{n}}}\n  ports:\n  - name: http\n    port: 80\n    targetPort: 8080\n"
        )
    };
    Input {
        name: "nothing to find",
        path: "apps/web/services.yaml",
        text: repeated(service),
    }
}

/// References as they stand in repositories.
pub(crate) const REFERENCES: &[&str] = &[
    "nginx",
    "nginx:1.27",
    "docker.io/bitnami/redis:7.4.1-debian-12-r0",
    "ghcr.io/acme/team/app:2024-11-01.3",
    "registry.k8s.io/ingress-nginx/controller:v1.11.3@sha256:d56f135b6462cfc476447cfe564b83a45e8bb7da2774963b00d12161112270b7",
    "quay.io/prometheus/node-exporter@sha256:d56f135b6462cfc476447cfe564b83a45e8bb7da2774963b00d12161112270b7",
    "localhost:5000/a/b/c:latest",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx:1.27",
];

/// As many pieces as make a text of about [`SIZE`] bytes.
fn repeated(piece: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for n in 0.. {
        if text.len() >= SIZE {
            break;
        }
        text.push_str(&piece(n));
    }
    text
}

/// The lines of a map, below a key.
fn indented(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    format!("  {}\n", lines.join("\n  "))
}
