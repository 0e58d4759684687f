from base64 import b64encode
from typing import Any

import orjson
import pytest

from openclaw_stream.alerts.decoding.decode import DecodedRecord, decode
from openclaw_stream.errors import PoisonError
from openclaw_stream.events.examples import ALERTMANAGER, CLOUDEVENT
from tests.alerts.records import READER, RECORD

NATIVE = {"alert_type": "HighErrorRate", "namespace": "shop", "service": "checkout"}


def decoded(event: dict[str, Any]) -> DecodedRecord:
    return decode(orjson.dumps(event), RECORD, READER)


@pytest.mark.parametrize("inner", [NATIVE, ALERTMANAGER])
def test_a_wrapped_record_is_decoded_like_the_record_itself(inner: dict[str, Any]) -> None:
    text = orjson.dumps(inner)
    bare = decode(text, RECORD, READER)
    for data in ({"data": inner}, {"data": text.decode()}, {"data_base64": b64encode(text).decode()}):
        result = decoded({"specversion": "1.0", "id": "1", "type": "t", "source": "s", **data})
        assert (result.alerts, result.faults, result.warnings) == (bare.alerts, bare.faults, bare.warnings)
        assert result.format == "cloudevents"


def test_the_attributes_of_the_envelope_are_not_part_of_the_alert() -> None:
    assert decoded(CLOUDEVENT).alerts[0].source == ""


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({}, "without data"),
        ({"data": None}, "without data"),
        ({"data_base64": 5}, "without data"),
        ({"data_base64": "@"}, "not base64"),
        ({"data_base64": "é"}, "not base64"),
        ({"data_base64": b64encode(b"\xff").decode()}, "not JSON|not UTF-8"),
        ({"data": "plain text"}, "not JSON"),
        ({"data": ""}, "empty"),
        ({"data": []}, "unknown shape"),
        ({"data": {"specversion": "1.0", "data": NATIVE}}, "within another"),
    ],
)
def test_an_envelope_without_valid_data_is_poison(event: dict[str, Any], reason: str) -> None:
    with pytest.raises(PoisonError, match=reason):
        decoded({"specversion": "1.0", **event})
