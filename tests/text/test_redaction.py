import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.text.redaction import redact, redact_start

# Put together here, so that no scanner takes this file for a leak.
BODY = "a1B2c3D4e5F6g7H8j9K0"
VENDOR_TOKENS = {
    "aws-key": "AKIA" + "IOSFODNN7EXAMPLE",
    "github-token": "ghp_" + BODY * 2,
    "gitlab-token": "glpat-" + BODY,
    "slack-token": "xoxb-" + BODY,
    "slack-webhook": "hooks.slack.com/services/" + "T000/B000/" + BODY,
    "google-key": "AIza" + BODY * 2,
    "google-token": "ya29." + BODY,
    "stripe-key": "sk_live_" + BODY,
    "webhook-secret": "whsec_" + BODY,
    "api-key": "sk-ant-" + "api03-" + BODY,
    "npm-token": "npm_" + BODY * 2,
    "pypi-token": "pypi-" + BODY * 2,
    "huggingface-token": "hf_" + BODY * 2,
    "groq-key": "gsk_" + BODY * 2,
    "grafana-token": "glsa_" + BODY * 2,
    "vault-token": "hvs." + BODY * 2,
    "sendgrid-key": "SG." + BODY + "." + BODY,
    "databricks-token": "dapi" + "0123456789abcdef" * 2,
    "digitalocean-token": "dop_v1_" + "0123456789abcdef" * 4,
    "docker-token": "dckr_pat_" + BODY,
    "discord-webhook": "discord.com/api/" + "webhooks/1234/" + BODY * 2,
    "telegram-token": "bot" + "123456789:AA" + BODY * 2,
    "shopify-token": "shpat_" + "0123456789abcdef" * 2,
    "atlassian-token": "ATATT3x" + BODY * 2,
    "newrelic-key": "NRAK-" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ0",
    "twilio-key": "SK" + "0123456789abcdef" * 2,
    "mailgun-key": "key-" + "0123456789abcdef" * 2,
    "age-key": "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    "jwt": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + BODY,
}
PEM = "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEow" + BODY + "\n-----END RSA PRIVATE " + "KEY-----"

ORDINARY = (
    "pod checkout-7d9f8b6c5-x2x4z restarted 5 times, node ip-10-0-3-17.ec2.internal",
    "request 550e8400-e29b-41d4-a716-446655440000 took 12.5s, trace 4bf92f3577b34da6a3ce929d0e0e4736",
    "image registry.example.org/shop/checkout@sha256:" + "0123456789abcdef" * 4 + " cannot be pulled",
    "nginx@sha256:abcdef0123456789 and nginx:1.25",
    "https://runbooks.example.org:8443/checkout/errors?from=now-1h&to=now#top",
    "postgres://db.shop.svc:5432/orders?sslmode=require",
    "FATAL: password authentication failed for user postgres",
    "invalid token: expired; secret: not found; password: is required",
    'secret "checkout-tls" not found in namespace shop',
    "max_tokens: 4096, tokens=512, tokens_per_second=31",
    "violates unique constraint orders_pkey, Key (id)=(42) already exists, primary key: id",
    "systemd unit user@1000.service and getty@tty1.service failed",
    "basic authentication is disabled, bearer authentication required",
    "kafka@3.7.0 on 10.2.3.4:9092, [2001:db8::1]:9092",
    "--max-old-space-size 4096 --token-bucket 7",
    "賣場結帳錯誤率 12.4%，最近五分鐘",
    "sk-frontend-7d9f8b6c5-x2x4z and task-abcdefghijklmnopqrstu are pods",
)

PAIRS = (
    ("password={}", "password"),
    ("password: {}", "password"),
    ("DB_PASS={} ./start", "password"),
    ("PGPASSWORD={} psql", "password"),
    ("mysql --password={} -h db", "password"),
    ("mysql --password {} -h db", "password"),
    ('{{"password": "{}", "user": "bob"}}', "password"),
    ('{{\\"password\\": \\"{}\\", \\"user\\": 1}}', "password"),
    ("{{'passwd': '{}'}}", "password"),
    ("密碼: {}", "password"),
    ("Server=db;Password={};Database=orders", "password"),
    ("https://api.example.org/v1?token={}&page=2", "token"),
    ("access_token: '{}'", "token"),
    ("X-Auth-Token: {}", "token"),
    ("api_key={}", "key"),
    ("X-API-Key: {}", "key"),
    ("apiKey => {}", "key"),
    ("AccountKey={};EndpointSuffix=core", "key"),
    ("client_secret={}", "secret"),
    ("aws_secret_access_key = {}", "secret"),
    ("https://blob.example.org/a?sv=1&sig={}&se=2", "credential"),
    ("https://b.s3.example.org/a?X-Amz-Expires=60&X-Amz-Signature={}", "credential"),
    ("GET /login?user=app&pass={}", "password"),
    ("Authorization: {}", "credential"),
)
SENTENCES = (
    ("the password is hunter2, he said", "the password is [redacted:password] he said"),
    ("api key was 'abc123def'", "api key was '[redacted:key]'"),
    ("the token is required and the secret was rotated", "the token is required and the secret was rotated"),
)

FRAGMENTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from([*VENDOR_TOKENS.values(), PEM, *ORDINARY, *(text.format("hunter2") for text, _ in PAIRS)]),
    st.sampled_from(
        [
            ":",
            "=",
            "@",
            "://",
            '"',
            "'",
            "\\",
            " ",
            "\n",
            "-",
            "[",
            "]",
            "[redacted:password]",
            "bearer ",
            "cookie: a=b",
        ]
    ),
    st.emails(),
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


def test_a_private_key_goes_whole_even_where_its_end_is_cut_off() -> None:
    assert redact(f"key:\n{PEM}\nafter") == "key:\n[redacted:private-key]\nafter"
    assert redact(f"log: {PEM[:60]}") == "log: [redacted:private-key]"


@pytest.mark.parametrize("token", VENDOR_TOKENS.values(), ids=VENDOR_TOKENS)
def test_a_cut_shows_no_half_secret(token: str) -> None:
    before, after = f"password={'x' * 500} ", " and more" * 100
    for enough in range(len(before) - 256, len(before + token)):
        shown = re.sub(r"\[redacted:[a-z-]+\]", "", redact_start(before + token + after, enough))
        assert token[:6] not in shown


def test_a_cut_shows_no_start_of_a_long_secret() -> None:
    before, after = "the token is ", " and more" * 100
    for enough in range(len(before) - 5, len(before) + 250, 5):
        assert "eyJ" not in redact_start(f"{before}{VENDOR_TOKENS['jwt']}{BODY * 20}{after}", enough)


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
def test_where_programs_and_people_leave_secrets(text: str) -> None:
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
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert redact(text) == text


def test_a_start_is_not_left_out_for_want_of_blanks() -> None:
    assert redact_start("記憶體不足" * 200, 100) == ("記憶體不足" * 200)[:356]
    assert redact_start("x," * 1000, 100) == "x," * 178


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
def test_a_disguised_secret_is_uncovered(text: str) -> None:
    assert redact(text).endswith("=[redacted:password]") or redact(text) == "密碼:[redacted:password]"


@pytest.mark.parametrize(
    "text",
    ["錯誤率\uff1a\uff11\uff12\uff05\uff0c請檢查", "no\u00adbreak \ufb01ne", r"\u5bc6 alone", "👩\u200d🔧 on call"],
)
def test_what_disguises_no_secret_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_an_email_address_is_replaced() -> None:
    assert redact("owner: jane.doe+oncall@shop.example.org (on call)") == "owner: [redacted:email] (on call)"


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_a_sentence_may_tell_a_secret(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_a_quoted_password_may_hold_escaped_quotes() -> None:
    assert redact(r'{"password": "hun\"ter2", "a": 1}') == '{"password": "[redacted:password]", "a": 1}'


@given(st.lists(FRAGMENTS, max_size=6).map("".join))
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(st.sampled_from(sorted(VENDOR_TOKENS.values())), st.text(max_size=30), st.text(max_size=30))
def test_a_vendors_token_never_survives(token: str, before: str, after: str) -> None:
    assert token not in redact(f"{before} {token} {after}")


@given(st.from_regex(r"[a-z]{3,10}(-[a-z0-9]{2,8}){0,3}", fullmatch=True))
def test_names_of_kubernetes_stay(name: str) -> None:
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


@pytest.mark.timeout(40)
@pytest.mark.parametrize("seed", HOSTILE)
def test_hostile_text_takes_linear_time(seed: str) -> None:
    """A pattern that backtracks over the whole text takes minutes for this one."""
    text = seed * (400_000 // len(seed))
    assert redact(f"{text}\npassword=hunter2").endswith("[redacted:password]") or "PRIVATE" in seed


def test_a_marker_names_a_kind() -> None:
    assert re.fullmatch(r"\[redacted:[a-z-]+\]", redact(VENDOR_TOKENS["jwt"]))
