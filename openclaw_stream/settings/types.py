"""Types of settings: how the text of a variable is parsed, and which values are rejected."""

import re
from collections.abc import Mapping
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from openclaw_stream.alerts.matchers import Matchers
from openclaw_stream.vocabulary import Severity

_YEAR = 31_536_000
_LAST_PORT = 65_535


class Address(NamedTuple):
    """Host and port to listen on; port 0 takes any free port."""

    host: str
    port: int


def any_case(*values: str) -> BeforeValidator:
    """Accept `values` in upper and lower case."""
    known = {value.casefold(): value for value in values}
    return BeforeValidator(lambda value: known.get(str(value).strip().casefold(), value))


def _split_labels(value: object) -> object:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def _check_labels(labels: tuple[str, ...]) -> tuple[str, ...]:
    if not all(labels) or len(set(labels)) < len(labels):
        raise ValueError("a label name is empty or given twice")
    if "severity" in labels:
        raise ValueError("the severity of an incident changes, so alerts cannot be grouped by it")
    return labels


def _check_servers(servers: str) -> str:
    for server in servers.split(","):
        match = re.fullmatch(r"\s*(?:\[[0-9A-Fa-f:.%]+\]|[\w.-]+)(?::([0-9]{1,5}))?\s*", server)
        if match is None or int(match[1] or 1) not in range(1, _LAST_PORT + 1):
            raise ValueError(f"{server!r} is not host:port")
    return servers


def _check_topic(name: str) -> str:
    if name in {".", ".."} or not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", name):
        raise ValueError("a name has 1 to 249 letters, digits, dots, hyphens and underscores")
    return name


def _parse_address(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    host, _, port = value.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not host.strip("[]") or not re.fullmatch(r"[0-9]{1,5}", port) or (":" in host and not bracketed):
        raise ValueError("it is not host:port")
    return Address(host[1:-1] if bracketed else host, int(port))


def _check_address(address: Address | None) -> Address | None:
    if address is not None and address.port > _LAST_PORT:
        raise ValueError(f"a port is at most {_LAST_PORT}")
    return address


def _read_severities(value: object) -> object:
    if not isinstance(value, str):
        return value
    severities: dict[str, Severity] = {}
    for entry in value.split(","):
        word, equals, severity = entry.rpartition("=")
        if not equals or not word.strip() or severity.strip().lower() not in list(Severity):
            raise ValueError(f"{entry.strip()!r} is not WORD=SEVERITY")
        severities[word.strip()] = Severity(severity.strip().lower())
    return severities


def _check_matchers(text: str) -> str:
    Matchers(text)
    return text


SeverityWords = Annotated[Mapping[str, Severity], NoDecode, BeforeValidator(_read_severities)]
MatcherText = Annotated[str, AfterValidator(_check_matchers)]
Seconds = Annotated[float, Field(ge=0, le=_YEAR, allow_inf_nan=False)]
Timeout = Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)]
TopicName = Annotated[str, AfterValidator(_check_topic)]
Servers = Annotated[str, AfterValidator(_check_servers)]
GroupId = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
Labels = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_labels), AfterValidator(_check_labels)]
ListenAddress = Annotated[Address | None, NoDecode, BeforeValidator(_parse_address), AfterValidator(_check_address)]
