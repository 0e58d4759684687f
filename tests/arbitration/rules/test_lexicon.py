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
def test_a_term_matches_in_any_spelling(text: str) -> None:
    assert found(text) == ["store"]


@pytest.mark.parametrize("text", ["CrashLooping", "crash loops", "crashlooped", "crash-loop", "restarted", "Restarts"])
def test_tokens_are_stemmed(text: str) -> None:
    assert found(text) == ["crash"]


@pytest.mark.parametrize("text", ["5XX", "http 5xx errors", "P99", "p99_latency", "HTTPCode_5XX_Count"])
def test_terms_with_digits_match(text: str) -> None:
    assert found(text) == ["code"]


def test_the_longest_term_hides_the_terms_inside_it() -> None:
    assert found("query frontend is slow") == ["noise"]
    assert found("frontend is slow") == ["screen"]
    assert found("replication lag") == ["lag"]
    assert found("lag") == ["lag", "both"]


def test_unstemmed_tokens_keep_their_ending() -> None:
    assert found("NATS is slow") == ["broker"]
    assert found("NAT gateway") == ["network"]


def test_chinese_terms_match_without_spaces() -> None:
    assert found("訂單資料庫延遲") == ["store"]


def test_text_is_split_into_sentences() -> None:
    sentences = LEXICON.sentences("MySQL is down. It has no replication lag\nfrontend")
    assert [[found.term.text for found in sentence] for sentence in sentences] == [
        ["mysql"],
        ["replication lag"],
        ["frontend"],
    ]


def test_urls_and_invisible_characters_are_ignored() -> None:
    assert found("see https://wiki.example/mysql/frontend") == []
    assert found("my\u200bsql") == ["store"]


@given(st.text(max_size=300))
def test_any_text_can_be_matched(text: str) -> None:
    sentences = LEXICON.sentences(text)
    assert sentences == LEXICON.sentences(text)
    assert all(found.term.categories for sentence in sentences for found in sentence)
