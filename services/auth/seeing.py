"""Seeing where one is signed in (OWASP ASVS 5.0 7.5.2), and for administrators where others are (7.4.5)."""

from datetime import datetime
from typing import Final, cast
from uuid import UUID

from typing_extensions import TypeVar

from db import auth as rows_of
from db.auth import SessionRow
from db.auth import sessions as session_rows
from db.shapes import Shape
from db.unit import Rows
from kit.paging import PageRequest
from services.auth.ending import may_see
from services.permissions import WHOLE, Role, Viewer, admit

ORDER: Final = "sessions"
KINDS: Final = (datetime, UUID)
R = TypeVar("R", default=SessionRow)


async def get_session(
    rows: Rows, viewer: Viewer, key: UUID, shape: Shape[R] = session_rows.WHOLE.by_default
) -> R | None:
    """Return a session that stands: one's own, or any for an administrator; None otherwise."""
    admit(viewer, WHOLE, "node")
    whole = await rows_of.session_by_id(rows, key)
    if whole is None or (whole.user_id != viewer.id and viewer.role is not Role.ADMIN):
        return None
    return await rows_of.session_by_id(rows, key, shape)


async def page_of_sessions(
    rows: Rows, viewer: Viewer, user_id: UUID, request: PageRequest, shape: Shape[R] = session_rows.WHOLE.by_default
) -> list[tuple[R, datetime, UUID]]:
    """Return one page of the standing sessions of an account, newest first, and one more when there are more."""
    may_see(viewer, user_id, "sessions")
    position = cast("tuple[datetime, UUID] | None", request.position)
    return await rows_of.page_of_sessions(
        rows, user_id, position=position, backward=request.backward, limit=request.limit + 1, shape=shape
    )


async def count_sessions(rows: Rows, viewer: Viewer, user_id: UUID) -> int:
    """Return how many sessions of an account stand."""
    may_see(viewer, user_id, "sessions")
    return await rows_of.count_sessions(rows, user_id)
