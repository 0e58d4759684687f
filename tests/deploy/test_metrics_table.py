"""The table of metrics in deploy/README.md agrees with their definitions."""

import pytest

from openclaw_stream.telemetry.definitions import Label, MetricDefinition
from openclaw_stream.telemetry.metrics import Metrics
from tests.deploy.metrics_table import BEGIN, END, with_table
from tests.deploy.readme import README


def test_the_table_in_the_readme_is_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_table(text, Metrics().definitions), "run python -m tests.deploy.metrics_table"


def test_what_is_between_the_marks_is_replaced() -> None:
    definition = MetricDefinition("a_total", "counter", "Counts.", (Label("partition"), Label("x", ("y", "z"))))
    assert with_table(f"before\n{BEGIN}old\n{END}after\n", [definition]) == (
        f"before\n{BEGIN}| metric | type | labels | meaning |\n|---|---|---|---|\n"
        f"| `a_total` | counter | `partition`; `x`: y, z | Counts. |\n{END}after\n"
    )


def test_a_text_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="metrics: begin"):
        with_table("no marks\n", [])
