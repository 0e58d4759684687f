"""The group states in the incidents topic: JSON for consumers, and for the worker that restores the partition.

The `incident` part is the public contract (events/incident.py); `fold` is private to the worker. Member hashes
are packed as pairs of little-endian 64-bit numbers (fingerprint hash, startsAt) in base64. The judgement of the last
decision is kept, in base64, as long as a resolution may repeat it.
"""

import struct
from base64 import b64decode, b64encode
from typing import Any, NamedTuple

import orjson

from openclaw_stream.alerts.subject import NO_SUBJECT, SERVICE, Subject
from openclaw_stream.errors import FatalError
from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.incidents.evidence import incident_fields
from openclaw_stream.incidents.exemplars import compact
from openclaw_stream.incidents.lifecycle import Lifecycle
from openclaw_stream.incidents.state import NEVER, LineageRecord, State
from openclaw_stream.vocabulary import IncidentStatus

GENERATION_KEY = "#generation"
_SCHEMA_VERSION = 1


class TopicIdentity(NamedTuple):
    """The topic whose records the states are about, and the first generation that read it.

    A topic that was deleted and created again has another id: states of earlier generations are about another log.
    """

    topic_id: str
    since: int


def encode(
    state: State,
    group_id: str,
    generation: int,
    last_decision: PublishedDecision | None,
    log: TopicIdentity | None = None,
) -> bytes:
    """Return the value of a group's key in the incidents topic."""
    document = {
        "schema_version": _SCHEMA_VERSION,
        "group_key": state.group_key,
        "group_id": group_id,
        "generation": generation,
        "through": state.through,
        "replayed_through": state.replayed_through,
        "incident": _incident(state, last_decision) if state.incident_id else None,
        "lineage": [entry._asdict() for entry in state.lineage],
        "fold": _fold(state) | _judgement(state, last_decision),
    }
    return orjson.dumps(document | {"log": log._asdict()} if log else document)


def generation_record(
    group_id: str, generation: int, dead_letters_through: int, log: TopicIdentity | None = None
) -> bytes:
    """Return the value of the reserved key: the generation, the offset of its last dead letter, and the log it reads.

    The metadata of the commit holds the first two as well, but a broker that crashes may lose a commit whose records it
    keeps.
    """
    return encode(State(GENERATION_KEY, through=dead_letters_through), group_id, generation, None, log)


class DecodedState:
    """The state in a value, and the consumer group and generation that wrote it."""

    __slots__ = ("generation", "group_id", "last_decision", "log", "state")

    def __init__(self, value: bytes) -> None:
        try:
            document = orjson.loads(value)
            version = document["schema_version"]
            if version != _SCHEMA_VERSION:
                raise FatalError(
                    f"the incidents topic holds a state of schema version {version!r}; this version reads "
                    f"{_SCHEMA_VERSION}: run the version that wrote it"
                )
            self.group_id: str = document["group_id"]
            self.generation: int = document["generation"]
            self.state = _state(document)
            incident = document["incident"]
            self.last_decision = _last_decision(incident, document["fold"]) if incident else None
            log = document.get("log")
            self.log = TopicIdentity(log["topic_id"], log["since"]) if log else None
        except (KeyError, TypeError, ValueError, struct.error) as error:
            raise FatalError(
                f"the incidents topic holds a value that is no group state ({error!r}, {value[:80]!r}): "
                "another program writes to it; give this consumer group its own incidents topic"
            ) from error


def _incident(state: State, last: PublishedDecision | None) -> dict[str, Any]:
    return {
        "incident_id": state.incident_id,
        "revision": state.revision,
        **incident_fields(state),
        "last_decision": _decision_fields(last) if last and last.incident_id == state.incident_id else None,
    }


def _decision_fields(last: PublishedDecision) -> dict[str, Any]:
    fields = last._asdict()
    del fields["incident_id"], fields["judgement"]
    return fields


def _judgement(state: State, last: PublishedDecision | None) -> dict[str, str]:
    if not last or not last.judgement or last.incident_id != state.incident_id or state.is_final:
        return {}
    return {"judgement": b64encode(last.judgement).decode("ascii")}


def _fold(state: State) -> dict[str, Any]:
    return {
        "open": state.is_open,
        "opened_offset": state.opened_offset,
        "opened_at": state.opened_at,
        "last_alert_at": state.last_alert_at,
        "last_due": state.last_due,
        "hold_end": None if state.hold_end == NEVER else state.hold_end,
        "early": state.end_published,
        "overflow": state.overflow,
        "frozen": state.membership_frozen_at,
        "severity": state.severity,
        "firing": _pack(state.firing),
        "resolved": _pack(state.resolved),
        "namespace": state.namespace,
        "service": state.service,
        "subject": list(state.subject),
        "services": state.services,
        "names": state.alert_names,
        "others": state.other_alerts,
        "exemplars": [orjson.Fragment(value) for value in state.exemplars],
        "first_offset": state.first_offset,
        "last_offset": state.last_offset,
        "traceparent": state.traceparent,
    }


def _state(document: dict[str, Any]) -> State:
    lineage = tuple(
        LineageRecord(**{**entry, "status": IncidentStatus(entry["status"])}) for entry in document["lineage"]
    )
    offsets = {"through": document["through"], "replayed_through": document["replayed_through"], "lineage": lineage}
    incident = document["incident"]
    fields = _incident_fields(incident, document["fold"]) if incident is not None else {}
    return State.from_fields(document["group_key"], offsets | fields)


def _incident_fields(incident: dict[str, Any], fold: dict[str, Any]) -> dict[str, Any]:
    return {
        "incident_id": incident["incident_id"],
        "previous_incident_id": incident["previous_incident_id"] or "",
        "status": IncidentStatus(incident["status"]),
        "revision": incident["revision"],
        "alert_count": incident["alert_count"],
        "distinct_alerts": incident["distinct_alerts"],
        "flaps": incident["flaps"],
        "lifecycle": _lifecycle(is_open=fold["open"], end_published=fold["early"]),
        "hold_end": NEVER if fold["hold_end"] is None else fold["hold_end"],
        "membership_frozen_at": fold["frozen"],
        "firing": _unpack(fold["firing"]),
        "resolved": _unpack(fold["resolved"]),
        "services": tuple(fold["services"]),
        "subject": _subject(fold),
        "alert_names": fold["names"],
        "other_alerts": fold["others"],
        "exemplars": tuple(map(compact, fold["exemplars"])),
        **{name: fold[name] for name in _SAME_IN_FOLD},
    }


def _subject(fold: dict[str, Any]) -> Subject:
    """Return the subject; states of earlier versions have none, and their groups were named by the service."""
    if "subject" in fold:
        return Subject(*fold["subject"])
    return Subject(SERVICE, fold["namespace"], fold["service"]) if fold["service"] else NO_SUBJECT


def _lifecycle(*, is_open: bool, end_published: bool) -> Lifecycle:
    if not is_open:
        return Lifecycle.CLOSED
    return Lifecycle.END_PUBLISHED if end_published else Lifecycle.OPEN


_SAME_IN_FOLD = (
    "opened_offset",
    "opened_at",
    "last_alert_at",
    "last_due",
    "overflow",
    "severity",
    "namespace",
    "service",
    "first_offset",
    "last_offset",
    "traceparent",
)


def _last_decision(incident: dict[str, Any], fold: dict[str, Any]) -> PublishedDecision | None:
    last = incident["last_decision"]
    if last is None:
        return None
    fields = {**last, "secondary_teams": tuple(last["secondary_teams"])}
    judgement = b64decode(fold.get("judgement", ""), validate=True)
    return PublishedDecision(incident_id=incident["incident_id"], judgement=judgement, **fields)


def _pack(members: dict[int, int]) -> str:
    flat = [number for pair in members.items() for number in pair]
    return b64encode(struct.pack(f"<{len(flat)}Q", *flat)).decode("ascii")


def _unpack(packed: str) -> dict[int, int]:
    data = b64decode(packed, validate=True)
    return dict(struct.iter_unpack("<QQ", data))
