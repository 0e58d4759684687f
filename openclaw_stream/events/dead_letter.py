"""The dead letter: original key and value, with the reason and the source in headers."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from openclaw_stream.text import safe_text

_PREFIX = "openclaw-dlq-"
_REASON_MAX = 500
_INDEXES_MAX = 100
_NUMBER = r"^-?\d+$"


class DeadLetterHeaders(BaseModel):
    """The headers of a dead letter, in addition to those of the original record; all values are UTF-8 strings."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=lambda name: _PREFIX + name.replace("_", "-")
    )

    reason: str = Field(max_length=_REASON_MAX, description="Why the record could not be processed, in one line.")
    topic: str = Field(description="The topic of the original record.")
    partition: str = Field(pattern=_NUMBER, description="The partition of the original record.")
    offset: str = Field(pattern=_NUMBER, description="The offset of the original record.")
    timestamp: str = Field(pattern=_NUMBER, description="The record's timestamp, epoch milliseconds.")
    generation: str = Field(pattern=_NUMBER, description="Increases with every reset of the consumer group's offsets.")
    bad_indexes: str | None = Field(
        None,
        pattern=r"^\d+(,\d+)*$",
        description="Indexes of the invalid alerts of the payload, from 0: at most 100. The other alerts were folded.",
    )
    bad_others: str | None = Field(None, pattern=r"^\d+$", description="How many more alerts are invalid.")


def dead_letter_headers(  # noqa: PLR0913 - the coordinates of a record
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
    """Return the headers of a dead letter: the original ones, and its own, which replace those of an earlier one.

    `timestamp` is the record's, in epoch milliseconds. The reason is cut, joined to one line, and has no secrets.
    """
    own = {
        "reason": safe_text(reason, _REASON_MAX, one_line=True),
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
