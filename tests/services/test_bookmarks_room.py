"""How many bookmarks an account may have, and how seldom they are counted."""

from time import monotonic
from typing import Any, cast

import pytest

from db.unit import Database
from kit.errors import Conflict
from services.bookmarks import room
from tests.make import Maker
from tests.services.test_bookmarks import URL, save


async def test_an_account_has_room_for_so_many(database: Database, make: Maker) -> None:
    ada = await make.viewer()
    await make.trashed(ada, {"url": URL})
    with pytest.raises(Conflict, match="at most 1 bookmarks, the trash included"):
        await save(database, ada, {"url": "https://other.example/"}, limit=1)
    assert not (await save(database, ada, {"url": URL}, limit=1)).created


class Counting:
    """Runs statements on a database and counts them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.statements = 0

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        self.statements += 1
        return await self._database.fetchval(sql, *arguments)


async def test_an_account_far_below_its_limit_is_counted_once_a_minute(
    database: Database, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FAR", 2)
    ada, bob = await make.viewer(), await make.viewer()
    counting = Counting(database)
    rows = cast("Database", counting)
    await make.bookmark(ada, {"url": "https://a.example/"})
    for _ in range(3):
        await room.check_room(rows, ada.id, 4)
    assert counting.statements == 1
    await room.check_room(rows, bob.id, 4)
    assert counting.statements == 2
    later = monotonic() + room.REMEMBERED_SECONDS + 1
    monkeypatch.setattr(room, "monotonic", lambda: later)
    await make.bookmark(ada, {"url": "https://b.example/"})
    for _ in range(3):  # near the limit it is counted every time, and against the limit itself
        await room.check_room(rows, ada.id, 4)
    assert counting.statements == 2 + 3 * 3
    for path in "cd":
        await make.bookmark(ada, {"url": f"https://{path}.example/"})
    with pytest.raises(Conflict, match="at most 4 bookmarks, the trash included"):
        await room.check_room(rows, ada.id, 4)


async def test_only_so_many_accounts_are_remembered(
    database: Database, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_REMEMBERED", 1)
    ada, bob = await make.viewer(), await make.viewer()
    counting = Counting(database)
    for viewer in (ada, bob, bob, ada):
        await room.check_room(cast("Database", counting), viewer.id, 1_000_000)
    assert counting.statements == 3
