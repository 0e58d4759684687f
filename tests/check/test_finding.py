"""Probes that fail, and the printed findings, without servers."""

import asyncio
import io

import pytest
from rich.console import Console

from openclaw_stream.check.finding import Finding, FindingStatus, run_probe, show

WORKS = Finding("Redis", FindingStatus.WORKS, "127.0.0.1:6379 can be written")


async def hangs() -> Finding:
    await asyncio.Event().wait()
    return WORKS


async def fails() -> Finding:
    raise ValueError("wrong")


async def works() -> Finding:
    return WORKS


async def test_the_finding_of_a_probe_is_returned() -> None:
    assert await run_probe("Redis", works(), 60) == WORKS


@pytest.mark.parametrize(("needed", "state"), [(True, FindingStatus.MISSING), (False, FindingStatus.DEGRADED)])
async def test_errors_and_timeouts_are_findings(*, needed: bool, state: FindingStatus) -> None:
    failed = await run_probe("Kafka", fails(), 60, needed=needed)
    assert failed == Finding("Kafka", state, "ValueError: wrong", fatal=needed)
    late = await run_probe("Kafka", hangs(), 0.01, needed=needed)
    assert late == Finding("Kafka", state, "no answer within 0.01 s; check its address and the network", fatal=needed)


def test_findings_are_printed_as_one_line_each_without_control_characters() -> None:
    console = Console(file=io.StringIO(), width=40)
    show([WORKS, Finding("Kafka", FindingStatus.MISSING, "[red]no\nanswer\x1b[2J", fatal=True)], console)
    assert isinstance(console.file, io.StringIO)
    works_line, missing_line = console.file.getvalue().splitlines()
    assert works_line == "works     Redis: 127.0.0.1:6379 can be written"
    assert missing_line.startswith("missing   Kafka (needed): [red]no answer")
    assert "\x1b" not in missing_line
