"""Importing a large bookmark file: reading, writing, once more, and in how much memory."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import asyncpg
import httpx
import orjson
import psutil
from selectolax.lexbor import LexborHTMLParser

from app.samples import write_netscape
from app.seeding import fill
from benchmarks.harness import Findings, Goal, Options, Samples, Work, take_turns
from benchmarks.lab import EMAIL, Lab, Library
from benchmarks.load.usage import memory_bytes
from benchmarks.peers.servers import HOST, Running
from benchmarks.stage import open_stage, started
from kit.settings import environment_with
from services.imports.items import judge
from services.imports.netscape import NetscapeReader

ROOT: Final = Path(__file__).parents[1]
MEBIBYTE: Final = 1024 * 1024
LINKDING_ROWS_PER_SECOND: Final = 100_000 / 96
"""linkding 1.46.2 on PostgreSQL, its own importer, 100,000 bookmarks: 96 s on a machine of two processors."""

IMPORT_SECONDS: Final = 600
_LOOK_SECONDS: Final = 0.05
_UPLOAD: Final = "mutation ($file: Upload!) { uploadImport(input: {file: $file}) { upload { id } } }"
_PREVIEW: Final = "query ($id: ID!) { previewImport(uploadId: $id) { __typename } }"
# What an import writes, parents first; `search` is generated and cannot be copied.
_GRAPH: Final = ("collections", "tags", "bookmarks", "bookmark_tags", "bookmark_collections")
_ACCOUNTS: Final = ("a2a_tasks", "uploads", "imports")
_BESIDE: Final = ("import_rows", "import_objects", "events")


@dataclass(frozen=True, slots=True)
class Imported:
    """What the command said, and the most memory that its processes held."""

    summary: dict[str, Any]
    peak_bytes: int

    @property
    def seconds(self) -> float:
        """From the first byte of the file to the last row searchable."""
        return float(self.summary["seconds"])


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
    findings.against(what, measured["ours"], "bare selectolax walk", measured["bare"], Goal(1.3))
    findings.against(what, measured["ours"], "a walk with the identity of each address", measured["identified"])


def _walk(path: Path, each: Callable[[str], object] = len) -> int:
    """Go through all nodes of the file and look at what the links say; return how many links there are."""
    links = 0
    root = LexborHTMLParser(path.read_text(encoding="utf-8")).root
    assert root is not None
    for node in root.traverse():
        if node.tag in {"a", "h3", "dd"}:
            attributes, _ = node.attributes, node.text()
            if "href" in attributes:
                each(attributes["href"] or "")
                links += 1
    return links


async def _writing(lab: Lab, findings: Findings, path: Path, options: Options) -> None:
    first: list[float] = []
    again: list[float] = []
    copies: dict[str, list[float]] = {"graph": [], "all": []}
    for number in range(1 if options.quick else 3):
        library = await lab.empty(f"import_{number}")
        done = await _import(library, path)
        first.append(done.seconds)
        written = await _sizes(library)
        repeated = await _import(library, path)
        again.append(repeated.seconds)
        now = await _sizes(library)
        assert repeated.summary["created"] == 0, "the second import has created something"
        assert {name: now[name] for name in _GRAPH} == {name: written[name] for name in _GRAPH}, "written twice"
        for name, tables in (("graph", _GRAPH), ("all", (*_GRAPH, *_ACCOUNTS, *_BESIDE))):
            copies[name].append(await _server_copy(lab, library, tables, f"copy_{number}_{name}"))
        await lab.drop(library)
    rows = options.library
    ours, copied = _seconds(first), _seconds(copies["graph"])
    what = f"import of {rows:,} rows into an empty account, first byte to last row"
    findings.against(what, ours, "COPY of its bookmarks, tags and collections", copied, Goal(1.5))
    findings.against(what, ours, "COPY of all that it writes (fates, events)", _seconds(copies["all"]))
    goal = Goal(8, is_upper=False)
    findings.ratio("rows a second, empty account", rows / ours.median / LINKDING_ROWS_PER_SECOND, "linkding's", goal)
    findings.ratio(
        "import of the same file again",
        ours.median / _seconds(again).median,
        "times faster than the first",
        Goal(2, is_upper=False),
    )
    await _into_full_account(lab, findings, path, options)


async def _into_full_account(lab: Lab, findings: Findings, path: Path, options: Options) -> None:
    library = await lab.empty("import_full")
    await fill(library.database, library.viewer.id, options.library, seed=options.seed + 1)
    await library.database.execute("VACUUM ANALYZE")
    done = await _import(library, path)
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
        peaks.append((await _import(library, path)).peak_bytes)
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
                with _watched(one.pid) as peak:
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


async def _import(library: Library, path: Path) -> Imported:
    """Import by the command line, in processes of its own, watching their memory."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "import", str(path), "--user", EMAIL, "--wait", "--json"),
        cwd=ROOT,
        env=environment_with(DATABASE_URL=library.dsn, DATA_DIR=str(path.parent / "import-data"), LOG_LEVEL="warning"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        with _watched(process.pid) as peak:
            async with asyncio.timeout(IMPORT_SECONDS):
                out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, f"the import ended with {process.returncode}: {out.decode(errors='replace')}"
    summary = orjson.loads(out)
    parts = sum(summary[name] for name in ("created", "merged", "skipped", "errors"))
    assert summary["total"] == parts, f"rows without a fate: {summary}"
    return Imported(summary, peak.held)


@dataclass
class Peak:
    """The most bytes that a process and its children held together."""

    held: int = 0


@contextmanager
def _watched(pid: int) -> Iterator[Peak]:
    """Look at the memory of a process tree every 50 ms while the block runs."""
    peak = Peak()

    async def look() -> None:
        while True:
            with suppress(psutil.NoSuchProcess):
                peak.held = max(peak.held, memory_bytes(pid))
            await asyncio.sleep(_LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield peak
    finally:
        looking.cancel()


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
