import os

import pytest

from openclaw_stream.demo.decision_sources import decision_sources
from openclaw_stream.settings import load_settings

OPENAI = {"AI_FALLBACK_ORDER": "openai", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "OPENAI_MODEL": "gpt-x"}
LANGFUSE = {
    "LANGFUSE_BASE_URL": "http://127.0.0.1:2",
    "LANGFUSE_PUBLIC_KEY": "pk-lf-1",
    "LANGFUSE_SECRET_KEY": "sk-lf-1",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    prefixes = ("OPENCLAW_", "AI_", "OLLAMA_", "GEMINI_", "CLAUDE_", "OPENAI_", "SIGNOZ_", "LANGFUSE_", "MOCK_")
    for name in list(os.environ):
        if name.upper().startswith(prefixes):
            monkeypatch.delenv(name)


async def test_rules_decide_when_nothing_is_configured() -> None:
    sources = await decision_sources(load_settings())
    models = "ollama (OLLAMA_URL), gemini (GEMINI_API_KEY), claude (CLAUDE_API_KEY)"
    assert sources.lines == (
        "decided by rules",
        f"not configured: {models}, SigNoz (SIGNOZ_URL), Langfuse (LANGFUSE_PUBLIC_KEY)",
    )
    assert not sources.uses_models


async def test_configured_models_and_services_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**OPENAI, **LANGFUSE, "SIGNOZ_URL": "http://127.0.0.1:3", "SIGNOZ_API_KEY": "key"}.items():
        monkeypatch.setenv(name, value)
    sources = await decision_sources(load_settings())
    services = "with golden signals from SigNoz http://127.0.0.1:3, with traces in Langfuse http://127.0.0.1:2"
    assert sources.lines == (f"decided by openai gpt-x, then rules, {services}",)
    assert sources.uses_models


async def test_no_model_is_used_in_mock_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**OPENAI, "MOCK_MODE": "true"}.items():
        monkeypatch.setenv(name, value)
    sources = await decision_sources(load_settings())
    assert sources.lines[0] == "decided by rules"
    assert sources.lines[1].startswith("not configured: models (MOCK_MODE is on), ")
    assert not sources.uses_models
