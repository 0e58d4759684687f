import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.severity import Severities
from openclaw_stream.vocabulary import Severity

BUILT_IN = Severities()


CRITICAL = "critical|P0|page|emergency|fatal|sev1|SEV-1|SEV 1|sev_1|Severity 1|severity-1|disaster|red|1 - Critical"
CRITICAL_TOO = "P1 - Critical|P1: critical|SEVERITY_CRITICAL|[critical]|Critical!|blocker|P0 - checkout|Highest|FATAL4"
SYMBOLS = (
    "\N{LARGE RED CIRCLE}|\N{FIRE} critical|severity_level_1|SEVERITY_NUMBER_FATAL|Sev1 (page)|danger|critical, page"
)
HIGH = "high|P1|priority 1|error|major|very high|Sev2|SEV 2|2 - High|SEVERITY_HIGH|orange"
HIGH_TOO = "high-urgency|urgency: high|p01|P1 - Major outage"
WARNING = "warning|P2|warn|minor|medium|average|3 - Moderate|sev3|yellow|WARNING (3)|Not classified|WARN2"
INFO = "info|P3|notice|informational|ok|debug|4 - Low|sev 4|green|low_urgency|Lowest|5 - Planning"


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        (CRITICAL, Severity.CRITICAL),
        (CRITICAL_TOO, Severity.CRITICAL),
        (SYMBOLS, Severity.CRITICAL),
        (HIGH, Severity.HIGH),
        (HIGH_TOO, Severity.HIGH),
        (WARNING, Severity.WARNING),
        (INFO, Severity.INFO),
    ],
)
def test_the_usual_words_are_known(words: str, severity: Severity) -> None:
    read = {word: BUILT_IN.read(word) for word in words.split("|")}
    assert set(read.values()) == {severity}, read


@pytest.mark.parametrize(
    "word",
    [
        "purple",
        "5",
        "7",
        "!",
        "",
        "sev 9",
        "critical or high",
        "not at all",
        "none",
        "1/5",
        "level 1",
        "not critical",
        "sev 1.5",
    ],
)
def test_other_words_are_not_known(word: str) -> None:
    assert BUILT_IN.read(word) is None


def test_the_operators_own_words_take_precedence() -> None:
    own = Severities({"P1": Severity.CRITICAL, "purple": Severity.HIGH})
    assert own.read("p1") is Severity.CRITICAL
    assert own.read("P1") is Severity.CRITICAL
    assert own.read(" Purple ") is Severity.HIGH
    assert own.read("priority 1") is Severity.CRITICAL
    assert own.read("P2") is Severity.WARNING


@given(st.sampled_from(["critical", "page", "p1", "Warning", "NOTICE"]), st.text(" \t\n", max_size=3))
def test_case_and_surrounding_space_do_not_count(word: str, space: str) -> None:
    assert BUILT_IN.read(space + word.upper() + space) is BUILT_IN.read(word.lower())


@given(st.text())
def test_any_text_is_a_severity_or_not_known(word: str) -> None:
    assert isinstance(BUILT_IN.read(word), Severity | None)
