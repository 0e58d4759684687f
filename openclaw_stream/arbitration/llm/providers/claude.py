"""Anthropic's Claude: `POST /v1/messages` with structured output and a cached system prompt."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from openclaw_stream.arbitration.llm.providers.answer_text import answer_text
from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, Reply
from openclaw_stream.arbitration.llm.providers.failures import error_message
from openclaw_stream.arbitration.llm.providers.http import BOUNDS, HttpProvider, Json, drop_keywords, token_count
from openclaw_stream.http_client import HttpResponse, dig

_VERSION = "2023-06-01"


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
        headers = {"x-api-key": key, "anthropic-version": _VERSION}
        super().__init__(model, url, max_tokens=max_tokens, key=key, headers=headers)
        self._path = f"/v1/models/{quote(model, safe='')}"
        self._hints = {
            Failure.MODEL_MISSING: f"choose an available model with CLAUDE_MODEL instead of {model}",
            Failure.UNAUTHORIZED: "check CLAUDE_API_KEY",
            Failure.BAD_REQUEST: "see CLAUDE_EFFORT",
        }
        self._effort = {"effort": effort} if effort else {}

    async def check(self) -> None:
        """Request the description of the model; see `Provider`."""
        await self._get(self._path)

    def _request(self, prompt: Prompt, schema: Mapping[str, Any], limit: int, variant: int) -> tuple[str, Json]:
        output_format = {"type": "json_schema", "schema": drop_keywords(schema, *BOUNDS)}
        return "/v1/messages", {
            "model": self.model,
            "max_tokens": limit,
            "system": [{"type": "text", "text": prompt.system, "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": prompt.user}],
            "output_config": {**({} if variant else self._effort), "format": output_format},
        }

    def _simpler(self, variant: int, response: HttpResponse) -> int | None:
        refused = response.status == httpx.codes.BAD_REQUEST and "effort" in error_message(response).casefold()
        return 1 if refused and self._effort and not variant else None

    def _reply(self, body: Json, limit: int) -> Reply:
        return self._finished(body.get("stop_reason"), self._read(body), limit)

    def _read(self, body: Json) -> Reply:
        usage = body.get("usage")
        uncached, read, written = (
            token_count(dig(usage, name))
            for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        )
        return Reply(
            text=answer_text(body.get("content")),
            model=self.model,
            input_tokens=None if uncached is None else uncached + (read or 0) + (written or 0),
            output_tokens=token_count(dig(usage, "output_tokens")),
            cached_tokens=read,
            cache_write_tokens=written,
        )
