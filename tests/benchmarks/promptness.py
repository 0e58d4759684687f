"""How long after its due time a decision is published, at a steady rate of new incidents.

Read from the clock of the broker alone: when a decision was appended, less the time of its alert and the group wait.
"""

import tempfile
import time
from pathlib import Path

import orjson

from tests.benchmarks.end_to_end import import_from, produce
from tests.benchmarks.workload import PARTITIONS, alert
from tests.stream.pipeline import Pipeline, until

_WAIT_SECONDS = 1
_STEP_SECONDS = 0.1


def milliseconds_over_due(bootstrap: str, rate: int, seconds: int, build: Path) -> tuple[float, float]:
    """Return p50 and p99 of the delay in ms, with `rate` new incidents per second for some seconds."""
    waits = dict.fromkeys(("OPENCLAW_GROUP_WAIT", "OPENCLAW_GROUP_WAIT_CRITICAL"), str(_WAIT_SECONDS))
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(bootstrap, Path(folder), PARTITIONS, **waits, **import_from(build)).create()
        try:
            worker = pipeline.start_watched()
            worker.await_ready()
            incidents = _open_at(pipeline, rate, seconds)
            until(lambda: len(pipeline.read("decisions")) >= incidents, "the decisions", 120)
            pipeline.stop(worker.process)
            delays = _delays(pipeline)
        finally:
            pipeline.close()
    assert len(delays) == incidents
    return delays[len(delays) // 2], delays[int(len(delays) * 0.99)]


def _open_at(pipeline: Pipeline, rate: int, seconds: int) -> int:
    """Open incidents at a rate; returns how many."""
    total, sent = rate * seconds, 0
    started = time.perf_counter()
    while sent < total:
        due = min(total, int((time.perf_counter() - started) * rate) + 1)
        produce(pipeline, ((group % PARTITIONS, alert(group)) for group in range(sent, due)))
        sent = due
        time.sleep(_STEP_SECONDS)
    return total


def _delays(pipeline: Pipeline) -> list[float]:
    appended = {_service(record.value()): record.timestamp()[1] for record in pipeline.read("alerts")}
    return sorted(
        record.timestamp()[1] - appended[event["incident"]["service"]] - _WAIT_SECONDS * 1000
        for record in pipeline.read("decisions")
        if (event := orjson.loads(record.value() or b"null"))["event_type"] == "decision"
    )


def _service(value: bytes | None) -> str:
    return str(orjson.loads(value or b"null")["service"])
