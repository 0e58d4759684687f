"""The kinds of faults. Each is a class with a name; the decorator `fault` registers it.

A fault runs in its own thread: it breaks something, waits and heals it. `holds` names the resources that no other fault
may break at the same time, `needs` the server that it breaks, `where` the scenarios that it belongs to.
"""

import random
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import ClassVar

from confluent_kafka import KafkaException

from tests.chaos.journal import Reset
from tests.chaos.offsets import committed_offsets, reset_offsets
from tests.chaos.testbed import Testbed, retry_until
from tests.chaos.upstreams import FAILURES, NORMAL

LOG_APPEND, CREATE, COMPACTED, SOAK = "log-append", "create", "compacted", "soak"
THREE_NODES = "three-nodes"
EVERYWHERE = frozenset({LOG_APPEND, CREATE, COMPACTED, SOAK})
"""The scenarios with a single broker and all other servers."""
WITH_WORKERS = EVERYWHERE | {THREE_NODES}
REGISTER: dict[str, type["Fault"]] = {}


class Fault(ABC):
    """One kind of fault."""

    name: ClassVar[str]
    holds: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[str] = ""
    where: ClassVar[frozenset[str]] = EVERYWHERE

    @abstractmethod
    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        """Break something, wait, heal it; returns False if there was nothing to break."""


def fault(kind: type[Fault]) -> type[Fault]:
    """Register a kind of fault."""
    REGISTER[kind.name] = kind
    return kind


def matrix(scenario: str, testbed: Testbed, only: Collection[str] = ()) -> list[Fault]:
    """Return the faults of a scenario that its testbed supports; with `only`, those of these names."""
    kinds = [kind for name, kind in REGISTER.items() if name in only or not only]
    return [kind() for kind in kinds if scenario in kind.where and testbed.servers.has(kind.needs)]


# ---- workers


@fault
class KilledWorker(Fault):
    """A worker is killed."""

    name = "worker kill -9"
    where = WITH_WORKERS

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        with testbed.fleet.borrow(r, to_end=True) as worker:
            if worker:
                testbed.fleet.end(worker, kill=True)
            return worker is not None


@fault
class TerminatedWorker(Fault):
    """A worker gets SIGTERM."""

    name = "worker SIGTERM"
    where = WITH_WORKERS

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        with testbed.fleet.borrow(r, to_end=True) as worker:
            if worker:
                testbed.fleet.end(worker, kill=False)
            return worker is not None


@fault
class TwiceTerminatedWorker(Fault):
    """A worker is killed while it drains."""

    name = "worker SIGTERM, then kill -9"
    where = WITH_WORKERS

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        with testbed.fleet.borrow(r, to_end=True) as worker:
            if worker:
                worker.leaving = True
                worker.send(signal.SIGTERM)
                time.sleep(r.uniform(0, 1))
                testbed.fleet.end(worker, kill=True)
            return worker is not None


@fault
class FrozenWorker(Fault):
    """A worker freezes past its session, and resumes as a zombie."""

    name = "worker SIGSTOP past its session"
    where = WITH_WORKERS

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        with testbed.fleet.borrow(r) as worker:
            if worker:
                worker.send(signal.SIGSTOP)
                time.sleep(self._seconds(testbed, r))
                worker.send(signal.SIGCONT)
            return worker is not None

    def _seconds(self, testbed: Testbed, r: random.Random) -> float:
        return testbed.session_seconds + r.uniform(1, 6)


@fault
class StutteringWorker(FrozenWorker):
    """A worker freezes within its session."""

    name = "worker SIGSTOP within its session"

    def _seconds(self, testbed: Testbed, r: random.Random) -> float:
        del testbed
        return r.uniform(0.2, 2.5)


@fault
class Scaling(Fault):
    """Workers are added and removed."""

    name = "scale 1, 3, 1"
    holds = ("fleet",)
    where = WITH_WORKERS

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        before = testbed.fleet.wanted
        testbed.fleet.wanted = 3
        time.sleep(r.uniform(2, 8))
        testbed.fleet.wanted = before
        return True


@fault
class OffsetReset(Fault):
    """All workers end; the offsets of some partitions are reset to random earlier positions; workers start again."""

    name = "offset reset"
    holds = ("fleet",)
    where = frozenset({LOG_APPEND, COMPACTED})

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        # The part of the log that is settled before the reset varies from little to most of it.
        share = r.uniform(0, 0.8)
        if not retry_until(lambda: _settled_share(testbed) > share, 25):
            return False
        wanted = testbed.fleet.wanted
        try:
            testbed.fleet.end_all(r)
            return self._reset(testbed, r)
        finally:
            testbed.fleet.wanted = wanted

    def _reset(self, testbed: Testbed, r: random.Random) -> bool:
        try:
            committed, ends = committed_offsets(testbed.run), testbed.ends()
        except (KafkaException, OSError):
            return False
        known = [p for p, offset in committed.items() if offset >= 0]
        chosen = r.sample(known, r.randrange(1, len(known) + 1)) if known else []
        target = {p: r.choice((0, r.randrange(committed[p] + 1), r.randrange(committed[p] + 1))) for p in chosen}
        testbed.note_resets([Reset(p, target[p], committed[p], ends[p]) for p in chosen])
        return bool(chosen) and retry_until(lambda: reset_offsets(testbed.run, target), 60)


def _settled_share(testbed: Testbed) -> float:
    """Return the part of the log that is settled; 0 if it cannot be read."""
    try:
        return sum(committed_offsets(testbed.run).values()) / max(sum(testbed.ends().values()), 1)
    except (KafkaException, OSError):
        return 0.0


# ---- servers


@fault
class KilledBroker(Fault):
    """The broker crashes and comes back."""

    name = "broker kill -9"
    needs = "broker"
    holds = ("broker",)

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        testbed.servers.broker.kill()
        time.sleep(r.uniform(0, 4))
        testbed.servers.broker.start()
        return True


@fault
class RestartedBroker(Fault):
    """The broker stops cleanly and starts again."""

    name = "broker restart"
    needs = "broker"
    holds = ("broker",)

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        del r
        testbed.servers.broker.restart()
        return True


@fault
class FrozenBroker(Fault):
    """The broker keeps its connections and does not respond."""

    name = "broker SIGSTOP"
    needs = "broker"
    holds = ("broker",)

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        testbed.servers.broker.pause()
        time.sleep(r.choice((r.uniform(0.2, 3), r.uniform(3, 10))))
        testbed.servers.broker.resume()
        return True


@fault
class SlowBroker(Fault):
    """The broker is paused again and again, as with a slow disk."""

    name = "broker slow"
    needs = "broker"
    holds = ("broker",)

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        ends = time.monotonic() + r.uniform(2, 6)
        while time.monotonic() < ends:
            testbed.servers.broker.pause()
            time.sleep(r.uniform(0.05, 0.4))
            testbed.servers.broker.resume()
            time.sleep(r.uniform(0.02, 0.2))
        return True


@fault
class KilledValkey(Fault):
    """The cache crashes and comes back empty."""

    name = "Valkey kill -9"
    needs = "valkey"
    holds = ("valkey",)

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        valkey = testbed.servers.valkey
        if valkey is None:
            return False
        valkey.kill()
        time.sleep(r.uniform(0, 3))
        valkey.start()
        return True


class FailingUpstream(Fault):
    """An HTTP server that workers call responds badly, or not at all."""

    failure: ClassVar[str]

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        server = testbed.servers.others[self.needs]
        server.behaviour = self.failure
        time.sleep(r.uniform(1, 8))
        server.behaviour = NORMAL
        return True


for _server in ("LLM", "SigNoz"):
    for _failure in FAILURES:
        _own = {"name": f"{_server} {_failure}", "needs": _server, "holds": (_server,), "failure": _failure}
        fault(type(f"Failing{_server}", (FailingUpstream,), _own))


# ---- clocks


@fault
class ClockStep(Fault):
    """The producers' clocks jump: a little, into the past, or up to an hour ahead."""

    name = "clock step"
    holds = ("clock",)
    where = frozenset({CREATE})

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        testbed.skew = r.choice((0.0, r.uniform(-5, 5), r.uniform(-86_400, 0), r.uniform(0, 600), r.uniform(0, 3_400)))
        time.sleep(r.uniform(0.5, 4))
        return True
