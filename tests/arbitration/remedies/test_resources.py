"""The resources that the alerts of a case name, with kinds and namespaces."""

import pytest

from openclaw_stream.arbitration.kubectl import Kind
from openclaw_stream.arbitration.remedies.resources import ResourceRef, evidence_resources
from tests.builders import POD, case, exemplar


def test_a_pod_names_its_workload() -> None:
    found = evidence_resources(case(exemplar(labels={"pod": POD}), service=""))
    assert ResourceRef(Kind.POD, POD, "shop") in found.resources
    assert ResourceRef(Kind.DEPLOYMENT, "checkout", "shop") in found.resources
    assert found.namespaces_of(Kind.STATEFULSET, "checkout") == frozenset()


@pytest.mark.parametrize(
    ("pod", "kind", "name"),
    [
        ("orders-db-0", Kind.STATEFULSET, "orders-db"),
        ("agent-x2x4z", Kind.DAEMONSET, "agent"),
        ("checkout-7d9f8b6c5-x2x4z", Kind.DEPLOYMENT, "checkout"),
    ],
)
def test_the_ending_of_a_pod_name_gives_the_kind(pod: str, kind: Kind, name: str) -> None:
    found = evidence_resources(case(exemplar(labels={"k8s.pod.name": pod}), service=""))
    assert [each.kind for each in found.resources if each.name == name and each.kind is not Kind.HPA] == [kind]


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
def test_a_label_gives_the_kind(labels: dict[str, str], kind: Kind) -> None:
    found = evidence_resources(case(exemplar(labels=labels), service=""))
    assert found.namespaces_of(kind, "checkout") == {"shop"}
    assert found.kind_label("checkout") == ("resource" if kind is Kind.HPA else kind)


@pytest.mark.parametrize(
    "labels", [{"app": "cart"}, {"workload": "cart"}, {"app.kubernetes.io/name": "cart"}, {"k8s_app": "cart"}]
)
def test_a_name_of_unknown_kind_may_be_any_workload(labels: dict[str, str]) -> None:
    found = evidence_resources(case(exemplar(labels=labels), service=""))
    for kind in (Kind.DEPLOYMENT, Kind.STATEFULSET, Kind.DAEMONSET, Kind.HPA):
        assert found.namespaces_of(kind, "cart") == {"shop"}
    assert found.namespaces_of(Kind.POD, "cart") == frozenset()
    assert found.kind_label("cart") == "workload"


def test_a_known_kind_excludes_the_others() -> None:
    found = evidence_resources(case(exemplar(labels={"statefulset": "checkout"}, service="checkout")))
    assert found.kind_label("checkout") == Kind.STATEFULSET
    assert found.namespaces_of(Kind.DEPLOYMENT, "checkout") == frozenset()


def test_an_exported_label_wins_over_that_of_the_scrape_target() -> None:
    labels = {"exported_pod": POD, "pod": "kube-state-metrics-0"}
    names = {each.name for each in evidence_resources(case(exemplar(labels=labels), service="")).resources}
    assert names == {POD, "checkout"}


def test_resources_are_in_the_namespace_of_their_alert() -> None:
    here = exemplar(labels={"deployment": "cart"}, namespace="shop")
    there = exemplar(labels={"deployment": "ledger"}, namespace="bank")
    nowhere = exemplar(labels={"deployment": "mail"})
    found = evidence_resources(case(here, there, nowhere, namespace="", service=""))
    assert found.namespaces == {"shop", "bank"}
    assert found.namespaces_of(Kind.DEPLOYMENT, "cart") == {"shop"}
    assert found.namespaces_of(Kind.DEPLOYMENT, "ledger") == {"bank"}
    assert found.namespaces_of(Kind.DEPLOYMENT, "mail") == {""}


def test_a_target_resource_names_its_kind() -> None:
    found = evidence_resources(case(exemplar(target_resource="sts/orders-db"), service=""))
    assert found.namespaces_of(Kind.STATEFULSET, "orders-db") == {"shop"}
    bare = evidence_resources(case(exemplar(target_resource="orders-db"), service=""))
    assert bare.kind_label("orders-db") == "workload"
    node = evidence_resources(case(exemplar(target_resource="node/worker-1"), service=""))
    assert node.resources == ()
    assert "worker-1" in node.names
    assert node.kind_label("worker-1") == "resource"


def test_a_case_without_names_has_no_resources() -> None:
    found = evidence_resources(case(namespace="", service=""))
    assert (found.resources, found.namespaces, found.names) == ((), frozenset(), frozenset())
