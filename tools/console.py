"""One line per step, and the whole output only of a step that failed."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]


def say(line: str) -> None:
    """Tell what happens now."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def attempt(
    command: Sequence[str | Path], *, environment: Mapping[str, str], folder: Path = ROOT, telling: bool = True
) -> bool:
    """Run a command quietly and return whether it succeeded; when not and `telling`, show what it said."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(  # noqa: S603  commands of the tools beside this file
            words,
            check=False,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        if telling:
            say(f"{words[0]}: {error.strerror}")
        return False
    said = done.stdout.decode(errors="replace").rstrip()
    if done.returncode != 0 and telling and said:
        say(said)
    return done.returncode == 0
