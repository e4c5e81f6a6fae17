"""Whose bookmarks a command works on."""

from db import users as rows_of
from db.unit import Rows
from kit.errors import NotFound
from services.permissions import Role, Viewer
from services.users import email_key


async def viewer_of_email(rows: Rows, email: str) -> Viewer:
    """Return the account that signs in with `email`. Raises `BadInput` for no address, `NotFound` without an account.

    The command line acts for anybody: whoever can run it can read the database as well.
    """
    found = await rows_of.by_email_key(rows, email_key(email, field=("user",)))
    if found is None:
        raise NotFound(f"There is no account with the address {email}.", field=("user",))
    return Viewer(id=found[0].id, role=Role(found[0].role))
