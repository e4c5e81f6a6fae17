"""F8: rows and rings that nobody can read block nobody, and end where somebody sees them and can try them again."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import pytest

from db.unit import Database
from db.users import UserRow
from kit.ids import encode_global_id
from resolvers.context import Services
from services.agents import WORKFLOW_KIND, AgentName, Workflow
from services.imports.jobs import KIND, UNDO_KIND
from services.permissions import Role
from tests.client import Graph, viewer
from tests.faults.processes import Processes, until
from tests.faults.test_workflows import FEW, TOYS, assert_done_once, done
from tests.make import Maker
from tests.tasks.toys import start

GOOD = 20
MOST = 2
FUTURE = 99
KINDS = (WORKFLOW_KIND, KIND, UNDO_KIND, AgentName.VALIDATION.value)
PAYLOADS: tuple[Any, ...] = (
    {},
    [],
    None,
    7,
    "source",
    {"source": "MARS"},
    {"source": {"nested": [[[[]]]]}},
    {"source": "IMPORT", "import": "no id"},
    {"source": "QUERY", "query": {"no": "text"}},
    {"source": "QUERY", "query": 'title:"'},
)
FAILED = """
{ tasks(first: 100, filter: {status: [FAILED]}) { nodes { id workflow error } } }
"""
RETRY = "mutation ($input: TaskIdInput!) { retryTask(input: $input) { task { status } userErrors { code } } }"
REPLAY = "mutation { replayDeadLetters(input: {}) { replayed userErrors { code } } }"

pytestmark = pytest.mark.fault


async def add(
    database: Database, owner_id: UUID, kind: str, payload: Any, *, version: int = 1, workflow: str = "VALIDATION_ONLY"
) -> UUID:
    """Add a task as something that is not this version of Graphmark may write it, to be taken before all others."""
    key: UUID = await database.fetchval(
        """
        INSERT INTO a2a_tasks (id, owner_id, workflow, kind, payload, payload_version, max_attempts, step, total_steps,
            current_agent, priority)
        VALUES (gen_random_uuid(), $1, $2, $3, $4::text::jsonb, $5, $6, 0, 1, 'VALIDATION', 100) RETURNING id
        """,
        owner_id,
        workflow,
        kind,
        orjson.dumps(payload).decode(),
        version,
        MOST,
    )
    if kind == WORKFLOW_KIND:
        await database.execute(
            "INSERT INTO a2a_task_steps (task_id, position, agent) VALUES ($1, 0, 'VALIDATION')", key
        )
    return key


async def ends_of(database: Database, keys: Sequence[UUID]) -> list[tuple[str, int, str | None]]:
    """Return status, attempts and reason of tasks."""
    found = await database.fetch("SELECT status, attempt, error FROM a2a_tasks WHERE id = ANY($1)", list(keys))
    return [(row["status"], row["attempt"], row["error"]) for row in found]


async def are_over(database: Database, keys: Sequence[UUID]) -> bool:
    """Tell whether tasks have ended."""
    return all(status in {"FAILED", "COMPLETED"} for status, _, _ in await ends_of(database, keys))


async def test_rows_that_cannot_be_read_end_as_dead_letters(
    services: Services, database: Database, processes: Processes, make: Maker
) -> None:
    """They go first, and a good workflow behind them is done all the same; each ends after few attempts, told why."""
    user, root = await make.user(), await make.user(role=Role.ADMIN)
    ids = [
        (await make.bookmark(viewer(user), {"url": f"https://example.org/good/{number}"})).id for number in range(GOOD)
    ]
    bad = [await add(database, user.id, WORKFLOW_KIND, payload) for payload in PAYLOADS]
    bad += [await add(database, user.id, kind, payload) for kind in (KIND, UNDO_KIND) for payload in PAYLOADS[:5]]
    left = [await add(database, user.id, "from.the.future", payload, workflow="X") for payload in PAYLOADS[:5]]
    left += [await add(database, user.id, kind, {}, version=FUTURE) for kind in KINDS]
    task = await start(database, viewer(user), ids, Workflow.QUICK)
    worker = processes.start(module=TOYS, **FEW)
    await until(partial(done, database, task), "the good one ended")
    await assert_done_once(database, task, ids, 2)
    await until(partial(are_over, database, bad), "the bad ones ended")
    found = await ends_of(database, bad)
    assert {status for status, _, _ in found} == {"FAILED"}
    assert all(1 <= attempt <= MOST and error for _, attempt, error in found)
    assert {one[:2] for one in await ends_of(database, left)} == {("PENDING", 0)}
    assert worker.poll() is None
    await replayed(Graph(services), database, user, root, bad)


async def replayed(graph: Graph, database: Database, user: UserRow, root: UserRow, bad: Sequence[UUID]) -> None:
    """Assert that the owner sees the dead letters and why, and that both kinds of people can try them again."""
    seen = (await graph.ask(FAILED, user))["tasks"]
    assert {node["id"]: node["error"] for node in seen["nodes"]} == {
        encode_global_id("Task", row["id"]): row["error"]
        for row in await database.fetch("SELECT id, error FROM a2a_tasks WHERE id = ANY($1)", list(bad))
    }
    assert await graph.refusal(REPLAY, user) == ["FORBIDDEN"]
    again = await graph.ask(RETRY, user, input={"id": seen["nodes"][0]["id"]})
    assert again["retryTask"] == {"task": {"status": "PENDING"}, "userErrors": []}
    assert (await graph.ask(REPLAY, root))["replayDeadLetters"] == {"replayed": len(bad) - 1, "userErrors": []}
    await until(partial(are_over, database, bad), "tried again")
    assert {status for status, _, _ in await ends_of(database, bad)} == {"FAILED"}
