"""What imports are started with and asked for."""

from enum import Enum

import strawberry

from kit.settings import ImportWorkflow
from resolvers.inputs.enums import described
from resolvers.inputs.scalars import Upload
from services.imports.detect import ImportFormat
from services.imports.options import OnDuplicate
from services.imports.plan import Outcome, Reason
from services.imports.preview import RowClass

__all__ = [
    "ImportFilter",
    "ImportFormat",
    "ImportIdInput",
    "ImportItemFilter",
    "ImportOptions",
    "ImportStatus",
    "ImportWorkflow",
    "OnDuplicate",
    "Outcome",
    "Reason",
    "RowClass",
    "StartImportInput",
    "UploadImportInput",
]


class ImportStatus(Enum):
    """Where an import stands; the same words as those of its task."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


described(
    ImportStatus,
    "Where an import stands.",
    PENDING="It waits for a worker.",
    RUNNING="Its rows are being written.",
    PAUSED="Somebody stopped it; it goes on with the next row when it is resumed.",
    COMPLETED="Every row has met its fate.",
    FAILED="It was given up; `error` says why. What was written before stays.",
    CANCELLED="Somebody stopped it for good. What was written before stays.",
)
described(
    ImportFormat,
    "What a file was recognised as.",
    NETSCAPE_HTML="A bookmark file as every browser exports it (HTML).",
    CHROME_JSON="The bookmarks of a Chrome profile (JSON).",
    FIREFOX_JSON="A Firefox backup (JSON).",
    JSON="Some other JSON.",
    SAFARI_PLIST="Safari's property list.",
    POCKET_CSV="An export of Pocket.",
    RAINDROP_CSV="An export of Raindrop.io.",
    INSTAPAPER_CSV="An export of Instapaper.",
    CSV="Some other table.",
    OPML="An outline.",
    EMPTY="An empty file.",
    UNKNOWN="Nothing that is known.",
)
described(
    ImportWorkflow,
    "What agents do with the bookmarks of an import.",
    FULL_IMPORT="Check, read, sort and compare them.",
    QUICK_IMPORT="Check them.",
    NONE="Nothing.",
)
described(
    OnDuplicate,
    "What to do with a row whose address is a bookmark already. Nothing is ever blanked.",
    name="ImportDuplicatePolicy",
    SKIP="Leave the bookmark as it is.",
    MERGE="Fill what is empty; add tags and collections.",
    UPDATE="Also replace what the file says differently.",
)
described(
    Outcome,
    "What became of a row.",
    name="ImportOutcome",
    CREATED="It is a new bookmark.",
    MERGED="It changed a bookmark that was there.",
    SKIPPED="Nothing was to be done, or should be done; `reason` says why.",
    ERROR="It cannot become a bookmark; `reason` says why.",
)
described(
    Reason,
    "Why a row was not simply created.",
    name="ImportReason",
    EMPTY="It has no address.",
    TOO_LONG="Its address is longer than 8,192 bytes.",
    INVALID_URL="Its address is none.",
    UNSUPPORTED_SCHEME="Its address is neither http nor https; a script, for example.",
    ALREADY_SAVED="The address is a bookmark already.",
    DUPLICATE_IN_FILE="The file has the address before.",
    IN_TRASH="The bookmark lies in the trash, and `restoreTrashed` was not set.",
    RESTORED="The bookmark was taken out of the trash.",
)
described(
    RowClass,
    "What a row would meet.",
    name="ImportRowClass",
    NEW="It would become a bookmark.",
    ACTIVE_DUPLICATE="The address is a bookmark already.",
    ARCHIVED_DUPLICATE="The address is an archived bookmark.",
    TRASHED_DUPLICATE="The address is a bookmark in the trash.",
    DUPLICATE_IN_FILE="The file has the address before.",
    EMPTY="It has no address.",
    TOO_LONG="Its address is longer than 8,192 bytes.",
    INVALID_URL="Its address is none.",
    UNSUPPORTED_SCHEME="Its address is neither http nor https.",
)


@strawberry.input(description="A file to import from.")
class UploadImportInput:
    """For `uploadImport`."""

    file: Upload = strawberry.field(description="The file as it was exported; at most 100 MiB unless set otherwise.")


@strawberry.input(description="How a file becomes bookmarks.")
class ImportOptions:
    """For `startImport` and `previewImport`."""

    on_duplicate: OnDuplicate = strawberry.field(
        default=OnDuplicate.MERGE, description="What to do with a row whose address is a bookmark already."
    )
    folders_as_collections: bool = strawberry.field(
        default=True, description="Folders become nested collections; those that are there already are used."
    )
    folders_as_tags: bool = strawberry.field(default=False, description="A row's folders become one nested tag.")
    parent_collection_id: strawberry.ID | None = strawberry.field(
        default=None, description="The collection under which all of it goes; the top when left out."
    )
    add_tags: list[str] | None = strawberry.field(
        default=None, description="Names of tags that every row gets, nested by `/`. At most 20."
    )
    mark_unread: bool = strawberry.field(default=False, description="Mark new bookmarks as unread.")
    restore_trashed: bool = strawberry.field(
        default=False, description="Take bookmarks of the file out of the trash; else such rows are skipped."
    )
    workflow: ImportWorkflow | None = strawberry.field(
        default=None,
        description="What agents do with new and changed bookmarks once the import is complete; what the server is set "
        "to when left out.",
    )


@strawberry.input(description="An import to start.")
class StartImportInput:
    """For `startImport`."""

    upload_id: strawberry.ID = strawberry.field(description="The file, from `uploadImport`.")
    options: ImportOptions | None = strawberry.field(
        default=None, description="How it becomes bookmarks; the defaults when left out."
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="A key of your own, 1 to 255 characters: repeating the request within 24 hours is safe.",
    )


@strawberry.input(description="An import to steer.")
class ImportIdInput:
    """For `pauseImport`, `resumeImport`, `cancelImport`, `undoImport`."""

    id: strawberry.ID = strawberry.field(description="The import.")


@strawberry.input(description="Which imports.")
class ImportFilter:
    """For lists of imports."""

    status: list[ImportStatus] | None = strawberry.field(default=None, description="Those with one of these.")


@strawberry.input(description="Which rows of an import.")
class ImportItemFilter:
    """For `Import.items`."""

    outcome: list[Outcome] | None = strawberry.field(default=None, description="Those that became one of these.")
