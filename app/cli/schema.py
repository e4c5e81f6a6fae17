"""`graphmark schema`."""

import click


@click.command()
def schema() -> None:
    """Print the GraphQL schema (SDL) of this version on stdout."""
    from schema.root import sdl  # noqa: PLC0415  building the schema takes as long as everything else together

    click.echo(sdl())
