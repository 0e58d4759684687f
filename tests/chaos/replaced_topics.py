"""After the three-node scenario: the alerts topic and then the decisions topic are replaced under its workers.

A replaced topic ends the log that the verifier compares the outputs with, so this is checked separately: every group
that is new afterwards gets exactly one first decision, and no worker is restarted.
"""

import json
import time
from collections import Counter
from itertools import count
from typing import NamedTuple

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.chaos import wire
from tests.chaos.outputs import read
from tests.chaos.protocol import cluster_state
from tests.chaos.sampler import fetch_owned, fetch_readiness
from tests.chaos.testbed import Testbed, retry_until
from tests.chaos.wire import SentAlert

_GROUPS = 300
_DECIDED_SECONDS, _UNREADY_SECONDS, _READY_SECONDS = 60, 35, 15
_AFTER_SECONDS = 5
"""How long a second decision on a group is waited for."""
_GONE_SECONDS = 60
_CRITICAL = 3
_STARTS = 1_767_225_600


class _Decision(NamedTuple):
    group: str
    generation: int
    revision: int
    replayed: bool


class ReplacedTopics:
    """Replaces topics while the workers of a verified scenario run."""

    def __init__(self, testbed: Testbed) -> None:
        self.lines: list[str] = []
        """The report."""
        self.problems: list[str] = []
        self._testbed = testbed
        self._run = testbed.run
        self._admin = AdminClient({"bootstrap.servers": testbed.run.bootstrap, "log_level": 0})
        self._numbers = count()

    def run(self) -> None:
        """Replace the alerts, then the decisions, and check the decisions on new groups each time."""
        workers = {worker.process.pid for worker in self._testbed.fleet.workers}
        self._replace_alerts()
        self._replace_decisions()
        if workers != {worker.process.pid for worker in self._testbed.fleet.workers}:
            self.problems.append("a worker ended while topics were replaced")

    def _replace_alerts(self) -> None:
        self._delete("alerts")
        self._create("alerts", self._run.partitions)
        self._expect("alerts replaced", self._produce(), time.monotonic(), generation_above=1)

    def _replace_decisions(self) -> None:
        partitions = self._testbed.first_partitions
        self._delete("decisions")
        groups, began = self._produce(), time.monotonic()
        if retry_until(self._all_name_the_decisions, _UNREADY_SECONDS):
            self.lines.append(f"decisions deleted: every owner unready after {time.monotonic() - began:.1f} s")
        else:
            self.problems.append(f"decisions deleted: {self._reasons()} after {_UNREADY_SECONDS} s")
        self._create("decisions", partitions)
        self._expect("decisions replaced", groups, time.monotonic(), generation_above=0)
        if not retry_until(lambda: not any(self._reasons().values()), _READY_SECONDS):
            self.problems.append(
                f"decisions replaced: {self._reasons()} {_READY_SECONDS} s after decisions were published"
            )

    def _all_name_the_decisions(self) -> bool:
        topic = self._run.topics["decisions"]
        return all(any(topic in reason for reason in reasons) for reasons in self._reasons().values())

    def _reasons(self) -> dict[str, tuple[str, ...]]:
        """Return why each worker that owns partitions is unready."""
        workers = self._testbed.fleet.workers
        return {worker.log.stem: fetch_readiness(worker.http)[1] for worker in workers if fetch_owned(worker.http)}

    # ---- topics

    def _delete(self, kind: str) -> None:
        topic = self._run.topics[kind]
        [done] = self._admin.delete_topics([topic]).values()
        done.result(30)
        self._testbed.servers.cluster.await_in_sync()
        assert retry_until(lambda: topic not in self._topics(), _GONE_SECONDS)

    def _create(self, kind: str, partitions: int) -> None:
        cluster, topic = self._testbed.servers.cluster, self._run.topics[kind]
        config = self._testbed.topic_configs()[kind]
        [done] = self._admin.create_topics([NewTopic(topic, partitions, cluster.replicas, config=config)]).values()
        done.result(30)
        cluster.await_in_sync()

    def _topics(self) -> set[str]:
        return {topic for topic, _ in cluster_state(self._run.bootstrap).partitions}

    # ---- groups

    def _produce(self) -> set[str]:
        """Produce one alert for each of some hundred new groups, over all partitions; returns the groups."""
        producer = Producer({"bootstrap.servers": self._run.bootstrap, "enable.idempotence": True, "log_level": 0})
        groups = set()
        for number in (next(self._numbers) for _ in range(_GROUPS)):
            service = f"replaced-{number}"
            sent = SentAlert(service, "Replaced", _CRITICAL, True, _STARTS, service, True)  # noqa: FBT003 - positional fields
            groups.add(sent.group)
            value = wire.encode(wire.native(sent))
            partition = number % self._run.partitions
            producer.produce(self._run.topics["alerts"], value, key=sent.group.encode(), partition=partition)
        assert producer.flush(60) == 0
        return groups

    def _expect(self, what: str, groups: set[str], began: float, *, generation_above: int) -> None:
        """Wait until each group has its first decision, and check that it is the only one and new."""
        if not retry_until(lambda: groups <= {each.group for each in self._decisions(groups)}, _DECIDED_SECONDS):
            missing = groups - {each.group for each in self._decisions(groups)}
            self.problems.append(f"{what}: {len(missing)} groups without a decision after {_DECIDED_SECONDS} s")
        self.lines.append(f"{what}: {len(groups)} new groups, all decided after {time.monotonic() - began:.1f} s")
        time.sleep(_AFTER_SECONDS)
        decisions = self._decisions(groups)
        times = Counter(each.group for each in decisions)
        wrong = [each for each in decisions if each.revision != 1 or each.replayed or times[each.group] > 1]
        wrong += [each for each in decisions if each.generation <= generation_above]
        self.problems += [f"{what}: a wrong first decision: {each}" for each in wrong[:5]]

    def _decisions(self, groups: set[str]) -> list[_Decision]:
        try:
            messages, _ = read(self._run.bootstrap, self._run.topics["decisions"])
        except (KafkaException, KeyError, TimeoutError):  # it was created a moment ago
            return []
        values = [message.value() or b"" for message in messages]
        events = [json.loads(value) for value in values if b"/replaced-" in value]
        found = [
            _Decision(event["incident"]["group_key"], event["generation"], event["revision"], event["replayed"])
            for event in events
        ]
        return [decision for decision in found if decision.group in groups]
