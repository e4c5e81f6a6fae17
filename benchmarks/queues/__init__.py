"""Workers to compare, each a process of its own: Graphmark's engine, and the broker that rings its doorbell, alone.

    python -m benchmarks.queues graphmark         # on GRAPHMARK_DATABASE_URL, and GRAPHMARK_REDIS_URL if there is one
    python -m benchmarks.queues taskiq REDIS_URL  # taskiq-redis' list broker: a job is a message, and gone once taken

Both print a line once they listen, run jobs that do nothing in as many slots, and end on SIGTERM.
"""

from typing import Final

EMPTY: Final = "EMPTY"
"""Jobs that end at once."""
STUCK: Final = "STUCK"
"""Jobs that never end when they are tried for the first time, and at once when tried again."""
QUEUE: Final = "bench"
DONE: Final = "bench:done"
"""Where the workers of the broker alone count what they have done."""
SLOTS: Final = 4
READY: Final = "ready"
