import pytest

from openclaw_stream.alerts.status import Stated, stated


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("firing FIRING active Alerting open triggered", Stated.FIRING),
        ("resolved Resolved ok OK inactive closed recovered", Stated.RESOLVED),
        ("pending Pending", Stated.PENDING),
        ("suppressed silenced", Stated.SUPPRESSED),
        ("purple", None),
    ],
)
def test_statuses_have_synonyms(words: str, expected: Stated | None) -> None:
    assert {stated(word) for word in words.split()} == {expected}
    assert stated(f" {words.split(maxsplit=1)[0]}\n") is expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("No Data", Stated.FIRING),
        ("Re-Triggered", Stated.FIRING),
        ("Alerting (NoData)", Stated.FIRING),
        ("Ack", Stated.FIRING),
        ("DOWN", Stated.FIRING),
        ("Normal (MissingSeries)", Stated.RESOLVED),
        ("Warn Recovered", Stated.RESOLVED),
        ("expired", Stated.RESOLVED),
        ("snoozed", Stated.SUPPRESSED),
        ("firing,resolved", None),
        ("(firing)", None),
        ("x" * 10_000, None),
    ],
)
def test_separators_and_remarks_do_not_count(word: str, expected: Stated | None) -> None:
    assert stated(word) is expected
