"""Who may read the audit log: administrators."""

from typing import cast

from db import audit as rows_of
from db.audit import AuditFilter, AuditRow
from db.unit import Rows
from kit.errors import BadInput
from kit.paging import PageRequest
from services.permissions import Role, Viewer, require_role

ORDER = "audit"
KINDS = (int,)


async def page(rows: Rows, viewer: Viewer, chosen: AuditFilter, request: PageRequest) -> list[AuditRow]:
    """Return one page of the log, newest first, and one more when there are more. Administrators only."""
    require_role(viewer, Role.ADMIN)
    _check(chosen)
    position = None if request.position is None else cast("int", request.position[0])
    return await rows_of.page(rows, chosen, position=position, backward=request.backward, limit=request.limit + 1)


async def count(rows: Rows, viewer: Viewer, chosen: AuditFilter) -> int:
    """Return how many entries there are. Administrators only."""
    require_role(viewer, Role.ADMIN)
    return await rows_of.count(rows, chosen)


async def oldest_after(rows: Rows, seq: int, *, limit: int) -> list[AuditRow]:
    """Return at most `limit` entries behind a number, oldest first, on the operator's word."""
    return await rows_of.page(rows, AuditFilter(), position=seq, backward=True, limit=limit)


def _check(chosen: AuditFilter) -> None:
    if chosen.since is not None and chosen.until is not None and chosen.since >= chosen.until:
        raise BadInput("`from` must be earlier than `to`.", field=("filter", "from"))
