"""An import that is about to be disturbed."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from db.imports import ImportRow
from db.unit import Database
from kit.ids import new_id
from kit.settings import Settings
from kit.uploads import UploadedFile
from services.imports import jobs
from services.imports.options import ImportOptions
from services.permissions import Viewer
from tests.conftest import empty
from tests.faults.model import Model
from tests.faults.processes import Processes
from tests.make import Maker


@dataclass
class Patient:
    """An import of a model's file, and how it is doing."""

    database: Database
    settings: Settings
    viewer: Viewer
    key: UUID
    model: Model

    async def row(self) -> ImportRow:
        """Return the import as it is."""
        return (await jobs.get(self.database, self.viewer, self.key)).row

    async def has_written(self, rows: int) -> bool:
        """Tell whether so many rows have met their fate."""
        return (await self.row()).processed >= rows

    async def is_done(self) -> bool:
        """Tell whether it is complete; fail when it ended otherwise."""
        row = await self.row()
        assert row.status not in {"FAILED", "CANCELLED"}, row.error
        return row.status == "COMPLETED"


async def admit(database: Database, settings: Settings, model: Model) -> Patient:
    """Empty the database and start an import of the model's file; no worker has it yet."""
    await empty(database)
    viewer = await Maker(database).viewer()
    key = await start_import(database, settings, viewer, model.text)
    return Patient(database, settings, viewer, key, model)


async def start_import(database: Database, settings: Settings, viewer: Viewer, text: str) -> UUID:
    """Upload a bookmark file and start its import; return the import's key."""
    data = text.encode()
    path = settings.upload_dir / "incoming" / f"{new_id()}.part"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    file = UploadedFile(path, "bookmarks.html", len(data), hashlib.sha256(data).digest())
    kept = await jobs.upload(database, viewer, file, settings)
    async with database.unit() as unit:
        row = await jobs.start(unit, viewer, kept.id, ImportOptions(), settings)
    return row.id


@pytest.fixture
def processes(settings: Settings, tmp_path: Path) -> Iterator[Processes]:
    """Start processes; whatever still runs afterwards is ended."""
    with Processes(settings, tmp_path / "log") as running:
        yield running
