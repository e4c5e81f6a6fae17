"""Serve the local web until the process is ended: `python -m tests.fakes.web --port-file web.json`."""

import argparse
import asyncio
import contextlib
import signal
from pathlib import Path

import orjson

from tests.fakes.web.server import Web


async def serve(port_file: Path, delay_seconds: float) -> None:
    """Serve, and write the ports and the authority's file as JSON once everything listens."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with Web(delay_seconds=delay_seconds) as web:
        told = orjson.dumps({"ports": web.ports, "authority": str(web.authority)})
        part = port_file.with_suffix(".part")
        part.write_bytes(told)
        part.replace(port_file)
        await ended.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.web", description=__doc__)
    parser.add_argument("--port-file", type=Path, required=True, help="file that is written once everything listens")
    parser.add_argument("--delay-seconds", type=float, default=0.0, help="what is waited before each answer")
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(given.port_file, given.delay_seconds))


if __name__ == "__main__":
    main()
