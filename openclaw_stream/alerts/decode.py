"""Decoding of a record's value: a native alert, Alertmanager's payload, or a CloudEvents event that wraps one of them.

A pure function of the record, without a clock: decoding it again gives the same alerts.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from openclaw_stream.alerts import alertmanager, cloudevents
from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.identity import Grouping
from openclaw_stream.alerts.native import describe_value, read_alert
from openclaw_stream.errors import PoisonError

Format = Literal["native", "alertmanager", "cloudevents"]

_EXPECTED = "an object: an alert, a payload with alerts[], or a CloudEvents event"
_FAULTS_SHOWN = 3
_ALERTS_MAX = 10_000
_BYTES_MAX = 32 << 20
_NOT_A_NUMBER = re.compile(r"\W?(NaN|-?Infinity)")


@dataclass(slots=True)
class Fault:
    """An invalid alert of a payload; `index` counts from 0."""

    index: int
    reason: str


@dataclass(slots=True)
class DecodedRecord:
    """The content of a record: alerts to fold, faults of invalid alerts, and warnings about ignored fields."""

    alerts: list[Alert]
    faults: list[Fault]
    warnings: list[str]
    format: Format


def decode(value: bytes, timestamp: int, grouping: Grouping) -> DecodedRecord:
    """Decode a record's value; `timestamp` is the record's, in epoch milliseconds, 0 if unknown.

    Raises:
        PoisonError: The record has no valid alert; the message says why. No other exception, whatever the bytes.
    """
    document = _parse(value)
    if type(document) is dict and cloudevents.is_cloudevent(document):
        data = cloudevents.data_of(document)
        inner = _parse(data) if isinstance(data, bytes | str) else data
        if type(inner) is dict and cloudevents.is_cloudevent(inner):
            raise PoisonError("a CloudEvents event within a CloudEvents event")
        return _read(inner, timestamp, grouping, "cloudevents")
    return _read(document, timestamp, grouping, None)


def _read(document: Any, timestamp: int, grouping: Grouping, wrapped: Format | None) -> DecodedRecord:
    if type(document) is not dict:
        raise PoisonError(f"unknown shape: expected {_EXPECTED}; got {describe_value(document)}")
    if alertmanager.is_payload(document):
        return _read_payload(document, timestamp, grouping, wrapped or "alertmanager")
    warnings: list[str] = []
    return DecodedRecord([read_alert(document, timestamp, grouping, warnings)], [], warnings, wrapped or "native")


def _read_payload(payload: dict[str, Any], timestamp: int, grouping: Grouping, form: Format) -> DecodedRecord:
    if len(payload["alerts"]) > _ALERTS_MAX:
        raise PoisonError(
            f"{len(payload['alerts'])} alerts in one record, more than {_ALERTS_MAX:,}: send fewer at a time"
        )
    decoded = DecodedRecord([], [], [], form)
    for index, alert in enumerate(alertmanager.alerts_of(payload)):
        if type(alert) is not dict:
            decoded.faults.append(Fault(index, f"expected an object, got {describe_value(alert)}"))
            continue
        try:
            decoded.alerts.append(read_alert(alert, timestamp, grouping, decoded.warnings))
        except PoisonError as error:
            decoded.faults.append(Fault(index, str(error)))
    if decoded.faults and not decoded.alerts:
        raise PoisonError(f"no valid alert: {_summary(decoded.faults)}")
    if not payload["alerts"]:
        decoded.warnings.append("alerts is empty")
    if truncated := alertmanager.truncated_count(payload):
        decoded.warnings.append(f"truncatedAlerts: the sender left out {truncated} alerts")
    return decoded


def _parse(text: bytes | str) -> Any:
    # A compressed batch may contain records of any size, and decoding one blocks all other partitions.
    if len(text) > _BYTES_MAX:
        raise PoisonError(f"{len(text):,} bytes, more than {_BYTES_MAX:,}")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise PoisonError(_explain(text, error)) from None


def _explain(text: bytes | str, error: orjson.JSONDecodeError) -> str:
    if not text.strip():
        return "empty record"
    if isinstance(text, bytes):
        try:
            text.decode()
        except UnicodeDecodeError as wrong:
            return f"not UTF-8: {wrong.reason} at byte {wrong.start}"
    if "depth" in error.msg:
        return "not decoded: JSON nested more than 1,024 levels deep"
    found = _NOT_A_NUMBER.match(error.doc, max(error.pos - 1, 0))
    return f"not JSON: {found[1]} is not a number" if found else f"not JSON: {error.msg} (character {error.pos})"


def _summary(faults: list[Fault]) -> str:
    more = f"; and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
    return "; ".join(f"alert {fault.index}: {fault.reason}" for fault in faults[:_FAULTS_SHOWN]) + more
