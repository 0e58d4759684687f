"""The definitions of the metrics agree with what is exported, and with the values that the code uses."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client import Metric

from openclaw_stream.alerts import reader
from openclaw_stream.alerts.decoding import decode
from openclaw_stream.alerts.formats import ADAPTERS, SkipReason
from openclaw_stream.alerts.status import Stated
from openclaw_stream.arbitration.llm.prompt.response import AnswerFault
from openclaw_stream.arbitration.llm.providers import make_providers
from openclaw_stream.arbitration.llm.providers.base import Failure
from openclaw_stream.arbitration.llm.steps import ANSWERED
from openclaw_stream.events.decision import Confidence
from openclaw_stream.settings import ProviderSettings
from openclaw_stream.telemetry import definitions
from openclaw_stream.telemetry.metrics import Metrics
from openclaw_stream.vocabulary import EventType, IncidentStatus, Responsibility, TuningType

SET_BY_THE_DEPLOYMENT = {"partition", "topic", "version"}


def skip_reasons() -> set[str]:
    """Return the reasons that adapters give, and those of the reader, from its text."""
    given = set(re.findall(r'SkippedAlertError\("(\w+)"\)', Path(str(reader.__file__)).read_text(encoding="utf-8")))
    assert len(given) == 3
    return {*get_args(SkipReason), *given, Stated.PENDING.value, Stated.SUPPRESSED.value}


def every_provider() -> list[str]:
    settings = ProviderSettings(
        ai_fallback_order=("ollama", "gemini", "claude", "openai"),
        ollama_url="http://127.0.0.1:1",
        openai_base_url="http://127.0.0.1:1",
        openai_model="m",
        claude_api_key="k",
        gemini_api_key="k",
    )
    providers, skipped = make_providers(settings)
    assert not skipped
    return [provider.name for provider in providers]


CODE: dict[definitions.Label, Callable[[], Iterable[str]]] = {
    definitions.FORMAT: lambda: {adapter.name for adapter in ADAPTERS} | {decode.NATIVE, "cloudevents"},
    definitions.SKIP_REASON: skip_reasons,
    definitions.END_STATUS: lambda: set(IncidentStatus) - {IncidentStatus.FIRING},
    definitions.TEAM: lambda: set(Responsibility),
    definitions.EVENT_TYPE: lambda: set(EventType),
    definitions.PROVIDER: every_provider,
    definitions.DECIDER: lambda: [*every_provider(), "rules"],
    definitions.GATE: lambda: get_args(Confidence.model_fields["gate"].annotation),
    definitions.TUNING_TYPE: lambda: set(TuningType),
    definitions.OUTCOME: lambda: {ANSWERED, *Failure, *AnswerFault},
}


@pytest.mark.parametrize("label", CODE, ids=lambda label: label.name)
def test_the_values_of_a_label_are_those_of_the_code(label: definitions.Label) -> None:
    assert sorted(label.values) == sorted(CODE[label]())


def test_every_label_is_bounded() -> None:
    for definition in Metrics().definitions:
        for label in definition.labels:
            assert bool(label.values) != (label.name in SET_BY_THE_DEPLOYMENT), (definition.name, label.name)
            assert len(label.values) < 25
            assert len(set(label.values)) == len(label.values)


def families(metrics: Metrics) -> dict[str, Metric]:
    """Return what the registry exports, by the full name of the metric."""
    suffix = {"counter": "_total", "info": "_info"}
    return {family.name + suffix.get(family.type, ""): family for family in metrics.registry.collect()}


def test_every_exported_metric_is_defined_once() -> None:
    metrics = Metrics()
    own = {name: family for name, family in families(metrics).items() if name.startswith("openclaw_")}
    assert sorted(own) == sorted(definition.name for definition in metrics.definitions)
    for definition in metrics.definitions:
        family = own[definition.name]
        assert (family.type, family.documentation) == (definition.kind, definition.description)
        assert definition.description.endswith(".")


def test_a_counter_with_one_bounded_label_starts_at_zero_for_each_value() -> None:
    registry = Metrics().registry
    for gate in ("passed", "collab", "rerouted"):
        assert registry.get_sample_value("openclaw_gate_outcomes_total", {"gate": gate}) == 0
    assert registry.get_sample_value("openclaw_dead_letters_total", {"reason": "poison"}) == 0
    assert registry.get_sample_value("openclaw_llm_budget_limit_usd") == float("inf"), "there is no limit"
