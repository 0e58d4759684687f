"""The decision_queue with a real arbiter: who is let in, in which order, and what nobody wants any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from openclaw_stream.arbitration.arbiter import Arbiter
from openclaw_stream.arbitration.wiring import open_arbiter
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.incidents.state import State
from openclaw_stream.settings import ChainSettings, ProviderSettings, Settings
from openclaw_stream.stream.decision_queue import DecisionQueue
from openclaw_stream.stream.state.revision import Group, Revision
from openclaw_stream.telemetry.metrics import Metrics
from openclaw_stream.vocabulary import EventType
from tests.arbitration.llm.asking import ANSWER, MODEL, Held, completes, in_turn, until
from tests.arbitration.llm.providers.loopback import Answer, Loopback, hangs, loopback, says

FINE = completes(ANSWER)


def work(name: str, severity: int = 0) -> Revision:
    state = State(name)
    state.service, state.severity, state.incident_id = name, severity, name
    made = Revision(Group(state), state, due=1, event_type=EventType.DECISION)
    made.snapshot = state
    return made


@dataclass
class Sitting:
    arbiter: Arbiter
    decision_queue: DecisionQueue
    server: Loopback
    decided: list[str] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)

    def submit(self, name: str, severity: int = 0, *, wanted: bool = True) -> None:
        self.decision_queue.submit(work(name, severity), self._done, lambda: wanted)

    def _done(self, work: Revision, verdict: ArbitrationResult | None) -> None:
        assert verdict
        self.decided.append(work.group.state.group_key)
        self.providers.append(verdict.provenance.provider)


@asynccontextmanager
async def sitting(answer: Answer, deadline: float = 60, call: float = 10) -> AsyncIterator[Sitting]:
    """A decision_queue whose arbiter makes one call at a time, of `call` seconds at most."""
    async with loopback(answer) as server:
        settings = Settings(
            providers=ProviderSettings(
                ai_fallback_order=("openai",),
                openai_base_url=f"{server.url}/v1",
                openai_model=MODEL,
                timeout=min(call, deadline),
            ),
            chain=ChainSettings(openai_concurrency=1, decision_deadline=deadline),
        )
        async with open_arbiter(settings, Metrics()) as arbiter:
            decision_queue = DecisionQueue(arbiter)
            yield Sitting(arbiter, decision_queue, server)
            await decision_queue.close()


async def test_the_desk_is_full_when_one_more_could_not_be_answered_in_time() -> None:
    held = Held(FINE)
    async with sitting(in_turn(held, FINE)) as sat:
        sat.submit("first")
        await held.asked.wait()
        # Fifty seconds are left beside a call, and a call is taken to last ten until one was made.
        for n in range(5):
            assert not sat.decision_queue.full
            sat.submit(f"s{n}")
        assert sat.decision_queue.full
        held.go.set()
        await until(lambda: len(sat.decided) == 6)
        assert not sat.decision_queue.full


async def test_the_urgent_come_first_though_they_came_last_and_found_the_desk_full() -> None:
    held = Held(FINE)
    async with sitting(in_turn(held, FINE)) as sat:
        sat.submit("first")
        await held.asked.wait()
        for n in range(20):
            sat.submit(f"s{n}")
        sat.submit("urgent", 3)
        held.go.set()
        await until(lambda: len(sat.decided) == 22)
        assert sat.decided.index("urgent") <= 7
        assert sat.decided[0] == "first"


async def test_a_burst_takes_its_time_and_none_of_it_is_decided_by_rules() -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        await FINE(writer)

    # Three seconds in all, against a deadline of two.
    async with sitting(slow, deadline=2) as sat:
        for n in range(30):
            sat.submit(f"s{n}")
        await until(lambda: len(sat.decided) == 30)
        assert set(sat.providers) == {"openai"}


async def test_what_nobody_wants_any_more_is_not_asked() -> None:
    held = Held(FINE)
    async with sitting(in_turn(held, FINE)) as sat:
        sat.submit("first")
        await held.asked.wait()
        sat.submit("lost", wanted=False)
        sat.submit("last")
        held.go.set()
        await until(lambda: len(sat.decided) == 2)
        assert sat.decided == ["first", "last"]
        assert len(sat.server.requests) == 2


async def test_what_nobody_wants_any_more_takes_no_room_once_cleared() -> None:
    held = Held(FINE)
    async with sitting(in_turn(held, FINE)) as sat:
        sat.submit("first")
        await held.asked.wait()
        for n in range(100):
            sat.submit(f"lost{n}", wanted=False)
        sat.submit("last")
        assert sat.decision_queue.full
        sat.decision_queue.clear()
        assert sat.decision_queue.length <= 6  # of which five are in the queue already
        held.go.set()
        await until(lambda: len(sat.decided) == 2)
        assert sat.decided == ["first", "last"]


async def test_who_is_kept_waiting_by_the_urgent_is_decided_at_the_deadline() -> None:
    async with sitting(hangs, deadline=3, call=1) as sat:
        sat.submit("first")
        await until(lambda: len(sat.server.requests) == 1)
        sat.submit("patient")
        for n in range(4):
            sat.submit(f"urgent{n}", 3)
        await until(lambda: len(sat.decided) == 6)
        assert sat.decided.index("patient") < sat.decided.index("urgent2")
        assert set(sat.providers) == {"rules"}
        assert sat.decision_queue.length == 0


async def test_while_no_model_may_be_asked_the_desk_is_never_full() -> None:
    async with sitting(says(500)) as sat:
        for n in range(3):
            sat.submit(f"s{n}")
        await until(lambda: len(sat.decided) == 3)
        for n in range(1000):
            assert not sat.decision_queue.full
            sat.submit(f"more{n}")
        await until(lambda: len(sat.decided) == 1003)
        assert len(sat.server.requests) == 5


async def test_a_model_that_comes_back_finds_few_in_the_queue_however_many_wait() -> None:
    held = Held(FINE)
    async with sitting(in_turn(*[says(500)] * 5, held, FINE)) as sat:
        for n in range(2):
            sat.submit(f"s{n}")
        await until(lambda: len(sat.decided) == 2)
        models = sat.arbiter._models  # noqa: SLF001 - half a minute later
        assert models is not None
        models.chain._links[0]._breaker._next_try = 0  # noqa: SLF001
        sat.submit("probe")
        await held.asked.wait()
        for n in range(100):
            sat.submit(f"more{n}")
        assert sat.decision_queue.length == 100
        assert sat.decision_queue._queue.qsize() == 16  # noqa: SLF001 - their time runs
        held.go.set()
        await until(lambda: len(sat.decided) == 103)
        assert set(sat.providers[2:]) == {"openai"}
