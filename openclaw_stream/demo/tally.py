"""What has been seen so far, counted by a reader who knows nothing of the worker."""

from collections import Counter, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from openclaw_stream.demo.feed import AlertRecord, DeadLetterRecord, Note
from openclaw_stream.events.decision import Decision
from openclaw_stream.events.tuning import TuningEvent
from openclaw_stream.vocabulary import EventType, IncidentStatus, Responsibility, Verdict

if TYPE_CHECKING:
    from openclaw_stream.alerts.alert import Alert

_LATEST = 64


class Tally:
    """Counts; the latest alerts and decisions come with the second they were seen at."""

    def __init__(self) -> None:
        self.records = 0
        self.firing = 0
        self.resolved = 0
        self.latest_alerts: deque[tuple[float, Alert]] = deque(maxlen=_LATEST)
        self.latest_decisions: deque[tuple[float, Decision]] = deque(maxlen=_LATEST)
        self.incidents: dict[str, Decision] = {}
        """The newest event of each incident."""
        self.best: Decision | None = None
        """The decision that shows most: with a command if there is one, severe and sure."""
        self.decisions: Counter[Responsibility] = Counter()
        self.deciders: Counter[str] = Counter()
        """Decisions by who made them: a provider, or the cache of its answers."""
        self.resolutions: Counter[IncidentStatus] = Counter()
        self.tuning: Counter[Verdict] = Counter()
        self.executed = 0
        self.dead_letters: list[DeadLetterRecord] = []
        self._revisions: dict[tuple[str, int], Counter[int]] = {}

    def add(self, note: Note, at: float) -> None:
        """Count what was seen `at` seconds after the start."""
        match note:
            case AlertRecord():
                self._add_alerts(note, at)
            case Decision():
                self._add_decision(note, at)
            case TuningEvent():
                self.tuning[note.safety.verdict] += 1
                self.executed += note.executed
            case DeadLetterRecord():
                self.dead_letters.append(note)

    @property
    def alerts(self) -> int:
        """How many alerts came in."""
        return self.firing + self.resolved

    @property
    def flaps(self) -> int:
        """How often an incident's alerts came back within the hold."""
        return sum(event.incident.flaps for event in self.incidents.values())

    @property
    def open_incidents(self) -> int:
        """How many incidents have not ended."""
        return sum(event.event_type is not EventType.RESOLUTION for event in self.incidents.values())

    @property
    def revisions(self) -> int:
        """How many (incident, generation, revision) there are."""
        return sum(len(seen) for seen in self._revisions.values())

    def faults(self) -> Iterator[str]:
        """Yield a sentence for every revision that was seen twice, or not at all before a later one."""
        for (incident, generation), seen in self._revisions.items():
            place = f"incident {incident}, generation {generation}"
            for revision in range(1, max(seen) + 1):
                if seen[revision] != 1:
                    yield f"{place}: revision {revision} was seen {seen[revision]} times"

    def _add_alerts(self, record: AlertRecord, at: float) -> None:
        self.records += 1
        for alert in record.alerts:
            self.firing += alert.firing
            self.resolved += not alert.firing
            self.latest_alerts.append((at, alert))

    def _add_decision(self, event: Decision, at: float) -> None:
        self._revisions.setdefault((event.incident_id, event.generation), Counter())[event.revision] += 1
        self.latest_decisions.append((at, event))
        known = self.incidents.get(event.incident_id)
        if known is None or (event.generation, event.revision) >= (known.generation, known.revision):
            self.incidents[event.incident_id] = event
        if event.event_type is EventType.RESOLUTION:
            self.resolutions[event.incident.status] += 1
            return
        self.decisions[event.decision.primary_responsibility] += 1
        self.deciders["cache" if event.provenance.from_cache else event.provenance.provider] += 1
        self.best = max(filter(None, (self.best, event)), key=_tells)


def _tells(event: Decision) -> tuple[bool, int, float]:
    return bool(event.decision.kubectl_command), event.incident.severity.rank, event.confidence.final
