"""The mapping of aiokafka's errors, without brokers."""

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from openclaw_stream.errors import DeniedError, RetryableError
from openclaw_stream.stream.kafka.fetch_errors import fetch_errors


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (GroupCoordinatorNotAvailableError(), "[Error 15] GroupCoordinatorNotAvailableError"),
        (KafkaConnectionError("no broker"), "KafkaConnectionError: no broker"),
        (TimeoutError("not done within 5 s"), "not done within 5 s"),
        (TimeoutError(), "TimeoutError"),
        (ConnectionResetError(104, "Connection reset by peer"), "[Errno 104] Connection reset by peer"),
    ],
)
def test_errors_and_timeouts_are_retryable_and_name_what_was_fetched(error: KafkaError, reason: str) -> None:
    with pytest.raises(RetryableError) as caught, fetch_errors("log start offsets of alerts-0", topic="alerts"):
        raise error
    assert str(caught.value) == f"cannot fetch log start offsets of alerts-0: {reason}"
    assert type(caught.value) is RetryableError
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("error", "resource"),
    [
        (TopicAuthorizationFailedError(), "topic alerts"),
        (TopicAuthorizationFailedError({"other"}), "topic other"),
        (GroupAuthorizationFailedError("workers"), "group workers"),
    ],
)
def test_missing_rights_are_denied_errors(error: KafkaError, resource: str) -> None:
    with pytest.raises(DeniedError) as caught, fetch_errors("offsets", topic="alerts", group_id="workers"):
        raise error
    assert (caught.value.operation, caught.value.resource) == ("Read", resource)


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), fetch_errors("offsets", topic="alerts"):
        raise ZeroDivisionError
