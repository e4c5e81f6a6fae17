"""The audit log cannot be rewritten, and what is done to it in spite of that is seen."""

import asyncpg
import pytest

from db.unit import Database
from kit.errors import BadInput
from services import audit
from services.audit import Act, AuditAction, verify
from tests.tampering import FILL, GUARDED, unguarded


async def write(database: Database, times: int) -> None:
    for number in range(times):
        async with database.unit() as unit:
            await audit.record(unit, Act(AuditAction.SIGNED_IN, None, f"person{number}@example.org"))


async def fault(database: Database, *, last: int | None = None) -> str | None:
    return (await verify(database, last=last)).fault


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor = 'nobody' WHERE seq = 2",
        "DELETE FROM audit_entries WHERE seq = 3",
        "TRUNCATE audit_entries",
        (
            "INSERT INTO audit_entries SELECT 9, at, action, succeeded, actor_id, actor, subject_id, network_address,"
            " user_agent, details, digest FROM audit_entries WHERE seq = 1"
        ),
        "UPDATE audit_head SET seq = 2",
        "UPDATE audit_head SET digest = sha256('')",
        "UPDATE audit_head SET cut_seq = 2, cut_digest = (SELECT digest FROM audit_entries WHERE seq = 2)",
        "DELETE FROM audit_head",
        "TRUNCATE audit_head",
        "SET LOCAL session_replication_role = replica; DELETE FROM audit_entries",
    ],
)
async def test_nothing_is_changed_even_by_the_owner(database: Database, statement: str) -> None:
    await write(database, 3)
    before = await database.fetch("SELECT * FROM audit_entries ORDER BY seq")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.execute(statement)

    assert await database.fetch("SELECT * FROM audit_entries ORDER BY seq") == before
    assert await fault(database) is None


async def test_nobody_but_the_owner_has_a_right(database: Database) -> None:
    granted = await database.fetch(
        """
        SELECT relname FROM pg_class CROSS JOIN LATERAL aclexplode(relacl) AS acl
        WHERE relname = ANY($1) AND acl.grantee <> relowner
        """,
        list(GUARDED),
    )
    assert granted == []


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        ("UPDATE audit_entries SET actor = 'nobody' WHERE seq = 2", "Entry 2 is not what was written."),
        ("UPDATE audit_entries SET at = at + interval '1 s' WHERE seq = 5", "Entry 5 is not what was written."),
        ("UPDATE audit_entries SET details = '{\"a\": 1}' WHERE seq = 1", "Entry 1 is not what was written."),
        ("DELETE FROM audit_entries WHERE seq = 3", "Entry 3 is missing."),
        ("DELETE FROM audit_entries WHERE seq = 1", "Entry 1 is missing."),
        ("DELETE FROM audit_entries", "The newest entries are missing: the log ended with 5 and ends with 0."),
        (
            "DELETE FROM audit_entries WHERE seq > 3",
            "The newest entries are missing: the log ended with 5 and ends with 3.",
        ),
        (
            "DELETE FROM audit_entries WHERE seq = 5; UPDATE audit_head SET seq = 4",
            "The last entry is not the one that the log ended with.",
        ),
        (
            (
                "DELETE FROM audit_entries WHERE seq = 3; UPDATE audit_entries SET seq = seq - 1 WHERE seq > 3;"
                "UPDATE audit_head SET seq = 4"
            ),
            "Entry 3 is not what was written.",
        ),
        (
            (
                "INSERT INTO audit_entries SELECT 6, at, action, succeeded, actor_id, actor, subject_id,"
                " network_address, user_agent, details, digest FROM audit_entries WHERE seq = 1"
            ),
            "There are entries behind the end of the log, which is 5.",
        ),
        (
            (
                "UPDATE audit_entries AS e SET actor = other.actor, digest = other.digest FROM audit_entries AS other"
                " WHERE e.seq + other.seq = 5 AND e.seq IN (2, 3)"
            ),
            "Entry 2 is not what was written.",
        ),
        ("DELETE FROM audit_head", "There are entries behind the end of the log, which is 0."),
        (
            (
                "UPDATE audit_head SET cut_seq = 2, cut_digest = (SELECT digest FROM audit_entries WHERE seq = 2);"
                "DELETE FROM audit_entries WHERE seq <= 2"
            ),
            "The beginning of the log, up to 2, was cut off without an entry about it.",
        ),
    ],
)
async def test_what_an_owner_does_in_spite_of_it_is_seen(database: Database, tampering: str, told: str) -> None:
    await write(database, 5)
    assert await fault(database) is None

    async with unguarded(database) as unit:
        await unit.execute(tampering)

    assert await fault(database) == told


async def test_the_last_entries_can_be_looked_at_alone(database: Database) -> None:
    await write(database, 10)
    async with unguarded(database) as unit:
        await unit.execute("UPDATE audit_entries SET actor = 'nobody' WHERE seq = 4")

    quick = await verify(database, last=6)
    assert (quick.entries, quick.seq, quick.fault) == (6, 10, None)
    assert await fault(database, last=7) == "Entry 4 is not what was written."


async def test_a_log_that_was_written_anew_is_told_by_a_digest_kept_elsewhere(database: Database) -> None:
    await write(database, 3)
    kept = await verify(database)
    await write(database, 2)
    assert (await verify(database, expected=(kept.seq, kept.digest))).fault is None

    async with unguarded(database) as unit:
        await unit.execute("DELETE FROM audit_entries; DELETE FROM audit_head")
    await write(database, 4)

    assert await fault(database) is None
    seen = await verify(database, expected=(kept.seq, kept.digest))
    assert seen.fault == "Entry 3 is not the one whose digest was kept."


async def test_an_empty_log_is_whole(database: Database) -> None:
    assert await verify(database) == audit.Audited(0, 0, audit.NOTHING, None)
    await write(database, 1)
    assert (await verify(database)).entries == 1


async def test_entries_that_come_meanwhile_harm_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.audit.verifying.STRETCH_ENTRIES", 3)
    await write(database, 7)
    await write(database, 2)

    assert (await verify(database)).entries == 9


async def test_a_hundred_thousand_entries_are_walked_in_stretches(database: Database) -> None:
    many = 100_000
    async with unguarded(database) as unit:
        await unit.execute(FILL.format(many=many))

    seen = await verify(database)
    assert (seen.entries, seen.seq, seen.fault) == (many, many, None)
    async with unguarded(database) as unit:
        await unit.execute("UPDATE audit_entries SET succeeded = false WHERE seq = 77777")
    assert await fault(database) == "Entry 77,777 is not what was written."


async def test_old_entries_are_cut_off_and_sealed(database: Database) -> None:
    await write(database, 4)
    with pytest.raises(BadInput):
        await audit.cut_off(database, older_than_days=89)
    assert await audit.cut_off(database, older_than_days=90) == (None, 0)
    async with unguarded(database) as unit:
        await unit.execute("DELETE FROM audit_entries; DELETE FROM audit_head")
        await unit.execute(FILL.format(many=8))
    await write(database, 2)
    cut_digest = await database.fetchval("SELECT digest FROM audit_entries WHERE seq = 8")

    last, gone = await audit.cut_off(database, older_than_days=90)

    assert last is not None
    assert (last.seq, last.digest, gone) == (8, cut_digest, 8)
    assert await database.fetch("SELECT seq, action FROM audit_entries ORDER BY seq") == [
        (9, "SIGNED_IN"),
        (10, "SIGNED_IN"),
        (11, "AUDIT_CUT"),
    ]
    details = await database.fetchval("SELECT details FROM audit_entries WHERE seq = 11")
    assert (details["upTo"], details["digest"]) == (8, cut_digest.hex())
    assert (await verify(database)).entries == 3
    assert await fault(database) is None
    assert await audit.cut_off(database, older_than_days=90) == (None, 0)
