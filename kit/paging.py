"""Keyset paging: opaque cursors and bounded page requests.

A cursor is the position of one row in one order: the order's name and the values of its sort columns, the unique
key last. It is base64url of JSON behind a four-byte checksum, so that a damaged or invented cursor is told apart
from an old one. It is not a secret: whatever it says, every query still names its owner.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson

from kit.errors import BadInput

DEFAULT_PAGE = 20
MAX_PAGE = 100
_MAX_CURSOR_CHARS = 4_096
_CHECK_BYTES = 4

CursorValue = str | int | float | bool | datetime | UUID | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page of a connection: `limit` rows after or before a position, in or against the order.

    `backward` means `last`/`before`: rows are read against the order and turned round before they are shown.
    `position` holds the sort values of the cursor row, exclusive, or None for the first page.
    """

    limit: int
    backward: bool
    position: tuple[CursorValue, ...] | None


def encode_cursor(order: str, values: tuple[CursorValue, ...]) -> str:
    """Return the cursor of the row whose sort columns have `values` in the order called `order`."""
    body = orjson.dumps([order, *values], default=str, option=orjson.OPT_UTC_Z)
    return base64.urlsafe_b64encode(_check(body) + body).rstrip(b"=").decode()


def decode_cursor(order: str, cursor: str, kinds: tuple[type, ...]) -> tuple[CursorValue, ...]:
    """Return the sort values in `cursor`, one of each of `kinds`.

    Raises `BadInput` when the cursor was damaged, invented, or made for another order.
    """
    try:
        if len(cursor) > _MAX_CURSOR_CHARS:
            raise ValueError
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        check, body = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        if check != _check(body):
            raise ValueError
        name, *values = orjson.loads(body)
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadInput("This cursor was not made by this server; start from the first page.") from error
    if name != order or len(values) != len(kinds):
        raise BadInput("This cursor belongs to a list in another order; start from the first page.")
    return tuple(_revive(value, kind) for value, kind in zip(values, kinds, strict=True))


def page_request(
    order: str,
    kinds: tuple[type, ...],
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> PageRequest:
    """Check the four connection arguments together and return the page that they ask for.

    Default 20 rows, at most 100. Raises `BadInput` on `first` with `last`, `after` with `before`, a count outside
    1 to 100, a cursor without its direction, or a bad cursor.
    """
    if first is not None and last is not None:
        raise BadInput("Ask for `first` or for `last`, not for both.", field=("first",))
    if after is not None and before is not None:
        raise BadInput("Give `after` or `before`, not both.", field=("after",))
    backward = last is not None or before is not None
    if backward and first is not None:
        raise BadInput("`before` goes with `last`; `first` goes with `after`.", field=("first",))
    if last is not None and after is not None:
        raise BadInput("`after` goes with `first`; `last` goes with `before`.", field=("last",))
    name, limit = ("last", last) if backward else ("first", first)
    limit = DEFAULT_PAGE if limit is None else limit
    if not 1 <= limit <= MAX_PAGE:
        raise BadInput(f"`{name}` must be between 1 and {MAX_PAGE}; it is {limit}.", field=(name,))
    cursor = before if backward else after
    position = None if cursor is None else decode_cursor(order, cursor, kinds)
    return PageRequest(limit=limit, backward=backward, position=position)


def _check(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECK_BYTES, person=b"graphmark-cursor"[:16]).digest()


def _is_storable(value: str | float) -> bool:
    """Tell whether the database can compare with `value`: no NUL character, no number beyond 64 bits."""
    return "\0" not in value if isinstance(value, str) else -(2**63) <= value < 2**63


def _revive(value: object, kind: type) -> CursorValue:
    try:
        if value is None:
            return None
        if kind is datetime:
            moment = datetime.fromisoformat(str(value))
            if moment.tzinfo is None:
                raise ValueError(value)
            return moment.astimezone(UTC)  # an offset can move it out of the years that there are
        if kind is UUID:
            return UUID(str(value))
        if isinstance(value, str | int | float | bool) and isinstance(value, kind) and _is_storable(value):
            return value
    except (ValueError, OverflowError) as error:
        raise BadInput("This cursor was not made by this server; start from the first page.") from error
    raise BadInput("This cursor was not made by this server; start from the first page.")
