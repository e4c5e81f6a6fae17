"""Tasks, workflows and agents through the schema: start, look, steer, follow."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
import pytest_asyncio

from db import agents as tasks
from db.users import UserRow
from kit.ids import new_id
from kit.paging import encode_cursor
from kit.settings import BookmarkWorkflow, ImportWorkflow
from resolvers.context import Services
from services import agents
from services.agents import AgentName, fleet
from services.events import cursor_of
from services.permissions import Role
from tasks.agent import Batch, Done, Failed, Outcome
from tasks.agents.registry import IMPORT_CARD
from tasks.imports import HANDLERS
from tests.api.test_imports import start as start_import
from tests.api.test_imports import upload
from tests.client import Graph, gid, viewer
from tests.faults.processes import until
from tests.make import Maker
from tests.snapshot import snapshot
from tests.tasks.toys import handlers_of, toy
from tests.working import TestWorker, worker_on

START = """
mutation ($input: StartWorkflowInput!) {
  startWorkflow(input: $input) { task { id status workflow totalSteps } userErrors { code field message } }
}
"""
TASK = """
query ($id: ID!) {
  task(id: $id) {
    workflow status progress currentAgent totalSteps error owner { email }
    steps { agent status total done failed skipped }
    bookmarks(first: 50) { totalCount nodes { bookmark { title } agent status reason attempt } }
    failed: bookmarks(filter: {status: [FAILED]}) { totalCount nodes { reason } }
    messages { nodes { kind agent message } }
    artifacts { totalCount nodes { id agent agentVersion kind done failed sizeBytes sha256 content } }
  }
}
"""
STEER = """
mutation ($input: TaskIdInput!) { %sTask(input: $input) { task { status } userErrors { code field } } }
"""
FOLLOW = """
subscription ($id: ID, $after: String) {
  taskUpdated(taskId: $id, after: $after) { cursor resync status progress currentAgent task { id status } }
}
"""
AGENTS = """
{ agents { id name version status isPaused queueDepth running succeeded24h failed24h averageDuration card } }
"""
AGENT_FOLLOW = """
subscription ($after: String) {
  agentStatusChanged(after: $after) { cursor resync name status isPaused agent { name isPaused } }
}
"""
PAUSE = "mutation ($input: AgentInput!) { pauseAgent(input: $input) { agent { name isPaused } userErrors { code } } }"
REPLAY = """
mutation ($input: ReplayDeadLettersInput!) { replayDeadLetters(input: $input) { replayed userErrors { code } } }
"""
RESUME = "mutation ($input: AgentInput!) { resumeAgent(input: $input) { agent { isPaused } userErrors { code } } }"


async def half(batch: Batch) -> list[Outcome]:
    """Fail at what says so in the task's options."""
    bad = batch.options.get("bad")
    return [Failed("Broken.") if str(item.bookmark_id) == bad else Done({"ok": True}) for item in batch.items]


@asynccontextmanager
async def at_work(services: Services, *agents: Any) -> AsyncIterator[TestWorker]:
    """Run a worker that knows imports and these agents."""
    handlers = {**HANDLERS, **handlers_of(services.database, services.settings, *agents)}
    async with worker_on(services.database, services.settings, handlers) as worker:
        yield worker


async def take(stream: AsyncIterator[Any], number: int) -> list[Any]:
    """Return the first events of a subscription."""
    found: list[Any] = []
    async with aclosing(cast("Any", stream)) as events:
        async for event in events:
            found.extend(event.values())
            if len(found) == number:
                break
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def root(make: Maker) -> UserRow:
    """An administrator."""
    return await make.user("root@example.org", role=Role.ADMIN)


async def test_a_workflow_from_its_start_to_its_artifacts(
    graph: Graph, ada: UserRow, bob: UserRow, make: Maker
) -> None:
    rows = [await make.bookmark(viewer(ada), {"title": f"B{n}"}) for n in range(3)]
    given = {
        "workflow": "QUICK",
        "bookmarkIds": [gid(row) for row in rows],
        "options": {"bad": str(rows[1].id)},
    }
    started = (await graph.ask(START, ada, input=given))["startWorkflow"]
    assert started["userErrors"] == []
    assert (started["task"]["status"], started["task"]["totalSteps"]) == ("PENDING", 2)
    task_id = started["task"]["id"]
    async with at_work(graph.services, toy(process=half), toy(AgentName.CATEGORIZATION, half)) as worker:
        await worker.until_idle()
    task = (await graph.ask(TASK, ada, id=task_id))["task"]
    artifacts, messages = task.pop("artifacts"), task.pop("messages")
    assert task == {
        "workflow": "QUICK",
        "status": "COMPLETED",
        "progress": 1.0,
        "currentAgent": "CATEGORIZATION",
        "totalSteps": 2,
        "error": None,
        "owner": {"email": "ada@example.org"},
        "steps": [
            {"agent": "VALIDATION", "status": "COMPLETED", "total": 3, "done": 2, "failed": 1, "skipped": 0},
            {"agent": "CATEGORIZATION", "status": "COMPLETED", "total": 2, "done": 2, "failed": 0, "skipped": 0},
        ],
        "bookmarks": {
            "totalCount": 5,
            "nodes": [
                fate("B0", "VALIDATION"),
                fate("B1", "VALIDATION", "FAILED", "Broken."),
                fate("B2", "VALIDATION"),
                fate("B0", "CATEGORIZATION"),
                fate("B2", "CATEGORIZATION"),
            ],
        },
        "failed": {"totalCount": 1, "nodes": [{"reason": "Broken."}]},
    }
    assert [one["kind"] for one in messages["nodes"]] == ["STATUS", "ERROR", "COMPLETION", "STATUS", "COMPLETION"]
    assert messages["nodes"][2]["message"] == "Validation: 2 done, 1 failed, 0 skipped."
    assert artifacts["totalCount"] == 2
    first = artifacts["nodes"][0]
    assert (first["agentVersion"], first["kind"], first["done"]) == ("1.2.3", "bookmark_validation_result", 2)
    assert [one["outcome"] for one in first["content"]["results"]] == ["DONE", "FAILED", "DONE"]
    assert (await graph.ask(TASK, bob, id=task_id))["task"] is None


def fate(title: str, agent: str, status: str = "DONE", reason: str | None = None) -> dict[str, Any]:
    """Return how a bookmark of a task is shown."""
    return {"bookmark": {"title": title}, "agent": agent, "status": status, "reason": reason, "attempt": 1}


async def test_lists_of_tasks_are_filtered_and_hide_units(
    graph: Graph, ada: UserRow, bob: UserRow, make: Maker
) -> None:
    one, other = await make.bookmark(viewer(ada)), await make.bookmark(viewer(ada))
    for row in (one, other):
        await graph.ask(START, ada, input={"workflow": "VALIDATION_ONLY", "bookmarkIds": [gid(row)]})
    await graph.ask(START, ada, input={"workflow": "REPROCESS"})
    async with at_work(graph.services, toy()) as worker:
        await worker.until_idle()
    listed = (
        "query ($f: TaskFilter, $o: TaskOrder) { tasks(filter: $f, orderBy: $o) { totalCount nodes { workflow } } }"
    )
    found = (await graph.ask(listed, ada))["tasks"]
    assert [node["workflow"] for node in found["nodes"]] == ["REPROCESS", "VALIDATION_ONLY", "VALIDATION_ONLY"]
    oldest = {"field": "CREATED_AT", "direction": "ASC"}
    found = (await graph.ask(listed, ada, o=oldest, f={"workflow": ["REPROCESS"], "status": ["COMPLETED"]}))["tasks"]
    assert found == {"totalCount": 1, "nodes": [{"workflow": "REPROCESS"}]}
    assert (await graph.ask(listed, ada, f={"bookmarkId": gid(one)}))["tasks"]["totalCount"] == 2
    of_one = "query ($id: ID!) { bookmark(id: $id) { tasks(first: 1) { totalCount nodes { workflow } } } }"
    found = (await graph.ask(of_one, ada, id=gid(one)))["bookmark"]["tasks"]
    assert found == {"totalCount": 2, "nodes": [{"workflow": "REPROCESS"}]}
    assert (await graph.ask(listed, bob))["tasks"]["totalCount"] == 0


async def test_a_refused_start_starts_nothing(graph: Graph, ada: UserRow, bob: UserRow, make: Maker) -> None:
    mine, foreign = await make.bookmark(viewer(ada)), await make.bookmark(viewer(bob))
    before = await snapshot(graph.services.database)
    for given, code, field in (
        ({"bookmarkIds": [gid(mine), gid(foreign)]}, "NOT_FOUND", ["input", "bookmarkIds", "1"]),
        ({"bookmarkIds": []}, "BAD_USER_INPUT", ["input", "bookmarkIds"]),
        ({"bookmarkIds": [gid(mine)], "query": "x"}, "BAD_USER_INPUT", ["input", "query"]),
        ({"query": "("}, "BAD_USER_INPUT", ["input", "query"]),
        ({"options": [1]}, "BAD_USER_INPUT", ["input", "options"]),
        ({"options": {"a": "b" * 5000}}, "BAD_USER_INPUT", ["input", "options"]),
        ({"options": {"a": "b\0"}}, "BAD_USER_INPUT", ["input", "options"]),
        ({"options": {"\0": "\\u0000"}}, "BAD_USER_INPUT", ["input", "options"]),
        ({"options": {"a": 2**64}}, "BAD_USER_INPUT", ["input", "options"]),
    ):
        answer = (await graph.ask(START, ada, input={"workflow": "REPROCESS", **given}))["startWorkflow"]
        assert answer["task"] is None
        assert [(one["code"], one["field"]) for one in answer["userErrors"]] == [(code, field)]
    assert await graph.refusal(START, None, input={"workflow": "REPROCESS"}) == ["UNAUTHENTICATED"]
    assert await snapshot(graph.services.database) == before


async def test_an_account_has_a_hundred_open_workflows_at_most(
    graph: Graph, ada: UserRow, bob: UserRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "MAX_OPEN", 2)
    given = {"workflow": "REPROCESS", "idempotencyKey": "k"}
    first = (await graph.ask(START, ada, input=given))["startWorkflow"]["task"]
    await graph.ask(STEER % "pause", ada, input={"id": first["id"]})
    await graph.ask(START, ada, input={"workflow": "REPROCESS"})
    before = await snapshot(graph.services.database)
    refused = (await graph.ask(START, ada, input={"workflow": "REPROCESS"}))["startWorkflow"]
    assert (refused["task"], [one["code"] for one in refused["userErrors"]]) == (None, ["CONFLICT"])
    again = (await graph.ask(START, ada, input=given))["startWorkflow"]
    assert (again["task"]["id"], again["userErrors"]) == (first["id"], [])
    assert await snapshot(graph.services.database) == before
    assert (await graph.ask(START, bob, input=given))["startWorkflow"]["userErrors"] == []
    await graph.ask(STEER % "cancel", ada, input={"id": first["id"]})
    assert (await graph.ask(START, ada, input={"workflow": "REPROCESS"}))["startWorkflow"]["userErrors"] == []


async def test_options_may_speak_of_nul_characters(graph: Graph, ada: UserRow) -> None:
    given = {"workflow": "REPROCESS", "options": {"a": "\\u0000", "b": "\\\\u0000"}}
    assert (await graph.ask(START, ada, input=given))["startWorkflow"]["userErrors"] == []


async def test_lists_of_tasks_refuse_what_no_database_compares_with(graph: Graph, ada: UserRow) -> None:
    listed = "query ($f: TaskFilter) { tasks(filter: $f) { totalCount } }"
    for name in ("REPROCESS\0", "R" * 100_000):
        assert await graph.refusal(listed, ada, f={"workflow": [name]}) == ["BAD_USER_INPUT"]
    started = await graph.ask(START, ada, input={"workflow": "REPROCESS"})
    of_one = "query ($id: ID!, $a: String) { task(id: $id) { bookmarks(after: $a) { totalCount nodes { status } } } }"
    for place in ((2**40, 0), (0, 2**40)):
        found = await graph.ask(
            of_one, ada, id=started["startWorkflow"]["task"]["id"], a=encode_cursor("task-bookmarks", place)
        )
        assert found["task"]["bookmarks"] == {"totalCount": 0, "nodes": []}


async def test_tasks_are_steered_by_their_owner_alone(graph: Graph, ada: UserRow, bob: UserRow, make: Maker) -> None:
    await make.bookmark(viewer(ada))
    task_id = (await graph.ask(START, ada, input={"workflow": "REPROCESS"}))["startWorkflow"]["task"]["id"]
    before = await snapshot(graph.services.database)
    for verb in ("pause", "resume", "cancel", "retry"):
        answer = (await graph.ask(STEER % verb, bob, input={"id": task_id}))[f"{verb}Task"]
        assert answer == {"task": None, "userErrors": [{"code": "NOT_FOUND", "field": ["input", "id"]}]}
    assert await snapshot(graph.services.database) == before
    for verb, status in (("pause", "PAUSED"), ("pause", "PAUSED"), ("resume", "PENDING"), ("cancel", "CANCELLED")):
        answer = (await graph.ask(STEER % verb, ada, input={"id": task_id}))[f"{verb}Task"]
        assert answer == {"task": {"status": status}, "userErrors": []}
    answer = (await graph.ask(STEER % "retry", ada, input={"id": task_id}))["retryTask"]
    assert answer["userErrors"] == [{"code": "CONFLICT", "field": ["input", "id"]}]


async def test_tasks_are_followed_and_resumed_without_gap(graph: Graph, ada: UserRow, make: Maker) -> None:
    row = await make.bookmark(viewer(ada))
    cursor = cursor_of(await graph.services.database.fetchval("SELECT seq FROM event_counters"))
    given = {"workflow": "VALIDATION_ONLY", "bookmarkIds": [gid(row)]}
    task_id = (await graph.ask(START, ada, input=given))["startWorkflow"]["task"]["id"]
    async with at_work(graph.services, toy()) as worker:
        await worker.until_idle()
    number = await graph.services.database.fetchval("SELECT count(*) FROM events WHERE topic = 'task.updated'")
    events = await take(graph.follow(FOLLOW, ada, after=cursor), number)
    assert (events[0]["status"], events[-1]["status"], events[-1]["progress"]) == ("PENDING", "COMPLETED", 1)
    assert all(event["task"] == {"id": task_id, "status": "COMPLETED"} and not event["resync"] for event in events)
    again = await take(graph.follow(FOLLOW, ada, id=task_id, after=events[1]["cursor"]), number - 2)
    assert again == events[2:]
    body = await anext(aiter(graph.follow(FOLLOW, ada, id=task_id, after=cursor_of(10**6))))
    assert body["taskUpdated"]["resync"]


async def test_agents_are_announced_paused_and_followed(graph: Graph, ada: UserRow, root: UserRow, make: Maker) -> None:
    database = graph.services.database
    card = {
        "name": "VALIDATION",
        "kind": "VALIDATION",
        "version": "1.2.3",
        "description": "A toy.",
        "concurrency": 2,
        "rate_per_minute": None,
    }
    async with database.unit() as unit:
        await fleet.register(unit, [card])
    (agent,) = (await graph.ask(AGENTS, ada))["agents"]
    assert (agent["name"], agent["status"], agent["isPaused"], agent["card"]) == ("VALIDATION", "ONLINE", False, card)
    assert await graph.refusal(PAUSE, ada, input={"name": "VALIDATION"}) == ["FORBIDDEN"]
    assert (await graph.ask(PAUSE, root, input={"name": "IMPORT"}))["pauseAgent"]["userErrors"] == [
        {"code": "NOT_FOUND"}
    ]
    paused = (await graph.ask(PAUSE, root, input={"name": "VALIDATION"}))["pauseAgent"]
    assert paused == {"agent": {"name": "VALIDATION", "isPaused": True}, "userErrors": []}
    row = await make.bookmark(viewer(ada))
    task_id = (await graph.ask(START, ada, input={"workflow": "VALIDATION_ONLY", "bookmarkIds": [gid(row)]}))[
        "startWorkflow"
    ]["task"]["id"]
    async with at_work(graph.services, toy()) as worker:
        parked = "SELECT run_after = 'infinity' FROM a2a_tasks WHERE kind = 'WORKFLOW'"
        await until(lambda: database.fetchval(parked), "the workflow waits for its units")
        worker.wake()
        assert (await graph.ask(TASK, ada, id=task_id))["task"]["status"] == "RUNNING"
        await graph.ask(RESUME, root, input={"name": "VALIDATION"})
        await worker.until_idle()
    assert (await graph.ask(TASK, ada, id=task_id))["task"]["status"] == "COMPLETED"
    async with database.unit() as unit:
        await fleet.count_work(unit)
        assert await fleet.expire(unit, older_than_seconds=0) == 1
    (agent,) = (await graph.ask(AGENTS, ada))["agents"]
    assert (agent["status"], agent["succeeded24h"], agent["failed24h"]) == ("OFFLINE", 1, 0)
    assert agent["averageDuration"].startswith("PT")
    events = await take(graph.follow(AGENT_FOLLOW, ada, after=cursor_of(0)), 5)
    assert [(event["status"], event["isPaused"]) for event in events] == [
        ("ONLINE", False),
        ("ONLINE", True),
        ("ONLINE", False),
        ("ONLINE", False),
        ("OFFLINE", False),
    ]
    assert await take(graph.follow(AGENT_FOLLOW, root, after=events[2]["cursor"]), 2) == events[3:]
    node = "query ($id: ID!) { node(id: $id) { __typename ... on Agent { name } } }"
    assert (await graph.ask(node, ada, id=agent["id"]))["node"] == {"__typename": "Agent", "name": "VALIDATION"}


async def test_dead_letters_are_replayed_by_administrators(
    graph: Graph, ada: UserRow, root: UserRow, make: Maker
) -> None:
    row = await make.bookmark(viewer(ada))
    given = {"workflow": "VALIDATION_ONLY", "bookmarkIds": [gid(row)], "options": {"bad": str(row.id)}}
    task_id = (await graph.ask(START, ada, input=given))["startWorkflow"]["task"]["id"]
    async with at_work(graph.services, toy(process=half)) as worker:
        await worker.until_idle()
    task = (await graph.ask(TASK, ada, id=task_id))["task"]
    assert (task["status"], task["failed"]["totalCount"]) == ("FAILED", 1)
    assert await graph.refusal(REPLAY, ada, input={}) == ["FORBIDDEN"]
    assert (await graph.ask(REPLAY, root, input={"agent": "EMBEDDING"}))["replayDeadLetters"]["replayed"] == 0
    assert (await graph.ask(REPLAY, root, input={"limit": 0}))["replayDeadLetters"]["userErrors"] == [
        {"code": "BAD_USER_INPUT"}
    ]
    assert (await graph.ask(REPLAY, root, input={}))["replayDeadLetters"]["replayed"] == 1
    async with at_work(graph.services, toy()) as worker:
        await worker.until_idle()
    task = (await graph.ask(TASK, ada, id=task_id))["task"]
    assert (task["status"], task["failed"]["totalCount"]) == ("COMPLETED", 0)


async def test_a_replay_goes_on_beside_who_retries(
    graph: Graph, ada: UserRow, bob: UserRow, root: UserRow, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = {}
    for who in (ada, bob):
        row = await make.bookmark(viewer(who))
        given = {"workflow": "VALIDATION_ONLY", "bookmarkIds": [gid(row)], "options": {"bad": str(row.id)}}
        failed[who.id] = (await graph.ask(START, who, input=given))["startWorkflow"]["task"]["id"]
    async with at_work(graph.services, toy(process=half)) as worker:
        await worker.until_idle()
    found = tasks.with_failures

    async def and_meanwhile(*given: Any, **more: Any) -> Any:
        keys = await found(*given, **more)
        await graph.ask(STEER % "retry", ada, input={"id": failed[ada.id]})
        await graph.ask(STEER % "cancel", ada, input={"id": failed[ada.id]})
        return [*keys, (ada.id, new_id())]

    monkeypatch.setattr(tasks, "with_failures", and_meanwhile)
    assert (await graph.ask(REPLAY, root, input={}))["replayDeadLetters"] == {"replayed": 1, "userErrors": []}
    states = {who.email: (await graph.ask(TASK, who, id=failed[who.id]))["task"]["status"] for who in (ada, bob)}
    assert states == {ada.email: "CANCELLED", bob.email: "PENDING"}


async def test_workflows_are_listed(graph: Graph) -> None:
    found = (await graph.ask("{ workflows { name agents } }"))["workflows"]
    assert {"name": "QUICK", "agents": ["VALIDATION", "CATEGORIZATION"]} in found
    assert len(found) == 9


def with_settings(services: Services, **changes: Any) -> Services:
    """Return the same services of a server that is set otherwise."""
    return replace(services, settings=replace(services.settings, **changes))


@pytest.mark.parametrize("choice", [None, "QUICK_IMPORT", "NONE"])
async def test_an_import_that_ends_starts_its_agents(graph: Graph, ada: UserRow, choice: str | None) -> None:
    graph = Graph(with_settings(graph.services, import_workflow=ImportWorkflow.FULL_IMPORT))
    upload_id = await upload(graph, graph.services, ada)
    options = {} if choice is None else {"workflow": choice}
    import_id = await start_import(graph, ada, upload_id, **options)
    async with at_work(graph.services, toy()) as worker:
        await worker.until_idle()
    shown = """
    query ($id: ID!) {
      import(id: $id) { status created merged workflow { workflow status steps { agent total done } } }
    }
    """
    row = (await graph.ask(shown, ada, id=import_id))["import"]
    assert (row["status"], row["created"]) == ("COMPLETED", 2)
    if choice == "NONE":
        assert row["workflow"] is None
        return
    assert row["workflow"]["workflow"] == (choice or "FULL_IMPORT")
    assert row["workflow"]["status"] == "COMPLETED"
    assert row["workflow"]["steps"][0] == {"agent": "VALIDATION", "total": 2, "done": 2}


async def test_a_new_bookmark_is_worked_on_with_those_that_wait(graph: Graph, ada: UserRow) -> None:
    graph = Graph(with_settings(graph.services, new_bookmark_workflow=BookmarkWorkflow.REPROCESS))
    create = "mutation ($url: URL!) { createBookmark(input: {url: $url}) { bookmark { id } userErrors { code } } }"
    for number in (1, 2, 2, 3):  # the second of the same address makes nothing
        await graph.ask(create, ada, url=f"https://example.org/{number}")
    found = "{ tasks { nodes { workflow steps { total } } } }"
    (task,) = (await graph.ask(found, ada))["tasks"]["nodes"]
    assert task["workflow"] == "REPROCESS"
    assert [step["total"] for step in task["steps"]] == [3, 0, 0, 0]
    async with at_work(graph.services, toy()) as worker:
        await worker.until_idle()
    await graph.ask(create, ada, url="https://example.org/4")
    assert len((await graph.ask(found, ada))["tasks"]["nodes"]) == 2


async def test_a_new_bookmark_joins_no_workflow_that_somebody_started(graph: Graph, ada: UserRow, make: Maker) -> None:
    row = await make.bookmark(viewer(ada))
    given = {"workflow": "VALIDATION_ONLY", "bookmarkIds": [gid(row)], "options": {"isNew": True}}
    await graph.ask(START, ada, input=given)
    graph = Graph(with_settings(graph.services, new_bookmark_workflow=BookmarkWorkflow.REPROCESS))
    create = 'mutation { createBookmark(input: {url: "https://example.org/new"}) { bookmark { id } } }'
    await graph.ask(create, ada)
    found = (await graph.ask("{ tasks { nodes { workflow steps { total } } } }", ada))["tasks"]["nodes"]
    totals = {task["workflow"]: task["steps"][0]["total"] for task in found}
    assert totals == {"REPROCESS": 1, "VALIDATION_ONLY": 1}


def test_the_card_of_imports_names_their_kind() -> None:
    assert IMPORT_CARD.kind in HANDLERS
