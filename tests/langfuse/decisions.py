"""Cases and decisions for the tests of tracing."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.tracing import Tracing
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.events.decision import Confidence, Judgement, Provenance, Validation
from openclaw_stream.incidents.case import Case
from openclaw_stream.langfuse import make_tracing
from openclaw_stream.settings.langfuse import LangfuseSettings
from openclaw_stream.vocabulary import Language, Responsibility, Severity
from tests.builders import case, exemplar

ORDER = ("ollama", "gemini")
PROMPT = Prompt(system="You are an SRE.", user="checkout is slow", version="4f2a")
REPLY = Reply(text='{"confidence": 90}', model="m-1", input_tokens=120, output_tokens=30, cached_tokens=100)
DEADLINE = 20.0


def traced_case(incident_id: str = "inc-1", **overrides: Any) -> Case:
    slow = exemplar("HighLatency", severity=Severity.CRITICAL, fingerprint="c0ffee", service="checkout")
    return case(slow, **{"incident_id": incident_id, "alert_count": 4, "alert_names": {"HighLatency": 4}, **overrides})


def arbitration_result() -> ArbitrationResult:
    return ArbitrationResult(
        judgement=Judgement(
            action_title="checkout: restart", primary_responsibility=Responsibility.BE, confidence=0.8, reasoning="slow"
        ),
        confidence=Confidence(reported=0.9, evidence=0.7, final=0.8, gate="passed"),
        provenance=Provenance(provider="gemini", model="m-1", rules_version="1", language=Language.EN),
        validation=Validation(),
        decided_at=datetime.now(UTC),
    )


def tracing_to(url: str, **settings: Any) -> Tracing:
    """Each test has its own public key: the SDK keeps one client per key in the process."""
    run = uuid4().hex[:12]
    return make_tracing(
        LangfuseSettings(public_key=f"pk-lf-{run}", secret_key=f"sk-lf-{run}", base_url=url, **settings)
    )


async def decide(tracing: Tracing, incident_id: str = "inc-1") -> ArbitrationResult:
    """Trace a decision like the chain: the first provider is overloaded, the second answers."""
    about = traced_case(incident_id)
    with tracing.decision(about, ORDER) as recorder:
        with pytest.raises(ProviderError), recorder.attempt("ollama", "qwen", PROMPT):
            raise ProviderError(Failure.OVERLOADED, "ollama answered 503: busy")
        with recorder.attempt("gemini", "m-1", PROMPT) as call:
            await asyncio.sleep(0)
            call.replied(REPLY, 0.25)
            call.validated()
        decided = arbitration_result()
        recorder.decided(decided)
    return decided
