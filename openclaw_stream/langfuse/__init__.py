"""The tracing backend Langfuse: one trace per decision."""

import structlog

from openclaw_stream.arbitration.llm.tracing import NoTracing, Tracing
from openclaw_stream.settings.langfuse import LangfuseSettings

log = structlog.get_logger(__name__)


def make_tracing(settings: LangfuseSettings) -> Tracing:
    """Return tracing to Langfuse if it is configured; otherwise its SDK is not imported.

    Blocks while the SDK is imported, which takes seconds. If the SDK does not start, a warning is logged and nothing is
    traced.
    """
    if not settings.configured:
        return NoTracing()
    if settings.deprecated:
        log.warning(settings.deprecated)
    try:
        from openclaw_stream.langfuse.tracing import LangfuseTracing  # noqa: PLC0415 - slow to import

        return LangfuseTracing(settings)
    except Exception as error:  # noqa: BLE001 - OpenTelemetry fails on invalid variables of its own
        log.warning("tracing is off: the Langfuse SDK did not start", reason=f"{type(error).__name__}: {error}")
        return NoTracing()
