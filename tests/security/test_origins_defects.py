"""Defects of the system that Graphmark takes the place of, which must be impossible here.

docs/security.md lists all of them with where each is prevented. These are the ones that no other test is about: S1 and
S2 (what a client may say at all), S12 (patterns that people write), S13 (addresses that are scripts).
"""

import json
import re
import time
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type

from db.users import UserRow
from kit.ids import encode_global_id
from resolvers.context import Services
from services.permissions import Role
from tests.client import Graph, gid, the_schema, viewer
from tests.make import Maker
from tests.snapshot import changed_tables, snapshot

OURS = re.compile(
    r"(owner|user|account)(Id)?|(created|updated|imported|fetched|checked)At|urlKey|emailKey|.*Hash|version|isAdmin|admin|"
    r"(file|image|screenshot|upload|archive)(Path|Name|Dir|Folder)|path|dir|folder|file|command|script|sql|regex|pattern",
    re.IGNORECASE,
)
"""Names of what the server alone decides: whose something is, when it was made, where it lies, what is run."""
ROOTS = ("Query", "Mutation", "Subscription")
CREATE = """
mutation ($input: CreateBookmarkInput!) {
  createBookmark(input: $input) { bookmark { id url } userErrors { code field } }
}
"""
UPDATE = """
mutation ($input: UpdateBookmarkInput!) { updateBookmark(input: $input) { bookmark { url } userErrors { code field } } }
"""
WORKFLOW = """
mutation ($input: StartWorkflowInput!) { startWorkflow(input: $input) { task { id } userErrors { code field } } }
"""
RULE = "mutation ($input: CreateRuleInput!) { createRule(input: $input) { rule { id } userErrors { code field } } }"
SEARCH = "query ($query: String!) { search(query: $query, first: 5) { totalCount } }"
SCRIPTS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "\x01javascript:alert(1)",
    "javascript://example.org/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://example.org/1",
    "view-source:https://example.org/",
    "chrome://settings",
    "about:blank",
)
PATTERNS = (
    "(a+)+$",
    "(a|aa)+$",
    "(.*a){25}",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "%" * 400,
    "_" * 400,
    "\\" * 401,
    "*" * 400,
    '"' + "a* " * 200 + '"',
    "(" * 200,
    "((a OR b) " * 30,
    "-" * 400,
    "a:" * 200,
    "title:" * 60,
)


@pytest.fixture
def graph(services: Services) -> Graph:
    """The schema, to be asked as anybody."""
    return Graph(services)


@pytest_asyncio.fixture(loop_scope="session")
async def ada(make: Maker) -> UserRow:
    """Who asks."""
    return await make.user("ada@example.org")


@pytest_asyncio.fixture(loop_scope="session")
async def bob(make: Maker) -> UserRow:
    """Somebody else."""
    return await make.user("bob@example.org")


def said_by_clients() -> list[tuple[str, str]]:
    """Return all that a client may name: the arguments of every field, and what the inputs hold."""
    schema = the_schema()._schema  # noqa: SLF001  graphql-core's schema is inside
    found = []
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        if isinstance(kind, GraphQLInputObjectType):
            found += [(name, field) for field in kind.fields]
        elif isinstance(kind, GraphQLObjectType):
            found += [(f"{name}.{field}", argument) for field, value in kind.fields.items() for argument in value.args]
    return found


def administrators_inputs() -> set[str]:
    """Return the inputs of fields that the schema gives to administrators only."""
    schema = the_schema()._schema  # noqa: SLF001  as above
    found = set()
    for root in ROOTS:
        kind = schema.type_map[root]
        assert isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items():
            directives = getattr(field.extensions.get("strawberry-definition"), "directives", ())
            if any(getattr(one, "role", None) is Role.ADMIN or "ADMIN" in repr(one) for one in directives):
                found |= {get_named_type(argument.type).name for argument in field.args.values()} | {f"{root}.{name}"}
    return found


ALLOWED = {("UploadImportInput", "file")}  # bytes that arrive with the request, not a name of what is here


def test_s1_s2_no_client_says_whose_something_is_where_it_lies_or_what_runs() -> None:
    said, theirs = said_by_clients(), administrators_inputs()
    assert len(said) > 200
    assert "Query.auditLog" in theirs
    wrong = {(where, name) for where, name in said if OURS.fullmatch(name) and where not in theirs}
    assert wrong == ALLOWED & set(said)
    roles = {where for where, name in said if name.lower() in {"role", "isdisabled", "disabled", "quota"}}
    assert roles <= theirs


@pytest.mark.parametrize(
    "more", [{"ownerId": "x"}, {"createdAt": "2001-01-01T00:00:00Z"}, {"urlKey": "x"}, {"role": "ADMIN"}, {"id": "x"}]
)
async def test_s2_what_is_not_asked_for_is_refused_and_not_ignored(
    graph: Graph, ada: UserRow, services: Services, more: dict[str, str]
) -> None:
    before = await snapshot(services.database)
    assert await graph.refusal(CREATE, ada, input={"url": "https://example.org/", **more}) == ["BAD_USER_INPUT"]
    assert changed_tables(before, await snapshot(services.database)) == set()


@pytest.mark.parametrize(
    "options",
    [
        {"ownerId": "other"},
        {"owner_id": "other"},
        {"userId": "other", "filePath": "/etc/passwd"},
        {"validation": {"ownerId": "other"}},
        {"filePath": "/etc/passwd"},
        {"__proto__": {"isAdmin": True}},
    ],
)
async def test_s1_s2_options_of_a_workflow_stand_apart_from_whose_it_is_and_what_it_reads(
    graph: Graph, ada: UserRow, bob: UserRow, make: Maker, services: Services, options: dict[str, Any]
) -> None:
    row = await make.bookmark(viewer(ada))
    named = json.loads(json.dumps(options).replace("other", encode_global_id("User", bob.id)))
    for given in ({}, {"options": named}):
        asked = {"workflow": "VALIDATION_ONLY", "bookmarkIds": [gid(row)], **given}
        assert (await graph.ask(WORKFLOW, ada, input=asked))["startWorkflow"]["userErrors"] == []
    plain, told = await services.database.fetch(
        "SELECT owner_id, kind, payload - 'options' AS payload, payload -> 'options' AS options FROM a2a_tasks"
        " WHERE parent_id IS NULL ORDER BY created_at"
    )
    assert {plain["owner_id"], told["owner_id"]} == {ada.id}
    assert (told["kind"], told["payload"]) == (plain["kind"], plain["payload"])
    assert (plain["options"], told["options"]) == ({}, named)


@pytest.mark.parametrize("pattern", PATTERNS)
async def test_s12_what_people_look_for_is_text_and_no_pattern(
    graph: Graph, ada: UserRow, make: Maker, pattern: str
) -> None:
    await make.bookmark(viewer(ada), {"url": "https://example.org/a", "title": "a" * 400 + "!"})
    began = time.process_time()
    for query in (pattern, f'title:"{pattern}"'):
        body = await graph.run(SEARCH, ada, query=query[:1000])
        assert "errors" in body or body["data"]["search"]["totalCount"] in {0, 1}
        rule = {"name": "r", "query": query[:1000], "events": ["BOOKMARK_CREATED"], "actions": {"isFavorite": True}}
        await graph.run(RULE, ada, input=rule)
    await make.bookmark(viewer(ada), {"url": "https://example.org/b", "title": "ab" * 200 + "!"})
    assert time.process_time() - began < 5


@pytest.mark.parametrize("url", SCRIPTS)
async def test_s13_a_script_is_no_address(
    graph: Graph, ada: UserRow, make: Maker, services: Services, url: str
) -> None:
    row = await make.bookmark(viewer(ada))
    before = await snapshot(services.database)
    for document, given in ((CREATE, {"url": url}), (UPDATE, {"id": gid(row), "url": url})):
        body = await graph.run(document, ada, input=given)
        answers = [] if body["data"] is None else [one["userErrors"] for one in body["data"].values()]
        codes = [one["extensions"]["code"] for one in body.get("errors", [])]
        codes += [error["code"] for errors in answers for error in errors]
        assert codes == ["BAD_USER_INPUT"]
    assert changed_tables(before, await snapshot(services.database)) == set()
