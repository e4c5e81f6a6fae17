"""`graphmark user create`."""

import sys

import click

from app.cli.support import print_json, run_with_services
from kit.errors import BadInput
from kit.ids import encode_global_id
from resolvers.context import Services
from services import auth
from services.permissions import Role

MAX_LINE_BYTES = 8_192


@click.group()
def user() -> None:
    """Open accounts."""


@user.command("create")
@click.option("--email", required=True, help="The address to sign in with.")
@click.option("--name", default="", help="The name to show; the address when left out.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")
@click.option("--admin", is_flag=True, help="Make it an administrator.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def create(*, email: str, name: str, password_stdin: bool, admin: bool, as_json: bool) -> None:
    """Open an account. Without --password-stdin the password is asked for, twice."""
    password = _first_line() if password_stdin else _asked()
    role = Role.ADMIN if admin else Role.USER

    async def work(services: Services) -> None:
        accounts = auth.Accounts(services.database, services.passwords, services.settings)
        row = await auth.create_user(accounts, email=email, password=password, name=name or email, role=role)
        if as_json:
            print_json({"id": encode_global_id("User", row.id), "email": row.email, "role": role.value})
        else:
            click.echo(f"Opened an account for {row.email}{' as an administrator' if admin else ''}.")

    run_with_services("user", work)


def _first_line() -> str:
    """Return the first line of stdin without its line end."""
    try:
        line = sys.stdin.buffer.readline(MAX_LINE_BYTES).decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise BadInput("The password on stdin is not UTF-8.") from error
    if not line:
        raise BadInput("There was no password on the first line of stdin.")
    return line


def _asked() -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for the password on; give --password-stdin.")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
