"""The command line: what is offered, exit codes, one clear line for whatever can be expected to fail."""

import asyncio
import errno
import io
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from app import cli
from app.cli import support
from app.listening import listen
from app.writable import require_writable
from db.migrate import known
from db.unit import Database
from kit import settings as settings_module
from kit.ai import LocalProvider
from kit.crypto import KEY_FILE, SecretKey, open_secret_key
from kit.errors import BadInput, RateLimited, Unavailable
from kit.settings import Settings, environment_with
from kit.smtp import FOLDER
from schema.root import sdl
from services import mail, throttle
from services.agents import fleet
from services.mail.letters import locked_out
from services.throttle import Secret
from tasks.agents import AGENTS
from tasks.agents.registry import cards
from tests.fakes.mail import HOST, mail_server
from tests.make import Maker

ROOT = Path(__file__).parents[2]
AWAY = "postgresql://nobody:secret-word@127.0.0.1:1/none"

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line in this process with settings; return its exit code."""
    for name in [name for name in environment_with() if name.startswith("GRAPHMARK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GRAPHMARK_DATA_DIR", str(tmp_path / "data"))

    monkeypatch.setattr(support, "configure_logging", lambda **_: None)  # this process is pytest's

    def call(*arguments: str, text: bytes = b"", **settings: str) -> int:
        for name, value in settings.items():
            monkeypatch.setenv(f"GRAPHMARK_{name}", value)
        monkeypatch.setattr(sys, "argv", ["graphmark", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
        with pytest.raises(SystemExit) as left:
            cli.main()
        return int(left.value.code or 0)

    return call


def fails_with(error: BaseException) -> click.Command:
    @click.command()
    def failing() -> None:
        raise error

    return failing


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (BadInput("No."), 1, "graphmark: No.\n"),
        (Unavailable("Away."), 3, "graphmark: Away.\n"),
        (RateLimited("Slowly.", retry_after_seconds=1), 3, "graphmark: Slowly.\n"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), 3, "graphmark: The connection was lost: reset.\n"),
        (click.UsageError("Odd."), 2, "Error: Odd.\n"),
        (click.Abort(), 1, ""),
    ],
)
def test_an_expected_failure_is_one_line_and_a_code(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    line: str,
) -> None:
    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: fails_with(error))
    assert run("schema") == code
    said = capsys.readouterr()
    assert said.err.endswith(line)
    assert said.out == ""


def test_a_fault_of_our_own_keeps_its_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: fails_with(ZeroDivisionError("ours")))
    with pytest.raises(ZeroDivisionError, match="ours"):
        run("schema")


def test_help_lists_what_is_installed_and_imports_none_of_it(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    listed = capsys.readouterr().out
    for name, (module, _, text) in cli.COMMANDS.items():
        assert (text in listed) is (find_spec(module) is not None), name
    code = "import sys; from app import cli; cli.graphmark.get_help(cli.click.Context(cli.graphmark)); "
    code += "print(sorted({'litestar', 'strawberry', 'asyncpg'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  our own interpreter
    assert done.stdout == "[]\n"


def test_a_command_that_is_not_installed_is_wrong_usage_and_breaks_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "later", ("app.cli.not_written", "later", "Not yet."))
    assert run("later") == 2
    assert "No such command 'later'" in capsys.readouterr().err
    assert run("--help") == 0


@pytest.mark.parametrize(
    "arguments",
    [["no-such"], ["migrate", "--no-such"], ["user", "create"], ["user", "create", "--email", "a@example.org"]],
    ids=["command", "option", "missing", "no terminal to ask for the password on"],
)
def test_wrong_usage_is_code_2(run: Run, arguments: list[str]) -> None:
    assert run(*arguments) == 2


@pytest.mark.parametrize("command", ["serve", "api", "migrate", "doctor"])
def test_a_setting_that_cannot_be_understood_is_one_line_and_code_2(
    run: Run, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run(command, PORT="many") == 2
    assert (
        capsys.readouterr().err == "graphmark: GRAPHMARK_PORT='many' cannot be used: expected a port from 0 to 65535.\n"
    )


@pytest.mark.parametrize("command", ["serve", "api", "worker", "scheduler", "migrate", "doctor", "schema"])
@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("AI_PRICES", "gpt-x=cheap", "GRAPHMARK_AI_PRICES has 'gpt-x=cheap'"),
        ("OPENAI_BASE_URL", "api:secret-word@example.org", "GRAPHMARK_OPENAI_BASE_URL is not an address like"),
        ("AI_PROVIDER", "openai", "GRAPHMARK_AI_PROVIDER=openai needs GRAPHMARK_OPENAI_API_KEY or"),
        ("EMBEDDING_DIMENSIONS", "4001", "GRAPHMARK_EMBEDDING_DIMENSIONS is at most 4,000."),
    ],
)
def test_a_setting_of_models_that_cannot_be_used_stops_every_start(
    run: Run, capsys: pytest.CaptureFixture[str], command: str, name: str, value: str, line: str
) -> None:
    needs_settings = command != "schema"
    assert run(command, **{name: value}) == (2 if needs_settings else 0)
    said = capsys.readouterr().err
    assert said.startswith(f"graphmark: {line}" if needs_settings else "")
    assert said.count("\n") == needs_settings
    assert "secret-word" not in said


def test_schema_prints_the_sdl(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    assert capsys.readouterr().out == sdl() + "\n"


def test_migrate_works_on_the_embedded_database_and_says_what_it_did(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    names = sorted(known())
    assert run("migrate", "--check", "--json") == 1
    assert json.loads(capsys.readouterr().out) == {"pending": names}
    assert run("migrate", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"applied": names}
    assert run("migrate") == 0
    assert run("migrate", "--check") == 0
    assert capsys.readouterr().out == "The schema is up to date.\n" * 2


@pytest.mark.parametrize(
    "command",
    [["migrate"], ["api"], ["serve"], ["user", "create", "--email", "a@example.org", "--password-stdin"]],
)
def test_a_database_that_is_away_is_code_3_and_never_shows_the_password(
    run: Run, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert run(*command, text=b"long enough\n", DATABASE_URL=AWAY, PORT="0") == 3
    line = capsys.readouterr().err
    assert line.startswith("graphmark: Cannot reach the database: ")
    assert line.count("\n") == 1
    assert "secret-word" not in line


def test_api_alone_needs_a_database(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("api") == 3
    assert "GRAPHMARK_DATABASE_URL is not set" in capsys.readouterr().err


async def test_a_user_is_created_once_with_a_password_from_stdin(
    run: Run, dsn: str, database: object, capsys: pytest.CaptureFixture[str]
) -> None:
    del database  # empties it
    create = ("user", "create", "--email", "Ada@example.org", "--password-stdin", "--json")

    def one_after_the_other() -> list[tuple[int, str, str]]:
        outcomes = []
        for text in (b"long enough\r\n", b"long enough\n", b"short\n", b"\n", b"\xff\n"):
            code = run(*create, text=text, DATABASE_URL=dsn)
            said = capsys.readouterr()
            outcomes.append((code, said.out, said.err))
        return outcomes

    outcomes = await asyncio.to_thread(one_after_the_other)
    assert [code for code, _, _ in outcomes] == [0, 1, 1, 1, 1]
    made = json.loads(outcomes[0][1])
    assert (made["email"], made["role"]) == ("Ada@example.org", "USER")
    assert [error for _, _, error in outcomes[1:]] == [
        "graphmark: There is an account with this address already.\n",
        "graphmark: A password has 8 to 1,024 characters; a sentence is a good one.\n",
        "graphmark: There was no password on the first line of stdin.\n",
        "graphmark: The password on stdin is not UTF-8.\n",
    ]


async def test_an_account_and_a_network_are_unlocked(
    run: Run, dsn: str, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    locking = replace(Settings(), password_failures_per_account=1, sign_in_failures_per_network=1)
    await throttle.admit(database, locking, Secret.PASSWORD, "ada@example.org", "203.0.113.7")

    def unlocked(*arguments: str) -> tuple[int, str]:
        code = run("user", "unlock", *arguments, DATABASE_URL=dsn)
        return code, capsys.readouterr().out

    def one_after_the_other() -> list[tuple[int, str]]:
        account, network = ("--email", "Ada@example.org"), ("--network", "203.0.113.200")
        return [
            unlocked(*words)
            for words in (account, account, network, network, ("--email", "nobody"), (), account + network)
        ]

    freed, nothing = (0, "Nobody has to wait any longer.\n"), (0, "Nobody had to wait.\n")
    outcomes = await asyncio.to_thread(one_after_the_other)
    assert outcomes[:4] == [freed, nothing, freed, nothing]
    assert [code for code, _ in outcomes[4:]] == [1, 2, 2]
    assert await database.fetchval("SELECT count(*) FROM failed_tries") == 0


def test_doctor_names_what_is_wrong_and_still_looks_at_the_rest(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor", "--json", PORT="0") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["healthy"] is True
    assert [check["name"] for check in report["checks"]] == [
        *("program", "data folder", "secret key", "database", "row security", "administrator", "audit log"),
        *("second factors", "redis", "address", "graphiql", "models", "mail", "browser", "archive", "agents"),
    ]
    assert run("doctor", "--json", PORT="0", DATABASE_URL=AWAY, REDIS_URL="redis://127.0.0.1:1") == 3
    report = json.loads(capsys.readouterr().out)
    assert report["healthy"] is False
    assert [check["name"] for check in report["checks"] if check["state"] == "failed"] == [
        "database",
        "row security",
        "administrator",
        "audit log",
        "second factors",
        "redis",
        "agents",
    ]


def test_doctor_asks_nobody_outside_when_it_is_told_so(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    away = {
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": "1",
    }

    def failed(*options: str) -> list[str]:
        run("doctor", "--json", *options, PORT="0", MAIL_FROM="links@example.org", **away)
        checks = json.loads(capsys.readouterr().out.splitlines()[-1])["checks"]
        return [check["name"] for check in checks if check["state"] == "failed"]

    assert failed() == ["models", "mail"]
    assert failed("--offline") == []


def test_doctor_says_where_the_secret_key_is_and_who_can_read_it(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "data" / KEY_FILE

    def told(**settings: str) -> tuple[str, str]:
        run("doctor", "--json", PORT="0", **settings)
        checks = json.loads(capsys.readouterr().out.splitlines()[-1])["checks"]
        (found,) = [(check["state"], check["detail"]) for check in checks if check["name"] == "secret key"]
        return found

    assert told() == ("ok", f"{path} will be made at the first start")
    assert not path.exists()
    open_secret_key(Settings(data_dir=path.parent))
    assert told() == ("ok", str(path))
    path.chmod(0o644)
    assert told() == ("failed", f"{path} can be read by other users of this machine: chmod 600 it")
    path.write_text("short")
    assert told()[0] == "failed"
    assert told(SECRET_KEY="k" * 32) == ("ok", "from GRAPHMARK_SECRET_KEY")


def test_doctor_looks_at_what_agents_need(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    def told(**settings: str) -> dict[str, tuple[str, str]]:
        run("doctor", "--json", PORT="0", **settings)
        report = capsys.readouterr().out.splitlines()[-1]  # before it the log, which is not set up here
        return {
            check["name"]: (check["state"], check["detail"])
            for check in json.loads(report)["checks"]
            if check["name"] in {"models", "browser", "archive", "agents"}
        }

    found = told(CHROMIUM=sys.executable)
    assert found["models"] == ("ok", LocalProvider().detail)
    assert found["browser"] == ("ok", sys.executable)
    assert found["archive"] == ("ok", "https://archive.org/wayback/available, asked when a link seems broken")
    assert found["agents"] == ("off", "not looked up, the database does not run")
    off = told(CHROMIUM="off", ARCHIVE_URL="")
    assert [off[name][0] for name in ("browser", "archive")] == ["off", "off"]
    wrong = told(CHROMIUM="no-such-browser", OPENAI_API_KEY="k", OPENAI_BASE_URL="http://127.0.0.1:1/v1")
    assert wrong["models"] == ("failed", "The AI server cannot be reached.")
    assert wrong["browser"] == ("failed", "GRAPHMARK_CHROMIUM='no-such-browser' is no program that can be run")


async def test_doctor_says_where_mail_goes(
    run: Run, dsn: str, database: Database, make: Maker, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async def told(**settings: str) -> tuple[str, str]:
        await asyncio.to_thread(run, "doctor", "--json", PORT="0", DATABASE_URL=dsn, **settings)
        checks = json.loads(capsys.readouterr().out.splitlines()[-1])["checks"]
        return next((one["state"], one["detail"]) for one in checks if one["name"] == "mail")

    folder = f"no mail server is set; messages are written to {tmp_path / 'data' / FOLDER}"
    assert await told() == ("off", folder)
    async with database.unit() as unit:
        for _ in range(2):
            await mail.queue(unit, SecretKey("k" * 32), locked_out(await make.user(), minutes=15))
        await unit.execute(
            "UPDATE mail_messages SET state = 'FAILED', sealed = NULL, finished_at = now(), error = '550 no' "
            "WHERE id = (SELECT max(id::text)::uuid FROM mail_messages)"
        )
    assert await told() == ("off", f"{folder}; 1 waiting; 1 given up, the last time because 550 no")
    async with mail_server() as server:
        there = {"SMTP_HOST": HOST, "SMTP_PORT": str(server.port), "MAIL_FROM": "links@example.org"}
        state, detail = await told(**there, SMTP_SECURITY="none")
        assert (state, detail.partition(";")[0]) == (
            "ok",
            f"{HOST}:{server.port} answers, in the clear, without signing in",
        )
        state, detail = await told(**there, SMTP_SECURITY="starttls")
        assert (state, detail) == ("failed", f"{HOST}: SMTP STARTTLS extension not supported by server.")
    assert server.received == []


async def test_doctor_names_the_agents(
    run: Run, dsn: str, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    async def told() -> dict[str, str]:
        await asyncio.to_thread(run, "doctor", "--json", PORT="0", DATABASE_URL=dsn)
        return next(one for one in json.loads(capsys.readouterr().out)["checks"] if one["name"] == "agents")

    assert (await told())["detail"] == "none yet: no worker has ever run"
    async with database.unit() as unit:
        await fleet.register(unit, [asdict(card) | {"name": card.name.value} for card in cards(AGENTS)])
    assert (await told())["state"] == "ok"
    await database.execute("UPDATE agent_registrations SET is_paused = true WHERE name = 'EMBEDDING'")
    await database.execute("UPDATE agent_registrations SET status = 'OFFLINE' WHERE name = 'VALIDATION'")
    names = ", ".join(sorted({card.name.value for card in cards(AGENTS)} - {"EMBEDDING", "VALIDATION"}))
    assert await told() == {
        "name": "agents",
        "state": "ok",
        "detail": f"ready: {names}; paused: EMBEDDING; without a worker: VALIDATION",
    }
    await database.execute("UPDATE agent_registrations SET status = 'OFFLINE'")
    assert (await told())["state"] == "off"


def test_doctor_tells_of_a_folder_that_no_file_system_takes(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor", "--json", PORT="0", DATA_DIR="x" * 300) == 3
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["data folder"] == {"name": "data folder", "state": "failed", "detail": "File name too long."}
    assert checks["address"]["state"] == "ok"


def test_doctor_changes_nothing(run: Run, tmp_path: Path) -> None:
    assert run("doctor", PORT="0") == 0
    assert not (tmp_path / "data").exists()


def test_listening_says_what_is_wrong_with_an_address() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"Port {port} on 127.0.0.1 is in use by another program"):
            listen("127.0.0.1", port)
    with pytest.raises(Unavailable, match="set GRAPHMARK_HOST"):
        listen("192.0.2.1", 0)
    with pytest.raises(Unavailable, match=r"GRAPHMARK_HOST=no\.such\.host\.invalid is no address of this machine"):
        listen("no.such.host.invalid", 0)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_listening_takes_an_ipv6_address() -> None:
    with listen("::1", 0) as listening:
        assert listening.family is socket.AF_INET6


def test_a_folder_is_made_private_and_left_without_a_trace(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_child_inherits_the_environment_with_settings_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "yes")
    monkeypatch.setenv("GRAPHMARK_PORT", "1")
    changed = environment_with(PORT="2")
    assert (changed["KEPT"], changed["GRAPHMARK_PORT"]) == ("yes", "2")
    assert settings_module.load_settings(changed).port == 2


def test_a_schema_that_is_behind_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    async def pending(_url: str) -> list[str]:
        return ["a", "b"]

    monkeypatch.setattr(support, "pending", pending)
    with pytest.raises(Unavailable, match=r"lacks 2 migration\(s\): run `graphmark migrate` first"):
        support.require_schema("postgresql://")


def test_a_lost_second_factor_is_reset_by_the_operator(run: Run, capsys: pytest.CaptureFixture[str], dsn: str) -> None:
    create = ("user", "create", "--email", "lost@example.org", "--password-stdin")
    assert run(*create, text=b"long enough\n", DATABASE_URL=dsn) == 0
    capsys.readouterr()
    reset = ("user", "reset-totp", "--email", "Lost@example.org")
    assert run(*reset) == 0
    assert capsys.readouterr().out == "There was no second factor.\n"
    put = """
        INSERT INTO totp_factors (user_id, secret, confirmed_at)
        SELECT id, 'x', now() FROM users WHERE email_key = 'lost@example.org'
    """
    asyncio.run(_executed(dsn, put))
    assert run(*reset) == 0
    assert capsys.readouterr().out == "The second factor is off, and all sessions have ended.\n"
    assert run("user", "reset-totp", "--email", "nobody@example.org") == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "graphmark: There is no account with the address nobody@example.org."
    )


async def _executed(dsn: str, statement: str) -> None:
    database = await Database.connect(dsn, size=1, statement_timeout_seconds=20, name="tests")
    await database.execute(statement)
    await database.close()
