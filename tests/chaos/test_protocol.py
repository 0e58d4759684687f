"""The requests that the campaign encodes itself, against a real broker."""

from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from openclaw_stream.embedded.server import free_port
from tests.chaos.journal import Run
from tests.chaos.offsets import committed_offsets, reset_offsets
from tests.chaos.protocol import GROUP, cluster_state, find_coordinator


@pytest.fixture
def run(bootstrap: str) -> Run:
    name = f"protocol-{uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    [done] = admin.create_topics([NewTopic(name, 2, 1)]).values()
    done.result(30)
    return Run(1, bootstrap, name, {"alerts": name}, 2, 100)


def test_offsets_are_set_and_read_through_the_coordinator(run: Run) -> None:
    assert committed_offsets(run) == {0: -1, 1: -1}
    assert reset_offsets(run, {1: 0})
    assert committed_offsets(run) == {0: -1, 1: 0}


def test_offsets_of_a_group_with_members_are_not_set(run: Run) -> None:
    member = Consumer({"bootstrap.servers": run.bootstrap, "group.id": run.group_id, "enable.auto.commit": False})
    member.subscribe([run.topics["alerts"]])
    while not member.assignment():
        member.poll(0.1)
    assert not reset_offsets(run, {0: 0})
    member.commit(offsets=[TopicPartition(run.topics["alerts"], 0, 5)], asynchronous=False)
    member.close()
    assert committed_offsets(run)[0] == 5


def test_the_state_of_a_cluster_names_leaders_and_replicas(run: Run) -> None:
    state = cluster_state(run.bootstrap)
    own = {partition: each for (topic, partition), each in state.partitions.items() if topic == run.topics["alerts"]}
    assert own.keys() == {0, 1}
    assert all({each.leader} == each.replicas == each.in_sync == state.brokers for each in own.values())


def test_a_node_that_does_not_listen_is_skipped(run: Run) -> None:
    servers = f"127.0.0.1:{free_port()},{run.bootstrap}"
    assert find_coordinator(servers, run.group_id, GROUP).address == run.bootstrap
    assert cluster_state(servers).brokers == {1}
    with pytest.raises(OSError, match="refused"):
        cluster_state(servers.split(",", maxsplit=1)[0])
