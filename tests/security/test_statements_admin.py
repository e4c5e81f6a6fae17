"""A22 to A24: acts on accounts are written down, the operator makes the first administrator, the last one stays."""

import asyncio
import json

import asyncpg
import pytest

from db.unit import Database
from db.users import UserRow
from kit.errors import BadInput, Conflict, Forbidden, Unauthenticated
from resolvers.context import Services
from services import admin, audit, auth
from services.admin.acting import Acting
from services.auth import Accounts, Device, SignedIn
from services.permissions import Role, Viewer
from services.users import refuse_last_admin
from tests.make import Maker

PASSWORD = "correct horse battery"
DEVICE = Device(user_agent="curl/8\r\n2026-01-01 admin signed in", network_address="192.0.2.7")


@pytest.fixture
def accounts(services: Services) -> Accounts:
    """What opening accounts needs."""
    return Accounts(services.database, services.passwords, services.settings)


async def test_a22_the_audit_log_is_append_only_chained_and_holds_no_secret(
    database: Database, accounts: Accounts
) -> None:
    await auth.register(
        accounts, email="ada@example.org", password=PASSWORD, name="Ada", invite_token=None, device=DEVICE
    )
    signed_in = await auth.login(accounts, email="ada@example.org", password=PASSWORD, device=DEVICE)
    assert isinstance(signed_in, SignedIn)
    for email, password in (("ada@example.org", "wrong horse battery"), (PASSWORD, "ada@example.org")):
        with pytest.raises(Unauthenticated):
            await auth.login(accounts, email=email, password=password, device=DEVICE)

    rows = await database.fetch("SELECT *, extract(timezone FROM at) AS zone FROM audit_entries ORDER BY seq")
    told = [(row["action"], row["succeeded"], row["actor_id"], row["subject_id"]) for row in rows]
    ada = signed_in.user.id
    assert told == [
        ("REGISTERED", True, ada, ada),
        ("SIGNED_IN", True, ada, ada),
        ("SIGNED_IN", False, None, ada),
        ("SIGNED_IN", False, None, None),
    ]
    assert [row["details"] for row in rows] == [
        {},
        {"factor": "password"},
        {"factor": "password", "reason": "WRONG_PASSWORD", "account": "ada@example.org"},
        {"factor": "password", "reason": "UNKNOWN_ADDRESS"},
    ]
    assert {(row["network_address"], row["user_agent"], row["zone"]) for row in rows} == {
        ("192.0.2.7", "curl/8  2026-01-01 admin signed in", 0)
    }
    everything = json.dumps([dict(row) for row in rows], default=repr)
    for secret in (PASSWORD, "horse", signed_in.token, signed_in.token[4:20]):
        assert secret not in everything
    for statement in (
        "UPDATE audit_entries SET actor = ''",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "UPDATE audit_head SET seq = 1",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute(statement)
    seen = await audit.verify(database)
    assert (seen.entries, seen.fault) == (4, None)


async def test_a23_there_is_no_account_until_the_operator_makes_one(database: Database, accounts: Accounts) -> None:
    assert await database.fetchval("SELECT count(*) FROM users") == 0
    for email in ("admin", "admin@localhost", "admin@example.com", "root"):
        with pytest.raises(Unauthenticated):
            await auth.login(accounts, email=email, password="admin", device=DEVICE)
    async with database.unit() as unit:
        first = await auth.create_setup_token(unit)
        second = await auth.create_setup_token(unit)
    assert first is not None
    assert second is not None

    async def follow(token: str, email: str) -> Role:
        opened = await auth.register(
            accounts, email=email, password=PASSWORD, name="Root", invite_token=token, device=DEVICE
        )
        return Role(opened.user.role)

    with pytest.raises(BadInput):
        await follow(first, "early@example.org")  # a newer link voids an older one
    assert await follow(second, "root@example.org") is Role.ADMIN
    with pytest.raises(BadInput):
        await follow(second, "again@example.org")
    async with database.unit() as unit:
        assert await auth.create_setup_token(unit) is None
    made = await auth.create_user(accounts, email="cli@example.org", password=PASSWORD, name="CLI", role=Role.ADMIN)
    assert made.role == "ADMIN"
    assert await database.fetchval("SELECT count(*) FROM users") == 2


async def test_a24_the_last_administrator_cannot_go(database: Database, make: Maker) -> None:
    first, second = await make.user(role=Role.ADMIN), await make.user(role=Role.ADMIN)

    async def leave(who: UserRow, whom: UserRow, how: str) -> bool:
        acting = Acting(Viewer(id=who.id, role=Role.ADMIN))
        try:
            async with database.unit() as unit:
                if how == "role":
                    await admin.set_role(unit, acting, whom.id, Role.USER)
                else:
                    await admin.disable(unit, acting, whom.id, disabled=True)
        except (Conflict, Forbidden):
            return False
        return True

    count = "SELECT count(*) FROM users WHERE role = 'ADMIN' AND disabled_at IS NULL"
    for how, other in (("role", "role"), ("disable", "disable"), ("role", "disable")):
        # Each takes the other's role, and each gives up their own, at the same moment.
        for whom, whom_else in ((second, first), (first, second)):
            await database.execute("UPDATE users SET role = 'ADMIN', disabled_at = NULL")
            done = await asyncio.gather(leave(first, whom, how), leave(second, whom_else, other))
            assert sorted(done) == [False, True]
            assert await database.fetchval(count) == 1
    left = await database.fetchval("SELECT id FROM users WHERE role = 'ADMIN' AND disabled_at IS NULL")
    last = first if left == first.id else second
    await database.execute("UPDATE users SET role = 'USER', disabled_at = NULL WHERE id <> $1", last.id)
    for how in ("role", "disable"):
        assert not await leave(last, last, how)
    async with database.unit() as unit:
        with pytest.raises(Conflict):
            await refuse_last_admin(unit, last.id)
    assert await database.fetchval(count) == 1
