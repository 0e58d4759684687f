from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from openclaw_stream.settings.types import (
    Address,
    GroupId,
    Labels,
    ListenAddress,
    Servers,
    Timeout,
    TopicName,
    any_case,
)

ADDRESS: TypeAdapter[Address | None] = TypeAdapter(ListenAddress)
LABELS: TypeAdapter[tuple[str, ...]] = TypeAdapter(Labels)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        (" localhost:0 ", ("localhost", 0)),
        ("[::1]:65535", ("::1", 65535)),
        ("", None),
        ("  ", None),
    ],
)
def test_an_address_has_a_host_and_a_port(text: str, address: tuple[str, int] | None) -> None:
    assert ADDRESS.validate_python(text) == address


@pytest.mark.parametrize("text", ["8080", ":8080", "[]:8080", "::1:8080", "host:", "host:65536", "host:-1", "host:٨٠"])
def test_a_wrong_address_is_rejected(text: str) -> None:
    with pytest.raises(ValidationError, match=r"host:port|at most 65535"):
        ADDRESS.validate_python(text)


@given(st.text(max_size=20))
def test_any_text_is_an_address_or_rejected(text: str) -> None:
    try:
        address = ADDRESS.validate_python(text)
    except ValidationError:
        return
    assert address is None or (address.host and 0 <= address.port <= 65535)


@pytest.mark.parametrize("servers", ["a:1", "a", "a:65535, [::1]:9092,b.c-d_e", "[fe80::1%25]"])
def test_servers_are_hosts_with_optional_ports(servers: str) -> None:
    assert TypeAdapter(Servers).validate_python(servers) == servers


@pytest.mark.parametrize("servers", ["", "a,", "a:0", "a:65536", "kafka://a:1", "::1:9092", "a b"])
def test_wrong_servers_are_rejected(servers: str) -> None:
    with pytest.raises(ValidationError, match="is not host:port"):
        TypeAdapter(Servers).validate_python(servers)


def test_labels_are_separated_by_commas() -> None:
    assert LABELS.validate_python(" namespace , team") == ("namespace", "team")


@pytest.mark.parametrize(("labels", "reason"), [("a,,b", "empty"), ("a,a", "twice"), ("severity", "severity")])
def test_wrong_labels_are_rejected(labels: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        LABELS.validate_python(labels)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TopicName, "a/b"),
        (TopicName, ""),
        (TopicName, "x" * 250),
        (GroupId, "a b"),
        (GroupId, ""),
        (Timeout, 0.5),
        (Timeout, float("nan")),
        (Timeout, 3601),
    ],
)
def test_values_out_of_range_are_rejected(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


def test_any_case_returns_the_documented_spelling() -> None:
    known = any_case("PLAIN", "zh-TW")
    assert [known.func(text) for text in (" plain ", "ZH-tw", "other", 3)] == ["PLAIN", "zh-TW", "other", 3]  # type: ignore[call-arg]
