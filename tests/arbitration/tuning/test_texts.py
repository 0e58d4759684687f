"""The texts of shadow tuning: the same information in each language, within the limits of an event."""

from dataclasses import asdict
from string import Formatter

import pytest

from openclaw_stream.arbitration.kubectl import looks_like_command
from openclaw_stream.arbitration.tuning.suggestions import tuning_suggestions
from openclaw_stream.arbitration.tuning.texts import TUNING_TEXTS
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.vocabulary import Language
from tests.arbitration.tuning.checkout import checkout_alert, suggested
from tests.builders import case, exemplar, judgement

TEMPLATES = {language: asdict(texts) for language, texts in TUNING_TEXTS.items()}
NAMES = sorted(TEMPLATES[Language.EN])
LONGEST = {
    "target": "x" * 253,
    "rps": 1e17,
    "p99": 1e17,
    "command": "x" * 1000,
    "approval_id": "x" * 36,
}


def placeholders(template: str) -> list[tuple[str, str]]:
    """Return name and format of each placeholder, in the order of the names."""
    return sorted((name, spec or "") for _, name, spec, _ in Formatter().parse(template) if name is not None)


def test_every_language_has_texts() -> None:
    assert set(TUNING_TEXTS) == set(Language)


@pytest.mark.parametrize("name", NAMES)
def test_a_text_has_the_same_placeholders_in_both_languages(name: str) -> None:
    english, chinese = TEMPLATES[Language.EN][name], TEMPLATES[Language.ZH_TW][name]
    assert placeholders(english) == placeholders(chinese)
    assert english.isascii()
    assert any("\u4e00" <= character <= "\u9fff" for character in chinese)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", Language)
def test_the_longest_values_fit_an_event_and_a_text_is_no_command(language: Language, name: str) -> None:
    text = TEMPLATES[language][name].format(**LONGEST)
    assert len(text) <= 2000
    assert text.isprintable()
    assert not looks_like_command(text)


@pytest.mark.parametrize(
    ("language", "negations"), [(Language.EN, ("not executed", "no change made")), (Language.ZH_TW, ("未",))]
)
@pytest.mark.parametrize("name", ["log_shadow", "log_approval", "log_advice"])
def test_a_log_states_that_nothing_was_executed(language: Language, negations: tuple[str, ...], name: str) -> None:
    assert any(negation in TEMPLATES[language][name].lower() for negation in negations)


@pytest.mark.parametrize("metrics", [{}, {"replicas": 3, "memory_limit_bytes": 2**29, "cpu_percent": 97}])
def test_texts_are_in_the_output_language(metrics: dict[str, float]) -> None:
    names = ("HighCPU", "HighMemory", "PodCrash", "HighLatency")
    alerts = [checkout_alert(name, metrics=metrics, container="app") for name in names]
    signals = GoldenSignals(rps=200, p99_ms=900)
    english = suggested(*alerts, metrics=signals)
    chinese = suggested(*alerts, metrics=signals, language=Language.ZH_TW)
    assert [each.kubectl_or_config for each in english] == [each.kubectl_or_config for each in chinese]
    assert len(english) == (3 if metrics else 4)
    assert all(each.description.isascii() for each in english)
    assert not any(each.description.isascii() for each in chinese)


def test_numbers_are_rounded_to_whole_ones() -> None:
    metrics = GoldenSignals(rps=250.7, p99_ms=900.4)
    (busy,) = suggested(checkout_alert("HighCPU", metrics={"replicas": 3}), metrics=metrics)
    (slow,) = suggested(checkout_alert("HighLatency", metrics={"replicas": 3, "cpu_percent": 97}), metrics=metrics)
    assert busy.description.startswith("checkout serves 251 requests per second ")
    assert slow.description == "P99 is 900 ms: add replicas to checkout."


@pytest.mark.parametrize("name", ["{rps}", "{0}", "check{", "{target.__class__}"])
@pytest.mark.parametrize("language", Language)
def test_braces_in_a_workload_name_are_not_formatted(language: Language, name: str) -> None:
    found = exemplar("OOM", {"deployment": name}, namespace="shop")
    (suggestion,) = tuning_suggestions(judgement(), case(found, service=name), None, language)
    assert name in suggestion.description
    assert suggestion.kubectl_or_config == ""
