"""The fault matrix. Each fault is a class with a name; `fault` enters it into the register, wherever it is defined.

A fault strikes in a thread of its own, waits as long as it lasts, and heals what it broke. `holds` names what no other
fault may break at the same time, `needs` the server it breaks, `where` the acts it belongs to.
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
from tests.chaos.stage import Stage, attempt
from tests.chaos.upstreams import TROUBLES, WELL

LOG_APPEND, CREATE, COMPACTED, SOAK = "log-append", "create", "compacted", "soak"
THREE_NODES = "three-nodes"
EVERYWHERE = frozenset({LOG_APPEND, CREATE, COMPACTED, SOAK})
"""The acts with a single broker and all other servers."""
WITH_WORKERS = EVERYWHERE | {THREE_NODES}
REGISTER: dict[str, type["Fault"]] = {}


class Fault(ABC):
    """One kind of fault."""

    name: ClassVar[str]
    holds: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[str] = ""
    where: ClassVar[frozenset[str]] = EVERYWHERE

    @abstractmethod
    def strike(self, stage: Stage, r: random.Random) -> bool:
        """Break something, wait, heal it; False where there was nothing to break."""


def fault(kind: type[Fault]) -> type[Fault]:
    """Enter a fault into the matrix."""
    REGISTER[kind.name] = kind
    return kind


def matrix(act: str, stage: Stage, only: Collection[str] = ()) -> list[Fault]:
    """Return the faults that belong to an act and can strike on its stage, with `only` those of these names."""
    kinds = [kind for name, kind in REGISTER.items() if name in only or not only]
    return [kind() for kind in kinds if act in kind.where and stage.servers.has(kind.needs)]


# ---- workers


@fault
class KilledWorker(Fault):
    """A worker ends without a word."""

    name = "worker kill -9"
    where = WITH_WORKERS

    def strike(self, stage: Stage, r: random.Random) -> bool:
        with stage.fleet.borrow(r, to_end=True) as worker:
            if worker:
                stage.fleet.dismiss(worker, kill=True)
            return worker is not None


@fault
class TerminatedWorker(Fault):
    """A worker is told to end."""

    name = "worker SIGTERM"
    where = WITH_WORKERS

    def strike(self, stage: Stage, r: random.Random) -> bool:
        with stage.fleet.borrow(r, to_end=True) as worker:
            if worker:
                stage.fleet.dismiss(worker, kill=False)
            return worker is not None


@fault
class TwiceTerminatedWorker(Fault):
    """A worker is killed while it drains."""

    name = "worker SIGTERM, then kill -9"
    where = WITH_WORKERS

    def strike(self, stage: Stage, r: random.Random) -> bool:
        with stage.fleet.borrow(r, to_end=True) as worker:
            if worker:
                worker.leaving = True
                worker.send(signal.SIGTERM)
                time.sleep(r.uniform(0, 1))
                stage.fleet.dismiss(worker, kill=True)
            return worker is not None


@fault
class FrozenWorker(Fault):
    """A worker freezes past its session, and wakes up as a zombie."""

    name = "worker SIGSTOP past its session"
    where = WITH_WORKERS

    def strike(self, stage: Stage, r: random.Random) -> bool:
        with stage.fleet.borrow(r) as worker:
            if worker:
                worker.send(signal.SIGSTOP)
                time.sleep(self._seconds(stage, r))
                worker.send(signal.SIGCONT)
            return worker is not None

    def _seconds(self, stage: Stage, r: random.Random) -> float:
        return stage.session_seconds + r.uniform(1, 6)


@fault
class StutteringWorker(FrozenWorker):
    """A worker freezes within its session."""

    name = "worker SIGSTOP within its session"

    def _seconds(self, stage: Stage, r: random.Random) -> float:
        del stage
        return r.uniform(0.2, 2.5)


@fault
class Scaling(Fault):
    """More workers come and go."""

    name = "scale 1, 3, 1"
    holds = ("fleet",)
    where = WITH_WORKERS

    def strike(self, stage: Stage, r: random.Random) -> bool:
        before = stage.fleet.wanted
        stage.fleet.wanted = 3
        time.sleep(r.uniform(2, 8))
        stage.fleet.wanted = before
        return True


@fault
class OffsetReset(Fault):
    """All workers end amid work; the offsets of some partitions are set back to random places; workers start."""

    name = "offset reset"
    holds = ("fleet",)
    where = frozenset({LOG_APPEND, COMPACTED})

    def strike(self, stage: Stage, r: random.Random) -> bool:
        # Sometimes little of a replay is to be behind it, at others most of it.
        share = r.uniform(0, 0.8)
        if not attempt(lambda: _settled_share(stage) > share, 25):
            return False
        wanted = stage.fleet.wanted
        try:
            stage.fleet.empty(r)
            return self._reset(stage, r)
        finally:
            stage.fleet.wanted = wanted

    def _reset(self, stage: Stage, r: random.Random) -> bool:
        try:
            committed, ends = committed_offsets(stage.run), stage.ends()
        except (KafkaException, OSError):
            return False
        known = [p for p, offset in committed.items() if offset >= 0]
        chosen = r.sample(known, r.randrange(1, len(known) + 1)) if known else []
        target = {p: r.choice((0, r.randrange(committed[p] + 1), r.randrange(committed[p] + 1))) for p in chosen}
        stage.note_resets([Reset(p, target[p], committed[p], ends[p]) for p in chosen])
        return bool(chosen) and attempt(lambda: reset_offsets(stage.run, target), 60)


def _settled_share(stage: Stage) -> float:
    """Return the part of the log that is settled; 0 where nobody can tell."""
    try:
        return sum(committed_offsets(stage.run).values()) / max(sum(stage.ends().values()), 1)
    except (KafkaException, OSError):
        return 0.0


# ---- servers


@fault
class KilledBroker(Fault):
    """The broker crashes and comes back."""

    name = "broker kill -9"
    needs = "broker"
    holds = ("broker",)

    def strike(self, stage: Stage, r: random.Random) -> bool:
        stage.servers.broker.kill()
        time.sleep(r.uniform(0, 4))
        stage.servers.broker.start()
        return True


@fault
class RestartedBroker(Fault):
    """The broker stops cleanly and starts again."""

    name = "broker restart"
    needs = "broker"
    holds = ("broker",)

    def strike(self, stage: Stage, r: random.Random) -> bool:
        del r
        stage.servers.broker.restart()
        return True


@fault
class FrozenBroker(Fault):
    """The broker keeps its connections and answers nothing."""

    name = "broker SIGSTOP"
    needs = "broker"
    holds = ("broker",)

    def strike(self, stage: Stage, r: random.Random) -> bool:
        stage.servers.broker.pause()
        time.sleep(r.choice((r.uniform(0.2, 3), r.uniform(3, 10))))
        stage.servers.broker.resume()
        return True


@fault
class SlowBroker(Fault):
    """The broker runs in fits and starts, as on a slow disk."""

    name = "broker slow"
    needs = "broker"
    holds = ("broker",)

    def strike(self, stage: Stage, r: random.Random) -> bool:
        ends = time.monotonic() + r.uniform(2, 6)
        while time.monotonic() < ends:
            stage.servers.broker.pause()
            time.sleep(r.uniform(0.05, 0.4))
            stage.servers.broker.resume()
            time.sleep(r.uniform(0.02, 0.2))
        return True


@fault
class KilledValkey(Fault):
    """The cache crashes and comes back empty."""

    name = "Valkey kill -9"
    needs = "valkey"
    holds = ("valkey",)

    def strike(self, stage: Stage, r: random.Random) -> bool:
        valkey = stage.servers.valkey
        if valkey is None:
            return False
        valkey.kill()
        time.sleep(r.uniform(0, 3))
        valkey.start()
        return True


class TroubledUpstream(Fault):
    """A server that workers ask over HTTP answers badly, or not at all."""

    trouble: ClassVar[str]

    def strike(self, stage: Stage, r: random.Random) -> bool:
        server = stage.servers.others[self.needs]
        server.mood = self.trouble
        time.sleep(r.uniform(1, 8))
        server.mood = WELL
        return True


for _server in ("LLM", "SigNoz"):
    for _trouble in TROUBLES:
        _own = {"name": f"{_server} {_trouble}", "needs": _server, "holds": (_server,), "trouble": _trouble}
        fault(type(f"Troubled{_server}", (TroubledUpstream,), _own))


# ---- clocks


@fault
class ClockStep(Fault):
    """The producers' clocks jump: a little, into the past, or up to an hour ahead."""

    name = "clock step"
    holds = ("clock",)
    where = frozenset({CREATE})

    def strike(self, stage: Stage, r: random.Random) -> bool:
        stage.skew = r.choice((0.0, r.uniform(-5, 5), r.uniform(-86_400, 0), r.uniform(0, 600), r.uniform(0, 3_400)))
        time.sleep(r.uniform(0.5, 4))
        return True
