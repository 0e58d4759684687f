"""Reading the group states of a partition on a real broker."""

from aiokafka import AIOKafkaProducer

from openclaw_stream.settings import KafkaSettings
from openclaw_stream.stream.kafka.connection import connection
from openclaw_stream.stream.kafka.restore_reader import LogRange, fetch_group_states
from openclaw_stream.stream.kafka.transactional_producer import Message, TransactionalProducer
from tests.stream.kafka.broker import create_topic, send


async def test_group_states_are_the_last_values_without_tombstones(bootstrap: str) -> None:
    states, source = create_topic(bootstrap), create_topic(bootstrap)
    records = [(b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"b", None)]
    await send(bootstrap, states, *records)
    await send(bootstrap, source, (b"k", b"v"))
    stored = await fetch_group_states(connection(KafkaSettings(bootstrap_servers=bootstrap)), states, source)
    assert stored == ({"a": b"2"}, LogRange(0, 1), True)


async def test_an_open_transaction_makes_the_states_incomplete(bootstrap: str) -> None:
    settings = KafkaSettings(bootstrap_servers=bootstrap)
    states, source = create_topic(bootstrap), create_topic(bootstrap)
    producer = TransactionalProducer(connection(settings), f"id-{states.topic}", 15)
    await producer.start()
    try:
        await producer.commit([Message(states.topic, b"a", b"1", partition=0)], source, 0, "", "group")
        async with AIOKafkaProducer(
            bootstrap_servers=bootstrap, transactional_id=f"open-{states.topic}", transaction_timeout_ms=60_000
        ) as other:
            await other.begin_transaction()
            await other.send_and_wait(states.topic, key=b"b", value=b"1", partition=0)
            during = await fetch_group_states(connection(settings), states, source)
            await other.abort_transaction()
    finally:
        await producer.abandon()
    assert (during.states, during.complete) == ({"a": b"1"}, False)
