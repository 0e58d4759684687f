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
from openclaw_stream.telemetry.logs import REPEAT_EVERY, RateLimit, clean, configure_logs

SECRET = "Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789"  # noqa: S105, of nobody
TOKEN = SECRET.rpartition(" ")[2]

Configure = Callable[..., io.StringIO]


@pytest.fixture
def configure() -> Iterator[Configure]:
    root, ours = logging.getLogger(), logging.getLogger("openclaw_stream")
    before = root.handlers[:], root.level, ours.level

    def start(**settings: str) -> io.StringIO:
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


def test_other_libraries_take_the_same_way(configure: Configure) -> None:
    stream = configure()
    with structlog.contextvars.bound_contextvars(partition=1):
        logging.getLogger("aiokafka.consumer").error("Failed fetch from %s: %s", 1, SECRET)
        structlog.get_logger("openclaw_stream.x").error("mine")
    foreign, mine = events(stream)
    assert (foreign["logger"], foreign["level"], foreign["partition"]) == ("aiokafka.consumer", "error", 1)
    assert mine["partition"] == 1
    assert TOKEN not in stream.getvalue()


def test_secrets_stay_out_wherever_they_are(configure: Configure) -> None:
    stream = configure(format="json")
    log = structlog.get_logger("openclaw_stream.x")
    log.error(SECRET, value=SECRET, deep={"list": [{SECRET: SECRET}]}, thing=ValueError(SECRET), raw=SECRET.encode())
    try:
        fail(ConnectionError(SECRET))
    except ConnectionError:
        log.exception("it failed")
        logging.getLogger("aiokafka").exception("it failed")
    text = stream.getvalue()
    assert text.count(r"\nConnectionError: ") == 2
    assert "Traceback" in text
    assert TOKEN not in text


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
    assert lines[-1] == r"ValueError: first\x1b[2J"


def test_levels(configure: Configure) -> None:
    stream = configure(level="warning")
    for name in ("openclaw_stream.x", "aiokafka"):
        logging.getLogger(name).info("quiet")
        structlog.get_logger(name).info("quiet")
        structlog.get_logger(name).warning("loud")
    assert [event["event"] for event in events(stream)] == ["loud", "loud"]


@pytest.mark.parametrize("library", ["aiokafka.cluster", "another.library"])
@pytest.mark.parametrize(("level", "shown"), [("debug", ["debug", "info", "warning"]), ("info", ["warning"])])
def test_libraries_are_quiet_below_warnings_unless_debugging(
    configure: Configure, level: str, shown: list[str], library: str
) -> None:
    stream = configure(level=level)
    for name in ("debug", "info", "warning"):
        getattr(logging.getLogger(library), name)("x")
    assert [event["level"] for event in events(stream)] == shown


def test_configuring_again_replaces_the_first_and_leaves_other_handlers(configure: Configure) -> None:
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
    for port in range(500):
        logging.getLogger("aiokafka").error("Unable connect to %s", port)
        logging.getLogger("aiokafka.conn").warning("Unable connect to %s", port)
        structlog.get_logger("openclaw_stream.x").warning("mine is never dropped")
    assert [event["event"] for event in events(stream)].count("mine is never dropped") == 500
    assert len(events(stream)) == 502


def record(message: str, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("aiokafka", level, "", 0, message, None, None)


def test_the_next_that_passes_tells_how_many_did_not() -> None:
    now = 0.0
    limit = RateLimit(REPEAT_EVERY, lambda: now)
    assert limit.filter(record("a"))
    assert not any(limit.filter(record("a")) for _ in range(7))
    assert limit.filter(record("a", logging.ERROR))
    now = REPEAT_EVERY
    again = record("a")
    assert limit.filter(again)
    assert again.__dict__["suppressed"] == 7
    assert "suppressed" not in record("b").__dict__


def test_suppressed_is_shown(configure: Configure) -> None:
    stream = configure()
    event = record("down")
    event.suppressed = 4
    logging.getLogger("aiokafka").handle(event)
    assert events(stream)[0]["suppressed"] == 4


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 50)), max_size=60))
def test_an_equal_message_passes_once_in_each_period(steps: list[tuple[str, float]]) -> None:
    now, counted = 0.0, 0
    passed: dict[str, float] = {}
    limit = RateLimit(30, lambda: now)
    for message, pause in steps:
        now += pause
        event = record(message)
        if limit.filter(event):
            assert now - passed.get(message, -30.0) >= 30
            passed[message] = now
            counted += 1 + event.__dict__.get("suppressed", 0)
        else:
            assert now - passed[message] < 30
    assert counted <= len(steps)


def test_what_is_remembered_is_bounded() -> None:
    limit = RateLimit(30, lambda: 0.0)
    assert all(limit.filter(record(str(number))) for number in range(1000))
    assert limit.filter(record("0"))
    assert not limit.filter(record("999"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.text(), json_values))
def test_anything_can_be_logged(event: dict[str, object]) -> None:
    cleaned = clean(None, "info", dict(event))
    text = json.dumps(cleaned, ensure_ascii=False, allow_nan=False)
    assert text.encode()


def test_a_long_text_is_cut() -> None:
    cleaned = clean(None, "info", {"event": "x" * 1_000_000})
    assert len(cleaned["event"]) < 17_000
    assert cleaned["event"].endswith("… (1000000 characters)")
