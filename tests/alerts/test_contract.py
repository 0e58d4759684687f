"""The published schema against the decoder: what the schema or the model allows is decoded."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from openclaw_stream.alerts.contract import AlertEvent
from openclaw_stream.alerts.decoding.decode import decode
from openclaw_stream.events.schemas import json_schema
from tests.alerts.records import DOCUMENTS, READER, RECORD

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(1 << 53), 1 << 53), st.text(max_size=8))
NUMBERS = st.one_of(st.none(), st.integers(-(1 << 53), 1 << 53), st.floats(allow_nan=False, allow_infinity=False))
TEXTS = st.one_of(st.none(), st.text(max_size=12))
MOMENTS = st.one_of(NUMBERS, st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"))
NAMED = st.dictionaries(
    st.sampled_from(["alert_type", "alertname", "alert_name"]), st.text(min_size=1, max_size=12), min_size=1
)
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(set(AlertEvent.model_fields) - {"alert_type"}, TEXTS),
    **dict.fromkeys(("labels", "annotations"), st.one_of(st.none(), st.dictionaries(st.text(max_size=8), SCALARS))),
    "metrics": st.one_of(st.none(), st.dictionaries(st.text(max_size=8), NUMBERS)),
    **dict.fromkeys(("starts_at", "ends_at"), MOMENTS),
}
ALERTS = st.builds(lambda name, rest: {**rest, **name}, NAMED, st.fixed_dictionaries({}, optional=OPTIONAL))
VALIDATOR = Draft202012Validator(json_schema("alert"))


def fits_schema(document: dict[str, Any]) -> bool:
    return VALIDATOR.is_valid(document)


def fits_model(document: dict[str, Any]) -> bool:
    try:
        AlertEvent.model_validate_json(orjson.dumps(document))
    except ValidationError:
        return False
    return True


@given(st.one_of(ALERTS, DOCUMENTS))
def test_alerts_that_fit_the_schema_are_decoded(document: dict[str, Any]) -> None:
    if fits_schema(document) and not isinstance(document.get("alerts"), list) and "specversion" not in document:
        decoded = decode(orjson.dumps(document), RECORD, READER)
        assert len(decoded.alerts) == 1
        assert decoded.faults == []


@given(ALERTS)
def test_alerts_created_with_the_model_are_decoded_and_fit_the_schema(document: dict[str, Any]) -> None:
    if fits_model(document):
        text = AlertEvent.model_validate_json(orjson.dumps(document)).model_dump_json(exclude_none=True)
        assert len(decode(text.encode(), RECORD, READER).alerts) == 1
        assert fits_schema(orjson.loads(text))


def test_the_strategy_draws_alerts_that_fit_the_schema() -> None:
    assert fits_schema({"alertname": "a", "labels": {"a": None}, "metrics": {"b": 1}, "starts_at": 5})
    assert fits_model({"alert_name": "a", "labels": {"a": None}, "metrics": {"b": 1}, "starts_at": 5})
    assert fits_schema({"labels": {"alertname": "a"}})
    assert not fits_schema({"labels": {"alertname": " "}})
    assert not fits_schema({"message": "a"})
    assert not fits_schema({"alert_type": ["a"]})
