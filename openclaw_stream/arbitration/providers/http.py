"""HTTP as the providers need it: one deadline for a whole call, capped bodies, no key outside a header."""

import asyncio
import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from openclaw_stream import __version__
from openclaw_stream.arbitration.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.errors import SettingsError
from openclaw_stream.telemetry.redaction import redact, redact_start
from openclaw_stream.texts import visible

Json = dict[str, Any]

BODY_MAX = 1 << 20
"""Bytes of a body that are read; an answer takes a few thousand."""

_HEADERS = {
    "accept-encoding": "identity",  # compressed, a small body could unfold into a huge one
    "content-type": "application/json",
    "user-agent": f"openclaw-stream/{__version__}",
}
_THIS_MACHINE = ("all://localhost", "all://127.0.0.1", "all://[::1]")
_SHOWN_MAX = 300
_SCRUBBED_MAX = 4096
_CONNECT_SECONDS = 5.0
_CHECK_SECONDS = 10.0
_STATUSES = {
    401: Failure.UNAUTHORIZED,
    402: Failure.SPEND_LIMIT,
    403: Failure.UNAUTHORIZED,
    404: Failure.MODEL_MISSING,
    408: Failure.TIMEOUT,
    413: Failure.CONTEXT_TOO_LONG,
    429: Failure.RATE_LIMITED,
    503: Failure.OVERLOADED,
    529: Failure.OVERLOADED,
}
_TOO_LONG = re.compile(
    r"context.?(?:size|length|window)|prompt is too long|token count|maximum number of tokens|too many tokens",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer with its whole body; `json` is the object in it, empty where there is none."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Json

    @property
    def message(self) -> str:
        """The error's own words; the body where the server says it otherwise."""
        error = self.json.get("error")
        said = dig(error, "message") or error
        return said if isinstance(said, str) else self.body.decode(errors="replace")


class HttpProvider(ABC):
    """A provider behind HTTP; a subclass says what is posted where, and how to read what comes back."""

    name: str

    def __init__(
        self, model: str, base_url: str, *, key: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        self.model = model
        self._url = httpx.URL(base_url)
        self._key = key
        self._hints: Mapping[Failure, str] = {}  # what to do about a failure
        self._client = open_client(base_url, headers or {})

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any], *, timeout: float) -> Reply:  # noqa: ASYNC109
        """Return the reply to a prompt; see `Provider`."""
        path, body = self._question(prompt, schema)
        return self._reply(await self._call("POST", path, body, timeout))

    @abstractmethod
    async def check(self) -> None:
        """Ask for the model, which no provider charges for; see `Provider`."""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @abstractmethod
    def _question(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[str, Json]:
        """Return the path and the body that ask a prompt."""

    @abstractmethod
    def _reply(self, body: Json) -> Reply:
        """Read a 200; raise ProviderError where it is no complete answer."""

    def _blame(self, answered: Answered) -> Failure | None:
        """Return what an error means where the status does not tell it."""
        too_long = answered.status == httpx.codes.BAD_REQUEST and _TOO_LONG.search(answered.message)
        return Failure.CONTEXT_TOO_LONG if too_long else None

    def _delay(self, answered: Answered) -> float | None:
        """Return the seconds the server asks to wait."""
        return _seconds(answered.headers.get("retry-after", ""))

    async def _get(self, path: str) -> Json:
        return await self._call("GET", path, None, _CHECK_SECONDS)

    async def _call(self, method: str, path: str, body: Json | None, seconds: float) -> Json:
        try:
            async with asyncio.timeout(seconds):
                answered = await self._exchange(method, path, body)
        except TimeoutError:
            raise ProviderError(Failure.TIMEOUT, f"{self.name} gave no answer within {seconds:.3g} s") from None
        except httpx.HTTPError as error:
            # Unchained: an exception of the client carries the request with its headers.
            raise self._unreachable(error) from None
        if answered.status != httpx.codes.OK:
            raise self._refusal(answered)
        if not answered.json:
            raise ProviderError(Failure.GARBAGE, f"{self.name} answered no JSON object: {self._shown(answered)}")
        return answered.json

    async def _exchange(self, method: str, path: str, payload: Json | None) -> Answered:
        # A lone surrogate has no UTF-8; it must not cost the call.
        content = None if payload is None else json.dumps(payload, ensure_ascii=False).encode(errors="replace")
        async with self._client.stream(method, path, content=content) as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > BODY_MAX:
                    raise ProviderError(Failure.GARBAGE, f"{self.name} answered more than {BODY_MAX} bytes")
        return Answered(response.status_code, response.headers, bytes(body), _object(body))

    def _unreachable(self, error: httpx.HTTPError) -> ProviderError:
        where = f"{self._url.scheme}://{self._url.netloc.decode()}"
        said = self._scrubbed(f"{type(error).__name__} {error}".strip())
        return ProviderError(Failure.UNREACHABLE, f"{self.name} at {where} cannot be reached: {said}")

    def _refusal(self, answered: Answered) -> ProviderError:
        fallback = Failure.SERVER_ERROR if answered.status >= httpx.codes.INTERNAL_SERVER_ERROR else Failure.BAD_REQUEST
        failure = self._blame(answered) or _STATUSES.get(answered.status, fallback)
        hint = f"; {self._hints[failure]}" if failure in self._hints else ""
        message = f"{self.name} answered {answered.status}: {self._shown(answered)}{hint}"
        return ProviderError(failure, message, retry_after=self._delay(answered))

    def _shown(self, answered: Answered) -> str:
        return self._scrubbed(answered.message) or "an empty body"

    def _scrubbed(self, text: str) -> str:
        """Return the start of a text without our keys, other secrets and hidden characters."""
        if self._key:
            text = text.replace(self._key, "[redacted:key]")
        return visible(redact_start(" ".join(text.split()), _SCRUBBED_MAX), _SHOWN_MAX)


def open_client(base_url: str, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """Return a client of one server; each call brings its own deadline.

    A proxy of the environment is used for other machines, but never for this one.

    Raises:
        SettingsError: The environment's proxy or certificates cannot be used.
    """
    try:
        return httpx.AsyncClient(
            base_url=base_url,
            headers={**_HEADERS, **headers},
            limits=httpx.Limits(max_keepalive_connections=8),  # who calls has a limit of its own
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
            mounts=dict.fromkeys(_THIS_MACHINE),
        )
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        raise SettingsError(
            "see HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR: "
            f"with them there is no HTTP: {redact(str(error))}"
        ) from None


def dig(value: object, *path: str | int) -> Any:
    """Return what lies at a path of keys and indexes; None where the way ends before."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def listed(value: Any) -> list[Any]:
    """Return a list as it is, and nothing in place of anything else."""
    return value if isinstance(value, list) else []


def tokens(value: object) -> int | None:
    """Return a count of tokens, None for anything else."""
    return value if type(value) is int and value >= 0 else None


def without(schema: Any, *keywords: str) -> Any:
    """Return a JSON schema without some keywords; what a property is called does not count as one."""
    if isinstance(schema, list):
        return [without(each, *keywords) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        name: {key: without(each, *keywords) for key, each in value.items()}
        if name == "properties"
        else without(value, *keywords)
        for name, value in schema.items()
        if name not in keywords
    }


def _object(body: bytes | bytearray) -> Json:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _seconds(value: str) -> float | None:
    """Read a Retry-After (RFC 9110, section 10.2.3): seconds or a date; never below 0."""
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", value.strip()):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
