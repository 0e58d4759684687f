"""The resolution of an incident: its last revision, derived from the last decision without a new arbitration."""

from datetime import UTC, datetime
from typing import Literal

from openclaw_stream.arbitration.gate import THRESHOLD
from openclaw_stream.arbitration.rules import RULES_VERSION
from openclaw_stream.events.arbitration_result import ArbitrationResult, PublishedDecision
from openclaw_stream.events.decision import Confidence, Judgement, Provenance, Validation
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import IncidentStatus, Language, Responsibility

_TEXTS = {
    (Language.EN, IncidentStatus.RESOLVED): (
        "Resolved: {group}",
        "All alerts of this incident have resolved, and none fired again within the hold time. No action is needed.",
    ),
    (Language.EN, IncidentStatus.ASSUMED_RESOLVED): (
        "Assumed resolved: {group}",
        (
            "No alert of this incident was received within the maximum silence, and not all of them were reported as "
            "resolved. Check that the alert source still works."
        ),
    ),
    (Language.ZH_TW, IncidentStatus.RESOLVED): (
        "已恢復：{group}",
        "此事件的所有告警都已恢復，且在保留時間內沒有再次觸發，無須進一步處理。",
    ),
    (Language.ZH_TW, IncidentStatus.ASSUMED_RESOLVED): (
        "視為已恢復：{group}",
        "此事件已超過最長靜默時間沒有任何告警，但並非所有告警都回報恢復。請確認告警來源是否仍正常運作。",
    ),
}


def resolve(
    case: Case, status: IncidentStatus, last: PublishedDecision | None, language: Language
) -> ArbitrationResult:
    """Return the result for a resolved incident, with the responsibility of the last decision if there was one.

    Args:
        case: The last evidence of the incident.
        status: RESOLVED or ASSUMED_RESOLVED.
        last: The last published decision, None if there was none.
        language: The output language.
    """
    title, description = _TEXTS[language, status]
    confidence = last.confidence if last else 0.0
    judgement = Judgement(
        action_title=title.format(group=case.group_key)[:200],
        description=description,
        namespace=case.namespace,
        primary_responsibility=Responsibility(last.primary_responsibility) if last else Responsibility.COLLAB,
        secondary_teams=[Responsibility(team) for team in last.secondary_teams] if last else [],
        confidence=confidence,
        affected_services=list(case.services),
    )
    gate: Literal["passed", "collab"] = "passed" if confidence >= THRESHOLD else "collab"
    return ArbitrationResult(
        judgement=judgement,
        confidence=Confidence(reported=confidence, evidence=confidence, final=confidence, gate=gate),
        provenance=Provenance(
            provider=last.provider if last else "rules", rules_version=RULES_VERSION, language=language
        ),
        validation=Validation(),
        decided_at=datetime.now(UTC),
    )
