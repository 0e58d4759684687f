"""The providers of language models: their order, addresses, keys, models and limits."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

import httpx
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from openclaw_stream.settings.groups import SettingsGroup
from openclaw_stream.settings.types import Timeout, any_case


class Price(NamedTuple):
    """US dollars for a million tokens."""

    input: float
    output: float


def _split_order(value: object) -> object:
    return tuple(word.strip().lower() for word in value.split(",")) if isinstance(value, str) else value


def _check_order(order: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(order)) < len(order):
        raise ValueError("a provider is given twice")
    if "rules" in order[:-1]:
        raise ValueError("rules always answer, so no provider can come after them")
    return order


def _check_url(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ValueError("it is not a URL") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError("it must begin with http:// or https:// and a host")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise ValueError("it must have no credentials, query or fragment")
    return url.rstrip("/")


def _check_key(key: SecretStr | None) -> SecretStr | None:
    if key is None:
        return None
    text = key.get_secret_value().strip()  # files of secrets often end with a newline
    if not re.fullmatch(r"[!-~]{1,1000}", text):
        raise ValueError("a key has 1 to 1000 printable ASCII characters without spaces")
    return SecretStr(text)


def _read_prices(value: object) -> object:
    if not isinstance(value, str):
        return value
    prices = {}
    for entry in value.split(","):
        match = re.fullmatch(r"\s*(\S+?)\s*=\s*(\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)\s*", entry)
        if match is None:
            raise ValueError(f"{entry.strip()!r} is not MODEL=INPUT/OUTPUT")
        prices[match[1]] = Price(float(match[2]), float(match[3]))
    return prices


Order = Annotated[
    tuple[Literal["ollama", "gemini", "claude", "openai", "rules"], ...],
    NoDecode,
    BeforeValidator(_split_order),
    AfterValidator(_check_order),
]
Prices = Annotated[Mapping[str, Price], NoDecode, BeforeValidator(_read_prices)]
Url = Annotated[str, AfterValidator(_check_url)]
Key = Annotated[SecretStr | None, AfterValidator(_check_key)]
Model = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
TokenCount = Annotated[int, Field(ge=64, le=1_000_000)]

_KEY = "printable ASCII characters without spaces"
_MODEL = "a model's name, 1 to 200 printable ASCII characters without spaces"
_URL = "http:// or https://, host and port, without credentials"


class ProviderSettings(SettingsGroup):
    """The chain of providers; one without its key or model is skipped."""

    ai_fallback_order: Order = Field(
        ("ollama", "gemini", "claude"),
        description="ollama, gemini, claude, openai, separated by commas, in order of use; rules are always last",
    )
    timeout: Timeout = Field(
        30, description="seconds, 1 to 3600: for one call to a model", validation_alias="OPENCLAW_TIMEOUT"
    )
    prices: Prices = Field(
        default_factory=dict,
        description="MODEL=INPUT/OUTPUT, separated by commas: US dollars per million tokens, overriding known prices",
        validation_alias="OPENCLAW_LLM_PRICES",
    )

    ollama_url: Url | None = Field(None, description=_URL)
    ollama_model: Model = Field("qwen2.5:7b-instruct", description=_MODEL)
    ollama_summary_model: Model = Field("llama3.2:3b", description=_MODEL)
    ollama_num_ctx: TokenCount = Field(8192, description="64 to 1000000: tokens of prompt and answer together")
    ollama_max_tokens: TokenCount = Field(2048, description="64 to 1000000: tokens of an answer")

    gemini_url: Url = Field("https://generativelanguage.googleapis.com", description=_URL)
    gemini_api_key: Key = Field(None, description=_KEY)
    gemini_model: Model = Field("gemini-3.8-flash", description=_MODEL)
    gemini_max_tokens: TokenCount = Field(4096, description="64 to 1000000: tokens of thinking and answer")
    gemini_thinking: Annotated[
        Literal["minimal", "low", "medium", "high", "none"], any_case("minimal", "low", "medium", "high", "none")
    ] = Field("low", description="minimal, low, medium, high, or none for a model without levels of thinking")

    claude_url: Url = Field("https://api.anthropic.com", description=_URL)
    claude_api_key: Key = Field(None, description=_KEY)
    claude_model: Model = Field("claude-haiku-5-5", description=_MODEL)
    claude_max_tokens: TokenCount = Field(4096, description="64 to 1000000: tokens of thinking and answer")
    claude_effort: Annotated[Literal["low", "medium", "high", "none"], any_case("low", "medium", "high", "none")] = (
        Field(
            "low", description="low, medium, high, or none for a model without this parameter, such as claude-haiku-4-5"
        )
    )

    openai_base_url: Url | None = Field(None, description=f"{_URL}, with its version, such as http://127.0.0.1:8000/v1")
    openai_api_key: Key = Field(None, description=_KEY)
    openai_model: Model | None = Field(None, description=_MODEL)
    openai_max_tokens: TokenCount = Field(4096, description="64 to 1000000: tokens of thinking and answer")
    openai_max_tokens_field: Literal["max_completion_tokens", "max_tokens"] = Field(
        "max_completion_tokens", description="max_completion_tokens, or max_tokens for servers that only accept that"
    )
    openai_response_format: Annotated[
        Literal["json_schema", "json_object", "none"], any_case("json_schema", "json_object", "none")
    ] = Field(
        "json_schema",
        description="json_schema, json_object or none: what the server enforces; it is asked for less if "
        "it refuses this",
    )
