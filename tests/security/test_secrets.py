"""What people type and what they are given is nowhere to be read again: not in the log, not in the database."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from db.unit import Database
from kit.logger import configure
from kit.settings import LogFormat, LogLevel
from resolvers.context import Services
from services import auth
from tests.app.graphql import toy
from tests.client import the_schema
from tests.factors import App, Clock
from tests.factors import clock as clock  # noqa: PLC0414  a fixture

OLD, NEW = "marked old horse battery", "marked new horse battery"
WRONG, TYPED = "marked wrong horse battery", "marked as an address"
EMAIL = "ada@example.org"
REGISTER = "mutation ($input: RegisterInput!) { register(input: $input) { session { token } userErrors { code } } }"
LOGIN = """mutation ($input: LoginInput!) {
  login(input: $input) { session { token } challenge { token } userErrors { code } } }"""
ENABLE = "mutation ($input: EnableTotpInput!) { enableTotp(input: $input) { secret userErrors { code } } }"
CONFIRM = "mutation ($input: ConfirmTotpInput!) { confirmTotp(input: $input) { recoveryCodes userErrors { code } } }"
VERIFY = """mutation ($input: VerifyTotpInput!) {
  verifyTotp(input: $input) { session { token } deviceToken userErrors { code } } }"""
KEY = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { token userErrors { code } } }"
REFRESH = "mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { session { token } } }"
CHANGE = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { changed userErrors { code } } }"
FORGOTTEN = "mutation ($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { accepted } }"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Catch all that is logged, at its most talkative."""
    handlers, level = logging.root.handlers, logging.root.level
    caught = io.StringIO()
    configure(level=LogLevel.DEBUG, style=LogFormat.JSON, stream=caught)
    for name in ("uvicorn", "asyncio"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield caught
    structlog.reset_defaults()
    logging.root.handlers = handlers
    logging.root.setLevel(level)
    for name in ("uvicorn", "taskiq", "asyncio"):
        logging.getLogger(name).setLevel(logging.NOTSET)


async def stored(database: Database) -> str:
    """Return every row of every table as text; bytes are in hexadecimal digits."""
    names = await database.fetch("SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'")
    rows = [
        row["told"]
        for name in names
        for row in await database.fetch(f"SELECT one::text AS told FROM {name['name']} AS one")
    ]
    return "\n".join(rows)


class Client:
    """Asks as a client does, and remembers each secret that it sent or was given."""

    def __init__(self, running: toy.Running) -> None:
        self.running = running
        self.secrets = {OLD, NEW, WRONG, TYPED}

    async def ask(self, document: str, token: str | None = None, **given: Any) -> dict[str, Any]:
        """Return what the one root field answers."""
        answer = await self.running.ask(document, token=token, input=given)
        [told] = answer["data"].values()
        self._note(told)
        return dict(told)

    def _note(self, told: Any) -> None:
        if isinstance(told, dict):
            for name, value in told.items():
                if name in {"token", "secret", "deviceToken", "recoveryCodes"} and value:
                    self.secrets.update([value] if isinstance(value, str) else value)
                else:
                    self._note(value)


async def walk(client: Client, clock: Clock) -> None:
    """Open an account, make mistakes, sign in with both kinds of codes, make a key, renew, change and forget."""
    known = {"email": EMAIL, "password": OLD}
    token = (await client.ask(REGISTER, **known, name="Ada"))["session"]["token"]
    for wrong in ({"email": EMAIL, "password": WRONG}, {"email": TYPED, "password": OLD}):
        assert (await client.ask(LOGIN, **wrong))["session"] is None
    secret = (await client.ask(ENABLE, token, password=OLD))["secret"]
    app = App(secret, clock)
    codes = (await client.ask(CONFIRM, token, code=app.code()))["recoveryCodes"]
    assert len(codes) == 10
    for code in (codes[0], app.code(steps=1)):
        challenge = (await client.ask(LOGIN, **known))["challenge"]["token"]
        assert (await client.ask(VERIFY, challengeToken=challenge, code="000000"))["session"] is None
        clock.next_step()
        answer = await client.ask(VERIFY, challengeToken=challenge, code=code, trustDevice=True)
        assert answer["session"] is not None
    token = answer["session"]["token"]
    key = (await client.ask(KEY, token, name="k", scopes=["READ"]))["token"]
    assert (await client.running.ask("{ viewer { email } }", token=key))["data"]["viewer"] == {"email": EMAIL}
    token = (await client.ask(REFRESH, token))["session"]["token"]
    assert (await client.ask(CHANGE, token, currentPassword=OLD, newPassword=NEW))["changed"] is True
    assert (await client.ask(FORGOTTEN, email=EMAIL))["accepted"] is True
    bearer = {"authorization": f"Bearer {client.running.port}-{WRONG.replace(' ', '-')}"}
    await client.running.http.get("/setup", params={"token": TYPED}, headers=bearer)
    await client.running.http.post("/graphql", json={"query": "{ viewer { id } }"}, headers=bearer)


async def test_nothing_secret_is_logged_or_stored(
    services: Services, clock: Clock, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with toy.serving(services, the_schema()) as running:
        client = Client(running)
        await walk(client, clock)

        async def fail(*given: object, **named: object) -> None:
            raise ZeroDivisionError(f"{given} {named}")

        monkeypatch.setattr(auth, "login", fail)  # a fault whose message quotes all that was typed
        broken = await running.ask(LOGIN, input={"email": EMAIL, "password": OLD})
    assert "marked" not in str(broken)
    logged, kept = log.getvalue(), await stored(services.database)
    assert "ZeroDivisionError" in logged
    assert EMAIL in kept
    assert len(client.secrets) >= 4 + 1 + 1 + 10 + 2 + 2 + 2 + 1 + 1
    for secret in client.secrets:
        assert secret not in logged
        assert secret not in kept
        assert secret.encode().hex() not in kept
