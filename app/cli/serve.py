"""`graphmark serve`: the whole of Graphmark in one terminal."""

import http.client
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import click

from app.cli.children import GRAPHIQL, ROOT, api_parts, environment_of, graphmark_command, say
from app.cli.lifeline import open_lifeline
from app.cli.support import run, settings_or_usage
from app.listening import listen
from app.supervise import STOP_SIGNALS, Part, Supervisor
from app.wiring import open_database
from app.writable import require_writable
from db.migrate import migrate
from kit.crypto import open_secret_key
from kit.postgres import EmbeddedPostgres
from kit.settings import Settings
from services.auth import SETUP_HOURS, create_setup_token

READY_TRY_SECONDS = 5.0
READY_PAUSE_SECONDS = 0.05


@click.command()
def serve() -> None:
    """Run everything here: PostgreSQL, API, worker, scheduler. Ctrl-C stops all of it.

    With GRAPHMARK_DATABASE_URL the outside database is used instead of one in the data folder.
    """
    settings = settings_or_usage()
    with _interruptible():
        try:
            _serve(replace(settings, data_dir=settings.data_dir.absolute()))
        except KeyboardInterrupt:
            raise click.Abort from None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let every stop signal interrupt the start; a shell's `&` would leave SIGINT ignored."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _serve(settings: Settings) -> None:
    with ExitStack() as stack:
        listening = stack.enter_context(listen(settings.host, settings.port))
        settings = replace(settings, port=listening.getsockname()[1])
        postgres = None
        if settings.database_url is None:
            postgres = EmbeddedPostgres(settings.data_dir)
            stack.callback(postgres.stop)
            settings = replace(settings, database_url=postgres.start())
        else:
            require_writable(settings.data_dir)
        open_secret_key(settings)
        link = run(_prepare(settings))
        lifeline = stack.enter_context(open_lifeline())
        supervisor = Supervisor(
            _parts(settings, lifeline, listening),
            environment=environment_of(settings),
            folder=ROOT,
            descriptors=(lifeline, listening.fileno()),
            postgres=postgres,
            say=say,
        )
        threading.Thread(target=_announce, args=(settings, link), name="announce", daemon=True).start()
        supervisor.run()
    click.echo("Graphmark has stopped.")


async def _prepare(settings: Settings) -> str | None:
    """Bring the schema up to date; return the link for the first administrator, or None when there is one."""
    await migrate(settings.database_url or "")
    async with open_database(settings, name="serve") as database, database.unit() as unit:
        token = await create_setup_token(unit)
    return None if token is None else f"{settings.origin}/setup?token={token}"


def _parts(settings: Settings, lifeline: int, listening: socket.socket) -> list[Part]:
    """Return the processes to run. The API stops first, so that nothing new comes in while the rest finishes."""
    graphmark = graphmark_command(lifeline)
    return [
        *api_parts(settings, lifeline, listening),
        Part("scheduler", [*graphmark, "scheduler"], stop_seconds=15, stop_rank=1),
        Part("worker", [*graphmark, "worker"], stop_seconds=15, stop_rank=1),
    ]


def _announce(settings: Settings, link: str | None) -> None:
    """Wait until the API says that it is ready, then tell the operator what there is to know."""
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  compared, not bound
    while not _is_ready(host, settings.port):
        time.sleep(READY_PAUSE_SECONDS)
    lines = [
        ("Address", settings.origin),
        ("GraphQL", f"{settings.origin}/graphql"),
        ("Data", str(settings.data_dir)),
    ]
    if link is not None:
        lines.append(("Administrator", f"open {link} (once, within {SETUP_HOURS} hours)"))
    if not GRAPHIQL.exists():
        lines.append(("GraphiQL", "not built: `make web` says what is missing"))
    click.echo(f"\n{click.style('Graphmark is ready.', bold=True)} Ctrl-C stops it.\n")
    for name, value in lines:
        click.echo(f"  {name:<14} {value}")
    click.echo("")


def _is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=READY_TRY_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
