"""Output records: the messages of one transaction, built from a plan of the ledger.

States go to the partition of the incidents topic with the number of the input partition; the partition of every other
message is chosen by its key.
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
from openclaw_stream.incidents.quotation import quoted_alerts
from openclaw_stream.incidents.state import UNKNOWN, State
from openclaw_stream.settings import Settings
from openclaw_stream.stream.kafka.transactional_producer import Message
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.revision import Revision
from openclaw_stream.stream.state.transaction_plan import DeadLetter, TransactionPlan


@dataclass(frozen=True, slots=True)
class OutputRecords:
    """Builds the messages of one partition's transactions."""

    settings: Settings
    topic: str
    partition: int

    def messages(self, plan: TransactionPlan, ledger: Ledger) -> list[Message]:
        """Return everything a transaction sends, the states first: where they are refused, nothing else is sent."""
        incidents = self.settings.topics.incidents
        messages = [Message(incidents, key.encode(), value, (), self.partition) for key, value in plan.states]
        for revision in plan.revisions:
            messages.extend(self._revision_messages(revision, ledger.generation))
        messages.extend(self._dead_letter_message(letter, ledger.generation) for letter in plan.dead_letters)
        return messages

    def substitute(self, refused: Message, reason: str, ledger: Ledger) -> Message | None:
        """Return what is sent in place of a message that the brokers always refuse, None for nothing.

        A group state is sent without its exemplars, then without the judgement of its last decision too. A dead letter
        without a key gets one, which a compacted topic requires. Anything else becomes a dead letter with the
        coordinates of the record and the reason of the refusal, without the value and headers, of which one may be the
        cause.

        Raises:
            RetryableError: it is a group state that cannot shrink further; without it alerts would be decided again.
        """
        topics = self.settings.topics
        if refused.topic == topics.incidents:
            return _smaller_state(refused, reason)
        key = f"{self.topic}-{self.partition}-{refused.about}".encode()
        if refused.topic == topics.dead_letter:
            if refused.value and refused.key is None:
                return refused._replace(key=key)
            if not refused.value and all(name.startswith("openclaw-dlq-") for name, _ in refused.headers):
                return None
        # Empty and not null: null would be a tombstone.
        return self._dead_letter_message(DeadLetter(refused.about, 0, key, b"", (), reason), ledger.generation)

    def _revision_messages(self, revision: Revision, generation: int) -> Iterator[Message]:
        state, outcome = revision.snapshot, revision.outcome
        assert state is not None  # noqa: S101 - only cut revisions are published
        assert isinstance(outcome, ArbitrationResult)  # noqa: S101 - only decided ones are
        result = outcome.within_limits()
        decision = self._decision(revision, state, result, generation)
        topics = self.settings.topics
        yield self._event(topics.decisions, "decision", decision.decision_id, decision, state, result)
        for tuning in tuning_events(decision, result.suggestions, shadow_mode=self.settings.shadow_mode.enabled):
            yield self._event(topics.tuning, "tuning", tuning.tuning_id, tuning, state, result)

    def _decision(self, revision: Revision, state: State, result: ArbitrationResult, generation: int) -> Decision:
        last = state.last_offset if state.last_offset != UNKNOWN else state.opened_offset
        first = state.first_offset if state.first_offset != UNKNOWN else state.opened_offset
        return Decision(
            event_type=revision.event_type,
            decision_id=decision_id(state.incident_id, state.revision),
            incident_id=state.incident_id,
            revision=state.revision,
            generation=generation,
            replayed=last <= state.replayed_through,
            incident=IncidentSummary(group_key=state.group_key, **(incident_fields(state) | quoted_alerts(state))),
            decision=result.judgement,
            confidence=result.confidence,
            owner=result.owner,
            resolution=result.resolution,
            metrics=result.metrics,
            trace_url=result.trace_url,
            provenance=result.provenance,
            validation=result.validation,
            source=Source(topic=self.topic, partition=self.partition, first_offset=first, last_offset=last),
            decided_at=result.decided_at,
        )

    def _event(
        self,
        topic: str,
        kind: str,
        event_key: str,
        event: Decision | TuningEvent,
        state: State,
        result: ArbitrationResult,
    ) -> Message:
        headers = event_headers(
            event_id(event_key, event.generation),
            f"openclaw.{kind}.v1",
            f"/{self.topic}/{self.partition}",
            result.decided_at,
            state.traceparent or None,
        )
        value = event.model_dump_json().encode()
        return Message(topic, state.incident_id.encode(), value, headers, about=max(state.last_offset, 0))

    def _dead_letter_message(self, letter: DeadLetter, generation: int) -> Message:
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


def _smaller_state(refused: Message, reason: str) -> Message:
    document = orjson.loads(refused.value or b"{}")
    fold = document.get("fold", {})
    for name in ("exemplars", "judgement"):
        if fold.get(name):
            fold[name] = type(fold[name])()
            return refused._replace(value=orjson.dumps(document))
    raise RetryableError(f"{reason}; it is the state of group {refused.key!r}, which nothing can replace")
