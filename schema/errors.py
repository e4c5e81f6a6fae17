"""How refusals look."""

import strawberry

from kit.errors import ErrorCode
from resolvers.inputs.enums import described

described(
    ErrorCode,
    "The stable codes of refusals and errors. Branch on these, never on a message.",
    UNAUTHENTICATED="Nobody is signed in, or the credentials are not right.",
    FORBIDDEN="Signed in, but the role or scope does not reach.",
    NOT_FOUND="It does not exist, or it is somebody else's; the two are never told apart.",
    BAD_USER_INPUT="The input cannot be accepted; the message says what would be.",
    CONFLICT="The state of the world forbids it: a stale version, a taken name, a reused key.",
    RATE_LIMITED="Too many at once; try again after `retryAfterSeconds`.",
    COMPLEXITY_LIMIT="The document asks for more work than one request may cause.",
    PERSISTED_QUERY_NOT_FOUND="Only a document's hash was sent, and it is not known here: send its text with it once.",
    UNAVAILABLE="Something that this needs is away for the moment; try again.",
    INTERNAL="A fault of the server; quote the request id when you report it.",
)


@strawberry.type(description="Why an input was refused.")
class UserError:
    """Answered by resolvers.mutation.UserError."""

    code: ErrorCode = strawberry.field(description="What kind of refusal this is.")
    message: str = strawberry.field(description="A sentence for a person: what is wrong and what would be right.")
    field: list[str] | None = strawberry.field(
        description="Path of the input field at fault, outermost first; null when no single field is."
    )
    retry_after_seconds: int | None = strawberry.field(
        description="After how many seconds the same request may succeed; null when waiting does not help."
    )
