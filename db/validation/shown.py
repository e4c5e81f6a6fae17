"""The link of a bookmark as it is shown: also before its first check."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.shapes import Kind, One, Source, Value, Whole
from db.tables.bookmarks import Bookmark


@dataclass(frozen=True, slots=True)
class LinkHealthRow:
    """How a link fares. Without a check the status is UNCHECKED, the verdict UNKNOWN, and most is None."""

    id: UUID
    status: str
    detail: str | None
    verdict: str
    http_status: int | None
    final_url: str | None
    permanent_url: str | None
    checked_at: datetime | None
    next_check_at: datetime | None
    archive_url: str | None
    failures: int
    content: str


def _of(name: str, kind: Kind) -> Value:
    return Value(f"{{row}}_link.{name}", kind, is_nullable=True)


# A row of the bookmark itself, so that there is one also where nothing was checked yet.
SOURCE = Source(
    table=Bookmark,
    joins="LEFT JOIN link_health {row}_link ON {row}_link.bookmark_id = {row}.id",
    computed={
        "status": Value("coalesce({row}_link.status, 'UNCHECKED')", Kind.TEXT),
        "detail": _of("detail", Kind.TEXT),
        "verdict": Value("coalesce({row}_link.verdict, 'UNKNOWN')", Kind.TEXT),
        "http_status": _of("http_status", Kind.INTEGER),
        "final_url": _of("final_url", Kind.TEXT),
        "permanent_url": _of("permanent_url", Kind.TEXT),
        "checked_at": _of("checked_at", Kind.TIME),
        "next_check_at": _of("next_check_at", Kind.TIME),
        "archive_url": _of("archive_url", Kind.TEXT),
        "failures": Value("coalesce({row}_link.failures, 0)", Kind.INTEGER),
        "content": Value("coalesce({row}_link.content_state, 'UNKNOWN')", Kind.TEXT),
    },
)
WHOLE = Whole(LinkHealthRow, tuple((name, value.template) for name, value in SOURCE.computed.items()))
OF_BOOKMARK = One(SOURCE, needs=("id",), key="id", is_certain=True)
