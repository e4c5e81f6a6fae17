"""Secrets in what is logged: by their names, by their looks, in whatever holds them; and nothing that is none."""

import io
import json
import logging
import re
import time
from collections.abc import Iterator

import pytest
import structlog

from kit.crypto import new_token
from kit.logger import configure
from kit.redaction import REDACTED, blot, without_secrets
from kit.settings import LogFormat, LogLevel

MARK = "hunter2-marks-a-secret"
TOKEN = new_token("gms")
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.fixture(params=[LogFormat.JSON, LogFormat.TEXT])
def stream(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Catch what is logged in both styles; everything is as before afterwards."""
    handlers, level = logging.root.handlers, logging.root.level
    caught = io.StringIO()
    configure(level=LogLevel.DEBUG, style=request.param, stream=caught)
    yield caught
    structlog.reset_defaults()
    logging.root.handlers = handlers
    logging.root.setLevel(level)
    for name in ("uvicorn", "taskiq", "asyncio"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.parametrize("prefix", ["gms", "gmk", "gmi", "gmr", "gmv", "gmc", "gmd"])
def test_every_token_of_ours_is_blotted_out_wherever_it_stands(prefix: str) -> None:
    token = new_token(prefix)
    for text in (token, f"x {token}", f'"{token}"', f"({token})", f"/setup?token={token}&x=1", f"{token}, {token}"):
        told = blot(text)
        assert token[4:] not in told
        assert REDACTED in told
    assert blot(f"seen {token}") == f"seen {prefix}_{REDACTED}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"Authorization: Bearer {MARK}", f"Authorization: Bearer {REDACTED}"),
        ("basic dXNlcjpwYXNz", f"basic {REDACTED}"),
        (f"id {JWT}.", f"id {REDACTED}."),
        ("key sk-proj-0123456789abcdef", f"key {REDACTED}"),
        (f"postgresql://graphmark:{MARK}@db/graphmark", f"postgresql://graphmark:{REDACTED}@db/graphmark"),
        (
            f"GET /sign-in/oidc/callback?code={MARK}&state=abc",
            f"GET /sign-in/oidc/callback?code={REDACTED}&state={REDACTED}",
        ),
        (f"otpauth://totp/x?secret={MARK}&issuer=Graphmark", f"otpauth://totp/x?secret={REDACTED}&issuer=Graphmark"),
        (f"{{'password': '{MARK} and more', 'name': 'Ada'}}", f"{{'password': {REDACTED}, 'name': 'Ada'}}"),
        (f'{{"newPassword": "{MARK} and more"}}', f'{{"newPassword": {REDACTED}}}'),
        (f"smtp_password={MARK} host=mail", f"smtp_password={REDACTED} host=mail"),
        (f"Cookie: a=b; c={MARK}\nnext", f"Cookie: {REDACTED}\nnext"),
        (f"set-cookie: {MARK}; Path=/", f"set-cookie: {REDACTED}"),
        (f'"password": "a\\"b {MARK}", "x": 1', f'"password": {REDACTED}, "x": 1'),
    ],
)
def test_what_looks_like_a_secret(text: str, told: str) -> None:
    assert blot(text) == told
    assert MARK not in blot(told)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "import.finished",
        "The token is unknown, expired or revoked: sign in again.",
        "https://example.org:8443/a?page=2#x",
        "mailto:ada@example.org",
        "12 tokens, 3 cookies",
        "0196f0c4-7c1e-7d3a-9d7c-1f2e3d4c5b6a",
        "SELECT 1 FROM one_time_tokens WHERE token_hash = $1",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert blot(text) == text


def test_named_values_however_deep() -> None:
    told = without_secrets(
        {
            "input": {"email": "a@example.org", "password": MARK, "code": "123456", "recoveryCodes": MARK},
            "headers": [("cookie", f"__Host-graphmark={TOKEN}")],
            "api_key": MARK,
            "usedTokens": 12,
            "token": 12,
            "rows": 3,
            "ok": True,
        }
    )
    assert told == {
        "input": {"email": "a@example.org", "password": REDACTED, "code": REDACTED, "recoveryCodes": REDACTED},
        "headers": [["cookie", f"__Host-graphmark=gms_{REDACTED}"]],
        "api_key": REDACTED,
        "usedTokens": 12,
        "token": REDACTED,
        "rows": 3,
        "ok": True,
    }


def test_codes_of_errors_are_none() -> None:
    for code in ("FORBIDDEN", "BAD_USER_INPUT", "23505", "40001", 4403):
        assert without_secrets({"code": code}) == {"code": code}


def test_nothing_of_it_reaches_the_log(stream: io.StringIO) -> None:
    class Held:
        def __repr__(self) -> str:
            return f"Held(token='{MARK}')"

    log = structlog.get_logger("ours")
    log.info("one", password=MARK, said=f"Bearer {TOKEN}", held=Held(), nested={"a": [{"secret": MARK}]})
    logging.getLogger("theirs").warning("dialling %s", f"redis://:{MARK}@cache:6379/0")
    try:
        try:
            raise ValueError(f"password={MARK}")
        except ValueError as error:
            raise RuntimeError(f"refused {TOKEN}") from error
    except RuntimeError:
        log.exception("two")
        logging.getLogger("theirs").exception("three")
    told = stream.getvalue()
    assert MARK not in told
    assert TOKEN[4:] not in told
    assert told.count("RuntimeError: refused gms_[redacted]") == 2
    assert len(re.findall("one|two|three|dialling", told)) >= 4


def test_a_line_of_json_stays_json(stream: io.StringIO) -> None:
    structlog.get_logger("ours").info("x", said=f'{{"password": "a\\"b{MARK}"}}', other=f"secret='{MARK}\"")
    told = stream.getvalue()
    assert MARK not in told
    if told.startswith("{"):
        assert json.loads(told)["event"] == "x"


@pytest.mark.parametrize("text", ["://" * 40_000, "a-" * 60_000, "?code=" * 20_000, "password" * 15_000, "a:" * 60_000])
def test_long_lines_take_no_time(text: str) -> None:
    began = time.process_time()
    blot(text)
    assert time.process_time() - began < 2
