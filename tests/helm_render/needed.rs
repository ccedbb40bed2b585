//! What single charts need to show their images.

/// What charts cannot be rendered without: the values that they require, and no look at schemas that
/// lie elsewhere or refuse the chart's own values.
pub const NEEDED: &[(&str, &[&str])] = &[
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
pub const MORE: &[(&str, &str)] = &[
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
