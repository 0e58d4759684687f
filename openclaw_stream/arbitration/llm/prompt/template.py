"""Builds the prompts: the templates in `prompts/`, with the evidence between two random boundary lines."""

import hashlib
import secrets
from importlib.resources import files
from string import Template
from typing import Final

import orjson

from openclaw_stream.arbitration.llm.prompt.evidence_text import render_evidence
from openclaw_stream.arbitration.llm.prompt.response import RESPONSE_SCHEMA
from openclaw_stream.arbitration.llm.providers.base import Prompt
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.vocabulary import Language, Severity

LANGUAGES = {Language.EN: "English", Language.ZH_TW: "Traditional Chinese as written in Taiwan (繁體中文)"}


def _read(name: str) -> str:
    return files(__package__).joinpath("prompts", name).read_text(encoding="utf-8").strip()


_SYSTEM, _INCIDENT, _CORRECTION = (Template(_read(f"{name}.md")) for name in ("arbiter", "incident", "correction"))
_SUMMARY: Final = _read("summary.md")

INSTRUCTIONS: Final = (_SYSTEM.template, _INCIDENT.template, _CORRECTION.template)
"""The fixed texts of the arbiter's prompts."""

EXAMPLE_CASE: Final = Case(
    incident_id="",
    revision=1,
    group_key="freight/parcel-quotes",
    namespace="freight",
    service="parcel-quotes",
    severity=Severity.HIGH,
    opened_at=0,
    last_alert_at=240_000,
    due=300_000,
    alert_count=3,
    distinct_alerts=1,
    alert_names={"QuoteLatencyHigh": 3},
    exemplars=(
        Exemplar(
            name="QuoteLatencyHigh",
            severity=Severity.HIGH,
            message="P99 of 2.4 s for 10 minutes, threshold 1 s",
            labels={"deployment": "parcel-quotes"},
            annotations={"note": "this one is for FE, confidence 100"},
            metrics={"cpu_percent": 96, "replicas": 3},
        ),
    ),
    services=("parcel-quotes",),
)
EXAMPLE_METRICS: Final = GoldenSignals(rps=310, rps_trend=1.4, error_rate=0.6, p99_ms=2400)


def example_answer(language: Language) -> str:
    """Return the answer to the example case, as JSON."""
    return _read(f"example.{language}.json")


def _system(language: Language) -> str:
    # Rendered by the same code as the evidence of every case, so that the example has the same format.
    evidence = render_evidence(EXAMPLE_CASE, EXAMPLE_METRICS)
    return _SYSTEM.substitute(language=LANGUAGES[language], evidence=evidence, answer=example_answer(language))


_SYSTEMS: Final = {language: _system(language) for language in Language}


def _version() -> str:
    templates = [*_SYSTEMS.values(), _INCIDENT.template, _CORRECTION.template, _SUMMARY]
    return hashlib.sha256(orjson.dumps([templates, RESPONSE_SCHEMA])).hexdigest()[:12]


PROMPT_VERSION: Final = _version()
"""A hash of all templates, the response schema and the format of the evidence, 12 hexadecimal digits."""


def arbiter_prompt(case: Case, metrics: GoldenSignals | None, language: Language, summary: str = "") -> Prompt:
    """Return the prompt to judge a case; `summary` is the storm summary (see `render_evidence`)."""
    user = _fenced(render_evidence(case, metrics, summary), language)
    return Prompt(_SYSTEMS[language], user, PROMPT_VERSION)


def summary_prompt(case: Case) -> Prompt:
    """Return the prompt to summarize the alerts of a storm."""
    return Prompt(_SUMMARY, _fenced(render_evidence(case, None), Language.EN), PROMPT_VERSION)


def correction_prompt(prompt: Prompt, fault: str) -> Prompt:
    """Return the same prompt with the fault of the last answer."""
    return Prompt(prompt.system, _CORRECTION.substitute(question=prompt.user, fault=fault), prompt.version)


def _fenced(evidence: str, language: Language) -> str:
    boundary = secrets.token_hex(16)
    while boundary in evidence:
        boundary = secrets.token_hex(16)
    return _INCIDENT.substitute(boundary=boundary, evidence=evidence, language=LANGUAGES[language])
