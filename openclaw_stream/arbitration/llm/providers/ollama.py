"""Ollama: `POST /api/chat`, with a JSON schema that it enforces by a grammar."""

from collections.abc import Mapping
from typing import Any

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.providers.http import HttpProvider, Json, token_count
from openclaw_stream.http_client import dig, listed

_KEEP_ALIVE = "10m"


class Ollama(HttpProvider):
    """An Ollama server.

    Args:
        url: The root of its API, such as http://127.0.0.1:11434.
        model: A model that is pulled on it.
        num_ctx: Limit of the tokens of prompt and answer together.
        max_tokens: Limit of the tokens of an answer.
    """

    name = "ollama"

    def __init__(self, url: str, model: str, *, num_ctx: int, max_tokens: int) -> None:
        super().__init__(model, url)
        self._num_ctx = num_ctx
        self._max_tokens = max_tokens
        self._hints = {
            Failure.MODEL_MISSING: f"run: ollama pull {model}",
            Failure.UNAUTHORIZED: "it refuses unknown host names: use an address, localhost, *.local or *.internal",
            Failure.CONTEXT_TOO_LONG: f"OLLAMA_NUM_CTX is {num_ctx}",
        }

    async def check(self) -> None:
        """Search the list of pulled models for the model; see `Provider`."""
        models = listed((await self._get("/api/tags")).get("models"))
        names = [dig(each, "name") for each in models]
        if self.model not in names and f"{self.model}:latest" not in names:
            raise ProviderError(
                Failure.MODEL_MISSING, f"ollama has no model {self.model}; run: ollama pull {self.model}"
            )

    def _request(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[str, Json]:
        return "/api/chat", {
            "model": self.model,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            "stream": False,
            "keep_alive": _KEEP_ALIVE,
            # Otherwise Ollama silently drops the beginning of a prompt that is too long.
            "truncate": False,
            "format": schema,
            "options": {
                "temperature": 0.1,
                "top_p": 0.9,
                "seed": 1,
                "num_predict": self._max_tokens,
                "num_ctx": self._num_ctx,
            },
        }

    def _reply(self, body: Json) -> Reply:
        text = dig(body, "message", "content")
        reply = Reply(
            text=text if isinstance(text, str) else "",
            model=self.model,
            input_tokens=token_count(body.get("prompt_eval_count")),
            output_tokens=token_count(body.get("eval_count")),
        )
        if (reply.input_tokens or 0) >= self._num_ctx:  # an old server without `truncate` has cut the prompt
            raise ProviderError(
                Failure.CONTEXT_TOO_LONG,
                f"ollama cut the prompt: it fills OLLAMA_NUM_CTX ({self._num_ctx})",
                reply=reply,
            )
        reason = body.get("done_reason")
        if reason == "length":
            raise ProviderError(
                Failure.TRUNCATED,
                f"ollama cut its answer at OLLAMA_MAX_TOKENS ({self._max_tokens}) or OLLAMA_NUM_CTX ({self._num_ctx})",
                reply=reply,
            )
        if body.get("done") is not True or reason != "stop" or not reply.text:
            raise self._incomplete(str(body.get("error") or f"done_reason {reason}"), reply)
        return reply
