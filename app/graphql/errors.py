"""The words and codes in which a failure reaches a client, and which failures the log hears of."""

from collections.abc import Sequence
from typing import Any

import structlog
from graphql import FieldNode, GraphQLError

from db.unit import is_away
from kit.errors import ErrorCode, GraphmarkError, RateLimited, Unavailable

log = structlog.get_logger(__name__)

INTERNAL_MESSAGE = "Internal error"
UNAVAILABLE_MESSAGE = "Something that this needs is away for the moment; try again."
RETRY_AFTER_SECONDS = 1
MAX_MESSAGE_CHARS = 500


# PostgreSQL's classes 08 (connection) and 53 (resources), a statement stopped by its timeout, a server going down.
def formatted(errors: Sequence[GraphQLError], *, request_id: str, operation: str | None) -> list[dict[str, Any]]:
    """Return `errors` as the response shows them, each with `extensions.code` and `extensions.requestId`.

    What the server is to blame for is logged with its traceback and shown as “Internal error”.
    """
    return [_formatted(error, request_id, operation) for error in errors]


def problem(message: str, code: ErrorCode, request_id: str, **extensions: Any) -> dict[str, Any]:
    """Return a body without `data`, for a failure that belongs to no operation."""
    return {"errors": [{"message": message, "extensions": {"code": code, **extensions, "requestId": request_id}}]}


def outcome_of(errors: Sequence[dict[str, Any]] | None) -> str:
    """Return the code of the first error, or `ok`: one of ten words, fit to label a metric."""
    return str(errors[0]["extensions"]["code"]) if errors else "ok"


def _formatted(error: GraphQLError, request_id: str, operation: str | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"message": _shortened(error.message)}
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        shown["path"] = error.path
    cause = _cause(error)
    extensions: dict[str, Any]
    if isinstance(cause, GraphmarkError):
        shown["message"], extensions = cause.message, _words(cause)
    elif is_away(cause):
        log.warning(
            "graphql.unavailable", request_id=request_id, operation=operation, path=error.path, error=repr(cause)
        )
        shown["message"] = UNAVAILABLE_MESSAGE
        extensions = {"code": ErrorCode.UNAVAILABLE, "retryAfterSeconds": RETRY_AFTER_SECONDS}
    elif _is_clients(error):
        extensions = {"code": _own_code(error) or ErrorCode.BAD_USER_INPUT}
    else:
        log.error("graphql.failed", request_id=request_id, operation=operation, path=error.path, exc_info=cause)
        shown["message"], extensions = INTERNAL_MESSAGE, {"code": ErrorCode.INTERNAL}
    shown["extensions"] = {**extensions, "requestId": request_id}
    return shown


def _shortened(message: str) -> str:
    """Return a message of at most 500 characters: graphql-core repeats what it does not like, however long it is."""
    return message if len(message) <= MAX_MESSAGE_CHARS else message[:MAX_MESSAGE_CHARS] + "…"


def _cause(error: GraphQLError) -> Exception:
    """Return the exception at the bottom of what graphql-core wrapped."""
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _words(cause: GraphmarkError) -> dict[str, Any]:
    words: dict[str, Any] = {"code": cause.code}
    if cause.field:
        words["field"] = list(cause.field)
    if isinstance(cause, RateLimited):
        words["retryAfterSeconds"] = cause.retry_after_seconds
    elif isinstance(cause, Unavailable):
        words["retryAfterSeconds"] = RETRY_AFTER_SECONDS
    position = getattr(cause, "position", None)  # where a search query stops making sense
    if isinstance(position, int):
        words["position"] = position
    return words


def _is_clients(error: GraphQLError) -> bool:
    """Tell whether graphql-core blames the document or its variables.

    Without a path nothing was executed: syntax, validation, variables; a foreign exception that points nowhere in the
    document is none of these. With a path, the only mistake left to a client is an argument's value, and then the
    error points at that value; a resolver's error points at its field.
    """
    if error.path is None:
        return bool(error.nodes) or error.original_error is None
    if _own_code(error) is not None:
        return True
    nodes = error.nodes or []
    return bool(nodes) and not isinstance(nodes[0], FieldNode)


def _own_code(error: GraphQLError) -> ErrorCode | None:
    code = (error.extensions or {}).get("code")
    return ErrorCode(code) if isinstance(code, str) and code in ErrorCode.__members__ else None
