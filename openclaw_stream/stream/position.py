"""The metadata committed with an offset: what a worker must know of the log before it, in less than 96 bytes.

Format: `openclaw/1 g=GENERATION f=FLOOR t=TIME d=DEAD`, decimal numbers; TIME is stream time in epoch milliseconds
before the committed offset, DEAD the highest offset written to the dead letters. Empty or foreign metadata means that
somebody reset the offset, so it is never guessed at.
"""

import re
from typing import NamedTuple

from openclaw_stream.errors import FatalError

_VERSION = 1
_OWN = re.compile(r"openclaw/(\d+)\b(.*)", re.ASCII | re.DOTALL)
_FIELDS = re.compile(r" g=(\d{1,10}) f=(\d{1,19}) t=(-?\d{1,19}) d=(-?\d{1,19})", re.ASCII)


class Position(NamedTuple):
    """What the metadata says."""

    generation: int
    floor: int
    time: int
    dead_through: int


def encode(position: Position) -> str:
    """Return the metadata string of a commit."""
    p = position
    return f"openclaw/{_VERSION} g={p.generation} f={p.floor} t={p.time} d={p.dead_through}"


def decode(metadata: str | None) -> Position | None:
    """Return what the metadata says; None where it is empty or not ours.

    Raises:
        FatalError: it is ours, but of a version or shape this program does not know.
    """
    own = _OWN.match(metadata or "")
    if not own:
        return None
    fields = _FIELDS.fullmatch(own[2])
    if int(own[1]) != _VERSION or not fields:
        raise FatalError(
            f"the committed offset carries metadata of another version ({metadata!r}): "
            "run the version that wrote it, or reset the group's offsets to replay"
        )
    return Position(*map(int, fields.groups()))
