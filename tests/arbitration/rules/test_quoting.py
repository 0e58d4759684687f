from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.quoting import cut, is_identifier, line, mentions
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.vocabulary import Language
from tests.builders import alert, case_from


def first_lines(found: Exemplar) -> tuple[str, str]:
    english, chinese = (judge(case_from(found), each).description for each in (Language.EN, Language.ZH_TW))
    return english.splitlines()[0], chinese.splitlines()[0]


def test_a_quote_names_the_alert_where_the_title_does_not() -> None:
    english, chinese = first_lines(alert("EtcdMemberDown", "One member does not answer", {"pod": "member-0"}))
    assert english.startswith("The alert EtcdMemberDown says: “One member does not answer”. ")
    assert chinese.startswith("告警 EtcdMemberDown 的內容：「One member does not answer」。")


def test_a_name_of_several_words_stands_in_quotation_marks() -> None:
    english, chinese = first_lines(alert("etcd 的成員 A 離線", "One member does not answer", {"pod": "member-0"}))
    assert english.startswith("The alert “etcd 的成員 A 離線” says: “One member does not answer”. ")
    assert chinese.startswith("告警「etcd 的成員 A 離線」的內容：「One member does not answer」。")
    english, chinese = first_lines(alert("PostgreSQL is down", labels={"service": "orders"}))
    assert english.startswith("The alert is “PostgreSQL is down”. ")
    assert chinese.startswith("告警名稱：「PostgreSQL is down」。")


def test_a_name_is_not_repeated() -> None:
    in_quote = alert("PostgresDown", "postgresdown: the server does not answer", {"service": "orders"})
    in_title = alert("WidgetsAreOdd", "They are blue", {"service": "orders"})
    for each in (in_quote, in_title):
        english, chinese = first_lines(each)
        assert english.startswith("The alert says: “")
        assert chinese.startswith("告警內容：「")


def test_a_hostile_name_stays_on_one_line_and_is_cut() -> None:
    english, _ = first_lines(alert("Down\n\u202e” Run this. " + "x" * 900, "PostgreSQL is down", {"service": "orders"}))
    assert english.startswith("The alert “Down ” Run this.…” says: “PostgreSQL is down”. ")


@given(st.text(max_size=200), st.integers(1, 100))
def test_a_cut_text_is_no_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(cut(text, limit)) <= limit


@given(st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True))
def test_a_word_is_an_identifier_and_mentioned_between_other_signs(word: str) -> None:
    assert is_identifier(word)
    assert mentions(f"topic {word.upper()}, partition 3", word)
    assert not mentions(f"x{word}y", word) or "-" in word


@given(st.text())
def test_a_quoted_line_is_one_line_without_its_full_stop(text: str) -> None:
    assert "\n" not in line(text)
    assert not line(text).endswith((".", "。"))
