"""`graphmark api`."""

import signal
import socket
from dataclasses import replace

import click
import uvicorn

from app.cli.support import require_schema, settings_or_usage
from app.listening import listen
from app.server import create_app
from app.wiring import database_url
from kit.postgres import running_url
from kit.settings import Settings

STOP_SECONDS = 8  # for requests in flight; subscriptions resume elsewhere from their cursor


@click.command()
@click.option("--socket", "descriptor", type=int, hidden=True, help="Serve on this inherited listening socket.")
@click.pass_context
def api(ctx: click.Context, descriptor: int | None) -> None:
    """Run the API alone, on GRAPHMARK_HOST and GRAPHMARK_PORT.

    Needs GRAPHMARK_DATABASE_URL, or a Graphmark that runs on the data folder.
    """
    settings = settings_or_usage()
    settings = replace(settings, database_url=settings.database_url or running_url(settings.data_dir))
    require_schema(database_url(settings))
    listening = listen(settings.host, settings.port) if descriptor is None else socket.socket(fileno=descriptor)
    server = uvicorn.Server(_config(settings))
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn stops in good order on either and then raises the signal again: to have asked is no failure.
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listening])
    ctx.exit(0 if server.started else 1)


def _config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(settings),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=settings.max_websocket_message_bytes,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
