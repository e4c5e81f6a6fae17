"""What somebody sees does not depend on what others have: counts, facets, suggestions, neighbours and the rest.

Noninterference (Goguen and Meseguer, 1982), tried as such: every query of the schema is asked in a world where Bob is
alone; then Alice moves in with a library full of his own words, and every answer has to stay as it was.
"""

import random
import re
from functools import partial
from typing import Any

import httpx
import orjson
from graphql import GraphQLObjectType, GraphQLSchema

from db.unit import Database
from kit.ids import encode_global_id
from resolvers.context import Services
from tests.app.graphql import toy
from tests.client import the_schema
from tests.executor.world import World, populate
from tests.security.matrix import MATRIX
from tests.security.places import document, sample_arguments
from tests.security.test_matrix import session

SEED = 20_261_129
ASKED = ("python", "a", "tag:dev", "is:tagged", "is:duplicate", "is:dead", "emoji", "plain OR rust")
"""Searches and prefixes: of everything, of words and values that the world is made of."""
LEFT_OUT = frozenset({"previewImport", "agents", "agent", "systemHealth"})
"""What is not about rows of an account: a file, and what the whole server is busy with."""


def schema() -> GraphQLSchema:
    return the_schema()._schema  # noqa: SLF001  Strawberry has no other way to it


async def answers(world: World, account: int, http: httpx.AsyncClient, token: str) -> dict[str, str]:
    """Return what an account is answered to every query, by the question."""
    query = schema().query_type
    assert isinstance(query, GraphQLObjectType)
    told = {}
    for name in sorted(set(query.fields) - LEFT_OUT):
        for words in ASKED:
            values = sample_arguments(schema(), "Query", name, words, partial(_id, world, account, name))
            question = orjson.dumps([name, values]).decode()
            if question not in told:
                told[question] = await _ask(http, token, name, values)
    return told


def _id(world: World, account: int, name: str, path: str) -> str:
    kind = MATRIX[f"{name}.{path}"][0]
    return encode_global_id(kind, world.keys[kind][account][0])


async def _ask(http: httpx.AsyncClient, token: str, name: str, values: dict[str, Any]) -> str:
    answer = await http.post(
        "/graphql",
        json={"query": document(schema(), "Query", name), "variables": values},
        headers={"accept": "application/json", "authorization": f"Bearer {token}"},
    )
    return re.sub(r'"(requestId|lastSeenAt|tookMilliseconds)":("[^"]*"|[0-9.]+)', "", answer.text)


async def test_answers_do_not_depend_on_what_others_have(services: Services) -> None:
    database = services.database
    world = await populate(database, random.Random(SEED))
    alice, bob, _ = (viewer.id for viewer in world.viewers)
    await database.execute("UPDATE users SET role = 'USER'")
    token = await session(database, bob)
    async with toy.serving(services, the_schema()) as running:
        beside_alice = await answers(world, 1, running.http, token)
        await _move_out(database, str(alice))
        alone = await answers(world, 1, running.http, token)
    assert len(alone) > len(ASKED)
    assert [name for name in alone if alone[name] != beside_alice[name]] == []
    refused = {
        name: body for name, body in alone.items() if '"errors":[{' in body and "needs the role ADMIN" not in body
    }
    assert not refused, f"these were not answered: {refused}"


async def _move_out(database: Database, alice: str) -> None:
    """Remove an account with all that it has."""
    await database.execute("DELETE FROM users WHERE id = $1::text::uuid", alice)
