"""Asking for a transfer, and writing down how it ended.

What is moved is decided by what there is, not by a cursor: every piece takes bookmarks out of the account that they
come from, so a transfer that was killed, cancelled or tried again goes on with what is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from db import quotas as quota_rows
from db import transfers as rows_of
from db import users
from db.agents import TaskRow
from db.imports.chunks import count_held
from db.transfers import TransferRow
from db.unit import Rows, Unit
from kit.errors import BadInput, Conflict, NotFound
from kit.ids import new_id
from kit.settings import Settings
from services import agents, audit, idempotency, quotas
from services.admin.acting import Acting, act, admit_admin
from services.agents import TaskStatus
from services.audit import Act, AuditAction
from services.permissions import Viewer

KIND: Final = "transfer"
WORKFLOW: Final = "TRANSFER"
_FROM, _TO = ("input", "fromUserId"), ("input", "toUserId")
_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a transfer would do, or is about to do: of `bookmarks`, the trash included, the other has `twins`.

    `task` is None when it was only asked.
    """

    bookmarks: int
    twins: int
    task: TaskRow | None = None


async def start(
    unit: Unit,
    acting: Acting,
    viewer: Viewer,
    settings: Settings,
    *,
    from_id: UUID,
    to_id: UUID,
    dry_run: bool,
    idempotency_key: str | None = None,
) -> Outlook:
    """Start to give all bookmarks of one account to another; with `dry_run` only tell what that would do.

    Raises `BadInput` when both are the same, `NotFound`, `Conflict` when the other has no room, or when a transfer from
    or to one of them goes on.
    """
    await admit_admin(unit, acting, "transferBookmarks")
    if from_id == to_id:
        raise BadInput("Give two accounts; these are one.", field=_TO)
    key = new_id()
    told = {"from": str(from_id), "to": str(to_id)}
    if not dry_run:
        earlier = await idempotency.earlier(
            unit,
            viewer,
            idempotency_key,
            operation="transferBookmarks",
            request=told,
            subject_id=key,
            hours=settings.idempotency_hours,
        )
        if earlier is not None:
            return await _again(unit, viewer, earlier)
    await _check_there(unit, from_id, to_id)
    if not dry_run and await rows_of.is_busy(unit, [from_id, to_id]):
        raise Conflict("A transfer from or to one of these accounts goes on; wait for it, or cancel it.")
    total, twins = await rows_of.count(unit, from_id, to_id)
    if dry_run:
        return Outlook(total, twins)
    await check_room(unit, settings, to_id, total - twins)
    task = await agents.enqueue(
        unit,
        viewer,
        workflow=WORKFLOW,
        kind=KIND,
        payload={"transfer": str(key)},
        max_attempts=settings.task_max_attempts,
    )
    await rows_of.insert(unit, key=key, task_id=task.id, from_id=from_id, to_id=to_id, total=total)
    details = {**told, "task": str(task.id), "bookmarks": total}
    await audit.record(unit, await act(unit, acting, AuditAction.TRANSFER_STARTED, details=await _named(unit, details)))
    await agents.announce(unit, task)
    return Outlook(total, twins, task)


async def check_room(unit: Unit, settings: Settings, to_id: UUID, coming: int) -> None:
    """Raise `Conflict` when an account cannot have `coming` more bookmarks. Until the transaction ends none come."""
    if not coming:
        return
    await quota_rows.lock_room(unit, to_id)
    limit = (await quotas.bounds_of(unit, settings, to_id)).max_bookmarks
    held = await count_held(unit, to_id)
    if held + coming > limit:
        raise Conflict(
            f"The account that is to have them may have {limit:,} bookmarks, the trash included. It has {held:,}, which"
            f" leaves room for {max(0, limit - held):,}, and {coming:,} more are to come.",
            field=_TO,
        )


async def of_task(rows: Rows, task_id: UUID) -> TransferRow:
    """Return the transfer that a task does. Raises `NotFound` when one of the accounts is gone."""
    row = await rows_of.by_task(rows, task_id)
    if row is None:
        raise NotFound("One of the two accounts is gone.")
    return row


async def finish(unit: Unit, row: TransferRow, actor_id: UUID, status: str) -> None:
    """Write down how a transfer ended, with what it did."""
    actor = await users.by_id(unit, actor_id)
    now = await rows_of.by_id(unit, row.id) or row
    details = {
        "from": str(now.from_id),
        "to": str(now.to_id),
        "task": str(now.task_id),
        "status": status,
        "moved": now.moved,
        "merged": now.merged,
        "skipped": now.skipped,
    }
    await rows_of.end(unit, now.id)
    await audit.record(
        unit,
        Act(
            AuditAction.TRANSFER_ENDED,
            actor_id,
            "" if actor is None else actor.email,
            subject_id=now.from_id,
            succeeded=status == TaskStatus.COMPLETED,
            details=await _named(unit, details),
        ),
    )


async def tell_stopped(unit: Unit) -> int:
    """Write down the end of transfers that failed or were cancelled; return of how many."""
    stopped = await rows_of.stopped(unit, limit=_AT_ONCE)
    for row, actor_id, status in stopped:
        await finish(unit, row, actor_id, status)
    return len(stopped)


async def _check_there(unit: Unit, from_id: UUID, to_id: UUID) -> None:
    there = await rows_of.there(unit, [from_id, to_id])
    for key, field in ((from_id, _FROM), (to_id, _TO)):
        if key not in there:
            raise NotFound("There is no such account.", field=field)


async def _again(unit: Unit, viewer: Viewer, key: UUID) -> Outlook:
    row = await rows_of.by_id(unit, key)
    if row is None:
        raise NotFound("One of the two accounts is gone.")
    task = (await agents.get(unit, viewer, row.task_id)).row
    _, twins = await rows_of.count(unit, row.from_id, row.to_id)
    return Outlook(row.total, twins, task)


async def _named(unit: Unit, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return details with the addresses of both accounts in place of their ids, as the audit log shows accounts."""
    found = await users.by_ids(unit, [UUID(details["from"]), UUID(details["to"])])
    named = {name: found[UUID(details[name])].email for name in ("from", "to") if UUID(details[name]) in found}
    return {**details, **named}
