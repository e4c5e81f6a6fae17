"""The process that reads a file: `python -m services.imports.child FILE SKIP CHUNK MEGABYTES SECONDS`.

A file comes from anywhere, so it is parsed where nothing can be hurt: in a process of its own with bounds on memory
and processor time, which shares neither the event loop nor the interpreter's lock with anybody. It ends when nobody
reads what it writes. See frames for what it says, reading for who listens.
"""

import gc
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from kit.errors import BadInput
from services.imports.detect import count_rows, open_reader
from services.imports.frames import NO_FOLDER, folder_of, pack, told
from services.imports.items import FolderPath, ImportReader

_MEBIBYTE = 1 << 20
_OBJECTS_OF_A_CHUNK = 50_000


def tell(path: Path, out: BinaryIO, *, skip_rows: int, chunk_rows: int) -> None:
    """Read `path` and write its messages to `out`. Rows up to `skip_rows` are read, and not told."""
    try:
        _say(out, {"total": count_rows(path)})
        reader = open_reader(path)
        for message in _chunks(reader, skip_rows=skip_rows, chunk_rows=chunk_rows):
            _say(out, message)
        _say(out, {"warnings": [warning.value for warning in reader.warnings]})
    except BadInput as refused:
        _say(out, {"refused": refused.message})
    except FileNotFoundError:
        _say(out, {"refused": "The uploaded file is no longer there; upload it again."})


def _chunks(reader: ImportReader, *, skip_rows: int, chunk_rows: int) -> Iterator[dict[str, Any]]:
    first_rows: dict[bytes, int] = {}
    folders = _Folders(reader)
    rows: list[tuple[Any, ...]] = []
    for item in reader:
        key = item.identity.key if item.identity else None
        first = item.row if key is None else first_rows.setdefault(key, item.row)
        if item.row <= skip_rows:
            continue
        if len(rows) == chunk_rows:
            yield {"folders": folders.news(), "rows": rows}
            rows = []
        rows.append(told(item, first, folders.place(item.folders)))
    yield {"folders": folders.news(), "rows": rows}


class _Folders:
    """Numbers the folders of a file in document order, and tells each once."""

    def __init__(self, reader: ImportReader) -> None:
        self._all = reader.folders
        self._places: dict[FolderPath, int] = {}
        self._told = 0

    def place(self, path: FolderPath) -> int:
        """Return the number of a folder that the reader has met, `NO_FOLDER` for the top of the file."""
        self._learn()
        return self._places.get(path, NO_FOLDER)

    def news(self) -> list[tuple[Any, ...]]:
        """Return the folders that were met since the last call."""
        self._learn()
        fresh = [tuple(folder_of(folder, self._places)) for folder in self._all[self._told :]]
        self._told = len(self._all)
        return fresh

    def _learn(self) -> None:
        for number in range(len(self._places), len(self._all)):
            self._places[self._all[number].path] = number


def _say(out: BinaryIO, message: dict[str, Any]) -> None:
    out.write(pack(message))
    out.flush()


def main() -> None:
    """Read the file that the command line names."""
    path, skip_rows, chunk_rows, megabytes, seconds = sys.argv[1:]
    bytes_allowed = int(megabytes) * _MEBIBYTE
    resource.setrlimit(resource.RLIMIT_AS, (bytes_allowed, bytes_allowed))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.freeze()
    gc.set_threshold(_OBJECTS_OF_A_CHUNK, 20, 50)  # rows have no cycles: looking for some is a tenth of the time
    try:
        tell(Path(path), sys.stdout.buffer, skip_rows=int(skip_rows), chunk_rows=int(chunk_rows))
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more: no complaint at exit about what could not be flushed


if __name__ == "__main__":
    main()
