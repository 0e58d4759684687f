"""Zero-trust validation: whoever judged, only what the evidence and the grammar bear out is passed on.

What fails on meaning is dropped and reported while the judgement stands:

- A command is read by the kubectl grammar, must be about a workload the alerts name, in that workload's namespace, and
  is written anew from its parts. A command without a namespace gets the one the alerts tell, if they tell one.
- The action says what the command does. The command, which was checked, decides, but of "no action" and a command
  the milder one holds: the command is dropped. A refused command leaves no action; an action for which no command was
  offered stays.
- Target and namespace are the command's; without one they must be within the evidence.
- A suggestion whose text is a command is held to the same rules, and keeps its description without it.
- Risk has a floor, suggestions included: deleting, or destroying data, is critical; whatever restarts pods or changes
  their number, which every command of the grammar does, is medium at least.

Prose is prose: a command in a description or a reasoning is left where it is, and reported as not checked.
"""

from dataclasses import dataclass, field

from openclaw_stream.arbitration.kubectl import Command, RefusedCommand, kind_of, looks_like_command, parse
from openclaw_stream.arbitration.validation.workloads import Workloads, workloads_of
from openclaw_stream.events.decision import BlastRadius, Judgement, RejectedCommand, Suggestion, Validation
from openclaw_stream.incidents.case import Case
from openclaw_stream.text.display import clean, visible
from openclaw_stream.vocabulary import Action, DataImpact, Responsibility, Risk, TuningType

_PODS_MAX = 10_000
_NAME_MAX = 253
_COMMAND_MAX = 1000
_REASON_MAX = 500
_WARNINGS_MAX = 32
_NO_COMMAND = {"", "-", "n/a", "na", "nil", "none", "null", "no", "無"}
_RANKS = {Risk.LOW: 0, Risk.MEDIUM: 1, Risk.CRITICAL: 2}
_TUNING_TYPES = {
    Action.SCALE_DEPLOYMENT: TuningType.SCALE,
    Action.APPLY_HPA: TuningType.HPA,
    Action.TUNE_RESOURCES: TuningType.RESOURCE_LIMIT,
    Action.RESTART_DEPLOYMENT: TuningType.RESTART,
    Action.DELETE_POD: TuningType.RESTART,
}
_TEXTS = (
    "action_title",
    "description",
    "responsibility_reasoning",
    "reasoning",
    "deviation_analysis",
    "signoz_correlation",
)


def validate(judgement: Judgement, case: Case) -> tuple[Judgement, Validation]:
    """Return the judgement with only what the evidence bears out, and what was changed or refused."""
    check = _Check(workloads_of(case))
    command = check.command(judgement)
    namespace = check.namespace(judgement, command)
    action = check.action(judgement, command)
    suggestions = check.suggestions(judgement.optimization_suggestions, namespace)
    changes = {
        **{name: clean(getattr(judgement, name), _limit(Judgement, name)) for name in _TEXTS},
        "suggested_action": action,
        "kubectl_command": command.render() if command else "",
        "target_resource": command.target if command else check.target(judgement.target_resource),
        "namespace": namespace,
        "risk_level": check.risk(judgement, {action, *check.suggested}),
        "blast_radius": check.blast_radius(judgement.blast_radius),
        "secondary_teams": _teams(judgement),
        "optimization_suggestions": suggestions,
        "affected_services": _names(judgement.affected_services),
    }
    check.prose(judgement)
    return Judgement.model_validate({**dict(judgement), **changes}), check.report()


def admit(text: str, workloads: Workloads, namespace: str = "") -> Command:
    """Read a command and hold it against the evidence; it comes back with its namespace.

    Args:
        text: The command as it was proposed.
        workloads: What the alerts name.
        namespace: The judgement's own, preferred where the command gives none and the alerts tell of several.

    Raises:
        RefusedCommand: The grammar refuses it, or it is about something the alerts do not name.
    """
    command = parse(text.strip(" \t\r\n"))
    named = workloads.namespaces_of(command.kind, command.name)
    if not named:
        raise RefusedCommand(f"{command.target} is not among the workloads that the alerts name")
    if command.namespace:
        if command.namespace not in named:
            raise RefusedCommand(f"the alerts do not place {command.target} in the namespace {command.namespace}")
        return command
    known = named - {""}
    if namespace in known:
        return command.within(namespace)
    if len(known) != 1:
        told = "several namespaces" if known else "no namespace"
        raise RefusedCommand(f"it gives no namespace, and the alerts name {told} for {command.target}")
    return command.within(next(iter(known)))


@dataclass(slots=True)
class _Check:
    """One validation under way: the evidence, and what is reported so far."""

    workloads: Workloads
    rejected: list[RejectedCommand] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    suggested: list[Action] = field(default_factory=list)

    def command(self, judgement: Judgement) -> Command | None:
        text = judgement.kubectl_command
        if text.strip().lower() in _NO_COMMAND:
            return None
        command = self._admitted(text, judgement.namespace)
        if command and judgement.suggested_action is Action.NO_ACTION:
            self._reject(text, "the judgement itself suggests no action")
            return None
        return command

    def action(self, judgement: Judgement, command: Command | None) -> Action:
        said = judgement.suggested_action
        if command is None:
            if said is Action.NO_ACTION or not self.rejected:
                return said
            self._warn(f"suggested_action {said} is NO_ACTION now: its command was refused")
            return Action.NO_ACTION
        if said is not command.action:
            self._warn(f"suggested_action {said} is {command.action} now: that is what the command does")
        return command.action

    def namespace(self, judgement: Judgement, command: Command | None) -> str:
        said = judgement.namespace.strip()
        if said and said not in self.workloads.namespaces:
            self._warn(f"namespace {visible(said, 80)} is dropped: the alerts do not name it")
            said = ""
        return command.namespace if command else clean(said, _NAME_MAX)

    def target(self, text: str) -> str:
        """Return KIND/NAME in full if the alerts name it; a bare name gets the kind the alerts tell."""
        said = "/".join(text.split())
        word, _, name = said.rpartition("/")
        kind = kind_of(word)
        if said.lower() in _NO_COMMAND:
            return ""
        if kind and self.workloads.namespaces_of(kind, name):
            return f"{kind}/{name}"
        if not kind and name in self.workloads.names and (not word or (word.isascii() and word.isalpha())):
            told = word.lower() or self.workloads.word_for(name)
            return clean(f"{told}/{name}", _limit(Judgement, "target_resource"))
        self._warn(f"target_resource {visible(text, 120)} is dropped: the alerts do not name it")
        return ""

    def risk(self, judgement: Judgement, actions: set[Action]) -> Risk:
        destroys = judgement.blast_radius.data_impact is DataImpact.DESTRUCTIVE
        if Action.DELETE_POD in actions or destroys:
            floor = Risk.CRITICAL
        else:
            floor = Risk.LOW if actions == {Action.NO_ACTION} else Risk.MEDIUM
        if _RANKS[judgement.risk_level] < _RANKS[floor]:
            self._warn(f"risk_level {judgement.risk_level} is {floor} now: the remedy allows no less")
            return floor
        return judgement.risk_level

    def blast_radius(self, said: BlastRadius) -> BlastRadius:
        pods = said.affected_pods
        if pods > _PODS_MAX:
            self._warn(f"affected_pods is dropped: it is above {_PODS_MAX}")
            pods = 0
        return BlastRadius(
            affected_pods=pods,
            estimated_downtime=clean(said.estimated_downtime, _limit(BlastRadius, "estimated_downtime")),
            related_services=_names(said.related_services),
            data_impact=said.data_impact,
        )

    def suggestions(self, said: list[Suggestion], namespace: str) -> list[Suggestion]:
        checked = [self._suggestion(suggestion, namespace) for suggestion in said]
        return [suggestion for suggestion in checked if suggestion.description or suggestion.kubectl_or_config]

    def _suggestion(self, said: Suggestion, namespace: str) -> Suggestion:
        description = clean(said.description, _limit(Suggestion, "description"))
        if not looks_like_command(said.kubectl_or_config):
            config = clean(said.kubectl_or_config, _limit(Suggestion, "kubectl_or_config"))
            return Suggestion(type=said.type, description=description, kubectl_or_config=config)
        command = self._admitted(said.kubectl_or_config, namespace)
        if command is None:
            return Suggestion(type=said.type, description=description)
        self.suggested.append(command.action)
        kind = _TUNING_TYPES[command.action]
        if kind is not said.type:
            self._warn(f"a suggestion of type {said.type} is {kind} now: that is what its command does")
        return Suggestion(type=kind, description=description, kubectl_or_config=command.render())

    def prose(self, judgement: Judgement) -> None:
        """Report commands in prose, where they are neither checked nor removed."""
        prose = {name: getattr(judgement, name) for name in _TEXTS}
        prose["optimization_suggestions"] = " ".join(each.description for each in judgement.optimization_suggestions)
        named = [name for name, text in prose.items() if "kubectl" in text.lower()]
        if named:
            self._warn(f"prose names kubectl, which was not checked there: {', '.join(named)}")

    def report(self) -> Validation:
        return Validation(rejected_commands=self.rejected, warnings=self.warnings[:_WARNINGS_MAX])

    def _admitted(self, text: str, namespace: str) -> Command | None:
        try:
            return admit(text, self.workloads, namespace)
        except RefusedCommand as refused:
            self._reject(text, str(refused))
            return None

    def _reject(self, text: str, reason: str) -> None:
        self.rejected.append(RejectedCommand(command=visible(text, _COMMAND_MAX), reason=visible(reason, _REASON_MAX)))

    def _warn(self, warning: str) -> None:
        self.warnings.append(warning)


def _teams(judgement: Judgement) -> list[Responsibility]:
    """Return the other teams once each; COLLAB is no team."""
    without = {judgement.primary_responsibility, Responsibility.COLLAB}
    return [team for team in dict.fromkeys(judgement.secondary_teams) if team not in without]


def _names(said: list[str]) -> list[str]:
    return [name for name in dict.fromkeys(clean(name, _NAME_MAX) for name in said) if name]


def _limit(model: type[Judgement | Suggestion | BlastRadius], name: str) -> int:
    """Return the longest text a field of a model takes."""
    return next(int(limit.max_length) for limit in model.model_fields[name].metadata if hasattr(limit, "max_length"))
