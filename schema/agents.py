"""Tasks: what is done in the background, and how far it is."""

from datetime import datetime

import strawberry

from resolvers import agents as answer
from resolvers.compiled import answers
from resolvers.inputs.agents import TaskStatus
from schema.node import Node, global_id, node_type


@strawberry.type(description="Work that a worker does. It survives the end of any process.")
@node_type
class Task(Node):
    """Answered by db.agents.TaskRow."""

    id = global_id("Task")
    workflow: str = strawberry.field(description="What it is part of, for example `IMPORT`.")
    status: TaskStatus = strawberry.field(description="Where it stands.")
    progress: float = strawberry.field(description="How much is done, 0 to 1; it never goes back.")
    current_step: str | None = strawberry.field(description="What is being done, in words.")
    total_steps: int | None = strawberry.field(description="How many steps there are, when that is known.")
    attempt: int = strawberry.field(description="How often it was started since it last got on.")
    error: str | None = strawberry.field(description="Why it failed, or why it is being tried again.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker first had it.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")


@strawberry.type
class AgentQuery:
    """Asking for tasks."""

    task = strawberry.field(
        resolver=answer.task,
        metadata=answers(),
        graphql_type=Task | None,
        description="One task; null when it does not exist or is not yours.",
    )
