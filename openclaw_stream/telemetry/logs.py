"""Logs: structlog and the standard library's loggers in one pipeline, to stderr, as JSON or for a console.

An event passes: level → rate limit (warnings and errors) → context, level, logger, time → exception as text (other
libraries: its type and message, no traceback) → safe texts (secrets redacted, hidden characters escaped) → JSON or
console.
"""

import json
import logging
import math
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from openclaw_stream.settings import LogSettings
from openclaw_stream.text import Hidden, safe_text

REPEAT_SECONDS, OWN_REPEAT_SECONDS = 30.0, 5.0
"""Seconds between two equal warnings or errors: of other libraries, of this package."""

LINES_PER_SECOND, OWN_LINES_PER_SECOND = 5, 10
"""Highest number of warnings in any second: of other libraries (with their errors), of this package."""

_PACKAGE = __name__.partition(".")[0]
_KEYS_MAX = 256
_KEY_FIELDS = ("event", "partition", "topic", "provider", "model", "reason")
_TEXT_MAX = 16_384
_MULTILINE = frozenset({"exception", "stack"})


def configure_logs(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send every log event of the process to `stream`, by default stderr; a second call replaces the first."""
    stream = stream or sys.stderr
    level = _level(settings.level)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(stream)
    handler.addFilter(RateLimit())
    handler.setFormatter(_formatter(settings.format, colors=stream.isatty()))
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Handler)] + [handler]
    # Other libraries log every request and every fetch: below warnings only on request.
    root.setLevel(_level(settings.library_level) if settings.library_level else max(level, logging.WARNING))
    logging.getLogger(_PACKAGE).setLevel(level)
    logging.captureWarnings(capture=True)


def _level(name: str) -> int:
    return logging.getLevelNamesMapping()[name.upper()]


class RateLimit(logging.Filter):
    """Limits warnings and errors: equal ones by time, all of them by lines per second.

    When a broker is down, aiokafka repeats the same error many times a second, and each partition reports it. Two lines
    are equal if logger, level, message (before its arguments are filled in) and the fields of place and reason are. A
    line that passes has `suppressed`, the number of lines that were suppressed before it. Errors of this package are
    not limited by lines per second, and those with a traceback not at all: each is a separate fault.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._own = _Limit(OWN_REPEAT_SECONDS, OWN_LINES_PER_SECOND, clock)
        self._others = _Limit(REPEAT_SECONDS, LINES_PER_SECOND, clock)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record passes."""
        fields = record.msg if isinstance(record.msg, dict) else {"event": str(record.msg)}
        own, error = _is_own(record), record.levelno >= logging.ERROR
        if record.levelno < logging.WARNING or (own and error and (record.exc_info or fields.get("exc_info"))):
            return True
        key = record.name, record.levelname, *(str(fields.get(name)) for name in _KEY_FIELDS)
        suppressed = (self._own if own else self._others).admit(key, capped=not (own and error))
        if suppressed and isinstance(record.msg, dict):
            record.msg = {**record.msg, "suppressed": suppressed}
        elif suppressed:
            record.suppressed = suppressed
        return suppressed is not None


class _Limit:
    """Admits one of several equal lines per `period` seconds, and at most `per_second` lines in any second."""

    def __init__(self, period: float, per_second: int, clock: Callable[[], float]) -> None:
        self._period = period
        self._clock = clock
        self._lock = threading.Lock()
        self._recent: deque[float] = deque(maxlen=per_second)
        self._passed: OrderedDict[tuple[str, ...], tuple[float, int]] = OrderedDict()
        self._suppressed = 0

    def admit(self, key: tuple[str, ...], *, capped: bool) -> int | None:
        """Return how many lines were suppressed before this one; None if this one is suppressed."""
        # A handler calls its filters before it acquires its own lock.
        with self._lock:
            now = self._clock()
            last, repeats = self._passed.get(key, (-math.inf, 0))
            if now - last < self._period:
                self._passed[key] = last, repeats + 1
                return None
            if capped and len(self._recent) == self._recent.maxlen and now - self._recent[0] < 1:
                self._suppressed += 1
                return None
            return self._pass(key, now, repeats)

    def _pass(self, key: tuple[str, ...], now: float, repeats: int) -> int:
        self._recent.append(now)
        self._passed[key] = now, 0
        self._passed.move_to_end(key)
        suppressed, self._suppressed = repeats + self._suppressed, 0
        if len(self._passed) > _KEYS_MAX:
            _, (_, self._suppressed) = self._passed.popitem(last=False)
        return suppressed


def _is_own(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] == _PACKAGE


class _Handler(logging.StreamHandler[TextIO]):
    """The handler that a second `configure_logs` replaces; handlers of others stay."""


def _formatter(form: str, *, colors: bool) -> logging.Formatter:
    render: Processor = (
        structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
        if form == "console"
        else structlog.processors.JSONRenderer(json.dumps, ensure_ascii=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.ExtraAdder(allow=["suppressed"]),
            _without_traceback,
        ],
        processors=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            safe_values,
            render,
        ],
    )


def _without_traceback(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the traceback of another library's record by the exception's type and message."""
    if _is_own(event["_record"]):
        return event
    event.pop("stack_info", None)
    _, error, _ = event.pop("exc_info", None) or (None, None, None)
    if error:
        event["event"] = ": ".join(filter(None, (event["event"], type(error).__name__, str(error))))
    return event


def safe_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Redact secrets and escape hidden characters in all keys and values, nested ones too; a structlog processor."""
    return {_safe_text(key): _safe_value(value, newlines=key in _MULTILINE) for key, value in event.items()}


def _safe_value(value: object, *, newlines: bool = False) -> Any:
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Mapping():
            return {_safe_text(str(key)): _safe_value(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_safe_value(inner) for inner in value]
        case _:
            return _safe_text(str(value), newlines=newlines)


def _safe_text(text: str, *, newlines: bool = False) -> str:
    return safe_text(text, _TEXT_MAX, hidden=Hidden.ESCAPE_KEEP_LINES, one_line=not newlines, show_length=True)
