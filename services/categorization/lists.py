"""Lists of proposals, the surest first."""

from typing import Final, cast
from uuid import UUID

from typing_extensions import TypeVar

from db.categorization import suggestions as rows_of
from db.categorization.suggestions import Placed, SuggestionFilter, SuggestionRow
from db.shapes import Shape
from db.unit import Rows
from kit.errors import BadInput
from kit.paging import PageRequest
from services.permissions import Viewer

R = TypeVar("R", default=SuggestionRow)
ORDER: Final = "suggestions"
KINDS: Final = (float, UUID)


async def page(
    rows: Rows,
    viewer: Viewer,
    wanted: SuggestionFilter,
    request: PageRequest,
    shape: Shape[R] = rows_of.WHOLE.by_default,
) -> list[Placed[R]]:
    """Return one page of the viewer's proposals in the direction of reading, and one more when there are more."""
    _check(wanted)
    position = cast("tuple[float, UUID] | None", request.position)
    return await rows_of.page(
        rows,
        viewer.id,
        wanted,
        descending=not request.backward,
        position=position,
        limit=request.limit + 1,
        shape=shape,
    )


async def count(rows: Rows, viewer: Viewer, wanted: SuggestionFilter) -> int:
    """Return how many proposals of the viewer meet `wanted`."""
    _check(wanted)
    return await rows_of.count(rows, viewer.id, wanted)


def _check(wanted: SuggestionFilter) -> None:
    if wanted.min_confidence is not None and not 0 <= wanted.min_confidence <= 1:
        raise BadInput("`minConfidence` is from 0 to 1.", field=("filter", "minConfidence"))
