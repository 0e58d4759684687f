"""Anthropic's Claude: `POST /v1/messages` with structured output and a cached system prompt."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.providers.http import HttpProvider, Json, drop_keywords, error_message, token_count
from openclaw_stream.http_client import HttpResponse, dig, listed

_VERSION = "2023-06-01"
_COMPLETE = {"end_turn", "stop_sequence"}
_UNSUPPORTED_KEYWORDS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


class Claude(HttpProvider):
    """Claude behind the Messages API.

    Args:
        url: The root of the API, such as https://api.anthropic.com.
        model: A model that supports `output_config.format`.
        key: The API key.
        max_tokens: Limit of the tokens of an answer, thinking included.
        effort: How much the model thinks; None for a model that does not support it.
    """

    name = "claude"

    def __init__(self, url: str, model: str, key: str, *, max_tokens: int, effort: str | None) -> None:
        super().__init__(model, url, key=key, headers={"x-api-key": key, "anthropic-version": _VERSION})
        self._max_tokens = max_tokens
        self._path = f"/v1/models/{quote(model, safe='')}"
        self._hints = {
            Failure.MODEL_MISSING: f"choose an available model with CLAUDE_MODEL instead of {model}",
            Failure.UNAUTHORIZED: "check CLAUDE_API_KEY",
        }
        self._effort = {"effort": effort} if effort else {}

    async def check(self) -> None:
        """Request the description of the model; see `Provider`."""
        await self._get(self._path)

    def _request(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[str, Json]:
        output_format = {"type": "json_schema", "schema": drop_keywords(schema, *_UNSUPPORTED_KEYWORDS)}
        return "/v1/messages", {
            "model": self.model,
            "max_tokens": self._max_tokens,
            "system": [{"type": "text", "text": prompt.system, "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": prompt.user}],
            "output_config": {**self._effort, "format": output_format},
        }

    def _reply(self, body: Json) -> Reply:
        reply = self._read(body)
        reason = str(body.get("stop_reason"))
        if reason == "max_tokens":
            raise ProviderError(
                Failure.TRUNCATED, f"claude cut its answer at CLAUDE_MAX_TOKENS ({self._max_tokens})", reply=reply
            )
        if reason == "model_context_window_exceeded":
            raise ProviderError(Failure.CONTEXT_TOO_LONG, "claude ran out of its context window", reply=reply)
        if reason == "refusal":
            raise ProviderError(Failure.REFUSED, "claude refused to answer", reply=reply)
        if reason not in _COMPLETE or not reply.text:
            raise self._incomplete(f"stop_reason {reason}", reply)
        return reply

    def _read(self, body: Json) -> Reply:
        usage = body.get("usage")
        # Thinking blocks precede the text.
        texts = [dig(block, "text") for block in listed(body.get("content")) if dig(block, "type") == "text"]
        uncached, read, written = (
            token_count(dig(usage, name))
            for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        )
        return Reply(
            text="".join(text for text in texts if isinstance(text, str)),
            model=self.model,
            input_tokens=None if uncached is None else uncached + (read or 0) + (written or 0),
            output_tokens=token_count(dig(usage, "output_tokens")),
            cached_tokens=read,
            cache_write_tokens=written,
        )

    def _failure(self, response: HttpResponse) -> Failure | None:
        details = dig(response.document, "error", "details") or dig(response.document, "details")
        if dig(details, "error_code") == "enforced_spend_limit_reached":  # a 429
            return Failure.SPEND_LIMIT
        if "credit balance" in error_message(response):  # a 400
            return Failure.SPEND_LIMIT
        return super()._failure(response)
