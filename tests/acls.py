"""The ACLs that deploy/README.md lists for a worker, granted and revoked on a real authorizer."""

import time
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from confluent_kafka.admin import (  # type: ignore[attr-defined] # not re-exported for type checkers
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from openclaw_stream.settings import Settings

USER, PASSWORD = "worker", "worker-password"
"""The user that has these rights and no others."""


def credentials(servers: str) -> dict[str, str]:
    """Return the variables with which the user connects to SASL_PLAINTEXT listeners."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": servers,
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_USERNAME": USER,
        "KAFKA_SASL_PASSWORD": PASSWORD,
    }


class Acl(NamedTuple):
    """One ACL; `name` is a template of `alerts`, `decisions` …, `dead_letter` and `group`."""

    operation: AclOperation
    resource: ResourceType
    name: str
    pattern: ResourcePatternType = ResourcePatternType.LITERAL

    def to(self, operation: str) -> "Acl":
        """Return the ACL for another operation on the same resource, such as `Describe`."""
        return self._replace(operation=AclOperation[operation.upper()])

    def __str__(self) -> str:
        return f"{self.operation.name} {self.resource.name} {self.name}".lower()


_TOPICS = ("alerts", "decisions", "tuning", "incidents", "dead_letter")

LISTED = (
    *(Acl(AclOperation.READ, ResourceType.TOPIC, f"{{{topic}}}") for topic in ("alerts", "incidents")),
    *(Acl(AclOperation.WRITE, ResourceType.TOPIC, f"{{{topic}}}") for topic in _TOPICS[1:]),
    *(Acl(AclOperation.DESCRIBE_CONFIGS, ResourceType.TOPIC, f"{{{topic}}}") for topic in _TOPICS),
    Acl(AclOperation.READ, ResourceType.GROUP, "{group}"),
    Acl(AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, "{group}", ResourcePatternType.PREFIXED),
)
"""Exactly what a worker and `openclaw-stream check` need; Read and Write imply Describe."""

_OPERATIONS = {
    AclOperation.READ: "Read",
    AclOperation.WRITE: "Write",
    AclOperation.DESCRIBE_CONFIGS: "DescribeConfigs",
}
_KINDS = {
    ResourceType.TOPIC: "topic {}",
    ResourceType.GROUP: "group {}",
    ResourceType.TRANSACTIONAL_ID: "transactional ids with the prefix {}",
}


def named(acl: Acl, settings: Settings) -> str:
    """Return the missing right as error messages name it."""
    return f"{_OPERATIONS[acl.operation]} on {_KINDS[acl.resource].format(_name(acl, settings))}"


def parse(command: str) -> set[str]:
    """Return the rights that a `kafka-acls.sh` command line grants, as error messages name them."""
    words = command.split()
    options = list(pairwise(words))
    [operation] = [value for option, value in options if option == "--operation"]
    pattern = dict(options).get("--resource-pattern-type", "literal")
    kinds = {"--topic": "topic {}", "--group": "group {}", "--transactional-id": "transactional ids with the prefix {}"}
    assert (pattern == "prefixed") == ("--transactional-id" in words)
    return {f"{operation} on {kinds[option].format(name)}" for option, name in options if option in kinds}


def grant(admin: AdminClient, user: str, settings: Settings, acls: Iterable[Acl] = LISTED) -> None:
    """Grant rights, and return once the broker of `admin` enforces them."""
    bindings = [_binding(acl, user, settings) for acl in acls]
    for done in admin.create_acls(bindings).values():
        done.result(30)
    _await(admin, bindings, present=True)


def revoke(admin: AdminClient, user: str, settings: Settings, acls: Iterable[Acl] = LISTED) -> None:
    """Revoke rights, and return once the broker of `admin` no longer has them."""
    bindings = [_binding(acl, user, settings) for acl in acls]
    for done in admin.delete_acls([_filter(binding) for binding in bindings]).values():
        done.result(30)
    _await(admin, bindings, present=False)


def _await(admin: AdminClient, bindings: Iterable[AclBinding], *, present: bool) -> None:
    deadline = time.monotonic() + 30
    for binding in bindings:
        while bool(admin.describe_acls(_filter(binding)).result(30)) is not present:
            assert time.monotonic() < deadline, f"waited for {binding}"
            time.sleep(0.02)


def _name(acl: Acl, settings: Settings) -> str:
    return acl.name.format(group=settings.kafka.group_id, **dict(settings.topics))


def _binding(acl: Acl, user: str, settings: Settings) -> AclBinding:
    name, principal = _name(acl, settings), f"User:{user}"
    return AclBinding(acl.resource, name, acl.pattern, principal, "*", acl.operation, AclPermissionType.ALLOW)


def _filter(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )
