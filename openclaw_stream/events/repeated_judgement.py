"""What a resolution repeats of the last decision of its incident, and its compact form, kept while that is open."""

import zlib
from typing import Self

from pydantic import ValidationError

from openclaw_stream.events.decision import Confidence, IncidentOwner, Judgement, Provenance
from openclaw_stream.events.model import EventModel

_DICTIONARY = (
    b'{"decision":{"action_title":"","description":"","suggested_action":"NO_ACTION","kubectl_command":"",'
    b'"command_reason":"","target_resource":"","namespace":"","risk_level":"low","blast_radius":{"affected_pods":0,'
    b'"estimated_downtime":"","related_services":[],"data_impact":"NONE"},"primary_responsibility":"BE",'
    b'"responsibility_reasoning":"","secondary_teams":[],"optimization_suggestions":[{"type":"HPA","description":"",'
    b'"kubectl_or_config":"","command_reason":""}],"reasoning":"","deviation_analysis":"","confidence":0.0,'
    b'"affected_services":[],"signoz_correlation":""},"confidence":{"reported":0.0,"evidence":0.0,"final":0.0,'
    b'"gate":"passed"},"provenance":{"provider":"rules","model":null,"from_cache":false,"degraded":false,'
    b'"degraded_reasons":[],"attempts":[],"prompt_version":null,"rules_version":"1","language":"zh-TW"}}'
)
"""The text that compression starts from, about a third of the result. What is stored depends on it: never change it."""


class RepeatedJudgement(EventModel):
    """The parts of a decision that its resolution has unchanged; of the provenance all but the calls that were made."""

    decision: Judgement
    confidence: Confidence
    provenance: Provenance
    owner: IncidentOwner | None = None

    def packed(self) -> bytes:
        """Return it compressed: 0.7 KB of rules in English, 0.8 KB in Chinese."""
        compressor = zlib.compressobj(level=9, zdict=_DICTIONARY)
        return compressor.compress(self.model_dump_json().encode()) + compressor.flush()

    @classmethod
    def unpacked(cls, packed: bytes) -> Self | None:
        """Return what was packed; None where nothing was, or where a later version of the models was."""
        if not packed:
            return None
        try:
            return cls.model_validate_json(zlib.decompressobj(zdict=_DICTIONARY).decompress(packed))
        except (zlib.error, ValidationError):
            return None
