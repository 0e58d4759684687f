"""Fetches on links that are too slow for the largest."""

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


def test_without_a_time_out_it_stays_the_largest() -> None:
    size = FetchSize()
    for _ in range(1000):
        size.arrive()
    assert (size.total, size.partition) == (MAX_FETCH_BYTES, MAX_PARTITION_FETCH_BYTES)


@given(st.lists(st.booleans()))
def test_it_stays_within_its_bounds_and_grows_back(arrivals: list[bool]) -> None:
    size = FetchSize()
    for arrived in arrivals:
        before = size.total
        if arrived:
            size.arrive()
            assert size.total >= before
        else:
            size.time_out()
            assert size.total < before or before == MAX_FETCH_BYTES // 64
        assert MAX_FETCH_BYTES // 64 <= size.total <= MAX_FETCH_BYTES
        assert size.partition * (MAX_FETCH_BYTES // MAX_PARTITION_FETCH_BYTES) == size.total
    for _ in range(1000):
        size.arrive()
    assert size.total == MAX_FETCH_BYTES


async def test_a_link_that_carries_no_large_fetch_is_read_in_small_ones(
    proxied: tuple[str, KafkaProxy], tmp_path: Path
) -> None:
    bootstrap, proxy = proxied
    pipeline = await asyncio.to_thread(Pipeline(bootstrap, tmp_path, 1).create)
    wanted = await asyncio.to_thread(pipeline.produce, [(0, alert(f"s{n}")) for n in range(200)])
    asked: list[int] = []

    def slow_link(request: Request) -> Action:
        if request.api_key != FETCH:
            return Forward()
        # After the ids of the replica and before the isolation level: longest wait, fewest and most bytes.
        _, _, _, most = struct.unpack_from(">iiii", request.body)
        asked.append(most)
        return Forward(lambda: 60.0) if most > CARRIED else Forward()

    settings = KafkaSettings(bootstrap_servers=bootstrap, group_id=pipeline.name, session_timeout=3)
    consumer = group_consumer(settings)
    await consumer.start()
    try:
        adapt_requests(consumer, settings)
        proxy.policy = slow_link
        consumer.assign([TopicPartition(pipeline.topics["alerts"], 0)])
        read = 0
        async with asyncio.timeout(60):
            while read < wanted:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    read += sum(json.loads(record.value)["alert_type"] == "HighErrorRate" for record in records)
    finally:
        proxy.policy = forward
        await stop_client(consumer)
        await asyncio.to_thread(pipeline.close)
    assert asked[:3] == [MAX_FETCH_BYTES, MAX_FETCH_BYTES // 4, MAX_FETCH_BYTES // 16]
