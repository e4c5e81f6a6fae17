"""`graphmark migrate`."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from app.cli.support import print_json, run, settings_or_usage
from db.migrate import migrate as apply_migrations
from db.migrate import pending
from kit.postgres import EmbeddedPostgres, running_url
from kit.settings import Settings


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; leave with 1 when a migration is pending.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def migrate(ctx: click.Context, *, check: bool, as_json: bool) -> None:
    """Bring the database to the schema of this version. Any number may run at once."""
    with _any_database(settings_or_usage()) as url:
        names = run(pending(url)) if check else list(run(apply_migrations(url)).applied)
    key = "pending" if check else "applied"
    if as_json:
        print_json({key: names})
    elif names:
        click.echo("\n".join(f"{key} {name}" for name in names))
    else:
        click.echo("The schema is up to date.")
    if check and names:
        ctx.exit(1)


@contextmanager
def _any_database(settings: Settings) -> Iterator[str]:
    """Give the URL of the database whatever schema it has, starting the embedded server where none runs."""
    url = settings.database_url or running_url(settings.data_dir)
    if url is not None:
        yield url
        return
    server = EmbeddedPostgres(settings.data_dir)
    try:
        yield server.start()
    finally:
        server.stop()
