"""Bookmarks that are like another one."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from db import embedding
from db.embedding import LEAST_SHARE, LEAST_SIMILARITY, Neighbour
from db.unit import Rows
from kit.errors import BadInput
from services.permissions import Viewer

MAX_SIMILAR: Final = 50
"""Most similar bookmarks of one."""


def check_first(first: int) -> int:
    """Return how many similar bookmarks are wished; `BadInput` when that is not between 1 and 50."""
    if not 1 <= first <= MAX_SIMILAR:
        raise BadInput(f"`first` must be between 1 and {MAX_SIMILAR}; it is {first}.", field=("first",))
    return first


async def similar(rows: Rows, viewer: Viewer, keys: Sequence[UUID], first: int) -> dict[UUID, list[Neighbour]]:
    """Return, for each of the viewer's bookmarks `keys`, at most `first` others outside the trash that are like it.

    The most alike come first; none for a bookmark that is not embedded yet.
    """
    found = await embedding.neighbours_of(rows, viewer.id, keys, first)
    return {key: worth_telling(alike) for key, alike in found.items()}


def worth_telling(found: list[Neighbour]) -> list[Neighbour]:
    """Return those of `found`, the most alike first, that are more than a little alike."""
    if not found:
        return []
    least = max(LEAST_SIMILARITY, LEAST_SHARE * found[0].similarity)
    return [one for one in found if one.similarity >= least]
