"""How long entries are kept: for ever, unless the operator cuts the beginning of the log off.

What was cut off is sealed: the head of the chain keeps the number and the digest of the last entry that went, and an
entry in what stays tells both. So a copy of what went (`graphmark audit export`) can still be checked against the log.
"""

from typing import Final

from db import audit as rows_of
from db.audit import Cut
from db.unit import Database
from kit.errors import BadInput
from services.audit.acts import Act, AuditAction, record

MIN_KEPT_DAYS: Final = 90
"""PostgreSQL itself refuses to cut younger entries (migration m0014)."""
_BATCH: Final = 5_000


async def cut_off(database: Database, *, older_than_days: int) -> tuple[Cut | None, int]:
    """Cut off what is older, on the operator's word; return the last entry that went and how many went.

    Killed in between, the next call deletes the rest. Raises `BadInput` below 90 days.
    """
    if older_than_days < MIN_KEPT_DAYS:
        raise BadInput(f"The last {MIN_KEPT_DAYS} days of the audit log are kept.", field=("olderThanDays",))
    async with database.unit() as unit:
        last = await rows_of.newest_older(unit, than_days=older_than_days)
        if last is not None:
            await rows_of.cut(unit, last)
            details = {"upTo": last.seq, "digest": last.digest.hex(), "until": last.at.isoformat()}
            await record(unit, Act(AuditAction.AUDIT_CUT, None, "operator", details=details))
    gone = 0
    while True:
        async with database.unit() as unit:
            deleted = await rows_of.delete_cut(unit, limit=_BATCH)
        gone += deleted
        if deleted < _BATCH:
            return last, gone
