"""The providers of the tests, and calls of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from openclaw_stream.arbitration.llm.prompt.response import RESPONSE_SCHEMA
from openclaw_stream.arbitration.llm.providers import Claude, Gemini, Ollama, OpenAI, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.providers.http import HttpProvider
from tests.arbitration.llm.providers.loopback import Answer, Loopback, Request, loopback

PROMPT = Prompt(system="You judge.", user="checkout is slow 慢", version="v1")
KEY = "planted-key-0123456789"

Maker = Callable[[str], HttpProvider]
"""Creates a provider of the server at a URL."""


def ollama(url: str) -> Ollama:
    return Ollama(url, "qwen", num_ctx=8192, max_tokens=2048)


def gemini(url: str) -> Gemini:
    return Gemini(url, "gemini-x", KEY, max_tokens=4096)


def claude(url: str) -> Claude:
    return Claude(url, "claude-x", KEY, max_tokens=4096, effort="low")


def openai(url: str) -> OpenAI:
    return OpenAI(f"{url}/v1", "gpt-x", KEY, max_tokens=4096, max_tokens_field="max_completion_tokens")


MAKERS = [ollama, gemini, claude, openai]


@asynccontextmanager
async def connected(maker: Maker, answer: Answer) -> AsyncIterator[tuple[HttpProvider, Loopback]]:
    """A provider and its server, which gives the same response to every request."""
    async with loopback(answer) as server:
        provider = maker(server.url)
        try:
            yield provider, server
        finally:
            await provider.close()


async def ask(maker: Maker, answer: Answer, seconds: float = 10, prompt: Prompt = PROMPT) -> tuple[Reply, Request]:
    """Return the reply to a prompt, and the request."""
    async with connected(maker, answer) as (provider, server):
        reply = await provider.ask(prompt, RESPONSE_SCHEMA, timeout=seconds)
    return reply, server.requests[0]


async def fail(maker: Maker, answer: Answer, seconds: float = 10) -> ProviderError:
    """Return the error of a call."""
    with pytest.raises(ProviderError) as caught:
        await ask(maker, answer, seconds)
    return caught.value


async def check(maker: Maker, answer: Answer) -> Request:
    """Check the provider; return the request."""
    async with connected(maker, answer) as (provider, server):
        await provider.check()
    return server.requests[0]


def keywords(schema: Any) -> set[str]:
    """Every keyword of a JSON schema, without the names of properties."""
    if isinstance(schema, list):
        return set().union(*map(keywords, schema))
    if not isinstance(schema, dict):
        return set()
    inner = (schema[name].values() if name == "properties" else [schema[name]] for name in schema)
    return set(schema).union(*(keywords(each) for values in inner for each in values))
