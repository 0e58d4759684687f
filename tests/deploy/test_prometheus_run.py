"""A worker through a storm and a broker restart, scraped by a real Prometheus with the alert rules loaded.

The right alerts fire and end, the others do not, and every query of the dashboard returns data. The rules are those of
deploy/prometheus/alerts.yaml with their times divided (`quick_rules`).
"""

import math
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from openclaw_stream.embedded import EmbeddedKafka, EmbeddedValkey
from openclaw_stream.telemetry.metrics import Metrics
from tests.chaos.upstreams import LATE, NORMAL, OVERLOADED, Model
from tests.deploy.dashboard import filled_in, queries
from tests.deploy.prometheus import PROMETHEUS_FOLDER, Prometheus
from tests.deploy.quick_rules import quick_rules
from tests.deploy.traffic import Traffic
from tests.deploy.worker_container import ContainerPipeline
from tests.stream.pipeline import Pipeline, Probes, RunningWorker, alert, until

_WORKER = {
    "OPENAI_CONCURRENCY": "4",
    "OPENCLAW_TIMEOUT": "4",
    "OPENCLAW_DECISION_DEADLINE": "12",
    "OPENCLAW_LLM_PRICES": "chaos=1/2",
    "OPENCLAW_LLM_BUDGET_USD_PER_HOUR": "50",
}

_UNREAD = "OpenclawHeartbeatOld"
"""While nothing is read, no heartbeat is."""


class Run:
    """Everything that runs, and what Prometheus says about it."""

    def __init__(self, folder: Path, stack: ExitStack, *, containers: bool) -> None:
        self.kafka = stack.enter_context(EmbeddedKafka())
        self.valkey = stack.enter_context(EmbeddedValkey())
        self.model = stack.enter_context(Model())
        settings = {**self.model.environment, **_WORKER, "REDIS_URL": self.valkey.url}
        self.pipeline = (ContainerPipeline if containers else Pipeline)(
            self.kafka.bootstrap_servers, folder, 4, **settings
        )
        stack.callback(self.pipeline.close)
        self.pipeline.create()
        self._start_worker()
        rules = folder / "alerts.yaml"
        rules.write_text(quick_rules((PROMETHEUS_FOLDER / "alerts.yaml").read_text(encoding="utf-8")))
        self.worker.await_ready()
        self.prometheus = stack.enter_context(Prometheus(folder, rules, self.worker.address))
        self.traffic = stack.enter_context(Traffic(self.pipeline))

    def _start_worker(self) -> None:
        if isinstance(self.pipeline, ContainerPipeline):
            container = self.pipeline.start_container()
            self.worker: Probes = container
            self._running: RunningWorker = container
        else:
            watched = self.pipeline.start_watched()
            self.worker, self._running = watched, watched.process

    def stop_worker(self) -> None:
        self.pipeline.stop(self._running)

    def firing(self) -> set[str]:
        """Return the alerts that fire now."""
        return {alert["metric"]["alertname"] for alert in self.prometheus.query('ALERTS{alertstate="firing"}')}

    @contextmanager
    def expect(self, *expected: str, also: str = "") -> Iterator[None]:
        """Wait after the block until each of the expected alerts has fired, one after another or together.

        Those of `also`, separated by spaces, may fire too; no other may.
        """
        began = time.time()
        yield
        until(lambda: set(expected) <= self._fired(began), lambda: f"{expected}: {self._fired(began)}", 60)
        self._check(began, {*expected, *also.split()})

    def await_none(self, *may_fire: str) -> None:
        """Wait until no alert fires any more; meanwhile only these may."""
        began = time.time()
        until(lambda: not self.firing(), lambda: f"{self.firing()} to end", 90)
        self._check(began, set(may_fire))

    def _check(self, began: float, allowed: set[str]) -> None:
        assert self._fired(began) <= allowed

    def _fired(self, began: float) -> set[str]:
        """Return the alerts that have fired since then."""
        seen = self.prometheus.query_range('ALERTS{alertstate="firing"}', time.time() - began)
        return {series["metric"]["alertname"] for series in seen}


@pytest.fixture
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    """The worker from the image; where no container engine answers it is a process."""
    containers = True
    try:
        request.getfixturevalue("image")
    except pytest.skip.Exception:
        containers = False
    with ExitStack() as stack:
        yield Run(tmp_path, stack, containers=containers)


@pytest.mark.deploy
@pytest.mark.kafka
@pytest.mark.valkey
@pytest.mark.timeout(400)  # the first test that needs the image builds it
def test_the_right_alerts_fire_and_end_and_the_dashboard_has_data(run: Run) -> None:
    began = time.time()
    time.sleep(8)
    with run.expect():
        pass
    _without_model_and_redis(run)
    _storm(run)
    _broker_restart(run)
    _check_dashboard(run, round(time.time() - began))
    _check_labels(run)
    with run.expect("OpenclawWorkerDown", "OpenclawNoWorker", also=_UNREAD):
        run.stop_worker()


def _without_model_and_redis(run: Run) -> None:
    expected = ["OpenclawDeadLetters", "OpenclawRedisBypassed", "OpenclawNoModelAvailable", "OpenclawDecisionsDegraded"]
    with run.expect(*expected):
        run.model.behaviour = OVERLOADED
        run.valkey.kill()
        run.traffic.send(b"no alert", alert("cart", starts_at=[]), b"[]")
    run.model.behaviour = NORMAL
    run.valkey.restart()
    run.await_none(*expected)


def _storm(run: Run) -> None:
    """The model is slow while a hundred incidents open: the queue fills, and the intake pauses."""
    expected = ["OpenclawPartitionPaused", "OpenclawLagGrowing", "OpenclawRevisionOverdue"]
    with run.expect(*expected, also=_UNREAD):
        run.model.behaviour = LATE
        run.traffic.send(*(alert(f"storm-{n}") for n in range(100)))
        run.traffic.storm.set()
    run.model.behaviour = NORMAL
    run.traffic.storm.clear()
    run.await_none(*expected, _UNREAD)


def _broker_restart(run: Run) -> None:
    expected = ["OpenclawWorkerNotReady", "OpenclawTransactionsAborted"]
    with run.expect(*expected, also=f"OpenclawRevisionOverdue {_UNREAD}"):
        run.kafka.kill()
    run.kafka.restart()
    run.await_none(*expected, "OpenclawRevisionOverdue", _UNREAD)


def _check_dashboard(run: Run, seconds: int) -> None:
    without = []
    for query in queries():
        expression = filled_in(query.expression, rate_seconds=10, range_seconds=seconds)
        values = [
            float(value) for series in run.prometheus.query_range(expression, seconds) for _, value in series["values"]
        ]
        if all(math.isnan(value) for value in values):
            without.append(query)
    assert not without


def _check_labels(run: Run) -> None:
    """Every label that was scraped is defined, and so is its value."""
    known = {}
    for definition in Metrics().definitions:
        for label in definition.labels:
            known[definition.name, label.name] = label.values
    scraped = run.prometheus.query('{__name__=~"openclaw_.+", __name__!~".+_created"}')
    assert len(scraped) > len(known)
    for series in scraped:
        labels = series["metric"]
        name = re.sub(r"_(bucket|sum|count)$", "", labels.pop("__name__"))
        for label in labels.keys() - {"job", "instance", "le"}:
            assert not known[name, label] or labels[label] in known[name, label], series
