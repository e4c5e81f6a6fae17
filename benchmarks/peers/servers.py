"""Starting and stopping the servers of a comparison."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import IO, Any, Final
from uuid import UUID

import httpx
import orjson

from benchmarks.load.jobs import encoded
from benchmarks.peers.serving import Place
from kit.postgres.processes import dies_with_parent
from kit.settings import environment_with

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 0.1
_SERVER_FAULT: Final = 500
ROOT: Final = Path(__file__).parents[2]
HOST: Final = "127.0.0.1"
Listed = tuple[UUID, str, frozenset[str], frozenset[str]]
"""What a bookmark of a list must be the same in everywhere: id, title, names of tags, names of collections."""


class CannotStartError(Exception):
    """A server is not to be had here; the message says why, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request: a POST of `body` as JSON, or a GET when there is none."""

    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> str:
        """Return it as `HttpJob` takes it."""
        headers = {"accept": "application/json", **self.headers}
        if self.body is None:
            return encoded("GET", self.path, headers)
        return encoded("POST", self.path, {**headers, "content-type": "application/json"}, orjson.dumps(self.body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """How to follow the bookmarks: the path, the payloads of `connection_init` and of `subscribe`.

    `number` reads the number of an event from its cursor.
    """

    path: str
    init: Mapping[str, Any] = field(default_factory=dict)
    document: str = ""
    number: Callable[[str], int] = int


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server of a comparison: how to start it and how to ask it.

    `coloured` is the same list with the colours of its tags. `rows` finds the bookmarks in the body that answers
    either of them, `read` makes a `Listed` of each bookmark.
    """

    name: str
    command: Callable[[], Sequence[str]]
    health: str
    environment: Mapping[str, str] = field(default_factory=dict)
    version: Callable[[], str] = lambda: ""
    listing: Request | None = None
    coloured: Request | None = None
    small: Request | None = None
    rows: Callable[[Any], list[Any]] = lambda body: list(body["data"]["bookmarks"])
    read: Callable[[Any], Listed] | None = None
    following: Subscription | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    server: Server
    port: int
    pid: int

    async def ask(self, request: Request) -> Any:
        """Return the JSON that answers `request`. Raises `CannotStartError` for anything but a plain success."""
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{self.port}", timeout=30, trust_env=False) as client:
            headers = {"accept": "application/json", **request.headers}
            method = "GET" if request.body is None else "POST"
            answer = await client.request(method, request.path, json=request.body, headers=headers)
        if not answer.is_success or b'"errors"' in answer.content:
            raise CannotStartError(f"it answers {answer.status_code} {answer.text[:300]}")
        return answer.json()

    async def listed(self, request: Request | None = None) -> list[Listed]:
        """Return what it lists, asked by `request` or else by `listing`; what is malformed as `CannotStartError`."""
        request = request or self.server.listing
        assert request is not None
        assert self.server.read is not None
        body = await self.ask(request)
        try:
            return [self.server.read(row) for row in self.server.rows(body)]
        except (KeyError, TypeError, ValueError) as error:
            raise CannotStartError(f"its list has another shape: {error!r}") from error


@contextlib.asynccontextmanager
async def running(server: Server, *, dsn: str, owner: UUID, folder: Path) -> AsyncIterator[Running]:
    """Run `server` on a free port with its log in `folder`; stop it at the end. Raises `CannotStartError`."""
    place = Place(_free_port(), dsn, owner)
    environment = {**environment_with(**{**server.environment, "PORT": str(place.port)}), **place.environment()}
    environment |= {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    log = folder / f"{server.name.replace(' ', '-')}.log"
    with log.open("wb") as out:
        process = await _spawn(server, environment, out)
        try:
            await _until_ready(server, process, place.port, log)
            yield Running(server, place.port, process.pid)
        finally:
            await _stop(process)


async def _spawn(server: Server, environment: Mapping[str, str], out: IO[bytes]) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *server.command(),
            cwd=ROOT,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            preexec_fn=dies_with_parent(signal.SIGKILL),
        )
    except OSError as error:
        raise CannotStartError(str(error)) from error


async def _until_ready(server: Server, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    ends = perf_counter() + READY_SECONDS
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=5, trust_env=False) as client:
        while perf_counter() < ends and process.returncode is None:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(server.health)).status_code < _SERVER_FAULT:
                    return
            await asyncio.sleep(_LOOK_SECONDS)
    state = "was not ready in time" if process.returncode is None else f"ended with {process.returncode}"
    raise CannotStartError(f"it {state}: {_last_words(log)}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
    if process.returncode is None:
        process.kill()
        await process.wait()


def _last_words(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
