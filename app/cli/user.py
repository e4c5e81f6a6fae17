"""`graphmark user create`, `graphmark user unlock` and `graphmark user reset-totp`."""

import sys

import click

from app.cli.support import print_json, run_with_services
from app.cli.users import disable, enable, list_users, set_role
from db import users
from kit.errors import BadInput, NotFound
from kit.ids import encode_global_id
from resolvers.context import Services
from services import auth, throttle
from services.audit import Act, AuditAction
from services.permissions import Role
from services.users import email_key

MAX_LINE_BYTES = 8_192


@click.group()
def user() -> None:
    """Open accounts, unlock them, reset second factors."""


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


@user.command("unlock")
@click.option("--email", help="The address of an account whose sign-in waits because of wrong passwords or codes.")
@click.option("--network", help="An address of a network that waits: 203.0.113.7 stands for 203.0.113.0/24.")
def unlock(*, email: str | None, network: str | None) -> None:
    """Forget wrong passwords and codes, so that nobody has to wait any longer."""
    if (email is None) == (network is None):
        raise click.UsageError("Give either --email or --network.")

    async def work(services: Services) -> None:
        if email is not None:
            had = await throttle.clear_account(services.database, email_key(email, field=("email",)))
        else:
            had = await throttle.clear_network(services.database, network or "")
        click.echo("Nobody has to wait any longer." if had else "Nobody had to wait.")

    run_with_services("user", work)


@user.command("reset-totp")
@click.option("--email", required=True, help="The address of somebody who has lost the second factor.")
def reset_totp(*, email: str) -> None:
    """Switch somebody's second factor off and end all sessions of the account. The password stays."""

    async def work(services: Services) -> None:
        async with services.database.unit() as unit:
            found = await users.by_email_key(unit, email_key(email, field=("email",)))
            if found is None:
                raise NotFound(f"There is no account with the address {email}.", field=("email",))
            row, _ = found
            act = Act(AuditAction.TOTP_RESET, None, "operator", subject_id=row.id)
            had = await auth.reset_factor(unit, row, act, key=services.secret_key)
        what = "The second factor is off, and all sessions have ended." if had else "There was no second factor."
        click.echo(what)

    run_with_services("user", work)


for command in (list_users, disable, enable, set_role):
    user.add_command(command)


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
