"""Storms: an incident of many signals is condensed by a fast model before it is judged.

The counts are kept by the code either way, and stand in the evidence (`briefing`). Without such a model, or where it
does not answer, the evidence itself is all there is: every exemplar, in less detail.
"""

import time
from typing import Any, Final

from openclaw_stream.arbitration.llm.prompt.json_extraction import json_objects
from openclaw_stream.arbitration.llm.prompt.response import AnswerError, AnswerFault
from openclaw_stream.arbitration.llm.prompt.template import summary_prompt
from openclaw_stream.arbitration.llm.provider_client import AnswerFormat, DecisionContext, ProviderClient
from openclaw_stream.incidents.case import Case
from openclaw_stream.text.display import clean

SIGNALS_MAX: Final = 10
"""Distinct signals, told by the alerts' names, that are judged without being condensed."""

_DIGEST_MAX = 600
_LENGTH_MAX = 16_384
_SHARE = 3
"""One part in this many of the time that is left is the most a digest may take."""

SUMMARY_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"summary": {"type": "string", "maxLength": 1000}},
    "required": ["summary"],
    "additionalProperties": False,
}


def is_storm(case: Case) -> bool:
    """Tell whether an incident has more signals than are judged without being condensed."""
    return len(case.alert_names) + bool(case.other_alerts) > SIGNALS_MAX


async def condense(case: Case, link: ProviderClient, errand: DecisionContext) -> str:
    """Return a digest of a storm; empty where the model gives none."""
    # Its own reasons: a decision without a digest is not degraded. What was asked is told by the attempts.
    own = DecisionContext(time.monotonic() + errand.left / _SHARE, errand.rank, errand.recorder, errand.attempts)
    return await link.ask(summary_prompt(case), _FORM, own, reserve=0) or ""


def _summary(text: str) -> str:
    """Read a summary, which is no more to be trusted than the alerts it was made of."""
    try:
        objects = list(json_objects(text[:_LENGTH_MAX]))
    except ValueError as error:
        raise AnswerError(AnswerFault.NO_JSON, str(error)) from None
    said = next((each.value["summary"] for each in objects if isinstance(each.value.get("summary"), str)), "")
    digest = clean(said, _DIGEST_MAX)
    if not digest:
        raise AnswerError(AnswerFault.SCHEMA, "no object of the JSON has a summary")
    return digest


_FORM: Final = AnswerFormat(SUMMARY_SCHEMA, _summary)
