"""The audit log in the graph."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import strawberry

from db import users
from db.audit import AuditFilter as Chosen
from db.audit import AuditRow
from db.unit import Rows
from db.users import UserRow
from kit.errors import BadInput
from kit.paging import page_request
from resolvers.context import Info, viewer_of
from resolvers.ids import optional_key
from resolvers.inputs.audit import AuditFilter
from resolvers.inputs.scalars import Json
from resolvers.loaders import load
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from services import audit
from services.permissions import WHOLE, admit

_MAX_ACTIONS = 100
Filter = Annotated[AuditFilter | None, strawberry.argument(description="Which entries; all when left out.")]


async def audit_log(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,  # noqa: A002  the name of the API
) -> ConnectionRows[AuditRow]:
    """Return the audit log, newest first."""
    viewer, database, chosen = viewer_of(info), info.context.unwalled, _chosen(filter)
    admit(viewer, WHOLE, "auditLog")
    request = page_request(audit.ORDER, audit.KINDS, first=first, after=after, last=last, before=before)
    found = await audit.page(database, viewer, chosen, request)
    return connection(
        request, audit.ORDER, [(row, row.seq) for row in found], lambda: audit.count(database, viewer, chosen)
    )


async def actor(row: strawberry.Parent[AuditRow], info: Info) -> UserRow | None:
    """Return the account that acted, while it is there."""
    return await _account(info, row.actor_id)


async def subject(row: strawberry.Parent[AuditRow], info: Info) -> UserRow | None:
    """Return the account that it was done to, while it is there."""
    return await _account(info, row.subject_id)


def details(row: strawberry.Parent[AuditRow]) -> Json:
    """Return what else was written down."""
    return Json(row.details)


def digest(row: strawberry.Parent[AuditRow]) -> str:
    """Return what the entry is sealed by, in hexadecimal digits."""
    return row.digest.hex()


async def _account(info: Info, key: UUID | None) -> UserRow | None:
    """Return an account that an entry names: whoever sees the entry is an administrator."""

    async def fetch(_rows: Rows, _asking: UUID, keys: Sequence[UUID]) -> dict[UUID, UserRow]:
        return await users.by_ids(info.context.unwalled, keys)

    return None if key is None else await load(info, "accounts of the audit log", key, fetch)


def _chosen(given: AuditFilter | None) -> Chosen:
    if given is None:
        return Chosen()
    if given.action is not None and len(given.action) > _MAX_ACTIONS:
        raise BadInput(f"At most {_MAX_ACTIONS} actions at once.", field=("filter", "action"))
    return Chosen(
        actions=None if given.action is None else tuple(action.value for action in given.action),
        actor_id=optional_key(given.actor_id, "User", ("filter", "actorId")),
        subject_id=optional_key(given.subject_id, "User", ("filter", "subjectId")),
        succeeded=given.succeeded,
        since=given.from_,
        until=given.to,
    )
