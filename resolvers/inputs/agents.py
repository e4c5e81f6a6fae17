"""The words that tasks use."""

from resolvers.inputs.enums import described
from services.agents import TaskStatus

__all__ = ["TaskStatus"]

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
