"""The rights of the workers on the topics of a testbed: exactly those that deploy/README.md lists."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka.admin import AclOperation, AdminClient, ResourceType  # type: ignore[attr-defined]

from openclaw_stream.settings import KafkaSettings, Settings, TopicSettings
from tests import acls
from tests.chaos.cluster import USER
from tests.chaos.journal import Run

WRITE_RIGHTS = tuple(
    acl for acl in acls.LISTED if (acl.operation, acl.resource) == (AclOperation.WRITE, ResourceType.TOPIC)
)
"""Write on each of the four outputs."""


class Rights:
    """Grants and revokes the rights of the workers; all nodes must be up."""

    def __init__(self, run: Run) -> None:
        self._settings = Settings(
            kafka=KafkaSettings(bootstrap_servers=run.bootstrap, group_id=run.group_id),
            topics=TopicSettings.model_validate(run.topics),
        )

    def grant_all(self) -> None:
        """Grant every listed right."""
        acls.grant(self._admin(), USER, self._settings)

    @contextmanager
    def revoked(self, right: acls.Acl) -> Iterator[None]:
        """Revoke one right for the duration of a block."""
        admin = self._admin()
        acls.revoke(admin, USER, self._settings, [right])
        try:
            yield
        finally:
            acls.grant(admin, USER, self._settings, [right])

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self._settings.kafka.bootstrap_servers, "log_level": 0})
