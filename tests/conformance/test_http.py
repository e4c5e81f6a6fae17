"""graphql-http's audits of GraphQL over HTTP, on the product's own schema, as a signed-in developer."""

from resolvers.context import Services
from tests.app.graphql import toy
from tests.client import the_schema
from tests.conformance.conftest import Script
from tests.make import Maker

AUDITS = 61


async def test_every_audit_is_ok(services: Services, make: Maker, script: Script) -> None:
    token = await make.session(await make.user())
    async with toy.serving(services, the_schema()) as server:
        results = await script("audit.mjs", f"http://127.0.0.1:{server.port}/graphql", token)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == AUDITS
