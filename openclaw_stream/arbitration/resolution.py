"""The resolution of an incident: its last revision, which repeats the last decision without a new arbitration."""

from datetime import UTC, datetime
from typing import Final, Literal

from openclaw_stream.alerts.titles import subject_title
from openclaw_stream.arbitration.rules import RULES_VERSION
from openclaw_stream.events.arbitration_result import ArbitrationResult, PublishedDecision
from openclaw_stream.events.decision import Confidence, Judgement, Provenance, Resolution, Validation
from openclaw_stream.events.repeated_judgement import RepeatedJudgement
from openclaw_stream.incidents.case import Case
from openclaw_stream.incidents.evidence import moment
from openclaw_stream.vocabulary import IncidentStatus, Language, Responsibility, Risk

_Kind = Literal["resolved", "assumed"]
_KINDS: Final[dict[IncidentStatus, _Kind]] = {
    IncidentStatus.RESOLVED: "resolved",
    IncidentStatus.ASSUMED_RESOLVED: "assumed",
}
_TITLES = {
    (Language.EN, "resolved"): "resolved",
    (Language.EN, "assumed"): "assumed resolved",
    (Language.ZH_TW, "resolved"): "已恢復",
    (Language.ZH_TW, "assumed"): "視為已恢復",
}
_TEXTS = {
    (Language.EN, "resolved"): "All alerts of this incident have resolved, and none fired again within the hold time. "
    "No action is needed.",
    (Language.EN, "assumed"): "No alert of this incident was received within the maximum silence, and not all of them "
    "were reported as resolved. Check that the alert source still works.",
    (Language.ZH_TW, "resolved"): "此事件的所有告警都已恢復，且在保留時間內沒有再次觸發，無須進一步處理。",
    (Language.ZH_TW, "assumed"): "此事件已超過最長靜默時間沒有任何告警，但並非所有告警都回報恢復。"
    "請確認告警來源是否仍正常運作。",
}


def resolve(
    case: Case, status: IncidentStatus, last: PublishedDecision | None, language: Language
) -> ArbitrationResult:
    """Return the result for an incident that has ended: the last judgement, and how it ended.

    Args:
        case: The last evidence of the incident; it ended when it is due.
        status: RESOLVED or ASSUMED_RESOLVED.
        last: The last published decision, None if there was none.
        language: The output language.
    """
    kind = _KINDS[status]
    repeated = RepeatedJudgement.unpacked(last.judgement) if last else None
    kept = repeated or _summary(case, kind, last, language)
    return ArbitrationResult(
        judgement=kept.decision,
        confidence=kept.confidence,
        provenance=kept.provenance,
        validation=Validation(),
        decided_at=datetime.now(UTC),
        resolution=Resolution(
            kind=kind,
            ended_at=moment(case.due),
            duration_s=max(case.due - case.opened_at, 0) // 1000,
            alerts=case.alert_count,
            text=_TEXTS[language, kind],
        ),
        owner=kept.owner,
    )


def _summary(case: Case, kind: _Kind, last: PublishedDecision | None, language: Language) -> RepeatedJudgement:
    """Return what is known without the last judgement: its team where the state still has it, else COLLAB.

    The confidence is 0, by which consumers know that they have to keep the judgement that they hold.
    """
    subject = case.subject if case.subject.name else case.subject._replace(name=case.group_key)
    team = Responsibility(last.primary_responsibility) if last else Responsibility.COLLAB
    gate: Literal["passed", "collab"] = "collab" if team is Responsibility.COLLAB else "passed"
    return RepeatedJudgement(
        decision=Judgement(
            action_title=subject_title(subject, _TITLES[language, kind]),
            description=_TEXTS[language, kind],
            namespace=case.namespace,
            risk_level=Risk(last.risk_level) if last else Risk.LOW,
            primary_responsibility=team,
            secondary_teams=[Responsibility(each) for each in last.secondary_teams] if last else [],
            confidence=0.0,
            affected_services=list(case.services),
        ),
        confidence=Confidence(reported=0.0, evidence=0.0, final=0.0, gate=gate),
        provenance=Provenance(
            provider=last.provider if last else "rules", rules_version=RULES_VERSION, language=language
        ),
    )
