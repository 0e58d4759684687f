from typing import Any

import pytest

from openclaw_stream.alerts.formats import ADAPTERS, AlertDocument, adapter_for
from openclaw_stream.events.examples import ALERTMANAGER
from tests.alerts.formats.reading import format_of, outcomes


@pytest.mark.parametrize(
    "alert",
    [
        {"alert_type": "HighErrorRate"},
        {"alertname": "HighErrorRate"},
        {"alert_name": "HighErrorRate"},
        {"labels": {"alertname": "HighErrorRate"}},
        {"alert_type": "x", "data": {"alertCreated": {}}, "clock": 1, "alert_state": "ok", "op": "c", "source": "x"},
    ],
)
def test_an_alert_with_a_name_is_read_as_it_is(alert: dict[str, Any]) -> None:
    assert format_of(alert) == "native"
    assert outcomes(alert) == [AlertDocument(alert)]


def test_a_payload_with_a_name_of_its_own_is_still_a_payload() -> None:
    assert format_of({**ALERTMANAGER, "alertname": "group"}) == "alertmanager"


@pytest.mark.parametrize("value", [None, 5, "alert", [], {}, {"message": "it burns"}, {"labels": []}, {"data": {}}])
def test_what_is_no_alert_has_no_format(value: Any) -> None:
    assert adapter_for(value) is None


def test_every_adapter_has_a_name_of_its_own() -> None:
    names = [adapter.name for adapter in ADAPTERS]
    assert len(set(names)) == len(names) == 10
