"""The history of a link."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from typing_extensions import TypeVar

from db.shapes import Shape
from db.unit import Rows
from db.validation import health as rows_of
from db.validation.health import CheckCut, CheckRow, PlacedCheck
from kit.paging import PageRequest
from services.permissions import Viewer

C = TypeVar("C", default=CheckRow)
ORDER: Final = "link-checks"
KINDS: Final = (datetime, UUID)


async def checks_of(
    rows: Rows,
    viewer: Viewer,
    keys: Sequence[UUID],
    request: PageRequest,
    shape: Shape[C] = rows_of.CHECKS.by_default,
) -> dict[UUID, list[PlacedCheck[C]]]:
    """Return for each bookmark a page of its checks, newest first, one more than asked for when the list goes on."""
    position = cast("tuple[datetime, UUID] | None", request.position)
    return await rows_of.checks_of(
        rows, viewer.id, keys, CheckCut(position, request.backward, request.limit + 1), shape
    )
