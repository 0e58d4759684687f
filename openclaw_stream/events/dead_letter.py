"""The dead letter: the original bytes under the original key, the reason and the source in headers."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from openclaw_stream.text import safe_text

_PREFIX = "openclaw-dlq-"
_REASON_MAX = 500
_INDEXES_MAX = 100
_NUMBER = r"^-?\d+$"


class DeadLetterHeaders(BaseModel):
    """The headers that a dead letter carries beside those of the original record; all are UTF-8 texts."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=lambda name: _PREFIX + name.replace("_", "-")
    )

    reason: str = Field(max_length=_REASON_MAX, description="Why the record could not be understood, in one line.")
    topic: str = Field(description="The topic the record came from.")
    partition: str = Field(pattern=_NUMBER)
    offset: str = Field(pattern=_NUMBER)
    timestamp: str = Field(pattern=_NUMBER, description="The record's timestamp, epoch milliseconds.")
    generation: str = Field(pattern=_NUMBER, description="Grows with every reset of the consumer group's offsets.")
    bad_indexes: str | None = Field(
        None,
        pattern=r"^\d+(,\d+)*$",
        description="The alerts of the payload that could not be read, counted from 0: at most 100. The others folded.",
    )
    bad_others: str | None = Field(None, pattern=r"^\d+$", description="How many more alerts could not be read.")


def dead_letter_headers(  # noqa: PLR0913 - a record is named by its coordinates
    original: Sequence[tuple[str, bytes]],
    *,
    reason: str,
    topic: str,
    partition: int,
    offset: int,
    timestamp: int,
    generation: int,
    bad_indexes: Sequence[int] = (),
) -> list[tuple[str, bytes]]:
    """Return the headers of a dead letter: the original ones, and its own in place of those of an earlier one.

    `timestamp` is the record's, in epoch milliseconds. The reason is made one line, capped and free of secrets.
    """
    own = {
        "reason": _one_line(reason),
        "topic": topic,
        "partition": str(partition),
        "offset": str(offset),
        "timestamp": str(timestamp),
        "generation": str(generation),
    }
    if bad_indexes:
        own["bad-indexes"] = ",".join(map(str, bad_indexes[:_INDEXES_MAX]))
    if len(bad_indexes) > _INDEXES_MAX:
        own["bad-others"] = str(len(bad_indexes) - _INDEXES_MAX)
    kept = [header for header in original if not header[0].startswith(_PREFIX)]
    return kept + [(_PREFIX + name, value.encode()) for name, value in own.items()]


def _one_line(reason: str) -> str:
    return safe_text(reason, _REASON_MAX, one_line=True)
