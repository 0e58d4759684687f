"""A separate pipeline for each test: topics, workers as processes, and readers with another client.

Everything is read with librdkafka and `read_committed`, as by a consumer downstream.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # not re-exported for type checkers
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)
from prometheus_client.parser import text_string_to_metric_families

from openclaw_stream.embedded.server import free_port
from openclaw_stream.settings import KafkaSettings, Settings, TopicSettings
from openclaw_stream.stream.kafka.topics import create_topics

QUICK = {
    "OPENCLAW_GROUP_WAIT": "0.5",
    "OPENCLAW_GROUP_WAIT_CRITICAL": "0.2",
    "OPENCLAW_GROUP_INTERVAL": "1",
    "OPENCLAW_RESOLVE_HOLD": "1",
    "OPENCLAW_MAX_SILENCE": "600",
    "OPENCLAW_COMMIT_INTERVAL": "0.5",
    "KAFKA_SESSION_TIMEOUT": "3",
    "KAFKA_TRANSACTION_TIMEOUT": "6",
    "OPENCLAW_LANGUAGE": "en",
    "OPENCLAW_HTTP_ADDR": "",
}


class RunningWorker(Protocol):
    """What a pipeline does with its workers: those of `subprocess.Popen`, or alike."""

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


class Pipeline:
    """Five topics and a consumer group with names of their own."""

    def __init__(self, bootstrap: str, folder: Path, partitions: int = 2, **environment: str) -> None:
        self.bootstrap = bootstrap
        self.name = f"t{uuid.uuid4().hex[:8]}"
        self.partitions = partitions
        self._folder = folder
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self._observer = Consumer({"bootstrap.servers": bootstrap, "group.id": self.name, "log_level": 0})
        self._workers: list[RunningWorker] = []
        self._environment = {**QUICK, **environment}
        self.topics = {
            kind: f"{self.name}.{kind}" for kind in ("alerts", "decisions", "tuning", "incidents", "dead_letter")
        }

    @property
    def settings(self) -> Settings:
        return Settings(
            kafka=KafkaSettings(bootstrap_servers=self.bootstrap, group_id=self.name),
            topics=TopicSettings.model_validate(self.topics),
        )

    def create(self, replicas: int = 1) -> Self:
        asyncio.run(create_topics(self.settings, self.partitions, replicas))
        return self

    def create_on_brokers(self, kind: str, brokers: Sequence[int]) -> None:
        """Create a topic with a partition on each of these brokers, one replica each."""
        name = self.topics[kind]
        config = {"message.timestamp.type": "LogAppendTime", "min.insync.replicas": "1"}
        topic = NewTopic(name, len(brokers), replica_assignment=[[broker] for broker in brokers], config=config)
        self._admin.create_topics([topic])[name].result(30)

    # ---- workers

    def variables(self, **more: str) -> dict[str, str]:
        """Return the settings of a worker."""
        topics = {f"OPENCLAW_TOPIC_{kind.upper()}": name for kind, name in self.topics.items()}
        kafka = {"KAFKA_BOOTSTRAP_SERVERS": self.bootstrap, "KAFKA_GROUP_ID": self.name}
        return {**topics, **kafka, **self._environment, **more}

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, **self.variables(**more)}

    def start(self, *module: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker, or another module instead."""
        command = [sys.executable, "-m", *(module or ("openclaw_stream", "run"))]
        with (self._folder / f"worker-{len(self._workers)}.log").open("wb") as log:
            worker = subprocess.Popen(command, env=self.environment(**environment), stdout=log, stderr=log)
        self._workers.append(worker)
        return worker

    def start_watched(self, **environment: str) -> "Watched":
        """Start a worker with health and metrics over HTTP."""
        address = f"127.0.0.1:{free_port()}"
        return Watched(self.start(OPENCLAW_HTTP_ADDR=address, **environment), address)

    def delete(self, kind: str) -> None:
        """Delete a topic, and return once no broker lists it."""
        name = self.topics[kind]
        self._admin.delete_topics([name])[name].result(30)
        until(lambda: name not in self._admin.list_topics(timeout=10).topics, f"{name} to be deleted")

    def configure(self, kind: str, **settings: str) -> None:
        """Change settings of a topic."""
        entries = [
            ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
            for name, value in settings.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, self.topics[kind], incremental_configs=entries)
        self._admin.incremental_alter_configs([resource])[resource].result(30)

    def add_partitions(self, kind: str, total: int) -> None:
        """Add partitions to a topic, up to `total`."""
        name = self.topics[kind]
        self._admin.create_partitions([NewPartitions(name, total)])[name].result(30)

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self._folder.glob("worker-*.log")))

    def log_lines(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of an event, in order."""
        entries = [json.loads(line) for line in self.logs().splitlines() if line.startswith("{")]
        return [entry for entry in entries if entry["event"] == event]

    def stop(self, worker: RunningWorker) -> int:
        worker.send_signal(signal.SIGTERM)
        return worker.wait(40)

    def close(self) -> None:
        self._observer.close()
        for worker in self._workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.wait()

    # ---- in

    def produce(self, records: Iterable[tuple[int, Any]], headers: Mapping[str, bytes] | None = None) -> int:
        """Send (partition, value) pairs: bytes as they are, None as a tombstone, anything else as JSON."""
        producer, sent = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5}), 0
        for partition, value in records:
            raw = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
            producer.produce(
                self.topics["alerts"], raw, key=b"k", partition=partition, headers=list((headers or {}).items())
            )
            sent += 1
            if sent % 10_000 == 0:
                producer.flush(30)
        assert producer.flush(30) == 0
        return sent

    # ---- out

    def read(self, kind: str) -> list[Message]:
        """Read a topic from its beginning to its end as it is now."""
        return read_committed_records(self.bootstrap, self.topics[kind])

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(message.value() or b"null") for message in self.read(kind)]

    def decisions(self) -> list[dict[str, Any]]:
        return self.events("decisions")

    def decided_services(self) -> set[str]:
        return {d["incident"]["service"] for d in self.decisions()}

    def await_decided(self, *services: str, seconds: float = 60) -> None:
        """Wait until a decision about each of these services is published."""
        found = self.decided_services
        until(lambda: set(services) <= found(), lambda: f"decisions about {services}, there are {found()}", seconds)

    def committed(self) -> list[int]:
        """Return the group's offsets, below zero where there is none.

        Fetched by a consumer that never joins: the admin call has crashed librdkafka while a coordinator was loading.
        """
        deadline = time.monotonic() + 30
        while True:
            try:
                return [p.offset for p in self._observer.committed(self._alerts(), 10)]
            except KafkaException:
                # A coordinator that was elected just now does not answer yet.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def reset(self, offsets: Iterable[int]) -> None:
        """Set the group's offsets as an operator does, with another client's admin API; the group must be empty."""
        target = [TopicPartition(self.topics["alerts"], p, offset) for p, offset in enumerate(offsets)]

        def attempt() -> bool:
            try:
                request = [ConsumerGroupTopicPartitions(self.name, target)]
                self._admin.alter_consumer_group_offsets(request)[self.name].result(10)
            except KafkaException:
                return False
            return True

        until(attempt, "the group's offsets to be set")

    def delete_records(self, partition: int, before: int) -> None:
        """Move the start of the log, as retention does."""
        target = TopicPartition(self.topics["alerts"], partition, before)
        for done in self._admin.delete_records([target]).values():
            done.result(10)

    def ends(self) -> list[int]:
        return [self._observer.get_watermark_offsets(p, 10)[1] for p in self._alerts()]

    def settled(self) -> bool:
        assert any(worker.poll() is None for worker in self._workers), f"no worker is running\n{self.logs()[-4000:]}"
        return self.committed() == self.ends()

    def await_settled(self, seconds: float = 60) -> None:
        until(self.settled, lambda: f"{self.committed()} to reach {self.ends()}\n{self.logs()[-4000:]}", seconds)

    def _alerts(self) -> list[TopicPartition]:
        return [TopicPartition(self.topics["alerts"], p) for p in range(self.partitions)]


class Probes:
    """A worker's health and metrics over HTTP."""

    def __init__(self, address: str) -> None:
        self.address = address

    def reasons(self) -> list[str] | None:
        """Return why it is not ready, empty where it is; None while it does not listen yet."""
        try:
            return self._reasons(urllib.request.urlopen(f"http://{self.address}/readyz", timeout=5))
        except urllib.error.HTTPError as unready:
            with unready:
                return self._reasons(unready)
        except OSError:
            return None

    def await_ready(self, seconds: float = 60) -> None:
        until(lambda: self.reasons() == [], lambda: f"readiness: {self.reasons()}", seconds)

    def await_reason(self, *texts: str, seconds: float = 60) -> str:
        """Wait for a reason that contains all of these texts, and return it."""
        found: list[str] = []

        def seen() -> bool:
            found[:] = [r for r in self.reasons() or () if all(text in r for text in texts)]
            return bool(found)

        until(seen, lambda: f"a reason with {texts}: {self.reasons()}", seconds)
        return found[0]

    def metric(self, name: str, **labels: str) -> float:
        """Return the value of a sample; 0 where it is missing."""
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=5) as response:
            families = text_string_to_metric_families(response.read().decode())
        for family in families:
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return 0.0

    @staticmethod
    def _reasons(response: Any) -> list[str]:
        reasons: list[str] = json.loads(response.read())["reasons"]
        return reasons


class Watched(Probes):
    """A worker process, and its health and metrics over HTTP."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        super().__init__(address)
        self.process = process


def read_committed_records(bootstrap: str, topic: str) -> list[Message]:
    """Read a topic from its beginning to its end as it is now, as a `read_committed` consumer sees it."""
    reader = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"{topic}-reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    count = len(reader.list_topics(topic, timeout=10).topics[topic].partitions)
    reader.assign([TopicPartition(topic, p, 0) for p in range(count)])
    found: list[Message] = []
    ended: set[int] = set()
    deadline = time.monotonic() + 60
    while len(ended) < count and time.monotonic() < deadline:
        for message in reader.consume(5000, 0.2):
            error = message.error()
            if error is None:
                found.append(message)
            elif error.name() == "_PARTITION_EOF":
                ended.add(message.partition() or 0)
            else:
                raise KafkaException(error)
    reader.close()
    assert len(ended) == count, f"{topic} was not read to its end"
    return found


def until(condition: Callable[[], bool], what: str | Callable[[], str], seconds: float = 60) -> None:
    """Wait until a condition holds that another process brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what if isinstance(what, str) else what()}"
        time.sleep(0.1)


def alert(group: str, name: str = "HighErrorRate", **fields: Any) -> dict[str, Any]:
    """Return a native alert of the service `group`."""
    return {"alert_type": name, "severity": "warning", "namespace": "shop", "service": group, **fields}


def webhook(*alerts: dict[str, Any]) -> dict[str, Any]:
    """Return an Alertmanager payload with alerts of several services."""
    return {
        "version": "4",
        "status": "firing",
        "alerts": [
            {
                "status": a.get("status", "firing"),
                "labels": {
                    "alertname": a["alert_type"],
                    "severity": a["severity"],
                    "namespace": a["namespace"],
                    "service": a["service"],
                    **a.get("labels", {}),
                },
                "annotations": {"summary": a.get("message", "")},
                "startsAt": a.get("starts_at", "2026-11-22T10:00:00Z"),
                "endsAt": a.get("ends_at", "0001-01-01T00:00:00Z"),
            }
            for a in alerts
        ],
    }


def check_exactly_once(decisions: list[dict[str, Any]]) -> None:
    """Assert that every (incident, generation, revision) is published once, in order and without gaps.

    A resolution repeats the decision before it.
    """
    published = Counter((d["incident_id"], d["generation"], d["revision"]) for d in decisions)
    assert {key: n for key, n in published.items() if n > 1} == {}
    revisions = defaultdict(list)
    for d in decisions:
        revisions[d["incident_id"], d["generation"]].append(d["revision"])
    for key, seen in revisions.items():
        assert seen == list(range(seen[0], seen[0] + len(seen))), key
    judged: dict[tuple[str, int], tuple[Any, Any]] = {}
    for d in decisions:
        judgement = d["decision"], d["confidence"]
        if d["event_type"] == "resolution":
            assert judged.get((d["incident_id"], d["generation"]), judgement) == judgement
        judged[d["incident_id"], d["generation"]] = judgement


def counted(pipeline: Pipeline) -> int:
    """Return the sum of the alert counts in the last state of every incident."""
    last: dict[str, int] = {}
    for message in pipeline.read("incidents"):
        state = json.loads(message.value() or b"null")
        if state and state["incident"]:
            last[state["incident"]["incident_id"]] = state["incident"]["alert_count"]
    return sum(last.values())
