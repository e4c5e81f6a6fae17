"""A small schema that reaches every corner of the transports, and a real server that serves it."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import strawberry
import uvicorn
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from app.server import create_app, uvicorn_options
from kit.errors import BadInput, RateLimited
from kit.uploads import UploadedFile
from resolvers.context import Info, Services, viewer_of


class Upload:
    """Marks an argument as the scalar Upload."""


def _uploaded(value: object) -> UploadedFile:
    if not isinstance(value, UploadedFile):
        raise BadInput("A file is expected, sent as the multipart request specification says.")
    return value


UPLOAD: ScalarDefinition = strawberry.scalar(name="Upload", serialize=str, parse_value=_uploaded)


@dataclass
class Switchboard:
    """What a test can see and steer of the running schema."""

    kept_at: Path | None = None
    changes: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    floods: int = 0


BOARD = Switchboard()


@strawberry.type
class Item:
    """An item of a list."""

    name: str


@strawberry.type
class ItemConnection:
    """A page of items."""

    nodes: list[Item]
    total: int


@strawberry.type
class Query:
    """Reading."""

    @strawberry.field
    def hello(self, name: str = "world") -> str:
        """Greets."""
        return f"Hello, {name}"

    @strawberry.field
    def viewer_id(self, info: Info) -> str:
        """Gives the viewer's id or UNAUTHENTICATED."""
        return str(viewer_of(info).id)

    @strawberry.field
    def broken(self) -> str | None:
        """Fails with a secret in its message."""
        raise ValueError("password=hunter2 at /srv/secret.py")

    @strawberry.field
    def crowded(self) -> str | None:
        """Asks to come back later."""
        raise RateLimited("Slowly.", retry_after_seconds=7)

    @strawberry.field
    def lost(self) -> str | None:
        """Fails like a lost database connection."""
        raise ConnectionResetError("10.0.0.5:5432")

    @strawberry.field
    async def stuck(self) -> str | None:
        """Answers when the test says so."""
        await BOARD.released.wait()
        return "free"

    @strawberry.field
    def huge(self) -> str:
        """Gives a mebibyte."""
        return "x" * (1 << 20)

    @strawberry.field
    def items(self, first: int | None = None, last: int | None = None) -> ItemConnection:
        """Pages."""
        return ItemConnection(nodes=[Item(name="one")], total=first or last or 0)

    @strawberry.field
    def me(self) -> "Query":
        """Goes one deeper."""
        return Query()


@strawberry.type
class Mutation:
    """Changing."""

    @strawberry.mutation
    def bump(self) -> int:
        """Counts."""
        BOARD.changes += 1
        return BOARD.changes

    @strawberry.mutation
    async def take(self, file: Upload, keep: bool = False) -> list[str]:
        """Tells what arrived; keeps it when asked to."""
        assert isinstance(file, UploadedFile)
        head = file.path.read_bytes()[:8].decode("latin-1")
        if keep:
            assert BOARD.kept_at is not None
            await file.keep_as(BOARD.kept_at)
        return [file.file_name, str(file.size_bytes), file.sha256.hex(), head]


@strawberry.type
class Subscription:
    """Following."""

    @strawberry.subscription
    async def count(self, to: int = 3) -> AsyncGenerator[int, None]:
        """Counts from one."""
        for number in range(1, to + 1):
            yield number

    @strawberry.subscription
    async def endless(self) -> AsyncGenerator[int, None]:
        """Yields one number, then waits for ever."""
        BOARD.running += 1
        try:
            yield BOARD.running
            await asyncio.Event().wait()
        finally:
            BOARD.running -= 1

    @strawberry.subscription
    async def flood(self, size: int = 10_000) -> AsyncGenerator[str, None]:
        """Yields as fast as it is read."""
        BOARD.running += 1
        BOARD.floods += 1
        try:
            while True:
                yield "x" * size
                await asyncio.sleep(0)
        finally:
            BOARD.running -= 1

    @strawberry.subscription
    async def failing(self) -> AsyncGenerator[int, None]:
        """Yields one number and breaks."""
        yield 1
        raise ValueError("secret")

    @strawberry.subscription
    async def private(self, info: Info) -> AsyncGenerator[str, None]:
        """Yields the viewer's id."""
        yield str(viewer_of(info).id)


def toy_schema() -> strawberry.Schema:
    """Return the schema."""
    return strawberry.Schema(Query, Mutation, Subscription, config=StrawberryConfig(scalar_map={Upload: UPLOAD}))


@dataclass
class Running:
    """A server on loopback."""

    port: int
    http: httpx.AsyncClient

    @property
    def websocket_url(self) -> str:
        """Where sockets connect."""
        return f"ws://127.0.0.1:{self.port}/graphql"

    async def ask(self, query: str, *, token: str | None = None, **variables: Any) -> dict[str, Any]:
        """Post one operation and return the body."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        body: dict[str, Any] = answer.json()
        return body


async def until(condition: Callable[[], object], *, seconds: float = 5) -> None:
    """Wait until `condition()` is true, at most `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  what is waited for happens in files, sockets or another library
            await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(services: Services, schema: strawberry.Schema) -> AsyncIterator[Running]:
    """Run the real application under uvicorn, in this process, on a free port."""
    app = create_app(services.settings, schema=schema, services=services)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        options = {**uvicorn_options(services.settings), "loop": "none"}
        server = uvicorn.Server(uvicorn.Config(app, **options, timeout_graceful_shutdown=2))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            await until(lambda: server.started or task.done(), seconds=20)
            assert server.started
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                yield Running(port, client)
        finally:
            server.should_exit = True
            await task
