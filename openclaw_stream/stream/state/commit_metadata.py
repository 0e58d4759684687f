"""The metadata committed with an offset: the state of the log before it, in less than 96 bytes.

Format: `openclaw/1 g=GENERATION f=FLOOR t=TIME d=DEAD`, decimal numbers padded with zeros; TIME is stream time in epoch
milliseconds before the committed offset, DEAD the highest offset written to the dead letters. Empty or foreign metadata
means that another program has set the offset: a reset.

The length is fixed because of confluent-kafka (all of 2.12.0 to 2.16.1 tried), which returns characters behind the
metadata that were not committed: of 24, 40, 56, 72, 88 and 104 bytes nearly always, of other lengths sometimes. No
length is always returned correctly; 71 and 87 fail least. Measured: 100 % of reads wrong at 40 bytes, up to
33 % at 42, up to 11 % at 71.
Only a NUL at the end is always read correctly, but versions of `decode` before this one refuse it. A program that
copies offsets with confluent-kafka appends that NUL itself, so one is accepted.
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
    """The fields of the metadata; `stream_time` is in epoch milliseconds, -1 where no record is known."""

    generation: int
    floor: int
    stream_time: int
    dead_letters_through: int


def encode(fields: CommitMetadata) -> str:
    """Return the metadata string of a commit: 71 characters of ASCII, 87 where the numbers do not fit."""
    text = _format(fields, _WIDTHS)
    return text if len(text) == _LENGTH else _format(fields, _WIDTHS_OF_LARGE_NUMBERS)


def _format(fields: CommitMetadata, widths: tuple[int, int, int, int]) -> str:
    g, f, t, d = (f"{number:0{width}d}" for number, width in zip(fields, widths, strict=True))
    return f"openclaw/{_VERSION} g={g} f={f} t={t} d={d}"


def decode(metadata: str | None) -> CommitMetadata | None:
    """Return the fields of the metadata; None where it is empty or not ours.

    Raises:
        FatalError: it is ours, but of an unknown version or format.
    """
    own = _OWN.match((metadata or "").removesuffix("\0"))
    if not own:
        return None
    numbers = _FIELDS.fullmatch(own[2])
    if int(own[1]) != _VERSION or not numbers:
        raise FatalError(
            f"the committed offset carries metadata of another version ({metadata!r}): "
            "run the version that wrote it, or reset the group's offsets to replay"
        )
    return CommitMetadata(*map(int, numbers.groups()))
