"""`graphmark api`."""

import signal
import socket

import click
import uvicorn

from app.cli.children import API_STOP_SECONDS, ROOT, api_parts, environment_of, say
from app.cli.lifeline import open_lifeline
from app.cli.support import service_settings, spare_collector
from app.listening import listen
from app.server import create_app, uvicorn_options
from app.supervise import Supervisor
from kit.settings import Settings


@click.command()
@click.option("--socket", "descriptor", type=int, hidden=True, help="Serve on this inherited listening socket.")
@click.pass_context
def api(ctx: click.Context, descriptor: int | None) -> None:
    """Run the API alone, on GRAPHMARK_HOST and GRAPHMARK_PORT.

    Needs GRAPHMARK_DATABASE_URL, or a Graphmark that runs on the data folder.
    """
    settings = service_settings()
    listening = listen(settings.host, settings.port) if descriptor is None else socket.socket(fileno=descriptor)
    with listening:
        if descriptor is None and settings.workers > 1:
            _supervise(settings, listening)
        else:
            ctx.exit(0 if _serve(settings, listening) else 1)


def _serve(settings: Settings, listening: socket.socket) -> bool:
    """Serve until told to stop; False when the application could not start."""
    server = uvicorn.Server(_config(settings))
    spare_collector()
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn stops in good order on either and then raises the signal again: to have asked is no failure.
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listening])
    return server.started


def _supervise(settings: Settings, listening: socket.socket) -> None:
    """Run several API processes on one socket until told to stop."""
    with open_lifeline() as lifeline:
        Supervisor(
            api_parts(settings, lifeline, listening),
            environment=environment_of(settings),
            folder=ROOT,
            descriptors=(lifeline, listening.fileno()),
            say=say,
        ).run()


def _config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(settings),
        **uvicorn_options(settings),
        # Less than the supervisor's patience. Requests in flight are answered; subscriptions resume by cursor.
        timeout_graceful_shutdown=int(API_STOP_SECONDS) - 2,
    )
