"""Parsing of one alert object, native or Alertmanager's, into a normalised `Alert`.

Without a validating model: that takes half the time. The published schema is that of `AlertEvent`; a test checks that
both accept the same alerts.
"""

import math
from itertools import islice
from typing import Any

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.identity import Grouping, fingerprint_of, member_of, name_of, namespace_of, service_of
from openclaw_stream.alerts.normalization import is_firing, severity_of
from openclaw_stream.alerts.timestamps import timestamp_of
from openclaw_stream.errors import PoisonError
from openclaw_stream.text import Hidden, safe_text
from openclaw_stream.vocabulary import Severity

_SEVERITY_LABELS = ("severity", "priority", "threshold.name", "threshold_name")
_SHOWN_MAX = 60
_KEYS_SHOWN = 8


def read_alert(document: dict[str, Any], timestamp: int, grouping: Grouping, warnings: list[str]) -> Alert:
    """Return the alert of a JSON object; ignored fields are added to `warnings`.

    `timestamp` is the record's, in epoch milliseconds. A field overrides the label of the same name.

    Raises:
        PoisonError: The alert has no name, or a field has a wrong type.
    """
    labels = _texts(document, "labels")
    name = name_of(_name(document, labels))
    target_resource = _text(document, "target_resource") or labels.get("target_resource", "")
    source = _text(document, "source") or labels.get("source", "")
    namespace = name_of(_text(document, "namespace").strip() or namespace_of(labels))
    service = name_of(_text(document, "service").strip() or service_of(labels, target_resource))
    fingerprint = _text(document, "fingerprint").strip() or fingerprint_of(
        (name, source, namespace, service), target_resource, labels
    )
    ends_at = _timestamp(document, "ends_at", "endsAt", timestamp, warnings)
    # Positional, in the order of the fields: keyword arguments take three times as long.
    return Alert(
        name,
        _severity(document, labels),
        _is_firing(document, ends_at, timestamp, warnings),
        _timestamp(document, "starts_at", "startsAt", timestamp, warnings),
        ends_at,
        fingerprint,
        member_of(fingerprint),
        grouping.key(name, namespace, service, labels, fingerprint),
        namespace,
        service,
        source,
        target_resource,
        _text(document, "message"),
        labels,
        _texts(document, "annotations"),
        _metrics(document),
        _text(document, "generator_url") or _text(document, "generatorURL"),
    )


def describe_value(value: object, key: str = "") -> str:
    """Return a JSON value for a message: its type, and a scalar itself, cut and without secrets."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        return f"the number {value}"[:_SHOWN_MAX]
    return f'the string "{safe_text(value, _SHOWN_MAX, hidden=Hidden.ESCAPE, name=key)}"'


def _wrong_type(field: str, expected: str, value: object, key: str = "") -> PoisonError:
    where = f"{field}.{safe_text(key, _SHOWN_MAX, hidden=Hidden.ESCAPE)}" if key else field
    return PoisonError(f"{where}: expected {expected}, got {describe_value(value, key)}")


def _name(document: dict[str, Any], labels: dict[str, str]) -> str:
    for field in ("alert_type", "alertname", "alert_name"):
        if name := _text(document, field).strip():
            return name
    if name := labels.get("alertname", "").strip():
        return name
    keys = (
        ", ".join(safe_text(key, _SHOWN_MAX, hidden=Hidden.ESCAPE) for key in islice(document, _KEYS_SHOWN)) or "none"
    )
    raise PoisonError(f"no alert name: no alert_type, alertname, alert_name or label alertname (keys: {keys})")


def _text(document: dict[str, Any], field: str) -> str:
    value = document.get(field)
    if type(value) is str:
        return value
    if value is None:
        return ""
    raise _wrong_type(field, "a string", value)


def _texts(document: dict[str, Any], field: str) -> dict[str, str]:
    values = document.get(field)
    if values is None:
        return {}
    if type(values) is not dict:
        raise _wrong_type(field, "an object of strings", values)
    for value in values.values():
        if type(value) is not str:
            return {key: _as_text(field, key, item) for key, item in values.items() if item is not None}
    return values


def _as_text(field: str, key: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise _wrong_type(field, "a string", value, key)


def _metrics(document: dict[str, Any]) -> dict[str, float]:
    values = document.get("metrics")
    if values is None:
        return {}
    if type(values) is not dict:
        raise _wrong_type("metrics", "an object of numbers", values)
    for value in values.values():
        # Numbers of JSON are finite. The type of a bool is not int, although it is a subclass.
        if type(value) is not float and type(value) is not int:
            return {key: _number(key, item) for key, item in values.items() if item is not None}
    return values


def _number(key: str, value: object) -> float:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = float(value)
        except ValueError:
            raise _wrong_type("metrics", "a number", value, key) from None
        if math.isfinite(number):
            return number
    raise _wrong_type("metrics", "a finite number", value, key)


def _severity(document: dict[str, Any], labels: dict[str, str]) -> Severity:
    value = document.get("severity")
    if type(value) is str and value:
        return severity_of(value)
    if isinstance(value, dict | list):
        raise _wrong_type("severity", "a string", value)
    for label in _SEVERITY_LABELS:
        if name := labels.get(label):
            return severity_of(name)
    return Severity.WARNING


def _is_firing(document: dict[str, Any], ends_at: int, timestamp: int, warnings: list[str]) -> bool:
    status = _text(document, "status")
    if not status:
        return not 0 < ends_at <= timestamp
    firing = is_firing(status)
    if firing is None:
        warnings.append(f"status: {describe_value(status)} is neither firing nor resolved: treated as firing")
    return firing is not False


def _timestamp(document: dict[str, Any], field: str, foreign: str, timestamp: int, warnings: list[str]) -> int:
    value = document.get(field) or document.get(foreign)
    try:
        return timestamp_of(value, timestamp)
    except (ValueError, OverflowError) as error:
        warnings.append(f"{field}: {describe_value(value, field)} is ignored: {error}")
        return 0
