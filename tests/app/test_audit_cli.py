"""`graphmark audit` and what `doctor` says of the log, run in this process against a real database."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app import cli
from app.cli import support
from db.unit import Database
from kit.settings import environment_with
from services import audit
from services.audit import Act, AuditAction
from tests.tampering import FILL, unguarded

Run = Callable[..., int]


@pytest.fixture
def run(dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command on this worker's database; return its exit code."""
    for name in [name for name in environment_with() if name.startswith("GRAPHMARK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GRAPHMARK_DATABASE_URL", dsn)
    monkeypatch.setenv("GRAPHMARK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GRAPHMARK_PORT", "0")
    monkeypatch.setattr(support, "configure_logging", lambda **_: None, raising=False)  # this process is pytest's

    def call(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["graphmark", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return int(left.value.code or 0)

    return call


async def write(database: Database, times: int) -> None:
    for _ in range(times):
        async with database.unit() as unit:
            await audit.record(unit, Act(AuditAction.SIGNED_IN, None, "ada@example.org", details={"factor": "x"}))


async def test_a_log_is_verified(database: Database, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert await asyncio.to_thread(run, "audit", "verify", "--json") == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 0
    await write(database, 3)
    assert await asyncio.to_thread(run, "audit", "verify") == 0
    shown = capsys.readouterr().out
    digest = (await database.fetchval("SELECT digest FROM audit_head")).hex()
    assert shown == f"The audit log is whole: 3 entries. Keep elsewhere: 3:{digest}\n"
    await write(database, 1)
    assert await asyncio.to_thread(run, "audit", "verify", "--expect", f"3:{digest}") == 0
    assert await asyncio.to_thread(run, "audit", "verify", "--expect", f"2:{digest}") == 1
    capsys.readouterr()

    async with unguarded(database) as unit:
        await unit.execute("DELETE FROM audit_entries WHERE seq = 2")

    assert await asyncio.to_thread(run, "audit", "verify", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["whole"], told["fault"]) == (False, "Entry 2 is missing.")
    assert await asyncio.to_thread(run, "audit", "cut", "--older-than-days", "90", "--yes") == 1
    assert "nothing was cut" in capsys.readouterr().err


@pytest.mark.parametrize("kept", ["x", "1:zz", "0:" + 64 * "a", "1:" + 62 * "a", "-1:" + 64 * "a"])
def test_what_was_kept_is_written_in_one_way(run: Run, kept: str) -> None:
    assert run("audit", "verify", "--expect", kept) == 2


async def test_doctor_looks_at_the_end_or_at_all(
    database: Database, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    async def seen(*options: str) -> dict[str, str]:
        await asyncio.to_thread(run, "doctor", "--json", *options)
        checks = json.loads(capsys.readouterr().out)["checks"]
        (check,) = (check for check in checks if check["name"] == "audit log")
        return dict(check)

    async with unguarded(database) as unit:
        await unit.execute(FILL.format(many=1_500))
        await unit.execute("UPDATE audit_entries SET actor = 'nobody' WHERE seq = 7")
    assert await seen() == {
        "name": "audit log",
        "state": "ok",
        "detail": "1,500 entries, the last 1,000 as they were written",
    }
    assert await seen("--audit") == {
        "name": "audit log",
        "state": "failed",
        "detail": "Entry 7 is not what was written.",
    }


async def test_a_log_is_copied_and_cut(database: Database, run: Run, tmp_path: Path) -> None:
    async with unguarded(database) as unit:
        await unit.execute(FILL.format(many=1_200))
    await write(database, 1)
    copy = tmp_path / "audit.jsonl"

    assert await asyncio.to_thread(run, "audit", "export", "-o", str(copy)) == 0

    lines = [json.loads(line) for line in copy.read_text().splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, 1_202))
    assert (lines[-1]["actor"], lines[-1]["details"]) == ("ada@example.org", {"factor": "x"})
    assert await asyncio.to_thread(run, "audit", "cut", "--older-than-days", "30", "--yes") == 2
    assert await asyncio.to_thread(run, "audit", "cut", "--older-than-days", "120", "--yes") == 0
    assert await database.fetchval("SELECT array_agg(seq ORDER BY seq) FROM audit_entries") == [1_201, 1_202]
    assert await asyncio.to_thread(run, "audit", "verify") == 0
