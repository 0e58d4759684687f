import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.normalization import is_firing, severity_of
from openclaw_stream.vocabulary import Severity


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        ("critical P0 page emergency fatal sev1 disaster", Severity.CRITICAL),
        ("high P1 error major", Severity.HIGH),
        ("warning P2 warn minor medium", Severity.WARNING),
        ("info P3 notice none informational ok debug", Severity.INFO),
        ("purple 7 !", Severity.WARNING),
    ],
)
def test_usual_severities_are_mapped_and_others_mean_warning(words: str, severity: Severity) -> None:
    assert {severity_of(word) for word in words.split()} == {severity}


@given(st.sampled_from(["critical", "page", "p1", "Warning", "NOTICE"]), st.text(" \t\n", max_size=3))
def test_case_and_surrounding_space_of_a_severity_are_ignored(word: str, space: str) -> None:
    assert severity_of(space + word.upper() + space) is severity_of(word.lower())


@given(st.text())
def test_any_text_has_a_severity(word: str) -> None:
    assert isinstance(severity_of(word), Severity)


@pytest.mark.parametrize(
    ("words", "firing"),
    [
        ("firing FIRING active Alerting open triggered", True),
        ("resolved Resolved ok OK inactive closed recovered", False),
        ("purple", None),
    ],
)
def test_statuses_have_synonyms(words: str, firing: bool | None) -> None:  # noqa: FBT001 - an expected value
    assert {is_firing(word) for word in words.split()} == {firing}
    assert is_firing(f" {words.split(maxsplit=1)[0]}\n") is firing
