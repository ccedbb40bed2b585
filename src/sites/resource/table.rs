//! What is known of the fields of custom resources: data, a row each.
//!
//! Shapes decide most fields (see [`shape`](super::shape)); a row is for what they do not decide: bare
//! words that are images, odd keys, beginnings of names, names that are pushed to, and objects whose
//! `image` is one of something else. Sources: the projects' API references and, where a row says how a
//! name is joined, their source code.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::field::FieldPath;
use crate::sites::object::Object;

/// What a field names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// An image, also when it is a bare word.
    Image,
    /// An image when it has a tag; else the operator puts a registry in front of it.
    Tagged,
    /// A map whose parts name an image; the keys in the order in which they are joined. Without a
    /// registry in them, Docker Hub is meant.
    Parts(&'static [&'static str]),
    /// The beginning of names of images, joined with `/`.
    Beginning,
    /// The same for kubeadm, which has a rule of its own for CoreDNS.
    Kubeadm,
    /// The name to which a build pushes.
    Output,
    /// A package of Crossplane.
    Package,
    /// Nothing that is pulled through the cluster's registries.
    Nothing,
}

/// What is known of some fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The API group; one that begins with a dot stands for all groups that end so.
    pub group: &'static str,
    /// The kinds; none for all of the group.
    pub kinds: &'static [&'static str],
    /// The way to the field. With `**` alone, every key that is named like an image's.
    pub path: &'static str,
    /// What it names.
    pub means: Means,
    /// What these are, for people.
    pub what: &'static str,
}

use Means::{Beginning, Image, Kubeadm, Nothing, Output, Package, Parts, Tagged};

const ANY: &[&str] = &[];

/// The rows, in the order in which they are asked.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // Names that are pushed to.
    Row { group: "kafka.strimzi.io", kinds: &["KafkaConnect", "KafkaConnectS2I"], path: "spec/build/output/image", means: Output, what: "Strimzi: the image that a build of connectors pushes" },
    Row { group: "shipwright.io", kinds: ANY, path: "**/output/image", means: Output, what: "Shipwright: what a build pushes" },
    Row { group: "kpack.io", kinds: ANY, path: "**/tag", means: Output, what: "kpack: what an image or builder is pushed to" },
    Row { group: "kpack.io", kinds: ANY, path: "**/additionalTags", means: Output, what: "kpack: further names that are pushed to" },
    Row { group: "build.openshift.io", kinds: &["BuildConfig", "Build"], path: "spec/output/to/name", means: Output, what: "OpenShift: what a build pushes" },
    Row { group: "core.openfunction.io", kinds: &["Function", "Builder"], path: "spec/image", means: Output, what: "OpenFunction: what a function is built to" },
    Row { group: "nuclio.io", kinds: ANY, path: "spec/build/image", means: Output, what: "Nuclio: what a function is built to" },
    Row { group: "camel.apache.org", kinds: &["Build"], path: "**/image", means: Output, what: "Camel K: what a build pushes" },
    Row { group: "kpack.io", kinds: ANY, path: "**/lastBuild/image", means: Output, what: "kpack: what the last build has pushed" },
    Row { group: "skaffold", kinds: ANY, path: "build/artifacts/image", means: Output, what: "Skaffold: what is built" },
    Row { group: "appstudio.redhat.com", kinds: ANY, path: "**/containerImage", means: Output, what: "Konflux: what the builds of a component push" },
    Row { group: "workspace.devfile.io", kinds: ANY, path: "**/image/imageName", means: Output, what: "Devfile: what is built from a Dockerfile" },
    Row { group: "devops.kubesphere.io", kinds: &["S2iBuilder", "S2iRun"], path: "**/imageName", means: Output, what: "KubeSphere: what a build pushes" },
    // Packages.
    Row { group: "pkg.crossplane.io", kinds: ANY, path: "spec/package", means: Package, what: "Crossplane: packages of providers, functions and configurations" },
    Row { group: "pkg.crossplane.io", kinds: &["ControllerConfig"], path: "spec/image", means: Image, what: "Crossplane: the image of a provider's controller" },
    // Beginnings of names.
    Row { group: "kubeadm.k8s.io", kinds: &["ClusterConfiguration"], path: "imageRepository", means: Kubeadm, what: "kubeadm: what the control plane's images begin with" },
    Row { group: "kubeadm.k8s.io", kinds: &["ClusterConfiguration"], path: "dns/imageRepository", means: Kubeadm, what: "kubeadm: what the image of CoreDNS begins with" },
    Row { group: "kubeadm.k8s.io", kinds: &["ClusterConfiguration"], path: "etcd/local/imageRepository", means: Beginning, what: "kubeadm: what the image of etcd begins with" },
    Row { group: ".cluster.x-k8s.io", kinds: ANY, path: "**/clusterConfiguration/imageRepository", means: Kubeadm, what: "Cluster API with kubeadm: what the control plane's images begin with" },
    Row { group: ".cluster.x-k8s.io", kinds: ANY, path: "**/clusterConfiguration/dns/imageRepository", means: Kubeadm, what: "Cluster API with kubeadm: what the image of CoreDNS begins with" },
    Row { group: ".cluster.x-k8s.io", kinds: ANY, path: "**/clusterConfiguration/etcd/local/imageRepository", means: Beginning, what: "Cluster API with kubeadm: what the image of etcd begins with" },
    Row { group: "datadoghq.com", kinds: ANY, path: "spec/global/registry", means: Beginning, what: "Datadog: what the agents' images begin with" },
    Row { group: "operator.tigera.io", kinds: &["Installation"], path: "spec/registry", means: Beginning, what: "Calico: what the images of an installation begin with" },
    Row { group: "install.istio.io", kinds: &["IstioOperator"], path: "spec/hub", means: Beginning, what: "Istio: what the images begin with" },
    Row { group: "install.istio.io", kinds: &["IstioOperator"], path: "spec/values/global/hub", means: Beginning, what: "Istio: the same, among the values" },
    Row { group: "sailoperator.io", kinds: ANY, path: "spec/values/global/hub", means: Beginning, what: "Istio by its newer operator: what the images begin with" },
    Row { group: "kubevirt.io", kinds: &["KubeVirt"], path: "spec/imageRegistry", means: Beginning, what: "KubeVirt: what its own images begin with" },
    Row { group: "mysql.oracle.com", kinds: &["InnoDBCluster"], path: "spec/imageRepository", means: Beginning, what: "MySQL operator: what the images begin with" },
    Row { group: "fluxcd.controlplane.io", kinds: &["FluxInstance"], path: "spec/distribution/registry", means: Beginning, what: "Flux operator: what the controllers' images begin with" },
    // Names in parts.
    Row { group: "app.redislabs.com", kinds: ANY, path: "**/redisEnterpriseImageSpec", means: Parts(&["repository"]), what: "Redis Enterprise: `repository` beside `versionTag`" },
    Row { group: "app.redislabs.com", kinds: ANY, path: "**/bootstrapperImageSpec", means: Parts(&["repository"]), what: "Redis Enterprise: the same for what sets it up" },
    Row { group: "app.redislabs.com", kinds: ANY, path: "**/redisEnterpriseServicesRiggerImageSpec", means: Parts(&["repository"]), what: "Redis Enterprise: the same for its services" },
    Row { group: "app.redislabs.com", kinds: ANY, path: "**/imageSpec", means: Parts(&["repository"]), what: "Redis Enterprise: the same for further parts" },
    Row { group: "dynatrace.com", kinds: ANY, path: "**/imageRef", means: Parts(&["repository"]), what: "Dynatrace: `repository` beside `tag`" },
    Row { group: "tailscale.com", kinds: ANY, path: "**/nameserver/image", means: Parts(&["repo"]), what: "Tailscale: `repo` beside `tag`" },
    Row { group: "logging.banzaicloud.io", kinds: ANY, path: "**/image", means: Parts(&["repository"]), what: "Logging operator: `repository` beside `tag`" },
    Row { group: "logging-extensions.banzaicloud.io", kinds: ANY, path: "**/image", means: Parts(&["repository"]), what: "Logging extensions: the same" },
    Row { group: ".k8ssandra.io", kinds: ANY, path: "**/containerImage", means: Parts(&["registry", "repository", "name"]), what: "K8ssandra: what is missing is the operator's" },
    Row { group: ".k8ssandra.io", kinds: ANY, path: "**/initContainerImage", means: Parts(&["registry", "repository", "name"]), what: "K8ssandra: the same for what sets up" },
    Row { group: "eraser.sh", kinds: &["EraserConfiguration"], path: "components/*/image", means: Parts(&["repo"]), what: "Eraser: the images of its own parts" },
    // Odd keys.
    Row { group: "infrastructure.cluster.x-k8s.io", kinds: ANY, path: "**/containerDisk/image", means: Image, what: "Cluster API on KubeVirt: disks in images" },
    Row { group: "olm.operatorframework.io", kinds: &["ClusterCatalog"], path: "spec/source/image/ref", means: Image, what: "OLM: a catalogue" },
    Row { group: "crdb.cockroachlabs.com", kinds: ANY, path: "spec/image/name", means: Image, what: "CockroachDB: the image of a cluster" },
    Row { group: "datadoghq.com", kinds: ANY, path: "**/image/name", means: Tagged, what: "Datadog: an agent's image, when it has a tag" },
    Row { group: "coroot.com", kinds: ANY, path: "**/image/name", means: Image, what: "Coroot: the images of its parts" },
    Row { group: "postgresql.cnpg.io", kinds: ANY, path: "**/imageName", means: Image, what: "CloudNativePG: the image of a cluster" },
    Row { group: "acid.zalan.do", kinds: ANY, path: "configuration/sidecar_docker_images/*", means: Image, what: "Zalando: sidecars of every cluster" },
    Row { group: "platform.confluent.io", kinds: ANY, path: "**/image/application", means: Image, what: "Confluent: the image of a component" },
    Row { group: "platform.confluent.io", kinds: ANY, path: "**/image/init", means: Image, what: "Confluent: the image that sets it up" },
    Row { group: "operator.knative.dev", kinds: ANY, path: "spec/registry/override/*", means: Image, what: "Knative operator: images by their names" },
    Row { group: "operator.knative.dev", kinds: ANY, path: "spec/registry/default", means: Image, what: "Knative operator: the form of all names" },
    Row { group: "gateway.envoyproxy.io", kinds: ANY, path: "**/container/imageRepository", means: Image, what: "Envoy Gateway: the proxy's image without its tag" },
    Row { group: "aigateway.envoyproxy.io", kinds: ANY, path: "**/imageRepository", means: Image, what: "Envoy AI Gateway: the same" },
    Row { group: "operator.cluster.x-k8s.io", kinds: ANY, path: "**/containers/imageUrl", means: Image, what: "Cluster API operator: the images of a provider" },
    Row { group: "tempo.grafana.com", kinds: ANY, path: "spec/images/*", means: Image, what: "Tempo operator: the images of a stack" },
    Row { group: "loki.grafana.com", kinds: ANY, path: "spec/images/*", means: Image, what: "Loki operator: the same" },
    Row { group: "repo-manager.pulpproject.org", kinds: ANY, path: "spec/image_web", means: Image, what: "Pulp: the image of its web server" },
    Row { group: "kubefledged.io", kinds: ANY, path: "spec/cacheSpec/images", means: Image, what: "kube-fledged: images to pull ahead" },
    // Objects whose `image` is no image of a container, or one that nobody pulls.
    Row { group: "bitnami.com", kinds: &["SealedSecret"], path: "", means: Nothing, what: "Sealed Secrets: the data of secrets" },
    Row { group: "kustomize.config.k8s.io", kinds: ANY, path: "", means: Nothing, what: "kustomize: see its own finder" },
    Row { group: ".toolkit.fluxcd.io", kinds: ANY, path: "", means: Nothing, what: "Flux: see its own finders" },
    Row { group: "argoproj.io", kinds: &["Application", "ApplicationSet", "AppProject"], path: "", means: Nothing, what: "Argo CD: see its own finders" },
    Row { group: "helm.cattle.io", kinds: ANY, path: "", means: Nothing, what: "k3s: see the finder of releases" },
    Row { group: "argocd-image-updater.argoproj.io", kinds: ANY, path: "", means: Nothing, what: "Argo CD Image Updater: names to watch" },
    Row { group: "kimup.cloudavenue.io", kinds: ANY, path: "", means: Nothing, what: "Kimup: names to watch" },
    Row { group: "mirror.openshift.io", kinds: ANY, path: "", means: Nothing, what: "OpenShift: images to copy" },
    Row { group: "kargo.akuity.io", kinds: ANY, path: "", means: Nothing, what: "Kargo: names to watch" },
    Row { group: "image.openshift.io", kinds: ANY, path: "", means: Nothing, what: "OpenShift: image streams" },
    Row { group: "eraser.sh", kinds: ANY, path: "", means: Nothing, what: "Eraser: images to remove" },
    Row { group: "operator.tigera.io", kinds: &["ImageSet"], path: "", means: Nothing, what: "Calico: digests by the names of components" },
    Row { group: "packages.eks.amazonaws.com", kinds: ANY, path: "", means: Nothing, what: "EKS Anywhere: what packages hold" },
    Row { group: "longhorn.io", kinds: ANY, path: "", means: Nothing, what: "Longhorn: engines by name, and disks" },
    Row { group: "aquasecurity.github.io", kinds: ANY, path: "", means: Nothing, what: "Trivy: reports" },
    Row { group: "spdx.softwarecomposition.kubescape.io", kinds: ANY, path: "", means: Nothing, what: "Kubescape: reports" },
    Row { group: "fluxcd.controlplane.io", kinds: &["FluxReport"], path: "", means: Nothing, what: "Flux operator: reports" },
    Row { group: "infrastructure.cluster.x-k8s.io", kinds: ANY, path: "", means: Nothing, what: "Cluster API: machine images" },
    Row { group: "openstackproviderconfig.openshift.io", kinds: ANY, path: "", means: Nothing, what: "OpenShift on OpenStack: machine images" },
    Row { group: "cluster.k8s.io", kinds: ANY, path: "", means: Nothing, what: "Kubermatic: machine images" },
    Row { group: "kbld.k14s.io", kinds: ANY, path: "", means: Nothing, what: "kbld: what is built, and names to look for" },
    Row { group: "imgpkg.carvel.dev", kinds: ANY, path: "", means: Nothing, what: "imgpkg: what a bundle holds" },
    Row { group: "metal3.io", kinds: ANY, path: "", means: Nothing, what: "Metal3: machine images" },
    Row { group: "machine.openshift.io", kinds: ANY, path: "", means: Nothing, what: "OpenShift: machine images" },
    Row { group: "machine.sapcloud.io", kinds: ANY, path: "", means: Nothing, what: "Gardener: machine images" },
    Row { group: ".gardener.cloud", kinds: ANY, path: "", means: Nothing, what: "Gardener: machine images" },
    Row { group: "rke-machine-config.cattle.io", kinds: ANY, path: "", means: Nothing, what: "Rancher: machine images" },
    Row { group: "rke-machine.cattle.io", kinds: ANY, path: "", means: Nothing, what: "Rancher: machine images" },
    Row { group: "kops.k8s.io", kinds: &["InstanceGroup"], path: "", means: Nothing, what: "kOps: machine images" },
    Row { group: "kops", kinds: &["InstanceGroup"], path: "", means: Nothing, what: "kOps, of old: machine images" },
    Row { group: "harvesterhci.io", kinds: ANY, path: "", means: Nothing, what: "Harvester: disk images" },
    Row { group: "cdi.kubevirt.io", kinds: ANY, path: "", means: Nothing, what: "KubeVirt: disks that are imported" },
    Row { group: "forklift.konveyor.io", kinds: ANY, path: "", means: Nothing, what: "Forklift: machines that are moved" },
    Row { group: "vmoperator.vmware.com", kinds: ANY, path: "", means: Nothing, what: "VMware: machine images" },
    Row { group: "tinkerbell.org", kinds: ANY, path: "", means: Nothing, what: "Tinkerbell: machine images" },
    Row { group: "openstack.k-orc.cloud", kinds: ANY, path: "", means: Nothing, what: "OpenStack: machine images" },
    Row { group: "agent-install.openshift.io", kinds: ANY, path: "", means: Nothing, what: "OpenShift: machine images" },
    Row { group: "eksctl.io", kinds: ANY, path: "", means: Nothing, what: "eksctl: machine images" },
    Row { group: "pkg.crossplane.io", kinds: &["ImageConfig"], path: "", means: Nothing, what: "Crossplane: how packages are pulled" },
    Row { group: "pkg.crossplane.io", kinds: &["ProviderRevision", "FunctionRevision", "ConfigurationRevision"], path: "", means: Nothing, what: "Crossplane: what it makes of packages" },
    Row { group: ".upbound.io", kinds: ANY, path: "", means: Nothing, what: "Crossplane: resources of a cloud" },
    Row { group: ".crossplane.io", kinds: ANY, path: "", means: Nothing, what: "Crossplane: resources of a cloud" },
    Row { group: ".cnrm.cloud.google.com", kinds: ANY, path: "", means: Nothing, what: "Google Config Connector: resources of a cloud" },
    Row { group: ".services.k8s.aws", kinds: ANY, path: "", means: Nothing, what: "AWS controllers: resources of a cloud" },
    Row { group: ".azure.com", kinds: ANY, path: "", means: Nothing, what: "Azure Service Operator: resources of a cloud" },
    Row { group: "networking.gke.io", kinds: ANY, path: "", means: Nothing, what: "Google: plugins that its load balancers run" },
    Row { group: "kind.x-k8s.io", kinds: ANY, path: "", means: Nothing, what: "kind: a cluster on one's own machine" },
    Row { group: "k3d.io", kinds: ANY, path: "", means: Nothing, what: "k3d: a cluster on one's own machine" },
    Row { group: "skaffold", kinds: ANY, path: "", means: Nothing, what: "Skaffold: the rest of its config" },
    Row { group: "backstage.io", kinds: ANY, path: "", means: Nothing, what: "Backstage: a catalogue" },
    Row { group: "scaffolder.backstage.io", kinds: ANY, path: "", means: Nothing, what: "Backstage: templates of repositories" },
    Row { group: "catalog.cattle.io", kinds: ANY, path: "", means: Nothing, what: "Rancher: a catalogue" },
    Row { group: "console.openshift.io", kinds: ANY, path: "", means: Nothing, what: "OpenShift: pictures of its console" },
    // Operators whose keys that are named like an image's always hold one.
    Row { group: "argoproj.io", kinds: ANY, path: "**/container/image", means: Image, what: "Argo Workflows: containers of templates and of template defaults" },
    Row { group: "argoproj.io", kinds: ANY, path: "**/script/image", means: Image, what: "Argo Workflows: scripts" },
    Row { group: "argoproj.io", kinds: ANY, path: "**/sidecars/image", means: Image, what: "Argo Workflows: sidecars" },
    Row { group: "tekton.dev", kinds: ANY, path: "**/steps/image", means: Image, what: "Tekton: steps of tasks, also inside pipelines and runs" },
    Row { group: "tekton.dev", kinds: ANY, path: "**/sidecars/image", means: Image, what: "Tekton: sidecars" },
    Row { group: "tekton.dev", kinds: ANY, path: "**/stepTemplate/image", means: Image, what: "Tekton: the template of steps" },
    Row { group: "tekton.dev", kinds: &["StepAction"], path: "spec/image", means: Image, what: "Tekton: step actions" },
    Row { group: "shipwright.io", kinds: ANY, path: "**/steps/image", means: Image, what: "Shipwright: steps of strategies" },
    Row { group: "monitoring.coreos.com", kinds: &["Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler"], path: "**", means: Image, what: "Prometheus, Alertmanager, ThanosRuler, with the deprecated `baseImage`" },
    Row { group: ".k8s.elastic.co", kinds: ANY, path: "**", means: Image, what: "Elastic Cloud on Kubernetes" },
    Row { group: "postgresql.cnpg.io", kinds: ANY, path: "**", means: Image, what: "CloudNativePG: catalogues of images" },
    Row { group: "acid.zalan.do", kinds: ANY, path: "**", means: Image, what: "Zalando's PostgreSQL: `dockerImage`, `docker_image` and others" },
    Row { group: "kafka.strimzi.io", kinds: ANY, path: "**", means: Image, what: "Strimzi: Kafka, its tools and bridges" },
    Row { group: "opentelemetry.io", kinds: ANY, path: "**", means: Image, what: "OpenTelemetry: collectors and instrumentations" },
    Row { group: ".percona.com", kinds: ANY, path: "**", means: Image, what: "Percona: databases, their backups and proxies" },
    Row { group: "postgres-operator.crunchydata.com", kinds: ANY, path: "**", means: Image, what: "Crunchy PostgreSQL" },
    Row { group: "k8s.mariadb.com", kinds: ANY, path: "**", means: Image, what: "MariaDB" },
    Row { group: "redis.redis.opstreelabs.in", kinds: ANY, path: "**", means: Image, what: "Redis (OT-Container-Kit)" },
    Row { group: "databases.spotahome.com", kinds: ANY, path: "**", means: Image, what: "Redis (Spotahome)" },
    Row { group: "gateway.envoyproxy.io", kinds: &["EnvoyProxy"], path: "**", means: Image, what: "Envoy Gateway: the proxy" },
    Row { group: "kubevirt.io", kinds: ANY, path: "**/containerDisk/image", means: Image, what: "KubeVirt: disks in images" },
    Row { group: "kubevirt.io", kinds: ANY, path: "**/kernelBoot/container/image", means: Image, what: "KubeVirt: kernels in images" },
    Row { group: "operators.coreos.com", kinds: &["CatalogSource", "ClusterServiceVersion"], path: "**", means: Image, what: "OLM: catalogues and related images" },
    Row { group: "ceph.rook.io", kinds: ANY, path: "**", means: Image, what: "Rook" },
    Row { group: "platform.confluent.io", kinds: ANY, path: "**", means: Image, what: "Confluent: further images" },
    Row { group: "actions.summerwind.dev", kinds: ANY, path: "**", means: Image, what: "GitHub runners" },
    Row { group: "actions.github.com", kinds: ANY, path: "**", means: Image, what: "GitHub runner scale sets" },
    Row { group: "apps.gitlab.com", kinds: ANY, path: "**", means: Image, what: "GitLab runners" },
    Row { group: "upgrade.cattle.io", kinds: &["Plan"], path: "**", means: Image, what: "system-upgrade-controller: images whose tag is `spec.version`" },
    Row { group: "awx.ansible.com", kinds: ANY, path: "**", means: Image, what: "AWX: images whose tags stand in `…_image_version`" },
    Row { group: "repo-manager.pulpproject.org", kinds: ANY, path: "**", means: Image, what: "Pulp: the same" },
    Row { group: "jaegertracing.io", kinds: ANY, path: "**", means: Image, what: "Jaeger" },
    Row { group: "serving.kserve.io", kinds: ANY, path: "**", means: Image, what: "KServe: predictors, transformers and explainers" },
    Row { group: "sparkoperator.k8s.io", kinds: ANY, path: "**", means: Image, what: "Spark: driver and executors" },
    Row { group: "flink.apache.org", kinds: ANY, path: "**", means: Image, what: "Flink" },
    Row { group: "vault.banzaicloud.com", kinds: ANY, path: "**", means: Image, what: "Vault" },
    Row { group: "caching.internal.knative.dev", kinds: ANY, path: "**", means: Image, what: "Knative: images to pull ahead" },
    Row { group: "minio.min.io", kinds: ANY, path: "**", means: Image, what: "MinIO" },
    Row { group: "rabbitmq.com", kinds: ANY, path: "**", means: Image, what: "RabbitMQ" },
    Row { group: "pingcap.com", kinds: ANY, path: "**", means: Image, what: "TiDB: `baseImage` and others, whose tag is the version" },
    Row { group: ".testkube.io", kinds: ANY, path: "**", means: Image, what: "Testkube" },
    Row { group: "policies.kubewarden.io", kinds: &["PolicyServer"], path: "spec/image", means: Image, what: "Kubewarden: servers of policies" },
    Row { group: "k6.io", kinds: ANY, path: "**", means: Image, what: "k6" },
];

/// API groups of Kubernetes itself: where their objects name images is known, and others look there.
const BUILT_IN: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

impl Row {
    /// Whether it is about the objects of this group and kind.
    pub(super) fn is_about(&self, object: &Object<'_>) -> bool {
        let group = match self.group.strip_prefix('.') {
            Some(_) => object.group.ends_with(self.group) || object.group == &self.group[1..],
            None => object.group == self.group,
        };
        group && (self.kinds.is_empty() || self.kinds.contains(&object.kind))
    }

    /// Whether it is about several groups.
    fn is_of_many(&self) -> bool {
        self.group.starts_with('.')
    }

    /// Whether it is about every key that is named like an image's.
    pub(super) fn is_general(&self) -> bool {
        self.path == "**"
    }

    /// The way to its field.
    pub(super) fn way(&self) -> FieldPath {
        FieldPath::of_table(self.path)
    }
}

/// What is known of an object.
pub(super) struct About {
    /// The rows about it.
    pub rows: Vec<&'static Row>,
    /// Whether shapes decide what the rows do not.
    pub shaped: bool,
}

/// The rows that may be about objects of a group, in their order: every object of every file is asked
/// for.
fn rows_of(group: &str) -> impl Iterator<Item = &'static Row> {
    static BY_GROUP: LazyLock<HashMap<&str, Vec<usize>>> = LazyLock::new(|| {
        let mut rows: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, row) in ROWS.iter().enumerate() {
            let group = if row.is_of_many() { "" } else { row.group };
            rows.entry(group).or_default().push(index);
        }
        rows
    });
    let rows = |group| BY_GROUP.get(group).into_iter().flatten().copied();
    let mut rows: Vec<usize> = rows(group).chain(rows("")).collect();
    rows.sort_unstable();
    rows.dedup();
    rows.into_iter().map(|index| &ROWS[index])
}

/// What is known of an object; none when nothing in it names an image that is not found otherwise.
pub(super) fn about(object: &Object<'_>) -> Option<About> {
    if BUILT_IN.contains(&object.group) {
        return None;
    }
    let rows = rows_of(object.group).filter(|row| row.is_about(object));
    let rows: Vec<&'static Row> = rows.collect();
    // Rows before one for nothing are exceptions from it.
    let nothing = rows.iter().position(|row| row.means == Nothing);
    let shaped = nothing.is_none();
    let rows = rows[..nothing.unwrap_or(rows.len())].to_vec();
    (shaped || !rows.is_empty()).then_some(About { rows, shaped })
}

/// What the table says of a field that a patch writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patched {
    /// It is an image, as far as its key and text show.
    Image,
    /// It is an image, whatever its key is called.
    Field,
    /// A build pushes to it.
    Output,
    /// It is no image.
    Nothing,
    /// The patch does not say of what it is a field.
    Unknown,
}

/// What the table says of the field that the keys lead to, in an object of which the group may not be
/// known, or the kind.
pub(super) fn patched(target: &Object<'_>, keys: &[&str]) -> Patched {
    if target.group.is_empty() {
        // Only some kinds push to `spec/image`, but `output` says it in all of them.
        let is_output = |row: &Row| {
            let is_kind = row.kinds.contains(&target.kind) || keys.contains(&"output");
            row.means == Output && is_kind && !row.is_general() && row.way().matches(keys)
        };
        return if ROWS.iter().any(is_output) {
            Patched::Output
        } else {
            Patched::Unknown
        };
    }
    let Some(about) = about(target) else {
        return Patched::Nothing;
    };
    let mut rows = about.rows.iter();
    let row = rows.find(|row| !row.is_general() && row.way().matches(keys));
    match row.map(|row| row.means) {
        Some(Output | Package) => Patched::Output,
        Some(Nothing) => Patched::Nothing,
        Some(Image) => Patched::Field,
        Some(_) => Patched::Image,
        None if about.shaped => Patched::Image,
        None => Patched::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites::may_name_images;

    #[test]
    fn files_with_a_known_field_are_looked_at() {
        let changes = |row: &&Row| !matches!(row.means, Nothing | Output);
        for row in ROWS.iter().filter(changes) {
            let keys = row.path.replace('/', ":\n");
            let is_general = row.is_general();
            assert!(
                is_general || may_name_images(&format!("{}\n{keys}:", row.group)),
                "{} {}: no file is looked at for it; give `WORDS` of src/sites/mod.rs a word",
                row.group,
                row.path
            );
        }
    }
}
