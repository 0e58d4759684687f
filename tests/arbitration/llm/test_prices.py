import pytest

from openclaw_stream.arbitration.llm.prices import cost_usd
from openclaw_stream.arbitration.llm.providers import Reply
from openclaw_stream.settings.providers import Price, ProviderSettings

REPLY = Reply("x", "m", input_tokens=1_000_000, output_tokens=100_000)


@pytest.mark.parametrize("provider", ["claude", "gemini"])
def test_the_default_models_have_a_price(provider: str) -> None:
    model = str(ProviderSettings.model_fields[f"{provider}_model"].default)
    cost = cost_usd(provider, model, REPLY)
    assert cost is not None
    assert 0.01 < cost < 100


def test_tokens_read_from_the_provider_cache_cost_less_and_tokens_written_cost_more() -> None:
    def cost(cached: int, written: int) -> float:
        reply = Reply("x", "m", 50_000, 100, cached_tokens=cached, cache_write_tokens=written)
        return cost_usd("claude", "claude-haiku-4-5", reply) or 0

    assert 0 < cost(40_000, 0) < cost(0, 0) < cost(0, 40_000)


def test_ollama_is_free_and_an_unknown_price_is_none() -> None:
    assert cost_usd("ollama", "qwen2.5:7b-instruct", REPLY) == 0
    assert cost_usd("openai", "our-own-model", REPLY) is None
    assert cost_usd("claude", "claude-haiku-4-5", Reply("x", "m")) is None
    assert cost_usd("claude", "claude-haiku-4-5", Reply("x", "m", 10, 10, cached_tokens=20)) is None


def test_the_operators_price_takes_precedence() -> None:
    prices = {"claude-haiku-4-5": Price(2, 30), "home": Price(0.5, 0)}
    assert cost_usd("claude", "claude-haiku-4-5", REPLY, prices) == pytest.approx(5)
    assert cost_usd("ollama", "home", REPLY, prices) == pytest.approx(0.5)
    assert cost_usd("openai", "our-own-model", REPLY, prices) is None
