import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.rules.lexicon import Lexicon

LEXICON = Lexicon(
    {
        "store": ["mysql", "postgresql", "資料庫"],
        "lag": ["replication lag", "consumer lag", "lag"],
        "screen": ["frontend"],
        "noise": ["query frontend"],
        "crash": ["crash loop", "restarting"],
        "code": ["5xx", "p99"],
        "broker": ["nats"],
        "network": ["nat"],
        "both": ["lag"],
    },
    unstemmed=["nats"],
)


def found(text: str) -> list[str]:
    return [
        category for sentence in LEXICON.sentences(text) for found in sentence for category in found.term.categories
    ]


@pytest.mark.parametrize(
    "text",
    ["MySQLDown", "mysql_up", "my-sql", "MYSQL", "MySQL 連線", "x.mysql.svc", "\uff2d\uff39\uff33\uff31\uff2c"],
)
def test_a_word_is_found_however_it_is_spelt(text: str) -> None:
    assert found(text) == ["store"]


@pytest.mark.parametrize("text", ["CrashLooping", "crash loops", "crashlooped", "crash-loop", "restarted", "Restarts"])
def test_endings_do_not_matter(text: str) -> None:
    assert found(text) == ["crash"]


@pytest.mark.parametrize("text", ["5XX", "http 5xx errors", "P99", "p99_latency", "HTTPCode_5XX_Count"])
def test_words_with_digits_are_found(text: str) -> None:
    assert found(text) == ["code"]


def test_the_longest_word_hides_those_inside_it() -> None:
    assert found("query frontend is slow") == ["noise"]
    assert found("frontend is slow") == ["screen"]
    assert found("replication lag") == ["lag"]
    assert found("lag") == ["lag", "both"]


def test_a_word_whose_ending_belongs_to_it_is_kept() -> None:
    assert found("NATS is slow") == ["broker"]
    assert found("NAT gateway") == ["network"]


def test_chinese_is_found_without_spaces() -> None:
    assert found("訂單資料庫延遲") == ["store"]


def test_sentences_are_told_apart() -> None:
    sentences = LEXICON.sentences("MySQL is down. It has no replication lag\nfrontend")
    assert [[found.term.text for found in sentence] for sentence in sentences] == [
        ["mysql"],
        ["replication lag"],
        ["frontend"],
    ]


def test_addresses_and_invisible_characters_tell_nothing() -> None:
    assert found("see https://wiki.example/mysql/frontend") == []
    assert found("my\u200bsql") == ["store"]


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    sentences = LEXICON.sentences(text)
    assert sentences == LEXICON.sentences(text)
    assert all(found.term.categories for sentence in sentences for found in sentence)
