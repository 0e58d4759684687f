"""Shadow tuning: preventive changes that are suggested, checked and published, and never carried out.

The generator goes by what an alert is about and by the service's golden signals:

- out of memory → a higher memory limit;
- CPU with more than 100 requests per second → an HPA, with fewer → a higher CPU limit;
- crashes → a rolling restart;
- latency with a P99 above 500 ms → a computed count of replicas, or an HPA where the present count is unknown;
- latency below that, and other alerts about load → advice to cache, in words.

Databases are given words only: their replicas and restarts are not a matter of one command.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID, uuid5

from openclaw_stream.arbitration.kubectl import Command, RefusedCommand, looks_like_command, parse
from openclaw_stream.arbitration.tuning.generator import generated
from openclaw_stream.arbitration.tuning.texts import WORDS, Words
from openclaw_stream.events.decision import Decision, GoldenSignals, Judgement, Suggestion
from openclaw_stream.events.tuning import ParsedCommand, Safety, TuningEvent
from openclaw_stream.ids import tuning_id
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Language, Verdict

_TEXT_MAX = 2000


def tuning_suggestions(
    judgement: Judgement, case: Case, metrics: GoldenSignals | None, language: Language
) -> list[Suggestion]:
    """Return the judgement's own suggestions, then what the generator adds to them; none twice.

    Of a type the judgement has suggested already, the generator adds a command only, and only where there was none.
    The judgement must have been validated: its commands are taken as they are.
    """
    own = judgement.optimization_suggestions
    types = {each.type for each in own}
    commanded = {each.type for each in own if looks_like_command(each.kubectl_or_config)}
    more = [
        each
        for each in generated(judgement, case, metrics, language)
        if each.type not in types or (each.kubectl_or_config and each.type not in commanded)
    ]
    return list(_distinct([*own, *more]))


def tuning_events(decision: Decision, suggestions: Sequence[Suggestion], *, shadow_mode: bool) -> list[TuningEvent]:
    """Return one event per suggestion, in order; equal ids for equal decisions.

    A command is read by the grammar once more; a refused one appears in no field. Without shadow mode the event names
    the approval that carrying it out would need.
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


def _event(decision: Decision, ordinal: int, suggestion: Suggestion, *, shadow_mode: bool) -> TuningEvent:
    own_id = tuning_id(decision.decision_id, ordinal)
    approval_id = None if shadow_mode else str(uuid5(UUID(own_id), "approval"))
    words = WORDS[decision.provenance.language]
    command, safety = _checked(suggestion.kubectl_or_config, words)
    return TuningEvent(
        tuning_id=own_id,
        decision_id=decision.decision_id,
        incident_id=decision.incident_id,
        revision=decision.revision,
        generation=decision.generation,
        replayed=decision.replayed,
        approval_id=approval_id,
        type=suggestion.type,
        description=_description(suggestion),
        command=command.render() if command else "",
        parsed=_parsed(command) if command else None,
        safety=safety,
        shadow_mode=shadow_mode,
        log=_log(command, approval_id, words),
        created_at=decision.decided_at,
    )


def _checked(text: str, words: Words) -> tuple[Command | None, Safety]:
    if not looks_like_command(text):
        return None, Safety(verdict=Verdict.ADVICE, reasons=[words.words_only])
    try:
        return parse(text), Safety(verdict=Verdict.SAFE, reasons=[words.within_grammar])
    except RefusedCommand as refused:
        return None, Safety(verdict=Verdict.REFUSED, reasons=[str(refused)])


def _description(suggestion: Suggestion) -> str:
    """Return the description, and below it a configuration that is no command."""
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


def _log(command: Command | None, approval_id: str | None, words: Words) -> str:
    if command is None:
        return words.log_advice
    text = words.log_approval if approval_id else words.log_shadow
    return text.format(command=command.render(), approval_id=approval_id)
