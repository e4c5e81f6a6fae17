"""Finding, signalling and waiting for the processes of one cluster.

A cluster's processes carry its label in their command line: the postmaster as the setting `cluster_name`, its
children in their process title. So a recycled process id, a zombie, or the server of another folder is never
taken for ours, and orphans that outlived a killed postmaster are found although nobody wrote down their ids.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def label_of(cluster: Path) -> str:
    """Return the name that the processes of this cluster carry.

    Device and inode, not the path: a moved folder keeps its label and a copied one gets its own.
    """
    found = cluster.stat()
    return f"graphmark-{found.st_dev:x}-{found.st_ino:x}"


def postgres_processes(label: str) -> list[int]:
    """Return the ids of all live PostgreSQL processes that carry `label`; zombies have no command line."""
    return [pid for pid, command in _commands() if belongs(command, label)]


def belongs(command: str, label: str) -> bool:
    """Tell whether a command line is that of a postmaster with this cluster name, or of one of its children."""
    is_postmaster = "postgres -D " in command and f" cluster_name={label} " in f"{command} "
    return is_postmaster or (command.startswith("postgres: ") and f": {label}: " in f"{command} ")


def _commands() -> Iterator[tuple[int, str]]:
    """Yield the id of every process we may see with its words, a space between them."""
    if not sys.platform.startswith("linux"):
        yield from commands_by_ps()
        return
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it ended while we looked
                line = (folder / "cmdline").read_bytes().rstrip(b"\0")
                yield int(folder.name), os.fsdecode(line.replace(b"\0", b" "))


def commands_by_ps() -> Iterator[tuple[int, str]]:
    """Yield the same on systems without /proc."""
    listing = subprocess.run(["/bin/ps", "-axww", "-o", "pid=,command="], check=True, capture_output=True)
    for line in os.fsdecode(listing.stdout).splitlines():
        pid, _, command = line.strip().partition(" ")
        yield int(pid), command.strip()


def end_processes(label: str, *, polite_seconds: float) -> None:
    """End every process of the cluster: a fast shutdown first, then SIGQUIT, then SIGKILL.

    Returns when none is left; only then may the lock files of the old server be removed, because two
    generations of processes on one cluster would ruin it.
    """
    steps = ((signal.SIGINT, polite_seconds), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
    for number, seconds in steps:
        alive = postgres_processes(label)
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if not alive or wait_until(lambda: not postgres_processes(label), seconds):
            return


def wait_until(condition: Callable[[], bool], seconds: float, *, pause_seconds: float = 0.02) -> bool:
    """Ask `condition` every `pause_seconds` until it holds; False when it still does not after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(pause_seconds)
    return True


def dies_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` that has Linux send `number` to the child when the starting thread ends; else None.

    The thread counts, not the process: start long-lived children from the main thread.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork, where loading a library could deadlock
    return lambda: prctl(PR_SET_PDEATHSIG, int(number))
