"""Zero-trust validation: a judgement, of a model or of the rules, keeps only what evidence and grammar confirm.

Values that fail validation are removed and reported; the rest of the judgement stays:

- A command must parse under the kubectl grammar and be about a resource that the alerts name, in that resource's
  namespace. It is rendered from its parsed parts. A command without a namespace gets that of the alerts,
  if it is known.
- The evidence must ask for the command (`remedies`): what asks for it is its published reason. A reason that a model
  gives counts for nothing.
- The action must match the command. If they differ, the action is changed, except that NO_ACTION removes the command.
  If the command is refused, the action becomes NO_ACTION; an action without a command stays.
- Target and namespace are those of the command; without a command they must be in the evidence.
- A command in an optimization suggestion is checked in the same way; if it is refused, the description stays.
- Risk has a minimum, which includes the suggestions: critical for deleting a pod or destroying data, medium for any
  other command, because all of them restart pods or change their number.

Commands in prose fields are neither checked nor removed; a warning reports them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from openclaw_stream.arbitration.kubectl import Command, RefusedCommand, kind_of, looks_like_command, parse
from openclaw_stream.arbitration.remedies import reason_for, responsible_team
from openclaw_stream.arbitration.remedies.resources import EvidenceResources, evidence_resources
from openclaw_stream.events.decision import (
    BlastRadius,
    GoldenSignals,
    Judgement,
    RejectedCommand,
    Suggestion,
    Validation,
)
from openclaw_stream.incidents.case import Case
from openclaw_stream.text import Hidden, safe_text
from openclaw_stream.vocabulary import Action, DataImpact, Language, Responsibility, Risk, TuningType

_AFFECTED_PODS_MAX = 10_000
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


def validate(
    judgement: Judgement, case: Case, metrics: GoldenSignals | None, language: Language
) -> tuple[Judgement, Validation]:
    """Return the judgement with only the values that the evidence confirms, and a report of changes and refusals.

    Args:
        judgement: The judgement of a model or of the rules.
        case: The alerts.
        metrics: The golden signals, None without any.
        language: The language of the reasons for commands.
    """
    team = responsible_team(judgement)
    check = _Check(evidence_resources(case), lambda command: reason_for(command, case, metrics, language, team))
    check.warnings += dict.fromkeys(warning for each in case.exemplars for warning in each.warnings)
    command, reason = check.command(judgement)
    namespace = check.namespace(judgement, command)
    action = check.action(judgement, command)
    suggestions = check.suggestions(judgement.optimization_suggestions, namespace)
    changes = {
        **{name: safe_text(getattr(judgement, name), _limit(Judgement, name)) for name in _TEXTS},
        "suggested_action": action,
        "kubectl_command": command.render() if command else "",
        "command_reason": reason,
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


def check_command(text: str, resources: EvidenceResources, namespace: str = "") -> Command:
    """Parse a command, check it against the evidence, and return it with its namespace.

    Args:
        text: The proposed command.
        resources: The resources that the alerts name.
        namespace: The judgement's namespace, for a command without one whose resource is in several namespaces.

    Raises:
        RefusedCommand: The command is outside the grammar, or the alerts do not name its resource or namespace.
    """
    command = parse(text.strip(" \t\r\n"))
    namespaces = resources.namespaces_of(command.kind, command.name)
    if not namespaces:
        raise RefusedCommand(f"the alerts do not name {command.target}")
    if command.namespace:
        if command.namespace not in namespaces:
            raise RefusedCommand(f"the alerts do not name {command.target} in namespace {command.namespace}")
        return command
    known = namespaces - {""}
    if namespace in known:
        return command.in_namespace(namespace)
    if len(known) != 1:
        found = "several namespaces" if known else "no namespace"
        raise RefusedCommand(f"the command has no namespace, and the alerts name {found} for {command.target}")
    return command.in_namespace(next(iter(known)))


@dataclass(slots=True)
class _Check:
    """One validation in progress: the resources in evidence, the reason for a command, and the report so far."""

    resources: EvidenceResources
    reason_for: Callable[[Command], str]
    rejected: list[RejectedCommand] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    suggested: list[Action] = field(default_factory=list)

    def command(self, judgement: Judgement) -> tuple[Command | None, str]:
        """Return the command with its reason, both empty where there is none or it is refused."""
        text = judgement.kubectl_command
        if text.strip().lower() in _NO_COMMAND:
            return None, ""
        command, reason = self._checked(text, judgement.namespace)
        if command and judgement.suggested_action is Action.NO_ACTION:
            self._reject(text, "the judgement suggests no action")
            return None, ""
        return command, reason

    def action(self, judgement: Judgement, command: Command | None) -> Action:
        proposed = judgement.suggested_action
        if command is None:
            if proposed is Action.NO_ACTION or not self.rejected:
                return proposed
            self._warn(f"suggested_action changed from {proposed} to NO_ACTION: its command was refused")
            return Action.NO_ACTION
        if proposed is not command.action:
            self._warn(f"suggested_action changed from {proposed} to {command.action} to match the command")
        return command.action

    def namespace(self, judgement: Judgement, command: Command | None) -> str:
        proposed = judgement.namespace.strip()
        if proposed and proposed not in self.resources.namespaces:
            self._warn(f"namespace {_quoted(proposed, 80)} removed: the alerts do not name it")
            proposed = ""
        return command.namespace if command else safe_text(proposed, _NAME_MAX)

    def target(self, text: str) -> str:
        """Return KIND/NAME if the alerts name it, else an empty text; a bare name gets the kind in the alerts."""
        proposed = "/".join(text.split())
        prefix, _, name = proposed.rpartition("/")
        kind = kind_of(prefix)
        if proposed.lower() in _NO_COMMAND:
            return ""
        if kind and self.resources.namespaces_of(kind, name):
            return f"{kind}/{name}"
        if not kind and name in self.resources.names and (not prefix or (prefix.isascii() and prefix.isalpha())):
            label = prefix.lower() or self.resources.kind_label(name)
            return safe_text(f"{label}/{name}", _limit(Judgement, "target_resource"))
        self._warn(f"target_resource {_quoted(text, 120)} removed: the alerts do not name it")
        return ""

    def risk(self, judgement: Judgement, actions: set[Action]) -> Risk:
        destroys_data = judgement.blast_radius.data_impact is DataImpact.DESTRUCTIVE
        if Action.DELETE_POD in actions or destroys_data:
            minimum = Risk.CRITICAL
        else:
            minimum = Risk.LOW if actions == {Action.NO_ACTION} else Risk.MEDIUM
        if _RANKS[judgement.risk_level] < _RANKS[minimum]:
            self._warn(f"risk_level raised from {judgement.risk_level} to {minimum}, the minimum for this action")
            return minimum
        return judgement.risk_level

    def blast_radius(self, proposed: BlastRadius) -> BlastRadius:
        pods = proposed.affected_pods
        if pods > _AFFECTED_PODS_MAX:
            self._warn(f"affected_pods removed: it is above {_AFFECTED_PODS_MAX}")
            pods = 0
        return BlastRadius(
            affected_pods=pods,
            estimated_downtime=safe_text(proposed.estimated_downtime, _limit(BlastRadius, "estimated_downtime")),
            related_services=_names(proposed.related_services),
            data_impact=proposed.data_impact,
        )

    def suggestions(self, proposed: list[Suggestion], namespace: str) -> list[Suggestion]:
        checked = [self._suggestion(suggestion, namespace) for suggestion in proposed]
        return [suggestion for suggestion in checked if suggestion.description or suggestion.kubectl_or_config]

    def _suggestion(self, proposed: Suggestion, namespace: str) -> Suggestion:
        description = safe_text(proposed.description, _limit(Suggestion, "description"))
        if not looks_like_command(proposed.kubectl_or_config):
            config = safe_text(proposed.kubectl_or_config, _limit(Suggestion, "kubectl_or_config"))
            return Suggestion(type=proposed.type, description=description, kubectl_or_config=config)
        command, reason = self._checked(proposed.kubectl_or_config, namespace)
        if command is None:
            return Suggestion(type=proposed.type, description=description)
        self.suggested.append(command.action)
        kind = _TUNING_TYPES[command.action]
        if kind is not proposed.type:
            self._warn(f"suggestion type changed from {proposed.type} to {kind} to match its command")
        return Suggestion(type=kind, description=description, kubectl_or_config=command.render(), command_reason=reason)

    def prose(self, judgement: Judgement) -> None:
        """Report commands in prose fields, where they are neither checked nor removed."""
        prose = {name: getattr(judgement, name) for name in _TEXTS}
        prose["optimization_suggestions"] = " ".join(each.description for each in judgement.optimization_suggestions)
        fields = [name for name, text in prose.items() if "kubectl" in text.lower()]
        if fields:
            self._warn(f"kubectl commands in prose were not checked: {', '.join(fields)}")

    def report(self) -> Validation:
        return Validation(rejected_commands=self.rejected, warnings=self.warnings[:_WARNINGS_MAX])

    def _checked(self, text: str, namespace: str) -> tuple[Command | None, str]:
        try:
            command = check_command(text, self.resources, namespace)
            return command, self.reason_for(command)
        except RefusedCommand as refused:
            self._reject(text, str(refused))
            return None, ""

    def _reject(self, text: str, reason: str) -> None:
        self.rejected.append(RejectedCommand(command=_quoted(text, _COMMAND_MAX), reason=_quoted(reason, _REASON_MAX)))

    def _warn(self, warning: str) -> None:
        self.warnings.append(warning)


def _teams(judgement: Judgement) -> list[Responsibility]:
    """Return each secondary team once, without the primary one and COLLAB."""
    excluded = {judgement.primary_responsibility, Responsibility.COLLAB}
    return [team for team in dict.fromkeys(judgement.secondary_teams) if team not in excluded]


def _names(proposed: list[str]) -> list[str]:
    return [name for name in dict.fromkeys(safe_text(name, _NAME_MAX) for name in proposed) if name]


def _limit(model: type[Judgement | Suggestion | BlastRadius], name: str) -> int:
    """Return the maximum length of a text field of a model."""
    return next(int(limit.max_length) for limit in model.model_fields[name].metadata if hasattr(limit, "max_length"))


def _quoted(text: str, limit: int) -> str:
    """Return a text as warnings quote it: what is wrong with it may be a hidden character."""
    return safe_text(text, limit, hidden=Hidden.ESCAPE)
