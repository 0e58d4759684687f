"""A worker on a small log of one group, without I/O; the committed state outlives its crashes."""

from collections.abc import Iterable
from dataclasses import replace

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import NEVER, State
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.stream.state.restore import LogFacts, RestoreOutcome, restore
from openclaw_stream.stream.state.revision import Group, Revision
from openclaw_stream.vocabulary import EventType, Severity

TIMERS = Timers(group_wait=4, group_wait_critical=1, group_interval=5, max_interval=20, resolve_hold=4, max_silence=50)
RETENTION = 1000
FOLD = Fold("alerts", 0, TIMERS, RETENTION)

FIRES = Alert("A", Severity.WARNING, True, 1, 0, "f", 1, "g")  # noqa: FBT003
ENDS = replace(FIRES, firing=False, ends_at=9)
AGAIN = replace(FIRES, starts_at=2)
ONCE_MORE = replace(FIRES, starts_at=3)
OTHER = replace(FIRES, group_key="other")

LOG = (
    (0, FIRES),  # opens the first incident
    (10, FIRES),
    (11, ENDS),  # its hold ends at 15
    (20, AGAIN),  # closes the first, opens the second
    (30, AGAIN),
    (31, replace(AGAIN, firing=False)),
    (40, ONCE_MORE),  # closes the second, opens the third
    (50, ONCE_MORE),
)
FIRST, SECOND, THIRD = 0, 3, 6
"""The offsets of `LOG` that open an incident."""

Published = tuple[str, int, str]


class Partition:
    """A worker on one partition; the incidents topic and the committed offset survive it."""

    def __init__(self, fold: Fold = FOLD) -> None:
        self.fold_rules = fold
        self.states: dict[str, bytes] = {}
        self.dropped: list[str] = []
        self.committed: tuple[int, str | None] = (0, None)
        self.log_start = 0
        self.log_end = NEVER
        self.topic_id: str | None = None
        self.start()

    @property
    def group(self) -> Group:
        return self.ledger.groups["g"]

    @property
    def state(self) -> State:
        return self.group.state

    def start(self) -> RestoreOutcome:
        """Crash, and start again."""
        log = LogFacts(self.log_start, self.log_end, self.topic_id)
        outcome = restore(self.fold_rules, "group", self.states, self.committed, log)
        self.ledger = outcome.ledger
        return outcome

    def reset(self, offset: int) -> None:
        self.committed = offset, None
        self.start()

    def read(self, now: int, *alerts: Alert) -> None:
        self.ledger.apply(self.ledger.position, now, alerts)

    def fold(self, end: int = len(LOG)) -> None:
        """Read `LOG` up to an offset."""
        for now, alert in LOG[self.ledger.position : end]:
            self.read(now, alert)

    def decide_next(self) -> Revision:
        """Decide the revision that has waited longest."""
        revision = self.ledger.ready.popleft()
        assert revision.snapshot
        last = None
        if revision.event_type is EventType.DECISION:
            last = PublishedDecision(
                *(revision.snapshot.incident_id, revision.snapshot.revision, "DB", (), "low", 0.8, "rules"),
                judgement=b"judgement",
            )
        self.ledger.complete(revision, "decided", last)
        return revision

    def decide(self) -> list[Revision]:
        """Decide all revisions that are due."""
        decided = []
        while self.ledger.ready:
            decided.append(self.decide_next())
        return decided

    def write(self) -> list[Published]:
        """Commit; returns incident, revision and event type of what was published."""
        self.ledger.record_log_start(self.log_start)
        plan = self.ledger.plan(lazy=True)
        if plan is None:
            return []
        self.committed = plan.offset, plan.metadata
        for key, value in plan.states:
            if value is None:
                del self.states[key]
                self.dropped.append(key)
            else:
                self.states[key] = value
        return list(_published(plan.revisions))

    def commit(self) -> list[Published]:
        """Decide and commit everything."""
        self.decide()
        return self.write()

    def play(self, end: int = len(LOG)) -> list[Published]:
        self.fold(end)
        return self.commit()


def played(end: int = len(LOG)) -> Partition:
    """Return a worker that has read and committed `LOG` up to an offset."""
    partition = Partition()
    partition.play(end)
    return partition


def _published(revisions: Iterable[Revision]) -> Iterable[Published]:
    for revision in revisions:
        assert revision.snapshot
        yield revision.snapshot.incident_id, revision.snapshot.revision, str(revision.event_type)
