"""Checking links: 2,000 on loopback that take 50 ms each, 100 at once, beside other clients and checkers."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Final

import orjson

from benchmarks.checkers import HOST, PYTHON, Checked, broken_of
from benchmarks.harness import Findings, Goal, Options, Samples
from benchmarks.lab import Lab
from benchmarks.peers import node
from benchmarks.peers.servers import ROOT, CannotStartError
from kit.postgres.processes import dies_with_parent

CONCURRENCY: Final = 100
OURS: Final = "kit.fetch"
LINKINATOR: Final = "linkinator"
GOALS: Final = {
    "aiohttp": Goal(0.9, is_upper=False),
    "httpx": Goal(2.5, is_upper=False),
    LINKINATOR: Goal(5, is_upper=False),
}
"""How many times as many links a second as each of these. Nobody can reach the last one: see CPU_GOALS."""
CPU_GOALS: Final = {LINKINATOR: Goal(0.2)}
"""CPU of the checker for a link, beside these.

The clock is bounded by the web that is checked: 2,000 links of 50 ms, 100 at once, take a second, and linkinator itself
takes less than two. What a checker adds is its own work; five times less of that can be asked for (decision 0029).
"""
TURN_SECONDS: Final = 180.0


async def run(_lab: Lab, options: Options) -> Findings:
    """Let the checkers take turns, each in a process of its own; the web is another one."""
    findings = Findings("links")
    count = 400 if options.quick else 2_000
    rounds = 2 if options.quick else 7
    names = [*PYTHON, LINKINATOR]
    if not (options.peers and node.install()):
        names.remove(LINKINATOR)
        findings.note(LINKINATOR, "not measured: it comes from npm")
    random = Random(options.seed)  # noqa: S311  an order, not a secret
    turns: dict[str, list[Checked]] = {name: [] for name in names}
    async with _web() as port:
        for _ in range(rounds):
            for name in random.sample(names, len(names)):
                turns[name].append(await _check(name, port, count))
    _report(findings, turns, f"{count:,} links, {CONCURRENCY} at once")
    return findings


def _report(findings: Findings, turns: Mapping[str, Sequence[Checked]], what: str) -> None:
    """Compare how many links a second each checked, and what each took of its processor."""
    speeds = {name: Samples([one.links / one.seconds for one in done], "/s") for name, done in turns.items()}
    cpu = {name: Samples([one.cpu_seconds * 1000 / one.links for one in done]) for name, done in turns.items()}
    for name, goal in GOALS.items():
        if name in turns:
            findings.against(f"{what}, links a second", speeds[OURS], name, speeds[name], goal)
    for name in GOALS:
        if name in turns:
            findings.against(f"{what}, CPU of the checker for a link", cpu[OURS], name, cpu[name], CPU_GOALS.get(name))
    for name, done in turns.items():
        seconds = Samples([one.seconds for one in done]).median
        note = f"{seconds:.2f} s, CPU {cpu[name].median:.3f} ms for a link"
        findings.plain(f"{what}, links a second: {name}", speeds[name], note)


@asynccontextmanager
async def _web() -> AsyncIterator[int]:
    process = await _start(sys.executable, "-m", "benchmarks.checkers", "serve")
    try:
        assert process.stdout is not None
        async with asyncio.timeout(TURN_SECONDS):
            port = int(await process.stdout.readline())
        yield port
    finally:
        process.kill()
        await process.wait()


async def _check(name: str, port: int, count: int) -> Checked:
    """Give one checker its turn. Raises `CannotStartError` when it fails or finds something else than is there."""
    if name == LINKINATOR:
        page = f"http://{HOST}:{port}/{count}"
        command: Sequence[str] = [*node.script("links.mjs", LINKINATOR), page, str(CONCURRENCY)]
    else:
        command = [sys.executable, "-m", "benchmarks.checkers", "check", name, str(port), str(count), str(CONCURRENCY)]
    process = await _start(*command)
    try:
        async with asyncio.timeout(TURN_SECONDS):
            out, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise CannotStartError(f"{name}: {said.decode(errors='replace').strip()[-300:]}")
    found = Checked(**orjson.loads(out))
    if (found.links, found.broken) != (count, broken_of(count)):
        raise CannotStartError(f"{name} found {found.broken} of {found.links} links broken")
    return found


async def _start(*command: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=dies_with_parent(signal.SIGKILL),
    )
