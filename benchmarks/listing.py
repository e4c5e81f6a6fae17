"""The list query, the small query, and the memory of an idle server: whole servers over HTTP, side by side."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

from benchmarks.harness import Findings, Goal, Options, Samples
from benchmarks.lab import Lab
from benchmarks.load import LoadError, send_requests
from benchmarks.load.jobs import HttpJob, HttpResult
from benchmarks.peers import lineup, node
from benchmarks.peers.lineup import FLOOR, FLOOR_KEPT, GRAPHMARK, LITESTAR, MERCURIUS, POSTGRAPHILE
from benchmarks.peers.servers import CannotStartError, Request, Running
from benchmarks.stage import POSTGRES, SERVER, Stage, memory_mib, open_stage, started

CONCURRENCY: Final = 16
LIST: Final = f"list query, {CONCURRENCY} at once"
COLOURED: Final = f"list query with the tags' colours, {CONCURRENCY} at once"
_NPM: Final = {lineup.MERCURIUS, lineup.YOGA, lineup.POSTGRAPHILE}
_CPU_GOAL: Final = Goal(1.4)
_RATE_GOALS: Final = ((MERCURIUS, 1.2), (POSTGRAPHILE, 3.0), (lineup.STOCK, None), (lineup.YOGA, None))
Targets = dict[str, tuple[Running, Request]]
Measured = dict[str, list[HttpResult]]


async def run(lab: Lab, options: Options) -> Findings:
    """Measure Graphmark, signed in and with every limit on, beside the peers and the floor."""
    findings = Findings("list")
    stage = await open_stage(lab, options.library)
    servers = [stage.graphmark(), *lineup.list_peers(stage.owner), lineup.litestar_route()]
    if options.peers:
        node.install()
    else:
        servers = [server for server in servers if server.name not in _NPM]
    async with started(stage, servers, findings) as up:
        lists = await _verified(stage, _asked(up, coloured=False), findings)
        idle = {name: memory_mib(one) for name, (one, _) in lists.items() if name == one.server.name}
        if FLOOR in lists:
            lists |= await _verified(stage, {FLOOR_KEPT: (up[FLOOR], lineup.KEPT)}, findings)
        _report_list(findings, LIST, await _measure(stage, lists, options, findings))
        coloured = await _verified(stage, _asked(up, coloured=True), findings)
        _report_list(findings, COLOURED, await _measure(stage, coloured, options, findings))
        small = {name: (one, one.server.small) for name, one in up.items() if one.server.small is not None}
        _report_small(findings, await _measure(stage, small, options, findings))
        _report_memory(findings, idle, {name: memory_mib(up[name]) for name in idle})
    return findings


def _asked(up: Mapping[str, Running], *, coloured: bool) -> Targets:
    """Return who answers the list query, with or without the colours of tags, and by which request."""
    requests = {name: one.server.coloured if coloured else one.server.listing for name, one in up.items()}
    return {name: (up[name], request) for name, request in requests.items() if request is not None}


async def _verified(stage: Stage, targets: Targets, findings: Findings) -> Targets:
    """Return those whose list holds exactly what the tables do; note what is wrong with others."""
    expected, good = await stage.expected(), {}
    for name, (one, request) in targets.items():
        try:
            if await one.listed(request) != expected:
                raise CannotStartError("its list does not hold what the tables do")
            good[name] = one, request
        except CannotStartError as error:
            findings.note(name, f"not measured: {error}")
    return good


async def _measure(stage: Stage, targets: Targets, options: Options, findings: Findings) -> Measured:
    """Load the targets in turns, in shuffled order, some seconds each."""
    random = Random(options.seed)  # noqa: S311  an order, not a secret
    rounds, seconds = (2, 1.0) if options.quick else (5, 3.0)
    measured: Measured = {name: [] for name in targets}
    for _ in range(rounds):
        for name in random.sample(list(targets), len(targets)):
            one, request = targets[name]
            job = HttpJob(
                port=one.port,
                request=request.encoded(),
                concurrency=CONCURRENCY,
                seconds=seconds,
                processes=stage.processes(one),
            )
            try:
                result = await send_requests(job)
            except LoadError as error:
                findings.note(name, f"a round was lost: {error}")
                continue
            assert result.faults == 0, f"{name} gave {result.faults} wrong answers of {result.answers}"
            measured[name].append(result)
    return {name: results for name, results in measured.items() if results}


def _report_list(findings: Findings, query: str, measured: Measured) -> None:
    for name, results in measured.items():
        findings.plain(f"{query}: {name}", _rates(results), _details(results))
    if GRAPHMARK not in measured:
        return
    ours = _rates(measured[GRAPHMARK])
    for name, goal in _RATE_GOALS:
        if name in measured:
            bound = None if goal is None else Goal(goal, is_upper=False)
            findings.against(f"{query}, answers a second", ours, name, _rates(measured[name]), bound)
    for name in (FLOOR, FLOOR_KEPT):
        if name in measured:
            cpu, bare = _cpu(measured[GRAPHMARK]), _cpu(measured[name])
            findings.against(f"{query}, CPU with PostgreSQL's", cpu, name, bare, _CPU_GOAL)


def _report_small(findings: Findings, measured: Measured) -> None:
    query = f"{{ viewer {{ id }} }}, {CONCURRENCY} at once"
    for name, results in measured.items():
        findings.plain(f"{query}: {name}", _rates(results), _details(results))
    if GRAPHMARK in measured and LITESTAR in measured:
        ours, bare = _rates(measured[GRAPHMARK]), _rates(measured[LITESTAR])
        findings.against(f"{query}, answers a second", ours, LITESTAR, bare, Goal(0.35, is_upper=False))


def _report_memory(findings: Findings, idle: dict[str, float], loaded: dict[str, float]) -> None:
    for name, mib in idle.items():
        findings.plain(f"memory after one answer: {name}", Samples([mib], "MiB"), f"{loaded[name]:.0f} MiB after load")
    if GRAPHMARK in idle and POSTGRAPHILE in idle:
        ours, theirs = Samples([idle[GRAPHMARK]], "MiB"), Samples([idle[POSTGRAPHILE]], "MiB")
        findings.against("memory of an idle server", ours, POSTGRAPHILE, theirs, Goal(0.75))


def _rates(results: Sequence[HttpResult]) -> Samples:
    return Samples([result.per_second for result in results], "/s")


def _cpu(results: Sequence[HttpResult]) -> Samples:
    return Samples([result.cpu_ms(SERVER) + result.cpu_ms(POSTGRES) for result in results], "ms")


def _details(results: Sequence[HttpResult]) -> str:
    """Return the medians that explain a rate."""

    def middle(values: list[float]) -> float:
        return Samples(values).median

    return (
        f"p50 {middle([result.p50_ms for result in results]):.1f} ms, "
        f"p95 {middle([result.p95_ms for result in results]):.1f} ms, "
        f"CPU {middle([result.cpu_ms(SERVER) for result in results]):.2f} + "
        f"PostgreSQL {middle([result.cpu_ms(POSTGRES) for result in results]):.2f} ms, "
        f"{results[0].body_bytes:,} bytes"
    )
