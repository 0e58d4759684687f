import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.llm.providers.base import Failure, ProviderError, Reply
from openclaw_stream.langfuse.fields import (
    STATUS_MAX,
    TEXT_MAX,
    error_level,
    error_message,
    mask,
    safe_field,
    token_usage,
    trace_attributes,
)
from tests.langfuse.decisions import traced_case

SECRET = "password=hunter2"  # noqa: S105 - an example
PROPAGATED_MAX = 200


def test_secrets_are_masked_in_nested_data() -> None:
    data = {SECRET: [SECRET, (SECRET, {"a": SECRET}), ValueError(SECRET)], "n": 3, "x": None, "b": True, "f": 0.5}
    assert "hunter2" not in str(mask(data=data))
    assert {key: value for key, value in mask(data=data).items() if key in "nxbf"} == {
        "n": 3,
        "x": None,
        "b": True,
        "f": 0.5,
    }


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_data_is_masked(data: Any) -> None:
    assert mask(data=mask(data=data)) == mask(data=data)


def test_a_long_field_ends_with_its_length() -> None:
    assert safe_field("x " * TEXT_MAX).endswith(f"… ({2 * TEXT_MAX} characters)")
    assert len(safe_field("x " * TEXT_MAX)) == TEXT_MAX


def test_attributes_are_short_enough_for_the_sdk() -> None:
    attributes = trace_attributes(traced_case("é" * 500, group_key="g" * 500), ["p" * 300, "rules"])
    assert attributes["session_id"].isascii()
    assert len(attributes["session_id"]) <= PROPAGATED_MAX
    texts = [value for value in attributes["metadata"].values() if isinstance(value, str)]
    assert len(texts) == 3
    assert all(len(text) <= PROPAGATED_MAX for text in texts)


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ((120, 30, 100, None), {"input": 20, "input_cached_tokens": 100, "output": 30}),
        ((120, 30, 20, 40), {"input": 60, "input_cached_tokens": 20, "input_cache_creation": 40, "output": 30}),
        ((10, None, 100, None), {"input": 0, "input_cached_tokens": 100}),
        ((None, None, None, None), None),
    ],
)
def test_each_token_is_counted_in_one_kind(counts: tuple[int | None, ...], usage: dict[str, int] | None) -> None:
    read, written, cached, cache_write = counts
    reply = Reply(
        "", "m", input_tokens=read, output_tokens=written, cached_tokens=cached, cache_write_tokens=cache_write
    )
    assert token_usage(reply) == usage


@pytest.mark.parametrize(
    ("error", "level", "message"),
    [
        (
            ProviderError(Failure.TIMEOUT, f"too slow, {SECRET}"),
            "ERROR",
            "timeout: too slow, password=[redacted:password]",
        ),
        (ValueError("bad"), "ERROR", "ValueError: bad"),
        (asyncio.CancelledError(), "WARNING", "CancelledError: "),
    ],
)
def test_an_error_has_its_level_and_a_message_without_secrets(error: BaseException, level: str, message: str) -> None:
    assert (error_level(error), error_message(error)) == (level, message)
    assert len(error_message(ValueError("x" * 5000))) == STATUS_MAX
