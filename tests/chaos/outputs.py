"""The events that the program under test has published, as a consumer downstream reads them, validated by schema."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from jsonschema import Draft202012Validator

from tests.chaos.journal import Run

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
_QUIET_SECONDS = 60


class DecisionEvent(NamedTuple):
    """A decision event, as far as it is checked.

    `names` are the alert names it counts, `last` its last offset, `decider` is the provider that decided, or the cache.
    """

    place: tuple[int, int]
    key: str
    incident: str
    generation: int
    revision: int
    resolution: bool
    replayed: bool
    group: str
    alerts: int
    names: frozenset[str]
    severity: str
    partition: int
    last: int
    decision_id: str
    event_id: str
    decider: str
    command: str


class TuningEvent(NamedTuple):
    """A tuning event."""

    place: tuple[int, int]
    tuning_id: str
    decision_id: str
    generation: int
    executed: bool
    event_id: str
    command: str


class LineageEntry(NamedTuple):
    """An entry of a lineage."""

    incident: str
    offset: int
    timestamp: int


class StateRecord(NamedTuple):
    """A state of a group; `incident` is None where it contains none."""

    place: tuple[int, int]
    group: str
    generation: int
    incident: str | None
    alerts: int
    status: str
    lineage: tuple[LineageEntry, ...]


class DeadLetterRecord(NamedTuple):
    """A dead letter; `source` is the partition and offset in its headers."""

    place: tuple[int, int]
    source: tuple[int, int]
    generation: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Outputs(NamedTuple):
    """Everything that is visible, in the order of each topic's partitions."""

    decisions: list[DecisionEvent]
    tuning: list[TuningEvent]
    states: list[StateRecord]
    dead: list[DeadLetterRecord]
    invalid: list[str]
    """Events that are invalid by their schema, and why."""
    held_back: Counter[str]
    """Records by topic that `read_committed` does not show: those of aborted transactions."""
    hanging: list[str]
    """Partitions whose readers are held back by a transaction that is still open."""


def read(bootstrap: str, topic: str, *, committed: bool = True) -> tuple[list[Message], dict[int, int]]:
    """Return a topic's messages from beginning to end, and where each partition ended for this reader.

    Raises:
        TimeoutError: the end was not reached.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "chaos-verifier",
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    partitions = len(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    found: list[Message] = []
    ends: dict[int, int] = {}
    quiet = 0.0
    while len(ends) < partitions:
        batch = consumer.consume(10_000, 0.5)
        quiet = 0.0 if batch else quiet + 0.5
        if quiet > _QUIET_SECONDS:
            raise TimeoutError(f"{topic} was not read to its end")
        for message in batch:
            error = message.error()
            if error is None:
                found.append(message)
            elif error.name() == "_PARTITION_EOF":
                ends[message.partition() or 0] = message.offset() or 0
            else:
                raise KafkaException(error)
    consumer.close()
    return found, ends


class Collector:
    """Reads all output topics of a run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._invalid: list[str] = []
        self._held_back: Counter[str] = Counter()
        self._hanging: list[str] = []

    def collect(self) -> Outputs:
        """Return everything that is visible."""
        decisions = [_decision_event(message, event) for message, event in self._events("decisions", "decision")]
        tuning = [_tuning_event(message, event) for message, event in self._events("tuning", "tuning")]
        states = [_state_record(message, event) for message, event in self._events("incidents", "incident")]
        dead = [_dead_letter_record(message) for message in self._checked("dead_letter", "dead-letter")]
        return Outputs(decisions, tuning, states, dead, self._invalid, self._held_back, self._hanging)

    def _events(self, kind: str, schema: str) -> Iterator[tuple[Message, dict[str, Any]]]:
        for message in self._checked(kind, schema):
            yield message, json.loads(message.value() or b"")

    def _checked(self, kind: str, schema: str) -> Iterator[Message]:
        """Yield the messages that their schema accepts; tombstones are left out."""
        topic = self._run.topics[kind]
        visible, ends = read(self._run.bootstrap, topic)
        every, true_ends = read(self._run.bootstrap, topic, committed=False)
        self._held_back[kind] = len(every) - len(visible)
        self._hanging += [f"{topic} partition {p} at {ends[p]}" for p in true_ends if ends[p] < true_ends[p]]
        validator = Draft202012Validator(json.loads((SCHEMAS / f"{schema}.v1.json").read_text()))
        for message in visible:
            if kind == "incidents" and message.value() is None:
                continue
            try:
                event = _own_headers(message) if kind == "dead_letter" else json.loads(message.value() or b"")
            except ValueError as error:
                self._invalid.append(f"{kind} {_place(message)}: {error}")
                continue
            if validator.is_valid(event):
                yield message
            else:
                wrong = "; ".join(f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors(event))
                self._invalid.append(f"{kind} {_place(message)}: {wrong}")


def headers_of(message: Message) -> tuple[tuple[str, bytes], ...]:
    """Return a message's headers, all as bytes."""
    pairs = message.headers() or []
    items = pairs.items() if isinstance(pairs, dict) else pairs
    return tuple((name, value.encode() if isinstance(value, str) else value or b"") for name, value in items)


def _own_headers(message: Message) -> dict[str, str]:
    return {name: value.decode() for name, value in headers_of(message) if name.startswith("openclaw-dlq-")}


def _place(message: Message) -> tuple[int, int]:
    return message.partition() or 0, message.offset() or 0


def _event_id(message: Message) -> str:
    return dict(headers_of(message)).get("ce_id", b"").decode()


def _key(message: Message) -> bytes | None:
    key = message.key()
    return key.encode() if isinstance(key, str) else key


def _decision_event(message: Message, event: dict[str, Any]) -> DecisionEvent:
    incident, source, provenance = event["incident"], event["source"], event["provenance"]
    return DecisionEvent(
        place=_place(message),
        key=(_key(message) or b"").decode(),
        incident=event["incident_id"],
        generation=event["generation"],
        revision=event["revision"],
        resolution=event["event_type"] == "resolution",
        replayed=event["replayed"],
        group=incident["group_key"],
        alerts=incident["alert_count"],
        names=frozenset(incident["alert_names"]),
        severity=incident["severity"],
        partition=source["partition"],
        last=source["last_offset"],
        decision_id=event["decision_id"],
        event_id=_event_id(message),
        decider="cache" if provenance["from_cache"] else provenance["provider"],
        command=event["decision"]["kubectl_command"],
    )


def _tuning_event(message: Message, event: dict[str, Any]) -> TuningEvent:
    return TuningEvent(
        place=_place(message),
        tuning_id=event["tuning_id"],
        decision_id=event["decision_id"],
        generation=event["generation"],
        executed=event["executed"],
        event_id=_event_id(message),
        command=event["command"],
    )


def _state_record(message: Message, event: dict[str, Any]) -> StateRecord:
    incident = event["incident"] or {}
    return StateRecord(
        place=_place(message),
        group=event["group_key"],
        generation=event["generation"],
        incident=incident.get("incident_id"),
        alerts=incident.get("alert_count", 0),
        status=incident.get("status", ""),
        lineage=tuple(LineageEntry(e["incident_id"], e["opened_offset"], e["opened_at"]) for e in event["lineage"]),
    )


def _dead_letter_record(message: Message) -> DeadLetterRecord:
    own = _own_headers(message)
    return DeadLetterRecord(
        place=_place(message),
        source=(int(own["openclaw-dlq-partition"]), int(own["openclaw-dlq-offset"])),
        generation=int(own["openclaw-dlq-generation"]),
        key=_key(message),
        value=message.value() if not isinstance(message.value(), str) else str(message.value()).encode(),
        headers=tuple(header for header in headers_of(message) if not header[0].startswith("openclaw-dlq-")),
    )
