"""Records that the client cannot read, and polls that would wait without a deadline."""

import asyncio
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.util import calc_crc32c

from openclaw_stream.embedded import EmbeddedKafka
from openclaw_stream.errors import RetryableError
from openclaw_stream.settings import Settings
from openclaw_stream.stream.kafka.connection import stop_client
from openclaw_stream.stream.kafka.poller import Poller, UnreadableRecordError
from tests.stream.pipeline import Pipeline, alert, check_exactly_once, counted, until

NewPipeline = Callable[..., Pipeline]
_CRC, _COVERED = 17, 21
"""Offsets in a batch of its checksum, and of the first byte that the checksum covers (format of magic 2)."""


@contextmanager
def damaged_headers() -> Iterator[None]:
    """Make producers replace the header name `damaged` by bytes that are not UTF-8, which brokers do not validate."""
    build = BatchBuilder._build  # noqa: SLF001 - no client sends such headers by itself

    def damaged(self: BatchBuilder) -> Any:
        batch = bytearray(build(self))
        at = batch.find(b"damaged")
        if at >= 0:
            batch[at : at + 2] = b"\xff\xfe"
            struct.pack_into(">I", batch, _CRC, calc_crc32c(bytes(batch[_COVERED:])))
            self._buffer = batch
        return batch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BatchBuilder, "_build", damaged)
        yield


async def send_unreadable(pipeline: Pipeline, partition: int, *values: bytes) -> None:
    """Send records in one batch, the last with a header that cannot be decoded."""
    with damaged_headers():
        producer = AIOKafkaProducer(bootstrap_servers=pipeline.bootstrap)
        await producer.start()
        try:
            batch = producer.create_batch()
            for value in values:
                headers = [("damaged", b"")] if value is values[-1] else []
                assert batch.append(key=None, value=value, timestamp=None, headers=headers)
            sent = await producer.send_batch(batch, pipeline.topics["alerts"], partition=partition)
            await sent
        finally:
            await producer.stop()


def test_an_unreadable_record_is_found_and_all_others_are_delivered(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(2)
    pipeline.produce([(0, b"first"), (0, b"second"), (1, b"third")])
    asyncio.run(send_unreadable(pipeline, 1, b"fourth", b"unreadable"))
    pipeline.produce([(1, b"fifth")])
    read, faults = asyncio.run(read_all(pipeline, 5))
    assert faults == ["reading failed", (1, 2)]
    assert read == {0: [(0, b"first"), (1, b"second")], 1: [(0, b"third"), (1, b"fourth"), (3, b"fifth")]}


async def read_all(pipeline: Pipeline, number: int) -> tuple[dict[int, list[tuple[int, bytes]]], list[object]]:
    """Poll as a worker does; return offsets and values by partition, and the errors."""
    consumer = AIOKafkaConsumer(bootstrap_servers=pipeline.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    following = {TopicPartition(pipeline.topics["alerts"], n): 0 for n in (0, 1)}
    consumer.assign(list(following))
    read: dict[int, list[tuple[int, bytes]]] = {0: [], 1: []}
    faults: list[object] = []
    poller = Poller(consumer, pipeline.settings)
    try:
        async with asyncio.timeout(60):
            while sum(map(len, read.values())) < number:
                try:
                    delivered = await poller.poll()
                except (UnreadableRecordError, RetryableError) as error:
                    if isinstance(error, UnreadableRecordError):
                        faults.append((error.source.partition, error.offset))
                        following[error.source] = error.offset + 1
                    else:
                        faults.append(str(error)[:14])
                    for source, offset in following.items():
                        consumer.seek(source, offset)
                    continue
                for source, records in delivered.items():
                    read[source.partition] += [(record.offset, record.value) for record in records]
                    following[source] = records[-1].offset + 1
    finally:
        await stop_client(consumer)
    return read, faults


def test_a_damaged_batch_blocks_only_its_partition_until_it_is_deleted(
    own_kafka: Callable[..., EmbeddedKafka], tmp_path: Path
) -> None:
    kafka = own_kafka()
    pipeline = Pipeline(kafka.bootstrap_servers, tmp_path).create()
    pipeline.produce([(1, alert("before"))])
    pipeline.produce([(1, alert("damaged"))])
    pipeline.produce([(1, alert("after"))])
    [log] = (kafka.log_file.parent / "data" / f"{pipeline.topics['alerts']}-1").glob("*.log")
    with log.open("r+b") as file:
        file.seek(log.read_bytes().index(b"damaged"))
        file.write(b"D")
    worker = pipeline.start()
    until(lambda: "the log is damaged" in pipeline.logs(), pipeline.logs)
    pipeline.produce([(0, alert(f"s{n}")) for n in range(20)])
    until(lambda: len(pipeline.decisions()) == 21, pipeline.logs)
    until(lambda: pipeline.committed() == [20, 1], pipeline.logs)
    pipeline.delete_records(1, 2)
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0, pipeline.logs()
    check_exactly_once(pipeline.decisions())
    services = [each["incident"]["service"] for each in pipeline.decisions()]
    assert sorted(services) == sorted(("before", "after", *(f"s{n}" for n in range(20))))


def test_an_unreadable_record_becomes_a_dead_letter_and_blocks_no_partition(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(2)
    worker = pipeline.start()
    total = pipeline.produce([(n % 2, alert(f"s{n}")) for n in range(20)])
    pipeline.await_settled()
    asyncio.run(send_unreadable(pipeline, 1, b"bad", b"unreadable"))
    total += pipeline.produce([(n % 2, alert(f"s{n}", "Another")) for n in range(20)])
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0, pipeline.logs()
    check_exactly_once(pipeline.decisions())
    assert counted(pipeline) == total
    letters = {letter.value(): dict(letter.headers() or []) for letter in pipeline.read("dead_letter")}
    assert letters.keys() == {b"bad", b""}
    headers = letters[b""]
    assert headers["openclaw-dlq-offset"] == b"11"
    assert str(headers["openclaw-dlq-reason"]).startswith("""b"the record cannot be read: 'utf-8' codec can't decode""")


async def test_poll_returns_while_no_broker_answers(own_kafka: Callable[..., EmbeddedKafka]) -> None:
    """Without a broker the rebalance never ends, and a worker must still react to SIGTERM."""
    kafka = own_kafka()
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, group_id="waits", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.subscribe(["alerts"])
        kafka.pause()
        assert await Poller(consumer, Settings()).poll() == {}
    finally:
        kafka.resume()
        await stop_client(consumer)
