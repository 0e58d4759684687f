"""Names that are equal wherever and whenever the same thing is computed again: uuid5 of what identifies it.

No version of rules, prompts or models goes in: a replay names its incidents and decisions as the first run did.
"""

from uuid import UUID, uuid5

import orjson

_NAMESPACE = UUID("6f1d2c0e-6f0b-5d57-9a59-3f0c8f6f7c11")


def incident_id(topic: str, partition: int, offset: int, timestamp: int, group_key: str) -> str:
    """Return the id of the incident of `group_key` opened by the record at `offset`.

    `timestamp` is that record's, in epoch milliseconds: it tells a topic from one made anew under its name.
    """
    return _uuid("incident", topic, partition, offset, timestamp, group_key)


def decision_id(incident_id: str, revision: int) -> str:
    """Return the id of an incident's revision."""
    return _uuid("decision", incident_id, revision)


def tuning_id(decision_id: str, ordinal: int) -> str:
    """Return the id of a decision's tuning suggestion; `ordinal` counts from 0."""
    return _uuid("tuning", decision_id, ordinal)


def event_id(subject_id: str, generation: int) -> str:
    """Return the `ce_id` of one publication of a decision or tuning: a replay publishes it under another."""
    return _uuid("event", subject_id, generation)


def _uuid(*parts: str | int) -> str:
    # As JSON no two tuples have the same text: a separator in a part is escaped or quoted.
    return str(uuid5(_NAMESPACE, orjson.dumps(parts).decode()))
