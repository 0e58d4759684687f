"""What holds for every format: it is recognised as itself, and odd values neither raise nor lose a record."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.contract import AlertEvent
from openclaw_stream.alerts.formats import ADAPTERS, AlertDocument, Skipped, Unreadable, adapter_for
from openclaw_stream.events.examples import ALERTMANAGER
from tests.alerts.formats import test_alertmanager_events as events
from tests.alerts.formats.test_alertmanager_api import LISTED, POSTED
from tests.alerts.formats.test_grafana_kafka import WHOLE, block, record
from tests.alerts.formats.test_opsgenie import CREATED
from tests.alerts.formats.test_pagerduty import EVENT, WEBHOOK
from tests.alerts.formats.test_prometheus_api import ACTIVE, answer
from tests.alerts.formats.test_zabbix import PROBLEM, RECOVERY
from tests.alerts.records import GRAFANA, JSON_VALUES, SIGNOZ

GROUPED = {"alert": events.grouped(events.alert(old=True), old=True), "groupInfo": events.GROUP}
NOTIFICATION = {"alerts": [events.grouped(events.alert())], "mutedAlerts": [], "groupInfo": events.GROUP}

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "native": [{"alert_type": "a", "labels": {"pod": "p"}}, {"labels": {"alertname": "a"}, "annotations": {}}],
    "alertmanager": [ALERTMANAGER, GRAFANA, SIGNOZ, {"alerts": [LISTED, ACTIVE]}],
    "alertmanager_api": [LISTED, POSTED],
    "alertmanager_events": [
        events.event("alertCreated", {"alert": events.alert()}),
        events.event("alertGrouped", GROUPED),
        events.event("notification", NOTIFICATION),
    ],
    "prometheus_api": [ACTIVE, answer(ACTIVE)],
    "grafana_kafka": [record(f"**Firing**\n{block('checkout')}"), record(WHOLE), record("text", "ok")],
    "zabbix": [PROBLEM, RECOVERY],
    "pagerduty": [EVENT, {"event_action": "resolve", "dedup_key": "k"}],
    "pagerduty_webhook": [WEBHOOK],
    "opsgenie": [CREATED],
}
ALL = [(name, sample) for name, samples in SAMPLES.items() for sample in samples]


def deep() -> list[Any]:
    """Return a value that code which recurses, such as `repr`, gives up on."""
    value: list[Any] = []
    for _ in range(900):
        value = [value]
    return value


@pytest.mark.parametrize(("name", "sample"), ALL)
def test_each_format_is_recognised_as_itself(name: str, sample: dict[str, Any]) -> None:
    adapter = adapter_for(sample)
    assert adapter is not None
    assert adapter.name == name


def test_every_adapter_has_samples() -> None:
    assert {adapter.name for adapter in ADAPTERS} == set(SAMPLES)


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a sample with up to three of its values replaced by anything, or left out."""
    document: dict[str, Any] = deepcopy(draw(st.sampled_from(ALL))[1])
    for _ in range(draw(st.integers(1, 3))):
        place: Any = document
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or draw(st.integers(0, 3)) == 0:
                place[key] = draw(st.one_of(JSON_VALUES, st.builds(deep), st.floats(), st.builds(dict)))
                break
            place = place[key]
    return document


@given(spoiled())
def test_odd_values_neither_raise_nor_lose_a_record(document: dict[str, Any]) -> None:
    keys = set(document)
    adapter = adapter_for(document)
    outcomes = list(adapter.read(document)) if adapter else [Skipped("empty")]
    assert outcomes
    assert all(isinstance(outcome, AlertDocument | Skipped | Unreadable) for outcome in outcomes)
    assert all(outcome.reason.isprintable() for outcome in outcomes if isinstance(outcome, Unreadable))
    assert set(document) == keys


@pytest.mark.parametrize(("name", "sample"), ALL)
def test_every_alert_has_the_fields_of_the_contract(name: str, sample: dict[str, Any]) -> None:
    adapter = adapter_for(sample)
    assert adapter is not None
    for outcome in adapter.read(sample):
        assert isinstance(outcome, AlertDocument), name
        named = {
            **outcome.fields,
            "alert_type": outcome.fields.get("alert_type") or outcome.fields["labels"]["alertname"],
        }
        for fixed, spelt in (("startsAt", "starts_at"), ("endsAt", "ends_at"), ("generatorURL", "generator_url")):
            named.setdefault(spelt, named.get(fixed))
        assert AlertEvent.model_validate(named).alert_type
