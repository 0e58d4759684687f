"""What is committed and when, until the loop is closed or fails; the transactions themselves are tested with Kafka."""

import asyncio
import time

import pytest

from openclaw_stream.errors import RetryableError
from openclaw_stream.stream.commit_loop import CommitLoop
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.transaction_plan import TransactionPlan
from tests.stream.bench import FIRES, Partition, played

LONG = 600.0
"""A commit interval that does not end during a test."""


class Recorder:
    """Records what is committed, and what is reported as committed."""

    def __init__(self, error: RetryableError | None = None) -> None:
        self.plans: list[TransactionPlan] = []
        self.reported: list[TransactionPlan] = []
        self.committed = asyncio.Event()
        self._error = error

    async def commit(self, plan: TransactionPlan, _: Ledger) -> None:
        self.plans.append(plan)
        if self._error:
            raise self._error

    def report(self, plan: TransactionPlan, seconds: float) -> None:
        assert seconds >= 0
        self.reported.append(plan)
        self.committed.set()


def loop_over(partition: Partition, recorder: Recorder) -> CommitLoop:
    return CommitLoop(partition.ledger, recorder.commit, recorder.report, LONG)


async def test_a_new_generation_is_committed_at_once_and_reported_after_it() -> None:
    recorder = Recorder()
    loop = loop_over(Partition(), recorder)
    task = asyncio.create_task(loop.run())
    await recorder.committed.wait()
    loop.close(time.monotonic() + LONG)
    assert await task is True
    assert recorder.plans[0].states, "the record of the generation"
    assert recorder.reported == recorder.plans


async def test_a_decision_is_committed_when_the_loop_is_woken() -> None:
    partition, recorder = played(), Recorder()
    partition.read(100, FIRES)
    loop = loop_over(partition, recorder)
    task = asyncio.create_task(loop.run())
    partition.read(200, FIRES)
    partition.decide()
    loop.wake()
    await recorder.committed.wait()
    assert recorder.plans[0].revisions
    loop.close(0)
    await task


async def test_closing_commits_what_is_undecided_by_then_and_returns_false_at_the_deadline() -> None:
    partition, recorder = Partition(), Recorder()
    partition.read(0, FIRES)
    partition.read(10, FIRES)
    assert partition.ledger.undecided == 1
    loop = loop_over(partition, recorder)
    loop.close(time.monotonic())
    assert await loop.run() is False


async def test_closing_waits_for_decisions_until_the_deadline() -> None:
    partition, recorder = Partition(), Recorder()
    partition.read(0, FIRES)
    partition.read(10, FIRES)
    loop = loop_over(partition, recorder)
    loop.close(time.monotonic() + LONG)
    task = asyncio.create_task(loop.run())
    await recorder.committed.wait()
    assert not task.done()
    partition.decide()
    assert await task is True
    assert [len(plan.revisions) for plan in recorder.plans] == [0, 1]


async def test_a_failed_commit_is_raised_and_not_reported() -> None:
    recorder = Recorder(RetryableError("no coordinator"))
    with pytest.raises(RetryableError, match="no coordinator"):
        await loop_over(Partition(), recorder).run()
    assert len(recorder.plans) == 1
    assert recorder.reported == []


async def test_a_failure_reported_to_the_loop_ends_it_before_its_next_transaction() -> None:
    recorder = Recorder()
    loop = loop_over(Partition(), recorder)
    loop.fail(RetryableError("the fold failed"))
    with pytest.raises(RetryableError, match="the fold failed"):
        await loop.run()
    assert recorder.plans == []
