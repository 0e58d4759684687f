"""What the alerts of a case name: workloads, their kinds and namespaces."""

import pytest

from openclaw_stream.arbitration.kubectl import Kind
from openclaw_stream.arbitration.validation.workloads import Named, workloads_of
from tests.builders import POD, case, exemplar


def test_a_pod_tells_its_workload() -> None:
    found = workloads_of(case(exemplar(labels={"pod": POD}), service=""))
    assert Named(Kind.POD, POD, "shop") in found.resources
    assert Named(Kind.DEPLOYMENT, "checkout", "shop") in found.resources
    assert found.namespaces_of(Kind.STATEFULSET, "checkout") == frozenset()


@pytest.mark.parametrize(
    ("pod", "kind", "name"),
    [
        ("orders-db-0", Kind.STATEFULSET, "orders-db"),
        ("agent-x2x4z", Kind.DAEMONSET, "agent"),
        ("checkout-7d9f8b6c5-x2x4z", Kind.DEPLOYMENT, "checkout"),
    ],
)
def test_the_ending_of_a_pod_tells_the_kind(pod: str, kind: Kind, name: str) -> None:
    found = workloads_of(case(exemplar(labels={"k8s.pod.name": pod}), service=""))
    assert [named.kind for named in found.resources if named.name == name and named.kind is not Kind.HPA] == [kind]


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ({"deployment": "checkout"}, Kind.DEPLOYMENT),
        ({"k8s.deployment.name": "checkout"}, Kind.DEPLOYMENT),
        ({"k8s_deployment_name": "checkout"}, Kind.DEPLOYMENT),
        ({"exported_statefulset": "checkout"}, Kind.STATEFULSET),
        ({"daemonset": "checkout"}, Kind.DAEMONSET),
        ({"replicaset": "checkout-7d9f8b6c5"}, Kind.DEPLOYMENT),
        ({"horizontalpodautoscaler": "checkout"}, Kind.HPA),
        ({"hpa": "checkout"}, Kind.HPA),
    ],
)
def test_a_label_tells_the_kind(labels: dict[str, str], kind: Kind) -> None:
    found = workloads_of(case(exemplar(labels=labels), service=""))
    assert found.namespaces_of(kind, "checkout") == {"shop"}
    assert found.word_for("checkout") == ("resource" if kind is Kind.HPA else kind)


@pytest.mark.parametrize(
    "labels", [{"app": "cart"}, {"workload": "cart"}, {"app.kubernetes.io/name": "cart"}, {"k8s_app": "cart"}]
)
def test_a_name_of_no_told_kind_may_be_any_workload(labels: dict[str, str]) -> None:
    found = workloads_of(case(exemplar(labels=labels), service=""))
    for kind in (Kind.DEPLOYMENT, Kind.STATEFULSET, Kind.DAEMONSET, Kind.HPA):
        assert found.namespaces_of(kind, "cart") == {"shop"}
    assert found.namespaces_of(Kind.POD, "cart") == frozenset()
    assert found.word_for("cart") == "workload"


def test_a_told_kind_excludes_the_others() -> None:
    found = workloads_of(case(exemplar(labels={"statefulset": "checkout"}, service="checkout")))
    assert found.word_for("checkout") == Kind.STATEFULSET
    assert found.namespaces_of(Kind.DEPLOYMENT, "checkout") == frozenset()


def test_the_series_own_label_prevails_over_the_scrape_targets() -> None:
    labels = {"exported_pod": POD, "pod": "kube-state-metrics-0"}
    names = {named.name for named in workloads_of(case(exemplar(labels=labels), service="")).resources}
    assert names == {POD, "checkout"}


def test_a_namespace_counts_with_the_alert_that_names_it() -> None:
    here = exemplar(labels={"deployment": "cart"}, namespace="shop")
    there = exemplar(labels={"deployment": "ledger"}, namespace="bank")
    nowhere = exemplar(labels={"deployment": "mail"})
    found = workloads_of(case(here, there, nowhere, namespace="", service=""))
    assert found.namespaces == {"shop", "bank"}
    assert found.namespaces_of(Kind.DEPLOYMENT, "cart") == {"shop"}
    assert found.namespaces_of(Kind.DEPLOYMENT, "ledger") == {"bank"}
    assert found.namespaces_of(Kind.DEPLOYMENT, "mail") == {""}


def test_a_target_resource_names_its_kind() -> None:
    found = workloads_of(case(exemplar(target_resource="sts/orders-db"), service=""))
    assert found.namespaces_of(Kind.STATEFULSET, "orders-db") == {"shop"}
    bare = workloads_of(case(exemplar(target_resource="orders-db"), service=""))
    assert bare.word_for("orders-db") == "workload"
    node = workloads_of(case(exemplar(target_resource="node/worker-1"), service=""))
    assert node.resources == ()
    assert "worker-1" in node.names
    assert node.word_for("worker-1") == "resource"


def test_nothing_named_is_nothing_found() -> None:
    found = workloads_of(case(namespace="", service=""))
    assert (found.resources, found.namespaces, found.names) == ((), frozenset(), frozenset())
