"""Ids as clients know them, from and to the keys of rows."""

from collections.abc import Sequence
from uuid import UUID

import strawberry

from kit.ids import decode_global_id, encode_global_id


def global_ids(type_name: str, keys: Sequence[UUID]) -> list[strawberry.ID]:
    """Return keys as clients know them."""
    return [strawberry.ID(encode_global_id(type_name, key)) for key in keys]


def optional_key(global_id: str | None, type_name: str, field: tuple[str, ...]) -> UUID | None:
    """Return the key of an id that may be left out. Raises `BadInput` naming `field`."""
    return None if global_id is None else decode_global_id(global_id, expected=type_name, field=field)[1]
