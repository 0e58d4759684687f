"""The decision queue with a real arbiter: which revisions are admitted, in which order, and which are dropped."""

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
from tests.arbitration.llm.model_server import ANSWER_ZH, MODEL, Held, completes, in_turn, until
from tests.arbitration.llm.providers.loopback import Answer, Loopback, hangs, loopback, responds

FINE = completes(ANSWER_ZH)


def revision(name: str, severity: int = 0) -> Revision:
    state = State(name)
    state.service, state.severity, state.incident_id = name, severity, name
    revision = Revision(Group(state), state, due=1, event_type=EventType.DECISION)
    revision.snapshot = state
    return revision


@dataclass
class QueueUnderTest:
    arbiter: Arbiter
    decision_queue: DecisionQueue
    server: Loopback
    decided: list[str] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)

    def submit(self, name: str, severity: int = 0, *, wanted: bool = True) -> None:
        self.decision_queue.submit(revision(name, severity), self._record, lambda: wanted)

    def _record(self, decided: Revision, result: ArbitrationResult | None) -> None:
        assert result
        self.decided.append(decided.group.state.group_key)
        self.providers.append(result.provenance.provider)


@asynccontextmanager
async def open_queue(answer: Answer, deadline: float = 60, call: float = 10) -> AsyncIterator[QueueUnderTest]:
    """A decision queue whose arbiter makes one call at a time, of `call` seconds at most."""
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
            yield QueueUnderTest(arbiter, decision_queue, server)
            await decision_queue.close()


async def test_the_queue_is_full_when_one_more_revision_could_not_be_answered_in_time() -> None:
    held = Held(FINE)
    async with open_queue(in_turn(held, FINE)) as opened:
        opened.submit("first")
        await held.requested.wait()
        # Fifty seconds are left besides one call, and a call is estimated at ten until the first has ended.
        for n in range(5):
            assert not opened.decision_queue.full
            opened.submit(f"s{n}")
        assert opened.decision_queue.full
        held.release.set()
        await until(lambda: len(opened.decided) == 6)
        assert not opened.decision_queue.full


async def test_severe_revisions_are_decided_first_even_when_the_queue_was_full() -> None:
    held = Held(FINE)
    async with open_queue(in_turn(held, FINE)) as opened:
        opened.submit("first")
        await held.requested.wait()
        for n in range(20):
            opened.submit(f"s{n}")
        opened.submit("urgent", 3)
        held.release.set()
        await until(lambda: len(opened.decided) == 22)
        assert opened.decided.index("urgent") <= 7
        assert opened.decided[0] == "first"


async def test_a_burst_that_takes_longer_than_the_deadline_is_not_decided_by_rules() -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        await FINE(writer)

    # Three seconds in all, against a deadline of two.
    async with open_queue(slow, deadline=2) as opened:
        for n in range(30):
            opened.submit(f"s{n}")
        await until(lambda: len(opened.decided) == 30)
        assert set(opened.providers) == {"openai"}


async def test_an_unwanted_revision_is_not_decided() -> None:
    held = Held(FINE)
    async with open_queue(in_turn(held, FINE)) as opened:
        opened.submit("first")
        await held.requested.wait()
        opened.submit("lost", wanted=False)
        opened.submit("last")
        held.release.set()
        await until(lambda: len(opened.decided) == 2)
        assert opened.decided == ["first", "last"]
        assert len(opened.server.requests) == 2


async def test_unwanted_revisions_do_not_count_once_dropped() -> None:
    held = Held(FINE)
    async with open_queue(in_turn(held, FINE)) as opened:
        opened.submit("first")
        await held.requested.wait()
        for n in range(100):
            opened.submit(f"lost{n}", wanted=False)
        opened.submit("last")
        assert opened.decision_queue.full
        opened.decision_queue.drop_unwanted()
        assert opened.decision_queue.length <= 6  # of which five are admitted already
        held.release.set()
        await until(lambda: len(opened.decided) == 2)
        assert opened.decided == ["first", "last"]


async def test_a_revision_delayed_by_more_severe_ones_is_decided_at_its_deadline() -> None:
    async with open_queue(hangs, deadline=3, call=1) as opened:
        opened.submit("first")
        await until(lambda: len(opened.server.requests) == 1)
        opened.submit("patient")
        for n in range(4):
            opened.submit(f"urgent{n}", 3)
        await until(lambda: len(opened.decided) == 6)
        assert opened.decided.index("patient") < opened.decided.index("urgent2")
        assert set(opened.providers) == {"rules"}
        assert opened.decision_queue.length == 0


async def test_the_queue_is_never_full_while_no_model_is_available() -> None:
    async with open_queue(responds(500)) as opened:
        for n in range(3):
            opened.submit(f"s{n}")
        await until(lambda: len(opened.decided) == 3)
        for n in range(1000):
            assert not opened.decision_queue.full
            opened.submit(f"more{n}")
        await until(lambda: len(opened.decided) == 1003)
        assert len(opened.server.requests) == 5


async def test_a_recovered_model_finds_few_revisions_admitted_however_many_wait() -> None:
    held = Held(FINE)
    async with open_queue(in_turn(*[responds(500)] * 5, held, FINE)) as opened:
        for n in range(2):
            opened.submit(f"s{n}")
        await until(lambda: len(opened.decided) == 2)
        chain = opened.arbiter._chain  # noqa: SLF001 - half a minute later
        assert chain is not None
        chain._chain._clients[0].breaker._next_probe = 0  # noqa: SLF001
        opened.submit("probe")
        await held.requested.wait()
        for n in range(100):
            opened.submit(f"more{n}")
        assert opened.decision_queue.length == 100
        assert opened.decision_queue._admitted.qsize() == 16  # noqa: SLF001 - their deadlines run
        held.release.set()
        await until(lambda: len(opened.decided) == 103)
        assert set(opened.providers[2:]) == {"openai"}
