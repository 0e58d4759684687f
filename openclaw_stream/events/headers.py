"""Kafka headers of an event: CloudEvents attributes in binary content mode, and the W3C trace context.

Formats: the CloudEvents 1.0 Kafka binding, and the header `traceparent` of W3C Trace Context, level 1.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def event_headers(
    event_id: str, event_type: str, source: str, time: datetime, traceparent: str | None
) -> list[tuple[str, bytes]]:
    """Return the headers of an event in JSON; `time` has a time zone, `traceparent` is valid or None."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", event_type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", _rfc3339(time).encode()),
        ("content-type", b"application/json"),
    ]
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return headers


def traceparent_of(headers: Iterable[tuple[str, bytes | None]]) -> str | None:
    """Return the first valid `traceparent` among a record's headers."""
    for name, value in headers:
        if value and name.lower() in {"traceparent", "ce_traceparent"} and _TRACEPARENT.fullmatch(value):
            return value.decode("ascii")
    return None


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
