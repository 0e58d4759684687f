"""Timestamps of alerts: RFC 3339 with up to nanoseconds, or epoch seconds or milliseconds."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = 86_400_000
_YEAR_2000, _YEAR_2200 = 946_684_800_000, 7_258_118_400_000
# As seconds this is the year 5138, as milliseconds 1973.
_SECONDS_MAX = 100_000_000_000
_NONE = "0001-01-01T00:00:00Z"
_TEXT_MAX = 64


def timestamp_of(value: object, record_timestamp: int) -> int:
    """Return a timestamp in epoch milliseconds, 0 for none (null, an empty string, the zero time of Go).

    `record_timestamp` is in epoch milliseconds, 0 if unknown.

    Raises:
        ValueError: Not a timestamp, or an implausible one: before 2000, over a day after the record, or after 2200.
    """
    if value is None or value in ("", _NONE):
        return 0
    timestamp = _epoch_milliseconds(value)
    if timestamp < _YEAR_2000:
        raise ValueError("before the year 2000")
    if timestamp >= _YEAR_2200:
        raise ValueError("after the year 2200")
    if record_timestamp and timestamp > record_timestamp + _DAY:
        raise ValueError("more than a day after the record")
    return timestamp


def _epoch_milliseconds(value: object) -> int:
    if isinstance(value, str):
        return _cached_parse(value) if len(value) <= _TEXT_MAX else _parse(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value * 1000 if abs(value) < _SECONDS_MAX else value)
    raise ValueError("neither a string nor a number")


def _parse(text: str) -> int:
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("not an RFC 3339 timestamp") from None
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MILLISECOND


# Repeats of an alert have the starts_at of the first.
_cached_parse = lru_cache(maxsize=16384)(_parse)
