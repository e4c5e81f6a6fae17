"""Deleting one's own account: closed at once, gone soon.

Everything that opens it ends in one transaction, in which its address and name go as well. What it holds, which may be
a million rows, is removed afterwards in pieces (`remove_closed`), and the account with the last of it.
"""

import asyncio
from typing import Final

import structlog

from db.auth import removal
from db.unit import Database, Unit
from kit.errors import BadInput, Conflict
from kit.settings import Settings
from services import audit, mail
from services.audit import AuditAction
from services.auth.accounts import Accounts
from services.auth.acting import act_of
from services.auth.codes import read_code
from services.auth.ending import shut_out
from services.auth.factors import Factor, states
from services.auth.proving import prove_password, with_code
from services.auth.sessions import Device
from services.imports.jobs import path_of
from services.mail import letters
from services.permissions import WHOLE, Viewer, admit
from services.users import refuse_last_admin

log = structlog.get_logger(__name__)
CHUNK_ROWS: Final = 2_000


async def delete_account(
    accounts: Accounts, viewer: Viewer, *, password: str, code: str | None, device: Device
) -> None:
    """Close the viewer's account for good and let all that it holds be removed.

    Raises `Unauthenticated` for a wrong password or code, `BadInput` for a code that is missing where the account has a
    second factor, `RateLimited` after too many wrong ones, `Conflict` for the only administrator.
    """
    admit(viewer, WHOLE, "deleteAccount")
    user = await prove_password(
        accounts, viewer, password, device, action=AuditAction.ACCOUNT_DELETED, what="deleteAccount"
    )
    needs_code = (await states(accounts.database, [user.id]))[user.id].is_enabled
    if needs_code and not code:
        raise BadInput("Your account has a second factor: give a code of it.", field=("input", "code"))

    async def work(unit: Unit, _factor: Factor | None) -> None:
        await refuse_last_admin(unit, user.id, field=())
        await shut_out(unit, user.id)
        if not await removal.close(unit, user.id):
            raise Conflict("This account is being deleted already.")
        await mail.queue(unit, accounts.secret_key, letters.account_deleted(user))
        await audit.record(unit, act_of(AuditAction.ACCOUNT_DELETED, user, device))

    if needs_code and code:
        await with_code(accounts, user, read_code(code), device, work, action=AuditAction.ACCOUNT_DELETED)
    else:
        async with accounts.database.unit() as unit:
            await work(unit, None)


async def remove_closed(database: Database, settings: Settings) -> int:
    """Remove what deleted accounts hold, piece by piece, then the accounts; return how many accounts went.

    Killed at any moment, it goes on where it was. Several at once do no harm.
    """
    removed = 0
    for key in await removal.closed(database):
        uploads = await removal.uploads_of(database, key)
        gone = 1
        while gone:
            async with database.unit() as unit:
                gone = await removal.remove_some(unit, key, limit=CHUNK_ROWS)
        async with database.unit() as unit:
            removed += await removal.remove(unit, key)
        for upload in uploads:
            await asyncio.to_thread(path_of(settings, upload).unlink, missing_ok=True)
        log.info("account.removed", user_id=str(key))
    return removed
