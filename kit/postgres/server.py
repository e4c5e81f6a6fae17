"""One PostgreSQL server, owned by this process, on one data folder, reachable by a Unix socket only."""

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Final

from kit.postgres import cluster as on_disk
from kit.postgres.account import account_for
from kit.postgres.errors import DataFolderUnusable, PostgresDidNotStart
from kit.postgres.processes import end_processes, label_of, postgres_processes, wait_until

READY_SECONDS = 120.0  # recovery after a crash replays up to max_wal_size
STOP_SECONDS = 30.0
LOG_BYTES = 4 * 1024 * 1024  # a longer log is put aside at the next start, replacing the one before

DEFAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "shared_buffers": "256MB",
        "max_connections": "100",
        "jit": "off",  # compiling costs more than it saves on short queries
        "wal_compression": "on",
        "synchronous_commit": "on",  # what was answered is on disk
        "timezone": "UTC",
        "log_timezone": "UTC",
        "unix_socket_permissions": "0700",
        # Statements that fail are told to the client, which logs them; the server's own log stays short and
        # never holds what people stored.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_checkpoints": "off",
    }
)


class EmbeddedPostgres:
    """The server of one data folder.

    `data` is made where needed. `settings` are PostgreSQL settings that override `DEFAULTS`; with `fsync=off` the
    data does not survive a power cut, which is for tests. Call `start` from the main thread: on Linux the server
    shuts down when the thread that started it ends, so nothing that kills this process leaves a server behind.
    Elsewhere such a server runs on until the next `start` on the folder, which ends it first.

    The data folder is locked from `start` to `stop`; `start` may be called again when the server died, and
    returns the same URL.
    """

    def __init__(self, data: Path, settings: Mapping[str, str] | None = None) -> None:
        self.data = data.absolute()
        self.cluster = self.data / "pg"
        self.log = self.data / "postgres.log"
        self._settings = {**DEFAULTS, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._label = ""
        self._sockets: Path | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the running server, else None."""
        return self._process.pid if self._process is not None and self.is_alive() else None

    def is_alive(self) -> bool:
        """Tell whether the server that `start` started has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, ready_seconds: float = READY_SECONDS) -> str:
        """Start the server, wait until it takes connections, and return its URL.

        Raises a subclass of PostgresUnavailable with a message of one line; then nothing keeps running.
        """
        on_disk.binaries()
        if self._lock is None:
            self._lock = on_disk.lock(self.data)
        try:
            return self._start(ready_seconds)
        except OSError as error:
            self.stop()
            told = error.strerror or error
            raise DataFolderUnusable(f"Cannot use the data folder {self.data}: {told}.") from error
        except BaseException:
            self.stop()
            raise

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """End the server with a last checkpoint, at most `seconds` plus 10, and unlock the folder."""
        try:
            if self._process is not None:
                if self.is_alive():
                    self._process.send_signal(signal.SIGINT)  # ends sessions, writes a checkpoint
                    wait_until(lambda: not self.is_alive(), seconds)
                self._end_leftovers(polite_seconds=0)
                self._process.wait()
                self._process = None
        finally:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def _start(self, ready_seconds: float) -> str:
        on_disk.check_version(self.cluster)
        account = account_for(self.cluster)
        if not self.cluster.exists():
            on_disk.create(self.cluster, account, durable=self._settings.get("fsync") != "off")
        self._label = label_of(self.cluster)
        self._end_leftovers(polite_seconds=10)
        sockets = self._sockets = on_disk.socket_folder(self.data, account, again=self._sockets)
        chosen = {**self._settings, "cluster_name": self._label}
        options = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
        program = str(on_disk.binaries() / "postgres")
        command = [program, "-D", str(self.cluster), "-k", str(sockets), "-h", "", *options]
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.old"))
        with self.log.open("ab") as log:
            before = log.tell()
            self._process = account.run(command, output=log, ends_with=signal.SIGINT)
        self._wait_until_ready(ready_seconds, before)
        return on_disk.connection_url(sockets)

    def _end_leftovers(self, *, polite_seconds: float) -> None:
        """End what still runs on the cluster, then remove its lock files."""
        end_processes(self._label, polite_seconds=polite_seconds)
        on_disk.clear_lock_files(self.data, self._sockets or on_disk.recorded_socket_folder(self.cluster))

    def _wait_until_ready(self, seconds: float, log_offset: int) -> None:
        def decided() -> bool:
            return not self.is_alive() or on_disk.ready_socket_folder(self.cluster) is not None

        in_time = wait_until(decided, seconds)
        if in_time and self.is_alive():
            return
        with self.log.open("rb") as log:
            log.seek(log_offset)
            told = on_disk.last_line(log.read())
        what = "did not start" if in_time else f"was not ready within {seconds:g} s"
        raise PostgresDidNotStart(f"PostgreSQL {what}: {told} (see {self.log})")


def running_url(data: Path) -> str | None:
    """Return the URL of the server that runs on the data folder, whoever started it; None when none is ready."""
    cluster = data.absolute() / "pg"
    sockets = on_disk.ready_socket_folder(cluster)
    if sockets is None or not postgres_processes(label_of(cluster)):
        return None
    return on_disk.connection_url(sockets)
