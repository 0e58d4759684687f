"""Writes the table of metrics of deploy/README.md from their definitions: `python -m tests.deploy.metrics_table`."""

from openclaw_stream.telemetry.definitions import Label, MetricDefinition
from openclaw_stream.telemetry.metrics import Metrics
from tests.deploy.readme import README

BEGIN, END = "<!-- metrics: begin -->\n", "<!-- metrics: end -->\n"


def with_table(text: str, definitions: list[MetricDefinition]) -> str:
    """Return a text with the table between its two marks.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{BEGIN.strip()} … {END.strip()} is missing")
    rows = "".join(f"{_row(definition)}\n" for definition in definitions)
    return f"{before}{begin}| metric | type | labels | meaning |\n|---|---|---|---|\n{rows}{end}{after}"


def _row(definition: MetricDefinition) -> str:
    labels = "; ".join(map(_label, definition.labels))
    return f"| `{definition.name}` | {definition.kind} | {labels} | {definition.description} |"


def _label(label: Label) -> str:
    return f"`{label.name}`" + (f": {', '.join(label.values)}" if label.values else "")


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8"), Metrics().definitions), encoding="utf-8")
