"""`graphmark serve` as an operator meets it: one terminal, real processes, real kills."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from kit.postgres import EmbeddedPostgres, running_url
from kit.postgres.processes import label_of, postgres_processes, wait_until

ROOT = Path(__file__).parents[2]
SECONDS = 60
PARTS = ("api", "scheduler", "worker")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


class Terminal:
    """One terminal in which `graphmark serve` (or another `command`) runs."""

    def __init__(self, data: Path, *, command: str = "serve", **settings: str) -> None:
        self.data = data
        self.port = int(settings.get("PORT", free_port()))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GRAPHMARK_")}
        chosen = {"DATA_DIR": str(data), "PORT": str(self.port), **settings}
        self.environment = kept | {f"GRAPHMARK_{name}": value for name, value in chosen.items()}
        self.lines: list[str] = []
        self.process = self.popen(command, stdin=subprocess.DEVNULL)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def popen(self, *arguments: str, stdin: int = subprocess.PIPE) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, "-m", "app", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip("\n") for line in self.process.stdout)

    def run(self, *arguments: str, text: str = "") -> tuple[int, str]:
        """Run another command in a second terminal with the same settings."""
        process = self.popen(*arguments)
        output, _ = process.communicate(text, timeout=SECONDS)
        return process.returncode, output

    @property
    def output(self) -> str:
        return "\n".join(list(self.lines))

    def until_ready(self) -> None:
        done = wait_until(lambda: "Ctrl-C stops it" in self.output or self.process.poll() is not None, SECONDS)
        assert done, self.output
        assert self.process.poll() is None, self.output

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def part(self, name: str) -> psutil.Process | None:
        """Return the live child that runs `graphmark NAME`."""
        for child in psutil.Process(self.process.pid).children():
            if child.status() != psutil.STATUS_ZOMBIE and name in child.cmdline():
                return child
        return None

    def everything(self) -> list[psutil.Process]:
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def ended(self) -> int:
        """Wait for the end and return the exit code."""
        code = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        return code

    def close(self) -> None:
        """End what still runs."""
        self.process.kill()
        self.ended()
        if self.process.stdout is not None:
            self.process.stdout.close()


@contextmanager
def serving(data: Path, *, command: str = "serve", **settings: str) -> Iterator[Terminal]:
    terminal = Terminal(data, command=command, **settings)
    try:
        yield terminal
    finally:
        terminal.close()


def none_runs(processes: list[psutil.Process]) -> bool:
    return not [found for found in processes if found.is_running() and found.status() != psutil.STATUS_ZOMBIE]


def refused(data: Path, **settings: str) -> str:
    """Start, expect exit code 3 and one line, and return that line without its beginning."""
    with serving(data, **settings) as terminal:
        assert terminal.ended() == 3, terminal.output
        [line] = terminal.lines
        assert line.startswith("graphmark: ")
        return line.removeprefix("graphmark: ")


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def test_the_first_start_tells_all_and_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as terminal:
        terminal.until_ready()
        assert wait_until(lambda: "setup?token=" in terminal.output, 10)
        assert f"Address        http://127.0.0.1:{terminal.port}\n" in terminal.output
        assert f"Data           {data}\n" in terminal.output
        link = rf"open http://127\.0\.0\.1:{terminal.port}/setup\?token=gmi_[\w-]{{43}} \(once, within 24 hours\)"
        assert re.search(link, terminal.output)
        assert terminal.is_ready()

        created = terminal.run(
            "user", "create", "--email", "root@example.org", "--password-stdin", "--admin", text="long enough\n"
        )
        assert created == (0, "Opened an account for root@example.org as an administrator.\n")

        started = terminal.everything()
        assert len(started) > 4
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ended() == 0
        assert terminal.lines[-1] == "Graphmark has stopped."
        assert none_runs(started)
    assert postgres_processes(label_of(data / "pg")) == []

    with serving(data) as terminal:
        terminal.until_ready()
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ended() == 0
        assert "setup?token=" not in terminal.output


@pytest.mark.fault
def test_kill_9_of_any_part_is_mended_and_a_second_instance_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as terminal:
        terminal.until_ready()
        for name in PARTS:
            assert wait_until(lambda name=name: terminal.part(name) is not None, SECONDS)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            killed = terminal.part(name)
            assert killed is not None
            killed.kill()
            assert wait_until(
                lambda name=name, killed=killed: (found := terminal.part(name)) is not None and found != killed,  # type: ignore[misc]  # as above
                SECONDS,
            ), terminal.output
        [postgres] = [found for found in terminal.everything() if "-D" in found.cmdline()]
        postgres.kill()
        assert wait_until(lambda: "PostgreSQL ended; starting it again" in terminal.output, SECONDS)
        assert wait_until(terminal.is_ready, SECONDS), terminal.output
        assert running_url(tmp_path) is not None

        line = refused(tmp_path)
        assert line == f"The data folder {tmp_path} is in use by another Graphmark (process {terminal.process.pid})."
        assert terminal.is_ready()


@pytest.mark.fault
async def test_kill_9_of_all_of_it_leaves_data_that_the_next_start_opens(tmp_path: Path) -> None:
    with serving(tmp_path) as terminal:
        terminal.until_ready()
        started = terminal.everything()
        url = running_url(tmp_path)
        assert url is not None
        await ask(url, "CREATE TABLE kept AS SELECT 7 AS n")
        terminal.process.kill()
        if sys.platform.startswith("linux"):
            assert wait_until(lambda: none_runs(started), 20), [found for found in started if found.is_running()]
    with serving(tmp_path, PORT=str(terminal.port)) as again:
        again.until_ready()
        url = running_url(tmp_path)
        assert url is not None
        assert await ask(url, "SELECT n FROM kept") == 7
        everything = again.everything()
        for process in everything:
            with suppress(psutil.NoSuchProcess):  # the death of the supervisor may have been quicker
                process.kill()
    assert wait_until(lambda: none_runs(everything), 20)
    with serving(tmp_path, PORT=str(terminal.port)) as last:
        last.until_ready()


def test_a_busy_port_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        line = refused(data, PORT=str(port))
    assert line == f"Port {port} on 127.0.0.1 is in use by another program; stop that one or set GRAPHMARK_PORT."
    assert not data.exists()


def test_an_unwritable_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert refused(tmp_path / "file" / "data") == (
        f"Cannot write to the data folder {tmp_path}/file/data: Not a directory."
    )
    assert refused(tmp_path / "file", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none") == (
        f"Cannot write to the data folder {tmp_path}/file: File exists."
    )


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, {"fsync": "off"})
    url = server.start()
    await ask(url, "CREATE TABLE migration (id serial PRIMARY KEY, name text, app_name text, ran_on timestamp)")
    await ask(url, "INSERT INTO migration (name, app_name) VALUES ('2999-01-01T00:00:00:000000', 'graphmark')")
    server.stop()
    assert refused(tmp_path) == (
        "The database has migration 2999-01-01T00:00:00:000000, which this Graphmark does not know: "
        "start the newer version that made it, or restore a backup."
    )
    assert postgres_processes(label_of(tmp_path / "pg")) == []
    assert await ask(server.start(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 1
    server.stop()


def test_an_outside_database_that_is_away_is_refused(tmp_path: Path) -> None:
    line = refused(tmp_path, DATABASE_URL="postgresql://nobody:secret-word@127.0.0.1:1/none")
    assert line.startswith("Cannot reach the database: ")
    assert "secret-word" not in line


def test_with_an_outside_database_no_postgres_is_started(tmp_path: Path, dsn: str) -> None:
    with serving(tmp_path, DATABASE_URL=dsn) as terminal:
        terminal.until_ready()
        assert terminal.is_ready()
        assert not (tmp_path / "pg").exists()
        assert not [found for found in terminal.everything() if found.name() == "postgres"]
        started = terminal.everything()
        terminal.process.send_signal(signal.SIGHUP)
        assert terminal.ended() == 0
        assert none_runs(started)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_api_alone_serves_and_stops_in_good_order(tmp_path: Path, dsn: str, workers: int) -> None:
    with serving(tmp_path, command="api", DATABASE_URL=dsn, WORKERS=str(workers)) as terminal:
        assert wait_until(terminal.is_ready, SECONDS), terminal.output
        started = terminal.everything()
        assert len(started) == (1 if workers == 1 else 3)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ended() == 0, terminal.output
        assert none_runs(started)


@pytest.mark.fault
def test_one_of_two_api_processes_may_die_and_the_port_still_answers(tmp_path: Path, dsn: str) -> None:
    with serving(tmp_path, command="api", DATABASE_URL=dsn, WORKERS="2") as terminal:
        assert wait_until(terminal.is_ready, SECONDS), terminal.output
        killed = terminal.part("api")
        assert killed is not None
        killed.kill()
        assert terminal.is_ready()
        assert wait_until(lambda: "was killed by SIGKILL; starting it again in 0.5 s" in terminal.output, SECONDS)
        assert wait_until(lambda: len(terminal.everything()) == 3, SECONDS)
