"""Bookmarks that go from one account to another."""

from piccolo.columns import UUID, Integer, Timestamptz
from piccolo.table import Table


class Transfer(Table, tablename="transfers"):
    """How far a transfer is. `ended_at` is when its end was written into the audit log."""

    id = UUID(primary_key=True)
    task_id = UUID()
    from_id = UUID()
    to_id = UUID()
    total = Integer()
    moved = Integer()
    merged = Integer()
    skipped = Integer()
    created_at = Timestamptz()
    ended_at = Timestamptz(null=True)
