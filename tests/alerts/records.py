"""Records of each input format for the tests, and mutations of them."""

from typing import Any

import orjson
from hypothesis import strategies as st

from openclaw_stream.alerts.contract import AlertEvent
from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.events.examples import EXAMPLES, example

RECORD = 1_795_346_000_000
"""Timestamp of every test record: 2026-11-22T11:13:20Z."""

READER = AlertReader()

GRAFANA: dict[str, Any] = {
    "receiver": "openclaw",
    "status": "firing",
    "orgId": 1,
    "state": "alerting",
    "title": "[FIRING:1] Checkout slow",
    "version": "1",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Checkout slow", "grafana_folder": "shop", "service_name": "checkout"},
            "annotations": {"summary": "P99 above 800 ms"},
            "startsAt": "2026-11-22T19:10:00+08:00",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://grafana.example.org/alerting/grafana/a1/view",
            "fingerprint": "a3f1c5d7e9b24680",
            "silenceURL": "https://grafana.example.org/alerting/silence/new",
            "dashboardURL": "",
            "values": {"B": 912.4, "C": 1, "D": None},
            "valueString": "[ var='B' labels={service_name=checkout} value=912.4 ]",
            "orgId": 1,
        }
    ],
    "commonLabels": {"alertname": "Checkout slow"},
    "truncatedAlerts": 0,
}

SIGNOZ: dict[str, Any] = {
    "receiver": "openclaw",
    "status": "firing",
    "version": "4",
    "alerts": [
        {
            "status": "firing",
            "labels": {
                "alertname": "[No data] Checkout error rate",
                "ruleId": "0195f0aa",
                "ruleSource": "https://signoz.example.org/alerts/edit?ruleId=0195f0aa",
                "service.name": "checkout",
                "k8s.namespace.name": "shop",
                "threshold.name": "critical",
                "nodata": "true",
            },
            "annotations": {"value": "0", "threshold.value": "5", "related_traces": "https://signoz.example.org/t"},
            "startsAt": "2026-11-22T11:10:00.5Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "77aa0c1d2e3f4051",
        }
    ],
}

VALID = [orjson.dumps(document) for document in (*(example(name) for name in EXAMPLES), GRAFANA, SIGNOZ)]

JSON_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(1 << 63), (1 << 64) - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20),
        st.sampled_from(["firing", "resolved", "critical", "2026-11-22T11:13:04Z", "0001-01-01T00:00:00Z", "1.0"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=8), inner, max_size=4),
    ),
    max_leaves=12,
)

FOREIGN = ["alertname", "alert_name", "startsAt", "endsAt", "generatorURL"]
ENVELOPES = ["alerts", "commonLabels", "commonAnnotations", "truncatedAlerts", "specversion", "data", "data_base64"]
FIELDS = st.sampled_from([*AlertEvent.model_fields, *FOREIGN, *ENVELOPES])

DOCUMENTS = st.dictionaries(FIELDS, JSON_VALUES, max_size=8)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a valid record with some of its bytes or values changed."""
    value = draw(st.sampled_from(VALID))
    if draw(st.booleans()):
        document = orjson.loads(value)
        _spoil(draw, document)
        return orjson.dumps(document)
    start = draw(st.integers(0, len(value)))
    end = draw(st.integers(start, min(len(value), start + 8)))
    noise = draw(
        st.one_of(st.binary(max_size=6), st.sampled_from([b"NaN", b"1e999", b'"\\ud800"', b"[" * 2000, b"{}"]))
    )
    return value[:start] + noise + value[end:]


def _spoil(draw: st.DrawFn, document: Any) -> None:
    """Replace one value of a nested document."""
    while isinstance(document, dict | list) and document:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        key = draw(st.sampled_from(keys))
        if not isinstance(document[key], dict | list) or not document[key] or draw(st.booleans()):
            document[key] = draw(JSON_VALUES)
            return
        document = document[key]
