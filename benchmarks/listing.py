"""The list query, the small query, and the memory of an idle server: whole servers over HTTP, side by side."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

from benchmarks.harness import Findings, Goal, Options, Samples
from benchmarks.lab import Lab
from benchmarks.load import LoadError, send_requests
from benchmarks.load.jobs import HttpJob, HttpResult
from benchmarks.peers import lineup, node
from benchmarks.peers.lineup import FLOOR, GRAPHMARK, LITESTAR, MERCURIUS, POSTGRAPHILE
from benchmarks.peers.servers import CannotStartError, Request, Running
from benchmarks.stage import POSTGRES, SERVER, Stage, memory_mib, open_stage, started

CONCURRENCY: Final = 16
_NPM: Final = {lineup.MERCURIUS, lineup.YOGA, lineup.POSTGRAPHILE}
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
        asked = await _verified(stage, up, findings)
        idle = {name: memory_mib(one) for name, one in asked.items()}
        lists = {name: (one, one.server.listing) for name, one in asked.items()}
        _report_list(findings, up, await _measure(stage, lists, options, findings))
        small = {name: (one, one.server.small) for name, one in up.items() if one.server.small is not None}
        _report_small(findings, await _measure(stage, small, options, findings))
        _report_memory(findings, idle, {name: memory_mib(one) for name, one in asked.items()})
    return findings


async def _verified(stage: Stage, up: dict[str, Running], findings: Findings) -> dict[str, Running]:
    """Return the servers whose list holds exactly what the tables do; note what is wrong with others."""
    expected, good = await stage.expected(), {}
    for name, one in up.items():
        if one.server.listing is None:
            continue
        try:
            if await one.listed() != expected:
                raise CannotStartError("its list does not hold what the tables do")
            good[name] = one
        except CannotStartError as error:
            findings.note(name, f"not measured: {error}")
    return good


async def _measure(
    stage: Stage, targets: Mapping[str, tuple[Running, Request | None]], options: Options, findings: Findings
) -> Measured:
    """Load the targets in turns, in shuffled order, some seconds each."""
    random = Random(options.seed)  # noqa: S311  an order, not a secret
    rounds, seconds = (2, 1.0) if options.quick else (5, 3.0)
    measured: Measured = defaultdict(list)
    for _ in range(rounds):
        for name in random.sample(list(targets), len(targets)):
            one, request = targets[name]
            assert request is not None
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
    return measured


def _report_list(findings: Findings, up: dict[str, Running], measured: Measured) -> None:
    query = f"list query, {CONCURRENCY} at once"
    for name, results in measured.items():
        findings.plain(f"{query}: {name}", _rates(results), _details(f"{up[name].server.version()}; ", results))
    if GRAPHMARK not in measured:
        return
    ours = _rates(measured[GRAPHMARK])
    for name, goal in ((MERCURIUS, 1.2), (POSTGRAPHILE, 3.0), (lineup.STOCK, None), (lineup.YOGA, None)):
        if name in measured:
            bound = None if goal is None else Goal(goal, is_upper=False)
            findings.against(f"{query}, answers a second", ours, name, _rates(measured[name]), bound)
    if FLOOR in measured:
        cpu, bare = _cpu(measured[GRAPHMARK]), _cpu(measured[FLOOR])
        findings.against(f"{query}, CPU with PostgreSQL's", cpu, FLOOR, bare, Goal(1.4))


def _report_small(findings: Findings, measured: Measured) -> None:
    query = f"{{ viewer {{ id }} }}, {CONCURRENCY} at once"
    for name, results in measured.items():
        findings.plain(f"{query}: {name}", _rates(results), _details("", results))
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


def _details(version: str, results: Sequence[HttpResult]) -> str:
    """Return the medians that explain a rate."""

    def middle(values: list[float]) -> float:
        return Samples(values).median

    return (
        f"{version}p50 {middle([result.p50_ms for result in results]):.1f} ms, "
        f"p95 {middle([result.p95_ms for result in results]):.1f} ms, "
        f"CPU {middle([result.cpu_ms(SERVER) for result in results]):.2f} + "
        f"PostgreSQL {middle([result.cpu_ms(POSTGRES) for result in results]):.2f} ms, "
        f"{results[0].body_bytes:,} bytes"
    )
