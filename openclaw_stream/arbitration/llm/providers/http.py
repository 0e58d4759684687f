"""HTTP as the providers need it: one deadline for a whole call, capped bodies, no key outside a header."""

import asyncio
import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.http_client import BodyTooLargeError, HttpResponse, dig, open_client, send
from openclaw_stream.text.display import visible
from openclaw_stream.text.redaction import redact_start

Json = dict[str, Any]

_SHOWN_MAX = 300
_SCRUBBED_MAX = 4096
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

    def _blame(self, response: HttpResponse) -> Failure | None:
        """Return what an error means where the status does not tell it."""
        too_long = response.status == httpx.codes.BAD_REQUEST and _TOO_LONG.search(message_of(response))
        return Failure.CONTEXT_TOO_LONG if too_long else None

    def _delay(self, response: HttpResponse) -> float | None:
        """Return the seconds the server asks to wait."""
        return _seconds(response.headers.get("retry-after", ""))

    async def _get(self, path: str) -> Json:
        return await self._call("GET", path, None, _CHECK_SECONDS)

    async def _call(self, method: str, path: str, body: Json | None, seconds: float) -> Json:
        try:
            async with asyncio.timeout(seconds):
                response = await self._exchange(method, path, body)
        except TimeoutError:
            raise ProviderError(Failure.TIMEOUT, f"{self.name} gave no answer within {seconds:.3g} s") from None
        except BodyTooLargeError as error:
            raise ProviderError(Failure.GARBAGE, f"{self.name} answered {error}") from None
        except httpx.HTTPError as error:
            # Unchained: an exception of the client carries the request with its headers.
            raise self._unreachable(error) from None
        if response.status != httpx.codes.OK:
            raise self._refusal(response)
        if not response.document or not isinstance(response.document, dict):
            raise ProviderError(Failure.GARBAGE, f"{self.name} answered no JSON object: {self._shown(response)}")
        return response.document

    async def _exchange(self, method: str, path: str, payload: Json | None) -> HttpResponse:
        # A lone surrogate has no UTF-8; it must not cost the call.
        content = None if payload is None else json.dumps(payload, ensure_ascii=False).encode(errors="replace")
        return await send(self._client, method, path, content)

    def _unreachable(self, error: httpx.HTTPError) -> ProviderError:
        where = f"{self._url.scheme}://{self._url.netloc.decode()}"
        said = self._scrubbed(f"{type(error).__name__} {error}".strip())
        return ProviderError(Failure.UNREACHABLE, f"{self.name} at {where} cannot be reached: {said}")

    def _refusal(self, response: HttpResponse) -> ProviderError:
        fallback = Failure.SERVER_ERROR if response.status >= httpx.codes.INTERNAL_SERVER_ERROR else Failure.BAD_REQUEST
        failure = self._blame(response) or _STATUSES.get(response.status, fallback)
        hint = f"; {self._hints[failure]}" if failure in self._hints else ""
        message = f"{self.name} answered {response.status}: {self._shown(response)}{hint}"
        return ProviderError(failure, message, retry_after=self._delay(response))

    def _shown(self, response: HttpResponse) -> str:
        return self._scrubbed(message_of(response)) or "an empty body"

    def _scrubbed(self, text: str) -> str:
        """Return the start of a text without our keys, other secrets and hidden characters."""
        if self._key:
            text = text.replace(self._key, "[redacted:key]")
        return visible(redact_start(" ".join(text.split()), _SCRUBBED_MAX), _SHOWN_MAX)


def message_of(response: HttpResponse) -> str:
    """Return what the error says; the body where it is in no usual place."""
    error = dig(response.document, "error")
    text = dig(error, "message") or error
    return text if isinstance(text, str) else response.body.decode(errors="replace")


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


def _seconds(value: str) -> float | None:
    """Read a Retry-After (RFC 9110, section 10.2.3): seconds or a date; never below 0."""
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", value.strip()):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
