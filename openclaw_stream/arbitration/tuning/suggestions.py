"""Shadow tuning: preventive changes that are suggested, checked and published, and never executed.

The generator uses the fault type of an alert and the golden signals of the service:

- out of memory → a higher memory limit;
- CPU with more than 100 requests per second → an HPA, with fewer → a higher CPU limit;
- crashes → what to read; a rolling restart only of what hangs or leaks;
- latency with a P99 above 500 ms → more replicas;
- latency below that or with more load, and other alerts about load → advice to cache, without a command, for services
  only.

There is none where the alerts name no workload or service, none for a container that cannot start for want of its image
or a setting, none for the delay of queued work or of a dependency, no replicas where the alerts name an autoscaler, no
cache of what must be current, and no higher limit for what is hardly used or crashes by itself.

Commands of one decision do not work against each other: beside a rollback there is no other one for the same workload,
because its result could not be told from that of the rollback and the revision to return to would change.

A suggestion has a command only where the evidence asks for it (`remedies`); elsewhere it says what to look up first.
Databases get advice without commands, because scaling or restarting one takes more than a command, and none on the
limits of their containers, because their own settings come first.
"""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID, uuid5

from openclaw_stream.arbitration.kubectl import Command, RefusedCommand, Verb, looks_like_command, parse
from openclaw_stream.arbitration.tuning.generator import generate_suggestions
from openclaw_stream.arbitration.tuning.texts import TUNING_TEXTS, TuningTexts
from openclaw_stream.events.decision import Decision, GoldenSignals, Judgement, Suggestion
from openclaw_stream.events.tuning import ParsedCommand, Safety, TuningEvent
from openclaw_stream.ids import tuning_id
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Language, Verdict

_TEXT_MAX = 2000
_SETS_REPLICAS = (Verb.SCALE, Verb.AUTOSCALE, Verb.PATCH)


def tuning_suggestions(
    judgement: Judgement, case: Case, metrics: GoldenSignals | None, language: Language
) -> list[Suggestion]:
    """Return the judgement's own suggestions, then those of the generator, without duplicates.

    For a type that the judgement already suggests, only a command is added, and only if the judgement has none of that
    type. The judgement must be validated: its commands are not checked again here.
    """
    own = judgement.optimization_suggestions
    decided = _command(judgement.kubectl_command)
    types = {each.type for each in own}
    types_with_command = {each.type for each in own if looks_like_command(each.kubectl_or_config)}
    added = [
        each
        for each in generate_suggestions(judgement, case, metrics, language)
        if each.type not in types or (each.kubectl_or_config and each.type not in types_with_command)
    ]
    if decided and decided.verb is Verb.ROLLOUT_UNDO:
        added = []  # first see whether the former revision has the trouble too
    return list(_compatible(_distinct([*own, *added]), decided))


def tuning_events(decision: Decision, suggestions: Sequence[Suggestion], *, shadow_mode: bool) -> list[TuningEvent]:
    """Return one event per suggestion, in order; equal decisions give equal ids.

    Every command is parsed again; a refused command appears in no field. Without shadow mode the event has the id of
    the approval that execution requires.
    """
    return [
        _event(decision, ordinal, suggestion, shadow_mode=shadow_mode) for ordinal, suggestion in enumerate(suggestions)
    ]


def _distinct(suggestions: Iterable[Suggestion]) -> Iterable[Suggestion]:
    seen: set[tuple[str, str]] = set()
    for suggestion in suggestions:
        identity = (suggestion.type, " ".join((suggestion.kubectl_or_config or suggestion.description).split()))
        if identity not in seen:
            seen.add(identity)
            yield suggestion


def _compatible(suggestions: Iterable[Suggestion], decided: Command | None) -> Iterator[Suggestion]:
    """Yield the suggestions whose commands do not work against that of the decision or one before them."""
    kept = [decided] if decided else []
    for suggestion in suggestions:
        command = _command(suggestion.kubectl_or_config)
        if command is None:
            yield suggestion
        elif not any(_work_against(each, command) for each in kept):
            kept.append(command)
            yield suggestion


def _work_against(earlier: Command, later: Command) -> bool:
    if (earlier.target, earlier.namespace) != (later.target, later.namespace) or earlier.render() == later.render():
        return False
    verbs = (earlier.verb, later.verb)
    return Verb.ROLLOUT_UNDO in verbs or (
        all(verb in _SETS_REPLICAS for verb in verbs) and verbs != (Verb.SCALE, Verb.AUTOSCALE)
    )


def _command(text: str) -> Command | None:
    try:
        return parse(text) if looks_like_command(text) else None
    except RefusedCommand:
        return None


def _event(decision: Decision, ordinal: int, suggestion: Suggestion, *, shadow_mode: bool) -> TuningEvent:
    event_id = tuning_id(decision.decision_id, ordinal)
    approval_id = None if shadow_mode else str(uuid5(UUID(event_id), "approval"))
    texts = TUNING_TEXTS[decision.provenance.language]
    command, safety = _checked(suggestion.kubectl_or_config, texts)
    return TuningEvent(
        tuning_id=event_id,
        decision_id=decision.decision_id,
        incident_id=decision.incident_id,
        revision=decision.revision,
        generation=decision.generation,
        replayed=decision.replayed,
        approval_id=approval_id,
        type=suggestion.type,
        description=_description(suggestion),
        command=command.render() if command else "",
        command_reason=suggestion.command_reason if command else "",
        parsed=_parsed(command) if command else None,
        safety=safety,
        shadow_mode=shadow_mode,
        log=_log(command, approval_id, texts),
        created_at=decision.decided_at,
    )


def _checked(text: str, texts: TuningTexts) -> tuple[Command | None, Safety]:
    if not looks_like_command(text):
        return None, Safety(verdict=Verdict.ADVICE, reasons=[texts.advice_only])
    try:
        return parse(text), Safety(verdict=Verdict.SAFE, reasons=[texts.within_grammar])
    except RefusedCommand as refused:
        return None, Safety(verdict=Verdict.REFUSED, reasons=[str(refused)])


def _description(suggestion: Suggestion) -> str:
    """Return the description, followed by the configuration if the suggestion has one instead of a command."""
    config = "" if looks_like_command(suggestion.kubectl_or_config) else suggestion.kubectl_or_config
    return "\n".join(filter(None, (suggestion.description, config)))[:_TEXT_MAX]


def _parsed(command: Command) -> ParsedCommand:
    return ParsedCommand(
        verb=command.verb,
        resource=command.kind,
        name=command.name,
        namespace=command.namespace,
        flags=dict(command.flags),
    )


def _log(command: Command | None, approval_id: str | None, texts: TuningTexts) -> str:
    if command is None:
        return texts.log_advice
    text = texts.log_approval if approval_id else texts.log_shadow
    return text.format(command=command.render(), approval_id=approval_id)
