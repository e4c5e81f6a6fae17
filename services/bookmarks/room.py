"""Whether an account may have one more bookmark, without counting all of them each time.

Counting a million rows takes a tenth of a second. So an account that was found to be far below its limit is not
counted again for a minute. Should an import fill it meanwhile, what is saved one by one in that minute goes beyond.
"""

from time import monotonic
from typing import Final
from uuid import UUID

from db.bookmarks import holds_at_least
from db.quotas import lock_room
from db.unit import Rows
from kit.errors import Conflict

FAR: Final = 50_000
"""Nobody saves so many bookmarks one by one within a minute; imports count for themselves (services.imports.room)."""

REMEMBERED_SECONDS: Final = 60.0
MAX_REMEMBERED: Final = 10_000
_roomy_until: dict[tuple[UUID, int], float] = {}


async def check_room(rows: Rows, owner_id: UUID, limit: int) -> None:
    """Raise `Conflict` when the account has `limit` bookmarks, the trash included (services.quotas).

    Near the limit, of two that ask one waits until the transaction of the other ends.
    """
    now = monotonic()
    if now < _roomy_until.get((owner_id, limit), 0.0):
        return
    if limit > FAR and not await holds_at_least(rows, owner_id, limit - FAR):
        _remember((owner_id, limit), now + REMEMBERED_SECONDS)
        return
    await lock_room(rows, owner_id)
    if await holds_at_least(rows, owner_id, limit):
        raise Conflict(
            f"This account may have at most {limit:,} bookmarks, the trash included, and has as many. Delete some for"
            " ever, or ask whoever runs this server for more."
        )


def _remember(account: tuple[UUID, int], until: float) -> None:
    _roomy_until.pop(account, None)
    _roomy_until[account] = until
    while len(_roomy_until) > MAX_REMEMBERED:
        del _roomy_until[next(iter(_roomy_until))]  # the one that was remembered first is forgotten first
