"""How a connection is told for whom it acts."""

from typing import Final
from uuid import UUID

from db.wall.tables import ROLE, SCHEMA, SETTING

NOBODY: Final = UUID(int=0)
"""The account of whoever is not signed in: nothing is theirs."""

_SYSTEM: Final = f"RESET ROLE; RESET search_path; RESET {SETTING}"
_TENANT: Final = f"SET ROLE {ROLE}; SET search_path = {SCHEMA}, public; "


def statement(owner_id: UUID | None, *, is_tenant: bool) -> str:
    """Return the SQL that makes a session act for an account, or for the system when there is none.

    `is_tenant` says that the session acts for some account already. Not to be used within a transaction, whose end by
    rollback would undo it.
    """
    if owner_id is None:
        return _SYSTEM
    return f"{'' if is_tenant else _TENANT}SET {SETTING} = '{owner_id}'"
