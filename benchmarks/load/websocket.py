"""The client side of `graphql-transport-ws` over RFC 6455, as little of both as counting deliveries needs."""

import asyncio
import base64
import os
from collections.abc import Callable
from typing import Any, Final

import orjson

SUBPROTOCOL: Final = "graphql-transport-ws"
OPERATION_ID: Final = "1"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_LONG: Final = 126  # a length of two more bytes follows; 127: of eight
_ACKNOWLEDGED: Final = b'"connection_ack"'
_PINGED: Final = b'"ping"'
_ZERO_MASK: Final = b"\0\0\0\0"


class Subscriber(asyncio.Protocol):
    """One socket with one subscription. `heard` is called with the text of each message after `subscribe`.

    `subscribed` is done once `subscribe` has been sent, and fails with `ConnectionError` when the server refuses.
    `ended` is called once with a reason when the server ends the socket later.
    """

    def __init__(
        self,
        path: str,
        init: dict[str, Any],
        subscribe: dict[str, Any],
        *,
        heard: Callable[[bytes], None],
        ended: Callable[[str], None],
    ) -> None:
        self._path = path
        self._init = init
        self._subscribe = subscribe
        self._heard = heard
        self._ended = ended
        self._buffer = bytearray()
        self._transport: Any = None
        self._take: Callable[[], bool] = self._take_handshake
        self._is_stopped = False
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stop(self) -> None:
        """Close the connection."""
        self._is_stopped = True
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            f"sec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n"
            f"sec-websocket-protocol: {SUBPROTOCOL}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take every whole message."""
        self._buffer += data
        while self._take():
            pass

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits, unless it was closed here."""
        self._fail("the connection was lost" if exc is None else repr(exc))

    def _take_handshake(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        status = bytes(self._buffer[: self._buffer.index(b"\r\n")])
        if b" 101 " not in status:
            self._fail(f"no WebSocket: {status.decode('latin-1')}")
            return False
        del self._buffer[: end + 4]
        self._take = self._take_frame
        self._send({"type": "connection_init", "payload": self._init})
        return True

    def _take_frame(self) -> bool:
        """Take one frame off the buffer, if a whole one is there. Servers send them unmasked and, here, unbroken."""
        buffer = self._buffer
        if len(buffer) < 2:  # noqa: PLR2004  the fixed part of a frame's head
            return False
        length, start = buffer[1] & 0x7F, 2
        if length >= _LONG:
            start = 4 if length == _LONG else 10
            if len(buffer) < start:
                return False
            length = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start + length:
            return False
        payload, kind = bytes(buffer[start : start + length]), buffer[0] & 0x0F
        del buffer[: start + length]
        self._frame(kind, payload)
        return True

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind == _CLOSE:
            code = int.from_bytes(payload[:2], "big")
            self._fail(f"closed with {code} {payload[2:].decode(errors='replace')}")
        elif kind == _PING:
            self._write(_PONG, payload)
        elif kind != _TEXT:
            self._fail(f"a frame of kind {kind}")
        elif not self.subscribed.done():
            self._before_subscription(payload)
        elif _PINGED in payload[:40]:
            self._send({"type": "pong"})
        else:
            self._heard(payload)

    def _before_subscription(self, payload: bytes) -> None:
        if _ACKNOWLEDGED in payload:
            self._send({"id": OPERATION_ID, "type": "subscribe", "payload": self._subscribe})
            self.subscribed.set_result(None)

    def _send(self, message: dict[str, Any]) -> None:
        self._write(_TEXT, orjson.dumps(message))

    def _write(self, kind: int, payload: bytes) -> None:
        """Send one frame, masked with zeroes: a mask guards proxies, and there is none on the way."""
        length = len(payload)
        size = bytes([0x80 | length]) if length < _LONG else bytes([0x80 | _LONG]) + length.to_bytes(2, "big")
        self._transport.write(bytes([0x80 | kind]) + size + _ZERO_MASK + payload)

    def _fail(self, reason: str) -> None:
        if self._is_stopped:
            return
        self._is_stopped = True
        if not self.subscribed.done():
            self.subscribed.set_exception(ConnectionError(reason))
        self._ended(reason)
        self._transport.close()
