"""What a process says about itself: one event per line on stderr, ours and our libraries' alike.

    log = structlog.get_logger(__name__)
    log.info("import.finished", import_id=str(id), rows=120)

An event is a name in dotted lower case and values; never a sentence with values in it, so that it can be searched.
"""

import logging
import sys
from typing import IO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from kit.redaction import REDACTED, is_secret, without_secrets
from kit.settings import LogFormat, LogLevel

# What these say at info is said better by our own events.
_TALKATIVE = ("uvicorn", "taskiq", "asyncio")
# It calls every orderly end of a worker a cancelled task and warns of it.
_ALARMIST = "taskiq.receiver"


def configure(*, level: LogLevel, style: LogFormat, stream: IO[str] = sys.stderr) -> None:
    """Send every event of `level` and above to `stream`, from structlog and from the standard library's loggers.

    `style` is `text` for people, `json` for machines, or `auto`: text on a terminal, else json. Call it once per
    process, before the first event.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    for_people = style is LogFormat.TEXT or (style is LogFormat.AUTO and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(stream, for_people))
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(number)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    logging.getLogger(_ALARMIST).setLevel(logging.ERROR)


def _rendering(stream: IO[str], for_people: bool) -> list[Processor]:
    # The console's own choice would print the values of local variables, which hold what nobody should read.
    plain = structlog.dev.plain_traceback
    last: Processor = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)
        if for_people
        else structlog.processors.JSONRenderer(default=str)
    )
    meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return [meta, structlog.processors.format_exc_info, redact, last]


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blot out secrets: values whose name says so, and what looks like one anywhere, tracebacks included."""
    for name, value in event.items():
        event[name] = REDACTED if is_secret(name, value) else without_secrets(value)
    return event
