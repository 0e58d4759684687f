"""Google Gemini: `POST /v1beta/models/MODEL:generateContent`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.providers.http import HttpProvider, Json, drop_keywords, token_count
from openclaw_stream.http_client import HttpResponse, dig, listed

_BLOCKED = {"SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST"}


class Gemini(HttpProvider):
    """The Gemini API; `max_tokens` limits the tokens of an answer, thinking included."""

    name = "gemini"

    def __init__(self, url: str, model: str, key: str, *, max_tokens: int) -> None:
        super().__init__(model, url, key=key, headers={"x-goog-api-key": key})
        self._max_tokens = max_tokens
        self._path = f"/v1beta/models/{quote(model, safe='')}"
        self._hints = {
            Failure.MODEL_MISSING: f"choose an available model with GEMINI_MODEL instead of {model}",
            Failure.UNAUTHORIZED: "check GEMINI_API_KEY",
        }

    async def check(self) -> None:
        """Request the description of the model; see `Provider`."""
        await self._get(self._path)

    def _request(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[str, Json]:
        return f"{self._path}:generateContent", {
            "systemInstruction": {"parts": [{"text": prompt.system}]},
            "contents": [{"role": "user", "parts": [{"text": prompt.user}]}],
            "generationConfig": {
                "responseMimeType": "application/json",
                "responseJsonSchema": drop_keywords(schema, "minLength", "maxLength"),
                "maxOutputTokens": self._max_tokens,
                "thinkingConfig": {"thinkingLevel": "low"},
            },
        }

    def _reply(self, body: Json) -> Reply:
        reply = self._read(body)
        blocked = dig(body, "promptFeedback", "blockReason")
        if blocked:
            raise ProviderError(Failure.BLOCKED, f"gemini blocked the prompt: {self._safe(str(blocked))}")
        reason = str(dig(body, "candidates", 0, "finishReason"))
        if reason == "MAX_TOKENS":
            raise ProviderError(
                Failure.TRUNCATED, f"gemini cut its answer at GEMINI_MAX_TOKENS ({self._max_tokens})", reply=reply
            )
        if reason in _BLOCKED:
            raise ProviderError(Failure.BLOCKED, f"gemini blocked its answer: {reason}", reply=reply)
        if reason != "STOP" or not reply.text:
            raise self._incomplete(f"finishReason {reason}", reply)
        return reply

    def _read(self, body: Json) -> Reply:
        usage = body.get("usageMetadata")
        parts = listed(dig(body, "candidates", 0, "content", "parts"))
        texts = [dig(part, "text") for part in parts if not dig(part, "thought")]
        written, thought = (
            token_count(dig(usage, "candidatesTokenCount")),
            token_count(dig(usage, "thoughtsTokenCount")),
        )
        return Reply(
            text="".join(text for text in texts if isinstance(text, str)),
            model=self.model,
            input_tokens=token_count(dig(usage, "promptTokenCount")),
            output_tokens=None if written is None and thought is None else (written or 0) + (thought or 0),
            cached_tokens=token_count(dig(usage, "cachedContentTokenCount")),
        )

    def _failure(self, response: HttpResponse) -> Failure | None:
        details = listed(dig(response.document, "error", "details"))
        if any(dig(detail, "reason") == "API_KEY_INVALID" for detail in details):  # a 400
            return Failure.UNAUTHORIZED
        return super()._failure(response)

    def _retry_after(self, response: HttpResponse) -> float | None:
        for detail in listed(dig(response.document, "error", "details")):
            delay = dig(detail, "retryDelay")
            if isinstance(delay, str) and delay.removesuffix("s").replace(".", "", 1).isdecimal():
                return float(delay.removesuffix("s"))
        return super()._retry_after(response)
