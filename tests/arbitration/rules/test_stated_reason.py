"""The reason that an alert states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.stated_reason import stated_reason
from openclaw_stream.vocabulary import Language
from tests.builders import alert, case_from


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Node a-1 is held back because its firmware is too old. Ask the vendor.", "its firmware is too old"),
        ("Sync stopped due to a revoked key", "a revoked key"),
        ("Import refused with an expired licence / 4 files wait", "expired licence"),
        ("Reason: quota of 40 addresses used up", "quota of 40 addresses used up"),
        ("匯入中斷，原因：授權已過期三天。請聯絡廠商", "授權已過期三天"),
        ("It may be due to a revoked key", ""),
        ("This usually happens because a key was revoked", ""),
        ("The certificate is due to expire tomorrow", ""),
        ("It is red because of this", ""),
        ('It fired because "Threshold Crossed: 1 datapoint"', ""),
        ("Reason: unknown", ""),
        ("Error: 500", ""),
        ("", ""),
    ],
)
def test_a_reason_is_what_the_alert_states_as_certain(text: str, reason: str) -> None:
    assert stated_reason(text) == reason


@given(st.text())
def test_a_reason_is_a_part_of_the_text(text: str) -> None:
    assert stated_reason(text) in text


@pytest.mark.parametrize("language", Language)
def test_an_unknown_cause_is_not_called_unknown_where_the_alert_states_it(language: Language) -> None:
    stated, silent = (
        judge(case_from(alert("Zzyzx", annotations={"summary": text})), language).description
        for text in ("Qwrt halted because its licence has ended", "Qwrt halted")
    )
    unknown = {Language.EN: "not known", Language.ZH_TW: "原因未明"}[language]
    assert unknown in silent
    assert unknown not in stated
    assert stated.count("its licence has ended") == 2, "once in the quote, once as the reason"
