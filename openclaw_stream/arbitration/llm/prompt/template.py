"""What a model is asked: our own texts of `prompts/`, and a case's evidence between two lines nobody can guess."""

import hashlib
import secrets
from importlib.resources import files
from string import Template
from typing import Final

import orjson

from openclaw_stream.arbitration.llm.prompt.evidence_text import briefing
from openclaw_stream.arbitration.llm.prompt.response import RESPONSE_SCHEMA
from openclaw_stream.arbitration.llm.providers.base import Prompt
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.vocabulary import Language, Severity

_LANGUAGES = {Language.EN: "English", Language.ZH_TW: "Traditional Chinese as written in Taiwan (繁體中文)"}


def _read(name: str) -> str:
    return files(__package__).joinpath("prompts", name).read_text(encoding="utf-8").strip()


_SYSTEM, _INCIDENT, _AGAIN = (Template(_read(f"{name}.md")) for name in ("arbiter", "incident", "again"))
_SUMMARY: Final = _read("summary.md")

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
    """Return how the worked example is answered."""
    return _read(f"example.{language}.json")


def _system(language: Language) -> str:
    # Made by the same code as the evidence of every case, so that the example always looks like it.
    evidence = briefing(EXAMPLE_CASE, EXAMPLE_METRICS)
    return _SYSTEM.substitute(language=_LANGUAGES[language], evidence=evidence, answer=example_answer(language))


_SYSTEMS: Final = {language: _system(language) for language in Language}


def _version() -> str:
    ours = [*_SYSTEMS.values(), _INCIDENT.template, _AGAIN.template, _SUMMARY]
    return hashlib.sha256(orjson.dumps([ours, RESPONSE_SCHEMA])).hexdigest()[:12]


PROMPT_VERSION: Final = _version()
"""Changes with every word we write to a model, and with the form of the evidence."""


def arbiter_prompt(case: Case, metrics: GoldenSignals | None, language: Language, digest: str = "") -> Prompt:
    """Return the question who is responsible for a case; `digest` condenses a storm (see `briefing`)."""
    user = _fenced(briefing(case, metrics, digest), language)
    return Prompt(_SYSTEMS[language], user, PROMPT_VERSION)


def summary_prompt(case: Case) -> Prompt:
    """Return the question what a storm is about."""
    return Prompt(_SUMMARY, _fenced(briefing(case, None), Language.EN), PROMPT_VERSION)


def ask_again(prompt: Prompt, fault: str) -> Prompt:
    """Return the same question with what is wrong with its answer."""
    return Prompt(prompt.system, _AGAIN.substitute(question=prompt.user, fault=fault), prompt.version)


def _fenced(evidence: str, language: Language) -> str:
    boundary = secrets.token_hex(16)
    while boundary in evidence:
        boundary = secrets.token_hex(16)
    return _INCIDENT.substitute(boundary=boundary, evidence=evidence, language=_LANGUAGES[language])
