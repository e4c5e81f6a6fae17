"""The lifeline: a child ends when the other end of the pipe is gone, on every platform."""

import os
import subprocess
import sys
from pathlib import Path

from app.cli.lifeline import open_lifeline

ROOT = Path(__file__).parents[2]
CHILD = """
import signal, sys
from app.cli.lifeline import end_with
end_with(int(sys.argv[1]))
print('up', flush=True)
signal.pause()
"""


def test_a_child_ends_when_the_lifeline_does_and_not_before() -> None:
    with open_lifeline() as reading:
        child = subprocess.Popen(  # noqa: S603  our own interpreter
            [sys.executable, "-c", CHILD, str(reading)], cwd=ROOT, pass_fds=[reading], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        assert child.poll() is None
    with child:
        assert child.wait(timeout=20) == 3


def test_only_the_reading_end_is_given_away() -> None:
    with open_lifeline() as reading:
        os.set_inheritable(reading, True)  # noqa: FBT003  os's signature
        listing = "import os; print(len(os.listdir('/dev/fd')))"
        counts = [
            subprocess.run(  # noqa: S603  our own interpreter
                [sys.executable, "-c", listing], check=True, capture_output=True, text=True, pass_fds=passed
            ).stdout
            for passed in ([], [reading])
        ]
    assert int(counts[1]) == int(counts[0]) + 1
