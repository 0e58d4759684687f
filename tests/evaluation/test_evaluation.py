from collections import Counter
from pathlib import Path
from statistics import fmean

import pytest
from typer.testing import CliRunner

from openclaw_stream.vocabulary import Responsibility
from tests.evaluation.cli import app, by_rules
from tests.evaluation.dataset import OWN, Labelled, load
from tests.evaluation.measures import Scored, accuracy, ece, macro_f1, routed
from tests.evaluation.simulated import MODELS, Signals, ask, ask_rules

COLLAB = Responsibility.COLLAB
LINE = (
    '{"id": "x-1", "source": {"repo": "me/mine"}, "alert": {"alertname": "MySQLDown", "severity": "critical",'
    ' "labels": {"namespace": "data"}, "annotations": {"summary": "MySQL is down"}},'
    ' "truth": {"responsibility": "DB", "certainty": "clear"}}\n'
)


@pytest.fixture(scope="module")
def own() -> list[Labelled]:
    return load(OWN)


def test_the_rules_command_prints_the_figures(tmp_path: Path) -> None:
    data = tmp_path / "labelled.jsonl"
    data.write_text(LINE + LINE.replace("DB", "FE"))
    result = CliRunner().invoke(app, ["rules", "--data", str(data), "--errors"])
    assert result.exit_code == 0
    for told in ("Scores", "By class", "Confusion", "Reliability", "me/mine", "0.500", "Wrong answers", "MySQLDown"):
        assert told in result.output


def test_the_gate_command_prints_the_figures(tmp_path: Path) -> None:
    data = tmp_path / "labelled.jsonl"
    data.write_text(LINE)
    result = CliRunner().invoke(app, ["gate", "--data", str(data)], env={"COLUMNS": "150"})
    assert result.exit_code == 0
    for told in ("Gate at 0.70", "none, the rules decide", "obeys the alert", "Final confidence", "routed", "ECE"):
        assert told in result.output


@pytest.mark.parametrize("command", ["rules", "gate"])
def test_a_missing_file_is_told(tmp_path: Path, command: str) -> None:
    result = CliRunner().invoke(app, [command, "--data", str(tmp_path / "absent.jsonl")])
    assert result.exit_code == 1
    assert "absent.jsonl: give another file with --data" in result.output


def test_the_rules_stay_good_on_real_alerts(shared_data: Path) -> None:
    """Floors a little below what was measured; a rule that costs more than it brings shows here."""
    answered = by_rules(load(shared_data / "routing_dev.jsonl"))
    every = [score for _, score in answered]
    clear = [score for line, score in answered if line.certainty == "clear"]
    assert accuracy(every) >= 0.96
    assert accuracy(clear) >= 0.97
    assert macro_f1(every) >= 0.92
    assert ece(every) <= 0.05
    assert _surer_is_righter(every)


def test_the_rules_stay_good_on_alerts_in_our_own_words(own: list[Labelled]) -> None:
    named = [score for _, score in by_rules([line for line in own if line.truth is not COLLAB])]
    assert accuracy(named) >= 0.96
    assert macro_f1(named) >= 0.96
    assert _surer_is_righter(named)


def test_what_tells_of_no_team_goes_to_several(own: list[Labelled]) -> None:
    vague = [score for _, score in by_rules([line for line in own if line.truth is COLLAB])]
    assert len(routed(vague)) <= 0.1 * len(vague)


def test_own_alerts_are_many_of_every_class_and_told_apart(own: list[Labelled]) -> None:
    assert len({line.id for line in own}) == len(own) >= 400
    assert min(Counter(line.truth for line in own).values()) >= 30


def test_better_models_are_trusted_more_and_what_is_let_through_is_right(own: list[Labelled]) -> None:
    for signals in Signals:
        of_same_report = [ask(own, model, signals) for model in MODELS if model.name.startswith("right")]
        loud = of_same_report[::2]
        means = [fmean(score.confidence for score in scored) for scored in loud]
        assert means == sorted(means, reverse=True)
        for scored in of_same_report:
            assert accuracy(routed(scored)) >= 0.93
            assert ece(scored) <= 0.15


def test_a_model_that_is_always_wrong_or_obeys_is_let_through_only_where_the_rules_are_as_wrong(
    own: list[Labelled],
) -> None:
    ruled = ask_rules(own)
    for model in MODELS:
        for signals in Signals if model.malign else ():
            scored = ask(own, model, signals)
            assert accuracy(scored) == 0
            assert all(rules.guess is score.guess for rules, score in zip(ruled, scored, strict=True) if score.routed)
            assert all(score.gated.guess is COLLAB for score in scored if not score.routed)


def test_no_model_makes_the_rules_decide_otherwise_than_to_ask_several(own: list[Labelled]) -> None:
    """An answer against rules that are at least half sure is COLLAB, whatever it reports and the signals say."""
    sure = {line.id: ruled.guess for line, ruled in zip(own, ask_rules(own), strict=True) if ruled.confidence >= 0.5}
    for model in MODELS:
        for signals in Signals:
            for line, scored in zip(own, ask(own, model, signals), strict=True):
                assert line.id not in sure or scored.guess is sure[line.id] or not scored.routed


def _surer_is_righter(scored: list[Scored]) -> bool:
    sure, unsure = routed(scored), [score for score in scored if not score.routed]
    return accuracy(sure) > 0.97 > accuracy(unsure)
