"""Reading the audit log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.unit import Rows

_COLUMNS = "seq, at, action, succeeded, actor_id, actor, subject_id, network_address, user_agent, details, digest"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act. `seq` is its place in the chain, from 1 on."""

    seq: int
    at: datetime
    action: str
    succeeded: bool
    actor_id: UUID | None
    actor: str
    subject_id: UUID | None
    network_address: str
    user_agent: str
    details: dict[str, Any]
    digest: bytes

    @property
    def actor_name(self) -> str:
        """How the actor was called then."""
        return self.actor


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; what is None does not matter. `since` is included, `until` is not."""

    actions: tuple[str, ...] | None = None
    actor_id: UUID | None = None
    subject_id: UUID | None = None
    succeeded: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


async def page(rows: Rows, chosen: AuditFilter, *, position: int | None, backward: bool, limit: int) -> list[AuditRow]:
    """Return at most `limit` entries beyond `position`, newest first, or oldest first if `backward`.

    Everybody's: whoever calls has made sure that the asking account may see them.
    """
    conditions, arguments = _conditions(chosen)
    if position is not None:
        arguments.append(position)
        conditions.append(f"seq {'>' if backward else '<'} ${len(arguments)}::bigint")
    found = await rows.fetch(
        f"SELECT {_COLUMNS} FROM audit_entries{_where(conditions)} ORDER BY seq {'ASC' if backward else 'DESC'} "
        f"LIMIT {int(limit)}",
        *arguments,
    )
    return [AuditRow(**row) for row in found]


async def count(rows: Rows, chosen: AuditFilter) -> int:
    """Return how many entries there are."""
    conditions, arguments = _conditions(chosen)
    return int(await rows.fetchval(f"SELECT count(*) FROM audit_entries{_where(conditions)}", *arguments))


def _conditions(chosen: AuditFilter) -> tuple[list[str], list[Any]]:
    given = {
        "action = ANY({})": None if chosen.actions is None else list(chosen.actions),
        "actor_id = {}": chosen.actor_id,
        "subject_id = {}": chosen.subject_id,
        "at >= {}": chosen.since,
        "at < {}": chosen.until,
    }
    asked = {condition: value for condition, value in given.items() if value is not None}
    conditions = [condition.format(f"${place}") for place, condition in enumerate(asked, start=1)]
    if chosen.succeeded is not None:
        conditions.append("succeeded" if chosen.succeeded else "NOT succeeded")
    # Entries that are cut off stay for as long as deleting them takes, and are no part of the log any more.
    conditions.append("seq > coalesce((SELECT cut_seq FROM audit_head), 0)")
    return conditions, list(asked.values())


def _where(conditions: list[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}"
