"""`python -m benchmarks.load http|sockets`: do one job and print its result."""

import sys

import orjson
import uvloop

from benchmarks.load import http, sockets
from benchmarks.load.jobs import HttpJob, SocketJob, from_json


def main() -> int:
    """Read the job from stdin; 0 when its result was printed, 1 when it failed, 2 for wrong usage."""
    kind = sys.argv[1] if len(sys.argv) > 1 else ""
    text = sys.stdin.buffer.read()
    try:
        if kind == "http":
            done: object = uvloop.run(http.run(from_json(HttpJob, text)))
        elif kind == "sockets":
            done = uvloop.run(sockets.run(from_json(SocketJob, text)))
        else:
            print("usage: python -m benchmarks.load http|sockets", file=sys.stderr)
            return 2
    except (OSError, ExceptionGroup) as failed:
        print(_said(failed), file=sys.stderr)
        return 1
    sys.stdout.buffer.write(orjson.dumps(done))
    return 0


def _said(error: Exception) -> str:
    """Return what an exception, or the first one in a group, says."""
    return _said(error.exceptions[0]) if isinstance(error, ExceptionGroup) else f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())
