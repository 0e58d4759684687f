"""One partition without I/O: the real ledger under crashes, resets, retention, compaction, ticks and pressure.

`run` plays one schedule of a log and returns its `Account`, which is compared with that of an undisturbed run of the
same log: whatever happens to a worker, it must publish the same. By hand:

    python -m tests.stream.simulation 2000 [scenario]
"""

import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import orjson

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import State
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.stream.state.restore import LogFacts, restore
from openclaw_stream.stream.state.revision import Revision
from openclaw_stream.stream.state.transaction_plan import DeadLetter
from openclaw_stream.vocabulary import EventType
from tests.stream.logs import Record, make_log
from tests.stream.simulated_partition import SCENARIOS, Account, Broker, Disturbance, Published

TIMERS = Timers(group_wait=4, group_wait_critical=1, group_interval=5, max_interval=20, resolve_hold=4, max_silence=25)

RETENTION = 60
PENDING_MAX = 3
END_OF_TIME = 10**9


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
