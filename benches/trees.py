"""The trees that are measured: a folder several times over, and a monorepo that is made up.

Every tree is the same for the same arguments, byte for byte, and lies in the folder it is told; a tree that is
complete there already is taken as it is.
"""

import shutil
import sys
from pathlib import Path

# Written into a tree when it is complete: what it was made of. Hidden, so that nothing measured reads it.
STAMP = ".complete"
CONFIG = (
    "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com\n"
    "rules: default\n"
)
# What a migration makes of the images of the monorepo.
MIGRATED = [
    (before, f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/{after}")
    for before, after in [
        ("ghcr.io/acme/", "ghcr/acme/"),
        ("quay.io/prometheus/", "quay/prometheus/"),
        ("docker.io/library/", "docker-hub/library/"),
        ("nginx:1.27", "docker-hub/library/nginx:1.27"),
    ]
] + [
    ("registry: docker.io", "registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
    ("repository: bitnami/", "repository: docker-hub/bitnami/"),
]
# The applications of one team; a team has a folder, a chart, and its own schemas and documents.
TEAM = 40


class TreeError(Exception):
    """A tree that cannot be made, and why."""


def copies(source, times, into):
    """`source` as `into/copy-1` … `copy-N`. Gives the folder."""
    if not source.is_dir():
        raise TreeError(f"{source}: no such folder; name one with `--corpus`")
    target = into / f"corpus-x{times}"
    said = f"{source.resolve()} x{times}\n"

    def make():
        for n in range(1, times + 1):
            ignored = shutil.ignore_patterns(".git")
            shutil.copytree(source, target / f"copy-{n}", symlinks=True, ignore=ignored)

    return _once(target, said, make)


def monorepo(files, into, migrated=False):
    """A repository of `files` files; `migrated` says that all its images come from ECR. Gives the folder."""
    kind = "migrated" if migrated else "monorepo"
    target = into / f"{kind}-{files}"

    def make():
        for path, text in monorepo_files(files):
            put(target / path, _as_migrated(text) if migrated else text)

    return _once(target, f"{kind} {files} {_own_length()}\n", make)


def _as_migrated(text):
    for before, after in MIGRATED:
        text = text.replace(before, after)
    return text


def put(path, text):
    """Writes a file, in folders that need not exist."""
    try:
        path.write_text(text)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _own_length():
    """Tells trees of another generator apart."""
    return Path(__file__).stat().st_size


def _once(target, said, make):
    stamp = target / STAMP
    if stamp.exists() and stamp.read_text() == said:
        return target
    if target.exists():
        shutil.rmtree(target)
    print(f"making {target}", file=sys.stderr)
    target.mkdir(parents=True)
    make()
    # The root of a repository: nothing around it counts.
    (target / ".git").mkdir(exist_ok=True)
    stamp.write_text(said)
    return target


def monorepo_files(files):
    """Paths and texts of a monorepo, without end in principle, `files` of them."""
    made = 0
    for path, text in _endless():
        if made == files:
            return
        made += 1
        yield path, text


def _endless():
    yield ".ecr-rewrite.yaml", CONFIG
    yield "README.md", "# The platform\n\nEverything that runs, and the images it runs from.\n"
    n = 0
    while True:
        if n % TEAM == 0:
            yield from team_files(n // TEAM)
        for path, text in application_files(n):
            yield f"teams/team-{n // TEAM}/{path}", text
        n += 1


def team_files(t):
    """What a team has once: a chart, schemas, CI, documents."""
    home = f"teams/team-{t}"
    yield f"{home}/README.md", f"# Team {t}\n\nImages come from the registry of the team.\n"
    yield f"{home}/charts/service/Chart.yaml", f"apiVersion: v2\nname: service\nversion: 1.{t}.0\n"
    yield f"{home}/charts/service/values.yaml", VALUES.format(n=t)
    yield f"{home}/charts/service/templates/deployment.yaml", TEMPLATE
    yield f"{home}/charts/service/templates/service.yaml", SERVICE_TEMPLATE
    yield f"{home}/crds/things.yaml", schema(t)
    yield f"{home}/ci/pipeline.yaml", PIPELINE.format(n=t)
    yield f"{home}/.gitlab-ci.yml", f"test:\n  image: golang:1.23\n  script: [go test ./team-{t}/...]\n"
    yield f"{home}/dashboards/overview.json", dashboard(t)
    yield f"{home}/scripts/release.sh", f"#!/bin/sh\n# Builds the image of team {t}.\ndocker build .\n"


def application_files(n):
    """An application: a base, two overlays, values, an Argo CD Application, and what else lies about."""
    home = f"app-{n}"
    yield f"{home}/README.md", f"# app-{n}\n\nRun `kubectl apply -k overlays/dev`.\n"
    yield f"{home}/base/kustomization.yaml", KUSTOMIZATION + (
        "resources:\n- deployment.yaml\n- service.yaml\n- configmap.yaml\n- networkpolicy.yaml\n"
    )
    yield f"{home}/base/deployment.yaml", DEPLOYMENT.format(n=n)
    yield f"{home}/base/service.yaml", SERVICE.format(n=n)
    yield f"{home}/base/configmap.yaml", CONFIG_MAP.format(n=n)
    yield f"{home}/base/networkpolicy.yaml", NETWORK_POLICY.format(n=n)
    for stage in ("dev", "prod"):
        overlay = f"{home}/overlays/{stage}"
        yield f"{overlay}/kustomization.yaml", KUSTOMIZATION + (
            f"namespace: {stage}\nresources:\n- ../../base\n- ingress.yaml\n"
            f"images:\n- name: ghcr.io/acme/app-{n}\n  newTag: 1.{n}.1\n"
        )
        yield f"{overlay}/ingress.yaml", INGRESS.format(n=n, stage=stage)
    yield f"{home}/helm/values.yaml", VALUES.format(n=n)
    yield f"{home}/helm/values-prod.yaml", f"image:\n  tag: 1.{n}.1\nreplicas: 4\n"
    yield f"{home}/argocd.yaml", APPLICATION.format(n=n, team=n // TEAM)
    yield f"{home}/src/main.py", SOURCE.format(n=n)


KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{n}
  labels: {{app.kubernetes.io/name: app-{n}}}
spec:
  replicas: 2
  selector:
    matchLabels: {{app.kubernetes.io/name: app-{n}}}
  template:
    metadata:
      labels: {{app.kubernetes.io/name: app-{n}}}
    spec:
      securityContext: {{runAsNonRoot: true}}
      containers:
      - name: app # the application
        image: ghcr.io/acme/app-{n}:1.{n}.0
        envFrom:
        - configMapRef: {{name: app-{n}}}
        ports:
        - containerPort: 8080
        readinessProbe:
          httpGet: {{path: /ready, port: 8080}}
        resources:
          requests: {{cpu: 100m, memory: 128Mi}}
          limits: {{memory: 256Mi}}
      - name: proxy
        image: nginx:1.27
"""

SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: app-{n}
spec:
  selector: {{app.kubernetes.io/name: app-{n}}}
  ports:
  - name: http
    port: 80
    targetPort: 8080
"""

CONFIG_MAP = """apiVersion: v1
kind: ConfigMap
metadata:
  name: app-{n}
data:
  LOG_LEVEL: info
  DATABASE: postgres://app-{n}.databases.svc:5432/app
  URL: https://app-{n}.example.com
"""

NETWORK_POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: app-{n}
spec:
  podSelector:
    matchLabels: {{app.kubernetes.io/name: app-{n}}}
  ingress:
  - from:
    - namespaceSelector:
        matchLabels: {{kubernetes.io/metadata.name: ingress}}
"""

INGRESS = """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: app-{n}
spec:
  rules:
  - host: app-{n}.{stage}.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend: {{service: {{name: app-{n}, port: {{name: http}}}}}}
"""

VALUES = """# Values of app-{n}
image:
  registry: docker.io
  repository: bitnami/app-{n}
  tag: 1.{n}.0
replicas: 2
metrics:
  enabled: true
  image: quay.io/prometheus/statsd-exporter:v0.27.2
service:
  type: ClusterIP
  port: 80
resources: {{}}
"""

APPLICATION = """apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: app-{n}
  namespace: argocd
spec:
  project: team-{team}
  source:
    repoURL: https://git.example.com/platform.git
    targetRevision: HEAD
    path: teams/team-{team}/app-{n}/overlays/prod
  destination:
    server: https://kubernetes.default.svc
    namespace: prod
"""

TEMPLATE = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  template:
    spec:
      containers:
      - name: app
        image: "{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}"
      {{- if .Values.metrics.enabled }}
      - name: metrics
        image: {{ .Values.metrics.image | quote }}
      {{- end }}
"""

SERVICE_TEMPLATE = """apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  type: {{ .Values.service.type }}
  ports:
  - port: {{ .Values.service.port }}
"""

PIPELINE = """apiVersion: tekton.dev/v1
kind: Task
metadata:
  name: build-{n}
spec:
  steps:
  - name: test
    image: docker.io/library/golang:1.23
    script: go test ./...
"""

SOURCE = '''"""The service app-{n}."""


def main():
    """Answers requests."""
    return "app-{n}"
'''


def schema(n):
    """The schema of a custom resource, with the descriptions that make these large."""
    field = (
        "              field{k}:\n"
        "                type: string\n"
        "                description: |-\n"
        "                  The image of container {k}. Defaults to the one of the operator.\n"
        "                  More info: https://example.com/docs/images#field-{k}\n"
    )
    fields = "".join(field.format(k=k) for k in range(60))
    return (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        f"metadata:\n  name: things{n}.example.com\nspec:\n  group: example.com\n"
        f"  names: {{kind: Thing{n}, plural: things{n}}}\n  scope: Namespaced\n  versions:\n  - name: v1\n"
        "    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n          spec:\n"
        f"            type: object\n            properties:\n{fields}"
    )


def dashboard(n):
    """A Grafana dashboard: JSON, and much of it."""
    panel = '    {{"id": {k}, "title": "Requests {k}", "type": "graph", "datasource": "prometheus"}}'
    panels = ",\n".join(panel.format(k=k) for k in range(40))
    return f'{{\n  "title": "Team {n}",\n  "panels": [\n{panels}\n  ]\n}}\n'
