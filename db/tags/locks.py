"""The three locks of an owner's tags; db.tags tells in which order they are taken."""

from uuid import UUID

from db.unit import Unit

_SHAPE_LOCK, _GROWTH_LOCK = 0x7461_6773, 0x7461_6774


async def hold(unit: Unit, owner_id: UUID) -> None:
    """Keep the owner's tags as they are until the transaction ends; several may, and new tags may appear."""
    await unit.execute(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended($1::text, $2))", str(owner_id), _SHAPE_LOCK
    )


async def grow(unit: Unit, owner_id: UUID) -> None:
    """Be the only one who adds tags of this owner until the transaction ends. Call `hold` before."""
    await unit.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))", str(owner_id), _GROWTH_LOCK)


async def reshape(unit: Unit, owner_id: UUID) -> None:
    """Be the only one who touches the owner's tags until the transaction ends."""
    await unit.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))", str(owner_id), _SHAPE_LOCK)
