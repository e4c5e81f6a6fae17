"""`graphql-transport-ws`, the protocol of the graphql-ws library, spoken strictly.

Close codes: 4400 a message that is not the protocol's, 4401 subscribe before the acknowledgement, 4403 a token or an
origin that is not accepted, or a session that has ended, 4406 another subprotocol, 4408 no `connection_init` in time,
4409 an id in use, 4429 a second `connection_init` or too many sockets of one caller, 4500 a fault of ours, 1009 a
message that is too long, and 1013 a client that takes nothing for a minute, or something away that this needs: it may
reconnect and resume `after` its last cursor.
"""

import asyncio
from typing import Any

import orjson
import structlog
from litestar.types import Receive, Send, WebSocketScope

from app import metrics
from app.graphql.bodies import request_id_of
from app.graphql.callers import (
    ANONYMOUS,
    Caller,
    Headers,
    bearer_token,
    by_token,
    cookie_token,
    is_own_origin,
)
from app.graphql.endpoint import Endpoint
from app.graphql.engine import ContextFactory
from app.graphql.messages import BadMessage, Init, Message, Subscribe, message_of
from app.graphql.operations import Operations
from app.graphql.outbox import Outbox, Parcel
from db.unit import is_away
from kit.errors import Forbidden, RateLimited, Unauthenticated
from services.permissions import Viewer

log = structlog.get_logger(__name__)

SUBPROTOCOL = "graphql-transport-ws"
INVALID, UNAUTHORIZED, FORBIDDEN, NOT_ACCEPTABLE = 4400, 4401, 4403, 4406
INIT_TIMEOUT, DUPLICATE, TOO_MANY, INTERNAL = 4408, 4409, 4429, 4500
TOO_LONG, TRY_AGAIN = 1009, 1013
CLOSE_SECONDS = 5.0  # how long a client may take to answer our close
MAX_REASON_BYTES = 123  # RFC 6455 §5.5


class WebSocketTransport:
    """Answers WebSockets on `/graphql`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: WebSocketScope, receive: Receive, send: Send) -> None:
        """Serve one socket until either side closes it."""
        await receive()  # websocket.connect
        if SUBPROTOCOL not in scope["subprotocols"]:
            # Accepted first, because a browser cannot read why a handshake was refused.
            await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
            await send({"type": "websocket.close", "code": NOT_ACCEPTABLE, "reason": "Subprotocol not acceptable"})
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL, "headers": []})
        with metrics.SOCKETS.track_inprogress():
            await _Socket(self._endpoint, scope, receive, send).run()


class _Wire:
    """The messages of the protocol."""

    def next(self, name: str, body: bytes) -> Parcel:
        return _text(b'{"id":' + orjson.dumps(name) + b',"type":"next","payload":' + body + b"}")

    def error(self, name: str, errors: list[dict[str, Any]]) -> Parcel:
        return _text(orjson.dumps({"id": name, "type": "error", "payload": errors}))

    def complete(self, name: str) -> Parcel:
        return _text(orjson.dumps({"id": name, "type": "complete"}))


_WIRE = _Wire()
_ACKNOWLEDGED = {"type": "connection_ack"}


class _Socket:
    """One accepted socket. It is one task, its reader, as long as its client takes what it is sent."""

    __slots__ = (
        "_endpoint",
        "_hold",
        "_id",
        "_is_ended",
        "_is_greeted",
        "_operations",
        "_outbox",
        "_patience",
        "_receive",
        "_scope",
        "_timer",
        "_viewer",
    )

    def __init__(self, endpoint: Endpoint, scope: WebSocketScope, receive: Receive, send: Send) -> None:
        self._endpoint = endpoint
        self._scope = scope
        self._id = request_id_of(Headers(scope))
        self._receive = receive
        self._outbox = Outbox(send, max_messages=endpoint.settings.max_subscription_backlog, on_trouble=self._stuck)
        self._operations: Operations | None = None
        self._is_greeted = False
        self._is_ended = False
        self._patience = asyncio.timeout(None)
        self._timer: asyncio.TimerHandle | None = None
        self._hold: str | None = None
        self._viewer: Viewer | None = None

    async def run(self) -> None:
        """Read until the socket is closed, then leave nothing behind."""
        self._timer = asyncio.get_running_loop().call_later(
            self._endpoint.settings.websocket_init_timeout_seconds, self._init_timed_out
        )
        try:
            async with self._patience:
                await self._read()
        except TimeoutError:
            log.info("websocket.abandoned", socket_id=self._id)  # the client did not answer our close
        finally:
            self._stop_timer()
            self._endpoint.standings.leave(self._viewer, self)
            if self._operations is not None:
                await self._operations.stop()
            await self._outbox.stop()
            if self._hold is not None:
                self._endpoint.connections.leave(self._hold)

    def hold(self) -> None:
        """See `standing.Watcher`."""
        self._outbox.hold()

    def release(self) -> None:
        """See `standing.Watcher`."""
        self._outbox.release()

    def session_ended(self) -> None:
        """See `standing.Watcher`."""
        self._end(FORBIDDEN, "The session has ended", drop=True)

    async def _read(self) -> None:
        limit = self._endpoint.settings.max_websocket_message_bytes
        while True:
            received: Any = await self._receive()
            if received["type"] == "websocket.disconnect":
                return
            if self._is_ended:
                continue
            text = received.get("text")
            if text is None:
                self._end(INVALID, "Messages must be text")
            elif len(text) > limit or len(text.encode()) > limit:
                self._end(TOO_LONG, f"A message is longer than {limit} bytes")
            else:
                await self._handle_text(text)
                await self._outbox.peace()  # who does not read is not listened to

    async def _handle_text(self, text: str) -> None:
        try:
            await self._handle(message_of(text))
        except BadMessage as error:
            self._end(INVALID, str(error))
        except (Unauthenticated, Forbidden) as error:
            self._end(FORBIDDEN, error.message)
        except RateLimited as error:
            self._end(TOO_MANY, error.message)
        except Exception as error:  # nothing may end the socket without a code
            if is_away(error):
                self._end(TRY_AGAIN, "Something that this needs is away for the moment")
            else:
                log.exception("websocket.failed", socket_id=self._id)
                self._end(INTERNAL, "Internal error")

    async def _handle(self, message: Message) -> None:
        if isinstance(message, Init):
            await self._greet(message)
        elif message.type == "ping":
            self._outbox.post(
                _text(orjson.dumps({"type": "pong"} if message.payload is None else message.echo("pong")))
            )
        elif isinstance(message, Subscribe):
            if self._operations is None:
                self._end(UNAUTHORIZED, "Unauthorized")
            elif message.id in self._operations:
                self._end(DUPLICATE, f"Subscriber for {message.id} already exists")
            else:
                self._endpoint.standings.used(self._viewer)
                self._operations.start(message.id, message.operation)
        elif message.type == "complete" and self._operations is not None:
            self._operations.cancel(message.id)

    async def _greet(self, message: Init) -> None:
        if self._is_greeted:
            self._end(TOO_MANY, "Too many initialisation requests")
            return
        self._is_greeted = True
        caller = await self._identify(message)
        viewer, settings = caller.viewer, self._endpoint.settings
        key = self._endpoint.connection_key(viewer, self._scope, Headers(self._scope))
        self._hold = self._endpoint.connections.admit("WebSockets", key, limit=settings.max_websockets_per_user)
        if self._is_ended:
            return
        self._stop_timer()
        self._viewer = viewer
        self._operations = Operations(
            self._endpoint, self._outbox, _WIRE, viewer, self._factory, limit=settings.max_subscriptions_per_websocket
        )
        self._endpoint.standings.watch(viewer, self)
        self._outbox.post(_text(orjson.dumps(_ACKNOWLEDGED)))

    def _factory(self, request_id: str) -> ContextFactory:
        return self._endpoint.context_factory(self._scope, Headers(self._scope), self._viewer, request_id)

    async def _identify(self, message: Init) -> Caller:
        """Return who is at the other end: by the token in the payload, in the handshake, or by the cookie."""
        headers = Headers(self._scope)
        header = message.authorization or headers.get("authorization")
        if header is not None:
            token = bearer_token(header)
            if token is None:
                raise Unauthenticated("Only `Bearer` tokens are accepted")
            return await by_token(token, self._endpoint.authenticate)
        cookie = cookie_token(headers)
        if cookie is None:
            return ANONYMOUS
        origin = headers.get("origin")
        if origin is None or not is_own_origin(origin, headers, self._endpoint.settings):
            raise Forbidden("The session cookie is not accepted from this origin")
        return await by_token(cookie, self._endpoint.authenticate)

    def _init_timed_out(self) -> None:
        if not self._is_greeted:
            self._end(INIT_TIMEOUT, "Connection initialisation timeout")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stuck(self, reason: str) -> None:
        self._end(TRY_AGAIN, reason, drop=True)

    def _end(self, code: int, reason: str, *, drop: bool = False) -> None:
        """Close the socket once; the reader ends when the client answers, or after five seconds."""
        if self._is_ended:
            return
        self._is_ended = True
        metrics.CLOSED.labels(code).inc()
        reason = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        self._outbox.finish(Parcel({"type": "websocket.close", "code": code, "reason": reason}, 0), drop=drop)
        if self._operations is not None:
            self._operations.halt()
        self._patience.reschedule(asyncio.get_running_loop().time() + CLOSE_SECONDS)


def _text(message: bytes) -> Parcel:
    return Parcel({"type": "websocket.send", "text": message.decode()}, len(message))
