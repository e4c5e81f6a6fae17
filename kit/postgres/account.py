"""The operating system account that PostgreSQL runs as.

PostgreSQL refuses to run as root. Started by root it runs as the owner of an existing cluster, else as `postgres`
or `nobody`; started by anybody else it runs as that user.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kit.postgres.errors import DataFolderUnusable, PostgresUnavailable
from kit.postgres.processes import dies_with_parent

# Bits of linux/capability.h. Either lets an unprivileged server reach its folder below a closed one (a 0700
# home) without opening that folder to everybody; the first can only read, so it is preferred.
REACHING = (("dac_read_search", 2), ("dac_override", 1))
CAP_SETPCAP = 8


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server: numeric user and group, and whether we must change to it."""

    uid: int
    gid: int
    change: bool

    def give(self, path: Path) -> None:
        """Make the account the owner of `path`."""
        if self.change:
            os.chown(path, self.uid, self.gid)

    def run(self, command: list[str], *, output: IO[bytes] | int, ends_with: signal.Signals) -> subprocess.Popen[bytes]:
        """Start `command` as this account, in a session of its own, with both outputs going to `output`.

        On Linux it gets the signal `ends_with` when the thread that called this ends, however it ends.
        """
        setpriv = shutil.which("setpriv") if self.change else None
        # A change of user clears the parent-death signal, so setpriv, which changes the user, has to set it.
        prefix = self._setpriv(setpriv, ends_with) if setpriv else []
        switch = self.change and not setpriv
        hook = None if setpriv else dies_with_parent(ends_with)
        return subprocess.Popen(  # noqa: S603  the program is ours, from the wheel
            [*prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is for us; we stop the server in our order
            preexec_fn=hook,  # noqa: PLW1509  one system call, looked up before the fork
            cwd="/",
            user=self.uid if switch else None,
            group=self.gid if switch else None,
            extra_groups=() if switch else None,
        )

    def _setpriv(self, program: str, ends_with: signal.Signals) -> list[str]:
        capability = _capability_to_reach()
        keep = [f"--{kind}=-all,+{capability}" for kind in ("bounding-set", "inh-caps", "ambient-caps")]
        name = ends_with.name.removeprefix("SIG")
        user = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        return [program, *user, *(keep if capability else []), "--pdeathsig", name]


def account_for(cluster: Path) -> Account:
    """Return the account for `cluster`, which need not exist; DataFolderUnusable when it is another user's."""
    owner = cluster.stat() if cluster.exists() else None
    me = os.geteuid()
    if me != 0:
        if owner is not None and owner.st_uid != me:
            raise DataFolderUnusable(
                f"The data folder {cluster.parent} belongs to user {_name(owner.st_uid)}, not to {_name(me)}."
            )
        return Account(me, os.getegid(), change=False)
    if owner is not None and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, change=True)
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(user.pw_uid, user.pw_gid, change=True)
    raise PostgresUnavailable("PostgreSQL may not run as root, and there is no user postgres or nobody.")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _capability_to_reach() -> str | None:
    """Return the weakest capability we hold and may pass on; None in a container that has neither."""
    if not sys.platform.startswith("linux"):
        return None
    lines = Path("/proc/self/status").read_text().splitlines()
    held = next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))
    if not held >> CAP_SETPCAP & 1:
        return None
    return next((name for name, bit in REACHING if held >> bit & 1), None)
