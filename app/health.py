"""Probes: whether this process is alive, and whether it can do its work right now."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response, get

from db.migrate import pending
from resolvers.context import Services

log = structlog.get_logger(__name__)

CHECK_SECONDS = 3.0
REMEMBERED_SECONDS = 1.0  # a probe may be anonymous: however many ask, the dependencies are asked once a second
SCHEMA_REMEMBERED_SECONDS = 30.0

# Returns None when all is well; raises, or says in one line what is not.
Check = Callable[[], Awaitable[str | None]]


class Readiness:
    """Asks every dependency, at most once a second whoever asks."""

    def __init__(self, checks: dict[str, Check]) -> None:
        self._checks = checks
        self._asking = asyncio.Lock()
        self._known: tuple[float, dict[str, str]] | None = None

    async def ask(self) -> dict[str, str]:
        """Return the state of each dependency by name: `ok`, or what is wrong in one line without any secret."""
        async with self._asking:
            if self._known is not None and time.monotonic() - self._known[0] < REMEMBERED_SECONDS:
                return self._known[1]
            states = await asyncio.gather(*(self._state(name, check) for name, check in self._checks.items()))
            self._known = time.monotonic(), dict(zip(self._checks, states, strict=True))
            return self._known[1]

    async def _state(self, name: str, check: Check) -> str:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return await check() or "ok"
        except TimeoutError:
            return f"no answer within {CHECK_SECONDS:g} seconds"
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, it is not ready
            log.warning("health.unready", dependency=name, error=repr(error))
            return "away"  # the reason names hosts and users; it is in the log


def checks_of(services: Services) -> dict[str, Check]:
    """Return what a process that serves the API depends on."""
    schema_seen_at = -SCHEMA_REMEMBERED_SECONDS

    async def database() -> None:
        await services.database.fetchval("SELECT 1")

    async def bus() -> str | None:
        return None if services.bus.ready.is_set() else "not listening"

    async def schema() -> str | None:
        nonlocal schema_seen_at
        if time.monotonic() - schema_seen_at < SCHEMA_REMEMBERED_SECONDS:
            return None
        missing = await pending(services.database.dsn)
        if missing:
            return f"{len(missing)} migrations are missing: run `graphmark migrate`"
        schema_seen_at = time.monotonic()
        return None

    checks: dict[str, Check] = {"database": database, "bus": bus, "schema": schema}
    if services.settings.redis_url is not None:
        from tasks.broker import require_redis  # noqa: PLC0415  a server without Redis does not load its client

        checks["redis"] = partial(require_redis, services.settings.redis_url)
    return checks


@get("/health/live", include_in_schema=False, sync_to_thread=False)
def live() -> dict[str, str]:
    """Tell that the process runs and its event loop turns; nothing else is asked."""
    return {"status": "ok"}


@get("/health/ready", include_in_schema=False)
async def ready(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """Answer 200 when every dependency is there, else 503; each is named."""
    readiness: Readiness = request.app.state.readiness
    states = await readiness.ask()
    is_ready = all(state == "ok" for state in states.values())
    return Response(
        {"status": "ok" if is_ready else "unavailable", "checks": states},
        status_code=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
        headers={"cache-control": "no-store"},
    )
