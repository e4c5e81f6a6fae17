"""The child processes that `serve` and `api` run: each is this very command line again."""

import socket
import sys
from pathlib import Path

import click

import app
from app.supervise import Part
from kit.settings import Settings, environment_with

ROOT = Path(app.__file__).parents[1]  # children start here, so that `-m app` never finds somebody else's `app`
GRAPHIQL = ROOT / "web" / "dist" / "graphiql" / "index.html"
API_STOP_SECONDS = 10.0


def graphmark_command(lifeline: int) -> list[str]:
    """Return the beginning of a child's command line."""
    return [sys.executable, "-m", "app", "--lifeline", str(lifeline)]


def api_parts(settings: Settings, lifeline: int, listening: socket.socket) -> list[Part]:
    """Return GRAPHMARK_WORKERS API processes that accept from one listening socket."""
    command = [*graphmark_command(lifeline), "api", "--socket", str(listening.fileno())]
    names = ["api"] if settings.workers == 1 else [f"api {number}" for number in range(1, settings.workers + 1)]
    return [Part(name, command, stop_seconds=API_STOP_SECONDS) for name in names]


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment for children: ours, with what was found out while starting."""
    return environment_with(
        DATABASE_URL=settings.database_url or "", PORT=str(settings.port), DATA_DIR=str(settings.data_dir.absolute())
    )


def say(line: str) -> None:
    """Tell the operator what happens to the children."""
    click.echo(f"graphmark: {line}", err=True)
