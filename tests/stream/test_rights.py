"""A worker on a real authorizer: the listed rights are sufficient, and a missing right is named until it is granted."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from openclaw_stream.embedded import EmbeddedKafkaCluster
from openclaw_stream.stream.kafka.topics import create_topics
from tests.acls import LISTED, USER, Acl, credentials, grant, named, revoke
from tests.stream.pipeline import Pipeline, alert, check_exactly_once, until


@pytest.fixture
def pipeline(secured_kafka: EmbeddedKafkaCluster, superuser: AdminClient, tmp_path: Path) -> Iterator[Pipeline]:
    """Return topics whose worker has only the listed rights; the test itself has all rights."""
    pipeline = Pipeline(secured_kafka.bootstrap_servers, tmp_path, 2, **credentials(secured_kafka.secured_servers))
    asyncio.run(create_topics(pipeline.settings, 2, 1))
    grant(superuser, USER, pipeline.settings)
    yield pipeline
    pipeline.close()


def test_the_listed_rights_are_sufficient(pipeline: Pipeline) -> None:
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.produce([(0, alert("cart", "HighMemoryUsage")), (1, alert("web")), (1, b"poison")])
    pipeline.await_settled()
    worker.await_ready()
    assert {d["incident"]["service"] for d in pipeline.decisions()} == {"cart", "web"}
    assert len(pipeline.read("dead_letter")) == 1
    assert pipeline.events("tuning")
    assert pipeline.stop(worker.process) == 0
    assert "not allowed" not in pipeline.logs()


@pytest.mark.cluster
@pytest.mark.parametrize("acl", LISTED, ids=str)
def test_a_missing_right_is_named_until_it_is_granted(pipeline: Pipeline, superuser: AdminClient, acl: Acl) -> None:
    revoke(superuser, USER, pipeline.settings, [acl])
    worker = pipeline.start_watched()
    pipeline.produce([(0, alert("cart"))])
    name = named(acl, pipeline.settings).replace("transactional ids with the prefix", "transactional id")
    worker.await_reason(name)
    assert name in pipeline.logs()
    assert "Traceback" not in pipeline.logs()
    assert '"exception"' not in pipeline.logs()
    grant(superuser, USER, pipeline.settings, [acl])
    until(lambda: bool(pipeline.decisions()), "the decision")
    worker.await_ready()
    assert worker.process.poll() is None


# Topic settings and group states are read only when a worker starts, or restores a partition.
IN_USE = [acl for acl in LISTED if "configs" not in str(acl) and str(acl) != "read topic {incidents}"]


@pytest.mark.cluster
@pytest.mark.parametrize("acl", IN_USE, ids=str)
def test_a_revoked_right_is_named_and_no_alert_is_lost(pipeline: Pipeline, superuser: AdminClient, acl: Acl) -> None:
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.produce([(0, alert("before"))])
    pipeline.await_settled()
    revoke(superuser, USER, pipeline.settings, [acl])
    pipeline.produce([(n % 2, alert(f"s{n}", "HighMemoryUsage")) for n in range(10)] + [(0, b"poison")])
    name = named(acl, pipeline.settings).replace("transactional ids with the prefix", "transactional id")
    worker.await_reason(name)
    grant(superuser, USER, pipeline.settings, [acl])
    pipeline.await_settled()
    worker.await_ready()
    decisions = pipeline.decisions()
    check_exactly_once(decisions)
    assert {d["incident"]["service"] for d in decisions} == {"before", *(f"s{n}" for n in range(10))}
    assert len(pipeline.read("dead_letter")) == 1
    assert "Traceback" not in pipeline.logs()
