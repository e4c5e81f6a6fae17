"""GraphQL over HTTP: one operation in, one JSON document out.

GET is for queries, of callers that name a GraphQL media type or prove by a bearer token that they are no foreign page;
POST is for queries and mutations, and for a form with a file when it carries a header that only scripts can set;
`Accept: text/html` shows GraphiQL, by policy; `text/event-stream` is answered by app.graphql.sse.
"""

from http import HTTPStatus
from typing import Any

import orjson
import structlog
from graphql import OperationType
from litestar.types import HTTPScope, Receive, Send

from app.graphql import bodies, sse
from app.graphql.bodies import ClientGone, Reply, respond, respond_early
from app.graphql.callers import (
    Caller,
    Credential,
    Headers,
    identify,
    is_allowed,
    is_plain_host,
    refuse_foreign_page,
)
from app.graphql.cookies import set_cookie_header
from app.graphql.endpoint import Endpoint
from app.graphql.engine import Answer, Operation
from app.graphql.errors import INTERNAL_MESSAGE, UNAVAILABLE_MESSAGE, outcome_of, problem
from app.graphql.ide import PAGE_HEADERS
from app.graphql.multipart import received_form
from app.graphql.negotiation import (
    EVENT_STREAM,
    GRAPHQL_RESPONSE,
    HTML,
    JSON,
    MULTIPART_FORM,
    accepted,
    content_type,
)
from app.graphql.requests import Refusal, operation_in_json, operation_in_query_string, refuse_kind
from db.unit import is_away
from kit.errors import ErrorCode, GraphmarkError, RateLimited
from kit.settings import Toggle
from resolvers.context import Context, Exchange
from services.permissions import ApiScope, Demand, admit

log = structlog.get_logger(__name__)

MAX_UPLOADS_PER_USER = 4
ALLOW = "GET, POST, OPTIONS"
PREFLIGHT_HEADERS = ("graphql-require-preflight", "apollo-require-preflight", "x-requested-with")
_STATUS_OF_CODE = {
    ErrorCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.BAD_USER_INPUT: HTTPStatus.BAD_REQUEST,
}


class HttpTransport:
    """Answers HTTP requests to `/graphql`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong becomes a response with a code and the request id."""
        exchange = _Exchange(self._endpoint, scope, receive, send)
        bound = structlog.contextvars.bind_contextvars(request_id=exchange.request_id)
        try:
            await exchange.run()
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001  the last line: nothing may leave as a bare 500
            await exchange.refuse(error)
        finally:
            structlog.contextvars.reset_contextvars(**bound)


class _Exchange:
    """One request and its response."""

    __slots__ = ("accept", "body", "endpoint", "headers", "receive", "request_id", "scope", "send")

    def __init__(self, endpoint: Endpoint, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self.endpoint = endpoint
        self.scope = scope
        self.receive = receive
        self.send = send
        self.headers = Headers(scope)
        self.request_id = bodies.request_id_of(self.headers)
        self.accept = accepted(self.headers.get("accept"))
        self.body = bodies.Body(self.headers, receive)

    async def run(self) -> None:
        """Answer, or raise what `refuse` can word."""
        refuse_malformed_host(self.headers)
        method = self.scope["method"]
        if method == "POST":
            await self._post()
        elif method == "GET":
            await self._get()
        elif method == "OPTIONS":
            await self._reply(Reply(HTTPStatus.NO_CONTENT, JSON, b"", {"allow": ALLOW}))
        else:
            raise Refusal(
                HTTPStatus.METHOD_NOT_ALLOWED, "Send GraphQL by POST, or queries by GET.", headers={"allow": ALLOW}
            )

    async def refuse(self, error: Exception) -> None:
        """Answer with what `error` amounts to."""
        refusal = _refusal_of(error, self.request_id)
        content = orjson.dumps(_problem_of(refusal, self.request_id))
        reply = Reply(refusal.status, self.accept.answer, content, refusal.headers)
        await respond_early(self.body, self.send, reply, self.request_id)

    async def _get(self) -> None:
        if self.accept.best is None:
            raise _not_acceptable()
        if self.accept.best == HTML:
            await self._page()
            return
        caller = await self._caller()
        if not self.accept.is_explicit and caller.credential is not Credential.BEARER:
            raise Refusal(HTTPStatus.NOT_ACCEPTABLE, f"GET needs the header `Accept: {GRAPHQL_RESPONSE}`, or use POST.")
        await self._run(operation_in_query_string(self.scope["query_string"]), caller)

    async def _post(self) -> None:
        if self.accept.best is None or (self.accept.best == HTML and not self.accept.takes_json):
            raise _not_acceptable()
        bodies.refuse_encoding(self.headers)
        sent = content_type(self.headers.get("content-type") or "")
        if sent.kind == MULTIPART_FORM:
            await self._upload(sent.parameters.get("boundary", ""))
            return
        if sent.kind != JSON or not sent.is_utf8:
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send the operation as `Content-Type: {JSON}` in UTF-8.")
        caller = await self._caller()
        body = await self.body.read(max_bytes=self.endpoint.settings.max_request_bytes)
        await self._run(operation_in_json(body), caller)

    async def _upload(self, boundary: str) -> None:
        if not any(self.headers.get(name) for name in PREFLIGHT_HEADERS):
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                "A multipart request needs the header `GraphQL-Require-Preflight: 1`; a foreign form cannot send it.",
                code=ErrorCode.FORBIDDEN,
            )
        caller = await self._caller()
        if caller.viewer is None:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "Sign in before you send a file.", code=ErrorCode.UNAUTHENTICATED)
        admit(caller.viewer, Demand(ApiScope.IMPORT), "uploads")  # before its bytes are taken
        uploads = self.endpoint.connections.counted("uploads", str(caller.viewer.id), limit=MAX_UPLOADS_PER_USER)
        await self.endpoint.services.limits.upload(caller.viewer.id)
        with uploads:
            async with received_form(self.body, boundary, self.endpoint.settings) as operation:
                await self._run(operation, caller)

    async def _caller(self) -> Caller:
        return await identify(self.headers, self.endpoint.authenticate, self.endpoint.settings)

    async def _page(self) -> None:
        ide = self.endpoint.ide
        if ide.policy is not Toggle.ALWAYS and not is_allowed(ide.policy, (await self._caller()).viewer):
            raise Refusal(HTTPStatus.NOT_ACCEPTABLE, "This server shows no page here: send a GraphQL request.")
        await self._reply(Reply(HTTPStatus.OK, HTML, ide.page(), PAGE_HEADERS))

    async def _run(self, operation: Operation, caller: Caller) -> None:
        new_context = self.endpoint.context_factory(self.scope, self.headers, caller.viewer, self.request_id)
        if self.accept.best == EVENT_STREAM:
            await sse.respond(self.endpoint, (self.scope, self.receive, self.send), operation, caller, new_context)
        else:
            context = new_context()
            await self._answer(await self._execute(operation, context, caller), context.exchange)

    async def _execute(self, operation: Operation, context: Context, caller: Caller) -> Answer:
        plan = self.endpoint.plan(operation, context)
        if isinstance(plan, Answer):
            return plan
        refuse_kind(plan.kind, self.scope["method"], is_stream=False)
        if plan.kind is OperationType.MUTATION:
            context.exchange = Exchange(caller.token, caller.credential is Credential.COOKIE)
        return await self.endpoint.execute(plan, context)

    async def _answer(self, answer: Answer, exchange: Exchange | None) -> None:
        media_type = self.accept.answer
        status = HTTPStatus.OK
        if answer.is_request_error and media_type == GRAPHQL_RESPONSE:
            # What was stopped half way is not the client's mistake: the same may succeed later.
            is_stopped = outcome_of(answer.body["errors"]) == ErrorCode.UNAVAILABLE
            status = HTTPStatus.SERVICE_UNAVAILABLE if is_stopped else HTTPStatus.BAD_REQUEST
        headers = None
        if exchange is not None and exchange.cookie is not None:
            refuse_foreign_page(self.headers, self.endpoint.settings)
            headers = {"set-cookie": set_cookie_header(exchange.cookie), "cache-control": "no-store"}
        await self._reply(Reply(status, media_type, orjson.dumps(answer.body), headers))

    async def _reply(self, reply: Reply) -> None:
        await respond(self.send, reply, self.request_id)


def refuse_malformed_host(headers: Headers) -> None:
    """Refuse (400) a Host header with characters that no address has (RFC 9112 §3.2)."""
    host = headers.get("host")
    if host is not None and not is_plain_host(host):
        raise Refusal(HTTPStatus.BAD_REQUEST, "The Host header is no address.")


def _problem_of(refusal: Refusal, request_id: str) -> dict[str, Any]:
    extensions: dict[str, Any] = {}
    if "retry-after" in refusal.headers:
        extensions["retryAfterSeconds"] = int(refusal.headers["retry-after"])
    return problem(refusal.message, refusal.code, request_id, **extensions)


def _not_acceptable() -> Refusal:
    return Refusal(HTTPStatus.NOT_ACCEPTABLE, f"This endpoint answers {GRAPHQL_RESPONSE} and {JSON}.")


def _refusal_of(error: Exception, request_id: str) -> Refusal:
    """Word any failure outside an operation, and log those that are the server's."""
    if isinstance(error, Refusal):
        if error.status is HTTPStatus.UNAUTHORIZED:
            error.headers["www-authenticate"] = "Bearer"
        return error
    if isinstance(error, GraphmarkError) and error.code in _STATUS_OF_CODE:
        headers = {}
        if isinstance(error, RateLimited):
            headers["retry-after"] = str(error.retry_after_seconds)
        return _refusal_of(
            Refusal(_STATUS_OF_CODE[error.code], error.message, code=error.code, headers=headers), request_id
        )
    if is_away(error):
        log.warning("http.unavailable", request_id=request_id, error=repr(error))
        return Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            UNAVAILABLE_MESSAGE,
            code=ErrorCode.UNAVAILABLE,
            headers={"retry-after": "1"},
        )
    log.error("http.failed", request_id=request_id, exc_info=error)
    return Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL_MESSAGE, code=ErrorCode.INTERNAL)
