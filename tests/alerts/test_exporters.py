import pytest

from openclaw_stream.alerts.exporters import Reporter, is_exporter, is_exporter_pod, is_known_exporter, reporter_of


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
        "Node-Exporter",
        "nodeexporter",
        "kube_state_metrics",
        "openshift-state-metrics",
        "kube-state-metrics-shard-1",
        "redis-exporter-orders",
        "node-exporter-service",
        "integrations/windows_exporter",
        "monitoring/node-exporter",
        "kubernetes-nodes-cadvisor",
        "blackbox-http",
        "prometheus-pushgateway",
    ],
)
def test_an_exporter_is_known_by_its_name(name: str) -> None:
    assert is_exporter(name)


@pytest.mark.parametrize("name", ["checkout", "export-service", "exporters-guild", "state-metrics", "kubelet-proxy-x"])
def test_other_names_are_no_exporters(name: str) -> None:
    assert not is_exporter(name)


def test_an_applications_exporter_is_not_one_of_the_usual() -> None:
    assert is_exporter("invoice-exporter")
    assert not is_known_exporter("invoice-exporter")
    assert is_known_exporter("kps-prometheus-node-exporter")


@pytest.mark.parametrize("pod", ["node-exporter-x2k4q", "node-exporter-abcde", "kube-state-metrics-5d4f9c7b6d-abcde"])
def test_a_pod_of_an_exporter_is_known_whatever_its_hash(pod: str) -> None:
    assert is_exporter_pod(pod)
    assert not is_exporter_pod(f"cart-{pod[-5:]}")


@pytest.mark.parametrize(
    ("labels", "reporter"),
    [
        ({"job": "node-exporter"}, Reporter.NODE),
        ({"job": "node"}, Reporter.NODE),
        ({"service": "mon-kubelet", "pod": "cart-0"}, Reporter.NODE),
        ({"job": "kubernetes-service-endpoints", "app": "kube-state-metrics"}, Reporter.CLUSTER),
        ({"job": "pushgateway"}, Reporter.CLUSTER),
        ({"job": "snmp"}, Reporter.PROBE),
        ({"pod": "redis-exporter-x2k4q"}, Reporter.PROBE),
        ({"job": "payments", "pod": "payments-0"}, None),
        ({}, None),
    ],
)
def test_the_reporter_is_found_among_the_labels_of_a_scrape_target(
    labels: dict[str, str], reporter: Reporter | None
) -> None:
    assert reporter_of(labels) is reporter
