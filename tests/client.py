"""A client of the schema for tests: documents in, data or coded errors out."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
import strawberry
from graphql import FragmentDefinitionNode, GraphQLError, OperationDefinitionNode, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import ExecutionResult

from app.graphql.errors import formatted
from db.users import UserRow
from kit.errors import Forbidden
from kit.ids import encode_global_id
from kit.settings import Executor, load_settings
from resolvers.context import Context, Services
from schema.demands import Demands, root_names
from schema.root import build_schema
from services.permissions import Role, Viewer


def gid(row: Any, kind: str = "Bookmark") -> str:
    """Return the id of a row as clients know it."""
    return encode_global_id(kind, row.id)


def viewer(user: UserRow) -> Viewer:
    """Return who asks when this account does."""
    return Viewer(id=user.id)


@cache
def the_schema() -> strawberry.Schema:
    """Return the schema, built once: building takes a good part of a second."""
    return build_schema()


@cache
def executable() -> strawberry.Schema:
    """Return a schema that executes as GRAPHMARK_EXECUTOR says, without an engine around it."""
    if load_settings().executor is Executor.COMPILED:
        return the_schema()
    schema = build_schema()
    schema.execution_context_class = StrawberryGraphQLCoreExecutionContext
    return schema


@dataclass
class Graph:
    """Asks the schema as somebody: an account with all its rights, or any viewer. The transport: tests/app."""

    services: Services

    async def run(self, document: str, who: UserRow | Viewer | None = None, **variables: Any) -> dict[str, Any]:
        """Return the response body: `data`, and `errors` when there are some."""
        result = refused(document, who) if isinstance(who, Viewer) else None
        if result is None:
            result = await executable().execute(document, variable_values=variables, context_value=self._context(who))
        body: dict[str, Any] = _body(result)
        return body

    async def ask(self, document: str, who: UserRow | Viewer | None = None, **variables: Any) -> Any:
        """Return the data of a document that must succeed without errors."""
        body = await self.run(document, who, **variables)
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def refusal(self, document: str, who: UserRow | Viewer | None = None, **variables: Any) -> list[str]:
        """Return the codes of the errors of a document that must fail."""
        body = await self.run(document, who, **variables)
        assert "errors" in body, body
        return [str(error["extensions"]["code"]) for error in body["errors"]]

    async def follow(self, document: str, who: UserRow | Viewer | None = None, **variables: Any) -> AsyncIterator[Any]:
        """Yield the data of a subscription's events until it completes or the caller stops."""
        stream = await executable().subscribe(document, variable_values=variables, context_value=self._context(who))
        assert not isinstance(stream, ExecutionResult), stream
        async with aclosing(stream) as events:
            async for result in events:
                body = _body(result)
                assert "errors" not in body, body["errors"]
                yield body["data"]

    def _context(self, who: UserRow | Viewer | None) -> Context:
        viewer = Viewer(id=who.id, role=Role(who.role)) if isinstance(who, UserRow) else who
        return Context(services=self.services, viewer=viewer, request_id="test")


def refused(document: str, who: Viewer) -> Any:
    """Return what the engine answers a viewer who may not ask for a root field of a document; None when he may."""
    parsed = parse(document)
    fragments = [node for node in parsed.definitions if isinstance(node, FragmentDefinitionNode)]
    demands = Demands(the_schema()._schema)  # noqa: SLF001  graphql-core's schema is inside
    try:
        for node in parsed.definitions:
            if isinstance(node, OperationDefinitionNode):
                demands.check(who, node.operation, root_names(node, fragments))
    except Forbidden as error:
        return ExecutionResult(data=None, errors=[GraphQLError(error.message, original_error=error)], extensions={})
    return None


def _body(result: Any) -> Any:
    """Return the body as a client reads it: encoded and parsed, for the data may hold JSON that is ready to be sent."""
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = formatted(result.errors, request_id="test", operation=None)
    return orjson.loads(orjson.dumps(body))
