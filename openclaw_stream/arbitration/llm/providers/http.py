"""Providers behind HTTP: one deadline for a whole call, capped bodies, no key outside a header."""

import asyncio
import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.http_client import BodyTooLargeError, HttpResponse, dig, open_client, send
from openclaw_stream.text import Hidden, safe_text

Json = dict[str, Any]

_QUOTED_MAX = 300
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
    """A provider behind HTTP; a subclass defines the request of a prompt and reads the response."""

    name: str

    def __init__(
        self, model: str, base_url: str, *, key: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        self.model = model
        self._url = httpx.URL(base_url)
        self._key = key
        self._hints: Mapping[Failure, str] = {}
        """What to do about a failure."""
        self._client = open_client(base_url, headers or {})

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any], *, timeout: float) -> Reply:  # noqa: ASYNC109
        """Return the reply to a prompt; see `Provider`."""
        path, body = self._request(prompt, schema)
        # A lone surrogate has no UTF-8 encoding; it is replaced, so that the call does not fail.
        content = json.dumps(body, ensure_ascii=False).encode(errors="replace")
        async with self._deadline(timeout):
            response = await send(self._client, "POST", path, content)
        return self._reply(self._document(response))

    @abstractmethod
    async def check(self) -> None:
        """Request the model's description, which is free of charge; see `Provider`."""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @abstractmethod
    def _request(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[str, Json]:
        """Return the path and the body of the request for a prompt."""

    @abstractmethod
    def _reply(self, body: Json) -> Reply:
        """Read the body of a 200; raise ProviderError where it is not a complete answer."""

    def _failure(self, response: HttpResponse) -> Failure | None:
        """Return the failure an error response describes; None where its status decides."""
        too_long = response.status == httpx.codes.BAD_REQUEST and _TOO_LONG.search(error_message(response))
        return Failure.CONTEXT_TOO_LONG if too_long else None

    def _retry_after(self, response: HttpResponse) -> float | None:
        """Return the seconds the server asks to wait."""
        return _seconds(response.headers.get("retry-after", ""))

    async def _get(self, path: str) -> Json:
        async with self._deadline(_CHECK_SECONDS):
            response = await send(self._client, "GET", path)
        return self._document(response)

    @asynccontextmanager
    async def _deadline(self, seconds: float) -> AsyncIterator[None]:
        """Limit the time of a request; raise ProviderError where there is no response."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise ProviderError(Failure.TIMEOUT, f"{self.name} gave no answer within {seconds:.3g} s") from None
        except BodyTooLargeError as error:
            raise ProviderError(Failure.GARBAGE, f"{self.name} answered {error}") from None
        except httpx.HTTPError as error:
            # Not chained: an exception of httpx carries the request with its headers.
            raise self._unreachable(error) from None

    def _document(self, response: HttpResponse) -> Json:
        """Return the JSON object of a 200; raise ProviderError for any other response."""
        if response.status != httpx.codes.OK:
            raise self._error(response)
        if not response.document or not isinstance(response.document, dict):
            raise ProviderError(Failure.GARBAGE, f"{self.name} answered no JSON object: {self._quoted(response)}")
        return response.document

    def _unreachable(self, error: httpx.HTTPError) -> ProviderError:
        server = f"{self._url.scheme}://{self._url.netloc.decode()}"
        reason = self._safe(f"{type(error).__name__} {error}".strip())
        return ProviderError(Failure.UNREACHABLE, f"{self.name} at {server} cannot be reached: {reason}")

    def _error(self, response: HttpResponse) -> ProviderError:
        fallback = Failure.SERVER_ERROR if response.status >= httpx.codes.INTERNAL_SERVER_ERROR else Failure.BAD_REQUEST
        failure = self._failure(response) or _STATUSES.get(response.status, fallback)
        hint = f"; {self._hints[failure]}" if failure in self._hints else ""
        message = f"{self.name} answered {response.status}: {self._quoted(response)}{hint}"
        return ProviderError(failure, message, retry_after=self._retry_after(response))

    def _incomplete(self, reason: str, reply: Reply) -> ProviderError:
        """Return the error of a reply that ended for another reason than that it is complete."""
        message = f"{self.name} answered without a complete message: {self._safe(reason)}"
        return ProviderError(Failure.GARBAGE, message, reply=reply)

    def _quoted(self, response: HttpResponse) -> str:
        return self._safe(error_message(response)) or "an empty body"

    def _safe(self, text: str) -> str:
        """Return a server's text as an error message quotes it, without the key."""
        return safe_text(text, _QUOTED_MAX, hidden=Hidden.ESCAPE, one_line=True, secrets=[self._key or ""])


def error_message(response: HttpResponse) -> str:
    """Return the message of an error response; the whole body where it has none in a known place."""
    error = dig(response.document, "error")
    text = dig(error, "message") or error
    return text if isinstance(text, str) else response.body.decode(errors="replace")


def token_count(value: object) -> int | None:
    """Return a valid count of tokens; None for any other value."""
    return value if type(value) is int and value >= 0 else None


def drop_keywords(schema: Any, *keywords: str) -> Any:
    """Return a JSON schema without some keywords; a property of the same name is kept."""
    if isinstance(schema, list):
        return [drop_keywords(each, *keywords) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        name: {key: drop_keywords(each, *keywords) for key, each in value.items()}
        if name == "properties"
        else drop_keywords(value, *keywords)
        for name, value in schema.items()
        if name not in keywords
    }


def _seconds(value: str) -> float | None:
    """Parse a Retry-After header (RFC 9110, section 10.2.3), seconds or a date; a date in the past gives 0."""
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", value.strip()):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
