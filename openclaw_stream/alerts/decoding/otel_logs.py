"""OpenTelemetry's log records as JSON (`otlp_json`): the bodies that carry alerts.

Schema: OTLP's JSON encoding of `LogsData` and `AnyValue`: a body is `stringValue`, `bytesValue` (base64), `kvlistValue`
or `arrayValue`; a 64-bit integer is a text.
"""

from base64 import b64decode
from typing import Any

_DEPTH_MAX = 32
_INTEGER_LENGTH_MAX = 20


def is_logs(document: dict[str, Any]) -> bool:
    """Return whether it is a batch of log records."""
    return type(document.get("resourceLogs")) is list


def bodies_of(document: dict[str, Any]) -> list[Any]:
    """Return the bodies of all log records in their order: texts and bytes still to be parsed, JSON values, or None."""
    scopes = (scope for resource in _objects(document, "resourceLogs") for scope in _objects(resource, "scopeLogs"))
    return [_value(record.get("body"), 0) for scope in scopes for record in _objects(scope, "logRecords")]


def _objects(document: dict[str, Any], field: str) -> list[dict[str, Any]]:
    items = document.get(field)
    return [item for item in items if type(item) is dict] if type(items) is list else []


def _value(body: Any, depth: int) -> Any:
    if type(body) is not dict or depth > _DEPTH_MAX:
        return None
    if "kvlistValue" in body and type(body["kvlistValue"]) is dict:
        pairs = (pair for pair in _objects(body["kvlistValue"], "values") if type(pair.get("key")) is str)
        return {pair["key"]: _value(pair.get("value"), depth + 1) for pair in pairs}
    if "arrayValue" in body and type(body["arrayValue"]) is dict:
        return [_value(item, depth + 1) for item in _objects(body["arrayValue"], "values")]
    return _scalar(body, depth)


def _scalar(body: dict[str, Any], depth: int) -> Any:
    if type(body.get("bytesValue")) is str and depth == 0:
        return _bytes(body["bytesValue"])
    if type(body.get("intValue")) is str:
        return _integer(body["intValue"])
    kinds = ("stringValue", "boolValue", "intValue", "doubleValue", "bytesValue")
    return next((body[kind] for kind in kinds if kind in body), None)


def _bytes(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None


def _integer(text: str) -> int | str:
    try:
        return int(text) if len(text) <= _INTEGER_LENGTH_MAX else text
    except ValueError:
        return text
