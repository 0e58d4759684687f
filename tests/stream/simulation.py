"""One partition without I/O: the real ledger under crashes, resets, retention, compaction, ticks and pressure.

`run` plays one schedule of a log and returns its `Account`, which is compared with that of an undisturbed run of the
same log: whatever happens to a worker, it must publish the same. By hand:

    python -m tests.stream.simulation 2000 [scenario]
"""

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import orjson

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import State
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.restore import LogFacts, restore
from openclaw_stream.stream.state.revision import Revision
from openclaw_stream.stream.state.transaction_plan import DeadLetter, TransactionPlan
from openclaw_stream.vocabulary import EventType
from tests.stream.logs import Record, make_log

TIMERS = Timers(group_wait=4, group_wait_critical=1, group_interval=5, max_interval=20, resolve_hold=4, max_silence=25)
RETENTION = 60
PENDING_MAX = 3
END_OF_TIME = 10**9


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


class WatchedFold(Fold):
    """The fold; it records which incident each alert joined."""

    joined: dict[int, str | None]

    def join(self, state: State, alert: Alert, offset: int, timestamp: int, now: int) -> tuple[int, bool]:
        due, joins = super().join(state, alert, offset, timestamp, now)
        self.joined[id(alert)] = state.incident_id if joins else None
        return due, joins

    def repeat(self, state: State, alert: Alert, offset: int, now: int) -> bool:
        repeats = super().repeat(state, alert, offset, now)
        if repeats:
            self.joined[id(alert)] = state.incident_id
        return repeats


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


class Machine:
    """A worker on a broker, step by step."""

    def __init__(self, log: list[Record], how: Disturbance, truth: Account | None) -> None:
        self.how = how
        self.broker = Broker(log)
        self.account = Account(self.broker, truth)
        self.in_flight: list[Revision] = []
        self.start()

    def start(self) -> None:
        fold = WatchedFold("alerts", 0, TIMERS, RETENTION)
        object.__setattr__(fold, "joined", self.account.joined)
        b = self.broker
        self.in_flight = []
        self.ledger = restore(fold, "group", b.states(), (b.committed, b.metadata), LogFacts(b.start)).ledger
        self.account.restored(self.ledger)

    def next_record(self) -> Record | None:
        here = (x for x in self.broker.log[: self.broker.end] if x.offset >= self.ledger.position)
        return next(here, None)

    def read(self) -> None:
        record = self.next_record()
        if record is None:
            return
        for alert in record.alerts:
            group = self.ledger.groups.get(alert.group_key)
            if group is None or record.offset > group.state.through:
                self.account.joined[id(alert)] = None
        dead = DeadLetter(record.offset, record.timestamp, None, b"?", (), "bad") if record.bad else None
        self.ledger.apply(record.offset, record.timestamp, record.alerts, (), dead)
        self.account.folded(record)

    def decide(self, choose: Callable[[list[Revision]], Revision]) -> None:
        ledger = self.ledger
        self.in_flight += ledger.ready
        ledger.ready.clear()
        if self.in_flight:
            revision = choose(self.in_flight)
            self.in_flight.remove(revision)
            assert revision.snapshot
            previous = ledger.previous_decision(revision)
            assert previous is None or previous.incident_id == revision.snapshot.incident_id
            if revision.event_type is EventType.RESOLUTION:
                ledger.complete(revision, previous.judgement.decode() if previous else "", None)
                return
            seen = revision.snapshot
            text = f"{seen.incident_id} {ledger.generation} {seen.revision}"
            last = PublishedDecision(
                seen.incident_id, seen.revision, "BE", (), "low", 0.8, "rules", judgement=text.encode()
            )
            ledger.complete(revision, text, last)

    def commit(self, *, lazy: bool) -> None:
        b, ledger = self.broker, self.ledger
        ledger.record_log_start(b.start)
        plan = ledger.plan(lazy=lazy)
        if plan is None:
            return
        for revision in plan.revisions:
            event = _event(revision, ledger.generation)
            self.account.repeats(event)
            b.published.append(event)
        for key, value in plan.states:
            b.incidents.append((key, value))
            if value is None:
                self.account.dropped.add(key)
            elif incident := orjson.loads(value)["incident"]:
                b.last_states[incident["incident_id"]] = value
        b.dead += [(ledger.generation, letter.offset) for letter in plan.dead_letters]
        b.committed, b.metadata = plan.offset, plan.metadata
        self.account.committed(ledger, plan)

    def reset(self, r: random.Random) -> None:
        b = self.broker
        target = r.randrange((self.account.settled if r.random() < self.how.ahead else b.committed) + 1)
        self.account.skipped |= target > b.committed
        self.account.resets += 1
        self.account.advanced |= target > b.committed
        b.committed, b.metadata = target, None
        self.start()

    def retain(self, r: random.Random) -> None:
        b = self.broker
        b.start = max(b.start, r.randrange((b.log_end if self.how.overrun else b.committed) + 1))
        if self.ledger.position < b.start:
            self.start()

    def caught_up(self) -> bool:
        if self.next_record() is not None:
            return False
        self.ledger.skip_to(self.broker.log_end)
        return True

    def paused(self) -> bool:
        return self.how.pressure and self.ledger.pending > PENDING_MAX

    def step(self, r: random.Random) -> None:
        x, how = r.random(), self.how
        if x < how.crash:
            self.start()
        elif x < how.crash + how.reset:
            self.reset(r)
        elif x < how.crash + how.reset + how.retention:
            self.retain(r)
        elif x < how.crash + how.reset + how.retention + 0.05:
            self.broker.compact(r)
        elif x < 0.2:
            self.broker.end = min(self.broker.end + 1, len(self.broker.log))
        elif x < 0.2 + how.tick and self.caught_up():
            self.ledger.tick(self.ledger.stream_time + r.randrange(12))
        elif x < 0.45 and self.paused():
            self.ledger.cut_oldest(r.randrange(1, 3))
        elif x < 0.75 and not self.paused():
            self.read()
        elif x < 0.9:
            self.decide(r.choice)
        else:
            self.commit(lazy=r.random() < 0.4)

    def drain(self) -> None:
        """Let everything complete."""
        b = self.broker
        b.end = len(b.log)
        for _ in range(40 * len(b.log) + 40):
            caught_up = self.caught_up()
            if caught_up:
                self.ledger.tick(END_OF_TIME)
            elif self.paused():
                self.ledger.cut_oldest(1)
            else:
                self.read()
            for _ in range(1000):
                self.decide(lambda revisions: revisions[0])
                if not self.in_flight:
                    break
            self.commit(lazy=True)
            if caught_up and b.committed == b.log_end and not self.ledger.pending:
                return


def _event(revision: Revision, generation: int) -> Published:
    seen = revision.snapshot
    assert seen
    replayed = seen.last_offset <= seen.replayed_through
    kind = "decision" if revision.event_type == "decision" else str(seen.status)
    return Published(
        seen.incident_id, generation, seen.revision, kind, seen.alert_count, replayed, str(revision.outcome)
    )


def run(log: list[Record], how: Disturbance, r: random.Random | None = None, truth: Account | None = None) -> Account:
    """Play one schedule of a log; undisturbed without `r`."""
    machine = Machine(log, how if r else replace(how, pressure=False, tick=0), truth)
    if r:
        for _ in range(12 * len(log)):
            machine.step(r)
    machine.drain()
    machine.account.finish(machine.ledger, how)
    return machine.account


def main(schedules: int, only: str = "") -> int:
    """Run seeded schedules of every scenario and print the errors, with the first seed of each."""
    failed = 0
    for name, how in SCENARIOS.items():
        if only not in name:
            continue
        first: dict[str, int] = {}
        total: Counter[str] = Counter()
        for seed in range(schedules):
            r = random.Random(seed)  # noqa: S311 - a schedule, not a secret
            log = make_log(r, create_time=how.create_time)
            account = run(log, how, r, run(log, how))
            for what in account.wrong:
                total[what] += 1
                first.setdefault(what, seed)
        failed += bool(total)
        errors = ", ".join(f"{what}: {n} (seed {first[what]})" for what, n in sorted(total.items()))
        print(f"{name:44} {schedules} schedules: {errors or 'passes'}", flush=True)  # noqa: T201 - a command
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500, *sys.argv[2:3]))
