"""CloudEvents 1.0 in structured JSON mode: an envelope around an alert or a payload."""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any

from openclaw_stream.errors import PoisonError


def is_cloudevent(document: dict[str, Any]) -> bool:
    """Return whether a document has a `specversion`, and is no alert that has a field of this name."""
    return "specversion" in document and (
        "data" in document or "data_base64" in document or "alert_type" not in document
    )


def data_of(event: dict[str, Any]) -> Any:
    """Return an event's data: bytes or a string to be parsed, or a JSON value.

    Raises:
        PoisonError: It has no data, or `data_base64` is not base64.
    """
    if event.get("data") is not None:
        return event["data"]
    encoded = event.get("data_base64")
    if type(encoded) is not str:
        raise PoisonError("a CloudEvents event without data")
    try:
        return b64decode(encoded, validate=True)
    except (Base64Error, ValueError):
        raise PoisonError("a CloudEvents event whose data_base64 is not base64") from None
