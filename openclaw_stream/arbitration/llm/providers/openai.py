"""Any server with OpenAI's chat completions API: OpenAI, vLLM, llama.cpp, LiteLLM."""

import re
from collections.abc import Mapping
from typing import Any, Final

from openclaw_stream.arbitration.llm.providers.answer_text import answer_text
from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.providers.failures import error_message
from openclaw_stream.arbitration.llm.providers.finish_reasons import Ending
from openclaw_stream.arbitration.llm.providers.http import BOUNDS, HttpProvider, Json, drop_keywords, token_count
from openclaw_stream.http_client import HttpResponse, dig, listed

_WITHOUT_LENGTHS, _WITHOUT_BOUNDS, _JSON_OBJECT, _NO_FORMAT = range(1, 5)
"""The variants of a request: each leaves out what the one before it does, too."""

_FIRST: Final = {"json_schema": 0, "json_object": _JSON_OBJECT, "none": _NO_FORMAT}
_REFUSING_STATUSES: Final = {400, 415, 422, 501}
_KEYWORD: Final = re.compile(r"(?:max|min)_?(?:length|items|imum)|keyword|not permitted", re.IGNORECASE)
_FORMAT: Final = re.compile(
    r"response.?format|json.?(?:schema|object|mode)|structured.?output|guided|grammar|schema", re.IGNORECASE
)
_STRICT_HOSTS: Final = ("api.openai.com", "openai.azure.com")
"""They refuse the lengths of texts in a schema. Servers that constrain by them need them: small models loop without."""

_OLLAMA_PORT: Final = 11434


class OpenAI(HttpProvider):
    """An OpenAI-compatible server.

    Args:
        base_url: The root of the API with its version, such as http://127.0.0.1:8000/v1.
        model: Its name on the server.
        key: The bearer token; None for a server without authentication.
        max_tokens: Limit of the tokens of an answer, thinking included.
        max_tokens_field: The request's field for that limit: `max_completion_tokens` or `max_tokens`.
        response_format: What the server enforces: `json_schema`, `json_object` or `none`. A server that refuses it is
            asked for less, from its first refusal on.
    """

    name = "openai"

    def __init__(
        self,
        base_url: str,
        model: str,
        key: str | None,
        *,
        max_tokens: int,
        max_tokens_field: str,
        response_format: str = "json_schema",
    ) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else None
        super().__init__(model, base_url, max_tokens=max_tokens, key=key, headers=headers)
        self._max_tokens_field = max_tokens_field
        is_strict = self._url.host.endswith(_STRICT_HOSTS)
        self._variant = max(_FIRST[response_format], _WITHOUT_LENGTHS if is_strict else 0)
        self._hints = {
            Failure.MODEL_MISSING: "check OPENAI_MODEL, and that OPENAI_BASE_URL includes the version, usually /v1",
            Failure.UNAUTHORIZED: "check OPENAI_API_KEY",
            Failure.BAD_REQUEST: "see OPENAI_RESPONSE_FORMAT and OPENAI_MAX_TOKENS_FIELD",
        }

    async def check(self) -> None:
        """Search the server's list of models for the model; see `Provider`."""
        if self._url.port == _OLLAMA_PORT:
            raise ProviderError(
                Failure.CONTEXT_TOO_LONG,
                "this is the port of Ollama, whose compatible API cuts long prompts without an error: set OLLAMA_URL "
                "instead of OPENAI_BASE_URL",
            )
        models = listed((await self._get("/models")).get("data"))
        names = [str(dig(each, "id")) for each in models]
        if self.model not in names:
            listing = self._safe(", ".join(names)) or "none"
            raise ProviderError(
                Failure.MODEL_MISSING, f"openai does not list {self.model}; choose OPENAI_MODEL from: {listing}"
            )

    def _request(self, prompt: Prompt, schema: Mapping[str, Any], limit: int, variant: int) -> tuple[str, Json]:
        return "/chat/completions", {
            "model": self.model,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            self._max_tokens_field: limit,
            **_response_format(schema, variant),
        }

    def _simpler(self, variant: int, response: HttpResponse) -> int | None:
        message = error_message(response) if response.status in _REFUSING_STATUSES else ""
        if variant < _WITHOUT_BOUNDS and _KEYWORD.search(message):
            return variant + 1
        return max(variant + 1, _JSON_OBJECT) if variant < _NO_FORMAT and _FORMAT.search(message) else None

    def _reply(self, body: Json, limit: int) -> Reply:
        choice, usage = dig(body, "choices", 0), body.get("usage")
        message = dig(choice, "message")
        text = answer_text(dig(message, "content"), dig(message, "reasoning_content"), dig(message, "reasoning"))
        reply = Reply(
            text=text,
            model=self.model,
            input_tokens=token_count(dig(usage, "prompt_tokens")),
            output_tokens=token_count(dig(usage, "completion_tokens")),
            cached_tokens=token_count(dig(usage, "prompt_tokens_details", "cached_tokens")),
        )
        if dig(message, "refusal"):
            raise self._unfinished(Ending.REFUSED, "refused", reply, limit)
        return self._finished(dig(choice, "finish_reason"), reply, limit)


def _response_format(schema: Mapping[str, Any], variant: int) -> Json:
    if variant == _NO_FORMAT:
        return {}
    if variant == _JSON_OBJECT:
        return {"response_format": {"type": "json_object"}}
    dropped = {0: (), _WITHOUT_LENGTHS: ("minLength", "maxLength"), _WITHOUT_BOUNDS: BOUNDS}[variant]
    json_schema = {"name": "rca", "strict": True, "schema": drop_keywords(schema, *dropped)}
    return {"response_format": {"type": "json_schema", "json_schema": json_schema}}
