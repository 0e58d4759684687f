import pytest

from openclaw_stream.errors import SettingsError
from openclaw_stream.settings import ProviderSettings, load_settings
from openclaw_stream.settings.providers import Price

KEY = "planted-key-0123456789"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in ProviderSettings.model_fields:
        monkeypatch.delenv(ProviderSettings.variable(field), raising=False)


def test_defaults_are_the_documented_ones() -> None:
    settings = load_settings().providers
    assert settings.ai_fallback_order == ("ollama", "gemini", "claude")
    assert (settings.timeout, settings.ollama_url, settings.openai_model) == (30, None, None)
    assert (settings.ollama_model, settings.ollama_summary_model) == ("qwen2.5:7b-instruct", "llama3.2:3b")
    assert settings.prices == {}


def test_every_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "AI_FALLBACK_ORDER": "OpenAI, claude,rules",
        "OPENCLAW_TIMEOUT": "12.5",
        "OPENCLAW_LLM_PRICES": "qwen2.5:7b=0.1/0.2, gpt-x = 3/15",
        "OLLAMA_URL": "http://ollama:11434/",
        "OLLAMA_MODEL": "m1",
        "OLLAMA_SUMMARY_MODEL": "m2",
        "OLLAMA_NUM_CTX": "16384",
        "OLLAMA_MAX_TOKENS": "1000",
        "GEMINI_URL": "https://gemini.example",
        "GEMINI_API_KEY": KEY,
        "GEMINI_MODEL": "m3",
        "GEMINI_MAX_TOKENS": "1001",
        "GEMINI_THINKING": "Minimal",
        "CLAUDE_URL": "https://claude.example",
        "CLAUDE_API_KEY": f"{KEY}\n",
        "CLAUDE_MODEL": "m4",
        "CLAUDE_MAX_TOKENS": "1002",
        "CLAUDE_EFFORT": "NONE",
        "OPENAI_BASE_URL": "http://[::1]:8000/v1",
        "OPENAI_API_KEY": KEY,
        "OPENAI_MODEL": "Qwen/Qwen3-8B",
        "OPENAI_MAX_TOKENS": "1003",
        "OPENAI_MAX_TOKENS_FIELD": "max_tokens",
        "OPENAI_RESPONSE_FORMAT": "JSON_object",
    }
    assert set(values) == {ProviderSettings.variable(field) for field in ProviderSettings.model_fields}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = load_settings().providers
    assert settings.ai_fallback_order == ("openai", "claude", "rules")
    assert settings.prices == {"qwen2.5:7b": Price(0.1, 0.2), "gpt-x": Price(3, 15)}
    assert (settings.ollama_url, settings.openai_base_url) == ("http://ollama:11434", "http://[::1]:8000/v1")
    assert settings.claude_api_key is not None
    assert settings.claude_api_key.get_secret_value() == KEY
    assert (settings.claude_effort, settings.openai_max_tokens_field) == ("none", "max_tokens")
    assert (settings.gemini_thinking, settings.openai_response_format) == ("minimal", "json_object")
    assert KEY not in repr(settings)


def test_the_bare_name_of_a_field_is_not_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIMEOUT", "PRICES"):
        monkeypatch.setenv(name, "7")
    assert load_settings().providers == ProviderSettings()
    assert ProviderSettings().timeout == 30


def test_a_field_is_set_by_its_name_in_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCLAW_TIMEOUT", "8")
    assert ProviderSettings(timeout=7).timeout == 7


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("AI_FALLBACK_ORDER", "ollama,gpt", "separated by commas"),
        ("AI_FALLBACK_ORDER", "ollama,ollama", "twice"),
        ("AI_FALLBACK_ORDER", "rules,ollama", "after them"),
        ("OPENCLAW_TIMEOUT", "0", "1 to 3600"),
        ("OPENCLAW_LLM_PRICES", "gpt-x=cheap", "MODEL=INPUT/OUTPUT"),
        ("OLLAMA_URL", "localhost:11434", "http://"),
        ("OLLAMA_URL", "http://", "host"),
        ("OLLAMA_URL", "http://host:port", "not a URL"),
        ("OLLAMA_URL", "http://me:hunter2@host", "credentials"),
        ("GEMINI_URL", "https://host/?key=hunter2", "query"),
        ("OLLAMA_NUM_CTX", "8k", "64 to 1000000"),
        ("OLLAMA_MODEL", "two words", "without spaces"),
        ("CLAUDE_EFFORT", "max", "low, medium, high"),
        ("GEMINI_THINKING", "off", "minimal, low, medium, high, or none"),
        ("OPENAI_MAX_TOKENS_FIELD", "n_predict", "max_tokens"),
        ("OPENAI_RESPONSE_FORMAT", "grammar", "json_schema, json_object or none"),
    ],
)
def test_a_wrong_value_is_one_message(monkeypatch: pytest.MonkeyPatch, name: str, value: str, word: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    (message,) = str(caught.value).splitlines()
    assert message.startswith(f"{name}=")
    assert word in message
    assert "hunter2" not in message


@pytest.mark.parametrize("name", ["GEMINI_API_KEY", "CLAUDE_API_KEY", "OPENAI_API_KEY"])
@pytest.mark.parametrize("key", [f"{KEY} {KEY}", f"{KEY}\r\nx-other: 1", f"{KEY}é", f"{KEY}" * 60])
def test_a_key_that_is_not_a_header_value_is_rejected_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, key: str
) -> None:
    monkeypatch.setenv(name, key)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"{name}=(secret) is not allowed")
    assert KEY[:8] not in str(caught.value)
