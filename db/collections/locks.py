"""The two locks of an owner's tree of collections; db.collections tells when they are taken."""

from uuid import UUID

from db.unit import Unit

_SHAPE_LOCK = 0x636F_6C6C


async def hold(unit: Unit, owner_id: UUID) -> None:
    """Keep the owner's tree as it is until the transaction ends; several may hold it at once."""
    await unit.execute(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended($1::text, $2))", str(owner_id), _SHAPE_LOCK
    )


async def reshape(unit: Unit, owner_id: UUID) -> None:
    """Be the only one who changes or uses the owner's tree until the transaction ends."""
    await unit.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))", str(owner_id), _SHAPE_LOCK)
