"""Which space vectors go to and which one answers, and the change from one model to another.

There is one space for each model. The first is active: searches go to it. When the provider answers in another space,
new vectors go there, searches stay with the active one until the new one has all that it has, and then it is removed
piece by piece.
"""

from typing import Final

from db import embedding
from db.embedding import SpaceRow
from db.unit import Database, Unit
from kit.ai import Provider, Space
from kit.errors import Conflict

_REMOVED_AT_ONCE: Final = 20_000


async def space_for(database: Database, provider: Provider) -> SpaceRow:
    """Return where the vectors of a provider belong, made when they are the first.

    Raises `Conflict` when its vectors have become longer or shorter under the same name, or there are too many spaces.
    """
    wanted = provider.space
    found = await embedding.space_named(database, wanted.name)
    if found is None:
        async with database.unit() as unit:
            found = await embedding.make_space(
                unit, name=wanted.name, model=provider.version, dimensions=wanted.dimensions
            )
    if found is None:
        raise Conflict("There are too many spaces of vectors; the old ones are still being removed. Try again later.")
    if found.dimensions != wanted.dimensions:
        raise Conflict(
            f"The vectors of “{wanted.name}” have {found.dimensions:,} numbers, those of the model now have"
            f" {wanted.dimensions:,}. Give the model its old size, or the space another name."
        )
    return found


async def settle(unit: Unit, wanted: Space) -> int:
    """Take one step from older spaces to the wanted one; return how much was done, 0 when there is nothing to do.

    A step lets searches go to the wanted space once it covers the active one, or removes a piece of one that nobody
    needs any more. Each wants a transaction of its own.
    """
    spaces = await embedding.all_spaces(unit)
    new = next((space for space in spaces if space.name == wanted.name), None)
    if new is None:
        return 0
    if not new.is_active:
        active = next((space for space in spaces if space.is_active), None)
        if active is not None and not await embedding.covers(unit, new, active):
            return 0
        await embedding.activate(unit, new.id)
        return 1
    for old in spaces:
        if old.id != new.id:
            return await embedding.remove_some(unit, old.id, limit=_REMOVED_AT_ONCE)
    return 0
