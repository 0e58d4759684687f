"""Maps aiokafka's authorization errors to `DeniedError`, which names operation and resource.

A right may be missing for a moment only (revoked and granted again, not yet propagated, an authorizer that fails), so
the failed step is retried.
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
"""Every error of aiokafka for a missing right; `CLUSTER_AUTHORIZATION_FAILED` means IdempotentWrite, which brokers
before 2.8 require."""

READ_AUTHORIZATION_ERRORS = (GroupAuthorizationFailedError, TopicAuthorizationFailedError)
"""Those of a client that only reads."""


def denied_error(error: BaseException, operation: str, resource: str) -> DeniedError:
    """Return the `DeniedError` for one of `AUTHORIZATION_ERRORS`.

    Args:
        error: The error of aiokafka; topics that it names replace those of `resource`.
        operation: `Read`, `Write`, `Describe` or `DescribeConfigs`, as `kafka-acls.sh --operation` spells it.
        resource: `topic NAME`, `group NAME` or `transactional id NAME`.
    """
    if isinstance(error, TopicAuthorizationFailedError):
        resource = f"topic {', '.join(sorted(_topics_of(error)) or [resource.removeprefix('topic ')])}"
    elif isinstance(error, ClusterAuthorizationFailedError):
        operation, resource = "IdempotentWrite", "cluster"
    return DeniedError(operation, resource)


def denied_read_error(error: BaseException, topic: str, group_id: str) -> DeniedError:
    """Return the `DeniedError` for one of `READ_AUTHORIZATION_ERRORS`."""
    group = isinstance(error, GroupAuthorizationFailedError)
    return denied_error(error, "Read", f"group {group_id}" if group else f"topic {topic}")


def _topics_of(error: TopicAuthorizationFailedError) -> Iterable[str]:
    """Return the topics in an error of aiokafka, which holds one name, a set of names, or nothing."""
    names: set[str] = set()
    for argument in error.args:
        names |= {argument} if isinstance(argument, str) else set(map(str, argument))
    return names
