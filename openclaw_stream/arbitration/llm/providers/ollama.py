"""Ollama: `POST /api/chat`, with a JSON schema that its grammar enforces."""

from collections.abc import Mapping
from typing import Any

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.providers.http import HttpProvider, Json, tokens
from openclaw_stream.http_client import dig, listed

_KEEP_ALIVE = "10m"


class Ollama(HttpProvider):
    """A server of Ollama.

    Args:
        url: Its root, such as http://127.0.0.1:11434.
        model: A model it has pulled.
        num_ctx: Tokens of prompt and answer together.
        max_tokens: Tokens of an answer.
    """

    name = "ollama"

    def __init__(self, url: str, model: str, *, num_ctx: int, max_tokens: int) -> None:
        super().__init__(model, url)
        self._num_ctx = num_ctx
        self._max_tokens = max_tokens
        self._hints = {
            Failure.MODEL_MISSING: f"run: ollama pull {model}",
            Failure.UNAUTHORIZED: "it refuses foreign host names: use an address, localhost, *.local or *.internal",
            Failure.CONTEXT_TOO_LONG: f"OLLAMA_NUM_CTX is {num_ctx}",
        }

    async def check(self) -> None:
        """Look for the model in the list of those that are pulled; see `Provider`."""
        models = listed((await self._get("/api/tags")).get("models"))
        names = [dig(each, "name") for each in models]
        if self.model not in names and f"{self.model}:latest" not in names:
            raise ProviderError(
                Failure.MODEL_MISSING, f"ollama has no model {self.model}; run: ollama pull {self.model}"
            )

    def _question(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[str, Json]:
        return "/api/chat", {
            "model": self.model,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            "stream": False,
            "keep_alive": _KEEP_ALIVE,
            # Otherwise the beginning of a prompt that is too long is dropped without a word.
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
            input_tokens=tokens(body.get("prompt_eval_count")),
            output_tokens=tokens(body.get("eval_count")),
        )
        if (reply.input_tokens or 0) >= self._num_ctx:  # a server too old to know `truncate` has cut the prompt
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
            said = self._scrubbed(str(body.get("error") or f"done_reason {reason}"))
            raise ProviderError(Failure.GARBAGE, f"ollama answered without a complete message: {said}", reply=reply)
        return reply
