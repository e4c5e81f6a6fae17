"""`/graphql`: sends each connection to the transport that it speaks."""

from dataclasses import dataclass

from graphql import OperationType
from litestar.types import Scope

from app.graphql.broadcast import Broadcasts
from app.graphql.callers import Headers, network_address, user_agent
from app.graphql.connections import Connections
from app.graphql.engine import Answer, ContextFactory, Engine, Operation, Plan
from app.graphql.ide import Ide
from app.graphql.sessions import Sessions
from app.graphql.standing import Standings
from app.graphql.subscriptions import Subscriptions
from kit.rates.budgets import network_of
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

    def address(self, scope: Scope, headers: Headers) -> str:
        """Return the address of the other end of a connection."""
        return network_address(scope, headers, self.settings)

    def connection_key(self, viewer: Viewer | None, scope: Scope, headers: Headers) -> str:
        """Return under whose name a live connection is counted: the account's, or an anonymous caller's address."""
        return str(viewer.id) if viewer is not None else f"address {self.address(scope, headers)}"

    def plan(self, operation: Operation, context: Context) -> Plan | Answer:
        """Take an operation from the budgets of whoever asks, before it is even read, and check it without running it.

        Raises `RateLimited` when a budget is used up.
        """
        viewer, network = context.viewer, network_of(context.network_address)
        account, limits = None if viewer is None else viewer.id, self.services.limits
        limits.operation(account=account, api_key=None if viewer is None else viewer.key_id, network=network)
        plan = self.engine.plan(operation, context)
        if isinstance(plan, Plan) and plan.kind is OperationType.MUTATION:
            limits.write(account=account, network=network)
        return plan

    def context_factory(self, scope: Scope, headers: Headers, viewer: Viewer | None, request_id: str) -> ContextFactory:
        """Return what makes the context of each operation of one request or socket."""
        address, agent = self.address(scope, headers), user_agent(headers)

        def new_context() -> Context:
            return Context(
                services=self.services,
                viewer=viewer,
                request_id=request_id,
                network_address=address,
                user_agent=agent,
            )

        return new_context
