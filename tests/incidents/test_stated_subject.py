"""The object that alerts state, where the labels by which they are grouped name something less precise."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.subject import ALERT, HOST, SERVICE, Subject
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.incidents.stated_subject import stated_subject
from openclaw_stream.vocabulary import Severity

UNNAMED = Subject(ALERT, "", "SomethingIsWrong")
PLATFORM = Subject(SERVICE, "", "kubernetes")
EXPORTER = Subject(HOST, "", "10.0.0.7")
OF_SECRET = {"secret_namespace": "web", "secret_name": "a-tls"}


def alert(text: str, alert_name: str = "SomethingIsWrong", /, **labels: str) -> Exemplar:
    return Exemplar(alert_name, Severity.WARNING, labels=labels, annotations={"summary": text})


@pytest.mark.parametrize(
    ("subject", "exemplar", "expected"),
    [
        (UNNAMED, alert("Cluster eu-7 has too few nodes.", cluster_id="eu-7"), "cluster/eu-7"),
        (UNNAMED, alert("Nodes are missing.", cluster_id="eu-7"), "cluster/eu-7"),
        (Subject(ALERT, "shop", "SomethingIsWrong"), alert("slow", cluster="eu-7"), "alert/shop/SomethingIsWrong"),
        (UNNAMED, alert("declined", domain="a.example", job="domains", cluster="eu-7"), "domain/a.example"),
        (UNNAMED, alert("late", dag_id="daily_sales", owner="x"), "dag/daily_sales"),
        (UNNAMED, alert("tasks wait", queue_id="mail", project_id="p-prod"), "queue/mail"),
        (UNNAMED, alert("quota used", integration="parcel-labels", api="labels"), "integration/parcel-labels"),
        (UNNAMED, alert("stopped", unit="rates.service", queue="1042"), "alert/SomethingIsWrong"),
        (UNNAMED, alert("damaged", name="PG_DAMAGED", cluster="ceph-1"), "cluster/ceph-1"),
        (UNNAMED, alert("high", resource="limits.cpu", role="replica"), "alert/SomethingIsWrong"),
        (UNNAMED, alert("queries a pool", instanceId="i-0b7"), "host/i-0b7"),
        (Subject("resource", "shop", "web"), alert("Secret shop/web expires", name="web"), "secret/shop/web"),
        (Subject("resource", "shop", "web"), alert("The cert `web` expires", name="web"), "certificate/shop/web"),
        (Subject(SERVICE, "", "EC2 - Other"), alert("+80%", linked_account="pay", usage_type="Nat"), "account/pay"),
        (Subject(SERVICE, "", "cinder"), alert("cinder: array fs-2 is full", filer="fs-2"), "filer/fs-2"),
        (Subject(SERVICE, "", "ironic"), alert("ironic: node n-7 fails", name="n-7"), "node/n-7"),
        (UNNAMED, alert("card-scan serves too slowly", predictor="card-scan", version="1.4.2"), "predictor/card-scan"),
        (UNNAMED, alert("1.4.2 fails", version="1.4.2", team="card-scan"), "alert/SomethingIsWrong"),
        (EXPORTER, alert("OpenSearch cluster logs-a has pending tasks", cluster="logs-a"), "cluster/logs-a"),
        (EXPORTER, alert("cluster_state:fail on carts", cluster="carts"), "cluster/carts"),
        (EXPORTER, alert("Memory is short in cluster eu-7", cluster="eu-7"), "host/10.0.0.7"),
        (EXPORTER, alert("rates: WORKER TIMEOUT", unit="rates.service"), "service/rates"),
        (Subject(HOST, "", "ip-1"), alert("ip-1: subnet sub-3 is full", subnet="sub-3"), "subnet/sub-3"),
        (UNNAMED, alert("Webhook audit on eu-7 times out.", cluster_id="eu-7", name="audit"), "webhook/audit"),
        (UNNAMED, alert("Sessions at 93 %", device="fw-9", vendor="x"), "device/fw-9"),
        (UNNAMED, alert("90 % busy", device="sda"), "alert/SomethingIsWrong"),
        (UNNAMED, alert("used up", zone="europe-west4-a"), "alert/SomethingIsWrong"),
        (UNNAMED, alert("12 errors", zone="img.example.org"), "zone/img.example.org"),
        (UNNAMED, alert("low", DBInstanceIdentifier="crm-db", Namespace="AWS/RDS"), "database/crm-db"),
        (UNNAMED, alert("fields used up", cluster="logs-es"), "cluster/logs-es"),
        (UNNAMED, alert("pods are missing", cluster="eu-7"), "cluster/eu-7"),
        (UNNAMED, alert("almost full", database_id="shop:crm", project_id="shop"), "database/shop:crm"),
        (UNNAMED, alert("no targets", LoadBalancer="net/edge/77ab"), "loadbalancer/edge"),
        (UNNAMED, alert("", "mail-api PROD High 5XX rate"), "application/mail-api"),
        (UNNAMED, alert("", "thumbnail-maker lambda has failed"), "function/thumbnail-maker"),
        (UNNAMED, alert("", "Many 5xx from page-maker in PROD"), "application/page-maker"),
        (UNNAMED, alert("", "Till-api refuses baskets", cloudwatch_namespace="till-api"), "application/Till-api"),
        (UNNAMED, alert("", "One-off payment was lost", cloudwatch_namespace="till-api"), "alert/SomethingIsWrong"),
        (UNNAMED, alert("Acme Mail is down", "AcmeMailDown"), "application/Acme Mail"),
        (UNNAMED, alert("Acme Mail is down", "MailboxFull"), "alert/SomethingIsWrong"),
        (UNNAMED, alert("Target Database is down", "TargetDatabaseDown"), "alert/SomethingIsWrong"),
        (UNNAMED, alert("The app hangs", package="org.acme.till", device="low-RAM"), "application/org.acme.till"),
        (UNNAMED, alert("Needs an update", package="openssl", device="mobile"), "alert/SomethingIsWrong"),
        (UNNAMED, alert("", "A one-off payment of a long-lived contract was lost"), "alert/SomethingIsWrong"),
        (PLATFORM, alert("Prometheus `main` misses rules", service="kubernetes", prometheus="main"), "prometheus/main"),
        (PLATFORM, alert("kubernetes on main is slow", service="kubernetes", prometheus="main"), "service/kubernetes"),
        (PLATFORM, alert("ESXi host esx-4 has a DIMM error", service="kubernetes", name="esx-4"), "host/esx-4"),
        (
            PLATFORM,
            alert("The certificate for a.example ends", **OF_SECRET),
            "secret/web/a-tls",
        ),
        (
            EXPORTER,
            alert("Group bills is behind (instance 10.0.0.7:9308)", consumergroup="bills"),
            "consumergroup/bills",
        ),
        (EXPORTER, alert("Group bills on 10.0.0.7 is behind", consumergroup="bills"), "host/10.0.0.7"),
        (EXPORTER, alert("Port 12 of sw-4 is down", device="sw-4"), "device/sw-4"),
        (EXPORTER, alert("sda is 90 % busy", device="sda"), "host/10.0.0.7"),
        (PLATFORM, alert("shop/mill-0 drops samples", service="kubernetes", pod="mill-0"), "pod/mill"),
        (Subject(HOST, "", "chat-3.chat"), alert("chat-3 is slow", job="chat"), "service/chat"),
        (Subject(HOST, "", "chat-3.chat"), alert("chat-3 is slow", job="other"), "host/chat-3.chat"),
        (Subject(HOST, "", "grafana"), alert("Notification test", "TestAlert"), "alert/TestAlert"),
        (Subject(SERVICE, "AWS/SQS", "resize"), alert("old messages"), "service/resize"),
        (Subject(SERVICE, "", "mail"), alert("mill-0 drops messages", service="mail", pod="mill-0"), "service/mail"),
        (Subject(SERVICE, "", "search"), alert("Shard of items is slow", name="items"), "service/search"),
    ],
)
def test_the_object_that_the_sentence_names_is_the_subject(subject: Subject, exemplar: Exemplar, expected: str) -> None:
    assert "/".join(filter(None, stated_subject(subject, [exemplar]))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("login-percona has slow queries.", Subject("database", "", "login-percona")),
        ("At least one login-mariadb-galera node is not ready.", Subject("database", "", "login-mariadb-galera")),
        ("No login-db member answers", Subject("database", "", "login-db")),
        ("login cannot connect to login-db", Subject(SERVICE, "", "login")),
        ("login-worker restarts", Subject(SERVICE, "", "login")),
        ("The login-dbx is down", Subject(SERVICE, "", "login")),
        ("my-login-db is down", Subject(SERVICE, "", "login")),
    ],
)
def test_a_data_store_with_the_name_of_its_service_is_the_subject_where_a_text_begins_with_it(
    text: str, expected: Subject
) -> None:
    assert stated_subject(Subject(SERVICE, "", "login"), [alert(text, service="login")]) == expected


def test_a_component_is_taken_from_a_text_only_in_the_namespace_of_the_labels() -> None:
    text = alert("dns-sync in namespace net can't write records.")
    assert stated_subject(UNNAMED._replace(namespace="net"), [text]) == Subject("component", "net", "dns-sync")
    assert stated_subject(UNNAMED._replace(namespace="web"), [text]).kind == ALERT


def test_alerts_that_state_different_objects_are_about_their_group() -> None:
    main, other = (alert(f"Prometheus `{name}` misses rules", prometheus=name) for name in ("main", "other"))
    assert stated_subject(PLATFORM, [main, main]).name == "main"
    assert stated_subject(PLATFORM, [main, other]) == PLATFORM
    assert stated_subject(PLATFORM, [main, alert("Kubelets are down")]) == PLATFORM
    assert stated_subject(PLATFORM, []) == PLATFORM


@given(st.permutations(["name", "cluster", "device", "queue", "prometheus", "zone", "project"]))
def test_the_order_of_labels_changes_nothing(order: list[str]) -> None:
    labels = {label: f"{label}.one" for label in order}
    stated = alert(" ".join(sorted(labels.values())))
    expected = replace(stated, labels=dict(sorted(labels.items())))
    for subject in (UNNAMED, PLATFORM, EXPORTER):
        assert stated_subject(subject, [replace(stated, labels=labels)]) == stated_subject(subject, [expected])


@given(
    text=st.text(),
    name=st.text(max_size=200),
    label=st.sampled_from(["name", "cluster", "DBInstanceIdentifier", "app"]),
)
def test_no_text_invents_an_object(text: str, name: str, label: str) -> None:
    for subject in (UNNAMED, PLATFORM, EXPORTER):
        stated = stated_subject(subject, [alert(text, **{label: name})])
        assert stated == subject or stated.name == name.strip()
