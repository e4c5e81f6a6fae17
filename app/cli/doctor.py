"""`graphmark doctor`: what is there, what is off, what is wrong."""

import platform
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from app.cli import outside
from app.cli.checks import Check, State
from app.cli.children import GRAPHIQL
from app.cli.support import command_settings, print_json, run, run_with_services
from app.listening import listen
from app.writable import require_writable
from db.agents import AgentRow, all_agents
from db.migrate import inspect
from db.users import has_admin
from kit.browser.finding import OFF, find_chromium
from kit.crypto import KEY_FILE, open_secret_key
from kit.errors import GraphmarkError, Unavailable
from kit.postgres import binaries_folder, running_url
from kit.product import product_version
from kit.settings import Settings
from resolvers.context import Services
from services import audit
from services.agents import fleet
from services.auth import Accounts, factors_open
from tasks.broker import require_redis

MIN_FREE_BYTES = 1024**3
OLDEST_POSTGRES = 16
LAST_ENTRIES = 1_000
OUTSIDE = frozenset({"models", "mail"})


Look = Callable[[Settings], tuple[State, str]]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--audit", "whole_audit", is_flag=True, help="Look at the whole audit log, not at its end only.")
@click.option("--offline", is_flag=True, help="Ask nobody outside: no server of models, no mail server.")
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool, whole_audit: bool, offline: bool) -> None:
    """Check every dependency and setting. Changes nothing; leaves with 3 when something needed is missing.

    With --offline it is a health check that may run every minute.
    """
    checks = list(examined(command_settings(), whole_audit=whole_audit, is_offline=offline))
    healthy = all(check.state is not State.FAILED for check in checks)
    if as_json:
        print_json({"healthy": healthy, "checks": [asdict(check) for check in checks]})
    else:
        _show(checks)
    ctx.exit(0 if healthy else 3)


def examined(settings: Settings, *, whole_audit: bool = False, is_offline: bool = False) -> Iterator[Check]:
    """Yield every check, or those that ask nobody outside; one that fails does not keep the others from being made."""

    def _audit(settings: Settings) -> tuple[State, str]:
        return _audit_log(settings, last=None if whole_audit else LAST_ENTRIES)

    looks: dict[str, Look] = {
        "program": _program,
        "data folder": _data_folder,
        "secret key": _secret_key,
        "database": _database,
        "row security": _row_security,
        "administrator": _administrator,
        "audit log": _audit,
        "second factors": _second_factors,
        "redis": _redis,
        "address": _address,
        "graphiql": _graphiql,
        "models": outside.models,
        "mail": outside.mail,
        "browser": _browser,
        "archive": _archive,
        "agents": _agents,
    }
    for name, look in looks.items():
        if is_offline and name in OUTSIDE:
            continue
        try:
            state, detail = look(settings)
        except GraphmarkError as error:
            state, detail = State.FAILED, error.message
        except OSError as error:  # a data folder whose name no file system takes
            state, detail = State.FAILED, f"{error.strerror}."
        yield Check(name, state, detail)


def _program(_settings: Settings) -> tuple[State, str]:
    return State.OK, f"Graphmark {product_version()}, Python {platform.python_version()}, {platform.platform()}"


def _data_folder(settings: Settings) -> tuple[State, str]:
    folder = settings.data_dir.absolute()
    if not folder.exists():
        return State.OK, f"{folder} will be made at the first start"
    require_writable(folder)
    free = shutil.disk_usage(folder).free
    detail = f"{folder}, {free / 1024**3:.1f} GiB free"
    return (State.OK if free >= MIN_FREE_BYTES else State.FAILED), detail


def _secret_key(settings: Settings) -> tuple[State, str]:
    path = settings.data_dir.absolute() / KEY_FILE
    if settings.secret_key is not None:
        return State.OK, "from GRAPHMARK_SECRET_KEY"
    if not path.exists():
        return State.OK, f"{path} will be made at the first start"
    open_secret_key(settings)
    readers = stat.S_IMODE(path.stat().st_mode) & 0o077
    if readers:
        return State.FAILED, f"{path} can be read by other users of this machine: chmod 600 it"
    return State.OK, str(path)


def _database(settings: Settings) -> tuple[State, str]:
    url = settings.database_url or running_url(settings.data_dir)
    if url is None:
        binaries_folder()
        return State.OK, "embedded, not running; `graphmark serve` starts it"
    seen = run(inspect(url))
    kind = "outside" if settings.database_url else "embedded"
    detail = f"{kind}, PostgreSQL {seen.server_version}, pgvector {'present' if seen.has_pgvector else 'absent'}"
    if int(seen.server_version.split(".")[0]) < OLDEST_POSTGRES:
        return State.FAILED, f"{detail}; PostgreSQL {OLDEST_POSTGRES} or newer is needed"
    if seen.pending:
        return State.FAILED, f"{detail}; {len(seen.pending)} migration(s) pending: run `graphmark migrate`"
    return State.OK, detail


def _row_security(settings: Settings) -> tuple[State, str]:
    """Look whether PostgreSQL holds the second wall; without it everything works, behind the first."""
    url = settings.database_url or running_url(settings.data_dir)
    if url is None:
        return State.OFF, "not looked up, the database does not run"
    told = run(inspect(url)).wall_gap
    return (
        (State.OK, "on: PostgreSQL shows each account its own rows only")
        if told is None
        else (State.OFF, f"off: {told}")
    )


def _administrator(settings: Settings) -> tuple[State, str]:
    if settings.database_url is None and running_url(settings.data_dir) is None:
        return State.OFF, "not looked up, the database does not run"

    async def look(services: Services) -> bool:
        return await has_admin(services.database)

    if run_with_services("doctor", look):
        return State.OK, "there is one"
    return State.OFF, "nobody yet: open the link that `graphmark serve` prints"


def _audit_log(settings: Settings, *, last: int | None) -> tuple[State, str]:
    """Look at the last entries, or at all of them."""
    if settings.database_url is None and running_url(settings.data_dir) is None:
        return State.OFF, "not looked up, the database does not run"

    async def look(services: Services) -> audit.Audited:
        return await audit.verify(services.database, last=last)

    seen = run_with_services("doctor", look, is_worker=True)
    if seen.fault is not None:
        return State.FAILED, seen.fault
    looked_at = "all" if last is None or seen.entries < last else f"the last {seen.entries:,}"
    return State.OK, f"{seen.seq:,} entries, {looked_at} as they were written"


def _second_factors(settings: Settings) -> tuple[State, str]:
    """Open one of them: the secret key may be another one than before."""
    if settings.database_url is None and running_url(settings.data_dir) is None:
        return State.OFF, "not looked up, the database does not run"

    async def look(services: Services) -> bool | None:
        return await factors_open(Accounts(services.database, services.passwords, services.settings))

    opened = run_with_services("doctor", look)
    if opened is None:
        return State.OFF, f"nobody has one; required of: {settings.require_2fa}"
    if not opened:
        return State.FAILED, "the secret key does not open them: bring the right one back, or reset them"
    return State.OK, f"the secret key opens them; required of: {settings.require_2fa}"


def _redis(settings: Settings) -> tuple[State, str]:
    if settings.redis_url is None:
        return State.OFF, "not set; PostgreSQL rings the bell"
    run(require_redis(settings.redis_url))
    return State.OK, "answers"


def _address(settings: Settings) -> tuple[State, str]:
    try:
        listen(settings.host, settings.port).close()
    except Unavailable as error:
        if running_url(settings.data_dir) is None:
            return State.FAILED, error.message
        return State.OK, f"{settings.origin}, in use (Graphmark runs on this data folder)"
    return State.OK, f"{settings.origin}, free"


def _graphiql(_settings: Settings) -> tuple[State, str]:
    if GRAPHIQL.exists():
        return State.OK, "built"
    return State.OFF, "not built: `make web` says what is missing"


def _browser(settings: Settings) -> tuple[State, str]:
    found = find_chromium(settings.chromium)
    if found is not None:
        return State.OK, found
    if settings.chromium in {None, OFF}:
        return State.OFF, "none: pages that are only a script are not rendered, and there are no screenshots"
    return State.FAILED, f"GRAPHMARK_CHROMIUM={settings.chromium!r} is no program that can be run"


def _archive(settings: Settings) -> tuple[State, str]:
    if not settings.archive_url:
        return State.OFF, "switched off: no copies of broken links are looked for"
    return State.OK, f"{settings.archive_url}, asked when a link seems broken"


def _agents(settings: Settings) -> tuple[State, str]:
    if settings.database_url is None and running_url(settings.data_dir) is None:
        return State.OFF, "not looked up, the database does not run"

    async def look(services: Services) -> list[AgentRow]:
        return await all_agents(services.database)

    told: dict[str, list[str]] = {"ready": [], "paused": [], "without a worker": []}
    for agent in run_with_services("doctor", look):
        is_online = agent.status == fleet.AgentStatus.ONLINE
        told["without a worker" if not is_online else "paused" if agent.is_paused else "ready"].append(agent.name)
    detail = "; ".join(f"{state}: {', '.join(names)}" for state, names in told.items() if names)
    return (State.OK if told["ready"] else State.OFF), detail or "none yet: no worker has ever run"


def _show(checks: list[Check]) -> None:
    styles = {State.OK: "green", State.OFF: "yellow", State.FAILED: "bold red"}
    table = Table(box=None, show_header=False, pad_edge=False)
    for check in checks:
        table.add_row(check.name, f"[{styles[check.state]}]{check.state}[/]", check.detail)
    Console(highlight=False, soft_wrap=True).print(table)
