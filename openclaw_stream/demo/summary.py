"""The summary: a table of counts, and one published decision in full."""

from collections.abc import Iterator

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from openclaw_stream.demo.formatting import RISK_STYLES, SEVERITY_STYLES, TEAM_STYLES, printable, scope_of
from openclaw_stream.demo.totals import DemoTotals
from openclaw_stream.events.decision import Decision
from openclaw_stream.vocabulary import IncidentStatus, Responsibility, Verdict

_GATES = {
    "passed": "passed the gate",
    "rerouted": "rerouted to the team that the evidence makes likely",
    "collab": "below 70 %, so COLLAB",
}


def print_summary(console: Console, totals: DemoTotals, seconds: float) -> None:
    """Print the counts and the example decision."""
    table = Table(title=f"Results after {seconds:.0f} s", title_style="bold", show_header=False, min_width=72)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for name, count, remark in _rows(totals):
        table.add_row(name, str(count), remark)
    console.print()
    console.print(table)
    if totals.example is not None:
        console.print(_example(totals.example))


def _rows(totals: DemoTotals) -> Iterator[tuple[str, int, Text]]:
    yield (
        "alerts",
        totals.alerts,
        Text(f"{totals.firing} firing, {totals.resolved} resolved, in {totals.records} records"),
    )
    ended = totals.resolutions
    yield (
        "incidents",
        len(totals.incidents),
        Text(f"{totals.open_incidents} still open, {totals.flaps} flapped" if totals.incidents else "none"),
    )
    yield "decisions", totals.decisions.total(), _teams(totals)
    by_models = totals.decisions.total() - totals.deciders["rules"]
    deciders = ", ".join(f"{name} {count}" for name, count in totals.deciders.most_common())
    yield "model decisions", by_models, Text(f"all decisions by: {deciders}" if deciders else "")
    assumed = ended[IncidentStatus.ASSUMED_RESOLVED]
    yield (
        "resolutions",
        ended.total(),
        Text(f"{ended[IncidentStatus.RESOLVED]} resolved, {assumed} assumed resolved after silence"),
    )
    commands, refused = totals.tuning[Verdict.SAFE], totals.tuning[Verdict.REFUSED]
    advice = totals.tuning[Verdict.ADVICE]
    counts = f"{commands} safe commands, {refused} refused, {advice} advice; {totals.executed} executed"
    yield "tuning events", totals.tuning.total(), Text(counts)
    reasons = "; ".join(printable(letter.reason, 80) for letter in totals.dead_letters[:3])
    yield "dead letters", len(totals.dead_letters), Text(reasons)
    faults = list(totals.faults())
    remark = Text(f"not exactly once: {faults[0]}", "bold red") if faults else Text("each exactly once", "green")
    yield "revisions", totals.revisions, remark


def _teams(totals: DemoTotals) -> Text:
    teams = [team for team in Responsibility if totals.decisions[team]]
    return Text("  ").join(
        Text.assemble((f" {team} ", TEAM_STYLES[team]), f" {totals.decisions[team]}") for team in teams
    )


def _example(event: Decision) -> Panel:
    judgement, incident, confidence = event.decision, event.incident, event.confidence
    team = judgement.primary_responsibility
    heading = Text.assemble(
        (f" {team} ", TEAM_STYLES[team]),
        "  ",
        (incident.severity, SEVERITY_STYLES[incident.severity]),
        ("  ", ""),
        (printable(judgement.action_title), "bold"),
    )
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column(overflow="fold")
    for name, text in _details(event):
        if text:
            lines.add_row(name, text)
    gate = _GATES.get(confidence.gate, _GATES["passed"])
    sources = f"reported {confidence.reported:.0%}, evidence {confidence.evidence:.0%}"
    lines.add_row("confidence", Text(f"{confidence.final:.0%} ({sources}; {gate})"))
    return Panel(Group(heading, Text(), lines), title="example decision", title_align="left", expand=False, width=None)


def _details(event: Decision) -> Iterator[tuple[str, Text]]:
    judgement, incident, radius = event.decision, event.incident, event.decision.blast_radius
    names = ", ".join(f"{printable(name, 60)} ({count})" for name, count in incident.alert_names.items())
    yield "incident", Text(f"{scope_of(incident)}, revision {event.revision}: {names}")
    yield "description", Text("\n".join(map(printable, judgement.description.splitlines())))
    yield "reasoning", Text(printable(judgement.reasoning))
    yield "command", Text(printable(judgement.kubectl_command), "bold green")
    yield "reason", Text(printable(judgement.command_reason))
    yield (
        "action",
        Text.assemble(judgement.suggested_action, ", risk ", (judgement.risk_level, RISK_STYLES[judgement.risk_level])),
    )
    yield (
        "blast radius",
        Text(f"downtime {printable(radius.estimated_downtime) or 'unknown'}, data impact {radius.data_impact.lower()}"),
    )
    advice = "; ".join(printable(item.kubectl_or_config) for item in judgement.optimization_suggestions)
    yield "tuning", Text(advice)
    provenance = event.provenance
    yield "decided by", Text(f"{provenance.provider} {provenance.model or provenance.rules_version}")
