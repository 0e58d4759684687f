"""The cache key: equal where the same answer is needed, different for another scope, name or target."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from openclaw_stream.arbitration.llm.cache_key import bucket, cache_key, normalised
from openclaw_stream.arbitration.llm.prompt.template import PROMPT_VERSION
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case, Owner
from openclaw_stream.vocabulary import Language, Responsibility, Severity
from tests.arbitration.llm.model_server import CASE, case_with, storm

METRICS = GoldenSignals(rps=100, rps_trend=0.5, error_rate=4, p99_ms=800)
MODELS = (("ollama", "qwen2.5:7b-instruct"), ("gemini", "gemini-x"))


def key(
    case: Case = CASE,
    metrics: GoldenSignals | None = METRICS,
    language: Language = Language.EN,
    models: tuple[tuple[str, str], ...] = MODELS,
    version: str = PROMPT_VERSION,
) -> str:
    return cache_key(case, metrics, language, models, version)


SCOPE = [
    replace(CASE, namespace="other"),
    replace(CASE, service="other"),
    replace(CASE, owner=Owner("Shop", "entry 1")),
    replace(CASE, owner=Owner("Shop", "entry 1", Responsibility.BE)),
    replace(CASE, group_key="other"),
    replace(CASE, services=("parcel-quotes", "other")),
    replace(CASE, severity=Severity.CRITICAL),
    replace(CASE, alert_names={"Other": 3}),
    replace(CASE, alert_count=30_000),
    case_with(name="Other"),
    case_with(namespace="other"),
    case_with(service="other"),
    case_with(target_resource="pod/other"),
    case_with(labels={"deployment": "other"}),
    case_with(message="P99 of 2.4 s for 10 minutes, threshold 1 s; the disk is full"),
    case_with(annotations={"note": "another"}),
    case_with(metrics={"cpu_percent": 12, "replicas": 3}),
    case_with(metrics={"cpu_percent": 94, "replicas": 4}),
]


def test_different_questions_have_different_keys() -> None:
    keys = [key(case) for case in (CASE, *SCOPE)]
    keys += [key(metrics=None), key(language=Language.ZH_TW), key(version="other")]
    keys += [key(models=MODELS[::-1]), key(models=MODELS[:1])]
    keys += [key(metrics=METRICS.model_copy(update={"error_rate": 40}))]
    assert len(set(keys)) == len(keys)


def test_repeats_of_an_incident_have_the_same_key() -> None:
    later = replace(
        CASE,
        incident_id="another",
        revision=4,
        opened_at=CASE.opened_at + 10**9,
        last_alert_at=CASE.last_alert_at + 10**9,
        due=CASE.due + 10**9,
        alert_count=CASE.alert_count + 1,
        flaps=2,
    )
    assert key(later) == key()
    assert key(case_with(fingerprint="f", starts_at=5, generator_url="http://x")) == key()
    assert key(case_with(metrics={"cpu_percent": 95, "replicas": 3})) == key()
    assert key(metrics=METRICS.model_copy(update={"rps": 110, "p99_ms": 790})) == key()
    case = storm()
    turned = replace(case, exemplars=case.exemplars[::-1], alert_names=dict(reversed(list(case.alert_names.items()))))
    assert key(turned) == key(case)


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_two_scopes_never_share_a_key(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assume(one != other)
    cases = [replace(CASE, namespace=each[0], service=each[1], group_key=each[2]) for each in (one, other)]
    assert key(cases[0]) != key(cases[1])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CPU at 93.2%", "CPU at  91.7%"),
        ("latency 1450ms", "latency 1500ms"),
        ("trace 6f1c2b1e-7f0a-4c3c-9d2e-0a1b2c3d4e5f", "trace 00000000-7f0a-4c3c-9d2e-0a1b2c3d4e5f"),
        ("since 2026-11-22T10:00:00Z", "since 2026-11-23T11:30:12.5+08:00"),
        ("commit 0a1b2c3d4e5f60718293", "commit 9f1b2c3d4e5f60718293"),
        ("Queue has 120000 messages", "queue has 130000 messages"),
    ],
)
def test_repeats_of_a_text_are_equal(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTP 500", "HTTP 429"),
        ("exit code 137", "exit code 1"),
        ("latency 150ms", "latency 15000ms"),
        ("node-3 is down", "node-4 is down"),
        ("10.0.0.1 is down", "10.0.0.2 is down"),
        ("port :5432", "port :6379"),
        ("4xx rate", "5xx rate"),
        ("db-primary is down", "db-replica is down"),
        ("the limit is 400Mi", "the limit is 500Mi"),
    ],
)
def test_texts_of_different_meaning_differ(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_number_has_a_bucket_that_its_neighbours_share(value: float) -> None:
    found = bucket(value)
    assert bucket(-value) != found or found in {None, "zero"}
    if isinstance(found, int) and abs(found) < 1000:
        assert bucket(2.0**found) == found


@given(st.text(max_size=500))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalised(text)
    assert normalised(once).split() == once.split()
