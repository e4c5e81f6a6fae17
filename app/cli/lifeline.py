"""How a child learns that its supervisor is gone, on every platform and however it went.

The supervisor alone holds the writing end of a pipe. When it ends, even by kill -9, the system closes that end, and
whoever reads the other end sees the end of file.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def open_lifeline() -> Iterator[int]:
    """Give the descriptor to hand to children; they see its end when this process ends or the block does."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(writing)
        os.close(reading)


def end_with(descriptor: int) -> None:
    """End this process at once when the other end of the pipe `descriptor` is closed.

    At once, because nothing is left to finish it for: the database goes away with the supervisor, and all work is
    kept by transactions and leases.
    """

    def watch() -> None:
        os.read(descriptor, 1)  # nobody writes: it returns at the end of file
        os._exit(3)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
