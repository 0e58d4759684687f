"""The mapping of authorization errors, without brokers."""

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from openclaw_stream.stream.kafka.permissions import AUTHORIZATION_ERRORS, denied_error


@pytest.mark.parametrize(
    ("error", "resource", "named"),
    [
        (TopicAuthorizationFailedError(), "topic alerts", "Write on topic alerts"),
        (TopicAuthorizationFailedError("tuning"), "topic alerts", "Write on topic tuning"),
        (TopicAuthorizationFailedError({"b", "a"}), "transactional id t", "Write on topic a, b"),
        (GroupAuthorizationFailedError(), "group workers", "Write on group workers"),
        (TransactionalIdAuthorizationFailed(), "transactional id t", "Write on transactional id t"),
        (ClusterAuthorizationFailedError(), "topic alerts", "IdempotentWrite on cluster"),
    ],
)
def test_the_error_names_operation_and_resource(error: KafkaError, resource: str, named: str) -> None:
    assert isinstance(error, AUTHORIZATION_ERRORS)
    assert str(denied_error(error, "Write", resource)).startswith(f"not allowed: {named};")
