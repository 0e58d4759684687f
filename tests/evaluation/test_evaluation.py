from pathlib import Path

from typer.testing import CliRunner

from openclaw_stream.events.vocabulary import Responsibility
from tests.evaluation.cli import answers, app
from tests.evaluation.dataset import load
from tests.evaluation.deciders import Decider
from tests.evaluation.measures import Scored, accuracy, ece, macro_f1

LINE = (
    '{"id": "x-1", "source": {"repo": "me/mine"}, "alert": {"alertname": "MySQLDown", "severity": "critical",'
    ' "labels": {"namespace": "data"}, "annotations": {"summary": "MySQL is down"}},'
    ' "truth": {"responsibility": "DB", "certainty": "clear"}}\n'
)


def test_the_command_prints_the_figures(tmp_path: Path) -> None:
    data = tmp_path / "labelled.jsonl"
    data.write_text(LINE + LINE.replace("DB", "FE"))
    result = CliRunner().invoke(app, ["rules", "--data", str(data), "--errors"])
    assert result.exit_code == 0
    for told in ("Scores", "By class", "Confusion", "Reliability", "me/mine", "0.500", "Wrong answers", "MySQLDown"):
        assert told in result.output


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["rules", "--data", str(tmp_path / "absent.jsonl")])
    assert result.exit_code == 1
    assert "absent.jsonl: give another file with --data" in result.output


def test_the_rules_stay_good_on_real_alerts(shared_data: Path) -> None:
    """Floors a little below what was measured; a rule that costs more than it brings shows here."""
    answered = answers(load(shared_data / "routing_dev.jsonl"), Decider.RULES)
    every = [score for _, score in answered]
    clear = [score for line, score in answered if line.certainty == "clear"]
    assert accuracy(every) >= 0.95
    assert accuracy(clear) >= 0.96
    assert macro_f1(every) >= 0.90
    assert ece(every) <= 0.12
    assert _surer_is_righter(every)


def _surer_is_righter(scored: list[Scored]) -> bool:
    sure = [score for score in scored if score.confidence >= 0.7]
    unsure = [score for score in scored if score.confidence < 0.7]
    return accuracy(sure) > 0.97 > accuracy(unsure) and all(s.guess is not Responsibility.COLLAB for s in sure)
