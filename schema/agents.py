"""Tasks, the workflows that they run, and the agents that do the work."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import agents as answer
from resolvers.compiled import answers
from resolvers.inputs.agents import AgentName, AgentStatus, ItemStatus, MessageKind, StepStatus, TaskStatus, Workflow
from resolvers.inputs.scalars import Json
from resolvers.inputs.users import ApiScope, Role
from schema.directives import Cost, requires, signed_in
from schema.errors import UserError
from schema.node import Node, global_id, node_type
from schema.paging import Connection

if TYPE_CHECKING:
    from schema.bookmarks import Bookmark
    from schema.users import User

LIST_COST = 50  # one statement for each task that it is asked of
CONTENT_COST = 5  # an artifact may hold some 100 KB
LazyBookmark = Annotated["Bookmark", strawberry.lazy("schema.bookmarks")]
LazyUser = Annotated["User", strawberry.lazy("schema.users")]


@strawberry.type(description="One step of a workflow: an agent, and how its bookmarks fared.")
class TaskStep:
    """Answered by db.agents.StepRow."""

    agent: AgentName = strawberry.field(description="Who works.")
    status: StepStatus = strawberry.field(description="Where it stands.")
    total: int = strawberry.field(description="How many bookmarks it has; grows until all are found.")
    done: int = strawberry.field(description="For how many it worked.")
    failed: int = strawberry.field(description="For how many it failed for good; later steps leave them out.")
    skipped: int = strawberry.field(description="For how many there was nothing to do, for a reason.")
    started_at: datetime | None = strawberry.field(description="When it began.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")


@strawberry.type(description="What became of one bookmark in one step.")
class TaskBookmark:
    """Answered by db.agents.FateRow."""

    bookmark = strawberry.field(
        resolver=answer.fate_bookmark,
        graphql_type=LazyBookmark | None,
        description="The bookmark; null when it is gone.",
    )
    agent: AgentName = strawberry.field(description="Whose step it is.")
    status: ItemStatus = strawberry.field(description="What became of it.")
    reason: str | None = strawberry.field(description="Why; null when it simply worked, or has not been tried.")
    attempt: int = strawberry.field(description="How often it was begun.")
    finished_at: datetime | None = strawberry.field(description="When it met its fate.")


@strawberry.type(description="Something that was said about a task. Of each task the latest 500 are kept.")
class TaskMessage:
    """Answered by db.agents.MessageRow."""

    kind: MessageKind = strawberry.field(description="What it is about.")
    agent: AgentName | None = strawberry.field(description="Whose work it is about.")
    message: str = strawberry.field(description="The words; at most 2,000 characters.")
    created_at: datetime = strawberry.field(description="When it was said.")


@strawberry.type(description="What an agent said of some bookmarks of a step. It never changes.")
class TaskArtifact:
    """Answered by db.agents.ResultRow."""

    id = global_id("TaskArtifact")
    agent: AgentName = strawberry.field(description="Who made it.")
    agent_version: str = strawberry.field(description="The version of the agent.")
    kind: str = strawberry.field(description="What it holds, for example `bookmark_validation_result`.")
    done: int = strawberry.field(description="How many of its bookmarks worked.")
    failed: int = strawberry.field(description="How many failed.")
    skipped: int = strawberry.field(description="How many were skipped.")
    size_bytes: int = strawberry.field(description="How large the stored JSON is, in bytes.")
    sha256 = strawberry.field(
        resolver=answer.artifact_digest, graphql_type=str, description="SHA-256 of the stored JSON, in hexadecimal."
    )
    content = strawberry.field(
        resolver=answer.artifact_content,
        graphql_type=Json,
        description="`{agent, version, results: [{bookmarkId, outcome, reason, data}]}`; `data` is the agent's own.",
        directives=[Cost(weight=CONTENT_COST)],
    )
    created_at: datetime = strawberry.field(description="When it was made.")


@strawberry.type(description="Work that workers do. It survives the end of any process.")
@node_type
class Task(Node):
    """Answered by db.agents.TaskRow."""

    id = global_id("Task")
    workflow: str = strawberry.field(description="What it is part of, for example `IMPORT` or `REPROCESS`.")
    status: TaskStatus = strawberry.field(description="Where it stands.")
    progress: float = strawberry.field(description="How much is done, 0 to 1; it never goes back while it runs.")
    current_agent: AgentName | None = strawberry.field(description="Whose step it is at; the last one at its end.")
    current_step: str | None = strawberry.field(description="What is being done, in words.")
    total_steps: int | None = strawberry.field(description="How many steps there are, when that is known.")
    attempt: int = strawberry.field(description="How often it was started since it last got on.")
    error: str | None = strawberry.field(description="Why it failed, or why it is being tried again.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker first had it.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")
    owner = strawberry.field(resolver=answer.owner, graphql_type=LazyUser | None, description="Whose it is: yours.")
    steps = strawberry.field(
        resolver=answer.steps, graphql_type=list[TaskStep], description="Its steps in order; none of an import."
    )
    messages = strawberry.field(
        resolver=answer.messages,
        graphql_type=Connection[TaskMessage],
        description="What was said about it, the oldest first.",
        directives=[Cost(weight=LIST_COST)],
    )
    artifacts = strawberry.field(
        resolver=answer.artifacts,
        graphql_type=Connection[TaskArtifact],
        description="What its agents made, the oldest first.",
        directives=[Cost(weight=LIST_COST)],
    )
    bookmarks = strawberry.field(
        resolver=answer.bookmarks_of,
        graphql_type=Connection[TaskBookmark],
        description="Its bookmarks, step by step, and what became of each.",
        directives=[Cost(weight=LIST_COST)],
    )


@strawberry.type(description="Somebody who works on bookmarks, in all workers together.")
@node_type
class Agent(Node):
    """Answered by db.agents.AgentRow."""

    id = global_id("Agent")
    name: AgentName = strawberry.field(description="Its name.")
    version: str = strawberry.field(description="Its version.")
    description: str = strawberry.field(description="What it does.")
    status: AgentStatus = strawberry.field(description="Whether some worker has it.")
    card: Json = strawberry.field(description="All that it says of itself, with its limits.")
    heartbeat_at: datetime = strawberry.field(description="When a worker that has it was last heard of.")
    queue_depth: int = strawberry.field(description="How many pieces of its work wait. Counted every few seconds.")
    running: int = strawberry.field(description="How many pieces of its work run. Counted every few seconds.")
    succeeded_24h: int = strawberry.field(
        name="succeeded24h", description="How many bookmarks it did, or had no reason to do, in the last 24 hours."
    )
    failed_24h: int = strawberry.field(name="failed24h", description="How many bookmarks it failed at in 24 hours.")
    average_duration = strawberry.field(
        resolver=answer.average_duration,
        graphql_type=timedelta | None,
        description="How long one bookmark took on average in the last 24 hours; null when there was none.",
    )
    is_paused: bool = strawberry.field(description="Whether an administrator paused it: its work waits.")


@strawberry.type(name="Workflow", description="Agents that work one after the other.")
class WorkflowInfo:
    """Answered by resolvers.agents.fleet.WorkflowRow."""

    name: Workflow = strawberry.field(description="Its name.")
    agents: list[AgentName] = strawberry.field(description="Who works, in this order.")


@strawberry.type(description="Something happened to a task.")
class TaskEvent:
    """Answered by resolvers.agents.following.TaskEventRow."""

    cursor: str = strawberry.field(description="Send it as `after` to go on behind this event.")
    resync: bool = strawberry.field(description="Events before this one were lost to retention: read afresh.")
    status: TaskStatus | None = strawberry.field(description="Where it stood then; null when events were lost.")
    progress: float | None = strawberry.field(description="How much was done then, 0 to 1.")
    current_agent: AgentName | None = strawberry.field(description="Whose step it was at then.")
    current_step: str | None = strawberry.field(description="What was being done then, in words.")
    error: str | None = strawberry.field(description="Why it failed, or was to be tried again.")
    started_at: datetime | None = strawberry.field(description="When a worker first had it.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")
    task = strawberry.field(
        resolver=answer.event_task, graphql_type=Task | None, description="The task as it is now; null when it is gone."
    )


@strawberry.type(description="Something happened to an agent.")
class AgentStatusEvent:
    """Answered by resolvers.agents.following.AgentEventRow."""

    cursor: str = strawberry.field(description="Send it as `after` to go on behind this event.")
    resync: bool = strawberry.field(description="Events before this one were lost to retention: read afresh.")
    name: AgentName | None = strawberry.field(description="Which agent; null when events were lost.")
    status: AgentStatus | None = strawberry.field(description="Whether some worker had it then.")
    is_paused: bool | None = strawberry.field(description="Whether it was paused then.")
    agent = strawberry.field(
        resolver=answer.event_agent, graphql_type=Agent | None, description="The agent as it is now."
    )


@strawberry.type(description="The answer to a mutation that starts or steers a task.")
class TaskPayload:
    """Answered by resolvers.mutation.Payload."""

    task: Task | None = strawberry.field(description="The task as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `startWorkflow`.")
class StartWorkflowPayload(TaskPayload):
    """Answered by resolvers.mutation.Payload."""


@strawberry.type(description="The answer to `pauseTask`.")
class PauseTaskPayload(TaskPayload):
    """Answered by resolvers.mutation.Payload."""


@strawberry.type(description="The answer to `resumeTask`.")
class ResumeTaskPayload(TaskPayload):
    """Answered by resolvers.mutation.Payload."""


@strawberry.type(description="The answer to `cancelTask`.")
class CancelTaskPayload(TaskPayload):
    """Answered by resolvers.mutation.Payload."""


@strawberry.type(description="The answer to `retryTask`.")
class RetryTaskPayload(TaskPayload):
    """Answered by resolvers.mutation.Payload."""


@strawberry.type(description="The answer to a mutation that steers an agent.")
class AgentPayload:
    """Answered by resolvers.mutation.Payload."""

    agent: Agent | None = strawberry.field(description="The agent as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `pauseAgent`.")
class PauseAgentPayload(AgentPayload):
    """Answered by resolvers.mutation.Payload."""


@strawberry.type(description="The answer to `resumeAgent`.")
class ResumeAgentPayload(AgentPayload):
    """Answered by resolvers.mutation.Payload."""


@strawberry.type(description="The answer to `replayDeadLetters`.")
class ReplayDeadLettersPayload:
    """Answered by resolvers.mutation.Payload."""

    replayed: int | None = strawberry.field(description="How many tasks were taken up again; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type
class AgentQuery:
    """Asking for tasks and agents."""

    tasks = strawberry.field(
        resolver=answer.list_tasks,
        metadata=answers(),
        graphql_type=Connection[Task],
        description="Your tasks, newest first unless ordered otherwise.",
        **requires(ApiScope.READ),
    )
    task = strawberry.field(
        resolver=answer.task,
        metadata=answers(),
        graphql_type=Task | None,
        description="One task; null when it does not exist or is not yours.",
        **requires(ApiScope.READ),
    )
    agents = strawberry.field(
        resolver=answer.list_agents,
        graphql_type=list[Agent],
        description="Every agent that some worker has, or had, by name.",
        **requires(ApiScope.READ),
    )
    agent = strawberry.field(
        resolver=answer.agent,
        graphql_type=Agent | None,
        description="One agent; null when no worker ever had it.",
        **requires(ApiScope.READ),
    )
    workflows = strawberry.field(
        resolver=answer.list_workflows,
        graphql_type=list[WorkflowInfo],
        description="What can be started.",
        **requires(ApiScope.READ),
    )


@strawberry.type
class AgentMutation:
    """Starting and steering."""

    start_workflow = strawberry.field(
        resolver=answer.start_workflow,
        graphql_type=StartWorkflowPayload,
        description="Let agents work on bookmarks. It goes on by itself, whatever happens to this request. "
        "At most 100 workflows of an account that have not ended.",
        **requires(ApiScope.WRITE),
    )
    pause_task = strawberry.field(
        resolver=answer.pause_task,
        graphql_type=PauseTaskPayload,
        description="Stop a task, to go on later.",
        **requires(ApiScope.WRITE),
    )
    resume_task = strawberry.field(
        resolver=answer.resume_task,
        graphql_type=ResumeTaskPayload,
        description="Let a paused task go on.",
        **requires(ApiScope.WRITE),
    )
    cancel_task = strawberry.field(
        resolver=answer.cancel_task,
        graphql_type=CancelTaskPayload,
        description="Stop a task for good. What it has done stays.",
        **requires(ApiScope.WRITE),
    )
    retry_task = strawberry.field(
        resolver=answer.retry_task,
        graphql_type=RetryTaskPayload,
        description="Do again what failed of a task that has ended, and only that.",
        **requires(ApiScope.WRITE),
    )
    pause_agent = strawberry.field(
        resolver=answer.pause_agent,
        graphql_type=PauseAgentPayload,
        description="Let nobody begin further work of an agent; what runs ends.",
        **signed_in(role=Role.ADMIN),
    )
    resume_agent = strawberry.field(
        resolver=answer.resume_agent,
        graphql_type=ResumeAgentPayload,
        description="Let a paused agent work again.",
        **signed_in(role=Role.ADMIN),
    )
    replay_dead_letters = strawberry.field(
        resolver=answer.replay_dead_letters,
        graphql_type=ReplayDeadLettersPayload,
        description="Try again what failed for good, of all accounts.",
        **signed_in(role=Role.ADMIN),
    )


@strawberry.type
class AgentSubscription:
    """Watching tasks and agents."""

    task_updated = strawberry.subscription(
        resolver=answer.task_updated,
        graphql_type=AsyncGenerator[TaskEvent, None],
        description="What happens to your tasks, each event once and in order, also across reconnects.",
        metadata=answer.TASKS_FOLLOWED,
        **requires(ApiScope.READ),
    )
    agent_status_changed = strawberry.subscription(
        resolver=answer.agent_status_changed,
        graphql_type=AsyncGenerator[AgentStatusEvent, None],
        description="What happens to agents, each event once and in order, also across reconnects.",
        metadata=answer.AGENTS_FOLLOWED,
        **requires(ApiScope.READ),
    )
