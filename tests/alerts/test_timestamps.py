from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.timestamps import timestamp_of

RECORD = 1_795_346_000_000
DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T11:13:04Z", 1_795_345_984_000),
        ("2026-11-22T11:13:04.880187256Z", 1_795_345_984_880),
        ("2026-11-22T11:13:04.88Z", 1_795_345_984_880),
        ("2026-11-22T19:13:04+08:00", 1_795_345_984_000),
        ("2026-11-22 11:13:04", 1_795_345_984_000),
        (" 2026-11-22T11:13:04Z ", 1_795_345_984_000),
        (1_795_345_984, 1_795_345_984_000),
        (1_795_345_984.5, 1_795_345_984_500),
        (1_795_345_984_880, 1_795_345_984_880),
        (1_795_345_984_880_123, 1_795_345_984_880),
        (1_795_345_984_880_123_456, 1_795_345_984_880),
        ("1795345984", 1_795_345_984_000),
        ("1795345984.5", 1_795_345_984_500),
        ("1795345984880", 1_795_345_984_880),
        ("1795345984880123456", 1_795_345_984_880),
        ("2026-11-22t11:13:04z", 1_795_345_984_000),
        ("2026-11-22 11:13:04 +0000 UTC", 1_795_345_984_000),
        ("2026-11-22 19:13:04.88 +0800 CST m=+12.5", 1_795_345_984_880),
        ("20261122T111304Z", 1_795_345_984_000),
        ("2026-11-22 11:13:04 UTC", 1_795_345_984_000),
        ("2026-11-22T19:13:04+08:00[Asia/Shanghai]", 1_795_345_984_000),
        ("2026-11-22T11:13:04Z[UTC]", 1_795_345_984_000),
        ("2026/11/22 11:13:04", 1_795_345_984_000),
        ("Sun, 22 Nov 2026 11:13:04 GMT", 1_795_345_984_000),
        ("1.795345984e9", 1_795_345_984_000),
        ("1.795345984E+12", 1_795_345_984_000),
        ("0", 0),
        (0, 0),
        ("0001-01-01 00:00:00 +0000 UTC", 0),
        ("0001-01-01T00:00:00+14:00", 0),
        (None, 0),
        ("", 0),
        ("0001-01-01T00:00:00Z", 0),
    ],
)
def test_a_timestamp_is_parsed_to_the_millisecond(text: object, moment: int) -> None:
    assert timestamp_of(text, RECORD) == moment


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("yesterday", "RFC 3339"),
        ("2026-13-01T00:00:00Z", "RFC 3339"),
        ("1999-12-31T23:59:59Z", "before the year 2000"),
        ("9999-12-31T23:59:59-14:00", "after the year 2200"),
        (1e300, "after the year 2200"),
        ("12345678901234567890", "after the year 2200"),
        ("2150-01-01T00:00:00Z", "a day after"),
        (-1, "before the year 2000"),
        (True, "neither"),
        ([1], "neither"),
        ({"seconds": 1}, "neither"),
        ("2" * 1000, "RFC 3339"),
    ],
)
def test_an_implausible_timestamp_is_rejected(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        timestamp_of(value, RECORD)


def test_future_timestamps_are_compared_with_the_record_and_not_with_a_clock() -> None:
    assert timestamp_of((RECORD + DAY) / 1000, RECORD) == RECORD + DAY
    with pytest.raises(ValueError, match="a day after"):
        timestamp_of(RECORD + DAY + 1, RECORD)
    assert timestamp_of(RECORD + DAY + 1, 0) == RECORD + DAY + 1


@given(st.datetimes(datetime(2000, 1, 1), datetime(2026, 11, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_all_notations_of_a_timestamp_are_equal(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=UTC, microsecond=naive.microsecond // 1000 * 1000)
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    shifted = moment + timedelta(minutes=minutes)
    sign, hours = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    local = f"{shifted.replace(tzinfo=None).isoformat()}{sign}{hours[0]:02}:{hours[1]:02}"
    assert {timestamp_of(way, RECORD) for way in (moment.isoformat(), local, milliseconds)} == {milliseconds}
