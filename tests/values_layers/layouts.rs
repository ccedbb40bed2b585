//! Layouts of values that people really write, and what must become of them, byte for byte.

/// A file: its path, its text before and its text after.
pub type Pair = (&'static str, &'static str, &'static str);

/// Layouts as people write them: the path and the text of each file before and after. `R` stands
/// for the registry.
pub const REWRITTEN: &[(&str, &[Pair])] = &[
    (
        "everything in values.yaml, the tag per environment",
        &[
            (
                "values.yaml",
                "image:\n  registry: docker.io\n  repository: acme/web\n  tag: \"1.0\"\n",
                "image:\n  registry: R\n  repository: docker-hub/acme/web\n  tag: \"1.0\"\n",
            ),
            (
                "values-prod.yaml",
                "image:\n  tag: \"1.1\"\n",
                "image:\n  tag: \"1.1\"\n",
            ),
        ],
    ),
    (
        "the registry and a repository in values.yaml, another repository in an environment",
        &[
            (
                "values.yaml",
                "image:\n  registry: docker.io\n  repository: bitnami/x\n",
                "image:\n  registry: R\n  repository: docker-hub/bitnami/x\n",
            ),
            (
                "values-prod.yaml",
                "image:\n  repository: acme/x\n",
                "image:\n  repository: docker-hub/acme/x\n",
            ),
        ],
    ),
    (
        "both parts in both layers",
        &[
            (
                "values.yaml",
                "web:\n  image:\n    registry: ghcr.io\n    repository: acme/web\n    tag: v1\n",
                "web:\n  image:\n    registry: R\n    repository: ghcr/acme/web\n    tag: v1\n",
            ),
            (
                "values-prod.yaml",
                "web:\n  image:\n    registry: 'ghcr.io'\n    repository: 'acme/web-prod'\n",
                "web:\n  image:\n    registry: 'R'\n    repository: 'ghcr/acme/web-prod'\n",
            ),
        ],
    ),
    (
        "a host inside the repository of every layer",
        &[
            (
                "values.yaml",
                "image:\n  repository: docker.io/nginx\n  tag: latest\n",
                "image:\n  repository: R/docker-hub/library/nginx\n  tag: latest\n",
            ),
            (
                "values-prod.yaml",
                "image:\n  repository: quay.io/acme/nginx\n  tag: \"1.27\"\n",
                "image:\n  repository: R/quay/acme/nginx\n  tag: \"1.27\"\n",
            ),
        ],
    ),
    (
        "another registry in an environment, with all parts",
        &[
            (
                "values.yaml",
                "image:\n  registry: docker.io\n  repository: redis\n  tag: 7\n",
                "image:\n  registry: R\n  repository: docker-hub/library/redis\n  tag: 7\n",
            ),
            (
                "values-prod.yaml",
                "image:\n  registry: quay.io\n  repository: acme/redis\n  tag: 8\n",
                "image:\n  registry: R\n  repository: quay/acme/redis\n  tag: 8\n",
            ),
        ],
    ),
    (
        "whole references",
        &[
            (
                "values.yaml",
                "image: docker.io/acme/web:1\n",
                "image: R/docker-hub/acme/web:1\n",
            ),
            (
                "values-prod.yaml",
                "image: \"quay.io/acme/web:2\"\n",
                "image: \"R/quay/acme/web:2\"\n",
            ),
        ],
    ),
    (
        "an empty registry for all images, as Bitnami's charts have it",
        &[
            (
                "values.yaml",
                "global:\n  imageRegistry: \"\"\nimage:\n  registry: docker.io\n  repository: acme/web\n",
                "global:\n  imageRegistry: \"\"\nimage:\n  registry: R\n  repository: docker-hub/acme/web\n",
            ),
            (
                "values-prod.yaml",
                "image:\n  tag: 2\n",
                "image:\n  tag: 2\n",
            ),
        ],
    ),
    (
        "a subchart of the team's own, below its alias",
        &[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- {name: db, alias: store, version: 1.0.0, repository: \"file://db\"}\n",
                "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- {name: db, alias: store, version: 1.0.0, repository: \"file://db\"}\n",
            ),
            (
                "db/Chart.yaml",
                "apiVersion: v2\nname: db\nversion: 1.0.0\n",
                "apiVersion: v2\nname: db\nversion: 1.0.0\n",
            ),
            (
                "db/values.yaml",
                "image:\n  registry: docker.io\n  repository: postgres\n  tag: 16\n",
                "image:\n  registry: R\n  repository: docker-hub/library/postgres\n  tag: 16\n",
            ),
            (
                "values.yaml",
                "store:\n  image:\n    repository: acme/postgres\n",
                "store:\n  image:\n    repository: docker-hub/acme/postgres\n",
            ),
        ],
    ),
    (
        "a copied chart, with all parts set above it",
        &[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.0.0, repository: \"https://charts.example.com\"}\n",
                "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.0.0, repository: \"https://charts.example.com\"}\n",
            ),
            (
                "charts/db/Chart.yaml",
                "apiVersion: v2\nname: db\nversion: 1.0.0\n",
                "apiVersion: v2\nname: db\nversion: 1.0.0\n",
            ),
            (
                "charts/db/values.yaml",
                "image:\n  registry: docker.io\n  repository: postgres\n  tag: 16\n",
                "image:\n  registry: docker.io\n  repository: postgres\n  tag: 16\n",
            ),
            (
                "values.yaml",
                "db:\n  image:\n    registry: quay.io\n    repository: acme/postgres\n",
                "db:\n  image:\n    registry: R\n    repository: quay/acme/postgres\n",
            ),
        ],
    ),
];

/// Layouts in which a rewrite would be a guess, or would break a layer.
pub const LEFT: &[(&str, &[(&str, &str)])] = &[
    (
        "a registry whose repository the templates may bring",
        &[
            (
                "values.yaml",
                "image:\n  registry: quay.io # for all\n  tag: 1\n",
            ),
            ("values-prod.yaml", "image:\n  repository: acme/web\n"),
            ("values-dev.yaml", "image: {repository: acme/web-debug}\n"),
        ],
    ),
    (
        "a key that is a part in one layer and the whole in another",
        &[
            (
                "values.yaml",
                "app: {registry: quay.io, image: a/b, tag: \"1\"}\n",
            ),
            ("values-prod.yaml", "app: {image: acme/x}\n"),
        ],
    ),
    (
        "the same, with a tag in it",
        &[
            (
                "values.yaml",
                "app: {registry: quay.io, image: a/b, tag: \"1\"}\n",
            ),
            ("values-prod.yaml", "app: {image: \"acme/x:2\"}\n"),
        ],
    ),
    (
        "a flat repository in one layer, a flat image in another",
        &[
            (
                "values.yaml",
                "imageRegistry: quay.io\nimageRepository: a/b\n",
            ),
            ("values-prod.yaml", "image: acme/x:2\n"),
        ],
    ),
    (
        "a key that stands between the parts",
        &[(
            "values.yaml",
            "image:\n  registry: quay.io\n  namespace: acme\n  repository: app\n",
        )],
    ),
    (
        "a registry for every image of one dependency",
        &[
            (
                "Chart.yaml",
                "name: p\nversion: 1.0.0\ndependencies:\n- {name: redis, repository: \"https://x\", version: 1}\n",
            ),
            (
                "values.yaml",
                "redis:\n  global: {imageRegistry: quay.io}\n  image: {registry: docker.io, repository: bitnami/redis}\n",
            ),
        ],
    ),
    (
        "two registries for every image",
        &[(
            "values.yaml",
            "global: {imageRegistry: docker.io, image: {registry: quay.io}}\nimage: {registry: docker.io, repository: acme/x}\n",
        )],
    ),
    (
        "a layer that is a template",
        &[
            (
                "values.yaml",
                "image:\n  registry: quay.io\n  repository: acme/x\n",
            ),
            (
                "values-prod.yaml",
                "image:\n{{- if .x }}\n  repository: acme/y\n{{- end }}\n",
            ),
        ],
    ),
    (
        "a layer with a part that is no text",
        &[
            (
                "values.yaml",
                "image:\n  registry: quay.io\n  repository: acme/x\n",
            ),
            ("values-prod.yaml", "image: {registry: false}\n"),
        ],
    ),
    (
        "a layer whose name does not say so, with only a registry",
        &[
            (
                "values.yaml",
                "image:\n  registry: quay.io\n  repository: acme/x\n",
            ),
            ("prod.yaml", "image:\n  registry: mirror.corp.example\n"),
        ],
    ),
    (
        "a registry on its own in another layer, below a key that does not say image",
        &[
            (
                "values.yaml",
                "keda: {registry: ghcr.io, repository: kedacore/keda, tag: 2}\n",
            ),
            (
                "values-prod.yaml",
                "keda: {registry: mirror.corp.example}\n",
            ),
            ("values-dev.yaml", "keda: {registry: quay.io}\n"),
        ],
    ),
    (
        "a proxy in front of every image",
        &[(
            "values.yaml",
            "global: {imageRegistry: harbor.example.com/proxy}\nimage: {repository: quay.io/team/x, tag: 1}\n",
        )],
    ),
    (
        "a chart in a folder of another name",
        &[
            (
                "Chart.yaml",
                "name: p\nversion: 1.0.0\ndependencies:\n- {name: sub, repository: '', version: 1}\n",
            ),
            ("charts/my-sub/Chart.yaml", "name: sub\nversion: 1.0.0\n"),
            (
                "charts/my-sub/values.yaml",
                "image:\n  registry: quay.io\n  repository: acme/x\n",
            ),
            ("values.yaml", "sub: {image: {repository: acme/y}}\n"),
        ],
    ),
    (
        "a template without quotes, which is a map to YAML",
        &[
            (
                "values.yaml",
                "image: {registry: docker.io, repository: bitnami/x}\n",
            ),
            (
                "values-prod.yaml",
                "image:\n  repository: {{ .Values.name }}\n",
            ),
        ],
    ),
    (
        "an image that was moved in part, in one map",
        &[(
            "values.yaml",
            "image: {registry: docker.io, repository: docker-hub/bitnami/redis, tag: 7}\n",
        )],
    ),
    (
        "a registry under a key of the chart's own, beside a name without one",
        &[(
            "values.yaml",
            "imagePrefix: quay.io/acme\napi: {image: \"foo:1\"}\n",
        )],
    ),
    (
        "values that a chart imports",
        &[
            (
                "Chart.yaml",
                "name: p\nversion: 1.0.0\ndependencies:\n- {name: c, version: 1, repository: \"file://c\", import-values: [{child: img, parent: image}]}\n",
            ),
            ("c/Chart.yaml", "name: c\nversion: 1.0.0\n"),
            ("c/values.yaml", "replicas: 1\n"),
            (
                "values.yaml",
                "image: {registry: quay.io, repository: acme/x}\n",
            ),
        ],
    ),
    (
        "an anchor that is also a key",
        &[(
            "values.yaml",
            "image: {registry: &r docker.io, repository: a/b}\nauths: {*r : {u: x}}\n",
        )],
    ),
    (
        "a repository without a registry anywhere",
        &[("values.yaml", "image:\n  repository: bitnami/x\n  tag: 1\n")],
    ),
    (
        "a repository without a registry, until an environment brings one",
        &[
            ("values.yaml", "image:\n  repository: bitnami/x\n  tag: 1\n"),
            ("values-prod.yaml", "image:\n  registry: quay.io\n"),
        ],
    ),
    (
        "a host inside the repository, behind the registry of another layer",
        &[
            (
                "values.yaml",
                "image:\n  repository: quay.io/acme/x\n  tag: 1\n",
            ),
            ("values-prod.yaml", "image:\n  registry: docker.io\n"),
        ],
    ),
    (
        "a registry that a template fills in",
        &[(
            "values.yaml",
            "image:\n  registry: \"{{ .Values.hub }}\"\n  repository: acme/x\n  tag: 1\n",
        )],
    ),
    (
        "a registry that no rule maps",
        &[
            (
                "values.yaml",
                "image:\n  registry: registry.example.com\n  repository: acme/x\n",
            ),
            ("values-prod.yaml", "image:\n  repository: acme/y\n"),
        ],
    ),
    (
        "a copied chart, with the repository alone set nowhere above it",
        &[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.0.0, repository: \"https://charts.example.com\"}\n",
            ),
            (
                "charts/db/Chart.yaml",
                "apiVersion: v2\nname: db\nversion: 1.0.0\n",
            ),
            (
                "charts/db/values.yaml",
                "image:\n  registry: docker.io\n  repository: postgres\n",
            ),
            ("values.yaml", "db:\n  image:\n    tag: 17\n"),
        ],
    ),
];
