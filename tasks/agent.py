"""What an agent is: a function from a few bookmarks to an outcome for each, and the limits it works within.

An agent reads what it needs, asks the outside through its tools, and returns. It holds no transaction while it waits
and writes nothing by itself: `Done.write` runs later, in the transaction that also marks the item done, checks the
lease and tells the followers. So whatever an agent writes happens once, however often its process is killed.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from db.unit import Database, Unit
from kit.ai import LocalProvider, Provider
from kit.browser import Browser
from kit.fetch import Fetcher
from kit.page import PageReader
from kit.settings import Settings
from services.agents import AgentName
from services.events import EventDraft

Write = Callable[[Unit], Awaitable[Sequence[EventDraft]]]


@dataclass(frozen=True, slots=True)
class Tools:
    """What agents work with: made once per worker process. `browser` is None where there is none.

    `stand_in` answers where `provider` has been away for too long; it may be the same.
    """

    settings: Settings
    database: Database
    provider: Provider
    fetcher: Fetcher
    pages: PageReader
    browser: Browser | None
    stand_in: Provider = field(default_factory=LocalProvider)


@dataclass(frozen=True, slots=True)
class Item:
    """One bookmark of a step. `attempt` counts from 1 how often it was begun."""

    position: int
    bookmark_id: UUID
    attempt: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What an agent is given at once.

    `options` are those of the task. `earlier` has what earlier agents of the same task said of each bookmark, the
    `data` of their outcomes: `batch.earlier.get((AgentName.VALIDATION, item.bookmark_id))`.
    """

    task_id: UUID
    owner_id: UUID
    tools: Tools
    items: Sequence[Item]
    options: Mapping[str, Any] = field(default_factory=dict)
    earlier: Mapping[tuple[AgentName, UUID], Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """It worked. `data` is small JSON: it goes into the step's artifact, for later agents and for people.

    `write` makes the change; the events that it returns are recorded last in the same transaction. It may run more than
    once (a deadlock is tried again), each time in a new transaction, and must do nothing outside its unit. It must bear
    that the bookmark has meanwhile gone.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    write: Write | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not work and will not: the reason is shown to the owner. `write` as in `Done`."""

    reason: str
    data: Mapping[str, Any] = field(default_factory=dict)
    write: Write | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """There was nothing to do, or no sense in doing it, and why."""

    reason: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now: try again after `seconds`. It costs no attempt, for example while a host asks for patience.

    With `is_counted` it costs one, so that it comes to an end: the last attempt, whose number is
    `task_max_attempts` of the settings, must decide. `write` keeps what is known so far, as in `Done`.
    """

    seconds: float
    reason: str
    is_counted: bool = False
    write: Write | None = None


Outcome = Done | Failed | Skipped | Deferred
Process = Callable[[Batch], Awaitable[Sequence[Outcome]]]
"""Returns one outcome for each item of the batch, in their order.

A GraphmarkError that is neither `Unavailable` nor `RateLimited` fails every item of the batch with its message; any
other error is tried again after a growing pause, and at last fails them with a reason.
"""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent and its limits.

    `chunk_items` bookmarks go to one worker at a time; of them `batch_items` are processed at once, in `parallel`
    batches. A batch that takes longer than `deadline_seconds` is ended. `concurrency` is how many chunks run at once
    in all workers together; `rate_per_minute`, if given, how many bookmarks are begun in a minute by all of them.
    """

    name: AgentName
    version: str
    description: str
    process: Process
    chunk_items: int
    batch_items: int = 1
    parallel: int = 1
    deadline_seconds: float = 120.0
    concurrency: int = 64
    rate_per_minute: int | None = None
