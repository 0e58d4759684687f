from collections import Counter
from pathlib import Path
from statistics import fmean

import pytest
from typer.testing import CliRunner

from openclaw_stream.arbitration.gate import CONFIDENCE_MAX
from openclaw_stream.events.size_limit import EVENT_BYTES
from openclaw_stream.vocabulary import Language, Responsibility
from tests.evaluation.cli import app, by_rules
from tests.evaluation.dataset import OWN, Labelled, load
from tests.evaluation.measures import Scored, accuracy, ece, macro_f1, routed
from tests.evaluation.reading import decide
from tests.evaluation.simulated import MODELS, PARROT, RIGHT_IN_85, Signals, score_model, score_rules
from tests.evaluation.sizes import decision_events, event_size

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
    for text in ("Scores", "By class", "Confusion", "Reliability", "me/mine", "0.500", "Wrong answers", "MySQLDown"):
        assert text in result.output


def test_the_gate_command_prints_the_figures(tmp_path: Path) -> None:
    data = tmp_path / "labelled.jsonl"
    data.write_text(LINE)
    result = CliRunner().invoke(app, ["gate", "--data", str(data)], env={"COLUMNS": "150"})
    assert result.exit_code == 0
    for text in ("Gate at 0.70", "none, the rules decide", "obeys the alert", "Final confidence", "routed", "ECE"):
        assert text in result.output


def test_the_sizes_command_prints_the_bytes_of_events(tmp_path: Path) -> None:
    data = tmp_path / "labelled.jsonl"
    data.write_text(LINE * 3)
    result = CliRunner().invoke(app, ["sizes", "--data", str(data)])
    assert result.exit_code == 0
    for text in ("3 decisions in zh-TW", "3 decisions in en", "an event", "before", "median", "p99"):
        assert text in result.output


def test_no_event_of_the_own_alerts_is_over_the_limit(own: list[Labelled]) -> None:
    readings = decide([("own", line) for line in own[::9]], Language.ZH_TW)
    sizes = [event_size(event) for event in decision_events(readings)]
    assert len(sizes) == len(readings) > 50
    assert all(each.without < each.published < EVENT_BYTES for each in sizes)


@pytest.mark.parametrize("command", ["rules", "gate", "sizes"])
def test_a_missing_file_is_reported(tmp_path: Path, command: str) -> None:
    result = CliRunner().invoke(app, [command, "--data", str(tmp_path / "absent.jsonl")])
    assert result.exit_code == 1
    assert "absent.jsonl: give another file with --data" in result.output


def test_the_rules_keep_their_scores_on_public_alerts(shared_data: Path) -> None:
    """The minimums are slightly below the measured scores, so that a harmful rule change fails."""
    scored_lines = by_rules(load(shared_data / "routing_dev.jsonl"))
    every = [score for _, score in scored_lines]
    clear = [score for line, score in scored_lines if line.certainty == "clear"]
    assert accuracy(every) >= 0.96
    assert accuracy(clear) >= 0.97
    assert macro_f1(every) >= 0.92
    assert ece(every) <= 0.05
    assert _routed_answers_are_better(every)


def test_the_rules_keep_their_scores_on_own_alerts(own: list[Labelled]) -> None:
    named = [score for _, score in by_rules([line for line in own if line.truth is not COLLAB])]
    assert accuracy(named) >= 0.96
    assert macro_f1(named) >= 0.96
    assert _routed_answers_are_better(named)


def test_vague_alerts_are_routed_to_several_teams(own: list[Labelled]) -> None:
    vague = [score for _, score in by_rules([line for line in own if line.truth is COLLAB])]
    assert len(routed(vague)) <= 0.1 * len(vague)


def test_own_alerts_have_unique_ids_and_enough_of_every_class(own: list[Labelled]) -> None:
    assert len({line.id for line in own}) == len(own) >= 400
    assert min(Counter(line.truth for line in own).values()) >= 30


@pytest.mark.slow
def test_better_models_get_more_confidence_and_routed_answers_are_right(own: list[Labelled]) -> None:
    for signals in Signals:
        scored_models = [score_model(own, model, signals) for model in MODELS if model.name.startswith("right")]
        confident = scored_models[::2]
        means = [fmean(score.confidence for score in scored) for scored in confident]
        assert means == sorted(means, reverse=True)
        for scored in scored_models:
            assert accuracy(routed(scored)) >= 0.93
            assert ece(scored) <= 0.15


@pytest.mark.slow
def test_a_model_costs_the_rules_next_to_nothing(shared_data: Path) -> None:
    """The targets of the gate, on public alerts: right and routed answers with good, bad and copying models."""
    lines = load(shared_data / "routing_dev.jsonl")
    by_rules_routed = routed(score_rules(lines))
    good, parrot = (score_model(lines, model, Signals.NONE) for model in (RIGHT_IN_85, PARROT))
    assert len(routed(good)) >= 560
    assert accuracy(routed(good)) >= 0.985
    assert len(routed(parrot)) >= 0.98 * len(by_rules_routed)
    assert _right(routed(parrot)) >= 0.98 * _right(by_rules_routed)
    assert max(ece(good), ece(parrot)) <= 0.05
    assert max(score.confidence for score in (*good, *parrot)) <= CONFIDENCE_MAX


@pytest.mark.slow
def test_a_malicious_model_is_routed_only_if_the_rules_are_wrong_too(own: list[Labelled]) -> None:
    ruled = score_rules(own)
    for model in MODELS:
        for signals in Signals if model.malicious else ():
            scored = score_model(own, model, signals)
            assert all(rules.guess is score.guess for rules, score in zip(ruled, scored, strict=True) if score.routed)
            assert _right(routed(scored)) >= 0.85 * _right(routed(ruled)), "the rules' right answers stay"


def _right(scored: list[Scored]) -> int:
    return sum(score.right for score in scored)


@pytest.mark.slow
def test_no_model_overrules_confident_rules(own: list[Labelled]) -> None:
    """An answer against rules with a confidence of 0.5 is COLLAB for any reported confidence and any signals."""
    confident = {
        line.id: answer.guess for line, answer in zip(own, score_rules(own), strict=True) if answer.confidence >= 0.5
    }
    for model in MODELS:
        for signals in Signals:
            for line, scored in zip(own, score_model(own, model, signals), strict=True):
                assert line.id not in confident or scored.guess is confident[line.id] or not scored.routed


def _routed_answers_are_better(scored: list[Scored]) -> bool:
    others = [score for score in scored if not score.routed]
    return accuracy(routed(scored)) > 0.97 > accuracy(others)
