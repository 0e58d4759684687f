import os

import pytest

from openclaw_stream.demo.environment import applied, has_own_kafka, use_kafka, variables
from openclaw_stream.settings import TopicSettings, load_settings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith(("OPENCLAW_", "KAFKA_", "SHADOW_")):
            monkeypatch.delenv(name)


def test_the_demo_has_short_timers_english_texts_and_no_port() -> None:
    with applied(variables(os.environ)):
        settings = load_settings()
    assert settings.arbiter.language == "en"
    assert settings.http.addr is None
    assert settings.incidents.timers.group_wait == 2000
    assert settings.incidents.timers.max_silence == 12_000


def test_variables_of_the_user_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("openclaw_language", "zh-TW")
    monkeypatch.setenv("OPENCLAW_GROUP_WAIT", "1")
    monkeypatch.setenv("OPENCLAW_HTTP_ADDR", "127.0.0.1:9999")
    with applied(variables(os.environ)):
        settings = load_settings()
    assert settings.arbiter.language == "zh-TW"
    assert settings.incidents.group_wait == 1
    assert settings.http.addr == ("127.0.0.1", 9999)


def test_an_empty_variable_counts_as_unset() -> None:
    assert variables({"OPENCLAW_LANGUAGE": ""})["OPENCLAW_LANGUAGE"] == "en"
    assert not has_own_kafka({"KAFKA_BOOTSTRAP_SERVERS": ""})


def test_credentials_of_another_kafka_are_not_used_for_the_embedded_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("kafka_sasl_username", "me")
    with applied(variables(os.environ)):
        use_kafka("127.0.0.1:12345")
        kafka = load_settings().kafka
    assert (kafka.security_protocol, kafka.sasl_username, kafka.bootstrap_servers) == (
        "PLAINTEXT",
        None,
        "127.0.0.1:12345",
    )


def test_topics_and_group_have_unique_names_on_the_users_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka.example:9092")
    monkeypatch.setenv("KAFKA_GROUP_ID", "production")
    monkeypatch.setenv("OPENCLAW_TOPIC_ALERTS", "alerts")
    assert has_own_kafka(os.environ)
    runs = []
    for _ in range(2):
        with applied(variables(os.environ)):
            settings = load_settings()
        assert settings.kafka.bootstrap_servers == "kafka.example:9092"
        runs.append({settings.kafka.group_id, *(name for _, name in settings.topics)})
    defaults = {field.default for field in TopicSettings.model_fields.values()}
    assert len(runs[0]) == 6
    assert not runs[0] & (runs[1] | defaults | {"alerts", "production"})
    assert all(name.startswith("openclaw-demo-") for name in runs[0])


def test_the_environment_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("openclaw_topic_alerts", "mine")
    before = dict(os.environ)
    with applied({"OPENCLAW_TOPIC_ALERTS": "other"}):
        assert "openclaw_topic_alerts" not in os.environ
        assert load_settings().topics.alerts == "other"
    assert dict(os.environ) == before
