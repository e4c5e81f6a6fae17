"""The supervisor with parts of our own making: restarts, order of stopping, patience."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from app.supervise import Pause
from kit.postgres.processes import wait_until

ROOT = Path(__file__).parents[2]

SUPERVISE = r"""
import json, os, sys
from pathlib import Path
from app.supervise import Part, Supervisor
parts = [Part(name, [sys.executable, "-c", code], stop_seconds=seconds, stop_rank=rank)
         for name, code, seconds, rank in json.loads(sys.argv[1])]
def say(line):
    os.write(1, f"{line}\n".encode())
Supervisor(parts, environment=dict(os.environ), folder=Path.cwd(), say=say).run()
os.write(1, b"stopped\n")
"""
# Says that it runs, and later that it was asked to stop. One write each: lines of two processes must not mix.
POLITE = r"""
import os, signal, sys
def stop(*_):
    os.write(1, b"{0} stops\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
os.write(1, b"{0} runs\n")
signal.pause()
"""
DEAF = r"""
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(1, b"deaf runs\n")
while True:
    signal.pause()
"""
BRIEF = "import os; os.write(1, b'brief runs\\n'); raise SystemExit(7)"
PARENT = """
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print("child", child.pid, flush=True)
signal.pause()
"""

Described = tuple[str, str, float, int]


class Run:
    """A supervisor in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def rest(self) -> list[str]:
        output, _ = self.process.communicate(timeout=60)
        return output.splitlines()


@contextmanager
def supervising(*parts: Described) -> Iterator[Run]:
    command = [sys.executable, "-c", SUPERVISE, json.dumps(parts)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  ourselves
        try:
            yield Run(process)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_stop_signal_stops_every_part_rank_by_rank(number: signal.Signals) -> None:
    with supervising(("last", POLITE.format("last"), 20, 2), ("first", POLITE.format("first"), 20, 1)) as run:
        assert sorted([run.line(), run.line()]) == ["first runs", "last runs"]
        run.process.send_signal(number)
        assert run.rest() == ["first stops", "last stops", "stopped"]
        assert run.process.returncode == 0


def test_a_part_that_ends_is_started_again_after_a_growing_pause() -> None:
    with supervising(("brief", BRIEF, 5, 0)) as run:
        assert [run.line() for _ in range(5)] == [
            "brief runs",
            "brief ended with code 7; starting it again in 0.5 s",
            "brief runs",
            "brief ended with code 7; starting it again in 1 s",
            "brief runs",
        ]
        run.process.send_signal(signal.SIGTERM)
        assert run.rest()[-1] == "stopped"


def test_a_killed_part_is_named_with_its_signal_and_takes_its_own_children_along() -> None:
    with supervising(("family", PARENT, 5, 0)) as run:
        child = psutil.Process(int(run.line().split()[1]))
        parent = child.parent()
        assert parent is not None
        parent.kill()
        assert run.line() == "family was killed by SIGKILL; starting it again in 0.5 s"
        assert wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 10)
        run.process.send_signal(signal.SIGTERM)
        assert run.rest()[-1] == "stopped"


def test_a_part_that_does_not_stop_in_time_is_killed() -> None:
    with supervising(("deaf", DEAF, 0.2, 0)) as run:
        assert run.line() == "deaf runs"
        run.process.send_signal(signal.SIGTERM)
        assert run.rest() == ["deaf did not stop in time and is killed", "stopped"]


def test_a_second_signal_ends_the_patience() -> None:
    with supervising(("deaf", DEAF, 600, 0), ("polite", POLITE.format("polite"), 600, 0)) as run:
        assert sorted([run.line(), run.line()]) == ["deaf runs", "polite runs"]
        run.process.send_signal(signal.SIGINT)
        assert run.line() == "polite stops"
        run.process.send_signal(signal.SIGINT)
        assert run.rest() == ["deaf did not stop in time and is killed", "stopped"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the parent-death signal is Linux's")
def test_kill_9_of_the_supervisor_takes_a_part_along_that_knows_no_lifeline() -> None:
    with supervising(("deaf", DEAF, 5, 0)) as run:
        assert run.line() == "deaf runs"
        [part] = psutil.Process(run.process.pid).children()
        os.kill(run.process.pid, signal.SIGKILL)
        assert wait_until(lambda: not part.is_running() or part.status() == psutil.STATUS_ZOMBIE, 10)


def test_the_pause_doubles_up_to_a_bound_and_starts_over_once_a_part_has_settled() -> None:
    pause = Pause()
    assert [pause.begin(0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert [pause.begin(seconds) for seconds in (29.9, 30, 0)] == [30, 0.5, 1]
