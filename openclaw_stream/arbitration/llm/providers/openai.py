"""Any server with OpenAI's chat completions API: OpenAI, vLLM, llama.cpp, LiteLLM."""

from collections.abc import Mapping
from typing import Any

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.providers.http import HttpProvider, Json, drop_keywords, token_count
from openclaw_stream.http_client import HttpResponse, dig, listed

_FAILURES = {
    "content_filter": Failure.BLOCKED,
    "context_length_exceeded": Failure.CONTEXT_TOO_LONG,
    "exceed_context_size_error": Failure.CONTEXT_TOO_LONG,
    "insufficient_quota": Failure.SPEND_LIMIT,
    "invalid_api_key": Failure.UNAUTHORIZED,
    "model_not_found": Failure.MODEL_MISSING,
}
"""By `error.code` or `error.type`, which take precedence over the status: servers disagree about statuses."""


class OpenAI(HttpProvider):
    """An OpenAI-compatible server.

    Args:
        base_url: The root of the API with its version, such as http://127.0.0.1:8000/v1.
        model: Its name on the server.
        key: The bearer token; None for a server without authentication.
        max_tokens: Limit of the tokens of an answer, thinking included.
        max_tokens_field: The request's field for that limit: `max_completion_tokens` or `max_tokens`.
    """

    name = "openai"

    def __init__(self, base_url: str, model: str, key: str | None, *, max_tokens: int, max_tokens_field: str) -> None:
        super().__init__(model, base_url, key=key, headers={"authorization": f"Bearer {key}"} if key else None)
        self._max_tokens = max_tokens
        self._max_tokens_field = max_tokens_field
        self._hints = {
            Failure.MODEL_MISSING: "check OPENAI_MODEL, and that OPENAI_BASE_URL includes the version, usually /v1",
            Failure.UNAUTHORIZED: "check OPENAI_API_KEY",
        }

    async def check(self) -> None:
        """Search the server's list of models for the model; see `Provider`."""
        models = listed((await self._get("/models")).get("data"))
        names = [str(dig(each, "id")) for each in models]
        if self.model not in names:
            listing = self._safe(", ".join(names)) or "none"
            raise ProviderError(
                Failure.MODEL_MISSING, f"openai does not list {self.model}; choose OPENAI_MODEL from: {listing}"
            )

    def _request(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[str, Json]:
        json_schema = {"name": "rca", "strict": True, "schema": drop_keywords(schema, "minLength", "maxLength")}
        return "/chat/completions", {
            "model": self.model,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            self._max_tokens_field: self._max_tokens,
            "response_format": {"type": "json_schema", "json_schema": json_schema},
        }

    def _reply(self, body: Json) -> Reply:
        choice = dig(body, "choices", 0)
        usage = body.get("usage")
        text = dig(choice, "message", "content")
        reply = Reply(
            text=text if isinstance(text, str) else "",
            model=self.model,
            input_tokens=token_count(dig(usage, "prompt_tokens")),
            output_tokens=token_count(dig(usage, "completion_tokens")),
            cached_tokens=token_count(dig(usage, "prompt_tokens_details", "cached_tokens")),
        )
        reason = dig(choice, "finish_reason")
        if dig(choice, "message", "refusal"):
            raise ProviderError(Failure.REFUSED, "openai refused to answer", reply=reply)
        if reason == "length":
            raise ProviderError(
                Failure.TRUNCATED, f"openai cut its answer at OPENAI_MAX_TOKENS ({self._max_tokens})", reply=reply
            )
        if reason == "content_filter":
            raise ProviderError(Failure.BLOCKED, "openai blocked its answer: content_filter", reply=reply)
        if reason != "stop" or not reply.text:
            raise self._incomplete(f"finish_reason {reason}", reply)
        return reply

    def _failure(self, response: HttpResponse) -> Failure | None:
        for code in (dig(response.document, "error", "code"), dig(response.document, "error", "type")):
            if isinstance(code, str) and code in _FAILURES:
                return _FAILURES[code]
        return super()._failure(response)
