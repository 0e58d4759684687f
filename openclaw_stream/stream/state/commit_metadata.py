"""The metadata committed with an offset: the state of the log before it, in less than 96 bytes.

Format: `openclaw/1 g=GENERATION f=FLOOR t=TIME d=DEAD`, decimal numbers padded with zeros; TIME is stream time in epoch
milliseconds before the committed offset, DEAD the highest offset written to the dead letters. Empty or foreign metadata
means that another program reset the offset, so nothing is guessed from it.

The length is fixed because of confluent-kafka (all of 2.12.0 to 2.16.1 tried), which returns characters behind the
metadata that were not committed: of 24, 40, 56, 72, 88 and 104 bytes nearly always, of other lengths sometimes. No
length is always returned right; 71 and 87 are least at risk. Measured: 100 % of reads wrong at 40 bytes, up to
33 % at 42, up to 11 % at 71.
Only a NUL at the end is always read right, but versions of `decode` before this one refuse it. A program that copies
offsets with confluent-kafka appends that NUL itself, so one is accepted.
"""

import re
from typing import NamedTuple

from openclaw_stream.errors import FatalError

_VERSION = 1
_OWN = re.compile(r"openclaw/(\d+)\b(.*)", re.ASCII | re.DOTALL)
_FIELDS = re.compile(r" g=(\d{1,10}) f=(\d{1,19}) t=(-?\d{1,19}) d=(-?\d{1,19})", re.ASCII)
_LENGTH = 71
_WIDTHS, _WIDTHS_OF_LARGE_NUMBERS = (7, 14, 14, 14), (10, 19, 18, 18)


class CommitMetadata(NamedTuple):
    """What the metadata says."""

    generation: int
    floor: int
    time: int
    dead_through: int


def encode(position: CommitMetadata) -> str:
    """Return the metadata string of a commit: 71 characters of ASCII, 87 where the numbers do not fit."""
    text = _format(position, _WIDTHS)
    return text if len(text) == _LENGTH else _format(position, _WIDTHS_OF_LARGE_NUMBERS)


def _format(position: CommitMetadata, widths: tuple[int, int, int, int]) -> str:
    g, f, t, d = (f"{number:0{width}d}" for number, width in zip(position, widths, strict=True))
    return f"openclaw/{_VERSION} g={g} f={f} t={t} d={d}"


def decode(metadata: str | None) -> CommitMetadata | None:
    """Return what the metadata says; None where it is empty or not ours.

    Raises:
        FatalError: it is ours, but of a version or shape this program does not know.
    """
    own = _OWN.match((metadata or "").removesuffix("\0"))
    if not own:
        return None
    fields = _FIELDS.fullmatch(own[2])
    if int(own[1]) != _VERSION or not fields:
        raise FatalError(
            f"the committed offset carries metadata of another version ({metadata!r}): "
            "run the version that wrote it, or reset the group's offsets to replay"
        )
    return CommitMetadata(*map(int, fields.groups()))
