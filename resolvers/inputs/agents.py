"""The words that tasks and agents use, and what workflows are started with."""

from typing import Any

import strawberry

from db.agents import TaskSort
from resolvers.inputs.enums import described
from resolvers.inputs.paging import OrderDirection
from resolvers.inputs.scalars import Json
from services.agents import AgentName, ItemStatus, MessageKind, StepStatus, TaskStatus, Workflow
from services.agents.fleet import AgentStatus

__all__ = [
    "AgentInput",
    "AgentName",
    "AgentStatus",
    "ItemStatus",
    "MessageKind",
    "ReplayDeadLettersInput",
    "StartWorkflowInput",
    "StepStatus",
    "TaskBookmarkFilter",
    "TaskFilter",
    "TaskIdInput",
    "TaskMessageFilter",
    "TaskOrder",
    "TaskSort",
    "TaskStatus",
    "Workflow",
]

described(
    TaskStatus,
    "Where a task stands.",
    PENDING="It waits for a worker.",
    RUNNING="A worker has it.",
    PAUSED="Somebody stopped it; it goes on when it is resumed.",
    COMPLETED="It is done.",
    FAILED="It was given up; `error` says why.",
    CANCELLED="Somebody stopped it for good.",
)
described(
    AgentName,
    "Who works on bookmarks.",
    IMPORT="Makes bookmarks of a file.",
    VALIDATION="Checks whether the address still leads somewhere.",
    ENRICHMENT="Reads the page and fills in what nobody wrote.",
    CATEGORIZATION="Proposes tags, collections and a category.",
    EMBEDDING="Makes bookmarks comparable by meaning.",
    SCREENSHOT="Takes a picture of the page.",
)
described(
    AgentStatus,
    "Whether some worker has an agent.",
    ONLINE="A worker that has it was heard of lately.",
    OFFLINE="No worker that has it was heard of lately; its work waits.",
)
described(
    StepStatus,
    "Where a step of a task stands.",
    PENDING="It has not begun.",
    RUNNING="Its bookmarks are worked on.",
    COMPLETED="Every bookmark has met its fate.",
    FAILED="Every bookmark failed.",
    SKIPPED="It was passed over: this server has no such agent.",
    CANCELLED="Somebody stopped the task.",
)
described(
    ItemStatus,
    "What became of a bookmark in a step.",
    name="TaskBookmarkStatus",
    PENDING="Nothing yet; `reason` says why it is being tried again, if it is.",
    DONE="It worked.",
    FAILED="It did not, for good; `reason` says why. Later steps leave it out.",
    SKIPPED="There was nothing to do; `reason` says why.",
)
described(
    MessageKind,
    "What a message of a task is about.",
    name="TaskMessageKind",
    PROGRESS="How far it is.",
    STATUS="That something begins.",
    ERROR="That something failed for good.",
    WARNING="That something is being tried again, or was passed over.",
    INFO="Something worth knowing.",
    COMPLETION="That a step has ended, and what it came to.",
)
described(
    Workflow,
    "Which agents work, one after the other.",
    name="WorkflowName",
    FULL_IMPORT="Import, validation, enrichment, categorization, embedding; on bookmarks: without the import.",
    QUICK_IMPORT="Import, validation; on bookmarks: without the import.",
    VALIDATION_ONLY="Validation.",
    ENRICHMENT_ONLY="Enrichment.",
    EMBEDDING_ONLY="Embedding.",
    REPROCESS="Validation, enrichment, categorization, embedding.",
    STANDARD="The same as `REPROCESS`.",
    QUICK="Validation, categorization.",
    FULL="As `REPROCESS`, then a screenshot.",
)
described(
    TaskSort,
    "What tasks can be ordered by; ties are broken by the id.",
    name="TaskOrderField",
    CREATED_AT="When they were asked for.",
    UPDATED_AT="When they last changed.",
)


@strawberry.input(description="Which tasks; all conditions that are given must be met.")
class TaskFilter:
    """For lists of tasks."""

    status: list[TaskStatus] | None = strawberry.field(default=None, description="Those with one of these.")
    workflow: list[str] | None = strawberry.field(
        default=None, description="Those of one of these workflows, for example `IMPORT`, `REPROCESS`. At most 20."
    )
    bookmark_id: strawberry.ID | None = strawberry.field(
        default=None, description="Workflows that have or had this bookmark among theirs."
    )


@strawberry.input(description="How to order tasks.")
class TaskOrder:
    """For lists of tasks."""

    field: TaskSort = strawberry.field(description="What to order by.")
    direction: OrderDirection | None = strawberry.field(default=None, description="Left out: newest first.")


@strawberry.input(description="Which bookmarks of a task.")
class TaskBookmarkFilter:
    """For `Task.bookmarks`."""

    status: list[ItemStatus] | None = strawberry.field(default=None, description="Those with one of these.")
    agent: list[AgentName] | None = strawberry.field(default=None, description="Those of the steps of these agents.")


@strawberry.input(description="Which messages of a task.")
class TaskMessageFilter:
    """For `Task.messages`."""

    kind: list[MessageKind] | None = strawberry.field(default=None, description="Those of one of these kinds.")


@strawberry.input(description="A workflow to start: on some bookmarks, on those that a query finds, or on all.")
class StartWorkflowInput:
    """For `startWorkflow`."""

    workflow: Workflow = strawberry.field(description="Which agents work.")
    bookmark_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="On these bookmarks: 1 to 1,000. A few go before other work."
    )
    query: str | None = strawberry.field(
        default=None,
        description="On every bookmark that this query of `search` finds, however many; not together with "
        "`bookmarkIds`. With neither: on all outside the trash.",
    )
    options: Json | None = strawberry.field(
        default=None, description="A JSON object for the agents, at most 4,000 bytes: see the agents' cards."
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="A key of your own, 1 to 255 characters: repeating the request within 24 hours is safe.",
    )


@strawberry.input(description="A task to steer.")
class TaskIdInput:
    """For `pauseTask`, `resumeTask`, `cancelTask`, `retryTask`."""

    id: strawberry.ID = strawberry.field(description="The task.")


@strawberry.input(description="An agent to steer.")
class AgentInput:
    """For `pauseAgent` and `resumeAgent`."""

    name: AgentName = strawberry.field(description="The agent.")


@strawberry.input(description="Which dead letters to try again.")
class ReplayDeadLettersInput:
    """For `replayDeadLetters`."""

    agent: AgentName | None = strawberry.field(
        default=None, description="Only what failed in the work of this agent; anything when left out."
    )
    limit: int = strawberry.field(default=100, description="At most so many tasks, the latest first: 1 to 1,000.")


Given = dict[str, Any]
"""The options of a workflow as they are given."""
