"""What is played: records for the alerts topic, bundled ones or a user's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from openclaw_stream.alerts.decode import decode
from openclaw_stream.alerts.native import AlertReader
from openclaw_stream.errors import OpenClawError, PoisonError

_PACE_SECONDS = 0.25
_PLAY_SECONDS = 15.0
_READER = AlertReader()


@dataclass(frozen=True, slots=True)
class Record:
    """A record to produce `at` seconds after the start; without a key where it is about nobody in particular."""

    at: float
    key: bytes | None
    value: bytes


def read_files(paths: Sequence[Path]) -> list[Record]:
    """Return the records of a user's files, spread over a quarter of a second each, fifteen seconds at most.

    A file that is one JSON document is one record (Alertmanager's payloads are written so), of any other every line is;
    lines go as they are, also those that nothing can read.

    Raises:
        OpenClawError: a file cannot be read, or none of them holds anything.
    """
    values = [value for path in paths for value in _values(path)]
    if not values:
        raise OpenClawError(f"nothing to play in {', '.join(map(str, paths))}")
    pace = min(_PACE_SECONDS, _PLAY_SECONDS / len(values))
    return [Record(index * pace, key_of(value), value) for index, value in enumerate(values)]


def key_of(value: bytes) -> bytes | None:
    """Return the key a producer should give a record: the scope of its alerts, nothing where they have several."""
    try:
        keys = {alert.group_key for alert in decode(value, 0, _READER).alerts}
    except PoisonError:
        return None
    return keys.pop().encode() if len(keys) == 1 else None


def _values(path: Path) -> Iterable[bytes]:
    try:
        content = path.read_bytes().strip()
    except OSError as error:
        raise OpenClawError(f"{path} cannot be read: {error.strerror}") from error
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return [line for line in content.splitlines() if line.strip()]
    return [content]
