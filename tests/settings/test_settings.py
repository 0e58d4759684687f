import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.errors import SettingsError
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.settings import (
    HttpSettings,
    IncidentSettings,
    KafkaSettings,
    Settings,
    TopicSettings,
    WorkerSettings,
    load_settings,
    unknown_settings,
)
from openclaw_stream.vocabulary import Language


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:

    for name in list(os.environ):
        if name.startswith(("OPENCLAW_", "KAFKA_", "SHADOW_MODE_")):
            monkeypatch.delenv(name)


def problems() -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value).splitlines()


def test_defaults_are_the_documented_ones() -> None:
    settings = load_settings()
    assert settings.kafka.bootstrap_servers == "127.0.0.1:9092"
    assert settings.kafka.group_id == "openclaw-stream"
    assert settings.kafka.auto_offset_reset == "earliest"
    assert settings.topics.dead_letter == "openclaw.dead-letter.v1"
    assert settings.incidents.timers == Timers()
    assert settings.incidents.group_by == ("namespace", "service")
    assert settings.arbiter.language is Language.ZH_TW
    assert settings.shadow_mode.enabled is True
    assert (settings.ownership.owners, settings.ownership.team_label) == (None, None)
    assert settings.http.addr == ("127.0.0.1", 8080)
    assert unknown_settings() == []


def test_every_variable_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    pem.write_text("")
    values = {
        "KAFKA_BOOTSTRAP_SERVERS": "a:1,[::1]:2,c",
        "KAFKA_GROUP_ID": "team/openclaw",
        "KAFKA_AUTO_OFFSET_RESET": "LATEST",
        "KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
        "KAFKA_SASL_MECHANISM": "scram-sha-512",
        "KAFKA_SASL_USERNAME": "ann",
        "KAFKA_SASL_PASSWORD": "s3cret",
        "KAFKA_SSL_CAFILE": str(pem),
        "KAFKA_SSL_CERTFILE": str(pem),
        "KAFKA_SSL_KEYFILE": str(pem),
        "KAFKA_SESSION_TIMEOUT": "6",
        "KAFKA_TRANSACTION_TIMEOUT": "9.5",
        "OPENCLAW_TOPIC_ALERTS": "a",
        "OPENCLAW_TOPIC_DECISIONS": "d",
        "OPENCLAW_TOPIC_TUNING": "t",
        "OPENCLAW_TOPIC_INCIDENTS": "i",
        "OPENCLAW_TOPIC_DEAD_LETTER": "l",
        "OPENCLAW_GROUP_WAIT": "0.25",
        "OPENCLAW_GROUP_WAIT_CRITICAL": "0",
        "OPENCLAW_GROUP_INTERVAL": "7200",
        "OPENCLAW_RESOLVE_HOLD": "0",
        "OPENCLAW_MAX_SILENCE": "0.001",
        "OPENCLAW_GROUP_BY": "cluster, team",
        "OPENCLAW_LANGUAGE": "EN",
        "OPENCLAW_OWNERS": str(pem),
        "OPENCLAW_TEAM_LABEL": "squad",
        "OPENCLAW_LOG_LEVEL": "Warning",
        "OPENCLAW_LOG_FORMAT": "console",
        "OPENCLAW_LOG_LIBRARY_LEVEL": "Debug",
        "OPENCLAW_HTTP_ADDR": "[::1]:0",
        "OPENCLAW_COMMIT_INTERVAL": "0.5",
        "OPENCLAW_MAX_PENDING_BYTES": "2MiB",
        "OPENCLAW_MAX_PENDING_DECISIONS": "7",
        "OPENCLAW_SHUTDOWN_TIMEOUT": "20",
        "SHADOW_MODE_ENABLED": "false",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.kafka.sasl_password is not None
    assert settings.kafka.sasl_password.get_secret_value() == "s3cret"
    assert (settings.kafka.security_protocol, settings.kafka.sasl_mechanism) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (settings.kafka.session_timeout, settings.kafka.transaction_timeout) == (6, 9.5)
    assert tuple(dict(settings.topics).values()) == ("a", "d", "t", "i", "l")
    assert settings.incidents.timers == Timers(250, 0, 7_200_000, 7_200_000, 0, 1)
    assert settings.incidents.group_by == ("cluster", "team")
    assert settings.arbiter.language is Language.EN
    assert (settings.ownership.owners, settings.ownership.team_label) == (pem, "squad")
    assert (settings.log.level, settings.log.format, settings.log.library_level) == ("warning", "console", "debug")
    assert settings.http.addr == ("::1", 0)
    assert (settings.worker.max_pending_bytes, settings.worker.max_pending_decisions) == (2 << 20, 7)
    assert settings.shadow_mode.enabled is False
    assert unknown_settings() == []


def test_a_secret_is_never_displayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SASL_USERNAME", "ann")
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "s3cret")
    assert "s3cret" not in "".join(problems())
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT")
    assert "s3cret" not in repr(load_settings())


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka://x:9092", "host:port"),
        ("KAFKA_BOOTSTRAP_SERVERS", "x:99999", "host:port"),
        ("KAFKA_GROUP_ID", "two words", "without spaces"),
        ("KAFKA_GROUP_ID", "line\n", "without spaces"),
        ("KAFKA_AUTO_OFFSET_RESET", "newest", "earliest or latest"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS", "SASL_SSL"),
        ("KAFKA_SESSION_TIMEOUT", "0", "1 to 3600"),
        ("KAFKA_SSL_CAFILE", "/nowhere/ca.pem", "PEM file"),
        ("OPENCLAW_TOPIC_ALERTS", "alerts!", "1 to 249"),
        ("OPENCLAW_TOPIC_ALERTS", "..", "1 to 249"),
        ("OPENCLAW_GROUP_WAIT", "soon", "seconds"),
        ("OPENCLAW_GROUP_WAIT", "-1", "seconds"),
        ("OPENCLAW_GROUP_WAIT", "nan", "seconds"),
        ("OPENCLAW_GROUP_WAIT", "inf", "seconds"),
        ("OPENCLAW_GROUP_BY", "a,,b", "commas"),
        ("OPENCLAW_GROUP_BY", "a,a", "twice"),
        ("OPENCLAW_LANGUAGE", "de", "zh-TW or en"),
        ("OPENCLAW_OWNERS", "/nowhere/owners.toml", "a TOML file of [[owner]] entries"),
        ("OPENCLAW_TEAM_LABEL", "two words", "the name of a label"),
        ("OPENCLAW_LOG_LEVEL", "loud", "debug, info"),
        ("OPENCLAW_LOG_FORMAT", "xml", "json or console"),
        ("OPENCLAW_HTTP_ADDR", ":8080", "host:port"),
        ("OPENCLAW_HTTP_ADDR", "::1:8080", "host:port"),
        ("OPENCLAW_HTTP_ADDR", "127.0.0.1:70000", "65535"),
        ("OPENCLAW_HTTP_ADDR", "127.0.0.1", "host:port"),
        ("OPENCLAW_MAX_PENDING_BYTES", "0", "bytes"),
        ("OPENCLAW_MAX_PENDING_DECISIONS", "1.5", "1 to 1000000"),
        ("OPENCLAW_COMMIT_INTERVAL", "0", "above 0"),
        ("SHADOW_MODE_ENABLED", "perhaps", "true or false"),
    ],
)
def test_a_wrong_value_is_one_message(monkeypatch: pytest.MonkeyPatch, name: str, value: str, word: str) -> None:
    monkeypatch.setenv(name, value)
    (message,) = problems()
    assert message.startswith(f"{name}={value!r} is not allowed: ")
    assert word in message


def test_each_problem_has_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCLAW_GROUP_WAIT", "x")
    monkeypatch.setenv("KAFKA_GROUP_ID", " ")
    monkeypatch.setenv("OPENCLAW_HTTP_ADDR", "x")
    assert [line.partition("=")[0] for line in problems()] == [
        "KAFKA_GROUP_ID",
        "OPENCLAW_GROUP_WAIT",
        "OPENCLAW_HTTP_ADDR",
    ]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"OPENCLAW_RESOLVE_HOLD": "18000"}, ("OPENCLAW_MAX_SILENCE", "exceed OPENCLAW_RESOLVE_HOLD (18000)")),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "u"},
            ("needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",),
        ),
        ({"KAFKA_SASL_USERNAME": "u"}, ("KAFKA_SECURITY_PROTOCOL=PLAINTEXT does not use it",)),
        ({"KAFKA_SSL_CAFILE": "/dev/stdin"}, ("KAFKA_SSL_CAFILE",)),
        ({"OPENCLAW_TOPIC_ALERTS": "a.b", "OPENCLAW_TOPIC_TUNING": "a_b"}, ("OPENCLAW_TOPIC_ALERTS and", "a name")),
        ({"KAFKA_SESSION_TIMEOUT": "15"}, ("KAFKA_SESSION_TIMEOUT (15) must be below KAFKA_TRANSACTION_TIMEOUT (15)",)),
        ({"KAFKA_TRANSACTION_TIMEOUT": "60"}, ("KAFKA_TRANSACTION_TIMEOUT (60) must be below OPENCLAW_SHUTDOWN",)),
        ({"OPENCLAW_COMMIT_INTERVAL": "10"}, ("OPENCLAW_COMMIT_INTERVAL (10) must be below KAFKA_SESSION_TIMEOUT",)),
    ],
)
def test_settings_are_checked_against_each_other(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: tuple[str, ...]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (message,) = problems()
    for word in words:
        assert word in message


def test_a_key_without_certificate_and_unused_files_are_rejected(tmp_path: Path) -> None:
    pem = tmp_path / "key.pem"
    pem.write_text("")
    with pytest.raises(ValueError, match="KAFKA_SSL_KEYFILE needs KAFKA_SSL_CERTFILE"):
        KafkaSettings(security_protocol="SSL", ssl_keyfile=pem)
    with pytest.raises(ValueError, match="does not use it; set SSL or SASL_SSL"):
        KafkaSettings(ssl_cafile=pem)


def test_an_empty_variable_counts_as_unset_except_the_http_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_GROUP_ID", "OPENCLAW_GROUP_WAIT", "OPENCLAW_GROUP_BY", "OPENCLAW_HTTP_ADDR"):
        monkeypatch.setenv(name, "")
    settings = load_settings()
    assert settings.kafka.group_id == "openclaw-stream"
    assert settings.incidents.timers.group_wait == 30_000
    assert settings.incidents.group_by == ("namespace", "service")
    assert settings.http.addr is None


def test_a_misspelt_variable_is_named_and_service_links_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCLAW_GRUOP_WAIT", "3")
    monkeypatch.setenv("OPENCLAW_PURPLE", "3")
    monkeypatch.setenv("OPENCLAW_STREAM_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("OPENCLAW_STREAM_PORT_8080_TCP_ADDR", "10.0.0.1")
    assert unknown_settings() == [
        "OPENCLAW_GRUOP_WAIT is set, but there is no such setting; did you mean OPENCLAW_GROUP_WAIT?",
        "OPENCLAW_PURPLE is set, but there is no such setting",
    ]


def test_settings_are_frozen_and_can_be_created_in_code() -> None:
    settings = Settings(
        kafka=KafkaSettings(group_id="g"),
        topics=TopicSettings(alerts="x"),
        incidents=IncidentSettings(group_wait=0.1, group_by=("a",)),
        http=HttpSettings(addr=None),
    )
    assert (settings.kafka.group_id, settings.topics.alerts, settings.http.addr) == ("g", "x", None)
    with pytest.raises(ValueError, match="frozen"):
        settings.kafka.group_id = "h"  # type: ignore[misc]


def test_every_variable_is_described() -> None:
    for _, group in Settings():
        for name, field in type(group).model_fields.items():
            assert field.description, name


def test_timeouts_of_settings_created_in_code_are_checked_too() -> None:
    with pytest.raises(ValueError, match="OPENCLAW_SHUTDOWN_TIMEOUT"):
        Settings(worker=WorkerSettings(shutdown_timeout=12))


@given(st.text())
def test_any_text_is_an_address_or_a_clear_error(text: str) -> None:
    try:
        addr = HttpSettings(addr=text).addr
    except ValueError as error:
        assert "host:port" in str(error) or "65535" in str(error)  # noqa: PT017, either outcome is right
    else:
        assert addr is None or 0 <= addr.port <= 65_535
