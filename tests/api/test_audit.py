"""The audit log through the schema."""

from typing import Any

import pytest_asyncio

from db.unit import Database
from db.users import UserRow
from kit.ids import encode_global_id
from services import audit
from services.audit import Act, AuditAction
from services.permissions import ApiScope, Role, Viewer
from tests.client import Graph, gid
from tests.make import Maker

LOG = """
query ($first: Int, $after: String, $last: Int, $before: String, $filter: AuditFilter) {
  auditLog(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes {
      seq at action succeeded actor { email } actorName subject { email } networkAddress userAgent details digest
    }
  }
}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def root(make: Maker) -> UserRow:
    """An administrator."""
    return await make.user("root@example.org", role=Role.ADMIN)


async def write(database: Database, action: AuditAction, **fields: Any) -> None:
    async with database.unit() as unit:
        await audit.record(unit, Act(action, fields.pop("actor_id", None), fields.pop("actor", ""), **fields))


async def listed(graph: Graph, who: UserRow, **variables: Any) -> list[int]:
    return [node["seq"] for node in (await graph.ask(LOG, who, **variables))["auditLog"]["nodes"]]


async def test_an_entry_tells_all_that_was_written(
    graph: Graph, database: Database, root: UserRow, ada: UserRow
) -> None:
    gone = "018f0000-0000-7000-8000-000000000001"
    await write(
        database,
        AuditAction.USER_CREATED,
        actor_id=root.id,
        actor=root.email,
        subject_id=ada.id,
        network_address="192.0.2.7",
        user_agent="curl/8",
        details={"role": "USER"},
    )
    await write(database, AuditAction.SIGNED_IN, actor_id=gone, actor="gone@example.org", succeeded=False)

    page = (await graph.ask(LOG, root))["auditLog"]

    digests = await database.fetch("SELECT digest, at FROM audit_entries ORDER BY seq")
    assert page["totalCount"] == 2
    assert page["nodes"][1] == {
        "seq": 1,
        "at": digests[0]["at"].isoformat().replace("+00:00", "Z"),
        "action": "USER_CREATED",
        "succeeded": True,
        "actor": {"email": "root@example.org"},
        "actorName": "root@example.org",
        "subject": {"email": "ada@example.org"},
        "networkAddress": "192.0.2.7",
        "userAgent": "curl/8",
        "details": {"role": "USER"},
        "digest": digests[0]["digest"].hex(),
    }
    assert page["nodes"][0] | {"at": "", "digest": ""} == {
        "seq": 2,
        "at": "",
        "action": "SIGNED_IN",
        "succeeded": False,
        "actor": None,
        "actorName": "gone@example.org",
        "subject": None,
        "networkAddress": "",
        "userAgent": "",
        "details": {},
        "digest": "",
    }


async def test_pages_go_on_where_the_last_one_ended(graph: Graph, database: Database, root: UserRow) -> None:
    for _ in range(5):
        await write(database, AuditAction.SIGNED_IN)

    first = (await graph.ask(LOG, root, first=2))["auditLog"]
    assert [node["seq"] for node in first["nodes"]] == [5, 4]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    await write(database, AuditAction.SIGNED_IN)  # comes before, and moves nothing
    after = first["pageInfo"]["endCursor"]
    assert await listed(graph, root, first=2, after=after) == [3, 2]
    assert await listed(graph, root, first=5, after=after) == [3, 2, 1]
    assert await listed(graph, root, last=1, before=after) == [5]
    assert await listed(graph, root, last=2) == [2, 1]
    assert await graph.refusal(LOG, root, after=after[:-2] + "AA") == ["BAD_USER_INPUT"]
    assert await graph.refusal(LOG, root, first=101) == ["BAD_USER_INPUT"]


async def test_filters(graph: Graph, database: Database, root: UserRow, ada: UserRow, bob: UserRow) -> None:
    await write(database, AuditAction.SIGNED_IN, actor_id=ada.id, subject_id=ada.id)
    await write(database, AuditAction.SIGNED_IN, subject_id=bob.id, succeeded=False)
    await write(database, AuditAction.USER_CREATED, actor_id=root.id, subject_id=bob.id)
    moment = (await graph.ask(LOG, root, first=1))["auditLog"]["nodes"][0]["at"]

    async def seqs(**chosen: Any) -> list[int]:
        return await listed(graph, root, filter=chosen)

    assert await seqs() == [3, 2, 1]
    assert await seqs(action=["SIGNED_IN"]) == [2, 1]
    assert await seqs(action=["SIGNED_IN", "USER_CREATED"]) == [3, 2, 1]
    assert await seqs(action=[]) == []
    assert await seqs(actorId=gid(ada, "User")) == [1]
    assert await seqs(subjectId=gid(bob, "User")) == [3, 2]
    assert await seqs(subjectId=gid(bob, "User"), succeeded=False) == [2]
    assert await seqs(succeeded=True) == [3, 1]
    assert await seqs(**{"from": moment}) == [3]
    assert await seqs(to=moment) == [2, 1]
    assert await graph.refusal(LOG, root, filter={"from": moment, "to": moment}) == ["BAD_USER_INPUT"]
    assert await graph.refusal(LOG, root, filter={"actorId": encode_global_id("Tag", ada.id)}) == ["BAD_USER_INPUT"]
    counted = await graph.ask(LOG, root, first=1, filter={"action": ["SIGNED_IN"]})
    assert counted["auditLog"]["totalCount"] == 2


async def test_the_log_is_for_administrators_who_are_signed_in(graph: Graph, root: UserRow, ada: UserRow) -> None:
    assert await graph.refusal(LOG) == ["UNAUTHENTICATED"]
    assert await graph.refusal(LOG, ada) == ["FORBIDDEN"]
    key = Viewer(id=root.id, role=Role.ADMIN, scopes=frozenset(ApiScope))
    assert await graph.refusal(LOG, key) == ["FORBIDDEN"]
    half = Viewer(id=root.id, role=Role.ADMIN, must_enrol=True)
    assert await graph.refusal(LOG, half) == ["FORBIDDEN"]
