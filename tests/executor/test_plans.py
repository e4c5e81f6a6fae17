"""What the planner makes of a document: when, how often, for whom, and whose rows its statements can reach."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import asyncpg
import orjson
import pytest

from app.graphql.engine import Engine, Operation, Plan
from db.categorization.settings import OF_USER
from db.shapes import One, Several
from db.unit import Database
from kit.errors import BadInput
from kit.ids import encode_global_id
from kit.settings import Executor
from resolvers.compiled import executor, planner, plans
from resolvers.compiled.facts import Answers, fact_of
from resolvers.context import Context, Services
from services.permissions import Role, Viewer
from tests.client import the_schema
from tests.make import Maker
from tests.spying import Spy

CORE = the_schema()._schema  # noqa: SLF001  graphql-core's schema is inside
EVERYTHING = """
{ bookmarks(first: 2) { nodes { id title keywords addedAt
    tags { name aliases bookmarkCount parent { name children { path } } }
    collections { name bookmarkCount parent { name } children { slug }
      bookmarks(first: 1) { totalCount edges { cursor node { url tags { id name } } } } } } }
  imports { nodes { status progress task { status progress } } } }
"""
OWNED_TABLES = ("bookmarks", "collections", "tags", "tag_aliases", "imports", "a2a_tasks")


class Desk:
    """Asks one engine, which always compiles, as one viewer."""

    def __init__(self, services: Services, viewer: Viewer) -> None:
        self.services = services
        self.viewer = viewer
        self.engine = Engine(the_schema(), replace(services.settings, executor=Executor.COMPILED))

    async def ask(
        self,
        document: str,
        variables: dict[str, Any] | None = None,
        who: Viewer | None = None,
        *,
        name: str | None = None,
    ) -> Any:
        """Return the body of the answer as a client reads it."""
        context = Context(self.services, who or self.viewer, "test")
        plan = self.engine.plan(Operation(document, name, variables), context)
        answer = await self.engine.execute(plan, context) if isinstance(plan, Plan) else plan
        return orjson.loads(orjson.dumps(answer.body))


@pytest.fixture
async def desk(services: Services, make: Maker) -> Desk:
    user = await make.user("ada@example.org")
    viewer = Viewer(id=user.id)
    for number in range(3):
        await make.bookmark(viewer, {"title": f"{number}", "tags": ["a/b", "c"]})
    return Desk(services, viewer)


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that every planning of a field outside another's plan is added to."""
    names: list[str] = []
    real = planner.Planner.plan

    def plan(self: planner.Planner, definition: Any, details: Any) -> Any:
        names.append(details[0].node.name.value)
        return real(self, definition, details)

    monkeypatch.setattr(planner.Planner, "plan", plan)
    return names


async def test_a_document_is_planned_once(desk: Desk, planned: list[str]) -> None:
    first = await desk.ask(EVERYTHING)
    assert planned == ["bookmarks", "imports"]
    assert [await desk.ask(EVERYTHING) for _ in range(3)] == [first] * 3
    assert planned == ["bookmarks", "imports"]
    assert "errors" not in first


async def test_conditions_and_roles_have_plans_of_their_own(desk: Desk, planned: list[str]) -> None:
    document = "query ($x: Boolean!) { bookmarks(first: 1) { nodes { title @include(if: $x) domain } } }"
    for x in (True, False, True, False):
        (node,) = (await desk.ask(document, {"x": x}))["data"]["bookmarks"]["nodes"]
        assert list(node) == (["title", "domain"] if x else ["domain"])
    assert planned == ["bookmarks"] * 2
    await desk.ask(document, {"x": True}, Viewer(desk.viewer.id, Role.ADMIN))
    assert planned == ["bookmarks"] * 3


async def test_each_operation_of_a_document_has_conditions_and_plans_of_its_own(desk: Desk) -> None:
    document = """
    query Plain { bookmarks(last: 1) { nodes { domain } } }
    query First($x: Boolean!, $b: Boolean!) { ...Page other: bookmarks(last: 1) { nodes { id @skip(if: $b) } } }
    query Second($x: Boolean!, $y: Boolean!) { ...Page other: bookmarks(last: 1) { nodes { id @skip(if: $y) } } }
    fragment Page on Query { bookmarks(last: 1) { nodes { domain title @include(if: $x) } } }
    """
    assert await desk.ask(document, name="Plain") == {"data": {"bookmarks": {"nodes": [{"domain": "example.org"}]}}}
    for name, hides in (("First", "b"), ("Second", "y")):
        for x, hidden in ((True, False), (False, True), (True, True), (False, False)):
            data = (await desk.ask(document, {"x": x, hides: hidden}, name=name))["data"]
            assert list(data["bookmarks"]["nodes"][0]) == (["domain", "title"] if x else ["domain"])
            assert list(data["other"]["nodes"][0]) == ([] if hidden else ["id"])


async def test_what_a_role_may_not_see_is_refused_though_an_administrator_asked_before(desk: Desk) -> None:
    document = "{ users { totalCount nodes { email } } }"
    admin = Viewer(desk.viewer.id, Role.ADMIN)
    for who, expected in ((admin, None), (desk.viewer, "FORBIDDEN"), (admin, None), (desk.viewer, "FORBIDDEN")):
        body = await desk.ask(document, None, who)
        codes = [error["extensions"]["code"] for error in body.get("errors", ())]
        assert codes == ([expected] if expected else [])
        assert ("ada@example.org" in str(body)) is (expected is None)


async def test_plans_of_one_document_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "MAX_PLANS", 3)
    names = [f"v{number}" for number in range(4)]
    fields = " ".join(f"f{name}: title @include(if: ${name})" for name in names)
    document = (
        f"query ({', '.join(f'${name}: Boolean!' for name in names)}) {{ bookmarks {{ nodes {{ id {fields} }} }} }}"
    )
    for bits in range(16):
        values = {name: bool(bits >> place & 1) for place, name in enumerate(names)}
        body = await desk.ask(document, values)
        shown = [f"f{name}" for name, value in values.items() if value]
        assert [list(node) for node in body["data"]["bookmarks"]["nodes"]] == [["id", *shown]] * 3
    (prepared,) = desk.engine.documents._known.values()  # noqa: SLF001  what is remembered is what is bounded
    assert len(prepared.plans.known) == 3


async def test_arguments_are_remembered_and_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "MAX_ARGUMENTS", 2)
    document = "query ($n: Int, $t: String) { bookmarks(first: $n, filter: {titleContains: $t}) { nodes { title } } }"
    for n, text, expected in (
        (1, None, 1),
        (2, None, 2),
        (3, None, 3),
        (1, None, 1),
        (None, "2", 1),
        (9, "x" * 101, 0),
    ):
        body = await desk.ask(document, {"n": n, "t": text})
        assert len(body["data"]["bookmarks"]["nodes"]) == expected
        (prepared,) = desk.engine.documents._known.values()  # noqa: SLF001  what is remembered is what is bounded
        (plan,) = prepared.plans.known.values()
        assert plan is not None
        assert 0 < len(plan.call.known) <= 2
    given = await desk.ask(document, {"t": "1"})
    assert [node["title"] for node in given["data"]["bookmarks"]["nodes"]] == ["1"]


async def test_a_plan_that_fails_is_told_of_and_answered_by_resolvers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = "{ bookmarks(first: 2) { nodes { title } } }"
    expected = await desk.ask(document)
    told: list[str] = []
    log = cast("Any", type("Log", (), {"warning": staticmethod(lambda event, **_: told.append(event))}))
    monkeypatch.setattr(executor, "log", log)
    monkeypatch.setattr("resolvers.compiled.shortcut.log", log)
    monkeypatch.setattr(planner, "log", log)

    async def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(plans.FieldPlan, "answer", broken)
    assert await desk.ask(document) == expected
    assert told == ["executor.shortcut_failed"]  # and not the plan once more: the resolvers follow at once
    told.clear()
    assert await desk.ask("query Fresh { bookmarks(first: 2) { nodes { title } } }") == expected
    assert told == ["executor.plan_failed"]
    told.clear()

    def confused(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(planner.Planner, "_field", confused)
    assert (await desk.ask("query Other { bookmarks(first: 2) { nodes { title } } }")) == expected
    assert told == ["executor.planning_failed"]


@pytest.mark.parametrize("name", ["shown", "link", "r", "row_to_json", "select"])
async def test_a_response_name_may_be_a_word_of_the_statement(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(executor, "log", None)  # a plan that fails would be told of
    monkeypatch.setattr("resolvers.compiled.shortcut.log", None)
    document = f"{{ bookmarks(last: 1) {{ nodes {{ {name}: title tags {{ {name}: path }} }} }} }}"
    for _ in range(2):  # a plan of the executor, then the short way
        body = await desk.ask(document)
        assert body["data"]["bookmarks"]["nodes"] == [{name: "0", "tags": [{name: "a/b"}, {name: "c"}]}]


async def test_what_is_refused_leaves_no_statement_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    document = "{ tags { nodes { name } } bookmarks(first: 0) { nodes { title } } }"
    expected = await desk.ask(document)
    assert "errors" in expected
    ended: list[str] = []
    real = plans.FieldPlan.answer

    async def slow(self: plans.FieldPlan, source: Any, asking: Any, arguments: Any) -> Any:
        if self.call.definition is CORE.query_type.fields["tags"]:  # type: ignore[union-attr]  # there are queries
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("tags")
        return await real(self, source, asking, arguments)

    monkeypatch.setattr(plans.FieldPlan, "answer", slow)
    assert await desk.ask(document) == expected
    assert ended == ["tags"]


async def test_whoever_is_overloaded_is_asked_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    document = "{ bookmarks(first: 2) { nodes { title } } viewer { id } }"
    spy = Spy(desk.services.database)
    desk.services.database = cast("Database", spy)
    for way in ("an executor", "the short way"):
        await spy.execute("SELECT 1")
        spy.statements.clear()
        monkeypatch.setattr(Spy, "fetch", overloaded, raising=False)  # of whichever account it acts for
        body = await desk.ask(document)
        errors = [(error["path"], error["extensions"]["code"]) for error in body["errors"]]
        assert errors[0] == (["bookmarks"], "UNAVAILABLE")
        assert body["data"] is None
        assert len([sql for sql, _ in spy.statements if "FROM bookmarks" in sql]) == 1, way
        monkeypatch.undo()


async def overloaded(spy: Spy, sql: str, *arguments: Any) -> Any:
    """Ask as one whose statement took too long."""
    spy.statements.append((sql, arguments))
    raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")


async def test_a_refusal_is_told_once_and_by_the_resolvers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "log", None)  # a refusal is nothing to log: this would fail
    for _ in range(2):
        body = await desk.ask("{ bookmarks(first: 0) { nodes { title } } }")
        (error,) = body["errors"]
        assert (error["path"], error["extensions"]["code"]) == (["bookmarks"], BadInput.code)
        assert body["data"] is None


async def test_every_table_of_every_statement_is_bound_to_the_viewer(desk: Desk) -> None:
    spy = Spy(desk.services.database)
    desk.services.database = cast("Database", spy)
    body = await desk.ask(EVERYTHING)
    assert "errors" not in body
    assert len(spy.statements) >= 3
    for sql, arguments in spy.statements:
        assert arguments[0] == desk.viewer.id
        aliases = list(tables_in(sql))
        assert aliases, sql
        for alias in aliases:
            assert re.search(rf"(?<![\w.]){alias}\.?owner_id = \$1(?!\d)", sql), f"{alias or 'a table'} in {sql}"


def tables_in(sql: str) -> Iterator[str]:
    """Yield how the owned tables of a statement are called in it, with the dot; nothing for one without an alias."""
    names = "|".join(OWNED_TABLES)
    for found in re.finditer(rf"(?:FROM|JOIN) (?:{names})\b(?: AS)?(?: (?!WHERE|ON|JOIN)(\w+))?", sql):
        yield f"{found[1]}." if found[1] else ""


def test_relations_lead_to_owned_tables_only() -> None:
    relations = [
        fact.relation
        for kind in CORE.type_map.values()
        for definition in getattr(kind, "fields", {}).values()
        if hasattr(definition, "resolve") and isinstance(fact := fact_of(definition), Answers)
        if fact.relation is not None
    ]
    assert len(relations) >= 8
    assert all(isinstance(one, One | Several) for one in relations)
    assert {one.source.owner for one in relations} == {"owner_id", "id"}
    by_id = [one for one in relations if one.source.owner == "id"]
    assert by_id == [OF_USER], "an account owns itself, and its settings are its own"


async def test_what_is_somebody_elses_is_not_there(desk: Desk, make: Maker) -> None:
    other = Viewer(id=(await make.user("eve@example.org")).id)
    theirs = await make.bookmark(other, {"title": "theirs", "tags": ["secret"]})
    document = (
        'query ($id: ID!) { node(id: $id) { id } bookmark(id: $id) { tags { name } } tag(name: "secret") { id } }'
    )
    body = await desk.ask(document, {"id": global_id("Bookmark", theirs.id)})
    assert body == {"data": {"node": None, "bookmark": None, "tag": None}}


def global_id(kind: str, key: UUID) -> str:
    """Return an id as clients know it."""
    return encode_global_id(kind, key)
