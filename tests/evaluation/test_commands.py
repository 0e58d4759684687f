"""The report on commands: published with reasons that stand in the evidence, refused with why."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from openclaw_stream.vocabulary import Responsibility
from tests.builders import alert, case_from
from tests.evaluation.cli import app
from tests.evaluation.commands import CommandReport, report_commands
from tests.evaluation.dataset import INCIDENTS, OWN, Labelled, load

OOM = (
    '{"id": "x-1", "source": {"repo": "me/mine"}, "alert": {"alertname": "CheckoutOutOfMemory", "severity": "critical",'
    ' "labels": {"namespace": "shop", "deployment": "checkout", "container": "app", "service": "checkout"},'
    ' "annotations": {"summary": "The container of the service was OOM killed at its memory limit of 1536Mi"}},'
    ' "truth": {"responsibility": "BE", "certainty": "clear"}}\n'
)


def labelled(summary: str) -> Labelled:
    """Return a line with one alert of the deployment checkout."""
    case = case_from(alert("Trouble", summary, {"namespace": "shop", "deployment": "checkout"}))
    return Labelled("x-1", "me/mine", "clear", Responsibility.BE, case, [])


def test_the_commands_command_prints_commands_reasons_and_refusals(tmp_path: Path) -> None:
    data = tmp_path / "labelled.jsonl"
    data.write_text(OOM)
    result = CliRunner().invoke(app, ["commands", "--data", str(data)], env={"COLUMNS": "250"})
    assert result.exit_code == 0
    for text in ("by rules: kubectl set resources", "“The container of the service was", "a restart does not cure"):
        assert text in result.output
    assert "reasons not found in their evidence: 0" in result.output
    counts = CliRunner().invoke(app, ["commands", "--data", str(data), "--counts"], env={"COLUMNS": "250"})
    assert "“The container" not in counts.output


def test_a_command_of_every_verb_is_proposed() -> None:
    report = report_commands([labelled("Worker threads are deadlocked")])
    proposed = {verb for verb, source in report.proposed if source == "models"}
    assert proposed == {"rollout restart", "rollout undo", "scale", "autoscale", "set resources", "patch"}
    assert {command for source, command, _ in report.published if source == "models"} == {
        "kubectl rollout restart deployment/checkout -n shop"
    }
    assert report.unfounded == []


@pytest.mark.parametrize("reason", ["It hangs.", "It hangs: “as nobody said” (summary of Trouble)."])
def test_a_reason_without_its_quote_in_the_evidence_is_found(reason: str) -> None:
    report = CommandReport()
    report.add_published("rules", "kubectl …", reason, labelled("It is slow").case, None)
    assert report.unfounded == [("kubectl …", reason)]


@pytest.mark.slow
@pytest.mark.parametrize("path", [OWN, INCIDENTS], ids=lambda path: path.stem)
def test_every_published_reason_is_in_its_evidence(path: Path) -> None:
    report = report_commands(load(path))
    assert report.unfounded == []
    assert report.published
    assert report.refused.total() > len(report.published)
