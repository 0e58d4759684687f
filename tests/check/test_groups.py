"""The findings of `check` about the consumer group: members of other programs, groups of other protocols."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer, ShareConsumer

from openclaw_stream.check import Finding, FindingStatus
from openclaw_stream.stream.kafka.connection import CLIENT_ID
from tests.check.runner import Environment, call, findings


@asynccontextmanager
async def member(client: Consumer | ShareConsumer, topic: str) -> AsyncIterator[None]:
    """Make a client a member of its group within the block."""
    joined = asyncio.Event()
    client.subscribe([topic])
    loop, leaving = asyncio.get_running_loop(), False

    def poll() -> None:
        while not leaving:
            client.poll(0.1)
            loop.call_soon_threadsafe(joined.set)
        client.close()

    polling = asyncio.create_task(asyncio.to_thread(poll))
    try:
        await joined.wait()
        yield
    finally:
        leaving = True
        await polling


async def group_finding(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str], text: str) -> Finding:
    """Check until the finding contains the text: a client needs a moment to join."""
    for _ in range(100):
        found = (await findings(monkeypatch, variables))["group"]
        if text in found.text:
            return found
        await asyncio.sleep(0.1)
    pytest.fail(f"the group is described as: {found.text}")


def client_of(variables: Mapping[str, str], **settings: str) -> dict[str, Any]:
    defaults = {
        "bootstrap.servers": variables["KAFKA_BOOTSTRAP_SERVERS"],
        "group.id": variables["KAFKA_GROUP_ID"],
        "log_level": 0,
    }
    return defaults | {name.replace("_", "."): value for name, value in settings.items()}


async def test_members_of_another_program_are_reported(ready: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = Consumer(client_of(ready, client_id="reporting"))
    async with member(foreign, ready["OPENCLAW_TOPIC_ALERTS"]):
        found = await group_finding(monkeypatch, ready, "another program")
    assert (found.state, found.fatal) == (FindingStatus.DEGRADED, False)
    assert f"{ready['KAFKA_GROUP_ID']} has members of another program: reporting (127.0.0.1); " in found.text


async def test_workers_are_counted_as_members(ready: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Consumer(client_of(ready, client_id=CLIENT_ID))
    async with member(own, ready["OPENCLAW_TOPIC_ALERTS"]):
        found = await group_finding(monkeypatch, ready, " has 1 member;")
    assert (found.state, found.fatal) == (FindingStatus.WORKS, False)
    left = await group_finding(monkeypatch, ready, " has 0 members;")
    assert left.text.endswith("its coordinator is broker 1")


async def test_a_group_of_the_consumer_protocol_is_reported(
    ready: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = Consumer(client_of(ready, group_protocol="consumer"))
    async with member(foreign, ready["OPENCLAW_TOPIC_ALERTS"]):
        found = await group_finding(monkeypatch, ready, "group.protocol=consumer")
    assert (found.state, found.fatal) == (FindingStatus.DEGRADED, False)


async def test_a_share_group_is_a_failure(ready: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    share = ShareConsumer(client_of(ready))
    async with member(share, ready["OPENCLAW_TOPIC_ALERTS"]):
        found = await group_finding(monkeypatch, ready, "share group")
    assert (found.state, found.fatal) == (FindingStatus.MISSING, True)
    assert "which the worker cannot join; set KAFKA_GROUP_ID" in found.text
    assert (await call(ready)).returncode == 1
