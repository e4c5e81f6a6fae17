"""Reading a request's body as it arrives, never more of it than allowed, and writing whole responses."""

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from litestar.types import HTTPResponseStartEvent, Receive, Send

from app import metrics
from app.graphql.begun import Begun
from app.graphql.callers import Headers
from app.graphql.requests import Refusal

READ_SECONDS = 30.0  # the longest silence in the middle of a body
DRAIN_SECONDS = 30.0
DRAIN_BYTES = 256 * 1024 * 1024  # more than twice the largest upload: most files that are too large are so by a little
_MAX_DIGITS = 18
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class ClientGone(Exception):  # noqa: N818  nobody is left to be told
    """The client closed the connection before its request was complete."""


def request_id_of(headers: Headers) -> str:
    """Return the request id that a proxy gave (at most 64 plain characters), or a new one."""
    given = headers.get("x-request-id")
    return given if given is not None and _REQUEST_ID.fullmatch(given) else os.urandom(12).hex()


class Body:
    """The body of one request, read once, never more of it than asked for."""

    def __init__(self, headers: Headers, receive: Receive) -> None:
        length = headers.get("content-length")
        self._receive = receive
        self._announced = int(length[:_MAX_DIGITS]) if length is not None and length.isdecimal() else None
        self.is_complete = not self._announced and headers.get("transfer-encoding") is None

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body piece by piece. Raises as `_next` does."""
        while not self.is_complete:
            yield await self._next()

    async def read(self, *, max_bytes: int) -> bytes:
        """Return the whole body. Raises `Refusal` (413) as soon as it is known to be longer than `max_bytes`."""
        self.check_length(max_bytes=max_bytes)
        parts: list[bytes] = []
        room = max_bytes
        while not self.is_complete:
            part = await self._next()
            room -= len(part)
            if room < 0:
                raise too_large(max_bytes)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def check_length(self, *, max_bytes: int) -> None:
        """Refuse (413) a body that announces itself as too large, before any of it is read."""
        if self._announced is not None and self._announced > max_bytes:
            raise too_large(max_bytes)

    async def drain(self) -> None:
        """Take in, and throw away, what is still on its way, for at most `DRAIN_SECONDS`.

        A connection that is closed while data arrives is reset, and a client that sends before it reads, as browsers
        do, would never see the answer: a file that is too large would look like a broken network.
        """
        drained = 0
        with contextlib.suppress(TimeoutError, ClientGone, Refusal):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self.is_complete and drained < DRAIN_BYTES:
                    drained += len(await self._next())

    async def _next(self) -> bytes:
        """Return the next piece. Raises `ClientGone`, or `Refusal` (408) when nothing comes for 30 seconds."""
        steps = self._receive().__await__()
        try:
            waited_for = next(steps)
        except StopIteration as arrived:
            message: Any = arrived.value  # with its headers, as small requests do: no clock has to be started
        else:
            try:
                async with asyncio.timeout(READ_SECONDS):
                    message = await Begun(steps, waited_for)
            except TimeoutError:
                raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "The rest of the request did not come.") from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        self.is_complete = not message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body


def too_large(max_bytes: int) -> Refusal:
    """Return the refusal of a body longer than `max_bytes`."""
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request is larger than {max_bytes:,} bytes.")


def refuse_encoding(headers: Headers) -> None:
    """Refuse (415) compressed bodies: they grow when they are unpacked."""
    encoding = headers.get("content-encoding")
    if encoding and encoding.strip().lower() != "identity":
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must not be compressed.")


@dataclass(slots=True)
class Reply:
    """One whole response. `headers` replace those that every response has."""

    status: int
    media_type: str
    content: bytes
    headers: Mapping[str, str] | None = None


async def respond(send: Send, reply: Reply, request_id: str) -> None:
    """Send one whole response."""
    await send(_start(reply, request_id, reply.headers))
    await send({"type": "http.response.body", "body": reply.content, "more_body": False})


async def respond_early(body: Body, send: Send, reply: Reply, request_id: str) -> None:
    """Answer a request whose body may not have been read, without breaking the connection under the answer."""
    if body.is_complete:
        await respond(send, reply, request_id)
        return
    await send(_start(reply, request_id, {**(reply.headers or {}), "connection": "close"}))
    await send({"type": "http.response.body", "body": reply.content, "more_body": True})
    await body.drain()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _start(reply: Reply, request_id: str, extra: Mapping[str, str] | None) -> HTTPResponseStartEvent:
    headers = [
        _content_type(reply.media_type),
        (b"content-length", b"%d" % len(reply.content)),
        (b"x-request-id", request_id.encode()),
    ]
    if extra:
        given = {name.encode(): value.encode("latin-1", "replace") for name, value in extra.items()}
        headers = [pair for pair in headers if pair[0] not in given] + list(given.items())
    metrics.response_sent(reply.status)
    return {"type": "http.response.start", "status": int(reply.status), "headers": headers}


@cache
def _content_type(media_type: str) -> tuple[bytes, bytes]:
    """Return the header for one of the few types that this endpoint answers in."""
    return b"content-type", f"{media_type}; charset=utf-8".encode()
