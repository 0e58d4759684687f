"""Health check of a Langfuse server: reachable, new enough for the SDK, keys accepted. Does not use the SDK."""

import asyncio
import re
from typing import Final

import httpx

from openclaw_stream.http_client import BodyTooLargeError, HttpResponse, dig, open_client, send
from openclaw_stream.settings.langfuse import LangfuseSettings

OLDEST: Final = (4, 59, 0)
"""The oldest server version that accepts the requests of version 5 of the SDK."""


class LangfuseError(Exception):
    """Langfuse cannot be used; the message says what to do, without secrets."""


async def check_langfuse(settings: LangfuseSettings) -> str:
    """Return the version of the server.

    Raises:
        LangfuseError: The server does not answer, is too old, or rejects the keys.
    """
    public, secret = settings.public_key, settings.secret_key
    auth = (public.get_secret_value(), secret.get_secret_value()) if public and secret else None
    try:
        async with asyncio.timeout(settings.timeout), open_client(settings.url, {}) as client:
            version = _version(settings, await send(client, "GET", "/api/public/health"))
            status = (await send(client, "GET", "/api/public/projects", auth=auth)).status
    except TimeoutError:
        raise LangfuseError(
            f"{settings.url} did not answer within {settings.timeout} s; see LANGFUSE_BASE_URL and LANGFUSE_TIMEOUT"
        ) from None
    except BodyTooLargeError as error:
        raise LangfuseError(
            f"{settings.url} does not answer like a Langfuse server: {error}; see LANGFUSE_BASE_URL"
        ) from None
    except httpx.HTTPError as error:  # unchained: it contains the request with the keys
        reason = f"{type(error).__name__} {error}".strip()
        raise LangfuseError(f"{settings.url} cannot be reached: {reason}; see LANGFUSE_BASE_URL") from None
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise LangfuseError(
            f"{settings.url} rejects the keys ({status}); check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, "
            "and that they belong to this server and region"
        )
    if status != httpx.codes.OK:
        raise LangfuseError(f"{settings.url} answered {status} to the request for the project of the keys")
    return version


def _version(settings: LangfuseSettings, response: HttpResponse) -> str:
    status, version = response.status, dig(response.document, "version")
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version) if isinstance(version, str) else None
    if match is None:
        raise LangfuseError(f"{settings.url} does not answer like a Langfuse server ({status}); see LANGFUSE_BASE_URL")
    if tuple(map(int, match.groups())) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise LangfuseError(
            f"{settings.url} runs {match[0]}, which is too old for the SDK: update the server to {needed} or newer"
        )
    if status != httpx.codes.OK:
        raise LangfuseError(f"{settings.url} runs {match[0]} and reports that it is unhealthy ({status}); see its logs")
    return match[0]
