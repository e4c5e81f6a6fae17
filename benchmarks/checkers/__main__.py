"""`python -m benchmarks.checkers serve | check NAME PORT LINKS CONCURRENCY`, see the package."""

import asyncio
import sys

import orjson
import uvloop

from benchmarks.checkers import links_of, python, web

_ARGUMENTS = 6


def main() -> int:
    """Run one of the two; 2 for wrong usage."""
    if sys.argv[1:] == ["serve"]:
        uvloop.run(web.serve())
        return 0
    if len(sys.argv) != _ARGUMENTS or sys.argv[1] != "check":
        print("usage: python -m benchmarks.checkers serve | check NAME PORT LINKS CONCURRENCY", file=sys.stderr)
        return 2
    name, port, count, concurrency = sys.argv[2], *map(int, sys.argv[3:])
    found = asyncio.run(python.check(name, links_of(port, count), concurrency))
    sys.stdout.buffer.write(orjson.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
