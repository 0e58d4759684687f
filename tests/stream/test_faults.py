"""Exactly once through kills and broker restarts."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_stream.embedded import EmbeddedKafka
from tests.stream.crashing import STEPS
from tests.stream.pipeline import Pipeline, alert, check_exactly_once, counted, webhook

NewPipeline = Callable[..., Pipeline]


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_of_a_commit_it_loses_and_repeats_nothing(new_pipeline: NewPipeline, step: str) -> None:
    pipeline = new_pipeline(2)
    spread = [(n % 2, webhook(*(alert(f"s{(n + i) % 9}", f"A{n % 4}") for i in range(3)))) for n in range(60)]
    pipeline.produce([*spread, (0, b"poison")])
    for nth in (1, 2, 4):
        worker = pipeline.start("tests.stream.crashing", step, str(nth))
        for _ in range(60):
            if worker.poll() is not None:
                break
            pipeline.produce([(nth % 2, alert(f"s{nth}", f"Late{time.time_ns() % 1000}"))])
            time.sleep(0.25)
        assert worker.poll() == -signal.SIGKILL, pipeline.logs()
    worker = pipeline.start()
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0
    decisions = pipeline.decisions()
    check_exactly_once(decisions)
    assert {d["incident"]["group_key"] for d in decisions} == {f"shop/s{n}" for n in range(9)}
    late = sum(pipeline.ends()) - 61
    assert counted(pipeline) == 180 + late
    assert [m.value() for m in pipeline.read("dead_letter")] == [b"poison"]


def test_a_broker_restart_loses_and_repeats_nothing(own_kafka: Callable[..., EmbeddedKafka], tmp_path: Path) -> None:
    kafka = own_kafka()
    pipeline = Pipeline(kafka.bootstrap_servers, tmp_path, 2).create()
    worker = pipeline.start()
    try:
        total = pipeline.produce([(n % 2, alert(f"s{n % 20}")) for n in range(400)])
        time.sleep(2)
        kafka.kill()
        time.sleep(1)
        kafka.start()
        total += pipeline.produce([(n % 2, alert(f"s{n % 20}", "Another")) for n in range(400)])
        time.sleep(2)
        kafka.restart()
        total += pipeline.produce([(n % 2, alert(f"s{n % 20}", "YetAnother")) for n in range(400)])
        pipeline.await_settled(90)
        assert pipeline.stop(worker) == 0, pipeline.logs()
        decisions = pipeline.decisions()
        check_exactly_once(decisions)
        assert len({d["incident_id"] for d in decisions}) == 20
        assert counted(pipeline) == total
    finally:
        pipeline.close()


def test_a_worker_whose_heartbeat_fails_for_good_joins_anew(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(2)
    deaf = pipeline.start("tests.stream.deafened")
    pipeline.produce([(n % 2, alert(f"s{n}")) for n in range(20)])
    pipeline.await_settled()
    while "reading failed" not in pipeline.logs():
        time.sleep(0.2)
    pipeline.produce([(n % 2, alert(f"s{n}", "Another")) for n in range(20)])
    pipeline.await_settled()
    assert pipeline.stop(deaf) == 0, pipeline.logs()
    decisions = pipeline.decisions()
    check_exactly_once(decisions)
    assert len({d["incident_id"] for d in decisions}) == 20
    assert counted(pipeline) == 40
