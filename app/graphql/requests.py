"""One operation out of what a client sent, or a clear refusal with the HTTP status that fits."""

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import orjson
from graphql import OperationType

from app.graphql.engine import Operation
from app.graphql.negotiation import EVENT_STREAM
from app.graphql.persisted import hash_of, named_hash
from kit.errors import BadInput, ErrorCode

MAX_QUERY_STRING_FIELDS = 20
_NO_QUERY = "The request has no `query`: send {“query”: “…”}, or the `documentId` of a document known here."


class Refusal(Exception):  # noqa: N818  an answer, not a programming error
    """A request that is not executed. `status` is the HTTP status; `headers` go with it."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        *,
        code: ErrorCode = ErrorCode.BAD_USER_INPUT,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers or {}


def bad_request(message: str) -> Refusal:
    """Return a refusal with status 400."""
    return Refusal(HTTPStatus.BAD_REQUEST, message)


def operation_in_json(body: bytes | str) -> Operation:
    """Return the operation in a JSON body. Raises `Refusal` (400)."""
    return operation_in(parse_json(body, "The body"))


def parse_json(body: bytes | str, what: str) -> Any:
    """Return the value of a JSON text. Raises `Refusal` (400) saying what is wrong and where."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"{what} is not valid JSON in UTF-8: {error.msg}, position {error.pos}.") from None


def operation_in(value: Any) -> Operation:
    """Return the operation in a parsed request. Raises `Refusal` (400) naming the member that is wrong."""
    if isinstance(value, list):
        raise bad_request("Batches are not accepted: send one operation in one request.")
    if not isinstance(value, dict):
        raise bad_request("The request must be a JSON object.")
    query, name = value.get("query"), value.get("operationName")
    variables, extensions = value.get("variables"), value.get("extensions")
    if query is not None and not isinstance(query, str):
        raise bad_request("`query` must be a string.")
    if name is not None and not isinstance(name, str):
        raise bad_request("`operationName` must be a string or null.")
    if variables is not None and not isinstance(variables, dict):
        raise bad_request("`variables` must be an object or null.")
    if extensions is not None and not isinstance(extensions, dict):
        raise bad_request("`extensions` must be an object or null.")
    named = None
    if extensions or "documentId" in value:
        named = _named_hash(value.get("documentId"), extensions, query)
    if query is None and named is not None:
        return Operation("", name, variables, named)
    if query is None or not query.strip():
        raise bad_request(_NO_QUERY)
    return Operation(query, name, variables, named)


def _named_hash(document_id: Any, extensions: dict[str, Any] | None, query: str | None) -> str | None:
    """Return the hash that names the document. Raises `Refusal` (400), also when `query` is another document."""
    try:
        named = named_hash(document_id, extensions)
        if named is not None and query is not None and hash_of(query) != named:
            raise bad_request("The hash is not that of `query`.")
    except BadInput as error:
        raise bad_request(error.message) from None
    return named


def operation_in_query_string(query_string: bytes) -> Operation:
    """Return the operation of a GET request. Raises `Refusal` (400)."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_QUERY_STRING_FIELDS,
        )
    except ValueError:
        raise bad_request("The query string is not UTF-8 or has too many fields.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise bad_request("The query string names a parameter twice.")
    value: dict[str, Any] = {"query": fields.get("query"), "operationName": fields.get("operationName") or None}
    if "documentId" in fields:
        value["documentId"] = fields["documentId"]
    for name in ("variables", "extensions"):
        if fields.get(name):
            value[name] = parse_json(fields[name], f"`{name}`")
    return operation_in(value)


def refuse_kind(kind: OperationType, method: str, *, is_stream: bool) -> None:
    """Refuse a mutation by GET (405), and a subscription whose caller cannot take a stream (406)."""
    if kind is OperationType.MUTATION and method == "GET":
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "Mutations are accepted by POST only.", headers={"allow": "POST"})
    if kind is OperationType.SUBSCRIPTION and not is_stream:
        raise Refusal(
            HTTPStatus.NOT_ACCEPTABLE,
            f"A subscription needs `Accept: {EVENT_STREAM}`, or a WebSocket with graphql-transport-ws.",
        )
