"""Writing down what was refused, so that a flood of it neither fills the log nor hides in it.

The first failure in a minute of one kind, on one account, from one network, is an entry; the others of that minute are
counted, and one more entry tells their number when the minute has passed. Networks are counted apart up to a bound. So
each kind of failure brings at most 22 entries a minute for an account and 122 for no account, whatever is thrown at the
server; throttling leaves a fraction of that.
"""

from typing import Final

from db import audit as rows_of
from db.unit import Database, Unit
from kit.rates.budgets import network_of
from services.audit.acts import Act, AuditAction, record

NETWORKS_PER_ACCOUNT: Final = 10
NETWORKS_WITHOUT_ACCOUNT: Final = 60


async def refused(database: Database, act: Act) -> None:
    """Write down that something was tried and refused, in a transaction of its own."""
    async with database.unit() as unit:
        times = await rows_of.note_repeat(
            unit,
            act.action.value,
            act.subject_id,
            network_of(act.network_address),
            most_networks=NETWORKS_WITHOUT_ACCOUNT if act.subject_id is None else NETWORKS_PER_ACCOUNT,
        )
        if times == 1:
            await record(unit, act)


async def tell_repeats(unit: Unit, *, limit: int) -> int:
    """Write down how often failures repeated in minutes that have passed; return how many counts were taken."""
    repeats = await rows_of.take_repeats(unit, limit=limit)
    for repeat in repeats:
        if repeat.times > 1:
            await record(
                unit,
                Act(
                    AuditAction(repeat.action),
                    None,
                    "",
                    subject_id=repeat.subject_id,
                    succeeded=False,
                    network_address=repeat.network,
                    details={"repeated": repeat.times - 1, "minute": repeat.minute.isoformat()},
                ),
            )
    return len(repeats)
