"""Counts of all events read so far, independent of the worker."""

from collections import Counter, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from openclaw_stream.demo.event_reader import AlertRecord, DeadLetterRecord, DemoEvent
from openclaw_stream.events.decision import Decision
from openclaw_stream.events.tuning import TuningEvent
from openclaw_stream.vocabulary import EventType, IncidentStatus, Responsibility, Verdict

if TYPE_CHECKING:
    from openclaw_stream.alerts.alert import Alert

_LATEST = 64


class DemoTotals:
    """Counts, and the latest alerts and decisions with the time they were read, in seconds after the start."""

    def __init__(self) -> None:
        self.records = 0
        self.firing = 0
        self.resolved = 0
        self.latest_alerts: deque[tuple[float, Alert]] = deque(maxlen=_LATEST)
        self.latest_decisions: deque[tuple[float, Decision]] = deque(maxlen=_LATEST)
        self.incidents: dict[str, Decision] = {}
        """The newest event of each incident."""
        self.example: Decision | None = None
        """The most informative decision: with a command if possible, highest severity and confidence."""
        self.decisions: Counter[Responsibility] = Counter()
        self.deciders: Counter[str] = Counter()
        """Decisions by provider, or `cache`."""
        self.resolutions: Counter[IncidentStatus] = Counter()
        self.tuning: Counter[Verdict] = Counter()
        self.executed = 0
        self.dead_letters: list[DeadLetterRecord] = []
        self._revisions: dict[tuple[str, int], Counter[int]] = {}

    def add(self, event: DemoEvent, at: float) -> None:
        """Count an event, read `at` seconds after the start."""
        match event:
            case AlertRecord():
                self._add_alerts(event, at)
            case Decision():
                self._add_decision(event, at)
            case TuningEvent():
                self.tuning[event.safety.verdict] += 1
                self.executed += event.executed
            case DeadLetterRecord():
                self.dead_letters.append(event)

    @property
    def alerts(self) -> int:
        """The number of alerts."""
        return self.firing + self.resolved

    @property
    def flaps(self) -> int:
        """The number of flaps: alerts that fired again within the resolve hold."""
        return sum(event.incident.flaps for event in self.incidents.values())

    @property
    def open_incidents(self) -> int:
        """The number of open incidents."""
        return sum(event.event_type is not EventType.RESOLUTION for event in self.incidents.values())

    @property
    def revisions(self) -> int:
        """The number of (incident, generation, revision)."""
        return sum(len(counts) for counts in self._revisions.values())

    def faults(self) -> Iterator[str]:
        """Yield a message for every duplicated revision, and every missing one before a later one."""
        for (incident, generation), counts in self._revisions.items():
            place = f"incident {incident}, generation {generation}"
            for revision in range(1, max(counts) + 1):
                if counts[revision] != 1:
                    yield f"{place}: revision {revision} was read {counts[revision]} times"

    def _add_alerts(self, record: AlertRecord, at: float) -> None:
        self.records += 1
        for alert in record.alerts:
            self.firing += alert.firing
            self.resolved += not alert.firing
            self.latest_alerts.append((at, alert))

    def _add_decision(self, event: Decision, at: float) -> None:
        self._revisions.setdefault((event.incident_id, event.generation), Counter())[event.revision] += 1
        self.latest_decisions.append((at, event))
        newest = self.incidents.get(event.incident_id)
        if newest is None or (event.generation, event.revision) >= (newest.generation, newest.revision):
            self.incidents[event.incident_id] = event
        if event.event_type is EventType.RESOLUTION:
            self.resolutions[event.incident.status] += 1
            return
        self.decisions[event.decision.primary_responsibility] += 1
        self.deciders["cache" if event.provenance.from_cache else event.provenance.provider] += 1
        self.example = max(filter(None, (self.example, event)), key=_information)


def _information(event: Decision) -> tuple[bool, int, float]:
    return bool(event.decision.kubectl_command), event.incident.severity.rank, event.confidence.final
