"""The errors that every layer may raise, in the words of the domain.

    GraphmarkError
    ├── BadInput            BAD_USER_INPUT    the caller can mend it; `field` says where
    ├── NotFound            NOT_FOUND         absent, or somebody else's (never told apart)
    ├── Conflict            CONFLICT          true a moment ago, or already taken
    ├── Unauthenticated     UNAUTHENTICATED   nobody is signed in, or the credentials are wrong
    ├── Forbidden           FORBIDDEN         signed in, but the role or scope does not reach
    ├── RateLimited         RATE_LIMITED      come back after `retry_after_seconds`
    ├── TooComplex          COMPLEXITY_LIMIT  the document asks for more than one request may
    ├── UnknownDocument     PERSISTED_QUERY_NOT_FOUND   only its hash was sent, and that is not known
    └── Unavailable         UNAVAILABLE       something that this needs is away; try again

An error carries a code and never an HTTP status: the transport decides how a code looks on its wire.
"""

from enum import StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """The stable codes of the API. A client branches on these, never on a message."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    CONFLICT = "CONFLICT"
    RATE_LIMITED = "RATE_LIMITED"
    COMPLEXITY_LIMIT = "COMPLEXITY_LIMIT"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


Field = tuple[str, ...]
"""The path of an input field, outermost first, for example `("input", "url")`; empty for no single field."""


class GraphmarkError(Exception):
    """A failure with a code and a message that may be shown to the person who caused it; `field` is at fault."""

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(self, message: str, *, field: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class BadInput(GraphmarkError):  # noqa: N818  a condition the domain names, not a Python programming error
    """The caller sent something that cannot be accepted and can mend it.

    `position` is where in the text at fault, counted in characters from 0, or None where that says nothing.
    """

    code = ErrorCode.BAD_USER_INPUT

    def __init__(self, message: str, *, field: tuple[str, ...] = (), position: int | None = None) -> None:
        super().__init__(message, field=field)
        self.position = position


class NotFound(GraphmarkError):  # noqa: N818  see BadInput
    """The thing does not exist, or belongs to somebody else: the two are never told apart."""

    code = ErrorCode.NOT_FOUND


class Conflict(GraphmarkError):  # noqa: N818  see BadInput
    """The state of the world forbids it: a stale version, a taken name, a reused key."""

    code = ErrorCode.CONFLICT


class Unauthenticated(GraphmarkError):  # noqa: N818  see BadInput
    """Nobody is signed in, or the credentials do not fit."""

    code = ErrorCode.UNAUTHENTICATED


class Forbidden(GraphmarkError):  # noqa: N818  see BadInput
    """The account may not do this, whoever's data it is."""

    code = ErrorCode.FORBIDDEN


class RateLimited(GraphmarkError):  # noqa: N818  see BadInput
    """Too many at once; waiting helps."""

    code = ErrorCode.RATE_LIMITED

    def __init__(self, message: str, *, retry_after_seconds: int, field: tuple[str, ...] = ()) -> None:
        super().__init__(message, field=field)
        self.retry_after_seconds = retry_after_seconds


class TooComplex(GraphmarkError):  # noqa: N818  see BadInput
    """The document asks for more work than one request may cause."""

    code = ErrorCode.COMPLEXITY_LIMIT


class UnknownDocument(GraphmarkError):  # noqa: N818  see BadInput
    """A document was named by its hash only, and is not known: the client sends it with its text once more."""

    code = ErrorCode.PERSISTED_QUERY_NOT_FOUND

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")  # some clients look at the message, not at the code


class Unavailable(GraphmarkError):  # noqa: N818  see BadInput
    """Something that this needs is away for the moment; the same request may succeed later."""

    code = ErrorCode.UNAVAILABLE
