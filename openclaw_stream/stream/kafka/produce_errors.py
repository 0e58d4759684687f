"""Errors of a produce request that are caused by the record, as opposed to those of the topic, cluster or producer.

A refused record is never sent again unchanged. After any other error (no right to write, a missing topic, a fenced
producer, too few replicas) the same record may be accepted later.
"""

from collections.abc import Mapping
from typing import ClassVar

from aiokafka.errors import (
    BrokerResponseError,
    CorruptRecordException,
    InvalidTimestampError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    UnknownError,
    UnsupportedForMessageFormatError,
    kafka_errors,
)


class InvalidRecordError(BrokerResponseError):  # type: ignore[misc] # aiokafka is untyped
    """Code 87 of the Kafka protocol, which aiokafka 0.14 does not know and reports as -1."""

    errno: ClassVar[int] = 87
    message: ClassVar[str] = "INVALID_RECORD"


kafka_errors.setdefault(InvalidRecordError.errno, InvalidRecordError)

_CAUSES: Mapping[type[BaseException], str] = {
    InvalidRecordError: "the broker cannot validate it, such as a record without a key in a compacted topic",
    InvalidTimestampError: "its timestamp is outside of what the topic accepts, which follows the brokers' clocks",
    InvalidTopicError: "the topic cannot be written by clients",
    MessageSizeTooLargeError: "it is too large for the topic's max.message.bytes",
    PolicyViolationError: "a policy of the brokers forbids it",
    RecordListTooLargeError: "its batch is too large for the topic's segment.bytes",
    UnsupportedForMessageFormatError: "the topic's message format does not know transactions",
}

RECORD_ERRORS = tuple(_CAUSES)
"""The broker has validated the record and will never accept it."""

AMBIGUOUS_ERRORS = (CorruptRecordException, UnknownError)
"""Final by the protocol, but a faulty broker or a damaged packet causes them too: final only after several attempts."""


def is_record_error(error: object) -> bool:
    """Whether the outcome of a send is an error caused by the record itself."""
    return isinstance(error, RECORD_ERRORS + AMBIGUOUS_ERRORS)


def describe_refusal(topic: str, error: BaseException) -> str:
    """Return a message with the topic, the protocol name of the error, and its cause where it is known."""
    name = getattr(error, "message", "") or type(error).__name__
    cause = _CAUSES.get(type(error)) or " ".join(str(error).split())
    return f"topic {topic} refuses the record: {name}, {cause}"
