"""`python -m benchmarks.queues graphmark | taskiq REDIS_URL`, see the package."""

import asyncio
import sys

import structlog

from benchmarks.queues import bare, graphmark


def main() -> int:
    """Run one worker; 2 for wrong usage."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))  # errors: stdout is for being ready
    match sys.argv[1:]:
        case ["graphmark"]:
            asyncio.run(graphmark.work())
        case ["taskiq", url]:
            asyncio.run(bare.work(url))
        case _:
            print("usage: python -m benchmarks.queues graphmark | taskiq REDIS_URL", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
