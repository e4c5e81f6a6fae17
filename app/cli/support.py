"""What the commands share: settings, a database to work on, and output."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, Any, TypeVar

import click
import orjson

from app.wiring import database_url, open_services
from db.migrate import migrate, pending
from db.unit import LOST_CONNECTION
from kit.ai import check_settings
from kit.crypto import open_secret_key
from kit.errors import BadInput, Unavailable
from kit.logger import configure as configure_logging
from kit.postgres import EmbeddedPostgres, running_url
from kit.settings import LogLevel, Settings, load_settings
from resolvers.context import Services

R = TypeVar("R")
_ROWS_IN_FLIGHT_OBJECTS = 50_000


class WrongSetting(click.ClickException):
    """A setting that cannot be understood: wrong usage, in one line."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the line; the usage of the command would not help."""
        click.echo(f"graphmark: {self.message}", file=file, err=file is None)


def settings_or_usage() -> Settings:
    """Read the settings; one that cannot be understood is wrong usage (exit code 2)."""
    try:
        settings = load_settings()
        check_settings(settings)
    except BadInput as error:
        raise WrongSetting(error.message) from error
    return settings


def service_settings() -> Settings:
    """Return the settings of a process that runs on: logging is set up, the database is known and its schema right.

    The database is the outside one, or that of a Graphmark running on the data folder; `Unavailable` without either,
    and without a secret key.
    """
    settings = settings_or_usage()
    configure_logging(level=settings.log_level, style=settings.log_format)
    settings = replace(settings, database_url=settings.database_url or running_url(settings.data_dir))
    require_schema(database_url(settings))
    open_secret_key(settings)  # so that one that cannot be had is told at the start
    return settings


def command_settings() -> Settings:
    """Return the settings of a command: it speaks by its output, and its log, on stderr, only warns."""
    settings = settings_or_usage()
    if settings.log_level is LogLevel.INFO:
        settings = replace(settings, log_level=LogLevel.WARNING)
    configure_logging(level=settings.log_level, style=settings.log_format)
    return settings


@contextmanager
def with_database(settings: Settings) -> Iterator[Settings]:
    """Give the settings with the URL of a database that answers and has this version's schema.

    It is the outside database when one is set; else that of a Graphmark running on the data folder; else one that
    is started for as long as the block lasts and migrated. Raises `Unavailable` when there is none to be had, or
    when the schema is not this version's.
    """
    if settings.database_url is not None:
        require_schema(settings.database_url)
        yield settings
        return
    running = running_url(settings.data_dir)
    if running is not None:
        require_schema(running)
        yield replace(settings, database_url=running)
        return
    server = EmbeddedPostgres(settings.data_dir)
    try:
        url = server.start()
        run(migrate(url))
        yield replace(settings, database_url=url)
    finally:
        server.stop()


def require_schema(url: str) -> None:
    """Raise `Unavailable` unless the database has exactly the migrations of this code."""
    missing = run(pending(url))
    if missing:
        raise Unavailable(f"The database lacks {len(missing)} migration(s): run `graphmark migrate` first.")


def run_with_services(name: str, work: Callable[[Services], Awaitable[R]], *, is_worker: bool = False) -> R:
    """Run `work` with everything open that a request would have, and return its result.

    `name` is what PostgreSQL shows as the application, `graphmark-<name>`; `is_worker` gives statements the time that
    background work may take. Raises `Unavailable` when the database
    cannot be had or goes away meanwhile.
    """

    async def whole(settings: Settings) -> R:
        async with open_services(settings, name=name, is_worker=is_worker) as services:
            return await work(services)

    with with_database(command_settings()) as settings:
        try:
            return run(whole(settings))
        except LOST_CONNECTION as error:
            if isinstance(error, OSError) and not isinstance(error, ConnectionError):
                raise  # a file, not the database
            raise Unavailable("The connection to the database was lost.") from error


def spare_collector() -> None:
    """Let the search for cyclic garbage leave alone what is there now, and come when a chunk of rows has been made.

    Rows are many, short-lived and without cycles, and so is what a request needs. By default they made the interpreter
    look through everything that the program has loaded again and again: a sixth of the processor time of an import, a
    twentieth of that of a small query.
    """
    gc.freeze()
    gc.set_threshold(_ROWS_IN_FLIGHT_OBJECTS, 20, 50)


def run(work: Coroutine[Any, Any, R]) -> R:
    """Run a coroutine to its end."""
    return asyncio.run(work)


def print_json(value: Mapping[str, Any]) -> None:
    """Print one object as one line of JSON on stdout."""
    click.echo(orjson.dumps(value).decode())
