import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.subject import Subject, is_exporter, namespace_of, subject_of

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


@pytest.mark.parametrize("name", ["TargetDown", "InstanceDown", "KubeletDown", "PayTargetMissing", "AbsentPayments"])
def test_an_alert_that_a_target_is_down_is_about_the_target(name: str) -> None:
    down = subject_of(name, "", "", "", {"job": "payments", "namespace": "shop"})[1]
    assert (down.name == "payments") is (name != "KubeletDown")
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
    ],
)
def test_the_target_resource_names_the_subject(target: str, expected: tuple[str, str, str]) -> None:
    assert subject(target=target, pod="other-0") == Subject(*expected)


def test_grafanas_data_source_is_the_subject_of_a_query_that_failed() -> None:
    labels = {"service": "cart", "namespace": "shop", "datasource_uid": "prom-1", "rulename": "Latency"}
    assert subject_of("DatasourceError", "", "", "", labels)[1] == Subject("datasource", "", "prom-1")
    assert subject_of("DatasourceNoData", "", "", "", labels)[1] == Subject("datasource", "", "prom-1")
    assert subject_of("HighLatency", "", "", "", labels)[1].name == "cart"


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


@pytest.mark.parametrize(
    "name",
    [
        "node-exporter",
        "kps-prometheus-node-exporter",
        "prometheus-node_exporter",
        "mon-blackbox-exporter",
        "mysqld_exporter",
        "kube-state-metrics",
        "a-b-kube-state-metrics",
        "kube-state-metrics-headless",
        "cadvisor",
        "mon-kubelet",
        "exporter",
    ],
)
def test_an_exporter_is_known_by_its_name(name: str) -> None:
    assert is_exporter(name)


@pytest.mark.parametrize("name", ["checkout", "export-service", "exporters-guild", "state-metrics", "kubelet-proxy-x"])
def test_other_names_are_no_exporters(name: str) -> None:
    assert not is_exporter(name)


@given(st.text(max_size=30), st.dictionaries(st.text(max_size=12), st.text(max_size=300), max_size=6))
def test_every_alert_has_a_subject(name: str, labels: dict[str, str]) -> None:
    namespace, found = subject_of(name or "A", "", "", "", labels)
    assert found.name
    assert len(namespace) <= 200
    assert len(found.name) <= 200
