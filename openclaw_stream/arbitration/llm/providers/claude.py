"""Anthropic's Claude: `POST /v1/messages` with structured output and a cached system prompt."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.providers.http import HttpProvider, Json, message_of, tokens, without
from openclaw_stream.http_client import HttpResponse, dig, listed

_VERSION = "2023-06-01"
_COMPLETE = {"end_turn", "stop_sequence"}
_NOT_ENFORCED = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


class Claude(HttpProvider):
    """The Messages API.

    Args:
        url: Its root, such as https://api.anthropic.com.
        model: A model that takes `output_config.format`.
        key: The API key.
        max_tokens: Tokens of an answer and the thinking before it.
        effort: How much it thinks; None for a model that takes no effort.
    """

    name = "claude"

    def __init__(self, url: str, model: str, key: str, *, max_tokens: int, effort: str | None) -> None:
        super().__init__(model, url, key=key, headers={"x-api-key": key, "anthropic-version": _VERSION})
        self._max_tokens = max_tokens
        self._path = f"/v1/models/{quote(model, safe='')}"
        self._hints = {
            Failure.MODEL_MISSING: f"choose a living model with CLAUDE_MODEL instead of {model}",
            Failure.UNAUTHORIZED: "check CLAUDE_API_KEY",
        }
        self._effort = {"effort": effort} if effort else {}

    async def check(self) -> None:
        """Ask for the model; see `Provider`."""
        await self._get(self._path)

    def _question(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[str, Json]:
        form = {"type": "json_schema", "schema": without(schema, *_NOT_ENFORCED)}
        return "/v1/messages", {
            "model": self.model,
            "max_tokens": self._max_tokens,
            "system": [{"type": "text", "text": prompt.system, "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": prompt.user}],
            "output_config": {**self._effort, "format": form},
        }

    def _reply(self, body: Json) -> Reply:
        reply = self._said(body)
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
            said = self._scrubbed(f"stop_reason {reason}")
            raise ProviderError(Failure.GARBAGE, f"claude answered without a complete message: {said}", reply=reply)
        return reply

    def _said(self, body: Json) -> Reply:
        usage = body.get("usage")
        # Blocks of thinking come before the text.
        texts = [dig(block, "text") for block in listed(body.get("content")) if dig(block, "type") == "text"]
        fresh, read, written = (
            tokens(dig(usage, name))
            for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        )
        return Reply(
            text="".join(text for text in texts if isinstance(text, str)),
            model=self.model,
            input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
            output_tokens=tokens(dig(usage, "output_tokens")),
            cached_tokens=read,
            cache_write_tokens=written,
        )

    def _blame(self, response: HttpResponse) -> Failure | None:
        details = dig(response.document, "error", "details") or dig(response.document, "details")
        if dig(details, "error_code") == "enforced_spend_limit_reached":  # a 429
            return Failure.SPEND_LIMIT
        if "credit balance" in message_of(response):  # a 400
            return Failure.SPEND_LIMIT
        return super()._blame(response)
