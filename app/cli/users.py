"""`graphmark user list`, `disable`, `enable` and `set-role`: administering accounts as the operator."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import click

from app.cli.support import print_json, run_with_services
from db import users as rows
from db.unit import Unit
from db.users import UserFilter, UserRow
from kit.errors import NotFound
from kit.ids import encode_global_id
from resolvers.context import Services
from services import admin
from services.admin import Acting
from services.permissions import Role
from services.users import email_key

_PAGE = 1_000
NOBODY = UUID(int=0)  # the operator has no account
Work = Callable[[Unit, UserRow], Awaitable[UserRow]]
_email = click.option("--email", required=True, help="The address of the account.")


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each account.")
def list_users(*, as_json: bool) -> None:
    """Print every account, oldest first."""

    async def work(services: Services) -> None:
        position = None
        while True:
            found = await rows.page(
                services.database, NOBODY, position=position, backward=True, limit=_PAGE, chosen=UserFilter()
            )
            for row, _, _ in found:
                _print(row, as_json=as_json)
            if len(found) < _PAGE:
                return
            position = found[-1][1:]

    run_with_services("user", work)


@click.command("disable")
@_email
def disable(*, email: str) -> None:
    """Close an account: what is open in its name ends. The last administrator stays."""
    _change(email, lambda unit, row: admin.disable(unit, Acting(), row.id, disabled=True), "is closed")


@click.command("enable")
@_email
def enable(*, email: str) -> None:
    """Open an account again."""
    _change(email, lambda unit, row: admin.disable(unit, Acting(), row.id, disabled=False), "is open")


@click.command("set-role")
@_email
@click.option("--role", type=click.Choice([role.value for role in Role], case_sensitive=False), required=True)
def set_role(*, email: str, role: str) -> None:
    """Give an account another role, and end its sessions. The last administrator keeps it."""
    wanted = Role(role.upper())
    _change(email, lambda unit, row: admin.set_role(unit, Acting(), row.id, wanted), f"has the role {wanted.value}")


def _change(email: str, change: Work, told: str) -> None:
    async def work(services: Services) -> None:
        async with services.database.unit() as unit:
            found = await rows.by_email_key(unit, email_key(email, field=("email",)))
            if found is None:
                raise NotFound(f"There is no account with the address {email}.", field=("email",))
            await change(unit, found[0])

    run_with_services("user", work)
    click.echo(f"{email} {told}.")


def _print(row: UserRow, *, as_json: bool) -> None:
    told: dict[str, Any] = {
        "id": encode_global_id("User", row.id),
        "email": row.email,
        "name": row.name,
        "role": row.role,
        "isDisabled": row.is_disabled,
        "lastLoginAt": row.last_login_at,
        "createdAt": row.created_at,
    }
    if as_json:
        print_json(told)
        return
    seen = "never" if row.last_login_at is None else f"{row.last_login_at:%Y-%m-%d}"
    closed = ", closed" if row.is_disabled else ""
    click.echo(f"{row.email}  {row.role}{closed}, last signed in: {seen}")
