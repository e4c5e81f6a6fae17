"""Whether files can be made in a folder."""

import os
from pathlib import Path

from kit.errors import Unavailable


def require_writable(folder: Path) -> None:
    """Make the folder where needed, private, and raise `Unavailable` unless files can be made in it."""
    probe = folder / f".writable-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Unavailable(f"Cannot write to the data folder {folder}: {error.strerror}.") from error
