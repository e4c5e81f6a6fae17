"""`graphmark user list`, `disable`, `enable` and `set-role`, run in this process against a real database."""

import asyncio
import json

import pytest

from db.unit import Database
from services.permissions import Role
from tests.app.test_audit_cli import Run, run
from tests.make import Maker

__all__ = ["run"]


async def test_the_operator_administers(
    database: Database, make: Maker, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    root, ada = await make.user("root@example.org", role=Role.ADMIN), await make.user("ada@example.org")
    await make.session(ada)

    assert await asyncio.to_thread(run, "user", "set-role", "--email", "Ada@example.org", "--role", "admin") == 0
    assert capsys.readouterr().out == "Ada@example.org has the role ADMIN.\n"
    assert await database.fetchval("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == 0
    assert await asyncio.to_thread(run, "user", "disable", "--email", "root@example.org") == 0
    assert await asyncio.to_thread(run, "user", "disable", "--email", "ada@example.org") == 1
    assert "last administrator" in capsys.readouterr().err
    assert await asyncio.to_thread(run, "user", "enable", "--email", "nobody@example.org") == 1
    capsys.readouterr()

    assert await asyncio.to_thread(run, "user", "list", "--json") == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["email"], one["role"], one["isDisabled"]) for one in listed] == [
        ("root@example.org", "ADMIN", True),
        ("ada@example.org", "ADMIN", False),
    ]
    assert await asyncio.to_thread(run, "user", "enable", "--email", "root@example.org") == 0
    assert await asyncio.to_thread(run, "user", "list") == 0
    assert "root@example.org  ADMIN, last signed in: never\n" in capsys.readouterr().out
    told = await database.fetch("SELECT action, actor, subject_id FROM audit_entries ORDER BY seq")
    assert [tuple(row) for row in told] == [
        ("ROLE_CHANGED", "operator", ada.id),
        ("USER_DISABLED", "operator", root.id),
        ("USER_ENABLED", "operator", root.id),
    ]
