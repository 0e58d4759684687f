"""Decoding: the bytes of a record become alerts.

    bytes ─► frames (JSON documents) ─► formats (alert objects) ─► reader (alerts)

A pure function of the record, without a clock: reading it again gives the same alerts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.decoding.frames import unwrap
from openclaw_stream.alerts.field_values import describe_value
from openclaw_stream.alerts.formats import AlertDocument, Skipped, Unreadable, adapter_for
from openclaw_stream.alerts.reader import AlertReader, SkippedAlertError, no_alert
from openclaw_stream.errors import PoisonError

NATIVE = "native"
_EXPECTED = "an alert, or one of the formats in schemas/README.md"
_FAULTS_SHOWN = 3
_ALERTS_MAX = 10_000
_FAST_BYTES_MAX = 1 << 20


@dataclass(slots=True)
class Fault:
    """A part of a record that could not be read; `index` counts its alerts from 0."""

    index: int
    reason: str


@dataclass(slots=True)
class DecodedRecord:
    """What a record held.

    `alerts` are folded, `faults` say what could not be read, `skipped` why parts are no alerts: one reason for each.
    `warnings` say what was ignored or mended. `format` is the adapter's name, that of the first part.
    """

    alerts: list[Alert]
    faults: list[Fault]
    warnings: list[str]
    format: str
    skipped: list[str]


def decode(value: bytes, timestamp: int, reader: AlertReader) -> DecodedRecord:
    """Decode a record's value; `timestamp` is the record's, in epoch milliseconds, 0 where it is not known.

    Raises:
        PoisonError: Nothing of it can be read; the message says why. No other exception, whatever the bytes.
    """
    # Most records are a native alert without any frame.
    try:
        document = orjson.loads(value) if len(value) <= _FAST_BYTES_MAX else None
    except orjson.JSONDecodeError:
        return _decode_all(value, timestamp, reader)
    if (
        type(document) is not dict
        or type(document.get("alert_type")) is not str
        or "specversion" in document
        or type(document.get("alerts")) is list
    ):
        return _decode_all(value, timestamp, reader)
    warnings: list[str] = []
    try:
        return DecodedRecord([reader.read(document, timestamp, warnings)], [], warnings, NATIVE, [])
    except SkippedAlertError as skipped:
        return DecodedRecord([], [], warnings, NATIVE, [str(skipped)])


def _decode_all(value: bytes, timestamp: int, reader: AlertReader) -> DecodedRecord:
    unwrapped = unwrap(value)
    form = "cloudevents" if unwrapped.in_cloudevent else ""
    decoded = DecodedRecord([], [], list(unwrapped.warnings), form, [])
    index = 0
    for part in _parts(unwrapped.documents, decoded):
        if index >= _ALERTS_MAX:
            raise PoisonError(f"more than {_ALERTS_MAX:,} alerts in one record: send fewer at a time")
        _read(part, index, timestamp, reader, decoded)
        index += 1
    if decoded.faults and not decoded.alerts and not decoded.skipped:
        only = decoded.faults[0].reason if len(decoded.faults) == index == 1 else ""
        raise PoisonError(only or f"no valid alert: {_summary(decoded.faults)}")
    return decoded


def _parts(documents: list[Any], decoded: DecodedRecord) -> Iterator[AlertDocument | Skipped | Unreadable]:
    for document in documents:
        if isinstance(document, Skipped | Unreadable):
            yield document
            continue
        adapter = adapter_for(document)
        if adapter is None:
            yield Unreadable(no_alert(document) if isinstance(document, dict) else _unknown(document))
            continue
        decoded.format = decoded.format or adapter.name
        yield from adapter.read(document)


def _read(
    part: AlertDocument | Skipped | Unreadable, index: int, timestamp: int, reader: AlertReader, decoded: DecodedRecord
) -> None:
    if isinstance(part, Skipped):
        decoded.skipped.append(part.reason)
    elif isinstance(part, Unreadable):
        decoded.faults.append(Fault(index, part.reason))
    else:
        decoded.warnings += part.warnings
        try:
            decoded.alerts.append(reader.read(part.fields, timestamp, decoded.warnings))
        except SkippedAlertError as skipped:
            decoded.skipped.append(str(skipped))
        except PoisonError as error:
            decoded.faults.append(Fault(index, str(error)))


def _unknown(document: object) -> str:
    return f"unknown shape: expected {_EXPECTED}; got {describe_value(document)}"


def _summary(faults: list[Fault]) -> str:
    more = f"; and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
    return "; ".join(f"alert {fault.index}: {fault.reason}" for fault in faults[:_FAULTS_SHOWN]) + more
