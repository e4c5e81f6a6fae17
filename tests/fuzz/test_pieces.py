"""One parser at a time: tokens, cursors, ids, headers, documents, messages, queries, files of bookmarks."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import orjson
from hypothesis import strategies as st

from app.graphql import callers, requests
from app.graphql.bodies import Body
from app.graphql.callers import Headers
from app.graphql.documents import Documents
from app.graphql.errors import formatted
from app.graphql.messages import BadMessage, message_of
from app.graphql.multipart import received_form
from app.graphql.negotiation import accepted, content_type
from app.graphql.requests import Refusal
from kit.errors import BadInput, Forbidden, Unauthenticated
from kit.ids import decode_global_id, encode_global_id, new_id
from kit.paging import decode_cursor, encode_cursor
from kit.rates.budgets import network_of
from kit.settings import Settings
from kit.urls import identify
from services.imports.detect import count_rows, open_reader
from services.permissions import Viewer
from services.search.parser import parse
from services.search.syntax import printed
from tests.app.graphql.nasty import BODIES
from tests.client import the_schema
from tests.executor.corpus import CORPUS
from tests.fuzz.driver import fuzz, mutated, tried

SETTINGS = Settings()
SMALL = [nasty.body for nasty in BODIES.values() if len(nasty.body) < 2_000]
KNOWN = "gms_known"
ANYTHING = st.text(max_size=300)
HEADER = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=200),
    st.sampled_from(
        ["Bearer ", "bearer\t", f"Bearer {KNOWN}", f"__Host-graphmark={KNOWN}", "same-origin", "null", "http://"]
    ),
    st.builds("{}{}".format, st.sampled_from(["Bearer ", "__Host-graphmark=", "http://[", "http://"]), ANYTHING).map(
        lambda text: text.encode("latin-1", "replace").decode("latin-1")
    ),
)
NAMES = ("authorization", "cookie", "origin", "host", "sec-fetch-site", "x-forwarded-for", "x-request-id")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)


def test_credentials_in_headers() -> None:
    viewer = Viewer(id=new_id())

    async def authenticate(token: str) -> Viewer | None:
        assert len(token) <= callers.MAX_TOKEN_CHARS
        return viewer if token == KNOWN else None

    def check(given: dict[str, str]) -> None:
        headers = Headers({"headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()]})
        try:
            caller = asyncio.run(callers.identify(headers, authenticate, SETTINGS))
        except (Unauthenticated, Forbidden):
            return
        assert caller.viewer is None or KNOWN in "".join(given.values())

    fuzz(st.dictionaries(st.sampled_from(NAMES), HEADER, max_size=5), check)


def test_addresses_and_origins() -> None:
    settings = Settings(trusted_proxies=Settings().trusted_proxies)

    def check(value: str) -> None:
        header = value.encode("latin-1", "replace").decode("latin-1")
        headers = Headers(
            {"headers": [(b"host", header.encode("latin-1")), (b"x-forwarded-for", header.encode("latin-1"))]}
        )
        callers.is_own_origin(header, headers, settings)
        callers.is_plain_host(header)
        callers.network_address({"client": (value, 1)}, headers, settings)
        assert len(network_of(value)) <= 64

    fuzz(HEADER | ANYTHING | st.ip_addresses().map(str), check)


def test_cursors() -> None:
    def check(text: str) -> None:
        try:
            decode_cursor("added", text, (str, int))
        except BadInput:
            return
        raise AssertionError("a cursor was accepted that nobody made")

    real = encode_cursor("title", ("a", 1))
    damaged = st.builds(lambda at, put: real[:at] + put + real[at + 1 :], st.integers(0, len(real) - 1), ANYTHING)
    fuzz(ANYTHING | damaged | st.binary(max_size=100).map(lambda raw: raw.hex()), check)


def test_global_ids() -> None:
    def check(text: str) -> None:
        try:
            kind, key = decode_global_id(text)
        except BadInput:
            return
        assert encode_global_id(kind, key) == text

    real = encode_global_id("Bookmark", new_id())
    damaged = st.builds(lambda at, put: real[:at] + put + real[at + 1 :], st.integers(0, len(real) - 1), ANYTHING)
    fuzz(ANYTHING | damaged, check)


def test_documents() -> None:
    documents = Documents(the_schema()._schema, SETTINGS)  # noqa: SLF001  what the engine reads
    samples = [case.query.encode() for case in CORPUS.values()] + SMALL

    def check(raw: bytes) -> None:
        text = raw.decode("utf-8", "ignore")
        for is_open in (True, False):
            prepared = documents.prepare(text, is_open=is_open)
            codes = {
                error["extensions"]["code"] for error in formatted(prepared.errors, request_id="r", operation=None)
            }
            assert codes <= {"BAD_USER_INPUT", "COMPLEXITY_LIMIT", "FORBIDDEN"}, codes
            if not prepared.errors:
                for node in prepared.operations:
                    documents.cost(prepared, node, {})

    fuzz(mutated(samples), check)


def test_requests() -> None:
    def check(raw: bytes) -> None:
        for reading in (requests.operation_in_json, requests.operation_in_query_string):
            operation, refusal = tried(Refusal, reading, raw)
            assert refusal is None or 400 <= refusal.status < 500
            assert operation is None or operation.query or operation.named

    fuzz(mutated([*SMALL, b"query={a}&variables={}&extensions=%7B%7D", b"documentId=sha256:" + b"0" * 64]), check)


def test_media_types() -> None:
    def check(header: str) -> None:
        accepted(header)
        content_type(header)

    plausible = st.lists(
        st.sampled_from(
            ["application/json", "*/*", ";q=", "0.5", ",", "charset", "=", '"', "multipart/form-data", "boundary"]
        ),
        max_size=12,
    ).map("".join)
    fuzz(plausible | HEADER, check)


def test_messages_of_sockets() -> None:
    kinds = st.sampled_from(["connection_init", "subscribe", "complete", "ping", "pong", "next", ""])
    shaped = st.fixed_dictionaries(
        {"type": kinds | JSON}, optional={"id": JSON, "payload": JSON | st.fixed_dictionaries({"query": JSON})}
    )

    def check(value: Any) -> None:
        try:
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
        except TypeError:
            return  # a number that JSON cannot carry
        _, refusal = tried(BadMessage, message_of, text)
        assert refusal is None or str(refusal)

    fuzz(shaped | ANYTHING, check)


def test_multipart_forms() -> None:
    good = (
        b'--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query":"{a}","variables":{"f":null}}\r\n'
        b'--b\r\nContent-Disposition: form-data; name="map"\r\n\r\n{"0":["variables.f"]}\r\n'
        b'--b\r\nContent-Disposition: form-data; name="0"; filename="x"\r\n\r\nhello\r\n--b--\r\n'
    )
    lines = [line + b"\r\n" for line in good.split(b"\r\n")]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), max_upload_bytes=10_000, max_request_bytes=10_000)

        async def read(raw: bytes, size: int) -> None:
            chunks = [raw[at : at + size] for at in range(0, len(raw), size)] or [b""]

            async def receive() -> Any:
                return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

            body = Body(Headers({"headers": [(b"content-length", str(len(raw)).encode())]}), receive)
            status = 400
            try:
                async with received_form(body, "b", settings) as operation:
                    assert operation.variables is not None
            except Refusal as error:
                status = int(error.status)
            assert 400 <= status < 500
            assert not list(settings.upload_dir.rglob("*.part")), "something of a refused form stayed"

        shuffled = st.lists(st.sampled_from(lines), max_size=14).map(b"".join)
        values = st.tuples(mutated([good, *lines]) | shuffled, st.integers(1, 200))
        fuzz(values, lambda value: asyncio.run(read(*value)))


def test_query_texts() -> None:
    words = st.sampled_from(
        [
            '"',
            "(",
            ")",
            "-",
            "NOT ",
            " OR ",
            " AND ",
            "tag:",
            "is:",
            "domain:",
            "added:",
            "*",
            "similar:",
            ":",
            "2024-01-01",
            "..",
        ]
    )
    texts = st.lists(words | st.text(max_size=8), max_size=20).map("".join)

    def check(text: str) -> None:
        node, refusal = tried(BadInput, parse, text)
        assert refusal is None or refusal.position is None or 0 <= refusal.position <= len(text)
        assert node is None or printed(parse(printed(node))) == printed(node)

    fuzz(texts | ANYTHING, check)


def test_addresses_of_bookmarks() -> None:
    def check(text: str) -> None:
        identity, _ = tried(BadInput, identify, text)
        assert identity is None or identify(identity.canonical).key == identity.key

    parts = st.sampled_from(
        ["http://", "https:", "//", "[::1]", "@", ":0", "%", "%00", "?", "#", "/..", "xn--", "\u202e", "。"]
    )
    fuzz(st.lists(parts | st.text(max_size=6), max_size=10).map("".join), check)


def rows_of(path: Path) -> int:
    """Return how many rows the reader of a file yields."""
    return sum(1 for _ in open_reader(path))


def test_files_of_bookmarks() -> None:
    samples = [path.read_bytes()[:1_500] for path in sorted(Path("tests/data/imports").rglob("*.html"))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"

        def check(raw: bytes) -> None:
            path.write_bytes(raw)
            rows, refusal = tried(BadInput, rows_of, path)
            assert refusal is None or refusal.message
            assert rows is None or count_rows(path) >= rows

        fuzz(mutated(samples), check)
