"""What an authorizer refuses: aiokafka's authorization errors become `DeniedError`, which names operation and resource.

A right may be missing for a moment only (revoked and granted again, not yet propagated, an authorizer that fails), so a
step that meets one waits and is tried again.
"""

from collections.abc import Iterable

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from openclaw_stream.errors import DeniedError

AUTHORIZATION_ERRORS = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
"""Every error of aiokafka that says that the user lacks a right; `CLUSTER_AUTHORIZATION_FAILED` stands for
IdempotentWrite, which brokers before 2.8 ask for."""


def denied_error(error: BaseException, operation: str, resource: str) -> DeniedError:
    """Return what to raise for one of `AUTHORIZATION_ERRORS`.

    Args:
        error: What aiokafka raised; topics that it names replace those of `resource`.
        operation: `Read`, `Write`, `Describe` or `DescribeConfigs`, as `kafka-acls.sh --operation` spells it.
        resource: `topic NAME`, `group NAME` or `transactional id NAME`.
    """
    if isinstance(error, TopicAuthorizationFailedError):
        resource = f"topic {', '.join(sorted(_topics_of(error)) or [resource.removeprefix('topic ')])}"
    elif isinstance(error, ClusterAuthorizationFailedError):
        operation, resource = "IdempotentWrite", "cluster"
    return DeniedError(operation, resource)


def _topics_of(error: TopicAuthorizationFailedError) -> Iterable[str]:
    """Return the topics that aiokafka puts into the error: one name, or a set of names, or nothing."""
    named: set[str] = set()
    for argument in error.args:
        named |= {argument} if isinstance(argument, str) else set(map(str, argument))
    return named
