"""Deleting one's own account: closed at once, gone soon, the accounts of others untouched."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from db import users
from db.unit import Database
from kit.errors import BadInput, Conflict, Unauthenticated
from kit.ids import new_id
from kit.settings import Settings
from resolvers.context import Services
from services import agents, auth
from services.auth import Accounts, SignedIn
from services.permissions import Role, Viewer
from tasks.maintenance import jobs
from tests.factors import PASSWORD, PHONE, Clock, clock, enrolled
from tests.mailbox import Mailbox
from tests.make import Maker

__all__ = ["clock"]
OWNED = """
SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables USING (table_name)
WHERE columns.table_schema = 'public' AND tables.table_schema = 'public' AND table_type = 'BASE TABLE'
    AND column_name IN ('owner_id', 'user_id')
"""


@pytest.fixture
def accounts(services: Services) -> Accounts:
    return Accounts(services.database, services.passwords, services.settings)


async def ada_of(accounts: Accounts, email: str = "ada@example.org", role: Role = Role.USER) -> SignedIn:
    await auth.create_user(accounts, email=email, password=PASSWORD, name="Ada", role=role)
    opened = await auth.login(accounts, email=email, password=PASSWORD, device=PHONE)
    assert isinstance(opened, SignedIn)
    return opened


async def delete(accounts: Accounts, viewer: Viewer, password: str = PASSWORD, code: str | None = None) -> None:
    await auth.delete_account(accounts, viewer, password=password, code=code, device=PHONE)


async def rows_of(database: Database, owner: Any) -> dict[str, int]:
    """Return how many rows each table has of an account."""
    tables = await database.fetch(OWNED)
    counts = {
        row["table_name"]: await database.fetchval(
            f"SELECT count(*) FROM {row['table_name']} WHERE {row['column_name']} = $1", owner
        )
        for row in tables
    }
    return {table: count for table, count in counts.items() if count}


async def furnish(database: Database, make: Maker, viewer: Viewer) -> None:
    """Give an account something of several kinds."""
    for _ in range(3):
        bookmark = await make.bookmark(viewer)
    tag, collection = await make.tag(viewer), await make.collection(viewer)
    tags = "INSERT INTO bookmark_tags (tag_id, bookmark_id, owner_id) VALUES ($1, $2, $3)"
    await database.execute(tags, tag.id, bookmark.id, viewer.id)
    links = "INSERT INTO bookmark_collections (collection_id, bookmark_id, owner_id) VALUES ($1, $2, $3)"
    await database.execute(links, collection.id, bookmark.id, viewer.id)
    async with database.unit() as unit:
        await agents.start_workflow(unit, viewer, workflow=agents.Workflow.VALIDATION_ONLY, bookmark_ids=[bookmark.id])


async def removed(database: Database, settings: Settings) -> int:
    (job,) = [job for job in jobs(settings) if job.name == "remove-accounts"]
    assert job.after is not None
    return await job.after(database)


async def test_an_account_opens_nothing_from_now_on_and_is_gone_soon(
    accounts: Accounts, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.auth.deleting.CHUNK_ROWS", 2)
    database, settings = accounts.database, accounts.settings
    ada, bob = await ada_of(accounts), await ada_of(accounts, "bob@example.org")
    for one in (ada, bob):
        await furnish(database, make, Viewer(one.user.id))
    upload = new_id()
    await database.execute(
        "INSERT INTO uploads (id, owner_id, file_name, size_bytes, sha256, detected_format, expires_at)"
        " VALUES ($1, $2, 'f', 1, sha256(''), 'netscape-html', now() + interval '1 hour')",
        upload,
        ada.user.id,
    )
    file = _file(settings.upload_dir, str(upload))
    bobs = await rows_of(database, bob.user.id)

    await delete(accounts, Viewer(ada.user.id))
    assert await auth.authenticate(database, settings, ada.token) is None
    with pytest.raises(Unauthenticated):
        await auth.login(accounts, email="ada@example.org", password=PASSWORD, device=PHONE)
    closed = await users.by_id(database, ada.user.id)
    assert closed is not None
    assert (closed.email, closed.name, closed.disabled_at is not None) == ("deleted", "deleted", True)
    assert await users.count(database, bob.user.id, users.UserFilter()) == 1
    again = await ada_of(accounts)
    assert again.user.id != ada.user.id, "the address is free at once"

    assert await removed(database, settings) == 1
    assert await rows_of(database, ada.user.id) == {}
    assert await users.by_id(database, ada.user.id) is None
    assert not await asyncio.to_thread(file.exists)
    assert await rows_of(database, bob.user.id) == bobs
    assert await removed(database, settings) == 0
    assert await Mailbox(database, settings).kinds() == [("ACCOUNT", "ada@example.org")]
    entries = await database.fetch("SELECT actor FROM audit_entries WHERE action = 'ACCOUNT_DELETED'")
    assert [entry["actor"] for entry in entries] == ["ada@example.org"], "the log outlives the account"


def _file(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    (folder / name).touch()
    return folder / name


async def test_what_deletes_nothing(accounts: Accounts, clock: Clock) -> None:
    ada = await enrolled(accounts, clock)
    with pytest.raises(Unauthenticated):
        await delete(accounts, ada.viewer, "wrong wrong", ada.app.code())
    with pytest.raises(BadInput) as missing:
        await delete(accounts, ada.viewer)
    assert missing.value.field == ("input", "code")
    with pytest.raises(Unauthenticated):
        await delete(accounts, ada.viewer, code=ada.app.code(steps=40))
    assert await auth.authenticate(accounts.database, accounts.settings, ada.session.token) is not None
    await delete(accounts, ada.viewer, code=ada.app.code())
    assert await auth.authenticate(accounts.database, accounts.settings, ada.session.token) is None


async def test_the_last_administrator_stays_also_when_two_leave_at_once(accounts: Accounts) -> None:
    admins = [await ada_of(accounts, f"root{number}@example.org", Role.ADMIN) for number in (1, 2)]
    outcomes = await asyncio.gather(
        *(delete(accounts, Viewer(one.user.id, Role.ADMIN)) for one in admins), return_exceptions=True
    )
    assert [type(one) for one in outcomes if one is not None] == [Conflict]
    assert await accounts.database.fetchval("SELECT count(*) FROM users WHERE role = 'ADMIN'") == 1
