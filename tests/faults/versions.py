"""Workers of two versions: the toys', with one kind of task more or less.

`python -m tests.faults.versions old` runs one that lacks a kind, a newer payload and an agent, down to its name;
`python -m tests.faults.versions new` one that knows all of them.
"""

import sys
from collections.abc import Mapping

import app.cli.work
from app.cli.support import run, service_settings
from db.unit import Unit
from services.agents import AgentName
from tasks.agent import Agent, Tools
from tasks.agents import batches, conductor, make_handlers
from tasks.envelope import Handler
from tasks.job import Job, Step
from tests.faults.toys import AGENTS

KIND, NEW_KIND = "toy.count", "toy.new"
NEW_AGENT = AgentName.CATEGORIZATION
OLD, NEW = "old", "new"


async def count(job: Job) -> None:
    """Write down that a task was done, and by which version."""

    async def work(unit: Unit) -> Step:
        await unit.execute("INSERT INTO toys_counted (task_id, version) VALUES ($1, $2)", job.task.id, sys.argv[1])
        return Step(1)

    await job.complete(work)


def handlers_of(tools: Tools, agents: Mapping[AgentName, Agent]) -> dict[str, Handler]:
    """Return what a worker of this version can do."""
    counting = (
        [Handler(KIND, 1, count)] if sys.argv[1] == OLD else [Handler(KIND, 2, count), Handler(NEW_KIND, 1, count)]
    )
    return make_handlers(tools, agents) | {one.kind: one for one in counting}


def main() -> None:
    """Run a worker of the version that the command line names."""
    agents = dict(AGENTS)
    if sys.argv[1] == OLD:
        del agents[NEW_AGENT]
        for module in (batches, conductor):
            vars(module)["_NAMES"] = frozenset(agents)
    vars(app.cli.work)["make_handlers"] = handlers_of
    run(app.cli.work.run_worker(service_settings(), agents))


if __name__ == "__main__":
    main()
