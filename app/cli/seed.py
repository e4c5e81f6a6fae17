"""`graphmark seed`."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.support import print_json, run_with_services
from app.seeding import fill
from kit.errors import NotFound
from resolvers.context import Services
from services import auth
from services.auth import viewer_by_email
from services.permissions import Role, Viewer

MAX_BOOKMARKS = 1_000_000
SEED_EMAIL = "seed@graphmark.example"
_PASSWORD_BYTES = 12


@click.command()
@click.option("--bookmarks", required=True, type=click.IntRange(1, MAX_BOOKMARKS), help="How many to make up.")
@click.option("--user", "email", default=SEED_EMAIL, show_default=True, help="Whose; opened when it is not there.")
@click.option("--seed", default=1, show_default=True, help="The same number makes the same bookmarks.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def seed(*, bookmarks: int, email: str, seed: int, as_json: bool) -> None:
    """Fill an account with made-up bookmarks, tags and collections, to try Graphmark on."""

    async def work(services: Services) -> tuple[int, float, str | None]:
        viewer, password = await _account(services, email)
        started = perf_counter()
        with _progress(bookmarks, shown=not as_json) as progress:
            added = await fill(services.database, viewer.id, bookmarks, seed=seed, progress=progress)
        return added, perf_counter() - started, password

    added, seconds, password = run_with_services("seed", work)
    if as_json:
        print_json({"user": email, "password": password, "added": added, "seconds": round(seconds, 3)})
        return
    click.echo(f"Added {added:,} bookmarks to {email} in {seconds:.1f} s.")
    if password is not None:
        click.echo(f"The account is new; its password is {password}")


async def _account(services: Services, email: str) -> tuple[Viewer, str | None]:
    """Return the account, and its password when it was opened here."""
    try:
        return await viewer_by_email(services.database, email), None
    except NotFound:
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
    accounts = auth.Accounts(services.database, services.passwords, services.settings)
    row = await auth.create_user(accounts, email=email, password=password, name="Made up", role=Role.USER)
    return Viewer(id=row.id), password


@contextmanager
def _progress(total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, nothing elsewhere; give what moves it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task("Making up bookmarks", total=total)
        yield lambda done: bar.update(task, completed=done)
