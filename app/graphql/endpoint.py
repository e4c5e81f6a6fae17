"""`/graphql`: sends each connection to the transport that it speaks."""

from dataclasses import dataclass

from graphql import OperationType
from litestar.types import Scope

from app.graphql.broadcast import Broadcasts
from app.graphql.callers import Headers, network_address, user_agent
from app.graphql.connections import Connections
from app.graphql.engine import Answer, ContextFactory, Engine, Plan
from app.graphql.ide import Ide
from app.graphql.sessions import Sessions
from app.graphql.standing import Standings
from app.graphql.subscriptions import Subscriptions
from kit.settings import Settings
from resolvers.context import Context, Services
from services.permissions import Viewer


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the transports share. One per process."""

    services: Services
    engine: Engine
    subscriptions: Subscriptions
    authenticate: Sessions
    connections: Connections
    standings: Standings
    broadcasts: Broadcasts
    ide: Ide

    @property
    def settings(self) -> Settings:
        """The process's settings."""
        return self.services.settings

    async def execute(self, plan: Plan, context: Context) -> Answer:
        """Run a query or a mutation; after a mutation its caller is looked up anew (see app.graphql.sessions)."""
        try:
            return await self.engine.execute(plan, context)
        finally:
            if plan.kind is OperationType.MUTATION:
                self.authenticate.forget(context.viewer)

    def context_factory(self, scope: Scope, headers: Headers, viewer: Viewer | None, request_id: str) -> ContextFactory:
        """Return what makes the context of each operation of one request or socket."""
        address, agent = network_address(scope), user_agent(headers)

        def new_context() -> Context:
            return Context(
                services=self.services,
                viewer=viewer,
                request_id=request_id,
                network_address=address,
                user_agent=agent,
            )

        return new_context


def connection_key(viewer: Viewer | None, scope: Scope) -> str:
    """Return under whose name a live connection is counted: the account's, or the address of an anonymous caller."""
    return str(viewer.id) if viewer is not None else f"address {network_address(scope)}"
