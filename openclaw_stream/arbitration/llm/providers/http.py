"""Providers behind HTTP: one deadline for a whole call, capped bodies, no key outside a header."""

import asyncio
import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx
import structlog

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.providers.failures import embedded_error, error_message, failure_of
from openclaw_stream.arbitration.llm.providers.finish_reasons import Ending, ending_of
from openclaw_stream.http_client import BodyTooLargeError, HttpResponse, open_client, send
from openclaw_stream.text import Hidden, safe_text

log = structlog.get_logger(__name__)

Json = dict[str, Any]

BOUNDS: Final = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
"""Keywords of a JSON schema that some providers refuse or ignore; the answer is checked against them anyway."""

_QUOTED_MAX = 300
_CHECK_SECONDS = 10.0
_FAILURES = {
    Ending.COMPLETE: (Failure.EMPTY, "gave an empty answer"),
    Ending.BLOCKED: (Failure.BLOCKED, "blocked its answer"),
    Ending.REFUSED: (Failure.REFUSED, "refused to answer"),
    Ending.CONTEXT: (Failure.CONTEXT_TOO_LONG, "ran out of its context window"),
    Ending.UNKNOWN: (Failure.GARBAGE, "answered without a complete message"),
}


class HttpProvider(ABC):
    """A provider behind HTTP; a subclass defines the request of a prompt and reads the response."""

    name: str

    def __init__(
        self,
        model: str,
        base_url: str,
        *,
        max_tokens: int,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.model = model
        self._url = httpx.URL(base_url)
        self._max_tokens = max_tokens
        self._key = key
        self._variant = 0
        """The variant of the requests that the server takes; a higher one leaves out more of what servers refuse."""
        self._hints: Mapping[Failure, str] = {}
        """What to do about a failure."""
        self._client = open_client(base_url, headers or {})

    async def ask(
        self,
        prompt: Prompt,
        schema: Mapping[str, Any],
        *,
        timeout: float,  # noqa: ASYNC109
        max_tokens: int | None = None,
    ) -> Reply:
        """Return the reply to a prompt; see `Provider`.

        A request that is refused for one of its parts is sent without that part. The variant that the server takes is
        used from then on.
        """
        limit = max_tokens or self._max_tokens
        variant: int | None = self._variant
        async with self._deadline(timeout):
            while variant is not None:
                path, body = self._request(prompt, schema, limit, variant)
                # A lone surrogate has no UTF-8 encoding; it is replaced, so that the call does not fail.
                content = json.dumps(body, ensure_ascii=False).encode(errors="replace")
                response = await send(self._client, "POST", path, content)
                sent, variant = variant, self._simpler(variant, response)
        self._learn(sent, response)
        return self._reply_of(response, limit)

    def _learn(self, variant: int, response: HttpResponse) -> None:
        if response.status == httpx.codes.OK and variant > self._variant:
            log.warning("provider refuses a part of the request", provider=self.name, model=self.model, variant=variant)
            self._variant = variant

    def _reply_of(self, response: HttpResponse, limit: int) -> Reply:
        document = self._document(response)
        try:
            return self._reply(document, limit)
        except ProviderError as error:
            embedded = embedded_error(response) if error.failure in {Failure.EMPTY, Failure.GARBAGE} else None
            if embedded is None:
                raise
            raise self._error(embedded, error.reply) from None

    @abstractmethod
    async def check(self) -> None:
        """Request the model's description, which is free of charge; see `Provider`."""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @abstractmethod
    def _request(self, prompt: Prompt, schema: Mapping[str, Any], limit: int, variant: int) -> tuple[str, Json]:
        """Return the path and the body of a variant of the request for a prompt; `limit` is the most tokens."""

    @abstractmethod
    def _reply(self, body: Json, limit: int) -> Reply:
        """Read the body of a 200; raise ProviderError where it is not a complete answer."""

    def _simpler(self, variant: int, response: HttpResponse) -> int | None:  # noqa: ARG002 - for subclasses
        """Return the variant to send after a response that refuses a part of the request; None for the response."""
        return None

    def _larger(self, limit: int, reply: Reply) -> int | None:  # noqa: ARG002 - for subclasses
        """Return a larger limit of tokens for an answer that was cut, None where there is none."""
        return 2 * limit if limit == self._max_tokens else None

    def _finished(self, reason: object, reply: Reply, limit: int) -> Reply:
        """Return a reply that ended because it is complete; raise ProviderError for any other."""
        ending = ending_of(reason)
        if ending is Ending.COMPLETE and reply.text.strip():
            return reply
        raise self._unfinished(ending, str(reason), reply, limit)

    def _unfinished(self, ending: Ending, reason: str, reply: Reply, limit: int) -> ProviderError:
        if ending is not Ending.CUT:
            failure, message = _FAILURES[ending]
            return ProviderError(failure, f"{self.name} {message}: {self._safe(reason)}", reply=reply)
        thought = "" if reply.text.strip() else ", which its thoughts used up"
        return ProviderError(
            Failure.TRUNCATED,
            f"{self.name} cut its answer at {self._limit_name} ({limit}){thought}",
            reply=reply,
            larger_limit=self._larger(limit, reply),
        )

    @property
    def _limit_name(self) -> str:
        return f"{self.name.upper()}_MAX_TOKENS"

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

    def _error(self, response: HttpResponse, reply: Reply | None = None) -> ProviderError:
        failure = failure_of(response)
        hint = f"; {self._hints[failure]}" if failure in self._hints else ""
        message = f"{self.name} answered {response.status}: {self._quoted(response)}{hint}"
        return ProviderError(failure, message, retry_after=self._retry_after(response), reply=reply)

    def _quoted(self, response: HttpResponse) -> str:
        return self._safe(error_message(response)) or "an empty body"

    def _safe(self, text: str) -> str:
        """Return a server's text as an error message quotes it, without the key."""
        return safe_text(text, _QUOTED_MAX, hidden=Hidden.ESCAPE, one_line=True, secrets=[self._key or ""])


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
