"""The embedded PostgreSQL: start, stop, settings, refusals, and what is left behind by kill -9."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from kit.postgres import (
    DataFolderInUse,
    DataFolderUnusable,
    DataFolderVersion,
    EmbeddedPostgres,
    PostgresDidNotStart,
    PostgresMissing,
    running_url,
)
from kit.postgres import cluster as on_disk
from kit.postgres.processes import label_of, postgres_processes, wait_until

QUICK = {"fsync": "off", "shared_buffers": "16MB"}

HOLDER = """
import signal, sys
from pathlib import Path
from kit.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), {"fsync": "off", "shared_buffers": "16MB"})
print(server.start(), server.pid, flush=True)
signal.pause()
"""

# The same on a platform without a signal for the death of the parent.
DEAF = """
from kit.postgres import account
plain = account.Account._setpriv
account.Account._setpriv = lambda *arguments: plain(*arguments)[:-2]
account.dies_with_parent = lambda _number: None
"""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """Give a data folder; whatever still runs on it afterwards is ended."""
    folder = tmp_path / "data"
    yield folder
    with contextlib.suppress(DataFolderUnusable, DataFolderVersion):
        server = EmbeddedPostgres(folder, QUICK)
        server.start()
        server.stop()


@pytest.fixture
def holder(data: Path, request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """Run another process that owns a server on the data folder; give it, the URL and the server's id."""
    command = [sys.executable, "-c", getattr(request, "param", "") + HOLDER, str(data)]
    with subprocess.Popen(  # noqa: S603  our own interpreter
        command, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url, pid = process.stdout.readline().split()
        yield process, url, int(pid)
        process.kill()


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def gone(label: str) -> bool:
    return wait_until(lambda: not postgres_processes(label), 20)


async def test_rows_are_kept_over_a_restart_and_nothing_runs_in_between(data: Path) -> None:
    server = EmbeddedPostgres(data, QUICK)
    assert running_url(data) is None
    url = server.start()
    assert server.is_alive()
    assert running_url(data) == url
    await ask(url, "create table kept (n int)")
    await ask(url, "insert into kept values (7)")
    server.stop()
    assert not server.is_alive()
    assert server.pid is None
    assert postgres_processes(label_of(data / "pg")) == []
    assert running_url(data) is None
    assert list((data / "run").iterdir()) == []

    url = server.start()
    assert await ask(url, "select n from kept") == 7
    server.stop()


async def test_the_settings_are_in_force_and_pgvector_is_there(data: Path) -> None:
    server = EmbeddedPostgres(data, {"fsync": "off", "max_connections": "33"})
    url = server.start()
    try:
        shown = {
            name: await ask(url, f"show {name}")
            for name in ("shared_buffers", "jit", "wal_compression", "timezone", "synchronous_commit")
        }
        assert shown == {
            "shared_buffers": "256MB",
            "jit": "off",
            "wal_compression": "pglz",
            "timezone": "UTC",
            "synchronous_commit": "on",
        }
        assert await ask(url, "show max_connections") == "33"
        assert await ask(url, "show listen_addresses") == ""
        assert await ask(url, "show server_version_num") == "180004"
        await ask(url, "create extension vector")
    finally:
        server.stop()


def test_the_data_is_closed_to_other_users(data: Path) -> None:
    server = EmbeddedPostgres(data, QUICK)
    server.start()
    try:
        modes = {name: (data / name).stat().st_mode & 0o777 for name in (".", "pg", "run")}
        assert modes == {".": 0o700, "pg": 0o700, "run": 0o700}
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_as_root_a_closed_parent_folder_is_not_opened(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "data", QUICK)
    server.start()
    try:
        assert server.pid is not None
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert closed.stat().st_mode & 0o777 == 0o700
        assert closed.stat().st_uid == 0
    finally:
        server.stop()


def test_a_second_instance_is_refused_and_the_first_lives_on(
    data: Path, holder: tuple[subprocess.Popen[str], str, int]
) -> None:
    process, url, _ = holder
    with pytest.raises(DataFolderInUse) as refused:
        EmbeddedPostgres(data, QUICK).start()
    assert refused.value.message == (f"The data folder {data} is in use by another Graphmark (process {process.pid}).")
    assert running_url(data) == url


@pytest.mark.fault
async def test_kill_9_of_the_parent_ends_the_server_and_keeps_the_rows(
    data: Path, holder: tuple[subprocess.Popen[str], str, int]
) -> None:
    process, url, _ = holder
    await ask(url, "create table kept as select 7 as n")
    label = label_of(data / "pg")
    process.kill()
    process.wait()
    if sys.platform.startswith("linux"):
        assert gone(label)
    server = EmbeddedPostgres(data, QUICK)
    assert await ask(server.start(), "select n from kept") == 7
    server.stop()


@pytest.mark.fault
async def test_kill_9_of_both_leaves_data_that_the_next_start_opens(
    data: Path, holder: tuple[subprocess.Popen[str], str, int]
) -> None:
    process, url, pid = holder
    await ask(url, "create table kept as select 7 as n")
    os.kill(pid, signal.SIGKILL)
    process.kill()
    process.wait()
    assert (data / "pg" / "postmaster.pid").exists()
    server = EmbeddedPostgres(data, QUICK)
    assert await ask(server.start(), "select n from kept") == 7
    server.stop()


@pytest.mark.fault
async def test_a_killed_server_can_be_started_again_by_its_owner(data: Path) -> None:
    server = EmbeddedPostgres(data, QUICK)
    url = server.start()
    await ask(url, "create table kept as select 7 as n")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: not server.is_alive(), 10)
    assert await ask(server.start(), "select n from kept") == 7
    server.stop()
    assert postgres_processes(label_of(data / "pg")) == []


@pytest.mark.fault
@pytest.mark.parametrize("holder", [DEAF], indirect=True)
async def test_a_server_that_outlived_its_owner_is_ended_before_the_next_one_starts(
    data: Path, holder: tuple[subprocess.Popen[str], str, int]
) -> None:
    process, url, first = holder
    await ask(url, "create table kept as select 7 as n")
    process.kill()
    process.wait()
    assert running_url(data) == url
    server = EmbeddedPostgres(data, QUICK)
    try:
        assert await ask(server.start(), "select n from kept") == 7
        assert server.pid != first
        assert first not in postgres_processes(label_of(data / "pg"))
    finally:
        server.stop()


def test_a_recycled_process_id_in_the_lock_file_is_left_alone(data: Path) -> None:
    server = EmbeddedPostgres(data, QUICK)
    server.start()
    server.stop()
    with subprocess.Popen(["/bin/sleep", "600"]) as stranger:
        (data / "pg" / "postmaster.pid").write_text(f"{stranger.pid}\n{data}/pg\n1\n5432\n{data}/run\n\n\nready\n")
        assert running_url(data) is None
        server.start()
        assert stranger.poll() is None
        server.stop()
        assert stranger.poll() is None
        stranger.kill()


def test_a_cluster_half_made_is_never_found(data: Path) -> None:
    abandoned = data / "pg.new-abandoned"
    abandoned.mkdir(parents=True)
    (abandoned / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(data, QUICK)
    server.start()
    server.stop()
    assert not abandoned.exists()
    assert sorted(path.name for path in data.iterdir()) == ["lock", "pg", "postgres.log", "run"]


def test_a_file_in_place_of_the_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, reason in ((tmp_path / "file", "File exists"), (tmp_path / "file" / "data", "Not a directory")):
        with pytest.raises(DataFolderUnusable) as refused:
            EmbeddedPostgres(path, QUICK).start()
        assert refused.value.message == f"Cannot write to the data folder {path}: {reason}."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_one_clear_line(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(DataFolderUnusable, match=r"Cannot write to the data folder .*: Permission denied\."):
        EmbeddedPostgres(closed, QUICK).start()


def test_a_cluster_of_another_major_version_is_refused_untouched(tmp_path: Path) -> None:
    cluster = tmp_path / "pg"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(DataFolderVersion, match=r"was made by PostgreSQL 16 and this Graphmark runs 18"):
        EmbeddedPostgres(tmp_path, QUICK).start()
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]


def test_a_folder_that_is_no_cluster_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "letter.txt").write_text("mine")
    with pytest.raises(DataFolderUnusable, match="exists but is not a PostgreSQL data folder"):
        EmbeddedPostgres(tmp_path, QUICK).start()
    assert (tmp_path / "pg" / "letter.txt").read_text() == "mine"


def test_a_server_that_cannot_start_says_why_in_one_line_and_lets_the_folder_go(data: Path) -> None:
    with pytest.raises(PostgresDidNotStart) as failed:
        EmbeddedPostgres(data, {**QUICK, "no_such_setting": "1"}).start()
    assert "no_such_setting" in failed.value.message
    assert failed.value.message.count("\n") == 0
    server = EmbeddedPostgres(data, QUICK)
    server.start()
    server.stop()


def test_a_folder_too_deep_for_a_socket_path_gets_one_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    server = EmbeddedPostgres(deep, QUICK)
    url = server.start()
    sockets = Path(url.partition("host=")[2])
    try:
        assert asyncio.run(ask(url, "select 1")) == 1
        assert sockets.parent == Path(tempfile.gettempdir())
        assert sockets.stat().st_mode & 0o777 == 0o700
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert wait_until(lambda: not server.is_alive(), 10)
        assert server.start() == url
    finally:
        server.stop()
    assert not sockets.exists()


async def test_a_folder_with_odd_characters_in_its_name_works(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "da ta?&%#ü", QUICK)
    try:
        assert await ask(server.start(), "select 1") == 1
    finally:
        server.stop()


def test_a_long_log_is_put_aside(data: Path) -> None:
    server = EmbeddedPostgres(data, QUICK)
    server.start()
    server.stop()
    with (data / "postgres.log").open("ab") as log:
        log.truncate(5 * 1024 * 1024)
    server.start()
    server.stop()
    assert (data / "postgres.log").stat().st_size < 10_000
    assert (data / "postgres.log.old").stat().st_size == 5 * 1024 * 1024


def test_without_the_wheel_the_message_names_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_disk, "find_spec", lambda _name: None)
    with pytest.raises(PostgresMissing, match="GRAPHMARK_DATABASE_URL"):
        EmbeddedPostgres(tmp_path / "data").start()
    assert not (tmp_path / "data").exists()
