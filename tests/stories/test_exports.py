"""Every HTML export of other projects, through the public API: uploaded over HTTP, imported, looked at.

What is compared and what is other projects' own policy is told in tests/services/imports/test_fixtures.py.
"""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from resolvers.context import Services
from tests.app.graphql import toy
from tests.client import the_schema
from tests.make import Maker
from tests.services.imports.test_fixtures import DATA, FIXTURES, READABLE, plain
from tests.working import working

UPLOAD = """
mutation ($file: Upload!) {
  uploadImport(input: {file: $file}) { upload { id detectedFormat } userErrors { code message } }
}
"""
START = """
mutation ($uploadId: ID!) { startImport(input: {uploadId: $uploadId}) { import { id } userErrors { code } } }
"""
LOOK = """
query ($id: ID!, $after: String) {
  import(id: $id) {
    status total processed created merged skipped errors
    items(first: 50, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { row url title outcome reason bookmark { ...Whole } }
    }
  }
}
fragment Whole on Bookmark {
  url canonicalUrl title description addedAt source tags { path }
  collections { name parent { name parent { name parent { name parent { name } } } } }
}
"""
REFUSED = [fixture for fixture in FIXTURES if fixture["format"].endswith("html") and not fixture["expect"].get("count")]


async def upload(http: httpx.AsyncClient, token: str, file: Path) -> dict[str, Any]:
    """Send a file as the GraphQL multipart request specification has it; return the payload."""
    data = await asyncio.to_thread(file.read_bytes)
    answer = await http.post(
        "/graphql",
        headers={"authorization": f"Bearer {token}", "graphql-require-preflight": "1"},
        data={
            "operations": json.dumps({"query": UPLOAD, "variables": {"file": None}}),
            "map": json.dumps({"0": ["variables.file"]}),
        },
        files={"0": (file.name, data, "text/html")},
    )
    assert answer.status_code == 200, answer.text
    payload: dict[str, Any] = answer.json()["data"]["uploadImport"]
    return payload


async def look(running: toy.Running, token: str, key: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the import and all its rows."""
    items: list[dict[str, Any]] = []
    after = None
    while True:
        body = await running.ask(LOOK, token=token, id=key, after=after)
        assert "errors" not in body, body
        found = body["data"]["import"]
        items += found["items"]["nodes"]
        if not found["items"]["pageInfo"]["hasNextPage"]:
            return found, items
        after = found["items"]["pageInfo"]["endCursor"]


def path_of(collection: dict[str, Any]) -> list[str]:
    """Return the names from the root to a collection."""
    parent = collection.get("parent")
    return [*(path_of(parent) if parent else []), collection["name"]]


def check(row: dict[str, Any], expected: dict[str, Any]) -> None:
    if "title" in expected:
        assert row["title"] == " ".join(plain(expected["title"]).split())
    bookmark = row["bookmark"]
    if row["outcome"] != "CREATED":
        return
    assert bookmark["source"] == "IMPORT"
    assert (bookmark["url"], bookmark["title"]) == (row["url"], row["title"] or bookmark["title"])
    if "description" in expected:
        assert (bookmark["description"] or "") == plain(expected["description"])
    if "added" in expected:
        assert int(datetime.fromisoformat(bookmark["addedAt"]).timestamp()) == expected["added"]
    if "folders" in expected:
        paths = [path_of(collection) for collection in bookmark["collections"]]
        assert expected["folders"] in paths or expected["folders"][1:] in [*paths, []]


@pytest.mark.parametrize("fixture", READABLE, ids=[fixture["id"] for fixture in READABLE])
async def test_an_export_becomes_a_graph(services: Services, make: Maker, fixture: dict[str, Any]) -> None:
    token = await make.session(await make.user())
    async with toy.serving(services, the_schema()) as running, working(services) as worker:
        sent = await upload(running.http, token, DATA / fixture["file"])
        assert (sent["userErrors"], sent["upload"]["detectedFormat"]) == ([], "NETSCAPE_HTML")
        started = await running.ask(START, token=token, uploadId=sent["upload"]["id"])
        await worker.until_idle()
        state, rows = await look(running, token, started["data"]["startImport"]["import"]["id"])
    assert state["status"] == "COMPLETED"
    count = fixture["expect"]["count"]
    assert (state["total"], state["processed"], len(rows)) == (count, count, count)
    outcomes = [row["outcome"] for row in rows]
    counted = [outcomes.count(name) for name in ("CREATED", "MERGED", "SKIPPED", "ERROR")]
    assert counted == [state["created"], state["merged"], state["skipped"], state["errors"]]
    for position, expected in enumerate(fixture["expect"]["items"]):
        check(rows[expected.get("index", position)], expected)


@pytest.mark.parametrize("fixture", REFUSED, ids=[fixture["id"] for fixture in REFUSED])
async def test_what_is_no_export_is_refused_and_not_kept(
    services: Services, make: Maker, fixture: dict[str, Any]
) -> None:
    token = await make.session(await make.user())
    async with toy.serving(services, the_schema()) as running:
        sent = await upload(running.http, token, DATA / fixture["file"])
    assert sent["upload"] is None
    assert [error["code"] for error in sent["userErrors"]] == ["BAD_USER_INPUT"]
    assert await services.database.fetchval("SELECT count(*) FROM uploads") == 0
    assert [path for path in services.settings.upload_dir.rglob("*") if path.is_file()] == []
