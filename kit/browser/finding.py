"""Finding a browser on this machine."""

import shutil
from pathlib import Path
from typing import Final

OFF: Final = "off"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PLACES: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_chromium(setting: str | None) -> str | None:
    """Return the path of a Chromium or Chrome, or None where there is none or none is wanted.

    `setting` is the path or name of a program, `off`, or None to look for one on PATH and where macOS keeps programs.
    """
    if setting == OFF:
        return None
    if setting is not None:
        return shutil.which(setting)
    found = next((path for name in _NAMES if (path := shutil.which(name)) is not None), None)
    return found or next((place for place in _PLACES if Path(place).is_file()), None)
