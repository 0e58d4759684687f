"""Deterministic ids: the uuid5 of what identifies an incident, a decision or an event.

They do not depend on the version of rules, prompts or models, so a replay computes the same ids as the first run.
"""

from uuid import UUID, uuid5

import orjson

_NAMESPACE = UUID("6f1d2c0e-6f0b-5d57-9a59-3f0c8f6f7c11")


def incident_id(topic: str, partition: int, offset: int, timestamp: int, group_key: str) -> str:
    """Return the id of the incident of `group_key` opened by the record at `offset`.

    `timestamp` is that record's, in epoch milliseconds: it differs if the topic was deleted and created again.
    """
    return _uuid("incident", topic, partition, offset, timestamp, group_key)


def decision_id(incident_id: str, revision: int) -> str:
    """Return the id of an incident's revision."""
    return _uuid("decision", incident_id, revision)


def tuning_id(decision_id: str, ordinal: int) -> str:
    """Return the id of a decision's tuning suggestion; `ordinal` counts from 0."""
    return _uuid("tuning", decision_id, ordinal)


def event_id(subject_id: str, generation: int) -> str:
    """Return the `ce_id` of a published decision or tuning event; a replay has another generation and id."""
    return _uuid("event", subject_id, generation)


def _uuid(*parts: str | int) -> str:
    # JSON is unambiguous: separators within a part are quoted or escaped.
    return str(uuid5(_NAMESPACE, orjson.dumps(parts).decode()))
