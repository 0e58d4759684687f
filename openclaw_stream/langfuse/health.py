"""Whether a Langfuse server answers, is new enough for the SDK, and takes the keys; asked without the SDK."""

import asyncio
import re
from typing import Final

import httpx

from openclaw_stream.http_client import BodyTooLargeError, HttpResponse, dig, open_client, send
from openclaw_stream.settings.langfuse import LangfuseSettings

OLDEST: Final = (4, 59, 0)
"""The oldest version of the server that takes what version 5 of the SDK sends."""


class LangfuseError(Exception):
    """Langfuse cannot be used; the message says what to do, and has no secrets."""


async def check_langfuse(settings: LangfuseSettings) -> str:
    """Return the version of the server.

    Raises:
        LangfuseError: It does not answer, is too old, or refuses the keys.
    """
    public, secret = settings.public_key, settings.secret_key
    auth = (public.get_secret_value(), secret.get_secret_value()) if public and secret else None
    try:
        async with asyncio.timeout(settings.timeout), open_client(settings.url, {}) as client:
            version = _version(settings, await send(client, "GET", "/api/public/health"))
            status = (await send(client, "GET", "/api/public/projects", auth=auth)).status
    except TimeoutError:
        raise LangfuseError(
            f"{settings.url} gave no answer within {settings.timeout} s; see LANGFUSE_BASE_URL and LANGFUSE_TIMEOUT"
        ) from None
    except BodyTooLargeError as error:
        raise LangfuseError(
            f"{settings.url} does not answer as Langfuse does: {error}; see LANGFUSE_BASE_URL"
        ) from None
    except httpx.HTTPError as error:  # unchained: it carries the request with its keys
        said = f"{type(error).__name__} {error}".strip()
        raise LangfuseError(f"{settings.url} cannot be reached: {said}; see LANGFUSE_BASE_URL") from None
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise LangfuseError(
            f"{settings.url} refuses the keys ({status}); see LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, "
            "and whether they are of this server and region"
        )
    if status != httpx.codes.OK:
        raise LangfuseError(f"{settings.url} answered {status} when asked for the project of the keys")
    return version


def _version(settings: LangfuseSettings, response: HttpResponse) -> str:
    status, version = response.status, dig(response.document, "version")
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version) if isinstance(version, str) else None
    if match is None:
        raise LangfuseError(f"{settings.url} does not answer as Langfuse does ({status}); see LANGFUSE_BASE_URL")
    if tuple(map(int, match.groups())) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise LangfuseError(
            f"{settings.url} runs {match[0]}, which is too old for the SDK: update the server to {needed} or newer"
        )
    if status != httpx.codes.OK:
        raise LangfuseError(f"{settings.url} runs {match[0]} and says it is not well ({status}); see its logs")
    return match[0]
