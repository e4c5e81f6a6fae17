"""Bookmarks that lead to the same page under different addresses."""

from typing import Final

from db.unit import Rows
from db.validation import duplicates as rows_of
from db.validation.duplicates import DuplicateReason, DuplicateRow
from kit.paging import PageRequest
from services.permissions import Viewer

KINDS: Final = (str,)
"""The sort value of a group: what its bookmarks have in common, as text."""


def order_of(reason: DuplicateReason) -> str:
    """Return the name by which cursors of these groups know their order."""
    return f"duplicates-{reason}"


async def page(rows: Rows, viewer: Viewer, reason: DuplicateReason, request: PageRequest) -> list[DuplicateRow]:
    """Return a page of the viewer's groups, one more than asked for when the list goes on."""
    position = None if request.position is None else str(request.position[0])
    return await rows_of.groups(rows, viewer.id, reason, position=position, limit=request.limit + 1)


async def count(rows: Rows, viewer: Viewer, reason: DuplicateReason) -> int:
    """Return how many groups there are. Reads all of them: ask only when somebody wants to know."""
    return await rows_of.count(rows, viewer.id, reason)
