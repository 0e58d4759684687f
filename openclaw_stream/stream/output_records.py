"""The outbox: a plan of the ledger becomes the messages of one transaction.

States go to the partition of the incidents topic that has the number of the input partition, all others where their
key leads.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from openclaw_stream.arbitration.tuning.suggestions import tuning_events
from openclaw_stream.errors import RetryableError
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.events.dead_letter import dead_letter_headers
from openclaw_stream.events.decision import Decision, IncidentSummary, Source
from openclaw_stream.events.headers import event_headers
from openclaw_stream.events.tuning import TuningEvent
from openclaw_stream.ids import decision_id, event_id
from openclaw_stream.incidents.evidence import incident_fields
from openclaw_stream.incidents.state import UNKNOWN, State
from openclaw_stream.settings import Settings
from openclaw_stream.stream.kafka.transactional_producer import Message
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.revision import Revision
from openclaw_stream.stream.state.transaction_plan import DeadLetter, TransactionPlan


@dataclass(frozen=True, slots=True)
class OutputRecords:
    """Makes the messages of one partition's transactions."""

    settings: Settings
    topic: str
    partition: int

    def messages(self, plan: TransactionPlan, ledger: Ledger) -> list[Message]:
        """Return everything a transaction sends, the states first: nothing gets out where those did not."""
        incidents = self.settings.topics.incidents
        sent = [Message(incidents, key.encode(), value, (), self.partition) for key, value in plan.states]
        for work in plan.revisions:
            sent.extend(self._revision(work, ledger.generation))
        sent.extend(self._dead_letter(letter, ledger.generation) for letter in plan.dead_letters)
        return sent

    def substitute(self, refused: Message, reason: str, ledger: Ledger) -> Message | None:
        """Return what is sent in place of a message that the brokers refuse for good, None for nothing.

        A group state is sent without its exemplars. A dead letter without a key gets one, which a compacted topic asks
        for. Anything else becomes a dead letter that says where the record is and why it was refused, without its bytes
        and headers, of which one may be the cause.

        Raises:
            RetryableError: it is a group state that cannot be made smaller. To lose it would decide its alerts again.
        """
        topics = self.settings.topics
        if refused.topic == topics.incidents:
            return _without_exemplars(refused, reason)
        key = f"{self.topic}-{self.partition}-{refused.about}".encode()
        if refused.topic == topics.dead_letter:
            if refused.value and refused.key is None:
                return refused._replace(key=key)
            if not refused.value and all(name.startswith("openclaw-dlq-") for name, _ in refused.headers):
                return None
        # Empty and not null: it is no tombstone.
        return self._dead_letter(DeadLetter(refused.about, 0, key, b"", (), reason), ledger.generation)

    def _revision(self, work: Revision, generation: int) -> Iterator[Message]:
        state, verdict = work.snapshot, work.outcome
        assert state is not None  # noqa: S101 - only cut revisions are published
        assert isinstance(verdict, ArbitrationResult)  # noqa: S101 - only decided ones are
        decision = self._decision(work, state, verdict, generation)
        topics = self.settings.topics
        yield self._event(topics.decisions, "decision", decision.decision_id, decision, state, verdict)
        for tuning in tuning_events(decision, verdict.suggestions, shadow_mode=self.settings.shadow_mode.enabled):
            yield self._event(topics.tuning, "tuning", tuning.tuning_id, tuning, state, verdict)

    def _decision(self, work: Revision, state: State, verdict: ArbitrationResult, generation: int) -> Decision:
        last = state.last_offset if state.last_offset != UNKNOWN else state.opened_offset
        first = state.first_offset if state.first_offset != UNKNOWN else state.opened_offset
        return Decision(
            event_type=work.event_type,
            decision_id=decision_id(state.incident_id, state.revision),
            incident_id=state.incident_id,
            revision=state.revision,
            generation=generation,
            replayed=last <= state.replayed_through,
            incident=IncidentSummary(group_key=state.group_key, **incident_fields(state)),
            decision=verdict.judgement,
            confidence=verdict.confidence,
            metrics=verdict.metrics,
            trace_url=verdict.trace_url,
            provenance=verdict.provenance,
            validation=verdict.validation,
            source=Source(topic=self.topic, partition=self.partition, first_offset=first, last_offset=last),
            decided_at=verdict.decided_at,
        )

    def _event(
        self,
        topic: str,
        kind: str,
        own_id: str,
        event: Decision | TuningEvent,
        state: State,
        verdict: ArbitrationResult,
    ) -> Message:
        headers = event_headers(
            event_id(own_id, event.generation),
            f"openclaw.{kind}.v1",
            f"/{self.topic}/{self.partition}",
            verdict.decided_at,
            state.traceparent or None,
        )
        value = event.model_dump_json().encode()
        return Message(topic, state.incident_id.encode(), value, headers, about=max(state.last_offset, 0))

    def _dead_letter(self, letter: DeadLetter, generation: int) -> Message:
        headers = dead_letter_headers(
            letter.headers,
            reason=letter.reason,
            topic=self.topic,
            partition=self.partition,
            offset=letter.offset,
            timestamp=letter.timestamp,
            generation=generation,
            bad_indexes=letter.bad_indexes,
        )
        return Message(self.settings.topics.dead_letter, letter.key, letter.value, headers, about=letter.offset)


def _without_exemplars(refused: Message, reason: str) -> Message:
    document = orjson.loads(refused.value or b"{}")
    if not document.get("fold", {}).get("exemplars"):
        raise RetryableError(f"{reason}; it is the state of group {refused.key!r}, which nothing can replace")
    document["fold"]["exemplars"] = []
    return refused._replace(value=orjson.dumps(document))
