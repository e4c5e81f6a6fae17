"""The same request twice makes one thing."""

import asyncio
from uuid import UUID

import pytest

from db.unit import Database
from kit.errors import BadInput, Conflict
from kit.ids import new_id
from services import idempotency
from services.permissions import Viewer
from tests.make import Maker


async def earlier(database: Database, viewer: Viewer, key: str | None, request: str = "a") -> tuple[UUID, UUID | None]:
    """Return the id that a request would use, and what an earlier one made."""
    subject = new_id()
    async with database.unit() as unit:
        found = await idempotency.earlier(
            unit, viewer, key, operation="make", request={"value": request}, subject_id=subject, hours=24
        )
        await unit.fetchval("SELECT pg_sleep(0.01)")  # the thing is being made
    return subject, found


async def test_fifty_at_once_make_one(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    answers = await asyncio.gather(*(earlier(database, viewer, "key") for _ in range(50)))
    makers = [subject for subject, found in answers if found is None]
    assert len(makers) == 1
    assert {found for _, found in answers if found is not None} == set(makers)


async def test_another_request_or_operation_is_a_conflict(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    await earlier(database, viewer, "key")
    with pytest.raises(Conflict) as refused:
        await earlier(database, viewer, "key", "b")
    assert refused.value.field == ("input", "idempotencyKey")


async def test_a_key_belongs_to_its_account(database: Database, make: Maker) -> None:
    for viewer in (await make.viewer(), await make.viewer()):
        assert (await earlier(database, viewer, "key"))[1] is None


async def test_a_failed_request_leaves_its_key_free(database: Database, make: Maker) -> None:
    viewer = await make.viewer()

    async def fail() -> None:
        async with database.unit() as unit:
            await idempotency.earlier(unit, viewer, "key", operation="make", request={}, subject_id=new_id(), hours=24)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert (await earlier(database, viewer, "key"))[1] is None


@pytest.mark.parametrize("key", ["", "x" * 256, "line\nbreak"])
async def test_what_is_no_key_is_refused(database: Database, make: Maker, key: str) -> None:
    with pytest.raises(BadInput):
        await earlier(database, await make.viewer(), key)


async def test_without_a_key_nothing_is_remembered(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    assert [(await earlier(database, viewer, None))[1] for _ in range(2)] == [None, None]
    assert await database.fetchval("SELECT count(*) FROM idempotency_keys") == 0
