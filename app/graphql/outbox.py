"""What waits to be sent on one socket, never more than allowed."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import orjson
from litestar.types import Send

MAX_WAITING_BYTES = 8 * 1024 * 1024
SEND_SECONDS = 60.0
TOO_SLOW = 1013
MAX_REASON_BYTES = 123  # RFC 6455 §5.5


class Outbox:
    """A bounded queue and its writer.

    `on_trouble` is called with a close code and a reason when the client reads too slowly: more than `max_messages` or
    eight mebibytes wait for it, or nothing could be sent for a minute.
    """

    def __init__(self, send: Send, *, max_messages: int, on_trouble: Callable[[int, str], None]) -> None:
        self._send = send
        self._max_messages = max_messages
        self._on_trouble = on_trouble
        self._waiting: deque[str] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._closing: tuple[int, str] | None = None

    def put_object(self, message: dict[str, Any]) -> None:
        """Queue one message."""
        self.put(orjson.dumps(message))

    def put(self, message: bytes) -> None:
        """Queue one encoded message."""
        if self._closing is not None:
            return
        if self._waiting and (len(self._waiting) >= self._max_messages or self._bytes > MAX_WAITING_BYTES):
            self._waiting.clear()
            self._on_trouble(TOO_SLOW, "You read too slowly; reconnect and resume after your last cursor")
            return
        self._waiting.append(message.decode())
        self._bytes += len(message)
        self._wake.set()

    def close(self, code: int, reason: str) -> None:
        """Close the socket after what is queued has been sent; queue nothing any more."""
        if self._closing is None:
            self._closing = code, reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
            self._wake.set()

    async def run(self) -> None:
        """Send until closed. Ends quietly when the client is gone: the reader learns of it by itself."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    text = self._waiting.popleft()
                    self._bytes -= len(text.encode()) if not text.isascii() else len(text)
                    async with asyncio.timeout(SEND_SECONDS):
                        await self._send({"type": "websocket.send", "text": text, "bytes": None})
                if self._closing is not None:
                    code, reason = self._closing
                    await self._send({"type": "websocket.close", "code": code, "reason": reason})
                    return
        except TimeoutError:
            self._on_trouble(TOO_SLOW, "You read too slowly")
        except (OSError, RuntimeError):
            return
