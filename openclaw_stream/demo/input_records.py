"""Records for the alerts topic: read from the user's files; `storm` has the bundled ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from openclaw_stream.alerts.decoding.decode import decode
from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.errors import OpenClawError, PoisonError

_PACE_SECONDS = 0.25
_PLAY_SECONDS = 15.0
_READER = AlertReader()


@dataclass(frozen=True, slots=True)
class InputRecord:
    """A record to produce `at` seconds after the start; the key is the scope of its alerts, None for several scopes."""

    at: float
    key: bytes | None
    value: bytes


def read_files(paths: Sequence[Path]) -> list[InputRecord]:
    """Return the records of the user's files, a quarter of a second apart, or less for a total of at most 15 s.

    A file that is one JSON document is one record (such as an Alertmanager payload); of any other file each line is a
    record, unchanged, also one that cannot be decoded.

    Raises:
        OpenClawError: a file cannot be read, or all of them are empty.
    """
    values = [value for path in paths for value in _values(path)]
    if not values:
        raise OpenClawError(f"no records in {', '.join(map(str, paths))}")
    pace = min(_PACE_SECONDS, _PLAY_SECONDS / len(values))
    return [InputRecord(index * pace, record_key(value), value) for index, value in enumerate(values)]


def record_key(value: bytes) -> bytes | None:
    """Return the key that a producer should use for a record: the scope of its alerts, None for several scopes."""
    try:
        keys = {alert.group_key for alert in decode(value, 0, _READER).alerts}
    except PoisonError:
        return None
    return keys.pop().encode() if len(keys) == 1 else None


def _values(path: Path) -> Iterable[bytes]:
    try:
        content = path.read_bytes().strip()
    except OSError as error:
        raise OpenClawError(f"cannot read {path}: {error.strerror}") from error
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return [line for line in content.splitlines() if line.strip()]
    return [content]
