"""Timestamps of alerts: RFC 3339 with up to nanoseconds, epoch in s, ms, us or ns, and what languages print.

Go's `time.String()`, Java's `ZonedDateTime` with the zone in brackets, `UTC` or `GMT` in letters, dates of HTTP.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = 86_400_000
_YEAR_2 = -62_104_060_800_000
"""Go writes its zero time, 1 January of year 1, for none."""
_YEAR_2000, _YEAR_2200 = 946_684_800_000, 7_258_118_400_000
# A number below the first limit is in seconds (to the year 5138), below the next in milliseconds, then microseconds.
_SECONDS_MAX, _MILLISECONDS_MAX, _MICROSECONDS_MAX = 10**11, 10**14, 10**17
_GO = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d{4})(?: [A-Z]{1,5}| [+-]\d{2,4})?(?: m=[+-][\d.]+)?"
)
"""`time.String()` of Go."""
_NUMBER = re.compile(r"\d{9,20}(?:\.\d{1,9})?|\d\.\d{1,18}e\+?(?:09|9|1\d)", re.IGNORECASE)
"""Eight digits are a date."""
_ZONE = re.compile(r"\[[\w/+-]{1,40}\]$|(?<=\d) ?(?:UTC|GMT)$")
"""The name of a zone: in brackets beside its offset, or in the place of it."""
_NONE = "0001-01-01T00:00:00Z"
_TEXT_MAX = 64


def timestamp_of(value: object, record_timestamp: int) -> int:
    """Return a timestamp in epoch milliseconds, 0 for none (null, an empty string, zero, the zero time of Go).

    `record_timestamp` is in epoch milliseconds, 0 if unknown.

    Raises:
        ValueError: Not a timestamp, or an implausible one: before 2000, over a day after the record, or after 2200.
    """
    if value is None or value in ("", _NONE):
        return 0
    short = type(value) is str and len(value) <= _TEXT_MAX
    timestamp = _cached_parse(value) if short else _epoch_milliseconds(value)
    if timestamp < _YEAR_2 or timestamp == 0:
        return 0
    if timestamp < _YEAR_2000:
        raise ValueError("before the year 2000")
    if timestamp >= _YEAR_2200:
        raise ValueError("after the year 2200")
    if record_timestamp and timestamp > record_timestamp + _DAY:
        raise ValueError("more than a day after the record")
    return timestamp


def _epoch_milliseconds(value: object) -> int:
    if isinstance(value, str):
        return _parse(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    raise ValueError("neither a string nor a number")


def _from_number(number: float) -> int:
    size = abs(number)
    if size < _SECONDS_MAX:
        return int(number * 1000)
    if size < _MILLISECONDS_MAX:
        return int(number)
    return int(number // 1000) if size < _MICROSECONDS_MAX else int(number // 1_000_000)


def _parse(text: str) -> int:
    text = text.strip()
    if text == "0":
        return 0
    if _NUMBER.fullmatch(text):
        return _from_number(float(text) if "." in text else int(text))
    if go := _GO.fullmatch(text):
        text = go[1] + go[2]
    elif text[:4].isdigit():
        text = _ZONE.sub("", text).replace("/", "-")
    try:
        parsed = datetime.fromisoformat(text.upper()) if text[:1].isdigit() else parsedate_to_datetime(text)
    except ValueError:
        raise ValueError("not an RFC 3339 timestamp") from None
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MILLISECOND


# Repeats of an alert have the starts_at of the first.
_cached_parse = lru_cache(maxsize=16384)(_parse)
