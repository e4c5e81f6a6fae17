"""An owner's categories: those of the taxonomy, made when they are first needed."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from typing_extensions import TypeVar

from db.categorization import WHOLE, CategoryRow
from db.categorization import categories as rows_of
from db.shapes import Shape
from db.unit import Rows, Unit
from kit.errors import BadInput, Field
from kit.text import fold
from services.categorization.taxonomy import TAXONOMY
from services.permissions import Viewer

R = TypeVar("R", default=CategoryRow)


async def listed(rows: Rows, viewer: Viewer, shape: Shape[R] = WHOLE.by_default) -> list[R]:
    """Return the viewer's categories in their order; none before `ensure`."""
    return await rows_of.listed(rows, viewer.id, shape)


async def ensure(unit: Unit, owner_id: UUID) -> dict[str, CategoryRow]:
    """Return the owner's categories by key, made if they are not there.

    The id of a category follows from owner and key, so that two who make them at once make the same.
    """
    there = await rows_of.listed(unit, owner_id)
    if len(there) < len(TAXONOMY):
        drafts = [(uuid5(owner_id, f"category:{one.key}"), one.key, one.name, one.color) for one in TAXONOMY]
        await rows_of.insert(unit, owner_id, drafts)
        there = await rows_of.listed(unit, owner_id)
    return {row.key: row for row in there}


async def by_name(unit: Unit, owner_id: UUID, name: str, *, field: Field) -> CategoryRow:
    """Return the owner's category of this name in any case. Raises `BadInput` naming `field`."""
    found = find(list((await ensure(unit, owner_id)).values()), name)
    if found is None:
        names = ", ".join(one.name for one in TAXONOMY)
        raise BadInput(f"There is no such category; these are there: {names}.", field=field)
    return found


def find(categories: Sequence[CategoryRow], name: str) -> CategoryRow | None:
    """Return the category that a name means, in any case."""
    wanted = fold(name)
    return next((one for one in categories if wanted in {one.key, fold(one.name)}), None)
