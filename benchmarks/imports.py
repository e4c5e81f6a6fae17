"""Importing a large bookmark file: reading, writing, once more, and in how much memory."""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

import asyncpg
import httpx
import orjson
from selectolax.lexbor import LexborHTMLParser

from app.samples import write_netscape
from app.seeding import fill
from benchmarks.harness import Findings, Goal, Options, Samples, Work, take_turns
from benchmarks.importing import import_file, watched
from benchmarks.lab import EMAIL, Lab, Library
from benchmarks.peers.servers import HOST, Running
from benchmarks.stage import open_stage, started
from services.imports.items import judge
from services.imports.netscape import NetscapeReader

MEBIBYTE: Final = 1024 * 1024
LINKDING_ROWS_PER_SECOND: Final = 100_000 / 96
"""linkding 1.46.2 on PostgreSQL, its own importer, 100,000 bookmarks: 96 s on a machine of two processors."""

_UPLOAD: Final = "mutation ($file: Upload!) { uploadImport(input: {file: $file}) { upload { id } } }"
_PREVIEW: Final = "query ($id: ID!) { previewImport(uploadId: $id) { __typename } }"
# What an import writes, parents first; `search` is generated and cannot be copied.
_GRAPH: Final = ("collections", "tags", "bookmarks", "bookmark_tags", "bookmark_collections")
_ACCOUNTS: Final = ("a2a_tasks", "uploads", "imports")
_BESIDE: Final = ("import_rows", "import_objects", "events")


async def run(lab: Lab, options: Options) -> Findings:
    """Measure imports of an ordinary large file, and of a tenth of it."""
    findings = Findings("import")
    large, small = (_file(lab.folder, options, size) for size in (options.library, options.library // 10))
    await _reading(findings, large, options)
    await _writing(lab, findings, large, options)
    await _memory(lab, findings, large, small)
    await _api_memory(lab, findings, large, small)
    return findings


def _file(folder: Path, options: Options, rows: int) -> Path:
    path = folder / f"bookmarks-{rows}.html"
    with path.open("w", encoding="utf-8") as out:
        write_netscape(rows, out, seed=options.seed)
    return path


async def _reading(findings: Findings, path: Path, options: Options) -> None:
    async def ours() -> None:
        assert sum(1 for _ in NetscapeReader(path)) == options.library

    async def bare() -> None:
        assert _walk(path) == options.library

    async def identified() -> None:
        assert _walk(path, each=judge) == options.library

    works: dict[str, Work] = {"ours": ours, "bare": bare, "identified": identified}
    measured = await take_turns(works, rounds=5, warm_up=1, seed=options.seed)
    what = f"reading {options.library:,} rows into items"
    walk, walk_and_identity = measured["bare"], measured["identified"]
    findings.against(what, measured["ours"], "a walk with the identity of each address", walk_and_identity)
    alone = measured["ours"].median - (walk_and_identity.median - walk.median)
    findings.ratio(
        f"{what}, without the identities of addresses", alone / walk.median, "bare selectolax walk", Goal(1.3)
    )


def _walk(path: Path, each: Callable[[str], object] = len) -> int:
    """Read what links, folders and notes say in the order of the file; return how many links there are.

    It reads attributes and texts and does nothing with them: dates stay text, tags one string, and nobody asks in
    which folder a link lies, whether the markup is broken or whether a text is too long.
    """
    links = 0
    for node in LexborHTMLParser(path.read_text(encoding="utf-8")).css("a,h3,dd"):
        attributes, _ = node.attributes, node.text()
        if "href" in attributes:
            each(attributes["href"] or "")
            links += 1
    return links


async def _writing(lab: Lab, findings: Findings, path: Path, options: Options) -> None:
    first: list[float] = []
    writing: list[float] = []
    again: list[float] = []
    copies: dict[str, list[float]] = {"graph": [], "all": []}
    for number in range(1 if options.quick else 3):
        library = await lab.empty(f"import_{number}")
        done = await import_file(library, path)
        first.append(done.seconds)
        writing.append(await _writing_seconds(library))
        written = await _sizes(library)
        repeated = await import_file(library, path)
        again.append(repeated.seconds)
        now = await _sizes(library)
        assert repeated.summary["created"] == 0, "the second import has created something"
        assert {name: now[name] for name in _GRAPH} == {name: written[name] for name in _GRAPH}, "written twice"
        for name, tables in (("graph", _GRAPH), ("all", (*_GRAPH, *_ACCOUNTS, *_BESIDE))):
            copies[name].append(await _server_copy(lab, library, tables, f"copy_{number}_{name}"))
        await lab.drop(library)
    rows = options.library
    ours, copied = _seconds(first), _seconds(copies["all"])
    what = f"import of {rows:,} rows into an empty account"
    findings.against(
        f"{what}, writing: first chunk to end", _seconds(writing), "COPY of all that it writes", copied, Goal(1.5)
    )
    findings.against(f"{what}, first byte to last row", ours, "COPY of all that it writes", copied)
    findings.against(
        f"{what}, first byte to last row", ours, "COPY without fates and events", _seconds(copies["graph"])
    )
    goal = Goal(8, is_upper=False)
    findings.ratio("rows a second, empty account", rows / ours.median / LINKDING_ROWS_PER_SECOND, "linkding's", goal)
    findings.ratio(
        "import of the same file again",
        ours.median / _seconds(again).median,
        "times faster than the first",
        Goal(2, is_upper=False),
    )
    await _into_full_account(lab, findings, path, options)


async def _writing_seconds(library: Library) -> float:
    """Return how long the only import was writing: from the begin of its first chunk to its end, by the database."""
    return float(
        await library.database.fetchval(
            """
            SELECT extract(epoch FROM t.finished_at - (SELECT min(created_at) FROM bookmarks))
            FROM imports AS i JOIN a2a_tasks AS t ON t.id = i.task_id
            """
        )
    )


async def _into_full_account(lab: Lab, findings: Findings, path: Path, options: Options) -> None:
    library = await lab.empty("import_full")
    await fill(library.database, library.viewer.id, options.library, seed=options.seed + 1)
    await library.database.execute("VACUUM ANALYZE")
    done = await import_file(library, path)
    await lab.drop(library)
    findings.ratio(
        f"rows a second, account of {options.library:,}",
        options.library / done.seconds / LINKDING_ROWS_PER_SECOND,
        "linkding's",
        Goal(6, is_upper=False),
    )


async def _memory(lab: Lab, findings: Findings, large: Path, small: Path) -> None:
    peaks: list[int] = []
    for number, path in enumerate((small, large)):
        library = await lab.empty(f"memory_{number}")
        peaks.append((await import_file(library, path)).peak_bytes)
        await lab.drop(library)
    grown = (peaks[1] - peaks[0]) / MEBIBYTE
    samples = Samples([peak / MEBIBYTE for peak in peaks], "MiB")
    findings.plain("memory of the worker and its reader, a tenth of the file and all of it", samples)
    findings.ratio("growth of that memory", grown, "MiB", Goal(200))


async def _api_memory(lab: Lab, findings: Findings, large: Path, small: Path) -> None:
    """Upload and preview a small and a large file over HTTP, and see how much more memory the large one takes."""
    stage = await open_stage(lab, 1_000)
    async with started(stage, [stage.graphmark()], findings) as up:
        for one in up.values():
            peaks = []
            for path in (small, large):
                with watched(one.pid) as peak:
                    await _upload(one, stage.token, path)
                peaks.append(peak.held / MEBIBYTE)
            samples = Samples(peaks, "MiB")
            findings.plain(
                "memory of the API while a tenth of the file and all of it is uploaded and previewed", samples
            )
            findings.ratio("growth of that memory", peaks[1] - peaks[0], "MiB", Goal(50))


async def _upload(one: Running, token: str, path: Path) -> None:
    """Upload a file, then ask what importing it would do."""
    headers = {"authorization": f"Bearer {token}", "graphql-require-preflight": "1"}
    base = f"http://{HOST}:{one.port}"
    async with httpx.AsyncClient(base_url=base, timeout=120, trust_env=False, headers=headers) as client:
        with path.open("rb") as content:
            form = {
                "operations": orjson.dumps({"query": _UPLOAD, "variables": {"file": None}}).decode(),
                "map": '{"0": ["variables.file"]}',
            }
            answer = await client.post("/graphql", data=form, files={"0": (path.name, content, "text/html")})
        upload = answer.json()["data"]["uploadImport"]["upload"]
        body = {"query": _PREVIEW, "variables": {"id": upload["id"]}}
        answer = await client.post("/graphql", json=body)
        assert "errors" not in answer.json(), answer.text


async def _sizes(library: Library) -> dict[str, int]:
    return {
        name: await library.database.fetchval(f"SELECT count(*) FROM {name}")
        for name in (*_GRAPH, *_ACCOUNTS, *_BESIDE)
    }


async def _server_copy(lab: Lab, library: Library, tables: Sequence[str], name: str) -> float:
    """Return the seconds of a server-side COPY of the rows of `tables` into an empty database of the same schema."""
    folder = lab.server.cluster  # where the server may write
    files = {table: folder / f"{name}-{table}.copy" for table in tables}
    columns = {table: await _columns(library, table) for table in tables}
    for table, file in files.items():
        await library.database.execute(f"COPY {table} ({columns[table]}) TO '{file}'")
    target = await lab.empty(name)
    owner = library.viewer.id
    await target.database.execute("UPDATE users SET id = $1 WHERE email = $2", owner, EMAIL)
    connection = await asyncpg.connect(target.dsn)
    try:
        started = perf_counter()
        async with connection.transaction():
            for table, file in files.items():
                await connection.execute(f"COPY {table} ({columns[table]}) FROM '{file}'")
        return perf_counter() - started
    finally:
        await connection.close()
        await lab.drop(target)
        for file in files.values():
            file.unlink()


async def _columns(library: Library, table: str) -> str:
    found = await library.database.fetch(
        """
        SELECT quote_ident(column_name) AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position
        """,
        table,
    )
    return ", ".join(row["name"] for row in found)


def _seconds(values: Sequence[float]) -> Samples:
    return Samples(values, "s")
