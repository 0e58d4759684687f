"""The cost of a reply."""

from collections.abc import Mapping

from genai_prices import Usage, calc_price

from openclaw_stream.arbitration.llm.providers.base import Reply
from openclaw_stream.settings.providers import Price

_PRICE_LISTS = {"gemini": "google", "claude": "anthropic", "openai": "openai"}
_MILLION = 1_000_000


def cost_usd(provider: str, model: str, reply: Reply, prices: Mapping[str, Price] | None = None) -> float | None:
    """Return the cost of a reply in US dollars; None where its tokens or its model's price are not known.

    Args:
        provider: Its name; Ollama's models run on the operator's own servers and are free of charge.
        model: The model that was asked.
        reply: The reply with its tokens.
        prices: The operator's own prices by model, which take precedence.
    """
    if reply.input_tokens is None or reply.output_tokens is None:
        return None
    own = (prices or {}).get(model)
    if own:
        return (reply.input_tokens * own.input + reply.output_tokens * own.output) / _MILLION
    if provider == "ollama":
        return 0.0
    usage = Usage(
        input_tokens=reply.input_tokens,
        output_tokens=reply.output_tokens,
        cache_read_tokens=reply.cached_tokens or 0,
        cache_write_tokens=reply.cache_write_tokens or 0,
    )
    try:
        return float(calc_price(usage, model, provider_id=_PRICE_LISTS.get(provider)).total_price)
    except (LookupError, ValueError):  # an unknown model, or inconsistent tokens
        return None
