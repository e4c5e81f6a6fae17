"""The web application: what answers which path, and what is open while it runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import strawberry
import structlog
from litestar import Litestar, Request, Response, Router, asgi
from litestar.datastructures import CacheControlHeader
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, NotFoundException
from litestar.static_files import create_static_files_router
from litestar.types import ASGIApp, Receive, Scope, Send

from app.elsewhere import by_proxy, callback, code, make_provider, start
from app.graphql.broadcast import Broadcasts
from app.graphql.connections import Connections
from app.graphql.endpoint import Endpoint
from app.graphql.engine import Engine
from app.graphql.errors import INTERNAL_MESSAGE
from app.graphql.http import HttpTransport
from app.graphql.ide import ASSETS_PATH, PAGE_HEADERS, Ide
from app.graphql.multipart import INCOMING_FOLDER
from app.graphql.sessions import Sessions
from app.graphql.standing import Standings
from app.graphql.subscriptions import Subscriptions
from app.graphql.websocket import WebSocketTransport
from app.headers import Protection
from app.health import Readiness, checks_of, live, ready
from app.mailed_links import reset, reset_form, verify, verify_form
from app.scraping import metrics
from app.screenshots import screenshot
from app.setup import front_door, setup, setup_form
from app.wiring import open_services
from db.auth import SESSION_CHANNEL
from kit.fetch import open_fetcher
from kit.settings import Settings, Toggle
from kit.uploads import remove_stale
from resolvers.context import Services
from schema.root import build_schema
from services import auth
from services.permissions import Viewer

log = structlog.get_logger(__name__)

GRAPHQL_PATH = "/graphql"
_CONNECTIONS = frozenset({ScopeType.HTTP, ScopeType.WEBSOCKET})
STALE_UPLOAD_SECONDS = 6 * 3600.0
_ASSETS_HEADERS = {"content-security-policy": PAGE_HEADERS["content-security-policy"]}
_ASSETS_CACHE = CacheControlHeader(max_age=24 * 3600, public=True)


def create_app(
    settings: Settings, *, schema: strawberry.Schema | None = None, services: Services | None = None
) -> ASGIApp:
    """Return the application. Its lifespan opens what it needs and closes it again.

    `schema` replaces the product's; `services` are used as they are, and stay open, instead of opening new ones.
    Raises `BadInput` for persisted documents that cannot be used.
    """
    engine = Engine(schema if schema is not None else build_schema(), settings)
    gateway = _Gateway()
    pages = _pages(settings, gateway, engine, services)
    protection = Protection(settings)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            send = protection.around(send)
        # Most requests by far; Litestar's way to a handler costs as much as all that this endpoint does around GraphQL.
        if scope["type"] in _CONNECTIONS and scope["path"] == GRAPHQL_PATH:
            await gateway.serve(scope, receive, send)
        else:
            await pages(scope, receive, send)

    return application


def _pages(settings: Settings, gateway: "_Gateway", engine: Engine, services: Services | None) -> Litestar:
    """Return what has the lifespan and answers everything else, `/graphql` in other spellings included."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with _services(settings, services) as opened, open_fetcher(settings) as fetcher:
            app.state.identity_provider = make_provider(settings, fetcher)
            remove_stale(settings.upload_dir / INCOMING_FOLDER, older_than_seconds=STALE_UPLOAD_SECONDS)
            app.state.readiness = Readiness(checks_of(opened))
            app.state.services = opened
            endpoint = endpoint_of(opened, engine)
            app.state.authenticate = endpoint.authenticate
            gateway.open(endpoint)
            async with endpoint.authenticate.listening(), opened.limits.syncing():
                yield
            await endpoint.broadcasts.stop()
            await endpoint.standings.stop()

    return Litestar(
        route_handlers=[
            asgi(GRAPHQL_PATH, copy_scope=False)(gateway.serve),
            live,
            ready,
            metrics,
            front_door,
            setup_form,
            setup,
            reset_form,
            reset,
            verify_form,
            verify,
            screenshot,
            start,
            callback,
            by_proxy,
            code,
            *_assets(settings),
        ],
        exception_handlers={HTTPException: _http_problem, Exception: _fault},
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
    )


def endpoint_of(services: Services, engine: Engine) -> Endpoint:
    """Return the GraphQL endpoint of `engine` on `services`."""
    settings = services.settings

    async def authenticate(token: str) -> Viewer | None:
        return await auth.authenticate(services.database, settings, token)

    async def seconds_left(viewer: Viewer) -> float:
        return await auth.seconds_left(services.database, viewer)

    async def touch(viewer: Viewer) -> None:
        await auth.touch(services.database, viewer)

    subscriptions = Subscriptions(engine, settings)
    standings = Standings(services.bus, seconds_left, touch, session_channel=SESSION_CHANNEL)
    return Endpoint(
        services=services,
        engine=engine,
        subscriptions=subscriptions,
        authenticate=Sessions(authenticate, services.bus, channel=SESSION_CHANNEL),
        connections=Connections(),
        standings=standings,
        broadcasts=Broadcasts(engine, subscriptions, services, standings),
        ide=Ide(settings.graphiql),
    )


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """Return what uvicorn has to be told for this application: its loop, its parsers and the limits it keeps for us."""
    return {
        "loop": "uvloop",
        "http": "httptools",
        "ws": "websockets-sansio",
        "ws_max_size": settings.max_websocket_message_bytes,
        "ws_per_message_deflate": False,  # it costs more memory than a socket, and small JSON gains little
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
    }


def _assets(settings: Settings) -> list[Router]:
    """Return the route of GraphiQL's own files; the page itself is given by policy, at `/graphql` only."""
    if settings.graphiql is Toggle.NEVER:
        return []

    def refuse_page(request: Request[Any, Any, Any]) -> None:
        if request.scope["path"].removesuffix("/").endswith((ASSETS_PATH, ".html")):
            raise NotFoundException

    def add_headers(response: Response[Any]) -> Response[Any]:
        response.headers.update(_ASSETS_HEADERS)
        return response

    return [
        create_static_files_router(
            ASSETS_PATH,
            [Ide(settings.graphiql).folder],
            cache_control=_ASSETS_CACHE,
            before_request=refuse_page,
            after_request=add_headers,
        )
    ]


class _Gateway:
    """Hands connections to the transports once the lifespan has opened them."""

    def __init__(self) -> None:
        self._http: HttpTransport | None = None
        self._websocket: WebSocketTransport | None = None

    def open(self, endpoint: Endpoint) -> None:
        self._http, self._websocket = HttpTransport(endpoint), WebSocketTransport(endpoint)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._http is not None  # noqa: S101  uvicorn serves nothing before the lifespan has started
        assert self._websocket is not None  # noqa: S101  as above
        if scope["type"] == ScopeType.WEBSOCKET:
            await self._websocket(scope, receive, send)
        else:
            await self._http(scope, receive, send)


@asynccontextmanager
async def _services(settings: Settings, given: Services | None) -> AsyncIterator[Services]:
    if given is not None:
        yield given
        return
    async with open_services(settings, name="api") as opened:
        yield opened


def _http_problem(_request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """Word what Litestar refuses by itself: an unknown path, a method that a path does not have."""
    return Response(
        {"status": error.status_code, "detail": error.detail},
        status_code=error.status_code,
        headers=error.headers,
    )


def _fault(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    log.error("http.failed", path=request.scope["path"], exc_info=error)
    return Response({"status": 500, "detail": INTERNAL_MESSAGE}, status_code=500)
