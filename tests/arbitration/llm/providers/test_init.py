from collections.abc import Iterable
from typing import Any

import pytest

from openclaw_stream.arbitration.llm.providers import Claude, Gemini, Ollama, OpenAI, Provider, make_providers
from openclaw_stream.arbitration.llm.providers import make_summarizer as summarizer
from openclaw_stream.settings import ProviderSettings
from tests.arbitration.llm.providers.calls import KEY

ALL: dict[str, Any] = {
    "ollama_url": "http://127.0.0.1:11434",
    "gemini_api_key": KEY,
    "claude_api_key": KEY,
    "openai_api_key": KEY,
    "openai_model": "gpt-x",
}
ORDER = ("openai", "claude", "gemini", "ollama", "rules")


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ProviderSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


async def close(providers: Iterable[Provider]) -> None:
    for provider in providers:
        await provider.close()


async def test_providers_are_created_in_the_configured_order() -> None:
    providers, skipped = make_providers(ProviderSettings(ai_fallback_order=ORDER, **ALL))
    assert [type(provider) for provider in providers] == [OpenAI, Claude, Gemini, Ollama]
    assert [provider.name for provider in providers] == list(ORDER[:-1])
    assert [provider.model for provider in providers] == [
        "gpt-x",
        "claude-haiku-5-5",
        "gemini-3.8-flash",
        "qwen2.5:7b-instruct",
    ]
    assert skipped == []
    assert KEY not in repr(providers)
    await close(providers)


def test_unconfigured_providers_are_skipped_with_the_missing_variable() -> None:
    providers, skipped = make_providers(ProviderSettings(ai_fallback_order=ORDER))
    assert providers == []
    assert skipped == [
        "openai is skipped: OPENAI_MODEL is not set",
        "claude is skipped: CLAUDE_API_KEY is not set",
        "gemini is skipped: GEMINI_API_KEY is not set",
        "ollama is skipped: OLLAMA_URL is not set",
    ]


async def test_openai_needs_a_key_or_a_base_url() -> None:
    order = ("openai",)
    _, skipped = make_providers(ProviderSettings(ai_fallback_order=order, openai_model="m"))
    assert skipped == ["openai is skipped: OPENAI_API_KEY or OPENAI_BASE_URL is not set"]
    url = "http://127.0.0.1:8000/v1"
    providers, skipped = make_providers(
        ProviderSettings(ai_fallback_order=order, openai_model="m", openai_base_url=url)
    )
    assert ([provider.name for provider in providers], skipped) == (["openai"], [])
    await close(providers)


def test_providers_outside_the_order_are_not_created() -> None:
    reason = "openai is skipped: AI_FALLBACK_ORDER does not name it"
    assert make_providers(ProviderSettings(ai_fallback_order=("rules",), **ALL)) == ([], [reason])
    assert make_providers(ProviderSettings(ai_fallback_order=("rules",))) == ([], [])


async def test_the_summarizer_is_an_ollama_model() -> None:
    assert summarizer(ProviderSettings()) is None
    provider = summarizer(ProviderSettings(**ALL))
    assert provider is not None
    assert (provider.name, provider.model) == ("ollama", "llama3.2:3b")
    await provider.close()
