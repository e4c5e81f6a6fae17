"""Refusals are written down without filling the log."""

from uuid import UUID

from db.unit import Database
from services import audit
from services.audit import Act, AuditAction, verify

SOMEBODY = UUID("018f0000-0000-7000-8000-000000000001")
ENTRIES = "SELECT subject_id, succeeded, network_address, details FROM audit_entries ORDER BY seq"


async def fail(database: Database, address: str, subject: UUID | None = SOMEBODY) -> None:
    await audit.refused(
        database,
        Act(AuditAction.SIGNED_IN, None, "", subject_id=subject, succeeded=False, network_address=address),
    )


async def minute_passes(database: Database) -> None:
    await database.execute("UPDATE audit_repeats SET minute = minute - interval '1 minute'")


async def tell(database: Database) -> int:
    async with database.unit() as unit:
        return await audit.tell_repeats(unit, limit=1_000)


async def test_the_first_of_a_minute_is_an_entry_and_the_others_a_number(database: Database) -> None:
    for _ in range(5):
        await fail(database, "192.0.2.7")
    await fail(database, "192.0.2.200")  # a neighbour in the same network
    await fail(database, "198.51.100.1")
    assert [row["network_address"] for row in await database.fetch(ENTRIES)] == ["192.0.2.7", "198.51.100.1"]
    assert await tell(database) == 0

    await minute_passes(database)
    assert await tell(database) == 2
    assert await tell(database) == 0

    (first, second, told) = await database.fetch(ENTRIES)
    assert (told["subject_id"], told["succeeded"], told["network_address"]) == (SOMEBODY, False, "192.0.2.0/24")
    assert told["details"]["repeated"] == 5
    assert await database.fetchval("SELECT count(*) FROM audit_repeats") == 0
    assert first["details"] == second["details"] == {}
    assert (await verify(database)).fault is None


async def test_a_flood_from_everywhere_is_bounded(database: Database) -> None:
    for network in range(40):
        await fail(database, f"10.0.{network}.1")
    assert await database.fetchval("SELECT count(*) FROM audit_entries") == 11
    assert await database.fetchval("SELECT times FROM audit_repeats WHERE network = ''") == 30
    for network in range(100):
        await fail(database, f"2001:db8:0:{network:x}::1", None)
    assert await database.fetchval("SELECT count(*) FROM audit_entries") == 11 + 61

    await minute_passes(database)
    await tell(database)
    assert await database.fetchval("SELECT count(*) FROM audit_entries") == 11 + 61 + 2
    repeated = await database.fetch("SELECT subject_id, details FROM audit_entries ORDER BY seq DESC LIMIT 2")
    assert {(row["subject_id"], row["details"]["repeated"]) for row in repeated} == {(SOMEBODY, 29), (None, 39)}
