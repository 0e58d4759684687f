import pytest

from openclaw_stream.alerts.matchers import Matchers

LABELS = {"namespace": "dev-anna", "severity": "info", "team.name": "a", "note": 'say "hi", again'}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ('alertname="Slow"', True),
        ("alertname=Slow", True),
        ('{alertname="Slow"}', True),
        ('alertname="Other"', False),
        ('alertname="Slow", namespace=~"dev-.*"', True),
        ('alertname="Slow",namespace=~"dev-.*",', True),
        ('alertname="Slow", namespace=~"dev"', False),
        ('namespace!="prod"', True),
        ('namespace!~"dev-.*"', False),
        ('missing=""', True),
        ('missing!=""', False),
        ('"team.name"="a"', True),
        ('alertname="X"; namespace=~"dev-.*"', True),
        (r'note="say \"hi\", again"', True),
        ('alertname=~"Slow|Fast"', True),
    ],
)
def test_matchers_are_those_of_alertmanager(text: str, matches: bool) -> None:  # noqa: FBT001 - an expected value
    assert Matchers(text).match(LABELS, "Slow") is matches


def test_no_matchers_match_nothing() -> None:
    assert not Matchers("")
    assert not Matchers(" ; ").match(LABELS, "Slow")


@pytest.mark.parametrize(
    "text",
    ["alertname", 'alertname="a" namespace="b"', 'namespace=~"("', "=x", "a=~", '{a="b"', "a='b'", "a=~'b'", "a=`b`"],
)
def test_a_text_that_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"matcher|comma|regular"):
        Matchers(text)
