"""Load generators for HTTP and WebSockets, run in processes of their own so that they do not count as the server.

    result = await send(HttpJob(...))      # from the benchmark
    python -m benchmarks.load http         # what that starts: a job on stdin, its result on stdout, as JSON

They speak to this machine only, and every job is bounded in time.
"""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from benchmarks.load.jobs import HttpJob, HttpResult, SocketJob, SocketResult, from_json
from kit.postgres.processes import dies_with_parent

_ROOT: Final = Path(__file__).parents[2]
_GRACE_SECONDS: Final = 30.0
Result = TypeVar("Result", HttpResult, SocketResult)


class LoadError(Exception):
    """The generator ended without a result; the message is the last that it said."""


async def send_requests(job: HttpJob) -> HttpResult:
    """Run an HTTP job in a process of its own. Raises `LoadError`."""
    return await _run("http", job, HttpResult, job.warm_up_seconds + job.seconds)


async def open_sockets(job: SocketJob) -> SocketResult:
    """Run a WebSocket job in a process of its own. Raises `LoadError`."""
    return await _run("sockets", job, SocketResult, job.connect_seconds + job.seconds + job.drain_seconds)


async def _run(kind: str, job: Any, result: type[Result], seconds: float) -> Result:
    """Start the generator, hand it the job, and wait for its result at most `seconds` and some."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "benchmarks.load", kind),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=dies_with_parent(signal.SIGKILL),
    )
    try:
        async with asyncio.timeout(seconds + _GRACE_SECONDS):
            out, said = await process.communicate(orjson.dumps(job))
    except TimeoutError as error:
        raise LoadError(f"the generator did not end within {seconds + _GRACE_SECONDS:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = said.decode(errors="replace").strip().splitlines()
        raise LoadError(lines[-1] if lines else f"the generator ended with {process.returncode}")
    return from_json(result, out)
