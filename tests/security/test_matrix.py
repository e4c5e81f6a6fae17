"""Broken object level authorisation (OWASP API1:2023), tried at every id of the schema.

For each place and each kind of row, everybody who does not own a row sends its id. The oracle is not a list of codes:
the answer must be, letter for letter, the one for an id that never existed, and no row of the owner may change.
"""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from graphql import GraphQLSchema

from db import auth
from db.unit import Database
from kit.crypto import fingerprint, new_token
from kit.ids import encode_global_id, new_id
from resolvers.context import Services
from services.auth import Device, keys
from services.permissions import ApiScope, Viewer
from tests.app.graphql import toy
from tests.client import the_schema
from tests.executor.world import World, populate
from tests.security.matrix import CHANGED_BY_ADMINISTRATORS, EXTRA, FOR_ADMINISTRATORS, FURTHER_DOWN, MATRIX, QUIET
from tests.security.places import Place, document, places, variables

SEED = 20_261_128
ALICE, BOB, ROOT = 0, 1, 2
PLACE = "THE-ID"
QUIET_SECONDS = 1.0
CREDENTIALS = 5  # of each kind for each account: more than are ended
MISSING = UUID("018f0000-0000-7000-8000-0000000000ff")
_OWNERS = """
    SELECT attrelid::regclass::text AS name, attname::text AS owner FROM pg_attribute
    WHERE attname IN ('owner_id', 'user_id') AND attnum > 0 AND NOT attisdropped
        AND attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace)
    ORDER BY 1
"""


def schema() -> GraphQLSchema:
    return the_schema()._schema  # noqa: SLF001  Strawberry has no other way to it


ALL = places(schema())
CASES = [(place, kind) for place in ALL if str(place) not in FURTHER_DOWN for kind in MATRIX.get(str(place), ())]


@dataclass
class Stage:
    """A world of three accounts behind the real server, and what each of them signs in with."""

    database: Database
    world: World
    http: httpx.AsyncClient
    tokens: dict[str, str]
    used: dict[str, int] = field(default_factory=dict)

    async def ask(self, place: Place, values: dict[str, Any], who: str | None) -> str:
        """Return the answer as text; of a stream its first event, or that it stays open."""
        headers = {"accept": "application/json", "x-request-id": "of-the-matrix-0000"}
        if who is not None:
            headers["authorization"] = f"Bearer {self.tokens[who]}"
        body = {"query": document(schema(), place.root, place.name), "variables": values}
        if place.root != "Subscription":
            answer = await self.http.post("/graphql", json=body, headers=headers)
            return f"{answer.status_code} {answer.text}"
        headers["accept"] = "text/event-stream"
        async with self.http.stream("POST", "/graphql", json=body, headers=headers) as stream:
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    return f"{stream.status_code} " + await anext(aiter(stream.aiter_text()))
            except TimeoutError:
                return f"{stream.status_code} and open"

    def row(self, account: int, kind: str) -> str:
        """Return the id of a row of an account, each time the next one."""
        rows = self.world.keys[kind][account]
        name = f"{account}{kind}"
        self.used[name] = self.used.get(name, -1) + 1
        return encode_global_id(kind, rows[self.used[name] % len(rows)])

    async def digest(self, account: int) -> dict[str, str]:
        """Return what an account has in each table, as a digest of its rows."""
        owner = self.world.viewers[account].id
        return {
            row["name"]: await self.database.fetchval(
                f"""
                SELECT md5(coalesce(string_agg(shown, E'\\n' ORDER BY shown), '')) FROM (
                    SELECT (to_jsonb(t) - 'last_used_at')::text AS shown, {row["owner"]} AS owner FROM {row["name"]} t
                ) AS rows
                WHERE owner = $1
                """,
                owner,
            )
            for row in await self.database.fetch(_OWNERS)
            if row["name"] != "sessions"  # their use is noted
        }


@pytest_asyncio.fixture(loop_scope="session")
async def stage(services: Services) -> AsyncIterator[Stage]:
    """Populate, sign everybody in, and serve."""
    database = services.database
    world = await populate(database, random.Random(SEED))
    alice, bob, root = (viewer.id for viewer in world.viewers)
    world.keys["Upload"] = [[await upload(database, viewer.id)] for viewer in world.viewers]
    await credentials(database, world)
    await database.execute("UPDATE users SET role = CASE WHEN id = $1 THEN 'ADMIN' ELSE 'USER' END", root)
    world.keys["Invite"] = [[new_id()] for _ in world.viewers]  # they belong to the server
    tokens = {name: await session(database, key) for name, key in (("alice", alice), ("bob", bob), ("root", root))}
    tokens["key"] = await reading_key(services, world.viewers[ALICE])
    async with toy.serving(services, the_schema()) as running:
        yield Stage(database, world, running.http, tokens)


async def credentials(database: Database, world: World) -> None:
    """Add sessions and API keys that nobody asks with."""
    for viewer in world.viewers:
        for _ in range(CREDENTIALS):
            await session(database, viewer.id)
            await database.execute(
                """
                INSERT INTO api_keys (id, owner_id, name, prefix, token_hash, scopes, expires_at)
                VALUES ($1, $2, 'key', 'gmk_', $3, '{READ}', now() + interval '1 day')
                """,
                new_id(),
                viewer.id,
                fingerprint(new_token("gmk")),
            )
        for kind, table, owner in (("UserSession", "sessions", "user_id"), ("ApiKey", "api_keys", "owner_id")):
            found = await database.fetch(f"SELECT id FROM {table} WHERE {owner} = $1", viewer.id)
            world.keys[kind].append([row["id"] for row in found])


async def reading_key(services: Services, viewer: Viewer) -> str:
    """Make an API key that may read."""
    async with services.database.unit() as unit:
        made = await keys.create(
            unit, services.settings, viewer, Device(), name="reads", scopes=[ApiScope.READ], expires_at=None
        )
    return made.token


async def upload(database: Database, owner_id: UUID) -> UUID:
    """Add a row for an uploaded file that waits for its import."""
    key: UUID = await database.fetchval(
        """
        INSERT INTO uploads (id, owner_id, file_name, size_bytes, sha256, detected_format, expires_at)
        VALUES ($1, $2, 'bookmarks.html', 1, sha256(''), 'NETSCAPE_HTML', now() + interval '1 day') RETURNING id
        """,
        new_id(),
        owner_id,
    )
    return key


async def session(database: Database, user_id: UUID) -> str:
    """Sign an account in."""
    token = new_token("gms")
    async with database.unit() as unit:
        await auth.insert_session(
            unit,
            key=new_id(),
            user_id=user_id,
            token_hash=fingerprint(token),
            user_agent="test",
            network_address="127.0.0.1",
            idle_minutes=60,
            absolute_hours=1,
        )
    return token


def test_every_place_that_takes_an_id_has_its_row() -> None:
    found = {str(place) for place in ALL}
    assert found == set(MATRIX), f"give these a row in tests/security/matrix.py: {sorted(found ^ set(MATRIX))}"


async def told_apart(stage: Stage, who: str, account: int, owner: int) -> list[str]:
    """Send an id of the owner's, and one that never existed, to every place; return where the two are told apart."""
    found = []
    for place, kind in CASES:
        theirs, missing = stage.row(owner, kind), encode_global_id(kind, MISSING)
        values = variables(schema(), place, _ids(stage, account, place), EXTRA.get(place.name, {}))
        answers = [
            _plain(await stage.ask(place, _with(values, key), who)).replace(key, PLACE) for key in (theirs, missing)
        ]
        if answers[0] != answers[1]:
            found.append(f"{place} ({kind}):\n    {answers[0][:300]}\n    {answers[1][:300]}")
    return found


def _ids(stage: Stage, account: int, place: Place) -> Any:
    """Return what fills ids: a mark at the place that is tried, rows of the caller's own everywhere else."""

    def fill(path: str) -> str:
        return PLACE if path == place.path else stage.row(account, MATRIX[f"{place.name}.{path}"][0])

    return fill


def _with(values: Any, key: str) -> Any:
    """Return values with an id where the mark is."""
    if isinstance(values, dict):
        return {name: _with(value, key) for name, value in values.items()}
    if isinstance(values, list):
        return [_with(value, key) for value in values]
    return key if values == PLACE else values


def _plain(answer: str) -> str:
    """Return an answer without its request id."""
    return re.sub(r'"requestId":"[^"]*"', "", answer)


async def test_a_stranger_cannot_tell_a_row_from_none(stage: Stage) -> None:
    before = await stage.digest(ALICE)
    found = await told_apart(stage, "bob", BOB, ALICE)
    assert not found, "\n".join(found)
    assert await stage.digest(ALICE) == before


async def test_nor_can_an_administrator(stage: Stage) -> None:
    before = await stage.digest(ALICE)
    found = {name.partition(":")[0] for name in await told_apart(stage, "root", ROOT, ALICE)}
    assert found == FOR_ADMINISTRATORS
    after = await stage.digest(ALICE)
    assert {name for name in before if after[name] != before[name]} == CHANGED_BY_ADMINISTRATORS


async def test_the_owner_can(stage: Stage) -> None:
    """Each place does something with an id that is right: else the tests above would say nothing."""
    found = {name.partition(":")[0] for name in await told_apart(stage, "bob", BOB, BOB)}
    wanted = {f"{place} ({kind})" for place, kind in CASES if str(place) not in QUIET}
    assert found >= wanted, f"nothing happens at {sorted(wanted - found)}"


@pytest.mark.parametrize("who", [None, "disabled", "key"])
async def test_who_may_not_ask_changes_nothing(stage: Stage, who: str | None) -> None:
    if who == "disabled":
        await stage.database.execute(
            "UPDATE users SET disabled_at = now() WHERE id = $1", stage.world.viewers[ALICE].id
        )
    token = "alice" if who == "disabled" else who
    before = await stage.digest(ALICE)
    admitted = []
    for place, kind in CASES:
        if who == "key" and place.root != "Mutation":
            continue  # it may read what is its account's
        values = variables(schema(), place, _ids(stage, ALICE, place), EXTRA.get(place.name, {}))
        answer = await stage.ask(place, _with(values, stage.row(ALICE, kind)), token)
        if '"UNAUTHENTICATED"' not in answer and '"FORBIDDEN"' not in answer:
            admitted.append(f"{place}: {answer[:300]}")
    assert not admitted, "\n".join(admitted)
    assert await stage.digest(ALICE) == before
