"""Imports as rows: uploaded files, the imports made of them, and the fate of every line.

An import's status, times and error are those of its task; only what a task does not know lies in `imports`.
"""

from db.imports.fates import FateRow, count_fates, fates_page, outcomes_of
from db.imports.jobs import (
    SOURCE,
    TASK,
    UNDO_TASK,
    WHOLE,
    WORKFLOW,
    ImportRow,
    advance,
    by_id,
    by_task,
    count,
    insert,
    lock,
    open_count,
    page,
    set_workflow,
    settle_total,
    snapshot,
)
from db.imports.uploads import (
    UploadRow,
    insert_upload,
    known_uploads,
    purge_uploads,
    upload_by_id,
    waiting_bytes,
)

__all__ = [
    "SOURCE",
    "TASK",
    "UNDO_TASK",
    "WHOLE",
    "WORKFLOW",
    "FateRow",
    "ImportRow",
    "UploadRow",
    "advance",
    "by_id",
    "by_task",
    "count",
    "count_fates",
    "fates_page",
    "insert",
    "insert_upload",
    "known_uploads",
    "lock",
    "open_count",
    "outcomes_of",
    "page",
    "purge_uploads",
    "set_workflow",
    "settle_total",
    "snapshot",
    "upload_by_id",
    "waiting_bytes",
]
