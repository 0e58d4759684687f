"""Logs: structlog and the standard library's loggers through one pipeline, to stderr, as JSON or for a console.

The way of an event: level → rate limit (other libraries' warnings only) → context, level, logger, time → exception as
text → cleaning (secrets redacted, control characters escaped) → JSON or console.
"""

import json
import logging
import math
import sys
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from openclaw_stream.settings import LogSettings
from openclaw_stream.telemetry.redaction import redact

REPEAT_EVERY = 30.0
"""Seconds between two equal warnings of another library."""

_PACKAGE = __name__.partition(".")[0]
_KEYS_MAX = 256
_TEXT_MAX = 16_384
_MULTILINE = frozenset({"exception", "stack"})


def configure_logs(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send every log event of the process to `stream` (stderr); may be called again."""
    stream = stream or sys.stderr
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(stream)
    handler.addFilter(RateLimit(REPEAT_EVERY))
    handler.setFormatter(_formatter(settings.format, colors=stream.isatty()))
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Handler)] + [handler]
    # What other libraries say of every request is for who looks for a fault.
    root.setLevel(max(level, logging.WARNING) if level > logging.DEBUG else level)
    logging.getLogger(_PACKAGE).setLevel(level)
    logging.captureWarnings(capture=True)


class RateLimit(logging.Filter):
    """Lets one of several equal warnings of another library pass every so many seconds.

    A broker that is down makes aiokafka repeat itself many times a second. Equal are the logger, the level and the
    message before its arguments are filled in. The next that passes carries `suppressed`, how many did not.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._passed: OrderedDict[tuple[str, int, str], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record passes."""
        if record.levelno < logging.WARNING or record.name.partition(".")[0] == _PACKAGE:
            return True
        key, now = (record.name, record.levelno, str(record.msg)), self._clock()
        last, suppressed = self._passed.get(key, (-math.inf, 0))
        if now - last < self._seconds:
            self._passed[key] = last, suppressed + 1
            return False
        self._passed[key] = now, 0
        self._passed.move_to_end(key)
        if len(self._passed) > _KEYS_MAX:
            self._passed.popitem(last=False)
        if suppressed:
            record.suppressed = suppressed
        return True


class _Handler(logging.StreamHandler[TextIO]):
    """Told apart from handlers of others when logs are configured again."""


def _formatter(form: str, *, colors: bool) -> logging.Formatter:
    render: Processor = (
        structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
        if form == "console"
        else structlog.processors.JSONRenderer(json.dumps, ensure_ascii=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, structlog.stdlib.ExtraAdder(allow=["suppressed"])],
        processors=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            clean,
            render,
        ],
    )


def clean(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Redact secrets and escape control characters in every value, however deep; structlog's processor signature."""
    return {_clean_text(key): _clean(value, newlines=key in _MULTILINE) for key, value in event.items()}


def _clean(value: object, *, newlines: bool = False) -> Any:
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Mapping():
            return {_clean_text(str(key)): _clean(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(inner) for inner in value]
        case _:
            return _clean_text(str(value), newlines=newlines)


def _clean_text(text: str, *, newlines: bool = False) -> str:
    safe = redact(text)
    if len(safe) > _TEXT_MAX:
        safe = f"{safe[:_TEXT_MAX]}… ({len(safe)} characters)"
    if safe.isprintable():
        return safe
    return "".join(c if newlines and c in "\n\t" else _escape(c) for c in safe)


def _escape(character: str) -> str:
    """Escape what would move the cursor, forge a line or turn the direction of the text."""
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode("ascii")
