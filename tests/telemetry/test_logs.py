import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.settings import LogSettings
from openclaw_stream.telemetry.logs import (
    LINES_PER_SECOND,
    OWN_LINES_PER_SECOND,
    OWN_REPEAT_SECONDS,
    REPEAT_SECONDS,
    RateLimit,
    configure_logs,
    safe_values,
)

SECRET = "Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789"  # noqa: S105 - an example
TOKEN = SECRET.rpartition(" ")[2]

Configure = Callable[..., io.StringIO]


@pytest.fixture
def configure() -> Iterator[Configure]:
    root, ours = logging.getLogger(), logging.getLogger("openclaw_stream")
    before = root.handlers[:], root.level, ours.level

    def start(**settings: str | None) -> io.StringIO:
        stream = io.StringIO()
        configure_logs(LogSettings.model_validate(settings), stream)
        return stream

    yield start
    root.handlers, root.level, ours.level = before
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def events(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail(error: Exception) -> NoReturn:
    raise error


def test_an_event_is_a_line_of_json(configure: Configure) -> None:
    stream = configure()
    structlog.get_logger("openclaw_stream.x").warning("群組", partition=3, rate=float("nan"), names={"a": ("b",)})
    (event,) = events(stream)
    assert "群組" in stream.getvalue()
    assert {key: event[key] for key in event if key != "timestamp"} == {
        "event": "群組",
        "level": "warning",
        "logger": "openclaw_stream.x",
        "partition": 3,
        "rate": "nan",
        "names": {"a": ["b"]},
    }


def test_other_libraries_use_the_same_pipeline(configure: Configure) -> None:
    stream = configure()
    with structlog.contextvars.bound_contextvars(partition=1):
        logging.getLogger("aiokafka.consumer").error("Failed fetch from %s: %s", 1, SECRET)
        structlog.get_logger("openclaw_stream.x").error("mine")
    foreign, mine = events(stream)
    assert (foreign["logger"], foreign["level"], foreign["partition"]) == ("aiokafka.consumer", "error", 1)
    assert mine["partition"] == 1
    assert TOKEN not in stream.getvalue()


def test_secrets_are_redacted_in_every_field(configure: Configure) -> None:
    stream = configure(format="json")
    log = structlog.get_logger("openclaw_stream.x")
    log.error(SECRET, value=SECRET, deep={"list": [{SECRET: SECRET}]}, error=ValueError(SECRET), raw=SECRET.encode())
    try:
        fail(ConnectionError(SECRET))
    except ConnectionError:
        log.exception("it failed")
        logging.getLogger("aiokafka").exception("it failed")
    text = stream.getvalue()
    assert text.count(r"\nConnectionError: ") == 1
    assert '"it failed: ConnectionError: Authorization: ' in text
    assert text.count("Traceback") == 1
    assert TOKEN not in text


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("library", ["aiokafka.producer.sender", "asyncio", "root"])
@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ConnectionError("no route"), "node 3 failed: ConnectionError: no route"),
        (TimeoutError(), "node 3 failed: TimeoutError"),
        (ValueError("two\nlines"), r"node 3 failed: ValueError: two lines"),
    ],
)
def test_other_libraries_show_no_traceback(
    configure: Configure, form: str, library: str, error: Exception, shown: str
) -> None:
    stream = configure(format=form)
    try:
        fail(error)
    except type(error):
        logging.getLogger(library).exception("node %s failed", 3, stack_info=True)
    (line,) = stream.getvalue().splitlines()
    assert shown in (json.loads(line)["event"] if form == "json" else line)
    assert "Traceback" not in line
    assert "Stack (" not in line


def test_an_empty_exc_info_adds_nothing(configure: Configure) -> None:
    stream = configure()
    line = record("outside of a handler")
    line.exc_info = (None, None, None)
    logging.getLogger("aiokafka").handle(line)
    assert [event["event"] for event in events(stream)] == ["outside of a handler"]


def test_our_exceptions_keep_their_traceback(configure: Configure) -> None:
    stream = configure()
    for _ in range(30):
        try:
            fail(ValueError("a defect"))
        except ValueError:
            structlog.get_logger("openclaw_stream.x").exception("it failed", partition=1)
            logging.getLogger("openclaw_stream.y").exception("it failed")
    assert stream.getvalue().count("Traceback") == 60


@pytest.mark.parametrize("form", ["json", "console"])
def test_control_characters_neither_forge_a_line_nor_move_the_cursor(configure: Configure, form: str) -> None:
    stream = configure(format=form)
    evil = "a\x1b[2Jb\r\nlevel=error forged\x9b31m\u202eright\u2028\ud800"
    structlog.get_logger("openclaw_stream.x").info(evil, value=evil, **{"k\x1b": 1})
    logging.getLogger("other").warning("%s", evil)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def test_a_traceback_on_a_console_keeps_its_lines(configure: Configure) -> None:
    stream = configure(format="console")
    try:
        fail(ValueError("first\x1b[2J"))
    except ValueError:
        structlog.get_logger("openclaw_stream.x").exception("it failed")
    lines = stream.getvalue().splitlines()
    assert len(lines) > 3
    assert lines[-1] == r"ValueError: first<U+001B>[2J"


def test_lines_below_the_level_are_not_logged(configure: Configure) -> None:
    stream = configure(level="warning")
    for name in ("openclaw_stream.x", "aiokafka"):
        logging.getLogger(name).info("quiet")
        structlog.get_logger(name).info("quiet")
        structlog.get_logger(name).warning("loud")
    assert [event["event"] for event in events(stream)] == ["loud", "loud"]


@pytest.mark.parametrize("library", ["aiokafka.cluster", "another.library"])
@pytest.mark.parametrize(
    ("level", "library_level", "shown"),
    [
        ("debug", None, ["warning", "error"]),
        ("info", None, ["warning", "error"]),
        ("error", None, ["error"]),
        ("info", "debug", ["debug", "info", "warning", "error"]),
        ("debug", "error", ["error"]),
    ],
)
def test_other_libraries_have_a_level_of_their_own(
    configure: Configure, level: str, library_level: str | None, shown: list[str], library: str
) -> None:
    stream = configure(level=level, library_level=library_level)
    for name in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger(library), name)("x %s", name)
    assert [event["level"] for event in events(stream)] == shown


def test_debug_shows_all_of_this_package(configure: Configure) -> None:
    stream = configure(level="debug")
    structlog.get_logger("openclaw_stream.x").debug("ours")
    logging.getLogger("openclaw_stream.y").debug("ours")
    assert [event["level"] for event in events(stream)] == ["debug", "debug"]


def test_configuring_again_replaces_only_its_own_handler(configure: Configure) -> None:
    others = [handler for handler in logging.getLogger().handlers if type(handler).__module__.startswith("_pytest")]
    first = configure(format="json")
    second = configure(format="console")
    structlog.get_logger("openclaw_stream.x").info("once")
    assert first.getvalue() == ""
    assert "once" in second.getvalue()
    assert [handler for handler in logging.getLogger().handlers if handler in others] == others


def test_python_warnings_are_logged(configure: Configure) -> None:
    stream = configure()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert "old" in str(events(stream)[0]["event"])


def test_a_broker_that_is_down_does_not_flood(configure: Configure) -> None:
    stream = configure()
    for number in range(500):
        logging.getLogger("aiokafka").error("Unable connect to %s", number)
        logging.getLogger("aiokafka.conn").warning("Unable connect to %s", number)
        structlog.get_logger("openclaw_stream.x").warning("cannot commit", partition=number % 3, reason="no answer")
        structlog.get_logger("openclaw_stream.x").info("not limited")
    logged = events(stream)
    assert [event["event"] for event in logged].count("not limited") == 500
    assert {event.get("partition") for event in logged if event["event"] == "cannot commit"} == {0, 1, 2}
    assert len(logged) < 600


def record(message: object, level: int = logging.WARNING, name: str = "aiokafka") -> logging.LogRecord:
    return logging.LogRecord(name, level, "", 0, message, None, None)


def ours(level: int = logging.WARNING, **fields: object) -> logging.LogRecord:
    """A record as structlog creates it: the fields are the message."""
    return record(fields, level, "openclaw_stream.x")


def suppressed(line: logging.LogRecord) -> int:
    fields = line.msg if isinstance(line.msg, dict) else line.__dict__
    return int(fields.get("suppressed", 0))


@pytest.mark.parametrize(
    ("make", "period"),
    [
        (lambda: record("Unable connect to %s"), REPEAT_SECONDS),
        (lambda: ours(event="cannot commit", partition=3, reason="no answer"), OWN_REPEAT_SECONDS),
        (lambda: ours(logging.ERROR, event="cannot commit", partition=3), OWN_REPEAT_SECONDS),
        (lambda: record("cannot commit", name="openclaw_stream.y"), OWN_REPEAT_SECONDS),
    ],
)
def test_equal_lines_pass_once_in_a_period(make: Callable[[], logging.LogRecord], period: float) -> None:
    now = 0.0
    limit = RateLimit(lambda: now)
    assert limit.filter(first := make())
    assert not any(limit.filter(make()) for _ in range(7))
    now = period - 0.01
    assert not limit.filter(make())
    now = period
    assert limit.filter(again := make())
    assert (suppressed(first), suppressed(again)) == (0, 8)


@pytest.mark.parametrize(
    "other",
    [
        ours(event="cannot fetch", partition=3, reason="no answer"),
        ours(event="cannot commit", partition=4, reason="no answer"),
        ours(event="cannot commit", partition=3, reason="refused"),
        ours(event="cannot commit", partition=3, reason="no answer", provider="second"),
        ours(logging.ERROR, event="cannot commit", partition=3, reason="no answer"),
        record("cannot commit", name="openclaw_stream.y"),
    ],
)
def test_lines_with_another_place_or_reason_pass(other: logging.LogRecord) -> None:
    limit = RateLimit(lambda: 0.0)
    assert limit.filter(ours(event="cannot commit", partition=3, reason="no answer", offset=1))
    assert not limit.filter(ours(event="cannot commit", partition=3, reason="no answer", offset=2))
    assert limit.filter(other)


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda number: record(f"warning {number}"), LINES_PER_SECOND),
        (lambda number: record(f"error {number}", logging.ERROR, f"library{number}"), LINES_PER_SECOND),
        (lambda number: ours(event="cannot commit", partition=number), OWN_LINES_PER_SECOND),
        (lambda number: ours(logging.ERROR, event="partition stopped", partition=number), 100),
        (lambda _: ours(logging.ERROR, event="it failed", exc_info=True), 100),
        (lambda _: ours(logging.INFO, event="assigned"), 100),
        (lambda _: record("debugging", logging.DEBUG), 100),
    ],
)
def test_different_lines_are_limited_per_second(make: Callable[[int], logging.LogRecord], most: int) -> None:
    now = 0.0
    limit = RateLimit(lambda: now)
    assert sum(limit.filter(make(number)) for number in range(100)) == most
    now = 1.0
    assert limit.filter(after := make(100))
    assert suppressed(after) == 100 - most


def test_the_number_of_suppressed_lines_is_logged(configure: Configure) -> None:
    stream = configure()
    event = record("down")
    event.suppressed = 4
    logging.getLogger("aiokafka").handle(event)
    assert events(stream)[0]["suppressed"] == 4


STEPS = st.tuples(st.sampled_from("abcdefgh"), st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.3, 1.0, 7.0, 31.0]))


@given(st.lists(STEPS, max_size=80))
def test_suppressed_lines_are_counted_exactly(steps: list[tuple[str, float]]) -> None:
    now, counted = 0.0, 0
    passed: dict[str, float] = {}
    times: list[float] = []
    limit = RateLimit(lambda: now)
    for message, pause in [*steps, *((message, 31.0) for message in "abcdefgh")]:
        now += pause
        line = record(message)
        repeated = now - passed.get(message, -REPEAT_SECONDS) < REPEAT_SECONDS
        full = sum(now - at < 1 for at in times) >= LINES_PER_SECOND
        assert limit.filter(line) == (not repeated and not full)
        if not repeated and not full:
            passed[message] = now
            times.append(now)
            counted += 1 + suppressed(line)
    assert counted == len(steps) + 8


def test_the_memory_of_suppressed_lines_is_bounded_and_their_count_exact() -> None:
    def stopped(partition: int) -> logging.LogRecord:
        return ours(logging.ERROR, event="partition stopped", partition=partition)

    limit = RateLimit(lambda: 0.0)
    assert limit.filter(stopped(0))
    assert not any(limit.filter(stopped(0)) for _ in range(3))
    lines = [stopped(number) for number in range(1, 1000)]
    assert all(limit.filter(line) for line in lines)
    assert sum(suppressed(line) for line in lines) == 3
    assert limit.filter(stopped(0))
    assert not limit.filter(stopped(999))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.text(), json_values))
def test_anything_can_be_logged(event: dict[str, object]) -> None:
    cleaned = safe_values(None, "info", dict(event))
    text = json.dumps(cleaned, ensure_ascii=False, allow_nan=False)
    assert text.encode()


def test_a_long_text_is_cut() -> None:
    cleaned = safe_values(None, "info", {"event": "x" * 1_000_000})
    assert len(cleaned["event"]) < 17_000
    assert cleaned["event"].endswith("… (1000000 characters)")
