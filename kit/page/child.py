"""The process that reads pages: `python -m kit.page.child MEGABYTES`. It ends when nobody speaks to it any more.

A page comes from anywhere, so it is parsed where nothing can be hurt: with bounds on memory and processor time, and
without network, files to write or programs to start. See wire for what it hears and says, reader for who listens.
"""

import os
import resource
import sys
from datetime import datetime
from typing import Any, BinaryIO, Final

import orjson

from kit.page import parsing
from kit.page.page import PageUnreadable
from kit.page.wire import message, take, told

_MEBIBYTE: Final = 1 << 20
_FORBIDDEN: Final = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "ctypes.dlopen")


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each request until there are no more."""
    _say(answers, {"ready": True})
    while (head := take(requests)) is not None and (body := take(requests)) is not None:
        _say(answers, _answer(orjson.loads(head), body))


def _answer(request: dict[str, Any], body: bytes) -> dict[str, Any]:
    _bound_processor(request["seconds"])
    now = datetime.fromisoformat(request["now"])
    try:
        page = parsing.read_page(body, request["url"], request["content_type"], now=now, seconds=request["seconds"])
    except PageUnreadable as refused:
        return {"unreadable": refused.message}
    except Exception as error:  # noqa: BLE001  whatever a page breaks, the next one must find this process alive
        return {"unreadable": f"This page broke its reader ({type(error).__name__})."}
    return {"page": told(page)}


def _bound_processor(seconds: float) -> None:
    """End this process some time after its deadline: a page that hangs it is killed by nobody if its parent is dead."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + 2 * seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _say(answers: BinaryIO, content: dict[str, Any]) -> None:
    answers.write(message(content))
    answers.flush()


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(event)


def main() -> None:
    """Read pages for whoever holds the other ends of stdin and stdout."""
    size = int(sys.argv[1]) * _MEBIBYTE
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    parsing.warm_up()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.addaudithook(_refuse)
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more: no complaint at exit about what could not be flushed


if __name__ == "__main__":
    main()
