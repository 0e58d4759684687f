import pytest

from openclaw_stream.errors import SettingsError
from openclaw_stream.settings import ChainSettings, load_settings


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis",
        "redis://:secret@redis:6379/3",
        "rediss://user:secret@redis:6380/0?ssl_cert_reqs=none",
        "unix:///run/redis.sock?db=2",
        " redis://[::1]:6379 \n",
    ],
)
def test_redis_urls_are_accepted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    given = load_settings().chain.redis_url
    assert given is not None
    assert given.get_secret_value() == url.strip()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://user:hunter2@redis", "must begin with redis://"),
        ("redis://", "must begin with redis://"),
        ("redis://:hunter2@redis:99999", "not a URL"),
        ("redis://:hunter2@redis/prod", "not the number of a database"),
        ("redis://:hunter2@redis/0?bogus=1", "does not know one of its options"),
        ("redis://:hunter2@redis/0?socket_timeout=long", "does not know one of its options"),
    ],
)
def test_a_wrong_redis_url_is_rejected_and_not_shown(url: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(SettingsError, match=reason) as caught:
        load_settings()
    assert "REDIS_URL=(secret)" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_every_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "OPENCLAW_DECISION_DEADLINE": "60",
        "OPENCLAW_LLM_BUDGET_USD_PER_HOUR": "1.5",
        "MOCK_MODE": "true",
        "OLLAMA_CONCURRENCY": "2",
        "GEMINI_CONCURRENCY": "3",
        "CLAUDE_CONCURRENCY": "5",
        "OPENAI_CONCURRENCY": "6",
        "REDIS_URL": "redis://redis",
        "OPENCLAW_CACHE_TTL": "7",
        "OPENCLAW_CACHE_TTL_INCIDENT": "8",
    }
    assert set(values) == {ChainSettings.variable(field) for field in ChainSettings.model_fields}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    chain = load_settings().chain
    assert (chain.decision_deadline, chain.budget_usd_per_hour, chain.mock_mode) == (60, 1.5, True)
    assert (chain.ollama_concurrency, chain.gemini_concurrency) == (2, 3)
    assert (chain.claude_concurrency, chain.openai_concurrency) == (5, 6)
    assert (chain.cache_ttl, chain.cache_ttl_incident) == (7, 8)


def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCLAW_DECISION_DEADLINE", "0")
    monkeypatch.setenv("OPENCLAW_CACHE_TTL", "soon")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    names = [line.partition("=")[0] for line in str(caught.value).splitlines()]
    assert names == ["OPENCLAW_DECISION_DEADLINE", "OPENCLAW_CACHE_TTL"]


def test_a_call_may_not_take_longer_than_its_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCLAW_DECISION_DEADLINE", "20")
    with pytest.raises(
        SettingsError, match=r"OPENCLAW_TIMEOUT \(30\) must not exceed OPENCLAW_DECISION_DEADLINE \(20\)"
    ):
        load_settings()
