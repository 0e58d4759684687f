"""Which errors of a produce request are caused by the record, without brokers."""

import pytest
from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
    PolicyViolationError,
    ProducerFenced,
    TopicAuthorizationFailedError,
    UnknownError,
    UnknownTopicOrPartitionError,
    for_code,
)

from openclaw_stream.stream.kafka.produce_errors import InvalidRecordError, describe_refusal, is_record_error


@pytest.mark.parametrize(
    "error",
    [
        InvalidRecordError(),
        MessageSizeTooLargeError(),
        PolicyViolationError(),
        CorruptRecordException(),
        UnknownError(),
    ],
)
def test_errors_caused_by_the_record(error: KafkaError) -> None:
    assert is_record_error(error)


@pytest.mark.parametrize(
    "error",
    [
        NotEnoughReplicasError(),
        ProducerFenced(),
        TopicAuthorizationFailedError(),
        UnknownTopicOrPartitionError(),
        TimeoutError(),
        None,
    ],
)
def test_errors_that_may_pass_are_not_caused_by_the_record(error: object) -> None:
    assert not is_record_error(error)


def test_code_87_is_an_invalid_record() -> None:
    assert for_code(87) is InvalidRecordError


def test_a_description_has_topic_protocol_name_and_cause() -> None:
    assert describe_refusal("tuning", MessageSizeTooLargeError()) == (
        "topic tuning refuses the record: MESSAGE_SIZE_TOO_LARGE, it is too large for the topic's max.message.bytes"
    )
    assert describe_refusal("tuning", UnknownError("a\n b")) == (
        "topic tuning refuses the record: UNKNOWN, [Error -1] UnknownError: a b"
    )
