"""Providers of language models, one module each; `base` is their contract."""

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, Provider, ProviderError, Reply
from openclaw_stream.arbitration.llm.providers.claude import Claude
from openclaw_stream.arbitration.llm.providers.gemini import Gemini
from openclaw_stream.arbitration.llm.providers.ollama import Ollama
from openclaw_stream.arbitration.llm.providers.openai import OpenAI
from openclaw_stream.settings.providers import ProviderSettings

__all__ = [
    "Claude",
    "Failure",
    "Gemini",
    "Ollama",
    "OpenAI",
    "Prompt",
    "Provider",
    "ProviderError",
    "Reply",
    "make_providers",
    "make_summarizer",
]

_OPENAI_URL = "https://api.openai.com/v1"


def make_providers(settings: ProviderSettings) -> tuple[list[Provider], list[str]]:
    """Return the configured providers in order, and for each other one of the order why it is skipped."""
    makers = {"ollama": _ollama, "gemini": _gemini, "claude": _claude, "openai": _openai}
    results = {name: makers[name](settings) for name in settings.ai_fallback_order if name in makers}
    providers = [provider for provider in results.values() if not isinstance(provider, str)]
    skipped = [
        f"{name} is skipped: {missing} is not set" for name, missing in results.items() if isinstance(missing, str)
    ]
    if "openai" not in results and not isinstance(_openai(settings), str):
        skipped.append("openai is skipped: AI_FALLBACK_ORDER does not name it")
    return providers, skipped


def make_summarizer(settings: ProviderSettings) -> Provider | None:
    """Return the fast model that summarizes storms; None without Ollama."""
    if not settings.ollama_url:
        return None
    return _ollama_with(settings, settings.ollama_url, settings.ollama_summary_model)


def _ollama(settings: ProviderSettings) -> Provider | str:
    if not settings.ollama_url:
        return "OLLAMA_URL"
    return _ollama_with(settings, settings.ollama_url, settings.ollama_model)


def _ollama_with(settings: ProviderSettings, url: str, model: str) -> Provider:
    return Ollama(url, model, num_ctx=settings.ollama_num_ctx, max_tokens=settings.ollama_max_tokens)


def _gemini(settings: ProviderSettings) -> Provider | str:
    if settings.gemini_api_key is None:
        return "GEMINI_API_KEY"
    key = settings.gemini_api_key.get_secret_value()
    thinking = None if settings.gemini_thinking == "none" else settings.gemini_thinking
    return Gemini(
        settings.gemini_url, settings.gemini_model, key, max_tokens=settings.gemini_max_tokens, thinking=thinking
    )


def _claude(settings: ProviderSettings) -> Provider | str:
    if settings.claude_api_key is None:
        return "CLAUDE_API_KEY"
    effort = None if settings.claude_effort == "none" else settings.claude_effort
    return Claude(
        settings.claude_url,
        settings.claude_model,
        settings.claude_api_key.get_secret_value(),
        max_tokens=settings.claude_max_tokens,
        effort=effort,
    )


def _openai(settings: ProviderSettings) -> Provider | str:
    if not settings.openai_model:
        return "OPENAI_MODEL"
    if settings.openai_api_key is None and settings.openai_base_url is None:
        return "OPENAI_API_KEY or OPENAI_BASE_URL"
    key = settings.openai_api_key
    return OpenAI(
        settings.openai_base_url or _OPENAI_URL,
        settings.openai_model,
        key.get_secret_value() if key else None,
        max_tokens=settings.openai_max_tokens,
        max_tokens_field=settings.openai_max_tokens_field,
        response_format=settings.openai_response_format,
    )
