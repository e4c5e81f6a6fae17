"""The audit log: every act in its order, sealed by all before it."""

import asyncio
import hashlib
import json
from typing import Any
from uuid import UUID

import pytest

from db.unit import Database
from services import audit
from services.audit import Act, AuditAction

SOMEBODY = UUID("018f0000-0000-7000-8000-000000000001")
ENTRIES = """
    SELECT seq, action, succeeded, actor_id, actor, subject_id, network_address, user_agent, details, digest,
        jsonb_build_array(
            seq, extract(epoch FROM at), action, succeeded, actor_id, actor, subject_id,
            network_address, user_agent, details
        )::text AS told
    FROM audit_entries ORDER BY seq
"""


async def write(database: Database, **fields: Any) -> None:
    async with database.unit() as unit:
        await audit.record(unit, Act(AuditAction.SIGNED_IN, SOMEBODY, "ada@example.org", **fields))


async def test_entries_are_a_chain(database: Database) -> None:
    await write(database, details={"factor": "password"})
    await write(database, succeeded=False, subject_id=SOMEBODY)

    previous = hashlib.sha256(b"").digest()
    entries = await database.fetch(ENTRIES)
    assert [entry["seq"] for entry in entries] == [1, 2]
    for entry in entries:
        previous = hashlib.sha256(previous + entry["told"].encode()).digest()
        assert entry["digest"] == previous
    assert await database.fetchrow("SELECT seq, digest FROM audit_head") == (2, previous)
    told = json.loads(entries[0]["told"])
    assert told[2:6] == ["SIGNED_IN", True, str(SOMEBODY), "ada@example.org"]
    assert told[9] == {"factor": "password"}


async def test_many_at_once_leave_no_gap(database: Database) -> None:
    await asyncio.gather(*(write(database, details={"n": n}) for n in range(20)))

    entries = await database.fetch(ENTRIES)
    assert [entry["seq"] for entry in entries] == list(range(1, 21))
    assert sorted(entry["details"]["n"] for entry in entries) == list(range(20))


async def test_what_is_rolled_back_was_never_written(database: Database) -> None:
    async def fail() -> None:
        async with database.unit() as unit:
            await audit.record(unit, Act(AuditAction.SIGNED_IN, SOMEBODY, "ada@example.org"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await write(database)

    assert [entry["seq"] for entry in await database.fetch(ENTRIES)] == [1]


async def test_text_cannot_forge_a_line(database: Database) -> None:
    await write(database, user_agent="good\r\n2026-01-01 ROLE_CHANGED\x1b[2J" + "x" * 400)

    (entry,) = await database.fetch(ENTRIES)
    assert entry["user_agent"].startswith("good  2026-01-01 ROLE_CHANGED [2Jxxx")
    assert len(entry["user_agent"]) == audit.MAX_TEXT_CHARS
