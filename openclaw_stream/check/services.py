"""What the worker depends on: whether it works, and what to do where it does not.

Kafka and the topics are needed: the check fails where they cannot be used. The worker does without anything else, so
that is reported only; `strict` fails, too, where something that is configured does not work, as a pipeline wants it
that is about to roll these settings out. What is not configured is no failure.
"""

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from openclaw_stream.arbitration.providers import Provider, ProviderError, make_providers, make_summarizer
from openclaw_stream.errors import RetryableError, TopicError
from openclaw_stream.settings import ChainSettings, LangfuseSettings, Settings, SigNozSettings
from openclaw_stream.signoz import SigNoz, SigNozError
from openclaw_stream.stream.client import connection
from openclaw_stream.stream.topics import TopicReport, check_topics
from openclaw_stream.telemetry.langfuse_health import LangfuseError, check_langfuse
from openclaw_stream.texts import visible

SECONDS: Final = 15.0
"""How long one dependency may take to answer."""

_TEXT_MAX = 500
_REDIS_KEY = "openclaw-stream:check"


class State(StrEnum):
    """How a dependency is: as it must be, there but not working in full, or not there at all."""

    WORKS = "works"
    DEGRADED = "degraded"
    MISSING = "missing"


_STYLES = {State.WORKS: "green", State.DEGRADED: "yellow", State.MISSING: "bright_black"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a dependency, and what to do about it; `fatal` if the worker cannot run so."""

    dependency: str
    state: State
    text: str
    fatal: bool = False


def run_check(settings: Settings, *, strict: bool) -> int:
    """Check everything and print it: a table on a terminal, plain lines elsewhere.

    Args:
        settings: What is configured.
        strict: Whether something that is configured and does not work is a failure although the worker does without.

    Returns:
        0, or 1 for a failure.

    Raises:
        SettingsError: A certificate or key cannot be loaded.
    """
    connection(settings.kafka)
    findings = asyncio.run(check(settings))
    _show(findings, Console(highlight=False))
    return int(any(found.fatal or (strict and found.state is State.DEGRADED) for found in findings))


async def check(settings: Settings, seconds: float = SECONDS) -> list[Finding]:
    """Ask every dependency at the same time; what was found comes in a fixed order, whatever answered first."""
    probes = {
        "Kafka": _kafka(settings),
        "Redis": _redis(settings.chain),
        "SigNoz": _signoz(settings.signoz),
        **_models(settings),
        "Langfuse": _langfuse(settings.langfuse),
    }
    found = await asyncio.gather(*(_within(seconds, name, probe) for name, probe in probes.items()))
    return [finding for findings in found for finding in findings]


async def _within(seconds: float, dependency: str, probe: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        async with asyncio.timeout(seconds):
            return await probe
    except TimeoutError:
        text = f"no answer within {seconds:g} s; see whether its address is right and nothing drops the packets"
    except Exception as error:  # noqa: BLE001 - one dependency's fault must not hide the state of the others
        text = f"{type(error).__name__}: {error}"
    needed = dependency == "Kafka"
    return [Finding(dependency, State.MISSING if needed else State.DEGRADED, text, fatal=needed)]


async def _kafka(settings: Settings) -> list[Finding]:
    servers = settings.kafka.bootstrap_servers
    works = Finding("Kafka", State.WORKS, f"{servers} answers")
    try:
        report = await check_topics(settings)
    except RetryableError as error:
        return [
            Finding("Kafka", State.MISSING, f"{error}; see whether a broker listens there", fatal=True),
            Finding("topics", State.MISSING, "not looked at: Kafka does not answer", fatal=True),
        ]
    except TopicError as error:
        return [works, Finding("topics", State.MISSING, str(error), fatal=True)]
    return [works, *_topics(report)]


def _topics(report: TopicReport) -> Iterator[Finding]:
    for found in report.differences:
        state = State.MISSING if found.fatal else State.DEGRADED
        yield Finding(f"topic {found.topic}", state, f"{found.what}; {found.remedy}", found.fatal)
    if not report.differences:
        yield Finding("topics", State.WORKS, "as they must be")


async def _redis(settings: ChainSettings) -> list[Finding]:
    if settings.redis_url is None:
        text = "REDIS_URL is not set: answers and the budget are kept in this process only, and not after its end"
        return [Finding("Redis", State.MISSING, text)]
    url = settings.redis_url.get_secret_value()
    parts = urlsplit(url)
    where = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
    redis: Redis = Redis.from_url(url)
    try:
        await redis.set(_REDIS_KEY, b"1", ex=1)
    except AuthenticationError as error:
        text = f"{where} refuses us: {error}; see the user and the password in REDIS_URL"
    except (RedisError, OSError) as error:
        text = f"{where} keeps nothing: {error}; see REDIS_URL. Until then models are asked again and again"
    else:
        return [Finding("Redis", State.WORKS, f"{where} answers and keeps what it is given")]
    finally:
        await redis.aclose()
    return [Finding("Redis", State.DEGRADED, text)]


async def _signoz(settings: SigNozSettings) -> list[Finding]:
    signoz = SigNoz(settings)
    try:
        await signoz.check()
    except SigNozError as error:
        return [Finding("SigNoz", State.DEGRADED if signoz.configured else State.MISSING, str(error))]
    finally:
        await signoz.close()
    return [Finding("SigNoz", State.WORKS, f"{settings.url} answers queries")]


def _models(settings: Settings) -> Mapping[str, Awaitable[list[Finding]]]:
    if settings.chain.mock_mode:
        return {"models": _missing("models", "MOCK_MODE is on: none is asked, the rules decide")}
    providers, skipped = make_providers(settings.providers)
    probes = {provider.name: _model(provider.name, provider) for provider in providers}
    summarizer = make_summarizer(settings.providers)
    if summarizer:
        name = f"{summarizer.name} (summaries)"
        probes[name] = _model(name, summarizer)
    for reason in skipped:
        name, _, lack = reason.partition(" is skipped: ")
        probes[name] = _missing(name, f"{lack}: it is not asked")
    if not providers:
        probes["models"] = _missing("models", "none is configured: the rules decide")
    return probes


async def _missing(dependency: str, text: str) -> list[Finding]:
    return [Finding(dependency, State.MISSING, text)]


async def _model(name: str, provider: Provider) -> list[Finding]:
    try:
        await provider.check()
    except ProviderError as error:
        return [Finding(name, State.DEGRADED, f"{provider.model}: {error}")]
    finally:
        await provider.close()
    return [Finding(name, State.WORKS, f"{provider.model} is there")]


async def _langfuse(settings: LangfuseSettings) -> list[Finding]:
    if not settings.tracing_enabled:
        return [Finding("Langfuse", State.MISSING, "LANGFUSE_TRACING_ENABLED is false: nothing is traced")]
    if not settings.configured:
        text = "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set: nothing is traced"
        return [Finding("Langfuse", State.MISSING, text)]
    hint = f"; {settings.deprecated}" if settings.deprecated else ""
    try:
        version = await check_langfuse(settings)
    except LangfuseError as error:
        return [Finding("Langfuse", State.DEGRADED, f"{error}{hint}")]
    return [Finding("Langfuse", State.WORKS, f"{settings.url} runs {version} and takes the keys{hint}")]


def _show(findings: Sequence[Finding], console: Console) -> None:
    if not console.is_terminal:
        for found in findings:
            needed = " (needed)" if found.fatal else ""
            line = f"{found.state:<8}  {found.dependency}{needed}: {_line(found)}"
            console.print(line, markup=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("", "dependency", "what was found"):
        table.add_column(heading, overflow="fold")
    for found in findings:
        style = "red" if found.fatal else _STYLES[found.state]
        table.add_row(Text(found.state, style=style), Text(found.dependency), Text(_line(found)))
    console.print(table)


def _line(found: Finding) -> str:
    return visible(" ".join(found.text.split()), _TEXT_MAX)
