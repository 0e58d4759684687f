"""Samples readiness and the published decisions throughout a scenario, from outside, in its own threads."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

from confluent_kafka import Consumer, Message, TopicPartition

from tests.chaos.canaries import PREFIX, Canaries
from tests.chaos.fleet import Worker
from tests.chaos.offsets import committed_offsets
from tests.chaos.readiness import Flow, Probe, Readiness
from tests.chaos.testbed import Testbed

_PROBE_SECONDS, _OFFSETS_SECONDS, _METRICS_EVERY = 0.25, 1.0, 4
_ANSWER_SECONDS = 1.0
_PROBES_MAX = 6
_POSITION = "openclaw_stream_position{partition="
_MARK = f"/{PREFIX}-".encode()


class Sampler:
    """Samples all workers of a testbed from `start` to `stop`, and writes the samples to `samples.jsonl`."""

    def __init__(self, testbed: Testbed, canaries: Canaries) -> None:
        self.readiness = Readiness()
        self.errors: list[str] = []
        """Errors of the sampler itself."""
        self._testbed = testbed
        self._canaries = canaries
        self._owned: dict[str, frozenset[int]] = {}
        self._turn = 0
        self._ended = threading.Event()
        self._executor = ThreadPoolExecutor(_PROBES_MAX)
        self._log = (testbed.folder / "samples.jsonl").open("w")
        self._reader = _committed_reader(testbed)
        loops = ((self._probe, _PROBE_SECONDS), (self._poll_offsets, _OFFSETS_SECONDS), (self._read, 0.0))
        self._threads = [threading.Thread(target=self._repeat, args=loop, daemon=True) for loop in loops]

    def start(self) -> None:
        """Start sampling."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop sampling."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._executor.shutdown()
        self._reader.close()
        self._log.close()

    def _repeat(self, action: Callable[[], None], seconds: float) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            try:
                action()
            except Exception as error:  # noqa: BLE001 - reported, and the thread goes on
                self.errors.append(f"{action.__name__.strip('_')}: {error!r}")
            self._ended.wait(max(seconds - (time.monotonic() - began), 0))

    # ---- workers

    def _probe(self) -> None:
        self._turn += 1
        workers = self._testbed.fleet.workers
        probes = list(self._executor.map(self._probe_worker, workers))
        now = time.time()
        flows = {partition: self._flow(partition, now) for partition in range(self._testbed.run.partitions)}
        self.readiness.add(now, probes, flows)
        unsettled = {partition: round(flow.unsettled, 2) for partition, flow in flows.items()}
        unseen = {partition: round(self._canaries.unseen_seconds(partition, now), 2) for partition in flows}
        shown = [(each.worker, each.ready, sorted(each.partitions), each.reasons) for each in probes]
        document = {"at": round(now, 2), "unsettled": unsettled, "unseen": unseen, "workers": shown}
        self._log.write(json.dumps(document) + "\n")

    def _probe_worker(self, worker: Worker) -> Probe:
        name = worker.log.stem
        if self._turn % _METRICS_EVERY == 0 or name not in self._owned:
            owned = fetch_owned(worker.http)
            self._owned[name] = self._owned.get(name, frozenset()) if owned is None else owned
        ready, reasons = fetch_readiness(worker.http)
        return Probe(name, ready, self._owned[name], reasons)

    def _flow(self, partition: int, now: float) -> Flow:
        canaries = self._canaries
        return Flow(canaries.unsettled_seconds(partition, now), now - canaries.last_seen(partition))

    # ---- Kafka

    def _poll_offsets(self) -> None:
        try:
            committed = committed_offsets(self._testbed.run, within=0)
        except OSError:  # no coordinator: nothing is known to be settled
            return
        for partition, offset in committed.items():
            self._canaries.settle(partition, offset)

    def _read(self) -> None:
        messages: list[Message] = self._reader.consume(500, 0.1)
        now = time.time()
        for message in messages:
            value = message.value()
            if message.error() is None and isinstance(value, bytes) and _MARK in value:
                self._canaries.see(json.loads(value)["incident"]["group_key"], now)


def _committed_reader(testbed: Testbed) -> Consumer:
    """A consumer of the decisions that notices a new or frozen leader within a second or two."""
    configuration: Mapping[str, str | int | bool] = {
        "bootstrap.servers": testbed.run.bootstrap,
        "group.id": "chaos-sampler",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 50,
        "socket.timeout.ms": 2000,
        "topic.metadata.refresh.interval.ms": 1000,
        "reconnect.backoff.max.ms": 500,
        "log_level": 0,
    }
    reader = Consumer(dict(configuration))
    topic = testbed.run.topics["decisions"]
    reader.assign([TopicPartition(topic, partition, 0) for partition in range(testbed.run.partitions)])
    return reader


def fetch_readiness(address: str) -> tuple[bool | None, tuple[str, ...]]:
    """Return whether a worker reports ready, None without an answer, and its reasons."""
    try:
        status, body = _get(address, "/readyz")
        return status == 200, tuple(json.loads(body)["reasons"])
    except (OSError, HTTPException, ValueError):
        return None, ()


def fetch_owned(address: str) -> frozenset[int] | None:
    """Return the partitions that a worker owns by its metrics; None without an answer."""
    try:
        _, body = _get(address, "/metrics")
    except (OSError, HTTPException):
        return None
    lines = body.decode().splitlines()
    return frozenset(int(line.removeprefix(_POSITION).split('"')[1]) for line in lines if line.startswith(_POSITION))


def _get(address: str, path: str) -> tuple[int, bytes]:
    connection = HTTPConnection(address, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
