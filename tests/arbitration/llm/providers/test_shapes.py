"""Answers with members of wrong types: they give a reply or a ProviderError, and no other error."""

import contextlib
import copy
from typing import Any, Final

import pytest

from openclaw_stream.arbitration.llm.prompt.response import RESPONSE_SCHEMA
from openclaw_stream.arbitration.llm.providers import ProviderError
from tests.arbitration.llm.model_server import in_turn
from tests.arbitration.llm.providers.calls import MAKERS, PROMPT, Maker, connected
from tests.arbitration.llm.providers.loopback import responds

_DETAIL: Final = {"reason": "API_KEY_INVALID", "retryDelay": "3s", "error_code": "x"}
DOCUMENT: Final[dict[str, Any]] = {
    # Ollama
    "message": {"content": "{}"},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 1,
    "eval_count": 1,
    "models": [{"name": "qwen"}],
    # Gemini
    "candidates": [{"content": {"parts": [{"text": "{}", "thought": False}]}, "finishReason": "STOP"}],
    "promptFeedback": {"blockReason": ""},
    "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "thoughtsTokenCount": 1},
    # Claude
    "content": [{"type": "text", "text": "{}"}],
    "stop_reason": "end_turn",
    # OpenAI
    "choices": [{"finish_reason": "stop", "message": {"content": "{}", "refusal": None}}],
    "data": [{"id": "gpt-x"}],
    "usage": {"input_tokens": 1, "output_tokens": 1, "prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}},
    # all providers
    "error": {"message": "m", "type": "t", "code": 1, "details": [_DETAIL]},
}
"""A valid answer of every provider, and with an error status a valid error."""


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for key, inner in members for each in ((*path, key), *paths(inner, (*path, key)))]


def planted(path: tuple[Any, ...], odd: Any) -> dict[str, Any]:
    """The document with another value at a path."""
    document = copy.deepcopy(DOCUMENT)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = odd
    return document


@pytest.mark.parametrize("maker", MAKERS)
async def test_the_document_is_a_valid_answer(maker: Maker) -> None:
    async with connected(maker, responds(200, DOCUMENT)) as (provider, _):
        assert (await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=10)).text == "{}"
        await provider.check()


@pytest.mark.parametrize("odd", [7, "x", [1], {"a": 1}])
@pytest.mark.parametrize("maker", MAKERS)
async def test_a_member_of_any_type_gives_a_reply_or_a_provider_error(maker: Maker, odd: Any) -> None:
    documents = [planted(path, odd) for path in paths(DOCUMENT)]
    answers = [responds(status, document) for document in documents for status in (200, 200, 429)]
    async with connected(maker, in_turn(*answers)) as (provider, server):
        for _document in documents:
            with contextlib.suppress(ProviderError):
                await provider.check()
            for _ in range(2):
                with contextlib.suppress(ProviderError):
                    await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=10)
        assert len(server.requests) == len(answers)
