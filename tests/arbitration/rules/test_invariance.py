"""What says nothing about a fault changes no judgement: a pod's hash, a business name, the order of labels.

Cases are those of the labelled data sets, as sent and with a generated workload added. A failure shows the line's id.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from openclaw_stream.alerts.resource_names import workload_of_pod
from openclaw_stream.arbitration.rules import judge
from openclaw_stream.vocabulary import Language
from tests.evaluation.dataset import DEFAULT, INCIDENTS, OWN, Labelled, case_of_alerts, load

Alerts = list[dict[str, Any]]

HASH_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""The letters from which Kubernetes draws the hashes in names of pods."""

TERMS_OF_HASH_LETTERS = ("5xx", "4xx", "db", "dns", "gc", "jvm", "lcp", "mssql", "nfs", "pg", "pgsql", "sql", "ssl")
"""Terms that a rule may know and a hash may contain."""

BUSINESS = (
    *("cart", "images", "order", "payments", "catalogue", "user", "review", "ticket", "coupon", "inventory"),
    *("shipping", "pricing", "booking", "wishlist", "loyalty", "recommender", "points", "notice", "stock"),
)
NOT_SWAPPED = frozenset(("namespace", "exported_namespace", "severity", "status"))
"""Fields and labels that do not have the service's name."""

LINES: dict[str, Labelled] = {
    line.id: line for path in (INCIDENTS, OWN, DEFAULT) if path.is_file() for line in load(path)
}


_CUT_QUOTE = re.compile("“[^”]*…[^”]*”")
"""A quote that is cut; where depends on the length of the names in it."""


def documents(line: Labelled) -> Alerts:
    return [dict(alert) for alert in line.alerts]


def changed(alerts: Iterable[Mapping[str, Any]], change: Callable[[str], str]) -> Alerts:
    """Return alerts with every text changed, except the names of namespaces."""
    return [{key: _changed(key, value, change) for key, value in alert.items()} for alert in alerts]


def _changed(key: str, value: Any, change: Callable[[str], str]) -> Any:
    if key in NOT_SWAPPED:
        return value
    if isinstance(value, dict):
        return {name: _changed(name, each, change) for name, each in value.items()}
    return change(value) if isinstance(value, str) else value


def word(name: str) -> re.Pattern[str]:
    """Return the pattern of a name as a word: `cart` and `CART` between other signs, `Cart` also in `CartIsDown`."""
    plain = "|".join(map(re.escape, (name, name.upper())))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{plain})(?![A-Za-z0-9])|{re.escape(name.capitalize())}(?![a-z])")


def with_name(text: str, old: str, new: str) -> str:
    """Return a text with another name of the service, in the same case."""

    def in_case(match: re.Match[str]) -> str:
        return new if match[0] == old else new.upper() if match[0].isupper() else new.capitalize()

    return word(old).sub(in_case, text)


def texts_of(alerts: Alerts) -> str:
    return json.dumps(alerts, ensure_ascii=False)


SENTENCES = (
    *("Seen for {name} in {pod}", "{name} failed", "{name}: not found", "cannot connect to {name}", "{name} is slow"),
    *("{name} is at its limit", "{name} is missing", "{pod} restarted", "too many {name} errors", "{name} is down"),
    *("since the rollout of {name}", "{pod} was killed", "no data from {name}", "{name} 連線失敗", "{pod} 無法啟動"),
)


def with_workload(alerts: Alerts, name: str, pod: str, sentence: str) -> Alerts:
    """Return the alerts with a workload where they name none, and with a sentence about it."""
    workload = {"namespace": "shop", "service": name, "deployment": name, "pod": pod, "container": name}
    return [
        {
            **alert,
            "labels": {**workload, **alert["labels"]},
            "annotations": {**alert["annotations"], "message": sentence.format(name=name, pod=pod)},
        }
        for alert in alerts
    ]


def outcome(alerts: Alerts, *names: str) -> str:
    """Return the judgement as text, without these names and without business names.

    Its own words go too where they are business names ("in order of"), and so they do in the judgement it is compared
    with.
    """
    judgement = judge(case_of_alerts("invariant", alerts), Language.EN)
    fields = judgement.model_dump(
        mode="json",
        include={
            *("primary_responsibility", "secondary_teams", "confidence", "action_title", "description"),
            *("suggested_action", "kubectl_command", "command_reason", "target_resource", "risk_level"),
            "optimization_suggestions",
        },
    )
    text = _CUT_QUOTE.sub("“…”", json.dumps(fields, indent=1, ensure_ascii=False))
    for name in sorted({*names, *BUSINESS}, key=len, reverse=True):
        text = word(name).sub("NAME", text)
    return text


def of_hash_letters(length: int) -> st.SearchStrategy[str]:
    """Return hashes of a length, half of them with a term inside."""
    letters = st.text(HASH_LETTERS, min_size=length, max_size=length)
    terms = st.sampled_from([term for term in TERMS_OF_HASH_LETTERS if len(term) <= length])
    return letters | st.builds(lambda term, filling: (term + filling)[:length], terms, letters)


hashes = st.builds("{}-{}".format, st.sampled_from((8, 9, 10)).flatmap(of_hash_letters), of_hash_letters(5))
ids = st.sampled_from(sorted(LINES))
names = st.sampled_from(BUSINESS)
sentences = st.sampled_from(SENTENCES)
PODS = {
    identity: pods
    for identity, line in LINES.items()
    if (
        pods := {
            pod for alert in line.alerts if (pod := alert["labels"].get("pod", "")) and workload_of_pod(pod) != pod
        }
    )
}
"""The ids of lines with pods that have hashes, with these pods."""


@settings(max_examples=150)
@given(ids, names, hashes, hashes, sentences)
def test_the_hash_of_a_pod_changes_no_judgement(
    identity: str, name: str, first: str, second: str, sentence: str
) -> None:
    old, new = f"{name}-{first}", f"{name}-{second}"
    alerts = with_workload(documents(LINES[identity]), name, old, sentence)
    swapped = changed(alerts, lambda text: text.replace(old, new))
    assert outcome(swapped, old, new) == outcome(alerts, old, new)


@given(st.sampled_from(sorted(PODS)), hashes)
def test_the_hash_of_a_pod_in_the_data_changes_no_judgement(identity: str, drawn: str) -> None:
    alerts = documents(LINES[identity])
    renamed = {pod: _rehashed(pod, drawn) for pod in PODS[identity]}
    swapped = changed(alerts, lambda text: _replaced(text, renamed))
    every = (*renamed, *renamed.values())
    assert outcome(swapped, *every) == outcome(alerts, *every)


def _rehashed(pod: str, drawn: str) -> str:
    """Return the pod with another hash of the same form; a stateful set's pods have none and stay."""
    workload = workload_of_pod(pod)
    suffix = pod.removeprefix(workload + "-")
    if suffix.isdigit():
        return pod
    return f"{workload}-{drawn}" if "-" in suffix else f"{workload}-{drawn[-5:]}"


def _replaced(text: str, renamed: Mapping[str, str]) -> str:
    for old, new in renamed.items():
        text = text.replace(old, new)
    return text


@settings(max_examples=150)
@given(ids, names, names, hashes, sentences)
def test_the_business_name_of_a_service_changes_no_judgement(
    identity: str, old: str, new: str, drawn: str, sentence: str
) -> None:
    plain = documents(LINES[identity])
    assume(not word(new).search(texts_of(plain)))
    alerts = with_workload(plain, old, f"{old}-{drawn}", sentence)
    swapped = changed(alerts, lambda text: with_name(text, old, new))
    assert outcome(swapped) == outcome(alerts)


NAMED = {
    identity: name
    for identity, line in LINES.items()
    for name in BUSINESS
    if name in (line.case.subject.name, line.case.service)
}
"""The ids of lines about a service with a business name, with that name."""


@pytest.mark.parametrize("new", BUSINESS[:8])
def test_the_business_name_of_a_service_in_the_data_changes_no_judgement(new: str) -> None:
    different = []
    for identity, old in NAMED.items():
        alerts = documents(LINES[identity])
        if word(new).search(texts_of(alerts)):
            continue
        swapped = changed(alerts, partial(with_name, old=old, new=new))
        if outcome(swapped) != outcome(alerts):
            different.append(f"{identity}: {old}")
    assert not different


@settings(max_examples=150)
@given(ids, st.randoms(use_true_random=False))
def test_the_order_of_labels_changes_no_judgement(identity: str, random: Any) -> None:
    alerts = documents(LINES[identity])
    shuffled = [{**alert, "labels": _shuffled(alert["labels"], random)} for alert in alerts]
    assert outcome(shuffled) == outcome(alerts)


def _shuffled(labels: Mapping[str, str], random: Any) -> dict[str, str]:
    keys = list(labels)
    random.shuffle(keys)
    return {key: labels[key] for key in keys}


def test_the_data_has_enough_pods_and_business_names() -> None:
    assert len(PODS) >= 15
    assert len(NAMED) >= 30
