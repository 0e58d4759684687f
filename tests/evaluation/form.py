"""The form of a reading: Markdown with each decision beside its alerts, a line for marks, and the truth at the end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from openclaw_stream.arbitration.kubectl import looks_like_command
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.events.decision import Judgement, Suggestion
from openclaw_stream.incidents.case import Case
from openclaw_stream.text import safe_text
from tests.evaluation.marks import BLANK
from tests.evaluation.reading import Reading

_VALUE_MAX = 2000
_CELL_MAX = 300
_INDENT = 15

_HEAD = f"""# Decisions to read

Read each decision as the engineer on call: the alerts as sent, then what the ticket says. Fill in the line of marks.
Open the truth at the end only when all are marked.

- `subject`: `yes` if the ticket is about the right object, else `no`.
- `team`: `yes` if this team should get it, else `no`.
- `act`: `yes` if it has a cause, or a first check, on which you would act. "Cause unknown" counts where it quotes the
  alert and gives three checks that fit.
- `mark`: `helpful` if all three are `yes`; `harmful` if a command or advice would make it worse, whatever else is
  right; else `generic` if it would fit any alert, or `beside` if it misses the point.
- `note`: why, in a few words; required for every mark but `helpful`.

An unmarked line is `{BLANK}`
"""


def form(readings: Sequence[Reading]) -> str:
    """Return the form of some decisions."""
    parts = [_HEAD]
    for number, reading in enumerate(readings, start=1):
        parts += [f"## {number}", _block(_alert_lines(reading)), _block(_ticket_lines(reading)), BLANK, ""]
    return "\n".join([*parts, _truth(readings)])


def _block(lines: Iterable[str]) -> str:
    return "\n".join(("~~~text", *lines, "~~~", ""))


def _entry(key: str, value: object) -> str:
    """Return a line of a block; further lines of the value are indented, so that none is taken for the form's own."""
    text = safe_text(str(value), _VALUE_MAX)
    return f"{key + ':':<{_INDENT - 1}} " + text.replace("\n", "\n" + " " * _INDENT)


def _alert_lines(reading: Reading) -> Iterator[str]:
    for alert in reading.line.alerts:
        yield _entry("alert", f"{alert['alertname']} ({alert['severity']}, {alert.get('status', 'firing')})")
        for key in ("message", "annotations", "labels", "metrics", "generator_url"):
            yield from _field_lines(key, alert.get(key))
    if reading.line.signals:
        yield _entry("signals", reading.line.signals.model_dump_json(exclude_none=True))


def _field_lines(key: str, value: str | Mapping[str, Any] | None) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield _entry(f"  {key}", value)
    elif value and key == "annotations":
        yield from (_entry(f"  {name}", text) for name, text in dict(value).items())
    elif value:
        yield _entry(f"  {key}", "; ".join(f"{name}={text}" for name, text in dict(value).items()))


def _ticket_lines(reading: Reading) -> Iterator[str]:
    result = reading.result
    judgement = result.judgement
    yield _entry("title", judgement.action_title)
    yield _entry("team", _team(result))
    yield _entry("subject", _subject(reading.line.case, judgement))
    yield _entry("description", judgement.description)
    if judgement.kubectl_command:
        yield _entry("command", judgement.kubectl_command)
        yield _entry("  reason", judgement.command_reason or "(none)")
        yield _entry("  risk", f"{judgement.risk_level}, {judgement.suggested_action}")
    own = judgement.optimization_suggestions
    for key, suggestions in (("advice", own), ("tuning", [each for each in result.suggestions if each not in own])):
        for suggestion in suggestions:
            yield from _suggestion_lines(key, suggestion)


def _team(result: ArbitrationResult) -> str:
    others = "".join(f", then {team}" for team in result.judgement.secondary_teams)
    return f"{result.judgement.primary_responsibility}{others}; confidence {result.confidence.final:.2f}"


def _subject(case: Case, judgement: Judgement) -> str:
    kind, namespace, name = case.subject
    inside = f" in {namespace}" if namespace else ""
    target = f"; target {judgement.target_resource}" if judgement.target_resource else ""
    return f"{kind}/{name}{inside}{target}"


def _suggestion_lines(key: str, suggestion: Suggestion) -> Iterator[str]:
    yield _entry(key, f"[{suggestion.type}] {suggestion.description}")
    if looks_like_command(suggestion.kubectl_or_config):
        yield _entry("  command", suggestion.kubectl_or_config)
        yield _entry("  reason", suggestion.command_reason or "(none)")
    elif suggestion.kubectl_or_config:
        yield _entry("  config", suggestion.kubectl_or_config)


def _truth(readings: Sequence[Reading]) -> str:
    rows = [_row(number, reading) for number, reading in enumerate(readings, start=1)]
    heading = ("number", "id", "set", "team", "subject", "cause", "good first checks")
    table = "\n".join((_cells(heading), _cells("---" for _ in heading), *map(_cells, rows)))
    return f"<details><summary>The truth: open it when all are marked</summary>\n\n{table}\n\n</details>\n"


def _row(number: int, reading: Reading) -> tuple[str, ...]:
    line = reading.line
    return (str(number), line.id, reading.dataset, f"{line.truth} ({line.certainty})", *_expert(reading))


def _expert(reading: Reading) -> tuple[str, ...]:
    expert = reading.line.expert
    return tuple(text or "-" for text in (expert.subject, expert.cause, expert.good_checks))


def _cells(texts: Iterable[str]) -> str:
    return "| " + " | ".join(safe_text(text, _CELL_MAX, one_line=True).replace("|", "/") for text in texts) + " |"
