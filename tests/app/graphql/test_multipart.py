"""Uploads: streamed, counted, and gone unless somebody keeps them."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from kit.settings import Settings
from kit.uploads import display_name, remove_stale
from tests.app.graphql import toy
from tests.app.graphql.conftest import Person
from tests.app.graphql.toy import Running, until

BOUNDARY = "-frontier"
TAKE = {"query": "mutation ($f: Upload!) { take(file: $f) }", "variables": {"f": None}}
MAP = {"0": ["variables.f"]}
PREFLIGHT = {"graphql-require-preflight": "1"}


def part(name: str, content: bytes, *, file_name: str | None = None) -> bytes:
    named = "" if file_name is None else f'; filename="{file_name}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(content: bytes = b"data", *, operations: Any = TAKE, places: Any = MAP, file_name: str = "a.html") -> bytes:
    return (
        part("operations", json.dumps(operations).encode())
        + part("map", json.dumps(places).encode())
        + part("0", content, file_name=file_name)
        + f"--{BOUNDARY}--\r\n".encode()
    )


async def send(server: Running, body: Any, **headers: str) -> httpx.Response:
    typed = {"content-type": f"multipart/form-data; boundary={BOUNDARY}", **headers}
    return await server.http.post("/graphql", content=body, headers=typed)


def waiting(settings: Settings) -> list[Path]:
    return list((settings.upload_dir / "incoming").glob("*"))


async def test_a_file_arrives_with_its_size_and_fingerprint(server: Running, settings: Settings, ada: Person) -> None:
    content = bytes(range(256)) * 1_000
    answer = await send(
        server, form(content, file_name="../../C:\\dir\\Meine Bookmarks.html"), **PREFLIGHT, **ada.bearer
    )
    assert answer.json() == {
        "data": {"take": ["Meine Bookmarks.html", "256000", hashlib.sha256(content).hexdigest(), "\0\1\2\3\4\5\6\7"]}
    }
    assert waiting(settings) == []


async def test_what_a_resolver_keeps_outlives_the_request(
    server: Running, settings: Settings, ada: Person, tmp_path: Path
) -> None:
    toy.BOARD.kept_at = tmp_path / "kept" / "one"
    operations = {"query": "mutation ($f: Upload!) { take(file: $f, keep: true) }", "variables": {"f": None}}
    answer = await send(server, form(b"kept", operations=operations), **PREFLIGHT, **ada.bearer)
    assert "errors" not in answer.json()
    assert toy.BOARD.kept_at.read_bytes() == b"kept"
    assert waiting(settings) == []


@pytest.mark.parametrize("header", ["GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Requested-With"])
async def test_a_header_that_forms_cannot_send_is_needed(server: Running, ada: Person, header: str) -> None:
    refused = await send(server, form(), **ada.bearer)
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    assert (await send(server, form(), **{header: "1"}, **ada.bearer)).status_code == 200


async def test_strangers_send_no_files(server: Running, settings: Settings) -> None:
    answer = await send(server, form(), **PREFLIGHT)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    assert waiting(settings) == []


async def test_a_file_that_is_too_large_is_refused_while_it_streams(
    server: Running, settings: Settings, ada: Person
) -> None:
    sent = 0
    seen: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield form(b"").partition(b'name="0"')[0] + b'name="0"; filename="a"\r\n\r\n'
        while sent < 8 * settings.max_upload_bytes:
            sent += 30_000
            yield b"x" * 30_000
            seen.append(len(waiting(settings)))
            await asyncio.sleep(0)

    answer = await send(server, body(), **PREFLIGHT, **ada.bearer)
    assert answer.status_code == 413
    assert "300,000 bytes" in answer.json()["errors"][0]["message"]
    assert waiting(settings) == []
    for size in (2_000_000, 110_000_000):
        announced = await send(server, form(b"x" * size), **PREFLIGHT, **ada.bearer)
        assert announced.status_code == 413


BROKEN: dict[str, tuple[Callable[[], bytes], int]] = {
    "nothing": (lambda: b"", 400),
    "no closing boundary": (lambda: form().removesuffix(f"--{BOUNDARY}--\r\n".encode()), 400),
    "cut in the file": (lambda: form(b"x" * 1_000)[:-300], 400),
    "cut in the operations": (lambda: form()[:90], 400),
    "not a form": (lambda: b"nonsense", 400),
    "no file": (lambda: part("operations", b"{}") + part("map", b"{}") + b"---frontier--\r\n", 400),
    "map before operations": (lambda: part("map", b"{}") + part("operations", b"{}") + b"---frontier--\r\n", 400),
    "the file first": (lambda: part("0", b"x", file_name="a") + form(), 400),
    "two files": (lambda: form().replace(b"---frontier--", part("1", b"y", file_name="b") + b"---frontier--"), 400),
    "operations twice": (lambda: part("operations", b"{}") + form(), 400),
    "operations not JSON": (lambda: form(operations=None).replace(b"null", b"nope", 1), 400),
    "a batch": (lambda: form(operations=[TAKE]), 400),
    "operations too large": (lambda: part("operations", b" " * 1_000_001), 413),
    "map too large": (lambda: part("operations", b"{}") + part("map", b" " * 5_000), 413),
    "map not an object": (lambda: form(places=["variables.f"]), 400),
    "map of another part": (lambda: form(places={"1": ["variables.f"]}), 400),
    "map of two parts": (lambda: form(places={"0": ["variables.f"], "1": ["variables.f"]}), 400),
    "map to two places": (lambda: form(places={"0": ["variables.f", "variables.g"]}), 400),
    "map to nowhere": (lambda: form(places={"0": ["variables.g"]}), 400),
    "map outside the variables": (lambda: form(places={"0": ["query"]}), 400),
    "map through a string": (lambda: form(places={"0": ["variables.f.x.y"]}), 400),
    "map to a value": (lambda: form(operations=TAKE | {"variables": {"f": "text"}}), 400),
    "no variables": (lambda: form(operations={"query": TAKE["query"]}), 400),
    "a long header": (lambda: b"---frontier\r\nContent-Disposition: " + b"x" * 9_000 + b"\r\n\r\n", 400),
    "no disposition": (lambda: b"---frontier\r\nX: y\r\n\r\nx\r\n---frontier--\r\n", 400),
}


@pytest.mark.parametrize(("body", "status"), BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_form_is_refused_and_leaves_nothing(
    server: Running, settings: Settings, ada: Person, body: Callable[[], bytes], status: int
) -> None:
    answer = await send(server, body(), **PREFLIGHT, **ada.bearer)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (status, "BAD_USER_INPUT")
    assert waiting(settings) == []


async def test_a_connection_that_breaks_leaves_nothing(server: Running, settings: Settings, ada: Person) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    whole = form(b"x" * 200_000)
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(whole)}\r\nX-Requested-With: x\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nAuthorization: Bearer {ada.token}\r\n\r\n"
    )
    writer.write(head.encode() + whole[:150_000])
    await writer.drain()
    await until(lambda: waiting(settings))
    writer.transport.abort()
    await until(lambda: not waiting(settings))
    assert await reader.read() == b""


async def test_a_scalar_that_is_no_file_is_the_clients_mistake(server: Running, ada: Person) -> None:
    body = await server.ask("mutation ($f: Upload!) { take(file: $f) }", token=ada.token, f="text")
    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "data" not in body


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a.html", "a.html"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\x.html", "x.html"),
        ("a\0b\x1b[1m.html", "ab[1m.html"),
        ("\u202egnp.exe", "gnp.exe"),
        ("..", "upload"),
        ("", "upload"),
        ("x" * 500, "x" * 200),
    ],
)
def test_a_file_name_is_only_for_showing(given: str, shown: str) -> None:
    assert display_name(given) == shown


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    old, new, other = tmp_path / "a.part", tmp_path / "b.part", tmp_path / "c.html"
    for path in (old, new, other):
        path.touch()
    os.utime(old, (1, 1))
    os.utime(other, (1, 1))
    assert remove_stale(tmp_path, older_than_seconds=3600) == 1
    assert sorted(tmp_path.iterdir()) == [new, other]
