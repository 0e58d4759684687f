import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.text.redaction import redact
from tests.text.secrets import BODY, FRAGMENTS, ORDINARY, PAIRS, PEM, VENDOR_TOKENS

SENTENCES = (
    ("the password is hunter2, he said", "the password is [redacted:password] he said"),
    ("api key was 'abc123def'", "api key was '[redacted:key]'"),
    ("the token is required and the secret was rotated", "the token is required and the secret was rotated"),
)


@pytest.mark.parametrize(("kind", "token"), VENDOR_TOKENS.items())
def test_a_vendors_token_is_replaced_by_its_kind(kind: str, token: str) -> None:
    assert redact(f"call failed with {token}, retrying") == f"call failed with [redacted:{kind}], retrying"


@pytest.mark.parametrize(("text", "kind"), PAIRS)
@pytest.mark.parametrize("secret", ["hunter2", "p(w]d", "Tr0ub4dor,3", "x" * 300])
def test_a_named_value_is_replaced_and_the_text_around_it_stays(text: str, kind: str, secret: str) -> None:
    assert redact(text.format(secret)) == text.format(f"[redacted:{kind}]")


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_alert_text_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://admin:s3cr@t/x@db:5432/orders", "postgres://[redacted:credentials]@db:5432/orders"),
        ("redis://:s3cret@cache:6379/0", "redis://[redacted:credentials]@cache:6379/0"),
        ("mongodb://u:p@h1,h2/orders", "mongodb://[redacted:credentials]@h1,h2/orders"),
        ("https://user:s3@cret@git.example.org/x@y", "https://[redacted:credentials]@git.example.org/x@y"),
        ("https://0123456789abcdef@errors.example.org/2", "https://[redacted:credentials]@errors.example.org/2"),
    ],
)
def test_credentials_in_a_connection_string_are_replaced(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_a_private_key_is_redacted_even_without_its_end() -> None:
    assert redact(f"key:\n{PEM}\nafter") == "key:\n[redacted:private-key]\nafter"
    assert redact(f"log: {PEM[:60]}") == "log: [redacted:private-key]"


SECRET = "hunter2" + "XyZ"


@pytest.mark.parametrize(
    "text",
    [
        '{"user": "root", "pass": "%s"}',
        "pass=%s",
        "db.pass: %s",
        "PW=%s",
        '[{"name":"DB_PASSWORD","value":"%s"}]',
        r"[{\"name\":\"API_TOKEN\",\"value\":\"%s\"}]",
        "<db:password>%s</db:password>",
        "Secret key: %s",
        "API key: %s",
        "root:%s@tcp(10.0.0.3:3306)/shop",
        "mysql -h db -uroot -p%s shop",
        "redis-cli -h cache -a %s ping",
        "CREATE USER a IDENTIFIED BY '%s'",
        "ALTER ROLE a PASSWORD '%s'",
        "requirepass %s",
        "口令：%s",
        "金鑰: %s",
        *(f"pass{mark}word=%s" for mark in ("\u034f", "\u3164", "\ufe0f", "\U000e0101")),
    ],
)
def test_secrets_in_the_formats_of_programs_and_people_are_redacted(text: str) -> None:
    redacted = redact(text % SECRET)
    assert SECRET not in redacted
    assert "[redacted:" in redacted
    assert redact(redacted) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "mysql -p 3306 is down",
        "passed=4 failed=0",
        "the password 'expired' rule fires",
        '[{"name":"LOG_LEVEL","value":"debug"}]',
        "redis-cli -h cache -p 6379 ping fails",
        "primary key: id",
        "proxy@tcp(x)",
    ],
)
def test_text_that_only_resembles_a_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_authorization_headers_and_cookies_are_replaced() -> None:
    assert redact(f"Authorization: Bearer {BODY}") == "Authorization: Bearer [redacted:authorization]"
    assert redact("got basic dXNlcjpwYXNz from") == "got basic [redacted:authorization] from"
    assert redact("Cookie: sid=abc; theme=dark\nHost: a") == "Cookie: [redacted:cookie]\nHost: a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("curl -u app:hunter2 https://db", "curl -u app:[redacted:password] https://db"),
        ("curl --user 'app:hunter2' https://db", "curl --user 'app:[redacted:password]' https://db"),
        ("sshpass -p hunter2 ssh db", "sshpass -p [redacted:password] ssh db"),
        ("docker run -u 1000:1000 app", "docker run -u 1000:1000 app"),
        ("sort -u a.txt", "sort -u a.txt"),
    ],
)
def test_a_login_on_a_command_line_loses_its_password(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff1dhunter2",
        "密碼\uff1ahunter2",
        "pass\u200bword=hunter2",
        "pa\x00ssword=hunter2",
        r"p\u0061ssword=hunter2",
    ],
)
def test_a_disguised_secret_is_redacted(text: str) -> None:
    assert redact(text).endswith("=[redacted:password]") or redact(text) == "密碼:[redacted:password]"


@pytest.mark.parametrize(
    "text",
    ["錯誤率\uff1a\uff11\uff12\uff05\uff0c請檢查", "no\u00adbreak \ufb01ne", r"\u5bc6 alone", "👩\u200d🔧 on call"],
)
def test_unusual_characters_without_a_secret_stay(text: str) -> None:
    assert redact(text) == text


def test_an_email_address_is_replaced() -> None:
    assert redact("owner: jane.doe+oncall@shop.example.org (on call)") == "owner: [redacted:email] (on call)"


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_a_secret_in_a_sentence_is_redacted(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_a_quoted_password_may_contain_escaped_quotes() -> None:
    assert redact(r'{"password": "hun\"ter2", "a": 1}') == '{"password": "[redacted:password]", "a": 1}'


@given(st.lists(FRAGMENTS, max_size=6).map("".join))
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(st.sampled_from(sorted(VENDOR_TOKENS.values())), st.text(max_size=30), st.text(max_size=30))
def test_a_vendors_token_is_never_left(token: str, before: str, after: str) -> None:
    assert token not in redact(f"{before} {token} {after}")


@given(st.from_regex(r"[a-z]{3,10}(-[a-z0-9]{2,8}){0,3}", fullmatch=True))
def test_kubernetes_names_stay(name: str) -> None:
    assert redact(name) == name


HOSTILE = (
    "password",
    "password=",
    "password='",
    'password="\\',
    "secret_access_key ",
    "token=,",
    "bearer ",
    "basic " + "a" * 50 + " ",
    "eyJ-",
    "eyJaaaaaa.",
    "a@",
    "a.",
    "a@a.",
    "://",
    "://a:",
    "https://a@",
    "--a-",
    "--password ",
    "-----BEGIN PRIVATE KEY-----",
    "cookie: ",
    "SG.",
    "\\",
    "[redacted:",
)


@pytest.mark.slow
@pytest.mark.timeout(40)
@pytest.mark.parametrize("seed", HOSTILE)
def test_hostile_text_takes_linear_time(seed: str) -> None:
    """A pattern that backtracks over the whole text would take minutes."""
    text = seed * (400_000 // len(seed))
    assert redact(f"{text}\npassword=hunter2").endswith("[redacted:password]") or "PRIVATE" in seed


def test_a_marker_names_a_kind() -> None:
    assert re.fullmatch(r"\[redacted:[a-z-]+\]", redact(VENDOR_TOKENS["jwt"]))
