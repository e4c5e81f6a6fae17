"""Keeps the parts of one Graphmark running until told to stop, then stops them in order.

    PostgreSQL      a server of ours, or none when an outside one is used
    api, worker, …  child processes, each in a session of its own so that Ctrl-C reaches only us

A part that ends is started again, after a pause that doubles while it keeps ending. Everything happens in the main
thread: Linux ties a child's life to the thread that started it. Kill -9 of the supervisor ends every child, by the
parent-death signal and by the lifeline (see app.cli.lifeline).
"""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from kit.errors import Unavailable
from kit.postgres import EmbeddedPostgres
from kit.postgres.processes import dies_with_parent, wait_until

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
SETTLED_SECONDS = 30.0  # whoever lived this long starts again after the first pause
LOOK_SECONDS = 1.0  # a bound, not the pace: signals wake the loop at once


@dataclass(slots=True)
class Pause:
    """How long to wait before starting something again."""

    seconds: float = FIRST_PAUSE_SECONDS
    until: float = 0.0

    def begin(self, lived_seconds: float) -> float:
        """Note an end after `lived_seconds` of life and return how long to wait now."""
        if lived_seconds >= SETTLED_SECONDS:
            self.seconds = FIRST_PAUSE_SECONDS
        waited = self.seconds
        self.until = time.monotonic() + waited
        self.seconds = min(waited * 2, LONGEST_PAUSE_SECONDS)
        return waited


@dataclass(slots=True)
class Part:
    """A child process: its name, what to run, and how long it may take to stop.

    Parts of a lower `stop_rank` are stopped before those of a higher one.
    """

    name: str
    command: Sequence[str]
    stop_seconds: float = 10.0
    stop_rank: int = 0
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: Pause = field(default_factory=Pause)

    def is_alive(self) -> bool:
        """Tell whether the process runs; reaps it when it has ended."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End the process and all of its session, now."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Supervisor:
    """Runs `parts` in `environment` from `folder`, with the open `descriptors`, and `postgres` below them.

    `postgres` has been started by the caller. `say` is given one line at a time about what happens.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        environment: dict[str, str],
        folder: Path,
        descriptors: Sequence[int] = (),
        postgres: EmbeddedPostgres | None = None,
        say: Callable[[str], None],
    ) -> None:
        self.parts = parts
        self.postgres = postgres
        self._environment = environment
        self._folder = folder
        self._descriptors = tuple(descriptors)
        self._say = say
        self._stops_asked = 0
        self._postgres_pause = Pause()
        self._postgres_started_at = time.monotonic()

    def run(self) -> None:
        """Start the parts, keep them running until one of STOP_SIGNALS arrives, stop them, and PostgreSQL last.

        A second signal while stopping ends the patience: what has not stopped is killed.
        """
        with self._woken_by_signals() as woken:
            try:
                while not self._stops_asked:
                    self._mend()
                    woken(self._seconds_to_next_start())
            finally:
                self._stop()

    def _mend(self) -> None:
        """Start whatever does not run and whose pause is over."""
        if self.postgres is not None and not self.postgres.is_alive():
            self._mend_postgres(self.postgres)
        for part in self.parts:
            if part.is_alive():
                continue
            if part.process is not None:
                self._note_end(part, part.process.returncode)
            if part.pause.until <= time.monotonic():
                self._start(part)

    def _note_end(self, part: Part, code: int) -> None:
        part.kill()  # its own children, if it left any
        part.process = None
        waited = part.pause.begin(time.monotonic() - part.started_at)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        self._say(f"{part.name} {how}; starting it again in {waited:g} s")

    def _start(self, part: Part) -> None:
        part.started_at = time.monotonic()
        part.process = subprocess.Popen(  # noqa: S603  our own interpreter and package
            part.command,
            stdin=subprocess.DEVNULL,
            env=self._environment,
            cwd=self._folder,
            pass_fds=self._descriptors,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509  one system call, looked up before the fork
        )

    def _mend_postgres(self, postgres: EmbeddedPostgres) -> None:
        """Start the server again; the parts reconnect by themselves, its address stays the same."""
        if self._postgres_pause.until > time.monotonic():
            return
        waited = self._postgres_pause.begin(time.monotonic() - self._postgres_started_at)
        self._say("PostgreSQL ended; starting it again")
        try:
            postgres.start()
            self._postgres_started_at = time.monotonic()
        except Unavailable as error:
            self._say(f"{error.message} Trying again in {waited:g} s.")

    def _seconds_to_next_start(self) -> float:
        pauses = [part.pause.until for part in self.parts if not part.is_alive()]
        if self.postgres is not None and not self.postgres.is_alive():
            pauses.append(self._postgres_pause.until)
        soonest = min(pauses, default=float("inf"))
        return max(0.0, min(LOOK_SECONDS, soonest - time.monotonic()))

    def _stop(self) -> None:
        """Stop rank by rank, then PostgreSQL."""
        for rank in sorted({part.stop_rank for part in self.parts}):
            self._stop_together([part for part in self.parts if part.stop_rank == rank and part.is_alive()])
        if self.postgres is not None:
            self.postgres.stop()

    def _stop_together(self, group: Sequence[Part]) -> None:
        """Ask all of them to stop and wait for the most patient one, or until somebody asks again."""
        for part in group:
            if part.process is not None:
                part.process.terminate()

        def waited_enough() -> bool:
            return not any(part.is_alive() for part in group) or self._stops_asked > 1

        wait_until(waited_enough, max((part.stop_seconds for part in group), default=0.0))
        for part in group:
            if part.is_alive():
                self._say(f"{part.name} did not stop in time and is killed")
            part.kill()

    @contextlib.contextmanager
    def _woken_by_signals(self) -> Iterator[Callable[[float], None]]:
        """Give a function that sleeps for some seconds or until a signal arrives, whichever comes first."""

        def asked(_number: int, _frame: FrameType | None) -> None:
            self._stops_asked += 1

        handlers = dict.fromkeys(STOP_SIGNALS, asked) | {signal.SIGCHLD: lambda *_: None}
        reading, writing = socket.socketpair()
        with reading, writing, selectors.DefaultSelector() as selector:
            for end in (reading, writing):
                end.setblocking(False)  # noqa: FBT003  the socket module's signature
            selector.register(reading, selectors.EVENT_READ)

            def woken(seconds: float) -> None:
                if selector.select(seconds):
                    reading.recv(4096)

            before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
            descriptor = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
            try:
                yield woken
            finally:
                signal.set_wakeup_fd(descriptor)
                for number, handler in before.items():
                    signal.signal(number, handler)
