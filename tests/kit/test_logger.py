"""What a process says: one line per event, whoever logs it, and no secret."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from kit.logger import configure
from kit.redaction import REDACTED
from kit.settings import LogFormat, LogLevel


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Catch what is logged; everything is as before afterwards."""
    handlers, level = logging.root.handlers, logging.root.level
    yield io.StringIO()
    structlog.reset_defaults()
    logging.root.handlers = handlers
    logging.root.setLevel(level)
    for name in ("uvicorn", "taskiq", "asyncio"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_events_and_those_of_libraries_are_one_json_object_per_line(stream: io.StringIO) -> None:
    configure(level=LogLevel.INFO, style=LogFormat.AUTO, stream=stream)
    structlog.get_logger("ours").info("import.finished", rows=3, name="two\nlines")
    logging.getLogger("theirs").warning("%s is slow", "disk")
    ours, theirs = lines(stream)
    assert (ours["event"], ours["rows"], ours["name"]) == ("import.finished", 3, "two\nlines")
    assert (ours["level"], ours["logger"]) == ("info", "ours")
    assert str(ours["timestamp"]).endswith("Z")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("disk is slow", "warning", "theirs")


def test_the_level_holds_for_both(stream: io.StringIO) -> None:
    configure(level=LogLevel.WARNING, style=LogFormat.JSON, stream=stream)
    structlog.get_logger("ours").info("quiet")
    logging.getLogger("theirs").info("quiet")
    structlog.get_logger("ours").error("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_a_failure_carries_its_traceback_in_the_same_line(stream: io.StringIO) -> None:
    configure(level=LogLevel.INFO, style=LogFormat.JSON, stream=stream)
    try:
        raise ZeroDivisionError("ours")
    except ZeroDivisionError:
        structlog.get_logger("ours").exception("broken")
    [line] = lines(stream)
    assert "ZeroDivisionError: ours" in str(line["exception"])


def test_values_named_like_secrets_are_blotted_out(stream: io.StringIO) -> None:
    configure(level=LogLevel.INFO, style=LogFormat.JSON, stream=stream)
    structlog.get_logger("ours").info("login", password="p", sessionToken="t", Authorization="a", dsn="d", user="u")
    [line] = lines(stream)
    assert [line[name] for name in ("password", "sessionToken", "Authorization", "dsn")] == [REDACTED] * 4
    assert line["user"] == "u"


def test_people_get_plain_lines_without_colour_codes_in_a_file(stream: io.StringIO) -> None:
    configure(level=LogLevel.INFO, style=LogFormat.TEXT, stream=stream)
    structlog.get_logger("ours").info("import.finished", rows=3)
    assert "import.finished" in stream.getvalue()
    assert "rows=3" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_talkative_libraries_are_heard_from_warning_on(stream: io.StringIO) -> None:
    configure(level=LogLevel.INFO, style=LogFormat.JSON, stream=stream)
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("uvicorn.error").warning("odd")
    assert [line["event"] for line in lines(stream)] == ["odd"]
