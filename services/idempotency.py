"""The same request twice makes one thing: keys chosen by the client, per account, for a day."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson

from db import idempotency as keys
from db.unit import Unit
from kit.errors import BadInput, Conflict
from services.permissions import Viewer

MAX_KEY_CHARS = 255
_FIELD = ("input", "idempotencyKey")


async def earlier(
    unit: Unit,
    viewer: Viewer,
    key: str | None,
    *,
    operation: str,
    request: Mapping[str, Any],
    subject_id: UUID,
    hours: int,
) -> UUID | None:
    """Return what an earlier request with `key` made, or None: then make the object, under the id `subject_id`.

    Call it first in the transaction that makes the object. Of two at the same time one waits for the other, so one
    object is made. `request` is everything that decides the result, as JSON. Without a key the answer is None.
    Raises `Conflict` when the key was used for another request, `BadInput` when it is no key.
    """
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY_CHARS or not key.isprintable():
        raise BadInput(f"An idempotency key has 1 to {MAX_KEY_CHARS} printable characters.", field=_FIELD)
    digest = blake2b(orjson.dumps(request, option=orjson.OPT_SORT_KEYS), digest_size=32).digest()
    used = await keys.take(
        unit, viewer.id, key, operation=operation, request_hash=digest, subject_id=subject_id, hours=hours
    )
    if used is None:
        return None
    if (used.operation, used.request_hash) != (operation, digest):
        raise Conflict("This idempotency key was used for another request.", field=_FIELD)
    return used.subject_id
