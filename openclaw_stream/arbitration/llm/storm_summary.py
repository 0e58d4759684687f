"""Storm summaries: a fast model summarizes an incident of many signals before it is judged.

The evidence text has the alert counts either way. Without such a model, or where it gives no answer, the evidence text
is all there is: every exemplar, in less detail.
"""

import time
from typing import Any, Final

from openclaw_stream.arbitration.llm.prompt.json_extraction import json_objects
from openclaw_stream.arbitration.llm.prompt.response import AnswerError, AnswerFault
from openclaw_stream.arbitration.llm.prompt.template import summary_prompt
from openclaw_stream.arbitration.llm.provider_client import AnswerFormat, DecisionContext, ProviderClient
from openclaw_stream.incidents.case import Case
from openclaw_stream.text import safe_text

SIGNALS_MAX: Final = 10
"""Distinct alert names that are judged without a summary."""

_SUMMARY_MAX = 600
_LENGTH_MAX = 16_384
_SHARE = 3
"""A summary may take one part in this many of the time left."""

SUMMARY_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"summary": {"type": "string", "maxLength": 1000}},
    "required": ["summary"],
    "additionalProperties": False,
}


def is_storm(case: Case) -> bool:
    """Return whether an incident has too many signals to be judged without a summary."""
    return len(case.alert_names) + bool(case.other_alerts) > SIGNALS_MAX


async def summarize_storm(case: Case, client: ProviderClient, context: DecisionContext) -> str:
    """Return the summary of a storm; empty where the model gives none."""
    # Reasons of its own: a decision without a summary is not degraded. The attempts are the decision's.
    own = DecisionContext(
        time.monotonic() + context.remaining / _SHARE, context.rank, context.recorder, context.attempts
    )
    return await client.ask(summary_prompt(case), _SUMMARY_FORMAT, own, reserve=0) or ""


def _read_summary(text: str) -> str:
    """Read a summary; it is as untrusted as the alerts it summarizes."""
    try:
        objects = list(json_objects(text[:_LENGTH_MAX]))
    except ValueError as error:
        raise AnswerError(AnswerFault.NO_JSON, str(error)) from None
    summaries = (each.value["summary"] for each in objects if isinstance(each.value.get("summary"), str))
    summary = safe_text(next(summaries, ""), _SUMMARY_MAX)
    if not summary:
        raise AnswerError(AnswerFault.SCHEMA, "no object of the JSON has a summary")
    return summary


_SUMMARY_FORMAT: Final = AnswerFormat(SUMMARY_SCHEMA, _read_summary)
