"""The form of a reading, and the sum of filled forms."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from openclaw_stream.vocabulary import Language
from tests.evaluation.cli import app
from tests.evaluation.dataset import INCIDENTS, OWN, NoDataError, load
from tests.evaluation.form import form
from tests.evaluation.marks import BLANK, FormError, Mark, read_form
from tests.evaluation.reading import decide, draw

HELPFUL = "marks: subject=yes team=yes act=yes mark=helpful note="


def write(path: Path, *marks: str) -> Path:
    """Write a form of some decisions, with these lines of marks."""
    first, *others = form(decide(draw([OWN, INCIDENTS], len(marks), seed=1), Language.EN)).split(f"\n{BLANK}\n")
    filled = (f"\n{line}\n{part}" for line, part in zip(marks, others, strict=True))
    path.write_text("".join((first, *filled)), encoding="utf-8")
    return path


def test_a_draw_has_equal_shares_and_is_repeatable() -> None:
    drawn = draw([OWN, INCIDENTS], 11, seed=7)
    assert sorted(dataset for dataset, _ in drawn) == ["incidents"] * 6 + ["own"] * 5
    assert len({line.id for _, line in drawn}) == 11
    assert drawn == draw([OWN, INCIDENTS], 11, seed=7) != draw([OWN, INCIDENTS], 11, seed=8)


def test_a_draw_larger_than_its_file_is_refused() -> None:
    with pytest.raises(NoDataError, match=r"incidents.jsonl has \d+ lines, 5000 are wanted"):
        draw([INCIDENTS], 5000, seed=1)


def test_a_decision_is_that_of_the_worker_without_models() -> None:
    drawn = [("incidents", line) for line in load(INCIDENTS) if line.signals]
    for language in Language:
        for reading in decide(drawn, language):
            assert reading.result.provenance.provider == "rules"
            assert reading.result.provenance.language is language
            assert reading.result.metrics == reading.line.signals


def test_the_read_command_writes_a_form_with_the_truth_at_its_end(tmp_path: Path) -> None:
    out = tmp_path / "form.md"
    options = ["--data", str(INCIDENTS), "--count", "20", "--seed", "3", "--language", "zh-TW", "--out", str(out)]
    assert CliRunner().invoke(app, ["read", *options]).exit_code == 0
    before, truth = out.read_text(encoding="utf-8").split("<details>")
    assert before.count(f"\n{BLANK}\n") == before.count("\ntitle: ") == 20
    for _, line in draw([INCIDENTS], 20, seed=3):
        assert line.id in truth
        assert line.id not in before
        assert line.alerts[0]["alertname"] in before
        assert line.expert.good_checks not in before


def test_text_of_an_alert_is_never_a_line_of_the_form(tmp_path: Path) -> None:
    alert = {"alertname": "Odd", "severity": "high", "labels": {"service": "cart"}, "annotations": {}}
    alert["message"] = f"odd\n~~~\n## 2\n{HELPFUL}\n| 2 | x | own | FE (clear) | - | - | - |"
    line = {"id": "x|1", "source": {"repo": "own"}, "alerts": [alert]}
    data = tmp_path / "hostile.jsonl"
    data.write_text(json.dumps({**line, "truth": {"responsibility": "BE", "certainty": "clear"}}), encoding="utf-8")
    path = tmp_path / "form.md"
    path.write_text(form(decide(draw([data], 1, seed=1), Language.EN)).replace(f"\n{BLANK}\n", f"\n{HELPFUL}\n"))
    assert [(each.number, each.id, each.team) for each in read_form(path)] == [(1, "x/1", "BE")]


def test_a_filled_form_is_read_with_its_truth(tmp_path: Path) -> None:
    harmful = "marks: subject=yes team=yes act=yes mark=harmful note=restarts a database"
    generic = "marks: subject=yes team=no act=no mark=generic note=fits any alert"
    path = write(tmp_path / "form.md", HELPFUL, harmful, generic, HELPFUL)
    drawn = draw([OWN, INCIDENTS], 4, seed=1)
    marked = read_form(path)
    assert [(each.dataset, each.id, each.team) for each in marked] == [(name, x.id, x.truth) for name, x in drawn]
    assert [each.mark for each in marked] == [Mark.HELPFUL, Mark.HARMFUL, Mark.GENERIC, Mark.HELPFUL]
    assert [each.note for each in marked] == ["", "restarts a database", "fits any alert", ""]


def test_the_sum_counts_marks_by_set_and_team_and_lists_the_misses(tmp_path: Path) -> None:
    beside = "marks: subject=no team=yes act=no mark=beside note=about the exporter"
    first = write(tmp_path / "first.md", HELPFUL, HELPFUL, HELPFUL, beside)
    second = write(tmp_path / "second.md", *[HELPFUL] * 4)
    result = CliRunner().invoke(app, ["read", "--sum", str(first), str(second)])
    assert result.exit_code == 0
    for text in ("7 (88%)", "1 (12%)", "incidents", "own", "Misses", "first.md", "about the exporter"):
        assert text in result.output


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (BLANK, "unmarked"),
        ("", "unmarked"),
        ("marks: helpful", "not of the form"),
        ("marks: subject=yes team=maybe act=yes mark=helpful note=", "must be yes or no"),
        ("marks: subject=yes team=yes act=yes mark=good note=", "mark must be one of helpful, generic"),
        ("marks: subject=yes team=no act=yes mark=helpful note=", "helpful if"),
        ("marks: subject=yes team=yes act=yes mark=generic note=dull", "helpful if"),
        ("marks: subject=yes team=no act=yes mark=beside note=", "must say why"),
    ],
)
def test_a_form_with_an_odd_line_is_refused_with_its_number(tmp_path: Path, line: str, fault: str) -> None:
    path = write(tmp_path / "form.md", HELPFUL, line, HELPFUL, HELPFUL)
    with pytest.raises(FormError, match=rf"has decisions to mark:\n  2: .*{fault}"):
        read_form(path)


def test_a_file_that_is_no_form_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "form.md", *[HELPFUL] * 4)
    path.write_text(path.read_text(encoding="utf-8").replace("\n## 3\n", "\n"), encoding="utf-8")
    other = tmp_path / "other.md"
    other.write_text("# Something else\n")
    for file, fault in (
        (path, "is missing: 3"),
        (other, "is no complete form"),
        (tmp_path / "absent.md", "cannot read"),
    ):
        result = CliRunner().invoke(app, ["read", "--sum", str(file)])
        assert result.exit_code == 1
        assert fault in result.output


def test_forms_and_the_sum_belong_together(tmp_path: Path) -> None:
    for arguments in (["--sum"], [str(write(tmp_path / "form.md", HELPFUL, HELPFUL))]):
        result = CliRunner().invoke(app, ["read", *arguments])
        assert result.exit_code == 2
        assert "belong together" in result.output
