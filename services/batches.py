"""Changing many things in one call: how many there may be, and which of them nothing was done with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from kit.errors import BadInput, Conflict, Field, NotFound

MAX_IDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Missing:
    """An item of a list that nothing was done with: its place in the list, and why."""

    index: int
    reason: NotFound | Conflict


def check_ids(keys: Sequence[UUID], *, field: Field = ("input", "ids")) -> None:
    """Raise `BadInput` unless there are 1 to 1,000 ids."""
    if not 1 <= len(keys) <= MAX_IDS:
        raise BadInput(f"Between 1 and {MAX_IDS:,} ids are expected; these are {len(keys):,}.", field=field)
