"""Imports through the schema: upload, preview, start, steer, watch, undo."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from app.graphql.documents import Documents
from db.users import UserRow
from kit.ids import encode_global_id, new_id
from kit.uploads import UploadedFile
from resolvers.context import Services
from tests.client import Graph, the_schema
from tests.working import working

UPLOAD = """
mutation ($file: Upload!) {
  uploadImport(input: {file: $file}) { upload { id detectedFormat fileName sizeBytes } userErrors { code message } }
}
"""
START = """
mutation ($input: StartImportInput!) {
  startImport(input: $input) { import { id status task { id status } } userErrors { code field } }
}
"""
STATE = """
query ($id: ID!) {
  import(id: $id) {
    status total processed created merged skipped errors progress error undoneAt removed restored kept task { status }
    items(first: 100) { totalCount nodes { row url title outcome reason bookmark { url title tags { path } } } }
  }
}
"""
PROGRESS = """
subscription ($id: ID!, $after: String) {
  importProgress(importId: $id, after: $after) {
    cursor resync import { id status total processed created merged skipped errors progress }
  }
}
"""
LIBRARY = """
{ bookmarks(first: 100) { nodes { url title description isUnread source tags { path } collections { name } } } }
"""
FILE = """<!DOCTYPE NETSCAPE-Bookmark-file-1>
<TITLE>Bookmarks</TITLE>
<DL><p>
    <DT><H3 ADD_DATE="1500000000">Work</H3>
    <DL><p>
        <DT><A HREF="https://example.org/a" ADD_DATE="1500000000" TAGS="dev/python,news">First</A>
        <DD>About the first
        <DT><H3>Empty</H3>
        <DL><p>
        </DL><p>
    </DL><p>
    <DT><A HREF="https://example.org/b">Second</A>
    <DT><A HREF="https://example.org/a/" TAGS="again">First again</A>
    <DT><A HREF="javascript:alert(1)">Script</A>
    <DT><A HREF="https://">Broken</A>
</DL><p>
"""


def uploaded(services: Services, text: str, name: str = "bookmarks.html") -> UploadedFile:
    """Return a file that has just arrived."""
    data = text.encode()
    path = services.settings.upload_dir / "incoming" / f"{new_id()}.part"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return UploadedFile(path, name, len(data), hashlib.sha256(data).digest())


async def upload(graph: Graph, services: Services, who: UserRow, text: str = FILE) -> str:
    answer = (await graph.ask(UPLOAD, who, file=uploaded(services, text)))["uploadImport"]
    assert answer["userErrors"] == []
    return str(answer["upload"]["id"])


async def start(graph: Graph, who: UserRow, upload_id: str, **options: Any) -> str:
    answer = (await graph.ask(START, who, input={"uploadId": upload_id, "options": options}))["startImport"]
    assert answer["userErrors"] == []
    return str(answer["import"]["id"])


@asynccontextmanager
async def imported(
    graph: Graph, services: Services, who: UserRow, text: str = FILE, **options: Any
) -> AsyncIterator[dict[str, Any]]:
    """Import `text` to its end and give the state."""
    key = await start(graph, who, await upload(graph, services, who, text), **options)
    async with working(services) as worker:
        await worker.until_idle()
    yield (await graph.ask(STATE, who, id=key))["import"] | {"id": key}


async def test_a_file_becomes_bookmarks(graph: Graph, services: Services, ada: UserRow) -> None:
    async with imported(graph, services, ada) as state:
        counts = {name: state[name] for name in ("status", "total", "processed", "progress", "error")}
        assert counts == {"status": "COMPLETED", "total": 5, "processed": 5, "progress": 1.0, "error": None}
        assert [(item["row"], item["outcome"], item["reason"]) for item in state["items"]["nodes"]] == [
            (1, "CREATED", None),
            (2, "CREATED", None),
            (3, "MERGED", "DUPLICATE_IN_FILE"),
            (4, "SKIPPED", "UNSUPPORTED_SCHEME"),
            (5, "ERROR", "INVALID_URL"),
        ]
        assert (state["created"], state["merged"], state["skipped"], state["errors"]) == (2, 1, 1, 1)
        assert state["items"]["totalCount"] == 5
        assert state["items"]["nodes"][3]["url"] == "javascript:alert(1)"
    nodes = (await graph.ask(LIBRARY, ada))["bookmarks"]["nodes"]
    first = next(node for node in nodes if node["url"] == "https://example.org/a")
    assert first == {
        "url": "https://example.org/a",
        "title": "First",
        "description": "About the first",
        "isUnread": False,
        "source": "IMPORT",
        "tags": [{"path": "again"}, {"path": "dev/python"}, {"path": "news"}],
        "collections": [{"name": "Work"}],
    }
    collections = (await graph.ask("{ collections { nodes { name parent { name } } } }", ada))["collections"]["nodes"]
    assert sorted((node["name"], (node["parent"] or {}).get("name")) for node in collections) == [
        ("Empty", "Work"),
        ("Work", None),
    ]


async def test_the_same_file_twice_writes_nothing(graph: Graph, services: Services, ada: UserRow) -> None:
    async with imported(graph, services, ada):
        before = await services.database.fetch("SELECT id, version, updated_at FROM bookmarks ORDER BY id")
    async with imported(graph, services, ada) as state:
        assert (state["created"], state["merged"], state["skipped"], state["errors"]) == (0, 0, 4, 1)
    assert await services.database.fetch("SELECT id, version, updated_at FROM bookmarks ORDER BY id") == before
    assert await services.database.fetchval("SELECT count(*) FROM collections") == 2


async def test_preview_writes_nothing(graph: Graph, services: Services, ada: UserRow) -> None:
    async with imported(graph, services, ada, '<DL><DT><A HREF="https://example.org/b">b</A></DL>'):
        pass
    key = await upload(graph, services, ada)
    document = """
    query ($id: ID!) { previewImport(uploadId: $id, options: {addTags: ["new"]}) {
      total examined counts { rowClass count } folderCount folders tagCount tags rows { row rowClass folders tags }
      warnings { code count } } }
    """
    seen = (await graph.ask(document, ada, id=key))["previewImport"]
    assert {one["rowClass"]: one["count"] for one in seen["counts"]} == {
        "NEW": 1,
        "ACTIVE_DUPLICATE": 1,
        "DUPLICATE_IN_FILE": 1,
        "INVALID_URL": 1,
        "UNSUPPORTED_SCHEME": 1,
    }
    assert (seen["total"], seen["examined"], seen["folders"]) == (5, 5, ["Work", "Work / Empty"])
    assert seen["rows"][0] == {
        "row": 1,
        "rowClass": "NEW",
        "folders": ["Work"],
        "tags": ["dev/python", "news", "new"],
    }
    assert await services.database.fetchval("SELECT count(*) FROM bookmarks") == 1


async def test_undo_leaves_what_was_there(graph: Graph, services: Services, ada: UserRow) -> None:
    async with imported(graph, services, ada, '<DL><DT><A HREF="https://example.org/b">Mine</A></DL>'):
        pass
    before = (await graph.ask(LIBRARY, ada))["bookmarks"]["nodes"]
    async with imported(graph, services, ada, addTags=["extra"]) as state:
        assert (state["created"], state["merged"]) == (1, 2)
        key = state["id"]
    undo = "mutation ($id: ID!) { undoImport(input: {id: $id}) { import { undoTask { id } } userErrors { code } } }"
    for _ in range(2):
        assert (await graph.ask(undo, ada, id=key))["undoImport"]["userErrors"] == []
    async with working(services) as worker:
        await worker.until_idle()
    state = (await graph.ask(STATE, ada, id=key))["import"]
    assert (state["removed"], state["restored"], state["kept"]) == (1, 1, 0)
    assert state["undoneAt"] is not None
    assert (await graph.ask(LIBRARY, ada))["bookmarks"]["nodes"] == before
    assert await services.database.fetchval("SELECT count(*) FROM tags") == 0
    assert await services.database.fetchval("SELECT count(*) FROM collections") == 0


async def test_undo_keeps_what_somebody_changed(graph: Graph, services: Services, ada: UserRow) -> None:
    async with imported(graph, services, ada) as state:
        key = state["id"]
    await services.database.execute("UPDATE bookmarks SET version = 2, title = 'Mine' WHERE url LIKE '%/b'")
    await graph.ask("mutation ($id: ID!) { undoImport(input: {id: $id}) { userErrors { code } } }", ada, id=key)
    async with working(services) as worker:
        await worker.until_idle()
    assert [node["title"] for node in (await graph.ask(LIBRARY, ada))["bookmarks"]["nodes"]] == ["Mine"]
    state = (await graph.ask(STATE, ada, id=key))["import"]
    assert (state["removed"], state["kept"]) == (1, 1)


async def test_progress_begins_with_the_state_and_ends_with_the_end(
    graph: Graph, services: Services, ada: UserRow
) -> None:
    key = await start(graph, ada, await upload(graph, services, ada))
    states: list[Any] = []
    async with working(services) as worker:
        async for event in graph.follow(PROGRESS, ada, id=key):
            if not states:
                worker.wake()
            states.append(event["importProgress"])
    assert states[0]["import"]["status"] in {"PENDING", "RUNNING"}
    assert states[-1]["import"]["status"] == "COMPLETED"
    processed = [state["import"]["processed"] for state in states]
    assert processed == sorted(processed)
    resumed = [
        event["importProgress"] async for event in graph.follow(PROGRESS, ada, id=key, after=states[1]["cursor"])
    ]
    assert resumed == states[2:]
    assert [event async for event in graph.follow(PROGRESS, ada, id=key, after=states[-1]["cursor"])] == []
    late = [event["importProgress"]["import"] async for event in graph.follow(PROGRESS, ada, id=key)]
    assert late == [states[-1]["import"]]


async def test_pause_resume_cancel(graph: Graph, services: Services, ada: UserRow) -> None:
    key = await start(graph, ada, await upload(graph, services, ada))

    async def steer(verb: str) -> Any:
        document = (
            f"mutation ($id: ID!) {{ {verb}(input: {{id: $id}}) {{ import {{ status }} userErrors {{ code }} }} }}"
        )
        answer = (await graph.ask(document, ada, id=key))[verb]
        return answer["import"]["status"] if answer["import"] else answer["userErrors"][0]["code"]

    assert await steer("pauseImport") == "PAUSED"
    async with working(services) as worker:
        await worker.until_idle()
    assert await steer("pauseImport") == "PAUSED"
    assert (await graph.ask(STATE, ada, id=key))["import"]["processed"] == 0
    assert await steer("undoImport") == "CONFLICT"
    assert await steer("resumeImport") == "PENDING"
    assert await steer("cancelImport") == "CANCELLED"
    assert await steer("cancelImport") == "CANCELLED"
    assert await steer("resumeImport") == "CONFLICT"
    state = (await graph.ask(STATE, ada, id=key))["import"]
    assert (state["total"], state["processed"]) == (0, 0)


async def test_a_repeated_request_starts_one_import(graph: Graph, services: Services, ada: UserRow) -> None:
    upload_id = await upload(graph, services, ada)
    wanted = {"uploadId": upload_id, "idempotencyKey": "once"}
    first = (await graph.ask(START, ada, input=wanted))["startImport"]["import"]["id"]
    assert (await graph.ask(START, ada, input=wanted))["startImport"]["import"]["id"] == first
    other = wanted | {"uploadId": await upload(graph, services, ada)}
    assert (await graph.ask(START, ada, input=other))["startImport"] == {
        "import": None,
        "userErrors": [{"code": "CONFLICT", "field": ["input", "idempotencyKey"]}],
    }


async def test_what_is_no_bookmark_file_is_refused(graph: Graph, services: Services, ada: UserRow) -> None:
    for text in ("", "hello", '{"a": 1}'):
        answer = (await graph.ask(UPLOAD, ada, file=uploaded(services, text)))["uploadImport"]
        assert answer["upload"] is None
        assert [error["code"] for error in answer["userErrors"]] == ["BAD_USER_INPUT"]
    assert await services.database.fetchval("SELECT count(*) FROM uploads") == 0


async def test_nobody_sees_the_imports_of_others(graph: Graph, services: Services, ada: UserRow, bob: UserRow) -> None:
    upload_id = await upload(graph, services, ada)
    key = await start(graph, ada, upload_id)
    assert await graph.ask("query ($id: ID!) { import(id: $id) { id } }", bob, id=key) == {"import": None}
    assert await graph.ask("query ($id: ID!) { node(id: $id) { id } }", bob, id=key) == {"node": None}
    refused = (await graph.ask(START, bob, input={"uploadId": upload_id}))["startImport"]["userErrors"]
    assert refused == [{"code": "NOT_FOUND", "field": ["input", "uploadId"]}]
    for verb in ("pauseImport", "resumeImport", "cancelImport", "undoImport"):
        document = f"mutation ($id: ID!) {{ {verb}(input: {{id: $id}}) {{ userErrors {{ code }} }} }}"
        assert (await graph.ask(document, bob, id=key))[verb]["userErrors"] == [{"code": "NOT_FOUND"}]
    preview = "query ($id: ID!) { previewImport(uploadId: $id) { total } }"
    assert await graph.refusal(preview, bob, id=upload_id) == ["NOT_FOUND"]
    below = "query ($id: ID!, $options: ImportOptions) { previewImport(uploadId: $id, options: $options) { total } }"
    nowhere = {"parentCollectionId": encode_global_id("Collection", new_id())}
    assert await graph.refusal(below, ada, id=upload_id, options=nowhere) == ["NOT_FOUND"]
    assert await graph.ask("{ imports { totalCount nodes { id } } }", bob) == {
        "imports": {"totalCount": 0, "nodes": []}
    }
    elsewhere = {"uploadId": upload_id, "options": {"parentCollectionId": encode_global_id("Collection", new_id())}}
    assert (await graph.ask(START, ada, input=elsewhere))["startImport"]["userErrors"] == [
        {"code": "NOT_FOUND", "field": ["input", "options", "parentCollectionId"]}
    ]


async def test_lists_of_imports(graph: Graph, services: Services, ada: UserRow) -> None:
    async with imported(graph, services, ada) as done:
        waiting = await start(graph, ada, await upload(graph, services, ada))
    document = "query ($filter: ImportFilter) { imports(filter: $filter) { totalCount nodes { id status } } }"
    both = (await graph.ask(document, ada))["imports"]
    assert both == {
        "totalCount": 2,
        "nodes": [{"id": waiting, "status": "PENDING"}, {"id": done["id"], "status": "COMPLETED"}],
    }
    some = (await graph.ask(document, ada, filter={"status": ["COMPLETED"]}))["imports"]
    assert some == {"totalCount": 1, "nodes": both["nodes"][1:]}


async def test_waiting_files_may_not_fill_the_disk(
    graph: Graph, services: Services, ada: UserRow, bob: UserRow
) -> None:
    room = len(FILE.encode()) * 2
    services.settings = replace(services.settings, max_waiting_upload_bytes_per_user=room)
    await upload(graph, services, ada)
    await upload(graph, services, ada)
    full = (await graph.ask(UPLOAD, ada, file=uploaded(services, FILE)))["uploadImport"]
    assert full["upload"] is None
    assert [error["code"] for error in full["userErrors"]] == ["RATE_LIMITED"]
    kept = [path for path in services.settings.upload_dir.iterdir() if path.is_file()]
    assert len(kept) == await services.database.fetchval("SELECT count(*) FROM uploads") == 2
    await upload(graph, services, bob)
    await services.database.execute("UPDATE uploads SET expires_at = now() WHERE owner_id = $1", ada.id)
    await upload(graph, services, ada)


@pytest.mark.parametrize(
    "document",
    [
        "{ imports(first: 100) { nodes { items(first: 10) { totalCount nodes { row } } } } }",
        (
            '{ a: previewImport(uploadId: "x") { total } b: previewImport(uploadId: "x") { total }'
            ' c: previewImport(uploadId: "x") { total } }'
        ),
    ],
)
async def test_what_makes_the_server_work_hard_costs_more(services: Services, document: str) -> None:
    plan = Documents(the_schema()._schema, services.settings)  # noqa: SLF001  as the endpoint takes it
    prepared = plan.prepare(document, is_open=False)
    assert prepared.errors == []
    assert plan.cost(prepared, prepared.operation(None), None) > services.settings.max_query_cost
