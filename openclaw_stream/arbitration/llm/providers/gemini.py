"""Google Gemini: `POST /v1beta/models/MODEL:generateContent`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from openclaw_stream.arbitration.llm.providers.answer_text import answer_text
from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.providers.failures import error_message
from openclaw_stream.arbitration.llm.providers.http import BOUNDS, HttpProvider, Json, drop_keywords, token_count
from openclaw_stream.http_client import HttpResponse, dig, listed

_WITHOUT_THINKING, _WITHOUT_SCHEMA = 1, 2
"""The variants of a request: each leaves out what the one before it does, too."""


class Gemini(HttpProvider):
    """The Gemini API.

    Args:
        url: The root of the API, such as https://generativelanguage.googleapis.com.
        model: A model with structured output.
        key: The API key.
        max_tokens: Limit of the tokens of an answer, thinking included.
        thinking: How much the model thinks; None for a model without levels of thinking.
    """

    name = "gemini"

    def __init__(self, url: str, model: str, key: str, *, max_tokens: int, thinking: str | None = "low") -> None:
        super().__init__(model, url, max_tokens=max_tokens, key=key, headers={"x-goog-api-key": key})
        self._thinking = {"thinkingConfig": {"thinkingLevel": thinking}} if thinking else {}
        self._path = f"/v1beta/models/{quote(model, safe='')}"
        self._hints = {
            Failure.MODEL_MISSING: f"choose an available model with GEMINI_MODEL instead of {model}",
            Failure.UNAUTHORIZED: "check GEMINI_API_KEY",
            Failure.BAD_REQUEST: "see GEMINI_THINKING",
        }

    async def check(self) -> None:
        """Request the description of the model; see `Provider`."""
        await self._get(self._path)

    def _request(self, prompt: Prompt, schema: Mapping[str, Any], limit: int, variant: int) -> tuple[str, Json]:
        # It refuses a schema with several bounds on lists.
        form = {} if variant >= _WITHOUT_SCHEMA else {"responseJsonSchema": drop_keywords(schema, *BOUNDS)}
        return f"{self._path}:generateContent", {
            "systemInstruction": {"parts": [{"text": prompt.system}]},
            "contents": [{"role": "user", "parts": [{"text": prompt.user}]}],
            "generationConfig": {
                "responseMimeType": "application/json",
                **form,
                "maxOutputTokens": limit,
                **({} if variant >= _WITHOUT_THINKING else self._thinking),
            },
        }

    def _simpler(self, variant: int, response: HttpResponse) -> int | None:
        message = error_message(response).casefold() if response.status == httpx.codes.BAD_REQUEST else ""
        if variant < _WITHOUT_THINKING and self._thinking and "thinking" in message:
            return _WITHOUT_THINKING
        refused = "schema" in message or "contains an invalid argument" in message
        return _WITHOUT_SCHEMA if variant < _WITHOUT_SCHEMA and refused else None

    def _reply(self, body: Json, limit: int) -> Reply:
        blocked = dig(body, "promptFeedback", "blockReason")
        if blocked:
            raise ProviderError(Failure.BLOCKED, f"gemini blocked the prompt: {self._safe(str(blocked))}")
        return self._finished(dig(body, "candidates", 0, "finishReason"), self._read(body), limit)

    def _read(self, body: Json) -> Reply:
        usage = body.get("usageMetadata")
        written, thought = (
            token_count(dig(usage, "candidatesTokenCount")),
            token_count(dig(usage, "thoughtsTokenCount")),
        )
        return Reply(
            text=answer_text(dig(body, "candidates", 0, "content", "parts")),
            model=self.model,
            input_tokens=token_count(dig(usage, "promptTokenCount")),
            output_tokens=None if written is None and thought is None else (written or 0) + (thought or 0),
            cached_tokens=token_count(dig(usage, "cachedContentTokenCount")),
        )

    def _retry_after(self, response: HttpResponse) -> float | None:
        for detail in listed(dig(response.document, "error", "details")):
            delay = dig(detail, "retryDelay")
            if isinstance(delay, str) and delay.removesuffix("s").replace(".", "", 1).isdecimal():
                return float(delay.removesuffix("s"))
        return super()._retry_after(response)
