"""What a simulated partition keeps: the broker, and the account of what a run has published and got wrong."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from openclaw_stream.incidents.lifecycle import Lifecycle
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.transaction_plan import TransactionPlan
from tests.stream.logs import Record

TIMERS = Timers(group_wait=4, group_wait_critical=1, group_interval=5, max_interval=20, resolve_hold=4, max_silence=25)


class Published(NamedTuple):
    incident: str
    generation: int
    revision: int
    kind: str
    alerts: int
    replayed: bool
    judgement: str
    """A text that only this decision has; of a resolution the one that it repeats."""


@dataclass(frozen=True)
class Disturbance:
    """Probabilities of what happens at each step."""

    crash: float = 0.04
    reset: float = 0.0
    ahead: float = 0.0
    tick: float = 0.0
    retention: float = 0.0
    pressure: bool = False
    overrun: bool = False
    create_time: bool = False


SCENARIOS = {
    "crashes": Disturbance(),
    "crashes and ticks": Disturbance(tick=0.1),
    "crashes under pressure": Disturbance(pressure=True),
    "crashes with ticks, pressure and retention": Disturbance(tick=0.1, pressure=True, retention=0.02),
    "retention past the committed offset": Disturbance(retention=0.01, overrun=True),
    "backward resets": Disturbance(reset=0.02),
    "backward resets with ticks and pressure": Disturbance(reset=0.02, tick=0.1, pressure=True),
    "backward resets with retention": Disturbance(reset=0.02, retention=0.02),
    "backward resets with everything": Disturbance(reset=0.02, tick=0.1, pressure=True, retention=0.02),
    "resets both ways": Disturbance(reset=0.02, ahead=0.5),
    "crashes under CreateTime": Disturbance(create_time=True),
}


@dataclass
class Broker:
    """What survives a crash."""

    log: list[Record]
    end: int = 0
    """Number of records in the log."""
    start: int = 0
    """The first offset that retention has not deleted."""
    committed: int = 0
    metadata: str | None = None
    incidents: list[tuple[str, bytes | None]] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    dead: list[tuple[int, int]] = field(default_factory=list)
    last_states: dict[str, bytes] = field(default_factory=dict)

    @property
    def log_end(self) -> int:
        return self.log[self.end - 1].offset + 1 if self.end else 0

    def states(self) -> dict[str, bytes]:
        latest = dict(self.incidents)
        return {key: value for key, value in latest.items() if value is not None}

    def compact(self, r: random.Random) -> None:
        clean = r.randrange(len(self.incidents) + 1)
        last = {key: i for i, (key, _) in enumerate(self.incidents[:clean])}
        self.incidents = [
            (key, value)
            for i, (key, value) in enumerate(self.incidents)
            if i >= clean or (last[key] == i and (value is not None or r.random() < 0.5))
        ]


class Account:
    """The results of a run, and the errors in them."""

    def __init__(self, broker: Broker, truth: "Account | None") -> None:
        self.broker, self.truth = broker, truth
        self.joined: dict[int, str | None] = {}
        self.wrong: Counter[str] = Counter()
        self.base = 0
        self.settled = 0
        self.lost: set[int] = set()
        self.skipped = False
        self.dropped: set[str] = set()
        self.resets = 0
        self.advanced = False
        """A reset skipped records that a generation had not read again: later ids may be new."""

    def restored(self, ledger: Ledger) -> None:
        self.base = max(ledger.floor, self.broker.start)
        before = max(self.broker.committed, 0 if self.broker.metadata else self.settled)
        self.lost |= {x.offset for x in self.broker.log if before <= x.offset < ledger.position}
        self.skipped |= bool(self.lost)

    def folded(self, record: Record) -> None:
        if self.truth is None or self.advanced:
            return
        lost_groups = {a.group_key for x in self.broker.log if x.offset in self.lost for a in x.alerts}
        for alert in record.alerts:
            ours, right = self.joined.get(id(alert)), self.truth.joined.get(id(alert))
            if alert.firing and ours != right and alert.group_key not in lost_groups:
                known = ours in self.truth.joined.values()
                self.wrong["joined another incident" if known else "opened another incident"] += 1

    def committed(self, ledger: Ledger, plan: TransactionPlan) -> None:
        broker, states = self.broker, self.broker.states()
        not_ended = sum(group.state.lifecycle is Lifecycle.OPEN for group in ledger.groups.values())
        self.wrong["open incidents miscounted"] += ledger.open_incidents != not_ended
        due = [each.due for group in ledger.groups.values() for each in group.revisions if not each.is_replayed]
        self.wrong["another revision is the oldest due"] += ledger.oldest_due != min(due, default=None)
        self.settled = max(self.settled, plan.offset)
        through = {key: orjson.loads(value)["through"] for key, value in states.items()}
        for record in broker.log:
            if not self.base <= record.offset < plan.offset or record.offset in self.lost:
                continue
            for alert in record.alerts:
                if self.joined.get(id(alert)) and alert.group_key not in self.dropped:
                    self.wrong["committed past an unsettled alert"] += through.get(alert.group_key, -1) < record.offset
            if record.bad:
                letter = (ledger.generation, record.offset)
                self.wrong["committed past a dead letter"] += letter not in broker.dead
        self.wrong["metadata of 96 bytes or more"] += len(plan.metadata) >= 96

    def events(self, generation: int | None = None) -> dict[str, list[Published]]:
        by_incident = defaultdict(list)
        for event in self.broker.published:
            if generation is None or event.generation == generation:
                by_incident[event.incident].append(event)
        return by_incident

    def repeats(self, event: Published) -> None:
        """Compare what a resolution repeats with the last decision that was published of its incident.

        After a reset that may be one of an earlier generation, or none, where its end was published too.
        """
        if event.kind == "decision":
            return
        decisions = [e for e in self.broker.published if (e.incident, e.kind) == (event.incident, "decision")]
        mine = [e.judgement for e in decisions if e.generation == event.generation]
        others = {e.judgement for e in decisions} | {""}
        self.wrong["another judgement repeated"] += event.judgement not in ({mine[-1]} if mine else others)

    def counts(self) -> dict[str, int]:
        return {incident: orjson.loads(v)["incident"]["alert_count"] for incident, v in self.broker.last_states.items()}

    def finish(self, ledger: Ledger, how: Disturbance) -> None:
        broker, wrong = self.broker, self.wrong
        published = Counter((e.incident, e.generation, e.revision) for e in broker.published)
        wrong["published twice"] += sum(n > 1 for n in published.values())
        wrong["dead letter twice"] += sum(n > 1 for n in Counter(broker.dead).values())
        last: dict[tuple[str, int], int] = {}
        for event in broker.published:
            key = event.incident, event.generation
            wrong["revisions out of order or with a gap"] += event.revision != last.get(key, event.revision - 1) + 1
            last[key] = event.revision
        for record in broker.log:
            if record.bad and record.offset >= self.base and record.offset not in self.lost:
                wrong["dead letter lost"] += (ledger.generation, record.offset) not in broker.dead
        wrong["not drained"] += broker.committed != broker.log_end or ledger.pending > 0 or ledger.pending_bytes > 0
        wrong["open after every end was published"] += ledger.open_incidents != 0
        wrong["replayed on a first run"] += ledger.generation == 1 and any(e.replayed for e in broker.published)
        if self.truth:
            self._compare(ledger, self.truth, how)
        self.wrong = +wrong

    def _compare(self, ledger: Ledger, truth: "Account", how: Disturbance) -> None:
        plain = not self.resets and not self.skipped
        ours, right = self.events(), truth.events()
        if not self.skipped and not self.advanced:
            for incident in right:
                events = ours.get(incident)
                self.wrong["no decision for an incident"] += not events
                if events:
                    latest = max(events, key=lambda e: (e.generation, e.revision))
                    self.wrong["resolution lost"] += latest.kind == "decision"
        if plain and not self.dropped:
            self.wrong["alert counts differ"] += self.counts() != truth.counts() or self.joined != truth.joined
        if not how.tick and not how.pressure and not self.skipped:
            opened = {i: orjson.loads(v)["fold"]["opened_offset"] for i, v in truth.broker.last_states.items()}
            current = self.events(ledger.generation)
            for incident, events in right.items():
                if plain or opened[incident] >= self.base:
                    mine = ours[incident] if plain else current[incident]
                    self.wrong["revisions differ"] += [e[2:5] for e in mine] != [e[2:5] for e in events]
