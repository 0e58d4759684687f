"""Owners in the events of a worker on a real Kafka, and a file of owners that is read again."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.arbitration.ownership.owners import SHOP
from tests.stream.pipeline import Pipeline, alert, until

NewPipeline = Callable[..., Pipeline]
FIRED = {"starts_at": "2026-11-22T10:00:00Z"}
SHOP_BACKEND = {
    "team": "Shop backend",
    "contact": "https://chat.example.org/shop-backend",
    "matched_by": 'owners file, entry 1: namespace="shop", subject=~"cart|checkout.*"',
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "owners.toml"
    path.write_text(SHOP)
    return path


def owners(pipeline: Pipeline) -> dict[str, Any]:
    return {event["incident"]["service"]: event["owner"] for event in pipeline.decisions()}


def test_decisions_and_resolutions_have_the_owner(new_pipeline: NewPipeline, file: Path) -> None:
    pipeline = new_pipeline(1, OPENCLAW_OWNERS=str(file), OPENCLAW_TEAM_LABEL="squad")
    worker = pipeline.start()
    pipeline.produce(
        [
            (0, alert("cart", **FIRED)),
            (0, alert("pay", "PostgreSQLTooManyConnections", labels={"squad": "fe"})),
            (0, alert("mail", labels={"squad": "Mail\u202e\n password=hunter2hunter2"})),
            (0, alert("stock")),
        ]
    )
    until(lambda: len(pipeline.decisions()) == 4, "the decisions")
    pipeline.produce([(0, alert("cart", status="resolved", **FIRED))])
    until(lambda: len(pipeline.decisions()) == 5, "the resolution")
    assert pipeline.stop(worker) == 0, pipeline.logs()
    assert owners(pipeline) == {
        "cart": SHOP_BACKEND,
        "pay": {"team": "fe", "contact": "", "matched_by": "label squad"},
        "mail": {"team": "Mail password=[redacted:password]", "contact": "", "matched_by": "label squad"},
        "stock": None,
    }
    decided = {event["incident"]["service"]: event["decision"] for event in pipeline.decisions()}
    assert "The owners file names Shop backend (BE)" in decided["cart"]["responsibility_reasoning"]
    assert (decided["pay"]["primary_responsibility"], decided["pay"]["secondary_teams"]) == ("DB", ["FE"])
    assert pipeline.decisions()[-1]["event_type"] == "resolution"
    assert "hunter2" not in pipeline.logs() + str(pipeline.decisions())


def test_sighup_reads_a_right_file_and_keeps_the_old_one_of_a_wrong_file(new_pipeline: NewPipeline, file: Path) -> None:
    pipeline = new_pipeline(1, OPENCLAW_OWNERS=str(file))
    worker = pipeline.start()
    pipeline.produce([(0, alert("cart"))])
    pipeline.await_decided("cart")

    file.write_text(f"{SHOP}\n[[owner]]\nmatch = 'subject=\"stock\"'\nteam = 'Stock'\n")
    worker.send_signal(signal.SIGHUP)
    until(lambda: bool(pipeline.log_lines("owners file read")), "the file to be read again")
    [line] = pipeline.log_lines("owners file read")
    assert (line["level"], line["file"], line["entries"]) == ("info", str(file), 3)
    pipeline.produce([(0, alert("stock"))])
    pipeline.await_decided("stock")

    file.write_text("[[owner]]\nmatch = 'namespace'\nteam = 'Other'\n")
    worker.send_signal(signal.SIGHUP)
    wrong = "owners file is wrong; the entries read before stay in use"
    until(lambda: bool(pipeline.log_lines(wrong)), "the wrong file to be logged")
    [line] = pipeline.log_lines(wrong)
    assert (line["level"], line["file"], line["line"]) == ("error", str(file), 2)
    assert line["reason"].startswith("entry 1: match 'namespace' is not allowed: ")
    pipeline.produce([(0, alert("checkout"))])
    pipeline.await_decided("checkout")

    assert pipeline.stop(worker) == 0, pipeline.logs()
    teams = {service: owner["team"] for service, owner in owners(pipeline).items()}
    assert teams == {"cart": "Shop backend", "stock": "Stock", "checkout": "Shop backend"}


def test_a_wrong_file_stops_the_worker_at_its_start(new_pipeline: NewPipeline, file: Path) -> None:
    pipeline = new_pipeline(1, OPENCLAW_OWNERS=str(file))
    file.write_text("[[owner]]\nteam = 'Other'\n")
    assert pipeline.start().wait(30) == 2
    assert f"error: owners file {file}, line 1: entry 1: match is missing or empty" in pipeline.logs()
