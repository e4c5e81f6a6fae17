"""How a mutation answers: one transaction, and a refusal as data.

A refused input becomes a `userError` of the payload. Nobody signed in, a missing role and an unforeseen failure stay
GraphQL errors, because no change of the input would help (see docs/api.md). This is one of the two places where the
errors of the domain are translated; the other is tasks.envelope.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from db.unit import RETRYABLE, Database, Unit
from kit.errors import BadInput, Conflict, ErrorCode, GraphmarkError, NotFound, RateLimited, TooComplex
from resolvers.context import Info, viewer_id
from services.batches import Missing

log = structlog.get_logger(__name__)
_TRIES = 4
_REFUSALS = (BadInput, Conflict, NotFound, RateLimited, TooComplex)


@dataclass(frozen=True, slots=True)
class UserError:
    """Why an input was refused; `field` is the path of the input field at fault, None when no single one is."""

    code: ErrorCode
    message: str
    field: list[str] | None
    retry_after_seconds: int | None = None


class Payload:
    """What a mutation returns: named values, all of them None when the input was refused.

    The fields are those of the payload type in the schema, in snake case.
    """

    def __init__(self, *, user_errors: tuple[UserError, ...] = (), **values: Any) -> None:
        self.user_errors = user_errors
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> None:
        """Answer None for what this payload does not carry."""
        if name.startswith("_"):
            raise AttributeError(name)


def as_user_error(error: GraphmarkError) -> UserError:
    """Return the error in the shape in which a payload shows it."""
    return UserError(
        code=error.code,
        message=error.message,
        field=list(error.field) or None,
        retry_after_seconds=error.retry_after_seconds if isinstance(error, RateLimited) else None,
    )


def item_errors(missing: Sequence[Missing], name: str) -> tuple[UserError, ...]:
    """Return why nothing was done with some items of the input list called `name`; the others were done."""
    return tuple(
        UserError(code=item.reason.code, message=item.reason.message, field=["input", name, str(item.index)])
        for item in missing
    )


def refuse_null(name: str, what: str) -> BadInput:
    """Return the error for a field that may be left out but not be null."""
    head, *tail = name.split("_")
    return BadInput(
        f"{what} cannot be null; leave it out to keep it.", field=("input", head + "".join(map(str.title, tail)))
    )


async def refusable(work: Awaitable[Payload], *also: type[GraphmarkError]) -> Payload:
    """Await `work`; turn a refusal of its input into a payload. `also` names further errors to treat as refusals."""
    try:
        return await work
    except GraphmarkError as error:
        if not isinstance(error, _REFUSALS + also):
            raise
        return Payload(user_errors=(as_user_error(error),))


async def change(
    info: Info, work: Callable[[Unit], Awaitable[Payload]], *, database: Database | None = None
) -> Payload:
    """Run `work` in one transaction, in the viewer's turn, and answer with its payload.

    The transaction changes the viewer's own rows and no others, unless `database` is `info.context.unwalled`.

    A deadlock or a serialisation failure is nobody's fault: the whole of `work` runs again, at most four times. So
    `work` must not do anything outside its unit. What loaders remember from before is forgotten.
    """
    async with info.context.services.turns.taken(viewer_id(info)):
        payload = await refusable(_in_one_transaction(database or info.context.database, work))
    info.context.loaders.clear()
    return payload


async def _in_one_transaction(database: Database, work: Callable[[Unit], Awaitable[Payload]]) -> Payload:
    for attempt in range(1, _TRIES + 1):
        try:
            async with database.unit() as unit:
                return await work(unit)
        except RETRYABLE as error:
            if attempt == _TRIES:
                raise
            log.info("mutation.retried", attempt=attempt, reason=type(error).__name__)
            await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  jitter, not a secret
    raise AssertionError("unreachable")
