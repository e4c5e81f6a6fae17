"""Lists of rules, in the order in which they run."""

from typing import Final, cast
from uuid import UUID

from typing_extensions import TypeVar

from db import rules as rows_of
from db.rules import Placed, RuleRow
from db.shapes import Shape
from db.unit import Rows
from kit.paging import PageRequest
from services.permissions import Viewer

R = TypeVar("R", default=RuleRow)
ORDER: Final = "rules"
KINDS: Final = (int, UUID)


async def page(
    rows: Rows, viewer: Viewer, request: PageRequest, shape: Shape[R] = rows_of.WHOLE.by_default
) -> list[Placed[R]]:
    """Return one page of the viewer's rules in the direction of reading, and one more when there are more."""
    return await rows_of.page(
        rows,
        viewer.id,
        descending=request.backward,
        position=cast("tuple[int, UUID] | None", request.position),
        limit=request.limit + 1,
        shape=shape,
    )


async def count(rows: Rows, viewer: Viewer) -> int:
    """Return how many rules the viewer has."""
    return await rows_of.count(rows, viewer.id)


async def get(rows: Rows, viewer: Viewer, key: UUID) -> RuleRow | None:
    """Return a rule of the viewer."""
    return await rows_of.by_id(rows, viewer.id, key)
