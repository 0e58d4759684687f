"""What is told at the end: a table of counts, and one decision as it was published."""

from collections.abc import Iterator

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from openclaw_stream.demo.look import RISK_STYLES, SEVERITY_STYLES, TEAM_STYLES, printable, scope_of
from openclaw_stream.demo.tally import Tally
from openclaw_stream.events.decision import Decision
from openclaw_stream.vocabulary import IncidentStatus, Responsibility, Verdict


def print_summary(console: Console, tally: Tally, seconds: float) -> None:
    """Print the counts and the decision that shows most."""
    table = Table(title=f"What became of it in {seconds:.0f} s", title_style="bold", show_header=False, min_width=72)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for name, count, remark in _rows(tally):
        table.add_row(name, str(count), remark)
    console.print()
    console.print(table)
    if tally.best is not None:
        console.print(_specimen(tally.best))


def _rows(tally: Tally) -> Iterator[tuple[str, int, Text]]:
    yield "alerts", tally.alerts, Text(f"{tally.firing} firing, {tally.resolved} resolved, in {tally.records} records")
    ended = tally.resolutions
    yield (
        "incidents",
        len(tally.incidents),
        Text(f"{tally.open_incidents} still open, {tally.flaps} flapped" if tally.incidents else "none"),
    )
    yield "decisions", tally.decisions.total(), _teams(tally)
    asked = tally.decisions.total() - tally.deciders["rules"]
    yield "by models", asked, Text(", ".join(f"{name} {count}" for name, count in tally.deciders.most_common()))
    assumed = ended[IncidentStatus.ASSUMED_RESOLVED]
    yield (
        "resolutions",
        ended.total(),
        Text(f"{ended[IncidentStatus.RESOLVED]} resolved, {assumed} assumed after silence"),
    )
    commands, refused = tally.tuning[Verdict.SAFE], tally.tuning[Verdict.REFUSED]
    advice = tally.tuning[Verdict.ADVICE]
    told = f"{commands} safe commands, {refused} refused, {advice} advice; {tally.executed} executed"
    yield "tuning events", tally.tuning.total(), Text(told)
    reasons = "; ".join(printable(letter.reason, 80) for letter in tally.dead_letters[:3])
    yield "dead letters", len(tally.dead_letters), Text(reasons)
    faults = list(tally.faults())
    remark = Text(f"not exactly once: {faults[0]}", "bold red") if faults else Text("each exactly once", "green")
    yield "revisions", tally.revisions, remark


def _teams(tally: Tally) -> Text:
    seen = [team for team in Responsibility if tally.decisions[team]]
    return Text("  ").join(
        Text.assemble((f" {team} ", TEAM_STYLES[team]), f" {tally.decisions[team]}") for team in seen
    )


def _specimen(event: Decision) -> Panel:
    judgement, incident, sure = event.decision, event.incident, event.confidence
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
    gate = "passed the gate" if sure.gate == "passed" else "below 70 %, so several teams"
    confidence = f"{sure.final:.0%} (reported {sure.reported:.0%}, evidence {sure.evidence:.0%}; {gate})"
    lines.add_row("confidence", Text(confidence))
    return Panel(Group(heading, Text(), lines), title="one decision", title_align="left", expand=False, width=None)


def _details(event: Decision) -> Iterator[tuple[str, Text]]:
    judgement, incident, radius = event.decision, event.incident, event.decision.blast_radius
    names = ", ".join(f"{printable(name, 60)} ({count})" for name, count in incident.alert_names.items())
    yield "incident", Text(f"{scope_of(incident)}, revision {event.revision}: {names}")
    yield "what", Text(printable(judgement.description))
    yield "why", Text(printable(judgement.reasoning))
    yield "command", Text(printable(judgement.kubectl_command), "bold green")
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
