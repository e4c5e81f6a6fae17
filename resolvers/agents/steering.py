"""Starting and steering tasks through the graph."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final

import orjson
import strawberry

from db.agents import TaskRow
from db.unit import Unit
from kit.errors import BadInput
from kit.ids import decode_global_id, decode_keys
from resolvers import bookmarks
from resolvers.agents.tasks import TYPE
from resolvers.context import Info, viewer_of
from resolvers.inputs.agents import ReplayDeadLettersInput, StartWorkflowInput, TaskIdInput
from resolvers.mutation import Payload, change
from services import agents
from services.agents import lists
from services.permissions import Owned

MAX_OPTION_BYTES: Final = 4_000
Start = Annotated[StartWorkflowInput, strawberry.argument(description="Which workflow, and on what.")]
Steer = Annotated[TaskIdInput, strawberry.argument(description="Which task.")]
Replay = Annotated[ReplayDeadLettersInput, strawberry.argument(description="Which of them.")]
Verb = Callable[[Unit, Owned[TaskRow]], Awaitable[TaskRow]]


async def start_workflow(info: Info, input: Start) -> Payload:  # noqa: A002  the name of the API
    """Start a workflow."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        ids = input.bookmark_ids
        started = await agents.start_workflow(
            unit,
            viewer,
            workflow=input.workflow,
            bookmark_ids=None if ids is None else decode_keys(ids, bookmarks.TYPE, field=("input", "bookmarkIds")),
            query=input.query,
            options=_options(input.options),
            idempotency_key=input.idempotency_key,
            idempotency_hours=info.context.settings.idempotency_hours,
            most_open=agents.MAX_OPEN,
        )
        return Payload(task=started)

    return await change(info, work)


async def pause_task(info: Info, input: Steer) -> Payload:  # noqa: A002  the name of the API
    """Pause a task."""
    return await _steer(info, input, agents.pause)


async def resume_task(info: Info, input: Steer) -> Payload:  # noqa: A002  the name of the API
    """Resume a task."""
    return await _steer(info, input, agents.resume)


async def cancel_task(info: Info, input: Steer) -> Payload:  # noqa: A002  the name of the API
    """Cancel a task."""
    return await _steer(info, input, agents.cancel)


async def retry_task(info: Info, input: Steer) -> Payload:  # noqa: A002  the name of the API
    """Try again what failed of a task."""
    return await _steer(info, input, agents.retry)


async def replay_dead_letters(info: Info, input: Replay) -> Payload:  # noqa: A002  the name of the API
    """Try again what failed, of all accounts."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        return Payload(replayed=await lists.replay(unit, viewer, agent=input.agent, limit=input.limit))

    return await change(info, work, database=info.context.unwalled)


async def _steer(info: Info, given: TaskIdInput, verb: Verb) -> Payload:
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        key = decode_global_id(given.id, expected=TYPE, field=("input", "id"))[1]
        return Payload(task=await verb(unit, await agents.get(unit, viewer, key)))

    return await change(info, work)


def _options(given: Any) -> Mapping[str, Any]:
    """Return the options of a workflow. Raises `BadInput` for what the database cannot hold as JSON, or is too long."""
    if given is None:
        return {}
    field = ("input", "options")
    try:
        written = orjson.dumps(given)
    except TypeError:  # numbers of a document may have any length; those of variables are read by orjson too
        raise BadInput("Options hold whole numbers of at most 64 bits.", field=field) from None
    if not isinstance(given, dict) or len(written) > MAX_OPTION_BYTES:
        raise BadInput(f"Options are a JSON object of at most {MAX_OPTION_BYTES:,} bytes.", field=field)
    if rb"\u0000" in written.replace(rb"\\", b""):
        raise BadInput("Options contain a NUL character.", field=field)
    return given
