"""One account's changes delivered to many sockets of one process, and what a socket costs while nothing happens."""

import resource
from collections.abc import Sequence
from random import Random
from typing import Final
from uuid import UUID

import orjson

from benchmarks.harness import Findings, Goal, Options, Samples
from benchmarks.lab import Lab
from benchmarks.load import LoadError, open_sockets
from benchmarks.load.jobs import SocketJob, SocketResult
from benchmarks.peers import lineup
from benchmarks.peers.lineup import FLOOR, FLOOR_LOOP, GRAPHMARK, STOCK
from benchmarks.peers.servers import CannotStartError, Running, Server, running
from benchmarks.peers.serving import CHANNEL
from benchmarks.stage import POSTGRES, SERVER, Stage, open_stage
from db import events
from kit.ids import encode_global_id
from services.events import BookmarkChange, Topic

SOCKETS: Final = (100, 1_000)
PACES: Final = {"8 events at once": 8, "one event at a time": 1}
"""How many events may be under way: what is ready together can be sent together, so both ways are measured."""
BOOKMARKS: Final = 1_000
_DESCRIPTORS: Final = 4_096
Measured = dict[str, list[SocketResult]]

# One change as services.events.record writes it, told as well to the peers, which get its text as they deliver it.
_EVENT: Final = """
WITH counter AS (
    INSERT INTO event_counters AS kept (owner_id, seq) VALUES ('{owner}', 1)
    ON CONFLICT (owner_id) DO UPDATE SET seq = kept.seq + 1 RETURNING seq
), written AS (
    INSERT INTO events (owner_id, seq, topic, subject_id, payload)
    SELECT '{owner}', seq, '{topic}', '{bookmark}', '{{"change": "{change}", "ids": ["{bookmark}"]}}' FROM counter
) SELECT pg_notify('{own_channel}', '{owner}'), pg_notify('{peers_channel}', json_build_object(
    'cursor', lpad($1::int::text, 24, '0'), 'resync', false, 'change', '{change}', 'bookmarkIds', ARRAY['{key}']
)::text) FROM counter
"""


async def run(lab: Lab, options: Options) -> Findings:
    """Measure Graphmark, stock Strawberry and bare uvicorn: each freshly started for each turn."""
    findings = Findings("fan-out")
    _raise_descriptor_limit()
    stage = await open_stage(lab, BOOKMARKS)
    statement = await _statement(stage)
    servers = [
        stage.graphmark(),
        lineup.stock_strawberry(),
        lineup.floor(),
        lineup.floor(name=FLOOR_LOOP, events="/loop"),
    ]
    random = Random(options.seed)  # noqa: S311  an order, not a secret
    for sockets in SOCKETS:
        measured: dict[str, Measured] = {pace: {server.name: [] for server in servers} for pace in PACES}
        turns = [(server, pace) for server in servers for pace in PACES]
        for _ in range(1 if options.quick else 3):
            for server, pace in random.sample(turns, len(turns)):
                what = f"{sockets:,} sockets, {pace}"
                try:
                    result = await _turn(stage, server, sockets, PACES[pace], statement, options)
                except (CannotStartError, LoadError) as error:
                    findings.note(f"{what}: {server.name}", f"a turn was lost: {error}")
                    continue
                measured[pace][server.name].append(result)
        for pace in PACES:
            _report(findings, f"{sockets:,} sockets, {pace}", measured[pace])
        _report_idle(findings, sockets, list(measured.values()))
    return findings


async def _turn(
    stage: Stage, server: Server, sockets: int, window: int, statement: str, options: Options
) -> SocketResult:
    """Start one server, load it, stop it, and check what was delivered. Raises `CannotStartError` and `LoadError`."""
    place = running(server, dsn=stage.library.dsn, owner=stage.owner, folder=stage.folder)
    async with place as one:
        result = await open_sockets(_job(stage, one, sockets, window, statement, 1.0 if options.quick else 3.0))
    if result.missing:
        raise LoadError(f"{result.missing:,} deliveries of {result.events:,} events did not come in time")
    assert server.following is not None
    told = [orjson.loads(text)["payload"]["data"]["bookmarkChanged"] for text in result.told]
    numbers = [server.following.number(event["cursor"]) for event in told]
    assert numbers == list(range(numbers[0], numbers[0] + result.events)), "events are out of order or left out"
    for event in told:
        assert not event["resync"], f"events were dropped before {event['cursor']}"
        assert event["change"] == BookmarkChange.UPDATED.value, event
        assert len(event["bookmarkIds"]) == 1, event
    return result


def _job(stage: Stage, one: Running, sockets: int, window: int, statement: str, seconds: float) -> SocketJob:
    following = one.server.following
    assert following is not None
    return SocketJob(
        port=one.port,
        path=following.path,
        init=dict(following.init),
        subscribe={"query": following.document},
        marker='"bookmarkChanged"',
        sockets=sockets,
        dsn=stage.library.dsn,
        statement=statement,
        seconds=seconds,
        window=window,
        processes=stage.processes(one),
    )


async def _statement(stage: Stage) -> str:
    """Return the statement that makes one event. It is formatted with values made here only."""
    bookmark: UUID = await stage.library.database.fetchval(
        "SELECT id FROM bookmarks WHERE owner_id = $1 ORDER BY id LIMIT 1", stage.owner
    )
    return _EVENT.format(
        owner=stage.owner,
        topic=Topic.BOOKMARK.value,
        change=BookmarkChange.UPDATED.value,
        bookmark=bookmark,
        key=encode_global_id("Bookmark", bookmark),
        own_channel=events.CHANNEL,
        peers_channel=CHANNEL,
    )


def _report(findings: Findings, what: str, measured: Measured) -> None:
    measured = {name: results for name, results in measured.items() if results}
    for name, results in measured.items():
        findings.plain(f"{what}, deliveries per CPU second: {name}", _per_cpu(results), _details(results))
    if GRAPHMARK not in measured:
        return
    ours = measured[GRAPHMARK]
    for name, goal in ((FLOOR, 0.6), (FLOOR_LOOP, 0.6), (STOCK, 5.0)):
        if name in measured:
            bound = Goal(goal, is_upper=False)
            findings.against(
                f"{what}, deliveries per CPU second", _per_cpu(ours), name, _per_cpu(measured[name]), bound
            )


def _report_idle(findings: Findings, sockets: int, paces: Sequence[Measured]) -> None:
    ours = [result for measured in paces for result in measured[GRAPHMARK]]
    if ours:
        limit = Samples([40.0], "KiB")
        findings.against(f"{sockets:,} sockets, memory of an idle one", _idle(ours), "40 KiB", limit, Goal(1))


def _per_cpu(results: Sequence[SocketResult]) -> Samples:
    return Samples([result.per_cpu_second(SERVER) for result in results], "/s")


def _idle(results: Sequence[SocketResult]) -> Samples:
    return Samples([result.idle_bytes / 1024 for result in results], "KiB")


def _details(results: Sequence[SocketResult]) -> str:
    """Return the medians that explain a rate."""
    walls = Samples([result.deliveries / result.seconds for result in results])
    postgres = Samples([result.cpu_seconds[POSTGRES] * 1000 / max(1, result.deliveries) for result in results])
    made = Samples([float(result.events) for result in results])
    return (
        f"{walls.median:,.0f} deliveries a second, {made.median:,.0f} events, "
        f"PostgreSQL {postgres.median:.3f} CPU-ms a delivery, {_idle(results).median:.1f} KiB an idle socket"
    )


def _raise_descriptor_limit() -> None:
    """Let this process, and what it starts, open a file descriptor for every socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
