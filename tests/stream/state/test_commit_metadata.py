"""The metadata of a commit."""

import asyncio
import re
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka import TopicPartition as ConfluentTopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_stream.errors import FatalError
from openclaw_stream.stream.state.commit_metadata import CommitMetadata, decode, encode

LARGEST = 2**53
OFFSETS = st.integers(-1, LARGEST)
FIELDS = st.builds(CommitMetadata, st.integers(1, 2**31), st.integers(0, LARGEST), OFFSETS, OFFSETS)
USUAL = st.builds(
    CommitMetadata, st.integers(1, 10**7 - 1), st.integers(0, 10**12), st.integers(-1, 10**13), st.integers(-1, 10**12)
)
DECODE_BEFORE_PADDING = re.compile(r"openclaw/1 g=(\d{1,10}) f=(\d{1,19}) t=(-?\d{1,19}) d=(-?\d{1,19})", re.ASCII)
"""What releases with unpadded numbers accept."""

READS = 20


@given(FIELDS)
@example(CommitMetadata(2**31, LARGEST, LARGEST, LARGEST))
def test_decoding_returns_the_encoded_fields_of_71_or_87_bytes(fields: CommitMetadata) -> None:
    assert decode(encode(fields)) == fields
    assert len(encode(fields).encode()) in {71, 87}


@given(USUAL)
def test_usual_numbers_take_71_bytes(fields: CommitMetadata) -> None:
    assert len(encode(fields).encode()) == 71


@given(FIELDS)
def test_earlier_releases_read_the_metadata(fields: CommitMetadata) -> None:
    match = DECODE_BEFORE_PADDING.fullmatch(encode(fields))
    assert match
    assert CommitMetadata(*map(int, match.groups())) == fields


@given(FIELDS)
def test_unpadded_metadata_of_earlier_releases_is_read(fields: CommitMetadata) -> None:
    p = fields
    assert decode(f"openclaw/1 g={p.generation} f={p.floor} t={p.stream_time} d={p.dead_letters_through}") == fields


def test_the_format_of_the_metadata() -> None:
    assert encode(CommitMetadata(1, 1000, 1_770_000_000_000, -1)) == (
        "openclaw/1 g=0000001 f=00000000001000 t=01770000000000 d=-0000000000001"
    )


@pytest.mark.parametrize("foreign", [None, "", "\0", "another program", "openclaw", "openclawish/1 g=1"])
def test_foreign_metadata_is_not_decoded(foreign: str | None) -> None:
    assert decode(foreign) is None


@pytest.mark.parametrize(
    "unknown",
    [
        "openclaw/2 g=1 f=0 t=0 d=-1",
        "openclaw/1 g=x",
        "openclaw/1",
        "openclaw/1 g=1 f=0 t=0 d=-1\0\0",
        "openclaw/1 g=1 f=0 t=0 d=-1 ",
    ],
)
def test_an_unknown_version_is_refused(unknown: str) -> None:
    with pytest.raises(FatalError, match="another version"):
        decode(unknown)


@pytest.mark.parametrize(
    "fields",
    [
        CommitMetadata(1, 0, -1, -1),
        CommitMetadata(1, 10_000, 1_770_000_000_000, -1),
        CommitMetadata(12, 1_234_567, 1_770_000_000_000, 1_234_560),
        CommitMetadata(9_999_999, 10**12, 1_770_000_000_000, 10**12),
        CommitMetadata(2**31, LARGEST, LARGEST, LARGEST),
    ],
)
async def test_confluent_kafka_reads_the_metadata(bootstrap: str, fields: CommitMetadata) -> None:
    group, source = await commit(bootstrap, encode(fields))
    read = await asyncio.to_thread(read_with_confluent_kafka, bootstrap, group)
    assert {(topic, offset) for topic, offset, _ in read} == {(source.topic, 7)}
    # Metadata of 40 bytes is misread each time, of our length rarely.
    assert [metadata for _, _, metadata in read].count(encode(fields)) > READS / 2


async def test_metadata_that_confluent_kafka_copied_is_read(bootstrap: str) -> None:
    fields = CommitMetadata(3, 10, 1_770_000_000_000, 9)
    group, source = await commit(bootstrap, "")
    copied = ConfluentTopicPartition(source.topic, source.partition, 7, encode(fields))
    admin = AdminClient({"bootstrap.servers": bootstrap})
    changed = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [copied])])
    await asyncio.to_thread(changed[group].result, 30)
    assert decode(await committed_metadata(bootstrap, group, source)) == fields


async def commit(bootstrap: str, metadata: str) -> tuple[str, TopicPartition]:
    """Commit offset 7 of a new topic for a new group; return both."""
    run = uuid4().hex[:8]
    source = TopicPartition(f"positions.{run}", 0)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    await asyncio.to_thread(admin.create_topics([NewTopic(source.topic, 1, 1)])[source.topic].result, 30)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=run, enable_auto_commit=False) as consumer:
        consumer.assign([source])
        await consumer.commit({source: OffsetAndMetadata(7, metadata)})
    return run, source


def read_with_confluent_kafka(bootstrap: str, group: str) -> list[tuple[str, int, str]]:
    """Return topic, offset and metadata of several reads; the error in place of metadata that is not UTF-8."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    found = []
    for _ in range(READS):
        offsets = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(30)
        found += [(at.topic, at.offset, metadata_of(at)) for at in offsets.topic_partitions]
    return found


def metadata_of(partition: ConfluentTopicPartition) -> str:
    try:
        return str(partition.metadata)
    except UnicodeDecodeError as error:
        return str(error)


async def committed_metadata(bootstrap: str, group: str, source: TopicPartition) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return str(offsets[source].metadata)
