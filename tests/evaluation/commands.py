"""The commands that labelled alerts give: published with their reasons, or refused, by the rules, tuning and models."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from openclaw_stream.arbitration.kubectl import Kind, Verb
from openclaw_stream.arbitration.remedies.resources import SCALABLE, WORKLOAD_KINDS, ResourceRef, evidence_resources
from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.tuning.suggestions import tuning_suggestions
from openclaw_stream.arbitration.validation.validator import validate
from openclaw_stream.events.decision import GoldenSignals, Judgement, Validation
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Action, Language, Responsibility
from tests.arbitration.remedies.quotes import quotes_in, quotes_not_found
from tests.builders import POD
from tests.evaluation.dataset import Labelled

_RESOURCES_MAX = 4
_SIZES = {"replicas": 3, "memory_limit_bytes": 2**29, "cpu_limit_cores": 1}
_ANY = re.compile(r"“[^”]*”|\b[\w.-]+/[\w.-]+|(?<![\w-])\d[\w.]*|(?<=container )\S+|(?<=pod )\S+")
_PATCHES = {
    Kind.HPA: '{"spec":{"maxReplicas":20}}',
    Kind.DEPLOYMENT: '{"spec":{"replicas":6}}',
    Kind.STATEFULSET: '{"spec":{"replicas":6}}',
}


@dataclass(slots=True)
class CommandReport:
    """What became of commands: published ones as (source, command, reason), refused ones counted by verb and why."""

    published: list[tuple[str, str, str]] = field(default_factory=list)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    proposed: Counter[tuple[str, str]] = field(default_factory=Counter)
    unfounded: list[tuple[str, str]] = field(default_factory=list)

    def add_published(self, source: str, command: str, reason: str, case: Case, signals: GoldenSignals | None) -> None:
        """Record a published command; its reason must quote, and all its quotes must stand in the evidence."""
        self.published.append((source, command, reason))
        if not quotes_in(reason) or quotes_not_found(reason, case, signals):
            self.unfounded.append((command, reason))

    def add_refused(self, validation: Validation) -> None:
        """Count the refusals of a validation, without the names and numbers in them."""
        for each in validation.rejected_commands:
            self.refused[_verb(each.command), _ANY.sub("…", each.reason)] += 1


def report_commands(lines: Iterable[Labelled]) -> CommandReport:
    """Decide labelled alerts by the rules, and validate a model's command of every verb for each of their workloads."""
    report = CommandReport()
    for line in lines:
        for language in Language:
            _add_rules(report, line, language)
        placed = _with_workload(line.case)
        for command in scripted_commands(placed):
            _add_model(report, placed, line, command)
    return report


def scripted_commands(case: Case) -> Iterator[str]:
    """Yield commands of every verb for the first resources of a case, with numbers as a model might guess them."""
    for resource in evidence_resources(case).resources[:_RESOURCES_MAX]:
        if resource.namespace:
            yield from (f"kubectl {each} -n {resource.namespace}" for each in _on(resource))


def _on(resource: ResourceRef) -> Iterator[str]:
    target = resource.target
    if resource.kind is Kind.POD:
        yield f"delete {target}"
    if resource.kind in WORKLOAD_KINDS:
        yield from (f"rollout restart {target}", f"rollout undo {target}")
        for amount in ("memory=1Gi", "cpu=2"):
            yield f"set resources {target} --containers=app --limits={amount}"
    if resource.kind in SCALABLE:
        for low, high in ((2, 4), (3, 6)):
            yield f"scale {target} --replicas={high} --current-replicas={low}"
            yield f"autoscale {target} --min={low} --max={high} --cpu=70%"
    if resource.kind in _PATCHES:
        yield f"patch {target} --patch='{_PATCHES[resource.kind]}'"


def show_commands(console: Console, report: CommandReport, *, only_counts: bool) -> None:
    """Print the commands by verb, unless `only_counts` with their reasons, and why others were refused."""
    counted = Counter((_verb(command), source) for source, command, _ in report.published)
    table = Table("verb", "source", "proposed", "published", title="Commands")
    for verb, source in sorted({*report.proposed, *counted}):
        table.add_row(verb, source, f"{report.proposed[verb, source]}", f"{counted[verb, source]}")
    console.print(table)
    if not only_counts:
        for (source, command, reason), count in Counter(report.published).most_common():
            console.print(f"{count} times by {source}: [bold]{escape(command)}[/bold]\n    {escape(reason)}")
    refusals = Table("verb", "refused because", "count", title="Refused")
    for (verb, why), count in report.refused.most_common():
        refusals.add_row(verb, escape(why), f"{count}")
    console.print(refusals)
    console.print(f"reasons not found in their evidence: {len(report.unfounded)}")
    for command, reason in report.unfounded:
        console.print(f"    {escape(command)}: {escape(reason)}")


def _add_rules(report: CommandReport, line: Labelled, language: Language) -> None:
    judgement, validation = validate(judge(line.case, language, line.signals), line.case, line.signals, language)
    report.add_refused(validation)
    if judgement.kubectl_command:
        _count(report, "rules", judgement.kubectl_command, judgement.command_reason, line)
    for each in tuning_suggestions(judgement, line.case, line.signals, language):
        if each.command_reason:
            _count(report, "tuning", each.kubectl_or_config, each.command_reason, line)


def _count(report: CommandReport, source: str, command: str, reason: str, line: Labelled) -> None:
    report.proposed[_verb(command), source] += 1
    report.add_published(source, command, reason, line.case, line.signals)


def _add_model(report: CommandReport, case: Case, line: Labelled, command: str) -> None:
    proposed = Judgement(
        action_title="A model's answer",
        kubectl_command=command,
        suggested_action=Action.RESTART_DEPLOYMENT,  # validation changes it to that of the command
        primary_responsibility=Responsibility.BE,
        confidence=0.9,
    )
    report.proposed[_verb(command), "models"] += 1
    judgement, validation = validate(proposed, case, line.signals, Language.EN)
    report.add_refused(validation)
    if judgement.suggested_action is not Action.NO_ACTION:
        report.add_published("models", judgement.kubectl_command, judgement.command_reason, case, line.signals)


def _with_workload(case: Case) -> Case:
    """Return the case with a workload and its sizes, where its alerts name none to command."""
    if any(each.kind in WORKLOAD_KINDS and each.namespace for each in evidence_resources(case).resources):
        return case
    labels = {"namespace": "shop", "deployment": "checkout", "pod": POD, "container": "app"}
    exemplars = (
        replace(each, namespace="shop", labels={**each.labels, **labels}, metrics={**_SIZES, **each.metrics})
        for each in case.exemplars
    )
    return replace(case, namespace="shop", exemplars=tuple(exemplars))


def _verb(command: str) -> str:
    words = command.split()
    two = " ".join(words[1:3])
    return two if two in frozenset(Verb) else words[1]
