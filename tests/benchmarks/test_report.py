"""What was measured is told as it was: the table of the page, the file behind it, and what could not be set up."""

import re
from datetime import datetime
from pathlib import Path

import orjson
import pytest

from benchmarks import report
from benchmarks.harness import Finding, Goal, Options, Samples
from benchmarks.peers import __main__ as setup
from benchmarks.peers import node
from benchmarks.versions import machine, versions
from db.unit import Database

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "performance.md"
KEPT = {
    "startedAt": "2026-03-04T05:06:07+00:00",
    "machine": {"system": "Linux", "processors": 2, "architecture": "x86_64", "memoryGiB": 8, "load": 0.5},
    "versions": {"Python": "3.14.1", "PostgreSQL": "18.1"},
    "findings": [
        Finding("list", "a query: one", Samples([1.0, 3.0, 2.0], "ms"), note="3 bytes").as_json(),
        Finding("list", "another", note="not measured: it is absent").as_json(),
        Finding("list", "a query", Samples([2.0], "ms"), 2.004, "one", Goal(1.4)).as_json(),
        Finding("pages", "deep", Samples([2.0], "ms"), 1.0, "the first page", Goal(2)).as_json(),
        Finding("pages", "deep", Samples([2.0], "ms"), 0.5, "something").as_json(),
    ],
}
TABLE = """\
Measured on 4 March 2026 with 2 processors (x86_64), 8 GiB, Linux; load 0.5 when it began.

Python 3.14.1, PostgreSQL 18.1.

### Lists, the small query and memory
| what | against | ratio | goal | verdict |
|---|---|---:|---:|---|
| a query | one | 2.00 | ≤ 1.4 | **missed** |

| what | n | median | p95 | besides |
|---|---:|---:|---:|---|
| a query: one | 3 | 2.00 ms | 3.00 ms | 3 bytes |
| another |  |  |  | not measured: it is absent |

### Page depth
| what | against | ratio | goal | verdict |
|---|---|---:|---:|---|
| deep | the first page | 1.00 | ≤ 2 | met |
| deep | something | 0.50 |  | - |
"""


def test_a_file_of_results_is_printed_as_tables_that_leave_nothing_out() -> None:
    assert report.markdown(KEPT) == TABLE


def test_the_page_shows_the_figures_of_the_files_that_it_names() -> None:
    page = PAGE.read_text()
    names = set(re.findall(r"benchmarks/results/[\w-]+\.json", page))
    assert names
    for name in names:
        assert report.markdown(orjson.loads((ROOT / name).read_bytes())) in page, name


def test_a_kept_file_says_when_and_with_what_it_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    about = {"machine": machine(), "versions": {"Python": "3.14.1"}}
    started = datetime.fromisoformat("2026-03-04T05:06:07+00:00")
    path = report.write([Finding("list", "a query")], Options(quick=True, seed=7), started, about)
    assert path.name == "2026-03-04T050607-quick.json"
    kept = orjson.loads(path.read_bytes())
    assert kept["options"] == {"quick": True, "seed": 7}
    assert kept["versions"] == {"Python": "3.14.1"}
    assert set(kept["machine"]) == {"system", "processors", "architecture", "memoryGiB", "python", "load"}
    assert [row["what"] for row in kept["findings"]] == ["a query"]


async def test_versions_are_those_of_what_is_measured(database: Database) -> None:
    found = await versions(database.dsn)
    assert int(found["PostgreSQL"].partition(".")[0]) >= 16
    assert found["graphmark"]
    assert found["uvicorn"]
    assert all(found.values())


@pytest.mark.parametrize(("is_installed", "code"), [(True, 0), (False, 1)])
def test_peers_that_cannot_be_installed_are_named_with_what_to_do(
    is_installed: bool, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(node, "install", lambda: is_installed)
    monkeypatch.setattr("sys.argv", ["peers", "setup"])
    assert setup.main() == code
    said = capsys.readouterr().err
    assert ("npm ping" in said and "--no-peers" in said) is not is_installed
