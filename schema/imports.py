"""Imports: files that become bookmarks, watched while they do."""

from collections.abc import AsyncGenerator
from datetime import datetime

import strawberry

from resolvers import imports as answer
from resolvers.compiled import answers
from resolvers.inputs.imports import ImportFormat, ImportStatus, Outcome, Reason, RowClass
from resolvers.inputs.users import ApiScope
from schema.agents import Task
from schema.bookmarks import Bookmark
from schema.directives import Cost, ListSize, requires
from schema.errors import UserError
from schema.node import Node, global_id, node_type
from schema.paging import Connection

ITEMS_COST = 50  # one statement for each import that it is asked of
PREVIEW_COST = 2_000  # reads the whole file


@strawberry.type(description="A row of the file, and what became of it.")
class ImportItem:
    """Answered by db.imports.FateRow."""

    row: int = strawberry.field(description="Its place among the links of the file, from 1.")
    url: str = strawberry.field(description="Its address as the file has it; not always one that can be opened.")
    title: str = strawberry.field(description="Its title as the file has it; empty when there is none.")
    outcome: Outcome = strawberry.field(description="What became of it.")
    reason: Reason | None = strawberry.field(description="Why, unless it was simply created.")
    bookmark = strawberry.field(
        resolver=answer.item_bookmark,
        metadata=answers(),
        graphql_type=Bookmark | None,
        description="The bookmark that it made or met; null when there is none, or none any more.",
    )


@strawberry.type(description="An import of one file. `total = created + merged + skipped + errors` once it has ended.")
@node_type
class Import(Node):
    """Answered by db.imports.ImportRow."""

    id = global_id("Import")
    status: ImportStatus = strawberry.field(description="Where it stands.")
    format: ImportFormat = strawberry.field(description="What the file was recognised as.")
    file_name: str = strawberry.field(description="What the file was called.")
    file_size_bytes: int = strawberry.field(description="How large the file is, in bytes.")
    total: int | None = strawberry.field(
        description="How many rows the file has; null until it has been counted. Of an import that ended early: how "
        "many it got through."
    )
    processed: int = strawberry.field(description="How many rows have met their fate; the sum of the four counts.")
    created: int = strawberry.field(description="How many rows became bookmarks.")
    merged: int = strawberry.field(description="How many rows changed bookmarks that were there.")
    skipped: int = strawberry.field(description="How many rows changed nothing, for a reason.")
    errors: int = strawberry.field(description="How many rows cannot become bookmarks.")
    progress: float = strawberry.field(description="How much is done, 0 to 1; it never goes back.")
    error: str | None = strawberry.field(description="Why it failed, or why it is being tried again.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker first had it.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")
    removed: int = strawberry.field(description="How many bookmarks its undo has removed.")
    restored: int = strawberry.field(description="How many bookmarks its undo has made what they were.")
    kept: int = strawberry.field(description="How many bookmarks its undo left, because somebody changed them since.")
    undone_at: datetime | None = strawberry.field(description="When it was taken back.")
    task = strawberry.field(
        resolver=answer.task_of,
        metadata=answers(answer.TASK),
        graphql_type=Task | None,
        description="The task that does it; always there.",
    )
    undo_task = strawberry.field(
        resolver=answer.undo_task_of,
        metadata=answers(answer.UNDO_TASK),
        graphql_type=Task | None,
        description="The task that takes it back, once asked.",
    )
    workflow = strawberry.field(
        resolver=answer.workflow_of,
        metadata=answers(answer.WORKFLOW),
        graphql_type=Task | None,
        description="The workflow on what it made or changed, begun when it was complete; its `steps` count for each "
        "agent. Null when there is none.",
    )
    items = strawberry.field(
        resolver=answer.items,
        graphql_type=Connection[ImportItem],
        description="The rows that have met their fate, in the order of the file.",
        directives=[Cost(weight=ITEMS_COST)],
    )


@strawberry.type(description="A file that waits to be imported.")
class ImportUpload:
    """Answered by db.imports.UploadRow."""

    id = global_id("ImportUpload")
    detected_format: ImportFormat = strawberry.field(description="What it was recognised as.")
    file_name: str = strawberry.field(description="What it was called.")
    size_bytes: int = strawberry.field(description="How large it is, in bytes.")
    expires_at: datetime = strawberry.field(description="When it is forgotten unless an import needs it.")


@strawberry.type(description="How many rows would meet what.")
class ImportRowCount:
    """Answered by services.imports.preview.RowCount."""

    row_class: RowClass = strawberry.field(description="What they would meet.")
    count: int = strawberry.field(description="How many rows.")


@strawberry.type(description="Something that was lost or doubtful in rows of the file.")
class ImportRowWarning:
    """Answered by services.imports.preview.WarningCount."""

    code: str = strawberry.field(description="A stable code, for example `DATE_IGNORED`.")
    count: int = strawberry.field(description="In how many rows; 1 for what concerns the file.")


@strawberry.type(description="One row of a file as it would be written.")
class ImportPreviewRow:
    """Answered by services.imports.preview.PreviewRow."""

    row: int = strawberry.field(description="Its place among the links of the file, from 1.")
    url: str = strawberry.field(description="Its address as the file has it.")
    title: str = strawberry.field(description="Its title; empty when the file has none.")
    folders: list[str] = strawberry.field(description="The folders that it lies in, outermost first.")
    tags: list[str] = strawberry.field(description="The tags that it would have.")
    row_class: RowClass = strawberry.field(description="What it would meet.")
    warnings: list[str] = strawberry.field(description="Codes of what was lost or doubtful.")


@strawberry.type(description="What an import would do. Nothing has been written.")
class ImportPreview:
    """Answered by services.imports.preview.Preview."""

    total: int = strawberry.field(description="How many rows the file has.")
    examined: int = strawberry.field(description="How many of them were compared: all, or the first 50,000.")
    counts: list[ImportRowCount] = strawberry.field(description="What the examined rows would meet.")
    folder_count: int = strawberry.field(description="How many folders there are among the examined rows.")
    folders: list[str] = strawberry.field(description="The first 100 folders, their levels joined by ` / `.")
    tag_count: int = strawberry.field(description="How many different tags the examined rows would have.")
    tags: list[str] = strawberry.field(description="The first 100 tags.")
    rows: list[ImportPreviewRow] = strawberry.field(
        description="The first 20 rows.", directives=[ListSize(assumed_size=20)]
    )
    warnings: list[ImportRowWarning] = strawberry.field(description="What was lost or doubtful, by code.")


@strawberry.type(description="The answer to `uploadImport`.")
class UploadImportPayload:
    """Answered by resolvers.mutation.Payload."""

    upload: ImportUpload | None = strawberry.field(description="The file, kept; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `startImport`.")
class StartImportPayload:
    """Answered by resolvers.mutation.Payload."""

    import_: Import | None = strawberry.field(name="import", description="The import; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `pauseImport`.")
class PauseImportPayload:
    """Answered by resolvers.mutation.Payload."""

    import_: Import | None = strawberry.field(name="import", description="The import as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `resumeImport`.")
class ResumeImportPayload:
    """Answered by resolvers.mutation.Payload."""

    import_: Import | None = strawberry.field(name="import", description="The import as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `cancelImport`.")
class CancelImportPayload:
    """Answered by resolvers.mutation.Payload."""

    import_: Import | None = strawberry.field(name="import", description="The import as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `undoImport`.")
class UndoImportPayload:
    """Answered by resolvers.mutation.Payload."""

    import_: Import | None = strawberry.field(name="import", description="The import as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The state of an import at one moment.")
class ImportProgressEvent:
    """Answered by services.imports.progress.ImportProgress."""

    cursor: str = strawberry.field(description="Send it as `after` to go on behind this state.")
    resync: bool = strawberry.field(description="States before this one were lost to retention.")
    import_ = strawberry.field(
        name="import", resolver=answer.progress_import, graphql_type=Import, description="The import as it was then."
    )


@strawberry.type
class ImportQuery:
    """Asking for imports."""

    imports = strawberry.field(
        resolver=answer.list_imports,
        metadata=answers(),
        graphql_type=Connection[Import],
        description="Your imports, newest first.",
        **requires(ApiScope.READ),
    )
    import_ = strawberry.field(
        name="import",
        resolver=answer.import_by_id,
        metadata=answers(),
        graphql_type=Import | None,
        description="One import; null when it does not exist or is not yours.",
        **requires(ApiScope.READ),
    )
    preview_import = strawberry.field(
        resolver=answer.preview_import,
        graphql_type=ImportPreview,
        description="What an import of this file would do. Writes nothing.",
        **requires(ApiScope.IMPORT, also=[Cost(weight=PREVIEW_COST)]),
    )


@strawberry.type
class ImportMutation:
    """Starting and steering imports."""

    upload_import = strawberry.field(
        resolver=answer.upload_import,
        graphql_type=UploadImportPayload,
        description="Keep a file for an import. Needs a multipart request.",
        **requires(ApiScope.IMPORT),
    )
    start_import = strawberry.field(
        resolver=answer.start_import,
        graphql_type=StartImportPayload,
        description="Start an import. It goes on by itself, whatever happens to this request.",
        **requires(ApiScope.IMPORT),
    )
    pause_import = strawberry.field(
        resolver=answer.pause_import,
        graphql_type=PauseImportPayload,
        description="Stop an import, to go on later.",
        **requires(ApiScope.IMPORT),
    )
    resume_import = strawberry.field(
        resolver=answer.resume_import,
        graphql_type=ResumeImportPayload,
        description="Let a paused import go on.",
        **requires(ApiScope.IMPORT),
    )
    cancel_import = strawberry.field(
        resolver=answer.cancel_import,
        graphql_type=CancelImportPayload,
        description="Stop an import for good. What it has written stays; `undoImport` removes it.",
        **requires(ApiScope.IMPORT),
    )
    undo_import = strawberry.field(
        resolver=answer.undo_import,
        graphql_type=UndoImportPayload,
        description="Take back what an import that has ended made and changed, as far as nobody changed it since.",
        **requires(ApiScope.IMPORT),
    )


@strawberry.type
class ImportSubscription:
    """Watching imports."""

    import_progress = strawberry.subscription(
        resolver=answer.import_progress,
        graphql_type=AsyncGenerator[ImportProgressEvent, None],
        description="The present state of an import, then every change of it; completes behind its end.",
        **requires(ApiScope.READ),
    )
