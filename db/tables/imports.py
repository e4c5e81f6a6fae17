"""Uploads and imports.

`import_rows` and `import_objects` have keys of two columns, which Piccolo cannot describe; they are used in SQL only.
"""

from piccolo.columns import JSONB, UUID, BigInt, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table


class Upload(Table, tablename="uploads"):
    """A file that waits to be imported, until `expires_at`."""

    id = UUID(primary_key=True)
    owner_id = UUID()
    file_name = Text()
    size_bytes = BigInt()
    sha256 = Bytea()
    detected_format = Text()
    created_at = Timestamptz()
    expires_at = Timestamptz()


class Import(Table, tablename="imports"):
    """One import of one file. Its status, progress and error are those of its task."""

    id = UUID(primary_key=True)
    owner_id = UUID()
    task_id = UUID()
    upload_id = UUID()
    format = Text()
    file_name = Text()
    file_size_bytes = BigInt()
    options = JSONB()
    total = Integer(null=True)
    next_row = Integer()
    created = Integer()
    merged = Integer()
    skipped = Integer()
    errors = Integer()
    created_at = Timestamptz()
    undo_task_id = UUID(null=True)
    undo_next_row = Integer()
    removed = Integer()
    restored = Integer()
    kept = Integer()
    undone_at = Timestamptz(null=True)
    workflow_task_id = UUID(null=True)
