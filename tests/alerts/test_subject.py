import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.subject import Subject, namespace_of, subject_of

KSM = {
    "job": "kube-state-metrics",
    "service": "mon-kube-state-metrics",
    "container": "kube-state-metrics",
    "instance": "10.42.0.9:8080",
}
"""What a chart of kube-state-metrics adds to the labels of an alert."""

NODE_EXPORTER = {
    "job": "node-exporter",
    "service": "mon-prometheus-node-exporter",
    "container": "node-exporter",
    "pod": "mon-prometheus-node-exporter-7kq2x",
    "namespace": "monitoring",
}


def subject(name: str = "SomethingIsWrong", *, target: str = "", **labels: str) -> Subject:
    return subject_of(name, "", "", target, {label.replace("__", "."): value for label, value in labels.items()})[1]


def key_of(name: str, labels: dict[str, str]) -> str:
    found = subject_of(name, "", "", "", labels)[1]
    return f"{found.namespace}/{found.name}"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"service": "cart", "deployment": "other", "pod": "third-0"}, "service cart"),
        ({"service.name": "cart", "service.namespace": "shop"}, "service cart"),
        ({"kube_service": "cart"}, "service cart"),
        ({"deployment": "cart", "app": "shop"}, "deployment cart"),
        ({"k8s.deployment.name": "cart"}, "deployment cart"),
        ({"k8s_deployment_name": "cart"}, "deployment cart"),
        ({"kube_deployment": "cart", "pod_name": "x-0"}, "deployment cart"),
        ({"kube_stateful_set": "queue"}, "statefulset queue"),
        ({"daemonset": "logs"}, "daemonset logs"),
        ({"cronjob": "report", "job_name": "report-29177885"}, "cronjob report"),
        ({"job_name": "report-29177885"}, "job report"),
        ({"horizontalpodautoscaler": "quotes"}, "horizontalpodautoscaler quotes"),
        ({"poddisruptionbudget": "queue"}, "poddisruptionbudget queue"),
        ({"ingress": "front"}, "ingress front"),
        ({"persistentvolumeclaim": "uploads"}, "persistentvolumeclaim uploads"),
        ({"persistentvolumeclaim": "data-queue-0"}, "persistentvolumeclaim queue"),
        ({"app.kubernetes.io/name": "cart", "pod": "x-0"}, "workload cart"),
        ({"pod": "cart-7d9f8b6c5d-x2k4q"}, "pod cart"),
        ({"k8s.pod.name": "queue-0", "k8s.node.name": "n1"}, "pod queue"),
        ({"node": "n1", "instance": "10.0.0.1:9100"}, "node n1"),
        ({"nodename": "n1"}, "node n1"),
        ({"host": "db-1", "region": "r"}, "host db-1"),
        ({"hostname": "db-1.example.org"}, "host db-1.example.org"),
        ({"instance": "10.0.0.1:9100"}, "host 10.0.0.1"),
        ({"instance": "[2001:db8::1]:9100"}, "host 2001:db8::1"),
        ({"instance": "2001:db8::1"}, "host 2001:db8::1"),
        ({"instance": "https://pay.example.org/health?x=1"}, "host pay.example.org"),
        ({"instance": "pay.example.org/health"}, "host pay.example.org"),
        ({"target": "router-3"}, "host router-3"),
        ({"service": "kubernetes", "node": "worker-7"}, "node worker-7"),
        ({"service": "baremetal", "server_name": "blade-3"}, "host blade-3"),
        ({"service": "asr", "devicename": "edge-2"}, "host edge-2"),
        ({"service": "cart", "node": "worker-7"}, "service cart"),
        ({"service": "kubernetes"}, "service kubernetes"),
        ({"datasource_uid": "prom-1"}, "datasource prom-1"),
        ({"team": "a"}, "alert SomethingIsWrong"),
        ({"service": "  ", "pod": ""}, "alert SomethingIsWrong"),
    ],
)
def test_the_subject_is_the_first_object_that_the_labels_name(labels: dict[str, str], expected: str) -> None:
    found = subject_of("SomethingIsWrong", "", "", "", labels)[1]
    assert f"{found.kind} {found.name}" == expected


def test_an_exported_label_takes_precedence() -> None:
    labels = {"service": "scraped", "exported_service": "cart", "exported_namespace": "shop", "namespace": "monitoring"}
    assert subject_of("A", "", "", "", labels) == ("shop", Subject("service", "shop", "cart"))
    labels = {"pod": "mon-kube-state-metrics-84756b4547-tt98v", "exported_pod": "cart-7d9f8b6c5d-x2k4q"}
    assert subject(**labels).name == "cart"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (KSM | {"namespace": "shop", "pod": "cart-7d9f8b6c5d-x2k4q"}, "pod shop/cart"),
        (
            KSM | {"namespace": "shop", "statefulset": "queue", "pod": "mon-ksm-0"},
            "statefulset shop/queue",
        ),
        (KSM | {"namespace": "shop", "job_name": "bill-29177885", "pod": "mon-ksm-0"}, "job shop/bill"),
        (KSM | {"namespace": "monitoring", "node": "n1"}, "node /n1"),
        ({"app_kubernetes_io_name": "kube-state-metrics", "namespace": "shop", "pod": "cart-0"}, "pod shop/cart"),
        ({"k8s-app": "kube-state-metrics", "namespace": "shop", "pod": "cart-0"}, "pod shop/cart"),
        ({"app": "prometheus-blackbox-exporter", "instance": "https://pay.example.org"}, "host /pay.example.org"),
        (
            {"job": "blackbox", "instance": "mon-blackbox-exporter:9115", "target": "https://pay.example.org"},
            "host /pay.example.org",
        ),
        (NODE_EXPORTER | {"instance": "10.0.0.1:9100"}, "host /10.0.0.1"),
        (NODE_EXPORTER | {"instance": "10.0.0.1:9100", "nodename": "n1"}, "node /n1"),
        (
            {"service": "redis_exporter", "instance": "redis://cache-0.cache:6379", "namespace": "x"},
            "host /cache-0.cache",
        ),
        (
            {"service": "orders-postgres-exporter", "namespace": "shop", "pod": "orders-postgres-0"},
            "pod shop/orders-postgres",
        ),
        ({"service": "mon-kubelet", "namespace": "shop", "pod": "cart-0", "node": "n1"}, "pod shop/cart"),
        ({"service": "mon-kubelet", "namespace": "kube-system", "node": "n1"}, "node /n1"),
        ({"job": "cadvisor", "service": "cadvisor", "pod": "cart-0", "namespace": "shop"}, "pod shop/cart"),
        (
            {"service": "orders-postgresql-metrics", "pod": "orders-postgresql-0", "namespace": "shop"},
            "pod shop/orders-postgresql",
        ),
        ({"service": "usage-metrics", "instance": "10.0.0.1:80", "namespace": "shop"}, "service shop/usage-metrics"),
        ({"service": "mysqld-exporter", "namespace": "shop"}, "alert shop/SomethingIsWrong"),
    ],
)
def test_an_exporter_is_not_the_subject(labels: dict[str, str], expected: str) -> None:
    found = subject_of("SomethingIsWrong", "", "", "", labels)[1]
    assert f"{found.kind} {found.namespace}/{found.name}" == expected


@pytest.mark.parametrize("name", ["TargetDown", "InstanceDown", "PayTargetMissing", "AbsentPayments"])
def test_an_alert_that_a_target_is_down_is_about_the_target(name: str) -> None:
    assert subject_of(name, "", "", "", {"job": "payments", "namespace": "shop"})[1].name == "payments"
    assert subject_of(name, "", "", "", NODE_EXPORTER | {"instance": "10.0.0.1:9100"})[1] == Subject(
        "host", "", "10.0.0.1"
    )


def test_a_target_that_is_an_exporter_can_be_down() -> None:
    labels = {"job": "node-exporter", "service": "mon-node-exporter", "namespace": "monitoring"}
    assert subject_of("TargetDown", "", "", "", labels)[1] == Subject("service", "monitoring", "mon-node-exporter")


def test_the_alerts_own_fields_come_first() -> None:
    labels = {"service": "other", "namespace": "other"}
    assert subject_of("A", "shop", "cart", "", labels) == ("shop", Subject("service", "shop", "cart"))
    assert subject_of("A", "", "cart", "", labels) == ("other", Subject("service", "other", "cart"))
    assert subject_of("A", "shop", "", "deployment/cart", labels)[1] == Subject("deployment", "shop", "cart")
    assert subject_of("A", "shop", "invoice-exporter", "", {})[1].name == "invoice-exporter"


def test_an_own_field_that_names_a_usual_exporter_is_passed_over() -> None:
    found = subject_of("A", "shop", "kube-state-metrics", "", {"pod": "cart-0"})[1]
    assert found == Subject("pod", "shop", "cart")


def test_a_target_that_is_an_exporter_counts_where_its_own_pods_fail() -> None:
    target = "daemonset/mon-node-exporter"
    assert subject_of("KubePodCrashLooping", "mon", "", target, {})[1] == Subject(
        "daemonset", "mon", "mon-node-exporter"
    )
    assert subject_of("DiskAlmostFull", "mon", "", target, {"host": "web-1"})[1].name == "web-1"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("pod/cart-7d9f8b6c5d-x2k4q", ("pod", "", "cart")),
        ("pods/cart-0", ("pod", "", "cart")),
        ("shop/Pod/cart-0", ("pod", "shop", "cart")),
        ("deploy/cart", ("deployment", "", "cart")),
        ("ingress/front", ("ingress", "", "front")),
        ("node/n1", ("node", "", "n1")),
        ("cart", ("workload", "", "cart")),
        ("ingresses/front", ("ingress", "", "front")),
        ("deployments.apps/cart", ("deployment", "", "cart")),
        ("sts/queue", ("statefulset", "", "queue")),
        ("host/db-1:9100", ("host", "", "db-1")),
        ("https://pay.example.org/health", ("host", "", "pay.example.org")),
    ],
)
def test_the_target_resource_names_the_subject(target: str, expected: tuple[str, str, str]) -> None:
    assert subject(target=target, pod="other-0") == Subject(*expected)


def test_grafanas_data_source_is_the_subject_of_a_query_that_failed() -> None:
    labels = {"service": "cart", "namespace": "shop", "datasource_uid": "prom-1", "rulename": "Latency"}
    assert subject_of("DatasourceError", "", "", "", labels)[1] == Subject("datasource", "", "prom-1")
    assert subject_of("DatasourceNoData", "", "", "", labels)[1] == Subject("datasource", "", "prom-1")
    assert subject_of("HighLatency", "", "", "", labels)[1].name == "cart"
    assert subject_of("DatasourceError", "", "", "", {"instance": "web-1:9100"})[1] == Subject(
        "alert", "", "DatasourceError"
    )


@pytest.mark.parametrize(
    ("labels", "namespace"),
    [
        ({"namespace": "shop"}, "shop"),
        ({"k8s.namespace.name": "shop"}, "shop"),
        ({"k8s_namespace_name": "shop"}, "shop"),
        ({"kubernetes_namespace": " shop "}, "shop"),
        ({"kube_namespace": "shop"}, "shop"),
        ({"service.namespace": "shop"}, "shop"),
        ({"namespace": "monitoring", "exported_namespace": "shop"}, "shop"),
        ({"namespace": "  "}, ""),
        ({}, ""),
    ],
)
def test_the_namespace_is_found_under_its_usual_labels(labels: dict[str, str], namespace: str) -> None:
    assert namespace_of(labels) == namespace


KSM_POD = KSM | {"namespace": "monitoring", "pod": "mon-kube-state-metrics-84756b4547-tt98v"}
"""The same where labels of the objects are renamed to exported_…, as Prometheus does by default."""

KUBERNETES_ALERTS = [
    ("KubePodCrashLooping", {"exported_namespace": "shop", "exported_pod": "cart-7d9f8b6c5d-x2k4q"}, "shop/cart"),
    ("KubeDeploymentReplicasMismatch", {"exported_namespace": "shop", "deployment": "cart"}, "shop/cart"),
    ("KubeJobNotCompleted", {"exported_namespace": "shop", "job_name": "bill-29177885"}, "shop/bill"),
    ("KubeHpaMaxedOut", {"namespace": "shop", "horizontalpodautoscaler": "keda-hpa-quotes"}, "shop/quotes"),
    ("KubeQuotaFullyUsed", {"namespace": "shop", "resourcequota": "team-a"}, "shop/team-a"),
    ("KubeQuotaFullyUsed", {"namespace": "shop", "resource": "pods"}, "shop/KubeQuotaFullyUsed"),
    ("KubePersistentVolumeErrors", {"persistentvolume": "pvc-91a2", "phase": "Failed"}, "/pvc-91a2"),
    ("KubeNodeNotReady", {"node": "n1"}, "/n1"),
    ("KubeNodeNotReady", {"node": "n1", "job": "kubernetes-service-endpoints"}, "/n1"),
    (
        "KubeQuotaAlmostFull",
        {"namespace": "shop", "node": "n1", "job": "kubernetes-service-endpoints"},
        "shop/KubeQuotaAlmostFull",
    ),
    ("KubeDaemonSetRolloutStuck", {"daemonset": "mon-node-exporter"}, "monitoring/mon-node-exporter"),
    ("KubePodCrashLooping", {"pod": "redis-exporter-6c8d9f7b5-x2k4q"}, "monitoring/redis-exporter"),
    ("KubeContainerWaiting", {}, "monitoring/KubeContainerWaiting"),
    ("TargetDown", {}, "monitoring/mon-kube-state-metrics"),
]


@pytest.mark.parametrize(("name", "labels", "key"), KUBERNETES_ALERTS)
def test_an_alert_of_kube_state_metrics_is_about_its_object(name: str, labels: dict[str, str], key: str) -> None:
    assert key_of(name, KSM_POD | labels) == key


@pytest.mark.parametrize(
    ("labels", "key"),
    [
        ({"job": "snmp", "instance": "10.9.9.1"}, "/10.9.9.1"),
        ({"job": "probe/monitoring/pay", "namespace": "monitoring", "instance": "https://pay.org/x"}, "/pay.org"),
        (
            {"job": "blackbox", "namespace": "monitoring", "instance": "10.4.0.4:9115", "target": "https://pay.org"},
            "/pay.org",
        ),
        ({"job": "blackbox", "instance": "http://cart.shop.svc.cluster.local:8080/health"}, "shop/cart"),
        ({"job": "blackbox", "instance": "cache-0.cache.shop.svc:6379"}, "shop/cache"),
        (
            {"app_kubernetes_io_name": "redis-exporter", "node": "n3", "instance": "redis://10.1.1.1:6379"},
            "/10.1.1.1",
        ),
        ({"service": "mysqld-exporter-orders", "target": "db-1:3306", "instance": "10.4.0.4:9104"}, "/db-1"),
        ({"container": "redis-exporter", "pod": "cache-redis-0", "namespace": "shop"}, "shop/cache-redis"),
        (NODE_EXPORTER | {"container": "kube-rbac-proxy", "instance": "worker-3"}, "/worker-3"),
        ({"job": "node-exporter", "pod": "node-exporter-abcde", "instance": "10.0.0.1:9100"}, "/10.0.0.1"),
        ({"job": "nodeexporter", "instance": "nodeexporter:9100"}, "/SomethingIsWrong"),
        ({"service": "node-problem-detector", "node": "n1", "namespace": "kube-system"}, "/n1"),
        ({"job": "pushgateway", "instance": "10.4.0.4:9091", "exported_job": "backup"}, "/backup"),
    ],
)
def test_the_object_that_an_exporter_measures_is_the_subject(labels: dict[str, str], key: str) -> None:
    assert key_of("SomethingIsWrong", labels) == key


@pytest.mark.parametrize(
    ("labels", "key"),
    [
        (
            {"exported_namespace": "shop", "name": "shop-tls", "namespace": "certs", "service": "cert-manager"},
            "shop/shop-tls",
        ),
        (
            {"exported_namespace": "shop", "name": "cart", "kind": "HelmRelease", "pod": "helm-controller-0"},
            "shop/cart",
        ),
        (
            {"exported_service": "cart", "exported_namespace": "shop", "namespace": "edge", "service": "nginx"},
            "shop/cart",
        ),
        ({"exported_pod": "train-0", "exported_namespace": "ml", "service": "gpu", "namespace": "gpus"}, "ml/train"),
        ({"exported_namespace": "shop", "namespace": "edge", "service": "nginx"}, "shop/nginx"),
    ],
)
def test_an_exported_namespace_says_that_plain_labels_name_the_scrape_target(labels: dict[str, str], key: str) -> None:
    assert key_of("SomethingIsWrong", labels) == key


@pytest.mark.parametrize(
    "labels",
    [
        {"Namespace": "shop", "Service": "cart"},
        {"NAMESPACE": "shop", "SERVICE": "cart"},
        {"Namespace": "shop", "podName": "cart-0"},
        {"namespace": "shop", "service-name": "cart"},
        {"kubernetes.namespace": "shop", "kubernetes.pod.name": "cart-7d9f8b6c5d-x2k4q"},
        {"kubernetes_namespace_name": "shop", "kubernetes_pod_name": "cart-0", "kubernetes_host": "n1"},
        {"kube_namespace": "shop", "kube_app_name": "cart", "host": "i-0a"},
        {"namespace": "shop", "replicaset": "cart-7d9f8b6c5d"},
        {"destination_workload": "cart", "destination_workload_namespace": "shop"},
        {"destination_service_name": "cart", "destination_service_namespace": "shop"},
        {"service.name": "unknown_service:java", "k8s.deployment.name": "cart", "k8s.namespace.name": "shop"},
        {"service": "<no value>", "app": "cart", "namespace": "shop"},
        {"namespace": "shop", "application": "cart"},
        {"namespace_name": "shop", "deployment_name": "cart"},
        {"k8s_namespace": "shop", "k8s_deployment": "cart"},
        {"namespace": "shop", "container": "cart"},
        {"namespace": "shop", "job": "cart"},
        {"job": "shop/cart", "instance": "627cc493-f310-47de-96bd-71410b7dec09"},
    ],
)
def test_a_workload_is_known_in_the_labels_of_every_producer(labels: dict[str, str]) -> None:
    assert key_of("SomethingIsWrong", labels) == "shop/cart"


@pytest.mark.parametrize(
    "labels",
    [
        {"host": "web-1"},
        {"Hostname": "WEB-1"},
        {"HostName": "web-1:9182", "job": "windows"},
        {"host_name": "web-1"},
        {"instance": "web-1:9100", "job": "node"},
        {"instance": "web-1", "job": "integrations/node_exporter"},
        {"instance": "https://web-1:8443/health", "job": "blackbox-http", "namespace": "monitoring"},
        {"instance": "web-1:8443/health"},
        {"url": "https://web-1/health"},
        {"job": "postgres-exporter", "instance": "10.4.0.4:9187", "server": "web-1:5432"},
        {"kube_daemon_set": "node-exporter", "host": "web-1", "kube_namespace": "monitoring"},
        {"node": "web-1", "namespace": "monitoring", "job": "kube-state-metrics"},
        NODE_EXPORTER | {"instance": "10.0.0.1:9100", "nodename": "web-1"},
    ],
)
def test_all_alerts_of_one_host_have_the_same_group(labels: dict[str, str]) -> None:
    assert key_of("SomethingIsWrong", labels) == "/web-1"


@pytest.mark.parametrize(
    "job", ["kubernetes-pods", "integrations/unix", "node", "probe/monitoring/pay", "redis_exporter"]
)
def test_a_scrape_job_that_names_no_service_is_not_the_subject(job: str) -> None:
    assert key_of("SomethingIsWrong", {"job": job}) == "/SomethingIsWrong"


EXPORTERS = st.sampled_from(
    ("node", "blackbox", "redis", "postgres", "mysqld", "kafka", "snmp", "windows", "nginx", "mongodb")
).flatmap(lambda what: st.sampled_from((f"{what}-exporter", f"{what}_exporter"))) | st.sampled_from(
    ("kube-state-metrics", "cadvisor", "kubelet", "acme-exporter")
)
PREFIXES = st.sampled_from(("", "kps-", "prometheus-", "my-release-prometheus-", "kube-prometheus-stack-"))
PLACES = st.sets(
    st.sampled_from(
        ("service", "job", "app", "app_kubernetes_io_name", "app.kubernetes.io/name", "container", "pod", "Service")
    ),
    min_size=1,
)


@given(
    PREFIXES,
    EXPORTERS,
    PLACES,
    st.sampled_from(("", "-x2k4q", "-6c8d9f7b5-x2k4q", "-0")),
    st.sampled_from(("", "web-1:9100")),
)
def test_no_exporter_is_the_subject_whatever_label_names_it(
    prefix: str, exporter: str, places: set[str], suffix: str, instance: str
) -> None:
    labels = {place: prefix + exporter + (suffix if place == "pod" else "") for place in places}
    labels["instance"] = instance
    assert exporter not in subject_of("DiskAlmostFull", "", "", "", labels | {"namespace": "monitoring"})[1].name
    native = subject_of("DiskAlmostFull", "monitoring", labels.get("service", ""), "", labels)[1]
    assert exporter not in native.name or exporter == "acme-exporter"


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_a_subject_is_bounded_whatever_names_it(kind: str, namespace: str, name: str) -> None:
    labels = {"exported_namespace": namespace, "name": name, "kind": kind, "job": f"{namespace}/{name}"}
    for target in ("", f"{namespace}/{kind}/{name}"):
        found = subject_of("A", "", "", target, labels)[1]
        assert found.kind.isascii()
        assert max(len(found.kind), len(found.namespace), len(found.name)) <= 200


@given(st.text(max_size=30), st.dictionaries(st.text(max_size=12), st.text(max_size=300), max_size=6))
def test_every_alert_has_a_subject(name: str, labels: dict[str, str]) -> None:
    namespace, found = subject_of(name or "A", "", "", "", labels)
    assert found.name
    assert len(namespace) <= 200
    assert len(found.name) <= 200
