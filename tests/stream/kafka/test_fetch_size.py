"""Fetch sizes on links that are too slow for the largest fetch."""

import asyncio
import json
import struct
from pathlib import Path

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.settings import KafkaSettings
from openclaw_stream.stream.kafka.connection import adapt_requests, group_consumer, stop_client
from openclaw_stream.stream.kafka.fetch_size import MAX_FETCH_BYTES, MAX_PARTITION_FETCH_BYTES, FetchSize
from tests.kafka_proxy import FETCH, Action, Forward, KafkaProxy, Request, forward
from tests.stream.pipeline import Pipeline, alert

CARRIED = 1024 * 1024


def test_the_size_stays_at_its_maximum_without_timeouts() -> None:
    size = FetchSize()
    for _ in range(1000):
        size.record_response()
    assert (size.total, size.partition) == (MAX_FETCH_BYTES, MAX_PARTITION_FETCH_BYTES)


@given(st.lists(st.booleans()))
def test_the_size_stays_within_its_bounds_and_grows_back(outcomes: list[bool]) -> None:
    size = FetchSize()
    for answered in outcomes:
        before = size.total
        if answered:
            size.record_response()
            assert size.total >= before
        else:
            size.record_timeout()
            assert size.total < before or before == MAX_FETCH_BYTES // 64
        assert MAX_FETCH_BYTES // 64 <= size.total <= MAX_FETCH_BYTES
        assert size.partition * (MAX_FETCH_BYTES // MAX_PARTITION_FETCH_BYTES) == size.total
    for _ in range(1000):
        size.record_response()
    assert size.total == MAX_FETCH_BYTES


async def test_a_slow_link_is_read_with_small_fetches(proxied: tuple[str, KafkaProxy], tmp_path: Path) -> None:
    bootstrap, proxy = proxied
    pipeline = await asyncio.to_thread(Pipeline(bootstrap, tmp_path, 1).create)
    sent = await asyncio.to_thread(pipeline.produce, [(0, alert(f"s{n}")) for n in range(200)])
    requested: list[int] = []

    def slow_link(request: Request) -> Action:
        if request.api_key != FETCH:
            return Forward()
        # The body begins with replica id, max wait, min bytes and max bytes.
        _, _, _, max_bytes = struct.unpack_from(">iiii", request.body)
        requested.append(max_bytes)
        return Forward(lambda: 60.0) if max_bytes > CARRIED else Forward()

    settings = KafkaSettings(bootstrap_servers=bootstrap, group_id=pipeline.name, session_timeout=3)
    consumer = group_consumer(settings)
    await consumer.start()
    try:
        adapt_requests(consumer, settings)
        proxy.policy = slow_link
        consumer.assign([TopicPartition(pipeline.topics["alerts"], 0)])
        read = 0
        async with asyncio.timeout(60):
            while read < sent:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    read += sum(json.loads(record.value)["alert_type"] == "HighErrorRate" for record in records)
    finally:
        proxy.policy = forward
        await stop_client(consumer)
        await asyncio.to_thread(pipeline.close)
    assert requested[:3] == [MAX_FETCH_BYTES, MAX_FETCH_BYTES // 4, MAX_FETCH_BYTES // 16]
