"""Giving the bookmarks of one account to another, through the schema."""

from typing import Any
from uuid import UUID

import pytest

from db.unit import Database
from db.users import UserRow
from kit.ids import decode_global_id, encode_global_id
from kit.settings import Settings
from services.permissions import ApiScope, Role, Viewer
from tasks.transfers import HANDLER
from tests.client import Graph, gid
from tests.make import Maker
from tests.working import worker_on

TRANSFER = """
mutation ($input: TransferBookmarksInput!) {
  transferBookmarks(input: $input) {
    task { id workflow status } bookmarks wouldMove wouldMerge userErrors { code field }
  }
}
"""
TASK = "query ($id: ID!) { task(id: $id) { status progress currentStep } }"
LISTED = "{ bookmarks { totalCount nodes { url tags { name } } } }"


def between(ada: UserRow, bob: UserRow) -> dict[str, Any]:
    return {"fromUserId": gid(ada, "User"), "toUserId": gid(bob, "User")}


async def test_bookmarks_go_and_an_administrator_watches(
    graph: Graph, database: Database, settings: Settings, make: Maker, ada: UserRow, bob: UserRow
) -> None:
    root = await make.user("root@example.org", role=Role.ADMIN)
    for url in ("https://example.org/a", "https://example.org/both"):
        await make.bookmark(Viewer(ada.id), {"url": url, "tags": ["dev"]})
    await make.bookmark(Viewer(bob.id), {"url": "https://example.org/both"})
    would = (await graph.ask(TRANSFER, root, input=between(ada, bob) | {"dryRun": True}))["transferBookmarks"]
    counts = {"bookmarks": 2, "wouldMove": 1, "wouldMerge": 1, "userErrors": []}
    assert would == {"task": None, **counts}
    assert (await graph.ask(LISTED, ada))["bookmarks"]["totalCount"] == 2

    given = between(ada, bob) | {"idempotencyKey": "once"}
    made = (await graph.ask(TRANSFER, root, input=given))["transferBookmarks"]
    task = made["task"]
    assert made == {"task": {"id": task["id"], "workflow": "TRANSFER", "status": "PENDING"}, **counts}
    assert (await graph.ask(TRANSFER, root, input=given))["transferBookmarks"]["task"]["id"] == task["id"]
    busy = (await graph.ask(TRANSFER, root, input=between(bob, ada)))["transferBookmarks"]
    assert busy == {
        **dict.fromkeys(("task", "bookmarks", "wouldMove", "wouldMerge")),
        "userErrors": [{"code": "CONFLICT", "field": None}],
    }
    async with worker_on(database, settings, {HANDLER.kind: HANDLER}) as worker:
        await worker.until_idle()

    done = (await graph.ask(TASK, root, id=task["id"]))["task"]
    assert done == {"status": "COMPLETED", "progress": 1.0, "currentStep": "2 of 2 bookmarks"}
    assert (await graph.ask(TASK, ada, id=task["id"]))["task"] is None, "whose they were does not steer it"
    assert (await graph.ask(LISTED, ada))["bookmarks"]["totalCount"] == 0
    has = {node["url"]: node["tags"] for node in (await graph.ask(LISTED, bob))["bookmarks"]["nodes"]}
    assert has == {f"https://example.org/{name}": [{"name": "dev"}] for name in ("a", "both")}
    log = "{ auditLog { nodes { action succeeded details } } }"
    told = (await graph.ask(log, root))["auditLog"]["nodes"]
    key = decode_global_id(task["id"])[1]
    named = {"from": "ada@example.org", "to": "bob@example.org", "task": str(key)}
    ended = {"status": "COMPLETED", "moved": 1, "merged": 1, "skipped": 0}
    assert told == [
        {"action": "TRANSFER_ENDED", "succeeded": True, "details": named | ended},
        {"action": "TRANSFER_STARTED", "succeeded": True, "details": named | {"bookmarks": 2}},
    ]


async def test_what_is_no_pair_of_accounts(graph: Graph, make: Maker, ada: UserRow) -> None:
    root = await make.user("root@example.org", role=Role.ADMIN)
    nobody = encode_global_id("User", UUID(int=7))
    for given, code, field in (
        (between(ada, ada), "BAD_USER_INPUT", "toUserId"),
        (between(ada, ada) | {"fromUserId": nobody}, "NOT_FOUND", "fromUserId"),
        (between(ada, ada) | {"toUserId": nobody}, "NOT_FOUND", "toUserId"),
        (between(ada, ada) | {"toUserId": "?"}, "BAD_USER_INPUT", "toUserId"),
    ):
        refused = (await graph.ask(TRANSFER, root, input=given))["transferBookmarks"]
        assert refused["userErrors"] == [{"code": code, "field": ["input", field]}]


@pytest.mark.parametrize("dry_run", [True, False])
async def test_only_administrators_with_a_session_transfer(
    graph: Graph, database: Database, make: Maker, ada: UserRow, bob: UserRow, *, dry_run: bool
) -> None:
    root = await make.user("root@example.org", role=Role.ADMIN)
    given = between(ada, bob) | {"dryRun": dry_run}
    assert await graph.refusal(TRANSFER, input=given) == ["UNAUTHENTICATED"]
    assert await graph.refusal(TRANSFER, ada, input=given) == ["FORBIDDEN"]
    key = Viewer(id=root.id, role=Role.ADMIN, scopes=frozenset(ApiScope))
    assert await graph.refusal(TRANSFER, key, input=given) == ["FORBIDDEN"]
    assert await database.fetchval("SELECT count(*) FROM a2a_tasks") == 0
