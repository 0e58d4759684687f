"""Ollama: `POST /api/chat`, with a JSON schema that it enforces by a grammar."""

from collections.abc import Mapping
from typing import Any

import httpx

from openclaw_stream.arbitration.llm.providers.answer_text import answer_text
from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.providers.failures import error_message
from openclaw_stream.arbitration.llm.providers.finish_reasons import Ending
from openclaw_stream.arbitration.llm.providers.http import HttpProvider, Json, token_count
from openclaw_stream.http_client import HttpResponse, dig, listed

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
        super().__init__(model, url, max_tokens=max_tokens)
        self._num_ctx = num_ctx
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

    def _request(self, prompt: Prompt, schema: Mapping[str, Any], limit: int, variant: int) -> tuple[str, Json]:
        return "/api/chat", {
            "model": self.model,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            "stream": False,
            "keep_alive": _KEEP_ALIVE,
            # Otherwise Ollama silently drops the beginning of a prompt that is too long.
            "truncate": False,
            # Otherwise a model that can think does: its thoughts use up the limit, or hold the whole answer.
            **({} if variant else {"think": False}),
            "format": schema,
            "options": {
                "temperature": 0.1,
                "top_p": 0.9,
                "seed": 1,
                "num_predict": limit,
                "num_ctx": self._num_ctx,
            },
        }

    def _simpler(self, variant: int, response: HttpResponse) -> int | None:
        refused = response.status == httpx.codes.BAD_REQUEST and "think" in error_message(response).casefold()
        return 1 if refused and not variant else None

    def _reply(self, body: Json, limit: int) -> Reply:
        message = body.get("message")
        reply = Reply(
            text=answer_text(dig(message, "content"), dig(message, "thinking")),
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
        if body.get("done") is not True:
            raise self._unfinished(Ending.UNKNOWN, "it is not done", reply, limit)
        return self._finished(body.get("done_reason"), reply, limit)

    def _larger(self, limit: int, reply: Reply) -> int | None:
        """Return a limit within the context window; the window itself cannot grow during a decision."""
        larger = min(super()._larger(limit, reply) or 0, self._num_ctx - (reply.input_tokens or self._num_ctx))
        return larger if larger > limit else None

    @property
    def _limit_name(self) -> str:
        return f"the context window, OLLAMA_NUM_CTX ({self._num_ctx}), or OLLAMA_MAX_TOKENS"
