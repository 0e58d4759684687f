"""The tracing backend: each decision as a trace in Langfuse."""

import structlog

from openclaw_stream.arbitration.llm.tracing import NoTracing, Tracing
from openclaw_stream.settings.langfuse import LangfuseSettings

log = structlog.get_logger(__name__)


def make_tracing(settings: LangfuseSettings) -> Tracing:
    """Return tracing to Langfuse where it is configured; otherwise its SDK is not even loaded.

    Blocks for the seconds the loading takes. Where the SDK does not start, nothing is traced and a warning says so.
    """
    if not settings.configured:
        return NoTracing()
    if settings.deprecated:
        log.warning(settings.deprecated)
    try:
        from openclaw_stream.langfuse.tracing import LangfuseTracing  # noqa: PLC0415 - only where it is wanted

        return LangfuseTracing(settings)
    except Exception as error:  # noqa: BLE001 - OpenTelemetry reads variables of its own, and trips over bad ones
        log.warning("nothing is traced: Langfuse's SDK does not start", reason=f"{type(error).__name__}: {error}")
        return NoTracing()
