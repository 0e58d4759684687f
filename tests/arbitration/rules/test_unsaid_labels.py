from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.unsaid_labels import unsaid_labels
from openclaw_stream.vocabulary import Language
from tests.builders import alert, case_from


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        ({"pod": "tikv-2", "topic": "debug.traces"}, {"topic": "debug.traces", "pod": "tikv-2"}),
        ({"metric": "m_0091", "team": "red", "env": "prod", "cluster": "a"}, {"metric": "m_0091"}),
        ({"drive": "E:", "instance": "win-4:9182"}, {"drive": "E:", "instance": "win-4"}),
        ({"Check": "TLS handshake"}, {"Check": "TLS handshake"}),
        ({"consumer_group": "emails", "topic": "orders"}, {"topic": "orders", "consumer_group": "emails"}),
    ],
)
def test_labels_that_name_an_object_are_returned(labels: Mapping[str, str], shown: Mapping[str, str]) -> None:
    assert list(unsaid_labels(labels, "").items()) == list(shown.items())


@pytest.mark.parametrize(
    "labels",
    [
        {"topic": "etcd-backup"},  # where a platform routes it
        {"pod": "cart-7d9f8b6c5-x2x4z"},  # `cart` is said
        {"queue": "", "device": "none", "volume": "0b7cf7e6-6d57-5c0a-8f10-4a7fd3f1b6aa"},
        {"job": "node-exporter", "instance": "kube-state-metrics:8080"},
        {"job": "kube-state-metrics", "pod": "ksm-0", "instance": "10.0.0.9:8080", "node": "wk-1"},
        {"table": "Orders", "mountpoint": "/"},
        {"path": "/" + "x" * 200},
    ],
)
def test_what_is_said_or_names_nothing_is_left_out(labels: Mapping[str, str]) -> None:
    assert unsaid_labels(labels, "cart (Deployment): table orders is large") == {}


def test_a_value_of_two_labels_is_shown_once_and_four_at_most() -> None:
    assert unsaid_labels({"host": "db-4", "instance": "db-4:9100"}, "") == {"host": "db-4"}
    many = {"table": "a", "queue": "b", "policy": "c", "volume": "d", "zone": "e"}
    assert list(unsaid_labels(many, "")) == ["table", "queue", "policy", "volume"]


def test_a_secret_is_redacted() -> None:
    shown = unsaid_labels({"url": "https://admin:hunter2secret@db.example/", "queue": "AKIAIOSFODNN7EXAMPLE"}, "")
    assert not any(secret in " ".join(shown.values()) for secret in ("hunter2secret", "AKIAIOSFODNN7EXAMPLE"))


@given(
    st.dictionaries(st.sampled_from(["pod", "Topic", "queue", "table", "job", "x"]), st.text(max_size=90)), st.text()
)
def test_the_order_of_labels_changes_nothing(labels: dict[str, str], said: str) -> None:
    shown = unsaid_labels(labels, said)
    assert list(unsaid_labels(dict(reversed(labels.items())), said).items()) == list(shown.items())
    assert shown.keys() <= labels.keys() - {"x"}
    assert all(value and "\n" not in value for value in shown.values())


def test_a_decision_names_them_in_both_languages() -> None:
    found = alert("ThresholdBreached", "The value is above its limit", {"metric": "m_0091", "check": "TLS handshake"})
    english, chinese = (judge(case_from(found), each).description for each in (Language.EN, Language.ZH_TW))
    assert " Labels: metric m_0091, check “TLS handshake”. " in english
    assert "標籤：metric m_0091、check「TLS handshake」。" in chinese
    single = judge(case_from(alert("ThresholdBreached", "It is high", {"metric": "m_0091"})), Language.EN)
    assert " Label: metric m_0091. " in single.description
